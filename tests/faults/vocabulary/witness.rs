//! Witnesses that no offset is committed before its output is there: notes what is committed, then where the outputs end, again and again, also while the
//! fault lasts. What the notes say about the messages is for [`super::verdict`].

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use market_hub::market::Stream;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaResult,
};

use super::flow::Flow;
use crate::support::{
    client::{Client, Place},
    names::Names,
    wait_until,
};

/// How long a question may take: in an outage there is simply no note.
const ANSWER_BOUND: Duration = Duration::from_millis(1_500);
/// How long a question is asked again.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);

/// What was committed, and where the outputs ended just after that was asked.
#[derive(Clone, Debug)]
pub struct Note {
    pub committed: BTreeMap<Flow, i64>,
    pub ends: BTreeMap<Place, i64>,
}

/// Asks for notes.
pub struct Witness {
    groups: Vec<(Stream, BaseConsumer)>,
    logs: BaseConsumer,
    flows: Vec<Flow>,
    names: Names,
}

impl Witness {
    pub fn new(client: &Client, names: &Names, flows: &[Flow]) -> Self {
        let has_flows = |stream: &Stream| flows.iter().any(|flow| flow.stream() == *stream);
        let groups = Stream::ALL.into_iter().filter(has_flows).map(|stream| (stream, client.consumer_of(&names.group(stream)))).collect();
        Self { groups, logs: client.consumer_of_logs(), flows: flows.to_vec(), names: names.clone() }
    }

    /// `None` where the brokers did not say all of it in time.
    pub fn note(&self) -> Option<Note> {
        Some(Note { committed: self.committed().ok()?, ends: self.ends().ok()? })
    }

    /// The answer to a question, asked again as long as brokers cannot tell: one that has just come back is no coordinator yet.
    pub fn patiently<T: Debug>(&self, ask: impl Fn(&Self) -> KafkaResult<T>) -> T {
        wait_until("an answer of the brokers", PATIENCE, || ask(self), Result::is_ok).expect("an answer")
    }

    /// What is committed; 0 where nothing is.
    pub fn committed(&self) -> KafkaResult<BTreeMap<Flow, i64>> {
        let mut all = BTreeMap::new();
        for (stream, consumer) in &self.groups {
            let flows = || self.flows.iter().filter(|flow| flow.stream() == *stream);
            let mut asked = TopicPartitionList::new();
            for flow in flows() {
                let (topic, partition) = flow.input(&self.names);
                asked.add_partition(&topic, partition);
            }
            let found = consumer.committed_offsets(asked, ANSWER_BOUND)?;
            for flow in flows() {
                let (topic, partition) = flow.input(&self.names);
                let element = found.find_partition(&topic, partition).expect("a partition that was asked for");
                element.error()?;
                all.insert(*flow, if let Offset::Offset(offset) = element.offset() { offset } else { 0 });
            }
        }
        Ok(all)
    }

    /// The ends of the inputs.
    pub fn input_ends(&self) -> KafkaResult<BTreeMap<Flow, i64>> {
        let (_, consumer) = &self.groups[0];
        let end = |flow: &Flow| {
            let (topic, partition) = flow.input(&self.names);
            Ok((*flow, consumer.fetch_watermarks(&topic, partition, ANSWER_BOUND)?.1))
        };
        self.flows.iter().map(end).collect()
    }

    /// The ends of the logs of outputs and dead letters. A `read_committed` reader may not be shown all of it yet: brokers mark a transaction as committed
    /// in each of its partitions for itself, and that of the offsets may be before that of the records. What is in the log then and shown later was written.
    pub fn ends(&self) -> KafkaResult<BTreeMap<Place, i64>> {
        let places = self.flows.iter().flat_map(|flow| [flow.output(&self.names), flow.letters(&self.names)]);
        places.map(|place| Ok((place.clone(), self.logs.fetch_watermarks(&place.0, place.1, ANSWER_BOUND)?.1))).collect()
    }
}

/// Takes notes on a thread of its own.
pub struct Notes {
    told: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Note>>,
}

impl Notes {
    pub fn start(witness: Witness) -> Self {
        let told = Arc::new(AtomicBool::new(false));
        let is_told = Arc::clone(&told);
        let thread = thread::spawn(move || {
            let mut notes = Vec::new();
            while !is_told.load(Ordering::Relaxed) {
                notes.extend(witness.note());
                thread::sleep(PAUSE);
            }
            notes
        });
        Self { told, thread }
    }

    pub fn end(self) -> Vec<Note> {
        self.told.store(true, Ordering::Relaxed);
        self.thread.join().expect("notes were taken")
    }
}
