//! The consumer of one stream in one worker: partitions assigned by hand, one queue a partition, and a thread for what has to
//! wait for the brokers, so that the worker never does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Headers, Message};
use rdkafka::{ClientConfig, TopicPartitionList};

use super::batch_calls::{PartitionBatches, Taken};
use super::bootstrap::Bootstrap;
use super::clients;
use super::group::offsets_list;
use super::log::LogContext;
use crate::checkpoint::Checkpoint;
use crate::config::{Config, FailPoint, KafkaCalls, StreamNames};
use crate::lane::Input;
use crate::observe::StatisticsOf;

/// How long to wait for the answer to a question about a log.
const RANGE_TIMEOUT: Duration = Duration::from_secs(2);

/// What a poll gave.
pub enum Polled<'c> {
    /// Nothing is there.
    Nothing,
    /// An input record.
    Record(Record<'c>),
    /// Something that passes, or that an operator can mend: a broker that is away, a leader that moves, a right that is missing.
    Transient(String),
    /// The offset is not in the log any more; nothing is fetched until the partition is assigned again.
    OffsetGone(String),
}

/// An input record, borrowed from librdkafka's queue.
pub struct Record<'c>(Source<'c>);

enum Source<'c> {
    Single(BorrowedMessage<'c>),
    Batch(Taken<'c>),
}

impl Record<'_> {
    /// Its offset.
    #[must_use]
    pub fn offset(&self) -> i64 {
        match &self.0 {
            Source::Single(message) => message.offset(),
            Source::Batch(message) => message.offset(),
        }
    }

    /// Calls `process` with the record as the core's input. `now_micros` is the moment of processing.
    pub fn with_input<R>(&self, now_micros: i64, process: impl FnOnce(&Input<'_>) -> R) -> R {
        match &self.0 {
            Source::Single(message) => with_input(message, now_micros, process),
            Source::Batch(message) => process(&Input {
                offset: message.offset(),
                timestamp_ms: message.timestamp_ms().unwrap_or(-1),
                now_micros,
                key: message.key(),
                value: message.value(),
                headers: &message.headers(),
            }),
        }
    }
}

/// Calls `process` with a record as the core's input.
pub(super) fn with_input<R>(message: &BorrowedMessage<'_>, now_micros: i64, process: impl FnOnce(&Input<'_>) -> R) -> R {
    let headers = message.headers().map_or_else(Vec::new, readable);
    process(&Input {
        offset: message.offset(),
        timestamp_ms: message.timestamp().to_millis().unwrap_or(-1),
        now_micros,
        key: message.key(),
        value: message.payload(),
        headers: &headers,
    })
}

/// The headers, in order. rdkafka panics for a name that is not UTF-8, which Kafka's protocol rules out; such a record is taken without headers.
fn readable(headers: &BorrowedHeaders) -> Vec<(&str, Option<&[u8]>)> {
    let read = || headers.iter().map(|header| (header.key, header.value)).collect();
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_default()
}

/// The input of one partition.
pub struct LaneQueue(Calls);

enum Calls {
    Single(PartitionQueue<LogContext>),
    Batch(PartitionBatches),
}

impl LaneQueue {
    /// Takes the next record if one is there.
    pub fn poll(&self) -> Polled<'_> {
        let polled = match &self.0 {
            Calls::Single(queue) => queue.poll(Duration::ZERO).map(|polled| polled.map(Source::Single)),
            Calls::Batch(queue) => queue.poll().map(|polled| polled.map(Source::Batch)),
        };
        match polled {
            None => Polled::Nothing,
            Some(Ok(message)) => Polled::Record(Record(message)),
            Some(Err(error)) => match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => Polled::OffsetGone(error.to_string()),
                // Brokers that are away, topics that are not there yet, rights that are not given yet: all of it can be mended.
                _ => Polled::Transient(error.to_string()),
            },
        }
    }
}

/// What to commit for a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Which one.
    pub partition: i32,
    /// The offset.
    pub checkpoint: Checkpoint,
    /// What stands beside it in place of the checkpoint's own words.
    pub words: Option<String>,
}

