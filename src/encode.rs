//! Records as bytes, field by field in the order of the contract, without white space (sections 4 and 6).

use crate::book::Summary;
use crate::decimal::{Amount, Decimal, append_first, write_integer};
use crate::envelope::Symbol;
use crate::event_time::{EventTime, UtcWriter};
use crate::market::Exchange;
use crate::outcome::ResyncReason;
use crate::ticker::Ticker;

/// Writes the records of one symbol after the other: what all records of a symbol begin with is prepared once.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    /// What the rest is of; `None` before the first.
    of: Option<(Exchange, Symbol)>,
    /// `OKX:BTC`
    key: Opening<KEY_BYTES>,
    /// `{"region":"Asia","market":"OKX","coin_symbol":"BTC"`
    head: Opening<HEAD_BYTES>,
    times: UtcWriter,
}

/// Room for the longest market name, a colon and the longest symbol.
const KEY_BYTES: usize = 48;
/// Room for the longest region, market and symbol and what stands around them.
const HEAD_BYTES: usize = 96;

/// A text in a fixed room: all of it is copied, which is quicker than to copy as much as there is.
#[derive(Clone, Debug)]
struct Opening<const ROOM: usize> {
    text: [u8; ROOM],
    length: usize,
}

impl<const ROOM: usize> Default for Opening<ROOM> {
    fn default() -> Self {
        Self { text: [0; ROOM], length: 0 }
    }
}

impl<const ROOM: usize> Opening<ROOM> {
    fn of(parts: &[&[u8]]) -> Self {
        let mut opening = Self::default();
        for part in parts {
            opening.text[opening.length..opening.length + part.len()].copy_from_slice(part);
            opening.length += part.len();
        }
        opening
    }

    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        append_first(self.length, &self.text, out);
    }
}

impl Encoder {
    /// Turns to a symbol, or stays with it. To be called before the first record.
    #[inline]
    pub fn turn_to(&mut self, exchange: Exchange, symbol: &Symbol) {
        if self.of != Some((exchange, *symbol)) {
            self.prepare(exchange, symbol);
        }
    }

    #[inline(never)]
    fn prepare(&mut self, exchange: Exchange, symbol: &Symbol) {
        let [region, market] = [exchange.region().as_str(), exchange.as_str()].map(str::as_bytes);
        self.of = Some((exchange, *symbol));
        self.key = Opening::of(&[market, b":", symbol.as_bytes()]);
        self.head = Opening::of(&[b"{\"region\":\"", region, b"\",\"market\":\"", market, b"\",\"coin_symbol\":\"", symbol.as_bytes(), b"\""]);
    }

    /// Appends the key of a record: `OKX:BTC`.
    #[inline]
    pub fn write_key(&self, out: &mut Vec<u8>) {
        self.key.write(out);
    }

    /// Appends a ticker record.
    pub fn write_ticker(&self, time: EventTime, ticker: &Ticker, out: &mut Vec<u8>) {
        self.head.write(out);
        out.extend_from_slice(b",\"timestamp\":");
        time.write_millis(out);
        write_figure(b",\"data\":[{\"opening_price\":", ticker.opening_price, out);
        write_figure(b",\"trade_price\":", Some(ticker.trade_price), out);
        write_figure(b",\"max_price\":", ticker.max_price, out);
        write_figure(b",\"min_price\":", ticker.min_price, out);
        write_figure(b",\"prev_closing_price\":", ticker.prev_closing_price, out);
        write_figure(b",\"acc_trade_volume_24h\":", ticker.acc_trade_volume_24h, out);
        write_figure(b",\"signed_change_price\":", ticker.signed_change_price, out);
        out.extend_from_slice(b",\"signed_change_rate\":");
        write_quoted(ticker.signed_change_rate, |rate, out| rate.write(out), out);
        out.extend_from_slice(b"}]}");
    }

    /// Appends an order-book record.
    pub fn write_book(&mut self, time: EventTime, summary: &Summary, out: &mut Vec<u8>) {
        self.head.write(out);
        out.extend_from_slice(b",\"highest_bid\":");
        write_or_null(summary.best_bid, Amount::write, out);
        out.extend_from_slice(b",\"lowest_ask\":");
        write_or_null(summary.best_ask, Amount::write, out);
        out.extend_from_slice(b",\"spread\":");
        let spread = summary.best_ask.zip(summary.best_bid).map(|(ask, bid)| ask.minus(bid));
        write_or_null(spread, Decimal::write, out);
        out.extend_from_slice(b",\"total_bid_volume\":");
        summary.total_bids.write(out);
        out.extend_from_slice(b",\"total_ask_volume\":");
        summary.total_asks.write(out);
        out.extend_from_slice(b",\"timestamp\":\"");
        self.times.write(time, out);
        out.extend_from_slice(b"\"}");
    }
}

