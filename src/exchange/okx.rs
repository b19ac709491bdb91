//! OKX: times as strings, no change on the wire; snapshots of 400 levels and deltas linked by `prevSeqId`.
//! <https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel>

use super::levels::{self, Sides};
use super::scan::{self, Shape, Value, action, member};
use super::tickers::TickerLayout;
use super::{ABSENT, Decoded, integer, part};
use crate::book::{self, Action, Checksum, Sequence};
use crate::event_time::EventTime;
use crate::json::{self, Token, wire_struct};
use crate::outcome::Reason;
use crate::rules::Limits;
use crate::ticker::{Columns, Numbers, Ticker, rate_of};

wire_struct! {
    /// A ticker, an order book or an answer of the socket; also what `data` holds.
    ///
    /// ```json
    /// {"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[{"instType":"SPOT","instId":"BTC-USDT","last":"64028.6","open24h":"64324",
    ///  "high24h":"64496.9","low24h":"63237.6","vol24h":"5874.19","ts":"1786538789666"}]}
    /// {"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{"asks":[["78853.3","0.00002056","0","2"]],"bids":[],
    ///  "ts":"1787612486407","checksum":0,"seqId":80274874895,"prevSeqId":80274874887}]}
    /// ```
    Frame {
        event: "event",
        arg: "arg",
        action: "action",
        data: "data",
        result: "result",
        ts: "ts",
        last: "last",
        open_24h: "open24h",
        high_24h: "high24h",
        low_24h: "low24h",
        vol_24h: "vol24h",
        asks: "asks",
        bids: "bids",
        checksum: "checksum",
        seq_id: "seqId",
        prev_seq_id: "prevSeqId",
    }
}

wire_struct! {
    /// What a frame was subscribed with.
    Arg { inst_id: "instId" }
}

/// Books as they are sent; ids are not in old ones.
pub(super) const BOOKS: &[scan::Layout] = &[scan::Layout {
    members: &[
        member("arg", Value::Object(&[member("channel", Value::Text), member("instId", Value::Instrument)])),
        member("action", action("update")),
        member(
            "data",
            Value::Only(&[
                member("asks", Value::Asks(Shape::Orders)),
                member("bids", Value::Bids(Shape::Orders)),
                member("ts", Value::Time(0)),
                member("checksum", Value::Checksum),
                member("seqId", Value::Id),
                member("prevSeqId", Value::Previous),
            ]),
        ),
    ],
    finish: |found, book| {
        book.action = found.action.unwrap_or_default();
        book.sequence = Sequence::Linked { id: found.id, previous: found.previous };
        book.checksum = found.checksum.filter(|&checksum| checksum != 0).map(Checksum::Okx);
        found.action.is_some() && !is_heartbeat(book)
    },
}];

/// OKX's tickers.
pub(super) struct Layout;

impl TickerLayout for Layout {
    type Frame<'a> = Frame<'a>;

    fn is_control(frame: &Frame<'_>) -> bool {
        frame.event.is_there()
    }

    fn columns<'w>(frame: &'w Frame<'_>) -> Columns<'w> {
        Columns {
            opening: &frame.open_24h,
            trade: &frame.last,
            max: &frame.high_24h,
            min: &frame.low_24h,
            prev_closing: &frame.open_24h,
            volume: &frame.vol_24h,
            change: ABSENT,
            rate: ABSENT,
        }
    }

    fn containers<'w>(frame: &'w Frame<'_>) -> [&'w Token<'w>; 2] {
        [&frame.data, &frame.result]
    }

    fn time(_frame: &Frame<'_>, inner: &Frame<'_>, chars_max: usize) -> Option<EventTime> {
        EventTime::of_number(&inner.ts, chars_max)
    }

    fn ticker(numbers: Numbers) -> Ticker {
        let change = numbers.change_from(numbers.opening);
        numbers.with_change(change, rate_of(change, numbers.opening))
    }
}

/// Reads a snapshot or an update.
pub(super) fn read_book(text: &str, limits: &Limits, book: &mut book::Frame) -> Result<Decoded<()>, Reason> {
    let frame: Frame<'_> = json::walk(text, limits.depth)?;
    if frame.event.is_there() {
        return Ok(Decoded::Control);
    }
    let data: Frame<'_> = part(&frame.data)?;
    let sides = Sides::of(&data.bids, &data.asks)?;
    book.action = match frame.action.text() {
        Some(b"snapshot") => Action::Snapshot,
        Some(b"update") => Action::Delta,
        _ => return Err(Reason::Shape),
    };
    sides.read(levels::Layout::PairAsSpelled, limits, book)?;
    book.sequence = Sequence::Linked { id: integer(&data.seq_id, limits.number_chars)?, previous: integer(&data.prev_seq_id, limits.number_chars)? };
    // 0 says nothing: every frame since June 2026 has it.
    book.checksum = integer(&data.checksum, limits.number_chars)?.filter(|&checksum| checksum != 0).map(Checksum::Okx);
    if is_heartbeat(book) {
        return Ok(Decoded::Control);
    }
    book.time = EventTime::of_number(&data.ts, limits.number_chars);
    if let Token::Object(arg) = &frame.arg {
        let arg: Arg<'_> = json::walk_part(arg)?;
        book.instrument.set(arg.inst_id.text());
    }
    Ok(Decoded::Data(()))
}

