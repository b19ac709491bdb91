//! Fills a wire struct from an object without objects and lists in it, as it stands in its envelope: the collector leaves of a ticker its wanted columns
//! and nothing around them. One pass, nothing is unescaped or copied. Whatever is otherwise is left to the readers of any JSON.

use std::borrow::Cow;

use super::leading::plain_bytes;
use super::{Cursor, Token, Wire};

/// Reads the object that `text` is, as [`read`](super::read) reads it, if it is flat: numbers, words, and strings of ASCII without escapes; at most one
/// space behind a brace, a colon or a comma, no key twice. `None` where it is not, or not valid.
///
/// In `text` each quote has a backslash before it where `is_escaped` says so.
#[must_use]
pub fn flat<'t, W: Wire<'t>>(text: &'t [u8], is_escaped: bool) -> Option<W> {
    if is_escaped { read::<W, true>(text) } else { read::<W, false>(text) }
}

fn read<'t, W: Wire<'t>, const ESCAPED: bool>(text: &'t [u8]) -> Option<W> {
    let mut flat = Flat::<ESCAPED> { rest: text };
    let mut wire = W::default();
    flat.expect(b'{')?;
    loop {
        let key = flat.string()?;
        flat.expect(b':')?;
        let value = flat.value()?;
        if let Some(slot) = wire.slot(key) {
            // Of several the last one counts, which is for others to see to.
            if slot.is_there() {
                return None;
            }
            *slot = value;
        }
        if flat.expect(b',').is_none() {
            flat.expect(b'}')?;
            return flat.rest.is_empty().then_some(wire);
        }
    }
}

/// What is left of the text.
struct Flat<'t, const ESCAPED: bool> {
    rest: &'t [u8],
}

impl<'t, const ESCAPED: bool> Flat<'t, ESCAPED> {
    /// Goes behind this byte, and behind one space.
    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        let (&first, rest) = self.rest.split_first()?;
        if first != byte {
            return None;
        }
        self.rest = rest.strip_prefix(b" ").unwrap_or(rest);
        Some(())
    }

    #[inline]
    fn quote(&mut self) -> Option<()> {
        self.rest = if ESCAPED { self.rest.strip_prefix(b"\\\"")? } else { self.rest.strip_prefix(b"\"")? };
        Some(())
    }

    #[inline]
    fn string(&mut self) -> Option<&'t [u8]> {
        self.quote()?;
        let (text, rest) = self.rest.split_at_checked(plain_bytes(self.rest))?;
        self.rest = rest;
        self.quote()?;
        text.is_ascii().then_some(text)
    }

    #[inline]
    fn value(&mut self) -> Option<Token<'t>> {
        let word = match self.rest.first()? {
            b'"' | b'\\' => return Some(Token::Text(Cow::Borrowed(self.string()?))),
            b'-' | b'0'..=b'9' => return Some(Token::Number(Cow::Borrowed(self.number()?))),
            b'n' => ("null", Token::Null),
            b't' => ("true", Token::Bool),
            b'f' => ("false", Token::Bool),
            _ => return None,
        };
        self.rest = self.rest.strip_prefix(word.0.as_bytes())?;
        Some(word.1)
    }

    #[inline]
    fn number(&mut self) -> Option<&'t [u8]> {
        let mut cursor = Cursor::new(self.rest);
        cursor.number().ok()?;
        let (text, rest) = self.rest.split_at_checked(cursor.at())?;
        self.rest = rest;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{read, wire_struct};
    use proptest::prelude::*;

    wire_struct!(Frame { price: "price", time: "ts" });

    fn fields(frame: &Frame<'_>) -> String {
        format!("{:?} {:?}", frame.price, frame.time)
    }

    #[test]
    fn a_flat_object_is_read() {
        for (text, is_escaped) in [
            (r#"{"ts": 5, "price": "1.5", "else": null}"#, false),
            (r#"{"ts":5,"more":true,"price":"1.5"}"#, false),
            (r#"{\"price\": \"1.5\", \"ts\": 5}"#, true),
            (r#"{\"price\":\"1.5\",\"more\":-0.1e-7,\"ts\":5}"#, true),
        ] {
            let frame = flat::<Frame<'_>>(text.as_bytes(), is_escaped).unwrap();
            assert_eq!(fields(&frame), "Text([49, 46, 53]) Number([53])", "{text}");
        }
    }

    #[test]
    fn what_is_not_is_left_to_others() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"price":1"#,
            r#"{"price":1}}"#,
            r#"{"price":1,}"#,
            r#"{"price":1,"price":1}"#,
            r#"{"price" :1}"#,
            r#"{"price":  1}"#,
            r#"{"price":1 }"#,
            r#"{"price":[1]}"#,
            r#"{"price":{}}"#,
            r#"{"price":01}"#,
            r#"{"price":1.}"#,
            r#"{"price":+1}"#,
            r#"{"price":nul}"#,
            r#"{"price":"1\u0030"}"#,
            "{\"price\":\"\u{e9}\"}",
            "{\"price\":\"\t\"}",
            r#"{\"price\":1}"#,
        ] {
            assert!(flat::<Frame<'_>>(text.as_bytes(), false).is_none(), "{text}");
        }
        assert!(flat::<Frame<'_>>(br#"{"price":1}"#, true).is_none());
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_sonic_reads(body in "(\"(price|a|ts)\":( |)(-?[0-9]{1,3}(\\.[0-9]{0,3})?([eE]-?[0-9]{0,2})?|\"[0-9. \\\\é]{0,5}\"|null|true|\\[\\]),? ?){0,4}") {
            let text = format!("{{{body}}}");
            if let Some(frame) = flat::<Frame<'_>>(text.as_bytes(), false) {
                prop_assert_eq!(read::<Frame<'_>>(&text, 1).map(|frame| fields(&frame)), Ok(fields(&frame)));
            }
        }
    }
}
