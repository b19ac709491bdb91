//! Kraken (WebSocket v2): bare numbers, RFC 3339 times; books without a requested snapshot, verified by checksum.
//! <https://docs.kraken.com/api/docs/websocket-v2/ticker>, <https://docs.kraken.com/api/docs/websocket-v2/book>

use super::levels::{self, read_sides};
use super::tickers::TickerLayout;
use super::{ABSENT, Decoded, instrument, integer, part};
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

const LEVEL: levels::Layout = levels::Layout::Object(&["price", "qty", ""]);

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

    fn time(frame: &Frame<'_>, inner: &Frame<'_>, chars_max: usize) -> Option<EventTime> {
        time(inner, chars_max).or_else(|| time(frame, chars_max))
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
    let frame: Frame<'_> = json::read(text, limits.depth)?;
    if is_control(&frame) {
        return Ok(Decoded::Control);
    }
    let data: Frame<'_> = part(&frame.data)?;
    read_sides(&data.bids, &data.asks, LEVEL, limits, book)?;
    book.action = match frame.kind.text() {
        Some(b"snapshot") => Action::Snapshot,
        Some(b"update") => Action::Delta,
        _ => return Err(Reason::Shape),
    };
    book.checksum = integer(&data.checksum, limits.number_chars)?.map(Checksum::Kraken);
    book.time = time(&data, limits.number_chars);
    book.instrument = instrument(&data.symbol);
    Ok(Decoded::Data(()))
}

fn time(frame: &Frame<'_>, chars_max: usize) -> Option<EventTime> {
    EventTime::of_number(&frame.timestamp, chars_max).or_else(|| EventTime::of_text(&frame.timestamp))
}

fn is_control(frame: &Frame<'_>) -> bool {
    frame.method.is_there() || frame.channel.is_text("status") || frame.channel.is_text("heartbeat")
}
