//! A lane in its worker: as `Owned` of the runtime, with a model of the core and of the consumer's queue.

use std::collections::VecDeque;

use market_hub::batch::Place;
use market_hub::checkpoint::{Checkpoint, Claim};
use market_hub::delivery::{Hold, Progress, Step, Ticket};

use crate::broker::World;
use crate::check::Serial;
use crate::input::{Core, Input, Message, Restored, Topic};

/// The first pause before a lane begins again after a failure, and the longest, in milliseconds.
const PAUSE_MS: (u64, u64) = (100, 5_000);

/// What has come out of a consumer's queue.
enum Polled {
    Nothing,
    Record(Input),
    OffsetGone,
}

/// The queue of a lane: what is fetched, and what is fetched next.
struct Queue {
    next: i64,
    fetched: VecDeque<Input>,
    /// Nothing more comes after an offset that is gone.
    is_over: bool,
}

impl Queue {
    const fn new(next: i64) -> Self {
        Self { next, fetched: VecDeque::new(), is_over: false }
    }

    fn poll(&mut self, world: &mut World, lane: usize) -> Polled {
        if self.fetched.is_empty() && !self.is_over && !world.outage {
            let (low, high) = world.logs[lane].range();
            if !(low..=high).contains(&self.next) {
                self.is_over = true;
                return Polled::OffsetGone;
            }
            for _ in 0..1 + world.random.below(4) {
                let Some(input) = world.logs[lane].at(self.next) else { break };
                self.next = input.offset + 1;
                self.fetched.push_back(input);
                if world.random.happens(world.plan.faults.stray) {
                    self.fetched.push_back(input);
                }
            }
        }
        self.fetched.pop_front().map_or(Polled::Nothing, Polled::Record)
    }
}

/// A batch on its way.
pub(crate) struct Parcel {
    pub(crate) lane: usize,
    pub(crate) epoch: u32,
    pub(crate) ticket: Ticket,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) messages: Vec<Message>,
    pub(crate) serial: Serial,
}

/// See the module.
pub(crate) struct Lane {
    index: usize,
    claim: Claim,
    pub(crate) progress: Progress,
    pub(crate) hold: Hold<u64>,
    queue: Option<Queue>,
    core: Core,
    /// With arrays, records that wait for theirs, and the checkpoint before the envelope of the first.
    stack: Vec<Message>,
    held: Option<Checkpoint>,
    batch: Vec<Message>,
    is_open: bool,
    pub(crate) under_way: usize,
    pause_ms: u64,
    run: usize,
}

impl Lane {
    pub(crate) fn new(world: &mut World, index: usize, claim: Claim, checkpoint: Checkpoint, log: (i64, i64)) -> Self {
        let mut lane = Self {
            index,
            claim,
            progress: Progress::starting_at(checkpoint, log.0, world.plan.restore_max),
            hold: Hold::None,
            queue: None,
            core: Core::new(index),
            stack: Vec::new(),
            held: None,
            batch: Vec::new(),
            is_open: false,
            under_way: 0,
            pause_ms: PAUSE_MS.0,
            run: world.check.begins(checkpoint.offset),
        };
        lane.go_on_from(world, checkpoint.offset, log);
        lane
    }

    /// Polls what is there; `Some` are batches to send.
    pub(crate) fn poll(&mut self, world: &mut World) -> Vec<Parcel> {
        let mut parcels = Vec::new();
        if world.random.below(8) == 0 {
            self.flush_stack();
        }
        for _ in 0..1 + world.random.below(6) {
            if self.under_way >= world.plan.channel {
                break;
            }
            let Some(queue) = &mut self.queue else { break };
            match queue.poll(world, self.index) {
                Polled::Record(input) => {
                    self.take(world, &input);
                    if self.batch.len() >= world.plan.batch_records || world.random.below(4) == 0 {
                        parcels.extend(self.hand_over(world));
                    }
                }
                // An array of a transaction waits for its interval.
                Polled::Nothing if world.plan.array > 1 && world.plan.exactly_once && world.random.below(4) > 0 => break,
                Polled::Nothing => {
                    parcels.extend(self.hand_over(world));
                    break;
                }
                Polled::OffsetGone => {
                    self.lose_offset(world);
                    parcels.extend(self.hand_over(world));
                    break;
                }
            }
        }
        parcels
    }

