//! Frames of the nine exchanges, decoded: one file an exchange, the one match that chooses it, and the noise that all
//! have in common.
//!
//! To add a tenth: its row in [`crate::market`], a file beside the others, and an arm in [`known()`], and in those that read
//! and scan tickers and books here. Exchange files never import each other.

mod binance;
mod bithumb;
mod bybit;
mod coinone;
mod gateio;
mod known;
mod korbit;
mod kraken;
mod levels;
mod okx;
mod scan;
mod tickers;
mod units;
mod upbit;

pub use known::{Known, known};
pub use tickers::TimedTicker;

use crate::book::Frame;
use crate::decimal::Decimal;
use crate::envelope::Item;
use crate::json::{self, Cursor, Token, Wire, unescape};
use crate::market::Exchange;
use crate::outcome::Reason;
use crate::rules::{Limits, Rules, Scanner};

/// The key of a ticker column that an exchange does not have.
const ABSENT: &Token<'static> = &Token::Absent;

/// Keys that may stand alone in what the collector leaves of an acknowledgement.
const TIME_KEYS: [&str; 5] = ["E", "ts", "time", "time_ms", "timestamp"];

/// What a frame turned out to be, unless it is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded<T> {
    /// Known noise (contract, section 7.2).
    Control,
    /// A ticker or a book.
    Data(T),
}

/// Reads a frame of a ticker topic. `text` is no longer than the bound on frames.
///
/// # Errors
/// The reason for which the frame is rejected (contract, sections 4 and 9).
pub fn read_ticker(exchange: Exchange, text: &str, limits: &Limits) -> Result<Decoded<TimedTicker>, Reason> {
    let decoded = match exchange {
        Exchange::Upbit => tickers::read::<upbit::Layout>(text, limits),
        Exchange::Bithumb => tickers::read::<bithumb::Layout>(text, limits),
        Exchange::Coinone => tickers::read::<coinone::Layout>(text, limits),
        Exchange::Korbit => tickers::read::<korbit::Layout>(text, limits),
        Exchange::Okx => tickers::read::<okx::Layout>(text, limits),
        Exchange::Bybit => tickers::read::<bybit::Layout>(text, limits),
        Exchange::Gateio => tickers::read::<gateio::Layout>(text, limits),
        Exchange::Binance => tickers::read::<binance::Layout>(text, limits),
        Exchange::Kraken => tickers::read::<kraken::Layout>(text, limits),
    };
    if decoded == Err(Reason::Shape) && (is_noise(text) || has_only_times(text)) { Ok(Decoded::Control) } else { decoded }
}

/// Reads a frame of a ticker topic as it stands in its envelope, if it is a ticker as they nearly always are: in that case as [`read_ticker`] does, but
/// half again as fast. `None` where it is not, or may not be, or the rules say that nothing is scanned.
#[must_use]
pub fn scan_ticker(exchange: Exchange, item: &Item<'_>, rules: &Rules) -> Option<TimedTicker> {
    let (text, is_escaped) = scan::text(item, &rules.limits).filter(|_| rules.scanner != Scanner::Off)?;
    let scan = match exchange {
        Exchange::Upbit => tickers::scan::<upbit::Layout>,
        Exchange::Bithumb => tickers::scan::<bithumb::Layout>,
        Exchange::Coinone => tickers::scan::<coinone::Layout>,
        Exchange::Korbit => tickers::scan::<korbit::Layout>,
        Exchange::Okx => tickers::scan::<okx::Layout>,
        Exchange::Bybit => tickers::scan::<bybit::Layout>,
        Exchange::Gateio => tickers::scan::<gateio::Layout>,
        Exchange::Binance => tickers::scan::<binance::Layout>,
        Exchange::Kraken => tickers::scan::<kraken::Layout>,
    };
    scan(text, is_escaped, &rules.limits)
}

/// Reads a frame of an order-book topic into `frame`, which is cleared first.
///
/// # Errors
/// The reason for which the frame is rejected (contract, section 9).
pub fn read_book(exchange: Exchange, text: &str, limits: &Limits, frame: &mut Frame) -> Result<Decoded<()>, Reason> {
    frame.clear();
    let decoded = match exchange {
        Exchange::Upbit => upbit::read_book(text, limits, frame),
        Exchange::Bithumb => bithumb::read_book(text, limits, frame),
        Exchange::Coinone => coinone::read_book(text, limits, frame),
        Exchange::Korbit => korbit::read_book(text, limits, frame),
        Exchange::Okx => okx::read_book(text, limits, frame),
        Exchange::Bybit => bybit::read_book(text, limits, frame),
        Exchange::Gateio => gateio::read_book(text, limits, frame),
        Exchange::Binance => binance::read_book(text, limits, frame),
        Exchange::Kraken => kraken::read_book(text, limits, frame),
    };
    if decoded == Err(Reason::Shape) && is_noise(text) { Ok(Decoded::Control) } else { decoded }
}

