//! Order books: what one frame says, and the book that is kept from many (contract, sections 6 and 9).
//!
//! Knows no exchange by name but in its checksums and sequence rules; decoding is above, writing records below.

mod checksum;
mod digest;
mod level;
mod run;
mod sequence;
mod side;
mod summary;

pub use checksum::{Checksum, Texts};
pub use digest::Digest;
pub use level::{Level, OddSpelling};
pub use sequence::Sequence;
pub use summary::Summary;

use crate::event_time::EventTime;
use crate::rules::PairDecimals;
use sequence::Position;
use side::{Best, Side};

/// What a frame does to the book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// It is the whole book; none is kept.
    #[default]
    Whole,
    /// It replaces the kept book.
    Snapshot,
    /// It changes the kept book.
    Delta,
}

/// One order-book frame, decoded. Used again for the next one, so that nothing is allocated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// What the frame does to the book.
    pub action: Action,
    /// Its sequence ids.
    pub sequence: Sequence,
    /// Its checksum, if it has one that says something.
    pub checksum: Option<Checksum>,
    /// The exchange's own time.
    pub time: Option<EventTime>,
    /// The exchange's name of what is traded, where the frame has one.
    pub instrument: Instrument,
    /// Bids in the order of the frame.
    pub bids: Vec<Level>,
    /// Asks in the order of the frame.
    pub asks: Vec<Level>,
    /// Places in `bids`, ascending, and what is odd in how they are spelled.
    pub odd_bids: Vec<(usize, OddSpelling)>,
    /// As `odd_bids`, of the asks.
    pub odd_asks: Vec<(usize, OddSpelling)>,
}

impl Frame {
    /// Makes it an empty frame again, keeping its memory.
    pub fn clear(&mut self) {
        self.action = Action::Whole;
        self.sequence = Sequence::Unnumbered;
        self.checksum = None;
        self.time = None;
        self.instrument.clear();
        self.bids.clear();
        self.asks.clear();
        self.odd_bids.clear();
        self.odd_asks.clear();
    }
}

/// The exchange's name of what is traded: a text that may be absent, in memory that is used again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instrument {
    is_there: bool,
    text: Vec<u8>,
}

impl Instrument {
    /// The name, if there is one.
    #[must_use]
    pub fn get(&self) -> Option<&[u8]> {
        self.is_there.then_some(&self.text)
    }

    /// Takes a name, or that there is none.
    pub fn set(&mut self, name: Option<&[u8]>) {
        self.clear();
        self.is_there = name.is_some();
        self.text.extend_from_slice(name.unwrap_or_default());
    }

    fn clear(&mut self) {
        self.is_there = false;
        self.text.clear();
    }
}

/// How deep a book is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The exchange removes what leaves its window.
    Unlimited,
    /// The best levels up to a fixed number a side.
    Fixed(usize),
    /// Kraken: the given number until a snapshot has more; then the smallest depth on offer that holds it.
    Subscribed(usize),
}

/// What the rules say of one kept book.
#[derive(Clone, Copy, Debug)]
pub struct BookRules {
    /// How deep it is kept.
    pub depth: Depth,
    /// Whether a snapshot makes it live, which it does not at Binance: its diffs come without one.
    pub can_be_live: bool,
    /// What Kraken's checksum needs.
    pub decimals: Option<PairDecimals>,
    /// Whether a checksum that fits may make a book live that no snapshot did: not where the book may have to be deeper than it is.
    pub checksum_suffices: bool,
}

/// What a frame did to the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Nothing: the delta is not newer than the book.
    Stale,
    /// It changed the book.
    Changed {
        /// Frames before it are missing.
        gap: bool,
        /// Whether its checksum fits the book; `None` if there was nothing to check.
        checksum: Option<bool>,
    },
}

/// How many levels a side Kraken's checksum covers.
const CHECKSUM_DEPTH: usize = 10;
/// Depths that Kraken offers beyond its smallest.
const KRAKEN_DEPTHS: [usize; 4] = [25, 100, 500, 1_000];

