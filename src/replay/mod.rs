//! The core alone over record files, or over a stretch of the log: input records in log order in, records and dead letters out.
//!
//! Nothing here depends on when it runs, or how fast: the same input gives the same output.

mod counters;
mod digest;
mod from_kafka;
mod record_file;
mod sink;

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::sync::Arc;

pub use counters::counters_json;
pub use digest::Digest;
pub use from_kafka::LogReplay;
pub use record_file::{Field, InputRecord, OutputRecord};
pub use sink::{Digested, Lines, Sink, Topics};

use crate::batch::{BY_KEY, Batch, Destination};
use crate::config::{Config, LaneId};
use crate::kafka::Unavailable;
use crate::lane::{Input, Lane};
use crate::market::Stream;
use crate::outcome::Counts;
use crate::rules::Rules;

/// Why a replay ends early.
#[derive(Debug)]
pub enum Stop {
    /// A line is no record of an input topic: its number, counted from 1, and what is wrong with it.
    Line(u64, String),
    /// Reading failed.
    Read(io::Error),
    /// Writing failed.
    Write(io::Error),
    /// Brokers, topics or partitions are not there.
    Unavailable(Unavailable),
    /// librdkafka refuses a property, or Kafka would refuse a topic's name.
    Refused(String),
    /// A message cannot be sent.
    NotSent(String),
}

impl From<Unavailable> for Stop {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

/// Lanes made as their first record comes, and the names of their topics.
#[derive(Debug)]
pub struct Replay<'c> {
    config: &'c Config,
    rules: Arc<Rules>,
    lanes: HashMap<LaneId, Lane>,
    batch: Batch,
    /// What became of the frames of lanes that are no more.
    finished: Counts,
}

impl<'c> Replay<'c> {
    /// A replay without books.
    #[must_use]
    pub fn new(config: &'c Config) -> Self {
        Self { config, rules: Arc::new(config.rules.clone()), lanes: HashMap::new(), batch: Batch::default(), finished: Counts::default() }
    }

    /// Processes every line of a record file; what comes of it goes to `sink`.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn run(&mut self, input: &mut impl BufRead, sink: &mut impl Sink) -> Result<(), Stop> {
        let mut line = Vec::new();
        let mut number = 0;
        loop {
            line.clear();
            if input.read_until(b'\n', &mut line).map_err(Stop::Read)? == 0 {
                return Ok(());
            }
            number += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            let record: InputRecord = serde_json::from_slice(&line).map_err(|error| Stop::Line(number, error.to_string()))?;
            let stream = Stream::ALL.into_iter().find(|stream| self.config.names(*stream).input == record.topic);
            let stream = stream.ok_or_else(|| Stop::Line(number, format!("{:?} is none of the six input topics", record.topic)))?;
            let headers: Vec<_> = record.headers.0.iter().map(|(name, value)| (name.as_str(), value.as_ref().map(Field::bytes))).collect();
            let input = Input {
                offset: record.offset,
                timestamp_ms: record.timestamp_ms,
                now_micros: record.timestamp_ms.saturating_mul(1_000),
                key: record.key.as_ref().map(Field::bytes),
                value: record.value.as_ref().map(Field::bytes),
                headers: &headers,
            };
            self.process(LaneId { stream, partition: record.partition }, &input, sink)?;
        }
    }

    /// Processes the next record of a lane; what comes of it goes to `sink`.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn process(&mut self, lane: LaneId, input: &Input<'_>, sink: &mut impl Sink) -> Result<(), Stop> {
        let LaneId { stream, partition } = lane;
        let names = self.config.names(stream);
        let core = self.lanes.entry(lane).or_insert_with(|| Lane::new(stream, partition, &names.input, Arc::clone(&self.rules)));
        core.process(input, &mut self.batch);
        for message in self.batch.messages() {
            let (topic, partition) = match message.destination {
                Destination::Output => (names.output.as_str(), partition),
                Destination::DeadLetter => (names.dlt.as_str(), partition),
                Destination::Resync => (self.config.resync_topic.as_deref().unwrap_or_default(), BY_KEY),
            };
            sink.take(lane, topic, partition, &message)?;
        }
        self.batch.clear(1 << 20);
        Ok(())
    }

    /// Forgets a lane and its books; only its counts stay.
    pub fn finish(&mut self, lane: LaneId) {
        if let Some(lane) = self.lanes.remove(&lane) {
            self.finished.add(lane.counts());
        }
    }

    /// What became of all frames.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lanes.values().fold(self.finished.clone(), |mut sum, lane| {
            sum.add(lane.counts());
            sum
        })
    }
}
