//! The consumer of one stream in one worker: partitions assigned by hand, commits that never make the worker wait.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

use super::clients;
use super::log::LogContext;
use crate::config::{Config, StreamNames};
use crate::lane::Input;

/// What a poll gave.
pub enum Polled<'c> {
    /// Nothing is there.
    Nothing,
    /// An input record.
    Record(Record<'c>),
    /// Something that passes, or that an operator can mend: a broker that is away, a leader that moves, a right that is missing.
    Transient(String),
    /// The lane cannot go on: its offset is gone from the log.
    Fatal(String),
}

/// An input record, borrowed from librdkafka's queue.
pub struct Record<'c>(BorrowedMessage<'c>);

impl Record<'_> {
    /// The partition that it comes from.
    #[must_use]
    pub fn partition(&self) -> i32 {
        self.0.partition()
    }

    /// Calls `process` with the record as the core's input. `now_micros` is the moment of processing.
    pub fn with_input<R>(&self, now_micros: i64, process: impl FnOnce(&Input<'_>) -> R) -> R {
        let headers: Vec<_> = self.0.headers().into_iter().flat_map(Headers::iter).map(|header| (header.key, header.value)).collect();
        process(&Input {
            offset: self.0.offset(),
            timestamp_ms: self.0.timestamp().to_millis().unwrap_or(-1),
            now_micros,
            key: self.0.key(),
            value: self.0.payload(),
            headers: &headers,
        })
    }
}

/// Offsets of the next record, by partition.
pub type Offsets = Vec<(i32, i64)>;

/// See the module.
///
/// rdkafka gives no result of an asynchronous commit: librdkafka sends one only where a callback of its old interface
/// is set. A synchronous commit has a result but no time limit. So each consumer has a thread of its own that commits
/// and waits; the worker asks and looks for the answer, and never waits.
pub struct Consumer {
    client: Arc<BaseConsumer<LogContext>>,
    topic: String,
    asks: Sender<Offsets>,
    answers: Receiver<Result<Offsets, String>>,
    is_committing: bool,
}

impl Consumer {
    /// A consumer of the given partitions, each from the given offset on.
    ///
    /// # Errors
    /// librdkafka's, in particular for a property that it does not know.
    pub fn new(config: &Config, names: &StreamNames, partitions: &[(i32, i64)]) -> Result<Self, String> {
        let client: BaseConsumer<LogContext> =
            clients::consumer(config, &names.group).create_with_context(LogContext::new("consumer")).map_err(clients::refusal)?;
        client.assign(&list(&names.input, partitions)?).map_err(|error| error.to_string())?;
        let client = Arc::new(client);
        let (asks, asked) = bounded(1);
        let (answer, answers) = bounded(1);
        let committer = Committer { client: Arc::clone(&client), topic: names.input.clone(), asked, answer };
        let thread = thread::Builder::new().name("committer".to_owned()).spawn(move || committer.run());
        thread.map_err(|error| format!("a thread for commits cannot start: {error}"))?;
        Ok(Self { client, topic: names.input.clone(), asks, answers, is_committing: false })
    }

    /// Takes the next record if one is there within `timeout`; serves commit callbacks.
    pub fn poll(&self, timeout: Duration) -> Polled<'_> {
        match self.client.poll(timeout) {
            None => Polled::Nothing,
            Some(Ok(message)) => Polled::Record(Record(message)),
            Some(Err(error)) => self.classify(&error),
        }
    }

    fn classify(&self, error: &KafkaError) -> Polled<'_> {
        let text = format!("{}: {error}", self.topic);
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::Fatal) => Polled::Fatal(text),
            // Brokers that are away, topics that are not there yet, rights that are not given yet: all of it can be mended.
            _ => Polled::Transient(text),
        }
    }

    /// Stops fetching and throws away what was fetched ahead.
    pub fn pause(&self) {
        if let Err(error) = self.client.assignment().and_then(|assignment| self.client.pause(&assignment)) {
            ::log::warn!("{}: cannot pause: {error}", self.topic);
        }
    }

    /// Whether a commit is under way; then no other can be asked for.
    #[must_use]
    pub const fn is_committing(&self) -> bool {
        self.is_committing
    }

    /// Asks for offsets to be committed; [`Consumer::take_answer`] tells whether they are.
    pub fn commit(&mut self, offsets: Offsets) {
        // The committer takes one after the other: there is room, for none is under way.
        self.is_committing |= !offsets.is_empty() && self.asks.try_send(offsets).is_ok();
    }

    /// The answer to the last commit, once it is there: the offsets that are committed, or why they are not.
    pub fn take_answer(&mut self) -> Option<Result<Offsets, String>> {
        let answer = self.answers.try_recv().ok()?;
        self.is_committing = false;
        Some(answer)
    }
}

/// The thread that commits for one consumer. In an outage it waits until the brokers are back. It is the last to hold
/// the client, so that closing it, which waits for brokers too, keeps nobody else.
struct Committer {
    client: Arc<BaseConsumer<LogContext>>,
    topic: String,
    asked: Receiver<Offsets>,
    answer: Sender<Result<Offsets, String>>,
}

impl Committer {
    fn run(self) {
        while let Ok(offsets) = self.asked.recv() {
            let committed = list(&self.topic, &offsets).and_then(|list| self.client.commit(&list, CommitMode::Sync).map_err(|error| error.to_string()));
            if self.answer.send(committed.map(|()| offsets)).is_err() {
                return;
            }
        }
    }
}

fn list(topic: &str, offsets: &[(i32, i64)]) -> Result<TopicPartitionList, String> {
    let mut list = TopicPartitionList::new();
    for &(partition, offset) in offsets {
        list.add_partition_offset(topic, partition, Offset::Offset(offset)).map_err(|error| error.to_string())?;
    }
    Ok(list)
}
