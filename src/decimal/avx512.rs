//! [`super::Joined`] with AVX-512: eight numbers are divided at once, and the digits of four packed together. Its twin is [`super::joined`].
#![expect(unsafe_code, reason = "vectors are loaded from memory and written to it, and a function is called whose instructions a token proves")]

use std::arch::x86_64::{
    __m512i, _mm512_add_epi8, _mm512_and_si512, _mm512_cmpneq_epi64_mask, _mm512_loadu_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64,
    _mm512_mask_shuffle_epi32, _mm512_maskz_compress_epi8, _mm512_mulhi_epu16, _mm512_mullo_epi16, _mm512_mullo_epi64, _mm512_or_si512,
    _mm512_permutex2var_epi64, _mm512_set_epi64, _mm512_set1_epi8, _mm512_set1_epi16, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_shrdi_epi64,
    _mm512_shrdv_epi64, _mm512_slli_epi16, _mm512_slli_epi32, _mm512_srli_epi16, _mm512_srli_epi64, _mm512_srlv_epi64, _mm512_storeu_si512, _mm512_sub_epi16,
    _mm512_test_epi8_mask, _mm512_test_epi64_mask,
};

use super::write::INVERSES;
use super::{Amount, POWERS};
use crate::machine::Avx512;

/// Pairs whose numbers are divided together.
const TOGETHER: usize = 4;
/// The lowest bit of each number's sixteen digits.
const FIRSTS: u64 = 0x0001_0001_0001_0001;
/// The highest one.
const LASTS: u64 = FIRSTS << 15;

/// Writes numbers of at most sixteen digits to the start of a text, and says how long they are; `None` also for others that are large.
pub(super) fn join(_: Avx512, pairs: &[[Amount; 2]], (first, second): (usize, usize), text: &mut [u8]) -> Option<usize> {
    // SAFETY: the token exists only where the machine has AVX-512 F, BW, DQ, IFMA and VBMI2, BMI1, BMI2 and POPCNT.
    unsafe { join_by_avx512(pairs, first, second, text) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512ifma,avx512vbmi2,bmi1,bmi2,popcnt")]
fn join_by_avx512(pairs: &[[Amount; 2]], first: usize, second: usize, text: &mut [u8]) -> Option<usize> {
    let division = Division::by_powers(first, second);
    let (fours, rest) = pairs.as_chunks();
    let mut length = 0;
    for pairs in fours {
        length += write_pairs(pairs, TOGETHER, &division, text.get_mut(length..)?)?;
    }
    if !rest.is_empty() {
        let mut pairs = [[Amount::ZERO; 2]; TOGETHER];
        pairs.iter_mut().zip(rest).for_each(|(place, pair)| *place = *pair);
        length += write_pairs(&pairs, rest.len(), &division, text.get_mut(length..)?)?;
    }
    Some(length)
}

/// Writes the first `count` pairs, and says how long they are.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512ifma,avx512vbmi2,bmi1,popcnt")]
fn write_pairs(pairs: &[[Amount; 2]; TOGETHER], count: usize, division: &Division, text: &mut [u8]) -> Option<usize> {
    let (high, low) = eights(division.quotients(pairs)?);
    let (first, second) = order();
    // What is no pair has no digits.
    let are_there = u128::MAX >> (32 * (TOGETHER - count));
    let length = write_digits(_mm512_permutex2var_epi64(high, first, low), are_there as u64, text.first_chunk_mut()?);
    let second = write_digits(_mm512_permutex2var_epi64(high, second, low), (are_there >> 64) as u64, text.get_mut(length..)?.first_chunk_mut()?);
    Some(length + second)
}

/// What numbers of pairs are divided by: powers of ten, which are powers of two and of five.
struct Division {
    exponents: __m512i,
    /// What is left over by a power of two.
    rest: __m512i,
    /// Powers of five.
    fives: __m512i,
    /// A multiplication by it is the division by a power of five, where nothing is left over.
    inverses: __m512i,
}

/// `FIVES[n]` is 5^n; all are below 2^42.
static FIVES: [u64; INVERSES.len()] = {
    let (mut fives, mut exponent) = ([1; INVERSES.len()], 1);
    while exponent < fives.len() {
        fives[exponent] = 5 * fives[exponent - 1];
        exponent += 1;
    }
    fives
};

impl Division {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn by_powers(first: usize, second: usize) -> Self {
        let each = |of: fn(usize) -> u64| {
            let (first, second) = (of(first).cast_signed(), of(second).cast_signed());
            _mm512_set_epi64(second, first, second, first, second, first, second, first)
        };
        Self {
            exponents: each(|exponent| exponent as u64),
            rest: each(|exponent| (1 << exponent) - 1),
            fives: each(|exponent| FIVES[exponent]),
            inverses: each(|exponent| INVERSES[exponent]),
        }
    }

    /// The quotients; `None` if something is left over, or one has more than 52 bits.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    fn quotients(&self, pairs: &[[Amount; 2]; TOGETHER]) -> Option<__m512i> {
        // SAFETY: all twice 64 bytes that are read belong to the pairs, of which each number is 128 bits; they need no alignment.
        let (first, second) = unsafe { (_mm512_loadu_si512(pairs.as_ptr().cast()), _mm512_loadu_si512(pairs.as_ptr().add(TOGETHER / 2).cast())) };
        let low = _mm512_permutex2var_epi64(first, _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0), second);
        let high = _mm512_permutex2var_epi64(first, _mm512_set_epi64(15, 13, 11, 9, 7, 5, 3, 1), second);
        let (halved, halved_high) = (_mm512_shrdv_epi64(low, high, self.exponents), _mm512_srlv_epi64(high, self.exponents));
        let quotients = _mm512_mullo_epi64(halved, self.inverses);
        // Multiplied again, they have the same lowest 64 bits; those above the lowest 52 tell the rest.
        let product = _mm512_madd52hi_epu64(_mm512_setzero_si512(), quotients, self.fives);
        let differ = _mm512_cmpneq_epi64_mask(product, _mm512_shrdi_epi64::<52>(halved, halved_high));
        let beyond = _mm512_srli_epi64::<52>(_mm512_or_si512(quotients, halved_high));
        let over = _mm512_or_si512(_mm512_and_si512(low, self.rest), beyond);
        (_mm512_test_epi64_mask(over, over) | differ == 0).then_some(quotients)
    }
}

