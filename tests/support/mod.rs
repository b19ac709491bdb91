//! What the tests against a real broker are made of: the broker itself, a client that shares no code with the hub, the hub as a process, golden files.

#![allow(dead_code, reason = "each test binary uses the part it needs")]

pub mod admin;
pub mod broker;
pub mod client;
pub mod connect;
pub mod http;
pub mod hub;
pub mod kafka_home;
pub mod minio;
pub mod names;
pub mod record_file;
pub mod rounds;

use std::{
    fmt,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

/// One Kafka record, as it is sent, expected or read.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    pub topic: String,
    pub partition: i32,
    /// `None` where the offset is not known or does not matter.
    pub offset: Option<i64>,
    pub timestamp_ms: i64,
    pub key: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    pub value: Option<Vec<u8>>,
}

impl Message {
    /// A message without key and headers, stamped with a moment of 2026 that every broker accepts.
    pub fn new(topic: &str, partition: i32, value: &str) -> Self {
        let value = Some(value.as_bytes().to_vec());
        Self { topic: topic.to_owned(), partition, offset: None, timestamp_ms: 1_790_000_000_000, key: None, headers: Vec::new(), value }
    }

    /// The value as text; for messages that are known to have one.
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.value.as_deref().expect("a value")).expect("UTF-8")
    }

    /// The text of the header `name`, if there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(key, _)| key == name)?;
        std::str::from_utf8(value.as_deref()?).ok()
    }
}

impl fmt::Debug for Message {
    /// Readable where the bytes are, and short: values may have a megabyte.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, partition, offset, timestamp_ms, key, headers, value } = self;
        let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}={}", shown(value.as_deref()))).collect();
        write!(f, "{topic}[{partition}]@{offset:?} t={timestamp_ms} key={} headers={headers:?} value={}", shown(key.as_deref()), shown(value.as_deref()))
    }
}

/// Bytes for a person: text as far as it is text, cut after 600 bytes.
pub fn shown(bytes: Option<&[u8]>) -> String {
    const BYTES_MAX: usize = 600;
    match bytes {
        None => "null".to_owned(),
        Some(bytes) if bytes.len() > BYTES_MAX => format!("{}... ({} bytes)", bytes[..BYTES_MAX].escape_ascii(), bytes.len()),
        Some(bytes) => bytes.escape_ascii().to_string(),
    }
}

/// Says something to whoever runs the tests, also when they pass: the test harness holds back what the print macros write.
pub fn report(what: impl fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{what}");
}

/// Asks again every 20 ms until `done`; panics with `what` and the last answer after `bound`.
pub fn wait_until<T: fmt::Debug>(what: &str, bound: Duration, mut ask: impl FnMut() -> T, done: impl Fn(&T) -> bool) -> T {
    let start = Instant::now();
    loop {
        let answer = ask();
        if done(&answer) {
            return answer;
        }
        assert!(start.elapsed() < bound, "not within {bound:?}: {what}; last seen: {answer:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The last lines of a log, for a failure's message.
pub fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read(path).map_or_else(|error| format!("(no log: {error})"), |bytes| String::from_utf8_lossy(&bytes).into_owned());
    let all: Vec<&str> = text.lines().collect();
    format!("--- the last lines of {}\n{}\n---", path.display(), all[all.len().saturating_sub(lines)..].join("\n"))
}
