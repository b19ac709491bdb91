//! Changes topics as an operator would, by rdkafka's admin client. Reads and writes no messages.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};

use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
};

use super::client::Place;

/// Bound on an answer.
const BOUND: Duration = Duration::from_secs(30);

/// See the module. Every refusal is a panic.
pub struct Admin {
    inner: AdminClient<DefaultClientContext>,
    options: AdminOptions,
}

impl Admin {
    /// `config` names the brokers.
    pub fn new(config: &ClientConfig) -> Self {
        let options = AdminOptions::new().operation_timeout(Some(BOUND)).request_timeout(Some(BOUND));
        Self { inner: config.create().expect("an admin client"), options }
    }

    /// Creates topics, each with one replica.
    pub fn create_topics(&self, topics: &[(String, i32)]) {
        let wanted: Vec<NewTopic<'_>> = topics.iter().map(|(name, partitions)| NewTopic::new(name, *partitions, TopicReplication::Fixed(1))).collect();
        for result in block_on(self.inner.create_topics(&wanted, &self.options)).expect("an answer to the creation of topics") {
            result.unwrap_or_else(|(topic, code)| panic!("topic {topic} was not created: {code}"));
        }
    }

    /// Deletes a topic with all that is in it.
    pub fn delete_topic(&self, topic: &str) {
        for result in block_on(self.inner.delete_topics(&[topic], &self.options)).expect("an answer to the deletion of a topic") {
            result.unwrap_or_else(|(topic, code)| panic!("topic {topic} was not deleted: {code}"));
        }
    }

    /// Gives a topic more partitions: `count` in all.
    pub fn add_partitions(&self, topic: &str, count: usize) {
        for result in block_on(self.inner.create_partitions(&[NewPartitions::new(topic, count)], &self.options)).expect("an answer to new partitions") {
            result.unwrap_or_else(|(topic, code)| panic!("topic {topic} got no partitions: {code}"));
        }
    }

    /// Sets one setting of a topic; all others are as the broker has them.
    pub fn configure(&self, topic: &str, name: &str, value: &str) {
        let change = AlterConfig::new(ResourceSpecifier::Topic(topic)).set(name, value);
        for result in block_on(self.inner.alter_configs([&change], &self.options)).expect("an answer to a setting") {
            result.unwrap_or_else(|(topic, code)| panic!("{topic:?} was not configured: {code}"));
        }
    }

    /// Deletes all records below `offset`.
    pub fn delete_records(&self, (topic, partition): &Place, offset: i64) {
        let mut before = TopicPartitionList::new();
        before.add_partition_offset(topic, *partition, Offset::Offset(offset)).expect("an offset");
        let answers = block_on(self.inner.delete_records(&before, &self.options)).expect("an answer to the deletion of records");
        for answer in answers.elements() {
            answer.error().unwrap_or_else(|error| panic!("records of {topic}[{partition}] were not deleted: {error}"));
        }
    }
}

/// Runs the admin client's futures, which a thread of its own completes: all the asynchrony there is in the tests.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}
