//! The core alone over record files: input records in log order in, records and dead letters out.

mod counters;
mod record_file;

use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::sync::Arc;

pub use counters::counters_json;
pub use record_file::{Field, InputRecord, OutputRecord};

use crate::batch::{BY_KEY, Batch, Destination};
use crate::config::Config;
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
}

/// Lanes made as their first record comes, and the names of their topics.
#[derive(Debug)]
pub struct Replay<'c> {
    config: &'c Config,
    rules: Arc<Rules>,
    lanes: HashMap<(Stream, i32), Lane>,
    batch: Batch,
}

impl<'c> Replay<'c> {
    /// A replay without books.
    #[must_use]
    pub fn new(config: &'c Config) -> Self {
        Self { config, rules: Arc::new(config.rules.clone()), lanes: HashMap::new(), batch: Batch::default() }
    }

    /// Processes every line of `input` and writes what comes of it to `output`.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn run(&mut self, input: &mut impl BufRead, output: &mut impl Write) -> Result<(), Stop> {
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
            self.process(&record, output).map_err(|stop| match stop {
                Stop::Line(_, fault) => Stop::Line(number, fault),
                stop => stop,
            })?;
        }
    }

    /// What became of all frames.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lanes.values().fold(Counts::default(), |mut sum, lane| {
            sum.add(lane.counts());
            sum
        })
    }

    fn process(&mut self, record: &InputRecord, output: &mut impl Write) -> Result<(), Stop> {
        let stream = Stream::ALL.into_iter().find(|stream| self.config.names(*stream).input == record.topic);
        let stream = stream.ok_or_else(|| Stop::Line(0, format!("{:?} is none of the six input topics", record.topic)))?;
        let names = self.config.names(stream);
        let lane = self.lanes.entry((stream, record.partition)).or_insert_with(|| Lane::new(stream, record.partition, &names.input, Arc::clone(&self.rules)));
        let headers: Vec<_> = record.headers.0.iter().map(|(name, value)| (name.as_str(), value.as_ref().map(Field::bytes))).collect();
        let input = Input {
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            now_micros: record.timestamp_ms.saturating_mul(1_000),
            key: record.key.as_ref().map(Field::bytes),
            value: record.value.as_ref().map(Field::bytes),
            headers: &headers,
        };
        lane.process(&input, &mut self.batch);
        for message in self.batch.messages() {
            let (topic, partition) = match message.destination {
                Destination::Output => (names.output.as_str(), record.partition),
                Destination::DeadLetter => (names.dlt.as_str(), record.partition),
                Destination::Resync => (self.config.resync_topic.as_deref().unwrap_or_default(), BY_KEY),
            };
            serde_json::to_writer(&mut *output, &OutputRecord::new(topic, partition, &message)).map_err(|error| Stop::Write(error.into()))?;
            output.write_all(b"\n").map_err(Stop::Write)?;
        }
        self.batch.clear(1 << 20);
        Ok(())
    }
}
