//! Kraken (WebSocket v2): bare numbers, RFC 3339 times; books without a requested snapshot, verified by checksum.
//! <https://docs.kraken.com/api/docs/websocket-v2/ticker>, <https://docs.kraken.com/api/docs/websocket-v2/book>

use super::levels::{self, Sides};
use super::scan::{self, Shape, Value, action, member, word};
use super::tickers::TickerLayout;
use super::{ABSENT, Decoded, integer, part};
use crate::book::{self, Action, Checksum};
use crate::decimal::Rate;
use crate::event_time::EventTime;
use crate::json::{self, Token, wire_struct};
use crate::outcome::Reason;
use crate::rules::Limits;
use crate::ticker::{Columns, Numbers, Ticker, rate_of};

wire_struct! {
    /// A ticker, an order book or an answer of the socket; also what `data` holds.
    ///
    /// ```json
    /// {"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","last":83744.3,"volume":3156.84782110,"low":83163.6,"high":85247.4,
    ///  "change":-429.3,"change_pct":-0.51,"timestamp":"2026-09-25T17:48:26.844359Z"}]}
    /// {"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[],"asks":[{"price":63006.4,"qty":0.00005100}],
    ///  "checksum":1820162136,"timestamp":"2026-08-01T02:54:31.021934Z"}]}
    /// ```
    Frame {
        method: "method",
        channel: "channel",
        kind: "type",
        data: "data",
        result: "result",
        symbol: "symbol",
        timestamp: "timestamp",
        last: "last",
        high: "high",
        low: "low",
        volume: "volume",
        change: "change",
        change_pct: "change_pct",
        bids: "bids",
        asks: "asks",
        checksum: "checksum",
    }
}

const LEVEL: levels::Layout = levels::Layout::Object(&["price", "qty", "qty"]);

/// Books as they are sent; the time is not in old snapshots.
pub(super) const BOOKS: &[scan::Layout] = &[scan::Layout {
    members: &[
        member("channel", word("book")),
        member("type", action("update")),
        member(
            "data",
            Value::Only(&[
                member("symbol", Value::Instrument),
                member("bids", Value::Bids(Shape::Bare)),
                member("asks", Value::Asks(Shape::Bare)),
                member("checksum", Value::Checksum),
                member("timestamp", Value::Clock),
            ]),
        ),
    ],
    finish: |found, book| {
        book.action = found.action.unwrap_or_default();
        book.checksum = found.checksum.map(Checksum::Kraken);
        found.action.is_some()
    },
}];

/// Kraken's tickers.
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
            max: &frame.high,
            min: &frame.low,
            prev_closing: ABSENT,
            volume: &frame.volume,
            change: &frame.change,
            rate: &frame.change_pct,
        }
    }

    fn containers<'w>(frame: &'w Frame<'_>) -> [&'w Token<'w>; 2] {
        [&frame.data, &frame.result]
    }

    fn time(_frame: &Frame<'_>, inner: &Frame<'_>, chars_max: usize) -> Option<EventTime> {
        time(inner, chars_max)
    }

    /// Neither opening price nor previous close are on the wire: both are the last price less the change.
    fn ticker(numbers: Numbers) -> Ticker {
        let base = numbers.change_from(numbers.change);
        let rate = rate_of(numbers.change, base).or_else(|| numbers.rate.and_then(Rate::percent));
        Numbers { opening: base, prev_closing: base, ..numbers }.with_change(numbers.change, rate)
    }
}

/// Reads a snapshot or an update.
pub(super) fn read_book(text: &str, limits: &Limits, book: &mut book::Frame) -> Result<Decoded<()>, Reason> {
    let frame: Frame<'_> = json::walk(text, limits.depth)?;
    if is_control(&frame) {
        return Ok(Decoded::Control);
    }
    let data: Frame<'_> = part(&frame.data)?;
    let sides = Sides::of(&data.bids, &data.asks)?;
    book.action = match frame.kind.text() {
        Some(b"snapshot") => Action::Snapshot,
        Some(b"update") => Action::Delta,
        _ => return Err(Reason::Shape),
    };
    sides.read(LEVEL, limits, book)?;
    book.checksum = integer(&data.checksum, limits.number_chars)?.map(Checksum::Kraken);
    book.time = time(&data, limits.number_chars);
    book.instrument.set(data.symbol.text());
    Ok(Decoded::Data(()))
}

fn time(frame: &Frame<'_>, chars_max: usize) -> Option<EventTime> {
    EventTime::of_number(&frame.timestamp, chars_max).or_else(|| EventTime::of_text(&frame.timestamp, chars_max))
}

