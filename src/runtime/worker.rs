//! A worker: a pinned thread that owns lanes and the consumers of their streams.
//!
//! One turn of its duty cycle: take answers, poll what is there, process it, hand over full batches, commit. It never waits for
//! Kafka: a lane that has too much under way is not polled, and so everything above it backs up.

use std::mem;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};

use super::Uncommitted;
use super::owned::{ASK_PAUSE, Owned};
use super::parcel::{Answer, Parcel};
use super::senders::Routes;
use super::shared::{Failure, Shared};
use super::spare::Spare;
use super::trace::Trace;
use crate::batch::{Batch, Destination};
use crate::config::{Config, Delivery, FailPoint, Idle, LaneId, Output};
use crate::delivery::Hold;
use crate::kafka::{self, Commit, Consumer, Polled, Start};
use crate::observe::{LaneStatus, Latencies, RateLimit, Sampler, Stage, wall_micros, wall_millis};
use crate::rules::BookTime;

/// How long a worker whose batches are all under way waits for the next answer before it looks around.
const BACKPRESSURE_WAIT: Duration = Duration::from_millis(20);

/// What a look for a lane's next record came to.
enum Took {
    Record,
    /// Something that passes.
    Fault,
    Nothing,
    /// The lane does not take any at present.
    NoMore,
}

/// What a worker tells of itself, now and then.
#[derive(Debug)]
pub(super) struct WorkerReport {
    /// Which worker.
    pub(super) worker: usize,
    pub(super) lanes: Vec<(LaneId, LaneStatus)>,
    /// Since the last report.
    pub(super) latencies: Latencies,
}

/// A consumer, and the worker's lanes that it reads.
pub(super) struct Source {
    pub(super) consumer: Consumer,
    /// The worker's indexes of the lanes.
    pub(super) lanes: Vec<usize>,
    /// Whether what the consumer reads is not what its lanes want any more.
    pub(super) is_stale: bool,
}

/// See the module.
pub(super) struct Worker {
    index: usize,
    config: Arc<Config>,
    shared: Arc<Shared>,
    sources: Vec<Source>,
    lanes: Vec<Owned>,
    /// Where each lane's batches go, by its index.
    routes: Vec<Sender<Parcel>>,
    answers: Receiver<Answer>,
    reports: Sender<WorkerReport>,
    trace: Trace,
    spare: Spare,
    scratch: Batch,
    /// Bytes of batches under way; below `config.batch.worker_bytes()` when something is polled.
    bytes_under_way: usize,
    latencies: Latencies,
    sampler: Sampler,
    committed_at: Instant,
    reported_at: Instant,
    warnings: RateLimit,
    searches: u32,
}

/// The ends of the channels that a worker has.
pub(super) struct Channels {
    pub(super) routes: Routes,
    pub(super) answers: Receiver<Answer>,
    pub(super) reports: Sender<WorkerReport>,
    pub(super) trace: Trace,
    pub(super) sampler: Sampler,
}

impl Worker {
    /// A worker for `lanes`, each from its start on.
    pub(super) fn new(index: usize, config: Arc<Config>, shared: Arc<Shared>, sources: Vec<Source>, lanes: &[(LaneId, Start)], channels: Channels) -> Self {
        let rules = Arc::new(config.rules.clone());
        let owned = lanes.iter().map(|(id, start)| Owned::new(*id, start, &config, &rules)).collect();
        let route = |(id, _): &(LaneId, Start)| channels.routes.get(id).cloned();
        let now = Instant::now();
        Self {
            index,
            shared,
            sources,
            lanes: owned,
            routes: lanes.iter().filter_map(route).collect(),
            answers: channels.answers,
            reports: channels.reports,
            trace: channels.trace,
            // Half of what may be under way: see the bound on memory in README.
            spare: Spare::new(config.batch.worker_bytes() / 2),
            scratch: Batch::default(),
            bytes_under_way: 0,
            latencies: Latencies::default(),
            sampler: channels.sampler,
            committed_at: now,
            reported_at: now,
            warnings: RateLimit::new(Duration::from_secs(10)),
            searches: 0,
            config,
        }
    }

    /// Works until the run stops, then drains. Returns what is processed but not committed.
    pub(super) fn run(mut self) -> Vec<Uncommitted> {
        (0..self.sources.len()).for_each(|source| self.read(source));
        while !self.shared.is_stopping() {
            if self.turn() == 0 {
                self.idle();
            }
        }
        self.drain();
        self.report();
        // Queues first: whoever drops the last of a client closes it, which waits for brokers, and that shall be the client's own thread.
        self.lanes.iter_mut().for_each(|lane| lane.queue = None);
        self.lanes.iter().filter_map(Owned::uncommitted).collect()
    }

