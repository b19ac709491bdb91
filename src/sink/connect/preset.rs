//! The S3 sinks that are known: what each must be told so that records arrive byte for byte under keys that depend on nothing but the records.

use super::connector::Properties;
use crate::config::Config;
use crate::sink::Source;

/// Confluent's S3 sink.
const CONFLUENT: &str = "io.confluent.connect.s3.S3SinkConnector";
/// Aiven's S3 sink.
const AIVEN: &str = "io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector";

pub(super) const BYTES: &str = "org.apache.kafka.connect.converters.ByteArrayConverter";
pub(super) const TEXT: &str = "org.apache.kafka.connect.storage.StringConverter";

/// A kind of sink connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preset {
    /// `confluent`.
    Confluent,
    /// `aiven`.
    Aiven,
    /// Any other class: it is told what Kafka Connect itself needs, and the rest by `--property`.
    Other(String),
}

impl Preset {
    /// What a `--connector-class` means.
    #[must_use]
    pub fn of(class: &str) -> Self {
        match class {
            "confluent" | CONFLUENT => Self::Confluent,
            "aiven" | AIVEN => Self::Aiven,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The class.
    #[must_use]
    pub fn class(&self) -> &str {
        match self {
            Self::Confluent => CONFLUENT,
            Self::Aiven => AIVEN,
            Self::Other(class) => class,
        }
    }

    /// Whether the preset writes to the buckets of the settings.
    #[must_use]
    pub const fn is_s3(&self) -> bool {
        matches!(self, Self::Confluent | Self::Aiven)
    }

    /// The properties of this class for one topic and its bucket.
    pub(super) fn properties(&self, config: &Config, source: &Source) -> Properties {
        let mut properties = match self {
            Self::Confluent => confluent(config, source),
            Self::Aiven => aiven(config, source),
            // Records are text: this gives them back byte for byte to whatever writes text.
            Self::Other(_) => owned(&[("value.converter", TEXT)]),
        };
        if let (true, Some(credentials)) = (self.is_s3(), &config.store.credentials) {
            properties.insert("aws.access.key.id".to_owned(), credentials.access.expose().to_owned());
            properties.insert("aws.secret.access.key".to_owned(), credentials.secret.expose().to_owned());
        }
        properties.insert("connector.class".to_owned(), self.class().to_owned());
        properties
    }
}

/// Lines of bytes; days by the time of the record, which is the exchange's.
fn confluent(config: &Config, source: &Source) -> Properties {
    let mut properties = owned(&[
        ("s3.bucket.name", &source.bucket),
        ("s3.region", &config.store.region),
        ("store.url", endpoint(config)),
        ("storage.class", "io.confluent.connect.s3.storage.S3Storage"),
        ("flush.size", &source.records.to_string()),
        ("value.converter", BYTES),
        ("format.class", "io.confluent.connect.s3.format.bytearray.ByteArrayFormat"),
        ("format.bytearray.extension", ".json"),
        ("s3.compression.type", "gzip"),
        // A buffer of this size is held for every open object; the default of 25 MiB is five times what the store asks for.
        ("s3.part.size", "5242880"),
        ("partitioner.class", "io.confluent.connect.storage.partitioner.TimeBasedPartitioner"),
        ("path.format", "'year'=YYYY/'month'=MM/'day'=dd"),
        ("partition.duration.ms", "86400000"),
        ("timestamp.extractor", "Record"),
        ("locale", "en-US"),
        ("timezone", "UTC"),
    ]);
    if let Some(rotate) = config.connect.rotate {
        properties.insert("rotate.schedule.interval.ms".to_owned(), rotate.as_millis().to_string());
    }
    properties
}

/// One column, the value, not encoded: lines of bytes as well.
fn aiven(config: &Config, source: &Source) -> Properties {
    owned(&[
        ("aws.s3.bucket.name", &source.bucket),
        ("aws.s3.region", &config.store.region),
        ("aws.s3.endpoint", endpoint(config)),
        (
            "file.name.template",
            "topics/{{topic}}/year={{timestamp:unit=yyyy}}/month={{timestamp:unit=MM}}/day={{timestamp:unit=dd}}/{{topic}}+{{partition}}+{{start_offset:padding=true}}.json.gz",
        ),
        ("file.name.timestamp.source", "EVENT"),
        ("file.name.timestamp.timezone", "UTC"),
        ("file.compression.type", "gzip"),
        ("file.max.records", &source.records.to_string()),
        ("format.output.type", "csv"),
        ("format.output.fields", "value"),
        ("format.output.fields.value.encoding", "none"),
        ("value.converter", BYTES),
    ])
}

/// The store as Kafka Connect's workers see it.
fn endpoint(config: &Config) -> &str {
    let url = config.connect.store.as_ref().unwrap_or(&config.store.endpoint);
    url.as_str().trim_end_matches('/')
}

fn owned(properties: &[(&str, &str)]) -> Properties {
    properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
