//! What is known to go wrong with S3 sinks without a word. Read off the properties as they will be sent: a property that the user gives can bring a trap back.

use super::connector::Connector;
use super::preset::{BYTES, Preset};
use crate::config::{Config, Delivery};

/// A known trap, and whether a connector steps into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trap {
    /// What it is about, in a word or two.
    pub about: &'static str,
    /// Whether the connector keeps clear of it.
    pub avoided: bool,
    /// What would happen, or will, and what helps.
    pub text: String,
}

fn avoided(about: &'static str, text: impl Into<String>) -> Option<Trap> {
    Some(Trap { about, avoided: true, text: text.into() })
}

fn warning(about: &'static str, text: impl Into<String>) -> Option<Trap> {
    Some(Trap { about, avoided: false, text: text.into() })
}

/// Every trap that concerns the connector, those it steps into first.
#[must_use]
pub fn traps(connector: &Connector, config: &Config) -> Vec<Trap> {
    let mut found: Vec<Trap> = [
        keys(connector),
        time(connector),
        last_records(connector),
        files(connector, config),
        bytes(connector),
        start(connector),
        transactions(connector, config),
        tasks(connector),
        secrets(connector),
        temporary_keys(connector, config),
        unknown(connector),
    ]
    .into_iter()
    .flatten()
    .collect();
    found.sort_by_key(|trap| trap.avoided);
    found
}

/// The last part of a class name.
fn short(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or_default()
}

fn keys(connector: &Connector) -> Option<Trap> {
    const ABOUT: &str = "keys";
    match connector.preset {
        Preset::Confluent => match short(connector.property("partitioner.class")) {
            class @ ("DailyPartitioner" | "HourlyPartitioner") => {
                warning(ABOUT, format!("{class} overwrites path.format and partition.duration.ms with its own: use TimeBasedPartitioner for yours to count"))
            }
            "TimeBasedPartitioner" => avoided(ABOUT, "DailyPartitioner would overwrite path.format: TimeBasedPartitioner takes it as it is"),
            _ => None,
        },
        Preset::Aiven if connector.property("file.name.template").is_empty() => {
            warning(ABOUT, "without file.name.template the key is TOPIC-PARTITION-OFFSET, without a day and without .gz")
        }
        Preset::Aiven => avoided(ABOUT, "without file.name.template the key would be TOPIC-PARTITION-OFFSET, without a day and without .gz"),
        Preset::Other(_) => None,
    }
}

fn time(connector: &Connector) -> Option<Trap> {
    const ABOUT: &str = "day";
    const WALL: &str =
        "days by the clock of the worker are not those of the records, and a record that is read again may land under another key: not exactly once";
    const RECORD: &str =
        "days are those of the records' own time, the exchange's: the clock of the worker would put a record that is read again under another key";
    match connector.preset {
        Preset::Confluent => match (short(connector.property("partitioner.class")), short(connector.property("timestamp.extractor"))) {
            ("" | "DefaultPartitioner" | "FieldPartitioner", _) => None,
            (_, "" | "Wallclock") => warning(ABOUT, format!("{WALL}; use timestamp.extractor=Record")),
            (_, "Record") => avoided(ABOUT, RECORD),
            (_, extractor) => warning(
                ABOUT,
                format!(
                    "timestamp.extractor={extractor} needs values that are structs, but exact bytes have no fields: use Record, whose time is the exchange's"
                ),
            ),
        },
        Preset::Aiven if !connector.property("file.name.template").contains("timestamp") => None,
        Preset::Aiven if connector.property("file.name.timestamp.source").eq_ignore_ascii_case("EVENT") => avoided(ABOUT, RECORD),
        Preset::Aiven => warning(ABOUT, format!("{WALL}; use file.name.timestamp.source=EVENT")),
        Preset::Other(_) => None,
    }
}

fn last_records(connector: &Connector) -> Option<Trap> {
    const ABOUT: &str = "last records";
    if connector.preset != Preset::Confluent {
        return None;
    }
    let is_set = |name: &str| !["", "-1"].contains(&connector.property(name));
    if is_set("rotate.schedule.interval.ms") {
        return warning(
            ABOUT,
            format!(
                "rotate.schedule.interval.ms={} writes what is there by the clock of the worker: nothing waits, but objects depend on when they were written: \
                 not exactly once",
                connector.property("rotate.schedule.interval.ms")
            ),
        );
    }
    let clock = if is_set("rotate.interval.ms") { "or until a record with a later time comes " } else { "" };
    warning(
        ABOUT,
        format!(
            "up to {} records of each partition wait in the worker until more come {clock}(flush.size={}), when none come for ever: they are in Kafka and not in \
             the store. --connector-rotate-ms writes them in time, and gives exactly once up",
            connector.property("flush.size").parse::<u64>().map_or(0, |size| size.saturating_sub(1)),
            connector.property("flush.size"),
        ),
    )
}

