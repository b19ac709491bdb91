//! The two ways to call librdkafka, its own calls for batches and rdkafka's safe ones, held against each other on a real broker: what one reads, writes,
//! reports or refuses, the other does alike. And what a lane that is taken over makes of what its transactions have left.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use market_hub::batch::{BY_KEY, Batch, Destination, Place};
use market_hub::checkpoint::{Checkpoint, Claim};
use market_hub::config::{Config, KafkaCalls, LaneId, StreamNames};
use market_hub::delivery::Ledger;
use market_hub::kafka::{Cause, Consumer, Group, LaneQueue, Outputs, Polled, Producer, Report, SendError, TakeOver};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use support::broker::{self, Broker};
use support::{Message, wait_until};

const BOTH: [KafkaCalls; 2] = [KafkaCalls::Batch, KafkaCalls::Single];
const BOUND: Duration = Duration::from_secs(60);

fn config(broker: &Broker, calls: KafkaCalls) -> Config {
    let mut config = Config { brokers: broker.address(), ..Config::default() };
    config.kafka.calls = calls;
    config
}

// ---------------------------------------------------------------------------------------------------------------------------- records

/// What a record is to the core.
type Read = (i64, i64, Option<Vec<u8>>, Option<Vec<u8>>, Vec<(String, Option<Vec<u8>>)>);

/// Reads one partition of `topic` from an offset on, until so many records are there.
fn read(consumer: &Consumer, from: i64, count: usize) -> (LaneQueue, Vec<Read>) {
    let queue = consumer.read(&[(0, from)]).unwrap().pop().unwrap();
    let began = Instant::now();
    let mut records = Vec::new();
    while records.len() < count {
        assert!(began.elapsed() < BOUND, "{} of {count} records", records.len());
        match queue.poll() {
            Polled::Record(record) => {
                let offset = record.offset();
                record.with_input(0, |input| {
                    assert_eq!(input.offset, offset);
                    let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
                    let headers = input.headers.iter().map(|(name, value)| ((*name).to_owned(), owned(*value))).collect();
                    records.push((offset, input.timestamp_ms, owned(input.key), owned(input.value), headers));
                });
            }
            Polled::Nothing => std::thread::sleep(Duration::from_millis(1)),
            Polled::Transient(fault) => support::report(fault),
            Polled::OffsetGone(fault) => panic!("{fault}"),
        }
    }
    (queue, records)
}

fn consumer(broker: &Broker, calls: KafkaCalls, topic: &str) -> Consumer {
    let config = config(broker, calls);
    let mut names = config.streams[0].clone();
    names.input = topic.to_owned();
    Consumer::new(&config, &names, 1).unwrap()
}

#[test]
fn records_are_read_alike() {
    let Some(broker) = broker::shared() else { return };
    let client = broker.client();
    client.create_topics(&[("calls.read".to_owned(), 1)]);
    let mut sent: Vec<Message> = (0..300).map(|number| Message::new("calls.read", 0, &format!("value {number}"))).collect();
    sent[1].value = None;
    sent[2].value = Some(Vec::new());
    sent[3].key = Some(b"key".to_vec());
    sent[4].key = Some(Vec::new());
    sent[5].headers = vec![("empty".to_owned(), Some(Vec::new())), ("null".to_owned(), None), ("twice".to_owned(), Some(vec![0xff, 0]))];
    sent[6].headers = vec![("twice".to_owned(), Some(b"1".to_vec())); 2];
    sent[7].timestamp_ms = 1;
    sent[200].value = Some(vec![b'x'; 900_000]);
    client.produce(&sent);
    let expected: Vec<Read> =
        (0..).zip(&sent).map(|(offset, message)| (offset, message.timestamp_ms, message.key.clone(), message.value.clone(), message.headers.clone())).collect();
    for calls in BOTH {
        let consumer = consumer(&broker, calls, "calls.read");
        let (queue, records) = read(&consumer, 0, sent.len());
        assert_eq!(records, expected, "{calls:?}");
        assert!(matches!(queue.poll(), Polled::Nothing));
        drop(queue);
        // What was taken and not given on is read again, wherever it begins.
        let (queue, records) = read(&consumer, 0, 3);
        assert_eq!(records, expected[..3], "{calls:?}");
        drop(queue);
        let (_queue, records) = read(&consumer, 2, 290);
        assert_eq!(records, expected[2..292], "{calls:?}");
    }
}

