//! The protocol that Upbit and Bithumb share: flat tickers, whole books of units that pair the i-th ask with the i-th
//! bid. What their frames look like stands in the file of each.

use super::Decoded;
use super::levels::{UnitKeys, read_units};
use super::tickers::TickerLayout;
use crate::book;
use crate::decimal::Rate;
use crate::event_time::EventTime;
use crate::json::{self, Token, wire_struct};
use crate::outcome::Reason;
use crate::rules::Limits;
use crate::ticker::{Columns, Numbers, Ticker, rate_of};

wire_struct! {
    /// A ticker, an order book or an answer of the socket.
    Frame {
        kind: "type",
        status: "status",
        error: "error",
        resmsg: "resmsg",
        data: "data",
        result: "result",
        timestamp: "timestamp",
        opening_price: "opening_price",
        trade_price: "trade_price",
        high_price: "high_price",
        low_price: "low_price",
        prev_closing_price: "prev_closing_price",
        acc_trade_volume_24h: "acc_trade_volume_24h",
        signed_change_price: "signed_change_price",
        signed_change_rate: "signed_change_rate",
        orderbook_units: "orderbook_units",
    }
}

const UNIT_KEYS: UnitKeys = ["ask_price", "ask_size", "bid_price", "bid_size"];

/// Tickers of both.
pub(super) struct Layout;

impl TickerLayout for Layout {
    type Frame<'a> = Frame<'a>;

    fn is_control(frame: &Frame<'_>) -> bool {
        is_control(frame)
    }

    fn columns<'w>(frame: &'w Frame<'_>) -> Columns<'w> {
        Columns {
            opening: &frame.opening_price,
            trade: &frame.trade_price,
            max: &frame.high_price,
            min: &frame.low_price,
            prev_closing: &frame.prev_closing_price,
            volume: &frame.acc_trade_volume_24h,
            change: &frame.signed_change_price,
            rate: &frame.signed_change_rate,
        }
    }

    fn containers<'w>(frame: &'w Frame<'_>) -> [&'w Token<'w>; 2] {
        [&frame.data, &frame.result]
    }

    fn time(frame: &Frame<'_>, _inner: &Frame<'_>, chars_max: usize) -> Option<EventTime> {
        EventTime::of_number(&frame.timestamp, chars_max)
    }

    fn ticker(numbers: Numbers) -> Ticker {
        let change = numbers.change.or_else(|| numbers.change_from(numbers.prev_closing));
        let rate = numbers.rate.and_then(Rate::fraction).or_else(|| rate_of(change, numbers.prev_closing));
        numbers.with_change(change, rate)
    }
}

/// Reads a whole book.
pub(super) fn read_book(text: &str, limits: &Limits, book: &mut book::Frame) -> Result<Decoded<()>, Reason> {
    let frame: Frame<'_> = json::walk(text, limits.depth)?;
    if is_control(&frame) {
        return Ok(Decoded::Control);
    }
    read_units(&frame.orderbook_units, &UNIT_KEYS, limits, book)?;
    book.time = EventTime::of_number(&frame.timestamp, limits.number_chars);
    Ok(Decoded::Data(()))
}

fn is_control(frame: &Frame<'_>) -> bool {
    !frame.kind.is_there() && [&frame.status, &frame.error, &frame.resmsg].into_iter().any(Token::is_there)
}
