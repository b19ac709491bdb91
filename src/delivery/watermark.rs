//! The watermark of a lane: the offset below which every record and dead letter is acknowledged. Only it is committed.
//!
//! It is told what was sent and what was acknowledged, in whatever order that happens.
//! `committed <= watermark <= sent`, at every step.

use std::collections::VecDeque;

use crate::checkpoint::Checkpoint;

/// Names a batch of the lane; tickets are given out in the order of the offsets, and never twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// See the module. All offsets are those of the next record, as Kafka commits them.
#[derive(Clone, Debug)]
pub struct Watermark {
    committed: Checkpoint,
    watermark: Checkpoint,
    sent: i64,
    /// The ticket of the first entry of `pending`.
    first: u64,
    /// Batches that are under way, in order: the checkpoint behind each, and whether it is acknowledged.
    pending: VecDeque<(Checkpoint, bool)>,
}

impl Watermark {
    /// A lane that starts at a checkpoint: everything below it is done.
    #[must_use]
    pub const fn starting_at(checkpoint: Checkpoint) -> Self {
        Self { committed: checkpoint, watermark: checkpoint, sent: checkpoint.offset, first: 0, pending: VecDeque::new() }
    }

    /// Notes a batch that completes all offsets below `next.offset`, which is not below that of any batch before it.
    pub fn send(&mut self, next: Checkpoint) -> Ticket {
        debug_assert!(next.offset >= self.sent, "batches come in the order of their offsets");
        self.sent = next.offset;
        self.pending.push_back((next, false));
        Ticket(self.first + self.pending.len() as u64 - 1)
    }

    /// Notes that all of a batch is acknowledged, and moves the watermark as far as that allows. A batch from before a
    /// rewind changes nothing.
    pub fn acknowledge(&mut self, ticket: Ticket) {
        if !self.is_under_way(ticket) {
            return;
        }
        let index = usize::try_from(ticket.0 - self.first).unwrap_or(usize::MAX);
        if let Some(batch) = self.pending.get_mut(index) {
            debug_assert!(!batch.1, "a batch is acknowledged once");
            batch.1 = true;
        }
        while let Some(&(next, true)) = self.pending.front() {
            self.pending.pop_front();
            self.first += 1;
            self.watermark = next;
        }
        self.check();
    }

    /// Whether a batch was sent since the last rewind and holds the watermark back.
    #[must_use]
    pub fn is_under_way(&self, ticket: Ticket) -> bool {
        (self.first..self.first + self.pending.len() as u64).contains(&ticket.0)
    }

    /// What to commit, if it is not committed yet.
    #[must_use]
    pub fn to_commit(&self) -> Option<Checkpoint> {
        (self.watermark.offset > self.committed.offset).then_some(self.watermark)
    }

    /// Notes that the brokers hold a checkpoint as committed. One that is older than the last changes nothing.
    pub fn commit(&mut self, checkpoint: Checkpoint) {
        if checkpoint.offset > self.committed.offset {
            self.committed = checkpoint;
        }
        self.check();
    }

    /// Forgets what is under way: all of it will be read and sent again, from `checkpoint` on.
    pub fn rewind(&mut self, checkpoint: Checkpoint) {
        self.first += self.pending.len() as u64;
        self.pending.clear();
        (self.committed, self.watermark, self.sent) = (checkpoint, checkpoint, checkpoint.offset);
    }

    /// Whether everything sent is acknowledged and committed.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.pending.is_empty() && self.committed.offset == self.sent
    }

    /// What is committed.
    #[must_use]
    pub const fn committed(&self) -> Checkpoint {
        self.committed
    }

    /// The offset below which all is acknowledged.
    #[must_use]
    pub const fn offset(&self) -> i64 {
        self.watermark.offset
    }

    /// The offset behind the last batch that was sent.
    #[must_use]
    pub const fn sent(&self) -> i64 {
        self.sent
    }

    fn check(&self) {
        debug_assert!(self.committed.offset <= self.watermark.offset && self.watermark.offset <= self.sent, "committed <= watermark <= sent: {self:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(offset: i64) -> Checkpoint {
        Checkpoint::without_books(offset)
    }

    proptest! {
        #[test]
        fn it_is_the_highest_contiguous_acknowledged_offset(steps in prop::collection::vec((0_i64..5, any::<prop::sample::Index>(), any::<bool>()), 1..80)) {
            let mut watermark = Watermark::starting_at(at(10));
            let mut under_way: Vec<(Ticket, i64, i64)> = Vec::new();
            let mut next = 10;
            for (count, which, send) in steps {
                if send || under_way.is_empty() {
                    let first = next;
                    next += count;
                    under_way.push((watermark.send(at(next)), first, next));
                } else {
                    let (ticket, ..) = under_way.remove(which.index(under_way.len()));
                    watermark.acknowledge(ticket);
                }
                let expected = under_way.iter().map(|&(_, first, _)| first).min().unwrap_or(next);
                prop_assert_eq!(watermark.to_commit(), (expected > watermark.committed().offset).then_some(at(expected)));
                if which.index(2) == 0 && let Some(checkpoint) = watermark.to_commit() {
                    watermark.commit(checkpoint);
                }
            }
            for (ticket, ..) in under_way {
                watermark.acknowledge(ticket);
            }
            if let Some(checkpoint) = watermark.to_commit() {
                watermark.commit(checkpoint);
            }
            prop_assert!(watermark.is_settled());
        }
    }

    #[test]
    fn what_was_sent_before_a_rewind_counts_no_more() {
        let mut watermark = Watermark::starting_at(at(10));
        let (first, second) = (watermark.send(at(12)), watermark.send(at(14)));
        watermark.acknowledge(first);
        watermark.rewind(at(10));
        watermark.acknowledge(second);
        assert_eq!((watermark.to_commit(), watermark.sent()), (None, 10));
        let again = watermark.send(at(12));
        assert!(again > second && !watermark.is_under_way(second));
        watermark.acknowledge(again);
        assert_eq!(watermark.to_commit(), Some(at(12)));
    }
}
