//! An instance of the hub: its lanes as `Worker` of the runtime drives them, what its consumer's thread does, and what sends.

use std::collections::VecDeque;

use market_hub::batch::Place;
use market_hub::checkpoint::{Checkpoint, Claim};
use market_hub::delivery::Hold;

use crate::broker::World;
use crate::client::Client;
use crate::lane::{Lane, Parcel};
use crate::sender::Sender;
use crate::transacted::{Start, TakeOver, Transacted};

/// Before brokers that did not tell what is in a log are asked again.
const ASK_PAUSE_MS: u64 = 500;

/// What a lane hears of its batches.
pub(crate) enum Answer {
    Written(Parcel),
    Dropped(Parcel),
    Failed(Parcel, Vec<Place>),
    Committed(usize, Checkpoint),
    Rewind(usize, Checkpoint, Vec<Place>),
}

/// What the consumer's thread is asked.
enum Ask {
    Commit(Vec<(usize, Checkpoint)>),
    Range(usize),
}

/// What it answers.
enum Told {
    Committed(Vec<(usize, Checkpoint)>),
    NotCommitted,
    Range(usize, Option<(i64, i64)>),
}

enum Sending {
    One(Sender),
    EachLane(Vec<Transacted>),
}

/// See the module.
pub(crate) struct Hub {
    pub(crate) claim: Claim,
    lanes: Vec<Lane>,
    sending: Sending,
    answers: VecDeque<Answer>,
    asks: VecDeque<Ask>,
    told: VecDeque<Told>,
    is_committing: bool,
    is_stopping: bool,
}

impl Hub {
    fn new(world: &mut World, claim: Claim, starts: &[Start], sending: Sending) -> Self {
        world.note(|| format!("{:x} starts at {starts:?}", claim.0));
        let mut lanes: Vec<Lane> = starts.iter().enumerate().map(|(lane, &(checkpoint, log))| Lane::new(world, lane, claim, checkpoint, log)).collect();
        lanes.iter_mut().for_each(Lane::read);
        let (answers, asks, told) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        Self { claim, lanes, sending, answers, asks, told, is_committing: false, is_stopping: false }
    }

    /// One step of one of its threads, for a lane where it is one.
    pub(crate) fn step(&mut self, world: &mut World, which: usize, lane: usize) {
        match which {
            0 if !self.is_stopping => {
                let parcels = self.lanes[lane].poll(world);
                parcels.into_iter().for_each(|parcel| self.send(parcel));
            }
            1 => self.take_answer(world),
            2 => match &mut self.sending {
                Sending::One(sender) => sender.turn(world, &mut self.answers),
                Sending::EachLane(lanes) => lanes[lane].turn(world, &mut self.answers, self.is_stopping),
            },
            3 => match &mut self.sending {
                Sending::One(sender) => sender.client.deliver(world),
                Sending::EachLane(lanes) => lanes[lane].client.iter_mut().for_each(|client| client.deliver(world)),
            },
            4 => self.serve_ask(world),
            5 => self.take_told(world),
            6 => self.commit(world),
            _ => self.tend_held(world, lane),
        }
    }

    /// How many kinds of steps there are.
    pub(crate) const STEPS: usize = 8;

    fn send(&mut self, parcel: Parcel) {
        match &mut self.sending {
            Sending::One(sender) => sender.accept(parcel),
            Sending::EachLane(lanes) => lanes[parcel.lane].accept(parcel, &mut self.answers),
        }
    }

    fn take_answer(&mut self, world: &World) {
        let Some(answer) = self.answers.pop_front() else { return };
        match answer {
            Answer::Written(parcel) => {
                let lane = &mut self.lanes[parcel.lane];
                lane.progress.acknowledge(parcel.ticket);
                if !world.plan.exactly_once && lane.progress.epoch() == parcel.epoch {
                    lane.recover();
                }
                lane.under_way -= 1;
            }
            Answer::Dropped(parcel) => self.lanes[parcel.lane].under_way -= 1,
            Answer::Failed(parcel, refused) => {
                let lane = &mut self.lanes[parcel.lane];
                lane.under_way -= 1;
                if lane.progress.watermark().is_under_way(parcel.ticket) && !lane.hold.has_failed() {
                    lane.fail(world, None, refused);
                    self.read();
                }
            }
            Answer::Committed(lane, checkpoint) => {
                self.lanes[lane].commit(checkpoint);
                self.lanes[lane].recover();
            }
            Answer::Rewind(lane, checkpoint, refused) => {
                self.lanes[lane].fail(world, Some(checkpoint), refused);
                self.read();
            }
        }
    }

    /// All lanes are read anew, each from its position on.
    fn read(&mut self) {
        self.lanes.iter_mut().for_each(Lane::read);
    }

    fn tend_held(&mut self, world: &World, lane: usize) {
        let of_lane = &mut self.lanes[lane];
        if of_lane.hold.shall_ask(world.now_ms, of_lane.progress.watermark().is_settled()) {
            self.asks.push_back(Ask::Range(lane));
        }
    }

    fn commit(&mut self, world: &World) {
        if world.plan.exactly_once || self.is_committing {
            return;
        }
        let lanes = self.lanes.iter().enumerate().filter(|(_, lane)| lane.hold.may_commit());
        let offsets: Vec<_> = lanes.filter_map(|(index, lane)| Some((index, lane.progress.to_commit()?))).collect();
        if !offsets.is_empty() {
            self.is_committing = true;
            self.asks.push_back(Ask::Commit(offsets));
        }
    }

