//! Messages that could not be written and are to be sent again, in order. What a lane has to write behind such a message to the same topic waits with it:
//! written sooner, it would stand before it.

use std::collections::{BTreeMap, VecDeque};

/// Whose message it is, and where it goes: a worker, the lane's index there, and whether it is a dead letter or a request.
pub(super) type Whose = (usize, usize, bool);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Again {
    tags: VecDeque<(Whose, usize)>,
    /// How many of each there are; what has none is absent.
    waiting: BTreeMap<Whose, usize>,
}

impl Again {
    pub(super) fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.tags.len()
    }

    /// Whether such messages wait.
    pub(super) fn holds(&self, whose: Whose) -> bool {
        self.waiting.contains_key(&whose)
    }

    /// Takes a message behind all others.
    pub(super) fn push(&mut self, whose: Whose, tag: usize) {
        self.tags.push_back((whose, tag));
        *self.waiting.entry(whose).or_insert(0) += 1;
    }

    /// The tag of the message that is the first to be sent.
    pub(super) fn first(&self) -> Option<usize> {
        self.tags.front().map(|(_, tag)| *tag)
    }

    /// Notes that the first one is sent.
    pub(super) fn pop(&mut self) {
        let Some((whose, _)) = self.tags.pop_front() else { return };
        if let Some(count) = self.waiting.get_mut(&whose) {
            *count -= 1;
            if *count == 0 {
                self.waiting.remove(&whose);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_waits_until_its_last_message_is_sent() {
        let mut again = Again::default();
        for (whose, tag) in [((0, 1, true), 7), ((0, 2, true), 8), ((0, 1, true), 9)] {
            again.push(whose, tag);
        }
        assert!(again.holds((0, 1, true)) && again.holds((0, 2, true)) && !again.holds((0, 1, false)) && !again.holds((1, 1, true)));
        let mut sent = Vec::new();
        while let Some(tag) = again.first() {
            again.pop();
            sent.push((tag, again.holds((0, 1, true)), again.holds((0, 2, true))));
        }
        assert_eq!(sent, [(7, true, true), (8, true, false), (9, false, false)]);
        assert!(again.is_empty());
    }
}
