//! Order books that change by deltas, made up for row 21, and what must come of them: a tape of envelopes, and beside it the record of every frame.
//!
//! ```text
//! venue (the exchange's own book) ─▶ wire ─▶ tape of envelopes ─▶ hub
//!          └─▶ model (what a receiver knows) ─▶ expected records
//! ```
//! A second reading of the contract, with integers and ordered maps: it shares nothing with the hub's core, nor with what the demo makes up.

mod model;
mod tape;
mod venue;
mod wire;

pub use tape::{Lane, Tape};

/// Prices and quantities, whole numbers of the smallest step; ordered by price.
type Levels = std::collections::BTreeMap<i64, i64>;

/// Both sides of a book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sides {
    bids: Levels,
    asks: Levels,
}

/// A coin of an exchange: names, and how many decimals its prices and quantities have.
#[derive(Clone, Copy, Debug)]
struct Pair {
    symbol: &'static str,
    price_decimals: usize,
    quantity_decimals: usize,
}

/// What a frame says.
#[derive(Clone, Debug)]
struct Update {
    is_snapshot: bool,
    /// Levels as they are now; 0 removes.
    changes: Sides,
    /// The number of this update and of the one before it.
    sequence: (u64, u64),
    /// Of the exchange's book after it, at depth 10.
    checksum: u32,
    /// The frame's number in its lane, which is also its time in milliseconds.
    number: u64,
}
