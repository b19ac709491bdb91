//! The loop over levels, compiled for what a machine has.
#![expect(unsafe_code, reason = "a function is called whose instructions a token proves")]

use super::levels::Form;
use super::scanner::Scanner;
use crate::decimal::{Amount, Numbers};
#[cfg(target_arch = "x86_64")]
use crate::machine::Avx2;
use crate::machine::Portable;

/// What a scanner runs on.
pub(super) trait Machine: Numbers {
    /// [`Scanner::levels`].
    fn levels<const ESCAPED: bool, const SPACED: bool, const N: usize, F: Form<N>>(
        scanner: &mut Scanner<'_, ESCAPED, SPACED, Self>,
        push: impl FnMut([Amount; N]),
    ) -> Option<()>;
}

impl Machine for Portable {
    fn levels<const ESCAPED: bool, const SPACED: bool, const N: usize, F: Form<N>>(
        scanner: &mut Scanner<'_, ESCAPED, SPACED, Self>,
        push: impl FnMut([Amount; N]),
    ) -> Option<()> {
        scanner.levels::<N, F>(push)
    }
}

#[cfg(target_arch = "x86_64")]
impl Machine for Avx2 {
    #[inline]
    fn levels<const ESCAPED: bool, const SPACED: bool, const N: usize, F: Form<N>>(
        scanner: &mut Scanner<'_, ESCAPED, SPACED, Self>,
        push: impl FnMut([Amount; N]),
    ) -> Option<()> {
        #[target_feature(enable = "avx2,bmi1,bmi2")]
        fn levels<const ESCAPED: bool, const SPACED: bool, const N: usize, F: Form<N>>(
            scanner: &mut Scanner<'_, ESCAPED, SPACED, Avx2>,
            push: impl FnMut([Amount; N]),
        ) -> Option<()> {
            scanner.levels::<N, F>(push)
        }
        // SAFETY: the scanner has the token, which exists only where the machine has AVX2, BMI1 and BMI2.
        unsafe { levels::<ESCAPED, SPACED, N, F>(scanner, push) }
    }
}
