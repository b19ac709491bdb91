//! One lane in its worker: the core, how far it is, the batch being filled, and what it waits for when it cannot go on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Uncommitted;
use super::parcel::Parcel;
use super::spare::Spare;
use crate::batch::{Batch, Place};
use crate::checkpoint::Checkpoint;
use crate::config::{Config, FailPoint, LaneId, OnOffsetGap, Output};
use crate::delivery::{Hold, Progress, Step};
use crate::kafka::{LaneQueue, OffsetGap, Start};
use crate::lane::{Input, Lane, Restored};
use crate::observe::{LaneState, LaneStatus};
use crate::rules::Rules;
use crate::stack::Stacker;

/// The first pause before a lane begins again after a failure, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How long to wait before brokers that did not tell what is in a log are asked again.
pub(super) const ASK_PAUSE: Duration = Duration::from_millis(500);

/// See the module.
pub(super) struct Owned {
    pub(super) id: LaneId,
    pub(super) progress: Progress,
    pub(super) hold: Hold<Instant>,
    /// Where its input comes from, unless it is held.
    pub(super) queue: Option<LaneQueue>,
    lane: Lane,
    /// Where records wait for their array, and what came of one envelope before it is stacked; with array output.
    stacker: Option<Stacker>,
    unstacked: Batch,
    /// The moment that the stacker counts from.
    began: Instant,
    /// The batch being filled, and when its first envelope came.
    batch: Batch,
    opened_at: Option<Instant>,
    /// Batches handed over and not answered.
    under_way: usize,
    pause: Duration,
    state: LaneState,
    /// The Kafka timestamp of the last record that was taken, and when that was.
    last_timestamp_ms: i64,
    active_at: Instant,
    /// Offsets that were lost to gaps in the log.
    lost: u64,
    restarts: u64,
}

impl Owned {
    pub(super) fn new(id: LaneId, start: &Start, config: &Config, rules: &Arc<Rules>) -> Self {
        let mut owned = Self {
            id,
            progress: Progress::starting_at(start.checkpoint, start.log.0, config.restore_max_envelopes),
            hold: Hold::None,
            queue: None,
            lane: Lane::new(id.stream, id.partition, &config.names(id.stream).input, Arc::clone(rules)),
            stacker: match config.output {
                Output::Records => None,
                Output::Arrays(rules) => Some(Stacker::new(rules)),
            },
            unstacked: Batch::default(),
            began: Instant::now(),
            batch: Batch::default(),
            opened_at: None,
            under_way: 0,
            pause: PAUSE.0,
            state: LaneState::Ok,
            last_timestamp_ms: -1,
            active_at: Instant::now(),
            lost: 0,
            restarts: 0,
        };
        match start.gap() {
            Some(gap) => owned.meet_gap(gap, config),
            None => owned.begin_restore(),
        }
        owned
    }

    /// Whether the lane may take more.
    pub(super) fn has_room(&self, config: &Config) -> bool {
        self.under_way < config.batch.channel
    }

    /// Takes a record; what comes of it is in the open batch. `scratch` is for what is thrown away.
    pub(super) fn take(&mut self, input: &Input<'_>, now: Instant, scratch: &mut Batch) {
        self.finish_restore(input.offset);
        let before = self.progress.position();
        match self.progress.step(input.offset) {
            Step::Ignore => return,
            Step::Restore => {
                self.lane.process(input, scratch);
                scratch.clear(1 << 20);
            }
            Step::Process => {
                self.process(input, before, now);
                FailPoint::AfterDecode.reach();
                self.opened_at.get_or_insert(now);
            }
        }
        (self.last_timestamp_ms, self.active_at) = (input.timestamp_ms, now);
        self.finish_restore(self.progress.position());
    }

    fn process(&mut self, input: &Input<'_>, before: i64, now: Instant) {
        let Some(stacker) = &mut self.stacker else { return self.lane.process(input, &mut self.batch) };
        // A record that waits holds its whole envelope back.
        let before = self.lane.checkpoint(before);
        self.lane.process(input, &mut self.unstacked);
        stacker.stack(&self.unstacked, &before, micros(now - self.began), &mut self.batch);
        self.unstacked.clear(1 << 20);
    }

    /// Lets the array that has waited long enough leave.
    pub(super) fn tend_stack(&mut self) {
        let Some(stacker) = &mut self.stacker else { return };
        stacker.flush_due(micros(self.began.elapsed()), &mut self.batch);
        if !self.batch.is_empty() {
            self.opened_at.get_or_insert_with(Instant::now);
        }
    }