/// What a resync request tells.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names are those of its fields")]
pub struct Resync<'a> {
    pub market: Exchange,
    pub symbol: &'a Symbol,
    pub instrument: Option<&'a [u8]>,
    pub reason: ResyncReason,
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
    pub frame: u32,
    pub timestamp: EventTime,
}

/// Appends a request for a snapshot. The instrument may be any text.
pub fn write_resync(resync: &Resync<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"market\":\"");
    out.extend_from_slice(resync.market.as_str().as_bytes());
    out.extend_from_slice(b"\",\"symbol\":\"");
    out.extend_from_slice(resync.symbol.as_bytes());
    out.extend_from_slice(b"\",\"instrument\":");
    write_or_null(resync.instrument, write_string, out);
    out.extend_from_slice(b",\"reason\":\"");
    out.extend_from_slice(resync.reason.as_str().as_bytes());
    out.extend_from_slice(b"\",\"topic\":");
    write_string(resync.topic.as_bytes(), out);
    let place =
        [(",\"partition\":", u64::from(resync.partition.unsigned_abs())), (",\"offset\":", resync.offset.unsigned_abs()), (",\"frame\":", resync.frame.into())];
    for (name, number) in place {
        out.extend_from_slice(name.as_bytes());
        write_integer(number.into(), out);
    }
    out.extend_from_slice(b",\"timestamp\":\"");
    resync.timestamp.write_utc(out);
    out.extend_from_slice(b"\"}");
}

/// Appends a JSON string. A surrogate that stands alone, three bytes that are no UTF-8, is escaped.
fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        rest = match *rest {
            [0xed, high @ 0xa0..=0xbf, low, ref tail @ ..] => {
                write_escape(0xd000 | u32::from(high & 0x3f) << 6 | u32::from(low & 0x3f), out);
                tail
            }
            _ => {
                match first {
                    b'"' | b'\\' => out.extend_from_slice(&[b'\\', first]),
                    0..0x20 => write_escape(first.into(), out),
                    _ => out.push(first),
                }
                tail
            }
        };
    }
    out.push(b'"');
}

/// Appends `\uXXXX`.
fn write_escape(unit: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\u");
    out.extend((0..4).rev().map(|digit| b"0123456789abcdef"[(unit >> (4 * digit) & 15) as usize]));
}

/// Appends a key, of a length that the compiler knows, and its figure.
#[inline]
fn write_figure<const N: usize>(key: &[u8; N], figure: Option<Decimal>, out: &mut Vec<u8>) {
    out.extend_from_slice(key);
    write_quoted(figure, Decimal::write, out);
}

