//! At least once: one producer for all lanes, as `BatchSender` of the runtime.

use std::collections::VecDeque;

use market_hub::delivery::{Outstanding, Settled};

use crate::broker::World;
use crate::client::{Cause, Client, Refusal};
use crate::hub::Answer;
use crate::input::Topic;
use crate::lane::Parcel;

/// The pause before a dead letter is sent again, in milliseconds.
const AGAIN_MS: u64 = 100;

/// See the module.
pub(crate) struct Sender {
    pub(crate) client: Client,
    parcels: VecDeque<Parcel>,
    outstanding: Outstanding<Parcel>,
    current: Option<(usize, usize)>,
    /// Dead letters that were not written: they are sent until they are.
    again: VecDeque<(usize, usize)>,
    again_at_ms: u64,
}

impl Sender {
    pub(crate) fn new(world: &World) -> Self {
        let client = Client::new(world.plan.lanes, None);
        Self { client, parcels: VecDeque::new(), outstanding: Outstanding::default(), current: None, again: VecDeque::new(), again_at_ms: 0 }
    }

    pub(crate) fn accept(&mut self, parcel: Parcel) {
        self.parcels.push_back(parcel);
    }

    pub(crate) fn turn(&mut self, world: &mut World, answers: &mut VecDeque<Answer>) {
        if self.current.is_none()
            && let Some(parcel) = self.parcels.pop_front()
        {
            let messages = parcel.messages.len();
            self.current = Some((self.outstanding.begin(parcel, messages), 0));
        }
        self.send_current(world, answers);
        self.send_again(world);
        for report in self.client.take_reports() {
            let (slot, index) = report.tag;
            match report.failure {
                Some(cause) => {
                    if !self.is_to_be_sent_again(world, slot, index, cause) {
                        self.report_failure(answers, slot, index, cause);
                    }
                }
                None => {
                    let parcel = self.outstanding.batch(slot).expect("the batch of a report");
                    world.check.acknowledged(parcel.lane, parcel.messages[index].place, parcel.serial);
                    answers.extend(self.outstanding.report(slot, None, None).map(answer));
                }
            }
        }
        self.replace_if_fatal(world, answers);
    }

    fn send_current(&mut self, world: &mut World, answers: &mut VecDeque<Answer>) {
        let Some((slot, next)) = self.current else { return };
        let Some(parcel) = self.outstanding.batch(slot) else { return };
        let count = parcel.messages.len();
        let mut failed = None;
        for (index, message) in parcel.messages.iter().enumerate().skip(next) {
            match self.client.send(world, parcel.lane, message, parcel.serial, (slot, index)) {
                Ok(()) => {}
                Err(Refusal::QueueFull) => {
                    self.current = Some((slot, index));
                    return;
                }
                Err(Refusal::Failed(cause)) => {
                    failed = Some((index, cause));
                    break;
                }
            }
        }
        self.current = None;
        let Some((index, cause)) = failed else { return };
        if self.is_to_be_sent_again(world, slot, index, cause) {
            self.current = Some((slot, index + 1)).filter(|_| index + 1 < count);
            return;
        }
        if !self.report_failure(answers, slot, index, cause) {
            answers.extend(self.outstanding.give_up(slot, count - index - 1, String::new()).map(answer));
        }
    }

    /// Notes that a message is not written; whether that settles its batch.
    fn report_failure(&mut self, answers: &mut VecDeque<Answer>, slot: usize, index: usize, cause: Cause) -> bool {
        let refused = self.outstanding.batch(slot).filter(|_| cause == Cause::TooLarge).map(|parcel| parcel.messages[index].place);
        let settled = self.outstanding.report(slot, Some(String::new()), refused);
        let is_settled = settled.is_some();
        answers.extend(settled.map(answer));
        is_settled
    }

    fn is_to_be_sent_again(&mut self, world: &World, slot: usize, index: usize, cause: Cause) -> bool {
        let is_apart = self.outstanding.batch(slot).is_some_and(|parcel| parcel.messages[index].topic == Topic::DeadLetters);
        if !is_apart || cause == Cause::Fatal {
            return false;
        }
        self.again_at_ms = self.again_at_ms.max(world.now_ms + AGAIN_MS);
        self.again.push_back((slot, index));
        true
    }

    fn send_again(&mut self, world: &mut World) {
        if world.now_ms < self.again_at_ms {
            return;
        }
        for _ in 0..self.again.len() {
            let Some((slot, index)) = self.again.pop_front() else { break };
            let Some(parcel) = self.outstanding.batch(slot) else { continue };
            let lane = parcel.lane;
            match self.client.send(world, lane, &parcel.messages[index], parcel.serial, (slot, index)) {
                Ok(()) => {}
                Err(Refusal::QueueFull) => {
                    self.again.push_front((slot, index));
                    return;
                }
                Err(Refusal::Failed(cause)) => drop(self.is_to_be_sent_again(world, slot, index, cause)),
            }
        }
    }

    fn replace_if_fatal(&mut self, world: &mut World, answers: &mut VecDeque<Answer>) {
        if self.client.fatal.is_none() {
            return;
        }
        world.note(|| "the producer is made anew".to_owned());
        std::mem::replace(&mut self.client, Client::new(world.plan.lanes, None)).abandon(world);
        self.current = None;
        self.again.clear();
        answers.extend(self.outstanding.fail_all("the producer is gone").into_iter().map(answer));
    }
}

fn answer(settled: Settled<Parcel>) -> Answer {
    match settled {
        Settled::Written(parcel) => Answer::Written(parcel),
        Settled::Failed { batch, refused, .. } => Answer::Failed(batch, refused),
    }
}
