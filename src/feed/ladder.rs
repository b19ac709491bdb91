//! The two sides of a book as ordered maps, the way both the exchange's own book and the model of the receiver hold them.

use super::coin::Coin;
use std::collections::BTreeMap;

/// Index of the bids among a book's sides.
pub(super) const BID: usize = 0;
/// Index of the asks among a book's sides.
pub(super) const ASK: usize = 1;
/// Both sides.
pub(super) const SIDES: [usize; 2] = [BID, ASK];

/// Price key to quantity, best first: the key is the price for asks and the negated price for bids, so both sides read alike.
pub(super) type Ladder = BTreeMap<i64, i64>;
/// Bids, then asks.
pub(super) type Ladders = [Ladder; 2];
/// Levels (key, quantity) of a frame as it lists them: bids, then asks.
pub(super) type Levels = [Vec<(i64, i64)>; 2];

/// The other side.
pub(super) const fn opposite(side: usize) -> usize {
    1 - side
}

/// Whether levels of opposite sides meet: the bid is at or above the ask.
pub(super) const fn crosses(key: i64, opposite_key: i64) -> bool {
    key + opposite_key <= 0
}

/// The best `depth` levels of each side.
pub(super) fn best(sides: &Ladders, depth: usize) -> Ladders {
    SIDES.map(|side| sides[side].iter().take(depth).map(|(&key, &quantity)| (key, quantity)).collect())
}

/// Cuts each side to its best `depth` levels.
pub(super) fn cut(sides: &mut Ladders, depth: usize) {
    for side in sides {
        while side.len() > depth {
            side.pop_last();
        }
    }
}

/// All levels of a book, best first.
pub(super) fn levels(sides: &Ladders) -> Levels {
    SIDES.map(|side| sides[side].iter().map(|(&key, &quantity)| (key, quantity)).collect())
}

/// Kraken's checksum: the best ten asks, then the best ten bids, each as price and quantity in units (`wire/kraken.md`). `None` where the
/// pair's decimals are not known.
pub(super) fn kraken_checksum(sides: &Ladders, coin: &Coin) -> Option<u32> {
    let text: String = [ASK, BID].into_iter().flat_map(|side| sides[side].iter().take(10)).map(|(key, quantity)| format!("{}{quantity}", key.abs())).collect();
    coin.checksummed.then(|| crc32fast::hash(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Exchange;

    #[test]
    fn the_checksum_is_the_published_algorithm() {
        // Levels invented here; the CRC-32 of their text was made with zlib.
        let sides = [[(-996_i64, 5_100_i64), (-995, 20)].into(), [(1_001, 7), (1_002, 100_000_000)].into()];
        let coin = Coin::new(Exchange::Kraken, 0);
        assert_eq!(kraken_checksum(&sides, &coin), Some(3_236_511_469), "of 10017 1002100000000 9965100 99520");
    }
}
