//! What all threads of a run see: that it shall stop, by when, and why. Read once a turn, written once a run.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a stop may take once a message could not be written: what is lost for this run will be read again.
const FAILURE_GRACE: Duration = Duration::from_secs(2);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Shared {
    stopping: AtomicBool,
    deadline: OnceLock<Instant>,
    failure: OnceLock<String>,
}

impl Shared {
    /// Asks all threads to drain and end by `deadline`.
    pub(super) fn stop(&self, deadline: Instant) {
        // The first deadline stands.
        let _ = self.deadline.set(deadline);
        self.stopping.store(true, Ordering::Release);
    }

    /// As [`Shared::stop`], because something went wrong that no retry mends. The first failure is the one told.
    pub(super) fn fail(&self, message: String) {
        // What follows from the first one, such as a report for each message of a batch, would only hide it.
        match self.failure.set(message.clone()) {
            Ok(()) => log::error!("{message}"),
            Err(_) => log::debug!("{message}"),
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

    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }
}
