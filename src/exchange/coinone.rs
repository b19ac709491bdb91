//! Coinone: everything under `data`, prices quoted, no change on the wire; whole books, asks worst first.
//! <https://docs.coinone.co.kr/reference/public-websocket-ticker>, <https://docs.coinone.co.kr/reference/public-websocket-orderbook>

use super::levels::{self, read_sides};
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

const LEVEL: levels::Layout = levels::Layout::Object(&["price", "qty", ""]);

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

    fn time(frame: &Frame<'_>, inner: &Frame<'_>, chars_max: usize) -> Option<EventTime> {
        EventTime::of_number(&inner.timestamp, chars_max).or_else(|| EventTime::of_number(&frame.timestamp, chars_max))
    }

    fn ticker(numbers: Numbers) -> Ticker {
        let change = numbers.change_from(numbers.prev_closing);
        numbers.with_change(change, rate_of(change, numbers.prev_closing))
    }
}

/// Reads a whole book.
pub(super) fn read_book(text: &str, limits: &Limits, book: &mut book::Frame) -> Result<Decoded<()>, Reason> {
    let frame: Frame<'_> = json::read(text, limits.depth)?;
    if is_control(&frame) {
        return Ok(Decoded::Control);
    }
    let data: Frame<'_> = part(&frame.data)?;
    read_sides(&data.bids, &data.asks, LEVEL, limits, book)?;
    book.time = EventTime::of_number(&data.timestamp, limits.number_chars).or_else(|| EventTime::of_number(&frame.timestamp, limits.number_chars));
    Ok(Decoded::Data(()))
}

fn is_control(frame: &Frame<'_>) -> bool {
    frame.response_type.is_there() && !frame.response_type.is_text("DATA")
}
