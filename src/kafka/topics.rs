//! What the brokers have: topics, partitions, committed offsets, ends of the log; and making topics that are missing.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};

use super::bootstrap::Bootstrap;
use super::clients;
use super::log::LogContext;
use crate::config::{Config, LaneId};
use crate::market::Stream;

/// How long one request may take before it is tried again.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// How long it may take even where less is left until the deadline: with less no broker could ever be reached.
const REQUEST_TIMEOUT_MIN: Duration = Duration::from_secs(1);
/// How long to wait between two tries.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// What was not there before the deadline: everything that is wrong, a sentence each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable(pub Vec<String>);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

/// A topic that the lanes need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPlan {
    /// Its name.
    pub name: String,
    /// The least number of partitions.
    pub partitions: i32,
    /// Which stream needs it, and what for.
    pub role: String,
}

/// The cluster as seen by a client that reads nothing and commits nothing.
pub struct Cluster {
    config: Arc<Config>,
    observer: BaseConsumer<LogContext>,
    bootstrap: Bootstrap,
}

impl Cluster {
    /// A client; nothing is asked yet.
    ///
    /// # Errors
    /// librdkafka's, in particular for a property that it does not know.
    pub fn new(config: &Arc<Config>) -> Result<Self, String> {
        let observer = clients::observer(config).create_with_context(LogContext::new("observer")).map_err(clients::refusal)?;
        Ok(Self { config: Arc::clone(config), observer, bootstrap: Bootstrap::new(config) })
    }

    /// The topics that the lanes need, each once; outputs and dead letters with as many partitions as their input.
    #[must_use]
    pub fn plan(config: &Config, inputs: &BTreeMap<String, i32>) -> Vec<TopicPlan> {
        let mut plan: Vec<TopicPlan> = Vec::new();
        for stream in Stream::ALL {
            let Some(last) = config.lanes.iter().filter(|lane| lane.stream == stream).map(|lane| lane.partition).max() else { continue };
            let names = config.names(stream);
            let partitions = (last + 1).max(inputs.get(&names.input).copied().unwrap_or(stream.partitions()));
            for (name, partitions, role) in [(&names.input, last + 1, "input"), (&names.output, partitions, "output"), (&names.dlt, partitions, "dead letters")]
            {
                match plan.iter_mut().find(|topic| topic.name == *name) {
                    Some(topic) => topic.partitions = topic.partitions.max(partitions),
                    None => plan.push(TopicPlan { name: name.clone(), partitions, role: format!("{role} of {stream}") }),
                }
            }
        }
        plan.extend(config.resync_topic.iter().map(|name| TopicPlan { name: name.clone(), partitions: 1, role: "resync requests".to_owned() }));
        plan
    }

    /// The number of partitions of every topic.
    fn partitions(&self, timeout: Duration) -> Result<BTreeMap<String, i32>, String> {
        let metadata = self.heard(self.observer.fetch_metadata(None, timeout)).map_err(|error| error.to_string())?;
        Ok(metadata.topics().iter().filter(|topic| topic.error().is_none()).map(|topic| (topic.name().to_owned(), topic.partitions().len() as i32)).collect())
    }

    /// Waits until the brokers answer; gives the number of partitions of every topic.
    ///
    /// # Errors
    /// They did not before `deadline`.
    pub fn wait_for_brokers(&self, deadline: Instant) -> Result<BTreeMap<String, i32>, Unavailable> {
        retry(deadline, |timeout| self.partitions(timeout).map_err(|error| vec![format!("no broker answers at {}: {error}", self.config.brokers)]))
    }

    /// Waits until every topic that the lanes need is there, and makes those that are missing where the settings say so. Gives the number of
    /// partitions of every topic.
    ///
    /// # Errors
    /// Everything that is wrong at `deadline`.
    pub fn wait_for_topics(&self, deadline: Instant) -> Result<BTreeMap<String, i32>, Unavailable> {
        let known = self.wait_for_brokers(deadline)?;
        if self.config.create_topics {
            let plan = Self::plan(&self.config, &known);
            let missing: Vec<_> = plan.iter().filter(|topic| !known.contains_key(&topic.name)).collect();
            self.create(&missing).map_err(|fault| Unavailable(vec![fault]))?;
        }
        retry(deadline, |timeout| {
            let known = self.partitions(timeout).map_err(|error| vec![error])?;
            let faults = self.faults(&known);
            if faults.is_empty() { Ok(known) } else { Err(faults) }
        })
    }

    /// What is wrong with the topics: missing ones, and too few partitions.
    #[must_use]
    pub fn faults(&self, known: &BTreeMap<String, i32>) -> Vec<String> {
        let fault = |topic: TopicPlan| match known.get(&topic.name) {
            None => Some(format!("topic {} ({}) is missing: make it with {} partitions, or use --create-topics", topic.name, topic.role, topic.partitions)),
            Some(&partitions) if partitions < topic.partitions => {
                let TopicPlan { name, role, partitions: needed } = topic;
                Some(format!("topic {name} ({role}) has {partitions} partitions, {needed} are needed: add some, or leave out lanes (--lanes)"))
            }
            Some(_) => None,
        };
        Self::plan(&self.config, known).into_iter().filter_map(fault).collect()
    }

    /// As [`Cluster::uncovered`], as the topics are at present.
    ///
    /// # Errors
    /// The brokers did not answer within `timeout`.
    pub fn uncovered_now(&self, timeout: Duration) -> Result<Vec<String>, String> {
        Ok(self.uncovered(&self.partitions(timeout)?))
    }

