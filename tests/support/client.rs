//! A Kafka client of the tests' own, by rdkafka and without a line of the hub: what it sends and reads proves something about the hub.

use std::{
    collections::BTreeMap,
    ops::Deref,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rdkafka::{
    ClientConfig, ClientContext, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer as _},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    message::{BorrowedMessage, Header, Headers as _, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext},
};

use super::{Message, admin::Admin};

/// Bound on an answer, and on silence while reading.
const BOUND: Duration = Duration::from_secs(30);
/// Bound on one try for an answer. Now and then librdkafka's first request of a new client waits for a broker that is there as long as it may.
const TRY_BOUND: Duration = Duration::from_secs(3);

/// A topic and a partition.
pub type Place = (String, i32);

/// Asks, produces to and reads from one cluster.
#[derive(Clone)]
pub struct Client {
    brokers: String,
    /// A consumer for each group that was asked for: to connect and to find the coordinator again for every question is slow.
    groups: Arc<Mutex<BTreeMap<String, Arc<Discarded<BaseConsumer>>>>>,
    /// The producer of [`Client::produce`]: an idempotent one waits half a second for its id before it sends anything.
    producer: Arc<Mutex<Option<Producer>>>,
}

impl Client {
    pub fn new(brokers: &str) -> Self {
        Self { brokers: brokers.to_owned(), groups: Arc::default(), producer: Arc::default() }
    }

    /// Whether a metadata request is answered within `bound` by a cluster that has a broker.
    pub fn answers(&self, bound: Duration) -> bool {
        self.consumer(None).fetch_metadata(None, bound).is_ok_and(|metadata| !metadata.brokers().is_empty())
    }

    /// All topics and how many partitions each has.
    pub fn topics(&self) -> BTreeMap<String, i32> {
        let consumer = self.consumer(None);
        let metadata = patiently("metadata", || consumer.fetch_metadata(None, TRY_BOUND));
        metadata.topics().iter().map(|topic| (topic.name().to_owned(), i32::try_from(topic.partitions().len()).expect("few partitions"))).collect()
    }

    /// Creates topics and waits until every partition has a leader; panics when one is there already or is refused.
    pub fn create_topics(&self, topics: &[(String, i32)]) {
        self.admin().create_topics(topics);
        let names: Vec<String> = topics.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(
            self.ends(&names).len(),
            topics.iter().map(|(_, partitions)| usize::try_from(*partitions).expect("a count")).sum::<usize>(),
            "all partitions are there"
        );
    }

    /// What changes topics.
    pub fn admin(&self) -> Admin {
        Admin::new(&self.config())
    }

    /// Sends all of it, in order, each to the partition it names; gives the offsets it got.
    pub fn produce(&self, messages: &[Message]) -> Vec<i64> {
        let mut held = self.producer.lock();
        let producer = held.get_or_insert_with(|| self.producer());
        for message in messages {
            producer.send(message);
        }
        producer.finish()
    }

