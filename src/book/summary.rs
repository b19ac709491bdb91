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
    levels.retain(|level| !level.price.is_zero());
    let prices_differ = levels.is_sorted_by(|a, b| a.price < b.price) || levels.is_sorted_by(|a, b| a.price > b.price);
    if !prices_differ {
        // Stable, and read from the end: of equal prices the last comes first and stays.
        levels.reverse();
        levels.sort_by_key(|level| level.price);
        levels.dedup_by_key(|level| level.price);
    }
    let mut range: Option<(Amount, Amount)> = None;
    let mut total = Total::ZERO;
    for level in levels.iter().filter(|level| level.counts()) {
        let (smallest, largest) = range.unwrap_or((level.price, level.price));
        range = Some((smallest.min(level.price), largest.max(level.price)));
        total.add(level.quantity);
    }
    (range, total)
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
