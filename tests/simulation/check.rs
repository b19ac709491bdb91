//! What must hold, computed apart from the hub: what an uninterrupted lane would write, and what was written, acknowledged and committed of it. Panics
//! where something does not hold.

use std::collections::VecDeque;
use std::ops::Range;

use market_hub::batch::Place;
use market_hub::checkpoint::{BooksMark, Checkpoint, Claim};

use crate::input::{Core, Input, Message, Topic, dead_letter};

/// What comes of an input record, and the books after it.
struct Expected {
    offset: i64,
    messages: Vec<(Message, bool)>,
    books: Option<BooksMark>,
}

struct LaneCheck {
    core: Core,
    expected: Vec<Expected>,
    /// Offsets that were deleted unread, as an instance has said, which goes for that one alone.
    skipped: Vec<(Claim, Range<i64>)>,
    /// Books that rest on what is before one of these offsets are lost from there on.
    lost: Vec<i64>,
    /// The last record of the output topic, and in which run it was written.
    written: Option<(usize, Place)>,
}

/// A lane of an instance from one beginning to the next.
struct Run {
    start: i64,
    acknowledged: i64,
    sent: i64,
    /// Batches: up to where the lane is complete with each, and its messages that are not acknowledged.
    pending: VecDeque<(i64, usize)>,
    /// The number of the first of them.
    first: usize,
}

/// Names a batch of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Serial {
    run: usize,
    batch: usize,
}

/// See the module.
pub(crate) struct Check {
    exactly_once: bool,
    lanes: Vec<LaneCheck>,
    runs: Vec<Run>,
}

impl Check {
    pub(crate) fn new(lanes: usize, exactly_once: bool) -> Self {
        let lane = |lane| LaneCheck { core: Core::new(lane), expected: Vec::new(), skipped: Vec::new(), lost: Vec::new(), written: None };
        Self { exactly_once, lanes: (0..lanes).map(lane).collect(), runs: Vec::new() }
    }

    pub(crate) fn appended(&mut self, lane: usize, input: &Input) {
        let lane = &mut self.lanes[lane];
        let mut messages = Vec::new();
        lane.core.process(input, &mut messages);
        let books = lane.core.checkpoint(input.offset + 1).books;
        lane.expected.push(Expected { offset: input.offset, messages: messages.into_iter().map(|message| (message, false)).collect(), books });
    }

    /// A lane begins, or begins again. Gives the number of the run.
    pub(crate) fn begins(&mut self, start: i64) -> usize {
        self.runs.push(Run { start, acknowledged: start, sent: start, pending: VecDeque::new(), first: 0 });
        self.runs.len() - 1
    }

    pub(crate) fn hands_over(&mut self, run: usize, end: i64, messages: usize) -> Serial {
        let of_run = &mut self.runs[run];
        of_run.sent = end;
        of_run.pending.push_back((end, messages));
        let batch = of_run.first + of_run.pending.len() - 1;
        of_run.settle();
        Serial { run, batch }
    }

    /// The hub was told that a message is written.
    pub(crate) fn acknowledged(&mut self, lane: usize, place: Place, serial: Serial) {
        self.lanes[lane].find(place).expect("a message has an input").1 = true;
        let run = &mut self.runs[serial.run];
        run.pending[serial.batch - run.first].1 -= 1;
        run.settle();
    }

    /// The chain for a lane of an instance.
    pub(crate) fn chain(&self, lane: usize, run: usize, [committed, watermark, sent, polled]: [i64; 4], held: i64) {
        let run = &self.runs[run];
        // What is read again for books alone was polled before.
        let chain = [committed, watermark, run.acknowledged, sent, polled.max(run.start)];
        assert!(chain.is_sorted(), "lane {lane}: committed <= watermark <= acknowledged <= sent <= polled: {chain:?}");
        assert_eq!(run.sent, sent, "lane {lane}: sent");
        assert!(!self.exactly_once || watermark <= held.max(run.start), "lane {lane}: watermark {watermark}, but {held} is committed");
    }

    /// A message was written without a transaction.
    pub(crate) fn written(&mut self, lane: usize, message: &Message, serial: Serial) {
        let check = &mut self.lanes[lane];
        check.must_fit(lane, message);
        // Dead letters may be sent again behind later ones.
        if message.topic == Topic::Output {
            assert!(message.place.offset >= self.runs[serial.run].start, "lane {lane}: {message:?} is from before the beginning of its run");
            if let Some((run, last)) = check.written.replace((serial.run, message.place)) {
                assert!(run < serial.run || run == serial.run && last < message.place, "lane {lane}: {:?} was written after {last:?}", message.place);
            }
        }
    }