/// A kept book. Live: every level is known. Unverified: frames may be missing.
#[derive(Clone, Debug)]
pub struct Book {
    bids: Side,
    asks: Side,
    live: bool,
    last_id: Option<i64>,
    depth: Depth,
}

impl Book {
    /// An empty book, unverified.
    #[must_use]
    pub const fn new(depth: Depth) -> Self {
        Self { bids: Side::new(Best::Largest), asks: Side::new(Best::Smallest), live: false, last_id: None, depth }
    }

    /// Whether every level is known.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.live
    }

    /// Whether it is kept deeper than the levels that Kraken's checksum covers.
    #[must_use]
    pub const fn is_deep(&self) -> bool {
        matches!(self.depth, Depth::Subscribed(depth) if depth > CHECKSUM_DEPTH)
    }

    /// Whether a checksum that fits tells that all of it is known.
    #[must_use]
    pub const fn lives_by_checksum(&self) -> bool {
        matches!(self.depth, Depth::Subscribed(CHECKSUM_DEPTH))
    }

    /// Best prices and totals.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary { best_bid: self.bids.best(), best_ask: self.asks.best(), total_bids: self.bids.total(), total_asks: self.asks.total() }
    }

    /// Applies a snapshot or a delta. `texts` is scratch space for the checksum.
    pub fn apply(&mut self, frame: &Frame, rules: &BookRules, texts: &mut Texts) -> Applied {
        let mut gap = false;
        if frame.action == Action::Delta {
            match frame.sequence.position(self.last_id) {
                Position::Stale => return Applied::Stale,
                Position::Gap => {
                    // Before the first frame with an id there is nothing to miss.
                    gap = self.live || self.last_id.is_some();
                    self.live = false;
                }
                Position::Next => {}
            }
            self.change(frame);
        } else {
            self.bids.replace(&frame.bids, &frame.odd_bids);
            self.asks.replace(&frame.asks, &frame.odd_asks);
            self.live = rules.can_be_live;
            self.last_id = None;
            self.depth = self.depth_after_snapshot(rules.depth);
        }
        self.last_id = frame.sequence.id().or(self.last_id);
        if let Depth::Fixed(depth) | Depth::Subscribed(depth) = self.depth {
            self.bids.cut(depth);
            self.asks.cut(depth);
        }
        Applied::Changed { gap, checksum: self.verify(frame, rules, texts) }
    }

    /// Sets the frame's levels. In an unverified book they remove the opposite levels that they cross: those are
    /// removals that fell into a gap.
    fn change(&mut self, frame: &Frame) {
        self.bids.set_all(&frame.bids, &frame.odd_bids);
        self.asks.set_all(&frame.asks, &frame.odd_asks);
        if self.live {
            return;
        }
        // A price that the frame names and the side holds was set by the frame, and not removed again.
        let highest_bid = frame.bids.iter().map(|level| level.price).filter(|&price| self.bids.holds(price)).max();
        let lowest_ask = frame.asks.iter().map(|level| level.price).filter(|&price| self.asks.holds(price)).min();
        if let Some(price) = lowest_ask {
            self.bids.remove_crossed(price, &frame.bids);
        }
        if let Some(price) = highest_bid {
            self.asks.remove_crossed(price, &frame.asks);
        }
    }

    fn depth_after_snapshot(&self, depth: Depth) -> Depth {
        let Depth::Subscribed(least) = depth else { return depth };
        let longer = self.bids.len().max(self.asks.len());
        if longer <= least {
            return depth;
        }
        Depth::Subscribed(KRAKEN_DEPTHS.into_iter().find(|&depth| depth >= longer).unwrap_or(KRAKEN_DEPTHS[3]))
    }

    /// Checks the frame's checksum and lets it decide what the book is.
    fn verify(&mut self, frame: &Frame, rules: &BookRules, texts: &mut Texts) -> Option<bool> {
        let fits = checksum::matches(frame.checksum?, &self.bids, &self.asks, rules.decimals, texts)?;
        if !fits {
            self.live = false;
        } else if self.lives_by_checksum() && rules.checksum_suffices {
            self.live = true;
        }
        Some(fits)
    }
}

#[cfg(test)]
mod tests;
