//! Gate: everything under `result`, change in per cent and nothing else of it; whole books of up to 100 levels.
//! <https://www.gate.com/docs/developers/apiv4/ws/en/>

use super::levels::{self, Sides};
use super::scan::{self, Shape, Value, member, whole, word};
use super::tickers::TickerLayout;
use super::{ABSENT, Decoded, part};
use crate::book;
use crate::decimal::Rate;
use crate::event_time::EventTime;
use crate::json::{self, Token, wire_struct};
use crate::outcome::Reason;
use crate::rules::Limits;
use crate::ticker::{Columns, Numbers, Ticker};

wire_struct! {
    /// A ticker, an order book or an answer of the socket; also what `result` holds.
    ///
    /// ```json
    /// {"time":1786539991,"time_ms":1786539991556,"channel":"spot.tickers","event":"update","result":{"currency_pair":"BTC_USDT",
    ///  "last":"64043.9","change_percentage":"-0.4034","base_volume":"5291.36","high_24h":"64473.5","low_24h":"63234.7"}}
    /// {"time":1790360084,"time_ms":1790360084771,"channel":"spot.order_book","event":"update","result":{"t":1790360084770,
    ///  "lastUpdateId":40013700725,"s":"BTC_USDT","l":"100","bids":[["84005.6","0.035056"]],"asks":[["84005.7","0.115252"]]}}
    /// ```
    Frame {
        time: "time",
        time_ms: "time_ms",
        t: "t",
        event: "event",
        error: "error",
        data: "data",
        result: "result",
        last: "last",
        high_24h: "high_24h",
        low_24h: "low_24h",
        base_volume: "base_volume",
        change_percentage: "change_percentage",
        bids: "bids",
        asks: "asks",
    }
}

/// Books as they are sent; `time_ms` and `l` are not in old ones.
pub(super) const BOOKS: &[scan::Layout] = &[scan::Layout {
    members: &[
        member("time", Value::Time(2)),
        member("time_ms", Value::Time(1)),
        member("channel", Value::Text),
        member("event", word("update")),
        member(
            "result",
            Value::Object(&[
                member("t", Value::Time(0)),
                member("lastUpdateId", Value::Number),
                member("s", Value::Text),
                member("l", Value::Text),
                member("bids", Value::Bids(Shape::Pair)),
                member("asks", Value::Asks(Shape::Pair)),
            ]),
        ),
    ],
    finish: whole,
}];

/// Gate's tickers.
pub(super) struct Layout;

impl TickerLayout for Layout {
    type Frame<'a> = Frame<'a>;

    fn is_control(frame: &Frame<'_>) -> bool {
        is_control(frame)
    }

    fn columns<'w>(frame: &'w Frame<'_>) -> Columns<'w> {
        Columns {
            opening: ABSENT,
            trade: &frame.last,
            max: &frame.high_24h,
            min: &frame.low_24h,
            prev_closing: ABSENT,
            volume: &frame.base_volume,
            change: ABSENT,
            rate: &frame.change_percentage,
        }
    }

    fn containers<'w>(frame: &'w Frame<'_>) -> [&'w Token<'w>; 2] {
        [&frame.data, &frame.result]
    }

    fn time(frame: &Frame<'_>, _inner: &Frame<'_>, chars_max: usize) -> Option<EventTime> {
        sent(frame, chars_max)
    }

    fn ticker(numbers: Numbers) -> Ticker {
        numbers.with_change(None, numbers.rate.and_then(Rate::percent))
    }
}

/// Reads a whole book.
pub(super) fn read_book(text: &str, limits: &Limits, book: &mut book::Frame) -> Result<Decoded<()>, Reason> {
    let frame: Frame<'_> = json::walk(text, limits.depth)?;
    if is_control(&frame) {
        return Ok(Decoded::Control);
    }
    let result: Frame<'_> = part(&frame.result)?;
    Sides::of(&result.bids, &result.asks)?.read(levels::Layout::Pair, limits, book)?;
    book.time = EventTime::of_number(&result.t, limits.number_chars).or_else(|| sent(&frame, limits.number_chars));
    Ok(Decoded::Data(()))
}

/// When the frame was sent: milliseconds, or seconds in old frames.
fn sent(frame: &Frame<'_>, chars_max: usize) -> Option<EventTime> {
    EventTime::of_number(&frame.time_ms, chars_max).or_else(|| EventTime::of_number(&frame.time, chars_max))
}