#[test]
fn an_offset_that_is_gone_is_told_alike() {
    let Some(broker) = broker::shared() else { return };
    let client = broker.client();
    client.create_topics(&[("calls.gone".to_owned(), 1)]);
    client.produce(&(0..10).map(|number| Message::new("calls.gone", 0, &number.to_string())).collect::<Vec<_>>());
    client.admin().delete_records(&("calls.gone".to_owned(), 0), 5);
    for calls in BOTH {
        for wanted in [2, 5_000] {
            let consumer = consumer(&broker, calls, "calls.gone");
            let queue = consumer.read(&[(0, wanted)]).unwrap().pop().unwrap();
            let ask = || match queue.poll() {
                Polled::OffsetGone(fault) => Some(fault),
                Polled::Record(record) => panic!("{calls:?}: a record at {}", record.offset()),
                Polled::Nothing | Polled::Transient(_) => None,
            };
            wait_until("the offset is gone", BOUND, ask, Option::is_some);
        }
        // A record that was there when its neighbour went.
        let (_queue, records) = read(&consumer(&broker, calls, "calls.gone"), 5, 5);
        assert_eq!(records[0].0, 5, "{calls:?}");
    }
}

// ---------------------------------------------------------------------------------------------------------------------------- messages

/// Messages of all kinds.
fn batch(count: i64) -> Batch {
    let mut batch = Batch::default();
    for number in 0..count {
        let mut writer = batch.begin(Destination::Output, Place::default(), 1_790_000_000_000 + number);
        if number % 3 > 0 {
            writer.key(|out| out.extend_from_slice(if number % 3 == 1 { b"key" } else { b"" }));
        }
        if number % 5 > 0 {
            writer.value(|out| out.extend_from_slice(format!("value {number}").as_bytes()));
        }
        if number % 7 == 0 {
            writer.header("ours", |out| out.extend_from_slice(b"1"));
            writer.copy_header("theirs", None);
            writer.copy_header("empty", Some(b""));
        }
        writer.finish();
    }
    batch
}

/// Sends a batch, with the tags `first..`, waiting where the queue is full; gives the reports and how often it was.
fn send(producer: &Producer, topic: &str, partition: i32, batch: &Batch, first: usize) -> (Vec<Report>, usize) {
    let (mut reports, mut full) = (Vec::new(), 0);
    for (tag, message) in (first..).zip(batch.messages()) {
        while let Err(error) = producer.send(topic, partition, &message, tag) {
            assert_eq!(error, SendError::QueueFull);
            full += 1;
            producer.poll(Duration::from_millis(5), &mut reports);
        }
    }
    let began = Instant::now();
    while producer.in_flight() > 0 {
        assert!(began.elapsed() < BOUND, "{} in flight", producer.in_flight());
        producer.poll(Duration::from_millis(5), &mut reports);
    }
    producer.poll(Duration::ZERO, &mut reports);
    (reports, full)
}

