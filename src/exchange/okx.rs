//! OKX: times as strings, no change on the wire; snapshots of 400 levels and deltas linked by `prevSeqId`.
//! <https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel>

use super::levels::{self, read_sides};
use super::tickers::TickerLayout;
use super::{ABSENT, Decoded, instrument, integer, part};
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

    fn time(frame: &Frame<'_>, inner: &Frame<'_>, chars_max: usize) -> Option<EventTime> {
        EventTime::of_number(&inner.ts, chars_max).or_else(|| EventTime::of_number(&frame.ts, chars_max))
    }

    fn ticker(numbers: Numbers) -> Ticker {
        let change = numbers.change_from(numbers.opening);
        numbers.with_change(change, rate_of(change, numbers.opening))
    }
}

/// Reads a snapshot or an update.
pub(super) fn read_book(text: &str, limits: &Limits, book: &mut book::Frame) -> Result<Decoded<()>, Reason> {
    let frame: Frame<'_> = json::read(text, limits.depth)?;
    if frame.event.is_there() {
        return Ok(Decoded::Control);
    }
    let data: Frame<'_> = part(&frame.data)?;
    let arg: Arg<'_> = part(&frame.arg)?;
    read_sides(&data.bids, &data.asks, levels::Layout::PairAsSpelled, limits, book)?;
    book.action = match frame.action.text() {
        Some(b"snapshot") => Action::Snapshot,
        Some(b"update") => Action::Delta,
        _ => return Err(Reason::Shape),
    };
    book.sequence = Sequence::Linked { id: integer(&data.seq_id, limits.number_chars)?, previous: integer(&data.prev_seq_id, limits.number_chars)? };
    // 0 says nothing: every frame since June 2026 has it.
    book.checksum = integer(&data.checksum, limits.number_chars)?.filter(|&checksum| checksum != 0).map(Checksum::Okx);
    if book.action == Action::Delta && book.bids.is_empty() && book.asks.is_empty() && book.sequence.is_heartbeat() {
        return Ok(Decoded::Control);
    }
    book.time = EventTime::of_number(&data.ts, limits.number_chars);
    book.instrument = instrument(&arg.inst_id);
    Ok(Decoded::Data(()))
}
