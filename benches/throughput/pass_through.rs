//! The yardstick: as many messages of the same size in and out as with the hub, with plain rdkafka calls and nothing in between. One thread of its own beside
//! those of librdkafka; the settings of its clients are the hub's. And the straightforward program, which decodes in the same loop.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, BaseRecord};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::books::Books;
use crate::input::LaneInput;
use crate::sonic;
use crate::support::names::Names;

/// As a first argument: passes through.
pub const NAME: &str = "pass-through";
/// As a first argument: decodes too.
pub const STRAIGHTFORWARD: &str = "straightforward";

/// How often it commits.
const COMMIT: Duration = Duration::from_millis(100);

/// One lane: input topic, output topic, partition, records an envelope, bytes of their keys and values.
struct Route {
    input: String,
    output: String,
    partition: i32,
    records: usize,
    key_bytes: usize,
    value_bytes: usize,
}

/// The arguments of a process that takes `lanes` as one of these two does, behind its name.
pub fn arguments(brokers: &str, group: &str, low_latency: bool, lanes: &[LaneInput], input: &Names, output: &Names) -> Vec<String> {
    let mut words = vec![brokers.to_owned(), group.to_owned(), low_latency.to_string()];
    for lane in lanes {
        let records = lane.records.div_ceil(lane.envelopes.max(1));
        let (from, to) = (input.input(lane.stream), output.output(lane.stream));
        words.push(format!("{from} {to} {} {records} {} {}", lane.partition, lane.key_bytes, lane.value_bytes));
    }
    words
}

fn route(words: &str) -> Route {
    let words: Vec<_> = words.split(' ').collect();
    let number = |index: usize| words[index].parse::<usize>().unwrap();
    Route {
        input: words[0].to_owned(),
        output: words[1].to_owned(),
        partition: words[2].parse().unwrap(),
        records: number(3),
        key_bytes: number(4),
        value_bytes: number(5),
    }
}

/// Runs until it is killed; decodes into books, where there are any.
pub fn run(words: &[String], mut books: Option<Books>) {
    let [brokers, group, low_latency, lanes @ ..] = words else { panic!("{words:?}") };
    let low_latency = low_latency == "true";
    let routes: Vec<_> = lanes.iter().map(|words| route(words)).collect();
    let consumer = consumer(brokers, group, low_latency, &routes);
    let producer = producer(brokers, low_latency);
    let (mut positions, mut committed_at) = (vec![0; routes.len()], Instant::now());
    loop {
        if let Some(message) = consumer.poll(Duration::from_millis(1)) {
            let message = message.unwrap();
            let at = |route: &Route| route.partition == message.partition() && route.input == message.topic();
            let index = routes.iter().position(at).unwrap();
            let route = &routes[index];
            let (key, value, timestamp_ms) = (message.key().unwrap(), message.payload().unwrap(), message.timestamp().to_millis().unwrap());
            if let Some(books) = &mut books {
                for record in sonic::process(books, value, timestamp_ms) {
                    assert!(!record.unverified, "a whole book stands for itself");
                    send(&producer, &route.output, route.partition, record.key.as_bytes(), record.value.as_bytes(), record.timestamp_ms);
                }
            } else {
                for record in 0..route.records {
                    let start = record * route.value_bytes % value.len().saturating_sub(route.value_bytes).max(1);
                    let value = &value[start..value.len().min(start + route.value_bytes)];
                    send(&producer, &route.output, route.partition, &key[..key.len().min(route.key_bytes)], value, timestamp_ms);
                }
            }
            positions[index] = message.offset() + 1;
        }
        producer.poll(Duration::ZERO);
        if committed_at.elapsed() >= COMMIT {
            committed_at = Instant::now();
            let mut list = TopicPartitionList::new();
            for (route, &position) in routes.iter().zip(&positions).filter(|(_, position)| **position > 0) {
                list.add_partition_offset(&route.input, route.partition, Offset::Offset(position)).unwrap();
            }
            if list.count() > 0 {
                consumer.commit(&list, CommitMode::Async).unwrap();
            }
        }
    }
}

fn send(producer: &BaseProducer, topic: &str, partition: i32, key: &[u8], value: &[u8], timestamp_ms: i64) {
    let mut record = BaseRecord::to(topic).partition(partition).key(key).payload(value).timestamp(timestamp_ms);
    while let Err((error, same)) = producer.send(record) {
        assert_eq!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::QueueFull));
        producer.poll(Duration::from_millis(1));
        record = same;
    }
}

fn common(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("socket.nagle.disable", "true");
    config
}

fn consumer(brokers: &str, group: &str, low_latency: bool, routes: &[Route]) -> BaseConsumer {
    let mut config = common(brokers);
    config.set("group.id", group).set("enable.auto.commit", "false").set("enable.auto.offset.store", "false").set("auto.offset.reset", "error");
    config.set("fetch.wait.max.ms", if low_latency { "5" } else { "50" }).set("fetch.max.bytes", "8388608").set("max.partition.fetch.bytes", "8388608");
    config.set("queued.max.messages.kbytes", "16384").set("queued.min.messages", "100000").set("fetch.queue.backoff.ms", "5").set("check.crcs", "true");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut list = TopicPartitionList::new();
    for route in routes {
        list.add_partition_offset(&route.input, route.partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    consumer
}

fn producer(brokers: &str, low_latency: bool) -> BaseProducer {
    let mut config = common(brokers);
    config.set("enable.idempotence", "true").set("acks", "all").set("linger.ms", if low_latency { "0" } else { "5" });
    config.set("batch.num.messages", "10000").set("batch.size", "1000000");
    config.set("queue.buffering.max.kbytes", "65536").set("queue.buffering.max.messages", "100000");
    config.create().unwrap()
}
