//! The loop over levels, compiled for what a machine has.
#![expect(unsafe_code, reason = "a function is called whose instructions a token proves")]

#[cfg(target_arch = "x86_64")]
use super::ends::OfStretch;
use super::ends::{Ends, Unknown};
use super::levels::Form;
use super::scanner::Scanner;
use crate::decimal::{Amount, Numbers};
use crate::machine::Portable;
#[cfg(target_arch = "x86_64")]
use crate::machine::{Avx2, Avx512};

/// What a scanner runs on.
pub(super) trait Machine: Numbers {
    /// What is known of where numbers end.
    type Ends: Ends;

    /// Of a text that nobody has looked at.
    fn ends(self) -> Self::Ends;

    /// [`Scanner::levels`].
    fn levels<const ESCAPED: bool, const SPACED: bool, const N: usize, F: Form<N>>(
        scanner: &mut Scanner<'_, ESCAPED, SPACED, Self>,
        push: impl FnMut([Amount; N]),
    ) -> Option<()>;
}

impl Machine for Portable {
    type Ends = Unknown;

    fn ends(self) -> Unknown {
        Unknown
    }

    fn levels<const ESCAPED: bool, const SPACED: bool, const N: usize, F: Form<N>>(
        scanner: &mut Scanner<'_, ESCAPED, SPACED, Self>,
        push: impl FnMut([Amount; N]),
    ) -> Option<()> {
        scanner.levels::<N, F>(push)
    }
}

#[cfg(target_arch = "x86_64")]
impl Machine for Avx2 {
    type Ends = Unknown;

    fn ends(self) -> Unknown {
        Unknown
    }

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

#[cfg(target_arch = "x86_64")]
impl Machine for Avx512 {
    type Ends = OfStretch;

    #[inline(always)]
    fn ends(self) -> OfStretch {
        OfStretch::new(self)
    }

    #[inline]
    fn levels<const ESCAPED: bool, const SPACED: bool, const N: usize, F: Form<N>>(
        scanner: &mut Scanner<'_, ESCAPED, SPACED, Self>,
        push: impl FnMut([Amount; N]),
    ) -> Option<()> {
        #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,avx2,bmi1,bmi2")]
        fn levels<const ESCAPED: bool, const SPACED: bool, const N: usize, F: Form<N>>(
            scanner: &mut Scanner<'_, ESCAPED, SPACED, Avx512>,
            push: impl FnMut([Amount; N]),
        ) -> Option<()> {
            scanner.levels::<N, F>(push)
        }
        // SAFETY: the scanner has the token, which exists only where the machine has AVX-512 F, BW and VBMI2, and AVX2, BMI1 and BMI2.
        unsafe { levels::<ESCAPED, SPACED, N, F>(scanner, push) }
    }
}
