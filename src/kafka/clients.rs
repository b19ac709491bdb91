//! How every Kafka client is set up: each librdkafka property that matters, set explicitly, with the reason.

use std::thread;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaError;

use super::log::LogContext;
use crate::config::{Config, StartAt, properties};

/// How long a transaction's records wait for company at the most.
const TRANSACTION_LINGER_MAX: Duration = Duration::from_millis(1);
/// A connection that is half open is found out only by this, and the end of a transaction takes three connections in turn. What a request brings must come
/// within it: see README.md, slow links.
const SOCKET_TIMEOUT: Duration = Duration::from_secs(4);
/// How often clients tell of themselves.
const STATISTICS_INTERVAL: &str = "statistics.interval.ms";
const STATISTICS_INTERVAL_MS: &str = "5000";
/// A record that is larger than this is not fetched; brokers take up to 1 MiB by default.
const RECORD_BYTES_MAX: usize = 128 << 20;

fn common(config: &Config) -> ClientConfig {
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", &config.brokers)
        .set("client.id", "market-hub")
        // Seconds of waiting after an outage are seconds of lag: try again soon, but not more than once a second.
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        .set("socket.timeout.ms", SOCKET_TIMEOUT.as_millis().to_string())
        // Small requests shall not wait for the peer's acknowledgement.
        .set("socket.nagle.disable", "true")
        // Idle topics must not cost a reconnect when they wake up.
        .set("socket.keepalive.enable", "true");
    client
}

/// A client that asks for a group's offsets, or reads a log from one end to the other. Partitions are assigned by hand.
pub(super) fn consumer(config: &Config, group: &str) -> ClientConfig {
    reader(config, group, 1)
}

/// The client by which transactions know their group: a lane that begins again waits for its answers.
pub(super) fn group_of_transactions(config: &Config, group: &str) -> ClientConfig {
    let mut client = consumer(config, group);
    client.set("fetch.wait.max.ms", "500");
    client
}

/// Of how many consumers the bound on what is fetched ahead counts at most: more share it.
const CONSUMERS_COUNTED: usize = 4;

/// The client that reads `partitions` lanes of one stream, beside those that read the others.
pub(super) fn lane_consumer(config: &Config, group: &str, partitions: usize) -> ClientConfig {
    reader(config, group, partitions.max(parts_min(config)))
}

/// In how many parts the bound on what is fetched ahead comes at least.
fn parts_min(config: &Config) -> usize {
    config.lanes.len().div_ceil(CONSUMERS_COUNTED)
}

/// What each partition may have at hand, in KiB, where a consumer reads so many: memory. With queues of their own librdkafka holds the bound against each
/// partition, and only before it fetches: [`fetch_bytes`] come on top.
fn queue_kib(config: &Config, parts: usize) -> usize {
    (config.kafka.fetch_queue_kib / parts.max(1)).max(64)
}

/// How many bytes one fetch brings for one partition at most.
fn fetch_bytes(config: &Config, parts: usize) -> usize {
    config.kafka.fetch_max_bytes.min(queue_kib(config, parts) << 10)
}

/// [`fetch_bytes`] of the lanes, whatever consumers they have.
pub(super) fn largest_fetch(config: &Config) -> usize {
    fetch_bytes(config, parts_min(config))
}

/// A client that reads partitions: each has a queue of its own, and an equal part, one of so many, of the bound on what is fetched ahead.
pub(super) fn reader(config: &Config, group: &str, parts: usize) -> ClientConfig {
    let kafka = &config.kafka;
    let mut client = common(config);
    client
        .set("group.id", group)
        // Offsets of a group without members are accepted only by the classic protocol.
        .set("group.protocol", "classic")
        // Only the watermark is committed, and only by us.
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // Anything else would skip or repeat without a word when an offset is gone.
        .set("auto.offset.reset", "error")
        // Aborted records are no input.
        .set("isolation.level", "read_committed")
        .set("fetch.wait.max.ms", kafka.fetch_wait.as_millis().to_string())
        .set("socket.timeout.ms", (SOCKET_TIMEOUT + kafka.fetch_wait).as_millis().to_string())
        .set("fetch.max.bytes", kafka.fetch_max_bytes.to_string())
        .set("max.partition.fetch.bytes", fetch_bytes(config, parts).to_string())
        // Must hold a whole fetch, which is larger than it should be when a single record is.
        .set("receive.message.max.bytes", (kafka.fetch_max_bytes + RECORD_BYTES_MAX).to_string())
        .set("queued.max.messages.kbytes", queue_kib(config, parts).to_string())
        .set("queued.min.messages", "100000")
        // The default leaves a partition alone for a second once its queue was full.
        .set("fetch.queue.backoff.ms", "5")
        .set("fetch.error.backoff.ms", "100")
        .set("check.crcs", "true")
        .set("enable.partition.eof", "false")
        // New partitions and leaders are noticed within half a minute.
        .set("topic.metadata.refresh.interval.ms", "30000");
    for (name, value) in kafka.consumer_properties.iter() {
        client.set(name, value);
    }
    client
}

/// A client that looks at what transactions have written.
pub(super) fn looker_at_outputs(config: &Config, isolation: &str) -> ClientConfig {
    let mut client = consumer(config, "market-hub");
    client.set("isolation.level", isolation).set("enable.partition.eof", "true").set("fetch.wait.max.ms", "10");
    client
}

