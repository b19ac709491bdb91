//! Binance (spot): one-letter keys that differ by case alone, bare or wrapped in a combined stream; `depth20` is a
//! whole book, `depth` a stream of deltas that never has a snapshot.
//! <https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams>

use super::levels::{self, Sides};
use super::scan::{self, Found, Member, Shape, Value, member, whole, word};
use super::tickers::TickerLayout;
use super::{Decoded, integer, part};
use crate::book::{self, Action, Sequence};
use crate::decimal::Rate;
use crate::event_time::EventTime;
use crate::json::{self, Token, wire_struct};
use crate::outcome::Reason;
use crate::rules::Limits;
use crate::ticker::{Columns, Numbers, Ticker, rate_of};

wire_struct! {
    /// A ticker, an order book, an answer of the socket, or the wrapper of a combined stream around one of them.
    ///
    /// ```json
    /// {"e":"24hrTicker","E":1578412151359,"s":"BTCUSDT","p":"259.58000000","P":"3.447","x":"7530.65000000","c":"7790.20000000",
    ///  "o":"7530.62000000","h":"8000.00000000","l":"7509.43000000","v":"69272.80998500"}
    /// {"stream":"ethusdt@depth20","data":{"lastUpdateId":17044571457,"bids":[["1782.00000000","6.48300000"]],"asks":[["1782.01000000","15.46080000"]]}}
    /// {"e":"depthUpdate","E":1787602980291,"s":"ATOMEUR","U":236531260,"u":236531261,"b":[["1.31200000","0.00000000"]],"a":[]}
    /// ```
    Frame {
        id: "id",
        error: "error",
        code: "code",
        stream: "stream",
        event: "e",
        data: "data",
        result: "result",
        event_time: "E",
        open: "o",
        close: "c",
        high: "h",
        low: "l",
        previous: "x",
        volume: "v",
        change: "p",
        change_percent: "P",
        symbol: "s",
        last_update_id: "lastUpdateId",
        bids: "bids",
        asks: "asks",
        last_update: "u",
        diff_bids: "b",
        diff_asks: "a",
    }
}

const WHOLE: &[Member] = &[member("lastUpdateId", Value::Number), member("bids", Value::Bids(Shape::Pair)), member("asks", Value::Asks(Shape::Pair))];

const DIFF: &[Member] = &[
    member("e", word("depthUpdate")),
    member("E", Value::Time(0)),
    member("s", Value::Instrument),
    member("U", Value::Number),
    member("u", Value::Id),
    member("b", Value::Bids(Shape::Pair)),
    member("a", Value::Asks(Shape::Pair)),
];

/// Books as they are sent, whole ones and diffs, in a combined stream and bare.
pub(super) const BOOKS: &[scan::Layout] = &[
    scan::Layout { members: &[member("stream", Value::Text), member("data", Value::Object(WHOLE))], finish: whole },
    scan::Layout { members: &[member("stream", Value::Text), member("data", Value::Object(DIFF))], finish: finish_diff },
    scan::Layout { members: WHOLE, finish: whole },
    scan::Layout { members: DIFF, finish: finish_diff },
];

const fn finish_diff(found: &Found<'_>, book: &mut book::Frame) -> bool {
    book.action = Action::Delta;
    book.sequence = Sequence::Growing(found.id);
    true
}

/// Binance's tickers.
pub(super) struct Layout;

impl TickerLayout for Layout {
    type Frame<'a> = Frame<'a>;

    fn is_control(frame: &Frame<'_>) -> bool {
        part(&frame.data).is_ok_and(|inner: Frame<'_>| is_noise(frame, &inner))
    }

    fn columns<'w>(frame: &'w Frame<'_>) -> Columns<'w> {
        Columns {
            opening: &frame.open,
            trade: &frame.close,
            max: &frame.high,
            min: &frame.low,
            prev_closing: &frame.previous,
            volume: &frame.volume,
            change: &frame.change,
            rate: &frame.change_percent,
        }
    }

    fn containers<'w>(frame: &'w Frame<'_>) -> [&'w Token<'w>; 2] {
        [&frame.data, &frame.result]
    }

