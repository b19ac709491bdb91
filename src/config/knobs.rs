//! The table of settings: one row is all there is to say about one, and every listing and check is made from it.
//!
//! Owns names, units, bounds, defaults and their explanations. Never reads a value.

use super::object_key::KeyPattern;
use crate::market::Stream;

/// One setting.
#[derive(Debug)]
pub struct Knob {
    /// The long option without its dashes: `batch-records`.
    pub flag: &'static str,
    /// The environment variable.
    pub env: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// The value when nothing is given, as it would be typed.
    pub default: &'static str,
    /// The heading under which listings show it; the rows of one heading stand together.
    pub group: &'static str,
    /// One or two sentences: what it does.
    pub doc: &'static str,
}

/// What values a setting takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A whole number of `unit`, `min..=max`.
    Number {
        /// What is counted.
        unit: Unit,
        /// The smallest value allowed.
        min: u64,
        /// The largest value allowed.
        max: u64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true` or `false`; on the command line the bare option means `true`.
    Flag,
    /// Text, in the form described.
    Text(&'static str),
    /// A secret: a variable, or a file that the variable with `_FILE` after its name names; never an option, which every user of the machine could read.
    Secret,
}

/// What the number of a setting counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Unit {
    Count,
    Bytes,
    Kibibytes,
    Microseconds,
    Milliseconds,
    Seconds,
}

impl Unit {
    /// The unit's sign; empty for a plain count.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Count => "",
            Self::Bytes => "bytes",
            Self::Kibibytes => "KiB",
            Self::Microseconds => "us",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
        }
    }
}

impl Knob {
    /// What values are allowed, for people.
    #[must_use]
    pub fn allowed(&self) -> String {
        match self.kind {
            Kind::Number { unit, min, max } => format!("{min}..={max} {}", unit.sign()).trim_end().to_owned(),
            Kind::Choice(words) => words.join(", "),
            Kind::Flag => "true, false".to_owned(),
            Kind::Text(form) => form.to_owned(),
            Kind::Secret => format!("text; `{}_FILE` names a file with it", self.env),
        }
    }

    /// Variables of other programs that count where the setting's own is not given, the first of them first.
    #[must_use]
    pub fn other_names(&self) -> &'static [&'static str] {
        OTHER_NAMES.iter().find(|(env, _)| *env == self.env).map_or(&[], |(_, names)| names)
    }
}

/// Variables of other programs that mean the same as ours, by our variable.
static OTHER_NAMES: &[(&str, &[&str])] = &[
    ("HUB_S3_ENDPOINT", &["MINIO_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]),
    ("HUB_S3_REGION", &["AWS_REGION", "AWS_DEFAULT_REGION"]),
    ("HUB_S3_ACCESS_KEY", &["AWS_ACCESS_KEY_ID"]),
    ("HUB_S3_SECRET_KEY", &["AWS_SECRET_ACCESS_KEY"]),
    ("HUB_S3_SESSION_TOKEN", &["AWS_SESSION_TOKEN"]),
];

/// Whether `name` is another program's variable that a setting is taken from.
#[must_use]
pub fn is_other_name(name: &str) -> bool {
    OTHER_NAMES.iter().any(|(_, names)| names.contains(&name))
}

const fn number(unit: Unit, min: u64, max: u64) -> Kind {
    Kind::Number { unit, min, max }
}

const TOPIC: Kind = Kind::Text("a topic name");
const GROUP: Kind = Kind::Text("a group name");
const BUCKET: Kind = Kind::Text("a bucket name");
const CPUS: Kind = Kind::Text("CPU numbers and ranges such as 2-5,8");

const fn stream(index: usize) -> Stream {
    Stream::ALL[index]
}

/// Makes of each row a static and, of all of them, [`ALL`].
macro_rules! knobs {
    ($($group:literal { $($name:ident $flag:literal $env:literal = $default:expr, $kind:expr, $doc:literal;)* })*) => {
        $($(#[doc = $doc] pub static $name: Knob = Knob { flag: $flag, env: $env, kind: $kind, default: $default, group: $group, doc: $doc };)*)*
        /// Every setting, in the order of listings.
        pub static ALL: &[&Knob] = &[$($(&$name,)*)*];
    };
}

use Unit::{Bytes, Count, Kibibytes, Microseconds, Milliseconds, Seconds};

knobs! {
    "What is processed" {
        BROKERS "brokers" "KAFKA_BOOTSTRAP_SERVERS" = "127.0.0.1:9092", Kind::Text("host:port, host:port, ..."),
            "The Kafka brokers to ask first.";
        LANES "lanes" "HUB_LANES" = "", Kind::Text("streams such as ne-ticker, or with partitions asia-orderbook:0,2-3, between spaces or ;"),
            "Which input partitions this process works on; empty: the 18 of the contract.";
        START "start" "HUB_START" = "earliest", Kind::Choice(&["earliest", "latest"]),
            "Where a lane begins whose group has no committed offset.";
        CREATE_TOPICS "create-topics" "HUB_CREATE_TOPICS" = "false", Kind::Flag,
            "Make missing topics at the start, with the partitions of the contract.";
        TOPIC_REPLICATION "topic-replication" "HUB_TOPIC_REPLICATION" = "1", number(Count, 1, 10),
            "How many replicas topics get that are made at the start.";
    }
    "Topics and groups" {
        KOREA_TICKER_INPUT "korea-ticker-input" "HUB_KOREA_TICKER_INPUT" = stream(0).input_topic(), TOPIC, "Input topic of korea-ticker.";
        KOREA_TICKER_OUTPUT "korea-ticker-output" "HUB_KOREA_TICKER_OUTPUT" = stream(0).output_topic(), TOPIC, "Output topic of korea-ticker.";
        KOREA_TICKER_GROUP "korea-ticker-group" "HUB_KOREA_TICKER_GROUP" = stream(0).group(), GROUP, "Consumer group of korea-ticker.";
        KOREA_ORDERBOOK_INPUT "korea-orderbook-input" "HUB_KOREA_ORDERBOOK_INPUT" = stream(1).input_topic(), TOPIC, "Input topic of korea-orderbook.";
        KOREA_ORDERBOOK_OUTPUT "korea-orderbook-output" "HUB_KOREA_ORDERBOOK_OUTPUT" = stream(1).output_topic(), TOPIC, "Output topic of korea-orderbook.";
        KOREA_ORDERBOOK_GROUP "korea-orderbook-group" "HUB_KOREA_ORDERBOOK_GROUP" = stream(1).group(), GROUP, "Consumer group of korea-orderbook.";
        ASIA_TICKER_INPUT "asia-ticker-input" "HUB_ASIA_TICKER_INPUT" = stream(2).input_topic(), TOPIC, "Input topic of asia-ticker.";
        ASIA_TICKER_OUTPUT "asia-ticker-output" "HUB_ASIA_TICKER_OUTPUT" = stream(2).output_topic(), TOPIC, "Output topic of asia-ticker.";
        ASIA_TICKER_GROUP "asia-ticker-group" "HUB_ASIA_TICKER_GROUP" = stream(2).group(), GROUP, "Consumer group of asia-ticker.";
        ASIA_ORDERBOOK_INPUT "asia-orderbook-input" "HUB_ASIA_ORDERBOOK_INPUT" = stream(3).input_topic(), TOPIC, "Input topic of asia-orderbook.";
        ASIA_ORDERBOOK_OUTPUT "asia-orderbook-output" "HUB_ASIA_ORDERBOOK_OUTPUT" = stream(3).output_topic(), TOPIC, "Output topic of asia-orderbook.";
        ASIA_ORDERBOOK_GROUP "asia-orderbook-group" "HUB_ASIA_ORDERBOOK_GROUP" = stream(3).group(), GROUP, "Consumer group of asia-orderbook.";
        NE_TICKER_INPUT "ne-ticker-input" "HUB_NE_TICKER_INPUT" = stream(4).input_topic(), TOPIC, "Input topic of ne-ticker.";
        NE_TICKER_OUTPUT "ne-ticker-output" "HUB_NE_TICKER_OUTPUT" = stream(4).output_topic(), TOPIC, "Output topic of ne-ticker.";
        NE_TICKER_GROUP "ne-ticker-group" "HUB_NE_TICKER_GROUP" = stream(4).group(), GROUP, "Consumer group of ne-ticker.";
        NE_ORDERBOOK_INPUT "ne-orderbook-input" "HUB_NE_ORDERBOOK_INPUT" = stream(5).input_topic(), TOPIC, "Input topic of ne-orderbook.";
        NE_ORDERBOOK_OUTPUT "ne-orderbook-output" "HUB_NE_ORDERBOOK_OUTPUT" = stream(5).output_topic(), TOPIC, "Output topic of ne-orderbook.";
        NE_ORDERBOOK_GROUP "ne-orderbook-group" "HUB_NE_ORDERBOOK_GROUP" = stream(5).group(), GROUP, "Consumer group of ne-orderbook.";
        DLT_SUFFIX "dlt-suffix" "HUB_DLT_SUFFIX" = "-dlt", Kind::Text("letters, digits, '.', '_' and '-'"),
            "What is put after an input topic's name to name the topic of its dead letters.";
    }
    "Books" {
        BOOK "book" "HUB_BOOK" = "maintained", Kind::Choice(&["maintained", "frame", "hold"]),
            "How books of delta exchanges are kept: maintained keeps them and marks records of unverified ones, frame reads each frame as a whole book, hold \
             writes no records of unverified ones.";
        BOOK_TIME "book-time" "HUB_BOOK_TIME" = "event", Kind::Choice(&["event", "wall"]),
            "Which time order-book records carry: the exchange's, or that of processing. With wall the same input no longer gives the same bytes.";
        RESYNC_TOPIC "resync-topic" "HUB_RESYNC_TOPIC" = "", Kind::Text("a topic name, or nothing"),
            "Where snapshots of books are asked for that can no longer be trusted; empty: nowhere.";
        KRAKEN_DEPTH "kraken-depth" "HUB_KRAKEN_DEPTH" = "10", number(Count, 1, 1000),
            "How many levels a side a Kraken book holds until a snapshot has more.";
        KRAKEN_DECIMALS "kraken-decimals" "HUB_KRAKEN_DECIMALS" = "BTC/USD=1:8,ETH/USD=2:8,XRP/USD=5:8,ALGO/USD=5:8,USDG/USD=4:5,MATIC/USD=4:8",
            Kind::Text("PAIR=PRICE:QUANTITY, ... with decimals of 0..=18"),
            "Decimals of Kraken's pairs, for its checksum; given pairs add to the default ones or replace them.";
        SCANNER "scanner" "HUB_SCANNER" = "on", Kind::Choice(&["on", "portable", "off"]),
            "Whether frames are read by the scanner where it knows them, which is several times as fast for order books (on: with AVX2 and AVX-512 \
             where the machine has them; portable: without), or all by the general reader; all give the same.";
    }
    "Output" {
        OUTPUT "output" "HUB_OUTPUT" = "records", Kind::Choice(&["records", "arrays"]),
            "What an output message holds: one record, or a JSON array of records.";
        ARRAY_MAX "array-max" "HUB_ARRAY_MAX" = "20", number(Count, 1, 1000),
            "An array is sent when it has this many records.";
        ARRAY_TIMEOUT_MS "array-timeout-ms" "HUB_ARRAY_TIMEOUT_MS" = "5000", number(Milliseconds, 1, 600_000),
            "An array is sent when its last record came this long ago.";
        ARRAY_ADAPTIVE "array-adaptive" "HUB_ARRAY_ADAPTIVE" = "true", Kind::Flag,
            "Send an array after at most 2 s while more than 5 records a second arrive, and after at most 1 s while more than 10 do.";
    }
    "Bounds on the input" {
        ENVELOPE_MAX_BYTES "envelope-max-bytes" "HUB_ENVELOPE_MAX_BYTES" = "8388608", number(Bytes, 1024, 64 << 20),
            "The largest envelope that is read; larger ones become dead letters.";
        FRAME_MAX_BYTES "frame-max-bytes" "HUB_FRAME_MAX_BYTES" = "1048576", number(Bytes, 64, 64 << 20),
            "The largest frame that is read, unescaped; larger ones become dead letters.";
        DEPTH_MAX "depth-max" "HUB_DEPTH_MAX" = "32", number(Count, 4, 128),
            "How deep a frame, and an envelope around its frames, may nest.";
        LEVELS_MAX "levels-max" "HUB_LEVELS_MAX" = "5000", number(Count, 1, 100_000),
            "How many levels one side of one frame may have.";
        NUMBER_MAX_CHARS "number-max-chars" "HUB_NUMBER_MAX_CHARS" = "64", number(Count, 1, 1024),
            "How many characters a number that is read may have.";
        FUTURE_MAX_MS "future-max-ms" "HUB_FUTURE_MAX_MS" = "3600000", number(Milliseconds, 0, 315_360_000_000),
            "How far an event time may lie after its input record's timestamp and still become the Kafka timestamp; brokers refuse records from their future.";
    }
    "Delivery" {
        DELIVERY "delivery" "HUB_DELIVERY" = "at-least-once", Kind::Choice(&["at-least-once", "exactly-once"]),
            "at-least-once repeats after a crash what was not committed; exactly-once writes records, dead letters and offsets of a lane in one transaction.";
        COMMIT_INTERVAL_MS "commit-interval-ms" "HUB_COMMIT_INTERVAL_MS" = "100", number(Milliseconds, 1, 60_000),
            "How often the offsets up to which everything is acknowledged are committed; with exactly-once, how long a transaction is open.";
        TRANSACTIONAL_PREFIX "transactional-prefix" "HUB_TRANSACTIONAL_PREFIX" = "market-hub", Kind::Text("letters, digits, '.', '_' and '-'"),
            "Transactional ids are PREFIX.INPUT-TOPIC.PARTITION; of two processes with the same ids the older one ends with 77.";
        TRANSACTION_TIMEOUT_MS "transaction-timeout-ms" "HUB_TRANSACTION_TIMEOUT_MS" = "10000", number(Milliseconds, 1_000, 900_000),
            "After this time the brokers abort the transaction of a process that has died; until then readers of its lanes wait.";
        TRANSACTION_THREADS "transaction-threads" "HUB_TRANSACTION_THREADS" = "0", number(Count, 0, 1024),
            "How many threads drive the transactional producers; 0: one for each lane.";
        RESTORE_MAX_ENVELOPES "restore-max-envelopes" "HUB_RESTORE_MAX_ENVELOPES" = "200000", number(Count, 0, 1_000_000_000),
            "How many envelopes of a lane are read again at most to rebuild its books; books that rest on older ones start unverified.";
        ON_OFFSET_GAP "on-offset-gap" "HUB_ON_OFFSET_GAP" = "stop", Kind::Choice(&["stop", "continue"]),
            "What a lane does whose offset is not in the log any more: stop alone, or go on where the log begins and count the gap.";
    }
    "Threads" {
        WORKERS "workers" "HUB_WORKERS" = "0", number(Count, 0, 256),
            "How many workers share the lanes; 0: one less than the CPUs this process may use, at least 1, at most one a lane.";
        PIN "pin" "HUB_PIN" = "true", Kind::Flag,
            "Pin workers and the producer to a CPU each; on fewer than four CPUs only where the lists below say so.";
        WORKER_CPUS "worker-cpus" "HUB_WORKER_CPUS" = "", CPUS,
            "The CPUs of the workers, first worker first; empty: chosen.";
        PRODUCER_CPUS "producer-cpus" "HUB_PRODUCER_CPUS" = "", CPUS,
            "The CPUs of the producer's thread; empty: chosen.";
        HOUSEKEEPING_CPUS "housekeeping-cpus" "HUB_HOUSEKEEPING_CPUS" = "", CPUS,
            "The CPUs of everything else, librdkafka's threads too; empty: chosen.";
        WORKER_STACK_KIB "worker-stack-kib" "HUB_WORKER_STACK_KIB" = "16384", number(Kibibytes, 1024, 1 << 20),
            "The stack of a worker; large, so that no nesting within the bounds can exhaust it.";
        IDLE "idle" "HUB_IDLE" = "park", Kind::Choice(&["spin", "yield", "park"]),
            "What a worker with nothing to do does: spin burns its CPU and reacts at once, yield lets other threads run, park sleeps.";
        IDLE_PARK_US "idle-park-us" "HUB_IDLE_PARK_US" = "200", number(Microseconds, 1, 100_000),
            "How long a worker parks at a time.";
        POLL_MAX_ENVELOPES "poll-max-envelopes" "HUB_POLL_MAX_ENVELOPES" = "64", number(Count, 1, 4096),
            "How many envelopes a worker takes from one lane before it looks at the others.";
    }
    "Batches" {
        BATCH_RECORDS "batch-records" "HUB_BATCH_RECORDS" = "512", number(Count, 1, 100_000),
            "A batch is handed to the producer when it has this many records and dead letters.";
        BATCH_BYTES "batch-bytes" "HUB_BATCH_BYTES" = "262144", number(Bytes, 1024, 16 << 20),
            "A batch is handed to the producer when it has this many bytes.";
        BATCH_AGE_US "batch-age-us" "HUB_BATCH_AGE_US" = "2000", number(Microseconds, 0, 10_000_000),
            "A batch is handed to the producer when its first envelope has waited this long; 0: as soon as no more input is at hand.";
        CHANNEL_BATCHES "channel-batches" "HUB_CHANNEL_BATCHES" = "64", number(Count, 2, 4096),
            "How many batches of one lane may wait for their acknowledgement; when they do, or when those of a worker have this many times batch-bytes, the \
             worker stops polling.";
    }
    "Kafka clients" {
        FETCH_WAIT_MS "fetch-wait-ms" "HUB_FETCH_WAIT_MS" = "50", number(Milliseconds, 1, 5000),
            "How long a broker may hold back the answer to a fetch for want of data.";
        FETCH_MAX_BYTES "fetch-max-bytes" "HUB_FETCH_MAX_BYTES" = "8388608", number(Bytes, 1_000_000, 512 << 20),
            "The most that one fetch brings; librdkafka takes no less than a megabyte.";
        FETCH_QUEUE_KIB "fetch-queue-kib" "HUB_FETCH_QUEUE_KIB" = "8192", number(Kibibytes, 64, 1 << 20),
            "How much input one consumer client keeps at hand, shared by its partitions, and all together no more than three of them; what is fetched next comes on \
             top, and is no more than that.";
        LINGER_MS "linger-ms" "HUB_LINGER_MS" = "5", number(Milliseconds, 0, 1000),
            "How long the producer waits for company before it sends a record; more makes larger requests.";
        COMPRESSION "compression" "HUB_COMPRESSION" = "none", Kind::Choice(&["none", "gzip", "lz4"]),
            "How the producer compresses.";
        PRODUCER_QUEUE_KIB "producer-queue-kib" "HUB_PRODUCER_QUEUE_KIB" = "65536", number(Kibibytes, 64, 1 << 20),
            "How much the producer holds that is not acknowledged; when it is full, workers stop polling. Must hold the largest envelope, which may become a \
             dead letter.";
        PRODUCER_QUEUE_MESSAGES "producer-queue-messages" "HUB_PRODUCER_QUEUE_MESSAGES" = "100000", number(Count, 10, 10_000_000),
            "How many messages the producer holds that are not acknowledged.";
        KAFKA_CALLS "kafka-calls" "HUB_KAFKA_CALLS" = "batch", Kind::Choice(&["batch", "single"]),
            "Whether librdkafka is asked for many records and reports with one call, or for each by itself, which costs more; both give the same.";
    }
    "S3 store" {
        S3_ENDPOINT "s3-endpoint" "HUB_S3_ENDPOINT" = "http://127.0.0.1:9000", Kind::Text("http://host:port or https://host"),
            "The S3 store, whose buckets are asked for by path; else MINIO_URL or AWS_ENDPOINT_URL.";
        S3_REGION "s3-region" "HUB_S3_REGION" = "us-east-1", Kind::Text("letters, digits and '-'"),
            "The region that requests to the store are signed for; else AWS_REGION.";
        S3_ACCESS_KEY "s3-access-key" "HUB_S3_ACCESS_KEY" = "", Kind::Secret,
            "The access key for the store; else AWS_ACCESS_KEY_ID.";
        S3_SECRET_KEY "s3-secret-key" "HUB_S3_SECRET_KEY" = "", Kind::Secret,
            "The secret key that belongs to it; else AWS_SECRET_ACCESS_KEY.";
        S3_SESSION_TOKEN "s3-session-token" "HUB_S3_SESSION_TOKEN" = "", Kind::Secret,
            "The token of temporary keys; else AWS_SESSION_TOKEN.";
        S3_TICKER_BUCKET "s3-ticker-bucket" "HUB_S3_TICKER_BUCKET" = "ticker-data", BUCKET,
            "The bucket that tickers go to.";
        S3_ORDERBOOK_BUCKET "s3-orderbook-bucket" "HUB_S3_ORDERBOOK_BUCKET" = "orderbook-data", BUCKET,
            "The bucket that order books go to.";
        S3_TICKER_RECORDS "s3-ticker-records" "HUB_S3_TICKER_RECORDS" = "20", number(Count, 1, 100_000),
            "How many tickers an object holds.";
        S3_ORDERBOOK_RECORDS "s3-orderbook-records" "HUB_S3_ORDERBOOK_RECORDS" = "50", number(Count, 1, 100_000),
            "How many order books an object holds.";
        S3_TOPICS "s3-topics" "HUB_S3_TOPICS" = "", Kind::Text("TOPIC=BUCKET:RECORDS, ..."),
            "Topics to be put into the store besides the six output topics, each with its bucket and how many records an object holds.";
    }
    "S3 writer" {
        SINK "sink" "HUB_SINK" = "none", Kind::Choice(&["none", "s3"]),
            "Whether `run` also writes the records to the S3 store, in threads of its own.";
        S3_GROUP "s3-group" "HUB_S3_GROUP" = "market-hub-s3-sink", GROUP,
            "Consumer group of the writer; its offsets are beginnings of objects.";
        S3_OBJECT_KEY "s3-object-key" "HUB_S3_OBJECT_KEY" = KeyPattern::CONFLUENT, Kind::Text("text with {topic}, {partition}, {offset} or {offset10}, {year}, {month}, {day}"),
            "The key of an object, of its topic and partition, and of offset and UTC day of its first record; different objects must have different keys.";
        S3_OBJECT_BYTES "s3-object-bytes" "HUB_S3_OBJECT_BYTES" = "8388608", number(Bytes, 1024, 1 << 30),
            "An object is whole at this many bytes, uncompressed, even with fewer records.";
        S3_ROLL_MS "s3-roll-ms" "HUB_S3_ROLL_MS" = "0", number(Milliseconds, 0, 86_400_000),
            "An object is also written when its first record was read this long ago; 0: never, and the last records wait for company.";
        CREATE_BUCKET "create-bucket" "HUB_CREATE_BUCKET" = "false", Kind::Flag,
            "Make missing buckets at the start.";
        S3_THREADS "s3-threads" "HUB_S3_THREADS" = "2", number(Count, 1, 64),
            "How many threads compress and upload.";
        S3_UPLOADS "s3-uploads" "HUB_S3_UPLOADS" = "8", number(Count, 1, 256),
            "How many uploads each of those threads has under way at once.";
        S3_CONNECT_TIMEOUT_MS "s3-connect-timeout-ms" "HUB_S3_CONNECT_TIMEOUT_MS" = "3000", number(Milliseconds, 10, 60_000),
            "How long a connection to the store may take to open.";
        S3_TIMEOUT_MS "s3-timeout-ms" "HUB_S3_TIMEOUT_MS" = "30000", number(Milliseconds, 100, 600_000),
            "How long the store may take for one request; after that it is sent again.";
    }
    "Kafka Connect" {
        CONNECT_URL "connect-url" "HUB_CONNECT_URL" = "http://127.0.0.1:8083", Kind::Text("http://host:port or https://host"),
            "The REST interface of a worker of Kafka Connect.";
        CONNECT_USER "connect-user" "HUB_CONNECT_USER" = "", Kind::Text("a user, or nothing"),
            "Who asks, where Kafka Connect wants to know.";
        CONNECT_PASSWORD "connect-password" "HUB_CONNECT_PASSWORD" = "", Kind::Secret,
            "The password that belongs to the user.";
        CONNECTOR_CLASS "connector-class" "HUB_CONNECTOR_CLASS" = "confluent", Kind::Text("confluent, aiven, or the name of a class"),
            "Which sink connector is registered: Confluent's or Aiven's for S3, or any other class, which is told what it needs by properties.";
        CONNECTOR_NAME "connector-name" "HUB_CONNECTOR_NAME" = "s3-sink-{stream}-market", Kind::Text("letters, digits, '.', '_', '-' and {stream}"),
            "What connectors are called; {stream} becomes korea-ticker and so on, or the name of a topic of s3-topics.";
        CONNECTOR_TASKS_MAX "connector-tasks-max" "HUB_CONNECTOR_TASKS_MAX" = "0", number(Count, 0, 1000),
            "How many tasks a connector has at most; 0: one for each partition of its topic, 1 for topics of s3-topics.";
        CONNECTOR_ROTATE_MS "connector-rotate-ms" "HUB_CONNECTOR_ROTATE_MS" = "0", number(Milliseconds, 0, 86_400_000),
            "After how long Confluent's sink writes an object that is not full; 0: never, which exactly once needs.";
        CONNECTOR_S3_ENDPOINT "connector-s3-endpoint" "HUB_CONNECTOR_S3_ENDPOINT" = "", Kind::Text("http://host:port, https://host, or nothing"),
            "The S3 store as the workers of Kafka Connect see it; empty: as s3-endpoint says.";
        CONNECTOR_PROPERTIES "connector-properties" "HUB_CONNECTOR_PROPERTIES" = "", Kind::Secret,
            "Further properties of every connector, one NAME=VALUE a line, over those that it has anyway; NAME= takes one away.";
        CONNECT_DEADLINE_S "connect-deadline-s" "HUB_CONNECT_DEADLINE_S" = "60", number(Seconds, 1, 3600),
            "How long to wait for Kafka Connect, which may be starting or rebalancing, and for tasks to run.";
        CONNECT_LAG_MAX "connect-lag-max" "HUB_CONNECT_LAG_MAX" = "100000", number(Count, 0, 1_000_000_000_000),
            "Above how many records of lag a connector alarms.";
        CONNECT_AGE_MAX_S "connect-age-max-s" "HUB_CONNECT_AGE_MAX_S" = "600", number(Seconds, 1, 2_592_000),
            "How old the newest object may be, while records wait that would fill one, before a connector alarms.";
    }
    "Start, stop and reports" {
        START_DEADLINE_S "start-deadline-s" "HUB_START_DEADLINE_S" = "60", number(Seconds, 0, 3600),
            "How long to wait at the start for brokers and topics before giving up; 0: not at all.";
        STOP_DEADLINE_MS "stop-deadline-ms" "HUB_STOP_DEADLINE_MS" = "10000", number(Milliseconds, 100, 600_000),
            "How long a stop may take until everything in flight is acknowledged and committed.";
        REPORT_INTERVAL_S "report-interval-s" "HUB_REPORT_INTERVAL_S" = "10", number(Seconds, 1, 3600),
            "How often counts and latencies are logged.";
    }
    "Endpoint and feed health" {
        ENDPOINT "endpoint" "HUB_ENDPOINT" = "127.0.0.1:9464", Kind::Text("an address and a port, where 0 is any that is free, or off"),
            "Where metrics, health, status and the live page are served over HTTP, to be read only.";
        LOG_DIR "log-dir" "HUB_LOG_DIR" = "", Kind::Text("a directory, or nothing"),
            "Where the log is written to files besides standard error: market-hub.log, and the full ones as market-hub.log.1 and so on.";
        LOG_FORMAT "log-format" "HUB_LOG_FORMAT" = "text", Kind::Choice(&["text", "json"]),
            "Lines of text, or a JSON object a line. RUST_LOG sets the levels.";
        LOG_FILE_BYTES "log-file-bytes" "HUB_LOG_FILE_BYTES" = "10000000", number(Bytes, 1024, 1 << 40),
            "A file of the log is full at this many bytes.";
        LOG_FILES "log-files" "HUB_LOG_FILES" = "5", number(Count, 0, 1000),
            "How many full files of the log are kept.";
        STALE_AFTER_S "stale-after-s" "HUB_STALE_AFTER_S" = "60", number(Seconds, 1, 86_400),
            "After this time without frames an exchange is shown as STALE, tickers and order books each for themselves.";
    }
}

/// The settings of each stream, by [`Stream::index`]: input topic, output topic, group.
pub static STREAMS: [[&Knob; 3]; Stream::COUNT] = [
    [&KOREA_TICKER_INPUT, &KOREA_TICKER_OUTPUT, &KOREA_TICKER_GROUP],
    [&KOREA_ORDERBOOK_INPUT, &KOREA_ORDERBOOK_OUTPUT, &KOREA_ORDERBOOK_GROUP],
    [&ASIA_TICKER_INPUT, &ASIA_TICKER_OUTPUT, &ASIA_TICKER_GROUP],
    [&ASIA_ORDERBOOK_INPUT, &ASIA_ORDERBOOK_OUTPUT, &ASIA_ORDERBOOK_GROUP],
    [&NE_TICKER_INPUT, &NE_TICKER_OUTPUT, &NE_TICKER_GROUP],
    [&NE_ORDERBOOK_INPUT, &NE_ORDERBOOK_OUTPUT, &NE_ORDERBOOK_GROUP],
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn rows_follow_one_pattern() {
        let flags: BTreeSet<_> = ALL.iter().map(|knob| knob.flag).collect();
        assert_eq!(flags.len(), ALL.len(), "each flag is given once");
        for knob in ALL.iter().filter(|knob| knob.flag != "brokers") {
            assert_eq!(knob.env, format!("HUB_{}", knob.flag.replace('-', "_").to_uppercase()));
            assert!(knob.doc.ends_with('.'), "{}: whole sentences", knob.flag);
            if let Kind::Number { unit, .. } = knob.kind {
                let suffix = unit.sign().to_lowercase();
                let named = if unit == Unit::Bytes || unit == Unit::Count { knob.flag.contains(&suffix) } else { knob.flag.ends_with(&format!("-{suffix}")) };
                assert!(named, "{}: the name tells the unit {suffix}", knob.flag);
            }
        }
        for stream in Stream::ALL {
            for (knob, role) in STREAMS[stream.index()].into_iter().zip(["input", "output", "group"]) {
                assert_eq!(knob.flag, format!("{stream}-{role}"));
            }
        }
    }

    #[test]
    fn numbers_start_within_their_bounds() {
        for knob in ALL {
            match knob.kind {
                Kind::Number { min, max, .. } => assert!((min..=max).contains(&knob.default.parse().expect(knob.flag)), "{}", knob.flag),
                Kind::Choice(words) => assert!(words.contains(&knob.default), "{}", knob.flag),
                Kind::Flag => assert!(["true", "false"].contains(&knob.default), "{}", knob.flag),
                Kind::Text(_) => {}
                Kind::Secret => assert_eq!(knob.default, "", "{}", knob.flag),
            }
        }
    }
}
