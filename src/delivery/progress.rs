//! How far a lane is, and what it does with the next input record.
//!
//! A lane begins at a checkpoint. If books rest on what lies before it, that is read again first, with nothing written: the
//! lane is *restoring*. Then it is live. A rewind, after something could not be delivered, is the same beginning once more.

use super::watermark::{Ticket, Watermark};
use crate::checkpoint::Checkpoint;

/// What to do with an input record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It was taken already, or the lane has halted.
    Ignore,
    /// The books take it; what comes of it is thrown away, for it was delivered before.
    Restore,
    /// Process it.
    Process,
}

/// A rebuild of books from the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restore {
    /// The first offset that is read again.
    pub from: i64,
    /// Where the lane goes live, with the books that it should then have.
    pub target: Checkpoint,
}

/// See the module. `watermark.sent() <= position`, unless books are rebuilt.
#[derive(Clone, Debug)]
pub struct Progress {
    watermark: Watermark,
    /// The offset of the next record that is wanted.
    position: i64,
    /// How often the lane has begun again after it had handed something over.
    epoch: u32,
    /// Whether it has handed something over in this epoch.
    has_handed_over: bool,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Restoring(Restore),
    Live,
    Halted,
}

impl Progress {
    /// A lane that begins at `checkpoint`. Its log begins at `log_start`; at most `envelopes_max` are read again.
    #[must_use]
    pub fn starting_at(checkpoint: Checkpoint, log_start: i64, envelopes_max: u64) -> Self {
        let mut progress =
            Self { watermark: Watermark::starting_at(checkpoint), position: checkpoint.offset, epoch: 0, has_handed_over: false, phase: Phase::Live };
        progress.begin(checkpoint, log_start, envelopes_max);
        progress
    }

    /// Begins again at `checkpoint`: what is under way counts no more. Bounds as in [`Progress::starting_at`].
    ///
    /// The epoch changes only where there is something that it must be told from. Whoever sends batches counts the rewinds that it asks for, and knows
    /// of no other: not of one in the middle of a rebuild, when the log has lost what was to be read again.
    pub fn rewind(&mut self, checkpoint: Checkpoint, log_start: i64, envelopes_max: u64) {
        self.watermark.rewind(checkpoint);
        if std::mem::take(&mut self.has_handed_over) {
            self.epoch = self.epoch.wrapping_add(1);
        }
        self.begin(checkpoint, log_start, envelopes_max);
    }

    /// Begins elsewhere, at a place in the log that does not follow from what was delivered. Nothing is under way: whoever sends
    /// batches need not know.
    pub fn jump(&mut self, checkpoint: Checkpoint) {
        debug_assert!(self.watermark.is_settled(), "nothing is under way");
        self.watermark.rewind(checkpoint);
        (self.position, self.phase) = (checkpoint.offset, Phase::Live);
    }

    fn begin(&mut self, checkpoint: Checkpoint, log_start: i64, envelopes_max: u64) {
        (self.position, self.phase) = (checkpoint.offset, Phase::Live);
        if let Some(books) = checkpoint.books {
            let earliest = log_start.max(checkpoint.offset.saturating_sub_unsigned(envelopes_max));
            let from = books.from.max(earliest).min(checkpoint.offset);
            self.position = from;
            self.phase = Phase::Restoring(Restore { from, target: checkpoint });
        }
    }

    /// Takes no more records until it is rewound. What is under way may still be acknowledged and committed.
    pub const fn halt(&mut self) {
        self.phase = Phase::Halted;
    }

