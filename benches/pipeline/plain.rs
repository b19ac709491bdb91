//! What the hub is measured against: the same records, written in an afternoon with `serde_json::Value`, `rust_decimal` and ordered maps.
//!
//! Straightforward, not slowed down: totals are kept along as in the hub, snapshots are built in one go. It knows the six kinds of frame that
//! are measured and nothing of bounds, noise, tickers or dead letters, all of which the hub has to think of. Bare numbers go through a 64-bit
//! float, as they do in `serde_json` unless asked otherwise; with the 15 digits at most that the data has, its shortest text is exact.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::str::FromStr as _;

use market_hub::event_time::EventTime;
use market_hub::json::Token;
use market_hub::rules::{PairDecimals, Rules};
use rust_decimal::Decimal;
use serde_json::Value;

/// One output message.
pub struct Record {
    pub key: String,
    pub value: String,
    pub timestamp_ms: i64,
    pub unverified: bool,
}

type Levels = Vec<(Decimal, Decimal)>;

/// One frame, decoded.
struct Frame {
    snapshot: bool,
    bids: Levels,
    asks: Levels,
    time: Option<EventTime>,
    /// The frame's own number, and that of the frame before it.
    sequence: Option<(i64, i64)>,
    checksum: Option<i64>,
    instrument: String,
}

/// One side of a book: `K` is the price, or its reverse, so that the best is first.
struct Side<K> {
    levels: BTreeMap<K, Decimal>,
    total: Decimal,
}

/// A book, kept or made of one frame.
struct Book {
    bids: Side<Reverse<Decimal>>,
    asks: Side<Decimal>,
    live: bool,
    last: Option<i64>,
}

/// All kept books, by market, symbol and instrument.
pub struct Plain {
    books: HashMap<(String, String, String), Book>,
    decimals: BTreeMap<String, PairDecimals>,
}

impl<K: Ord> Side<K> {
    fn new(levels: impl Iterator<Item = (K, Decimal)>) -> Self {
        let mut levels: BTreeMap<K, Decimal> = levels.collect();
        levels.retain(|_, quantity| !quantity.is_zero());
        Self { total: levels.values().sum(), levels }
    }

    fn set(&mut self, price: K, quantity: Decimal) {
        let before = if quantity.is_zero() { self.levels.remove(&price) } else { self.levels.insert(price, quantity) };
        self.total += quantity - before.unwrap_or_default();
    }

    fn cut(&mut self, depth: usize) {
        while self.levels.len() > depth {
            let (_, quantity) = self.levels.pop_last().expect("a longer side has a last level");
            self.total -= quantity;
        }
    }
}

impl Book {
    fn new(frame: &Frame) -> Self {
        let there = |level: &&(Decimal, Decimal)| !level.0.is_zero();
        Self {
            bids: Side::new(frame.bids.iter().filter(there).map(|&(price, quantity)| (Reverse(price), quantity))),
            asks: Side::new(frame.asks.iter().filter(there).copied()),
            live: true,
            last: frame.sequence.map(|(own, _)| own),
        }
    }

    /// Applies a delta; false where it is not newer than the book.
    fn apply(&mut self, frame: &Frame) -> bool {
        if let Some((own, before)) = frame.sequence {
            let next = self.last == Some(before);
            if !next && self.last.is_some_and(|last| own <= last) {
                return false;
            }
            self.live &= next;
            self.last = Some(own);
        }
        for &(price, quantity) in &frame.bids {
            self.bids.set(Reverse(price), quantity);
        }
        for &(price, quantity) in &frame.asks {
            self.asks.set(price, quantity);
        }
        true
    }

    /// Kraken's checksum: the digits of the best ten asks, then bids.
    fn checksum(&self, decimals: PairDecimals) -> u32 {
        let mut text = String::new();
        let mut write = |price: Decimal, quantity: Decimal| {
            for (mut value, decimals) in [(price, decimals.price), (quantity, decimals.quantity)] {
                value.rescale(decimals.into());
                write!(text, "{}", value.mantissa()).expect("a String takes all");
            }
        };
        self.asks.levels.iter().take(10).for_each(|(&price, &quantity)| write(price, quantity));
        self.bids.levels.iter().take(10).for_each(|(&price, &quantity)| write(price.0, quantity));
        crc32fast::hash(text.as_bytes())
    }

    fn record(&self, region: &str, market: &str, symbol: &str, time: EventTime) -> String {
        let bid = self.bids.levels.keys().next().map(|price| price.0);
        let ask = self.asks.levels.keys().next().copied();
        let mut timestamp = Vec::new();
        time.write_utc(&mut timestamp);
        format!(
            r#"{{"region":"{region}","market":"{market}","coin_symbol":"{symbol}","highest_bid":{},"lowest_ask":{},"spread":{},"total_bid_volume":{},"total_ask_volume":{},"timestamp":"{}"}}"#,
            plain(bid),
            plain(ask),
            plain(bid.zip(ask).map(|(bid, ask)| ask - bid)),
            plain(Some(self.bids.total)),
            plain(Some(self.asks.total)),
            String::from_utf8(timestamp).expect("a time is ASCII"),
        )
    }
}

impl Plain {
    pub fn new() -> Self {
        Self { books: HashMap::new(), decimals: Rules::default().kraken_decimals }
    }

