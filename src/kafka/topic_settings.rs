//! Settings of topics that would hurt later: what `check` warns of.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;

use super::clients;
use super::start::{Groups, Start, group_of};
use super::topics::block_on;
use crate::config::{Config, LaneId};
use crate::observe::wall_millis;

/// What the headers of a dead letter add to the envelope that it may hold.
const HEADERS_BYTES: i64 = 2_048;

/// Below this, a restart after a night finds nothing of its books.
const RETENTION_MS_MIN: i64 = 12 * 3_600_000;

/// What of a topic's settings matters to us.
#[derive(Clone, Debug, Default)]
struct Settings(BTreeMap<String, String>);

impl Settings {
    fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.parse().ok()
    }
}

/// What the settings of the lanes' topics will do to what is written there, a sentence each.
///
/// # Errors
/// The brokers did not tell within `timeout`.
pub fn hurtful_settings(config: &Config, groups: &Groups, starts: &BTreeMap<LaneId, Start>, timeout: Duration) -> Result<Vec<String>, String> {
    let streams: Vec<_> = groups.iter().zip(&config.streams).filter(|(group, _)| group.is_some()).map(|(_, names)| names).collect();
    let topics: Vec<&str> = streams.iter().flat_map(|names| [names.input.as_str(), &names.output, &names.dlt]).collect();
    let settings = describe(config, &topics, timeout)?;
    let of = |topic: &str| settings.get(topic).cloned().unwrap_or_default();
    let mut warnings = Vec::new();
    for names in streams {
        for topic in [&names.output, &names.dlt] {
            warnings.extend(timestamps(topic, &of(topic), config));
        }
        let (input, dlt) = (of(&names.input).number("max.message.bytes"), of(&names.dlt).number("max.message.bytes"));
        if let Some((input, dlt)) = input.zip(dlt).filter(|(input, dlt)| *dlt < input + HEADERS_BYTES) {
            warnings.push(format!(
                "{} takes {dlt} bytes a record, {} has up to {input}: a dead letter may be too large and stall its lane; set max.message.bytes to {} or more",
                names.dlt,
                names.input,
                input + HEADERS_BYTES
            ));
        }
    }
    for (&lane, start) in starts {
        let output = &config.names(lane.stream).output;
        let retention = of(output).number("retention.ms").filter(|retention| *retention >= 0);
        if let Some(retention) = retention
            && let Some(old) = older_than(groups, lane, start, retention, timeout)?
        {
            warnings.push(format!(
                "{lane}: {old} envelopes are older than the {} h that {output} keeps records: what comes of them may be deleted at once; raise its retention.ms",
                retention / 3_600_000
            ));
        }
    }
    Ok(warnings)
}

/// What the settings of the lanes' topics cost or risk, a sentence each: nothing that stops a lane.
///
/// # Errors
/// The brokers did not tell within `timeout`.
pub fn costly_settings(config: &Config, timeout: Duration) -> Result<Vec<String>, String> {
    let streams: BTreeSet<usize> = config.lanes.iter().map(|lane| lane.stream.index()).collect();
    let streams: Vec<_> = streams.into_iter().map(|index| &config.streams[index]).collect();
    let topics: Vec<&str> = streams.iter().flat_map(|names| [names.input.as_str(), &names.output, &names.dlt]).collect();
    let settings = describe(config, &topics, timeout)?;
    Ok(topics.iter().flat_map(|topic| costs(topic, settings.get(*topic).unwrap_or(&Settings::default()), config)).collect())
}

fn costs(topic: &str, settings: &Settings, config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(compression) =
        settings.0.get("compression.type").filter(|compression| *compression != "producer" && *compression != config.kafka.compression.as_str())
    {
        warnings.push(format!("{topic}: brokers repack every record for compression.type={compression}; set it to producer"));
    }
    if let Some(retention) = settings.number("retention.ms").filter(|retention| (0..RETENTION_MS_MIN).contains(retention)) {
        warnings.push(format!("{topic} keeps records for {} min: books that rest on older ones start unverified; raise retention.ms", retention / 60_000));
    }
    if settings.number("min.insync.replicas") == Some(1) {
        warnings.push(format!("{topic} has min.insync.replicas=1: what is acknowledged may be on one disk alone; set it to 2 where there are three replicas"));
    }
    warnings
}

/// Records that brokers refuse for their time are refused again and again, and with them all of their batch.
fn timestamps(topic: &str, settings: &Settings, config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    let after = settings.number("message.timestamp.after.max.ms").filter(|after| *after < config.rules.future_max_ms);
    if let Some(after) = after {
        warnings.push(format!("{topic} refuses records {after} ms ahead of its clock, --future-max-ms is {}: lower that to it", config.rules.future_max_ms));
    }
    let before = settings.number("message.timestamp.before.max.ms").filter(|before| *before != i64::MAX);
    if let Some(before) = before {
        warnings.push(format!(
            "{topic} refuses records older than {before} ms: one old frame stalls its lane; remove message.timestamp.before.max.ms from the topic"
        ));
    }
    warnings
}

/// How many envelopes a lane has yet to read that are older than `retention` milliseconds, if any.
fn older_than(groups: &Groups, lane: LaneId, start: &Start, retention: i64, timeout: Duration) -> Result<Option<i64>, String> {
    let now = wall_millis();
    let young = group_of(groups, lane).offset_at(lane.partition, (now - retention).max(0), timeout)?.unwrap_or(start.log.1);
    let old = young - start.checkpoint.offset.max(start.log.0);
    Ok((old > 0).then_some(old))
}

fn describe(config: &Config, topics: &[&str], timeout: Duration) -> Result<BTreeMap<String, Settings>, String> {
    let admin: AdminClient<DefaultClientContext> = clients::observer(config).create().map_err(|error| error.to_string())?;
    let options = AdminOptions::new().request_timeout(Some(timeout));
    let asked: Vec<_> = topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
    let answers = block_on(admin.describe_configs(&asked, &options)).map_err(|error| format!("settings of topics: {error}"))?;
    let settings = |resource: ConfigResource| {
        let entries = resource.entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?)));
        Settings(entries.collect())
    };
    // In the order in which they were asked for.
    Ok(topics.iter().zip(answers).filter_map(|(topic, answer)| Some(((*topic).to_owned(), settings(answer.ok()?)))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_on_time_are_warned_of() {
        let settings = |entries: &[(&str, &str)]| Settings(entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
        let config = Config::default();
        let kafka_4 = settings(&[("message.timestamp.after.max.ms", "3600000"), ("message.timestamp.before.max.ms", "9223372036854775807")]);
        assert_eq!(timestamps("t", &kafka_4, &config), [""; 0]);
        let tight = settings(&[("message.timestamp.after.max.ms", "1000"), ("message.timestamp.before.max.ms", "86400000")]);
        assert_eq!(timestamps("t", &tight, &config).len(), 2);
    }

    #[test]
    fn what_settings_cost_is_said() {
        let settings = |entries: &[(&str, &str)]| Settings(entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
        let config = Config::default();
        let good = settings(&[("compression.type", "producer"), ("retention.ms", "604800000"), ("min.insync.replicas", "2")]);
        assert_eq!(costs("t", &good, &config), [""; 0]);
        assert_eq!(costs("t", &settings(&[("retention.ms", "-1")]), &config), [""; 0], "for ever");
        let bad = settings(&[("compression.type", "zstd"), ("retention.ms", "60000"), ("min.insync.replicas", "1")]);
        assert_eq!(costs("t", &bad, &config).len(), 3);
    }
}