    /// The consumer's thread does what it was asked first.
    fn serve_ask(&mut self, world: &mut World) {
        if world.outage {
            return;
        }
        let Some(ask) = self.asks.pop_front() else { return };
        let fails = world.random.happens(world.plan.faults.ask);
        let told = match ask {
            Ask::Range(lane) => Told::Range(lane, (!fails).then(|| world.logs[lane].range())),
            Ask::Commit(offsets) => {
                // It fails, or only its answer is lost.
                if !fails || world.random.below(2) == 0 {
                    offsets.iter().for_each(|(lane, checkpoint)| world.commit(*lane, checkpoint));
                }
                if fails { Told::NotCommitted } else { Told::Committed(offsets) }
            }
        };
        self.told.push_back(told);
    }

    fn take_told(&mut self, world: &mut World) {
        let Some(told) = self.told.pop_front() else { return };
        self.is_committing &= matches!(told, Told::Range(..));
        match told {
            Told::Committed(offsets) => offsets.into_iter().for_each(|(lane, checkpoint)| self.lanes[lane].commit(checkpoint)),
            Told::NotCommitted => {}
            Told::Range(lane, range) => {
                let lane = &mut self.lanes[lane];
                match (range, &lane.hold) {
                    (Some(log), Hold::Failed { .. }) => lane.begin_again(world, log),
                    (Some(log), Hold::Gone { .. }) => lane.settle_gap(world, log),
                    (None, _) => return lane.hold.ask_again(world.now_ms + ASK_PAUSE_MS),
                    (Some(_), Hold::None | Hold::Stopped) => return,
                }
                self.read();
            }
        }
    }

    /// Polls no more, and hands over what is open.
    pub(crate) fn stop(&mut self, world: &mut World) {
        self.is_stopping = true;
        for lane in 0..self.lanes.len() {
            let parcel = self.lanes[lane].hand_over_all(world);
            parcel.into_iter().for_each(|parcel| self.send(parcel));
        }
    }

    /// Whether it has stopped, with everything committed.
    pub(crate) fn has_stopped(&self) -> bool {
        self.is_stopping && self.lanes.iter().all(|lane| lane.progress.watermark().is_settled())
    }

    pub(crate) fn is_fenced(&self) -> bool {
        matches!(&self.sending, Sending::EachLane(lanes) if lanes.iter().any(Transacted::is_fenced))
    }

    /// It is no more.
    pub(crate) fn die(self, world: &mut World) {
        match self.sending {
            Sending::One(sender) => sender.client.abandon(world),
            Sending::EachLane(lanes) => lanes.into_iter().filter_map(|lane| lane.client).for_each(|client| client.abandon(world)),
        }
        // A commit that is on its way may come in.
        if let Some(Ask::Commit(offsets)) = self.asks.front()
            && world.random.below(2) == 0
        {
            offsets.iter().for_each(|(lane, checkpoint)| world.commit(*lane, checkpoint));
        }
    }

    pub(crate) fn check(&self, world: &World) {
        self.lanes.iter().for_each(|lane| lane.check(world));
    }

    pub(crate) fn is_drained(&self, world: &World) -> bool {
        self.lanes.iter().all(|lane| lane.is_drained(world))
    }

    /// What keeps it from being drained, for whoever must find out.
    pub(crate) fn describe(&self) -> Vec<String> {
        self.lanes.iter().map(|lane| format!("{:?} {:?}, {} under way", lane.hold, lane.progress, lane.under_way)).collect()
    }
}

/// An instance, from its start on.
pub(crate) enum Instance {
    Starting { claim: Claim, taking: Vec<TakeOver>, taken: Vec<Option<(Client, Start)>> },
    Running(Box<Hub>),
}

impl Instance {
    pub(crate) fn start(world: &mut World, claim: Claim) -> Self {
        let lanes = 0..world.plan.lanes;
        if world.plan.exactly_once {
            world.note(|| format!("{:x} takes the lanes over", claim.0));
            let taking = lanes.clone().map(|lane| TakeOver::new(lane, claim)).collect();
            return Self::Starting { claim, taking, taken: lanes.map(|_| None).collect() };
        }
        let starts: Vec<Start> = lanes.map(|lane| world.start(lane, claim)).collect();
        let sending = Sending::One(Sender::new(world));
        Self::Running(Box::new(Hub::new(world, claim, &starts, sending)))
    }

    pub(crate) fn step(&mut self, world: &mut World, which: usize, lane: usize) {
        match self {
            Self::Running(hub) => hub.step(world, which, lane),
            Self::Starting { claim, taking, taken } => {
                if taken[lane].is_none()
                    && let Some(result) = taking[lane].step(world)
                {
                    taking[lane] = TakeOver::new(lane, *claim);
                    taken[lane] = result.ok();
                }
                if taken.iter().all(Option::is_some) {
                    let (clients, starts): (Vec<Client>, Vec<Start>) = taken.drain(..).flatten().unzip();
                    let transacted = clients.into_iter().enumerate().map(|(lane, client)| Transacted::new(world, lane, *claim, client)).collect();
                    *self = Self::Running(Box::new(Hub::new(world, *claim, &starts, Sending::EachLane(transacted))));
                }
            }
        }
    }

    pub(crate) fn die(self, world: &mut World) {
        if let Self::Running(hub) = self {
            hub.die(world);
        }
    }
}
