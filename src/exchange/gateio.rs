//! Gate: everything under `result`, change in per cent and nothing else of it; whole books of up to 100 levels.
//! <https://www.gate.com/docs/developers/apiv4/ws/en/>

use super::levels::{self, read_sides};
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
    let frame: Frame<'_> = json::read(text, limits.depth)?;
    if is_control(&frame) {
        return Ok(Decoded::Control);
    }
    let result: Frame<'_> = part(&frame.result)?;
    read_sides(&result.bids, &result.asks, levels::Layout::Pair, limits, book)?;
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
