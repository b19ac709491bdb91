//! Digits: integers and fractions as text, eight digits at a time.

use super::{DECIMALS, POWERS, SCALE, split};

/// Appends a count of 10^-18ths in plain form.
#[inline]
pub(super) fn write_units(units: u128, out: &mut Vec<u8>) {
    // Nearly all values have eight decimals or fewer, and then fit 64 bits.
    let Some(value) = exact_quotient(units, DECIMALS - 8) else { return write_many_decimals(units, out) };
    write_whole(value / POWERS[8], out);
    write_eight_decimals(value % POWERS[8], out);
}

/// As [`write_units`]; a whole number has neither point nor fraction.
#[inline]
pub(super) fn write_units_shortest(units: u128, out: &mut Vec<u8>) {
    match exact_quotient(units, DECIMALS - 8) {
        Some(value) => {
            write_whole(value / POWERS[8], out);
            if !value.is_multiple_of(POWERS[8]) {
                write_eight_decimals(value % POWERS[8], out);
            }
        }
        None if units.is_multiple_of(SCALE) => write_integer(units / SCALE, out),
        None => write_many_decimals(units, out),
    }
}

#[inline(never)]
fn write_many_decimals(units: u128, out: &mut Vec<u8>) {
    let (whole, fraction) = split(units);
    write_integer(whole, out);
    out.push(b'.');
    write_fraction(fraction, out);
}

/// `INVERSES[n]` times 5^n is 1, modulo 2^64.
pub(super) const INVERSES: [u64; DECIMALS + 1] = {
    // 5 * 0xcccc_cccc_cccc_cccd is 2^66 + 1.
    let mut inverses = [1_u64; DECIMALS + 1];
    let mut exponent = 1;
    while exponent < inverses.len() {
        inverses[exponent] = inverses[exponent - 1].wrapping_mul(0xcccc_cccc_cccc_cccd);
        exponent += 1;
    }
    inverses
};

/// `units / 10^exponent`, if nothing is left over and it fits 64 bits; `exponent <= 18`. Without a division, for if it is such a
/// quotient it is `units / 2^exponent` times the inverse of `5^exponent`; and multiplied again, it shows whether it is.
#[inline]
pub(super) fn exact_quotient(units: u128, exponent: usize) -> Option<u64> {
    let quotient = ((units >> exponent) as u64).wrapping_mul(INVERSES[exponent]);
    (u128::from(quotient) * u128::from(POWERS[exponent]) == units).then_some(quotient)
}

/// Appends an integer below 10^16 in decimal digits.
#[inline]
fn write_whole(value: u64, out: &mut Vec<u8>) {
    let (text, count) = sixteen_digits(value);
    append_first(count, &text, out);
}

/// Appends the first `count` of some bytes: all of them, and takes the rest away, for a copy of a known length is few instructions.
#[inline(always)]
pub fn append_first<const N: usize>(count: usize, bytes: &[u8; N], out: &mut Vec<u8>) {
    let end = out.len() + count;
    out.extend_from_slice(bytes);
    out.truncate(end);
}

/// Appends a point and up to eight decimals without trailing zeros, at least one; `fraction < 10^8`.
#[inline]
fn write_eight_decimals(fraction: u64, out: &mut Vec<u8>) {
    let digits = eight_digits(fraction);
    let count = 8 - (digits | 1).leading_zeros() as usize / 8;
    let text = u128::from(digits | ZEROS) << 8 | u128::from(b'.');
    append_first(1 + count, &text.to_le_bytes(), out);
}

/// Appends a fraction of 10^-18ths without trailing zeros, at least one digit.
pub(super) fn write_fraction(fraction: u64, out: &mut Vec<u8>) {
    let (mut fraction, mut digits) = (fraction, DECIMALS);
    while digits > 1 && fraction.is_multiple_of(10) {
        fraction /= 10;
        digits -= 1;
    }
    write_padded(fraction, digits, out);
}

/// Appends an integer in decimal digits.
#[inline]
pub fn write_integer(value: u128, out: &mut Vec<u8>) {
    if value < SIXTEEN_DIGITS.into() {
        write_whole(value as u64, out);
    } else {
        write_large(value, out);
    }
}

/// As [`write_integer`], from [`SIXTEEN_DIGITS`] on.
#[inline(never)]
fn write_large(value: u128, out: &mut Vec<u8>) {
    let high = value / u128::from(SIXTEEN_DIGITS);
    write_integer(high, out);
    write_padded((value - high * u128::from(SIXTEEN_DIGITS)) as u64, 16, out);
}

/// The first number that [`sixteen_digits`] does not take.
pub(super) const SIXTEEN_DIGITS: u64 = 10_000_000_000_000_000;

/// The digits of a value below [`SIXTEEN_DIGITS`], and how many of the bytes they are; one for zero.
#[inline(always)]
fn sixteen_digits(value: u64) -> ([u8; 16], usize) {
    if value < POWERS[8] {
        let digits = eight_digits(value);
        let skipped = (digits | 1 << 56).trailing_zeros() as usize / 8;
        return (u128::from((digits | ZEROS) >> (8 * skipped)).to_le_bytes(), 8 - skipped);
    }
    let (high, low) = (eight_digits(value / POWERS[8]), eight_digits(value % POWERS[8]));
    let digits = u128::from(high) | u128::from(low) << 64;
    let skipped = high.trailing_zeros() as usize / 8;
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

/// The digits of a value below 10^8 as text, with leading zeros.
#[inline]
#[must_use]
pub const fn eight_digits_text(value: u64) -> [u8; 8] {
    (eight_digits(value) | ZEROS).to_le_bytes()
}

/// Eight times the digit 0.
const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);

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
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn eight_digits_are_those_of_the_library(value in 0_u64..100_000_000) {
            let text: String = eight_digits(value).to_le_bytes().map(|digit| char::from(digit + b'0')).iter().collect();
            prop_assert_eq!(text, format!("{value:08}"));
        }

        #[test]
        fn quotients_are_exact(value: u64, exponent in 0..=DECIMALS, more in 0_u128..3) {
            let units = u128::from(value) * u128::from(POWERS[exponent]);
            prop_assert_eq!(exact_quotient(units, exponent), Some(value));
            for units in [units + more, units.wrapping_sub(more), units.wrapping_add(more << 64), u128::from(value).wrapping_mul(more << 90)] {
                let quotient = units / u128::from(POWERS[exponent]);
                let expected = u64::try_from(quotient).ok().filter(|_| units.is_multiple_of(POWERS[exponent].into()));
                prop_assert_eq!(exact_quotient(units, exponent), expected);
            }
        }

        #[test]
        fn units_are_split(units in (0_u128..1 << 127, 0_u32..127).prop_map(|(units, shift)| units >> shift), whole in 0_u128..1 << 60, less in 0_u128..2) {
            for units in [units, whole * SCALE, (whole * SCALE).saturating_sub(less)] {
                prop_assert_eq!(split(units), (units / SCALE, (units % SCALE) as u64));
            }
        }
    }
}
