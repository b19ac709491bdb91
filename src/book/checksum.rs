//! The checksums by which OKX and Kraken let a book be verified: CRC-32 (IEEE) of a text made from the best levels.

use super::CHECKSUM_DEPTH;
use super::level::write_as_sent;
use super::side::Side;
use crate::decimal::{Joined, write_integer};
use crate::rules::PairDecimals;

/// A checksum that a frame carries. One beyond 32 bits fits no book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// OKX: signed, over the texts of the best 25 bids and asks in turns.
    Okx(i64),
    /// Kraken: unsigned, over the digits of the best 10 asks, then bids.
    Kraken(i64),
}

/// Where the texts of checksums are made, again and again.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    joined: Joined,
    text: Vec<u8>,
}

/// Whether `checksum` is that of the book; `None` if Kraken's pair is unknown, so that nothing can be said.
pub(super) fn matches(checksum: Checksum, bids: &Side, asks: &Side, decimals: Option<PairDecimals>, texts: &mut Texts) -> Option<bool> {
    let Texts { joined, text } = texts;
    match checksum {
        Checksum::Okx(expected) => {
            text.clear();
            okx_text(bids, asks, text);
            Some(i64::from(crc32fast::hash(text).cast_signed()) == expected)
        }
        Checksum::Kraken(expected) => {
            let decimals = decimals?;
            let own = kraken(bids, asks, decimals, joined).or_else(|| kraken_of_any(bids, asks, decimals, text));
            Some(own.is_some_and(|own| i64::from(own) == expected))
        }
    }
}

/// `bid price:bid quantity:ask price:ask quantity:` in turns, best first; the longer side goes on alone.
/// <https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel>
fn okx_text(bid_side: &Side, ask_side: &Side, text: &mut Vec<u8>) {
    let (mut bids, mut asks) = (bid_side.best_first().take(25), ask_side.best_first().take(25));
    loop {
        let pair = [(bids.next(), bid_side), (asks.next(), ask_side)];
        if pair.iter().all(|(level, _)| level.is_none()) {
            break;
        }
        for (level, side) in pair.into_iter().filter_map(|(level, side)| Some((level?, side))) {
            write_as_sent(level, side.odd(level.price), text);
            text.push(b':');
        }
    }
    text.pop();
}

const _: () = assert!(2 * CHECKSUM_DEPTH <= Joined::PAIRS_MAX, "there is room for the levels of both sides");

/// The checksum of price and quantity of each level, the best first and asks before bids, as integers of the pair's smallest units.
/// `None` where one has more than sixteen digits, or a level more decimals than its pair.
/// <https://docs.kraken.com/api/docs/guides/spot-ws-book-v2>
fn kraken(bids: &Side, asks: &Side, decimals: PairDecimals, joined: &mut Joined) -> Option<u32> {
    joined.clear();
    for side in [asks, bids] {
        joined.extend(side.best_of(CHECKSUM_DEPTH).iter().rev().map(|level| [level.price, level.quantity]))?;
    }
    joined.text([decimals.price, decimals.quantity]).map(crc32fast::hash)
}