#[test]
fn messages_are_written_and_reported_alike() {
    let Some(broker) = broker::shared() else { return };
    let client = broker.client();
    let mut written = Vec::new();
    for calls in BOTH {
        let topic = format!("calls.write-{calls:?}");
        client.create_topics(&[(topic.clone(), 3)]);
        let mut config = config(&broker, calls);
        // Far fewer than a batch has: it is full in the middle of one, again and again.
        config.kafka.producer_queue_messages = 10;
        let producer = Producer::new(&config).unwrap();
        let messages = batch(105);
        let (reports, full) = send(&producer, &topic, 1, &messages, 7);
        assert!(full > 0, "{calls:?}: the queue was full");
        assert_eq!(reports.iter().map(|report| report.count).sum::<usize>(), messages.len(), "{calls:?}");
        let mut next = 7;
        for report in &reports {
            assert_eq!((report.tag, &report.failure), (next, &None), "{calls:?}: reports in order");
            next += report.count;
        }
        send(&producer, &topic, BY_KEY, &messages, 0);
        let mut read = client.read(std::slice::from_ref(&topic));
        let mut of = |partition: i32| {
            let mut messages = read.remove(&(topic.clone(), partition)).unwrap();
            messages.iter_mut().for_each(|message| (message.topic, message.offset) = (String::new(), None));
            messages
        };
        let sent: Vec<Message> = messages
            .messages()
            .map(|message| Message {
                topic: String::new(),
                partition: 1,
                offset: None,
                timestamp_ms: message.timestamp_ms,
                key: message.key.map(<[u8]>::to_vec),
                headers: message.headers().map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec))).collect(),
                value: message.value.map(<[u8]>::to_vec),
            })
            .collect();
        let all = [of(0), of(1), of(2)];
        assert_eq!(all[1][..sent.len()], sent, "{calls:?}");
        // Those without a key go anywhere.
        let keyed = all.map(|messages| messages.into_iter().filter(|message| message.key.as_ref().is_some_and(|key| !key.is_empty())).collect::<Vec<_>>());
        written.push(keyed);
    }
    assert_eq!(written[0], written[1], "keys choose the same partitions");
}

#[test]
fn what_is_too_large_fails_alike() {
    let Some(broker) = broker::shared() else { return };
    let client = broker.client();
    client.create_topics(&[("calls.small".to_owned(), 1)]);
    client.admin().configure("calls.small", "max.message.bytes", "2000");
    let mut batch = Batch::default();
    for bytes in [10, 5_000, 20, 70_000_000, 30] {
        let mut writer = batch.begin(Destination::Output, Place::default(), 1_790_000_000_000);
        writer.value(|out| out.extend(std::iter::repeat_n(b'x', bytes)));
        writer.header("with", |out| out.extend_from_slice(b"a header"));
        writer.finish();
    }
    let mut outcomes = Vec::new();
    for calls in BOTH {
        let producer = Producer::new(&config(&broker, calls)).unwrap();
        let (mut reports, mut refused) = (Vec::new(), Vec::new());
        let began = Instant::now();
        for (tag, message) in batch.messages().enumerate() {
            // One request each: a batch would fail as a whole.
            if let Err(error) = producer.send("calls.small", 0, &message, tag) {
                refused.push((tag, error));
            }
            while producer.in_flight() > 0 {
                assert!(began.elapsed() < BOUND);
                producer.poll(Duration::from_millis(5), &mut reports);
            }
        }
        producer.poll(Duration::ZERO, &mut reports);
        let SendError::Failed(failure) = &refused[0].1 else { panic!("{refused:?}") };
        assert_eq!((refused.len(), refused[0].0, failure.cause), (1, 3, Cause::TooLarge), "{calls:?}");
        let failed: Vec<_> = reports.iter().filter_map(|report| Some((report.tag, report.failure.clone()?))).collect();
        assert_eq!(failed.iter().map(|(tag, failure)| (*tag, failure.cause)).collect::<Vec<_>>(), [(1, Cause::TooLarge)], "{calls:?}");
        assert_eq!(reports.iter().map(|report| report.count).sum::<usize>(), 4, "{calls:?}");
        outcomes.push((refused, failed));
    }
    assert_eq!(outcomes[0], outcomes[1]);
}

