//! One side of a kept book: levels in order, best last, so that work near the top moves little; the total is kept along.

use std::collections::BTreeMap;
use std::hint::select_unpredictable;

use super::run::{Change, Run};
use super::{Level, OddSpelling};
use crate::decimal::{Amount, Total};

/// Which side; decides what "best" means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Best {
    /// Bids: the largest price.
    Largest,
    /// Asks: the smallest price.
    Smallest,
}

/// How many prices are looked for at once: for no more are there registers.
const ABREAST: usize = 3;
/// Up to so many levels, comparing all with all is faster than sorting.
const FEW: usize = 12;
/// How many of the best levels are always looked among.
const NEAR: usize = 16;
/// Of so many levels one must change, that to write all of them anew is faster than to look for those that do.
const DENSE: usize = 4;
/// The lowest of the bits that levels are looked for by where prices reach 2^64 units, which is 18.4: what is there less than 4.3e-9 apart
/// is looked for anew.
const MIDDLE: u32 = 32;

/// The levels of one side: prices all different and above zero, quantities above zero, worst first.
/// `total` is the sum of the quantities.
#[derive(Clone, Debug)]
pub(super) struct Side {
    best: Best,
    levels: Run,
    total: Total,
    /// Odd spellings by price, of levels that are there; nearly always empty.
    odd: BTreeMap<Amount, OddSpelling>,
    /// Scratch space: how many levels are not better than each one of a frame.
    places: Vec<u32>,
    /// Scratch space: what comes and goes with one frame, best first.
    changes: Vec<Change>,
    /// Scratch space: the levels of a frame in order, where they do not come so.
    sorted: Vec<Level>,
    /// Scratch space: levels that are written anew.
    tail: Vec<Level>,
}

impl Side {
    pub(super) const fn new(best: Best) -> Self {
        Self {
            best,
            levels: Run::new(),
            total: Total::ZERO,
            odd: BTreeMap::new(),
            places: Vec::new(),
            changes: Vec::new(),
            sorted: Vec::new(),
            tail: Vec::new(),
        }
    }

    /// The price of the best level.
    pub(super) fn best(&self) -> Option<Amount> {
        self.levels.levels().last().map(|level| level.price)
    }

    pub(super) const fn total(&self) -> Total {
        self.total
    }

    pub(super) const fn len(&self) -> usize {
        self.levels.len()
    }

    /// The levels, best first.
    pub(super) fn best_first(&self) -> impl Iterator<Item = &Level> {
        self.levels.levels().iter().rev()
    }

    /// The best levels, at most so many, best last.
    pub(super) fn best_of(&self, count: usize) -> &[Level] {
        let levels = self.levels.levels();
        &levels[levels.len().saturating_sub(count)..]
    }

    /// How the level at a price was spelled, if that is odd.
    pub(super) fn odd(&self, price: Amount) -> Option<&OddSpelling> {
        self.odd.get(&price)
    }

    /// Replaces the whole side. The same price twice: the last counts.
    pub(super) fn replace(&mut self, levels: &[Level], odd: &[(usize, OddSpelling)]) {
        self.levels.clear();
        self.total = Total::ZERO;
        self.odd.clear();
        self.set_all(levels, odd);
    }

    /// Sets each price to its quantity; quantity 0 removes it. A price of 0 never enters. The same price twice: the last counts.
    pub(super) fn set_all(&mut self, levels: &[Level], odd: &[(usize, OddSpelling)]) {
        if let Some(is_best_first) = self.is_best_first(levels) {
            self.set_in_order(levels, is_best_first);
        } else {
            let mut sorted = std::mem::take(&mut self.sorted);
            sort(levels, &mut sorted);
            sorted.dedup_by_key(|level| level.price);
            self.set_in_order(&sorted, self.best == Best::Smallest);
            self.sorted = sorted;
        }
        self.spell(levels, odd);
    }