/// Whether a frame says only that the connection lives: an update without levels that names itself as its predecessor.
fn is_heartbeat(book: &book::Frame) -> bool {
    book.action == Action::Delta && book.bids.is_empty() && book.asks.is_empty() && book.sequence.is_heartbeat()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{book, is_data, levels, micros, ticker};
    use crate::book::{Action, Checksum, OddSpelling, Sequence};
    use crate::market::{Exchange::Okx, Kind};
    use crate::outcome::Reason;

    #[test]
    fn raw_and_flattened_tickers_tell_the_same() {
        let raw = r#"{"arg":{"channel":"tickers","instId":"XYZ-USDT"},"data":[{"instId":"XYZ-USDT","last":"9.50","askPx":"","open24h":"10","high24h":"11",
            "low24h":"9","volCcy24h":"1.2345678901234567890123","vol24h":"1000","ts":"1700000000042"}]}"#;
        let flat = r#"{"high24h": "11", "last": "9.50", "low24h": "9", "open24h": "10", "ts": "1700000000042", "vol24h": "1000"}"#;
        let expected = "10.0 9.5 11.0 9.0 10.0 1000.0 -0.5 -0.050000 @1700000000042000";
        assert_eq!([ticker(Okx, raw), ticker(Okx, flat)], [expected; 2]);
    }

    #[test]
    fn change_and_rate_come_from_the_opening_price() {
        assert_eq!(ticker(Okx, r#"{"last":"9.5","open24h":"0"}"#), "0.0 9.5 - - 0.0 - 9.5 - @-");
        assert_eq!(ticker(Okx, r#"{"last":"9.5","open24h":"","ts":1700000000}"#), "- 9.5 - - - - - - @1700000000000000");
        assert_eq!(ticker(Okx, r#"{"ts":1700000000042,"data":[{"last":"9.5"}]}"#), "- 9.5 - - - - - - @-", "the time stands beside the columns");
    }

    #[test]
    fn books_are_linked_and_have_checksums() {
        let text = |action: &str, rest: &str| {
            format!(
                r#"{{"arg":{{"channel":"books","instId":"X-Y"}},"action":"{action}","data":[{{"asks":[["12.0","1","0","2"],["11","0"]],"bids":[],"ts":"1700000000042"{rest}}}]}}"#
            )
        };
        let frame = book(Okx, &text("update", r#","checksum":-7,"seqId":80000000005,"prevSeqId":"80000000001""#));
        assert_eq!((levels(&frame).as_str(), frame.action), (" | 12.0x1.0 11.0x0.0", Action::Delta));
        assert_eq!((micros(&frame), frame.instrument.get()), (Some(1_700_000_000_042_000), Some(b"X-Y".as_slice())));
        assert_eq!(frame.sequence, Sequence::Linked { id: Some(80_000_000_005), previous: Some(80_000_000_001) });
        assert_eq!(frame.checksum, Some(Checksum::Okx(-7)));
        assert_eq!(frame.odd_asks, [(0, OddSpelling::of(b"12.0", b"1").unwrap())], "the checksum needs the texts");
        let frame = book(Okx, &text("snapshot", r#","checksum":0,"prevSeqId":-1"#));
        assert_eq!((frame.action, frame.checksum), (Action::Snapshot, None), "0 says nothing");
        assert_eq!(frame.sequence, Sequence::Linked { id: None, previous: Some(-1) });
        assert_eq!(book(Okx, r#"{"action":"snapshot","data":{"asks":[],"bids":[]}}"#).instrument.get(), None);
    }

    #[test]
    fn control_and_rejections() {
        for kind in Kind::ALL {
            assert_eq!(is_data(Okx, kind, r#"{"event":"notice","code":"64008"}"#), Ok(false));
            assert_eq!(is_data(Okx, kind, r#"{"event":null,"data":[{"last":"1","asks":[],"bids":[]}],"action":"update"}"#), Ok(false));
            assert_eq!(is_data(Okx, kind, r#"{"arg":{},"data":[{"event":"x"}]}"#), Err(Reason::Shape), "control keys count at the top alone");
        }
        let data = |action: &str, rest: &str| is_data(Okx, Kind::Orderbook, &format!(r#"{{"action":{action},"data":[{{{rest}}}]}}"#));
        let heartbeat = r#""asks":[],"bids":[],"seqId":15,"prevSeqId":15"#;
        assert_eq!(data(r#""update""#, heartbeat), Ok(false));
        assert_eq!(data(r#""snapshot""#, heartbeat), Ok(true), "a heartbeat is an update");
        assert_eq!(data(r#""update""#, r#""asks":[],"bids":[],"seqId":15,"prevSeqId":14"#), Ok(true));
        assert_eq!(data(r#""push""#, r#""asks":[],"bids":[]"#), Err(Reason::Shape));
        assert_eq!(data("null", r#""asks":[["x"]],"bids":[]"#), Err(Reason::Shape));
        assert_eq!(data(r#""update""#, r#""asks":[],"bids":[],"seqId":1.5"#), Err(Reason::Number));
        assert_eq!(data(r#""update""#, r#""asks":[["1"]],"bids":[]"#), Err(Reason::Shape));
        assert_eq!(data(r#""update""#, r#""asks":[["1",null]],"bids":[]"#), Err(Reason::Number));
    }
}