fn is_control(frame: &Frame<'_>) -> bool {
    frame.method.is_there() || frame.channel.is_text("status") || frame.channel.is_text("heartbeat")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{book, is_data, levels, micros, ticker};
    use crate::book::{Action, Checksum, Sequence};
    use crate::market::{Exchange::Kraken, Kind};
    use crate::outcome::Reason;

    #[test]
    fn raw_and_flattened_tickers_tell_the_same_but_for_the_time() {
        let raw = r#"{"channel":"ticker","type":"update","data":[{"symbol":"XYZ/USD","bid":1,"ask":null,"last":50.0,"volume":3.30000000,"vwap":1,"low":45.5,
            "high":55.0,"change":-10.0,"change_pct":-99.9,"timestamp":"2026-01-02T03:04:05.678901Z"}]}"#;
        let flat = r#"{"volume": 3.3, "last": 50, "ask": null, "low": 45.5, "change_pct": -99.9, "high": 55.0, "change": -1e+1}"#;
        let figures = "60.0 50.0 55.0 45.5 60.0 3.3 -10.0 -0.166667";
        assert_eq!([ticker(Kraken, raw), ticker(Kraken, flat)], [format!("{figures} @1767323045678901"), format!("{figures} @-")]);
    }

    #[test]
    fn opening_price_and_rate_come_from_the_change() {
        assert_eq!(ticker(Kraken, r#"{"last":50,"change":50,"change_pct":1.5}"#), "0.0 50.0 - - 0.0 - 50.0 0.015000 @-");
        assert_eq!(ticker(Kraken, r#"{"last":50,"change":null,"change_pct":-0.51}"#), "- 50.0 - - - - - -0.005100 @-");
        assert_eq!(ticker(Kraken, r#"{"last":50,"timestamp":1700000000123456789}"#), "- 50.0 - - - - - - @1700000000123456");
    }

    #[test]
    fn books_have_checksums_and_rfc_3339_times() {
        let text = |kind: &str, rest: &str| {
            format!(
                r#"{{"channel":"book","type":"{kind}","data":[{{"bids":[],"asks":[{{"price":63.50,"qty":5.1e-05}},{{"qty":0.00000000,"price":64}}]{rest}}}]}}"#
            )
        };
        let frame = book(Kraken, &text("update", r#","symbol":"X/USD","checksum":4294967295,"timestamp":"2026-01-02 04:04:05.6789019+01:00""#));
        assert_eq!((levels(&frame).as_str(), frame.action), (" | 63.5x0.000051 64.0x0.0", Action::Delta));
        assert_eq!((frame.sequence, frame.checksum), (Sequence::Unnumbered, Some(Checksum::Kraken(4_294_967_295))));
        assert_eq!((micros(&frame), frame.instrument.get()), (Some(1_767_323_045_678_901), Some(b"X/USD".as_slice())));
        let frame = book(Kraken, &text("snapshot", r#","checksum":null,"timestamp":"2026-13-02T03:04:05Z""#));
        assert_eq!((frame.action, frame.checksum, micros(&frame), frame.instrument.get()), (Action::Snapshot, None, None, None));
        let zero = book(Kraken, &text("update", r#","checksum":0"#));
        assert_eq!(zero.checksum, Some(Checksum::Kraken(0)), "only OKX means nothing by 0");
    }

    #[test]
    fn control_and_rejections() {
        for kind in Kind::ALL {
            for text in [r#"{"channel":"heartbeat"}"#, r#"{"channel":"status","data":[{"connection_id":18446744073709551615}]}"#, r#"{"method":null}"#] {
                assert_eq!(is_data(Kraken, kind, text), Ok(false), "{text}");
            }
            assert_eq!(is_data(Kraken, kind, r#"{"channel":"trade","type":"update","data":[{"qty":1}]}"#), Err(Reason::Shape));
        }
        let idle = r#"{"data":[{"last":0.0,"high":0.0,"low":0.0,"volume":0.0,"change":0.0,"change_pct":0.0}]}"#;
        assert_eq!(is_data(Kraken, Kind::Ticker, idle), Err(Reason::Missing), "zeros say that nothing was traded");
        assert_eq!(is_data(Kraken, Kind::Ticker, r#"{"last":1,"change":"-"}"#), Err(Reason::Number));
        let data = |kind: &str, rest: &str| is_data(Kraken, Kind::Orderbook, &format!(r#"{{"type":{kind},"data":[{{{rest}}}]}}"#));
        assert_eq!(data(r#""delta""#, r#""bids":[],"asks":[]"#), Err(Reason::Shape));
        assert_eq!(data(r#""update""#, r#""asks":[]"#), Err(Reason::Missing));
        assert_eq!(data(r#""update""#, r#""bids":[],"asks":[],"checksum":"abc""#), Err(Reason::Number));
        assert_eq!(data(r#""update""#, r#""bids":[{"price":1}],"asks":[]"#), Err(Reason::Missing));
        assert_eq!(data(r#""update""#, r#""bids":[{"price":1,"qty":1e-19}],"asks":[]"#), Err(Reason::Number));
    }
}