    /// Whether it takes records.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        self.phase == Phase::Halted
    }

    /// Says what to do with the record at `offset`, which counts as taken.
    pub fn step(&mut self, offset: i64) -> Step {
        if offset < self.position || self.is_halted() {
            return Step::Ignore;
        }
        self.position = offset.saturating_add(1);
        match self.phase {
            Phase::Restoring(restore) if offset < restore.target.offset => Step::Restore,
            _ => Step::Process,
        }
    }

    /// The rebuild that is over when the next record is that at `next_offset` or later; the lane is live then. Ask before
    /// [`Progress::step`] and after it: the last record before the checkpoint need not be in the log.
    pub fn finish_restore(&mut self, next_offset: i64) -> Option<Restore> {
        match self.phase {
            Phase::Restoring(restore) if next_offset >= restore.target.offset => {
                self.position = self.position.max(restore.target.offset);
                self.phase = Phase::Live;
                Some(restore)
            }
            _ => None,
        }
    }

    /// The rebuild that is under way.
    #[must_use]
    pub const fn restoring(&self) -> Option<Restore> {
        match self.phase {
            Phase::Restoring(restore) => Some(restore),
            Phase::Live | Phase::Halted => None,
        }
    }

    /// Notes a batch, which completes what lies below `next.offset`.
    pub fn hand_over(&mut self, next: Checkpoint) -> Ticket {
        debug_assert!(next.offset <= self.position, "sent <= polled");
        self.has_handed_over = true;
        self.watermark.send(next)
    }

    /// Notes that a batch is acknowledged; one from before a rewind changes nothing.
    pub fn acknowledge(&mut self, ticket: Ticket) {
        self.watermark.acknowledge(ticket);
    }

    /// What to commit, if it is not committed yet.
    #[must_use]
    pub fn to_commit(&self) -> Option<Checkpoint> {
        self.watermark.to_commit()
    }

    /// Notes what the brokers hold as committed.
    pub fn commit(&mut self, checkpoint: Checkpoint) {
        self.watermark.commit(checkpoint);
    }

    /// How far acknowledgements and commits are.
    #[must_use]
    pub const fn watermark(&self) -> &Watermark {
        &self.watermark
    }

    /// The offset of the next record that is wanted.
    #[must_use]
    pub const fn position(&self) -> i64 {
        self.position
    }

    /// How often the lane has begun again after it had handed something over; a batch of another epoch is not wanted any more.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// How many offsets are processed but not committed.
    #[must_use]
    pub fn uncommitted(&self) -> i64 {
        // While books are rebuilt, nothing new was processed.
        (self.position - self.watermark.committed().offset).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::BooksMark;

    const fn with_books(offset: i64, from: i64) -> Checkpoint {
        Checkpoint { offset, books: Some(BooksMark { from, count: 1, digest: 7 }), deep: false }
    }

    #[test]
    fn books_are_rebuilt_before_the_first_record() {
        let mut progress = Progress::starting_at(with_books(10, 7), 0, 100);
        assert_eq!(progress.position(), 7);
        assert_eq!((progress.step(7), progress.step(7)), (Step::Restore, Step::Ignore));
        assert_eq!(progress.finish_restore(8), None);
        // Offset 8 is not in the log, and 9 is the mark of a transaction.
        let restore = progress.finish_restore(11).expect("the rebuild is over");
        assert_eq!((restore.from, restore.target.offset), (7, 10));
        assert_eq!((progress.step(9), progress.step(11), progress.uncommitted()), (Step::Ignore, Step::Process, 2));
    }

    #[test]
    fn what_is_gone_or_too_far_back_is_not_waited_for() {
        for (log_start, envelopes_max, from) in [(8, 100, 8), (0, 1, 9), (12, 100, 10), (0, 0, 10), (7, 3, 7)] {
            let restore = Progress::starting_at(with_books(10, 7), log_start, envelopes_max).restoring().expect("a rebuild");
            assert_eq!(restore.from, from, "log from {log_start}, at most {envelopes_max}");
        }
        assert_eq!(Progress::starting_at(Checkpoint::without_books(10), 0, 100).restoring(), None);
    }

    #[test]
    fn a_rebuild_that_begins_again_is_of_the_same_epoch() {
        let mut progress = Progress::starting_at(with_books(10, 7), 0, 100);
        progress.rewind(with_books(10, 7), 9, 100);
        assert_eq!((progress.epoch(), progress.position()), (0, 9));
        assert_eq!((progress.step(9), progress.finish_restore(10).is_some(), progress.step(10)), (Step::Restore, true, Step::Process));
        progress.hand_over(with_books(11, 7));
        progress.rewind(with_books(10, 7), 9, 100);
        assert_eq!(progress.epoch(), 1);
    }

    #[test]
    fn a_rewind_begins_again_at_what_is_committed() {
        let mut progress = Progress::starting_at(Checkpoint::without_books(0), 0, 100);
        (0..6).for_each(|offset| assert_eq!(progress.step(offset), Step::Process));
        let (first, second) = (progress.hand_over(with_books(3, 1)), progress.hand_over(with_books(6, 1)));
        progress.acknowledge(first);
        progress.commit(with_books(3, 1));
        progress.halt();
        assert_eq!(progress.step(6), Step::Ignore);
        progress.rewind(progress.watermark().committed(), 0, 100);
        progress.acknowledge(second);
        assert_eq!((progress.epoch(), progress.position(), progress.to_commit()), (1, 1, None));
        assert_eq!(
            (progress.step(1), progress.step(2), progress.finish_restore(3).is_some(), progress.step(3)),
            (Step::Restore, Step::Restore, true, Step::Process)
        );
    }
}