/// Which of the upper and lower eight digits of eight numbers stand one behind the other in those of the first four, and of the others.
#[inline]
#[target_feature(enable = "avx512f")]
fn order() -> (__m512i, __m512i) {
    (_mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0), _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4))
}

/// Numbers of 52 bits divided by 10^8, and in the lowest 52 bits what is left over.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn eights(values: __m512i) -> (__m512i, __m512i) {
    // Rounded up by less than 0.07, of which 2^52 times make less than 2^78 / 10^8.
    const FACTOR: u64 = ((1_u128 << 78) / 100_000_000 + 1) as u64;
    let high = _mm512_srli_epi64::<26>(times_high(values, FACTOR));
    (high, minus_times(values, high, POWERS[8]))
}

/// The upper 52 bits of the products of 52 bits and a factor.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn times_high(values: __m512i, factor: u64) -> __m512i {
    _mm512_madd52hi_epu64(_mm512_setzero_si512(), values, _mm512_set1_epi64(factor.cast_signed()))
}

/// `values - taken * factor`, of which the lowest 52 bits count.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn minus_times(values: __m512i, taken: __m512i, factor: u64) -> __m512i {
    _mm512_madd52lo_epu64(values, taken, _mm512_set1_epi64((1 << 52) - factor.cast_signed()))
}

/// Writes the digits of four numbers, without leading zeros, and says how many there are. `are_there`: a bit for each of sixteen digits of each number.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512ifma,avx512vbmi2,bmi1,popcnt")]
fn write_digits(eights: __m512i, are_there: u64, text: &mut [u8; 64]) -> usize {
    // Fours, pairs and digits, each split by a multiplication that is a division by 10,000, 100 and 10 of what is that small.
    let high = times_high(eights, (1 << 52) / POWERS[4] + 1);
    let low = minus_times(eights, high, POWERS[4]);
    let fours = _mm512_mask_shuffle_epi32::<0b10_10_00_00>(high, 0xaaaa, low);
    let high = _mm512_srli_epi16::<3>(_mm512_mulhi_epu16(fours, _mm512_set1_epi16(5_243)));
    let low = _mm512_sub_epi16(fours, _mm512_mullo_epi16(high, _mm512_set1_epi16(100)));
    let pairs = _mm512_or_si512(high, _mm512_slli_epi32::<16>(low));
    let high = _mm512_mulhi_epu16(pairs, _mm512_set1_epi16(6_554));
    let low = _mm512_sub_epi16(pairs, _mm512_mullo_epi16(high, _mm512_set1_epi16(10)));
    let digits = _mm512_or_si512(high, _mm512_slli_epi16::<8>(low));
    // Zero has one digit. One less turns the bits up to the lowest one of each number.
    let not_zeros = _mm512_test_epi8_mask(digits, digits) | LASTS;
    let leading = (not_zeros - FIRSTS) & !not_zeros;
    let kept = are_there & !leading;
    let packed = _mm512_maskz_compress_epi8(kept, _mm512_add_epi8(digits, _mm512_set1_epi8(b'0'.cast_signed())));
    // SAFETY: all 64 bytes that are written belong to the text; they need no alignment.
    unsafe { _mm512_storeu_si512(text.as_mut_ptr().cast(), packed) };
    kept.count_ones() as usize
}
