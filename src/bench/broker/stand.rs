//! Topics and groups of one measurement, and the hub that works on them.

use std::collections::BTreeMap;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Broker, BrokerError};
use crate::config::{Config, LaneId, StartAt, StreamNames};
use crate::kafka::{Cluster, TopicPlan, Unavailable};
use crate::market::Stream;
use crate::observe::{Board, wall_millis};
use crate::runtime::{self, RunError, Trace, Watchers};

/// How long brokers may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(30);
/// The embedded broker sleeps as long before it answers that there is nothing.
const EMBEDDED_FETCH_WAIT: Duration = Duration::from_millis(1);
/// How long the clients of a run that has ended may take to close.
const CLOSING_WAIT: Duration = Duration::from_millis(300);

/// See the module. What was made is deleted when it is dropped.
pub(super) struct Stand {
    pub(super) config: Arc<Config>,
    /// Asks for the ends of output topics.
    outputs: Cluster,
    /// Made topics and groups, on real brokers.
    made: Option<(Cluster, Vec<String>, Vec<String>)>,
}

impl Stand {
    /// Makes the topics of some lanes.
    pub(super) fn new(broker: &Broker<'_>, lanes: &[LaneId]) -> Result<Self, BrokerError> {
        let mut config = broker.course.config.clone();
        config.lanes = lanes.to_vec();
        let prefix = unique_prefix();
        let name = |stream: Stream, what: &str| format!("{prefix}.{stream}.{what}");
        config.streams = Stream::ALL.map(|stream| StreamNames {
            input: name(stream, "in"),
            output: name(stream, "out"),
            dlt: name(stream, "dlt"),
            group: name(stream, "group"),
        });
        config.transactions.prefix = prefix;
        config.resync_topic = None;
        config.rules.resync = false;
        config.start = StartAt::Earliest;
        config.create_topics = false;
        // Nobody looks at it meanwhile.
        config.endpoint = None;
        if let Some(embedded) = &broker.embedded {
            config.brokers = embedded.brokers();
            config.kafka.fetch_wait = config.kafka.fetch_wait.min(EMBEDDED_FETCH_WAIT);
        }
        let config = Arc::new(config);
        let plan = Cluster::plan(&config, &inputs(&config));
        let outputs = Arc::new(reading(&config, |names| names.output.clone()));
        let mut stand = Self { config: Arc::clone(&config), outputs: Cluster::new(&outputs).map_err(RunError::Refused)?, made: None };
        match &broker.embedded {
            Some(embedded) => plan.iter().try_for_each(|topic| embedded.create_topic(&topic.name, topic.partitions)).map_err(RunError::Refused)?,
            None => stand.make(&plan)?,
        }
        Ok(stand)
    }

    fn make(&mut self, plan: &[TopicPlan]) -> Result<(), BrokerError> {
        let deadline = Instant::now() + self.config.start_deadline;
        let cluster = Cluster::new(&self.config).map_err(RunError::Refused)?;
        cluster.wait_for_brokers(deadline)?;
        let groups = Stream::ALL.into_iter().filter(|stream| self.config.lanes.iter().any(|lane| lane.stream == *stream));
        let groups = groups.map(|stream| self.config.names(stream).group.clone()).collect();
        // From here on there is something to delete.
        let (cluster, ..) = self.made.insert((cluster, plan.iter().map(|topic| topic.name.clone()).collect(), groups));
        cluster.create(&plan.iter().collect::<Vec<_>>()).map_err(|fault| Unavailable(vec![fault]))?;
        cluster.wait_for_topics(deadline)?;
        Ok(())
    }

    /// How many records are in the output topic of a lane.
    pub(super) fn written(&self, lane: LaneId) -> Result<i64, BrokerError> {
        let range = self.outputs.log_range(lane, ANSWER_WAIT);
        range.map(|(_, end)| end).map_err(|fault| Unavailable(vec![fault]).into())
    }

    /// Starts the hub.
    pub(super) fn start_hub(&self, trace: Trace) -> Hub {
        let stop = Arc::new(AtomicBool::new(false));
        let (config, stopping) = (Arc::clone(&self.config), Arc::clone(&stop));
        let watchers = Watchers { board: Board::new(false), trace };
        let thread = thread::spawn(move || runtime::run_traced(&config, &stopping, &watchers, |_| {}, |_| {}));
        Hub { stop, thread: Some(thread) }
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        // Clients are closed by threads of their own: let them, before their topics go.
        thread::sleep(CLOSING_WAIT);
        let Some((cluster, topics, groups)) = &self.made else { return };
        let names = |all: &[String]| all.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        let (topic_names, group_names): (Vec<&str>, Vec<&str>) = (topics.iter().map(String::as_str).collect(), groups.iter().map(String::as_str).collect());
        if let Err(fault) = cluster.delete(&topic_names, &group_names) {
            log::warn!("{fault}; delete by hand: topics {}, groups {}", names(topics), names(groups));
        }
    }
}

/// The settings for a client that reads another topic of each stream than the input.
pub(super) fn reading(config: &Config, topic: impl Fn(&StreamNames) -> String) -> Config {
    let mut reading = config.clone();
    for names in &mut reading.streams {
        names.input = topic(names);
    }
    reading
}

/// Partitions of the input topics.
fn inputs(config: &Config) -> BTreeMap<String, i32> {
    let last = |stream: Stream| config.lanes.iter().filter(|lane| lane.stream == stream).map(|lane| lane.partition + 1).max();
    Stream::ALL.into_iter().filter_map(|stream| Some((config.names(stream).input.clone(), last(stream)?))).collect()
}

/// What no other topic begins with.
fn unique_prefix() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("market-hub-bench.{:x}.{}.{}", wall_millis(), process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A hub that runs. It ends when it is dropped, too.
pub(super) struct Hub {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), RunError>>>,
}

impl Hub {
    pub(super) fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Drains, commits, ends.
    pub(super) fn end(mut self) -> Result<(), BrokerError> {
        Ok(self.join()?)
    }

    fn join(&mut self) -> Result<(), RunError> {
        self.stop.store(true, Ordering::Release);
        let ended = self.thread.take().map(JoinHandle::join);
        ended.unwrap_or(Ok(Ok(()))).unwrap_or_else(|_| Err(RunError::Died("the hub of the bench died".to_owned())))
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // Why it is given up is told by somebody else.
        let _ = self.join();
    }
}
