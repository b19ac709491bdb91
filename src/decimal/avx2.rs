//! [`Numbers`] with AVX2 and BMI: digits move to their places in one shuffle, and up to sixteen of them become a number at once,
//! of two numbers together. It finds what its portable twin finds, and numbers of any 16 characters more.
#![expect(unsafe_code, reason = "a vector is loaded from memory, and functions are called whose instructions a token proves")]

use std::arch::x86_64::{
    __m128i, __m256i, _mm_cvtsi128_si64, _mm_load_si128, _mm_loadu_si128, _mm_shuffle_epi8, _mm256_add_epi8, _mm256_add_epi64, _mm256_castsi128_si256,
    _mm256_castsi256_si128, _mm256_cmpeq_epi8, _mm256_cmpgt_epi8, _mm256_extracti128_si256, _mm256_inserti128_si256, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_maddubs_epi16, _mm256_movemask_epi8, _mm256_mul_epu32, _mm256_or_si256, _mm256_packus_epi32, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32,
    _mm256_set1_epi64x, _mm256_shuffle_epi8, _mm256_srli_epi64, _mm256_sub_epi8, _mm256_subs_epu8, _mm256_testz_si256,
};

use super::{Amount, DECIMALS, Exponent, Found, KNOWN_WINDOW, NUMBER_WINDOW, Numbers, POWERS, UNITS_END};
use crate::machine::{Avx2, Avx512};

/// The longest number that is read.
const CHARS_MAX: usize = KNOWN_WINDOW;

impl Numbers for Avx2 {
    type Value = Digits;

    #[inline(always)]
    fn find(self, window: &[u8; NUMBER_WINDOW]) -> Option<Found<Digits>> {
        // SAFETY: the token exists only where the machine has AVX2, BMI1 and BMI2.
        unsafe { find(window) }
    }

    #[inline(always)]
    fn raise(self, number: Found<Digits>, exponent: Exponent) -> Option<Digits> {
        let (power, digits) = (exponent.power(number.decimals())?, number.value);
        // One of the last digit may be more than a unit can say: then the digits move, and zeros follow them.
        let zeros = power.saturating_sub(POWERS.len() - 1);
        let count = number.length - usize::from(number.length > number.integer);
        if count + zeros > CHARS_MAX {
            return None;
        }
        // SAFETY: as above.
        let text = unsafe { followed_by_zeros(digits.text, zeros) };
        Some(Digits { text, units: POWERS[power - zeros], least: digits.least.saturating_mul(POWERS[zeros]) })
    }

    #[inline(always)]
    fn amounts(self, values: [Digits; 2]) -> Option<[Amount; 2]> {
        // SAFETY: as above.
        unsafe { amounts(values) }
    }

    #[inline(always)]
    fn two<const SHORTEST: bool>(self, windows: [&[u8; KNOWN_WINDOW]; 2], lengths: [usize; 2]) -> Option<[Amount; 2]> {
        // SAFETY: as above.
        unsafe { two::<SHORTEST>(windows, lengths) }
    }
}

/// As [`Avx2`]: AVX-512 does nothing better here.
impl Numbers for Avx512 {
    type Value = Digits;

    #[inline(always)]
    fn find(self, window: &[u8; NUMBER_WINDOW]) -> Option<Found<Digits>> {
        self.avx2().find(window)
    }

    #[inline(always)]
    fn raise(self, number: Found<Digits>, exponent: Exponent) -> Option<Digits> {
        self.avx2().raise(number, exponent)
    }

    #[inline(always)]
    fn amounts(self, values: [Digits; 2]) -> Option<[Amount; 2]> {
        self.avx2().amounts(values)
    }

    #[inline(always)]
    fn two<const SHORTEST: bool>(self, windows: [&[u8; KNOWN_WINDOW]; 2], lengths: [usize; 2]) -> Option<[Amount; 2]> {
        self.avx2().two::<SHORTEST>(windows, lengths)
    }
}

/// The digits of a number in their places.
#[derive(Clone, Copy)]
pub struct Digits {
    /// Sixteen of them, the last one last, as ASCII or the byte 0.
    text: __m128i,
    /// Units of 10^-18 in one of the last digit.
    units: u64,
    /// The least that the digits make where the first is no superfluous zero; beyond all of them if the text has not the form of a number.
    least: u64,
}

/// How a number of a certain form is taken apart.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
struct Form {
    /// Which character goes to which of sixteen digits, the last one last; the top bit makes a zero.
    places: [u8; 16],
    /// See [`Digits`].
    units: u64,
    least: u64,
}

