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
use crate::checkpoint::Checkpoint;
use crate::config::{Config, LaneId, Output};
use crate::kafka::Unavailable;
use crate::lane::{Input, Lane};
use crate::market::Stream;
use crate::outcome::Counts;
use crate::rules::Rules;
use crate::stack::Stacker;

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
    lanes: HashMap<LaneId, Core>,
    /// What came of one envelope.
    batch: Batch,
    /// The same in arrays.
    arrays: Batch,
    /// What became of the frames of lanes that are no more.
    finished: Counts,
}

/// A lane, and what stacks its records where arrays are asked for.
#[derive(Debug)]
struct Core {
    lane: Lane,
    stacker: Option<Stacker>,
}

impl<'c> Replay<'c> {
    /// A replay without books.
    #[must_use]
    pub fn new(config: &'c Config) -> Self {
        Self {
            config,
            rules: Arc::new(config.rules.clone()),
            lanes: HashMap::new(),
            batch: Batch::default(),
            arrays: Batch::default(),
            finished: Counts::default(),
        }
    }

    /// Processes every line of a record file; what comes of it goes to `sink`. Arrays wait for further records as the records' timestamps have it, and over
    /// the end of the file: see [`Replay::finish`].
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
    pub fn process(&mut self, id: LaneId, input: &Input<'_>, sink: &mut impl Sink) -> Result<(), Stop> {
        let config = self.config;
        let Core { lane, stacker } = self.lanes.entry(id).or_insert_with(|| Core {
            lane: Lane::new(id.stream, id.partition, &config.names(id.stream).input, Arc::clone(&self.rules)),
            stacker: match config.output {
                Output::Records => None,
                Output::Arrays(rules) => Some(Stacker::new(rules)),
            },
        });
        lane.process(input, &mut self.batch);
        let taken = match stacker {
            None => give(config, id, &self.batch, sink),
            Some(stacker) => {
                let now_us = input.timestamp_ms.max(0).unsigned_abs().saturating_mul(1_000);
                // Nothing is committed here.
                stacker.stack(&self.batch, &Checkpoint::without_books(input.offset), now_us, &mut self.arrays);
                let taken = give(config, id, &self.arrays, sink);
                self.arrays.clear(1 << 20);
                taken
            }
        };
        self.batch.clear(1 << 20);
        taken
    }

    /// Gives the arrays that wait for further records to `sink`, lane by lane in order, and forgets all lanes and their books; only counts stay.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn finish(&mut self, sink: &mut impl Sink) -> Result<(), Stop> {
        let mut lanes: Vec<(LaneId, Core)> = self.lanes.drain().collect();
        lanes.sort_unstable_by_key(|(id, _)| *id);
        for (id, Core { lane, stacker }) in lanes {
            self.finished.add(lane.counts());
            if let Some(mut stacker) = stacker {
                stacker.flush(&mut self.arrays);
                let taken = give(self.config, id, &self.arrays, sink);
                self.arrays.clear(1 << 20);
                taken?;
            }
        }
        Ok(())
    }

    /// What became of all frames.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lanes.values().fold(self.finished.clone(), |mut sum, core| {
            sum.add(core.lane.counts());
            sum
        })
    }
}

/// Gives the messages of a lane's batch to `sink`.
fn give(config: &Config, lane: LaneId, batch: &Batch, sink: &mut impl Sink) -> Result<(), Stop> {
    let names = config.names(lane.stream);
    batch.messages().try_for_each(|message| {
        let (topic, partition) = match message.destination {
            Destination::Output => (names.output.as_str(), lane.partition),
            Destination::DeadLetter => (names.dlt.as_str(), lane.partition),
            Destination::Resync => (config.resync_topic.as_deref().unwrap_or_default(), BY_KEY),
        };
        sink.take(lane, topic, partition, &message)
    })
}
