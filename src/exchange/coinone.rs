//! Coinone: everything under `data`, prices quoted, no change on the wire; whole books, asks worst first.
//! <https://docs.coinone.co.kr/reference/public-websocket-ticker>, <https://docs.coinone.co.kr/reference/public-websocket-orderbook>

use super::levels::{self, Sides};
use super::scan::{self, Shape, Value, member, whole, word};
use super::tickers::TickerLayout;
use super::{ABSENT, Decoded, part};
use crate::book;
use crate::event_time::EventTime;
use crate::json::{self, Token, wire_struct};
use crate::outcome::Reason;
use crate::rules::Limits;
use crate::ticker::{Columns, Numbers, Ticker, rate_of};

wire_struct! {
    /// A ticker, an order book or an answer of the socket.
    ///
    /// ```json
    /// {"response_type":"DATA","channel":"TICKER","data":{"quote_currency":"KRW","target_currency":"BTC","timestamp":1790133796484,
    ///  "target_volume":"267.27","high":"116470000","low":"115570000","first":"115650000","last":"116380000","yesterday_last":"115640000"}}
    /// {"response_type":"DATA","channel":"ORDERBOOK","data":{"quote_currency":"KRW","target_currency":"BTC","timestamp":1790134167554,
    ///  "id":"1790134177435001","asks":[{"price":"116460000","qty":"0.0232"}],"bids":[{"price":"116450000","qty":"0.0118"}]}}
    /// ```
    Frame {
        response_type: "response_type",
        data: "data",
        result: "result",
        timestamp: "timestamp",
        first: "first",
        last: "last",
        high: "high",
        low: "low",
        yesterday_last: "yesterday_last",
        target_volume: "target_volume",
        asks: "asks",
        bids: "bids",
    }
}

const LEVEL: levels::Layout = levels::Layout::Object(&["price", "qty", "qty"]);

/// Books as they are sent.
pub(super) const BOOKS: &[scan::Layout] = &[scan::Layout {
    members: &[
        member("response_type", word("DATA")),
        member("channel", Value::Text),
        member(
            "data",
            Value::Object(&[
                member("quote_currency", Value::Text),
                member("target_currency", Value::Text),
                member("timestamp", Value::Time(0)),
                member("id", Value::Text),
                member("asks", Value::Asks(Shape::Quoted)),
                member("bids", Value::Bids(Shape::Quoted)),
            ]),
        ),
    ],
    finish: whole,
}];

/// Coinone's tickers.
pub(super) struct Layout;

impl TickerLayout for Layout {
    type Frame<'a> = Frame<'a>;

    fn is_control(frame: &Frame<'_>) -> bool {
        is_control(frame)
    }

    fn columns<'w>(frame: &'w Frame<'_>) -> Columns<'w> {
        Columns {
            opening: &frame.first,
            trade: &frame.last,
            max: &frame.high,
            min: &frame.low,
            prev_closing: &frame.yesterday_last,
            volume: &frame.target_volume,
            change: ABSENT,
            rate: ABSENT,
        }
    }

    fn containers<'w>(frame: &'w Frame<'_>) -> [&'w Token<'w>; 2] {
        [&frame.data, &frame.result]
    }

    fn time(_frame: &Frame<'_>, inner: &Frame<'_>, chars_max: usize) -> Option<EventTime> {
        EventTime::of_number(&inner.timestamp, chars_max)
    }

    fn ticker(numbers: Numbers) -> Ticker {
        let change = numbers.change_from(numbers.prev_closing);
        numbers.with_change(change, rate_of(change, numbers.prev_closing))
    }
}

/// Reads a whole book.
pub(super) fn read_book(text: &str, limits: &Limits, book: &mut book::Frame) -> Result<Decoded<()>, Reason> {
    let frame: Frame<'_> = json::walk(text, limits.depth)?;
    if is_control(&frame) {
        return Ok(Decoded::Control);
    }
    let data: Frame<'_> = part(&frame.data)?;
    Sides::of(&data.bids, &data.asks)?.read(LEVEL, limits, book)?;
    book.time = EventTime::of_number(&data.timestamp, limits.number_chars);
    Ok(Decoded::Data(()))
}

