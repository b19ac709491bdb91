//! Array output: puts the records of one lane into JSON arrays (contract, section 8).
//!
//! Where an array ends is the only thing in the output that depends on time, so time comes from the caller: microseconds since any
//! start. A record that waits here is not written: nothing beyond [`Stacker::held`] may be committed.

use crate::batch::{BOOK_STATE, Batch, Destination, Message, Place};
use crate::checkpoint::Checkpoint;

const SECOND_US: u64 = 1_000_000;
/// More records than this a second, and the longest that an array then waits. The fastest comes first.
const PACES: [(usize, u64); 2] = [(10, SECOND_US), (5, 2 * SECOND_US)];
/// As many times as it takes to see the fastest pace.
const ARRIVALS: usize = PACES[0].0 + 1;

/// When an array is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrayRules {
    /// At this many records; at least 1.
    pub max: usize,
    /// When the last record was added this many microseconds ago.
    pub timeout_us: u64,
    /// Whether it waits no longer than 1 s while more than 10 records a second arrive, and 2 s while more than 5 do. What arrives is
    /// counted over the second that ends with the last record, in this array and before.
    pub adaptive: bool,
}

/// The array being filled; empty when `count` is 0. `value` lacks the closing bracket.
#[derive(Debug)]
struct Open {
    count: usize,
    key: Vec<u8>,
    value: Vec<u8>,
    /// Of its first record.
    place: Place,
    /// Before the envelope of its first record.
    before: Checkpoint,
    /// Of its last record.
    timestamp_ms: i64,
    is_unverified: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Stacker {
    rules: ArrayRules,
    open: Open,
    /// When the last records came, in a ring: the next one takes the place at `arrived`.
    arrivals: [Option<u64>; ARRIVALS],
    arrived: usize,
}

impl Stacker {
    /// A stacker with nothing in it.
    #[must_use]
    pub const fn new(rules: ArrayRules) -> Self {
        let open = Open {
            count: 0,
            key: Vec::new(),
            value: Vec::new(),
            place: Place { offset: 0, frame: None },
            before: Checkpoint::without_books(0),
            timestamp_ms: 0,
            is_unverified: false,
        };
        Self { rules, open, arrivals: [None; ARRIVALS], arrived: 0 }
    }

    /// Takes what came of one envelope at `now_us`. Records are stacked, and arrays that are complete are written to `into`; everything
    /// else is written at once. `before` is the lane's checkpoint before the envelope.
    pub fn stack(&mut self, from: &Batch, before: &Checkpoint, now_us: u64, into: &mut Batch) {
        self.flush_due(now_us, into);
        for message in from.messages() {
            match message.destination {
                Destination::Output => self.add(&message, before, now_us, into),
                Destination::DeadLetter | Destination::Resync => into.copy(&message),
            }
        }
    }

    /// Writes the open array to `into`, if it is due.
    pub fn flush_due(&mut self, now_us: u64, into: &mut Batch) {
        if self.due_us().is_some_and(|due_us| now_us >= due_us) {
            self.flush(into);
        }
    }

    /// Writes the open array to `into`, if there is one.
    pub fn flush(&mut self, into: &mut Batch) {
        let open = &mut self.open;
        if open.count == 0 {
            return;
        }
        let mut array = into.begin(Destination::Output, open.place, open.timestamp_ms);
        array.key(|out| out.extend_from_slice(&open.key));
        array.value(|out| {
            out.extend_from_slice(&open.value);
            out.push(b']');
        });
        if open.is_unverified {
            array.header(BOOK_STATE, |out| out.extend_from_slice(b"unverified"));
        }
        array.finish();
        open.count = 0;
    }

    /// Drops the open array: its envelopes will be read again.
    pub const fn clear(&mut self) {
        self.open.count = 0;
    }

    /// When the open array is due, if there is one and no further record comes.
    #[must_use]
    pub fn due_us(&self) -> Option<u64> {
        let last_us = self.arrival(1).filter(|_| self.open.count > 0)?;
        Some(last_us.saturating_add(self.timeout_us(last_us)))
    }

    /// The checkpoint before the first envelope of which a record waits here; `None` if none does.
    #[must_use]
    pub fn held(&self) -> Option<Checkpoint> {
        (self.open.count > 0).then_some(self.open.before)
    }

    fn add(&mut self, record: &Message<'_>, before: &Checkpoint, now_us: u64, into: &mut Batch) {
        let open = &mut self.open;
        if open.count == 0 {
            open.key.clear();
            open.key.extend_from_slice(record.key.unwrap_or_default());
            open.value.clear();
            (open.place, open.before, open.is_unverified) = (record.place, *before, false);
        }
        open.value.push(if open.count == 0 { b'[' } else { b',' });
        open.value.extend_from_slice(record.value.unwrap_or_default());
        open.timestamp_ms = record.timestamp_ms;
        open.is_unverified |= record.headers().any(|(name, _)| name == BOOK_STATE);
        open.count += 1;
        self.arrivals[self.arrived] = Some(now_us);
        self.arrived = (self.arrived + 1) % ARRIVALS;
        if self.open.count >= self.rules.max {
            self.flush(into);
        }
    }

    /// How long the array waits for another record after the last one, which came at `last_us`.
    fn timeout_us(&self, last_us: u64) -> u64 {
        let is_kept = |&&(records, _): &&(usize, u64)| self.arrival(records + 1).is_some_and(|first_us| last_us.saturating_sub(first_us) < SECOND_US);
        let pace = PACES.iter().find(is_kept).filter(|_| self.rules.adaptive);
        pace.map_or(self.rules.timeout_us, |&(_, longest_us)| self.rules.timeout_us.min(longest_us))
    }

    /// When the last record but `back - 1` came; `back` in `1..=ARRIVALS`.
    const fn arrival(&self, back: usize) -> Option<u64> {
        self.arrivals[(self.arrived + ARRIVALS - back) % ARRIVALS]
    }
}

#[cfg(test)]
mod tests;
