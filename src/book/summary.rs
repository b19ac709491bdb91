//! Best prices and totals of a book, of a kept one or of the levels of one frame.

use super::{Frame, Level};
use crate::decimal::{Amount, Total};

/// What an order-book record tells. `None` is an empty side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The largest bid price.
    pub best_bid: Option<Amount>,
    /// The smallest ask price.
    pub best_ask: Option<Amount>,
    /// The sum of the bid quantities.
    pub total_bids: Total,
    /// The sum of the ask quantities.
    pub total_asks: Total,
}

impl Summary {
    /// The summary of the levels of one frame, read as the whole book.
    pub fn of_frame(frame: &mut Frame) -> Self {
        let (bids, total_bids) = prices_and_total(&mut frame.bids);
        let (asks, total_asks) = prices_and_total(&mut frame.asks);
        Self { best_bid: bids.map(|(_, largest)| largest), best_ask: asks.map(|(smallest, _)| smallest), total_bids, total_asks }
    }

    /// Whether the best bid is not below the best ask.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        self.best_bid.zip(self.best_ask).is_some_and(|(bid, ask)| bid >= ask)
    }
}

/// Smallest and largest price and the total quantity of the levels that count. Any order will do; the same price
/// twice: the last counts.
fn prices_and_total(levels: &mut Vec<Level>) -> (Option<(Amount, Amount)>, Total) {
    let (Some(first), Some(last)) = (levels.first(), levels.last()) else { return (None, Total::ZERO) };
    let (first, last) = (first.price, last.price);
    let (smallest, largest, total) = if first <= last {
        (first, last, total_in_order(levels, |before, after| before < after))
    } else {
        (last, first, total_in_order(levels, |before, after| before > after))
    };
    match total {
        Some(total) => (Some((smallest, largest)), total),
        None => sorted_prices_and_total(levels),
    }
}

/// The total quantity, if all levels count and stand in strict order: as whole books nearly always come.
#[inline(always)]
fn total_in_order(levels: &[Level], in_order: impl Fn(Amount, Amount) -> bool) -> Option<Total> {
    let (first, rest) = levels.split_first()?;
    let (mut fault, mut before, mut total) = (!first.counts(), first.price, Total::ZERO.plus(first.quantity));
    for level in rest {
        fault |= !in_order(before, level.price) || level.quantity.is_zero();
        before = level.price;
        total.add(level.quantity);
    }
    // The smallest price, which alone can be zero, is first or last.
    (!fault && !before.is_zero()).then_some(total)
}

#[inline(never)]
fn sorted_prices_and_total(levels: &mut Vec<Level>) -> (Option<(Amount, Amount)>, Total) {
    // Stable, and read from the end: of equal prices the last comes first and stays.
    levels.reverse();
    levels.sort_by_key(|level| level.price);
    levels.dedup_by_key(|level| level.price);
    levels.retain(Level::counts);
    let total = levels.iter().fold(Total::ZERO, |total, level| total.plus(level.quantity));
    (levels.first().zip(levels.last()).map(|(first, last)| (first.price, last.price)), total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal::Decimal;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn agrees_with_a_map(levels in prop::collection::vec((0_u64..9, 0_u64..3), 0..12)) {
            let amount = |value| Decimal::from_integer(value).amount().unwrap();
            let map: BTreeMap<_, _> = levels.iter().copied().collect();
            let counting: Vec<_> = map.into_iter().filter(|&(price, quantity)| price > 0 && quantity > 0).collect();
            let mut total = Total::ZERO;
            counting.iter().for_each(|&(_, quantity)| total.add(amount(quantity)));
            let range = counting.first().zip(counting.last()).map(|(first, last)| (amount(first.0), amount(last.0)));
            let mut levels: Vec<_> = levels
                .into_iter()
                .map(|(price, quantity)| Level { price: amount(price), quantity: amount(quantity) })
                .collect();
            prop_assert_eq!(prices_and_total(&mut levels), (range, total));
        }
    }
}
