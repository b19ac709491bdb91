//! The board: where a run leaves copies of how it is, for whoever looks at it. Lookers never come near a worker: those tell the main thread now and
//! then, which puts a picture up here; what passes by is copied into a bounded channel, and left out where that is full.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;

use super::{ClientStatistics, LaneStatus, Latencies, Sample, SinkSight};
use crate::config::LaneId;

/// How many samples may wait; more are left out.
const SAMPLES_MAX: usize = 1024;

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// It waits for brokers and topics, or gets its threads ready.
    #[default]
    Starting,
    /// All its threads run.
    Running,
    /// It drains.
    Stopping,
}

impl Phase {
    /// The phase as status and reports spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
        }
    }
}

/// How a run was at one moment.
#[derive(Clone, Debug)]
pub struct Sight {
    /// When it was put up.
    pub at: Instant,
    /// How far the run has come.
    pub phase: Phase,
    /// How far each lane is that has told.
    pub lanes: BTreeMap<LaneId, LaneStatus>,
    /// The end of each lane's log, where the brokers told it last.
    pub ends: BTreeMap<LaneId, i64>,
    /// When a broker has answered last, or the run began.
    pub answered_at: Instant,
    /// Latencies since the start.
    pub latencies: Latencies,
}

impl Default for Sight {
    fn default() -> Self {
        let now = Instant::now();
        Self { at: now, phase: Phase::Starting, lanes: BTreeMap::new(), ends: BTreeMap::new(), answered_at: now, latencies: Latencies::default() }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Board {
    sight: Mutex<Arc<Sight>>,
    samples: Option<(Sender<Sample>, Receiver<Sample>)>,
    /// Whether somebody looks at records as they pass.
    is_watched: Arc<AtomicBool>,
    beats: AtomicU64,
    clients: Arc<ClientStatistics>,
    sink: Mutex<Option<Arc<SinkSight>>>,
}

impl Board {
    /// A board that is empty. Samples are taken only where `has_lookers`.
    #[must_use]
    pub fn new(has_lookers: bool) -> Arc<Self> {
        let samples = has_lookers.then(|| bounded(SAMPLES_MAX));
        Arc::new(Self {
            sight: Mutex::default(),
            samples,
            is_watched: Arc::default(),
            beats: AtomicU64::new(0),
            clients: Arc::default(),
            sink: Mutex::default(),
        })
    }

    /// Notes that every worker has turned since the last time.
    pub fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// How often every worker has turned: a number that stands still tells of one that does not.
    #[must_use]
    pub fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    /// How the run was when it told last.
    #[must_use]
    pub fn sight(&self) -> Arc<Sight> {
        Arc::clone(&self.sight.lock())
    }

    /// Puts up how the run is. Called by its main thread alone.
    pub fn put(&self, sight: Sight) {
        *self.sight.lock() = Arc::new(sight);
    }

    /// Where samples come out; `None` where none are taken.
    #[must_use]
    pub fn samples(&self) -> Option<Receiver<Sample>> {
        self.samples.as_ref().map(|(_, samples)| samples.clone())
    }

    /// How the writer into the S3 store is; `None` where none runs beside this hub.
    #[must_use]
    pub fn sink(&self) -> Option<Arc<SinkSight>> {
        self.sink.lock().clone()
    }

    /// Puts up how that writer is. Called by its own thread alone.
    pub fn put_sink(&self, sight: SinkSight) {
        *self.sink.lock() = Some(Arc::new(sight));
    }

    /// Where Kafka clients leave what they tell of themselves.
    #[must_use]
    pub const fn clients(&self) -> &Arc<ClientStatistics> {
        &self.clients
    }

    /// Says whether somebody looks at records as they pass.
    pub fn watch(&self, is_watched: bool) {
        self.is_watched.store(is_watched, Ordering::Relaxed);
    }

    pub(super) fn sample_ends(&self) -> Option<(Sender<Sample>, Arc<AtomicBool>)> {
        self.samples.as_ref().map(|(samples, _)| (samples.clone(), Arc::clone(&self.is_watched)))
    }
}