    /// Envelope in, records out.
    pub fn process(&mut self, envelope: &[u8], timestamp_ms: i64) -> Vec<Record> {
        let envelope: Value = serde_json::from_slice(envelope).expect("an envelope is JSON");
        let region = match text(&envelope["region"]) {
            "korea" => "Korea",
            "asia" => "Asia",
            _ => "NE",
        };
        let market = text(&envelope["market"]).to_uppercase();
        let symbol = text(&envelope["symbol"]).to_uppercase();
        let items = envelope["data"].as_array().expect("data is a list");
        let mut records = Vec::with_capacity(items.len());
        for item in items {
            let json: Value = serde_json::from_str(text(item)).expect("a frame is JSON");
            let frame = decode(&market, &json);
            let time = frame.time.unwrap_or(EventTime::of_record(timestamp_ms));
            let whole;
            let book = if matches!(market.as_str(), "UPBIT" | "BINANCE" | "GATEIO") {
                whole = Book::new(&frame);
                &whole
            } else {
                match self.keep(&market, &symbol, &frame) {
                    Some(book) => book,
                    None => continue,
                }
            };
            records.push(Record {
                key: format!("{market}:{symbol}"),
                value: book.record(region, &market, &symbol, time),
                timestamp_ms: if time.millis() > timestamp_ms + 3_600_000 { timestamp_ms } else { time.millis() },
                unverified: !book.live,
            });
        }
        records
    }

    /// The kept book after the frame.
    fn keep(&mut self, market: &str, symbol: &str, frame: &Frame) -> Option<&Book> {
        let key = (market.to_owned(), symbol.to_owned(), frame.instrument.clone());
        let book = self.books.entry(key).or_insert_with(|| Book { live: false, last: None, ..Book::new(frame) });
        if frame.snapshot {
            *book = Book::new(frame);
        } else if !book.apply(frame) {
            return None;
        }
        if market == "KRAKEN" {
            book.bids.cut(10);
            book.asks.cut(10);
            if let Some((checksum, decimals)) = frame.checksum.zip(self.decimals.get(&frame.instrument)) {
                book.live = i64::from(book.checksum(*decimals)) == checksum;
            }
        }
        Some(book)
    }
}

/// Levels in the frames of an envelope.
pub fn count_levels(envelope: &[u8]) -> usize {
    let envelope: Value = serde_json::from_slice(envelope).expect("an envelope is JSON");
    let items = envelope["data"].as_array().expect("data is a list");
    let frames = items.iter().map(|item| decode(text(&envelope["market"]), &serde_json::from_str(text(item)).expect("a frame is JSON")));
    frames.map(|frame| frame.bids.len() + frame.asks.len()).sum()
}

fn decode(market: &str, frame: &Value) -> Frame {
    let data = match market {
        "UPBIT" => frame,
        "GATEIO" => &frame["result"],
        "OKX" | "KRAKEN" => &frame["data"][0],
        _ => &frame["data"],
    };
    let (bids, asks) = match market {
        "UPBIT" => (levels(&data["orderbook_units"], "bid_price", "bid_size"), levels(&data["orderbook_units"], "ask_price", "ask_size")),
        "KRAKEN" => (levels(&data["bids"], "price", "qty"), levels(&data["asks"], "price", "qty")),
        "BYBIT" => (levels(&data["b"], 0, 1), levels(&data["a"], 0, 1)),
        _ => (levels(&data["bids"], 0, 1), levels(&data["asks"], 0, 1)),
    };
    let time = match market {
        "UPBIT" => millis(&frame["timestamp"]),
        "GATEIO" => millis(&data["t"]),
        "OKX" => millis(&data["ts"]),
        "BYBIT" => millis(&frame["cts"]),
        "KRAKEN" => EventTime::of_text(&Token::Text(text(&data["timestamp"]).as_bytes().into()), 64),
        _ => None,
    };
    let instrument = match market {
        "OKX" => text(&frame["arg"]["instId"]),
        "BYBIT" => text(&data["s"]),
        "KRAKEN" => text(&data["symbol"]),
        _ => "",
    };
    let word = if market == "OKX" { &frame["action"] } else { &frame["type"] };
    Frame {
        snapshot: word == "snapshot" || data["u"] == 1,
        bids,
        asks,
        time,
        sequence: match market {
            "OKX" => data["seqId"].as_i64().zip(data["prevSeqId"].as_i64()),
            "BYBIT" => data["u"].as_i64().map(|own| (own, own - 1)),
            _ => None,
        },
        checksum: data["checksum"].as_i64(),
        instrument: instrument.to_owned(),
    }
}

/// The levels of one side: price and quantity stand at these keys of an object, or at these places of a list.
fn levels<I: serde_json::value::Index + Copy>(side: &Value, price: I, quantity: I) -> Levels {
    let side = side.as_array().expect("a side is a list");
    side.iter().map(|level| (number(&level[price]), number(&level[quantity]))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn millis(value: &Value) -> Option<EventTime> {
    let millis = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
    Some(EventTime::from_micros(millis * 1_000))
}

fn number(value: &Value) -> Decimal {
    match value {
        Value::String(text) => Decimal::from_str(text),
        other => {
            let text = other.to_string();
            if text.contains('e') { Decimal::from_scientific(&text) } else { Decimal::from_str(&text) }
        }
    }
    .expect("a number")
}

/// The contract's plain form: no superfluous zeros, at least one decimal.
fn plain(value: Option<Decimal>) -> String {
    let Some(value) = value else { return "null".to_owned() };
    let mut text = value.normalize().to_string();
    if !text.contains('.') {
        text.push_str(".0");
    }
    text
}
