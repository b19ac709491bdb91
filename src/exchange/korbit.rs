//! Korbit (Digital X since 2026): two clocks, change in per cent; whole books.
//! <https://docs.korbit.co.kr>, <https://docs.digitalx.miraeasset.com>

use super::levels::{self, Sides};
use super::scan::{self, Shape, Value, member, whole};
use super::tickers::TickerLayout;
use super::{Decoded, part};
use crate::book;
use crate::decimal::Rate;
use crate::event_time::EventTime;
use crate::json::{self, Token, wire_struct};
use crate::outcome::Reason;
use crate::rules::Limits;
use crate::ticker::{Columns, Numbers, Ticker, rate_of};

wire_struct! {
    /// A ticker, an order book or an answer of the socket.
    ///
    /// ```json
    /// {"symbol":"eth_krw","timestamp":1730365099072,"type":"ticker","data":{"open":"4390000","high":"4390000","low":"4357000",
    ///  "close":"4357000","prevClose":"4456000","priceChange":"-99000","priceChangePercent":"-2.22","volume":"0.1702132"}}
    /// {"symbol":"btc_krw","timestamp":1790134243081,"type":"orderbook","data":{"timestamp":1790134243067,
    ///  "asks":[{"price":"116506000","qty":"0.27522"}],"bids":[{"price":"116455000","qty":"0.00499"}]}}
    /// ```
    Frame {
        kind: "type",
        status: "status",
        event: "event",
        data: "data",
        result: "result",
        timestamp: "timestamp",
        open: "open",
        close: "close",
        high: "high",
        low: "low",
        prev_close: "prevClose",
        volume: "volume",
        price_change: "priceChange",
        price_change_percent: "priceChangePercent",
        asks: "asks",
        bids: "bids",
    }
}

/// The first protocol wrote `amount` for `qty`.
const LEVEL: levels::Layout = levels::Layout::Object(&["price", "qty", "amount"]);

/// Events of the first protocol that are no data.
const EVENTS: [&str; 5] = ["korbit:connected", "korbit:subscribe", "korbit:unsubscribe", "korbit:error", "korbit:disconnected"];

/// Books as they are sent; only the first of a connection says that it is a snapshot.
pub(super) const BOOKS: &[scan::Layout] = &[scan::Layout {
    members: &[
        member("symbol", Value::Text),
        member("timestamp", Value::Time(1)),
        member("type", Value::Text),
        member("snapshot", Value::True),
        member(
            "data",
            Value::Object(&[member("timestamp", Value::Time(0)), member("asks", Value::Asks(Shape::Quoted)), member("bids", Value::Bids(Shape::Quoted))]),
        ),
    ],
    finish: whole,
}];

/// Korbit's tickers.
pub(super) struct Layout;

impl TickerLayout for Layout {
    type Frame<'a> = Frame<'a>;

    fn is_control(frame: &Frame<'_>) -> bool {
        is_control(frame)
    }

    fn columns<'w>(frame: &'w Frame<'_>) -> Columns<'w> {
        Columns {
            opening: &frame.open,
            trade: &frame.close,
            max: &frame.high,
            min: &frame.low,
            prev_closing: &frame.prev_close,
            volume: &frame.volume,
            change: &frame.price_change,
            rate: &frame.price_change_percent,
        }
    }

    fn containers<'w>(frame: &'w Frame<'_>) -> [&'w Token<'w>; 2] {
        [&frame.data, &frame.result]
    }

    /// The server's time at sending, which is outside `data`.
    fn time(frame: &Frame<'_>, _inner: &Frame<'_>, chars_max: usize) -> Option<EventTime> {
        EventTime::of_number(&frame.timestamp, chars_max)
    }

    fn ticker(numbers: Numbers) -> Ticker {
        let change = numbers.change.or_else(|| numbers.change_from(numbers.prev_closing));
        let rate = rate_of(change, numbers.prev_closing).or_else(|| numbers.rate.and_then(Rate::percent));
        numbers.with_change(change, rate)
    }
}

/// Reads a whole book. Its time is that of the last change, inside `data`.
pub(super) fn read_book(text: &str, limits: &Limits, book: &mut book::Frame) -> Result<Decoded<()>, Reason> {
    let frame: Frame<'_> = json::walk(text, limits.depth)?;
    if is_control(&frame) {
        return Ok(Decoded::Control);
    }
    let data: Frame<'_> = part(&frame.data)?;
    Sides::of(&data.bids, &data.asks)?.read(LEVEL, limits, book)?;
    book.time = EventTime::of_number(&data.timestamp, limits.number_chars).or_else(|| EventTime::of_number(&frame.timestamp, limits.number_chars));
    Ok(Decoded::Data(()))
}

