//! Reads the output and dead-letter topics along, and holds every message against what had to come.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::{Due, Fed, LAST_MESSAGE_WAIT, PHANTOM_WAIT};
use crate::batch::Destination;
use crate::config::{Config, LaneId, StreamNames};
use crate::feed::Expected;
use crate::kafka::{Consumer, LaneQueue, Polled};
use crate::lane::Input;
use crate::market::{Exchange, Kind, Stream};

/// How many differences are kept to be shown.
const SHOWN_MAX: usize = 5;

/// A message that is not what had to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where.
    pub lane: LaneId,
    /// What had to come; empty if nothing had to.
    pub expected: String,
    /// What came.
    pub found: String,
}

/// A record or a dead letter to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Reason of a dead letter; `None` for a record.
    pub reason: Option<String>,
    /// The text.
    pub value: String,
}

/// What came out, held against what had to.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// Records that were as expected.
    pub records: u64,
    /// Of these, the ones marked unverified.
    pub unverified: u64,
    /// Dead letters that were as expected.
    pub dead_letters: u64,
    /// Frames that had to give nothing: noise, and deltas that are not newer than the book.
    pub silent: u64,
    /// Messages that had to come and did not.
    pub lost: u64,
    /// How many messages were not as expected, or not expected at all.
    pub different: u64,
    /// Some of these.
    pub differences: Vec<Difference>,
    /// One record of each exchange and kind.
    pub samples: BTreeMap<(Kind, Exchange), Sample>,
    /// One dead letter.
    pub dead_letter: Option<Sample>,
}

impl Proof {
    /// Whether all came, and nothing else.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.lost == 0 && self.different == 0
    }
}

/// How long to wait when no topic has anything.
const QUIET_PAUSE: Duration = Duration::from_micros(500);

/// What one partition of a topic has yet to bring, with the key of the envelope.
type Queue = VecDeque<(String, Expected)>;

/// See the module.
pub(super) struct Prover {
    sources: Vec<(LaneId, Destination, LaneQueue)>,
    consumers: Vec<Consumer>,
    told: Receiver<Fed>,
    due: Due,
    /// By lane: records, dead letters.
    queues: BTreeMap<LaneId, [Queue; 2]>,
    proof: Proof,
}

impl Prover {
    pub(super) fn new(config: &Arc<Config>, told: Receiver<Fed>, due: Due) -> Result<Self, String> {
        let (mut sources, mut consumers) = (Vec::new(), Vec::new());
        for stream in Stream::ALL {
            let names = config.names(stream);
            for (destination, topic) in [(Destination::Output, &names.output), (Destination::DeadLetter, &names.dlt)] {
                let reader = StreamNames { input: topic.clone(), group: "demo-prover".to_owned(), ..names.clone() };
                let partitions: Vec<_> = (0..stream.partitions()).map(|partition| (partition, 0)).collect();
                let consumer = Consumer::new(config, &reader, partitions.len())?;
                for (queue, (partition, _)) in consumer.read(&partitions)?.into_iter().zip(partitions) {
                    sources.push((LaneId { stream, partition }, destination, queue));
                }
                consumers.push(consumer);
            }
        }
        let queues = config.lanes.iter().map(|&lane| (lane, Default::default())).collect();
        Ok(Self { sources, consumers, told, due, queues, proof: Proof::default() })
    }

    /// Reads until all that had to come has come and the feed is over, or nothing has come for too long.
    pub(super) fn run(mut self, feeding_over: &AtomicBool) -> Proof {
        let mut last_message = Instant::now();
        loop {
            let over = feeding_over.load(Ordering::Acquire);
            self.consumers.iter().for_each(|consumer| drop(consumer.serve()));
            if self.read() {
                last_message = Instant::now();
                continue;
            }
            thread::sleep(QUIET_PAUSE);
            self.learn();
            let quiet = last_message.elapsed();
            let complete = self.queues.values().flatten().all(VecDeque::is_empty);
            if over && ((complete && quiet >= PHANTOM_WAIT) || quiet >= LAST_MESSAGE_WAIT) {
                break;
            }
        }
        self.proof.lost = self.queues.values().flatten().map(|queue| queue.len() as u64).sum();
        self.proof
    }

    /// Reads what every topic has; whether there was anything.
    fn read(&mut self) -> bool {
        let mut any = false;
        for index in 0..self.sources.len() {
            while let Polled::Record(record) = self.sources[index].2.poll() {
                any = true;
                let (lane, destination) = (self.sources[index].0, self.sources[index].1);
                let found = record.with_input(0, Found::of);
                // Told before it was fed, so it is there by now.
                while let Ok(fed) = self.told.try_recv() {
                    note(fed, &mut self.queues, &mut self.proof);
                }
                let queue = self.queues.get_mut(&lane).map(|queues| &mut queues[destination as usize]);
                let expected = queue.and_then(VecDeque::pop_front);
                if let Some(due) = self.due.get(&lane) {
                    due.fetch_sub(1, Ordering::AcqRel);
                }
                self.proof.hold(lane, expected, found);
            }
        }
        any
    }

    fn learn(&mut self) {
        while let Ok(fed) = self.told.try_recv() {
            note(fed, &mut self.queues, &mut self.proof);
        }
    }
}

fn note(fed: Fed, queues: &mut BTreeMap<LaneId, [Queue; 2]>, proof: &mut Proof) {
    let Some([records, dead_letters]) = queues.get_mut(&fed.lane) else { return };
    for expected in fed.expected {
        match &expected {
            Expected::Record { .. } => records.push_back((fed.key.clone(), expected)),
            Expected::DeadLetter { .. } => dead_letters.push_back((fed.key.clone(), expected)),
            Expected::Control | Expected::Stale => proof.silent += 1,
        }
    }
}

/// A message as it was read.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    key: String,
    timestamp_ms: i64,
    unverified: bool,
    reason: Option<String>,
    frame: Option<String>,
    value: String,
}

impl Found {
    fn of(input: &Input<'_>) -> Self {
        let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        let header = |name: &str| input.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| text(*value));
        Self {
            key: text(input.key),
            timestamp_ms: input.timestamp_ms,
            unverified: header("book-state").is_some(),
            reason: header("hub.reason"),
            frame: header("hub.frame"),
            value: text(input.value),
        }
    }
}

impl Proof {
    /// Holds one message against what had to come at its place.
    fn hold(&mut self, lane: LaneId, expected: Option<(String, Expected)>, found: Found) {
        let same = match &expected {
            Some((_, Expected::Record { key, timestamp_ms, unverified, value })) => {
                *key == found.key && *timestamp_ms == found.timestamp_ms && *unverified == found.unverified && *value == found.value && found.reason.is_none()
            }
            Some((key, Expected::DeadLetter { reason, frame, value })) => {
                *key == found.key && found.reason.as_deref() == Some(reason) && found.frame == Some(frame.to_string()) && *value == found.value
            }
            _ => false,
        };
        if !same {
            self.different += 1;
            if self.differences.len() < SHOWN_MAX {
                let expected = expected.map(|(key, expected)| format!("{key} {expected:?}")).unwrap_or_default();
                self.differences.push(Difference { lane, expected, found: format!("{found:?}") });
            }
            return;
        }
        let sample = Sample { reason: found.reason, value: found.value };
        if sample.reason.is_some() {
            self.dead_letters += 1;
            self.dead_letter.get_or_insert(sample);
            return;
        }
        self.records += 1;
        self.unverified += u64::from(found.unverified);
        if let Some(exchange) = lane.stream.exchange_at(lane.partition) {
            self.samples.entry((lane.stream.kind, exchange)).or_insert(sample);
        }
    }
}
