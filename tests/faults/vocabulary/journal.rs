//! What a `read_committed` reader has seen of one output or dead-letter partition: numbers in order, and everything that was not as it must be.

use std::{collections::BTreeMap, ops::Range};

use super::flow::{FRAMES, Flow, Outcome, index_in, number, number_in};
use crate::support::{Message, shown};

/// Whether a partition holds records or dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Records,
    Letters,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Journal {
    pub flow: Flow,
    pub role: Role,
    /// Numbers that were taken from the input before the hub could read them.
    pub gone: Vec<Range<u64>>,
    /// The greatest number so far.
    pub head: u64,
    /// Offset and number of every message, in order of the offsets.
    pub seen: Vec<(i64, u64)>,
    /// Messages that say something else than what their number must become; the first few.
    pub changed: Vec<String>,
    /// Messages that come from no frame.
    pub phantom: Vec<String>,
}

/// How many strange messages are kept for the report.
const KEPT: usize = 5;

impl Journal {
    pub const fn new(flow: Flow, role: Role) -> Self {
        Self { flow, role, gone: Vec::new(), head: 0, seen: Vec::new(), changed: Vec::new(), phantom: Vec::new() }
    }

    /// Takes the next message of the partition.
    pub fn take(&mut self, message: &Message) {
        let found = match self.role {
            Role::Records => number_in(message.value.as_deref().unwrap_or_default()),
            Role::Letters => number_of_letter(message),
        };
        let offset = message.offset.expect("a message that was read has an offset");
        let Some(number) = found.filter(|number| *number > 0) else {
            keep(&mut self.phantom, || format!("{message:?}"));
            return;
        };
        self.seen.push((offset, number));
        self.head = self.head.max(number);
        let (flow, role) = (self.flow, self.role);
        match (flow.outcome(number), role) {
            (Outcome::Record, Role::Records) => {
                let expected = flow.record(number);
                if (&message.key, &message.value, message.timestamp_ms, message.headers.len()) != (&expected.key, &expected.value, expected.timestamp_ms, 0) {
                    keep(&mut self.changed, || format!("{message:?} instead of {}", shown(expected.value.as_deref())));
                }
            }
            (Outcome::Letter(poison), Role::Letters) => {
                let key = Flow::input_key(number);
                if (message.key.as_ref(), &message.value, message.header("hub.reason")) != (Some(&key), &poison.letter(), Some(poison.reason)) {
                    keep(&mut self.changed, || format!("{}, which must be {}: {message:?}", poison.name, poison.reason));
                }
            }
            _ => keep(&mut self.phantom, || format!("{message:?}")),
        }
    }

    /// The greatest number among the messages before this offset.
    pub fn greatest_before(&self, offset: i64) -> u64 {
        self.seen[..self.index_of(offset)].iter().map(|(_, number)| *number).max().unwrap_or(0)
    }

    /// The smallest number among the messages from this offset on.
    pub fn smallest_from(&self, offset: i64) -> Option<u64> {
        self.seen[self.index_of(offset)..].iter().map(|(_, number)| *number).min()
    }

    fn index_of(&self, offset: i64) -> usize {
        self.seen.partition_point(|(seen, _)| *seen < offset)
    }

    /// How often each number must be here once these envelopes are done.
    pub fn expected(&self, envelopes: &[u64]) -> BTreeMap<u64, u32> {
        let mut expected = BTreeMap::new();
        let numbers = envelopes.iter().flat_map(|index| number(*index, 0)..number(index + 1, 0));
        for number in numbers.filter(|number| self.holds(*number)) {
            *expected.entry(number).or_insert(0) += 1;
        }
        expected
    }

    /// Whether the frame of this number belongs here.
    pub fn holds(&self, number: u64) -> bool {
        !self.gone.iter().any(|gone| gone.contains(&number))
            && matches!((self.flow.outcome(number), self.role), (Outcome::Record, Role::Records) | (Outcome::Letter(_), Role::Letters))
    }

    /// The first number after this one that belongs here.
    pub fn next(&self, after: u64) -> u64 {
        (after + 1..).find(|number| self.holds(*number)).expect("numbers go on")
    }
}

/// The number of the frame that a dead letter comes from, by the envelope's key, which it keeps; of the first frame where it is an envelope.
fn number_of_letter(message: &Message) -> Option<u64> {
    let index = index_in(message.key.as_deref()?)?;
    let offset: u64 = message.header("__connect.errors.offset")?.parse().ok()?;
    let position = message.header("hub.frame").map_or(Some(0), |frame| frame.parse().ok())?;
    // Envelopes have their index for an offset, or a later one where a producer has sent one of them twice.
    (offset >= index && position < FRAMES).then(|| number(index, position))
}

fn keep(kept: &mut Vec<String>, what: impl FnOnce() -> String) {
    if kept.len() < KEPT {
        kept.push(what());
    }
}
