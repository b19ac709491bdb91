//! Envelopes: one input record taken apart into the header fields and the items of `data` (contract, sections 2 and 9).
//!
//! One pass over the bytes decides whether the envelope is accepted; frames are not looked into. Items that are strings
//! with escaped quotes alone, as the collector writes them, stay as they are; others are unescaped on the way.

use crate::json::{Cursor, is_utf8, unescape};
use crate::market::{Exchange, Region};
use crate::outcome::Reason;
use crate::rules::Limits;

/// A symbol in its written form: 1 to 32 characters of `A-Z 0-9 . _ / -`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol {
    text: [u8; Self::LENGTH_MAX],
    length: u8,
}

impl Symbol {
    const LENGTH_MAX: usize = 32;

    /// Reads an envelope's `symbol`, in any letter case.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let accepted = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'-');
        if !(1..=Self::LENGTH_MAX).contains(&text.len()) || !text.iter().all(accepted) {
            return None;
        }
        let mut symbol = Self { text: [0; Self::LENGTH_MAX], length: text.len() as u8 };
        symbol.text[..text.len()].copy_from_slice(text);
        symbol.text.make_ascii_uppercase();
        Some(symbol)
    }

    /// The symbol in capitals.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[..self.length.into()]
    }
}

/// What an envelope says of its frames, as far as it is valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the envelope")]
pub struct Origin {
    pub region: Option<Region>,
    pub exchange: Option<Exchange>,
    pub symbol: Option<Symbol>,
}

/// A rejected envelope: why, and what is known of it all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it all")]
pub struct Rejected {
    pub reason: Reason,
    pub origin: Origin,
}

/// An accepted envelope.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'e> {
    /// The exchange, whose region is the envelope's.
    pub exchange: Exchange,
    /// What is traded.
    pub symbol: Symbol,
    bytes: &'e [u8],
    reader: &'e Reader,
}

/// One element of `data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'e> {
    /// A string in which quotes are escaped and nothing else, which is how frames usually come: as it stands in the
    /// envelope, with the quotes around it.
    Quoted(&'e [u8]),
    /// Any other string: its bytes without escapes.
    Text {
        /// UTF-8, unless a surrogate stands alone.
        bytes: &'e [u8],
        /// Whether one does.
        lone_surrogate: bool,
    },
    /// Any other value, in particular the frame itself as an object: the bytes as they stand in the envelope.
    Inline {
        /// Valid JSON.
        bytes: &'e [u8],
        /// Its depth, counted from its own outermost value.
        depth: usize,
    },
}

impl<'e> Item<'e> {
    /// The bytes that a frame reader reads and a dead letter carries: without escapes, in `space` if they have to be
    /// written for that.
    pub fn bytes<'s>(&self, space: &'s mut Vec<u8>) -> &'s [u8]
    where
        'e: 's,
    {
        match *self {
            Self::Text { bytes, .. } | Self::Inline { bytes, .. } => bytes,
            Self::Quoted(string) => {
                space.clear();
                // It is a string, and no surrogate can be in it.
                let _ = Cursor::new(string).take_string(space);
                space
            }
        }
    }
}

impl<'e> Envelope<'e> {
    /// The items of `data`, in order.
    pub fn items(&self) -> impl ExactSizeIterator<Item = Item<'e>> + use<'e> {
        let (bytes, reader) = (self.bytes, self.reader);
        reader.spans.iter().map(move |span| match *span {
            Span::Quoted { start, end } => Item::Quoted(&bytes[start..end]),
            Span::Text { start, end, lone_surrogate } => Item::Text { bytes: &reader.unescaped[start..end], lone_surrogate },
            Span::Inline { start, end, depth } => Item::Inline { bytes: &bytes[start..end], depth },
        })
    }
}

/// Where an item stands: a string with more than quotes escaped in the unescaped buffer, anything else in the envelope.
#[derive(Clone, Copy, Debug)]
enum Span {
    Quoted { start: usize, end: usize },
    Text { start: usize, end: usize, lone_surrogate: bool },
    Inline { start: usize, end: usize, depth: usize },
}

