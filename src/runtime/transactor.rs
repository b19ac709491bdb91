//! The thread of transactional producers: drives the transactions of its lanes, one producer a lane, with exactly-once delivery.
//!
//! Every call to the brokers may wait for them; workers never do. What a call's result means is decided by
//! [`crate::delivery::Transaction`]; this file makes the calls.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::parcel::Parcel;
use super::shared::Shared;
use super::transacted::Transacted;

/// The longest wait for a parcel: in this time the end of a run is noticed.
const QUIET_WAIT: Duration = Duration::from_millis(20);
/// How long to wait for reports that a due transaction needs.
const REPORT_WAIT: Duration = Duration::from_millis(1);

/// See the module.
pub(super) struct Transactor {
    shared: Arc<Shared>,
    lanes: Vec<Transacted>,
    parcels: Receiver<Parcel>,
    began: Instant,
}

impl Transactor {
    pub(super) fn new(shared: Arc<Shared>, lanes: Vec<Transacted>, parcels: Receiver<Parcel>) -> Self {
        Self { shared, lanes, parcels, began: Instant::now() }
    }

    /// Works until all workers have ended and everything is committed, or the deadline of the stop is over.
    pub(super) fn run(mut self) {
        let mut open = true;
        loop {
            open &= self.take(open);
            let hurry = self.shared.is_stopping();
            for lane in &mut self.lanes {
                lane.turn(self.began.elapsed(), hurry);
            }
            if !open && (self.shared.is_over() || self.lanes.iter().all(Transacted::is_settled)) {
                return;
            }
        }
    }

    /// Takes what the workers have handed over, waiting for it no longer than until something is due; `false` once all workers
    /// have ended.
    fn take(&mut self, open: bool) -> bool {
        let now = self.began.elapsed();
        let wait = self.lanes.iter().map(|lane| lane.wait(now, REPORT_WAIT, QUIET_WAIT)).min().unwrap_or(QUIET_WAIT);
        if !open {
            std::thread::sleep(wait.min(REPORT_WAIT));
            return false;
        }
        match self.parcels.recv_timeout(wait) {
            Ok(parcel) => self.accept(parcel),
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        while let Ok(parcel) = self.parcels.try_recv() {
            self.accept(parcel);
        }
        true
    }

    fn accept(&mut self, parcel: Parcel) {
        if let Some(lane) = self.lanes.iter_mut().find(|lane| lane.id() == parcel.lane_id) {
            lane.accept(parcel);
        }
    }
}
