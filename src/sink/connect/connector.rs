//! Connectors as data: what each is called, what it reads, and every property of it. Asks nobody.

use std::collections::BTreeMap;

use super::mask::Mask;
use super::preset::Preset;
use crate::config::{Config, ConnectConfig};
use crate::market::Stream;
use crate::sink::{Source, sources};

/// The properties of a connector, by name, as Kafka Connect takes them.
pub type Properties = BTreeMap<String, String>;

/// One sink connector: a topic, a bucket, and all that Kafka Connect is told about them.
#[derive(Clone, PartialEq, Eq)]
pub struct Connector {
    /// Its name; its consumer group is `connect-NAME`.
    pub name: String,
    /// What it reads, and where that goes.
    pub source: Source,
    /// Whose properties these are.
    pub preset: Preset,
    /// All of them, with `connector.class`, without `name`.
    pub properties: Properties,
}

impl Connector {
    /// One for each topic that is put into the store, in their order.
    #[must_use]
    pub fn all(config: &Config) -> Vec<Self> {
        sources(config).into_iter().map(|source| Self::new(config, source)).collect()
    }

    fn new(config: &Config, source: Source) -> Self {
        let preset = Preset::of(&config.connect.class);
        let properties = preset.properties(config, &source);
        let mut connector = Self { name: config.connect.name.replace("{stream}", called(&source)), source, preset, properties };
        connector.common(&config.connect);
        for (name, value) in &config.connect.properties {
            // A property without a value is one that shall not be sent.
            match connector.filled(value) {
                value if value.is_empty() => drop(connector.properties.remove(name)),
                value => drop(connector.properties.insert(name.clone(), value)),
            }
        }
        connector
    }

    /// What is the same for every class.
    fn common(&mut self, connect: &ConnectConfig) {
        let tasks = connect.tasks_max.unwrap_or(self.partitions().unwrap_or(1));
        for (name, value) in [
            ("topics", self.source.topic.clone()),
            ("tasks.max", tasks.to_string()),
            ("key.converter", "org.apache.kafka.connect.storage.StringConverter".to_owned()),
            // A sink that starts late shall have the whole topic, and no record of a transaction that was aborted.
            ("consumer.override.auto.offset.reset", "earliest".to_owned()),
            ("consumer.override.isolation.level", "read_committed".to_owned()),
        ] {
            self.properties.insert(name.to_owned(), value);
        }
    }

    /// `{name}`, `{topic}`, `{stream}`, `{bucket}` and `{records}` in a property that the user gives become this connector's. What stands in two
    /// braces is for the connector.
    fn filled(&self, value: &str) -> String {
        let (mut text, mut rest) = (String::with_capacity(value.len()), value);
        while let Some(at) = rest.find('{') {
            let (before, open) = rest.split_at(at);
            text.push_str(before);
            let found = if let Some(inner) = open.strip_prefix("{{") {
                inner.find("}}").map(|end| (open[..end + 4].to_owned(), end + 4))
            } else {
                open.find('}').and_then(|end| Some((self.word(&open[1..end])?, end + 1)))
            };
            let (replaced, length) = found.unwrap_or_else(|| ("{".to_owned(), 1));
            text.push_str(&replaced);
            rest = &open[length..];
        }
        text + rest
    }

    fn word(&self, word: &str) -> Option<String> {
        Some(match word {
            "name" => self.name.clone(),
            "topic" => self.source.topic.clone(),
            "stream" => self.called().to_owned(),
            "bucket" => self.source.bucket.clone(),
            "records" => self.source.records.to_string(),
            _ => return None,
        })
    }

    /// What it is called within the hub: the stream, or the topic where it is none of a stream.
    #[must_use]
    pub fn called(&self) -> &str {
        called(&self.source)
    }

    /// How many partitions the contract gives the topic; `None` for a topic that is not the contract's.
    #[must_use]
    pub fn partitions(&self) -> Option<i32> {
        self.source.stream.map(Stream::partitions)
    }

    /// The consumer group of the connector's tasks.
    #[must_use]
    pub fn group(&self) -> String {
        self.properties.get("consumer.override.group.id").cloned().unwrap_or_else(|| format!("connect-{}", self.name))
    }

    /// The value of a property; empty where it has none.
    #[must_use]
    pub fn property(&self, name: &str) -> &str {
        self.properties.get(name).map_or("", String::as_str)
    }

    /// What Kafka Connect is sent: every property, and the name.
    #[must_use]
    pub fn sent(&self) -> Properties {
        let mut sent = self.properties.clone();
        sent.insert("name".to_owned(), self.name.clone());
        sent
    }

    /// The properties as they may be shown.
    #[must_use]
    pub fn shown(&self, mask: &Mask) -> Properties {
        self.properties.iter().map(|(name, value)| (name.clone(), mask.value(name, value))).collect()
    }
}

/// Shows nothing that may be secret.
impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("name", &self.name).field("source", &self.source).finish_non_exhaustive()
    }
}

fn called(source: &Source) -> &str {
    source.stream.map_or_else(|| source.topic.as_str(), |stream| stream.name())
}