/// librdkafka ends the process when a partition that it still stops is taken away again.
#[test]
fn what_is_read_may_change_at_any_moment() {
    let cluster: MockCluster<'_, DefaultProducerContext> = MockCluster::new(1).unwrap();
    cluster.create_topic("calls.hasty", 2, 1).unwrap();
    for calls in BOTH {
        let mut config = Config { brokers: cluster.bootstrap_servers(), ..Config::default() };
        config.kafka.calls = calls;
        let names = StreamNames { input: "calls.hasty".to_owned(), ..config.streams[0].clone() };
        let consumer = Consumer::new(&config, &names, 2).unwrap();
        for turn in 0..2_000 {
            let partitions: &[(i32, i64)] = if turn % 3 == 0 { &[(0, 0)] } else { &[(0, 0), (1, 0)] };
            assert_eq!(consumer.read(partitions).unwrap().len(), partitions.len(), "{calls:?}");
        }
        assert_eq!(consumer.assigned(), [0, 1], "{calls:?}");
    }
}

/// A broker that knows the sequence numbers of a request already tells no offset. librdkafka then counts from -1: all but the first message look written.
#[test]
fn what_is_written_nobody_knows_where_fails_alike() {
    for calls in BOTH {
        let cluster: MockCluster<'_, DefaultProducerContext> = MockCluster::new(1).unwrap();
        cluster.create_topic("calls.nowhere", 1, 1).unwrap();
        let mut config = Config { brokers: cluster.bootstrap_servers(), ..Config::default() };
        config.kafka.calls = calls;
        // All of a batch in one request.
        config.kafka.linger = Duration::from_millis(300);
        let producer = Producer::new(&config).unwrap();
        cluster.request_errors(RDKafkaApiKey::Produce, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER]);
        let (reports, _) = send(&producer, "calls.nowhere", 0, &batch(5), 0);
        assert!(reports.len() == 5 && reports.iter().all(|report| report.failure.is_some()), "{calls:?}: {reports:?}");
        let (reports, _) = send(&producer, "calls.nowhere", 0, &batch(5), 5);
        assert!(reports.len() == 1 && reports[0].failure.is_none(), "{calls:?}: the next ones are written: {reports:?}");
    }
}

// ------------------------------------------------------------------------------------------------------------------------------- events

#[test]
fn a_connection_that_fails_is_told_alike() {
    let Some(mut broker) = broker::shared() else { return };
    let producers = BOTH.map(|calls| Producer::transactional(&config(&broker, calls), &format!("calls.cut-{calls:?}")).unwrap());
    for producer in &producers {
        producer.initialise(BOUND).unwrap();
        assert!(!producer.was_cut());
    }
    broker.kill();
    for (producer, calls) in producers.iter().zip(BOTH) {
        wait_until(&format!("{calls:?}: the connection has failed"), BOUND, || producer.was_cut(), |was_cut| *was_cut);
    }
}

// --------------------------------------------------------------------------------------------------------------------------- taking over

/// A lane with topics and a group of its own, that writes nothing by itself.
struct Lane {
    config: Arc<Config>,
    id: LaneId,
    group: Group,
    outputs: Outputs,
}

impl Lane {
    fn new(broker: &Broker, name: &str) -> Self {
        let mut config = config(broker, KafkaCalls::Batch);
        let id = config.lanes[0];
        let named = |what: &str| format!("{name}.{what}");
        let names = StreamNames { input: named("in"), output: named("out"), dlt: named("dlt"), group: named("group") };
        let topics = [&names.input, &names.output, &names.dlt].map(|topic| (topic.clone(), id.partition + 1));
        broker.client().create_topics(&topics);
        config.streams[id.stream.index()] = names.clone();
        let config = Arc::new(config);
        let (group, outputs) = (Group::new(&config, &names).unwrap(), Outputs::new(&config).unwrap());
        Self { config, id, group, outputs }
    }

    fn output(&self) -> &str {
        &self.config.names(self.id.stream).output
    }

    /// Takes the lane over; gives where it goes on, or what speaks against it within this time.
    fn take_over(&self, ledger: Option<&Ledger>, timeout: Duration) -> Result<(Producer, i64), String> {
        let Self { config, id, group, outputs } = self;
        let taken = TakeOver { config, group, outputs, lane: *id, claim: Claim(1), timeout }.run(ledger);
        taken.map(|(producer, start)| (producer, start.checkpoint.offset)).map_err(|failed| failed.text)
    }

