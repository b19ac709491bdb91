//! The batches of one producer that are under way, and what the brokers have said of their messages.

use crate::batch::Place;

/// What became of a batch, once every message of it is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled<B> {
    /// All of it is written.
    Written(B),
    /// Not all of it is written.
    Failed {
        /// The batch.
        batch: B,
        /// The first fault that was reported.
        fault: String,
        /// Its messages that can never be written as they are, however often they are tried.
        refused: Vec<Place>,
    },
}

#[derive(Clone, Debug)]
struct Sent<B> {
    batch: B,
    unreported: usize,
    fault: Option<String>,
    refused: Vec<Place>,
}

/// See the module. A batch is named by its slot, which is given out again once the batch is settled.
#[derive(Clone, Debug)]
pub struct Outstanding<B> {
    slots: Vec<Option<Sent<B>>>,
    free: Vec<usize>,
}

impl<B> Default for Outstanding<B> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<B> Outstanding<B> {
    /// Notes a batch of `messages` messages, at least one, that are about to be sent. Gives its slot.
    pub fn begin(&mut self, batch: B, messages: usize) -> usize {
        let sent = Some(Sent { batch, unreported: messages, fault: None, refused: Vec::new() });
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot] = sent;
                slot
            }
            None => {
                self.slots.push(sent);
                self.slots.len() - 1
            }
        }
    }

    /// The batch in a slot.
    #[must_use]
    pub fn batch(&self, slot: usize) -> Option<&B> {
        self.slots.get(slot)?.as_ref().map(|sent| &sent.batch)
    }

    /// Notes the report of one message; gives the batch if it was the last one.
    pub fn report(&mut self, slot: usize, fault: Option<String>, refused: Option<Place>) -> Option<Settled<B>> {
        let sent = self.slots.get_mut(slot)?.as_mut()?;
        sent.unreported -= 1;
        sent.refused.extend(refused);
        if sent.fault.is_none() {
            sent.fault = fault;
        }
        self.settle(slot)
    }

    /// Notes that `count` messages are written; gives the batch if they were the last ones.
    pub fn written(&mut self, slot: usize, count: usize) -> Option<Settled<B>> {
        let sent = self.slots.get_mut(slot)?.as_mut()?;
        sent.unreported -= count;
        self.settle(slot)
    }

    /// Notes that the last `unsent` messages of a batch were not taken by the producer; gives the batch if none of the others
    /// is under way.
    pub fn give_up(&mut self, slot: usize, unsent: usize, fault: String) -> Option<Settled<B>> {
        let sent = self.slots.get_mut(slot)?.as_mut()?;
        sent.unreported -= unsent;
        sent.fault.get_or_insert(fault);
        self.settle(slot)
    }

    /// Notes that the producer is gone, and with it every report. Gives all batches.
    pub fn fail_all(&mut self, fault: &str) -> Vec<Settled<B>> {
        self.free.clear();
        let sent = std::mem::take(&mut self.slots).into_iter().flatten();
        sent.map(|sent| Settled::Failed { batch: sent.batch, fault: sent.fault.unwrap_or_else(|| fault.to_owned()), refused: sent.refused }).collect()
    }

    /// Whether no batch is under way.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.free.len() == self.slots.len()
    }

    fn settle(&mut self, slot: usize) -> Option<Settled<B>> {
        if self.slots[slot].as_ref().is_none_or(|sent| sent.unreported > 0) {
            return None;
        }
        let Sent { batch, fault, refused, .. } = self.slots[slot].take()?;
        self.free.push(slot);
        Some(match fault {
            None => Settled::Written(batch),
            Some(fault) => Settled::Failed { batch, fault, refused },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { offset: 7, frame: Some(0) };

    #[test]
    fn a_batch_settles_with_its_last_report() {
        let mut outstanding = Outstanding::default();
        let (one, two) = (outstanding.begin("one", 2), outstanding.begin("two", 1));
        assert_eq!(outstanding.report(one, None, None), None);
        assert_eq!(outstanding.report(two, None, None), Some(Settled::Written("two")));
        assert_eq!(outstanding.begin("three", 3), two, "its slot is free");
        assert_eq!(outstanding.report(two, Some("first".to_owned()), Some(PLACE)), None);
        assert_eq!(outstanding.give_up(two, 1, "second".to_owned()), None, "one is still under way");
        let failed = outstanding.report(two, None, None);
        assert_eq!(failed, Some(Settled::Failed { batch: "three", fault: "first".to_owned(), refused: vec![PLACE] }));
        assert!(!outstanding.is_empty());
        assert_eq!(outstanding.report(one, None, None), Some(Settled::Written("one")));
        assert!(outstanding.is_empty());
        let slot = outstanding.begin("four", 5);
        assert_eq!(outstanding.written(slot, 3), None);
        assert_eq!(outstanding.written(slot, 2), Some(Settled::Written("four")));
        assert_eq!(outstanding.written(slot, 1), None, "a late report finds nothing");
    }

    #[test]
    fn a_producer_that_is_gone_takes_every_report_with_it() {
        let mut outstanding = Outstanding::default();
        outstanding.begin("one", 2);
        let slot = outstanding.begin("two", 1);
        assert!(outstanding.report(slot, None, None).is_some());
        let failed = |batch| Settled::Failed { batch, fault: "gone".to_owned(), refused: Vec::new() };
        assert_eq!(outstanding.fail_all("gone"), [failed("one")]);
        assert!(outstanding.is_empty());
        assert_eq!(outstanding.report(slot, None, None), None, "a late report finds nothing");
        assert_eq!(outstanding.begin("three", 1), 0);
    }
}