fn is_control(frame: &Frame<'_>) -> bool {
    (frame.event.is_there() && !frame.event.is_text("update")) || frame.error.is_value()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{book, is_data, levels, micros, ticker};
    use crate::book::Action;
    use crate::market::{Exchange::Gateio, Kind};
    use crate::outcome::Reason;

    #[test]
    fn raw_and_flattened_tickers_tell_the_same() {
        let raw = r#"{"time":1700000000,"time_ms":1700000000222,"channel":"spot.tickers","event":"update","error":null,"result":{"currency_pair":"XYZ_USDT",
            "last":"7.70","lowest_ask":"","change_percentage":"-12.3456","base_volume":"55","quote_volume":"1.23456789012345678901","high_24h":"9","low_24h":"7"}}"#;
        let flat = r#"{"base_volume": "55", "change_percentage": "-12.3456", "high_24h": "9", "last": "7.70", "low_24h": "7", "time_ms": 1700000000222}"#;
        let expected = "- 7.7 9.0 7.0 - 55.0 - -0.123456 @1700000000222000";
        assert_eq!([ticker(Gateio, raw), ticker(Gateio, flat)], [expected; 2]);
    }

    #[test]
    fn per_cent_become_a_fraction() {
        assert_eq!(ticker(Gateio, r#"{"last":"1","change_percentage":"0.00005"}"#), "- 1.0 - - - - - 0.000001 @-");
        assert_eq!(ticker(Gateio, r#"{"last":"1","change_percentage":"-0.00004"}"#), "- 1.0 - - - - - 0.000000 @-");
        assert_eq!(ticker(Gateio, r#"{"last":"1","change_percentage":""}"#), "- 1.0 - - - - - - @-");
    }

    #[test]
    fn times_are_tried_in_turn() {
        assert_eq!(ticker(Gateio, r#"{"last":"1","time":1700000000}"#), "- 1.0 - - - - - - @1700000000000000");
        let at = |outer: &str, inner: &str| micros(&book(Gateio, &format!(r#"{{"event":"update"{outer},"result":{{"bids":[],"asks":[]{inner}}}}}"#)));
        let (seconds, millis, inner) = (r#","time":1700000000"#, r#","time_ms":1700000000222"#, r#","t":1700000000111"#);
        assert_eq!(at(&[seconds, millis].concat(), inner), Some(1_700_000_000_111_000));
        assert_eq!(at(&[seconds, millis].concat(), r#","t":"""#), Some(1_700_000_000_222_000));
        assert_eq!(at(seconds, ""), Some(1_700_000_000_000_000));
        assert_eq!(at("", ""), None);
    }

    #[test]
    fn every_book_is_whole() {
        let frame = book(Gateio, r#"{"result":{"lastUpdateId":5,"s":"X_Y","l":"20","bids":[["5.0","1"],["4","0.50"]],"asks":[["6","2"]]}}"#);
        assert_eq!((levels(&frame).as_str(), frame.action, frame.instrument.get()), ("5.0x1.0 4.0x0.5 | 6.0x2.0", Action::Whole, None));
    }

    #[test]
    fn control_and_rejections() {
        for kind in Kind::ALL {
            for text in
                [r#"{"event":"","result":null}"#, r#"{"event":null}"#, r#"{"event":"update","error":{"code":2},"result":{"last":"1","bids":[],"asks":[]}}"#]
            {
                assert_eq!(is_data(Gateio, kind, text), Ok(false), "{text}");
            }
            assert_eq!(is_data(Gateio, kind, r#"{"event":"update","error":null,"result":{"status":"success"}}"#), Err(Reason::Shape));
        }
        assert_eq!(is_data(Gateio, Kind::Ticker, r#"{"result":{"high_24h":"9"}}"#), Err(Reason::Missing));
        assert_eq!(is_data(Gateio, Kind::Ticker, r#"{"last":"0x1"}"#), Err(Reason::Number));
        let result = |rest: &str| is_data(Gateio, Kind::Orderbook, &format!(r#"{{"result":{{{rest}}}}}"#));
        assert_eq!(result(r#""b":[],"a":[]"#), Err(Reason::Shape), "the deltas of another channel are no books");
        assert_eq!(result(r#""bids":[{"p":"1","s":"1"}],"asks":[]"#), Err(Reason::Shape));
        assert_eq!(result(r#""bids":[["1e20","1"]],"asks":[]"#), Err(Reason::Number));
    }
}
