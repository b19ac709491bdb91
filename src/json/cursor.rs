//! A strict forward cursor over JSON text (RFC 8259): finds where each value ends, counts depth, and says whether a
//! syntax error or the depth bound comes first.
//!
//! Never recurses: nesting is kept in a vector that is used again, so that a megabyte of brackets costs a scan.

use super::leading::{IS_PLAIN, digits, plain_bytes, plain_of_eight};
use super::quoted::quoted_length;
use super::text::unescape_one;
use crate::outcome::Reason;

/// What is open around the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Array,
    Object,
}

/// A value that was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Where the value starts, in bytes from the start of the text.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// How deep it is nested: 0 for a scalar, 1 for `[]`; after [`Cursor::skip_checked`], 1 for whatever is nested.
    pub depth: usize,
}

/// A position in JSON text. Every method leaves it behind what was read, or fails with [`Reason::Json`] or
/// [`Reason::Depth`].
#[derive(Debug)]
pub struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    open: Vec<Open>,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `text`, which need not be JSON.
    #[must_use]
    pub const fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, open: Vec::new() }
    }

    /// Where the cursor stands, in bytes from the start.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Goes back to where the cursor stood before.
    pub const fn rewind(&mut self, at: usize) {
        self.at = at;
    }

    /// The bytes between two positions.
    #[must_use]
    pub fn slice(&self, start: usize, end: usize) -> &'a [u8] {
        &self.text[start..end]
    }

    /// Skips white space and returns the byte behind it without taking it.
    #[inline(always)]
    pub fn peek(&mut self) -> Option<u8> {
        while let Some(&byte) = self.text.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// Takes `byte` if it is the next one behind white space.
    #[inline(always)]
    pub fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Takes `byte`, which must be the next one behind white space.
    ///
    /// # Errors
    /// [`Reason::Json`] if it is not.
    #[inline]
    pub fn expect(&mut self, byte: u8) -> Result<(), Reason> {
        if self.take(byte) { Ok(()) } else { Err(Reason::Json) }
    }

    /// Nothing but white space is left.
    ///
    /// # Errors
    /// [`Reason::Json`] if there is more.
    pub fn end(&mut self) -> Result<(), Reason> {
        if self.peek().is_none() { Ok(()) } else { Err(Reason::Json) }
    }

    /// Whether another member follows in the container that `close` ends; takes the comma before it, or `close`.
    ///
    /// # Errors
    /// [`Reason::Json`] on any other byte, and on a comma before `close`.
    #[inline]
    pub fn next_member(&mut self, first: bool, close: u8) -> Result<bool, Reason> {
        if self.take(close) {
            return Ok(false);
        }
        if !first {
            self.expect(b',')?;
            if self.peek() == Some(close) {
                return Err(Reason::Json);
            }
        }
        Ok(true)
    }

    /// Takes a key and the colon behind it; returns what stands between the quotes, still escaped.
    ///
    /// # Errors
    /// [`Reason::Json`] if there is no key.
    #[inline]
    pub fn key(&mut self) -> Result<&'a [u8], Reason> {
        if self.peek() != Some(b'"') {
            return Err(Reason::Json);
        }
        let start = self.at + 1;
        self.string()?;
        let key = self.slice(start, self.at - 1);
        self.expect(b':')?;
        Ok(key)
    }

    /// Skips one value of any kind, at most `depth_max` deep.
    ///
    /// # Errors
    /// [`Reason::Json`] or [`Reason::Depth`], whichever comes first in the text.
    pub fn skip(&mut self, depth_max: usize) -> Result<Skipped, Reason> {
        let first = self.peek().ok_or(Reason::Json)?;
        let start = self.at;
        if !matches!(first, b'[' | b'{') {
            self.scalar(first)?;
            return Ok(Skipped { start, end: self.at, depth: 0 });
        }
        let depth = self.container(depth_max)?;
        Ok(Skipped { start, end: self.at, depth })
    }

    /// Skips one value of text that has been checked, without checking it again. On other text it ends somewhere, or
    /// fails with [`Reason::Json`].
    ///
    /// # Errors
    /// [`Reason::Json`] where the text ends before the value does.
    pub fn skip_checked(&mut self) -> Result<Skipped, Reason> {
        let first = self.peek().ok_or(Reason::Json)?;
        let start = self.at;
        let mut open = 0;
        if !matches!(first, b'[' | b'{') {
            self.scalar(first)?;
            return Ok(Skipped { start, end: self.at, depth: 0 });
        }
        loop {
            match *self.text.get(self.at).ok_or(Reason::Json)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'[' | b'{' => open += 1,
                b']' | b'}' => open -= 1,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return Ok(Skipped { start, end: self.at, depth: 1 });
            }
        }
    }

    /// Skips an array or object and returns its depth.
    fn container(&mut self, depth_max: usize) -> Result<usize, Reason> {
        let mut deepest = 0;
        self.open.clear();
        loop {
            // A value is due.
            match self.peek().ok_or(Reason::Json)? {
                byte @ (b'[' | b'{') => {
                    if self.open.len() == depth_max {
                        return Err(Reason::Depth);
                    }
                    self.at += 1;
                    let (open, close) = if byte == b'[' { (Open::Array, b']') } else { (Open::Object, b'}') };
                    self.open.push(open);
                    deepest = deepest.max(self.open.len());
                    if !self.take(close) {
                        if open == Open::Object {
                            self.key()?;
                        }
                        continue;
                    }
                    self.open.pop();
                }
                byte => self.scalar(byte)?,
            }
            // A value has ended: go on behind it, or close what it was the last of.
            loop {
                let Some(&open) = self.open.last() else { return Ok(deepest) };
                match (self.peek(), open) {
                    (Some(b','), Open::Array) => self.at += 1,
                    (Some(b','), Open::Object) => {
                        self.at += 1;
                        self.key()?;
                    }
                    (Some(b']'), Open::Array) | (Some(b'}'), Open::Object) => {
                        self.at += 1;
                        self.open.pop();
                        continue;
                    }
                    _ => return Err(Reason::Json),
                }
                break;
            }
        }
    }

    /// Skips a string, number or literal that starts with `first`.
    fn scalar(&mut self, first: u8) -> Result<(), Reason> {
        match first {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => Err(Reason::Json),
        }
    }

    /// Skips a string, quotes included.
    #[inline]
    fn string(&mut self) -> Result<(), Reason> {
        self.at += 1;
        loop {
            self.at += plain_bytes(&self.text[self.at..]);
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.at += escape_length(&self.text[self.at..]).ok_or(Reason::Json)?,
                _ => return Err(Reason::Json),
            }
        }
    }

    /// Takes a number, bare or quoted, that `parse` reads whole: given the text from its first character on, it returns
    /// the value, a detail of it, and its length. `None`, and nothing taken, where something else stands there.
    #[inline]
    pub fn take_short_number<T, D>(&mut self, parse: impl FnOnce(&[u8]) -> Option<(T, D, usize)>) -> Option<(T, D)> {
        let quoted = usize::from(self.peek()? == b'"');
        let start = self.at + quoted;
        let (value, detail, length) = parse(self.text.get(start..)?)?;
        let end = start + length;
        let is_whole = match self.text.get(end) {
            Some(b'"') => quoted == 1,
            Some(b',' | b']' | b'}' | b' ') => quoted == 0,
            _ => false,
        };
        self.at = if is_whole { end + quoted } else { self.at };
        is_whole.then_some((value, detail))
    }

    /// Takes a string in which nothing but quotes is escaped, and returns it, quotes included; `None`, and nothing taken
    /// but white space, where something else stands.
    pub fn take_quoted(&mut self) -> Option<(usize, usize)> {
        self.peek()?;
        let start = self.at;
        self.at += quoted_length(&self.text[start..])?;
        Some((start, self.at))
    }

    /// Takes a string and appends it to `out` without its escapes, in one walk; returns whether a surrogate stands
    /// alone in it. What has been appended on a failure is the caller's to throw away.
    ///
    /// # Errors
    /// [`Reason::Json`] if there is no string.
    pub fn take_string(&mut self, out: &mut Vec<u8>) -> Result<bool, Reason> {
        self.expect(b'"')?;
        let mut lone_surrogate = false;
        // Escapes stand every few bytes here: blocks of eight bytes, of which some are overwritten, are cheaper than as
        // many copies of just the right length.
        let mut block = [0; BLOCK + 8];
        let mut filled = 0;
        loop {
            if filled >= BLOCK {
                out.extend_from_slice(&block[..filled]);
                filled = 0;
            }
            let rest = &self.text[self.at..];
            if let Some(eight) = rest.first_chunk::<8>() {
                block[filled..filled + 8].copy_from_slice(eight);
                let plain = plain_of_eight(*eight);
                filled += plain;
                self.at += plain;
                if plain == 8 {
                    continue;
                }
            }
            let byte = *self.text.get(self.at).ok_or(Reason::Json)?;
            if IS_PLAIN[usize::from(byte)] {
                block[filled] = byte;
                filled += 1;
                self.at += 1;
                continue;
            }
            match (byte, self.text.get(self.at + 1)) {
                (b'"', _) => {
                    out.extend_from_slice(&block[..filled]);
                    self.at += 1;
                    return Ok(lone_surrogate);
                }
                (b'\\', Some(b'"')) => {
                    block[filled] = b'"';
                    filled += 1;
                    self.at += 2;
                }
                (b'\\', _) => {
                    let length = escape_length(&self.text[self.at..]).ok_or(Reason::Json)?;
                    // A surrogate pair is two escapes.
                    let pair = self.text.get(self.at + 6..).and_then(escape_length).filter(|_| length == 6).unwrap_or_default();
                    out.extend_from_slice(&block[..filled]);
                    filled = 0;
                    let (taken, lone) = unescape_one(&self.text[self.at..self.at + length + pair], out);
                    lone_surrogate |= lone;
                    self.at += taken;
                }
                _ => return Err(Reason::Json),
            }
        }
    }

    /// Skips a bare number.
    #[inline]
    pub(super) fn number(&mut self) -> Result<(), Reason> {
        self.at += usize::from(self.byte() == Some(b'-'));
        let leading = self.byte();
        let integer = self.digits();
        if integer == 0 || (integer > 1 && leading == Some(b'0')) {
            return Err(Reason::Json);
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(Reason::Json);
            }
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            if self.digits() == 0 {
                return Err(Reason::Json);
            }
        }
        Ok(())
    }

    fn byte(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn digits(&mut self) -> usize {
        let count = digits(&self.text[self.at..]);
        self.at += count;
        count
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), Reason> {
        if !self.text[self.at..].starts_with(word) {
            return Err(Reason::Json);
        }
        self.at += word.len();
        Ok(())
    }
}

