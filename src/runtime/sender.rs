//! The producer's thread, with at-least-once delivery: takes batches from all workers, sends their messages in order, gives each
//! batch back once the brokers have said what became of all of it.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError};

use super::again::{Again, Whose};
use super::parcel::{Answer, Parcel, tag, untag};
use super::shared::{Failure, Shared};
use crate::batch::Destination;
use crate::config::{Config, FailPoint, Idle};
use crate::delivery::{Outstanding, Settled};
use crate::kafka::{self, Cause, Producer, Report, SendError};

/// How long to serve reports when the producer's queue is full.
const QUEUE_FULL_WAIT: Duration = Duration::from_millis(5);
/// The first pause before a dead letter is sent again, and the longest.
const AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// How long to wait for a batch when nothing is under way.
const QUIET_WAIT: Duration = Duration::from_millis(50);

/// See the module.
pub(super) struct BatchSender {
    config: Arc<Config>,
    shared: Arc<Shared>,
    producer: Producer,
    parcels: Receiver<Parcel>,
    answers: Vec<Sender<Answer>>,
    outstanding: Outstanding<Parcel>,
    /// The slot of the batch that is being sent, and its next message.
    current: Option<(usize, usize)>,
    /// Dead letters and requests that could not be written, by their tags: they are sent again until they can.
    again: Again,
    /// When they are, and the pause before the next time.
    again_at: Instant,
    pause: Duration,
    reports: Vec<Report>,
    searches: u32,
}

impl BatchSender {
    /// `answers` are the workers' channels, by index.
    pub(super) fn new(config: Arc<Config>, shared: Arc<Shared>, producer: Producer, parcels: Receiver<Parcel>, answers: Vec<Sender<Answer>>) -> Self {
        Self {
            config,
            shared,
            producer,
            parcels,
            answers,
            outstanding: Outstanding::default(),
            current: None,
            again: Again::default(),
            again_at: Instant::now(),
            pause: AGAIN.0,
            reports: Vec::new(),
            searches: 0,
        }
    }

    /// Sends until all workers have ended and everything is acknowledged, or the deadline of the stop is over.
    pub(super) fn run(mut self) {
        self.leave_statistics();
        loop {
            let open = if self.current.is_none() { self.take() } else { true };
            let full = !self.send_current() || !self.send_again();
            self.producer.poll(if full { QUEUE_FULL_WAIT } else { Duration::ZERO }, &mut self.reports);
            self.settle();
            self.replace_if_fatal();
            if self.shared.shall_search(&mut self.searches) {
                self.producer.find_brokers();
            }
            let done = !open && self.current.is_none() && self.outstanding.is_empty();
            if done || (!open && self.shared.is_over()) {
                return;
            }
        }
    }

    fn leave_statistics(&self) {
        self.producer.leave_statistics(self.shared.statistics_of("sender".to_owned()));
    }