    /// Sends all of it in one transaction, which is committed or aborted.
    pub fn transact(&self, id: &str, messages: &[Message], commits: bool) {
        let (reports, _delivered) = mpsc::channel();
        let mut config = self.config();
        config.set("transactional.id", id);
        let inner: BaseProducer<Reports> = config.create_with_context(Reports { reports }).expect("a producer");
        inner.init_transactions(BOUND).expect("transactions");
        inner.begin_transaction().expect("a transaction");
        for message in messages {
            let mut record: BaseRecord<'_, [u8], [u8], usize> = BaseRecord::with_opaque_to(&message.topic, 0).partition(message.partition);
            record = record.timestamp(message.timestamp_ms);
            record.key = message.key.as_deref();
            record.payload = message.value.as_deref();
            let headers = message.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: value.as_deref() }));
            assert!(inner.send(record.headers(headers)).is_ok(), "sending {message:?}");
        }
        // An abort throws away what was not sent: let the log have it, so that readers have something to leave out.
        while inner.in_flight_count() > 0 {
            inner.poll(Duration::from_millis(5));
        }
        let ended = if commits { inner.commit_transaction(BOUND) } else { inner.abort_transaction(BOUND) };
        ended.expect("the end of the transaction");
    }

    /// A producer to send with one by one.
    pub fn producer(&self) -> Producer {
        let (reports, delivered) = mpsc::channel();
        let mut config = self.config();
        // Idempotent: a retry of the tests' own producer must neither double nor reorder what is counted.
        config.set("enable.idempotence", "true").set("linger.ms", "2").set("message.max.bytes", "16000000");
        // However long an outage is, what was sent before it arrives after it.
        config.set("message.timeout.ms", "0");
        let inner: BaseProducer<Reports> = config.create_with_context(Reports { reports }).expect("a producer");
        Producer { inner: Discarded::new(inner), delivered, sent: 0 }
    }

    /// The end offset of every partition of `topics`.
    pub fn ends(&self, topics: &[String]) -> BTreeMap<Place, i64> {
        let consumer = self.consumer(None);
        self.places(&consumer, topics)
            .into_iter()
            .map(|(topic, partition)| {
                let what = format!("end of {topic}[{partition}]");
                let (_, end) = patiently(&what, || consumer.fetch_watermarks(&topic, partition, TRY_BOUND));
                ((topic, partition), end)
            })
            .collect()
    }

    /// The committed offset of every partition of `topic`, 0 where nothing was ever committed.
    pub fn committed(&self, group: &str, topic: &str) -> BTreeMap<Place, i64> {
        let consumer = self.group(group);
        let mut asked = TopicPartitionList::new();
        for (topic, partition) in self.places(&consumer, &[topic.to_owned()]) {
            asked.add_partition(&topic, partition);
        }
        let committed = patiently(&format!("committed offsets of {group}"), || consumer.committed_offsets(asked.clone(), TRY_BOUND));
        let offset = |offset| if let Offset::Offset(offset) = offset { offset } else { 0 };
        committed.elements().iter().map(|element| ((element.topic().to_owned(), element.partition()), offset(element.offset()))).collect()
    }

    /// Commits an offset to a group, as another client of it would.
    pub fn commit(&self, group: &str, (topic, partition): &Place, offset: i64) {
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset(topic, *partition, Offset::Offset(offset)).expect("an offset");
        self.group(group).commit(&offsets, CommitMode::Sync).expect("a commit");
    }

    /// Makes a member of `group` that has all partitions of `topic`, as any other program's consumer would be. It stays one until it is dropped.
    pub fn join(&self, group: &str, topic: &str) -> Member {
        let consumer = self.consumer(Some(group));
        consumer.subscribe(&[topic]).expect("a subscription");
        let began = Instant::now();
        while consumer.assignment().expect("an assignment").count() == 0 {
            assert!(began.elapsed() < BOUND, "not a member of {group} within {BOUND:?}");
            let _ = consumer.poll(Duration::from_millis(20));
        }
        Member { _consumer: consumer }
    }

    /// Everything that a `read_committed` reader finds in `topics` from the beginning to the ends of now, partition by partition in order. Partitions without
    /// messages are there too, empty.
    pub fn read(&self, topics: &[String]) -> BTreeMap<Place, Vec<Message>> {
        let ends = self.ends(topics);
        let mut found: BTreeMap<Place, Vec<Message>> = ends.keys().map(|place| (place.clone(), Vec::new())).collect();
        let mut open: BTreeMap<&Place, i64> = ends.iter().filter(|(_, end)| **end > 0).map(|(place, end)| (place, *end)).collect();
        let consumer = Discarded::new(self.reader());
        let mut assigned = TopicPartitionList::new();
        for (topic, partition) in open.keys() {
            assigned.add_partition_offset(topic, *partition, Offset::Beginning).expect("a partition");
        }
        consumer.assign(&assigned).expect("an assignment");
        while !open.is_empty() {
            match consumer.poll(BOUND) {
                None => panic!("nothing for {BOUND:?}; not read to the end: {open:?}"),
                Some(Ok(message)) => {
                    let message = owned(&message);
                    let place = (message.topic.clone(), message.partition);
                    if open.get(&place).is_some_and(|end| message.offset.is_some_and(|offset| offset + 1 >= *end)) {
                        open.remove(&place);
                    }
                    // Later ones of a topic that still grows belong to the next reading.
                    if message.offset < ends.get(&place).copied() {
                        found.get_mut(&place).expect("an assigned partition").push(message);
                    }
                }
                // The last offsets may be a transaction's markers, which no reader sees: the position passes them.
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    let position = consumer.position().expect("positions");
                    for element in position.elements() {
                        let place = (element.topic().to_owned(), element.partition());
                        if let (Offset::Offset(at), Some(end)) = (element.offset(), open.get(&place).copied())
                            && at >= end
                        {
                            open.remove(&place);
                        }
                    }
                }
                Some(Err(KafkaError::MessageConsumption(RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown))) => {}
                Some(Err(error)) => panic!("reading {topics:?}: {error}"),
            }
        }
        found
    }

    /// A consumer that reads only, `read_committed`. It belongs to no group that anybody commits to: librdkafka assigns to group members only.
    pub fn reader(&self) -> BaseConsumer {
        self.consumer(Some("readers"))
    }

    /// A consumer that asks for what a group has committed.
    pub fn consumer_of(&self, group: &str) -> BaseConsumer {
        self.consumer(Some(group))
    }

    /// A consumer that is told where logs end, whatever a `read_committed` one may read of them.
    pub fn consumer_of_logs(&self) -> BaseConsumer {
        self.config().set("isolation.level", "read_uncommitted").create().expect("a consumer")
    }

    fn places(&self, consumer: &BaseConsumer, topics: &[String]) -> Vec<Place> {
        let partitions = |topic: &String| {
            patiently(&format!("metadata of {topic}"), || {
                let metadata = consumer.fetch_metadata(Some(topic), TRY_BOUND)?;
                let found = metadata.topics().first().ok_or(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopic))?;
                match found.error() {
                    Some(error) => Err(KafkaError::MetadataFetch(error.into())),
                    None => Ok(found.partitions().iter().map(|partition| (topic.clone(), partition.id())).collect::<Vec<Place>>()),
                }
            })
        };
        topics.iter().flat_map(partitions).collect()
    }

    fn group(&self, group: &str) -> Arc<Discarded<BaseConsumer>> {
        let mut groups = self.groups.lock();
        let consumer = groups.entry(group.to_owned()).or_insert_with(|| Arc::new(Discarded::new(self.consumer(Some(group)))));
        Arc::clone(consumer)
    }

    fn consumer(&self, group: Option<&str>) -> BaseConsumer {
        let mut config = self.config();
        config.set("enable.auto.commit", "false").set("isolation.level", "read_committed").set("auto.offset.reset", "error");
        config.set("enable.partition.eof", "true").set("check.crcs", "true");
        config.set("fetch.wait.max.ms", "20").set("fetch.queue.backoff.ms", "1").set("fetch.message.max.bytes", "16777216");
        if let Some(group) = group {
            config.set("group.id", group);
        }
        config.create().expect("a consumer")
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers).set("reconnect.backoff.ms", "20").set("reconnect.backoff.max.ms", "200");
        config
    }
}

