//! Bybit (v5, spot): times outside `data`; snapshots of 50 levels and deltas counted by `u`.
//! <https://bybit-exchange.github.io/docs/v5/websocket/public/ticker>, <https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook>

use super::levels::{self, Sides};
use super::scan::{self, Shape, Value, action, member};
use super::tickers::TickerLayout;
use super::{ABSENT, Decoded, integer, part};
use crate::book::{self, Action, Sequence};
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
    /// {"topic":"tickers.BTCUSDT","ts":1786538729776,"type":"snapshot","cs":112571857121,"data":{"symbol":"BTCUSDT","lastPrice":"64057.7",
    ///  "highPrice24h":"64500","lowPrice24h":"63232.1","prevPrice24h":"64326.9","volume24h":"7217.99","price24hPcnt":"-0.0042"}}
    /// {"topic":"orderbook.50.BTCUSDT","ts":1731035685345,"type":"delta","data":{"s":"BTCUSDT","b":[["75848.62","0.014895"],["75837.13","0"]],
    ///  "a":[["75851.44","0.078379"]],"u":2876701,"seq":47474967823},"cts":1731035685342}
    /// ```
    Frame {
        topic: "topic",
        op: "op",
        success: "success",
        ret_msg: "ret_msg",
        kind: "type",
        data: "data",
        result: "result",
        ts: "ts",
        cts: "cts",
        last_price: "lastPrice",
        prev_price_24h: "prevPrice24h",
        high_price_24h: "highPrice24h",
        low_price_24h: "lowPrice24h",
        volume_24h: "volume24h",
        price_24h_pcnt: "price24hPcnt",
    }
}

wire_struct! {
    /// What `data` of an order book holds.
    Book { symbol: "s", bids: "b", asks: "a", update: "u" }
}

/// Books as they are sent; `cts` is not in old ones.
pub(super) const BOOKS: &[scan::Layout] = &[scan::Layout {
    members: &[
        member("topic", Value::Text),
        member("ts", Value::Time(1)),
        member("type", action("delta")),
        member(
            "data",
            Value::Object(&[
                member("s", Value::Instrument),
                member("b", Value::Bids(Shape::Pair)),
                member("a", Value::Asks(Shape::Pair)),
                member("u", Value::Id),
                member("seq", Value::Number),
            ]),
        ),
        member("cts", Value::Time(0)),
    ],
    finish: |found, book| {
        book.action = if found.id == Some(1) { Action::Snapshot } else { found.action.unwrap_or_default() };
        book.sequence = Sequence::Counted(found.id);
        found.action.is_some()
    },
}];

/// Bybit's tickers.
pub(super) struct Layout;

impl TickerLayout for Layout {
    type Frame<'a> = Frame<'a>;

    fn is_control(frame: &Frame<'_>) -> bool {
        is_control(frame)
    }

    fn columns<'w>(frame: &'w Frame<'_>) -> Columns<'w> {
        Columns {
            opening: &frame.prev_price_24h,
            trade: &frame.last_price,
            max: &frame.high_price_24h,
            min: &frame.low_price_24h,
            prev_closing: &frame.prev_price_24h,
            volume: &frame.volume_24h,
            change: ABSENT,
            rate: &frame.price_24h_pcnt,
        }
    }

    fn containers<'w>(frame: &'w Frame<'_>) -> [&'w Token<'w>; 2] {
        [&frame.data, &frame.result]
    }

    fn time(frame: &Frame<'_>, _inner: &Frame<'_>, chars_max: usize) -> Option<EventTime> {
        EventTime::of_number(&frame.ts, chars_max)
    }

    /// `price24hPcnt` is a fraction despite its name, rounded to 4 decimals: the last resort.
    fn ticker(numbers: Numbers) -> Ticker {
        let change = numbers.change_from(numbers.prev_closing);
        let rate = rate_of(change, numbers.prev_closing).or_else(|| numbers.rate.and_then(Rate::fraction));
        numbers.with_change(change, rate)
    }
}

/// Reads a snapshot or a delta. `u` is 1 after a restart of the exchange's service: then it is a snapshot, whatever
/// its type says.
pub(super) fn read_book(text: &str, limits: &Limits, book: &mut book::Frame) -> Result<Decoded<()>, Reason> {
    let frame: Frame<'_> = json::walk(text, limits.depth)?;
    if is_control(&frame) {
        return Ok(Decoded::Control);
    }
    let data: Book<'_> = part(&frame.data)?;
    Sides::of(&data.bids, &data.asks)?.read(levels::Layout::Pair, limits, book)?;
    let update = integer(&data.update, limits.number_chars)?;
    book.action = match frame.kind.text() {
        _ if update == Some(1) => Action::Snapshot,
        Some(b"snapshot") => Action::Snapshot,
        Some(b"delta") => Action::Delta,
        _ => return Err(Reason::Shape),
    };
    book.sequence = Sequence::Counted(update);
    book.time = EventTime::of_number(&frame.cts, limits.number_chars).or_else(|| EventTime::of_number(&frame.ts, limits.number_chars));
    book.instrument.set(data.symbol.text());
    Ok(Decoded::Data(()))
}

