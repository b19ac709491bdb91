//! A worker: a pinned thread that owns lanes and the consumers of their streams.
//!
//! One turn of its duty cycle: take acknowledgements, poll what is there, process it, hand over full batches, commit.
//! It never waits for Kafka: when too many of its batches are under way it stops polling, and so does everything above.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, Sender};

use super::parcel::Parcel;
use super::shared::Shared;
use crate::batch::{Batch, Destination};
use crate::config::{Config, Idle, LaneId};
use crate::kafka::{Consumer, Polled};
use crate::lane::Lane;
use crate::observe::{LaneStatus, Latencies, RateLimit, Stage};
use crate::rules::BookTime;
use crate::watermark::Watermark;

/// How long a worker whose batches are all under way waits for the next acknowledgement before it looks around.
const BACKPRESSURE_WAIT: Duration = Duration::from_millis(20);

/// What a worker tells of itself, now and then.
#[derive(Debug)]
pub(super) struct WorkerReport {
    pub(super) lanes: Vec<(LaneId, LaneStatus)>,
    /// Since the last report.
    pub(super) latencies: Latencies,
}

/// A consumer and the lanes that its partitions belong to.
pub(super) struct Source {
    pub(super) consumer: Consumer,
    /// The worker's index of the lane, by partition.
    pub(super) lanes: Vec<(i32, usize)>,
}

/// One lane of the worker.
struct Owned {
    id: LaneId,
    lane: Lane,
    watermark: Watermark,
    /// The batch being filled, and when its first envelope came.
    batch: Batch,
    opened_at: Option<Instant>,
    /// The offset of the next record; `watermark.sent() <= position`.
    position: i64,
}

/// See the module.
pub(super) struct Worker {
    index: usize,
    config: Arc<Config>,
    shared: Arc<Shared>,
    sources: Vec<Source>,
    lanes: Vec<Owned>,
    parcels: Sender<Parcel>,
    acknowledged: Receiver<Parcel>,
    reports: Sender<WorkerReport>,
    /// Empty batches to fill again.
    spare: Vec<Batch>,
    /// Batches under way; at most `config.batch.channel`.
    under_way: usize,
    latencies: Latencies,
    committed_at: Instant,
    reported_at: Instant,
    warnings: RateLimit,
}

/// The ends of the channels that a worker has.
pub(super) struct Channels {
    pub(super) parcels: Sender<Parcel>,
    pub(super) acknowledged: Receiver<Parcel>,
    pub(super) reports: Sender<WorkerReport>,
}

impl Worker {
    /// A worker for `lanes`, each from its offset on.
    pub(super) fn new(index: usize, config: Arc<Config>, shared: Arc<Shared>, sources: Vec<Source>, lanes: &[(LaneId, i64)], channels: Channels) -> Self {
        let rules = Arc::new(config.rules.clone());
        let owned = |&(id, offset): &(LaneId, i64)| Owned {
            id,
            lane: Lane::new(id.stream, id.partition, &config.names(id.stream).input, Arc::clone(&rules)),
            watermark: Watermark::starting_at(offset),
            batch: Batch::default(),
            opened_at: None,
            position: offset,
        };
        let lanes = lanes.iter().map(owned).collect();
        let now = Instant::now();
        Self {
            index,
            shared,
            sources,
            lanes,
            parcels: channels.parcels,
            acknowledged: channels.acknowledged,
            reports: channels.reports,
            spare: Vec::new(),
            under_way: 0,
            latencies: Latencies::default(),
            committed_at: now,
            reported_at: now,
            warnings: RateLimit::new(Duration::from_secs(10)),
            config,
        }
    }

    /// Works until the run stops, then drains. Returns how many envelopes of each lane are processed but not committed.
    pub(super) fn run(mut self) -> Vec<(LaneId, i64)> {
        while !self.shared.is_stopping() {
            if self.turn() == 0 {
                self.idle();
            }
        }
        self.drain();
        self.report();
        self.lanes.iter().map(|lane| (lane.id, lane.position - lane.watermark.committed())).filter(|&(_, count)| count > 0).collect()
    }

    /// One turn; returns how much was done.
    fn turn(&mut self) -> usize {
        let mut done = self.take_acknowledged();
        for source in 0..self.sources.len() {
            done += self.poll(source);
        }
        if self.committed_at.elapsed() >= self.config.commit_interval {
            self.commit();
        }
        if self.reported_at.elapsed() >= self.config.report_interval {
            self.report();
        }
        done
    }

    /// Takes what the source has, up to a bound, so that no lane waits for another. At the end of a burst everything
    /// that is open is handed over; within one, what is full or old.
    fn poll(&mut self, source: usize) -> usize {
        let mut taken = 0;
        while taken < self.config.poll_max_envelopes && self.has_room() {
            let Source { consumer, lanes } = &self.sources[source];
            let record = match consumer.poll(Duration::ZERO) {
                Polled::Record(record) => record,
                Polled::Nothing => {
                    self.hand_over_source(source, Duration::ZERO);
                    return taken;
                }
                Polled::Transient(fault) => {
                    self.warnings.warn(&fault);
                    taken += 1;
                    continue;
                }
                Polled::Fatal(fault) => {
                    self.shared.fail(format!("a lane cannot go on: {fault}"));
                    return taken;
                }
            };
            let polled_at = Instant::now();
            let Some(&(_, index)) = lanes.iter().find(|(partition, _)| *partition == record.partition()) else { continue };
            let Owned { lane, batch, position, opened_at, .. } = &mut self.lanes[index];
            let now_micros = if self.config.rules.book_time == BookTime::Wall { wall_micros() } else { 0 };
            *position = record.with_input(now_micros, |input| {
                lane.process(input, batch);
                input.offset + 1
            });
            let opened_at = *opened_at.get_or_insert(polled_at);
            self.latencies.record(Stage::PollToEncoded, polled_at.elapsed(), 1);
            taken += 1;
            if batch.len() >= self.config.batch.records || batch.bytes() >= self.config.batch.bytes || opened_at.elapsed() >= self.config.batch.age {
                self.hand_over(index);
            }
        }
        self.hand_over_source(source, self.config.batch.age);
        taken
    }