    /// One turn; returns how much was done.
    fn turn(&mut self) -> usize {
        let mut done = self.take_answers();
        for source in 0..self.sources.len() {
            if let Some(fault) = self.sources[source].consumer.serve() {
                self.warnings.warn(&fault);
            }
            for lane in 0..self.sources[source].lanes.len() {
                let lane = self.sources[source].lanes[lane];
                self.lanes[lane].tend_stack();
                done += self.poll(lane);
            }
        }
        if self.shared.shall_search(&mut self.searches) {
            self.sources.iter().for_each(|source| source.consumer.find_brokers());
        }
        self.tend_held();
        self.take_consumer_answers();
        self.read_stale();
        if self.committed_at.elapsed() >= self.config.commit_interval {
            self.commit();
        }
        if self.reported_at.elapsed() >= self.config.observe_interval() {
            self.report();
        }
        done
    }

    /// Takes what a lane has, up to a bound, so that no lane waits for another. At the end of a burst what is open is handed over;
    /// within one, what is full or old.
    fn poll(&mut self, index: usize) -> usize {
        let mut taken = 0;
        let mut now = Instant::now();
        while taken < self.config.poll_max_envelopes && self.bytes_under_way < self.config.batch.worker_bytes() {
            match self.take_next(index, now) {
                Took::Record => {
                    // One reading of the clock an envelope.
                    let encoded_at = Instant::now();
                    self.latencies.record(Stage::PollToEncoded, encoded_at - now, 1);
                    now = encoded_at;
                }
                Took::Fault => {}
                Took::Nothing => {
                    self.hand_over(index, now, self.array_age());
                    return taken;
                }
                Took::NoMore => break,
            }
            taken += 1;
            self.hand_over(index, now, self.config.batch.age.max(self.array_age()));
        }
        self.hand_over(index, now, self.config.batch.age.max(self.array_age()));
        taken
    }

    fn take_next(&mut self, index: usize, now: Instant) -> Took {
        let lane = &mut self.lanes[index];
        if !lane.has_room(&self.config) {
            return Took::NoMore;
        }
        let Some(queue) = lane.queue.take() else { return Took::NoMore };
        let (took, fault) = match queue.poll() {
            Polled::Record(record) => {
                let now_micros = if self.config.rules.book_time == BookTime::Wall { wall_micros() } else { 0 };
                record.with_input(now_micros, |input| {
                    lane.take(input, now, &mut self.scratch);
                    self.sampler.envelope(index, lane.id, input, now);
                });
                self.trace.processed(lane.id, record.offset(), now);
                (Took::Record, None)
            }
            Polled::Nothing => (Took::Nothing, None),
            Polled::Transient(fault) => {
                self.warnings.warn(&format!("{}: {fault}", lane.id));
                (Took::Fault, None)
            }
            Polled::OffsetGone(fault) => (Took::NoMore, Some(fault)),
        };
        lane.queue = Some(queue);
        if let Some(fault) = fault {
            lane.lose_offset(&fault);
            self.hand_over(index, now, Duration::ZERO);
        }
        took
    }

    /// How old a batch must be at least. With arrays in transactions it is what a transaction waits for: every batch ends an array, for an offset
    /// in the middle of one cannot be committed.
    fn array_age(&self) -> Duration {
        let is_array = matches!(self.config.output, Output::Arrays(_));
        if is_array && self.config.delivery == Delivery::ExactlyOnce { self.config.commit_interval } else { Duration::ZERO }
    }

    /// Hands over the open batch of a lane if it is full or at least `age` old.
    fn hand_over(&mut self, index: usize, now: Instant, age: Duration) {
        let exactly_once = self.config.delivery == Delivery::ExactlyOnce;
        let lane = &mut self.lanes[index];
        if !lane.is_due(&self.config, now, age) {
            return;
        }
        if exactly_once {
            lane.flush_stack();
        }
        if let Some(parcel) = lane.hand_over(self.index, index, exactly_once, &mut self.spare) {
            self.bytes_under_way += parcel.batch.bytes();
            if self.routes[index].send(parcel).is_err() {
                self.shared.fail(Failure::Other("the thread that sends has ended".to_owned()));
            }
        }
    }

    fn take_answers(&mut self) -> usize {
        let mut taken = 0;
        while let Ok(answer) = self.answers.try_recv() {
            self.take_answer(answer);
            taken += 1;
        }
        taken
    }

