//! How long a frame takes at a rate, stage by stage: each envelope has one frame, and its time begins when it was due, so that what waits for a stall
//! counts with its whole wait (coordinated omission).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, unbounded};

use super::feeder::{Source, pace};
use super::stand::{Stand, reading};
use super::throughput::mix;
use super::{Broker, BrokerError};
use crate::bench::outcome::{Curve, Outcome};
use crate::bench::samples::Sample;
use crate::config::{Config, LaneId};
use crate::kafka::{Consumer, LaneQueue, Polled};
use crate::market::Stream;
use crate::runtime::{Moment, RunError, Trace, Traced};

/// A round of one lane.
const ROUND_BYTES: usize = 1 << 20;
/// How long the last records may take.
const LAST_WAIT: Duration = Duration::from_secs(10);
/// How long a reader that has nothing to read sleeps.
const READER_PAUSE: Duration = Duration::from_micros(50);
/// How long it is quiet when everything has been read.
const QUIET: Duration = Duration::from_millis(500);
/// How long the hub has to start before it is fed at the rate.
const START_WAIT: Duration = Duration::from_secs(30);
/// The part of the time that is not counted, at the beginning: connections, first fetches.
const WARM_PART: u32 = 4;
const WARM_MAX: Duration = Duration::from_secs(3);

pub(super) fn measure(broker: &Broker<'_>, outcome: &mut Outcome, tell: &mut dyn FnMut(&str)) -> Result<(), BrokerError> {
    let (name, lanes) = mix(broker);
    let part = format!("paced, {} frames/s, {name}, {}", broker.course.rate, broker.kind());
    if lanes.is_empty() {
        return Ok(());
    }
    tell(&part);
    let ids: Vec<LaneId> = lanes.iter().map(|(lane, _)| *lane).collect();
    let stand = Stand::new(broker, &ids)?;
    let sources: Vec<Source> = lanes.iter().map(|(lane, sample)| Source::new(*lane, &Sample { frames: 1, ..*sample }, ROUND_BYTES)).collect();
    let (traces, traced) = unbounded();
    let hub = stand.start_hub(Trace(Some(traces)));
    let seconds = broker.course.seconds;
    let warm = (seconds / WARM_PART).min(WARM_MAX);

    let over = AtomicBool::new(false);
    let (due_at, consumed) = thread::scope(|scope| {
        let reader = scope.spawn(|| read(&stand.config, &ids, &over));
        let fed = wake(&stand, &ids, &broker.stop).and_then(|()| pace(&stand, &sources, broker.course.rate, seconds + warm, &broker.stop));
        if let Ok(due_at) = &fed {
            wait_for_all(&stand, due_at, &broker.stop);
        }
        over.store(true, Ordering::Release);
        let consumed = reader.join().map_err(|_| BrokerError::Lost("the reader died".to_owned()))?;
        Ok::<_, BrokerError>((fed?, consumed?))
    })?;
    hub.end()?;
    if broker.stop.load(Ordering::Acquire) {
        return Err(BrokerError::Stopped);
    }
    let begin = due_at.values().filter_map(|due| due.first()).min().copied().unwrap_or_else(Instant::now) + warm;
    let journeys = Journeys { due_at, processed: BTreeMap::new(), acknowledged: BTreeMap::new(), consumed };
    journeys.with(&traced).add_to(&part, begin, outcome)
}

