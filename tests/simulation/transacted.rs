//! Exactly once: the transactions of one lane, as `Transacted` of the runtime, and how a lane is taken over.

use std::collections::VecDeque;

use market_hub::checkpoint::{Checkpoint, Claim};
use market_hub::delivery::{Call, Fault, Joining, Transaction};

use crate::broker::World;
use crate::client::{Cause, Client, Refusal};
use crate::hub::Answer;
use crate::lane::Parcel;

/// Where a lane starts: the checkpoint, and the range of its log.
pub(crate) type Start = (Checkpoint, (i64, i64));

/// A lane that is being taken over, one request after the other.
pub(crate) struct TakeOver {
    lane: usize,
    claim: Claim,
    client: Option<Client>,
    start: Option<Start>,
    stage: usize,
}

impl TakeOver {
    pub(crate) const fn new(lane: usize, claim: Claim) -> Self {
        Self { lane, claim, client: None, start: None, stage: 0 }
    }

    /// The next request; `Some` when it is over.
    pub(crate) fn step(&mut self, world: &mut World) -> Option<Result<(Client, Start), Fault>> {
        // Requests take their time, or two instances that start at once would fence each other for ever.
        if world.random.below(2) == 0 {
            return None;
        }
        self.stage += 1;
        if let Err(fault) = self.request(world) {
            if let Some(client) = self.client.take() {
                client.abandon(world);
            }
            world.note(|| format!("lane {}: {:x} fails to take it over in stage {}: {fault:?}", self.lane, self.claim.0, self.stage));
            return Some(Err(fault));
        }
        (self.stage == 5).then(|| self.client.take().zip(self.start).ok_or(Fault::Fatal))
    }

    fn request(&mut self, world: &mut World) -> Result<(), Fault> {
        let lane = self.lane;
        if self.stage == 1 {
            let mut client = Client::new(world.plan.lanes, None);
            // It may be done, and its answer lost.
            let answer = client.begin(world);
            if answer.is_ok() || world.random.below(2) == 0 {
                let epoch = world.initialise(lane);
                world.note(|| format!("lane {lane}: {:x} has epoch {epoch}", self.claim.0));
                self.client = Some(Client::new(world.plan.lanes, Some(epoch)));
            }
            return answer;
        }
        if self.stage == 2 {
            world.ask_committed(lane)?;
            self.start = Some(world.start(lane, self.claim));
            return Ok(());
        }
        let (client, (checkpoint, _)) = self.client.as_mut().zip(self.start).ok_or(Fault::Fatal)?;
        match self.stage {
            3 => client.begin(world),
            4 => client.add_offset(world, lane, &checkpoint, self.claim),
            _ => client.commit(world, lane),
        }
    }
}

/// See the module.
pub(crate) struct Transacted {
    lane: usize,
    claim: Claim,
    pub(crate) client: Option<Client>,
    transaction: Transaction,
    batches: Joining<Parcel>,
    found: Option<Checkpoint>,
    /// The call to replace the producer that is being made.
    taking: Option<TakeOver>,
}

impl Transacted {
    pub(crate) fn new(world: &World, lane: usize, claim: Claim, client: Client) -> Self {
        let transaction = Transaction::new(world.plan.commit_interval_ms);
        Self { lane, claim, client: Some(client), transaction, batches: Joining::default(), found: None, taking: None }
    }

    pub(crate) fn accept(&mut self, parcel: Parcel, answers: &mut VecDeque<Answer>) {
        let (epoch, messages, checkpoint) = (parcel.epoch, parcel.messages.len(), parcel.checkpoint);
        answers.extend(self.batches.accept(parcel, epoch, messages, checkpoint).map(Answer::Dropped));
    }

    pub(crate) fn is_fenced(&self) -> bool {
        self.transaction.is_fenced()
    }

