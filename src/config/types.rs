//! What the settings amount to: typed, checked, and in the units that the code works with.

use super::connect::ConnectConfig;
use super::lanes::LaneId;
use super::properties::Properties;
use super::store::{StoreConfig, WriterConfig};
use crate::logs;
use crate::market::Stream;
use crate::rules::Rules;
use crate::stack::ArrayRules;
use std::net::SocketAddr;
use std::time::Duration;

/// Everything that a run is told, checked once at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What changes the output of the core.
    pub rules: Rules,
    /// The brokers to ask first: `host:port,host:port`.
    pub brokers: String,
    /// The input partitions to work on, by stream and partition; at least one, each once.
    pub lanes: Vec<LaneId>,
    /// Topics and group of each stream, by [`Stream::index`].
    pub streams: [StreamNames; Stream::COUNT],
    /// The topic that resync requests are written to, if any are; nobody's input, output or dead-letter topic.
    pub resync_topic: Option<String>,
    /// What an output message holds.
    pub output: Output,
    /// Where a lane without a committed offset begins.
    pub start: StartAt,
    /// Whether topics that are missing are made at the start.
    pub create_topics: bool,
    /// Replicas of topics made at the start; `1..=10`.
    pub topic_replication: i32,
    /// Threads and their CPUs.
    pub placement: Placement,
    /// What a worker with nothing to do does.
    pub idle: Idle,
    /// Envelopes that a worker takes from one lane before it looks at the others; `1..=4096`.
    pub poll_max_envelopes: usize,
    /// When a batch is full.
    pub batch: BatchConfig,
    /// How the Kafka clients are set up.
    pub kafka: KafkaConfig,
    /// What is promised of a crash.
    pub delivery: Delivery,
    /// How often a worker commits, and how long a transaction is open; `1 ms..=60 s`.
    pub commit_interval: Duration,
    /// Transactions, with [`Delivery::ExactlyOnce`].
    pub transactions: TransactionConfig,
    /// How many envelopes are read again at most to rebuild books; `0..=1_000_000_000`.
    pub restore_max_envelopes: u64,
    /// What a lane does whose offset is gone.
    pub on_offset_gap: OnOffsetGap,
    /// The S3 store.
    pub store: StoreConfig,
    /// The writer to it.
    pub writer: WriterConfig,
    /// Kafka Connect and its connectors.
    pub connect: ConnectConfig,
    /// How long to wait at the start for brokers and topics; `0..=1 h`.
    pub start_deadline: Duration,
    /// How long a stop may take; `100 ms..=10 min`.
    pub stop_deadline: Duration,
    /// How often counts and latencies are logged; `1 s..=1 h`.
    pub report_interval: Duration,
    /// Where the HTTP endpoint listens, if it does.
    pub endpoint: Option<SocketAddr>,
    /// After how long without frames an exchange is stale; `1 s..=1 day`.
    pub stale_after: Duration,
    /// Where the log goes, and how it looks.
    pub logs: logs::Settings,
}

impl Config {
    /// How often every lane is looked at: with every report, but at least twice a minute.
    #[must_use]
    pub fn monitor_interval(&self) -> Duration {
        self.report_interval.min(Duration::from_secs(25))
    }

    /// How often workers tell how they are: where somebody may be watching, every second.
    #[must_use]
    pub fn observe_interval(&self) -> Duration {
        Duration::from_secs(if self.endpoint.is_some() { 1 } else { 2 }).min(self.monitor_interval())
    }

    /// How often brokers are asked for the ends of logs.
    #[must_use]
    pub fn look_interval(&self) -> Duration {
        Duration::from_secs(if self.endpoint.is_some() { 2 } else { 5 }).min(self.monitor_interval())
    }

    /// The transactional id of a lane (contract, section 8).
    #[must_use]
    pub fn transactional_id(&self, lane: LaneId) -> String {
        format!("{}.{}.{}", self.transactions.prefix, self.names(lane.stream).input, lane.partition)
    }

    /// Topics and group of `stream`.
    #[must_use]
    pub fn names(&self, stream: Stream) -> &StreamNames {
        &self.streams[stream.index()]
    }
}

/// The Kafka names of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamNames {
    /// The topic that is read; no other stream's, and nobody's output or dead-letter topic.
    pub input: String,
    /// The topic that records are written to.
    pub output: String,
    /// The topic that dead letters are written to.
    pub dlt: String,
    /// The group that offsets are committed to.
    pub group: String,
}

/// What is promised of a crash (contract, section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Records may repeat, none is lost.
    AtLeastOnce,
    /// A reader of committed records sees each outcome once.
    ExactlyOnce,
}

/// How the transactions of lanes are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionConfig {
    /// The first part of every transactional id.
    pub prefix: String,
    /// `transaction.timeout.ms`; `1 s..=15 min`.
    pub timeout: Duration,
    /// How many threads drive the producers; `None`: one a lane.
    pub threads: Option<usize>,
}

