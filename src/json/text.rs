//! Strings of JSON text without their escapes. A lone surrogate, which UTF-8 cannot hold, becomes its three bytes
//! (generalised UTF-8) and is told.

use std::borrow::Cow;

/// A string without its escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unescaped<'a> {
    /// The bytes; borrowed where nothing was escaped.
    pub bytes: Cow<'a, [u8]>,
    /// Whether a surrogate stands alone among them, so that they are not UTF-8.
    pub lone_surrogate: bool,
}

/// Takes the escapes out of what stands between the quotes of a valid JSON string.
#[must_use]
pub fn unescape(raw: &[u8]) -> Unescaped<'_> {
    if !raw.contains(&b'\\') {
        return Unescaped { bytes: Cow::Borrowed(raw), lone_surrogate: false };
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let lone_surrogate = unescape_into(raw, &mut bytes);
    Unescaped { bytes: Cow::Owned(bytes), lone_surrogate }
}

/// As [`unescape`], appending to `out`; returns whether a surrogate stands alone.
fn unescape_into(raw: &[u8], out: &mut Vec<u8>) -> bool {
    let mut lone_surrogate = false;
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|&byte| byte == b'\\') {
        out.extend_from_slice(&rest[..at]);
        let (length, lone) = unescape_one(&rest[at..], out);
        lone_surrogate |= lone;
        rest = rest.get(at + length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    lone_surrogate
}

/// Appends what the valid escape at the start of `escape` stands for; returns its length, and whether it is a surrogate
/// that stands alone.
pub(super) fn unescape_one(escape: &[u8], out: &mut Vec<u8>) -> (usize, bool) {
    match escape.get(1) {
        Some(b'u') => {
            let (unit, length) = unicode(escape);
            push_code_point(unit, out);
            (length, (0xd800..0xe000).contains(&unit))
        }
        Some(&letter) => {
            out.push(match letter {
                b'b' => 0x08,
                b'f' => 0x0c,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                other => other,
            });
            (2, false)
        }
        None => (1, false),
    }
}

/// The code point of the `\uXXXX` at the start of `escape`, two of them where they are a surrogate pair, and its length.
fn unicode(escape: &[u8]) -> (u32, usize) {
    let unit = code_unit(escape).unwrap_or(0xfffd);
    if (0xd800..0xdc00).contains(&unit)
        && let Some(low) = escape.get(6..).and_then(code_unit).filter(|low| (0xdc00..0xe000).contains(low))
    {
        return (0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), 12);
    }
    (unit, 6)
}

/// The four hexadecimal digits behind `\u`.
fn code_unit(escape: &[u8]) -> Option<u32> {
    let digits = escape.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)?))
}

/// Appends UTF-8, and for a surrogate the three bytes that the same rule gives.
fn push_code_point(code: u32, out: &mut Vec<u8>) {
    match char::from_u32(code) {
        Some(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend_from_slice(&[0xe0 | (code >> 12) as u8, 0x80 | (code >> 6 & 0x3f) as u8, 0x80 | (code & 0x3f) as u8]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn surrogates_pair_up_or_stand_alone() {
        let pair = unescape(b"\\ud83d\\ude00");
        assert_eq!((pair.bytes.as_ref(), pair.lone_surrogate), ("\u{1f600}".as_bytes(), false));
        let lone = unescape(b"x\\ud83d\\ud83d\\ude00");
        assert_eq!((lone.bytes.as_ref(), lone.lone_surrogate), (b"x\xed\xa0\xbd\xf0\x9f\x98\x80".as_slice(), true));
        assert!(unescape(b"\\udc00\\ud800").lone_surrogate);
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(text in ".{0,20}") {
            let raw = serde_json::to_string(&text).unwrap();
            let read = unescape(&raw.as_bytes()[1..raw.len() - 1]);
            prop_assert_eq!(read.bytes.as_ref(), text.as_bytes());
        }
    }
}