    fn take(&mut self, world: &mut World, input: &Input) {
        self.finish_restore(world, input.offset);
        let before = self.progress.position();
        match self.progress.step(input.offset) {
            Step::Ignore => return,
            Step::Restore => self.core.process(input, &mut Vec::new()),
            Step::Process => {
                self.process(world, input, before);
                self.is_open = true;
            }
        }
        self.finish_restore(world, self.progress.position());
    }

    fn process(&mut self, world: &World, input: &Input, before: i64) {
        if world.plan.array == 1 {
            return self.core.process(input, &mut self.batch);
        }
        // A record that waits holds its whole envelope back.
        let before = self.core.checkpoint(before);
        let mut messages = Vec::new();
        self.core.process(input, &mut messages);
        for message in messages {
            if message.topic == Topic::DeadLetters {
                self.batch.push(message);
                continue;
            }
            self.held.get_or_insert(before);
            self.stack.push(message);
            if self.stack.len() >= world.plan.array {
                self.flush_stack();
            }
        }
    }

    /// Lets the open array leave.
    fn flush_stack(&mut self) {
        self.held = None;
        self.batch.append(&mut self.stack);
        self.is_open |= !self.batch.is_empty();
    }

    /// Closes the open batch, if there is one, with what waits for an array where that is wanted.
    pub(crate) fn hand_over_all(&mut self, world: &mut World) -> Option<Parcel> {
        self.flush_stack();
        self.hand_over(world)
    }

    /// Closes the open batch, if there is one.
    fn hand_over(&mut self, world: &mut World) -> Option<Parcel> {
        if self.is_open && world.plan.exactly_once {
            self.flush_stack();
        }
        if !std::mem::take(&mut self.is_open) {
            return None;
        }
        let checkpoint = self.held.unwrap_or_else(|| self.core.checkpoint(self.progress.position()));
        if self.batch.is_empty() && checkpoint.offset == self.progress.watermark().sent() {
            return None;
        }
        let ticket = self.progress.hand_over(checkpoint);
        let serial = world.check.hands_over(self.run, checkpoint.offset, self.batch.len());
        world.note(|| format!("lane {}: hands over {} messages below {}", self.index, self.batch.len(), checkpoint.offset));
        if self.batch.is_empty() && !world.plan.exactly_once {
            self.progress.acknowledge(ticket);
            return None;
        }
        self.under_way += 1;
        Some(Parcel { lane: self.index, epoch: self.progress.epoch(), ticket, checkpoint, messages: std::mem::take(&mut self.batch), serial })
    }

    pub(crate) fn commit(&mut self, checkpoint: Checkpoint) {
        self.progress.commit(checkpoint);
        self.core.forget_refused(self.progress.watermark().committed().offset);
    }

    /// Notes that the lane writes again.
    pub(crate) const fn recover(&mut self) {
        if matches!(self.hold, Hold::None) {
            self.pause_ms = PAUSE_MS.0;
        }
    }

    /// Begins again after a pause: at `checkpoint`, or else at what is committed then.
    pub(crate) fn fail(&mut self, world: &World, checkpoint: Option<Checkpoint>, refused: Vec<Place>) {
        world.note(|| format!("lane {}: fails; at {checkpoint:?}, refused are {refused:?}", self.index));
        let wait = if refused.is_empty() && checkpoint.is_none() { self.pause_ms } else { 0 };
        refused.into_iter().for_each(|place| self.core.refuse(place));
        self.progress.halt();
        (self.queue, self.is_open) = (None, false);
        self.batch.clear();
        self.stack.clear();
        self.held = None;
        self.hold = Hold::Failed { until: world.now_ms + wait, checkpoint, asked: false };
        if wait > 0 {
            self.pause_ms = (self.pause_ms * 2).min(PAUSE_MS.1);
        }
    }

