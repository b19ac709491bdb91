//! Transactions of one lane's producer: records, dead letters and the input offset together or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, Producer as _};

use super::clients;
use super::group::Group;
use super::producer::{Producer, Report};
use crate::checkpoint::{Checkpoint, Claim};
use crate::config::Config;
use crate::delivery::Fault;

/// How often reports are served while an abort waits for them.
const SERVE_PAUSE: Duration = Duration::from_millis(1);
/// How much longer than its own limit a call may take that may never come back.
const OVERTIME: Duration = Duration::from_millis(500);
/// How long such a call may take once a connection has failed, which is when it does not come back.
const PATIENCE_AFTER_CUT: Duration = Duration::from_secs(3);

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// What it means.
    pub fault: Fault,
    /// What librdkafka said.
    pub text: String,
}

impl Producer {
    /// A producer with a transactional id; nothing is asked of the brokers yet.
    ///
    /// # Errors
    /// librdkafka's, in particular for a property that it does not know.
    pub fn transactional(config: &Config, id: &str) -> Result<Self, String> {
        Self::from(&clients::transactional(config, id), config)?.with_aside()
    }

    /// Makes this the only producer with its id: earlier ones are fenced, and what they left open is aborted.
    ///
    /// # Errors
    /// See [`Failed`].
    pub fn initialise(&self, timeout: Duration) -> Result<(), Failed> {
        self.client().init_transactions(timeout).map_err(|error| self.failed(&error))
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// See [`Failed`].
    pub fn begin(&self) -> Result<(), Failed> {
        self.client().begin_transaction().map_err(|error| self.failed(&error))
    }

    /// Adds the lane's checkpoint to the open transaction. After [`Fault::TimedOut`] the producer may still be in that call, and has to be given up.
    ///
    /// # Errors
    /// See [`Failed`].
    pub fn add_offset(&self, group: &Group, partition: i32, checkpoint: &Checkpoint, claim: Claim, timeout: Duration) -> Result<(), Failed> {
        let metadata = group.metadata().ok_or_else(|| Failed { fault: Fault::Retriable, text: "the group has no metadata yet".to_owned() })?;
        let list = group.list(partition, checkpoint, Some(claim)).map_err(|error| self.failed(&error))?;
        // In librdkafka 2.12 the limit of this call holds for some of its steps only. Where the group's coordinator is lost it asks three times,
        // `retry.backoff.ms` apart, who it is now; where that was too early, it asks again when a connection comes up or fails: maybe never.
        let client = Arc::clone(self.client());
        let call = move || client.send_offsets_to_transaction(&list, &metadata, timeout);
        let patience = || if self.was_cut() { PATIENCE_AFTER_CUT.min(timeout) } else { timeout + OVERTIME };
        match self.aside().and_then(|aside| aside.call(call, patience)) {
            Some(added) => added.map_err(|error| self.failed(&error)),
            None => Err(Failed { fault: Fault::TimedOut, text: "offsets are not added to the transaction, and nobody knows whether they will be".to_owned() }),
        }
    }

    /// Writes a tombstone into each of these logs, for a transaction that will be aborted: so it has marks written there.
    ///
    /// # Errors
    /// See [`Failed`].
    pub(super) fn touch(&self, logs: &[(String, i32)], timeout: Duration) -> Result<(), Failed> {
        for (topic, partition) in logs {
            let tombstone: BaseRecord<'_, [u8], [u8], usize> = BaseRecord::with_opaque_to(topic, 0).partition(*partition).key(b"aborted");
            self.client().send(tombstone).map_err(|(error, _)| self.failed(&error))?;
        }
        let (deadline, mut reports) = (Instant::now() + timeout, Vec::new());
        while self.in_flight() > 0 && Instant::now() < deadline {
            self.poll(SERVE_PAUSE, &mut reports);
        }
        self.poll(Duration::ZERO, &mut reports);
        let failure = reports.into_iter().find_map(|report| report.failure);
        let late = || (self.in_flight() > 0).then(|| "not all tombstones are written".to_owned());
        failure.map(|failure| failure.text).or_else(late).map_or(Ok(()), |text| Err(Failed { fault: Fault::TimedOut, text }))
    }

    /// Commits the open transaction, of which every message is reported.
    ///
    /// # Errors
    /// See [`Failed`].
    pub fn commit(&self, timeout: Duration) -> Result<(), Failed> {
        // With anything outstanding, be it only an event about a broker, the commit would wait in steps of 100 ms.
        let deadline = Instant::now() + timeout;
        while self.in_flight() > 0 && Instant::now() < deadline {
            self.client().poll(Duration::from_millis(1));
        }
        self.client().commit_transaction(timeout).map_err(|error| self.failed(&error))
    }

    /// Aborts the open transaction. What is queued is thrown away, and reported so.
    ///
    /// # Errors
    /// See [`Failed`].
    pub fn abort(&self, timeout: Duration, reports: &mut Vec<Report>) -> Result<(), Failed> {
        // The call waits for reports, which a thread of its own serves meanwhile. Short calls with polls between them would do as well, but for two things:
        // librdkafka takes the late answer to one call for that to the next, and it waits by the wall clock, so that one that is moved back makes even a
        // short call last.
        let is_over = AtomicBool::new(false);
        let client = self.client();
        let aborted = thread::scope(|scope| {
            let serve = || {
                while !is_over.load(Ordering::Acquire) {
                    client.poll(Duration::ZERO);
                    thread::sleep(SERVE_PAUSE);
                }
            };
            // Without it a new producer does what the abort cannot.
            let refused = |error| Failed { fault: Fault::TimedOut, text: format!("a thread for reports cannot start: {error}") };
            thread::Builder::new().name("reports".to_owned()).spawn_scoped(scope, serve).map_err(refused)?;
            let aborted = self.client().abort_transaction(timeout).map_err(|error| self.failed(&error));
            is_over.store(true, Ordering::Release);
            aborted
        });
        self.poll(Duration::ZERO, reports);
        aborted
    }

    fn failed(&self, error: &KafkaError) -> Failed {
        let fatal = self.fatal();
        let text = match (&fatal, error) {
            (Some(fatal), _) => fatal.text.clone(),
            (None, KafkaError::Transaction(error)) => error.string(),
            (None, error) => error.to_string(),
        };
        let fault = match error {
            _ if fatal.as_ref().is_some_and(|fatal| fatal.cause == super::Cause::Fenced) => Fault::Fenced,
            _ if fatal.is_some() => Fault::Fatal,
            KafkaError::Transaction(error) => match error.code() {
                RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::InvalidProducerEpoch => Fault::Fenced,
                _ if error.txn_requires_abort() => Fault::Abortable,
                RDKafkaErrorCode::OperationTimedOut | RDKafkaErrorCode::RequestTimedOut => Fault::TimedOut,
                _ if error.is_retriable() => Fault::Retriable,
                _ => Fault::Fatal,
            },
            // Of a flush before a commit.
            KafkaError::Flush(_) => Fault::TimedOut,
            _ => Fault::Fatal,
        };
        Failed { fault, text }
    }
}
