//! What is done to sixteen bytes at once when a number is read or written: which of them are digits, what number eight
//! digits make, twice, and what digits two numbers have. With SSE2, which every x86-64 has; elsewhere the same in plain code.

/// A bit for each byte that is no ASCII digit; the lowest is the first byte's.
#[inline(always)]
pub(super) fn not_digits(bytes: &[u8; 16]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    {
        sse2::not_digits(bytes)
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        plain::not_digits(bytes)
    }
}

/// The numbers that two times eight ASCII digits make; the byte 0 counts as the digit 0.
#[inline(always)]
pub(super) fn two_numbers(first: [u8; 8], second: [u8; 8]) -> (u32, u32) {
    #[cfg(target_arch = "x86_64")]
    {
        sse2::two_numbers(first, second)
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        plain::two_numbers(first, second)
    }
}

/// The digits of two numbers below 10^8 as text, with leading zeros; and a bit for each that is not zero, the lowest the first one's.
#[inline(always)]
pub(super) fn digits_of_two(first: u32, second: u32) -> ([u8; 16], u32) {
    #[cfg(target_arch = "x86_64")]
    {
        sse2::digits_of_two(first, second)
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        plain::digits_of_two(first, second)
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the instructions of SSE2 are called from code that does not name it")]
mod sse2 {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi8, _mm_cmpgt_epi8, _mm_cvtsi128_si64, _mm_madd_epi16, _mm_movemask_epi8, _mm_mul_epu32, _mm_mulhi_epu16, _mm_mullo_epi16,
        _mm_or_si128, _mm_packs_epi32, _mm_set_epi64x, _mm_set1_epi8, _mm_set1_epi16, _mm_set1_epi32, _mm_setzero_si128, _mm_slli_epi16, _mm_slli_epi32,
        _mm_slli_epi64, _mm_srli_epi16, _mm_srli_epi64, _mm_sub_epi16, _mm_sub_epi32, _mm_subs_epu8, _mm_unpackhi_epi64,
    };

    #[inline(always)]
    pub(super) fn not_digits(bytes: &[u8; 16]) -> u32 {
        // SAFETY: SSE2 is a part of x86-64, and there is no other precondition.
        unsafe { not_digits_by_sse2(bytes) }
    }

    #[inline(always)]
    pub(super) fn two_numbers(first: [u8; 8], second: [u8; 8]) -> (u32, u32) {
        // SAFETY: SSE2 is a part of x86-64, and there is no other precondition.
        unsafe { two_numbers_by_sse2(first, second) }
    }

    #[inline(always)]
    pub(super) fn digits_of_two(first: u32, second: u32) -> ([u8; 16], u32) {
        // SAFETY: SSE2 is a part of x86-64, and there is no other precondition.
        unsafe { digits_of_two_by_sse2(first, second) }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn not_digits_by_sse2(bytes: &[u8; 16]) -> u32 {
        let [first, second] = *bytes.as_chunks::<8>().0 else { return u32::MAX };
        // Digits become the ten smallest signed bytes.
        let moved = _mm_add_epi8(together(first, second), _mm_set1_epi8(80));
        _mm_movemask_epi8(_mm_cmpgt_epi8(moved, _mm_set1_epi8(-119))).cast_unsigned()
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn two_numbers_by_sse2(first: [u8; 8], second: [u8; 8]) -> (u32, u32) {
        let digits = _mm_subs_epu8(together(first, second), _mm_set1_epi8(b'0'.cast_signed()));
        // The high byte of a pair is ten times its first digit and its second; then fours and all eight.
        let pairs = _mm_srli_epi16::<8>(_mm_mullo_epi16(digits, _mm_set1_epi16(10 * 256 + 1)));
        let fours = _mm_madd_epi16(pairs, _mm_set1_epi32(100 + (1 << 16)));
        let eights = _mm_madd_epi16(_mm_packs_epi32(fours, fours), _mm_set1_epi32(10_000 + (1 << 16)));
        let both = _mm_cvtsi128_si64(eights).cast_unsigned();
        (both as u32, (both >> 32) as u32)
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn digits_of_two_by_sse2(first: u32, second: u32) -> ([u8; 16], u32) {
        // Fours, pairs and digits, each split by a multiplication that is a division by 10,000, 100 and 10 of what is that small.
        let eights = _mm_set_epi64x(second.into(), first.into());
        let high = _mm_srli_epi64::<45>(_mm_mul_epu32(eights, _mm_set1_epi32(0xd1b7_1759_u32.cast_signed())));
        let low = _mm_sub_epi32(eights, _mm_mul_epu32(high, _mm_set1_epi32(10_000)));
        let fours = _mm_or_si128(high, _mm_slli_epi64::<32>(low));
        let high = _mm_srli_epi16::<3>(_mm_mulhi_epu16(fours, _mm_set1_epi16(5_243)));
        let low = _mm_sub_epi16(fours, _mm_mullo_epi16(high, _mm_set1_epi16(100)));
        let pairs = _mm_or_si128(high, _mm_slli_epi32::<16>(low));
        let high = _mm_mulhi_epu16(pairs, _mm_set1_epi16(6_554));
        let low = _mm_sub_epi16(pairs, _mm_mullo_epi16(high, _mm_set1_epi16(10)));
        let digits = _mm_or_si128(high, _mm_slli_epi16::<8>(low));
        let not_zeros = _mm_movemask_epi8(_mm_cmpgt_epi8(digits, _mm_setzero_si128())).cast_unsigned();
        let text = _mm_add_epi8(digits, _mm_set1_epi8(b'0'.cast_signed()));
        let [low, high] = [text, _mm_unpackhi_epi64(text, text)].map(|half| _mm_cvtsi128_si64(half).cast_unsigned());
        let text = (u128::from(low) | u128::from(high) << 64).to_le_bytes();
        (text, not_zeros)
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn together(first: [u8; 8], second: [u8; 8]) -> __m128i {
        _mm_set_epi64x(i64::from_le_bytes(second), i64::from_le_bytes(first))
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
mod plain {
    pub(super) fn not_digits(bytes: &[u8; 16]) -> u32 {
        bytes.iter().rev().fold(0, |marks, byte| marks << 1 | u32::from(!byte.is_ascii_digit()))
    }

    pub(super) fn two_numbers(first: [u8; 8], second: [u8; 8]) -> (u32, u32) {
        let number = |digits: [u8; 8]| digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit.saturating_sub(b'0')));
        (number(first), number(second))
    }

    pub(super) fn digits_of_two(first: u32, second: u32) -> ([u8; 16], u32) {
        let mut value = u64::from(first) * 100_000_000 + u64::from(second);
        let mut text = [0; 16];
        for byte in text.iter_mut().rev() {
            *byte = b'0' + (value % 10) as u8;
            value /= 10;
        }
        (text, text.iter().rev().fold(0, |marks, &byte| marks << 1 | u32::from(byte != b'0')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn digits_are_told_alike(mut bytes: [u8; 16], other in prop::sample::select(b"/:0.9\"e\x00\x80\xb0\xff".to_vec()), at in 0_usize..16) {
            bytes[at] = other;
            prop_assert_eq!(not_digits(&bytes), plain::not_digits(&bytes));
            let marks = not_digits(&bytes);
            prop_assert!((0..16).all(|at| (marks >> at & 1 == 1) != bytes[at].is_ascii_digit()) && marks < 1 << 16);
        }

        #[test]
        fn numbers_have_the_same_digits(first in 0_u32..100_000_000, second in 0_u32..100_000_000, fewer in 0_u32..9, none: bool) {
            let (first, second) = if none { (0, second / 10_u32.pow(fewer)) } else { (first / 10_u32.pow(fewer), second) };
            prop_assert_eq!(digits_of_two(first, second), plain::digits_of_two(first, second));
            let (text, marks) = digits_of_two(first, second);
            prop_assert_eq!(std::str::from_utf8(&text).unwrap(), format!("{first:08}{second:08}"));
            prop_assert!((0..16).all(|at| (marks >> at & 1 == 1) == (text[at] != b'0')) && marks < 1 << 16);
        }

        #[test]
        fn digits_make_the_same_numbers(text in "[0-9\u{0}]{16}") {
            let (first, second) = (*text.as_bytes().first_chunk().unwrap(), *text.as_bytes().last_chunk().unwrap());
            prop_assert_eq!(two_numbers(first, second), plain::two_numbers(first, second));
            let value = |text: &str| text.replace('\0', "0").parse::<u32>().unwrap();
            prop_assert_eq!(two_numbers(first, second), (value(&text[..8]), value(&text[8..])));
        }
    }
}
