//! The consumer of one stream in one worker: partitions assigned by hand, commits asynchronous.

use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use super::clients;
use crate::config::{Config, StreamNames};
use crate::lane::Input;

/// What a poll gave.
pub enum Polled<'c> {
    /// Nothing is there.
    Nothing,
    /// An input record.
    Record(Record<'c>),
    /// Something passes by itself: a broker that is away, a leader that moves.
    Transient(String),
    /// The lane cannot go on: its offset is gone, or reading is forbidden.
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

/// Collects what librdkafka tells of commits, from within a poll.
#[derive(Default)]
struct Context {
    committed: Mutex<Vec<(i32, i64)>>,
    failures: Mutex<Vec<String>>,
}

impl ClientContext for Context {
    /// Errors also come out of `poll`, where they are counted.
    fn error(&self, error: KafkaError, reason: &str) {
        log::debug!("consumer: {error}: {reason}");
    }
}

impl ConsumerContext for Context {
    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        if let Err(error) = result {
            self.failures.lock().push(error.to_string());
            return;
        }
        let mut committed = self.committed.lock();
        for element in offsets.elements() {
            match (element.error(), element.offset()) {
                (Ok(()), Offset::Offset(offset)) => committed.push((element.partition(), offset)),
                (Err(error), _) => self.failures.lock().push(error.to_string()),
                _ => {}
            }
        }
    }
}

/// See the module.
pub struct Consumer {
    client: BaseConsumer<Context>,
    topic: String,
}

impl Consumer {
    /// A consumer of the given partitions, each from the given offset on.
    ///
    /// # Errors
    /// librdkafka's, in particular for a property that it does not know.
    pub fn new(config: &Config, names: &StreamNames, partitions: &[(i32, i64)]) -> Result<Self, String> {
        let client: BaseConsumer<Context> =
            clients::consumer(config, &names.group).create_with_context(Context::default()).map_err(|error| error.to_string())?;
        let mut assignment = TopicPartitionList::new();
        for &(partition, offset) in partitions {
            assignment.add_partition_offset(&names.input, partition, Offset::Offset(offset)).map_err(|error| error.to_string())?;
        }
        client.assign(&assignment).map_err(|error| error.to_string())?;
        Ok(Self { client, topic: names.input.clone() })
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
            Some(
                RDKafkaErrorCode::AutoOffsetReset
                | RDKafkaErrorCode::OffsetOutOfRange
                | RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownPartition
                | RDKafkaErrorCode::Fatal,
            ) => Polled::Fatal(text),
            _ => Polled::Transient(text),
        }
    }

    /// Stops fetching and throws away what was fetched ahead; polls go on serving commits.
    pub fn pause(&self) {
        if let Err(error) = self.client.assignment().and_then(|assignment| self.client.pause(&assignment)) {
            log::warn!("{}: cannot pause: {error}", self.topic);
        }
    }

    /// Commits offsets, of the next record each, without waiting; [`Consumer::take_committed`] tells of them later.
    ///
    /// # Errors
    /// librdkafka's, where the request could not even be queued.
    pub fn commit(&self, offsets: &[(i32, i64)]) -> Result<(), String> {
        let mut list = TopicPartitionList::new();
        for &(partition, offset) in offsets {
            list.add_partition_offset(&self.topic, partition, Offset::Offset(offset)).map_err(|error| error.to_string())?;
        }
        self.client.commit(&list, CommitMode::Async).map_err(|error| error.to_string())
    }

    /// Moves what was committed since the last call to `committed`, and why commits failed to `failures`.
    pub fn take_committed(&self, committed: &mut Vec<(i32, i64)>, failures: &mut Vec<String>) {
        let context = self.client.context();
        committed.append(&mut context.committed.lock());
        failures.append(&mut context.failures.lock());
    }
}