fn is_control(frame: &Frame<'_>) -> bool {
    !frame.topic.is_there() && [&frame.op, &frame.success, &frame.ret_msg].into_iter().any(Token::is_there)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{book, is_data, levels, micros, ticker};
    use crate::book::{Action, Sequence};
    use crate::market::{Exchange::Bybit, Kind};
    use crate::outcome::Reason;

    #[test]
    fn raw_and_flattened_tickers_tell_the_same() {
        let raw = r#"{"topic":"tickers.XYZUSDT","ts":1700000000031,"type":"snapshot","cs":5,"data":{"symbol":"XYZUSDT","lastPrice":"30","highPrice24h":"35",
            "lowPrice24h":"25.5","prevPrice24h":"32","volume24h":"8.80","price24hPcnt":"-0.9","usdIndexPrice":""}}"#;
        let flat = r#"{"highPrice24h": "35", "lastPrice": "30", "lowPrice24h": "25.5", "prevPrice24h": "32", "price24hPcnt": "-0.9", "ts": 1700000000031, "volume24h": "8.80"}"#;
        let expected = "32.0 30.0 35.0 25.5 32.0 8.8 -2.0 -0.062500 @1700000000031000";
        assert_eq!([ticker(Bybit, raw), ticker(Bybit, flat)], [expected; 2]);
    }

    #[test]
    fn the_rate_that_is_sent_is_a_fraction_and_the_last_resort() {
        assert_eq!(ticker(Bybit, r#"{"lastPrice":"30","price24hPcnt":"-0.0042"}"#), "- 30.0 - - - - - -0.004200 @-");
        assert_eq!(ticker(Bybit, r#"{"lastPrice":"30","prevPrice24h":"0","price24hPcnt":"0.5"}"#), "0.0 30.0 - - 0.0 - 30.0 0.500000 @-");
        assert_eq!(ticker(Bybit, r#"{"lastPrice":"30","prevPrice24h":"","price24hPcnt":""}"#), "- 30.0 - - - - - - @-");
        assert_eq!(ticker(Bybit, r#"{"data":{"lastPrice":"30","ts":1700000000031}}"#), "- 30.0 - - - - - - @-", "the time stands outside");
    }

    #[test]
    fn books_are_counted() {
        let text = |kind: &str, update: &str, times: &str| {
            format!(r#"{{"topic":"orderbook.50.XY","type":"{kind}","data":{{"s":"XY","b":[["5.0","1"],["4","0",7]],"a":[],"u":{update},"seq":9}}{times}}}"#)
        };
        let frame = book(Bybit, &text("delta", "77", r#","ts":1700000000031,"cts":1700000000029"#));
        assert_eq!((levels(&frame).as_str(), frame.action), ("5.0x1.0 4.0x0.0 | ", Action::Delta));
        assert_eq!((frame.sequence, frame.checksum), (Sequence::Counted(Some(77)), None));
        assert_eq!((micros(&frame), frame.instrument.get()), (Some(1_700_000_000_029_000), Some(b"XY".as_slice())));
        assert_eq!(micros(&book(Bybit, &text("delta", "77", r#","cts":null,"ts":"1700000000031""#))), Some(1_700_000_000_031_000));
        assert_eq!(book(Bybit, &text("snapshot", "77", "")).action, Action::Snapshot);
        assert_eq!(book(Bybit, &text("whatever", "1", "")).action, Action::Snapshot, "after a restart of the service");
        assert_eq!(book(Bybit, &text("delta", "null", "")).sequence, Sequence::Counted(None));
    }

    #[test]
    fn control_and_rejections() {
        for kind in Kind::ALL {
            for text in [r#"{"op":"pong","args":["1"]}"#, r#"{"success":false}"#, r#"{"ret_msg":null,"data":{"lastPrice":"1"}}"#] {
                assert_eq!(is_data(Bybit, kind, text), Ok(false), "{text}");
            }
            assert_eq!(is_data(Bybit, kind, r#"{"topic":"x","op":"ping"}"#), Err(Reason::Shape), "what has a topic is no control");
        }
        assert_eq!(is_data(Bybit, Kind::Ticker, r#"{"data":{"volume24h":"1"}}"#), Err(Reason::Missing));
        assert_eq!(is_data(Bybit, Kind::Ticker, r#"{"lastPrice":"1","price24hPcnt":"-0.5%"}"#), Err(Reason::Number));
        let data = |kind: &str, rest: &str| is_data(Bybit, Kind::Orderbook, &format!(r#"{{"type":"{kind}","data":{{{rest}}}}}"#));
        assert_eq!(data("update", r#""b":[],"a":[],"u":2"#), Err(Reason::Shape));
        assert_eq!(data("delta", r#""b":[],"a":null,"u":2"#), Err(Reason::Missing));
        assert_eq!(data("delta", r#""b":[],"a":[],"u":"9223372036854775808""#), Err(Reason::Number));
        assert_eq!(data("delta", r#""b":[["-1","1"]],"a":[],"u":2"#), Err(Reason::Number));
    }
}