    pub(crate) fn turn(&mut self, world: &mut World, answers: &mut VecDeque<Answer>, is_stopping: bool) {
        if let Some(taking) = &mut self.taking {
            let Some(result) = taking.step(world) else { return };
            self.taking = None;
            let result = result.map(|(client, (checkpoint, _))| {
                (self.client, self.found) = (Some(client), Some(checkpoint));
            });
            self.transaction.done(Call::Replace, result, world.now_ms);
            return;
        }
        self.send(world);
        self.take_reports(world);
        let hurry = is_stopping && !self.batches.is_waiting();
        while let Some(call) = self.transaction.next(world.now_ms, self.batches.is_waiting(), self.batches.unreported(), hurry) {
            if call == Call::Replace {
                self.client.take().into_iter().for_each(|client| client.abandon(world));
                self.taking = Some(TakeOver::new(self.lane, self.claim));
                return;
            }
            let result = self.call(world, call);
            world.note(|| format!("lane {}: {:x} calls {call:?}: {result:?}", self.lane, self.claim.0));
            if world.random.happens(world.plan.faults.crash) {
                world.crashes = true;
                return;
            }
            if let Some(checkpoint) = self.transaction.done(call, result, world.now_ms) {
                answers.extend(self.batches.committed().map(Answer::Written));
                answers.push_back(Answer::Committed(self.lane, checkpoint));
            } else if call == Call::Ask && result.is_ok() {
                self.rewind(answers);
            }
            if self.transaction.is_fenced() || result.is_err() || matches!(call, Call::Begin | Call::Commit) {
                break;
            }
        }
        self.send(world);
    }

    fn send(&mut self, world: &mut World) {
        while let Some(client) = &mut self.client
            && let Some((slot, index)) = self.batches.next(&mut self.transaction, world.now_ms)
            && let Some(parcel) = self.batches.batch(slot)
        {
            match client.send(world, self.lane, &parcel.messages[index], parcel.serial, (slot, index)) {
                Ok(()) => self.batches.taken(),
                Err(Refusal::QueueFull) => return,
                Err(Refusal::Failed(cause)) => {
                    self.refuse(cause, slot, index);
                    self.batches.not_taken();
                    self.fail(cause);
                }
            }
        }
    }

    fn take_reports(&mut self, world: &mut World) {
        let Some(client) = &mut self.client else { return };
        for report in client.take_reports() {
            self.batches.reported(1);
            let (slot, index) = report.tag;
            let Some(cause) = report.failure else {
                if let Some(parcel) = self.batches.batch(slot) {
                    world.check.acknowledged(self.lane, parcel.messages[index].place, parcel.serial);
                }
                continue;
            };
            self.refuse(cause, slot, index);
            if !self.transaction.is_failing() {
                self.fail(cause);
            }
        }
    }

    fn refuse(&mut self, cause: Cause, slot: usize, index: usize) {
        if let Some(parcel) = self.batches.batch(slot).filter(|_| cause == Cause::TooLarge) {
            let place = parcel.messages[index].place;
            self.batches.refuse(place);
        }
    }

    fn fail(&mut self, cause: Cause) {
        match cause {
            Cause::Fenced => self.transaction.lose(Fault::Fenced),
            Cause::Fatal => self.transaction.lose(Fault::Fatal),
            Cause::TooLarge | Cause::Other => self.transaction.fail(),
        }
    }

    fn call(&mut self, world: &mut World, call: Call) -> Result<(), Fault> {
        let lane = self.lane;
        match call {
            Call::Begin => self.client.as_mut().ok_or(Fault::Fatal)?.begin(world),
            Call::Offsets(checkpoint) => self.client.as_mut().ok_or(Fault::Fatal)?.add_offset(world, lane, &checkpoint, self.claim),
            Call::Commit => self.client.as_mut().ok_or(Fault::Fatal)?.commit(world, lane),
            Call::Abort => self.client.as_mut().ok_or(Fault::Fatal)?.abort(world, lane),
            Call::Owner => match world.ask_committed(lane)? {
                Some((_, owner)) if self.claim.gives_way_to(owner) => Err(Fault::Fenced),
                _ => Ok(()),
            },
            Call::Replace => Err(Fault::Fatal),
            Call::Ask => {
                if self.found.is_none() {
                    self.found = world.ask_committed(lane)?.map(|(checkpoint, _)| checkpoint);
                }
                self.found.map(drop).ok_or(Fault::Retriable)
            }
        }
    }

    fn rewind(&mut self, answers: &mut VecDeque<Answer>) {
        let Some(checkpoint) = self.found.take() else { return };
        let (parcels, refused) = self.batches.rewind();
        answers.extend(parcels.map(Answer::Dropped));
        answers.push_back(Answer::Rewind(self.lane, checkpoint, refused));
        // What was reported before has nobody to go to.
        self.client.iter_mut().for_each(|client| drop(client.take_reports()));
    }
}
