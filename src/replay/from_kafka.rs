//! A stretch of the log through the core: found once at the beginning, read without a group and without commits, one lane after the other.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use super::{Replay, Sink, Stop, Topics};
use crate::config::{Config, LaneId};
use crate::kafka::{Cluster, Edge, LogReader, Stretch, TopicPlan, Unavailable, Writer};

/// The longest name of a topic that Kafka takes.
const TOPIC_BYTES_MAX: usize = 249;

/// The input of a replay: a stretch of each lane's log. Their ends are those of now: what comes later does not belong to it.
pub struct LogReplay<'c> {
    config: &'c Arc<Config>,
    reader: LogReader,
    cluster: Cluster,
    partitions: BTreeMap<String, i32>,
    stretches: Vec<(LaneId, Stretch)>,
    cut: Vec<String>,
}

impl<'c> LogReplay<'c> {
    /// Finds the stretches of all lanes.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn open(config: &'c Arc<Config>, from: Edge, to: Edge) -> Result<Self, Stop> {
        let deadline = Instant::now() + config.start_deadline;
        let reader = LogReader::new(config).map_err(Stop::Refused)?;
        let cluster = Cluster::new(config).map_err(Stop::Refused)?;
        let partitions = cluster.wait_for_brokers(deadline)?;
        let missing = missing(config, &partitions);
        if !missing.is_empty() {
            return Err(Unavailable(missing).into());
        }
        let (mut stretches, mut cut) = (Vec::new(), Vec::new());
        for &lane in &config.lanes {
            let whole = reader.whole(&config.names(lane.stream).input, lane.partition, deadline)?;
            for edge in [from, to] {
                if let Edge::Offset(offset) = edge
                    && !(whole.from..=whole.to).contains(&offset)
                {
                    cut.push(format!("{lane}: offset {offset} is not in the log of {}, which holds {} to {}", whole.topic, whole.from, whole.to));
                }
            }
            stretches.push((lane, reader.part(&whole, from, to, deadline)?));
        }
        Ok(Self { config, reader, cluster, partitions, stretches, cut })
    }

    /// Offsets that were asked for and lie outside of the log, a sentence each: there the stretch ends with the log.
    #[must_use]
    pub fn cut(&self) -> &[String] {
        &self.cut
    }

    /// How many offsets all stretches span; there may be fewer records.
    #[must_use]
    pub fn span(&self) -> u64 {
        self.stretches.iter().map(|(_, stretch)| stretch.span()).sum()
    }

    /// Topics named `prefix` and the names of the streams' output and dead-letter topics; makes them where the settings say so.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn topics(&self, prefix: &str) -> Result<Topics, Stop> {
        let plan = plan(self.config, prefix, &self.partitions);
        let refused: Vec<String> = plan.iter().filter_map(|topic| refused(self.config, &topic.name)).collect();
        if !refused.is_empty() {
            return Err(Stop::Refused(refused.join("\n")));
        }
        let lacking: Vec<&TopicPlan> = plan.iter().filter(|topic| !self.partitions.contains_key(&topic.name)).collect();
        let mut faults: Vec<String> = plan
            .iter()
            .filter_map(|topic| {
                let found = self.partitions.get(&topic.name).filter(|found| **found < topic.partitions)?;
                Some(format!("topic {} has {found} partitions, {} are needed", topic.name, topic.partitions))
            })
            .collect();
        if self.config.create_topics {
            self.cluster.create(&lacking).map_err(|fault| Unavailable(vec![fault]))?;
        } else {
            let needed = |topic: &&TopicPlan| format!("topic {} is missing: make it with {} partitions, or use --create-topics", topic.name, topic.partitions);
            faults.extend(lacking.iter().map(needed));
        }
        if !faults.is_empty() {
            return Err(Unavailable(faults).into());
        }
        Ok(Topics::new(Writer::new(self.config).map_err(Stop::Refused)?, prefix.to_owned()))
    }

    /// Runs the core over all of it. `passed` is told how many offsets of the whole span are behind it.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn run(&self, replay: &mut Replay<'_>, sink: &mut impl Sink, mut passed: impl FnMut(LaneId, u64)) -> Result<(), Stop> {
        let mut before = 0;
        for (lane, stretch) in &self.stretches {
            passed(*lane, before);
            self.reader.read(stretch, |input| {
                replay.process(*lane, input, sink)?;
                passed(*lane, before + input.offset.abs_diff(stretch.from) + 1);
                Ok::<_, Stop>(ControlFlow::Continue(()))
            })?;
            // Its books are of no use to any other.
            replay.finish(sink)?;
            before += stretch.span();
        }
        Ok(())
    }
}

/// What is missing of the lanes' input topics.
fn missing(config: &Config, partitions: &BTreeMap<String, i32>) -> Vec<String> {
    let mut missing: Vec<String> = config
        .lanes
        .iter()
        .filter_map(|lane| {
            let topic = &config.names(lane.stream).input;
            match partitions.get(topic) {
                None => Some(format!("topic {topic} (input of {}) is missing; --lanes leaves streams out", lane.stream)),
                Some(&count) if lane.partition >= count => Some(format!("topic {topic} has {count} partitions, and {lane} is not among them")),
                Some(_) => None,
            }
        })
        .collect();
    missing.dedup();
    missing
}

/// The topics behind `prefix`, with as many partitions as the inputs.
fn plan(config: &Config, prefix: &str, partitions: &BTreeMap<String, i32>) -> Vec<TopicPlan> {
    let mut plan: Vec<TopicPlan> = Vec::new();
    for lane in &config.lanes {
        let names = config.names(lane.stream);
        let partitions = partitions.get(&names.input).copied().unwrap_or(lane.partition + 1);
        for (name, role) in [(&names.output, "output"), (&names.dlt, "dead letters")] {
            let name = format!("{prefix}{name}");
            match plan.iter_mut().find(|topic| topic.name == name) {
                Some(topic) => topic.partitions = topic.partitions.max(partitions),
                None => plan.push(TopicPlan { name, partitions, role: format!("{role} of {}", lane.stream) }),
            }
        }
    }
    let resync = config.resync_topic.as_ref().map(|topic| TopicPlan { name: format!("{prefix}{topic}"), partitions: 1, role: "resync requests".to_owned() });
    plan.extend(resync);
    plan
}

/// Why a topic's name cannot be written to; a replay never writes where a hub reads or writes.
fn refused(config: &Config, name: &str) -> Option<String> {
    let is_good = name.len() <= TOPIC_BYTES_MAX && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if !is_good {
        return Some(format!("{name:?} is no name of a topic: at most {TOPIC_BYTES_MAX} letters, digits, '.', '_' and '-'"));
    }
    let streams = config.streams.iter().flat_map(|names| [&names.input, &names.output, &names.dlt]);
    let is_theirs = streams.chain(&config.resync_topic).any(|taken| taken == name);
    is_theirs.then(|| format!("{name} is a topic of the hub's own: choose another prefix"))
}
