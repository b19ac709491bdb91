//! The record file format: Kafka records as JSON, one a line. Text stands for its UTF-8 bytes, `{"b64": ".."}` for any
//! bytes, `null` for none.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::batch::Message;

/// A key, a value or the value of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// UTF-8.
    Text(String),
    /// Anything else.
    Bytes(Vec<u8>),
}

impl Field {
    /// The bytes that are meant.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl From<&[u8]> for Field {
    fn from(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes(bytes.to_owned()),
        }
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("b64", &BASE64_STANDARD.encode(bytes))?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Encoded { b64: String },
        }
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(Self::Text(text)),
            Written::Encoded { b64 } => BASE64_STANDARD.decode(b64).map(Self::Bytes).map_err(Error::custom),
        }
    }
}

/// The headers of a record, in order. In JSON an object, so that a name can stand there only once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, Option<Field>)>);

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Headers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of headers, or null")
            }

            fn visit_unit<E>(self) -> Result<Headers, E> {
                Ok(Headers::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
                let mut headers = Vec::new();
                while let Some(header) = map.next_entry()? {
                    headers.push(header);
                }
                Ok(Headers(headers))
            }
        }
        deserializer.deserialize_any(Members)
    }
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// One line of an input file.
#[derive(Clone, Debug, serde::Deserialize)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct InputRecord {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    pub timestamp_ms: i64,
    #[serde(default)]
    pub key: Option<Field>,
    #[serde(default)]
    pub headers: Headers,
    #[serde(default)]
    pub value: Option<Field>,
}

/// One line of an output file.
#[derive(Clone, Debug, serde::Serialize)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct OutputRecord<'t> {
    pub topic: &'t str,
    pub partition: i32,
    pub key: Option<Field>,
    pub timestamp_ms: i64,
    pub headers: Headers,
    pub value: Option<Field>,
}

impl<'t> OutputRecord<'t> {
    /// The line for a message.
    #[must_use]
    pub fn new(topic: &'t str, partition: i32, message: &Message<'_>) -> Self {
        let headers = message.headers().map(|(name, value)| (name.to_owned(), value.map(Field::from)));
        Self {
            topic,
            partition,
            key: message.key.map(Field::from),
            timestamp_ms: message.timestamp_ms,
            headers: Headers(headers.collect()),
            value: message.value.map(Field::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Batch, Destination, Place};

    fn input(line: &str) -> InputRecord {
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn text_bytes_and_nothing_are_told_apart() {
        let record = input(
            r#"{"topic":"t","partition":1,"offset":2,"timestamp_ms":-3,"key":"k\u00e9","value":{"b64":"/wA="},"headers":{"b":"2","a":null,"c":{"b64":"YQ=="}},"more":[]}"#,
        );
        assert_eq!((record.topic.as_str(), record.partition, record.offset, record.timestamp_ms), ("t", 1, 2, -3));
        assert_eq!(record.key.as_ref().map(Field::bytes), Some("k\u{e9}".as_bytes()));
        assert_eq!(record.value, Some(Field::Bytes(vec![0xff, 0])));
        let headers: Vec<_> = record.headers.0.iter().map(|(name, value)| (name.as_str(), value.as_ref().map(Field::bytes))).collect();
        assert_eq!(headers, [("b", Some(b"2".as_slice())), ("a", None), ("c", Some(b"a"))], "in the order of the file");
        let bare = input(r#"{"topic":"t","partition":1,"offset":2,"timestamp_ms":3,"key":null,"headers":null}"#);
        assert_eq!((bare.key, bare.value, bare.headers), (None, None, Headers::default()));
    }

    #[test]
    fn anything_else_is_refused() {
        for (part, is) in
            [("key", "5"), ("key", r#"{"b64":"*"}"#), ("value", r#"{"text":"x"}"#), ("headers", "[]"), ("headers", r#"{"a":1}"#), ("offset", "1.5")]
        {
            let mut line: serde_json::Value = serde_json::from_str(r#"{"topic":"t","partition":1,"offset":2,"timestamp_ms":3}"#).unwrap();
            line[part] = serde_json::from_str(is).unwrap();
            assert!(serde_json::from_value::<InputRecord>(line.clone()).is_err(), "{line}");
        }
        assert!(serde_json::from_str::<InputRecord>(r#"{"topic":"t","partition":1,"offset":2}"#).is_err());
    }

    #[test]
    fn a_message_becomes_a_line() {
        let mut batch = Batch::default();
        let mut message = batch.begin(Destination::DeadLetter, Place::default(), 7);
        message.value(|out| out.extend_from_slice(b"\xed\xa0\x80"));
        message.copy_header("theirs", None);
        message.copy_header("raw", Some(b"\xff"));
        message.header("hub.reason", |out| out.extend_from_slice(b"utf8"));
        message.finish();
        let line = serde_json::to_string(&OutputRecord::new("x-dlt", 3, &batch.message(0))).unwrap();
        let headers = r#"{"theirs":null,"raw":{"b64":"/w=="},"hub.reason":"utf8"}"#;
        assert_eq!(line, format!(r#"{{"topic":"x-dlt","partition":3,"key":null,"timestamp_ms":7,"headers":{headers},"value":{{"b64":"7aCA"}}}}"#));
    }
}
