//! What lanes read, and a model of the core: records and dead letters as a function of the input and of books, which are a function of the frames since
//! a snapshot.

use std::collections::BTreeSet;

use market_hub::batch::Place;
use market_hub::checkpoint::{BooksMark, Checkpoint};

use crate::random::{Random, mix};

/// The symbols of a lane.
const SYMBOLS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Snapshot(usize),
    Delta(usize),
    /// A delta that shows that others were lost.
    Gap(usize),
    Ticker,
    Poison,
    Control,
}

/// An input record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input {
    pub(crate) offset: i64,
    act: Act,
    frames: u32,
    /// The frame whose record the brokers refuse as too large.
    oversized: Option<u32>,
}

impl Input {
    pub(crate) fn new(offset: i64, random: &mut Random, oversized: usize) -> Self {
        let symbol = random.below(SYMBOLS);
        let act = match random.below(20) {
            0..3 => Act::Snapshot(symbol),
            3..11 => Act::Delta(symbol),
            11 => Act::Gap(symbol),
            12..15 => Act::Ticker,
            15..17 => Act::Poison,
            _ => Act::Control,
        };
        let frames = 1 + random.below(3) as u32;
        let oversized = random.happens(oversized).then(|| random.below(frames as usize) as u32);
        Self { offset, act, frames, oversized }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    Output,
    DeadLetters,
}

/// A message that comes of an input record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic: Topic,
    pub(crate) place: Place,
    pub(crate) value: u64,
    pub(crate) is_unverified: bool,
    pub(crate) is_oversized: bool,
    /// The snapshot that it rests on; `i64::MAX` if it needs none.
    pub(crate) since: i64,
}

#[derive(Clone, Copy)]
struct Book {
    since: i64,
    state: u64,
    is_live: bool,
}

/// How a rebuild of books ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restored {
    Same,
    /// Those that rest on what is before this offset are not back.
    Partly(i64),
    Different,
}

/// The core of a lane.
#[derive(Clone)]
pub(crate) struct Core {
    lane: u64,
    books: [Option<Book>; SYMBOLS],
    refused: BTreeSet<Place>,
    restoring: Option<(Checkpoint, i64)>,
}

impl Core {
    pub(crate) const fn new(lane: usize) -> Self {
        Self { lane: lane as u64, books: [None; SYMBOLS], refused: BTreeSet::new(), restoring: None }
    }

    pub(crate) fn process(&mut self, input: &Input, messages: &mut Vec<Message>) {
        for frame in 0..input.frames {
            let place = Place { offset: input.offset, frame: Some(frame) };
            let value = mix(self.lane << 40 ^ (input.offset as u64) << 8 ^ u64::from(frame));
            let (topic, book) = match input.act {
                Act::Control => continue,
                Act::Poison => (Topic::DeadLetters, None),
                Act::Ticker => (Topic::Output, None),
                Act::Snapshot(symbol) => (Topic::Output, Some(self.books[symbol].insert(Book { since: input.offset, state: value, is_live: true }))),
                Act::Delta(symbol) | Act::Gap(symbol) => {
                    let book = self.books[symbol].get_or_insert(Book { since: -1, state: 0, is_live: false });
                    book.state = mix(book.state ^ value);
                    book.is_live &= matches!(input.act, Act::Delta(_));
                    (Topic::Output, Some(book))
                }
            };
            let message = match book {
                Some(book) => Message { topic, place, value: book.state, is_unverified: !book.is_live, is_oversized: false, since: book.since },
                None => Message { topic, place, value, is_unverified: false, is_oversized: false, since: i64::MAX },
            };
            let is_oversized = topic == Topic::Output && input.oversized == Some(frame);
            messages.push(if self.refused.contains(&place) { dead_letter(&message) } else { Message { is_oversized, ..message } });
        }
    }

    pub(crate) fn checkpoint(&self, offset: i64) -> Checkpoint {
        Checkpoint { books: self.mark(), ..Checkpoint::without_books(offset) }
    }

    pub(crate) fn begin_restore(&mut self, to: &Checkpoint, from: i64) {
        self.forget_books();
        self.restoring = Some((*to, from));
    }

    pub(crate) fn end_restore(&mut self) -> Restored {
        let Some((to, from)) = self.restoring.take() else { return Restored::Same };
        match to.books {
            Some(mark) if from > mark.from => Restored::Partly(from),
            expected if expected == self.mark() => Restored::Same,
            _ => Restored::Different,
        }
    }

    pub(crate) fn forget_books(&mut self) {
        self.books = [None; SYMBOLS];
        self.restoring = None;
    }

    pub(crate) fn refuse(&mut self, place: Place) {
        self.refused.insert(place);
    }

    pub(crate) fn forget_refused(&mut self, committed: i64) {
        self.refused.retain(|place| place.offset >= committed);
    }

    fn mark(&self) -> Option<BooksMark> {
        let live = || self.books.iter().enumerate().filter_map(|(symbol, book)| book.filter(|book| book.is_live).map(|book| (symbol as u64, book)));
        let from = live().map(|(_, book)| book.since).min()?;
        let digest = live().fold(0, |digest, (symbol, book)| digest ^ mix(book.state ^ symbol));
        Some(BooksMark { from, count: live().count() as u32, digest })
    }
}

/// What is written in place of a record that is too large.
pub(crate) const fn dead_letter(record: &Message) -> Message {
    Message { topic: Topic::DeadLetters, value: !(record.place.offset as u64), is_unverified: false, is_oversized: false, since: i64::MAX, ..*record }
}
