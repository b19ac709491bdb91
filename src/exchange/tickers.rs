//! What the nine exchanges' tickers have in common: where their columns are looked for, and in which order
//! (contract, sections 4, 5 and 9).

use serde::Deserialize;

use super::{Decoded, part};
use crate::event_time::EventTime;
use crate::json::{self, Token, Wire};
use crate::outcome::Reason;
use crate::rules::Limits;
use crate::ticker::{Columns, Numbers, Ticker};

/// How one exchange lays out its tickers.
pub(super) trait TickerLayout {
    /// The keys that are read, at the top level and inside `data` or `result`.
    type Frame<'a>: Deserialize<'a> + Wire<'a>;

    /// Whether the frame is known noise.
    fn is_control(frame: &Self::Frame<'_>) -> bool;

    /// The columns of the table in section 4.
    fn columns<'w>(frame: &'w Self::Frame<'_>) -> Columns<'w>;

    /// Where the columns are looked for if the frame itself has none: `data`, then `result`.
    fn containers<'w>(frame: &'w Self::Frame<'_>) -> [&'w Token<'w>; 2];

    /// The event time; `inner` is the object that has the columns, which may be `frame` itself.
    fn time(frame: &Self::Frame<'_>, inner: &Self::Frame<'_>, chars_max: usize) -> Option<EventTime>;

    /// The figures of the record.
    fn ticker(numbers: Numbers) -> Ticker;
}

/// A ticker and its event time, `None` where the frame tells none.
pub type TimedTicker = (Ticker, Option<EventTime>);

/// Reads a ticker frame of the exchange `L`.
///
/// # Errors
/// [`Reason::Json`], [`Reason::Depth`], [`Reason::Shape`], [`Reason::Number`] or [`Reason::Missing`].
pub(super) fn read<L: TickerLayout>(text: &str, limits: &Limits) -> Result<Decoded<TimedTicker>, Reason> {
    of_frame::<L>(&json::read(text, limits.depth)?, limits)
}

/// Reads a ticker frame as it stands in its envelope, if it is a flat one: as [`read`] does, but half again as fast. `None` where it is not, or no ticker.
pub(super) fn scan<L: TickerLayout>(text: &[u8], is_escaped: bool, limits: &Limits) -> Option<TimedTicker> {
    match of_frame::<L>(&json::flat(text, is_escaped)?, limits) {
        Ok(Decoded::Data(ticker)) => Some(ticker),
        Ok(Decoded::Control) | Err(_) => None,
    }
}

fn of_frame<L: TickerLayout>(frame: &L::Frame<'_>, limits: &Limits) -> Result<Decoded<TimedTicker>, Reason> {
    if L::is_control(frame) {
        return Ok(Decoded::Control);
    }
    if L::columns(frame).any() {
        return read_columns::<L>(frame, frame, limits);
    }
    for container in L::containers(frame) {
        let inner: L::Frame<'_> = part(container)?;
        if L::columns(&inner).any() {
            return read_columns::<L>(frame, &inner, limits);
        }
    }
    Err(Reason::Shape)
}

fn read_columns<L: TickerLayout>(frame: &L::Frame<'_>, inner: &L::Frame<'_>, limits: &Limits) -> Result<Decoded<TimedTicker>, Reason> {
    let numbers = L::columns(inner).read(limits.number_chars)?;
    Ok(Decoded::Data((L::ticker(numbers), L::time(frame, inner, limits.number_chars))))
}
