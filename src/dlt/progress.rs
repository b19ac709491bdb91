//! Which letters of a partition were replayed: all below an offset, and stretches beyond it, where a filter left some out.
//!
//! `a replay without filters moves the offset; one with filters adds stretches; where they meet, they become one`. So no order of runs with any filters
//! sends a letter twice, and none forgets one that no filter took.

use std::fmt::Write as _;
use std::ops::Range;

/// The first word of what is written beside the offset; another layout gets another number.
const VERSION: &str = "market-hub-dlt/1";
/// The most that is written beside the offset: brokers take 4,096 bytes by default.
const WORDS_BYTES_MAX: usize = 4_096;
/// The most that one stretch takes: a space, a plus, and two numbers.
const STRETCH_BYTES_MAX: usize = 40;

/// See the module. The stretches of `ahead` are not empty, ascend, and touch neither each other nor `next`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    next: i64,
    ahead: Vec<Range<i64>>,
}

impl Progress {
    /// Nothing from `next` on was replayed.
    #[must_use]
    pub const fn from(next: i64) -> Self {
        Self { next, ahead: Vec::new() }
    }

    /// Reads what was committed. `words` may be anybody's: what is not ours word for word counts as absent.
    #[must_use]
    pub fn read(offset: i64, words: &str) -> Self {
        let mut read = Self::from(offset);
        if let Some(ahead) = stretches(offset, words) {
            read.ahead = ahead;
        }
        read
    }

    /// The lowest offset that was not replayed: what is committed.
    #[must_use]
    pub const fn next(&self) -> i64 {
        self.next
    }

    /// What is written beside the offset: the stretches beyond it, each as what is left out before it and its length.
    #[must_use]
    pub fn words(&self) -> String {
        let mut text = VERSION.to_owned();
        let mut end = self.next;
        for stretch in &self.ahead {
            // Writing to a String cannot fail.
            let _ = write!(text, " {}+{}", stretch.start - end, stretch.end - stretch.start);
            end = stretch.end;
        }
        text
    }

    /// Whether the letter at `offset` can be inserted and all of it still be written. At the committed offset that is always so.
    #[must_use]
    pub fn has_room_for(&self, offset: i64) -> bool {
        let touches = self.contains(offset - 1) || self.contains(offset + 1);
        // A stretch that becomes longer by one takes at most a digit more.
        offset <= self.next || self.contains(offset) || self.has_room(if touches { 1 } else { STRETCH_BYTES_MAX })
    }

    fn has_room(&self, bytes: usize) -> bool {
        // Only many stretches are worth a second look.
        self.ahead.len() < WORDS_BYTES_MAX / STRETCH_BYTES_MAX - 2 || self.words().len() + bytes <= WORDS_BYTES_MAX
    }

    /// Whether the letter at `offset` was replayed.
    #[must_use]
    pub fn contains(&self, offset: i64) -> bool {
        offset < self.next || self.ahead.get(self.ahead.partition_point(|stretch| stretch.end <= offset)).is_some_and(|stretch| stretch.contains(&offset))
    }

    /// Adds letters that were replayed.
    pub fn insert(&mut self, added: Range<i64>) {
        if added.is_empty() || added.end <= self.next {
            return;
        }
        // All that the new stretch overlaps or touches becomes one with it.
        let first = self.ahead.partition_point(|stretch| stretch.end < added.start);
        let last = self.ahead.partition_point(|stretch| stretch.start <= added.end);
        let joined = match self.ahead.get(first..last) {
            Some([one, ..]) => one.start.min(added.start)..self.ahead[last - 1].end.max(added.end),
            _ => added,
        };
        if joined.start <= self.next {
            self.next = joined.end;
            self.ahead.drain(..last);
        } else {
            self.ahead.splice(first..last, [joined]);
        }
    }

    /// Adds the offsets of `gap`, which hold no letters (marks of transactions, records that were compacted away), where they go on from letters that were
    /// replayed. Elsewhere they would only be stretches of nothing.
    pub fn pass(&mut self, gap: Range<i64>) {
        if gap.start <= self.next || (self.contains(gap.start - 1) && self.has_room(STRETCH_BYTES_MAX)) {
            self.insert(gap);
        }
    }
}

fn stretches(offset: i64, words: &str) -> Option<Vec<Range<i64>>> {
    let mut words = words.split(' ');
    if words.next() != Some(VERSION) {
        return None;
    }
    let mut end = offset;
    words
        .map(|word| {
            let (left_out, length) = word.split_once('+')?;
            let positive = |text: &str| text.parse::<i64>().ok().filter(|number| *number > 0);
            let start = end.checked_add(positive(left_out)?)?;
            end = start.checked_add(positive(length)?)?;
            Some(start..end)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stretches_become_one_where_they_meet() {
        let mut progress = Progress::from(5);
        progress.insert(7..8);
        progress.insert(9..11);
        assert_eq!((progress.next(), progress.words().as_str()), (5, "market-hub-dlt/1 2+1 1+2"));
        progress.insert(8..9);
        progress.insert(5..7);
        assert_eq!(progress, Progress::from(11));
    }

    #[test]
    fn gaps_count_only_behind_what_was_replayed() {
        let mut progress = Progress::from(5);
        progress.pass(7..9);
        assert_eq!(progress, Progress::from(5));
        progress.insert(6..7);
        progress.pass(7..9);
        assert_eq!(progress.words(), "market-hub-dlt/1 1+3");
        progress.pass(5..6);
        assert_eq!(progress, Progress::from(9));
    }

    #[test]
    fn words_of_others_count_as_absent() {
        for words in ["", "x", "market-hub-dlt/2 1+1", "market-hub-dlt/1 1", "market-hub-dlt/1 0+1", "market-hub-dlt/1 1+0", "market-hub-dlt/1  1+1"] {
            assert_eq!(Progress::read(3, words), Progress::from(3), "{words}");
        }
        assert_eq!(Progress::read(3, "market-hub-dlt/1 1+9223372036854775807"), Progress::from(3));
    }

    #[test]
    fn there_is_room_for_some_hundred_stretches_and_always_at_the_front() {
        let mut progress = Progress::from(0);
        let mut offset = 2;
        while progress.has_room_for(offset) {
            progress.insert(offset..offset + 1);
            offset += 2;
        }
        assert!(offset > 1_500, "{offset}");
        let full = progress.words().len();
        assert!((4_056..=4_096).contains(&full), "{full}");
        for offset in 0..offset {
            assert!(progress.has_room_for(offset), "{offset}");
            progress.insert(offset..offset + 1);
            assert!(progress.words().len() <= full);
        }
        assert_eq!(progress, Progress::from(offset));
    }

    proptest! {
        #[test]
        fn agrees_with_a_set_and_reads_back(inserts in prop::collection::vec((0_i64..60, 0_i64..6), 0..30), next in 0_i64..10) {
            let mut progress = Progress::from(next);
            let mut set: BTreeSet<i64> = (0..next).collect();
            for (start, length) in inserts {
                progress.insert(start..start + length);
                set.extend(start..start + length);
                prop_assert!((0..80).all(|offset| progress.contains(offset) == set.contains(&offset)), "{:?} {:?}", progress, set);
                prop_assert_eq!(Progress::read(progress.next(), &progress.words()), progress.clone());
            }
        }
    }
}
