//! Sums over a side of a book, which may outgrow what a single amount fits in.

use super::write::{write_fraction, write_integer, write_units};
use super::{Amount, SCALE};

/// The exact sum of any number of amounts up to 2^64 of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    low: u128,
    high: u64,
}

impl Total {
    /// The sum of nothing.
    pub const ZERO: Self = Self { low: 0, high: 0 };

    /// The sum with one more amount.
    #[must_use]
    pub const fn plus(mut self, amount: Amount) -> Self {
        self.add(amount);
        self
    }

    /// Adds an amount.
    pub const fn add(&mut self, amount: Amount) {
        let (low, carry) = self.low.overflowing_add(amount.0);
        self.low = low;
        self.high += carry as u64;
    }

    /// Takes away an amount that was added before.
    pub const fn subtract(&mut self, amount: Amount) {
        let (low, borrow) = self.low.overflowing_sub(amount.0);
        self.low = low;
        self.high -= borrow as u64;
    }

    /// Takes away the sum of some amounts that were added before, and adds that of others.
    pub const fn replace(&mut self, went: Self, came: Self) {
        let (low, borrow) = self.low.overflowing_sub(went.low);
        self.high -= went.high + borrow as u64;
        let (low, carry) = low.overflowing_add(came.low);
        self.high += came.high + carry as u64;
        self.low = low;
    }

    /// The count of 10^-18ths in 64-bit words, the lowest first.
    #[must_use]
    pub const fn words(self) -> [u64; 3] {
        [self.low as u64, (self.low >> 64) as u64, self.high]
    }

    /// Appends the plain form.
    pub fn write(self, out: &mut Vec<u8>) {
        if self.high == 0 {
            write_units(self.low, out);
            return;
        }
        // Long division by 10^18 in 64-bit digits: every partial remainder is below 10^18 < 2^64.
        let digits = [self.high, (self.low >> 64) as u64, self.low as u64];
        let mut quotient = [0_u64; 3];
        let mut remainder = 0_u128;
        for (digit, quotient) in digits.into_iter().zip(&mut quotient) {
            let partial = (remainder << 64) | u128::from(digit);
            *quotient = (partial / SCALE) as u64;
            remainder = partial % SCALE;
        }
        // 2^192 / 10^18 is below 2^133, but a sum of 2^64 amounts below 10^38 stays below 2^128 whole ones.
        write_integer((u128::from(quotient[1]) << 64) | u128::from(quotient[2]), out);
        out.push(b'.');
        write_fraction(remainder as u64, out);
    }
}
