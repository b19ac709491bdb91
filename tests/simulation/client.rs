//! A model of a producer: messages in flight, in order within an output partition and in any order across them, and the reports of them.

use std::collections::VecDeque;

use market_hub::checkpoint::{Checkpoint, Claim};
use market_hub::delivery::Fault;

use crate::broker::{Late, World};
use crate::check::Serial;
use crate::input::{Message, Topic};

/// Why a message is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    TooLarge,
    Fatal,
    Fenced,
    Other,
}

/// Why a message is not taken.
pub(crate) enum Refusal {
    QueueFull,
    Failed(Cause),
}

#[derive(Clone, Copy)]
struct Sent {
    lane: usize,
    message: Message,
    serial: Serial,
    tag: (usize, usize),
}

/// What the brokers have said of a message.
pub(crate) struct Report {
    pub(crate) tag: (usize, usize),
    pub(crate) failure: Option<Cause>,
}

/// What becomes of a call.
enum Fate {
    /// It is done; then `Some` says that the answer is lost, and that it comes once more, late.
    Done(Option<(Fault, bool)>),
    /// It is not done, or late.
    Lost(Fault, bool),
}

/// See the module.
pub(crate) struct Client {
    /// With transactions, its epoch.
    epoch: Option<u32>,
    in_flight: Vec<VecDeque<Sent>>,
    reports: Vec<Report>,
    pub(crate) fatal: Option<Cause>,
}

impl Client {
    pub(crate) fn new(lanes: usize, epoch: Option<u32>) -> Self {
        Self { epoch, in_flight: vec![VecDeque::new(); 2 * lanes], reports: Vec::new(), fatal: None }
    }

    pub(crate) fn send(&mut self, world: &mut World, lane: usize, message: &Message, serial: Serial, tag: (usize, usize)) -> Result<(), Refusal> {
        if self.in_flight.iter().map(VecDeque::len).sum::<usize>() + self.reports.len() >= world.plan.queue {
            return Err(Refusal::QueueFull);
        }
        if let Some(cause) = self.fatal {
            return Err(Refusal::Failed(cause));
        }
        // Larger than the producer's own bound.
        if message.is_oversized && message.place.offset % 2 == 0 {
            return Err(Refusal::Failed(Cause::TooLarge));
        }
        if world.random.happens(world.plan.faults.report / 4) {
            return Err(Refusal::Failed(Cause::Other));
        }
        self.in_flight[2 * lane + usize::from(message.topic == Topic::DeadLetters)].push_back(Sent { lane, message: *message, serial, tag });
        Ok(())
    }

    /// A message reaches the brokers.
    pub(crate) fn deliver(&mut self, world: &mut World) {
        let busy: Vec<usize> = (0..self.in_flight.len()).filter(|&queue| !self.in_flight[queue].is_empty()).collect();
        if world.outage || busy.is_empty() {
            return;
        }
        let queue = world.random.pick(&busy);
        let Some(sent) = self.in_flight[queue].pop_front() else { return };
        let fails = world.random.happens(world.plan.faults.report);
        let is_fatal = world.random.happens(world.plan.faults.fatal);
        let failure = if sent.message.is_oversized {
            Some(Cause::TooLarge)
        } else if fails || is_fatal {
            if world.random.below(2) == 0 {
                let _ = self.write(world, &sent);
            }
            if is_fatal {
                self.fatal = Some(Cause::Fatal);
            }
            Some(if is_fatal { Cause::Fatal } else { Cause::Other })
        } else {
            self.write(world, &sent).err()
        };
        world.note(|| format!("lane {}: {:?} of {:?} reaches the brokers: {failure:?}", sent.lane, sent.message.place, sent.message.topic));
        self.reports.push(Report { tag: sent.tag, failure });
    }

    fn write(&mut self, world: &mut World, sent: &Sent) -> Result<(), Cause> {
        let Some(epoch) = self.epoch else {
            world.check.written(sent.lane, &sent.message, sent.serial);
            return Ok(());
        };
        world.produce(sent.lane, epoch, &sent.message).map_err(|_| {
            self.fatal = Some(Cause::Fenced);
            Cause::Fenced
        })
    }

