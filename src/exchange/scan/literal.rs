//! Fixed text between values, in the spelling of a frame; made by the compiler, so that comparing it is a few
//! instructions with constants.

/// Room for the longest text of the tables in its longest spelling.
const ROOM: usize = 32;

/// See the module.
pub(super) struct Literal {
    bytes: [u8; ROOM],
    length: usize,
}

/// A text of a table, in all spellings.
pub(in crate::exchange) struct Fixed([Masked; 4]);

/// A text of a length that is not known where it is compared, and all bits of the bytes that it has.
struct Masked {
    literal: Literal,
    mask: [u8; ROOM],
}

impl Fixed {
    /// A key with the colon behind it and without the quote before it.
    pub(super) const fn key(name: &str) -> Self {
        Self::new(&[name, "\":"])
    }

    /// A string with its quotes, in which there is neither a comma nor a colon.
    pub(super) const fn string(text: &str) -> Self {
        Self::new(&["\"", text, "\""])
    }

    const fn new(parts: &[&str]) -> Self {
        Self([Masked::new(parts, false, false), Masked::new(parts, false, true), Masked::new(parts, true, false), Masked::new(parts, true, true)])
    }

    /// Where it ends if it stands at `at` in `text`.
    #[inline(always)]
    pub(super) fn end<const ESCAPED: bool, const SPACED: bool>(&self, text: &[u8], at: usize) -> Option<usize> {
        let Masked { literal, mask } = &self.0[2 * usize::from(ESCAPED) + usize::from(SPACED)];
        let Some(window) = text.get(at..).and_then(<[u8]>::first_chunk::<ROOM>) else { return literal.end(text, at) };
        // All bytes at once: a comparison of a length that is not known is a call.
        let differ = |place: usize| {
            let word = |bytes: &[u8; ROOM]| bytes[16 * place..].first_chunk().map_or(0, |half| u128::from_le_bytes(*half));
            (word(window) ^ word(&literal.bytes)) & word(mask)
        };
        (differ(0) | differ(1) == 0).then_some(at + literal.length)
    }
}

impl Masked {
    const fn new(parts: &[&str], escaped: bool, spaced: bool) -> Self {
        let literal = Literal::new(parts, escaped, spaced);
        let mut mask = [0; ROOM];
        let mut at = 0;
        while at < literal.length {
            mask[at] = 0xff;
            at += 1;
        }
        Self { literal, mask }
    }
}

impl Literal {
    /// The parts one after the other. They are JSON without white space: `escaped` puts a backslash before each quote, as
    /// in a frame that stands in its envelope as a string, `spaced` a space behind each comma and colon, as Python does.
    pub(super) const fn new(parts: &[&str], escaped: bool, spaced: bool) -> Self {
        let mut literal = Self { bytes: [0; ROOM], length: 0 };
        let mut part = 0;
        while part < parts.len() {
            let text = parts[part].as_bytes();
            let mut at = 0;
            while at < text.len() {
                if text[at] == b'"' && escaped {
                    literal.push(b'\\');
                }
                literal.push(text[at]);
                if matches!(text[at], b',' | b':') && spaced {
                    literal.push(b' ');
                }
                at += 1;
            }
            part += 1;
        }
        literal
    }

    const fn push(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    /// Where it ends if it stands at `at` in `text`.
    #[inline(always)]
    pub(super) fn end(&self, text: &[u8], at: usize) -> Option<usize> {
        text.get(at..)?.starts_with(&self.bytes[..self.length]).then_some(at + self.length)
    }

    pub(super) const fn len(&self) -> usize {
        self.length
    }
}
