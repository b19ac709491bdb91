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