/// Reads a frame of an order-book topic as it stands in its envelope into `frame`, if it is as such frames nearly always
/// are; in that case as [`read_book`] does, but several times as fast. False where it is not, or may not be, or the rules
/// say that nothing is scanned.
pub fn scan_book(exchange: Exchange, item: &Item<'_>, rules: &Rules, frame: &mut Frame) -> bool {
    scan::read(book_layouts(exchange), item, rules, frame)
}

/// How an exchange nearly always lays its order books out.
const fn book_layouts(exchange: Exchange) -> &'static [scan::Layout] {
    match exchange {
        Exchange::Upbit => upbit::BOOKS,
        Exchange::Bithumb => bithumb::BOOKS,
        Exchange::Coinone => coinone::BOOKS,
        Exchange::Korbit => korbit::BOOKS,
        Exchange::Okx => okx::BOOKS,
        Exchange::Bybit => bybit::BOOKS,
        Exchange::Gateio => gateio::BOOKS,
        Exchange::Binance => binance::BOOKS,
        Exchange::Kraken => kraken::BOOKS,
    }
}

/// The object in `token`, or the first element of an array there; an empty one where there is none.
fn part<'a, T: Wire<'a>>(token: &'a Token<'_>) -> Result<T, Reason> {
    token.object().map_or_else(|| Ok(T::default()), json::walk_part)
}

/// A sequence id or a checksum: a 64-bit integer by value, quoted or bare; `None` where there is none.
fn integer(token: &Token<'_>, chars_max: usize) -> Result<Option<i64>, Reason> {
    match token {
        Token::Absent | Token::Null => Ok(None),
        Token::Number(text) | Token::Text(text) if text.len() <= chars_max => {
            Decimal::parse(text).ok().and_then(Decimal::integer).map(Some).ok_or(Reason::Number)
        }
        _ => Err(Reason::Number),
    }
}

/// `{}` and `{"processed":"skip"}`, which any exchange may have. Called for what is JSON, but neither ticker nor book.
fn is_noise(text: &str) -> bool {
    members(text).is_some_and(|members| match members.as_slice() {
        [] => true,
        [(key, value)] => key == b"processed" && value.is_text("skip"),
        _ => false,
    })
}

/// A time, and nothing else: what the collector leaves of a frame without wanted columns.
fn has_only_times(text: &str) -> bool {
    members(text).is_some_and(|members| members.iter().all(|(key, _)| TIME_KEYS.iter().any(|time| time.as_bytes() == key)))
}