    fn goes_on_at(&self, ledger: &Ledger) -> i64 {
        self.take_over(Some(ledger), BOUND).unwrap().1
    }

    /// Writes messages in a transaction that stays open; notes where.
    fn write(&self, producer: &Producer, ledger: &mut Ledger) {
        producer.begin().unwrap();
        let (reports, _) = send(producer, self.output(), self.id.partition, &batch(3), 0);
        for report in reports {
            assert_eq!(report.failure, None);
            ledger.wrote(self.output(), report.partition, report.offset);
        }
    }

    fn commit(&self, producer: &Producer, checkpoint: &Checkpoint) {
        producer.add_offset(&self.group, self.id.partition, checkpoint, Claim(1), BOUND).unwrap();
        producer.commit(BOUND).unwrap();
    }

    /// How many messages readers are shown.
    fn shown(&self, broker: &Broker) -> usize {
        let topic = self.output().to_owned();
        broker.client().read(std::slice::from_ref(&topic))[&(topic, self.id.partition)].len()
    }
}

#[test]
fn a_lane_goes_on_behind_the_last_transaction_whose_records_stay() {
    let Some(broker) = broker::shared() else { return };
    let lane = Lane::new(&broker, "calls.stays");
    let [first, second, third] = [5, 9, 12].map(Checkpoint::without_books);
    let (producer, start) = lane.take_over(None, BOUND).unwrap();
    assert_eq!(start, 0);
    let mut ledger = Ledger::new(Checkpoint::without_books(start));

    lane.write(&producer, &mut ledger);
    lane.commit(&producer, &first);
    ledger.commit(first);
    assert_eq!((lane.goes_on_at(&ledger), lane.shown(&broker)), (5, 3), "committed, and there");

    let (producer, _) = lane.take_over(Some(&ledger), BOUND).unwrap();
    lane.write(&producer, &mut ledger);
    ledger.offer(second);
    assert_eq!((lane.goes_on_at(&ledger), lane.shown(&broker)), (5, 3), "offered, and aborted by the next producer");
    ledger.abort();

    let (producer, _) = lane.take_over(Some(&ledger), BOUND).unwrap();
    lane.write(&producer, &mut ledger);
    ledger.offer(second);
    lane.commit(&producer, &second);
    assert_eq!((lane.goes_on_at(&ledger), lane.shown(&broker)), (9, 6), "offered, and committed without an answer");
    ledger.begin_again(second);

    let (producer, _) = lane.take_over(Some(&ledger), BOUND).unwrap();
    lane.write(&producer, &mut ledger);
    ledger.commit(third);
    assert_eq!((lane.goes_on_at(&ledger), lane.shown(&broker)), (9, 6), "said to be committed, and gone");
}

#[test]
fn what_hangs_is_waited_for_where_it_is_not_the_lanes_own() {
    let Some(broker) = broker::shared() else { return };
    let lane = Lane::new(&broker, "calls.hangs");
    let checkpoint = Checkpoint::without_books(5);
    let stranger = Producer::transactional(&lane.config, "calls.hangs.stranger").unwrap();
    stranger.initialise(BOUND).unwrap();
    let mut ledger = Ledger::new(Checkpoint::without_books(0));
    lane.write(&stranger, &mut Ledger::new(checkpoint));
    let (producer, _) = lane.take_over(None, BOUND).unwrap();
    lane.write(&producer, &mut ledger);
    lane.commit(&producer, &checkpoint);
    ledger.commit(checkpoint);
    let fault = lane.take_over(Some(&ledger), Duration::from_secs(2)).map(|(_, offset)| offset).unwrap_err();
    assert!(fault.contains("not known yet"), "{fault}");
    stranger.abort(BOUND, &mut Vec::new()).unwrap();
    assert_eq!((lane.goes_on_at(&ledger), lane.shown(&broker)), (5, 3), "what was written to find out is shown to nobody");
}
