//! The tables: which keys an exchange's frames have, in which order, and what is done with the value of each.

use super::literal::Fixed;
use crate::book::{Action, Frame};
use crate::event_time::EventTime;

/// One way in which an exchange lays its order books out.
pub(in crate::exchange) struct Layout {
    /// The members of the frame.
    pub(in crate::exchange) members: &'static [Member],
    /// Says in the frame what it does to the book. False where the general reader must have a look.
    pub(in crate::exchange) finish: fn(&Found<'_>, &mut Frame) -> bool,
}

/// A member of an object. Members come in the order of their table; any of them may be missing.
pub(in crate::exchange) struct Member {
    pub(super) key: Fixed,
    pub(super) value: Value,
}

/// A row of a table.
pub(in crate::exchange) const fn member(key: &'static str, value: Value) -> Member {
    Member { key: Fixed::key(key), value }
}

/// This string.
pub(in crate::exchange) const fn word(text: &str) -> Value {
    Value::Word(Fixed::string(text))
}

/// `"snapshot"`, or this string, which is what the exchange calls a delta.
pub(in crate::exchange) const fn action(delta: &str) -> Value {
    Value::Action(Fixed::string(delta))
}

/// What stands behind a key, and what is done with it.
pub(in crate::exchange) enum Value {
    /// Any string; not read.
    Text,
    /// Any bare number; not read.
    Number,
    /// `true`; not read.
    True,
    /// See [`word`].
    Word(Fixed),
    /// See [`action`].
    Action(Fixed),
    /// What is traded.
    Instrument,
    /// A whole number, bare or quoted: the event time, if no time of a smaller place is there.
    Time(usize),
    /// RFC 3339 text: the event time.
    Clock,
    /// A bare 64-bit integer: the frame's own sequence id.
    Id,
    /// As [`Value::Id`]: the id of the frame before it.
    Previous,
    /// As [`Value::Id`]: a checksum.
    Checksum,
    /// A list of bids.
    Bids(Shape),
    /// A list of asks.
    Asks(Shape),
    /// A list of units, each a bid and an ask.
    Units,
    /// An object.
    Object(&'static [Member]),
    /// An object as the only element of a list.
    Only(&'static [Member]),
}

/// How a level is written.
#[derive(Clone, Copy)]
pub(in crate::exchange) enum Shape {
    /// `["1782.00000000","6.48300000"]`
    Pair,
    /// `["78853.3","0.00002056","0","2"]`, numbers in the shortest form: OKX's.
    Orders,
    /// `{"price":"116506000","qty":"0.27522"}`
    Quoted,
    /// `{"price":63006.4,"qty":0.00005100}`
    Bare,
}

/// What was found beside the levels.
#[derive(Default)]
pub(in crate::exchange) struct Found<'t> {
    pub(in crate::exchange) action: Option<Action>,
    pub(in crate::exchange) id: Option<i64>,
    pub(in crate::exchange) previous: Option<i64>,
    pub(in crate::exchange) checksum: Option<i64>,
    pub(super) times: [Option<EventTime>; 3],
    pub(super) instrument: Option<&'t [u8]>,
    pub(super) bids: bool,
    pub(super) asks: bool,
}

/// The end of every whole book.
pub(in crate::exchange) const fn whole(_found: &Found<'_>, frame: &mut Frame) -> bool {
    frame.action = Action::Whole;
    true
}
