//! Order books: what one frame says, and the book that is kept from many (contract, sections 6 and 9).
//!
//! Knows no exchange by name but in its checksums and sequence rules; decoding is above, writing records below.

mod checksum;
mod digest;
mod level;
mod sequence;
mod side;
mod summary;

pub use checksum::Checksum;
pub use digest::Digest;
pub use level::{Level, Spelling};
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
    /// The exchange's name of what is traded; `None` where the frame has none.
    pub instrument: Option<Vec<u8>>,
    /// Bids in the order of the frame.
    pub bids: Vec<Level>,
    /// Asks in the order of the frame.
    pub asks: Vec<Level>,
}

impl Frame {
    /// Makes it an empty frame again, keeping its memory.
    pub fn clear(&mut self) {
        let (mut bids, mut asks) = (std::mem::take(&mut self.bids), std::mem::take(&mut self.asks));
        bids.clear();
        asks.clear();
        *self = Self { bids, asks, ..Self::default() };
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

    /// Applies a snapshot or a delta. `text` is scratch space for the checksum.
    pub fn apply(&mut self, frame: &Frame, rules: &BookRules, text: &mut Vec<u8>) -> Applied {
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
            self.bids.replace(&frame.bids);
            self.asks.replace(&frame.asks);
            self.live = rules.can_be_live;
            self.last_id = None;
            self.depth = self.depth_after_snapshot(rules.depth);
        }
        self.last_id = frame.sequence.id().or(self.last_id);
        if let Depth::Fixed(depth) | Depth::Subscribed(depth) = self.depth {
            self.bids.cut(depth);
            self.asks.cut(depth);
        }
        Applied::Changed { gap, checksum: self.verify(frame, rules, text) }
    }

    /// Sets the frame's levels. In an unverified book they remove the opposite levels that they cross: those are
    /// removals that fell into a gap.
    fn change(&mut self, frame: &Frame) {
        self.bids.set_all(&frame.bids);
        self.asks.set_all(&frame.asks);
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
    fn verify(&mut self, frame: &Frame, rules: &BookRules, text: &mut Vec<u8>) -> Option<bool> {
        let fits = checksum::matches(frame.checksum?, &self.bids, &self.asks, rules.decimals, text)?;
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