    /// Whether levels whose prices all differ come best first, or worst first; `None` where they come in no order.
    fn is_best_first(&self, levels: &[Level]) -> Option<bool> {
        let rises = levels.first()?.price <= levels.last()?.price;
        let in_order = if rises {
            levels.is_sorted_by(|before, after| before.price < after.price)
        } else {
            levels.is_sorted_by(|before, after| before.price > after.price)
        };
        in_order.then_some(rises == (self.best == Best::Smallest))
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

    /// Sets levels that come in order, with all prices different.
    fn set_in_order(&mut self, levels: &[Level], is_best_first: bool) {
        let Some(worst) = (if is_best_first { levels.last() } else { levels.first() }) else { return };
        let start = self.start_of(worst.price);
        if self.len() - start <= NEAR.max(DENSE * levels.len()) {
            self.merge(start, levels, is_best_first);
        } else {
            self.set_each(start, levels, is_best_first);
        }
        self.assert_total();
    }

    /// Before which level none is as good as a price. Steps from the end that double tell it: a frame near the top costs the same whatever is below.
    fn start_of(&self, price: Amount) -> usize {
        let held = self.levels.levels();
        let is_better = |held: &Level| match self.best {
            Best::Largest => held.price > price,
            Best::Smallest => held.price < price,
        };
        let mut near = NEAR;
        while near < held.len() && is_better(&held[held.len() - near]) {
            near *= 2;
        }
        held.len().saturating_sub(near)
    }

    /// [`Self::set_in_order`] where most of the levels from `start` on change, or few are there.
    fn merge(&mut self, start: usize, levels: &[Level], is_best_first: bool) {
        let went = sum(&self.levels.levels()[start..]);
        let Self { best, levels: held, tail, .. } = self;
        // The direction as a constant is a twentieth of the time.
        match (best, is_best_first) {
            (Best::Largest, false) => held.merge(start, levels, false, |held, price| held < price, tail),
            (Best::Largest, true) => held.merge(start, levels, true, |held, price| held < price, tail),
            (Best::Smallest, false) => held.merge(start, levels, false, |held, price| held > price, tail),
            (Best::Smallest, true) => held.merge(start, levels, true, |held, price| held > price, tail),
        }
        self.total.replace(went, sum(&self.levels.levels()[start..]));
    }

    /// [`Self::set_in_order`] where few of the levels from `start` on change: each is looked for.
    fn set_each(&mut self, start: usize, levels: &[Level], is_best_first: bool) {
        let held = self.levels.levels();
        let ends = [levels.first(), levels.last(), held.first(), held.last()];
        let bits = ends.into_iter().flatten().fold(0, |bits, level| bits | level.price.units());
        match (bits >> 64, bits >> (MIDDLE + 64)) {
            (0, _) => self.find_all::<0>(start, levels),
            (_, 0) => self.find_all::<MIDDLE>(start, levels),
            _ => self.find_exactly(levels),
        }
        let are_alike = self.note_changes(levels, is_best_first) && bits >> 64 != 0;
        if are_alike {
            self.find_exactly(levels);
            self.note_changes(levels, is_best_first);
        }
        if !self.changes.is_empty() {
            self.levels.change(&self.changes, levels);
        }
        if are_alike {
            // What was looked for in vain at a wrong place was counted, too.
            self.total = sum(self.levels.levels());
        }
    }

    /// Finds the place of each level of a frame among those from `start` on, by the 64 bits of prices from `FROM` on; no price has higher ones.
    fn find_all<const FROM: u32>(&mut self, start: usize, levels: &[Level]) {
        match self.best {
            Best::Largest => self.find_by(start, levels, Amount::bits_from::<FROM>, |held, price| held > price),
            Best::Smallest => self.find_by(start, levels, Amount::bits_from::<FROM>, |held, price| held < price),
        }
    }

    /// See [`Self::find_all`].
    #[inline(always)]
    fn find_by(&mut self, start: usize, levels: &[Level], bits: impl Fn(Amount) -> u64, is_better: impl Fn(u64, u64) -> bool) {
        self.places.clear();
        let held = self.levels.levels();
        let is_left = |held: &Level, price| !is_better(bits(held.price), price);
        for chunk in levels.chunks(ABREAST) {
            let mut prices = [0; ABREAST];
            prices.iter_mut().zip(chunk).for_each(|(price, level)| *price = bits(level.price));
            self.places.extend_from_slice(&places(held, start, prices, is_left));
        }
    }

    /// Finds the place of each level of a frame, whatever the prices are.
    #[cold]
    fn find_exactly(&mut self, levels: &[Level]) {
        self.places.clear();
        for level in levels {
            let place = self.find(level.price).map_or_else(|place| place, |place| place + 1);
            self.places.push(place as u32);
        }
    }

    /// Sets the quantities of levels that are there, and notes which come and go; says whether a level is like the one at its place in
    /// the upper bits of the price alone.
    fn note_changes(&mut self, levels: &[Level], is_best_first: bool) -> bool {
        if is_best_first { self.note_best_first(levels.iter().enumerate()) } else { self.note_best_first(levels.iter().enumerate().rev()) }
    }

    /// See [`Self::note_changes`]; the total is that after the changes. Nobody can foretell whether a level comes, goes or stays: no branch
    /// asks.
    #[inline(always)]
    fn note_best_first<'l>(&mut self, levels: impl Iterator<Item = (usize, &'l Level)>) -> bool {
        self.changes.clear();
        let (held, mut total) = (self.levels.levels_mut(), self.total);
        let (mut held_count, mut alike_count) = (0, 0);
        for (index, level) in levels {
            let place = self.places[index] as usize;
            // Asked for later, it is made a branch.
            let counts = level.counts();
            let (mut is_held, mut is_alike, mut before) = (false, false, Amount::ZERO);
            if let Some(last) = held.get_mut(place.wrapping_sub(1)) {
                let difference = last.price.units() ^ level.price.units();
                is_held = difference == 0;
                is_alike = (difference >> MIDDLE) as u64 == 0;
                before = select_unpredictable(is_held, last.quantity, Amount::ZERO);
                last.quantity = select_unpredictable(is_held, level.quantity, last.quantity);
            }
            // Compared here, they are made a branch.
            held_count += usize::from(is_held);
            alike_count += usize::from(is_alike);
            total.subtract(before);
            total.add(select_unpredictable(counts, level.quantity, Amount::ZERO));
            let (goes, comes) = (Change::goes(place.wrapping_sub(1)), Change::comes(place, index));
            self.changes.push(select_unpredictable(is_held, goes, comes));
            self.changes.truncate(self.changes.len() - usize::from(is_held == counts));
        }
        self.total = total;
        alike_count != held_count
    }

    /// Whether there is a level at a price.
    pub(super) fn holds(&self, price: Amount) -> bool {
        self.find(price).is_ok()
    }

    /// Removes the levels that an opposite level at `price` crosses, except those that `set` names.
    pub(super) fn remove_crossed(&mut self, price: Amount, set: &[Level]) {
        let (Ok(first) | Err(first)) = self.find(price);
        let crossed = &self.levels.levels()[first..];
        if crossed.is_empty() {
            return;
        }
        let mut stay: Vec<_> = set.iter().map(|level| level.price).collect();
        stay.sort_unstable();
        self.changes.clear();
        for (index, level) in crossed.iter().enumerate().rev().filter(|(_, level)| stay.binary_search(&level.price).is_err()) {
            self.total.subtract(level.quantity);
            self.odd.remove(&level.price);
            self.changes.push(Change::goes(first + index));
        }
        self.levels.change(&self.changes, &[]);
        self.assert_total();
    }

    /// Cuts the side to its best `depth` levels.
    pub(super) fn cut(&mut self, depth: usize) {
        let excess = self.levels.len().saturating_sub(depth);
        for removed in &self.levels.levels()[..excess] {
            self.total.subtract(removed.quantity);
            self.odd.remove(&removed.price);
        }
        self.levels.cut(excess);
        self.assert_total();
    }

    /// Where `price` stands, or where it would.
    fn find(&self, price: Amount) -> Result<usize, usize> {
        match self.best {
            Best::Largest => self.levels.levels().binary_search_by(|level| level.price.cmp(&price)),
            Best::Smallest => self.levels.levels().binary_search_by(|level| price.cmp(&level.price)),
        }
    }

    fn assert_total(&self) {
        debug_assert_eq!(self.total, sum(self.levels.levels()), "the total is the sum of the side");
    }
}

