//! What both versions that the hub is measured against have in common: books in ordered maps of `rust_decimal`, totals kept along, records by
//! `format!`. Written in an afternoon, straightforward, not slowed down.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use market_hub::event_time::EventTime;
use market_hub::rules::{PairDecimals, Rules};
use rust_decimal::Decimal;

/// One output message.
pub struct Record {
    pub key: String,
    pub value: String,
    pub timestamp_ms: i64,
    pub unverified: bool,
}

pub type Levels = Vec<(Decimal, Decimal)>;

/// What an envelope says of all its frames, as records write it.
pub struct Envelope {
    region: &'static str,
    pub market: String,
    symbol: String,
    timestamp_ms: i64,
}

impl Envelope {
    pub fn new(region: &str, market: &str, symbol: &str, timestamp_ms: i64) -> Self {
        let region = match region {
            "korea" => "Korea",
            "asia" => "Asia",
            _ => "NE",
        };
        Self { region, market: market.to_uppercase(), symbol: symbol.to_uppercase(), timestamp_ms }
    }
}

/// One frame, decoded.
pub struct Frame {
    pub snapshot: bool,
    pub bids: Levels,
    pub asks: Levels,
    pub time: Option<EventTime>,
    /// The frame's own number, and that of the frame before it.
    pub sequence: Option<(i64, i64)>,
    pub checksum: Option<i64>,
    pub instrument: String,
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
pub struct Books {
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

impl Books {
    pub fn new() -> Self {
        Self { books: HashMap::new(), decimals: Rules::default().kraken_decimals }
    }

    /// The record of a frame; none where it is not newer than its book.
    pub fn record(&mut self, envelope: &Envelope, frame: &Frame) -> Option<Record> {
        let Envelope { region, market, symbol, timestamp_ms } = envelope;
        let time = frame.time.unwrap_or(EventTime::of_record(*timestamp_ms));
        let whole;
        let book = if matches!(market.as_str(), "UPBIT" | "BINANCE" | "GATEIO") {
            whole = Book::new(frame);
            &whole
        } else {
            self.keep(market, symbol, frame)?
        };
        Some(Record {
            key: format!("{market}:{symbol}"),
            value: book.record(region, market, symbol, time),
            timestamp_ms: if time.millis() > timestamp_ms + 3_600_000 { *timestamp_ms } else { time.millis() },
            unverified: !book.live,
        })
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

/// The contract's plain form: no superfluous zeros, at least one decimal.
fn plain(value: Option<Decimal>) -> String {
    let Some(value) = value else { return "null".to_owned() };
    let mut text = value.normalize().to_string();
    if !text.contains('.') {
        text.push_str(".0");
    }
    text
}
