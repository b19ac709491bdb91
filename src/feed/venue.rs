//! The exchange's own order book: a random walk of the middle price with resized, removed, inserted and traded levels.
//!
//! Owns what is true at the exchange. What a receiver may know of it is the job of `book_model`.

use super::coin::Coin;
use super::ladder::{ASK, BID, Ladders, Levels, SIDES, crosses, opposite};
use super::rng::Rng;

/// A book that is never crossed and never thinner than asked for (unless a price runs down to zero).
#[derive(Clone, Debug)]
pub(super) struct Venue {
    pub(super) coin: Coin,
    pub(super) sides: Ladders,
    levels: usize,
}

impl Venue {
    /// A book of at least `levels` levels a side around the coin's start.
    pub(super) fn new(coin: Coin, levels: usize, rng: &mut Rng) -> Self {
        let sides = SIDES.map(|side| {
            let key = if side == BID { coin.tick - coin.start } else { coin.start + coin.tick };
            [(key, coin.quantity(rng))].into()
        });
        let mut venue = Self { coin, sides, levels };
        venue.refill(rng);
        venue
    }

    /// One moment of trading: about `changes` levels a side are touched, one at least.
    pub(super) fn step(&mut self, changes: usize, rng: &mut Rng) {
        for side in SIDES {
            let count = if changes == 0 { 0 } else { 1 + rng.index(2 * changes - 1) };
            (0..count).for_each(|_| self.touch(side, rng));
        }
        self.refill(rng);
    }

    fn touch(&mut self, side: usize, rng: &mut Rng) {
        let at = self.some_key(side, rng);
        match rng.below(20) {
            0..=10 => self.set(side, at, rng),
            11..=14 if self.sides[side].len() > 1 => _ = self.sides[side].remove(&at),
            15..=18 => self.set(side, at + self.coin.tick * (rng.below(7) - 3), rng),
            _ => self.trade(rng),
        }
    }

    /// Somebody takes a whole best level, and often stays with the rest of the order at a better price of the other side.
    fn trade(&mut self, rng: &mut Rng) {
        // The price stays between half and double the start, so that a feed can run for ever.
        let price = self.best_key(ASK);
        let taken = match price {
            price if price > self.coin.start * 2 => BID,
            price if price < self.coin.start / 2 => ASK,
            _ => rng.index(2),
        };
        if self.sides[taken].len() > 1 {
            self.sides[taken].pop_first();
            if rng.one_in(2) {
                let other = opposite(taken);
                self.set(other, self.best_key(other) - self.coin.tick, rng);
            }
        }
    }

    /// Sets a quantity at a key, unless the level would have no price or meet the other side.
    fn set(&mut self, side: usize, key: i64, rng: &mut Rng) {
        let priced = if side == BID { key < 0 } else { key > 0 };
        if priced && !crosses(key, self.best_key(opposite(side))) {
            let quantity = self.coin.quantity(rng);
            self.sides[side].insert(key, quantity);
        }
    }

    fn best_key(&self, side: usize) -> i64 {
        self.sides[side].first_key_value().map_or(0, |(&key, _)| key)
    }

    /// Any level of a side, more often a better one.
    fn some_key(&self, side: usize, rng: &mut Rng) -> i64 {
        let (best, worst) = (self.best_key(side), self.sides[side].last_key_value().map_or(0, |(&key, _)| key));
        let within = 1 + rng.below(worst - best + 1);
        self.sides[side].range(best + rng.below(within)..).next().map_or(best, |(&key, _)| key)
    }

    /// Brings both sides back to their size: new levels behind the worst, the worst away where there are too many.
    fn refill(&mut self, rng: &mut Rng) {
        for side in SIDES {
            while self.sides[side].len() < self.levels {
                let worst = self.sides[side].last_key_value().map_or(0, |(&key, _)| key);
                let key = worst + self.coin.tick * (1 + rng.below(3));
                if side == BID && key >= 0 {
                    break;
                }
                let quantity = self.coin.quantity(rng);
                self.sides[side].insert(key, quantity);
            }
            while self.sides[side].len() > self.levels + self.levels / 8 + 2 {
                self.sides[side].pop_last();
            }
        }
    }

    /// What changed for a receiver that was last shown `sent` and should now see `now`: new quantities, and 0 for what is gone. Where
    /// `silent`, a level that is merely pushed out of the window is not mentioned.
    pub(super) fn changes(&self, sent: &Ladders, now: &Ladders, silent: bool) -> Levels {
        SIDES.map(|side| {
            let mut levels = Vec::new();
            let mut before = sent[side].iter().peekable();
            let gone = |key: i64, levels: &mut Vec<_>| {
                if !(silent && self.sides[side].contains_key(&key)) {
                    levels.push((key, 0));
                }
            };
            for (&key, &quantity) in &now[side] {
                while let Some((&old, _)) = before.next_if(|&(&old, _)| old < key) {
                    gone(old, &mut levels);
                }
                if before.next_if(|&(&old, _)| old == key).is_none_or(|(_, &shown)| shown != quantity) {
                    levels.push((key, quantity));
                }
            }
            before.for_each(|(&old, _)| gone(old, &mut levels));
            levels
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::ladder::best;
    use crate::market::Exchange;

    #[test]
    fn a_long_walk_stays_sorted_apart_and_near_its_start() {
        for index in 0..7 {
            let mut rng = Rng::new(index);
            let mut venue = Venue::new(Coin::new(Exchange::Upbit, index as usize), 30, &mut rng);
            for _ in 0..5_000 {
                venue.step(3, &mut rng);
                let (bid, ask) = (-venue.best_key(BID), venue.best_key(ASK));
                assert!(0 < bid && bid < ask, "{bid} {ask}");
                assert!(ask < venue.coin.start * 3 && ask > venue.coin.start / 3);
                assert!(venue.sides[ASK].len() >= 30);
            }
        }
    }

    #[test]
    fn changes_lead_from_one_window_to_the_next() {
        let mut rng = Rng::new(3);
        let mut venue = Venue::new(Coin::new(Exchange::Okx, 0), 40, &mut rng);
        let mut held = best(&venue.sides, 20);
        for _ in 0..500 {
            venue.step(4, &mut rng);
            let now = best(&venue.sides, 20);
            let changes = venue.changes(&held, &now, false);
            for side in SIDES {
                for &(key, quantity) in &changes[side] {
                    let before = held[side].insert(key, quantity);
                    assert_ne!(before, Some(quantity));
                }
                held[side].retain(|_, quantity| *quantity > 0);
            }
            assert_eq!(held, now);
        }
    }
}