    /// Lets the open array leave at once.
    pub(super) fn flush_stack(&mut self) {
        let Some(stacker) = &mut self.stacker else { return };
        stacker.flush(&mut self.batch);
        if !self.batch.is_empty() {
            self.opened_at.get_or_insert_with(Instant::now);
        }
    }

    /// Whether the open batch is full, or at least `age` old.
    pub(super) fn is_due(&self, config: &Config, now: Instant, age: Duration) -> bool {
        let Some(opened_at) = self.opened_at else { return false };
        self.batch.len() >= config.batch.records || self.batch.bytes() >= config.batch.bytes || now.saturating_duration_since(opened_at) >= age
    }

    /// Closes the open batch, if there is one. A batch without messages is acknowledged at once, unless `empty_too`.
    pub(super) fn hand_over(&mut self, worker: usize, lane: usize, empty_too: bool, spare: &mut Spare) -> Option<Parcel> {
        self.opened_at.take()?;
        let held = self.stacker.as_ref().and_then(Stacker::held);
        let checkpoint = held.unwrap_or_else(|| self.lane.checkpoint(self.progress.position()));
        if self.batch.is_empty() && checkpoint.offset == self.progress.watermark().sent() {
            return None;
        }
        let ticket = self.progress.hand_over(checkpoint);
        if self.batch.is_empty() && !empty_too {
            self.progress.acknowledge(ticket);
            return None;
        }
        let batch = std::mem::replace(&mut self.batch, spare.take());
        self.under_way += 1;
        Some(Parcel { worker, lane, lane_id: self.id, epoch: self.progress.epoch(), ticket, checkpoint, batch, encoded_at: Instant::now() })
    }

    /// Notes what the brokers hold as committed.
    pub(super) fn commit(&mut self, checkpoint: Checkpoint) {
        self.progress.commit(checkpoint);
        self.lane.forget_refused(self.progress.watermark().committed().offset);
    }

    /// Notes that a batch has come back.
    pub(super) const fn came_back(&mut self) {
        self.under_way -= 1;
    }

    /// Notes that the lane writes again.
    pub(super) fn recover(&mut self) {
        if matches!(self.state, LaneState::Stall(_)) && matches!(self.hold, Hold::None) {
            log::info!("{}: writes again", self.id);
            (self.state, self.pause) = (LaneState::Ok, PAUSE.0);
        }
    }

    /// Notes that the lane cannot write at present.
    pub(super) fn trouble(&mut self, fault: String) {
        if matches!(self.hold, Hold::Stopped) {
            // What it had under way tells no more than why it has stopped.
            return;
        }
        if !matches!(self.state, LaneState::Stall(_)) {
            log::error!("{}: stalls: {fault}", self.id);
        }
        self.state = LaneState::Stall(fault);
    }

    /// Throws away what is open, and begins again after a pause: at `checkpoint`, or else at what is committed then.
    pub(super) fn fail(&mut self, checkpoint: Option<Checkpoint>, refused: Vec<Place>) {
        // What failed before this lane began again is dealt with; a message that is refused is written otherwise the next time.
        let wait = if refused.is_empty() && checkpoint.is_none() { self.pause } else { Duration::ZERO };
        for place in refused {
            if let Some(frame) = place.frame {
                self.lane.refuse(place.offset, frame);
            }
        }
        self.halt();
        self.hold = Hold::Failed { until: Instant::now() + wait, checkpoint, asked: false };
        if !wait.is_zero() {
            self.pause = (self.pause * 2).min(PAUSE.1);
        }
        self.restarts += 1;
    }

    /// The offset is not in the log. What was taken before is delivered first: the caller hands it over, also what waits for its array.
    pub(super) fn lose_offset(&mut self, fault: &str) {
        if let Some(restore) = self.progress.restoring() {
            // Only books are lost: the log begins later than it did when the lane began.
            return self.fail(Some(restore.target), Vec::new());
        }
        log::error!("{}: {fault}", self.id);
        self.state = LaneState::Stall(fault.to_owned());
        self.flush_stack();
        self.progress.halt();
        self.queue = None;
        self.hold = Hold::Gone { until: Instant::now(), asked: false };
    }

