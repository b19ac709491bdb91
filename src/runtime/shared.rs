//! What all threads of a run see: that it shall stop, by when, and why. Read once a turn, written once a run.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::config::LaneId;
use crate::observe::{ClientStatistics, StatisticsOf};

/// How long a stop may take when the run cannot go on: what is lost for this run will be read again.
const FAILURE_GRACE: Duration = Duration::from_secs(2);
/// The same when another instance has taken over: what is under way is that one's now.
const FENCED_GRACE: Duration = Duration::from_millis(100);

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
    /// How often clients were asked to find their brokers again.
    searches: AtomicU32,
    /// Where Kafka clients leave what they tell of themselves.
    clients: Arc<ClientStatistics>,
}

impl Shared {
    pub(super) fn new(clients: &Arc<ClientStatistics>) -> Self {
        Self { clients: Arc::clone(clients), ..Self::default() }
    }

    /// Where a client of that name leaves its statistics.
    pub(super) fn statistics_of(&self, client: String) -> StatisticsOf {
        StatisticsOf { client, statistics: Arc::clone(&self.clients) }
    }

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
        let grace = if matches!(failure, Failure::Fenced(_)) { FENCED_GRACE } else { FAILURE_GRACE };
        self.stop(Instant::now() + grace);
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

    /// Asks all clients to find their brokers again.
    pub(super) fn search(&self) {
        self.searches.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether that was asked for since the last time; `seen` remembers it.
    pub(super) fn shall_search(&self, seen: &mut u32) -> bool {
        let searches = self.searches.load(Ordering::Relaxed);
        std::mem::replace(seen, searches) != searches
    }

    pub(super) fn failure(&self) -> Option<&Failure> {
        self.failure.get()
    }
}