    /// An offset was committed without a transaction.
    pub(crate) fn committed(&mut self, lane: usize, before: i64, checkpoint: &Checkpoint) {
        let check = &self.lanes[lane];
        check.must_be_the_books(lane, checkpoint);
        for expected in check.between(before, checkpoint.offset, None) {
            let missing = expected.messages.iter().find(|(_, acknowledged)| !acknowledged);
            assert!(missing.is_none(), "lane {lane}: {} is committed, but not acknowledged is {missing:?}", checkpoint.offset);
        }
    }

    /// A transaction was committed.
    pub(crate) fn committed_together(&mut self, lane: usize, before: i64, messages: &[Message], committed: Option<(Checkpoint, Option<Claim>)>) {
        let check = &self.lanes[lane];
        let (checkpoint, claim) = committed.unzip();
        let now = checkpoint.map_or(before, |checkpoint| checkpoint.offset);
        assert!(now >= before, "lane {lane}: the committed offset went back from {before} to {now}");
        for topic in [Topic::Output, Topic::DeadLetters] {
            let found: Vec<Place> = messages.iter().filter(|message| message.topic == topic).map(|message| message.place).collect();
            let expected = check.between(before, now, claim.flatten()).flat_map(|expected| &expected.messages);
            let becomes = |message: &Message| if message.is_oversized { Topic::DeadLetters } else { message.topic };
            let expected: Vec<Place> = expected.filter(|(message, _)| becomes(message) == topic).map(|(message, _)| message.place).collect();
            assert_eq!(found, expected, "lane {lane}: {topic:?} of the transaction that committed {before} to {now}");
        }
        messages.iter().for_each(|message| check.must_fit(lane, message));
        checkpoint.iter().for_each(|checkpoint| check.must_be_the_books(lane, checkpoint));
    }

    /// An instance says that it leaves out what was deleted unread; `low` is the first offset that is left.
    pub(crate) fn skips(&mut self, lane: usize, claim: Claim, from: i64, low: i64) {
        self.lanes[lane].skipped.push((claim, from..low));
        self.loses_books(lane, low);
    }

    /// Books that rest on what is before an offset cannot be had any more.
    pub(crate) fn loses_books(&mut self, lane: usize, offset: i64) {
        self.lanes[lane].lost.push(offset);
    }
}

impl Run {
    fn settle(&mut self) {
        while let Some(&(end, 0)) = self.pending.front() {
            self.pending.pop_front();
            self.first += 1;
            self.acknowledged = end;
        }
    }
}

impl LaneCheck {
    fn find(&mut self, place: Place) -> Option<&mut (Message, bool)> {
        let index = self.expected.binary_search_by_key(&place.offset, |expected| expected.offset).ok()?;
        self.expected[index].messages.get_mut(place.frame? as usize)
    }

    /// What comes of the offsets in a range, but for those that an instance, or any, has skipped.
    fn between(&self, from: i64, to: i64, by: Option<Claim>) -> impl Iterator<Item = &Expected> {
        let first = self.expected.partition_point(|expected| expected.offset < from);
        let range = self.expected[first..].iter().take_while(move |expected| expected.offset < to);
        let is_skipped = move |offset| self.skipped.iter().any(|(claim, skipped)| by.is_none_or(|by| by == *claim) && skipped.contains(&offset));
        range.filter(move |expected| !is_skipped(expected.offset))
    }

    /// What is written is what an uninterrupted lane writes; or is flagged, if the book is rightly lost.
    fn must_fit(&self, lane: usize, found: &Message) {
        let index = self.expected.binary_search_by_key(&found.place.offset, |expected| expected.offset);
        let expected = index.ok().and_then(|index| self.expected[index].messages.get(found.place.frame? as usize));
        let (expected, _) = expected.unwrap_or_else(|| panic!("lane {lane}: {found:?} comes from nowhere"));
        let is_lost = || expected.is_unverified || self.lost.iter().any(|&lost| expected.since < lost && lost <= found.place.offset);
        let fits = match found.topic {
            Topic::DeadLetters if expected.is_oversized => *found == dead_letter(expected),
            topic => topic == expected.topic && !expected.is_oversized && (found == expected || found.is_unverified && is_lost()),
        };
        assert!(fits, "lane {lane}: {found:?} is written in place of {expected:?}");
    }

    fn must_be_the_books(&self, lane: usize, checkpoint: &Checkpoint) {
        let before = self.expected.partition_point(|expected| expected.offset < checkpoint.offset);
        let books = before.checked_sub(1).and_then(|last| self.expected[last].books);
        let lost = self.lost.iter().copied().max().unwrap_or(0);
        if books.is_none_or(|books| books.from >= lost) {
            assert_eq!(checkpoint.books, books, "lane {lane}: the books committed with {}", checkpoint.offset);
        }
    }
}