/// By length and digits before the point: `FORMS[length * NUMBER_WINDOW + integer]`.
static FORMS: [Form; (CHARS_MAX + 1) * NUMBER_WINDOW + 1] = {
    let mut forms = [Form { places: [0x80; 16], units: 0, least: u64::MAX }; (CHARS_MAX + 1) * NUMBER_WINDOW + 1];
    let mut length = 1;
    while length <= CHARS_MAX {
        let mut integer = 1;
        while integer <= CHARS_MAX {
            // A point has digits behind it; one that stands behind the number is none of its own.
            if integer + 1 != length {
                forms[length * NUMBER_WINDOW + integer] = form(length, if integer < length { integer } else { length });
            }
            integer += 1;
        }
        length += 1;
    }
    forms
};

const fn form(length: usize, integer: usize) -> Form {
    let mut places = [0x80; 16];
    let (mut from, mut to) = (length, 16);
    while from > 0 {
        from -= 1;
        if from != integer {
            to -= 1;
            places[to] = from as u8;
        }
    }
    let digits = 16 - to;
    let least = if integer > 1 { POWERS[digits - 1] } else { 0 };
    Form { places, units: POWERS[DECIMALS - (digits - integer)], least }
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn find(window: &[u8; NUMBER_WINDOW]) -> Option<Found<Digits>> {
    let text = load(window);
    // Digits become the ten smallest signed bytes.
    let moved = _mm256_add_epi8(text, _mm256_set1_epi8(80));
    let others = _mm256_movemask_epi8(_mm256_cmpgt_epi8(moved, _mm256_set1_epi8(-119))).cast_unsigned();
    let points = _mm256_movemask_epi8(_mm256_cmpeq_epi8(text, _mm256_set1_epi8(b'.'.cast_signed()))).cast_unsigned();
    // The first that is no digit ends the number, or is its point: then the next one does.
    let first = others & others.wrapping_neg();
    let integer = others.trailing_zeros() as usize;
    let length = (others ^ (first & points)).trailing_zeros() as usize;
    if length > CHARS_MAX {
        return None;
    }
    let form = &FORMS[length * NUMBER_WINDOW + integer];
    let text = _mm_shuffle_epi8(_mm256_castsi256_si128(text), places(form));
    Some(Found { value: Digits { text, units: form.units, least: form.least }, length, integer })
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn two<const SHORTEST: bool>(windows: [&[u8; KNOWN_WINDOW]; 2], lengths: [usize; 2]) -> Option<[Amount; 2]> {
    let text = together(load_half(windows[0]), load_half(windows[1]));
    let (forms, _) = forms(text, lengths)?;
    let Some(values) = values_of(text, forms) else { return if SHORTEST { None } else { two_raised(windows, lengths) } };
    // Nobody can foretell which numbers are whole: no branch asks.
    let ends_in_zero = |index: usize| (forms[index].units != POWERS[DECIMALS]) & (windows[index][(lengths[index] - 1) % KNOWN_WINDOW] == b'0');
    if SHORTEST && (ends_in_zero(0) | ends_in_zero(1)) {
        return None;
    }
    Some([0, 1].map(|index| Amount(u128::from(values[index]) * u128::from(forms[index].units))))
}

/// As [`two`], where exponents may stand behind the numbers: rare enough for a function of its own, and too common to be slow.
#[inline(never)]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn two_raised(windows: [&[u8; KNOWN_WINDOW]; 2], lengths: [usize; 2]) -> Option<[Amount; 2]> {
    let text = together(load_half(windows[0]), load_half(windows[1]));
    let in_small_letters = _mm256_or_si256(text, _mm256_set1_epi8(b' '.cast_signed()));
    let ends = firsts(_mm256_cmpeq_epi8(in_small_letters, _mm256_set1_epi8(b'e'.cast_signed())));
    let ends = [lengths[0].min(ends[0]), lengths[1].min(ends[1])];
    let (forms, integers) = forms(text, ends)?;
    let values = values_of(text, forms)?;
    let power = |index: usize| {
        let decimals = ends[index].saturating_sub(integers[index] + 1);
        if ends[index] == lengths[index] {
            return Some(DECIMALS - decimals);
        }
        let mut text = [0; 2 * KNOWN_WINDOW];
        text[..KNOWN_WINDOW].copy_from_slice(windows[index]);
        let exponent = Exponent::read(text[ends[index]..].first_chunk()?)?;
        if ends[index] + exponent.length() == lengths[index] { exponent.power(decimals) } else { None }
    };
    let amount = |index: usize| {
        // Of one of the last digit, of which there are sixteen: 64 bits and 64 bits hold them up to the power of 19.
        let power = power(index)?;
        let (low, high) = (POWERS[power.min(POWERS.len() - 1)], *POWERS.get(power.saturating_sub(POWERS.len() - 1))?);
        let units = (u128::from(values[index]) * u128::from(low)).checked_mul(u128::from(high))?;
        (units < UNITS_END).then_some(Amount(units))
    };
    Some([amount(0)?, amount(1)?])
}

/// How numbers of these lengths at the starts of both halves are taken apart, and how many digits stand before their points, or at least as many as they
/// have characters.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn forms(text: __m256i, lengths: [usize; 2]) -> Option<([&'static Form; 2], [usize; 2])> {
    if lengths[0].wrapping_sub(1) >= CHARS_MAX || lengths[1].wrapping_sub(1) >= CHARS_MAX {
        return None;
    }
    let integers = firsts(_mm256_cmpeq_epi8(text, _mm256_set1_epi8(b'.'.cast_signed())));
    Some(([0, 1].map(|index| &FORMS[lengths[index] * NUMBER_WINDOW + integers[index]]), integers))
}

