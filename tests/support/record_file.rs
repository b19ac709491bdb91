//! Reads golden files: Kafka records, one JSON object a line, gzipped (`shared/golden/README.md`).

use std::{
    fmt,
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use super::Message;

/// What goes in and what must come out, each in order.
pub struct GoldenFile {
    /// The file's name without `.in.jsonl.gz`.
    pub name: String,
    pub input: Vec<Message>,
    pub output: Vec<Message>,
}

/// All golden files, by name. They are handed to the project beside its root; a project without them is broken, so none found is a failure.
pub fn golden_files() -> Vec<GoldenFile> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/golden");
    let entries = dir.read_dir().unwrap_or_else(|error| panic!("no golden files at {}: {error}", dir.display()));
    let mut inputs: Vec<PathBuf> = entries.map(|entry| entry.expect("a directory entry").path()).collect();
    inputs.retain(|path| path.to_string_lossy().ends_with(".in.jsonl.gz"));
    inputs.sort();
    assert!(!inputs.is_empty(), "no *.in.jsonl.gz in {}", dir.display());
    let golden = |input: PathBuf| {
        let name = input.file_name().expect("a file").to_string_lossy().replace(".in.jsonl.gz", "");
        let output = input.with_file_name(format!("{name}.out.jsonl.gz"));
        GoldenFile { name, input: messages(&input), output: messages(&output) }
    };
    inputs.into_iter().map(golden).collect()
}

/// The records of one file.
pub fn messages(path: &Path) -> Vec<Message> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = BufReader::new(GzDecoder::new(file)).lines();
    lines.map(|line| message(&line.unwrap_or_else(|error| panic!("{}: {error}", path.display())))).collect()
}

fn message(line: &str) -> Message {
    let line: Line = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
    Message {
        topic: line.topic,
        partition: line.partition,
        offset: line.offset,
        timestamp_ms: line.timestamp_ms,
        key: line.key.map(Bytes::into_vec),
        headers: line.headers.0.into_iter().map(|(name, value)| (name, value.map(Bytes::into_vec))).collect(),
        value: line.value.map(Bytes::into_vec),
    }
}

/// A line as it stands; `key` and `headers` may be absent, an output has no `offset`.
#[derive(Deserialize)]
struct Line {
    topic: String,
    partition: i32,
    #[serde(default)]
    offset: Option<i64>,
    timestamp_ms: i64,
    #[serde(default)]
    key: Option<Bytes>,
    #[serde(default)]
    headers: HeadersInOrder,
    value: Option<Bytes>,
}

/// Text, whose UTF-8 bytes are meant, or any bytes as base64.
#[derive(Deserialize)]
#[serde(untagged)]
enum Bytes {
    Text(String),
    Any { b64: String },
}

impl Bytes {
    fn into_vec(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Any { b64 } => base64(&b64),
        }
    }
}

/// Kafka headers are a list, and their order is part of what is compared: a map would sort them.
#[derive(Default)]
struct HeadersInOrder(Vec<(String, Option<Bytes>)>);

impl<'de> Deserialize<'de> for HeadersInOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = HeadersInOrder;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("headers by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HeadersInOrder, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(HeadersInOrder(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// Standard base64, with or without padding.
fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for character in text.trim_end_matches('=').bytes() {
        let digit = ALPHABET.iter().position(|letter| *letter == character).unwrap_or_else(|| panic!("not base64: {text}"));
        bits = bits << 6 | u32::try_from(digit).expect("below 64");
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    bytes
}

#[test]
fn a_line_may_hold_text_bytes_null_or_nothing() {
    let line = r#"{"topic":"t","partition":3,"offset":7,"timestamp_ms":5,"key":null,"headers":{"z":"1","a":{"b64":"/wB/"},"m":null},"value":{"b64":"aGk="}}"#;
    let full = message(line);
    assert_eq!((full.topic.as_str(), full.partition, full.offset, full.timestamp_ms), ("t", 3, Some(7), 5));
    assert_eq!(full.headers, [("z".to_owned(), Some(b"1".to_vec())), ("a".to_owned(), Some(vec![0xff, 0, 0x7f])), ("m".to_owned(), None)]);
    assert_eq!((full.key.as_deref(), full.value.as_deref()), (None, Some(b"hi".as_slice())));

    let bare = message(r#"{"topic":"t","partition":0,"timestamp_ms":5,"value":"\u00e9"}"#);
    assert_eq!((bare.key, bare.headers, bare.value), (None, Vec::new(), Some(vec![0xc3, 0xa9])));
}
