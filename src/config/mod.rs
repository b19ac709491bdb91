//! The settings: what can be set, what was set and by whom, and what it amounts to.
//!
//! One row of [`knobs`] defines a setting; options, help text, checks, listings and the README's table are made from it. Values come from the command
//! line, else the environment, else `--env-file`, else the row's default. The only reader of `std::env` in the crate. Never prints and never exits:
//! [`load`] gives either a [`Config`] in which everything is checked or a report of everything that is wrong.

mod check;
mod connect;
pub mod cpus;
pub mod env_file;
mod fail_points;
pub mod knobs;
pub mod lanes;
mod object_key;
mod parse;
mod problems;
pub mod properties;
mod secret;
mod show;
mod source;
mod store;
mod types;
mod values;

pub use connect::{ConnectConfig, property};
pub use fail_points::FailPoint;
pub use lanes::{LaneId, parse as parse_lanes};
pub use object_key::{Day, KeyPattern};
pub use problems::Problems;
pub use properties::Properties;
pub use secret::{MASK, Secret, without_passwords};
pub use show::{args, markdown_table};
pub use source::{Environment, Origin};
pub use store::{Shelf, StoreConfig, StoreCredentials, WriterConfig};
pub use types::{
    BatchConfig, Compression, Config, Delivery, Idle, KafkaCalls, KafkaConfig, OnOffsetGap, Output, Placement, StartAt, StreamNames, TransactionConfig,
};

use crate::logs;
use crate::market::Stream;
use crate::rules::{BookMode, BookTime, Limits, Rules, Scanner};
use crate::stack::ArrayRules;
use clap::ArgMatches;
use knobs::STREAMS;
use source::Given;
use values::Values;

/// The option that names a file of settings.
const ENV_FILE: &str = "env-file";

/// What [`load`] gives.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings, checked.
    pub config: Config,
    /// Every setting and every property passed through, with its value and who gave it, in the order of [`knobs::ALL`].
    pub listing: Vec<Row>,
    /// What is allowed but hardly meant, one sentence each.
    pub warnings: Vec<String>,
}

/// One line of the listing of settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The option's name, or the property's with the clients it is for: `producer sasl.password`.
    pub name: String,
    /// The environment variable.
    pub env: String,
    /// The value as it was given; secrets are masked.
    pub value: String,
    /// Who gave it.
    pub origin: Origin,
}

/// Reads, resolves and checks all settings. `matches` are those of a command that went through [`args`]; settings it does not have count as not given.
///
/// # Errors
/// Everything that is wrong, in one report; the caller exits with [`Problems::EXIT_CODE`].
pub fn load(matches: &ArgMatches, environment: &Environment) -> Result<Loaded, Problems> {
    let mut values = Values::new(Given::gather(matches, environment));
    let mut config = build(&mut values);
    check::check(&config, &mut values);
    let passed = properties::pass(&values.given().variables);
    let mut listing: Vec<Row> = knobs::ALL
        .iter()
        .map(|knob| {
            let (value, origin) = values.given().value(knob);
            Row { name: knob.flag.to_owned(), env: knob.env.to_owned(), value: without_passwords(&value), origin }
        })
        .collect();
    listing.extend(passed.rows.into_iter().map(|(name, env, value, origin)| Row { name, env, value, origin }));
    config.kafka.consumer_properties = passed.consumer;
    config.kafka.producer_properties = passed.producer;
    values.problems.extend(passed.problems);
    Problems::check(values.problems)?;
    Ok(Loaded { config, listing, warnings: values.warnings })
}

impl Default for Config {
    /// The settings when nothing is given.
    fn default() -> Self {
        build(&mut Values::new(Given::default()))
    }
}