    /// What is allowed but hardly meant: partitions of an input topic that no lane covers.
    #[must_use]
    pub fn uncovered(&self, known: &BTreeMap<String, i32>) -> Vec<String> {
        let mut warnings = Vec::new();
        for stream in Stream::ALL {
            let lanes: Vec<_> = self.config.lanes.iter().filter(|lane| lane.stream == stream).map(|lane| lane.partition).collect();
            let topic = &self.config.names(stream).input;
            let partitions = known.get(topic).copied().unwrap_or(0);
            let uncovered: Vec<_> = (0..partitions).filter(|partition| !lanes.contains(partition)).map(|partition| partition.to_string()).collect();
            if !uncovered.is_empty() {
                warnings.push(format!("no lane covers partition {} of {topic} ({stream})", uncovered.join(", ")));
            }
        }
        warnings
    }

    /// The cluster's own name for itself, or where no broker tells it before `deadline` the brokers that were asked.
    #[must_use]
    pub fn id(&self, deadline: Instant) -> String {
        let left = deadline.saturating_duration_since(Instant::now());
        let id = self.observer.client().fetch_cluster_id(left.clamp(REQUEST_TIMEOUT_MIN, REQUEST_TIMEOUT));
        id.filter(|id| !id.is_empty()).unwrap_or_else(|| self.config.brokers.clone())
    }

    /// First offset and end of a lane's log.
    ///
    /// # Errors
    /// The brokers did not answer.
    pub fn log_range(&self, lane: LaneId, timeout: Duration) -> Result<(i64, i64), String> {
        let topic = &self.config.names(lane.stream).input;
        self.observer.fetch_watermarks(topic, lane.partition, timeout).map_err(|error| {
            // A broker that comes back has a moment without leaders. librdkafka remembers such an answer as final, here for up to a quarter of an hour,
            // and says `UnknownPartition` without asking again: ask for it, so that the next try knows better.
            let _ = self.heard(self.observer.fetch_metadata(Some(topic), timeout));
            format!("{lane} ({topic}): {error}")
        })
    }

    /// Notes whether a broker has answered.
    fn heard<T>(&self, answer: KafkaResult<T>) -> KafkaResult<T> {
        self.bootstrap.heard(&self.observer, answer)
    }

    /// Makes topics, with the replicas of the settings.
    ///
    /// # Errors
    /// The brokers refuse one, or do not answer.
    pub fn create(&self, topics: &[&TopicPlan]) -> Result<(), String> {
        if topics.is_empty() {
            return Ok(());
        }
        let admin: AdminClient<DefaultClientContext> = clients::observer(&self.config).create().map_err(|error| format!("--create-topics: {error}"))?;
        let largest = (self.config.rules.limits.envelope_bytes + (1 << 16)).to_string();
        let new: Vec<_> = topics
            .iter()
            .map(|topic| {
                // Event times may be old: a time limit on the log would delete such records at once. Dead letters are as large as envelopes.
                NewTopic::new(&topic.name, topic.partitions, TopicReplication::Fixed(self.config.topic_replication))
                    .set("max.message.bytes", &largest)
                    .set("message.timestamp.type", "CreateTime")
            })
            .collect();
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
        let results = block_on(admin.create_topics(&new, &options)).map_err(|error| format!("--create-topics: {error}"))?;
        for (topic, result) in topics.iter().zip(results) {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {
                    ::log::info!("topic {} made, {} partitions", topic.name, topic.partitions)
                }
                Err((name, error)) => return Err(format!("--create-topics: {name}: {error}")),
            }
        }
        Ok(())
    }
}

impl Cluster {
    /// Deletes topics, with all that is in them, and groups. One that is not there is no fault.
    ///
    /// # Errors
    /// The brokers refuse to, or do not answer.
    pub fn delete(&self, topics: &[&str], groups: &[&str]) -> Result<(), String> {
        let admin: AdminClient<DefaultClientContext> = clients::observer(&self.config).create().map_err(|error| error.to_string())?;
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
        let mut results = block_on(admin.delete_topics(topics, &options)).map_err(|error| format!("topics cannot be deleted: {error}"))?;
        if !groups.is_empty() {
            results.extend(block_on(admin.delete_groups(groups, &options)).map_err(|error| format!("groups cannot be deleted: {error}"))?);
        }
        let is_gone = |code| matches!(code, RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::GroupIdNotFound);
        let faults: Vec<String> =
            results.into_iter().filter_map(Result::err).filter(|(_, code)| !is_gone(*code)).map(|(name, code)| format!("{name}: {code}")).collect();
        if faults.is_empty() { Ok(()) } else { Err(format!("not deleted: {}", faults.join("; "))) }
    }
}

/// Calls `attempt`, with the time it may take, until it succeeds, at least once; at `deadline` the last faults are final.
pub(super) fn retry<T>(deadline: Instant, mut attempt: impl FnMut(Duration) -> Result<T, Vec<String>>) -> Result<T, Unavailable> {
    let mut said = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match attempt(left.clamp(REQUEST_TIMEOUT_MIN, REQUEST_TIMEOUT)) {
            Ok(found) => return Ok(found),
            Err(faults) if Instant::now() + RETRY_PAUSE >= deadline => return Err(Unavailable(faults)),
            Err(faults) if faults == said => {}
            Err(faults) => {
                ::log::warn!("not yet, trying again: {}", faults.join("; "));
                said = faults;
            }
        }
        thread::sleep(RETRY_PAUSE);
    }
}

/// Waits for one of librdkafka's administrative answers, which rdkafka gives as a future.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
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
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