    fn take_answer(&mut self, answer: Answer) {
        match answer {
            Answer::Written(parcel) => {
                if self.config.delivery == Delivery::AtLeastOnce {
                    FailPoint::AfterReport.reach();
                    self.trace.acknowledged(parcel.lane_id, parcel.checkpoint.offset);
                }
                self.measure(&parcel);
                let lane = &mut self.lanes[parcel.lane];
                let before = lane.progress.watermark().offset();
                lane.progress.acknowledge(parcel.ticket);
                if self.config.delivery == Delivery::AtLeastOnce && lane.progress.watermark().offset() > before {
                    lane.recover();
                }
                self.recycle(parcel);
            }
            Answer::Dropped(parcel) => self.recycle(parcel),
            Answer::Failed { parcel, fault, refused } => {
                let lane = &mut self.lanes[parcel.lane];
                // What was sent before the lane began again fails for the same reason once more.
                if lane.progress.watermark().is_under_way(parcel.ticket) && !lane.hold.has_failed() {
                    lane.trouble(fault);
                    lane.fail(None, refused);
                    self.halt(parcel.lane);
                }
                self.recycle(parcel);
            }
            Answer::Committed { lane, checkpoint, took } => {
                self.latencies.record(Stage::TransactionCommit, took, 1);
                self.trace.acknowledged(self.lanes[lane].id, checkpoint.offset);
                self.lanes[lane].commit(checkpoint);
                self.lanes[lane].recover();
            }
            Answer::Trouble { lane, fault } => self.lanes[lane].trouble(fault),
            Answer::Rewind { lane, checkpoint, refused } => {
                self.lanes[lane].fail(Some(checkpoint), refused);
                self.halt(lane);
            }
        }
    }

    fn measure(&mut self, parcel: &Parcel) {
        self.latencies.record(Stage::EncodedToAcknowledged, parcel.encoded_at.elapsed(), parcel.batch.len() as u64);
        self.sampler.written(parcel.lane_id, &parcel.batch);
        let now_millis = wall_millis();
        for (timestamp_ms, count) in parcel.batch.timestamps(Destination::Output) {
            let age = u64::try_from(now_millis - timestamp_ms).unwrap_or_default();
            self.latencies.record(Stage::EventToAcknowledged, Duration::from_millis(age), count);
        }
    }

    fn recycle(&mut self, parcel: Parcel) {
        let Parcel { lane, mut batch, .. } = parcel;
        self.lanes[lane].came_back();
        self.bytes_under_way -= batch.bytes();
        batch.clear(2 * self.config.batch.bytes);
        self.spare.keep(batch);
    }

    /// Has the consumer of a source read the lanes that are not held, each from its position on.
    fn read(&mut self, source: usize) {
        let Source { consumer, lanes, .. } = &self.sources[source];
        let active: Vec<usize> = lanes.iter().copied().filter(|&lane| !self.lanes[lane].progress.is_halted()).collect();
        let wanted: Vec<_> = active.iter().map(|&lane| (self.lanes[lane].id.partition, self.lanes[lane].progress.position())).collect();
        lanes.iter().for_each(|&lane| self.lanes[lane].queue = None);
        match consumer.read(&wanted) {
            Ok(queues) => active.into_iter().zip(queues).for_each(|(lane, queue)| self.lanes[lane].queue = Some(queue)),
            Err(fault) => self.shared.fail(Failure::Other(format!("partitions cannot be assigned: {fault}"))),
        }
    }

    /// Reads nothing more of a lane for now; the other lanes of its consumer go on from the end of this turn.
    fn halt(&mut self, lane: usize) {
        self.lanes[lane].queue = None;
        self.sources.iter_mut().filter(|source| source.lanes.contains(&lane)).for_each(|source| source.is_stale = true);
    }

    /// Has consumers read what their lanes want now: once a turn, for it throws away what was fetched ahead for all of them.
    fn read_stale(&mut self) {
        for source in 0..self.sources.len() {
            if mem::take(&mut self.sources[source].is_stale) {
                self.read(source);
            }
        }
    }

    /// Asks what is in the log for the lanes that wait to begin again.
    fn tend_held(&mut self) {
        for source in &self.sources {
            for &index in &source.lanes {
                let lane = &mut self.lanes[index];
                if matches!(lane.hold, Hold::Failed { .. } | Hold::Gone { .. }) && lane.hold.shall_ask(Instant::now(), lane.progress.watermark().is_settled()) {
                    source.consumer.ask_range(lane.id.partition);
                }
            }
        }
    }