/// The client that writes what one lane has to write, and its offsets, in transactions.
pub(super) fn transactional(config: &Config, id: &str) -> ClientConfig {
    let mut client = producer(config);
    let limit = config.transactions.timeout.as_millis();
    // librdkafka wants it to be no longer than a transaction.
    let socket_timeout = client.get("socket.timeout.ms").and_then(|text| text.parse::<u128>().ok()).map_or(limit, |timeout| timeout.min(limit));
    client
        .set("socket.timeout.ms", socket_timeout.to_string())
        // By its log it tells of connections that fail: see `Producer::was_cut`. What it writes into ours is decided elsewhere.
        .set_log_level(RDKafkaLogLevel::Info)
        .set("log.connection.close", "true")
        .set("transactional.id", id)
        // At the end of every transaction its last records would wait for company that cannot come.
        .set("linger.ms", config.kafka.linger.min(TRANSACTION_LINGER_MAX).as_millis().to_string())
        // How long readers wait for a transaction whose producer has died.
        .set("transaction.timeout.ms", limit.to_string())
        // Nor this; a message that is not written by then is written by the next transaction.
        .set("message.timeout.ms", limit.to_string());
    client
}

/// The client that writes records and dead letters.
pub(super) fn producer(config: &Config) -> ClientConfig {
    let kafka = &config.kafka;
    let mut client = common(config);
    client
        // Order within a partition is kept over retries, and a retry does not repeat.
        .set("enable.idempotence", "true")
        .set("acks", "all")
        // The default gives up after five minutes, which is loss. Backpressure ends an outage, not a time limit.
        .set("message.timeout.ms", "0")
        .set("linger.ms", kafka.linger.as_millis().to_string())
        .set("compression.type", kafka.compression.as_str())
        .set("queue.buffering.max.kbytes", kafka.producer_queue_kib.to_string())
        .set("queue.buffering.max.messages", kafka.producer_queue_messages.to_string())
        // Our own batches are handed over whole: let them travel whole.
        .set("batch.num.messages", "10000")
        .set("batch.size", "1000000")
        // A dead letter is as large as the envelope that was too large, and its headers more: what is too large is for its topic to say.
        .set("message.max.bytes", (kafka.producer_queue_kib << 10).clamp(1_000, 1_000_000_000).to_string())
        // Where the key decides about the partition, it decides as in Kafka's own clients.
        .set("partitioner", "murmur2_random")
        .set("retry.backoff.ms", "20")
        .set("retry.backoff.max.ms", "500")
        .set("topic.metadata.refresh.interval.ms", "30000");
    for (name, value) in kafka.producer_properties.iter() {
        client.set(name, value);
    }
    client
}

/// Has a client tell of itself in figures, where somebody may look at them. Only for clients that are polled: what nobody takes would
/// pile up. And not where transactions end: their commit waits for every event to be taken, by a thread that waits for the commit.
pub(super) fn with_statistics(client: &ClientConfig, config: &Config) -> ClientConfig {
    let mut client = client.clone();
    if config.endpoint.is_some() && client.get(STATISTICS_INTERVAL).is_none() {
        client.set(STATISTICS_INTERVAL, STATISTICS_INTERVAL_MS);
    }
    client
}

/// The client that asks for metadata, offsets and lag. It belongs to no group that anybody commits to. Set up as every consumer, so that it is the
/// first to be refused where consumers would be: before any broker is asked.
pub(super) fn observer(config: &Config) -> ClientConfig {
    let mut client = consumer(config, "market-hub-observer");
    client.set("allow.auto.create.topics", "false");
    client
}

/// Takes what librdkafka tells of a client that nobody reads from, for at most `timeout`: that is for our log, and piles up otherwise, with every connection
/// that fails.
pub(super) fn serve(client: &BaseConsumer<LogContext>, timeout: Duration) {
    // What comes out of a poll has come to the log too.
    drop(client.poll(timeout));
}

/// Ends a client that is not needed any more; never waits. librdkafka takes half a second to end one that has lost its brokers: nobody who has work to do
/// shall wait for that.
pub(super) fn retire(client: impl Send + 'static) {
    // Where no thread can be had, it ends here.
    let _ = thread::Builder::new().name("retired".to_owned()).spawn(move || drop(client));
}

/// What librdkafka has against the settings; secrets are masked.
pub(super) fn refusal(error: KafkaError) -> String {
    match error {
        KafkaError::ClientConfig(_, why, name, value) => format!("{name} = {:?}: {why}", properties::shown(&name, &value)),
        other => other.to_string(),
    }
}

impl StartAt {
    /// The end of the log where a lane without a committed offset begins.
    pub(super) const fn offset(self, (low, high): (i64, i64)) -> i64 {
        match self {
            Self::Earliest => low,
            Self::Latest => high,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fetched_ahead_stays_within_the_bound_of_four_consumers() {
        let kib = |lanes: usize, partitions: usize| {
            let mut config = Config::default();
            config.lanes.truncate(lanes);
            let client = lane_consumer(&config, "group", partitions);
            let fetch: usize = client.get("max.partition.fetch.bytes").unwrap().parse().unwrap();
            let queue: usize = client.get("queued.max.messages.kbytes").unwrap().parse().unwrap();
            assert_eq!(fetch, queue << 10, "a fetch is no more than what is kept at hand");
            assert!(fetch <= largest_fetch(&config));
            queue
        };
        assert_eq!((kib(1, 1), kib(3, 3), kib(3, 1)), (8_192, 8_192 / 3, 8_192));
        assert_eq!((kib(18, 3), kib(18, 1), kib(18, 5)), (8_192 / 5, 8_192 / 5, 8_192 / 5));
        assert!(18 * kib(18, 1) <= 4 * 8_192);
    }
}