fn write_or_null<T>(value: Option<T>, write: impl FnOnce(T, &mut Vec<u8>), out: &mut Vec<u8>) {
    match value {
        Some(value) => write(value, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn write_quoted<T>(value: Option<T>, write: impl FnOnce(T, &mut Vec<u8>), out: &mut Vec<u8>) {
    let quoted = |value, out: &mut Vec<u8>| {
        out.push(b'"');
        write(value, out);
        out.push(b'"');
    };
    write_or_null(value, quoted, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal::{Rate, Total};

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text.as_bytes()).unwrap()
    }

    fn encoder(exchange: Exchange, symbol: &Symbol) -> Encoder {
        let mut encoder = Encoder::default();
        encoder.turn_to(exchange, symbol);
        encoder
    }

    fn text(write: impl FnOnce(&Symbol, &mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&Symbol::parse(b"btc").unwrap(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_ticker_record_is_that_of_the_contract() {
        let ticker = Ticker {
            opening_price: Some(decimal("64324")),
            trade_price: decimal("64028.6"),
            max_price: Some(decimal("64496.90")),
            min_price: Some(decimal("6.32376e4")),
            prev_closing_price: Some(decimal("64324")),
            acc_trade_volume_24h: Some(decimal("5874.19398956")),
            signed_change_price: Some(decimal("-295.4")),
            signed_change_rate: Rate::of(decimal("-295.4"), decimal("64324")),
        };
        let time = EventTime::from_micros(1_786_538_789_464_999);
        assert_eq!(
            text(|symbol, out| encoder(Exchange::Okx, symbol).write_ticker(time, &ticker, out)),
            r#"{"region":"Asia","market":"OKX","coin_symbol":"BTC","timestamp":1786538789464.0,"data":[{"opening_price":"64324.0","trade_price":"64028.6","max_price":"64496.9","min_price":"63237.6","prev_closing_price":"64324.0","acc_trade_volume_24h":"5874.19398956","signed_change_price":"-295.4","signed_change_rate":"-0.004592"}]}"#
        );
        assert_eq!(text(|symbol, out| encoder(Exchange::Okx, symbol).write_key(out)), "OKX:BTC");
    }

    #[test]
    fn what_is_not_known_is_null() {
        let ticker = Ticker {
            opening_price: None,
            trade_price: decimal("1"),
            max_price: None,
            min_price: None,
            prev_closing_price: None,
            acc_trade_volume_24h: None,
            signed_change_price: None,
            signed_change_rate: None,
        };
        assert_eq!(
            text(|symbol, out| encoder(Exchange::Kraken, symbol).write_ticker(EventTime::from_micros(0), &ticker, out)),
            r#"{"region":"NE","market":"KRAKEN","coin_symbol":"BTC","timestamp":0.0,"data":[{"opening_price":null,"trade_price":"1.0","max_price":null,"min_price":null,"prev_closing_price":null,"acc_trade_volume_24h":null,"signed_change_price":null,"signed_change_rate":null}]}"#
        );
        let summary = Summary { best_bid: decimal("5").amount(), ..Summary::default() };
        assert_eq!(
            text(|symbol, out| encoder(Exchange::Upbit, symbol).write_book(EventTime::from_micros(0), &summary, out)),
            r#"{"region":"Korea","market":"UPBIT","coin_symbol":"BTC","highest_bid":5.0,"lowest_ask":null,"spread":null,"total_bid_volume":0.0,"total_ask_volume":0.0,"timestamp":"1970-01-01 00:00:00.000000+00:00"}"#
        );
    }

    #[test]
    fn a_resync_request_is_one_line_of_json_whatever_the_instrument_is_called() {
        let written = |instrument: Option<&[u8]>, reason| {
            text(|symbol, out| {
                let timestamp = EventTime::from_micros(1_729_679_100_050_000);
                let request = Resync { market: Exchange::Okx, symbol, instrument, reason, topic: "in", partition: 2, offset: 77, frame: 3, timestamp };
                write_resync(&request, out);
            })
        };
        assert_eq!(
            written(Some(b"BTC-USDT"), ResyncReason::Gap),
            r#"{"market":"OKX","symbol":"BTC","instrument":"BTC-USDT","reason":"gap","topic":"in","partition":2,"offset":77,"frame":3,"timestamp":"2024-10-23 10:25:00.050000+00:00"}"#
        );
        assert!(written(None, ResyncReason::NoSnapshot).contains(r#","instrument":null,"reason":"no_snapshot","#));
        let odd = "\"\\\n\u{1}\u{7f} \u{e9}\u{ac00}\u{1f600}";
        let value: serde_json::Value = serde_json::from_str(&written(Some(odd.as_bytes()), ResyncReason::Checksum)).unwrap();
        assert_eq!((value["instrument"].as_str(), value["reason"].as_str()), (Some(odd), Some("checksum")));
        assert!(written(Some(b"a\xed\xa0\xbdb"), ResyncReason::Gap).contains(r#""a\ud83db""#));
    }

    #[test]
    fn the_longest_names_fit_and_another_symbol_begins_anew() {
        let symbol = |text: &str| Symbol::parse(text.as_bytes()).unwrap();
        let names = ["X".to_owned(), "S".repeat(32), "X".to_owned()];
        let mut encoder = Encoder::default();
        for exchange in Exchange::ALL {
            for name in &names {
                encoder.turn_to(exchange, &symbol(name));
                let (mut key, mut record) = (Vec::new(), Vec::new());
                encoder.write_key(&mut key);
                encoder.write_book(EventTime::from_micros(0), &Summary::default(), &mut record);
                assert_eq!(String::from_utf8(key).unwrap(), format!("{exchange}:{name}"));
                let region = exchange.region().as_str();
                let head = format!(r#"{{"region":"{region}","market":"{exchange}","coin_symbol":"{name}","highest_bid":null,"#);
                assert!(String::from_utf8(record).unwrap().starts_with(&head));
            }
        }
    }

    #[test]
    fn the_order_book_record_is_that_of_the_contract() {
        let amount = |text| decimal(text).amount().unwrap();
        let summary = Summary {
            best_bid: Some(amount("66609.22")),
            best_ask: Some(amount("66619.98")),
            total_bids: Total::ZERO.plus(amount("0.0015")).plus(amount("0.0001")),
            total_asks: Total::ZERO.plus(amount("0.259115")),
        };
        let time = EventTime::from_micros(1_729_679_100_050_000);
        assert_eq!(
            text(|symbol, out| encoder(Exchange::Okx, symbol).write_book(time, &summary, out)),
            r#"{"region":"Asia","market":"OKX","coin_symbol":"BTC","highest_bid":66609.22,"lowest_ask":66619.98,"spread":10.76,"total_bid_volume":0.0016,"total_ask_volume":0.259115,"timestamp":"2024-10-23 10:25:00.050000+00:00"}"#
        );
        let crossed = Summary { best_bid: summary.best_ask, best_ask: summary.best_bid, ..summary };
        assert!(text(|symbol, out| encoder(Exchange::Okx, symbol).write_book(time, &crossed, out)).contains(r#""spread":-10.76,"#));
    }
}
