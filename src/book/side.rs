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
    /// Scratch space: what comes and goes with one frame.
    changes: Vec<Change>,
}

/// A level that goes from a place, or one that comes to stand before the level at that place.
#[derive(Clone, Copy, Debug)]
struct Change {
    at: usize,
    comes: Option<Level>,
}

impl Side {
    pub(super) const fn new(best: Best) -> Self {
        Self { best, levels: Vec::new(), total: Total::ZERO, odd: BTreeMap::new(), changes: Vec::new() }
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
        if let Some(is_worst_first) = self.is_worst_first(levels) {
            if is_worst_first {
                self.levels.extend_from_slice(levels)
            } else {
                self.levels.extend(levels.iter().rev())
            }
            self.levels.retain(Level::counts);
            self.total = self.sum();
        } else {
            self.merge(levels);
        }
        self.spell(levels, odd);
    }

    /// Sets many levels, in order.
    pub(super) fn set_all(&mut self, levels: &[Level], odd: &[(usize, OddSpelling)]) {
        if let Some(is_worst_first) = self.is_worst_first(levels) {
            match (self.best, is_worst_first) {
                (Best::Largest, true) => self.set_in_order(levels.iter(), |held, price| held < price),
                (Best::Largest, false) => self.set_in_order(levels.iter().rev(), |held, price| held < price),
                (Best::Smallest, true) => self.set_in_order(levels.iter(), |held, price| held > price),
                (Best::Smallest, false) => self.set_in_order(levels.iter().rev(), |held, price| held > price),
            }
        } else if levels.len() > MERGE_FROM {
            self.merge(levels);
        } else {
            levels.iter().for_each(|level| self.set(level));
        }
        self.spell(levels, odd);
    }

    /// Whether levels whose prices all differ come worst first, or best first; `None` where they come in no order.
    fn is_worst_first(&self, levels: &[Level]) -> Option<bool> {
        let rises = levels.first()?.price <= levels.last()?.price;
        let in_order = if rises {
            levels.is_sorted_by(|before, after| before.price < after.price)
        } else {
            levels.is_sorted_by(|before, after| before.price > after.price)
        };
        in_order.then_some(rises == (self.best == Best::Largest))
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

    /// Sets levels that come with all prices different and worst first. What lies between two of them is moved once, and only
    /// as far as levels come and go before it.
    fn set_in_order<'l>(&mut self, levels: impl Iterator<Item = &'l Level>, is_worse: impl Fn(Amount, Amount) -> bool + Copy) {
        self.changes.clear();
        let mut at = 0;
        for level in levels {
            at += place(&self.levels[at..], |held| is_worse(held.price, level.price));
            let held = self.levels.get_mut(at).filter(|held| held.price == level.price);
            match (held, level.counts()) {
                (Some(held), true) => {
                    self.total.subtract(held.quantity);
                    self.total.add(level.quantity);
                    *held = *level;
                }
                (Some(held), false) => {
                    self.total.subtract(held.quantity);
                    self.changes.push(Change { at, comes: None });
                }
                (None, true) => {
                    self.total.add(level.quantity);
                    self.changes.push(Change { at, comes: Some(*level) });
                }
                (None, false) => {}
            }
        }
        if !self.changes.is_empty() {
            self.move_levels();
        }
        self.assert_total();
    }

    /// Makes the changes, which are in the order of their places.
    fn move_levels(&mut self) {
        let before = self.levels.len();
        let come = self.changes.iter().filter(|change| change.comes.is_some()).count();
        let after = before + come - (self.changes.len() - come);
        self.levels.resize(before.max(after), Level::default());
        // What moves down goes first and upwards, what moves up last and downwards: nothing is overwritten before it has moved.
        let (mut comes, mut goes) = (0, 0);
        for (index, change) in self.changes.iter().enumerate() {
            comes += usize::from(change.comes.is_some());
            goes += usize::from(change.comes.is_none());
            let start = change.at + usize::from(change.comes.is_none());
            let end = self.changes.get(index + 1).map_or(before, |next| next.at);
            if goes > comes && start < end {
                self.levels.copy_within(start..end, start + comes - goes);
            }
        }
        let mut end = before;
        for change in self.changes.iter().rev() {
            let start = change.at + usize::from(change.comes.is_none());
            if comes > goes && start < end {
                self.levels.copy_within(start..end, start + comes - goes);
            }
            end = change.at;
            comes -= usize::from(change.comes.is_some());
            goes -= usize::from(change.comes.is_none());
            if let Some(level) = change.comes {
                self.levels[change.at + comes - goes] = level;
            }
        }
        self.levels.truncate(after);
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

/// How many levels at the start are `before`, which is not so of the ones behind them. Steps that double find a near place sooner than
/// halving does, for most changes are close together.
#[inline]
fn place(levels: &[Level], before: impl Fn(&Level) -> bool) -> usize {
    let (mut known, mut step) = (0, 1);
    while levels.get(known + step - 1).is_some_and(&before) {
        known += step;
        step *= 2;
    }
    let end = levels.len().min(known + step - 1);
    known + levels[known..end].partition_point(before)
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
        fn setting_at_once_is_setting_in_order(best in prop_oneof![Just(Best::Largest), Just(Best::Smallest)], frames in prop::collection::vec(prop::collection::btree_map(0_u64..40, 0_u64..4, 0..20), 0..6), rising: bool) {
            let (mut at_once, mut set) = (Side::new(best), Side::new(best));
            for frame in frames {
                let mut levels: Vec<_> = frame.into_iter().map(|(price, quantity)| Level { price: amount(price), quantity: amount(quantity) }).collect();
                if !rising { levels.reverse(); }
                at_once.set_all(&levels, &[]);
                levels.iter().for_each(|level| set.set(level));
                prop_assert_eq!((&at_once.levels, at_once.total), (&set.levels, set.total));
            }
        }

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