fn is_control(frame: &Frame<'_>) -> bool {
    (frame.status.is_there() && !frame.kind.is_there()) || EVENTS.iter().any(|event| frame.event.is_text(event))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{book, is_data, levels, micros, ticker};
    use crate::book::Action;
    use crate::market::{Exchange::Korbit, Kind};
    use crate::outcome::Reason;

    #[test]
    fn raw_and_flattened_tickers_tell_the_same() {
        let raw = r#"{"symbol":"xyz_krw","timestamp":1700000000777,"type":"ticker","snapshot":true,"data":{"open":"400","high":"440","low":"390","close":"420",
            "prevClose":"400","priceChange":"20","priceChangePercent":"4.9","volume":"1.10","bestBidPrice":"0"}}"#;
        let flat = r#"{"timestamp": 1700000000777, "high": "440", "open": "400", "priceChangePercent": "4.9", "low": "390", "close": "420", "volume": "1.10",
            "priceChange": "20", "prevClose": "400"}"#;
        let expected = "400.0 420.0 440.0 390.0 400.0 1.1 20.0 0.050000 @1700000000777000";
        assert_eq!([ticker(Korbit, raw), ticker(Korbit, flat)], [expected; 2]);
    }

    #[test]
    fn change_and_rate_have_two_sources_each() {
        let with = |rest: &str| ticker(Korbit, &format!(r#"{{"close":"420"{rest}}}"#));
        assert_eq!(with(r#","prevClose":"400""#), "- 420.0 - - 400.0 - 20.0 0.050000 @-");
        assert_eq!(with(r#","prevClose":"400","priceChange":"-4""#), "- 420.0 - - 400.0 - -4.0 -0.010000 @-", "what is sent counts");
        assert_eq!(with(r#","prevClose":"0","priceChange":"420","priceChangePercent":"-2.22""#), "- 420.0 - - 0.0 - 420.0 -0.022200 @-");
        assert_eq!(with(r#","priceChangePercent":"2.5""#), "- 420.0 - - - - - 0.025000 @-");
        assert_eq!(with(r#","prevClose":"","priceChange":null,"priceChangePercent":"""#), "- 420.0 - - - - - - @-");
    }

    #[test]
    fn books_go_by_the_inner_clock_and_tickers_by_the_outer() {
        let text = |times: &str| {
            format!(r#"{{"type":"orderbook",{times}"asks":[{{"price":"12","qty":"1.50","quoteVolume":"x"}}],"bids":[{{"price":"11","amount":"2"}}]}}}}"#)
        };
        let frame = book(Korbit, &text(r#""timestamp":1700000000777,"data":{"timestamp":1700000000700,"#));
        assert_eq!((levels(&frame).as_str(), frame.action), ("11.0x2.0 | 12.0x1.5", Action::Whole));
        assert_eq!(micros(&frame), Some(1_700_000_000_700_000));
        let frame = book(Korbit, &text(r#""timestamp":1700000000777,"data":{"timestamp":0,"#));
        assert_eq!(micros(&frame), Some(1_700_000_000_777_000));
        assert_eq!(micros(&book(Korbit, &text(r#""data":{"#))), None);
        assert_eq!(ticker(Korbit, r#"{"data":{"close":"1","timestamp":1700000000700}}"#), "- 1.0 - - - - - - @-");
        let both = r#"{"data":{"asks":[{"price":"1","amount":"2","qty":"3"}],"bids":[]}}"#;
        assert_eq!(levels(&book(Korbit, both)), " | 1.0x3.0", "the old name counts only where the new one is absent");
    }

    #[test]
    fn control_and_rejections() {
        for kind in Kind::ALL {
            for text in [r#"{"status":"fail","message":"x"}"#, r#"{"status":null}"#, r#"{"event":"korbit:connected","data":{}}"#] {
                assert_eq!(is_data(Korbit, kind, text), Ok(false), "{text}");
            }
            assert_eq!(is_data(Korbit, kind, r#"{"event":"korbit:push-ticker","data":{"change":"1"}}"#), Err(Reason::Shape));
            assert_eq!(is_data(Korbit, kind, r#"{"type":"x","status":"fail"}"#), Err(Reason::Shape));
        }
        assert_eq!(is_data(Korbit, Kind::Ticker, r#"{"data":{"open":"1","close":""}}"#), Err(Reason::Missing));
        assert_eq!(is_data(Korbit, Kind::Ticker, r#"{"close":"1","priceChangePercent":"2 %"}"#), Err(Reason::Number));
        assert_eq!(is_data(Korbit, Kind::Orderbook, r#"{"data":{"asks":[{"price":"1","qty":"","amount":"1"}],"bids":[]}}"#), Err(Reason::Number));
        assert_eq!(is_data(Korbit, Kind::Orderbook, r#"{"data":{"asks":[{"price":"1"}],"bids":[]}}"#), Err(Reason::Missing));
    }
}