fn is_control(frame: &Frame<'_>) -> bool {
    frame.response_type.is_there() && !frame.response_type.is_text("DATA")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{book, is_data, levels, micros, ticker};
    use crate::book::Action;
    use crate::market::{Exchange::Coinone, Kind};
    use crate::outcome::Reason;

    #[test]
    fn raw_and_flattened_tickers_tell_the_same() {
        let raw = r#"{"response_type":"DATA","channel":"TICKER","data":{"quote_currency":"KRW","timestamp":1700000000500,"target_volume":"3.30","high":"2100",
            "low":"1900","first":"1950","last":"2010","ask_best_price":null,"yesterday_last":"2000"}}"#;
        let flat = r#"{"yesterday_last": "2000", "high": "2100", "last": "2010", "timestamp": 1700000000500, "first": "1950", "target_volume": "3.30", "low": "1900"}"#;
        let expected = "1950.0 2010.0 2100.0 1900.0 2000.0 3.3 10.0 0.005000 @1700000000500000";
        assert_eq!([ticker(Coinone, raw), ticker(Coinone, flat)], [expected; 2]);
    }

    #[test]
    fn change_and_rate_come_from_yesterday() {
        let with = |rest: &str| ticker(Coinone, &format!(r#"{{"last":"1"{rest}}}"#));
        assert_eq!(with(r#","yesterday_last":"3""#), "- 1.0 - - 3.0 - -2.0 -0.666667 @-");
        assert_eq!(with(r#","yesterday_last":"0.0""#), "- 1.0 - - 0.0 - 1.0 - @-");
        assert_eq!(with(r#","yesterday_last":null,"first":"""#), "- 1.0 - - - - - - @-");
    }

    #[test]
    fn time_is_that_of_the_object_with_the_columns() {
        assert_eq!(ticker(Coinone, r#"{"timestamp":1700000000500,"data":{"last":"1"}}"#), "- 1.0 - - - - - - @-");
        assert_eq!(ticker(Coinone, r#"{"last":"1","timestamp":"1700000000","data":{"last":"2","timestamp":1}}"#), "- 1.0 - - - - - - @1700000000000000");
    }

    #[test]
    fn asks_may_come_worst_first() {
        let text = r#"{"response_type":"DATA","channel":"ORDERBOOK","timestamp":1,"data":{"timestamp":1700000000500,"id":"1700000000500001",
            "asks":[{"price":"12","qty":"1.50"},{"qty":"2","price":"11"}],"bids":[{"price":"10","qty":"0.1","x":0}]}}"#;
        let frame = book(Coinone, text);
        assert_eq!((levels(&frame).as_str(), frame.action), ("10.0x0.1 | 12.0x1.5 11.0x2.0", Action::Whole));
        assert_eq!(micros(&frame), Some(1_700_000_000_500_000));
        assert_eq!(levels(&book(Coinone, r#"{"data":[{"asks":[],"bids":[]},5]}"#)), " | ");
    }

    #[test]
    fn control_and_rejections() {
        for kind in Kind::ALL {
            for text in [r#"{"response_type":"PONG"}"#, r#"{"response_type":"ERROR","error_code":160012}"#, r#"{"response_type":null,"data":{"last":"1"}}"#] {
                assert_eq!(is_data(Coinone, kind, text), Ok(false), "{text}");
            }
            assert_eq!(is_data(Coinone, kind, r#"{"response_type":"DATA","data":{"session_id":"x"}}"#), Err(Reason::Shape));
        }
        assert_eq!(is_data(Coinone, Kind::Ticker, r#"{"data":{"last":null,"first":"1"}}"#), Err(Reason::Missing));
        assert_eq!(is_data(Coinone, Kind::Ticker, r#"{"last":"1","high":"1,000"}"#), Err(Reason::Number));
        let sides = |sides: &str| is_data(Coinone, Kind::Orderbook, &format!(r#"{{"data":{{{sides}}}}}"#));
        assert_eq!(sides(r#""bids":[]"#), Err(Reason::Missing));
        assert_eq!(sides(r#""bids":[],"asks":{}"#), Err(Reason::Shape));
        assert_eq!(sides(r#""bids":[{"price":"x","qty":"1"}],"asks":[{"price":"1"}]"#), Err(Reason::Missing), "a key's absence comes before a bad number");
        assert_eq!(sides(r#""bids":[["1","1"]],"asks":[]"#), Err(Reason::Shape));
    }
}