    pub(crate) fn take_reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }

    /// The producer is no more. What is in flight is written or not, and with transactions comes late.
    pub(crate) fn abandon(mut self, world: &mut World) {
        for mut queue in std::mem::take(&mut self.in_flight) {
            let count = world.random.below(queue.len() + 1);
            for sent in queue.drain(..).take(count).filter(|sent| !sent.message.is_oversized) {
                match self.epoch {
                    Some(epoch) => world.delay(sent.lane, Late::Produce { epoch, message: sent.message }),
                    None => world.check.written(sent.lane, &sent.message, sent.serial),
                }
            }
        }
    }

    pub(crate) fn begin(&mut self, world: &mut World) -> Result<(), Fault> {
        self.call(world, |_, _| Ok(()), None)
    }

    pub(crate) fn add_offset(&mut self, world: &mut World, lane: usize, checkpoint: &Checkpoint, claim: Claim) -> Result<(), Fault> {
        self.call(world, |world, epoch| world.add_offset(lane, epoch, checkpoint, claim), None)
    }

    pub(crate) fn commit(&mut self, world: &mut World, lane: usize) -> Result<(), Fault> {
        let is_quiet = self.reports.is_empty() && self.in_flight.iter().all(VecDeque::is_empty);
        assert!(is_quiet, "lane {lane}: a commit with messages that are not reported");
        self.call(world, |world, epoch| world.end(lane, epoch, true), Some((lane, true)))
    }

    /// What is queued is thrown away, what is on its way is waited for: all of it is reported.
    pub(crate) fn abort(&mut self, world: &mut World, lane: usize) -> Result<(), Fault> {
        for sent in std::mem::take(&mut self.in_flight).into_iter().flatten() {
            let is_written = world.random.below(2) == 0 && !sent.message.is_oversized && self.write(world, &sent).is_ok();
            self.reports.push(Report { tag: sent.tag, failure: (!is_written).then_some(Cause::Other) });
        }
        self.in_flight = vec![VecDeque::new(); 2 * world.plan.lanes];
        self.call(world, |world, epoch| world.end(lane, epoch, false), Some((lane, false)))
    }

    /// Makes a call, with its fate. Of one that ends a transaction, `late` says what may come late.
    fn call(&mut self, world: &mut World, make: impl FnOnce(&mut World, u32) -> Result<(), Fault>, late: Option<(usize, bool)>) -> Result<(), Fault> {
        let epoch = self.epoch.unwrap_or_default();
        match self.fatal {
            Some(Cause::Fenced) => return Err(Fault::Fenced),
            Some(_) => return Err(Fault::Fatal),
            None => {}
        }
        let fate = Self::fate(world);
        let result = match fate {
            Fate::Done(None) => make(world, epoch),
            Fate::Done(Some((fault, _))) => make(world, epoch).and(Err(fault)),
            Fate::Lost(fault, _) => Err(fault),
        };
        if let (Some((lane, commit)), Fate::Done(Some((_, true))) | Fate::Lost(_, true)) = (late, fate) {
            world.delay(lane, Late::End { epoch, commit });
        }
        match result {
            Err(Fault::Fenced) => self.fatal = Some(Cause::Fenced),
            Err(Fault::Fatal) => self.fatal = Some(Cause::Fatal),
            _ => {}
        }
        result
    }

    fn fate(world: &mut World) -> Fate {
        if world.outage {
            let is_late = world.random.below(4) == 0;
            return Fate::Lost(Fault::TimedOut, is_late);
        }
        if !world.random.happens(world.plan.faults.call) {
            return Fate::Done(None);
        }
        let is_late = world.random.below(2) == 0;
        match world.random.below(8) {
            0 => Fate::Lost(Fault::Retriable, false),
            1 => Fate::Lost(Fault::Abortable, false),
            2 => Fate::Lost(Fault::Fenced, false),
            3 => Fate::Lost(Fault::TimedOut, is_late),
            4 => Fate::Lost(Fault::Fatal, is_late),
            5 => Fate::Done(Some((Fault::Retriable, false))),
            6 => Fate::Done(Some((Fault::TimedOut, is_late))),
            _ => Fate::Done(Some((Fault::Fatal, is_late))),
        }
    }
}
