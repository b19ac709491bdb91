//! One side of a kept book: levels in order, best last, so that work near the top moves little; the total is kept along.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Level, OddSpelling};
use crate::decimal::{Amount, Total};

/// More levels than this in one frame are merged by sorting; below, each is put in its place.
const MERGE_FROM: usize = 64;

/// Which side; decides what "best" means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Best {
    /// Bids: the largest price.
    Largest,
    /// Asks: the smallest price.
    Smallest,
}

/// The levels of one side: prices all different and above zero, quantities above zero, worst first.
/// `total` is the sum of the quantities.
#[derive(Clone, Debug)]
pub(super) struct Side {
    best: Best,
    levels: Vec<Level>,
    total: Total,
    /// Odd spellings by price, of levels that are there; nearly always empty.
    odd: BTreeMap<Amount, OddSpelling>,
}

impl Side {
    pub(super) const fn new(best: Best) -> Self {
        Self { best, levels: Vec::new(), total: Total::ZERO, odd: BTreeMap::new() }
    }

    /// The price of the best level.
    pub(super) fn best(&self) -> Option<Amount> {
        self.levels.last().map(|level| level.price)
    }

    pub(super) const fn total(&self) -> Total {
        self.total
    }

    pub(super) const fn len(&self) -> usize {
        self.levels.len()
    }

    /// The levels, best first.
    pub(super) fn best_first(&self) -> impl Iterator<Item = &Level> {
        self.levels.iter().rev()
    }

    /// How the level at a price was spelled, if that is odd.
    pub(super) fn odd(&self, price: Amount) -> Option<&OddSpelling> {
        self.odd.get(&price)
    }

    /// Replaces the whole side. The same price twice: the last counts.
    pub(super) fn replace(&mut self, levels: &[Level], odd: &[(usize, OddSpelling)]) {
        self.levels.clear();
        self.odd.clear();
        self.merge(levels);
        self.spell(levels, odd);
    }

    /// Sets many levels, in order.
    pub(super) fn set_all(&mut self, levels: &[Level], odd: &[(usize, OddSpelling)]) {
        if levels.len() > MERGE_FROM {
            self.merge(levels);
        } else {
            levels.iter().for_each(|level| self.set(level));
        }
        self.spell(levels, odd);
    }

    /// Notes how levels that were set are spelled.
    fn spell(&mut self, levels: &[Level], odd: &[(usize, OddSpelling)]) {
        if odd.is_empty() && self.odd.is_empty() {
            return;
        }
        let mut odd = odd.iter().peekable();
        for (place, level) in levels.iter().enumerate() {
            match odd.next_if(|(odd_place, _)| *odd_place == place) {
                Some((_, spelling)) if level.counts() => _ = self.odd.insert(level.price, spelling.clone()),
                _ => _ = self.odd.remove(&level.price),
            }
        }
    }

    /// Sets many levels by sorting, which for levels that come in order is one pass.
    fn merge(&mut self, levels: &[Level]) {
        self.levels.extend_from_slice(levels);
        // Stable, and read from the end: of equal prices the last comes first and stays.
        self.levels.reverse();
        match self.best {
            Best::Largest => self.levels.sort_by_key(|level| level.price),
            Best::Smallest => self.levels.sort_by_key(|level| Reverse(level.price)),
        }
        self.levels.dedup_by_key(|level| level.price);
        self.levels.retain(Level::counts);
        self.total = self.sum();
    }

    /// Sets a price to a quantity; quantity 0 removes it. A price of 0 never enters.
    pub(super) fn set(&mut self, level: &Level) {
        match (self.find(level.price), level.counts()) {
            (Ok(at), true) => {
                self.total.subtract(self.levels[at].quantity);
                self.total.add(level.quantity);
                self.levels[at] = *level;
            }
            (Ok(at), false) => {
                let removed = self.levels.remove(at);
                self.total.subtract(removed.quantity);
            }
            (Err(at), true) => {
                self.levels.insert(at, *level);
                self.total.add(level.quantity);
            }
            (Err(_), false) => {}
        }
        self.assert_total();
    }

