//! Strings that hold a frame as the collector writes it: quotes are escaped in them, and nothing else. Backslashes and
//! quotes then come in pairs, so that the end is found without following the escapes one by one.

#[cfg(target_arch = "x86_64")]
use super::avx2;
#[cfg(target_arch = "x86_64")]
use crate::machine::Avx2;

/// The length of the string at the start of `text`, quotes included, if quotes are escaped in it and nothing else;
/// `None` for any other string, and where there is none.
#[must_use]
pub fn quoted_length(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'"') {
        return None;
    }
    // The opening quote is no backslash: behind it a quote would end the string, as behind any other byte.
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = Avx2::detect() {
        return end(text, avx2::inside(avx2, text));
    }
    end(text, inside::<17>(text, inside::<65>(text, 0)))
}

/// Where the string ends of which everything before `at` is known to be inside.
#[inline]
fn end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let [byte, next] = *text.get(at..)?.first_chunk()?;
        match (byte, next) {
            (b'\\', b'"') => {}
            (b'\\', _) | (..0x20, _) => return None,
            (_, b'"') => return Some(at + 2),
            _ => {}
        }
        at += 1;
    }
}

/// Where the blocks of `N - 1` bytes from `at` on end that [are inside](is_inside) a string.
#[inline(always)]
fn inside<const N: usize>(text: &[u8], mut at: usize) -> usize {
    while let Some(window) = text[at..].first_chunk::<N>()
        && is_inside(window)
    {
        at += N - 1;
    }
    at
}

/// Whether a block, seen with the byte behind it, has a quote behind each backslash and behind nothing else, and no
/// control character. Without branches, so that it takes a few instructions for 16 bytes.
#[inline(always)]
fn is_inside<const N: usize>(window: &[u8; N]) -> bool {
    let mut fault = false;
    for (&byte, &next) in window.iter().zip(&window[1..]) {
        fault |= (byte == b'\\') != (next == b'"');
        fault |= byte < 0x20;
    }
    !fault
}

/// Whether the text is UTF-8, as it always should be: nearly all is ASCII.
#[must_use]
pub fn is_utf8(text: &[u8]) -> bool {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = Avx2::detect()
        && avx2::is_ascii(avx2, text)
    {
        return true;
    }
    simdutf8::basic::from_utf8(text).is_ok()
}

/// Where the first of two bytes stands in `text`, or the first of one where both are the same.
#[inline]
#[must_use]
pub fn first_of(one: u8, other: u8, text: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    // The top bit of a byte is set where it is zero; perhaps wrongly above the first that is, for a borrow goes upwards.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7);
    let mut at = 0;
    while let Some(eight) = text[at..].first_chunk() {
        let word = u64::from_le_bytes(*eight);
        let marks = zeros(word ^ (ONES * u64::from(one))) | zeros(word ^ (ONES * u64::from(other)));
        if marks != 0 {
            return Some(at + (marks.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    Some(at + text[at..].iter().position(|&byte| byte == one || byte == other)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Cursor;
    use proptest::prelude::*;

    #[test]
    fn other_strings_are_left_alone() {
        for (text, length) in [
            ("\"\"", Some(2)),
            (r#""a\"b\"" "#, Some(8)),
            (r#""a\\""#, None),
            (r#""\n""#, None),
            ("\"\u{1}\"", None),
            ("\"a", None),
            ("a\"", None),
            ("\"", None),
        ] {
            assert_eq!(quoted_length(text.as_bytes()), length, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_first_byte_is_found(text in prop::collection::vec(prop_oneof![Just(b'a'), Just(b'b'), any::<u8>(), Just(b'c'), Just(b'd'), Just(b'e')], 0..80), one: u8) {
            for (one, other) in [(b'a', b'b'), (one, one)] {
                let expected = text.iter().position(|&byte| byte == one || byte == other);
                prop_assert_eq!(first_of(one, other, &text), expected);
            }
        }

        #[test]
        fn utf8_is_told_as_the_library_tells(mut text in prop::collection::vec(0_u8..0x80, 0..600), others in prop::collection::vec((any::<u8>(), any::<usize>()), 0..2)) {
            for (byte, at) in others {
                let at = at % (text.len() + 1);
                text.insert(at, byte);
            }
            prop_assert_eq!(is_utf8(&text), std::str::from_utf8(&text).is_ok());
        }

        #[test]
        fn ends_where_the_string_ends(text in "\"(.{0,9}|(\\\\\"|[a-z0-9]){0,350})([\\\\\"]|\\\\\"|[a\u{1}\u{1f}\u{20}\u{7f}\u{e9}]){0,6}\"?[a\"\\\\]{0,90}") {
            let mut string = Vec::new();
            let mut cursor = Cursor::new(text.as_bytes());
            let is_string = cursor.take_string(&mut string).is_ok();
            let raw = text.as_bytes().get(1..cursor.at().saturating_sub(1)).unwrap_or_default();
            let others = raw.iter().filter(|&&byte| byte == b'\\').count() != string.iter().filter(|&&byte| byte == b'"').count() || string.contains(&b'\\');
            let expected = (is_string && !others).then(|| cursor.at());
            prop_assert_eq!(quoted_length(text.as_bytes()), expected);
            prop_assert_eq!(text.starts_with('"').then(|| end(text.as_bytes(), inside::<17>(text.as_bytes(), 0))).flatten(), expected);
        }
    }
}
