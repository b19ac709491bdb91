//! Ends of numbers with AVX-512: which of 64 bytes belong to numbers is a word of bits, and a byte behind them that does not is an end. Its twin stands
//! with the tests of [`super::ends`].
#![expect(unsafe_code, reason = "vectors are loaded from memory and written to it, and a function is called whose instructions a token proves")]

use std::arch::x86_64::{
    _mm512_add_epi16, _mm512_castsi512_si256, _mm512_cmpeq_epi8_mask, _mm512_cmple_epu8_mask, _mm512_cvtepu8_epi16, _mm512_loadu_si512,
    _mm512_mask_cmpneq_epi8_mask, _mm512_maskz_compress_epi8, _mm512_or_si512, _mm512_set1_epi8, _mm512_set1_epi16, _mm512_storeu_si512, _mm512_sub_epi8,
};

use super::ends::{BLOCK, ROOM, STRETCH};
use crate::machine::Avx512;

/// Writes where the numbers end that stand in the stretch at the start of a text, and says how many do.
pub(super) fn ends(_: Avx512, text: &[u8], places: &mut [u16; ROOM]) -> usize {
    // SAFETY: the token exists only where the machine has AVX-512 F, BW and VBMI2, AVX2, BMI1, BMI2 and POPCNT.
    unsafe { ends_by_avx512(text, places) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,avx2,bmi1,bmi2,popcnt")]
fn ends_by_avx512(text: &[u8], places: &mut [u16; ROOM]) -> usize {
    let (blocks, rest) = text[..text.len().min(STRETCH)].as_chunks::<BLOCK>();
    let mut last = [0; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    let (mut count, mut at, mut before) = (0, 0, Before::default());
    for block in blocks.iter().chain((!rest.is_empty()).then_some(&last)) {
        let Some(room) = places[count..].first_chunk_mut() else { break };
        let ends = before.ends(block);
        write(ends, at, room);
        count += ends.count_ones() as usize;
        at += BLOCK as u16;
    }
    count
}

/// What the last byte of the block before was: 1 or 0.
#[derive(Default)]
struct Before {
    plain: u64,
    any: u64,
}

impl Before {
    /// A bit for each byte of the block behind it at which a number has ended.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn ends(&mut self, block: &[u8; BLOCK]) -> u64 {
        let byte = |byte: u8| _mm512_set1_epi8(byte.cast_signed());
        // SAFETY: all 64 bytes that are read belong to the block; they need no alignment.
        let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
        // From plus to nine, but no comma: signs, point, slash and digits. A reader of numbers finds what does not belong.
        let from_plus = _mm512_cmple_epu8_mask(_mm512_sub_epi8(bytes, byte(b'+')), byte(b'9' - b'+'));
        let plain = _mm512_mask_cmpneq_epi8_mask(from_plus, bytes, byte(b','));
        // An e behind them belongs to the number, and no other does.
        let exponents = _mm512_cmpeq_epi8_mask(_mm512_or_si512(bytes, byte(b' ')), byte(b'e')) & (plain << 1 | self.plain);
        let any = plain | exponents;
        let ends = (any << 1 | self.any) & !any;
        *self = Self { plain: plain >> 63, any: any >> 63 };
        ends
    }
}

/// Writes where the bits of a word stand, of which no two are neighbours.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2")]
fn write(bits: u64, at: u16, places: &mut [u16; BLOCK / 2]) {
    static PLACES: [u8; BLOCK] = {
        let (mut places, mut place) = ([0; BLOCK], 0);
        while place < BLOCK {
            places[place] = place as u8;
            place += 1;
        }
        places
    };
    // SAFETY: all 64 bytes that are read belong to the array; they need no alignment.
    let all = unsafe { _mm512_loadu_si512(PLACES.as_ptr().cast()) };
    let told = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(_mm512_maskz_compress_epi8(bits, all)));
    let told = _mm512_add_epi16(told, _mm512_set1_epi16(at.cast_signed()));
    // SAFETY: all 32 places that are written belong to the array; they need no alignment.
    unsafe { _mm512_storeu_si512(places.as_mut_ptr().cast(), told) };
}
