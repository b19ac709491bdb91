//! Pairs of amounts as integers of their smallest units in decimal digits, one behind the other and nothing between them.

use std::ops::Range;

#[cfg(target_arch = "x86_64")]
use super::avx512;
use super::lanes::digits_of_two;
use super::write::{SIXTEEN_DIGITS, exact_quotient};
use super::{Amount, DECIMALS, POWERS};
#[cfg(target_arch = "x86_64")]
use crate::machine::Avx512;

/// Digits that a number has at most.
const DIGITS: usize = 16;
/// Room for all numbers, and for what is written at once behind the last one.
const ROOM: usize = 2 * DIGITS * Joined::PAIRS_MAX + 64;

/// See the module. Used again for the next pairs.
#[derive(Clone, Debug)]
pub struct Joined {
    pairs: [[Amount; 2]; Self::PAIRS_MAX],
    count: usize,
    text: [u8; ROOM],
}

impl Default for Joined {
    fn default() -> Self {
        Self { pairs: [[Amount::ZERO; 2]; Self::PAIRS_MAX], count: 0, text: [0; ROOM] }
    }
}

impl Joined {
    /// How many pairs there may be.
    pub const PAIRS_MAX: usize = 20;

    /// Begins anew, without pairs.
    pub const fn clear(&mut self) {
        self.count = 0;
    }

    /// Takes more pairs. `None` if there are more than [`Self::PAIRS_MAX`] now.
    #[inline]
    pub fn extend(&mut self, pairs: impl ExactSizeIterator<Item = [Amount; 2]>) -> Option<()> {
        let count = self.count + pairs.len();
        self.pairs.get_mut(self.count..count)?.iter_mut().zip(pairs).for_each(|(place, pair)| *place = pair);
        self.count = count;
        Some(())
    }

    /// The text of the pairs: of the first ones of a pair in units of 10^-`decimals[0]`, of the second ones in units of 10^-`decimals[1]`, each
    /// without leading zeros, and zero as one. `None` if a number has more decimals than its unit, or more than sixteen digits.
    pub fn text(&mut self, decimals: [u8; 2]) -> Option<&[u8]> {
        let [Some(first), Some(second)] = decimals.map(|decimals| DECIMALS.checked_sub(decimals.into())) else { return None };
        let (pairs, exponents) = (self.pairs.get(..self.count)?, (first, second));
        #[cfg(target_arch = "x86_64")]
        if let Some(length) = Avx512::detect().and_then(|machine| avx512::join(machine, pairs, exponents, &mut self.text)) {
            return self.text.get(..length);
        }
        let written = join(pairs, exponents, &mut self.text)?;
        self.text.get(written)
    }
}

/// Writes numbers of at most sixteen digits, and says where. From the end to the start: the zeros that lead a number are written over by the
/// one before it.
fn join(pairs: &[[Amount; 2]], exponents: (usize, usize), text: &mut [u8]) -> Option<Range<usize>> {
    let mut start = text.len();
    for pair in pairs.iter().rev() {
        for (amount, exponent) in [(pair[1], exponents.1), (pair[0], exponents.0)] {
            let value = exact_quotient(amount.0, exponent).filter(|&value| value < SIXTEEN_DIGITS)?;
            let (digits, not_zeros) = digits_of_two((value / POWERS[8]) as u32, (value % POWERS[8]) as u32);
            *text[..start].last_chunk_mut()? = digits;
            // Zero has one digit.
            start -= DIGITS - (not_zeros | 1 << (DIGITS - 1)).trailing_zeros() as usize;
        }
    }
    Some(start..text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Numbers of all sizes, most of which have as many decimals as their unit.
    fn units() -> impl Strategy<Value = u128> {
        (0_u64..u64::MAX, 0_u32..20, prop_oneof![9 => Just(0_u32), 1 => 1_u32..3])
            .prop_map(|(digits, fewer, missing)| u128::from(digits / 10_u64.pow(fewer)) * 10_u128.pow(18 - missing) % 10_u128.pow(38))
    }

    fn expected(pairs: &[[Amount; 2]], decimals: [u8; 2]) -> Option<String> {
        let number = |(amount, decimals): (&Amount, u8)| amount.fixed(decimals).map(|value| value.to_string()).filter(|text| text.len() <= DIGITS);
        pairs.iter().flat_map(|pair| pair.iter().zip(decimals).map(number)).collect()
    }

    proptest! {
        #[test]
        fn numbers_are_joined_as_they_are_written_one_by_one(units in prop::collection::vec((units(), units()), 0..=Joined::PAIRS_MAX), decimals in (0_u8..=18, 0_u8..=18), many: bool) {
            let (mut joined, decimals) = (Joined::default(), [decimals.0, decimals.1]);
            // Few numbers can be read in a unit that has many decimals.
            let amount = |units: u128, decimals: u8| Amount(if many { units } else { units / 10_u128.pow(decimals.into()) });
            let pairs: Vec<_> = units.iter().map(|&(first, second)| [amount(first, decimals[0]), amount(second, decimals[1])]).collect();
            for count in [pairs.len(), pairs.len().min(1)] {
                let pairs = &pairs[..count];
                joined.clear();
                joined.extend(pairs.iter().copied()).unwrap();
                let expected = expected(pairs, decimals);
                prop_assert_eq!(joined.text(decimals).map(|text| String::from_utf8(text.to_vec()).unwrap()), expected.clone());
                let mut text = [0; ROOM];
                let [first, second] = decimals.map(|decimals| DECIMALS - usize::from(decimals));
                let written = join(pairs, (first, second), &mut text);
                prop_assert_eq!(written.map(|written| String::from_utf8(text[written].to_vec()).unwrap()), expected);
            }
        }
    }

    /// What is left to one number after the other is rare.
    #[cfg(target_arch = "x86_64")]
    #[test]
    fn numbers_of_52_bits_are_joined_together() {
        let Some(machine) = Avx512::detect() else { return };
        for exponent in 0..=DECIMALS {
            let largest = (1_u128 << 52) - 1;
            let units = |value: u128| Amount(value * 10_u128.pow(exponent as u32));
            let mut text = [0; ROOM];
            for (value, length) in [(0, Some(6)), (1, Some(6)), (9_999_999_999, Some(60)), (largest, Some(96)), (largest + 1, None)] {
                assert_eq!(avx512::join(machine, &[[units(value); 2]; 3], (exponent, exponent), &mut text), length, "{value}, {exponent}");
                if let Some(length) = length {
                    assert_eq!(String::from_utf8_lossy(&text[..length]), value.to_string().repeat(6));
                }
            }
        }
    }

    #[test]
    fn there_is_room_for_the_longest_text() {
        let mut joined = Joined::default();
        let longest = Amount(u128::from(SIXTEEN_DIGITS - 1) * 10_u128.pow(10));
        joined.extend([[longest; 2]; Joined::PAIRS_MAX].into_iter()).unwrap();
        assert_eq!(joined.text([8, 8]).unwrap(), [b'9'; 2 * DIGITS * Joined::PAIRS_MAX]);
        assert_eq!(joined.extend([[longest; 2]].into_iter()), None);
    }

    #[test]
    fn no_number_has_more_than_18_decimals() {
        let mut joined = Joined::default();
        joined.extend([[Amount::ZERO; 2]].into_iter()).unwrap();
        assert_eq!(joined.text([18, 18]), Some(b"00".as_slice()));
        assert_eq!(joined.text([18, 19]), None);
    }
}
