//! What all threads of a run see: that it shall stop, by when, and why. Read once a turn, written once a run.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::config::LaneId;

/// How long a stop may take when the run cannot go on: what is lost for this run will be read again.
const FAILURE_GRACE: Duration = Duration::from_secs(2);

/// Why a run cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Another instance with the same transactional ids has taken a lane over.
    Fenced(LaneId),
    /// Anything that no retry mends.
    Other(String),
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Shared {
    stopping: AtomicBool,
    deadline: OnceLock<Instant>,
    failure: OnceLock<Failure>,
}

impl Shared {
    /// Asks all threads to drain and end by `deadline`.
    pub(super) fn stop(&self, deadline: Instant) {
        // The first deadline stands.
        let _ = self.deadline.set(deadline);
        self.stopping.store(true, Ordering::Release);
    }

    /// As [`Shared::stop`], because something went wrong that no retry mends. The first failure is the one told.
    pub(super) fn fail(&self, failure: Failure) {
        // What follows from the first one would only hide it.
        if self.failure.set(failure.clone()).is_ok() {
            log::error!("{failure:?}");
        }
        self.stop(Instant::now() + FAILURE_GRACE);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Whether the time to drain is over.
    pub(super) fn is_over(&self) -> bool {
        self.is_over_for(Duration::ZERO)
    }

    /// Whether it has been over for `grace`.
    pub(super) fn is_over_for(&self, grace: Duration) -> bool {
        self.deadline.get().is_some_and(|deadline| Instant::now() >= *deadline + grace)
    }

    pub(super) fn failure(&self) -> Option<&Failure> {
        self.failure.get()
    }
}
