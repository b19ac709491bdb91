//! Exact decimals: parse, add, subtract, divide to six places, write in plain form (contract, section 3).
//!
//! Every price and quantity is an integer count of [`SCALE`]ths (10^-18). An accepted token is below 10^20 in absolute
//! value, so its magnitude is below 10^38; the sum or difference of two is below 2 * 10^38 and fits a `u128`. Sums over
//! a side of a book may not: they are kept in a [`Total`]. No binary floating point anywhere.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod joined;
mod lanes;
mod rate;
mod read;
mod total;
mod window;
mod write;

pub use joined::Joined;
pub use rate::Rate;
pub use read::parse_whole;
pub use total::Total;
pub use window::{Exponent, Found, KNOWN_WINDOW, NUMBER_WINDOW, Numbers, number_length, number_window};
pub use write::{append_first, eight_digits_text, two_digits, write_integer};

use read::{leading_digits, parse_long};
use write::{write_units, write_units_shortest};

/// Decimals after the point that a value can have.
const DECIMALS: usize = 18;
/// Units in one.
const SCALE: u128 = 10_u128.pow(DECIMALS as u32);
/// Digits before the point that a value can have.
const INTEGER_DIGITS: i64 = 20;
/// The first count of units that is no value.
#[cfg(target_arch = "x86_64")]
const UNITS_END: u128 = 10_u128.pow(INTEGER_DIGITS as u32 + DECIMALS as u32);

/// `POWERS[n]` is 10^n.
static POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

/// The longest text that [`Decimal::parse_short`] reads.
pub const SHORT_CHARS_MAX: usize = 19;

/// The text is no number, or lies outside the accepted range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANumber;

/// A signed decimal, `|value| < 2 * 10^20`, exact to 18 places. Zero is never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    magnitude: u128,
}

impl Decimal {
    /// A whole number.
    #[must_use]
    pub const fn from_integer(value: u64) -> Self {
        Self { negative: false, magnitude: value as u128 * SCALE }
    }

    /// Reads an unquoted, unescaped number token: optional sign, digits, optional fraction, optional exponent.
    ///
    /// # Errors
    /// [`NotANumber`] where the text is anything else, or the value is 10^20 or more, or has more than 18 decimals.
    pub fn parse(text: &[u8]) -> Result<Self, NotANumber> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        // Nearly every token that occurs is short.
        let magnitude = match Self::parse_short(digits) {
            Some((amount, _, length)) if length == digits.len() => amount.0,
            _ => parse_long(digits)?,
        };
        Ok(Self { negative: negative && magnitude != 0, magnitude })
    }

    /// Reads an amount in the common spelling from the start of `text`: up to 19 characters, digits with perhaps a point
    /// among them, no sign, no exponent, no superfluous leading zero. Returns it with its decimals and its length;
    /// `None` where the text starts otherwise. What follows is not looked at.
    #[inline]
    #[must_use]
    pub fn parse_short(text: &[u8]) -> Option<(Amount, u8, usize)> {
        match window::find(number_window(text, &mut [0; NUMBER_WINDOW])) {
            Some(found) => Some((found.value, found.decimals() as u8, found.length)),
            None => Self::parse_any_short(text),
        }
    }

    /// As [`Decimal::parse_short`], of any length and at the end of a text.
    fn parse_any_short(text: &[u8]) -> Option<(Amount, u8, usize)> {
        let window = &text[..text.len().min(SHORT_CHARS_MAX + 1)];
        let (value, integer) = leading_digits(window, 0);
        let (value, decimals) = match window.get(integer) {
            Some(b'.') => leading_digits(&window[integer + 1..], value),
            _ => (value, 0),
        };
        let point = usize::from(window.get(integer) == Some(&b'.'));
        let length = integer + point + decimals;
        let is_common = integer > 0 && length <= SHORT_CHARS_MAX && point == usize::from(decimals > 0) && (window[0] != b'0' || integer == 1);
        if !is_common {
            return None;
        }
        let units = u128::from(value) * u128::from(*POWERS.get(DECIMALS.checked_sub(decimals)?)?);
        Some((Amount(units), decimals as u8, length))
    }

    /// The value as a price or quantity of a book; `None` if it is negative.
    #[must_use]
    pub const fn amount(self) -> Option<Amount> {
        if self.negative { None } else { Some(Amount(self.magnitude)) }
    }

    /// Whether the value is above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        !self.negative && self.magnitude != 0
    }

    /// The digits before the point, without sign; below 2 * 10^20.
    #[must_use]
    pub const fn whole(self) -> u128 {
        self.magnitude / SCALE
    }

    /// The value as a 64-bit integer; `None` if it is none.
    #[must_use]
    pub fn integer(self) -> Option<i64> {
        if !self.magnitude.is_multiple_of(SCALE) {
            return None;
        }
        let value = i128::try_from(self.whole()).ok()?;
        i64::try_from(if self.negative { -value } else { value }).ok()
    }

    /// `self - other`, exactly. Both must come from [`Decimal::parse`].
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        if self.negative != other.negative {
            return Self { negative: self.negative, magnitude: self.magnitude + other.magnitude };
        }
        let magnitude = self.magnitude.abs_diff(other.magnitude);
        let smaller = self.magnitude < other.magnitude;
        Self { negative: magnitude != 0 && self.negative != smaller, magnitude }
    }

    /// Appends the plain form: no exponent, no superfluous zeros, at least one fractional digit.
    pub fn write(self, out: &mut Vec<u8>) {
        if self.negative {
            out.push(b'-');
        }
        write_units(self.magnitude, out);
    }
}

