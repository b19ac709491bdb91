//! The exchange's own book of one coin: it walks by chance, and tells what changed.

use super::{Levels, Sides, Update, model};

/// How many levels a side the exchange shows.
pub const DEPTH: usize = 10;
/// The first price.
const MIDDLE: i64 = 500_000;

/// See the module.
pub struct Venue {
    /// All of it.
    book: Sides,
    /// What a receiver that has missed nothing holds.
    shown: Sides,
    sequence: u64,
    chance: u64,
}

impl Venue {
    pub fn new(seed: u64) -> Self {
        let mut venue = Self { book: Sides::default(), shown: Sides::default(), sequence: 0, chance: seed };
        for step in 1..=20 {
            venue.book.bids.insert(MIDDLE - step * 10, 1_000 + step);
            venue.book.asks.insert(MIDDLE + step * 10, 2_000 + step);
        }
        venue
    }

    /// The next update: a snapshot when told so, else what changed by chance.
    pub fn next(&mut self, number: u64, is_snapshot: bool) -> Update {
        let window = loop {
            self.walk();
            let window =
                Sides { bids: self.book.bids.iter().rev().take(DEPTH).map(copied).collect(), asks: self.book.asks.iter().take(DEPTH).map(copied).collect() };
            if is_snapshot || window != self.shown {
                break window;
            }
        };
        let changes =
            if is_snapshot { window.clone() } else { Sides { bids: changes(&self.shown.bids, &window.bids), asks: changes(&self.shown.asks, &window.asks) } };
        self.shown = window;
        let before = self.sequence;
        self.sequence += 1;
        Update { is_snapshot, changes, sequence: (self.sequence, before), checksum: model::checksum(&self.shown), number }
    }

    /// One to three levels come, go or change; the sides never cross.
    fn walk(&mut self) {
        for _ in 0..1 + self.below(3) {
            let (best_bid, best_ask) = (*self.book.bids.keys().next_back().unwrap_or(&0), *self.book.asks.keys().next().unwrap_or(&i64::MAX));
            let is_bid = self.below(2) == 0;
            let distance = i64::try_from(self.below(12)).unwrap_or(0) * 10;
            let (side, price) = if is_bid { (&self.book.bids, best_ask - 10 - distance) } else { (&self.book.asks, best_bid + 10 + distance) };
            let is_removal = side.len() > DEPTH + 2 && self.below(3) == 0;
            let quantity = 1 + i64::try_from(self.below(1_000_000)).unwrap_or(0);
            let side = if is_bid { &mut self.book.bids } else { &mut self.book.asks };
            if is_removal {
                // The best level goes, so that the price moves.
                let best = if is_bid { best_bid } else { best_ask };
                side.remove(&best);
            } else {
                side.insert(price, quantity);
            }
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.chance >> 33) % bound
    }
}

fn copied((price, quantity): (&i64, &i64)) -> (i64, i64) {
    (*price, *quantity)
}

fn changes(before: &Levels, after: &Levels) -> Levels {
    let gone = before.keys().filter(|price| !after.contains_key(price)).map(|price| (*price, 0));
    let set = after.iter().filter(|(price, quantity)| before.get(price) != Some(quantity)).map(copied);
    gone.chain(set).collect()
}