/// How many bytes are gathered before they are copied.
const BLOCK: usize = 256;

/// How many bytes the escape at the start of `text` takes; `None` if it is none of JSON's.
#[must_use]
pub(super) fn escape_length(text: &[u8]) -> Option<usize> {
    match text.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => text.get(2..6)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &[u8], depth_max: usize) -> Result<usize, Reason> {
        let mut cursor = Cursor::new(text);
        let skipped = cursor.skip(depth_max)?;
        cursor.end()?;
        Ok(skipped.depth)
    }

    #[test]
    fn the_fault_that_comes_first_is_told() {
        assert_eq!(check(b" {\"a\":[1,-0.5e+7,{}],\"b\":\"\\u00e9\\n\"} ", 3), Ok(3));
        assert_eq!(check(b"[[[]]]", 3), Ok(3));
        assert_eq!(check(b"[[[]]]", 2), Err(Reason::Depth));
        assert_eq!(check(b"[[[", 2), Err(Reason::Depth));
        assert_eq!(check(b"[x[[", 2), Err(Reason::Json));
        assert_eq!(check(b"[[[x", 4), Err(Reason::Json));
        assert_eq!(check("[".repeat(1 << 20).as_bytes(), usize::MAX), Err(Reason::Json));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            " ",
            "nul",
            "{\"a\":1,}",
            "{,}",
            "{\"a\" 1}",
            "[1,]",
            "[,1]",
            "{}{}",
            "01",
            "-",
            "+1",
            ".5",
            "5.",
            "1e",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u+123\"",
            "\"a\nb\"",
            "\u{feff}{}",
            "[1}",
            "{\"a\"}",
            "{1:2}",
            "\"",
            "NaN",
        ] {
            assert_eq!(check(text.as_bytes(), 32), Err(Reason::Json), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_string_is_taken_as_it_is_unescaped(text in "[a\"\\\\\u{1}\u{e9}\u{1f600} ]{0,600}") {
            let raw = serde_json::to_string(&text).unwrap();
            let mut out = b"before".to_vec();
            prop_assert_eq!(Cursor::new(raw.as_bytes()).take_string(&mut out), Ok(false));
            prop_assert_eq!(&out[6..], text.as_bytes());
        }

        #[test]
        fn checked_text_is_skipped_alike(text in "[\\[\\]{}\",:0-9.eE+\\- \\\\utrfalsn]{0,24}") {
            let mut cursor = Cursor::new(text.as_bytes());
            if let Ok(skipped) = cursor.skip(100) {
                let again = Cursor::new(text.as_bytes()).skip_checked().map(|again| (again.start, again.end));
                prop_assert_eq!(again, Ok((skipped.start, skipped.end)));
            }
        }

        #[test]
        fn agrees_with_serde_json(text in "[\\[\\]{}\",:0-9.eE+\\- \\\\utrfalsn]{0,24}") {
            let other = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(check(text.as_bytes(), 100).is_ok(), other);
        }
    }
}