/// A price or a quantity of a book: not negative, below 10^20, exact to 18 places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Amount(u128);

impl Amount {
    /// Nothing: the quantity that removes a level.
    pub const ZERO: Self = Self(0);

    /// Whether this is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The count of 10^-18ths; below 10^38.
    #[must_use]
    pub const fn units(self) -> u128 {
        self.0
    }

    /// 64 bits of the units, from bit `FROM` on.
    #[must_use]
    pub const fn bits_from<const FROM: u32>(self) -> u64 {
        (self.0 >> FROM) as u64
    }

    /// `self - other`, which may be negative.
    #[must_use]
    pub const fn minus(self, other: Self) -> Decimal {
        Decimal { negative: self.0 < other.0, magnitude: self.0.abs_diff(other.0) }
    }

    /// Appends the plain form.
    pub fn write(self, out: &mut Vec<u8>) {
        write_units(self.0, out);
    }

    /// Appends the shortest spelling: as the plain form, but a whole number has neither point nor fraction.
    pub fn write_shortest(self, out: &mut Vec<u8>) {
        write_units_shortest(self.0, out);
    }

    /// The amount in units of 10^-`decimals`, `decimals <= 18`; `None` if that would lose digits.
    #[inline]
    #[must_use]
    pub fn fixed(self, decimals: u8) -> Option<u128> {
        let power = u128::from(POWERS[DECIMALS.checked_sub(decimals.into())?]);
        self.0.is_multiple_of(power).then(|| self.0 / power)
    }
}

/// The whole ones in a count of units below 2^127, and the units that are left.
#[inline]
const fn split(units: u128) -> (u128, u64) {
    // A division of 128 bits is a call. Nearly all are small enough for a multiplication by 2^110 / 10^18 in its place.
    if units >> 110 != 0 {
        let whole = units / SCALE;
        return (whole, (units - whole * SCALE) as u64);
    }
    // Both factors are cut, and each makes the product too small by less than one.
    const FACTOR: u128 = (1 << 110) / SCALE;
    let mut whole = ((units >> 46) * FACTOR) >> 64;
    let mut rest = (units - whole * SCALE) as u64;
    while rest >= SCALE as u64 {
        whole += 1;
        rest -= SCALE as u64;
    }
    (whole, rest)
}

#[cfg(test)]
mod tests;
