//! The checksums by which OKX and Kraken let a book be verified: CRC-32 (IEEE) of a text made from the best levels.

use super::Level;
use super::level::write_as_sent;
use super::side::Side;
use crate::decimal::{SIXTEEN_DIGITS, append_first, sixteen_digits, write_integer};
use crate::rules::PairDecimals;

/// A checksum that a frame carries. One beyond 32 bits fits no book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// OKX: signed, over the texts of the best 25 bids and asks in turns.
    Okx(i64),
    /// Kraken: unsigned, over the digits of the best 10 asks, then bids.
    Kraken(i64),
}

/// Whether `checksum` is that of the book; `None` if Kraken's pair is unknown, so that nothing can be said.
pub(super) fn matches(checksum: Checksum, bids: &Side, asks: &Side, decimals: Option<PairDecimals>, lines: &mut Lines, text: &mut Vec<u8>) -> Option<bool> {
    text.clear();
    match checksum {
        Checksum::Okx(expected) => {
            okx_text(bids, asks, text);
            Some(i64::from(crc32fast::hash(text).cast_signed()) == expected)
        }
        Checksum::Kraken(expected) => {
            let complete = kraken_text(bids, asks, decimals?, lines, text);
            Some(complete.is_some() && i64::from(crc32fast::hash(text)) == expected)
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

/// Price and quantity of each level as integers of the pair's smallest units. `None` if a level has more decimals than
/// its pair. <https://docs.kraken.com/api/docs/guides/spot-ws-book-v2>
fn kraken_text(bids: &Side, asks: &Side, decimals: PairDecimals, lines: &mut Lines, text: &mut Vec<u8>) -> Option<()> {
    lines.prepare(decimals);
    asks.best_first().take(10).try_for_each(|level| lines.write(level, text))?;
    bids.best_first().take(10).try_for_each(|level| lines.write(level, text))
}

/// What levels were written as before: of the twenty levels that a checksum covers, most are those of the frame before, or have another
/// quantity at the same price. A level has one slot, by its price, and shares it with others.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    decimals: Option<PairDecimals>,
    slots: Vec<Line>,
}

/// A level as text: the digits of the price, then those of the quantity. A level of zeros, which no side has, stands for none.
#[derive(Clone, Copy, Debug)]
struct Line {
    level: Level,
    text: [u8; LINE_BYTES],
    length: usize,
}

/// Room for two numbers of sixteen digits; longer ones are written anew each time.
const LINE_BYTES: usize = 32;
/// As a power of 2, so that the bits of a product choose one.
const SLOTS_BITS: u32 = 7;

impl Lines {
    /// Without memory until a first checksum.
    pub(super) const fn new() -> Self {
        Self { decimals: None, slots: Vec::new() }
    }

    /// Makes room, and forgets lines with other decimals.
    fn prepare(&mut self, decimals: PairDecimals) {
        if self.decimals != Some(decimals) {
            self.decimals = Some(decimals);
            self.slots.clear();
            self.slots.resize(1 << SLOTS_BITS, Line { level: Level::default(), text: [0; LINE_BYTES], length: 0 });
        }
    }

    /// Appends the line of a level. `None` if it has too many decimals.
    #[inline]
    fn write(&mut self, level: &Level, text: &mut Vec<u8>) -> Option<()> {
        let decimals = self.decimals?;
        // Neighbouring prices differ in their highest bits after this.
        let hash = (level.price.units() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let line = self.slots.get_mut((hash >> (64 - SLOTS_BITS)) as usize)?;
        if line.level != *level {
            return line.turn_to(level, decimals, text);
        }
        append_first(line.length, &line.text, text);
        Some(())
    }
}

impl Line {
    /// Becomes the line of another level, or of none if that is too long, and appends it: from what was found, not from where that was put,
    /// which memory written in other pieces would make wait. `None` if the level has too many decimals.
    fn turn_to(&mut self, level: &Level, decimals: PairDecimals, text: &mut Vec<u8>) -> Option<()> {
        let (price, quantity) = (level.price.fixed(decimals.price)?, level.quantity.fixed(decimals.quantity)?);
        if price.max(quantity) >= SIXTEEN_DIGITS.into() {
            self.level = Level::default();
            write_integer(price, text);
            write_integer(quantity, text);
            return Some(());
        }
        let (prices, price_length) = sixteen_digits(price as u64);
        let (quantities, quantity_length) = sixteen_digits(quantity as u64);
        append_first(price_length, &prices, text);
        append_first(quantity_length, &quantities, text);
        self.text[..16].copy_from_slice(&prices);
        self.text[price_length..][..16].copy_from_slice(&quantities);
        self.length = price_length + quantity_length;
        self.level = *level;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let mut text = Vec::new();
        assert_eq!(matches(Checksum::Okx(-1_881_014_294), &bids, &asks, None, &mut Lines::new(), &mut text), Some(true));
        assert_eq!(text, b"3366.1:7:3366.8:9:3366:6:3368:8");
        let bids = side(Best::Largest, &[("3366.1", "7")]);
        let asks = side(Best::Smallest, &[("3366.8", "9"), ("3368", "8"), ("3372", "8")]);
        assert_eq!(matches(Checksum::Okx(831_078_360), &bids, &asks, None, &mut Lines::new(), &mut text), Some(true));
        assert_eq!(matches(Checksum::Okx(0), &bids, &asks, None, &mut Lines::new(), &mut text), Some(false));
    }

    #[test]
    fn a_line_is_that_of_its_level_whatever_it_held_before() {
        let decimals = PairDecimals { price: 1, quantity: 8 };
        let amount = |text: &str| Decimal::parse(text.as_bytes()).unwrap().amount().unwrap();
        let (mut lines, mut line, mut kept) = (Lines::new(), Line { level: Level::default(), text: [0; LINE_BYTES], length: 0 }, 0);
        lines.prepare(decimals);
        for (price, quantity, digits) in [
            ("63006.4", "0.000051", "6300645100"),
            ("63006.4", "12.5", "6300641250000000"),
            ("63006.4", "123456789", "63006412345678900000000"),
            ("63006.4", "12.5", "6300641250000000"),
            ("0.1", "0.00000001", "11"),
            ("99999999999999999999", "1", "999999999999999999990100000000"),
            ("0.1", "99999999.99999999", "19999999999999999"),
            ("100000000000000", "99999999.99999999", "10000000000000009999999999999999"),
        ] {
            let level = Level { price: amount(price), quantity: amount(quantity) };
            let mut text = Vec::new();
            assert_eq!(lines.write(&level, &mut text), Some(()));
            assert_eq!(String::from_utf8(text).unwrap(), digits);
            let mut text = Vec::new();
            assert_eq!(line.turn_to(&level, decimals, &mut text), Some(()));
            assert_eq!(String::from_utf8(text).unwrap(), digits);
            if line.level == level {
                assert_eq!(&line.text[..line.length], digits.as_bytes());
                kept += 1;
            } else {
                assert_eq!(line.level, Level::default());
            }
            assert_eq!(line.turn_to(&Level { price: amount("0.15"), ..level }, decimals, &mut Vec::new()), None);
        }
        assert_eq!(kept, 6, "all but the two with a number of seventeen digits or more");
    }

    #[test]
    fn a_level_with_too_many_decimals_never_matches() {
        let (bids, asks) = (side(Best::Largest, &[]), side(Best::Smallest, &[("1.25", "1")]));
        let decimals = |price| Some(PairDecimals { price, quantity: 0 });
        let mut text = Vec::new();
        assert_eq!(matches(Checksum::Kraken(crc32fast::hash(b"1251").into()), &bids, &asks, decimals(2), &mut Lines::new(), &mut text), Some(true));
        assert_eq!(matches(Checksum::Kraken(crc32fast::hash(b"1251").into()), &bids, &asks, decimals(1), &mut Lines::new(), &mut text), Some(false));
        assert_eq!(matches(Checksum::Kraken(0), &bids, &asks, None, &mut Lines::new(), &mut text), None);
    }
}
