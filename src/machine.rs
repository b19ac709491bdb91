//! What the machine can do beyond what every x86-64 can. A token stands for instructions that are there: code that needs
//! them takes it, so that none can run where they are not. Knows nothing of what is done with them.

/// AVX2, BMI1 and BMI2 are there.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

impl Avx2 {
    /// The token, where this machine has the instructions. It is asked once; then this costs a few instructions.
    #[inline]
    #[must_use]
    pub fn detect() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2") {
            return Some(Self(()));
        }
        None
    }
}

/// AVX-512 is there, as far as it looks at bytes, packs them together and multiplies 64 bits (F, BW, DQ, IFMA and VBMI2), and POPCNT and [`Avx2`]
/// with it.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(Avx2);

impl Avx512 {
    /// As [`Avx2::detect`].
    #[inline]
    #[must_use]
    pub fn detect() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512ifma")
            && is_x86_feature_detected!("avx512vbmi2")
            && is_x86_feature_detected!("popcnt")
        {
            return Avx2::detect().map(Self);
        }
        None
    }

    /// What is there besides.
    #[inline(always)]
    #[must_use]
    pub const fn avx2(self) -> Avx2 {
        self.0
    }
}

/// What every machine can do.
#[derive(Clone, Copy, Debug)]
pub struct Portable;
