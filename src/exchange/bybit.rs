//! Bybit (v5, spot): times outside `data`; snapshots of 50 levels and deltas counted by `u`.
//! <https://bybit-exchange.github.io/docs/v5/websocket/public/ticker>, <https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook>

use super::levels::{self, read_sides};
use super::tickers::TickerLayout;
use super::{ABSENT, Decoded, instrument, integer, part};
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
    let frame: Frame<'_> = json::read(text, limits.depth)?;
    if is_control(&frame) {
        return Ok(Decoded::Control);
    }
    let data: Book<'_> = part(&frame.data)?;
    read_sides(&data.bids, &data.asks, levels::Layout::Pair, limits, book)?;
    let update = integer(&data.update, limits.number_chars)?;
    book.action = match frame.kind.text() {
        _ if update == Some(1) => Action::Snapshot,
        Some(b"snapshot") => Action::Snapshot,
        Some(b"delta") => Action::Delta,
        _ => return Err(Reason::Shape),
    };
    book.sequence = Sequence::Counted(update);
    book.time = EventTime::of_number(&frame.cts, limits.number_chars).or_else(|| EventTime::of_number(&frame.ts, limits.number_chars));
    book.instrument = instrument(&data.symbol);
    Ok(Decoded::Data(()))
}

fn is_control(frame: &Frame<'_>) -> bool {
    !frame.topic.is_there() && [&frame.op, &frame.success, &frame.ret_msg].into_iter().any(Token::is_there)
}