    fn take_consumer_answers(&mut self) {
        for source in 0..self.sources.len() {
            while let Some(answer) = self.sources[source].consumer.answer() {
                self.take_consumer_answer(source, answer);
            }
        }
    }

    fn take_consumer_answer(&mut self, source: usize, answer: kafka::Answer) {
        let lane_of = |lanes: &[Owned], partition: i32| self.sources[source].lanes.iter().copied().find(|&lane| lanes[lane].id.partition == partition);
        match answer {
            kafka::Answer::Committed(commits) => {
                for Commit { partition, checkpoint, .. } in commits {
                    if let Some(lane) = lane_of(&self.lanes, partition) {
                        self.lanes[lane].commit(checkpoint);
                    }
                }
            }
            kafka::Answer::NotCommitted(fault) => self.warnings.warn(&format!("a commit failed and is tried again: {fault}")),
            kafka::Answer::Range(partition, range) => {
                let Some(lane) = lane_of(&self.lanes, partition) else { return };
                let lane = &mut self.lanes[lane];
                match (range, &lane.hold) {
                    (Ok(log), Hold::Failed { .. }) => lane.begin_again(log, &self.config),
                    (Ok(log), Hold::Gone { .. }) => lane.settle_gap(log, &self.config),
                    (Err(fault), _) => {
                        lane.hold.ask_again(Instant::now() + ASK_PAUSE);
                        return self.warnings.warn(&fault);
                    }
                    (Ok(_), Hold::None | Hold::Stopped) => return,
                }
                self.sources[source].is_stale = true;
            }
        }
    }

    /// Asks for what can be committed now, unless transactions do that.
    fn commit(&mut self) {
        self.committed_at = Instant::now();
        if self.config.delivery == Delivery::ExactlyOnce {
            return;
        }
        for Source { consumer, lanes, .. } in &mut self.sources {
            if !consumer.is_committing() {
                let lanes = lanes.iter().map(|&lane| &self.lanes[lane]).filter(|lane| lane.hold.may_commit());
                let commit = |lane: &Owned| Some(Commit { partition: lane.id.partition, checkpoint: lane.progress.to_commit()?, words: None });
                consumer.commit(lanes.filter_map(commit).collect());
            }
        }
    }

    /// Hands over what is open, waits for every acknowledgement and commit, until the deadline. A lane that has failed begins again with the next run: what
    /// it had handed over does not come back as written.
    fn drain(&mut self) {
        for index in 0..self.lanes.len() {
            self.lanes[index].flush_stack();
            self.hand_over(index, Instant::now(), Duration::ZERO);
        }
        let is_done = |lane: &Owned| lane.progress.watermark().is_settled() || matches!(lane.hold, Hold::Failed { .. }) && lane.progress.to_commit().is_none();
        while !self.lanes.iter().all(is_done) && !self.shared.is_over() {
            if let Ok(answer) = self.answers.recv_timeout(Duration::from_millis(1)) {
                self.take_answer(answer);
            } else {
                self.take_consumer_answers();
                self.commit();
            }
        }
    }

    fn idle(&mut self) {
        // One lane that stalls must not make the others wait.
        let full = self.bytes_under_way >= self.config.batch.worker_bytes() || self.lanes.iter().all(|lane| !lane.has_room(&self.config));
        match self.config.idle {
            _ if full => self.wait(BACKPRESSURE_WAIT),
            Idle::Spin => std::hint::spin_loop(),
            Idle::Yield => thread::yield_now(),
            Idle::Park(pause) => self.wait(pause),
        }
    }

    /// Waits for an answer, which is what ends most pauses.
    fn wait(&mut self, pause: Duration) {
        if let Ok(answer) = self.answers.recv_timeout(pause) {
            self.take_answer(answer);
        }
    }

    fn report(&mut self) {
        self.reported_at = Instant::now();
        let mut lanes = Vec::new();
        for Source { consumer, lanes: of_source, .. } in &self.sources {
            let assigned = consumer.assigned();
            lanes.extend(of_source.iter().map(|&lane| (self.lanes[lane].id, self.lanes[lane].status(&assigned))));
        }
        let report = WorkerReport { worker: self.index, lanes, latencies: self.latencies.clone() };
        // Whoever reads reports is slow or gone: the next one says it all, for counts go on from the start.
        if self.reports.try_send(report).is_ok() {
            self.latencies.reset();
        }
    }
}
