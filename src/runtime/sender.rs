//! The producer's thread: takes batches from all workers, sends their messages in order, gives each batch back once
//! the brokers have acknowledged all of it.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError};

use super::parcel::Parcel;
use super::shared::Shared;
use crate::batch::Destination;
use crate::config::{Config, Idle};
use crate::kafka::{Producer, Report, SendError};

/// How long to serve reports when the producer's queue is full.
const QUEUE_FULL_WAIT: Duration = Duration::from_millis(5);
/// How long to wait for a batch when nothing is under way.
const QUIET_WAIT: Duration = Duration::from_millis(50);

/// The partition of a message whose key chooses it.
const BY_KEY: i32 = -1;

/// A batch of which not all messages are acknowledged.
struct Sent {
    parcel: Parcel,
    outstanding: usize,
}

/// See the module.
pub(super) struct BatchSender {
    config: Arc<Config>,
    shared: Arc<Shared>,
    producer: Producer,
    parcels: Receiver<Parcel>,
    acknowledged: Vec<Sender<Parcel>>,
    /// Batches under way; a message's tag is the index of its batch.
    sent: Vec<Option<Sent>>,
    free: Vec<usize>,
    /// The batch that is being sent, and its next message.
    current: Option<(usize, usize)>,
    reports: Vec<Report>,
}

impl BatchSender {
    /// `acknowledged` are the workers' channels, by index.
    pub(super) const fn new(
        config: Arc<Config>,
        shared: Arc<Shared>,
        producer: Producer,
        parcels: Receiver<Parcel>,
        acknowledged: Vec<Sender<Parcel>>,
    ) -> Self {
        Self { config, shared, producer, parcels, acknowledged, sent: Vec::new(), free: Vec::new(), current: None, reports: Vec::new() }
    }

    /// Sends until all workers have ended and everything is acknowledged, or the deadline of the stop is over.
    pub(super) fn run(mut self) {
        loop {
            let open = if self.current.is_none() { self.take() } else { true };
            let full = !self.send_current();
            self.producer.poll(if full { QUEUE_FULL_WAIT } else { Duration::ZERO }, &mut self.reports);
            self.settle();
            let done = !open && self.current.is_none() && self.free.len() == self.sent.len();
            if done || (!open && self.shared.is_over()) {
                return;
            }
        }
    }

    /// Takes the next batch, waiting a little; `false` once all workers have ended.
    fn take(&mut self) -> bool {
        let under_way = self.free.len() < self.sent.len();
        let parcel = match (self.config.idle, under_way) {
            (Idle::Park(_), false) => self.parcels.recv_timeout(QUIET_WAIT),
            (Idle::Park(pause), true) => self.parcels.recv_timeout(pause),
            (Idle::Spin | Idle::Yield, _) => self.parcels.try_recv().map_err(|error| match error {
                TryRecvError::Empty => RecvTimeoutError::Timeout,
                TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            }),
        };
        match parcel {
            Ok(parcel) => {
                self.start(parcel);
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

    fn start(&mut self, parcel: Parcel) {
        let outstanding = parcel.batch.len();
        let slot = self.free.pop().unwrap_or_else(|| {
            self.sent.push(None);
            self.sent.len() - 1
        });
        self.sent[slot] = Some(Sent { parcel, outstanding });
        self.current = Some((slot, 0));
    }

    /// Sends on from where it stopped; `false` if the queue is full.
    fn send_current(&mut self) -> bool {
        let Some((slot, next)) = self.current else { return true };
        let Some(Sent { parcel, .. }) = &self.sent[slot] else { return true };
        let names = self.config.names(parcel.lane_id.stream);
        for index in next..parcel.batch.len() {
            let message = parcel.batch.message(index);
            let (topic, partition) = match message.destination {
                Destination::Output => (names.output.as_str(), parcel.lane_id.partition),
                Destination::DeadLetter => (names.dlt.as_str(), parcel.lane_id.partition),
                Destination::Resync => (self.config.resync_topic.as_deref().unwrap_or_default(), BY_KEY),
            };
            match self.producer.send(topic, partition, &message, slot) {
                Ok(()) => {}
                Err(SendError::QueueFull) => {
                    self.current = Some((slot, index));
                    return false;
                }
                Err(SendError::Failed(fault)) => {
                    // The batch is never acknowledged: its envelopes will be read again.
                    self.shared.fail(format!("a message cannot be sent: {fault}"));
                    break;
                }
            }
        }
        self.current = None;
        true
    }

    /// Counts reports and gives back the batches that are complete.
    fn settle(&mut self) {
        for report in self.reports.drain(..) {
            if let Some(fault) = report.failure {
                self.shared.fail(format!("a message was not written: {fault}"));
                continue;
            }
            let Some(sent) = &mut self.sent[report.tag] else { continue };
            sent.outstanding -= 1;
            if sent.outstanding == 0
                && let Some(Sent { parcel, .. }) = self.sent[report.tag].take()
            {
                self.free.push(report.tag);
                // A worker that is gone has passed its deadline.
                let _ = self.acknowledged[parcel.worker].send(parcel);
            }
        }
    }
}