    /// Wherever it is: beside the columns, around them, or in `data` beside them.
    fn time(frame: &Frame<'_>, inner: &Frame<'_>, chars_max: usize) -> Option<EventTime> {
        let time = |frame: &Frame<'_>| EventTime::of_number(&frame.event_time, chars_max);
        time(inner).or_else(|| time(frame)).or_else(|| part(&frame.data).ok().and_then(|data: Frame<'_>| time(&data)))
    }

    /// Change and rate refer to the opening price, not to the previous close.
    fn ticker(numbers: Numbers) -> Ticker {
        let change = numbers.change.or_else(|| numbers.change_from(numbers.opening));
        let rate = rate_of(change, numbers.opening).or_else(|| numbers.rate.and_then(Rate::percent));
        numbers.with_change(change, rate)
    }
}

/// Reads a whole book or a diff.
pub(super) fn read_book(text: &str, limits: &Limits, book: &mut book::Frame) -> Result<Decoded<()>, Reason> {
    let outer: Frame<'_> = json::walk(text, limits.depth)?;
    let inner: Frame<'_> = part(&outer.data)?;
    if is_noise(&outer, &inner) {
        return Ok(Decoded::Control);
    }
    let frame = if has_sides(&outer) { &outer } else { &inner };
    if frame.bids.is_there() || frame.asks.is_there() {
        Sides::of(&frame.bids, &frame.asks)?.read(levels::Layout::Pair, limits, book)?;
    } else {
        Sides::of(&frame.diff_bids, &frame.diff_asks)?.read(levels::Layout::Pair, limits, book)?;
        book.action = Action::Delta;
        book.sequence = Sequence::Growing(integer(&frame.last_update, limits.number_chars)?);
        book.instrument.set(frame.symbol.text());
    }
    book.time = [frame, &outer, &inner].into_iter().find_map(|frame| EventTime::of_number(&frame.event_time, limits.number_chars));
    Ok(Decoded::Data(()))
}

fn has_sides(frame: &Frame<'_>) -> bool {
    [&frame.bids, &frame.asks, &frame.diff_bids, &frame.diff_asks].into_iter().any(Token::is_there)
}

/// Whether a frame is known noise; `inner` is what its `data` holds.
fn is_noise(frame: &Frame<'_>, inner: &Frame<'_>) -> bool {
    let is_shutdown = |frame: &Frame<'_>| frame.event.is_text("serverShutdown");
    let is_answer = [&frame.id, &frame.error, &frame.code].into_iter().any(Token::is_there)
        && !frame.event.is_there()
        && !frame.last_update_id.is_there()
        && !Layout::columns(frame).any();
    let is_wrapped = frame.stream.is_there() && matches!(frame.data, Token::Object(_));
    is_answer || is_shutdown(frame) || (is_wrapped && is_shutdown(inner))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{book, is_data, levels, micros, ticker};
    use crate::book::{Action, Sequence};
    use crate::market::{Exchange::Binance, Kind};
    use crate::outcome::Reason;

    #[test]
    fn raw_wrapped_and_flattened_tickers_tell_the_same() {
        let raw = r#"{"e":"24hrTicker","E":1700000000333,"s":"XYZUSDT","p":"2.50000000","P":"9.999","w":"1","x":"19.00000000","c":"22.50000000","Q":"9","b":"1",
            "a":"2","o":"20.00000000","h":"23.00000000","l":"18.00000000","v":"4.40000000","q":"90","O":1,"C":2,"F":3,"L":4,"n":5}"#;
        let wrapped = format!(r#"{{"stream":"xyzusdt@ticker","data":{raw}}}"#);
        let flat = r#"{"l": "18.00000000", "E": 1700000000333, "p": "2.50000000", "P": "9.999", "x": "19.00000000", "c": "22.50000000", "o": "20.00000000",
            "h": "23.00000000", "v": "4.40000000"}"#;
        let expected = "20.0 22.5 23.0 18.0 19.0 4.4 2.5 0.125000 @1700000000333000";
        assert_eq!([ticker(Binance, raw), ticker(Binance, &wrapped), ticker(Binance, flat)], [expected; 3]);
    }

    #[test]
    fn change_and_rate_refer_to_the_opening_price() {
        let with = |rest: &str| ticker(Binance, &format!(r#"{{"c":"22.5","x":"1"{rest}}}"#));
        assert_eq!(with(r#","o":"20""#), "20.0 22.5 - - 1.0 - 2.5 0.125000 @-");
        assert_eq!(with(r#","o":"0","P":"-3.447""#), "0.0 22.5 - - 1.0 - 22.5 -0.034470 @-");
        assert_eq!(with(r#","p":"3","P":"7""#), "- 22.5 - - 1.0 - 3.0 0.070000 @-");
        assert_eq!(with(r#","o":null,"p":"","P":null"#), "- 22.5 - - 1.0 - - - @-");
    }

    #[test]
    fn time_is_read_wherever_it_is() {
        assert_eq!(ticker(Binance, r#"{"E":1700000000333,"data":{"c":"1"}}"#), "- 1.0 - - - - - - @1700000000333000");
        assert_eq!(ticker(Binance, r#"{"c":"1","data":{"E":"1700000000333"}}"#), "- 1.0 - - - - - - @1700000000333000");
        assert_eq!(ticker(Binance, r#"{"c":"1","e":"x"}"#), "- 1.0 - - - - - - @-");
    }

    #[test]
    fn depth20_is_a_whole_book_and_depth_a_delta() {
        let whole = r#"{"lastUpdateId":99,"bids":[["5.00","1",[]],["4","2"]],"asks":[["6","0.50"]]}"#;
        for text in [whole.to_owned(), format!(r#"{{"stream":"xyzusdt@depth20","data":{whole}}}"#)] {
            let frame = book(Binance, &text);
            assert_eq!((levels(&frame).as_str(), frame.action), ("5.0x1.0 4.0x2.0 | 6.0x0.5", Action::Whole));
            assert_eq!((micros(&frame), frame.sequence, frame.instrument.get()), (None, Sequence::Unnumbered, None));
        }
        let diff = r#"{"e":"depthUpdate","E":1700000000333,"s":"XY","U":7,"u":8,"b":[["5","0.00000000"]],"a":[]}"#;
        for text in [diff.to_owned(), format!(r#"{{"stream":"xy@depth","data":[{diff}]}}"#)] {
            let frame = book(Binance, &text);
            assert_eq!((levels(&frame).as_str(), frame.action, frame.sequence), ("5.0x0.0 | ", Action::Delta, Sequence::Growing(Some(8))));
            assert_eq!((micros(&frame), frame.instrument.get()), (Some(1_700_000_000_333_000), Some(b"XY".as_slice())));
        }
    }

    #[test]
    fn control_and_rejections() {
        for kind in Kind::ALL {
            let shutdown = r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}"#;
            for text in [r#"{"result":null,"id":1}"#, r#"{"code":2,"msg":"x"}"#, r#"{"e":"serverShutdown","E":1}"#, shutdown] {
                assert_eq!(is_data(Binance, kind, text), Ok(false), "{text}");
            }
            assert_eq!(is_data(Binance, kind, r#"{"id":1,"e":"x"}"#), Err(Reason::Shape));
        }
        assert_eq!(is_data(Binance, Kind::Ticker, r#"{"id":1,"c":"1"}"#), Ok(true), "what has a column is no answer");
        assert_eq!(is_data(Binance, Kind::Ticker, r#"{"C":1,"O":2,"o":"1"}"#), Err(Reason::Missing), "keys differ by case alone");
        assert_eq!(is_data(Binance, Kind::Ticker, r#"{"c":"1","P":{}}"#), Err(Reason::Number));
        assert_eq!(is_data(Binance, Kind::Orderbook, r#"{"b":"1.5","a":"1.6"}"#), Err(Reason::Shape), "a bookTicker has texts there");
        assert_eq!(is_data(Binance, Kind::Orderbook, r#"{"bids":[]}"#), Err(Reason::Missing));
        assert_eq!(is_data(Binance, Kind::Orderbook, r#"{"u":"x","b":[],"a":[]}"#), Err(Reason::Number));
    }
}