/// The numbers in both halves, taken apart so; `None` where something else than digits is in them, or a superfluous zero before them.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn values_of(text: __m256i, forms: [&Form; 2]) -> Option<[u64; 2]> {
    let digits = _mm256_shuffle_epi8(_mm256_sub_epi8(text, _mm256_set1_epi8(b'0'.cast_signed())), together(places(forms[0]), places(forms[1])));
    let others = _mm256_subs_epu8(digits, _mm256_set1_epi8(9));
    let values = values(digits);
    let are_numbers = _mm256_testz_si256(others, others) == 1 && values[0] >= forms[0].least && values[1] >= forms[1].least;
    are_numbers.then_some(values)
}

/// Where the first byte with its top bit stands in each half; 16 where there is none.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn firsts(marks: __m256i) -> [usize; 2] {
    let marks = _mm256_movemask_epi8(marks).cast_unsigned();
    [marks, marks >> 16].map(|marks| (marks | 1 << CHARS_MAX).trailing_zeros() as usize)
}

#[inline]
#[target_feature(enable = "avx2")]
fn together(first: __m128i, second: __m128i) -> __m256i {
    _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(first), second)
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn amounts([first, second]: [Digits; 2]) -> Option<[Amount; 2]> {
    let text = together(first.text, second.text);
    let values = values(_mm256_subs_epu8(text, _mm256_set1_epi8(b'0'.cast_signed())));
    let amount = |value: u64, digits: Digits| Amount(u128::from(value) * u128::from(digits.units));
    let are_numbers = values[0] >= first.least && values[1] >= second.least;
    are_numbers.then(|| [amount(values[0], first), amount(values[1], second)])
}

/// The numbers that two times sixteen digits make.
#[inline]
#[target_feature(enable = "avx2")]
fn values(digits: __m256i) -> [u64; 2] {
    // Pairs, fours and eights: the first of two is worth ten, a hundred, ten thousand times as much.
    let pairs = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(10 + (1 << 8)));
    let fours = _mm256_madd_epi16(pairs, _mm256_set1_epi32(100 + (1 << 16)));
    let eights = _mm256_madd_epi16(_mm256_packus_epi32(fours, fours), _mm256_set1_epi32(10_000 + (1 << 16)));
    let sixteens = _mm256_add_epi64(_mm256_mul_epu32(eights, _mm256_set1_epi64x(POWERS[8].cast_signed())), _mm256_srli_epi64::<32>(eights));
    [_mm256_castsi256_si128(sixteens), _mm256_extracti128_si256::<1>(sixteens)].map(|value| _mm_cvtsi128_si64(value).cast_unsigned())
}

/// Digits moved up, of which no more than there is room for in front of them; up to sixteen places.
#[inline]
#[target_feature(enable = "avx2")]
fn followed_by_zeros(digits: __m128i, zeros: usize) -> __m128i {
    static PLACES: [u8; 32] = {
        let (mut places, mut index) = ([0x80; 32], 0);
        while index < 16 {
            places[index] = index as u8;
            index += 1;
        }
        places
    };
    let places = PLACES[zeros..].first_chunk::<16>().map_or([0x80; 16], |places| *places);
    // SAFETY: all 16 bytes that are read belong to the array; they need no alignment.
    _mm_shuffle_epi8(digits, unsafe { _mm_loadu_si128(places.as_ptr().cast()) })
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(window: &[u8; NUMBER_WINDOW]) -> __m256i {
    // SAFETY: all 32 bytes that are read belong to the window; they need no alignment.
    unsafe { _mm256_loadu_si256(window.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_half(window: &[u8; KNOWN_WINDOW]) -> __m128i {
    // SAFETY: all 16 bytes that are read belong to the window; they need no alignment.
    unsafe { _mm_loadu_si128(window.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn places(form: &Form) -> __m128i {
    // SAFETY: all 16 bytes that are read belong to the form, in which they stand first; it is aligned to 32 bytes.
    unsafe { _mm_load_si128(form.places.as_ptr().cast()) }
}
