//! The guard in front of sonic-rs, which recurses into what it skips, reads no further than the letter `u` into an
//! escape, and gives no reason that the contract knows. It sees only text that is safe for it, and what it refuses is
//! judged by the strict [`Cursor`].

use serde::Deserialize;

use super::Cursor;
use crate::outcome::Reason;

/// Reads the object in `text` into a wire struct.
///
/// # Errors
/// [`Reason::Json`] or [`Reason::Depth`], whichever comes first in the text; [`Reason::Shape`] if it is JSON but no
/// object.
pub fn read<'a, T: Deserialize<'a>>(text: &'a str, depth_max: usize) -> Result<T, Reason> {
    if Cursor::new(text.as_bytes()).peek() != Some(b'{') {
        check(text, depth_max)?;
        return Err(Reason::Shape);
    }
    if may_be_deep(text, depth_max) || text.contains("\\u") {
        check(text, depth_max)?;
    }
    match sonic_rs::from_str(text) {
        Ok(frame) => Ok(frame),
        Err(_) => {
            check(text, depth_max)?;
            // Valid JSON that sonic-rs refuses has an escaped lone surrogate in a key. No key that we know has one.
            sonic_rs::Deserializer::from_str(text).utf8_lossy().deserialize().map_err(|_| Reason::Json)
        }
    }
}

/// Whether `text` is JSON that is at most `depth_max` deep.
///
/// # Errors
/// [`Reason::Json`] or [`Reason::Depth`], whichever comes first in the text.
pub fn check(text: &str, depth_max: usize) -> Result<(), Reason> {
    let mut cursor = Cursor::new(text.as_bytes());
    cursor.skip(depth_max)?;
    cursor.end()
}

/// Text with no more brackets than the bound cannot be deeper. Counts in blocks that fit a byte, which is a few
/// instructions for 32 bytes.
fn may_be_deep(text: &str, depth_max: usize) -> bool {
    // `[` and `{` differ in one bit.
    let brackets = |block: &[u8]| usize::from(block.iter().map(|byte| u8::from(byte | 0x20 == b'{')).sum::<u8>());
    text.as_bytes().chunks(128).map(brackets).sum::<usize>() > depth_max
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Token, wire_struct};
    use proptest::prelude::*;

    wire_struct!(Frame { price: "price", nested: "nested" });

    fn price(text: &str) -> Result<Token<'_>, Reason> {
        read::<Frame<'_>>(text, 4).map(|frame| frame.price)
    }

    #[test]
    fn the_last_of_several_keys_counts() {
        assert_eq!(price(r#"{"price":1,"x":[{}],"price":"2"}"#), Ok(Token::Text(b"2".as_slice().into())));
        assert_eq!(price(r#"{"pr\u0069ce":1.50}"#), Ok(Token::Number(b"1.50".as_slice().into())));
        assert_eq!(price(r#"{"price":null}"#), Ok(Token::Null));
        assert_eq!(price("{}"), Ok(Token::Absent));
    }

    #[test]
    fn what_sonic_lets_pass_is_refused() {
        for text in [r#"{"a":"\u12"}"#, r#"{"a":"\uzzzz"}"#, r#"{"a":"\u"}"}"#, r#"{"a":"\x"}"#, r#"{"price":01}"#, "{\"a\":\"\t\"}", r#"{"a":1}x"#, ""] {
            assert_eq!(price(text), Err(Reason::Json), "{text}");
        }
        assert_eq!(price(r#"{"a":[[[[]]]]}"#), Err(Reason::Depth));
        assert_eq!(price("[1]"), Err(Reason::Shape));
        assert_eq!(price("[1"), Err(Reason::Json));
    }

    #[test]
    fn a_lone_surrogate_that_nobody_reads_is_harmless() {
        assert_eq!(price(r#"{"\ud800":1,"a":"\udc00","price":2}"#), Ok(Token::Number(b"2".as_slice().into())));
    }

    #[test]
    fn a_megabyte_of_brackets_is_only_scanned() {
        let text = format!("{{\"a\":{}", "[".repeat(1 << 20));
        assert_eq!(price(&text), Err(Reason::Depth));
    }

    proptest! {
        #[test]
        fn sonic_accepts_what_the_cursor_accepts(body in "(\"(price|a|nested)\":[\\[\\]{}\",:0-9.eE+\\- \\\\utrfalsn]{0,12},?){0,3}") {
            let text = format!("{{{body}}}");
            prop_assert_eq!(read::<Frame<'_>>(&text, 100).map(|_| ()), check(&text, 100));
        }
    }
}