/// The four keys of an envelope as they were found: `None` where absent or of the wrong type, `Some(None)` where the
/// text is no region, exchange or symbol.
#[derive(Default)]
struct Fields {
    region: Option<Option<Region>>,
    exchange: Option<Option<Exchange>>,
    symbol: Option<Option<Symbol>>,
    has_data: bool,
}

/// Reads envelopes, one after the other, into buffers that are used again.
#[derive(Debug, Default)]
pub struct Reader {
    unescaped: Vec<u8>,
    spans: Vec<Span>,
}

impl Reader {
    /// Takes an input record's value apart.
    ///
    /// # Errors
    /// The first reason that holds: [`Reason::Size`]; [`Reason::Utf8`]; [`Reason::Json`] or [`Reason::Depth`],
    /// whichever comes first in the text; [`Reason::Envelope`]; [`Reason::Market`]; [`Reason::Symbol`].
    pub fn read<'e>(&'e mut self, bytes: &'e [u8], limits: &Limits) -> Result<Envelope<'e>, Rejected> {
        let unknown = |reason| Rejected { reason, origin: Origin::default() };
        if bytes.len() > limits.envelope_bytes {
            return Err(unknown(Reason::Size));
        }
        if !is_utf8(bytes) {
            return Err(unknown(Reason::Utf8));
        }
        let fields = self.fields(bytes, limits).map_err(unknown)?;
        let origin = Origin { region: fields.region.flatten(), exchange: fields.exchange.flatten(), symbol: fields.symbol.flatten() };
        let rejected = |reason| Rejected { reason, origin };
        if fields.region.is_none() || fields.exchange.is_none() || fields.symbol.is_none() || !fields.has_data {
            return Err(rejected(Reason::Envelope));
        }
        let exchange = origin.exchange.filter(|exchange| origin.region == Some(exchange.region())).ok_or(rejected(Reason::Market))?;
        let symbol = origin.symbol.ok_or(rejected(Reason::Symbol))?;
        Ok(Envelope { exchange, symbol, bytes, reader: self })
    }

    /// Walks over the whole text. Of several equal keys the last counts.
    fn fields(&mut self, bytes: &[u8], limits: &Limits) -> Result<Fields, Reason> {
        self.clear();
        let mut fields = Fields::default();
        let mut cursor = Cursor::new(bytes);
        if cursor.peek() != Some(b'{') {
            cursor.skip(limits.depth)?;
            cursor.end()?;
            return Ok(fields);
        }
        cursor.expect(b'{')?;
        let mut first = true;
        while cursor.next_member(first, b'}')? {
            first = false;
            let key = unescape(cursor.key()?).bytes;
            match key.as_ref() {
                b"region" => fields.region = text(&mut cursor, limits)?.map(|text| std::str::from_utf8(&text).ok().and_then(Region::parse)),
                b"market" => fields.exchange = text(&mut cursor, limits)?.map(|text| std::str::from_utf8(&text).ok().and_then(Exchange::parse)),
                b"symbol" => fields.symbol = text(&mut cursor, limits)?.map(|text| Symbol::parse(&text)),
                b"data" => {
                    self.clear();
                    fields.has_data = cursor.peek() == Some(b'[');
                    if fields.has_data {
                        self.items(&mut cursor)?;
                    } else {
                        cursor.skip(limits.depth - 1)?;
                    }
                }
                _ => drop(cursor.skip(limits.depth - 1)?),
            }
        }
        cursor.end()?;
        Ok(fields)
    }