/// Waits until the hub reads its lanes: it has started when its groups are known to it, which takes a moment that is not to be measured.
fn wake(stand: &Stand, lanes: &[LaneId], stop: &AtomicBool) -> Result<(), BrokerError> {
    let begin = Instant::now();
    while begin.elapsed() < START_WAIT && !stop.load(Ordering::Acquire) {
        // The ends of the outputs can be asked for as soon as brokers answer; the hub itself needs about a second more.
        if lanes.iter().all(|lane| stand.written(*lane).is_ok()) && begin.elapsed() > Duration::from_millis(1_500) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Waits until a record of every envelope is in the output topics, or for no longer than they may take.
fn wait_for_all(stand: &Stand, due_at: &BTreeMap<LaneId, Vec<Instant>>, stop: &AtomicBool) {
    let begin = Instant::now();
    let is_all = || due_at.iter().all(|(lane, due)| stand.written(*lane).is_ok_and(|written| written >= due.len() as i64));
    while !is_all() && begin.elapsed() < LAST_WAIT && !stop.load(Ordering::Acquire) {
        thread::sleep(Duration::from_millis(20));
    }
}

/// When the record at each offset of each lane was read.
type Consumed = BTreeMap<LaneId, Vec<Instant>>;

/// Reads the output topics until `over`, and then until nothing more comes.
fn read(config: &Arc<Config>, lanes: &[LaneId], over: &AtomicBool) -> Result<Consumed, BrokerError> {
    let outputs = reading(config, |names| names.output.clone());
    let mut consumers = Vec::new();
    let mut queues: Vec<(LaneId, LaneQueue)> = Vec::new();
    for stream in Stream::ALL {
        let of_stream: Vec<LaneId> = lanes.iter().copied().filter(|lane| lane.stream == stream).collect();
        if of_stream.is_empty() {
            continue;
        }
        let consumer = Consumer::new(&outputs, outputs.names(stream), of_stream.len()).map_err(RunError::Refused)?;
        let partitions: Vec<(i32, i64)> = of_stream.iter().map(|lane| (lane.partition, 0)).collect();
        queues.extend(of_stream.into_iter().zip(consumer.read(&partitions).map_err(RunError::Refused)?));
        consumers.push(consumer);
    }
    let mut consumed = Consumed::new();
    let mut heard = Instant::now();
    while !over.load(Ordering::Acquire) || heard.elapsed() < QUIET {
        consumers.iter().for_each(|consumer| drop(consumer.serve()));
        let mut any = false;
        for (lane, queue) in &queues {
            while let Polled::Record(_) = queue.poll() {
                consumed.entry(*lane).or_default().push(Instant::now());
                any = true;
            }
        }
        if any {
            heard = Instant::now();
        } else {
            thread::sleep(READER_PAUSE);
        }
    }
    Ok(consumed)
}

/// Every moment of every envelope, by lane and offset.
struct Journeys {
    due_at: BTreeMap<LaneId, Vec<Instant>>,
    /// Polled, encoded.
    processed: BTreeMap<LaneId, Vec<(Instant, Instant)>>,
    /// Up to which offset, and when.
    acknowledged: BTreeMap<LaneId, Vec<(i64, Instant)>>,
    consumed: Consumed,
}

impl Journeys {
    /// With what the hub has told.
    fn with(mut self, traced: &Receiver<Traced>) -> Self {
        for Traced { lane, offset, moment } in traced.try_iter() {
            match moment {
                Moment::Processed(polled, encoded) => self.processed.entry(lane).or_default().push((polled, encoded)),
                Moment::Acknowledged(at) => self.acknowledged.entry(lane).or_default().push((offset, at)),
            }
        }
        self
    }

    /// Adds a curve a stage, of the envelopes that were due from `begin` on.
    fn add_to(&self, part: &str, begin: Instant, outcome: &mut Outcome) -> Result<(), BrokerError> {
        let mut curves = ["produced to polled", "polled to encoded", "encoded to acknowledged", "acknowledged to consumed", "produced to consumed"]
            .map(|stage| Curve::new(part, stage));
        for (lane, due_at) in &self.due_at {
            let empty = (Vec::new(), Vec::new(), Vec::new());
            let processed = self.processed.get(lane).unwrap_or(&empty.0);
            let acknowledged = self.acknowledged.get(lane).unwrap_or(&empty.1);
            let consumed = self.consumed.get(lane).unwrap_or(&empty.2);
            if (processed.len(), consumed.len()) != (due_at.len(), due_at.len()) {
                let (went, taken, came) = (due_at.len(), processed.len(), consumed.len());
                return Err(BrokerError::Lost(format!("{lane}: {went} frames went in, {taken} were processed, {came} records were read")));
            }
            for (offset, due) in due_at.iter().enumerate().filter(|(_, due)| **due >= begin) {
                let (polled, encoded) = processed[offset];
                let first = acknowledged.partition_point(|(up_to, _)| *up_to <= offset as i64);
                let acked = acknowledged.get(first).map_or(encoded, |(_, at)| *at);
                let stages = [(*due, polled), (polled, encoded), (encoded, acked), (acked, consumed[offset]), (*due, consumed[offset])];
                for (curve, (from, to)) in curves.iter_mut().zip(stages) {
                    // A record can be read before its acknowledgement has come back.
                    curve.record(u64::try_from(to.saturating_duration_since(from).as_nanos()).unwrap_or(u64::MAX));
                }
            }
        }
        curves.into_iter().for_each(|curve| outcome.add(curve));
        Ok(())
    }
}