/// As [`kraken`], whatever the numbers of digits. `None` if a level has more decimals than its pair.
#[cold]
fn kraken_of_any(bids: &Side, asks: &Side, decimals: PairDecimals, text: &mut Vec<u8>) -> Option<u32> {
    text.clear();
    for level in asks.best_first().take(CHECKSUM_DEPTH).chain(bids.best_first().take(CHECKSUM_DEPTH)) {
        write_integer(level.price.fixed(decimals.price)?, text);
        write_integer(level.quantity.fixed(decimals.quantity)?, text);
    }
    Some(crc32fast::hash(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Level;
    use crate::book::side::Best;
    use crate::decimal::Decimal;

    fn side(best: Best, levels: &[(&str, &str)]) -> Side {
        let mut side = Side::new(best);
        for (price, quantity) in levels {
            let amount = |text: &str| Decimal::parse(text.as_bytes()).unwrap().amount().unwrap();
            side.set_all(&[Level { price: amount(price), quantity: amount(quantity) }], &[]);
        }
        side
    }

    #[test]
    fn okx_examples_match() {
        let bids = side(Best::Largest, &[("3366", "6"), ("3366.1", "7")]);
        let asks = side(Best::Smallest, &[("3366.8", "9"), ("3368", "8")]);
        let mut texts = Texts::default();
        assert_eq!(matches(Checksum::Okx(-1_881_014_294), &bids, &asks, None, &mut texts), Some(true));
        assert_eq!(texts.text, b"3366.1:7:3366.8:9:3366:6:3368:8");
        let bids = side(Best::Largest, &[("3366.1", "7")]);
        let asks = side(Best::Smallest, &[("3366.8", "9"), ("3368", "8"), ("3372", "8")]);
        assert_eq!(matches(Checksum::Okx(831_078_360), &bids, &asks, None, &mut texts), Some(true));
        assert_eq!(matches(Checksum::Okx(0), &bids, &asks, None, &mut texts), Some(false));
    }

    #[test]
    fn kraken_numbers_have_any_number_of_digits() {
        let decimals = PairDecimals { price: 1, quantity: 8 };
        let levels = [
            ("63006.4", "0.000051", "6300645100"),
            ("63006.3", "12.5", "6300631250000000"),
            ("63006.2", "1", "630062100000000"),
            ("0.1", "0.00000001", "11"),
            ("99999999999999999999", "1", "999999999999999999990100000000"),
            ("0.2", "123456789", "212345678900000000"),
            ("0.3", "99999999.99999999", "39999999999999999"),
            ("100000000000000", "99999999.99999999", "10000000000000009999999999999999"),
            ("999999999999999.9", "0.00000001", "99999999999999991"),
        ];
        for (index, &(price, quantity, digits)) in levels.iter().enumerate() {
            let (bids, asks) = (side(Best::Largest, &[(price, quantity)]), side(Best::Smallest, &[("63006.4", "12.5"), ("63006.5", "0.1")]));
            let expected = crc32fast::hash(format!("630064125000000063006510000000{digits}").as_bytes());
            assert_eq!(kraken_of_any(&bids, &asks, decimals, &mut Vec::new()), Some(expected));
            assert_eq!(kraken(&bids, &asks, decimals, &mut Joined::default()), (index != 4 && index != 5).then_some(expected), "{price} {quantity}");
        }
    }

    #[test]
    fn ten_levels_of_a_side_are_covered() {
        let levels: Vec<_> = (11..31).map(|price| (price.to_string(), "7".to_owned())).collect();
        let levels: Vec<_> = levels.iter().map(|(price, quantity)| (price.as_str(), quantity.as_str())).collect();
        let (bids, asks) = (side(Best::Largest, &levels), side(Best::Smallest, &levels));
        let text: String = (11..21).chain((21..31).rev()).map(|price| format!("{price}7")).collect();
        let decimals = PairDecimals { price: 0, quantity: 0 };
        assert_eq!(kraken(&bids, &asks, decimals, &mut Joined::default()), Some(crc32fast::hash(text.as_bytes())));
        assert_eq!(kraken_of_any(&bids, &asks, decimals, &mut Vec::new()), Some(crc32fast::hash(text.as_bytes())));
    }

    #[test]
    fn a_level_with_too_many_decimals_never_matches() {
        let (bids, asks) = (side(Best::Largest, &[]), side(Best::Smallest, &[("1.25", "1")]));
        let decimals = |price| Some(PairDecimals { price, quantity: 0 });
        let mut texts = Texts::default();
        assert_eq!(matches(Checksum::Kraken(crc32fast::hash(b"1251").into()), &bids, &asks, decimals(2), &mut texts), Some(true));
        assert_eq!(matches(Checksum::Kraken(crc32fast::hash(b"1251").into()), &bids, &asks, decimals(1), &mut texts), Some(false));
        assert_eq!(matches(Checksum::Kraken(0), &bids, &asks, None, &mut texts), None);
    }
}
