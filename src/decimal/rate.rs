//! Division, to six places.

use super::Decimal;
use super::write::{write_integer, write_padded};

/// A quotient rounded half away from zero to six decimals, as `signed_change_rate` is written. Zero has no sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    negative: bool,
    whole: u128,
    millionths: u32,
}

impl Rate {
    /// `numerator / denominator`; `None` if the denominator is zero.
    #[must_use]
    pub fn of(numerator: Decimal, denominator: Decimal) -> Option<Self> {
        let divisor = denominator.magnitude;
        if divisor == 0 {
            return None;
        }
        let mut whole = numerator.magnitude / divisor;
        let mut remainder = numerator.magnitude % divisor;
        let mut millionths = 0;
        for _ in 0..6 {
            let digit;
            (digit, remainder) = times_ten(remainder, divisor);
            millionths = millionths * 10 + digit;
        }
        if remainder >= divisor - remainder {
            millionths += 1;
        }
        if millionths == 1_000_000 {
            millionths = 0;
            whole += 1;
        }
        let negative = numerator.negative != denominator.negative && (whole != 0 || millionths != 0);
        Some(Self { negative, whole, millionths })
    }

    /// `value` itself, as a rate.
    #[must_use]
    pub fn fraction(value: Decimal) -> Option<Self> {
        Self::of(value, Decimal::from_integer(1))
    }

    /// `value` per cent, as a rate.
    #[must_use]
    pub fn percent(value: Decimal) -> Option<Self> {
        Self::of(value, Decimal::from_integer(100))
    }

    /// Appends the rate with all six decimals.
    pub fn write(self, out: &mut Vec<u8>) {
        if self.negative {
            out.push(b'-');
        }
        write_integer(self.whole, out);
        out.push(b'.');
        write_padded(u64::from(self.millionths), 6, out);
    }
}

/// Digit and remainder of `10 * remainder / divisor`, for `remainder < divisor < 2^128`, without overflow.
const fn times_ten(remainder: u128, divisor: u128) -> (u32, u128) {
    if let Some(product) = remainder.checked_mul(10) {
        return ((product / divisor) as u32, product % divisor);
    }
    let (mut digit, mut sum, mut count) = (0, 0, 0);
    while count < 10 {
        if sum >= divisor - remainder {
            sum -= divisor - remainder;
            digit += 1;
        } else {
            sum += remainder;
        }
        count += 1;
    }
    (digit, sum)
}
