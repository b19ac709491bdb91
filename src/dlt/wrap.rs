//! From a dead letter back to the envelope that gives the same frame: a JSON string that holds the frame's bytes again.

use std::fmt::Write as _;

use super::letter::Letter;

/// Why a letter is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skip {
    /// It was replayed as often as allowed.
    Bound,
    /// It has no headers of a dead letter.
    Foreign,
    /// It does not say whose frame it is.
    Origin,
    /// Its bytes cannot stand in a JSON string.
    Bytes,
    /// Its envelope would be longer than the hub reads.
    Size,
}

impl Skip {
    /// The reason in a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bound => "bound",
            Self::Foreign => "foreign",
            Self::Origin => "origin",
            Self::Bytes => "bytes",
            Self::Size => "size",
        }
    }

    /// The reason in a sentence, with what can be done.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Bound => "replayed as often as --max-replays allows, and dead again",
            Self::Foreign => "no dead letter of a hub: its headers are missing, or its count of replays cannot be read",
            Self::Origin => "a frame whose region, market or symbol is not in its headers",
            Self::Bytes => "a frame whose bytes no JSON string can hold",
            Self::Size => "a frame whose envelope would be longer than --envelope-max-bytes",
        }
    }
}

/// The value to send for a letter: the envelope itself, or one around the frame. `envelope_bytes_max` is the longest envelope that the hub reads.
///
/// # Errors
/// Why there is none.
pub fn value(letter: &Letter<'_>, envelope_bytes_max: usize) -> Result<Option<Vec<u8>>, Skip> {
    if letter.reason.is_none() {
        return Err(Skip::Foreign);
    }
    if !letter.is_frame {
        return Ok(letter.record.value.map(<[u8]>::to_vec));
    }
    let (Some(region), Some(exchange), Some(symbol)) = (letter.region, letter.exchange, letter.symbol) else { return Err(Skip::Origin) };
    let frame = letter.record.value.ok_or(Skip::Bytes)?;
    let mut text = format!(r#"{{"region":"{}","market":"{exchange}","symbol":""#, region.as_str());
    // A symbol is letters, digits and four signs, none of which is escaped.
    text.push_str(&String::from_utf8_lossy(symbol.as_bytes()));
    text.push_str(r#"","data":[""#);
    escape(frame, &mut text)?;
    text.push_str(r#""]}"#);
    if text.len() > envelope_bytes_max {
        return Err(Skip::Size);
    }
    Ok(Some(text.into_bytes()))
}

/// Appends the bytes as they stand between the quotes of a JSON string. Three bytes of a lone surrogate become its escape again, so that the hub finds what
/// it found; anything else that is not UTF-8 was never in an envelope.
fn escape(bytes: &[u8], out: &mut String) -> Result<(), Skip> {
    let mut rest = bytes;
    let mut high_before = false;
    loop {
        let (valid, broken) = match std::str::from_utf8(rest) {
            Ok(text) => (text, &[][..]),
            Err(error) => {
                let (valid, broken) = rest.split_at(error.valid_up_to());
                // What `valid_up_to` tells is UTF-8.
                (std::str::from_utf8(valid).map_err(|_| Skip::Bytes)?, broken)
            }
        };
        escape_text(valid, out);
        if broken.is_empty() {
            return Ok(());
        }
        let (surrogate, behind) = surrogate(broken).ok_or(Skip::Bytes)?;
        // A high and a low one side by side would come back as one character.
        if high_before && valid.is_empty() && surrogate >= 0xdc00 {
            return Err(Skip::Bytes);
        }
        high_before = surrogate < 0xdc00;
        // Writing to a String cannot fail.
        let _ = write!(out, "\\u{surrogate:04x}");
        rest = behind;
    }
}

fn escape_text(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '\0'..='\u{1f}' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
}

/// The surrogate whose three bytes `bytes` begins with, and what stands behind it.
fn surrogate(bytes: &[u8]) -> Option<(u32, &[u8])> {
    match bytes {
        [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, behind @ ..] => Some((0xd000 | (u32::from(*second) & 0x3f) << 6 | u32::from(*third) & 0x3f, behind)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::batch::Batch;
    use crate::dlt::letter::tests::{OF_A_FRAME, record};
    use crate::envelope::Reader;
    use crate::lane::{Input, Lane};
    use crate::market::Stream;
    use crate::rules::{Limits, Rules};
    use proptest::prelude::*;

    const MAX: usize = 1 << 20;

    fn wrapped(frame: &[u8]) -> Result<Vec<u8>, Skip> {
        value(&Letter::of(record(&OF_A_FRAME, Some(frame))), MAX).map(Option::unwrap)
    }

    /// What the hub finds in an envelope of one item: its bytes, and whether they are not UTF-8.
    fn found(envelope: &[u8]) -> (Vec<u8>, bool) {
        let mut reader = Reader::default();
        let envelope = reader.read(envelope, &Limits::default()).unwrap();
        assert_eq!((envelope.exchange.as_str(), envelope.symbol.as_bytes()), ("BYBIT", b"BTC".as_slice()));
        let items: Vec<_> = envelope.items().collect();
        assert_eq!(items.len(), 1);
        let bytes = items[0].bytes(&mut Vec::new()).to_vec();
        let is_broken = std::str::from_utf8(&bytes).is_err();
        (bytes, is_broken)
    }

    #[test]
    fn the_envelope_is_that_of_the_collector() {
        let text = String::from_utf8(wrapped(b"{\"a\":\"\\u00e9\n\"}").unwrap()).unwrap();
        assert_eq!(text, r#"{"region":"Asia","market":"BYBIT","symbol":"BTC","data":["{\"a\":\"\\u00e9\u000a\"}"]}"#);
    }

    #[test]
    fn bytes_that_no_envelope_can_hold_are_told() {
        for bytes in [b"\xff".as_slice(), b"a\xc3", b"\xed\xa0", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\xed\xa0\x80\xed\xb0\x80"] {
            assert_eq!(wrapped(bytes), Err(Skip::Bytes), "{bytes:x?}");
        }
        assert_eq!(found(&wrapped(b"\xed\xb0\x80\xed\xa0\x80").unwrap()), (b"\xed\xb0\x80\xed\xa0\x80".to_vec(), true), "in this order they are no pair");
    }

    #[test]
    fn what_cannot_be_replayed_says_why() {
        let whole = Letter::of(record(&OF_A_FRAME[..5], Some(b"\xff")));
        assert_eq!(value(&whole, 0), Ok(Some(b"\xff".to_vec())), "an envelope goes as it was");
        assert_eq!(value(&Letter::of(record(&OF_A_FRAME[..5], None)), 0), Ok(None));
        assert_eq!(value(&Letter::of(record(&[], Some(b"{}"))), MAX), Err(Skip::Foreign));
        assert_eq!(value(&Letter::of(record(&OF_A_FRAME[..8], Some(b"{}"))), MAX), Err(Skip::Origin));
        assert_eq!(value(&Letter::of(record(&OF_A_FRAME, None)), MAX), Err(Skip::Bytes));
        assert_eq!(value(&Letter::of(record(&OF_A_FRAME, Some(b"{}"))), 60), Err(Skip::Size));
    }

    /// A piece of a frame: any text, or a surrogate that stands alone.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let lone = (0xa0_u8..=0xaf, 0x80_u8..=0xbf).prop_map(|(second, third)| vec![0xed, second, third]);
        prop_oneof![3 => "(\\PC|[\\x00-\\x1f\"\\\\])+".prop_map(String::into_bytes), 1 => lone]
    }

    proptest! {
        #[test]
        fn the_hub_finds_the_same_bytes_again(pieces in prop::collection::vec(piece(), 0..5)) {
            let frame = pieces.concat();
            let has_lone = std::str::from_utf8(&frame).is_err();
            prop_assert_eq!(found(&wrapped(&frame).unwrap()), (frame, has_lone));
        }

        /// However an item came, in a string or inline: what comes of it a second time is what came of it the first time.
        #[test]
        fn a_dead_letter_dies_the_same_death(item in r#"[0-9]{1,3}|true|null|\[[0-9]?\]|\{"u":[0-9]{1,2}\}|"[a-z{}\[\]0-9]{0,6}"|"\\\\ud8[0-9a-f]{2}x?""#) {
            let envelope = |item: &str| format!(r#"{{"region":"asia","market":"BYBIT","symbol":"btc","data":[{item}]}}"#);
            let letters = |envelope: &[u8]| {
                let (mut lane, mut batch) = (Lane::new(Stream::ALL[3], 1, "in", Arc::new(Rules::default())), Batch::default());
                lane.process(&Input { value: Some(envelope), ..record(&[], None) }, &mut batch);
                let owned = |message: crate::batch::Message<'_>| {
                    let headers: Vec<_> = message.headers().map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec))).collect();
                    (message.value.map(<[u8]>::to_vec), headers)
                };
                batch.messages().map(owned).collect::<Vec<_>>()
            };
            let first = letters(envelope(&item).as_bytes());
            for (value_of, headers) in &first {
                let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
                let again = value(&Letter::of(record(&headers, value_of.as_deref())), MAX).unwrap().unwrap();
                prop_assert_eq!(&letters(&again), &first);
            }
        }
    }
}
