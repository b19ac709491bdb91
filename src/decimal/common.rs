//! Numbers in the spelling that nearly all have, read from a window of bytes in one go, without a loop.

use super::lanes::{not_digits, two_numbers};
use super::{Amount, DECIMALS, POWERS, SCALE};
use crate::machine::Portable;

/// How many bytes are looked at, whatever stands in them.
pub const NUMBER_WINDOW: usize = 32;
use NUMBER_WINDOW as WINDOW;

/// A number and how it is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Common {
    /// The number.
    pub amount: Amount,
    /// How many characters it has.
    pub length: usize,
    /// How many of them are decimals.
    pub decimals: usize,
}

/// Reads numbers in the common spelling with what a machine has. All give the same for what they read; what one of them
/// does not read is read in another way.
pub trait Numbers: Copy {
    /// As [`Common::read`], of up to as many characters as this machine likes.
    fn read(self, window: &[u8; WINDOW]) -> Option<Common>;
}

impl Numbers for Portable {
    #[inline(always)]
    fn read(self, window: &[u8; WINDOW]) -> Option<Common> {
        Common::read(window)
    }
}

/// The smallest number of so many digits, of which the first is not 0; of one digit any.
const LEAST: [u32; 16] = [0, 0, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 0, 0, 0, 0, 0, 0, 0];

/// `LEADING[n]` keeps the first `n` bytes of a word.
const LEADING: [u64; 16] = {
    let mut masks = [u64::MAX; 16];
    let mut count = 0;
    while count < 8 {
        masks[count] = (1 << (8 * count)) - 1;
        count += 1;
    }
    masks
};

impl Common {
    /// Reads a number of at most 15 characters from the start of a window: up to 15 digits, perhaps with a point and up to
    /// 8 decimals among them; no sign, no exponent, no superfluous leading zero. `None` where the text starts otherwise.
    /// What follows is not looked at; it is no digit.
    #[inline(always)]
    #[must_use]
    pub fn read(window: &[u8; WINDOW]) -> Option<Self> {
        let marks = not_digits(window.first_chunk()?);
        let integer = marks.trailing_zeros() as usize;
        let has_point = usize::from(window[integer & 15] == b'.');
        let behind_point = (marks & marks.wrapping_sub(1)).trailing_zeros() as usize;
        let length = if has_point == 1 { behind_point } else { integer };
        // Wraps where there is a point without digits.
        let decimals = length.wrapping_sub(integer + has_point);
        if (integer.wrapping_sub(1) | decimals.wrapping_sub(has_point)) > 7 {
            return Self::read_wide(window, integer, decimals, length);
        }
        // Digits that are not there become zeros: before the integer, behind the decimals.
        let whole = word(window, 0) << (64 - 8 * integer);
        let fraction = word(window, (integer + has_point) & 15) & LEADING[decimals & 15];
        let (whole, fraction) = two_numbers(whole.to_le_bytes(), fraction.to_le_bytes());
        if whole < LEAST[integer & 15] {
            return None;
        }
        Some(Self { amount: amount(whole.into(), fraction), length, decimals })
    }

    /// As [`Common::read`], of 9 to 15 digits before the point.
    #[inline(never)]
    fn read_wide(window: &[u8; WINDOW], integer: usize, decimals: usize, length: usize) -> Option<Self> {
        let has_point = length.wrapping_sub(integer).wrapping_sub(decimals);
        if !(9..16).contains(&integer) || decimals > 8 || decimals < has_point || window[0] == b'0' {
            return None;
        }
        let high = word(window, 0) << (64 - 8 * (integer - 8));
        let fraction = word(window, integer + has_point) & LEADING[decimals];
        let (high, low) = two_numbers(high.to_le_bytes(), word(window, integer - 8).to_le_bytes());
        let (fraction, _) = two_numbers(fraction.to_le_bytes(), [0; 8]);
        let whole = u64::from(high) * POWERS[8] + u64::from(low);
        Some(Self { amount: amount(whole, fraction), length, decimals })
    }

    /// Whether a number that was read from `window` is spelled in the shortest form: no zero at the end of its decimals.
    #[inline(always)]
    #[must_use]
    pub const fn is_shortest(&self, window: &[u8; WINDOW]) -> bool {
        self.decimals == 0 || window[(self.length - 1) % WINDOW] != b'0'
    }

    /// The number with the exponent that `behind` starts with, of one or two digits: as Python and Java write small and
    /// large numbers, with one digit before the point (`5.1e-05`, `1.16539E8`). Returns it with the exponent's length;
    /// `None` where something else stands there, and where the number may be out of range.
    #[inline]
    #[must_use]
    pub fn with_exponent(self, behind: &[u8]) -> Option<(Amount, usize)> {
        let (negative, [tens, ones], length) = match *behind {
            [b'e' | b'E', b'-', tens @ b'0'..=b'9', ones @ b'0'..=b'9', ..] => (true, [tens, ones], 4),
            [b'e' | b'E', b'+', tens @ b'0'..=b'9', ones @ b'0'..=b'9', ..] => (false, [tens, ones], 4),
            [b'e' | b'E', tens @ b'0'..=b'9', ones @ b'0'..=b'9', ..] => (false, [tens, ones], 3),
            [b'e' | b'E', b'-', ones @ b'0'..=b'9', ..] => (true, [b'0', ones], 3),
            [b'e' | b'E', b'+', ones @ b'0'..=b'9', ..] => (false, [b'0', ones], 3),
            [b'e' | b'E', ones @ b'0'..=b'9', ..] => (false, [b'0', ones], 2),
            _ => return None,
        };
        if behind.get(length).is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let exponent = 10 * usize::from(tens - b'0') + usize::from(ones - b'0');
        // One digit and 18 decimals fit 64 bits, and so does what comes of them.
        let units = u64::try_from(self.amount.0).ok()?;
        if exponent + if negative { self.decimals } else { 0 } > DECIMALS || units >= 10 * SCALE as u64 {
            return None;
        }
        let power = POWERS[exponent];
        let units = if negative { (units / power).into() } else { u128::from(units) * u128::from(power) };
        Some((Amount(units), length))
    }
}

#[inline(always)]
fn word(window: &[u8; WINDOW], at: usize) -> u64 {
    window[at..].first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight))
}

/// `whole`, and so many 10^-8ths.
#[inline(always)]
fn amount(whole: u64, fraction: u32) -> Amount {
    Amount(u128::from(whole) * SCALE + u128::from(u64::from(fraction) * POWERS[DECIMALS - 8]))
}