/// Reads every knob once; a bad value is reported and replaced by the default.
fn build(values: &mut Values) -> Config {
    let suffix = values.parsed(&knobs::DLT_SUFFIX, parse::topic_part);
    let resync_topic = values.parsed(&knobs::RESYNC_TOPIC, parse::topic_or_none);
    Config {
        rules: Rules { resync: resync_topic.is_some(), ..rules(values) },
        resync_topic,
        output: {
            let arrays = Output::Arrays(ArrayRules {
                max: values.narrow(&knobs::ARRAY_MAX),
                timeout_us: values.number(&knobs::ARRAY_TIMEOUT_MS) * 1_000,
                adaptive: values.flag(&knobs::ARRAY_ADAPTIVE),
            });
            values.choice(&knobs::OUTPUT, [Output::Records, arrays])
        },
        brokers: values.parsed(&knobs::BROKERS, parse::brokers),
        lanes: values.parsed(&knobs::LANES, lanes::parse),
        streams: Stream::ALL.map(|stream| {
            let [input, output, group] = STREAMS[stream.index()];
            let input = values.parsed(input, parse::topic);
            StreamNames { dlt: format!("{input}{suffix}"), input, output: values.parsed(output, parse::topic), group: values.parsed(group, parse::group) }
        }),
        start: values.choice(&knobs::START, [StartAt::Earliest, StartAt::Latest]),
        create_topics: values.flag(&knobs::CREATE_TOPICS),
        topic_replication: values.narrow(&knobs::TOPIC_REPLICATION),
        placement: placement(values),
        idle: {
            let park = Idle::Park(values.duration(&knobs::IDLE_PARK_US));
            values.choice(&knobs::IDLE, [Idle::Spin, Idle::Yield, park])
        },
        poll_max_envelopes: values.narrow(&knobs::POLL_MAX_ENVELOPES),
        batch: BatchConfig {
            records: values.narrow(&knobs::BATCH_RECORDS),
            bytes: values.bytes(&knobs::BATCH_BYTES),
            age: values.duration(&knobs::BATCH_AGE_US),
            channel: values.narrow(&knobs::CHANNEL_BATCHES),
        },
        kafka: kafka(values),
        delivery: values.choice(&knobs::DELIVERY, [Delivery::AtLeastOnce, Delivery::ExactlyOnce]),
        commit_interval: values.duration(&knobs::COMMIT_INTERVAL_MS),
        transactions: TransactionConfig {
            prefix: values.parsed(&knobs::TRANSACTIONAL_PREFIX, parse::topic_part),
            timeout: values.duration(&knobs::TRANSACTION_TIMEOUT_MS),
            threads: Some(values.narrow(&knobs::TRANSACTION_THREADS)).filter(|threads| *threads > 0),
        },
        restore_max_envelopes: values.narrow(&knobs::RESTORE_MAX_ENVELOPES),
        on_offset_gap: values.choice(&knobs::ON_OFFSET_GAP, [OnOffsetGap::Stop, OnOffsetGap::Continue]),
        store: store::build(values),
        writer: store::writer(values),
        connect: connect::build(values),
        start_deadline: values.duration(&knobs::START_DEADLINE_S),
        stop_deadline: values.duration(&knobs::STOP_DEADLINE_MS),
        report_interval: values.duration(&knobs::REPORT_INTERVAL_S),
        endpoint: values.parsed(&knobs::ENDPOINT, parse::address_or_off),
        stale_after: values.duration(&knobs::STALE_AFTER_S),
        logs: logs::Settings {
            dir: values.parsed(&knobs::LOG_DIR, parse::dir_or_none),
            file_bytes: values.number(&knobs::LOG_FILE_BYTES),
            files: values.narrow(&knobs::LOG_FILES),
            format: values.choice(&knobs::LOG_FORMAT, [logs::Format::Text, logs::Format::Json]),
        },
    }
}

fn rules(values: &mut Values) -> Rules {
    Rules {
        limits: Limits {
            envelope_bytes: values.bytes(&knobs::ENVELOPE_MAX_BYTES),
            frame_bytes: values.bytes(&knobs::FRAME_MAX_BYTES),
            depth: values.narrow(&knobs::DEPTH_MAX),
            levels: values.narrow(&knobs::LEVELS_MAX),
            number_chars: values.narrow(&knobs::NUMBER_MAX_CHARS),
        },
        scanner: values.choice(&knobs::SCANNER, [Scanner::On, Scanner::Portable, Scanner::Off]),
        book_mode: values.choice(&knobs::BOOK, [BookMode::Maintained, BookMode::Frame, BookMode::Hold]),
        book_time: values.choice(&knobs::BOOK_TIME, [BookTime::Event, BookTime::Wall]),
        kraken_depth: values.narrow(&knobs::KRAKEN_DEPTH),
        kraken_decimals: values.parsed(&knobs::KRAKEN_DECIMALS, parse::kraken_decimals),
        future_max_ms: values.narrow(&knobs::FUTURE_MAX_MS),
        resync: false,
    }
}

fn placement(values: &mut Values) -> Placement {
    Placement {
        workers: Some(values.narrow(&knobs::WORKERS)).filter(|workers| *workers > 0),
        worker_cpus: values.parsed(&knobs::WORKER_CPUS, cpus::parse),
        producer_cpus: values.parsed(&knobs::PRODUCER_CPUS, cpus::parse),
        housekeeping_cpus: values.parsed(&knobs::HOUSEKEEPING_CPUS, cpus::parse),
        pin: values.flag(&knobs::PIN),
        worker_stack_bytes: values.bytes(&knobs::WORKER_STACK_KIB),
    }
}

fn kafka(values: &mut Values) -> KafkaConfig {
    KafkaConfig {
        fetch_wait: values.duration(&knobs::FETCH_WAIT_MS),
        fetch_max_bytes: values.bytes(&knobs::FETCH_MAX_BYTES),
        fetch_queue_kib: values.narrow(&knobs::FETCH_QUEUE_KIB),
        linger: values.duration(&knobs::LINGER_MS),
        compression: values.choice(&knobs::COMPRESSION, [Compression::None, Compression::Gzip, Compression::Lz4]),
        producer_queue_kib: values.narrow(&knobs::PRODUCER_QUEUE_KIB),
        producer_queue_messages: values.narrow(&knobs::PRODUCER_QUEUE_MESSAGES),
        calls: values.choice(&knobs::KAFKA_CALLS, [KafkaCalls::Batch, KafkaCalls::Single]),
        consumer_properties: Properties::default(),
        producer_properties: Properties::default(),
    }
}

#[cfg(test)]
mod tests;
