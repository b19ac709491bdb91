//! Counts of letters by topic, exchange and reason, and how old they are.

use std::collections::BTreeMap;

use super::letter::Letter;
use crate::market::{Exchange, Stream};
use crate::outcome::Reason;

/// What letters are counted by; `None` where their headers do not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Whose dead-letter topic it is.
    pub stream: Stream,
    /// Whose frames.
    pub exchange: Option<Exchange>,
    /// Why.
    pub reason: Option<Reason>,
}

/// The letters of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// How many there are.
    pub count: u64,
    /// How many of them were replayed.
    pub replayed: u64,
    /// The lowest timestamp: that of the oldest input record.
    pub oldest_ms: i64,
    /// The highest timestamp.
    pub newest_ms: i64,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<Group, Total>);

impl Tally {
    /// Counts a letter.
    pub fn add(&mut self, stream: Stream, letter: &Letter<'_>, is_replayed: bool) {
        let at = letter.record.timestamp_ms;
        let group = Group { stream, exchange: letter.exchange, reason: letter.reason };
        let total = self.0.entry(group).or_insert(Total { count: 0, replayed: 0, oldest_ms: at, newest_ms: at });
        total.count += 1;
        total.replayed += u64::from(is_replayed);
        total.oldest_ms = total.oldest_ms.min(at);
        total.newest_ms = total.newest_ms.max(at);
    }

    /// The groups, by stream, exchange and reason.
    pub fn iter(&self) -> impl Iterator<Item = (&Group, &Total)> {
        self.0.iter()
    }

    /// How many letters there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.values().map(|total| total.count).sum()
    }
}