/// A consumer that a group has. librdkafka's own thread sends its heartbeats.
pub struct Member {
    _consumer: BaseConsumer,
}

/// Drops what it holds on a thread of its own: rdkafka takes 0.1 s to drop a consumer and 0.5 s to drop a producer that have nothing left to do.
struct Discarded<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> Discarded<T> {
    fn new(held: T) -> Self {
        Self(Some(held))
    }
}

impl<T: Send + 'static> Deref for Discarded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("held until dropped")
    }
}

impl<T: Send + 'static> Drop for Discarded<T> {
    fn drop(&mut self) {
        let held = self.0.take();
        thread::spawn(move || drop(held));
    }
}

/// Sends messages and learns the offset of each. Dropped without [`Producer::finish`], it forgets what is under way.
pub struct Producer {
    inner: Discarded<BaseProducer<Reports>>,
    delivered: mpsc::Receiver<(usize, i64)>,
    sent: usize,
}

impl Producer {
    /// Sends to the message's own partition with its own timestamp; waits while the queue is full.
    pub fn send(&mut self, message: &Message) {
        assert!(message.timestamp_ms > 0, "librdkafka would put its own time for {}", message.timestamp_ms);
        let mut headers = OwnedHeaders::new_with_capacity(message.headers.len());
        for (key, value) in &message.headers {
            headers = headers.insert(Header { key, value: value.as_deref() });
        }
        let mut record: BaseRecord<'_, [u8], [u8], usize> =
            BaseRecord::with_opaque_to(&message.topic, self.sent).partition(message.partition).timestamp(message.timestamp_ms);
        if !message.headers.is_empty() {
            record = record.headers(headers);
        }
        record.key = message.key.as_deref();
        record.payload = message.value.as_deref();
        while let Err((error, again)) = self.inner.send(record) {
            assert_eq!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::QueueFull), "sending {message:?}");
            self.inner.poll(Duration::from_millis(10));
            record = again;
        }
        self.sent += 1;
        self.inner.poll(Duration::ZERO);
    }

    /// Waits until every message is acknowledged; gives the offsets of those sent since the last time, in the order of sending.
    pub fn finish(&mut self) -> Vec<i64> {
        let began = Instant::now();
        while self.inner.in_flight_count() > 0 {
            assert!(began.elapsed() < BOUND, "{} messages not acknowledged within {BOUND:?}", self.inner.in_flight_count());
            self.inner.poll(Duration::from_millis(5));
        }
        let mut offsets = vec![-1; std::mem::take(&mut self.sent)];
        for (index, offset) in self.delivered.try_iter() {
            offsets[index] = offset;
        }
        assert!(!offsets.contains(&-1), "every message has its report");
        offsets
    }
}

/// Passes on which message got which offset.
struct Reports {
    reports: mpsc::Sender<(usize, i64)>,
}

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, index: usize) {
        // A failed one leaves a hole, which `finish` finds: a panic must not cross librdkafka's frames.
        match result {
            Ok(message) => drop(self.reports.send((index, message.offset()))),
            Err((error, _)) => super::report(format_args!("message {index} was not delivered: {error}")),
        }
    }
}

/// Asks until there is an answer: leaders of new topics, and coordinators of groups that are asked for the first time, take a moment to be known, and
/// librdkafka hands those errors on.
fn patiently<T>(what: &str, mut ask: impl FnMut() -> KafkaResult<T>) -> T {
    let began = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(error) => assert!(began.elapsed() < BOUND, "no {what}: {error}"),
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// The message with bytes of its own.
pub fn owned(message: &BorrowedMessage<'_>) -> Message {
    let headers = message.headers().map_or_else(Vec::new, |headers| {
        headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect::<Vec<(String, Option<Vec<u8>>)>>()
    });
    Message {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        offset: Some(message.offset()),
        timestamp_ms: message.timestamp().to_millis().expect("a timestamp"),
        key: message.key().map(<[u8]>::to_vec),
        headers,
        value: message.payload().map(<[u8]>::to_vec),
    }
}