/// What a lane does whose offset is not in the log any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOffsetGap {
    /// It stops, alone.
    Stop,
    /// It goes on where the log begins; the gap is counted and logged.
    Continue,
}

/// What an output message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// One record.
    Records,
    /// A JSON array of records; `max` in `1..=1000`, so that brokers take it, `timeout_us` in `1 ms..=10 min`.
    Arrays(ArrayRules),
}

/// Where a lane without a committed offset begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum StartAt {
    Earliest,
    Latest,
}

/// Which threads run, and on which CPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// How many workers were asked for, `1..=256`; `None` leaves it to [`Placement::worker_count`].
    pub workers: Option<usize>,
    /// CPUs of the workers, first worker first; empty leaves it to the runtime.
    pub worker_cpus: Vec<usize>,
    /// CPUs of the producer's thread; empty leaves it to the runtime.
    pub producer_cpus: Vec<usize>,
    /// CPUs of all other threads; empty leaves it to the runtime.
    pub housekeeping_cpus: Vec<usize>,
    /// Whether workers and the producer are pinned at all.
    pub pin: bool,
    /// Stack of a worker in bytes; `1 MiB..=1 GiB`.
    pub worker_stack_bytes: usize,
}

impl Placement {
    /// How many workers run where this process may use `allowed_cpus` CPUs and has `lanes` lanes: as asked, else one less than the CPUs; at least 1,
    /// and never more than the lanes.
    #[must_use]
    pub fn worker_count(&self, allowed_cpus: usize, lanes: usize) -> usize {
        self.workers.unwrap_or(allowed_cpus.saturating_sub(1)).min(lanes).max(1)
    }
}

/// What a worker with nothing to do does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// Look again at once.
    Spin,
    /// Let other threads run, then look again.
    Yield,
    /// Sleep this long, then look again; `1 us..=100 ms`.
    Park(Duration),
}

/// When a batch is handed to the producer, and how many may wait there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchConfig {
    /// At this many records and dead letters; `1..=100_000`.
    pub records: usize,
    /// At this many bytes; `1 KiB..=16 MiB`.
    pub bytes: usize,
    /// When its first envelope has waited this long; `0..=10 s`.
    pub age: Duration,
    /// Batches of one lane that may wait for their acknowledgement; `2..=4096`.
    pub channel: usize,
}

impl BatchConfig {
    /// Bytes that one worker may have waiting for acknowledgement before it stops polling.
    #[must_use]
    pub const fn worker_bytes(&self) -> usize {
        self.channel.saturating_mul(self.bytes)
    }
}

/// How the Kafka clients are set up. Everything else about them is fixed by the promises of delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaConfig {
    /// `fetch.wait.max.ms`; `1 ms..=5 s`.
    pub fetch_wait: Duration,
    /// `fetch.max.bytes`, `1 KiB..=512 MiB`; `receive.message.max.bytes` must be at least 512 above it.
    pub fetch_max_bytes: usize,
    /// `queued.max.messages.kbytes` of each consumer client, shared by its partitions, in KiB; `64..=1_048_576`.
    pub fetch_queue_kib: usize,
    /// `linger.ms`; `0..=1 s`.
    pub linger: Duration,
    /// `compression.type`.
    pub compression: Compression,
    /// `queue.buffering.max.kbytes`, in KiB, `64..=1_048_576`; holds at least the largest envelope.
    pub producer_queue_kib: usize,
    /// `queue.buffering.max.messages`; `10..=10_000_000`.
    pub producer_queue_messages: usize,
    /// Which calls of librdkafka the run makes.
    pub calls: KafkaCalls,
    /// Further properties of every consumer.
    pub consumer_properties: Properties,
    /// Further properties of the producer.
    pub producer_properties: Properties,
}

/// Which calls of librdkafka a run makes. Both give the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KafkaCalls {
    /// Its own: many records and reports with one call.
    Batch,
    /// rdkafka's safe ones: one record, one report.
    Single,
}

/// How the producer compresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Compression {
    None,
    Gzip,
    Lz4,
}

impl Compression {
    /// The value of `compression.type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Lz4 => "lz4",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_leave_a_cpu_and_never_outnumber_lanes() {
        let mut placement = Config::default().placement;
        for (asked, allowed_cpus, lanes, count) in
            [(None, 8, 18, 7), (None, 1, 18, 1), (None, 0, 18, 1), (None, 64, 18, 18), (Some(3), 2, 18, 3), (Some(9), 2, 4, 4), (None, 8, 0, 1)]
        {
            placement.workers = asked;
            assert_eq!(placement.worker_count(allowed_cpus, lanes), count);
        }
    }
}