fn files(connector: &Connector, config: &Config) -> Option<Trap> {
    const ABOUT: &str = "objects";
    if connector.preset != Preset::Aiven {
        return None;
    }
    let rotate = if config.connect.rotate.is_some() { "--connector-rotate-ms has no effect here: " } else { "" };
    match connector.property("file.max.records") {
        "" | "0" => warning(
            ABOUT,
            "without file.max.records an object is as large as what came between two ticks of the worker's flush clock, and where days change its key does not \
             tell its first record",
        ),
        records => warning(
            ABOUT,
            format!(
                "{rotate}file.max.records={records} only splits: objects are written at the flush clock of the worker (its offset.flush.interval.ms, 60 s unless \
                 set), the last one of each partition with what there is; after a crash of the worker a record may stand in two of them"
            ),
        ),
    }
}

fn bytes(connector: &Connector) -> Option<Trap> {
    const ABOUT: &str = "bytes";
    const DOUBLES: &str = "JsonConverter reads numbers as doubles and forgets the order of keys: records are written anew, not as they were sent";
    let converter = short(connector.property("value.converter"));
    let exact_format = match connector.preset {
        Preset::Confluent => short(connector.property("format.class")) == "ByteArrayFormat",
        Preset::Aiven => {
            let is = |name: &str, value: &str| connector.property(name) == value;
            is("format.output.type", "csv") && is("format.output.fields", "value") && is("format.output.fields.value.encoding", "none")
        }
        Preset::Other(_) => true,
    };
    match converter {
        "JsonConverter" => warning(ABOUT, format!("{DOUBLES}; use {BYTES} with a format of bytes")),
        "" => warning(ABOUT, "without value.converter the worker's own is used, by default JsonConverter, which writes records anew and not as they were sent"),
        "ByteArrayConverter" | "StringConverter" if !exact_format => {
            warning(ABOUT, format!("the format quotes or encodes what {converter} gives it: records are not written as they were sent"))
        }
        "StringConverter" if connector.preset.is_s3() => warning(ABOUT, format!("a format of bytes takes no text: the tasks fail; use {BYTES}")),
        "ByteArrayConverter" | "StringConverter" => avoided(ABOUT, format!("{converter} leaves records as they were sent; {DOUBLES}")),
        _ => None,
    }
}

fn start(connector: &Connector) -> Option<Trap> {
    const ABOUT: &str = "start";
    if !connector.property("auto.offset.reset").is_empty() {
        return warning(ABOUT, "auto.offset.reset has no effect in a connector: it is called consumer.override.auto.offset.reset there");
    }
    match connector.property("consumer.override.auto.offset.reset") {
        "" => None,
        reset => avoided(
            ABOUT,
            format!(
                "auto.offset.reset={reset} carries consumer.override. before it, without which it has no effect (workers whose connector.client.config.override.policy is None refuse it)"
            ),
        ),
    }
}

fn transactions(connector: &Connector, config: &Config) -> Option<Trap> {
    const ABOUT: &str = "transactions";
    if connector.property("consumer.override.isolation.level") == "read_committed" {
        return avoided(ABOUT, "a sink reads records of aborted transactions unless it is told not to: consumer.override.isolation.level=read_committed");
    }
    match config.delivery {
        Delivery::ExactlyOnce => warning(ABOUT, "without consumer.override.isolation.level=read_committed the sink writes records of aborted transactions too"),
        Delivery::AtLeastOnce => None,
    }
}

fn tasks(connector: &Connector) -> Option<Trap> {
    const ABOUT: &str = "tasks";
    let (partitions, tasks) = (connector.partitions()?, connector.property("tasks.max").parse::<i32>().ok()?);
    if tasks > partitions {
        return warning(ABOUT, format!("tasks.max={tasks}, but the topic has {partitions} partitions: a partition has one task, the others are idle"));
    }
    avoided(ABOUT, format!("tasks.max={tasks}: more than the {partitions} partitions of the topic would be idle"))
}

fn secrets(connector: &Connector) -> Option<Trap> {
    let named: Vec<&str> =
        connector.properties.iter().filter(|(name, value)| super::mask::is_secret(name) && !value.starts_with("${")).map(|(name, _)| name.as_str()).collect();
    if named.is_empty() {
        let own = "no key is in the connector: the worker finds its own, in its environment, profile or role";
        return if connector.preset.is_s3() { avoided("secrets", own) } else { None };
    }
    warning(
        "secrets",
        format!(
            "whoever reaches Kafka Connect can read {}: a config provider of the worker keeps it out, as in --property '{}=${{file:/etc/secrets:key}}'",
            named.join(", "),
            named[0]
        ),
    )
}

fn temporary_keys(connector: &Connector, config: &Config) -> Option<Trap> {
    let session = config.store.credentials.as_ref().and_then(|credentials| credentials.session.as_ref());
    if session.is_none() || !connector.preset.is_s3() {
        return None;
    }
    warning("temporary keys", "the token of HUB_S3_SESSION_TOKEN has no place in the connector: give lasting keys, or none and let the worker find its own")
}

fn unknown(connector: &Connector) -> Option<Trap> {
    let Preset::Other(class) = &connector.preset else { return None };
    warning(
        "class",
        format!(
            "{class} is not known here: bucket, keys and format are what --property tells it ({{name}}, {{topic}}, {{stream}}, {{bucket}}, {{records}} stand for this connector's)"
        ),
    )
}
