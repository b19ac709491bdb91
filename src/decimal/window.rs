//! Numbers in the spelling that nearly all have, found in a window of bytes in one go, without a loop.

use super::lanes::{not_digits, two_numbers};
use super::{Amount, DECIMALS, POWERS, SCALE};
use crate::machine::Portable;

/// How many bytes are looked at, whatever stands in them.
pub const NUMBER_WINDOW: usize = 32;
use NUMBER_WINDOW as WINDOW;
/// How many bytes are looked at where the length of a number is known, and its greatest length.
pub const KNOWN_WINDOW: usize = 16;

/// The start of a text as a window; near the end of the text zeros, in `space`, stand in for what is not there.
#[inline(always)]
#[must_use]
pub fn number_window<'t>(text: &'t [u8], space: &'t mut [u8; WINDOW]) -> &'t [u8; WINDOW] {
    if let Some(window) = text.first_chunk() {
        return window;
    }
    space.fill(0);
    space[..text.len()].copy_from_slice(text);
    space
}

/// A number at the start of a window, and how it is spelled: no sign, no exponent, no superfluous leading zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<V> {
    /// What the number is, or what that is made from.
    pub value: V,
    /// How many characters it has.
    pub length: usize,
    /// How many of them stand before the point, or where it would be.
    pub integer: usize,
}

/// Finds numbers with what a machine has. All give the same for what they find; what one of them does not find is read in another way.
///
/// Finding a number and making its value are apart, so that what stands behind it can be looked at in between, and values can be made
/// two at a time.
pub trait Numbers: Copy {
    /// What a value is made from.
    type Value: Copy;

    /// The number at the start of a window, up to as many characters as this machine likes. `None` where the text starts otherwise. What
    /// follows is not looked at; it is no digit.
    fn find(self, window: &[u8; WINDOW]) -> Option<Found<Self::Value>>;

    /// The number with an exponent, up to such a size as this machine likes.
    fn raise(self, number: Found<Self::Value>, exponent: Exponent) -> Option<Self::Value>;

    /// The two values; `None` if one is none after all.
    fn amounts(self, values: [Self::Value; 2]) -> Option<[Amount; 2]>;

    /// The values of the numbers at the starts of two windows that hold them whole, where it is known how many characters they have; `None` where one has
    /// another length, or is not found. Exponents may be among the characters, as this machine likes. If asked for, both are [spelled in the shortest
    /// form](Found::is_shortest).
    #[inline]
    fn two<const SHORTEST: bool>(self, windows: [&[u8; KNOWN_WINDOW]; 2], lengths: [usize; 2]) -> Option<[Amount; 2]> {
        let value = |index: usize| {
            let text = windows[index].get(..lengths[index])?;
            let mut space = [0; WINDOW];
            let window = number_window(text, &mut space);
            let found = self.find(window).filter(|found| found.length == text.len())?;
            (!SHORTEST || found.is_shortest(window)).then_some(found.value)
        };
        self.amounts([value(0)?, value(1)?])
    }
}

impl Numbers for Portable {
    type Value = Amount;

    #[inline(always)]
    fn find(self, window: &[u8; WINDOW]) -> Option<Found<Amount>> {
        find(window)
    }

    #[inline]
    fn raise(self, number: Found<Amount>, exponent: Exponent) -> Option<Amount> {
        exponent.power(number.decimals())?;
        // One digit and 18 decimals fit 64 bits; so do whole units of a smaller number, and a larger one stays below 10^20.
        let units = u64::try_from(number.value.0).ok().filter(|&units| units < 10 * SCALE as u64)?;
        let power = *POWERS.get(usize::from(exponent.digits))?;
        Some(Amount(if exponent.negative { (units / power).into() } else { u128::from(units) * u128::from(power) }))
    }

    #[inline(always)]
    fn amounts(self, values: [Amount; 2]) -> Option<[Amount; 2]> {
        Some(values)
    }
}

/// A power of ten behind a number, of one or two digits: as Python and Java write small and large numbers (`5.1e-05`, `1.16539E8`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exponent {
    negative: bool,
    digits: u8,
    length: u8,
}

impl Exponent {
    /// The one that a text starts with; `None` where something else stands there.
    #[inline(never)]
    #[must_use]
    pub fn read(text: &[u8; 8]) -> Option<Self> {
        if !matches!(text[0], b'e' | b'E') {
            return None;
        }
        let at = 1 + usize::from(matches!(text[1], b'-' | b'+'));
        let [tens, ones, behind] = [text[at], text[at + 1], text[at + 2]].map(|byte| byte.wrapping_sub(b'0'));
        let (digits, length) = match (tens, ones, behind) {
            (0..10, 0..10, 10..) => (10 * tens + ones, at + 2),
            (0..10, 10.., _) => (tens, at + 1),
            _ => return None,
        };
        Some(Self { negative: text[1] == b'-', digits, length: length as u8 })
    }

