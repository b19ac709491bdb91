//! One lane's transactions: its producer, what has joined the open transaction, and what waits for the next.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::parcel::{Answer, Parcel, tag, untag};
use super::shared::{Failure, Shared};
use crate::checkpoint::{Checkpoint, Claim};
use crate::config::{Config, FailPoint, LaneId};
use crate::delivery::{Call, Fault, Joining, Ledger, Transaction};
use crate::kafka::{self, Cause, Failed, Group, Outputs, Producer, Report, SendError, TakeOver};
use crate::observe::RateLimit;

/// How long an abort may take; longer, and a new producer ends what nobody knows.
const ABORT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long to serve reports when the producer's queue is full.
const QUEUE_FULL_WAIT: Duration = Duration::from_millis(5);

/// What a lane needs to make its calls.
pub(super) struct Means {
    pub(super) config: Arc<Config>,
    pub(super) shared: Arc<Shared>,
    pub(super) group: Arc<Group>,
    pub(super) outputs: Arc<Outputs>,
    pub(super) claim: Claim,
    /// The worker that owns the lane, and the lane's index there.
    pub(super) lane: usize,
    pub(super) answers: Sender<Answer>,
}

/// See the module.
pub(super) struct Transacted {
    id: LaneId,
    means: Means,
    /// `None` while one is made anew.
    producer: Option<Producer>,
    transaction: Transaction,
    batches: Joining<Parcel>,
    ledger: Ledger,
    /// What a new producer found committed, until the lane is told.
    found: Option<Checkpoint>,
    reports: Vec<Report>,
    warnings: RateLimit,
    searches: u32,
}

impl Transacted {
    /// `known` is what is committed.
    pub(super) fn new(id: LaneId, producer: Producer, known: Checkpoint, means: Means) -> Self {
        let interval = means.config.commit_interval;
        Self {
            id,
            means,
            producer: Some(producer),
            transaction: Transaction::new(millis(interval)),
            batches: Joining::default(),
            ledger: Ledger::new(known),
            found: None,
            reports: Vec::new(),
            warnings: RateLimit::new(Duration::from_secs(10)),
            searches: 0,
        }
    }

    pub(super) const fn id(&self) -> LaneId {
        self.id
    }

    /// Takes a batch from the worker. One from before a rewind is not wanted any more.
    pub(super) fn accept(&mut self, parcel: Parcel) {
        let (epoch, messages, checkpoint) = (parcel.epoch, parcel.batch.len(), parcel.checkpoint);
        if let Some(parcel) = self.batches.accept(parcel, epoch, messages, checkpoint) {
            self.answer(Answer::Dropped(parcel));
        }
    }

    /// Whether nothing is open and nothing waits.
    pub(super) fn is_settled(&self) -> bool {
        self.batches.is_empty() && (self.transaction.is_idle() || self.transaction.is_fenced())
    }

    /// How long nothing will be due.
    pub(super) fn wait(&self, now: Duration, report: Duration, quiet: Duration) -> Duration {
        if self.transaction.is_failing() {
            return quiet;
        }
        match self.transaction.due_in_ms(millis(now)) {
            Some(0) => report,
            Some(due) => quiet.min(Duration::from_millis(due)),
            None if !self.batches.is_empty() => report,
            None => quiet,
        }
    }

    /// Sends what can be sent, and makes the call that is due. `now` is since the start.
    pub(super) fn turn(&mut self, now: Duration, stopping: bool) {
        let now_ms = millis(now);
        self.send(now_ms);
        self.take_reports();
        self.means.outputs.serve();
        // A stop does not wait for the interval, but for what the worker has still handed over.
        let hurry = stopping && !self.batches.is_waiting();
        if self.means.shared.shall_search(&mut self.searches)
            && let Some(producer) = &self.producer
        {
            producer.find_brokers();
        }
        self.give_up_if_cut();
        // The first call begins, the next ones may follow at once.
        while let Some(call) = self.transaction.next(now_ms, self.batches.is_waiting(), self.batches.unreported(), hurry) {
            let began = Instant::now();
            let result = self.call(call);
            let failed = result.as_ref().err().map(|failed| failed.fault);
            if let Err(failed) = &result {
                self.complain(call, failed);
            }
            if let Some(checkpoint) = self.transaction.done(call, result.map_err(|failed| failed.fault), now_ms) {
                self.committed(checkpoint, began.elapsed());
            } else if call == Call::Ask && failed.is_none() {
                self.rewind();
            }
            if self.transaction.is_fenced() {
                self.means.shared.fail(Failure::Fenced(self.id));
                return;
            }
            if failed.is_some() || matches!(call, Call::Begin | Call::Commit | Call::Ask) {
                break;
            }
        }
        self.send(now_ms);
    }

