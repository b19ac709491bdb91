//! Binance (spot): one-letter keys that differ by case alone, bare or wrapped in a combined stream; `depth20` is a
//! whole book, `depth` a stream of deltas that never has a snapshot.
//! <https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams>

use super::levels::{self, read_sides};
use super::tickers::TickerLayout;
use super::{Decoded, instrument, integer, part};
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

/// Binance's tickers.
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
            prev_closing: &frame.previous,
            volume: &frame.volume,
            change: &frame.change,
            rate: &frame.change_percent,
        }
    }

    fn containers<'w>(frame: &'w Frame<'_>) -> [&'w Token<'w>; 2] {
        [&frame.data, &frame.result]
    }

    fn time(frame: &Frame<'_>, inner: &Frame<'_>, chars_max: usize) -> Option<EventTime> {
        EventTime::of_number(&inner.event_time, chars_max).or_else(|| EventTime::of_number(&frame.event_time, chars_max))
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
    let outer: Frame<'_> = json::read(text, limits.depth)?;
    if is_control(&outer) {
        return Ok(Decoded::Control);
    }
    let inner: Frame<'_> = part(&outer.data)?;
    let frame = if has_sides(&outer) { &outer } else { &inner };
    if frame.bids.is_there() || frame.asks.is_there() {
        read_sides(&frame.bids, &frame.asks, levels::Layout::Pair, limits, book)?;
    } else {
        read_sides(&frame.diff_bids, &frame.diff_asks, levels::Layout::Pair, limits, book)?;
        book.action = Action::Delta;
        book.sequence = Sequence::Growing(integer(&frame.last_update, limits.number_chars)?);
        book.instrument = instrument(&frame.symbol);
    }
    book.time = Layout::time(&outer, frame, limits.number_chars);
    Ok(Decoded::Data(()))
}

fn has_sides(frame: &Frame<'_>) -> bool {
    [&frame.bids, &frame.asks, &frame.diff_bids, &frame.diff_asks].into_iter().any(Token::is_there)
}

fn is_control(frame: &Frame<'_>) -> bool {
    let is_shutdown = |frame: &Frame<'_>| frame.event.is_text("serverShutdown");
    let is_answer = [&frame.id, &frame.error, &frame.code].into_iter().any(Token::is_there)
        && !frame.event.is_there()
        && !frame.last_update_id.is_there()
        && !Layout::columns(frame).any();
    is_answer || is_shutdown(frame) || part(&frame.data).is_ok_and(|inner: Frame<'_>| is_shutdown(&inner))
}