/// The members of an object, if it has no more than there are time keys; of equal keys the last.
fn members(text: &str) -> Option<Vec<(Vec<u8>, Token<'_>)>> {
    let mut cursor = Cursor::new(text.as_bytes());
    cursor.expect(b'{').ok()?;
    let mut members: Vec<(Vec<u8>, Token<'_>)> = Vec::new();
    let mut first = true;
    while cursor.next_member(first, b'}').ok()? {
        first = false;
        let key = unescape(cursor.key().ok()?).bytes.into_owned();
        let value = cursor.skip(usize::MAX).ok()?;
        let value = Token::of(text.get(value.start..value.end)?.into());
        members.retain(|(known, _)| *known != key);
        members.push((key, value));
        if members.len() > TIME_KEYS.len() {
            return None;
        }
    }
    Some(members)
}

/// What the tests of the exchanges share: a frame in, its outcome as short text out.
#[cfg(test)]
mod testing {
    use super::*;
    use crate::book::Level;
    use crate::event_time::EventTime;
    use crate::market::Kind;

    /// Opening price, trade price, highest, lowest, previous close, volume, change and rate as a record writes them (`-`
    /// for `null`), and behind `@` the event time in microseconds.
    pub(super) fn ticker(exchange: Exchange, text: &str) -> String {
        let Ok(Decoded::Data((ticker, time))) = read_ticker(exchange, text, &Limits::default()) else { panic!("no ticker: {text}") };
        let mut figures: Vec<String> = [
            ticker.opening_price,
            Some(ticker.trade_price),
            ticker.max_price,
            ticker.min_price,
            ticker.prev_closing_price,
            ticker.acc_trade_volume_24h,
            ticker.signed_change_price,
        ]
        .map(|figure| figure.map_or_else(|| "-".to_owned(), |figure| written(|out| figure.write(out))))
        .into();
        figures.push(ticker.signed_change_rate.map_or_else(|| "-".to_owned(), |rate| written(|out| rate.write(out))));
        format!("{} @{}", figures.join(" "), time.map_or_else(|| "-".to_owned(), |time| time.micros().to_string()))
    }

    /// A book frame, which must be one.
    pub(super) fn book(exchange: Exchange, text: &str) -> Frame {
        let mut frame = Frame::default();
        assert_eq!(read_book(exchange, text, &Limits::default(), &mut frame), Ok(Decoded::Data(())), "{text}");
        frame
    }

    /// `price x quantity` of the bids, a bar, and of the asks, in the order of the frame.
    pub(super) fn levels(frame: &Frame) -> String {
        let side = |levels: &[Level]| {
            let levels: Vec<_> = levels.iter().map(|level| written(|out| level.price.write(out)) + "x" + &written(|out| level.quantity.write(out))).collect();
            levels.join(" ")
        };
        format!("{} | {}", side(&frame.bids), side(&frame.asks))
    }

    /// The event time of a book frame in microseconds.
    pub(super) fn micros(frame: &Frame) -> Option<i64> {
        frame.time.map(EventTime::micros)
    }

    /// Whether a frame is data (`true`) or control noise.
    pub(super) fn is_data(exchange: Exchange, kind: Kind, text: &str) -> Result<bool, Reason> {
        let limits = Limits::default();
        let is_control = match kind {
            Kind::Ticker => read_ticker(exchange, text, &limits)? == Decoded::Control,
            Kind::Orderbook => read_book(exchange, text, &limits, &mut Frame::default())? == Decoded::Control,
        };
        Ok(!is_control)
    }

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Kind;
    use testing::is_data;

    #[test]
    fn the_noise_that_all_have_in_common_is_control() {
        for exchange in Exchange::ALL {
            for kind in Kind::ALL {
                for text in ["{}", r#"{"processed":"skip"}"#, r#" { "processed" : "keep" , "processed" : "skip" } "#] {
                    assert_eq!(is_data(exchange, kind, text), Ok(false), "{exchange} {text}");
                }
                for text in [r#"{"processed":"skip","more":1}"#, r#"{"processed":true}"#, r#"{"more":1}"#, "[]", "[{}]", "5", "null", r#""ping""#] {
                    assert_eq!(is_data(exchange, kind, text), Err(Reason::Shape), "{exchange} {text}");
                }
                assert_eq!(is_data(exchange, kind, "{"), Err(Reason::Json));
                assert_eq!(is_data(exchange, kind, &format!("{}{}", r#"{"more":"#.repeat(32), "[1")), Err(Reason::Depth));
            }
            for text in [r#"{"E":1}"#, r#"{"ts":null,"time":"x"}"#, r#"{"time":1,"time_ms":2,"timestamp":3,"ts":4,"E":5,"E":6}"#] {
                assert_eq!(is_data(exchange, Kind::Ticker, text), Ok(false), "{exchange} {text}");
                assert_eq!(is_data(exchange, Kind::Orderbook, text), Err(Reason::Shape), "{exchange} {text}");
            }
            assert_eq!(is_data(exchange, Kind::Ticker, r#"{"ts":1,"seq":2}"#), Err(Reason::Shape));
        }
    }

    #[test]
    fn ids_are_64_bit_integers_by_value() {
        let read = |text: &'static str| integer(&Token::of(text.into()), 64);
        assert_eq!(read("12"), Ok(Some(12)));
        assert_eq!(read(r#""-1.20e1""#), Ok(Some(-12)));
        assert_eq!(read("9223372036854775807"), Ok(Some(i64::MAX)));
        assert_eq!(read("-9223372036854775808"), Ok(Some(i64::MIN)));
        assert_eq!(read("null"), Ok(None));
        for text in ["9223372036854775808", "1.5", r#""""#, r#""x""#, "true", "[1]", "{}"] {
            assert_eq!(read(text), Err(Reason::Number), "{text}");
        }
        assert_eq!(integer(&Token::Absent, 64), Ok(None));
        assert_eq!(integer(&Token::Number(b"123".as_slice().into()), 2), Err(Reason::Number));
    }
}
