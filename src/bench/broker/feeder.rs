//! Writes envelopes to input topics: all at once, or only so much ahead of the hub, or one after the other at a rate.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::BrokerError;
use super::stand::Stand;
use crate::batch::{Batch, Destination, Place};
use crate::bench::samples::{Data, Envelope, Sample};
use crate::config::LaneId;
use crate::kafka::{Outgoing, Producer, SendError, Writer};
use crate::observe::wall_millis;
use crate::runtime::RunError;

/// How long a feeder that is far ahead waits.
const PAUSE: Duration = Duration::from_micros(200);
/// How long before now the made-up events are: brokers refuse what comes from their future.
const AGE_MS: i64 = 600_000;

/// The envelopes of one lane, which come again and again: each round begins with the snapshots of all books.
pub(super) struct Source {
    pub(super) lane: LaneId,
    /// Each with how many frames it has, and so how many records come of it.
    round: Vec<(Envelope, i64)>,
}

impl Source {
    /// The frames of a sample, up to about `bytes`, on a lane.
    pub(super) fn new(lane: LaneId, sample: &Sample, bytes: usize) -> Self {
        let Data { opening, envelopes, .. } = Data::beginning_at(sample, bytes, wall_millis() - AGE_MS);
        let frames = sample.frames as i64;
        Self { lane, round: opening.into_iter().map(|envelope| (envelope, 1)).chain(envelopes.into_iter().map(|envelope| (envelope, frames))).collect() }
    }

    fn at(&self, index: usize) -> (&Envelope, i64) {
        let (envelope, frames) = &self.round[index % self.round.len()];
        (envelope, *frames)
    }

    /// Frames that make about so many bytes.
    fn frames_in(&self, bytes: usize) -> i64 {
        let (size, frames) = self.round.iter().fold((0, 0), |(size, frames), (envelope, more)| (size + envelope.value.len(), frames + more));
        bytes as i64 * frames / size as i64
    }
}

/// How many frames of each lane were written.
pub(super) type Fed = BTreeMap<LaneId, i64>;

/// Writes envelopes of all lanes in turn until `bytes` are written, or `stop`.
pub(super) fn fill(stand: &Stand, sources: &[Source], bytes: usize, stop: &AtomicBool) -> Result<Fed, BrokerError> {
    let writer = Writer::new(&stand.config).map_err(RunError::Refused)?;
    let mut fed = Fed::new();
    let mut written = 0;
    for index in 0.. {
        if written >= bytes || stop.load(Ordering::Acquire) {
            break;
        }
        for source in sources {
            written += send(stand, &writer, source, index, &mut fed)?;
        }
    }
    writer.finish().map_err(not_fed)?;
    Ok(fed)
}

/// Writes envelopes of all lanes in turn until `over`, but of none more than `window` bytes ahead of what `done` says of it, by its place in `sources`.
pub(super) fn follow(stand: &Stand, sources: &[Source], window: usize, done: &[AtomicI64], over: &AtomicBool) -> Result<Fed, BrokerError> {
    let writer = Writer::new(&stand.config).map_err(RunError::Refused)?;
    let mut fed = Fed::new();
    let mut next = vec![0; sources.len()];
    let ahead: Vec<i64> = sources.iter().map(|source| source.frames_in(window)).collect();
    while !over.load(Ordering::Acquire) {
        let mut any = false;
        for (place, source) in sources.iter().enumerate() {
            if fed.get(&source.lane).copied().unwrap_or(0) - done[place].load(Ordering::Acquire) < ahead[place] {
                send(stand, &writer, source, next[place], &mut fed)?;
                next[place] += 1;
                any = true;
            }
        }
        if !any {
            thread::sleep(PAUSE);
        }
    }
    writer.finish().map_err(not_fed)?;
    Ok(fed)
}

/// Writes one envelope; gives its bytes.
fn send(stand: &Stand, writer: &Writer, source: &Source, index: usize, fed: &mut Fed) -> Result<usize, BrokerError> {
    let (Envelope { key, timestamp_ms, value }, frames) = source.at(index);
    let topic = &stand.config.names(source.lane.stream).input;
    let (partition, timestamp_ms) = (source.lane.partition, *timestamp_ms);
    writer.send(&Outgoing { topic, partition, timestamp_ms, key: Some(key.as_bytes()), value: Some(value), headers: &[] }).map_err(not_fed)?;
    *fed.entry(source.lane).or_default() += frames;
    Ok(value.len())
}

/// Sends one envelope after the other, lane by lane in turn, each at its moment or as soon after it as possible, for `duration` or until `stop`. Gives
/// the moments at which they were due, by lane in the order of offsets. Everything is written when it returns.
pub(super) fn pace(stand: &Stand, sources: &[Source], rate: u64, duration: Duration, stop: &AtomicBool) -> Result<BTreeMap<LaneId, Vec<Instant>>, BrokerError> {
    let mut config = (*stand.config).clone();
    // Its own waiting for company would count as the hub's.
    config.kafka.linger = Duration::ZERO;
    let producer = Producer::new(&config).map_err(RunError::Refused)?;
    let mut due_at: BTreeMap<LaneId, Vec<Instant>> = BTreeMap::new();
    let (mut batch, mut reports) = (Batch::default(), Vec::new());
    let begin = Instant::now();
    for count in 0_u64.. {
        let nanos = u128::from(count) * 1_000_000_000 / u128::from(rate);
        let after = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        if after >= duration || stop.load(Ordering::Acquire) {
            break;
        }
        while let Some(wait) = after.checked_sub(begin.elapsed()).filter(|wait| !wait.is_zero()) {
            producer.poll(Duration::ZERO, &mut reports);
            thread::sleep(wait.min(Duration::from_millis(5)));
        }
        let index = usize::try_from(count).unwrap_or(usize::MAX);
        let source = &sources[index % sources.len()];
        let (envelope, _) = source.at(index / sources.len());
        batch.clear(1 << 20);
        let mut message = batch.begin(Destination::Output, Place::default(), envelope.timestamp_ms);
        message.key(|out| out.extend_from_slice(envelope.key.as_bytes()));
        message.value(|out| out.extend_from_slice(&envelope.value));
        message.finish();
        let topic = &stand.config.names(source.lane.stream).input;
        loop {
            match producer.send(topic, source.lane.partition, &batch.message(0), 0) {
                Ok(()) => break,
                Err(SendError::QueueFull) => producer.poll(Duration::from_millis(1), &mut reports),
                Err(SendError::Failed(failure)) => return Err(not_fed(failure.text)),
            }
        }
        due_at.entry(source.lane).or_default().push(begin + after);
    }
    while producer.in_flight() > 0 {
        producer.poll(Duration::from_millis(10), &mut reports);
    }
    match reports.into_iter().find_map(|report| report.failure) {
        Some(failure) => Err(not_fed(failure.text)),
        None => Ok(due_at),
    }
}

fn not_fed(fault: String) -> BrokerError {
    BrokerError::Lost(format!("the input cannot be written: {fault}"))
}