    /// Whether there is a level at a price.
    pub(super) fn holds(&self, price: Amount) -> bool {
        self.find(price).is_ok()
    }

    /// Removes the levels that an opposite level at `price` crosses, except those that `set` names.
    pub(super) fn remove_crossed(&mut self, price: Amount, set: &[Level]) {
        let (Ok(first) | Err(first)) = self.find(price);
        if first == self.levels.len() {
            return;
        }
        let mut keep: Vec<_> = set.iter().map(|level| level.price).collect();
        keep.sort_unstable();
        for level in self.levels.split_off(first) {
            if keep.binary_search(&level.price).is_ok() {
                self.levels.push(level);
            } else {
                self.total.subtract(level.quantity);
                self.odd.remove(&level.price);
            }
        }
        self.assert_total();
    }

    /// Cuts the side to its best `depth` levels.
    pub(super) fn cut(&mut self, depth: usize) {
        let excess = self.levels.len().saturating_sub(depth);
        for removed in self.levels.drain(..excess) {
            self.total.subtract(removed.quantity);
            self.odd.remove(&removed.price);
        }
        self.assert_total();
    }

    /// Where `price` stands, or where it would.
    fn find(&self, price: Amount) -> Result<usize, usize> {
        match self.best {
            Best::Largest => self.levels.binary_search_by(|level| level.price.cmp(&price)),
            Best::Smallest => self.levels.binary_search_by(|level| price.cmp(&level.price)),
        }
    }

    fn sum(&self) -> Total {
        self.levels.iter().fold(Total::ZERO, |total, level| total.plus(level.quantity))
    }

    fn assert_total(&self) {
        debug_assert_eq!(self.total, self.sum(), "the total is the sum of the side");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal::Decimal;
    use proptest::prelude::*;

    fn amount(value: u64) -> Amount {
        Decimal::from_integer(value).amount().unwrap()
    }

    proptest! {
        #[test]
        fn merging_is_setting_in_order(best in prop_oneof![Just(Best::Largest), Just(Best::Smallest)], steps in prop::collection::vec((0_u64..40, 0_u64..4), 0..100)) {
            let levels: Vec<_> = steps
                .into_iter()
                .map(|(price, quantity)| Level { price: amount(price), quantity: amount(quantity) })
                .collect();
            let (mut merged, mut set) = (Side::new(best), Side::new(best));
            merged.replace(&levels[..levels.len() / 2], &[]);
            merged.merge(&levels[levels.len() / 2..]);
            levels.iter().for_each(|level| set.set(level));
            prop_assert_eq!((merged.levels, merged.total), (set.levels, set.total));
        }

        #[test]
        fn a_side_is_a_map(best in prop_oneof![Just(Best::Largest), Just(Best::Smallest)], steps in prop::collection::vec((0_u64..20, 0_u64..4, 0_usize..12), 0..60)) {
            let mut side = Side::new(best);
            let mut map = BTreeMap::new();
            for (price, quantity, depth) in steps {
                side.set(&Level { price: amount(price), quantity: amount(quantity) });
                if quantity == 0 || price == 0 { map.remove(&price); } else { map.insert(price, quantity); }
                if depth < 4 {
                    side.cut(depth + 3);
                    while map.len() > depth + 3 {
                        if best == Best::Largest { map.pop_first(); } else { map.pop_last(); }
                    }
                }
                let mut expected: Vec<_> = map.iter().map(|(&price, &quantity)| (amount(price), amount(quantity))).collect();
                if best == Best::Largest { expected.reverse(); }
                let levels: Vec<_> = side.best_first().map(|level| (level.price, level.quantity)).collect();
                prop_assert_eq!(levels, expected);
            }
        }
    }
}
