//! Digits: integers and fractions as text, eight digits at a time.

use super::{DECIMALS, POWERS, split};

/// Appends a count of 10^-18ths in plain form.
pub(super) fn write_units(units: u128, out: &mut Vec<u8>) {
    let (whole, fraction) = split(units);
    write_integer(whole, out);
    out.push(b'.');
    write_fraction(fraction, out);
}

/// Appends a fraction of 10^-18ths without trailing zeros, at least one digit.
pub(super) fn write_fraction(fraction: u64, out: &mut Vec<u8>) {
    // Most values have eight decimals or fewer.
    let eight = fraction / POWERS[DECIMALS - 8];
    if eight * POWERS[DECIMALS - 8] == fraction {
        let digits = eight_digits(eight);
        let count = 8 - (digits | 1).leading_zeros() as usize / 8;
        append(digits, count, out);
        return;
    }
    let (mut fraction, mut digits) = (fraction, DECIMALS);
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        digits -= 1;
    }
    write_padded(fraction, digits, out);
}

/// Appends an integer in decimal digits.
#[inline]
pub fn write_integer(value: u128, out: &mut Vec<u8>) {
    if value < 100_000_000 {
        let digits = eight_digits(value as u64);
        // One digit of zero stays.
        let skipped = (digits | 1 << 56).trailing_zeros() as usize / 8;
        append(digits >> (8 * skipped), 8 - skipped, out);
    } else {
        write_large(value, out);
    }
}

#[inline(never)]
fn write_large(value: u128, out: &mut Vec<u8>) {
    if value >= SIXTEEN_DIGITS.into() {
        let high = value / u128::from(SIXTEEN_DIGITS);
        write_integer(high, out);
        write_padded((value - high * u128::from(SIXTEEN_DIGITS)) as u64, 16, out);
        return;
    }
    let (text, count) = sixteen_digits(value as u64);
    let end = out.len() + count;
    out.extend_from_slice(&text);
    out.truncate(end);
}

/// The first number that [`sixteen_digits`] does not take.
pub const SIXTEEN_DIGITS: u64 = 10_000_000_000_000_000;

/// The digits of a value below [`SIXTEEN_DIGITS`], and how many of the bytes they are; one for zero.
#[inline]
#[must_use]
pub fn sixteen_digits(value: u64) -> ([u8; 16], usize) {
    let (high, low) = (eight_digits(value / POWERS[8]), eight_digits(value % POWERS[8]));
    let digits = u128::from(high) | u128::from(low) << 64;
    let skipped = (digits | 1 << 120).trailing_zeros() as usize / 8;
    let text = (digits | u128::from_le_bytes([b'0'; 16])) >> (8 * skipped);
    (text.to_le_bytes(), 16 - skipped)
}

/// The eight digits of a value below 10^8 as the bytes 0 to 9, the first one lowest.
#[inline]
const fn eight_digits(value: u64) -> u64 {
    // Fours, pairs and digits, each split by a multiplication for all at once.
    let fours = (value / 10_000) | ((value % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = hundreds | ((fours - 100 * hundreds) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((pairs - 10 * tens) << 8)
}

/// Appends the first `count` of eight digits.
#[inline]
fn append(digits: u64, count: usize, out: &mut Vec<u8>) {
    let text = digits | u64::from_le_bytes([b'0'; 8]);
    let end = out.len() + count;
    // All eight, for a copy of a known length is one instruction.
    out.extend_from_slice(&text.to_le_bytes());
    out.truncate(end);
}

/// The digits of 0 to 99, two each.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut value = 0;
    while value < pairs.len() {
        pairs[value] = [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8];
        value += 1;
    }
    pairs
};

/// The two digits of a value below 100.
#[inline]
#[must_use]
pub const fn two_digits(value: u64) -> [u8; 2] {
    PAIRS[value as usize]
}

/// Appends `value` with leading zeros up to `width` digits; `value < 10^width`, `width <= 20`.
pub(super) fn write_padded(mut value: u64, width: usize, out: &mut Vec<u8>) {
    let mut text = [b'0'; 20];
    let (first, pairs) = text[..width].as_rchunks_mut::<2>();
    for pair in pairs.iter_mut().rev() {
        *pair = PAIRS[(value % 100) as usize];
        value /= 100;
    }
    if let [digit] = first {
        *digit = b'0' + (value % 10) as u8;
    }
    out.extend_from_slice(&text[..width]);
}

#[cfg(test)]
mod tests {
    use super::super::SCALE;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn eight_digits_are_those_of_the_library(value in 0_u64..100_000_000) {
            let text: String = eight_digits(value).to_le_bytes().map(|digit| char::from(digit + b'0')).iter().collect();
            prop_assert_eq!(text, format!("{value:08}"));
        }

        #[test]
        fn units_are_split(units in (0_u128..1 << 127, 0_u32..127).prop_map(|(units, shift)| units >> shift), whole in 0_u128..1 << 60, less in 0_u128..2) {
            for units in [units, whole * SCALE, (whole * SCALE).saturating_sub(less)] {
                prop_assert_eq!(split(units), (units / SCALE, (units % SCALE) as u64));
            }
        }
    }
}