    /// Gives a producer up of which a connection has failed, between two transactions. librdkafka sends the end of a transaction again, without a word, when
    /// it got no answer; the first one may still arrive, and would end the next transaction of this producer in its middle. And a broker that has died may
    /// have lost what was committed. A new producer's start fences the one, and finds out about the other.
    fn give_up_if_cut(&mut self) {
        let has_to = self.batches.is_waiting() || self.ledger.has_unsettled();
        if has_to && self.transaction.is_idle() && self.producer.as_ref().is_some_and(Producer::was_cut) {
            log::info!("{}: a connection has failed: a new producer takes over", self.id);
            self.transaction.lose(Fault::TimedOut);
        }
    }

    /// Sends what may be sent into the open transaction.
    fn send(&mut self, now_ms: u64) {
        while let Some(producer) = &self.producer
            && let Some((slot, index)) = self.batches.next(&mut self.transaction, now_ms)
            && let Some(parcel) = self.batches.batch(slot)
        {
            let message = parcel.batch.message(index);
            let (topic, partition) = parcel.place(message.destination, &self.means.config);
            match producer.send(topic, partition, &message, tag(slot, index)) {
                Ok(()) => {
                    if index + 1 == parcel.batch.len() {
                        FailPoint::AfterSend.reach();
                    }
                    self.batches.taken();
                }
                Err(SendError::QueueFull) => {
                    producer.poll(QUEUE_FULL_WAIT, &mut self.reports);
                    return;
                }
                Err(SendError::Failed(failure)) => {
                    self.refuse(&failure, slot, index);
                    self.batches.not_taken();
                    self.fail(failure.cause, &failure.text);
                }
            }
        }
    }

    fn take_reports(&mut self) {
        let Some(producer) = &self.producer else { return };
        // Also where no report is due: what librdkafka has to say of its connections piles up otherwise.
        producer.poll(Duration::ZERO, &mut self.reports);
        let mut reports = std::mem::take(&mut self.reports);
        for report in reports.drain(..) {
            self.batches.reported(report.count);
            let (slot, index) = untag(report.tag);
            let Some(failure) = report.failure else {
                if let Some(parcel) = self.batches.batch(slot) {
                    let (topic, _) = parcel.place(parcel.batch.message(index).destination, &self.means.config);
                    self.ledger.wrote(topic, report.partition, report.offset);
                }
                continue;
            };
            self.refuse(&failure, slot, index);
            if !self.transaction.is_failing() {
                self.fail(failure.cause, &failure.text);
            }
        }
        self.reports = reports;
    }

    /// Notes a message that is too large.
    fn refuse(&mut self, failure: &kafka::Failure, slot: usize, index: usize) {
        if failure.cause == Cause::TooLarge
            && let Some(place) = self.batches.batch(slot).and_then(|parcel| parcel.refusal(index))
        {
            self.batches.refuse(place);
        }
    }

    /// Notes that a message could not be written: the transaction will be aborted.
    fn fail(&mut self, cause: Cause, text: &str) {
        let outstanding = self.batches.unreported();
        self.warnings
            .warn(&format!("{}: a message was not written, the transaction is given up, of which {outstanding} messages are outstanding: {text}", self.id));
        self.trouble(text.to_owned());
        // A report says *fatal* of whatever ended the producer. Were that another instance, a new producer would fence it in turn.
        let fatal = self.producer.as_ref().and_then(Producer::fatal).map(|failure| failure.cause);
        match fatal.unwrap_or(cause) {
            Cause::Fenced => self.transaction.lose(Fault::Fenced),
            Cause::Fatal => self.transaction.lose(Fault::Fatal),
            Cause::TooLarge | Cause::Other => self.transaction.fail(),
        }
    }