    /// Hands over the open batches of a source that are at least `age` old.
    fn hand_over_source(&mut self, source: usize, age: Duration) {
        for lane in 0..self.sources[source].lanes.len() {
            let index = self.sources[source].lanes[lane].1;
            if self.lanes[index].opened_at.is_some_and(|opened_at| opened_at.elapsed() >= age) {
                self.hand_over(index);
            }
        }
    }

    /// Hands the open batch of a lane to the producer; a batch without messages is done at once.
    fn hand_over(&mut self, index: usize) {
        let lane = &mut self.lanes[index];
        lane.opened_at = None;
        let ticket = lane.watermark.send(lane.position);
        if lane.batch.is_empty() {
            lane.watermark.acknowledge(ticket);
            return;
        }
        let batch = std::mem::replace(&mut lane.batch, self.spare.pop().unwrap_or_default());
        let parcel = Parcel { worker: self.index, lane: index, lane_id: lane.id, ticket, batch, encoded_at: Instant::now() };
        self.under_way += 1;
        if self.parcels.send(parcel).is_err() {
            self.shared.fail("the producer has ended".to_owned());
        }
    }

    fn has_room(&self) -> bool {
        self.under_way < self.config.batch.channel
    }

    fn take_acknowledged(&mut self) -> usize {
        let mut taken = 0;
        while let Ok(parcel) = self.acknowledged.try_recv() {
            self.acknowledge(parcel);
            taken += 1;
        }
        taken
    }

    fn acknowledge(&mut self, parcel: Parcel) {
        let Parcel { lane, ticket, mut batch, encoded_at, .. } = parcel;
        self.under_way -= 1;
        self.lanes[lane].watermark.acknowledge(ticket);
        self.latencies.record(Stage::EncodedToAcknowledged, encoded_at.elapsed(), batch.len() as u64);
        let now_millis = wall_micros() / 1_000;
        for message in batch.messages().filter(|message| message.destination == Destination::Output) {
            let age = u64::try_from(now_millis - message.timestamp_ms).unwrap_or_default();
            self.latencies.record(Stage::EventToAcknowledged, Duration::from_millis(age), 1);
        }
        batch.clear(2 * self.config.batch.bytes);
        self.spare.push(batch);
    }

    /// Learns what was committed, and asks for what can be committed now.
    fn commit(&mut self) {
        self.committed_at = Instant::now();
        for Source { consumer, lanes } in &mut self.sources {
            match consumer.take_answer() {
                Some(Ok(offsets)) => {
                    for (partition, offset) in offsets {
                        if let Some(&(_, index)) = lanes.iter().find(|(lane, _)| *lane == partition) {
                            self.lanes[index].watermark.commit(offset);
                        }
                    }
                }
                Some(Err(fault)) => self.warnings.warn(&format!("a commit failed and is tried again: {fault}")),
                None => {}
            }
            if !consumer.is_committing() {
                let offset = |&(partition, index): &(i32, usize)| Some((partition, self.lanes[index].watermark.to_commit()?));
                consumer.commit(lanes.iter().filter_map(offset).collect());
            }
        }
    }

    /// Hands over what is open, waits for every acknowledgement and commit, until the deadline.
    fn drain(&mut self) {
        for source in &self.sources {
            source.consumer.pause();
        }
        for index in 0..self.lanes.len() {
            if self.lanes[index].opened_at.is_some() {
                self.hand_over(index);
            }
        }
        while !self.lanes.iter().all(|lane| lane.watermark.is_settled()) && !self.shared.is_over() {
            match self.acknowledged.recv_timeout(Duration::from_millis(1)) {
                Ok(parcel) => self.acknowledge(parcel),
                Err(_) => self.commit(),
            }
        }
    }

    fn idle(&mut self) {
        match self.config.idle {
            _ if !self.has_room() => self.wait(BACKPRESSURE_WAIT),
            Idle::Spin => std::hint::spin_loop(),
            Idle::Yield => thread::yield_now(),
            Idle::Park(pause) => self.wait(pause),
        }
    }

    /// Waits for an acknowledgement, which is what ends most pauses.
    fn wait(&mut self, pause: Duration) {
        if let Ok(parcel) = self.acknowledged.recv_timeout(pause) {
            self.acknowledge(parcel);
        }
    }

    fn report(&mut self) {
        self.reported_at = Instant::now();
        let status = |lane: &Owned| LaneStatus { counts: lane.lane.counts().clone(), position: lane.position, committed: lane.watermark.committed() };
        let lanes = self.lanes.iter().map(|lane| (lane.id, status(lane))).collect();
        let report = WorkerReport { lanes, latencies: self.latencies.clone() };
        // Whoever reads reports is slow or gone: the next one says it all, for counts go on from the start.
        if self.reports.try_send(report).is_ok() {
            self.latencies.reset();
        }
    }
}

/// Microseconds since the epoch by the system's clock.
fn wall_micros() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| i64::try_from(age.as_micros()).unwrap_or(i64::MAX))
}