    /// Notes the items of `data`. Their depth counts from each item on.
    fn items(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Reason> {
        cursor.expect(b'[')?;
        while cursor.next_member(self.spans.is_empty(), b']')? {
            let span = if let Some((start, end)) = cursor.take_quoted() {
                Span::Quoted { start, end }
            } else if cursor.peek() == Some(b'"') {
                let start = self.unescaped.len();
                let lone_surrogate = cursor.take_string(&mut self.unescaped)?;
                Span::Text { start, end: self.unescaped.len(), lone_surrogate }
            } else {
                let item = cursor.skip(usize::MAX)?;
                Span::Inline { start: item.start, end: item.end, depth: item.depth }
            };
            self.spans.push(span);
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.unescaped.clear();
        self.spans.clear();
    }
}

/// The string at the cursor without escapes; `None` if there is a value of another type.
fn text<'t>(cursor: &mut Cursor<'t>, limits: &Limits) -> Result<Option<std::borrow::Cow<'t, [u8]>>, Reason> {
    let value = cursor.skip(limits.depth - 1)?;
    Ok(match cursor.slice(value.start, value.end) {
        [b'"', raw @ .., b'"'] => Some(unescape(raw).bytes),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Exchange, String, Vec<String>), Reason> {
        let mut reader = Reader::default();
        let envelope = reader.read(text.as_bytes(), &Limits::default()).map_err(|rejected| rejected.reason)?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let items = envelope.items().map(|item| text(item.bytes(&mut Vec::new()))).collect();
        Ok((envelope.exchange, text(envelope.symbol.as_bytes()), items))
    }

    #[test]
    fn both_spellings_of_a_frame_come_out() {
        let envelope = r#"{"region": "KOREA", "market": "digitalx", "symbol": "btc", "x": [1], "data": ["{\"a\": \"\\u00e9\"}", {"b":[]}, 5]}"#;
        let items = [r#"{"a": "\u00e9"}"#, r#"{"b":[]}"#, "5"].map(str::to_owned).to_vec();
        assert_eq!(read(envelope), Ok((Exchange::Korbit, "BTC".to_owned(), items)));
    }

    #[test]
    fn the_last_of_several_keys_counts() {
        let envelope = r#"{"region":5,"data":["a"],"market":"OKX","symbol":"x","region":"asia","data":[]}"#;
        assert_eq!(read(envelope), Ok((Exchange::Okx, "X".to_owned(), Vec::new())));
        assert_eq!(read(r#"{"region":"asia","market":"OKX","symbol":"x","data":[],"data":5}"#), Err(Reason::Envelope));
    }

    #[test]
    fn an_inline_frame_counts_its_depth_alone() {
        let frame = format!("{}{}", "[".repeat(40), "]".repeat(40));
        let with = |key: &str| format!(r#"{{"region":"asia","market":"OKX","symbol":"x","data":[],"{key}":{frame}}}"#);
        assert_eq!(read(&with("junk")), Err(Reason::Depth));
        let inline = format!(r#"{{"region":"asia","market":"OKX","symbol":"x","data":[{frame}]}}"#);
        assert_eq!(read(&inline).map(|(.., items)| items), Ok(vec![frame]));
    }

    #[test]
    fn the_first_reason_that_holds_is_told() {
        for (text, reason) in [
            ("", Reason::Json),
            ("[]", Reason::Envelope),
            (r#"{"region":"asia","market":"OKX","symbol":"x"}"#, Reason::Envelope),
            (r#"{"region":"asia","market":"UPBIT","symbol":"","data":[]}"#, Reason::Market),
            (r#"{"region":"asia","market":"OKX","symbol":"B T","data":[]}"#, Reason::Symbol),
            (r#"{"region":"asia","market":"OKX","symbol":"x","data":[]} x"#, Reason::Json),
        ] {
            assert_eq!(read(text), Err(reason), "{text}");
        }
        let limits = Limits { envelope_bytes: 4, ..Limits::default() };
        assert_eq!(Reader::default().read(b"\xff\xff\xff\xff\xff", &limits).map(|_| ()).map_err(|r| r.reason), Err(Reason::Size));
        assert_eq!(Reader::default().read(b"\xff", &limits).map(|_| ()).map_err(|r| r.reason), Err(Reason::Utf8));
    }
}
