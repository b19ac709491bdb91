//! The demo: the same run as against real brokers, between a feed of made-up frames and a reader that proves what comes out.
//!
//! ```text
//! feeder ─▶ input topics ─▶ runtime::run ─▶ output and dead-letter topics ─▶ prover
//!    └────────────── what must come out, lane by lane ───────────────────────▲
//! ```
//! All of it in one process, on an embedded broker that keeps 5 MiB a partition: the feeder never runs further ahead of
//! the prover than that allows.

mod feeder;
mod prover;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::unbounded;

pub use prover::{Difference, Proof, Sample};

use crate::config::{Config, LaneId};
use crate::feed::Expected;
use crate::kafka::EmbeddedBroker;
use crate::market::Stream;
use crate::observe::{Board, LaneStatus, Latencies};
use crate::runtime::{self, Report, RunError, ThreadRow};
use feeder::Feeder;
use prover::Prover;

/// How long the prover may take to see the last message once the feed has ended.
const LAST_MESSAGE_WAIT: Duration = Duration::from_secs(15);
/// How long to look for messages that should not come once all that should have come.
const PHANTOM_WAIT: Duration = Duration::from_millis(300);

/// How long the clients of a run that has ended may take to close.
const CLOSING_WAIT: Duration = Duration::from_millis(300);

/// How a demo goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How long frames are fed.
    pub duration: Duration,
    /// Frames a second over all lanes; `None` is as many as can be made and taken.
    pub rate: Option<u64>,
    /// Decides the frames.
    pub seed: u64,
}

/// What a demo found.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Frames that were fed.
    pub fed_frames: u64,
    /// How long they were fed.
    pub fed_for: Duration,
    /// What came out, held against what had to.
    pub proof: Proof,
    /// How far each lane came.
    pub lanes: BTreeMap<LaneId, LaneStatus>,
    /// Latencies of the whole run.
    pub latencies: Latencies,
}

impl Verdict {
    /// `frames = records + control + stale + held + dead letters`, and nothing lost, repeated or different.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let counted = |count: fn(&LaneStatus) -> u64| self.lanes.values().map(count).sum::<u64>();
        let frames = counted(|lane| lane.counts.frames);
        let settled = counted(|lane| lane.counts.settled_frames() + lane.counts.dead_letters());
        frames == self.fed_frames && settled == frames && self.proof.is_complete()
    }
}

/// What a frame of one envelope must become, told to the prover before the envelope is sent.
struct Fed {
    lane: LaneId,
    /// The envelope's key, which dead letters keep.
    key: String,
    expected: Vec<Expected>,
}

/// How many messages of each lane are due: fed, and not yet seen by the prover.
type Due = Arc<BTreeMap<LaneId, AtomicI64>>;

/// Runs a demo with the given settings, whose brokers and topics it replaces by its own.
///
/// # Errors
/// See [`RunError`].
pub fn run(
    mut config: Config,
    plan: &Plan,
    stop: &Arc<AtomicBool>,
    board: &Arc<Board>,
    started: impl FnOnce(&[ThreadRow]),
    mut report: impl FnMut(&Report<'_>),
) -> Result<Verdict, RunError> {
    let broker = EmbeddedBroker::start().map_err(RunError::Refused)?;
    config.brokers = broker.brokers();
    // The embedded broker sleeps as long before it answers that there is nothing.
    config.kafka.fetch_wait = config.kafka.fetch_wait.min(Duration::from_millis(5));
    for stream in Stream::ALL {
        let names = &config.streams[stream.index()];
        for topic in [&names.input, &names.output, &names.dlt] {
            broker.create_topic(topic, stream.partitions()).map_err(RunError::Refused)?;
        }
    }
    let config = Arc::new(config);
    let due: Due = Arc::new(config.lanes.iter().map(|&lane| (lane, AtomicI64::new(0))).collect());
    let (fed, told) = unbounded();
    let feeder = Feeder::new(&config, plan, fed, Arc::clone(&due)).map_err(RunError::Refused)?;
    let prover = Prover::new(&config, told, Arc::clone(&due)).map_err(RunError::Refused)?;

    let feeding_over = Arc::new(AtomicBool::new(false));
    let feeder = {
        let (stop, feeding_over, duration) = (Arc::clone(stop), Arc::clone(&feeding_over), plan.duration);
        thread::spawn(move || {
            let begin = Instant::now();
            let frames = feeder.run(duration, &stop);
            feeding_over.store(true, Ordering::Release);
            (frames, begin.elapsed())
        })
    };
    let prover = {
        let (stop, feeding_over) = (Arc::clone(stop), Arc::clone(&feeding_over));
        thread::spawn(move || {
            let proof = prover.run(&feeding_over);
            stop.store(true, Ordering::Release);
            proof
        })
    };
    let mut verdict = Verdict::default();
    // The last report has the latencies of the whole run.
    let ran = runtime::run(&config, stop, board, started, |now| {
        verdict.lanes.clone_from(now.lanes);
        verdict.latencies = now.latencies.clone();
        report(now);
    });
    // Where the run failed, nobody waits for what will not come.
    stop.store(true, Ordering::Release);
    let died = |_| RunError::Died("a thread of the demo died".to_owned());
    (verdict.fed_frames, verdict.fed_for) = feeder.join().map_err(died)?;
    verdict.proof = prover.join().map_err(died)?;
    // Clients are closed by threads of their own: let them, before the broker goes.
    thread::sleep(CLOSING_WAIT);
    ran.map(|()| verdict)
}