/// What the consumer's thread has found out.
#[derive(Debug)]
pub enum Answer {
    /// These are committed.
    Committed(Vec<Commit>),
    /// A commit has failed; nothing is known of what it was for.
    NotCommitted(String),
    /// The first offset of a partition's log, and its end.
    Range(i32, Result<(i64, i64), String>),
}

enum Ask {
    Commit(Vec<Commit>),
    Range(i32),
}

/// See the module.
///
/// rdkafka gives no result of an asynchronous commit: librdkafka sends one only where a callback of its old interface is set. A
/// synchronous commit has a result but no time limit. So each consumer has a thread that commits and waits; the worker asks
/// and looks for the answer.
pub struct Consumer {
    client: Arc<BaseConsumer<LogContext>>,
    bootstrap: Arc<Bootstrap>,
    topic: String,
    asks: Sender<Ask>,
    answers: Receiver<Answer>,
    is_committing: bool,
    calls: KafkaCalls,
}

impl Consumer {
    /// A consumer that reads nothing yet.
    ///
    /// # Errors
    /// librdkafka's, in particular for a property that it does not know.
    pub fn new(config: &Config, names: &StreamNames, partitions: usize) -> Result<Self, String> {
        Self::from(&clients::reader(config, &names.group, partitions), config, names)
    }

    /// One of the process's lanes that leaves its statistics there, each time they come. It must be served: see [`Consumer::serve`].
    ///
    /// # Errors
    /// As of [`Consumer::new`].
    pub fn watched(config: &Config, names: &StreamNames, partitions: usize, place: StatisticsOf) -> Result<Self, String> {
        let client = clients::with_statistics(&clients::lane_consumer(config, &names.group, partitions), config);
        let watched = Self::from(&client, config, names)?;
        watched.client.context().leave_statistics(place);
        Ok(watched)
    }

    fn from(client: &ClientConfig, config: &Config, names: &StreamNames) -> Result<Self, String> {
        let client: BaseConsumer<LogContext> = client.create_with_context(LogContext::new("consumer")).map_err(clients::refusal)?;
        let client = Arc::new(client);
        let ((asks, asked), (answer, answers)) = (unbounded(), unbounded());
        let bootstrap = Arc::new(Bootstrap::new(config));
        let clerk = Clerk { client: Arc::clone(&client), bootstrap: Arc::clone(&bootstrap), topic: names.input.clone(), asked, answer };
        let thread = thread::Builder::new().name("committer".to_owned()).spawn(move || clerk.run());
        thread.map_err(|error| format!("a thread for commits cannot start: {error}"))?;
        Ok(Self { client, bootstrap, topic: names.input.clone(), asks, answers, is_committing: false, calls: config.kafka.calls })
    }

    /// Reads these partitions from these offsets on, and no others; gives their queues, in order. What was fetched ahead is
    /// thrown away.
    ///
    /// # Errors
    /// librdkafka's; there is none that an outage would cause.
    pub fn read(&self, partitions: &[(i32, i64)]) -> Result<Vec<LaneQueue>, String> {
        let fault = |error: KafkaError| format!("{}: {error}", self.topic);
        let list = offsets_list(&self.topic, partitions).map_err(fault)?;
        self.wait_for_stops();
        self.client.assign(&list).map_err(fault)?;
        let split = |&(partition, _): &(i32, i64)| match self.calls {
            KafkaCalls::Single => self.client.split_partition_queue(&self.topic, partition).map(|queue| LaneQueue(Calls::Single(queue))),
            KafkaCalls::Batch => PartitionBatches::split(&self.client, &self.topic, partition).map(|queue| LaneQueue(Calls::Batch(queue))),
        };
        let queues = partitions.iter().map(split).collect::<Option<_>>().ok_or_else(|| format!("{}: no queue for a partition", self.topic))?;
        // What came in before the queues were split went to the queue of the client: it is asked for once more.
        while let Some(event) = self.client.poll(Duration::ZERO) {
            if let Ok(stray) = event
                && let Some(&(partition, offset)) = partitions.iter().find(|(partition, _)| *partition == stray.partition())
            {
                self.client.seek(&self.topic, partition, rdkafka::Offset::Offset(offset), Duration::ZERO).map_err(fault)?;
            }
        }
        Ok(queues)
    }