    /// Goes on after a failure, now that the log is known.
    pub(super) fn begin_again(&mut self, log: (i64, i64), config: &Config) {
        let Hold::Failed { checkpoint, .. } = self.hold else { return };
        let checkpoint = checkpoint.unwrap_or_else(|| self.progress.watermark().committed());
        self.hold = Hold::None;
        self.progress.rewind(checkpoint, log.0, config.restore_max_envelopes);
        match OffsetGap::find(checkpoint.offset, log) {
            Some(gap) => self.meet_gap(gap, config),
            None => {
                log::info!("{}: begins again at offset {}", self.id, checkpoint.offset);
                self.begin_restore();
            }
        }
    }

    /// Decides about an offset that is not in the log; `log` says what is.
    pub(super) fn settle_gap(&mut self, log: (i64, i64), config: &Config) {
        self.hold = Hold::None;
        match OffsetGap::find(self.progress.position(), log) {
            Some(gap) => self.meet_gap(gap, config),
            // It was there all the same: librdkafka had asked a broker that was behind.
            None => self.progress.jump(self.lane.checkpoint(self.progress.position())),
        }
    }

    fn meet_gap(&mut self, gap: OffsetGap, config: &Config) {
        let names = config.names(self.id.stream);
        if config.on_offset_gap == OnOffsetGap::Stop {
            let remedy = format!("reset the offset of group {} for {}, or use --on-offset-gap continue", names.group, names.input);
            log::error!("{}: stops: {gap}; {remedy}", self.id);
            self.state = LaneState::Stop(format!("{gap}; {remedy}"));
            self.progress.halt();
            self.hold = Hold::Stopped;
            return;
        }
        log::error!("{}: goes on at offset {}: {gap}", self.id, gap.log.0);
        self.lost += u64::try_from(gap.size().unwrap_or(0)).unwrap_or(0);
        self.state = LaneState::Warn(format!("went on at offset {}: {gap}", gap.log.0));
        self.lane.forget_books();
        self.progress.jump(self.lane.checkpoint(gap.log.0));
    }

    fn halt(&mut self) {
        self.progress.halt();
        self.queue = None;
        self.opened_at = None;
        self.batch.clear(1 << 20);
        self.stacker.as_mut().map(Stacker::clear);
    }

    /// Gets the books ready: those of the checkpoint, which are read again, or none.
    fn begin_restore(&mut self) {
        let target = self.progress.restoring().map_or_else(|| self.progress.watermark().committed(), |restore| restore.target);
        self.lane.begin_restore(&target, self.progress.position());
        match self.progress.restoring() {
            Some(restore) => log::info!("{}: reads offsets {} to {} again for its books", self.id, restore.from, target.offset),
            None => drop(self.lane.end_restore()),
        }
        self.finish_restore(self.progress.position());
    }

    fn finish_restore(&mut self, next_offset: i64) {
        let Some(restore) = self.progress.finish_restore(next_offset) else { return };
        match self.lane.end_restore() {
            Restored::Same { books } => log::info!("{}: {books} books are as they were at offset {}", self.id, restore.target.offset),
            Restored::Partly { books, of } => {
                log::warn!("{}: {books} of {of} books are back at offset {}, the others rest on older snapshots", self.id, restore.target.offset);
            }
            Restored::Different { expected, found } => {
                log::error!(
                    "{}: the log gives other books than at the commit of offset {}, all are unverified: {expected:?}, {found:?}",
                    self.id,
                    restore.target.offset
                );
            }
        }
    }

    /// What of it is not committed, if anything is not.
    pub(super) fn uncommitted(&self) -> Option<Uncommitted> {
        let count = self.progress.uncommitted();
        let fault = if let LaneState::Stall(fault) = &self.state { Some(fault.clone()) } else { None };
        (count > 0).then_some(Uncommitted { lane: self.id, count, fault, was_held: !matches!(self.hold, Hold::None) })
    }

    /// How far it is; `assigned` are the partitions that its consumer reads.
    pub(super) fn status(&self, assigned: &[i32]) -> LaneStatus {
        LaneStatus {
            counts: self.lane.counts().clone(),
            position: self.progress.position(),
            watermark: self.progress.watermark().offset(),
            committed: self.progress.watermark().committed().offset,
            restoring: self.progress.restoring().map(|restore| (restore.from, restore.target.offset)),
            is_assigned: assigned.contains(&self.id.partition) || !matches!(self.hold, Hold::None),
            state: self.state.clone(),
            books: self.lane.books(),
            last_timestamp_ms: self.last_timestamp_ms,
            active_at: Some(self.active_at),
            under_way: self.under_way,
            lost: self.lost,
            restarts: self.restarts,
        }
    }
}

/// Microseconds of a duration that is far below the age of the universe.
fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