    fn lose_offset(&mut self, world: &World) {
        world.note(|| format!("lane {}: its offset is gone", self.index));
        if let Some(restore) = self.progress.restoring() {
            return self.fail(world, Some(restore.target), Vec::new());
        }
        self.flush_stack();
        self.progress.halt();
        self.queue = None;
        self.hold = Hold::Gone { until: world.now_ms, asked: false };
    }

    /// Goes on after a failure, now that the log is known.
    pub(crate) fn begin_again(&mut self, world: &mut World, log: (i64, i64)) {
        let Hold::Failed { checkpoint, .. } = self.hold else { return };
        let checkpoint = checkpoint.unwrap_or_else(|| self.progress.watermark().committed());
        self.hold = Hold::None;
        self.progress.rewind(checkpoint, log.0, world.plan.restore_max);
        self.run = world.check.begins(checkpoint.offset);
        world.note(|| format!("lane {}: begins again at {checkpoint:?}", self.index));
        self.go_on_from(world, checkpoint.offset, log);
    }

    /// Decides about an offset that was gone, now that the log is known.
    pub(crate) fn settle_gap(&mut self, world: &mut World, log: (i64, i64)) {
        self.hold = Hold::None;
        let position = self.progress.position();
        if (log.0..=log.1).contains(&position) {
            self.run = world.check.begins(position);
            return self.progress.jump(self.core.checkpoint(position));
        }
        self.meet_gap(world, position, log);
    }

    fn go_on_from(&mut self, world: &mut World, offset: i64, log: (i64, i64)) {
        if !(log.0..=log.1).contains(&offset) {
            return self.meet_gap(world, offset, log);
        }
        let target = self.progress.restoring().map_or_else(|| self.progress.watermark().committed(), |restore| restore.target);
        self.core.begin_restore(&target, self.progress.position());
        if self.progress.restoring().is_none() {
            self.end_restore(world, &target);
        }
        self.finish_restore(world, self.progress.position());
    }

    fn meet_gap(&mut self, world: &mut World, wanted: i64, log: (i64, i64)) {
        world.note(|| format!("lane {}: {wanted} is wanted, the log is {log:?}", self.index));
        if world.plan.stop_at_gaps {
            self.progress.halt();
            self.hold = Hold::Stopped;
            return;
        }
        assert!(wanted < log.0 && log.0 <= world.logs[self.index].low, "a gap where there is none");
        world.check.skips(self.index, self.claim, wanted, log.0);
        self.core.forget_books();
        self.progress.jump(Checkpoint::without_books(log.0));
        self.run = world.check.begins(log.0);
    }

    fn finish_restore(&mut self, world: &mut World, next_offset: i64) {
        if let Some(restore) = self.progress.finish_restore(next_offset) {
            self.end_restore(world, &restore.target);
        }
    }

    fn end_restore(&mut self, world: &mut World, target: &Checkpoint) {
        match self.core.end_restore() {
            Restored::Same => {}
            Restored::Different => panic!("lane {}: other books than those of {target:?}", self.index),
            Restored::Partly(from) => {
                let earliest = world.logs[self.index].low.max(target.offset - world.plan.restore_max.min(1 << 40) as i64);
                assert!(from <= earliest, "lane {}: books of {target:?} are rebuilt from {from} only, not from {earliest}", self.index);
                world.check.loses_books(self.index, from);
            }
        }
    }

    /// Reads from its position on, unless it is held.
    pub(crate) fn read(&mut self) {
        self.queue = (!self.progress.is_halted()).then(|| Queue::new(self.progress.position()));
    }

    pub(crate) fn check(&self, world: &World) {
        let watermark = self.progress.watermark();
        let chain = [watermark.committed().offset, watermark.offset(), watermark.sent(), self.progress.position()];
        let held = world.committed_offset(self.index);
        world.check.chain(self.index, self.run, chain, held);
    }

    /// Whether the lane has stopped, or all of its log is committed and nothing is under way.
    pub(crate) fn is_drained(&self, world: &World) -> bool {
        let is_stopped = matches!(self.hold, Hold::Stopped);
        let is_committed = world.logs[self.index].at(self.progress.watermark().committed().offset).is_none();
        self.under_way == 0 && (is_stopped || !self.is_open && is_committed && self.progress.watermark().is_settled())
    }
}