/// The sum of the quantities.
fn sum(levels: &[Level]) -> Total {
    levels.iter().fold(Total::ZERO, |total, level| total.plus(level.quantity))
}

/// Writes levels in rising order of their prices; of equal prices, the last comes first.
fn sort(levels: &[Level], sorted: &mut Vec<Level>) {
    sorted.clear();
    if levels.len() > FEW {
        sorted.extend(levels.iter().rev());
        sorted.sort_by_key(|level| level.price);
        return;
    }
    // Of few, each one's place is counted: nobody can foretell where a branch would lead.
    sorted.resize(levels.len(), Level::default());
    for (index, level) in levels.iter().enumerate() {
        let before = levels[..index].iter().filter(|other| other.price < level.price).count();
        let behind = levels[index + 1..].iter().filter(|other| other.price <= level.price).count();
        sorted[before + behind] = *level;
    }
}

/// How many levels are left without those at the end that are better than a price: for several prices at once, of which none is better
/// than all levels before `start`; with as many steps wherever they are, and without a branch that nobody can foretell, which the
/// compiler would make of a choice between two places.
#[inline(always)]
fn places(levels: &[Level], start: usize, prices: [u64; ABREAST], is_left: impl Fn(&Level, u64) -> bool) -> [u32; ABREAST] {
    let levels = &levels[start..];
    let Some(halvings) = levels.len().checked_ilog2() else { return [start as u32; ABREAST] };
    let is_left = |at: usize, price| usize::from(levels.get(at).is_some_and(|level| is_left(level, price)));
    // Two runs of 2^halvings - 1 levels, which overlap, cover all; then one of them is halved.
    let half = 1 << halvings;
    let mut places = prices.map(|price| is_left(half - 1, price) * (levels.len() + 1 - half));
    // A step of a known length takes fewer instructions, and nearly all are.
    macro_rules! halve {
        ($halving:expr) => {
            for (place, price) in places.iter_mut().zip(prices) {
                *place += is_left(*place + (1 << $halving) - 1, price) << $halving;
            }
        };
        (each of $($halving:literal)*) => { $(if $halving < halvings { halve!($halving); })* };
    }
    for halving in (8..halvings).rev() {
        halve!(halving);
    }
    halve!(each of 7 6 5 4 3 2 1 0);
    places.map(|place| (start + place) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal::Decimal;
    use proptest::prelude::*;

    fn amount(value: u64) -> Amount {
        Decimal::from_integer(value).amount().unwrap()
    }

    fn set(side: &mut Side, level: &Level) {
        side.set_all(std::slice::from_ref(level), &[]);
    }

    proptest! {
        #[test]
        fn setting_at_once_is_setting_in_order(best in prop_oneof![Just(Best::Largest), Just(Best::Smallest)], frames in prop::collection::vec(prop::collection::btree_map(0_u64..150, 0_u64..4, 0..90), 0..6), rising: bool) {
            let (mut at_once, mut one_by_one) = (Side::new(best), Side::new(best));
            for frame in frames {
                let mut levels: Vec<_> = frame.into_iter().map(|(price, quantity)| Level { price: amount(price), quantity: amount(quantity) }).collect();
                if !rising { levels.reverse(); }
                at_once.set_all(&levels, &[]);
                levels.iter().for_each(|level| set(&mut one_by_one, level));
                prop_assert_eq!((at_once.levels.levels(), at_once.total), (one_by_one.levels.levels(), one_by_one.total));
            }
        }

        #[test]
        fn so_is_setting_at_once_what_comes_in_no_order(best in prop_oneof![Just(Best::Largest), Just(Best::Smallest)], steps in prop::collection::vec((0_u64..90, 0_u64..4), 0..150)) {
            let levels: Vec<_> = steps
                .into_iter()
                .map(|(price, quantity)| Level { price: amount(price), quantity: amount(quantity) })
                .collect();
            let (mut at_once, mut one_by_one) = (Side::new(best), Side::new(best));
            at_once.replace(&levels[..levels.len() / 2], &[]);
            at_once.set_all(&levels[levels.len() / 2..], &[]);
            levels.iter().for_each(|level| set(&mut one_by_one, level));
            prop_assert_eq!((at_once.levels.levels(), at_once.total), (one_by_one.levels.levels(), one_by_one.total));
        }

        /// Prices of which 64 bits do not tell some apart, or that have higher ones.
        #[test]
        fn however_alike_or_large_the_prices_are(best in prop_oneof![Just(Best::Largest), Just(Best::Smallest)], whole in prop::sample::subsequence(vec![0_u64, 18, 19, 79_228_162_513, 79_228_162_515], 1..3), frames in prop::collection::vec(prop::collection::btree_map((0_usize..2, 0_u64..40), 0_u64..4, 0..40), 0..6)) {
            let (mut at_once, mut one_by_one) = (Side::new(best), BTreeMap::new());
            for frame in frames {
                let level = |((place, units), quantity)| {
                    let price = format!("{}.{:018}", whole[place % whole.len()], units * 400_000_000);
                    Level { price: Decimal::parse(price.as_bytes()).unwrap().amount().unwrap(), quantity: amount(quantity) }
                };
                let levels: Vec<_> = frame.into_iter().map(level).collect();
                let (mut each, mut sorted) = (at_once.clone(), Vec::new());
                at_once.set_all(&levels, &[]);
                sort(&levels, &mut sorted);
                sorted.dedup_by_key(|level| level.price);
                each.set_each(0, &sorted, best == Best::Smallest);
                prop_assert_eq!((each.levels.levels(), each.total), (at_once.levels.levels(), at_once.total));
                for level in &levels {
                    if level.counts() { one_by_one.insert(level.price, *level); } else { one_by_one.remove(&level.price); }
                }
                let mut held = at_once.levels.levels().to_vec();
                if best == Best::Smallest { held.reverse(); }
                prop_assert_eq!(held, one_by_one.values().copied().collect::<Vec<_>>());
                prop_assert_eq!(at_once.total, sum(at_once.levels.levels()));
            }
        }

        #[test]
        fn levels_are_merged_as_they_are_set_one_by_one(best in prop_oneof![Just(Best::Largest), Just(Best::Smallest)], held in prop::collection::btree_map(0_u64..150, 1_u64..4, 0..120), frame in prop::collection::btree_map(0_u64..150, 0_u64..4, 1..60), from in 0_usize..120, rises: bool) {
            let levels = |levels: BTreeMap<u64, u64>| -> Vec<_> {
                levels.into_iter().map(|(price, quantity)| Level { price: amount(price), quantity: amount(quantity) }).collect()
            };
            let (mut side, mut frame) = (Side::new(best), levels(frame));
            side.replace(&levels(held), &[]);
            if !rises { frame.reverse(); }
            let is_best_first = rises == (best == Best::Smallest);
            let worst = if is_best_first { frame.last() } else { frame.first() };
            // Any level will do that is not behind the worst one's place, and all that are before it.
            let start = from.min(side.start_of(worst.unwrap().price));
            let mut merged = side.clone();
            merged.merge(start, &frame, is_best_first);
            side.set_each(start, &frame, is_best_first);
            prop_assert_eq!((merged.levels.levels(), merged.total), (side.levels.levels(), side.total));
        }

        #[test]
        fn few_and_many_are_sorted_alike(prices in prop::collection::vec(0_u64..20, 0..2 * FEW)) {
            let levels: Vec<_> = (0..).zip(prices).map(|(index, price)| Level { price: amount(price), quantity: amount(index) }).collect();
            let mut expected: Vec<_> = levels.iter().copied().rev().collect();
            expected.sort_by_key(|level| level.price);
            let mut sorted = levels.clone();
            sort(&levels, &mut sorted);
            prop_assert_eq!(sorted, expected);
        }

        #[test]
        fn a_side_is_a_map(best in prop_oneof![Just(Best::Largest), Just(Best::Smallest)], steps in prop::collection::vec((0_u64..20, 0_u64..4, 0_usize..12), 0..60)) {
            let mut side = Side::new(best);
            let mut map = BTreeMap::new();
            for (price, quantity, depth) in steps {
                set(&mut side, &Level { price: amount(price), quantity: amount(quantity) });
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
