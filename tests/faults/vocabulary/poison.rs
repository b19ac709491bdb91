//! Poison: input that must become a dead letter, once, and nothing else.

use std::borrow::Cow;

/// A kind of poison.
#[derive(Debug)]
pub struct Poison {
    pub name: &'static str,
    /// The reason that its dead letter must give.
    pub reason: &'static str,
    pub shape: Shape,
}

/// Where it stands.
#[derive(Debug)]
pub enum Shape {
    /// It is the whole envelope, which is then its dead letter's value.
    Envelope(fn() -> Option<Vec<u8>>),
    /// It is one frame among good ones.
    Frame {
        position: u64,
        /// What the dead letter holds.
        text: fn() -> Vec<u8>,
        /// The item of `data`, where that is not the text as a JSON string.
        item: Option<&'static str>,
    },
}

impl Poison {
    /// The number within its envelope under which the dead letter counts.
    pub fn position(&self) -> u64 {
        match self.shape {
            Shape::Envelope(_) => 0,
            Shape::Frame { position, .. } => position,
        }
    }

    /// The value of the dead letter.
    pub fn letter(&self) -> Option<Vec<u8>> {
        match self.shape {
            Shape::Envelope(bytes) => bytes(),
            Shape::Frame { text, .. } => Some(text()),
        }
    }

    /// The item of `data`; for a frame.
    pub fn item(&self) -> Cow<'static, str> {
        let Shape::Frame { text, item, .. } = self.shape else { unreachable!("an envelope stands in no envelope") };
        let escaped = || format!("\"{}\"", String::from_utf8(text()).expect("text").replace('"', "\\\""));
        item.map_or_else(|| Cow::Owned(escaped()), Cow::Borrowed)
    }
}

/// The first envelopes of a heavily poisoned lane are those that try to exhaust the hub.
pub fn heavy_at(index: u64) -> Option<&'static Poison> {
    HEAVY.get(usize::try_from(index).expect("a small number"))
}

/// One of five envelopes of twenty frames has poison, so that one frame of a hundred is.
pub fn light_at(index: u64) -> Option<&'static Poison> {
    let turn = usize::try_from(index / 5).expect("a small number");
    index.is_multiple_of(5).then(|| &LIGHT[turn % LIGHT.len()])
}

static HEAVY: [Poison; 3] = [
    envelope("1 MB of [", "depth", || Some(b"[".repeat(1_000_000))),
    envelope("11.5 kB unclosed", "depth", || Some(format!(r#"{{"skipped":{},"data":[]}}"#, "[".repeat(11_500)).into_bytes())),
    frame("100,000 levels", "shape", 0, || format!(r#"{{"bids":[{}]}}"#, ["[1,1]"; 100_000].join(",")).into_bytes()),
];

/// Larger than a hub takes by default.
pub static OVERSIZED: Poison = envelope("10 MB string", "size", || Some(format!(r#"{{"region":"korea","data":["{}"]}}"#, "x".repeat(10_000_000)).into_bytes()));

static LIGHT: [Poison; 12] = [
    envelope("null value", "json", || None),
    envelope("empty value", "json", || Some(Vec::new())),
    envelope("invalid UTF-8", "utf8", || Some(b"\xff\xfe{}".to_vec())),
    envelope("BOM", "json", || Some(b"\xef\xbb\xbf{\"region\":\"korea\"}".to_vec())),
    envelope("NUL", "json", || Some(b"{\"region\":\"kor\0ea\"}".to_vec())),
    envelope("cut off", "json", || Some(br#"{"region":"korea","market":"UPBIT""#.to_vec())),
    Poison {
        name: "lone surrogate",
        reason: "utf8",
        shape: Shape::Frame { position: 3, text: || b"{\"c\":\"\xed\xa0\x80\"}".to_vec(), item: Some(r#""{\"c\":\"\ud800\"}""#) },
    },
    Poison { name: "a list", reason: "shape", shape: Shape::Frame { position: 10, text: || b"[1,2]".to_vec(), item: Some("[1,2]") } },
    frame("1e400", "number", 0, || prices("1e400")),
    frame("2^70", "number", 19, || prices("1180591620717411303424")),
    frame("duplicate keys", "number", 7, || prices(r#"1,"trade_price":"x","last":"x","close":"x","lastPrice":"x","c":"x","end":1"#)),
    frame("deep frame", "depth", 11, || format!(r#"{{"a":{}{}}}"#, "[".repeat(40), "]".repeat(40)).into_bytes()),
];

const fn envelope(name: &'static str, reason: &'static str, bytes: fn() -> Option<Vec<u8>>) -> Poison {
    Poison { name, reason, shape: Shape::Envelope(bytes) }
}

const fn frame(name: &'static str, reason: &'static str, position: u64, text: fn() -> Vec<u8>) -> Poison {
    Poison { name, reason, shape: Shape::Frame { position, text, item: None } }
}

/// A ticker of whichever exchange, with this for its trade price.
fn prices(value: &str) -> Vec<u8> {
    let columns = ["trade_price", "last", "close", "lastPrice", "c"].map(|column| format!(r#""{column}":{value}"#));
    format!("{{{}}}", columns.join(",")).into_bytes()
}
