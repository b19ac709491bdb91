//! The batches of one lane on their way into its transactions: what waits, what has joined the open one, and how many of its
//! messages are not reported yet.

use std::collections::VecDeque;

use super::transaction::Transaction;
use crate::batch::Place;
use crate::checkpoint::Checkpoint;

#[derive(Clone, Debug)]
struct Member<B> {
    batch: B,
    messages: usize,
    checkpoint: Checkpoint,
}

/// See the module. A batch that has joined is sent to its end, however late it is: all of its messages count as unreported from
/// then on, sent or not.
#[derive(Clone, Debug)]
pub struct Joining<B> {
    /// The epoch of the lane whose batches are wanted.
    epoch: u32,
    /// For the next transaction, or for this one as long as it is open.
    waiting: VecDeque<Member<B>>,
    /// In the open transaction; the last one is not all sent if `next_message` is below its messages.
    joined: Vec<Member<B>>,
    next_message: usize,
    unreported: usize,
    refused: Vec<Place>,
}

impl<B> Default for Joining<B> {
    fn default() -> Self {
        Self { epoch: 0, waiting: VecDeque::new(), joined: Vec::new(), next_message: 0, unreported: 0, refused: Vec::new() }
    }
}

impl<B> Joining<B> {
    /// Takes a batch of an epoch of the lane, which completes what lies below the checkpoint. One from before a rewind is not wanted
    /// any more, and given back.
    pub fn accept(&mut self, batch: B, epoch: u32, messages: usize, checkpoint: Checkpoint) -> Option<B> {
        if epoch != self.epoch {
            return Some(batch);
        }
        self.waiting.push_back(Member { batch, messages, checkpoint });
        None
    }

    /// Whether nothing has joined a transaction that was not committed: what waits goes on from what is committed as it is.
    #[must_use]
    pub const fn only_wait(&self) -> bool {
        self.joined.is_empty() && self.refused.is_empty()
    }

    /// The message to send next, as the slot of its batch and its index there, if one may be sent now. Lets a batch join for it.
    pub fn next(&mut self, transaction: &mut Transaction, now_ms: u64) -> Option<(usize, usize)> {
        while !transaction.is_failing() {
            if let Some(last) = self.joined.last()
                && self.next_message < last.messages
            {
                return Some((self.joined.len() - 1, self.next_message));
            }
            if !transaction.is_open(now_ms) {
                return None;
            }
            let member = self.waiting.pop_front()?;
            self.unreported += member.messages;
            self.next_message = 0;
            transaction.join(member.checkpoint);
            self.joined.push(member);
        }
        None
    }

    /// The batch in a slot of the open transaction.
    #[must_use]
    pub fn batch(&self, slot: usize) -> Option<&B> {
        self.joined.get(slot).map(|member| &member.batch)
    }

    /// Notes that the producer has taken the next message.
    pub const fn taken(&mut self) {
        self.next_message += 1;
    }

    /// Notes that the producer has not taken the next message, and never will: there will be no report.
    pub const fn not_taken(&mut self) {
        self.next_message += 1;
        self.reported(1);
    }

    /// Notes the reports of `count` messages.
    pub const fn reported(&mut self, count: usize) {
        self.unreported = self.unreported.saturating_sub(count);
    }

    /// Notes a message that can never be written as it is.
    pub fn refuse(&mut self, place: Place) {
        self.refused.push(place);
    }

    /// How many messages of the open transaction are not reported.
    #[must_use]
    pub const fn unreported(&self) -> usize {
        self.unreported
    }

    /// Whether a batch waits for a transaction.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether there is no batch.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.joined.is_empty()
    }

    /// Notes that the transaction is committed. Gives its batches.
    pub fn committed(&mut self) -> impl Iterator<Item = B> + use<B> {
        std::mem::take(&mut self.joined).into_iter().map(|member| member.batch)
    }

    /// Notes that the lane begins again: only what it hands over after that is wanted. Gives all batches, and the messages that can
    /// never be written as they are.
    pub fn rewind(&mut self) -> (impl Iterator<Item = B> + use<B>, Vec<Place>) {
        (self.unreported, self.next_message, self.epoch) = (0, 0, self.epoch.wrapping_add(1));
        let members = std::mem::take(&mut self.joined).into_iter().chain(std::mem::take(&mut self.waiting));
        (members.map(|member| member.batch), std::mem::take(&mut self.refused))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Call;
    use super::*;

    #[test]
    fn a_batch_that_has_joined_is_sent_to_its_end() {
        let mut transaction = Transaction::new(100);
        let mut joining = Joining::default();
        assert_eq!(joining.accept("one", 0, 2, Checkpoint::without_books(1)), None);
        assert_eq!(joining.accept("two", 0, 1, Checkpoint::without_books(2)), None);
        assert_eq!(joining.next(&mut transaction, 0), None, "nothing is begun");
        transaction.done(Call::Begin, Ok(()), 0);
        assert_eq!((joining.next(&mut transaction, 0), joining.unreported()), (Some((0, 0)), 2));
        joining.taken();
        joining.reported(1);
        assert_eq!(joining.next(&mut transaction, 200), Some((0, 1)), "late, but half of it is sent");
        joining.taken();
        assert_eq!((joining.next(&mut transaction, 200), joining.unreported(), joining.is_waiting()), (None, 1, true));
        joining.reported(1);
        assert!(joining.committed().eq(["one"]));
    }

    #[test]
    fn what_was_handed_over_before_a_rewind_is_given_back() {
        let mut transaction = Transaction::new(100);
        let mut joining = Joining::default();
        transaction.done(Call::Begin, Ok(()), 0);
        ["one", "two"].into_iter().for_each(|batch| assert_eq!(joining.accept(batch, 0, 1, Checkpoint::without_books(1)), None));
        joining.next(&mut transaction, 0);
        joining.not_taken();
        joining.refuse(Place::default());
        transaction.fail();
        assert_eq!(joining.next(&mut transaction, 0), None);
        let (batches, refused) = joining.rewind();
        assert!(batches.eq(["one", "two"]) && refused.len() == 1 && joining.is_empty());
        assert_eq!(joining.accept("late", 0, 1, Checkpoint::without_books(1)), Some("late"));
        assert_eq!(joining.accept("again", 1, 1, Checkpoint::without_books(1)), None);
    }
}
