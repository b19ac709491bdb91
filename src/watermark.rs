//! The watermark of a lane: the offset below which every record and dead letter is acknowledged. Only it is committed.
//!
//! Pure: it is told what was sent and what was acknowledged, in whatever order that happens.
//! `committed <= watermark <= sent`, at every step.

use std::collections::VecDeque;

/// Names a batch of the lane; tickets are given out in the order of the offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// See the module. All offsets are those of the next record, as Kafka commits them.
#[derive(Clone, Debug)]
pub struct Watermark {
    committed: i64,
    watermark: i64,
    sent: i64,
    /// The ticket of the first entry of `pending`.
    first: u64,
    /// Batches that are under way, in order: the offset behind each, and whether it is acknowledged.
    pending: VecDeque<(i64, bool)>,
}

impl Watermark {
    /// A lane that starts at `offset`: everything below it is done.
    #[must_use]
    pub const fn starting_at(offset: i64) -> Self {
        Self { committed: offset, watermark: offset, sent: offset, first: 0, pending: VecDeque::new() }
    }

    /// Notes a batch that covers the offsets up to, not including, `next_offset`, which is above all before it.
    pub fn send(&mut self, next_offset: i64) -> Ticket {
        debug_assert!(next_offset > self.sent, "batches come in the order of their offsets");
        self.sent = next_offset;
        self.pending.push_back((next_offset, false));
        Ticket(self.first + self.pending.len() as u64 - 1)
    }

    /// Notes that all of a batch is acknowledged, and moves the watermark as far as that allows.
    pub fn acknowledge(&mut self, ticket: Ticket) {
        let index = usize::try_from(ticket.0.saturating_sub(self.first)).unwrap_or(usize::MAX);
        debug_assert!(ticket.0 >= self.first && index < self.pending.len(), "a batch is acknowledged once");
        if let Some(batch) = self.pending.get_mut(index) {
            batch.1 = true;
        }
        while let Some(&(next_offset, true)) = self.pending.front() {
            self.pending.pop_front();
            self.first += 1;
            self.watermark = next_offset;
        }
        self.check();
    }

    /// The offset to commit, if it is not committed yet.
    #[must_use]
    pub fn to_commit(&self) -> Option<i64> {
        (self.watermark > self.committed).then_some(self.watermark)
    }

    /// Notes that the brokers hold `offset` as committed.
    pub fn commit(&mut self, offset: i64) {
        self.committed = self.committed.max(offset);
        self.check();
    }

    /// Whether everything sent is acknowledged and committed.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.committed == self.sent
    }

    /// The offset that is committed.
    #[must_use]
    pub const fn committed(&self) -> i64 {
        self.committed
    }

    /// The offset behind the last batch that was sent.
    #[must_use]
    pub const fn sent(&self) -> i64 {
        self.sent
    }

    fn check(&self) {
        debug_assert!(self.committed <= self.watermark && self.watermark <= self.sent, "committed <= watermark <= sent");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_highest_contiguous_acknowledged_offset(steps in prop::collection::vec((1_i64..5, any::<prop::sample::Index>(), any::<bool>()), 1..80)) {
            let mut watermark = Watermark::starting_at(10);
            let mut under_way: Vec<(Ticket, i64, i64)> = Vec::new();
            let mut next = 10;
            for (count, which, send) in steps {
                if send || under_way.is_empty() {
                    let first = next;
                    next += count;
                    under_way.push((watermark.send(next), first, next));
                } else {
                    let (ticket, ..) = under_way.remove(which.index(under_way.len()));
                    watermark.acknowledge(ticket);
                }
                let expected = under_way.iter().map(|&(_, first, _)| first).min().unwrap_or(next);
                prop_assert_eq!(watermark.to_commit(), (expected > watermark.committed()).then_some(expected));
                if which.index(2) == 0 && let Some(offset) = watermark.to_commit() {
                    watermark.commit(offset);
                }
            }
            for (ticket, ..) in under_way {
                watermark.acknowledge(ticket);
            }
            if let Some(offset) = watermark.to_commit() {
                watermark.commit(offset);
            }
            prop_assert!(watermark.is_settled());
        }
    }
}