    /// Takes the next batch, waiting a little; `false` once all workers have ended.
    fn take(&mut self) -> bool {
        let parcel = match (self.config.idle, self.outstanding.is_empty()) {
            (Idle::Park(_), true) => self.parcels.recv_timeout(QUIET_WAIT),
            (Idle::Park(pause), false) => self.parcels.recv_timeout(pause),
            (Idle::Spin | Idle::Yield, _) => self.parcels.try_recv().map_err(|error| match error {
                TryRecvError::Empty => RecvTimeoutError::Timeout,
                TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            }),
        };
        match parcel {
            Ok(parcel) => {
                let messages = parcel.batch.len();
                self.current = Some((self.outstanding.begin(parcel, messages), 0));
                true
            }
            Err(RecvTimeoutError::Timeout) => {
                if self.config.idle == Idle::Yield {
                    std::thread::yield_now();
                }
                true
            }
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }

    /// Sends on from where it stopped; `false` if the queue is full.
    fn send_current(&mut self) -> bool {
        let Some((slot, next)) = self.current else { return true };
        let Some(parcel) = self.outstanding.batch(slot) else { return true };
        let mut failed = None;
        for index in next..parcel.batch.len() {
            let message = parcel.batch.message(index);
            let whose = whose(parcel, index);
            if message.destination != Destination::Output && self.again.holds(whose) {
                self.again.push(whose, tag(slot, index));
                continue;
            }
            let (topic, partition) = parcel.place(message.destination, &self.config);
            match self.producer.send(topic, partition, &message, tag(slot, index)) {
                Ok(()) => {
                    if index + 1 == parcel.batch.len() {
                        FailPoint::AfterSend.reach();
                    }
                }
                Err(SendError::QueueFull) => {
                    self.current = Some((slot, index));
                    return false;
                }
                Err(SendError::Failed(failure)) => {
                    failed = Some((index, failure));
                    break;
                }
            }
        }
        self.current = None;
        if let Some((index, failure)) = failed {
            if self.is_to_be_sent_again(slot, index, &failure) {
                self.current = Some((slot, index + 1)).filter(|_| index + 1 < self.messages(slot));
                return true;
            }
            let Some(parcel) = self.outstanding.batch(slot) else { return true };
            let unsent = parcel.batch.len() - index;
            let refused = if failure.cause == Cause::TooLarge { parcel.refusal(index) } else { None };
            // The message itself counts as reported, what is behind it as given up.
            let settled = self.outstanding.report(slot, Some(failure.text.clone()), refused);
            let settled = settled.or_else(|| self.outstanding.give_up(slot, unsent - 1, failure.text));
            self.give_back(settled);
        }
        true
    }

    /// Takes reports and gives back the batches that are complete.
    fn settle(&mut self) {
        let mut reports = std::mem::take(&mut self.reports);
        for report in reports.drain(..) {
            let (slot, index) = untag(report.tag);
            if report.failure.as_ref().is_some_and(|failure| self.is_to_be_sent_again(slot, index, failure)) {
                continue;
            }
            if self.pause > AGAIN.0 && self.is_apart(slot, index..index + report.count) {
                self.pause = AGAIN.0;
            }
            let refused = match &report.failure {
                Some(failure) if failure.cause == Cause::TooLarge => self.outstanding.batch(slot).and_then(|parcel| parcel.refusal(index)),
                _ => None,
            };
            let settled = match report.failure {
                None => self.outstanding.written(slot, report.count),
                Some(failure) => self.outstanding.report(slot, Some(failure.text), refused),
            };
            self.give_back(settled);
        }
        self.reports = reports;
    }

    /// Whether one of these messages is a dead letter or a request.
    fn is_apart(&self, slot: usize, mut messages: Range<usize>) -> bool {
        let Some(parcel) = self.outstanding.batch(slot) else { return false };
        messages.any(|index| parcel.batch.message(index).destination != Destination::Output)
    }

    /// Whether a message is one that does not hold up the others of its lane: a dead letter or a request. It is sent again and again, until
    /// an operator has mended what is in its way; the lane stalls when too much has come behind it.
    fn is_to_be_sent_again(&mut self, slot: usize, message: usize, failure: &kafka::Failure) -> bool {
        let Some(parcel) = self.outstanding.batch(slot) else { return false };
        let is_apart = parcel.batch.message(message).destination != Destination::Output;
        if !is_apart || failure.cause == Cause::Fatal {
            return false;
        }
        if self.again.is_empty() {
            self.again_at = self.again_at.max(Instant::now() + AGAIN.0);
        }
        self.again.push(whose(parcel, message), tag(slot, message));
        let trouble = Answer::Trouble { lane: parcel.lane, fault: failure.text.clone() };
        let _ = self.answers[parcel.worker].send(trouble);
        true
    }

    /// Sends again what is due; `false` if the queue is full.
    fn send_again(&mut self) -> bool {
        if self.again.is_empty() || Instant::now() < self.again_at {
            return true;
        }
        for _ in 0..self.again.len() {
            let Some(tag) = self.again.first() else { break };
            let (slot, index) = untag(tag);
            let Some(parcel) = self.outstanding.batch(slot) else {
                self.again.pop();
                continue;
            };
            let message = parcel.batch.message(index);
            let (topic, partition) = parcel.place(message.destination, &self.config);
            let sent = self.producer.send(topic, partition, &message, tag);
            if sent == Err(SendError::QueueFull) {
                return false;
            }
            self.again.pop();
            if let Err(SendError::Failed(failure)) = sent {
                self.is_to_be_sent_again(slot, index, &failure);
            }
        }
        self.again_at = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(AGAIN.1);
        true
    }

    fn messages(&self, slot: usize) -> usize {
        self.outstanding.batch(slot).map_or(0, |parcel| parcel.batch.len())
    }

    /// A producer that has failed for good is replaced: its lanes send again what is not acknowledged.
    fn replace_if_fatal(&mut self) {
        let Some(failure) = self.producer.fatal() else { return };
        log::error!("the producer has failed and is made anew: {}", failure.text);
        match Producer::new(&self.config) {
            Ok(producer) => {
                std::mem::replace(&mut self.producer, producer).retire();
                self.leave_statistics();
            }
            Err(fault) => return self.shared.fail(Failure::Other(format!("no producer can be made: {fault}"))),
        }
        self.current = None;
        self.again.clear();
        for settled in self.outstanding.fail_all(&failure.text) {
            self.give_back(Some(settled));
        }
    }

    fn give_back(&self, settled: Option<Settled<Parcel>>) {
        let (worker, answer) = match settled {
            None => return,
            Some(Settled::Written(parcel)) => (parcel.worker, Answer::Written(parcel)),
            Some(Settled::Failed { batch, fault, refused }) => (batch.worker, Answer::Failed { parcel: batch, fault, refused }),
        };
        // A worker that is gone has passed its deadline.
        let _ = self.answers[worker].send(answer);
    }
}

fn whose(parcel: &Parcel, message: usize) -> Whose {
    (parcel.worker, parcel.lane, parcel.batch.message(message).destination == Destination::DeadLetter)
}
