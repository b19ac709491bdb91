//! The walk over a string that holds a frame, with AVX2. Its portable twin stands in [`super::quoted`].
#![expect(unsafe_code, reason = "vectors are loaded from memory, and functions are called whose instructions a token proves")]

use std::arch::x86_64::{
    __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_setzero_si256,
    _mm256_testz_si256, _mm256_xor_si256,
};
use std::hint::select_unpredictable;

use crate::machine::Avx2;

const LANE: usize = 32;

/// How many bytes at the start of `text` are inside a string, as [`super::quoted`] says it of a block. At least all but the
/// last 32 of them are found.
#[inline]
pub(super) fn inside(_: Avx2, text: &[u8]) -> usize {
    // SAFETY: the token exists only where the machine has AVX2, BMI1 and BMI2.
    unsafe { inside_by_avx2(text) }
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn inside_by_avx2(text: &[u8]) -> usize {
    let mut rest = text;
    while let Some(window) = rest.first_chunk::<{ 4 * LANE + 1 }>() {
        let lanes = [0, 1, 2, 3].map(|lane| load(window, lane * LANE));
        let unpaired = [0, 1, 2, 3].map(|lane| unpaired(lanes[lane], load(window, lane * LANE + 1)));
        let any_unpaired = _mm256_or_si256(_mm256_or_si256(unpaired[0], unpaired[1]), _mm256_or_si256(unpaired[2], unpaired[3]));
        let any_controls = controls(_mm256_min_epu8(_mm256_min_epu8(lanes[0], lanes[1]), _mm256_min_epu8(lanes[2], lanes[3])));
        let faults = _mm256_or_si256(any_unpaired, any_controls);
        if _mm256_testz_si256(faults, faults) == 0 {
            let faults = [0, 1, 2, 3].map(|lane| bits(_mm256_or_si256(unpaired[lane], controls(lanes[lane]))));
            let [low, high] = [0, 2].map(|lane| u64::from(faults[lane]) | u64::from(faults[lane + 1]) << LANE);
            // Nobody can foretell in which lane it is: no branch asks.
            let first = select_unpredictable(low == 0, 64 + high.trailing_zeros(), low.trailing_zeros());
            return text.len() - rest.len() + first as usize;
        }
        rest = &rest[4 * LANE..];
    }
    while let Some(window) = rest.first_chunk::<{ LANE + 1 }>() {
        let lane = load(window, 0);
        let faults = _mm256_or_si256(unpaired(lane, load(window, 1)), controls(lane));
        let faults = bits(faults);
        if faults != 0 {
            return text.len() - rest.len() + faults.trailing_zeros() as usize;
        }
        rest = &rest[LANE..];
    }
    text.len() - rest.len()
}

/// All bits of each byte that is a backslash without a quote behind it, or any other byte with one.
#[inline]
#[target_feature(enable = "avx2")]
fn unpaired(bytes: __m256i, behind: __m256i) -> __m256i {
    let is_backslash = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'\\'.cast_signed()));
    let is_before_quote = _mm256_cmpeq_epi8(behind, _mm256_set1_epi8(b'"'.cast_signed()));
    _mm256_xor_si256(is_backslash, is_before_quote)
}

/// All bits of each byte that is a control character.
#[inline]
#[target_feature(enable = "avx2")]
fn controls(bytes: __m256i) -> __m256i {
    _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes)
}

/// A bit for each byte, its top one.
#[inline]
#[target_feature(enable = "avx2")]
fn bits(bytes: __m256i) -> u32 {
    _mm256_movemask_epi8(bytes).cast_unsigned()
}

/// Whether every byte is ASCII.
#[inline]
pub(super) fn is_ascii(_: Avx2, text: &[u8]) -> bool {
    // SAFETY: the token exists only where the machine has AVX2, BMI1 and BMI2.
    unsafe { is_ascii_by_avx2(text) }
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn is_ascii_by_avx2(text: &[u8]) -> bool {
    let (blocks, rest) = text.as_chunks::<{ 8 * LANE }>();
    let all = |block: &[u8; 8 * LANE]| (0..8).fold(_mm256_setzero_si256(), |all, lane| _mm256_or_si256(all, load(block, lane * LANE)));
    blocks.iter().all(|block| _mm256_movemask_epi8(all(block)) == 0) && rest.is_ascii()
}

#[inline]
#[target_feature(enable = "avx2")]
fn load<const N: usize>(window: &[u8; N], at: usize) -> __m256i {
    let bytes: &[u8] = &window[at..at + LANE];
    // SAFETY: all 32 bytes that are read belong to the slice; they need no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}
