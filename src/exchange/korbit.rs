//! Korbit (Digital X since 2026): two clocks, change in per cent; whole books.
//! <https://docs.korbit.co.kr>, <https://docs.digitalx.miraeasset.com>

use super::levels::{self, read_sides};
use super::tickers::TickerLayout;
use super::{Decoded, part};
use crate::book;
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
    /// {"symbol":"eth_krw","timestamp":1730365099072,"type":"ticker","data":{"open":"4390000","high":"4390000","low":"4357000",
    ///  "close":"4357000","prevClose":"4456000","priceChange":"-99000","priceChangePercent":"-2.22","volume":"0.1702132"}}
    /// {"symbol":"btc_krw","timestamp":1790134243081,"type":"orderbook","data":{"timestamp":1790134243067,
    ///  "asks":[{"price":"116506000","qty":"0.27522"}],"bids":[{"price":"116455000","qty":"0.00499"}]}}
    /// ```
    Frame {
        kind: "type",
        status: "status",
        event: "event",
        data: "data",
        result: "result",
        timestamp: "timestamp",
        open: "open",
        close: "close",
        high: "high",
        low: "low",
        prev_close: "prevClose",
        volume: "volume",
        price_change: "priceChange",
        price_change_percent: "priceChangePercent",
        asks: "asks",
        bids: "bids",
    }
}

/// The first protocol wrote `amount` for `qty`.
const LEVEL: levels::Layout = levels::Layout::Object(&["price", "qty", "amount"]);

/// Events of the first protocol that are no data.
const EVENTS: [&str; 5] = ["korbit:connected", "korbit:subscribe", "korbit:unsubscribe", "korbit:error", "korbit:disconnected"];

/// Korbit's tickers.
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
            prev_closing: &frame.prev_close,
            volume: &frame.volume,
            change: &frame.price_change,
            rate: &frame.price_change_percent,
        }
    }

    fn containers<'w>(frame: &'w Frame<'_>) -> [&'w Token<'w>; 2] {
        [&frame.data, &frame.result]
    }

    /// The server's time at sending, which is outside `data`.
    fn time(frame: &Frame<'_>, _inner: &Frame<'_>, chars_max: usize) -> Option<EventTime> {
        EventTime::of_number(&frame.timestamp, chars_max)
    }

    fn ticker(numbers: Numbers) -> Ticker {
        let change = numbers.change.or_else(|| numbers.change_from(numbers.prev_closing));
        let rate = rate_of(change, numbers.prev_closing).or_else(|| numbers.rate.and_then(Rate::percent));
        numbers.with_change(change, rate)
    }
}

/// Reads a whole book. Its time is that of the last change, inside `data`.
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
    (frame.status.is_there() && !frame.kind.is_there()) || EVENTS.iter().any(|event| frame.event.is_text(event))
}
