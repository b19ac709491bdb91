//! Fixed text between values, in the spelling of a frame; made by the compiler, so that comparing it is a few
//! instructions with constants.

/// Room for the longest text of the tables in its longest spelling.
const ROOM: usize = 32;

/// See the module.
pub(super) struct Literal {
    bytes: [u8; ROOM],
    length: usize,
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

    /// Its length if `text` starts with it.
    #[inline(always)]
    pub(super) fn starts(&self, text: &[u8]) -> Option<usize> {
        text.starts_with(&self.bytes[..self.length]).then_some(self.length)
    }
}
