//! A dead letter as a reader finds it: the headers of the input record first, as they were, then the hub's own (contract, section 7).

use crate::envelope::Symbol;
use crate::lane::Input;
use crate::market::{Exchange, Region};
use crate::outcome::Reason;

/// The first of the headers that the hub adds. What stands before it came with the input record.
const FIRST_OWN: &str = "__connect.errors.topic";
/// What all names begin with that are the hub's, or of those whose headers it copies.
const OWN_PREFIXES: [&str; 2] = ["__connect.errors.", "hub."];

/// The header that counts how often an envelope was replayed. It is the one header of ours that input records have: the hub copies it onto the dead letter
/// of a replayed frame as it copies all.
pub const REPLAYS: &str = "hub.replays";

/// A header: name and value.
pub type Header<'r> = (&'r str, Option<&'r [u8]>);

/// A dead letter. What its headers do not say, or not in a form that the hub writes, is `None`.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'r> {
    /// The record that it is.
    pub record: Input<'r>,
    /// Why it is one; `None` where it is no dead letter of a hub, or that of a newer one.
    pub reason: Option<Reason>,
    /// The reason in a sentence.
    pub message: Option<&'r str>,
    /// The input topic.
    pub origin_topic: Option<&'r str>,
    /// The partition of the input topic.
    pub origin_partition: Option<i32>,
    /// The offset of the envelope.
    pub origin_offset: Option<i64>,
    /// Which item of the envelope it is; `None` for a whole envelope.
    pub frame: Option<u64>,
    /// The envelope's region.
    pub region: Option<Region>,
    /// The envelope's market.
    pub exchange: Option<Exchange>,
    /// The envelope's symbol.
    pub symbol: Option<Symbol>,
    /// How often its envelope is a replay of an earlier one; `None` where the header is there and cannot be read.
    pub replays: Option<u32>,
    /// Whether it is (part of) an item, whatever its number: its value is a frame, not an envelope.
    pub is_frame: bool,
}

impl<'r> Letter<'r> {
    /// Reads the headers of a record.
    #[must_use]
    pub fn of(record: Input<'r>) -> Self {
        let own = Own(&record.headers[first_own(record.headers)..]);
        Self {
            record,
            reason: own.text("hub.reason").and_then(Reason::parse),
            message: own.text("__connect.errors.exception.message"),
            origin_topic: own.text(FIRST_OWN),
            origin_partition: own.text("__connect.errors.partition").and_then(|text| text.parse().ok()),
            origin_offset: own.text("__connect.errors.offset").and_then(|text| text.parse().ok()),
            frame: own.text("hub.frame").and_then(|text| text.parse().ok()),
            region: own.text("hub.region").and_then(Region::parse),
            exchange: own.text("hub.market").and_then(Exchange::parse),
            symbol: own.bytes("hub.symbol").and_then(Symbol::parse),
            replays: match Own(record.headers).last(REPLAYS) {
                None => Some(0),
                Some(value) => value.and_then(|value| std::str::from_utf8(value).ok()?.parse().ok()),
            },
            is_frame: own.last("hub.frame").is_some(),
        }
    }

    /// The headers of its input record, without those of earlier dead letters and without the count of replays.
    pub fn kept_headers(&self) -> impl Iterator<Item = Header<'r>> + use<'r> {
        let before = &self.record.headers[..first_own(self.record.headers)];
        before.iter().copied().filter(|(name, _)| !OWN_PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
    }
}

/// Where the letter's own headers begin. An input record that was a dead letter itself has such headers too: the last ones are the letter's.
fn first_own(headers: &[Header<'_>]) -> usize {
    headers.iter().rposition(|(name, _)| *name == FIRST_OWN).unwrap_or(headers.len())
}

/// Headers of which the last one of a name counts.
struct Own<'h, 'r>(&'h [Header<'r>]);

impl<'r> Own<'_, 'r> {
    fn last(&self, name: &str) -> Option<Option<&'r [u8]>> {
        self.0.iter().rev().find(|header| header.0 == name).map(|header| header.1)
    }

    fn bytes(&self, name: &str) -> Option<&'r [u8]> {
        self.last(name).flatten()
    }

    fn text(&self, name: &str) -> Option<&'r str> {
        std::str::from_utf8(self.bytes(name)?).ok()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A record with these headers and this value.
    pub(in crate::dlt) fn record<'r>(headers: &'r [Header<'r>], value: Option<&'r [u8]>) -> Input<'r> {
        Input { offset: 7, timestamp_ms: 1_790_000_000_000, now_micros: 0, key: Some(b"key"), value, headers }
    }

    /// The headers that the hub adds to a frame's dead letter.
    pub(in crate::dlt) const OF_A_FRAME: [Header<'static>; 9] = [
        ("__connect.errors.topic", Some(b"in")),
        ("__connect.errors.partition", Some(b"1")),
        ("__connect.errors.offset", Some(b"42")),
        ("__connect.errors.exception.message", Some(b"too many")),
        ("hub.reason", Some(b"levels")),
        ("hub.frame", Some(b"3")),
        ("hub.region", Some(b"Asia")),
        ("hub.market", Some(b"BYBIT")),
        ("hub.symbol", Some(b"BTC")),
    ];

    #[test]
    fn what_the_hub_wrote_is_read() {
        let headers = [[("trace", Some(b"\xff".as_slice()))].as_slice(), &OF_A_FRAME].concat();
        let letter = Letter::of(record(&headers, Some(b"{}")));
        assert_eq!((letter.reason, letter.message), (Some(Reason::Levels), Some("too many")));
        assert_eq!((letter.origin_topic, letter.origin_partition, letter.origin_offset), (Some("in"), Some(1), Some(42)));
        assert_eq!((letter.frame, letter.is_frame, letter.replays), (Some(3), true, Some(0)));
        assert_eq!((letter.region, letter.exchange), (Some(Region::Asia), Some(Exchange::Bybit)));
        assert_eq!(letter.symbol.map(|symbol| symbol.as_bytes().to_vec()), Some(b"BTC".to_vec()));
        assert!(letter.kept_headers().eq([("trace", Some(b"\xff".as_slice()))]));
    }

    #[test]
    fn the_last_of_several_letters_is_the_letter() {
        // A frame's letter was sent to the input topic as it was, headers and all; the hub took it for an envelope.
        let own = [("__connect.errors.topic", Some(b"in".as_slice())), ("hub.reason", Some(b"envelope"))];
        let headers = [[("hub.replays", Some(b"2".as_slice())), ("a", None)].as_slice(), &OF_A_FRAME, &own].concat();
        let letter = Letter::of(record(&headers, Some(b"{}")));
        assert_eq!((letter.reason, letter.is_frame, letter.exchange, letter.origin_offset), (Some(Reason::Envelope), false, None, None));
        assert_eq!(letter.replays, Some(2));
        assert!(letter.kept_headers().eq([("a", None)]), "nothing of the hub's is kept");
    }

    #[test]
    fn a_foreign_record_is_no_letter() {
        let headers: [Header<'_>; 3] = [("hub.reason", Some(b"new")), ("hub.frame", Some(b"x")), ("hub.replays", Some(b"many"))];
        let letter = Letter::of(record(&headers, None));
        assert_eq!((letter.reason, letter.is_frame, letter.frame, letter.replays), (None, false, None, None));
    }
}