    /// How many characters it has.
    #[inline]
    #[must_use]
    pub const fn length(self) -> usize {
        self.length as usize
    }

    /// The last digit of a number with so many decimals counts 10^-18ths of ten to this power; `None` where they are not whole.
    #[inline]
    pub(super) fn power(self, decimals: usize) -> Option<usize> {
        let places = DECIMALS.checked_sub(decimals)?;
        let digits = usize::from(self.digits);
        if self.negative { places.checked_sub(digits) } else { Some(places + digits) }
    }
}

impl<V> Found<V> {
    /// How many decimals it has.
    #[inline(always)]
    #[must_use]
    pub const fn decimals(&self) -> usize {
        self.length.saturating_sub(self.integer + 1)
    }

    /// Whether a number that was found in `window` is spelled in the shortest form: no zero at the end of its decimals.
    #[inline(always)]
    #[must_use]
    pub const fn is_shortest(&self, window: &[u8; WINDOW]) -> bool {
        (self.length == self.integer) | (window[self.length.wrapping_sub(1) % WINDOW] != b'0')
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

/// Finds a number of at most 15 characters: up to 15 digits, perhaps with a point and up to 8 decimals among them.
#[inline(always)]
pub(super) fn find(window: &[u8; WINDOW]) -> Option<Found<Amount>> {
    let marks = not_digits(window.first_chunk()?);
    let integer = marks.trailing_zeros() as usize;
    let has_point = usize::from(window[integer & 15] == b'.');
    let behind_point = (marks & marks.wrapping_sub(1)).trailing_zeros() as usize;
    let length = if has_point == 1 { behind_point } else { integer };
    // Wraps where there is a point without digits.
    let decimals = length.wrapping_sub(integer + has_point);
    if (integer.wrapping_sub(1) | decimals.wrapping_sub(has_point)) > 7 {
        return find_wide(window, integer, decimals, length);
    }
    // Digits that are not there become zeros: before the integer, behind the decimals.
    let whole = word(window, 0) << (64 - 8 * integer);
    let fraction = word(window, (integer + has_point) & 15) & LEADING[decimals & 15];
    let (whole, fraction) = two_numbers(whole.to_le_bytes(), fraction.to_le_bytes());
    if whole < LEAST[integer & 15] {
        return None;
    }
    Some(Found { value: amount(whole.into(), fraction), length, integer })
}

/// The length of the number at the start of a window, whatever its value: digits, perhaps with a point among them, no sign, no exponent, no superfluous
/// leading zero. `None` where the window starts otherwise, or ends before the number does.
#[inline]
#[must_use]
pub fn number_length(window: &[u8; WINDOW]) -> Option<usize> {
    let [low, high] = window.as_chunks::<16>().0 else { return None };
    let marks = not_digits(low) | not_digits(high) << 16;
    let integer = marks.trailing_zeros() as usize;
    let is_integer = integer == 1 || (integer > 1 && window[0] != b'0');
    if !is_integer || integer == WINDOW {
        return None;
    }
    if window[integer] != b'.' {
        return Some(integer);
    }
    let length = (marks & (marks - 1)).trailing_zeros() as usize;
    (length > integer + 1 && length < WINDOW).then_some(length)
}

/// As [`find`], of 9 to 15 digits before the point.
#[inline(never)]
fn find_wide(window: &[u8; WINDOW], integer: usize, decimals: usize, length: usize) -> Option<Found<Amount>> {
    let has_point = length.wrapping_sub(integer).wrapping_sub(decimals);
    if !(9..16).contains(&integer) || decimals > 8 || decimals < has_point || window[0] == b'0' {
        return None;
    }
    let high = word(window, 0) << (64 - 8 * (integer - 8));
    let fraction = word(window, integer + has_point) & LEADING[decimals];
    let (high, low) = two_numbers(high.to_le_bytes(), word(window, integer - 8).to_le_bytes());
    let (fraction, _) = two_numbers(fraction.to_le_bytes(), [0; 8]);
    let whole = u64::from(high) * POWERS[8] + u64::from(low);
    Some(Found { value: amount(whole, fraction), length, integer })
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