    fn call(&mut self, call: Call) -> Result<(), Failed> {
        let Means { config, group, outputs, claim, .. } = &self.means;
        let timeout = config.transactions.timeout;
        let gone = || Failed { fault: Fault::Fatal, text: "the producer is being made anew".to_owned() };
        match call {
            Call::Offsets(_) => FailPoint::AfterReport.reach(),
            Call::Commit => {
                FailPoint::AfterOffsets.reach();
                FailPoint::BeforeCommit.reach();
                FailPoint::DuringCommit.reach();
            }
            Call::Begin | Call::Abort | Call::Owner | Call::Replace | Call::Ask => {}
        }
        match call {
            Call::Begin => self.producer.as_ref().ok_or_else(gone)?.begin(),
            Call::Offsets(checkpoint) => {
                self.ledger.offer(checkpoint);
                self.producer.as_ref().ok_or_else(gone)?.add_offset(group, self.id.partition, &checkpoint, *claim, timeout)
            }
            Call::Commit => self.producer.as_ref().ok_or_else(gone)?.commit(timeout),
            Call::Abort => self.producer.as_ref().ok_or_else(gone)?.abort(ABORT_TIMEOUT, &mut self.reports),
            Call::Owner => match self.ask()? {
                Some((_, owner)) if claim.gives_way_to(owner) => {
                    Err(Failed { fault: Fault::Fenced, text: "another instance has taken the lane over".to_owned() })
                }
                _ => Ok(()),
            },
            Call::Replace => {
                if let Some(producer) = self.producer.take() {
                    producer.retire();
                }
                let means = TakeOver { config, group, outputs, lane: self.id, claim: *claim, timeout };
                let (producer, start) = means.run(Some(&self.ledger))?;
                self.producer = Some(producer);
                self.found = Some(start.checkpoint);
                Ok(())
            }
            // A new producer has found out; without one, nothing was done but what is aborted now.
            Call::Ask => Ok(()),
        }
    }

    fn ask(&self) -> Result<Option<(Checkpoint, Option<Claim>)>, Failed> {
        let committed = self.means.group.committed(self.id.partition, self.means.config.transactions.timeout);
        let committed = committed.map_err(|text| Failed { fault: Fault::Retriable, text })?;
        Ok(committed.map(|committed| (committed.checkpoint, committed.claim)))
    }

    fn committed(&mut self, checkpoint: Checkpoint, took: Duration) {
        self.ledger.commit(checkpoint);
        for parcel in self.batches.committed() {
            self.answer(Answer::Written(parcel));
        }
        self.answer(Answer::Committed { lane: self.means.lane, checkpoint, took });
    }

    /// Gives everything back, and lets the lane begin again at what is committed; unless what waits goes on from there as it is.
    fn rewind(&mut self) {
        let known = self.ledger.known();
        let checkpoint = match self.found.take() {
            Some(found) => {
                self.ledger.begin_again(found);
                found
            }
            None => {
                self.ledger.abort();
                known
            }
        };
        if self.batches.only_wait() && checkpoint == known {
            return self.reports.clear();
        }
        let (parcels, refused) = self.batches.rewind();
        parcels.for_each(|parcel| self.answer(Answer::Dropped(parcel)));
        self.reports.clear();
        self.answer(Answer::Rewind { lane: self.means.lane, checkpoint, refused });
    }

    fn complain(&mut self, call: Call, failed: &Failed) {
        self.warnings.warn(&format!("{}: {} failed ({:?}): {}", self.id, name(call), failed.fault, failed.text));
        self.trouble(failed.text.clone());
    }

    fn trouble(&self, fault: String) {
        self.answer(Answer::Trouble { lane: self.means.lane, fault });
    }

    fn answer(&self, answer: Answer) {
        // A worker that is gone has passed its deadline.
        let _ = self.means.answers.send(answer);
    }
}

const fn name(call: Call) -> &'static str {
    match call {
        Call::Begin => "the begin of a transaction",
        Call::Offsets(_) => "adding offsets to a transaction",
        Call::Commit => "the commit of a transaction",
        Call::Abort => "the abort of a transaction",
        Call::Owner => "asking who owns the lane",
        Call::Replace => "taking the lane over anew",
        Call::Ask => "asking what is committed",
    }
}

/// Milliseconds of a duration that is far below the age of the universe.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