    /// Waits until partitions that were taken away have stopped. librdkafka ends the process if one that is still stopping is taken away
    /// again (an assertion in `rd_kafka_assignment_partition_stopped`, seen in 2.12.1). Its main thread answers in order: with the first answer
    /// the stops have run, with the second what they report is taken.
    fn wait_for_stops(&self) {
        let _ = (self.assigned(), self.assigned());
    }

    /// The partitions that librdkafka reads at present.
    #[must_use]
    pub fn assigned(&self) -> Vec<i32> {
        let assignment = self.client.assignment();
        assignment.map(|list| list.elements().iter().map(rdkafka::topic_partition_list::TopicPartitionListElem::partition).collect()).unwrap_or_default()
    }

    /// Serves what librdkafka tells of the client as a whole; `Some` is something that passes.
    pub fn serve(&self) -> Option<String> {
        match self.client.poll(Duration::ZERO)? {
            // A leftover of partitions that were assigned before.
            Ok(_) => None,
            Err(error) => Some(format!("{}: {error}", self.topic)),
        }
    }

    /// Tells the client of the brokers again, for it seems to have lost them.
    pub fn find_brokers(&self) {
        self.bootstrap.missed(self.client.client());
    }

    /// Whether a commit is under way; then no other is asked for.
    #[must_use]
    pub const fn is_committing(&self) -> bool {
        self.is_committing
    }

    /// Asks for checkpoints to be committed; [`Consumer::answer`] tells whether they are.
    pub fn commit(&mut self, commits: Vec<Commit>) {
        self.is_committing |= !commits.is_empty() && self.asks.send(Ask::Commit(commits)).is_ok();
    }

    /// Asks for the first offset and the end of a partition's log.
    pub fn ask_range(&self, partition: i32) {
        // The thread ends only with this consumer.
        let _ = self.asks.send(Ask::Range(partition));
    }

    /// The next answer that is there.
    pub fn answer(&mut self) -> Option<Answer> {
        let answer = self.answers.try_recv().ok()?;
        self.is_committing &= matches!(answer, Answer::Range(..));
        Some(answer)
    }
}

/// The thread that waits for brokers in place of the worker. In an outage a commit waits until they are back. It is the last to
/// hold the client, so that closing it, which waits for brokers too, keeps nobody else.
struct Clerk {
    client: Arc<BaseConsumer<LogContext>>,
    bootstrap: Arc<Bootstrap>,
    topic: String,
    asked: Receiver<Ask>,
    answer: Sender<Answer>,
}

impl Clerk {
    fn run(self) {
        while let Ok(ask) = self.asked.recv() {
            let answer = match ask {
                Ask::Commit(commits) => match self.commit(&commits) {
                    Ok(()) => Answer::Committed(commits),
                    Err(error) => Answer::NotCommitted(error.to_string()),
                },
                Ask::Range(partition) => Answer::Range(partition, self.range(partition).map_err(|error| format!("{}: {error}", self.topic))),
            };
            if self.answer.send(answer).is_err() {
                return;
            }
        }
    }

    fn range(&self, partition: i32) -> Result<(i64, i64), KafkaError> {
        self.client.fetch_watermarks(&self.topic, partition, RANGE_TIMEOUT).inspect_err(|_| {
            // librdkafka takes the answer of a broker that has no leaders yet as final: ask for it, so that the next try knows better.
            if self.client.fetch_metadata(Some(&self.topic), RANGE_TIMEOUT).is_err() {
                self.bootstrap.missed(self.client.client());
            }
        })
    }

    fn commit(&self, commits: &[Commit]) -> Result<(), KafkaError> {
        let mut list = TopicPartitionList::new();
        for Commit { partition, checkpoint, words } in commits {
            let words = words.clone().unwrap_or_else(|| checkpoint.metadata(None));
            super::group::add_offset(&mut list, &self.topic, *partition, checkpoint.offset, &words)?;
        }
        FailPoint::BeforeCommit.reach();
        FailPoint::DuringCommit.reach();
        self.client.commit(&list, CommitMode::Sync)
    }
}
