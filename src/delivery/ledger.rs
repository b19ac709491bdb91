//! What a lane has written in its last transactions, so that it can be told what has become of them.
//!
//! That a transaction is committed is known from the answer to the call. Whether its records stay is not: a broker that is killed between that answer and the
//! marks that make them visible may never write the marks (see [`crate::kafka::Outputs`]), and whatever ends the next transaction then ends this one as well.
//! So a lane that takes over anew looks at the logs themselves, and begins again behind the last transaction whose records are there.

use crate::checkpoint::Checkpoint;

/// A record that was written in a transaction: the last one that it has in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The log's topic.
    pub topic: String,
    /// The log's partition.
    pub partition: i32,
    /// Where the record is in it.
    pub offset: i64,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// What is committed as far as is known.
    known: Checkpoint,
    /// What was, before the last transaction.
    before: Checkpoint,
    /// Of the last transaction, until they are known to stay.
    last: Vec<Written>,
    /// What the open transaction will have committed, once it was offered.
    offered: Option<Checkpoint>,
    /// Of the open transaction.
    open: Vec<Written>,
}

impl Ledger {
    /// A lane that begins at what is committed.
    #[must_use]
    pub const fn new(known: Checkpoint) -> Self {
        Self { known, before: known, last: Vec::new(), offered: None, open: Vec::new() }
    }

    /// What is committed as far as is known.
    #[must_use]
    pub const fn known(&self) -> Checkpoint {
        self.known
    }

    /// Whether there are records of a committed transaction that may still go, should a broker have died.
    #[must_use]
    pub const fn has_unsettled(&self) -> bool {
        !self.last.is_empty()
    }

    /// Notes a record of the open transaction.
    pub fn wrote(&mut self, topic: &str, partition: i32, offset: i64) {
        match self.open.iter_mut().find(|written| written.partition == partition && written.topic == topic) {
            Some(written) => written.offset = offset,
            None => self.open.push(Written { topic: topic.to_owned(), partition, offset }),
        }
    }

    /// Notes that the open transaction was offered for a commit.
    pub const fn offer(&mut self, checkpoint: Checkpoint) {
        self.offered = Some(checkpoint);
    }

    /// Notes that the open transaction is committed.
    pub fn commit(&mut self, checkpoint: Checkpoint) {
        (self.before, self.known, self.offered) = (self.known, checkpoint, None);
        // A transaction begins only once the one before it is marked everywhere.
        self.last = std::mem::take(&mut self.open);
    }

    /// Notes that the open transaction is aborted.
    pub fn abort(&mut self) {
        self.offered = None;
        self.open.clear();
    }

    /// Notes where the lane begins again, found out by the logs: everything before that stays.
    pub fn begin_again(&mut self, at: Checkpoint) {
        *self = Self::new(at);
    }

    /// The logs of the last transactions.
    pub fn logs(&self) -> impl Iterator<Item = (&str, i32)> {
        self.last.iter().chain(&self.open).map(|written| (written.topic.as_str(), written.partition))
    }

    /// Where the lane begins again: behind the last transaction whose records stay. `shown` is what its group has as committed: it counts where it is beyond
    /// everything that was ever offered, as when a tool has moved it; and for a transaction without records, of which nothing else can tell. `stays` says
    /// whether a record does.
    ///
    /// # Errors
    /// Those of `stays`.
    pub fn find<E>(&self, shown: Option<Checkpoint>, mut stays: impl FnMut(&Written) -> Result<bool, E>) -> Result<Checkpoint, E> {
        let mut all_stay = |records: &[Written]| -> Result<bool, E> {
            for record in records {
                if !stays(record)? {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        let newest = self.offered.map_or(self.known.offset, |offered| offered.offset.max(self.known.offset));
        let is_shown = |checkpoint: Checkpoint| shown.filter(|shown| shown.offset == checkpoint.offset);
        if let Some(shown) = shown.filter(|shown| shown.offset > newest) {
            return Ok(shown);
        }
        if let Some(offered) = self.offered {
            let is_done = if self.open.is_empty() { is_shown(offered).is_some() } else { all_stay(&self.open)? };
            if is_done {
                return Ok(is_shown(offered).unwrap_or(offered));
            }
        }
        let at = if all_stay(&self.last)? { self.known } else { self.before };
        Ok(is_shown(at).unwrap_or(at))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const START: Checkpoint = Checkpoint::without_books(3);
    const FIRST: Checkpoint = Checkpoint::without_books(5);
    const SECOND: Checkpoint = Checkpoint::without_books(9);

    /// A lane that has committed from 3 to 5, with a record at 50, and has offered what is up to 9, with records at 60 and in another log at 7.
    fn ledger() -> Ledger {
        let mut ledger = Ledger::new(START);
        ledger.wrote("out", 0, 49);
        ledger.wrote("out", 0, 50);
        ledger.commit(FIRST);
        ledger.wrote("letters", 0, 7);
        ledger.wrote("out", 0, 60);
        ledger.offer(SECOND);
        ledger
    }

    fn found(ledger: &Ledger, shown: Option<Checkpoint>, gone: &[i64]) -> Checkpoint {
        let stays = |written: &Written| Ok::<_, Infallible>(!gone.contains(&written.offset));
        ledger.find(shown, stays).unwrap_or(START)
    }

    #[test]
    fn a_lane_begins_again_behind_the_last_transaction_whose_records_stay() {
        let ledger = ledger();
        for shown in [None, Some(START), Some(FIRST), Some(SECOND)] {
            assert_eq!(found(&ledger, shown, &[]), SECOND, "{shown:?}");
            assert_eq!(found(&ledger, shown, &[60]), FIRST, "{shown:?}");
            assert_eq!(found(&ledger, shown, &[7]), FIRST, "{shown:?}: not all of it stays");
            assert_eq!(found(&ledger, shown, &[50, 60]), START, "{shown:?}");
        }
        assert_eq!(ledger.logs().collect::<Vec<_>>(), [("out", 0), ("letters", 0), ("out", 0)]);
    }

    #[test]
    fn what_a_group_shows_counts_beyond_what_was_offered() {
        let moved = Checkpoint::without_books(20);
        assert_eq!(found(&ledger(), Some(moved), &[50, 60]), moved);
        let with_books = Checkpoint { deep: true, ..SECOND };
        assert_eq!(found(&ledger(), Some(with_books), &[]), with_books, "what stands beside the offset is the brokers'");
    }

    #[test]
    fn of_a_transaction_without_records_the_group_tells() {
        let mut ledger = Ledger::new(START);
        ledger.commit(FIRST);
        ledger.offer(SECOND);
        assert_eq!(found(&ledger, Some(SECOND), &[]), SECOND);
        assert_eq!(found(&ledger, Some(FIRST), &[]), FIRST);
        assert_eq!(found(&ledger, None, &[]), FIRST);
    }

    #[test]
    fn what_was_looked_at_once_is_settled() {
        let mut ledger = ledger();
        assert!(ledger.has_unsettled());
        ledger.abort();
        assert_eq!((found(&ledger, None, &[60]), found(&ledger, None, &[50]), ledger.has_unsettled()), (FIRST, START, true));
        ledger.begin_again(FIRST);
        assert_eq!((ledger.known(), ledger.has_unsettled(), ledger.logs().count()), (FIRST, false, 0));
        assert_eq!(found(&ledger, None, &[50, 60]), FIRST);
    }
}
