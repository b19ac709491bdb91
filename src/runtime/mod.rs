//! A run: threads, channels, start and stop.
//!
//! ```text
//!  Kafka ─▶ worker 0..W ══ parcels (bounded) ══▶ sender, or a transactor for each lane ─▶ Kafka
//!              ▲  └─ commits its lanes' watermarks, unless transactions do    │
//!              └════════════════ answers: written, failed, begin again ◀══════┘
//! ```
//! The main thread starts everything, reports, and ends it: workers first, then the sender.

mod again;
mod host_lock;
mod observer;
mod owned;
mod parcel;
mod placement;
mod prepared;
mod sender;
mod senders;
mod shared;
mod silence;
mod spare;
mod trace;
mod transacted;
mod transactor;
mod worker;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded, unbounded};

pub use placement::{CpuPlan, ThreadRow, allowed_cpus, confine_current_thread, threads};
pub use trace::{Moment, Trace, Traced};

use crate::config::{Config, LaneId};
use crate::kafka::{self, Consumer, Groups, NotTaken, Start, Unavailable};
use crate::market::Stream;
use crate::observe::{Board, LaneStatus, Latencies, Phase, Sampler};
use observer::Observer;
use prepared::{Prepared, Producers};
use senders::Senders;
use shared::{Failure, Shared};
use worker::{Channels, Source, Worker, WorkerReport};

/// How often the main thread looks whether it shall stop.
const LOOK_AROUND: Duration = Duration::from_millis(20);
/// How long after the deadline of the stop a thread that sends is still waited for, which may be in the middle of a call to brokers that are away.
const END_GRACE: Duration = Duration::from_millis(500);
/// The same of a worker, which never waits for brokers: it ends as soon as the system lets it.
const WORKER_GRACE: Duration = Duration::from_secs(3);

/// Why a run ended without success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunError {
    /// Brokers, topics or offsets were not there before the deadline of the start.
    Unavailable(Unavailable),
    /// librdkafka refuses a property.
    Refused(String),
    /// Another instance with the same transactional ids has taken this lane over.
    Fenced(LaneId),
    /// The run could not go on; `uncommitted` envelopes will be read again.
    Failed {
        /// What went wrong.
        cause: String,
        /// Envelopes that are processed but not committed.
        uncommitted: i64,
    },
    /// The run has stopped before everything was committed.
    Uncommitted(Vec<Uncommitted>),
    /// A thread died.
    Died(String),
}

impl From<NotTaken> for RunError {
    fn from(not_taken: NotTaken) -> Self {
        match not_taken {
            NotTaken::Unavailable(unavailable) => Self::Unavailable(unavailable),
            NotTaken::Fenced(lane) => Self::Fenced(lane),
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(faults) => write!(f, "{faults}"),
            Self::Refused(fault) => write!(f, "librdkafka refuses the settings: {fault}"),
            Self::Fenced(lane) => write!(
                f,
                "{lane}: another process with the same transactional ids has taken over, this one must not come back; \
                 give one of them other lanes (--lanes) or another --transactional-prefix"
            ),
            Self::Failed { cause, uncommitted } => write!(f, "{cause}; {uncommitted} envelopes are not committed and will be read again"),
            Self::Uncommitted(lanes) => {
                let total: i64 = lanes.iter().map(|lane| lane.count).sum();
                // A lane that begins again after a failure is not waited for.
                let when = if lanes.iter().all(|lane| lane.was_held) { "" } else { " at the deadline" };
                write!(f, "stopped{when} with {total} envelopes uncommitted, which will be read again:")?;
                lanes.iter().try_for_each(|lane| write!(f, " {lane}"))
            }
            Self::Died(fault) => f.write_str(fault),
        }
    }
}

/// What of a lane was processed and not committed when the run stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncommitted {
    /// The lane.
    pub lane: LaneId,
    /// How many envelopes; above 0.
    pub count: i64,
    /// Why it could not write, if that is known.
    pub fault: Option<String>,
    /// Whether it was on its way back from a failure when the run stopped.
    pub was_held: bool,
}

impl fmt::Display for Uncommitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.lane, self.count)?;
        self.fault.as_ref().map_or(Ok(()), |fault| write!(f, " (cannot write: {fault})"))
    }
}

/// The CPUs that a run with these settings would give its threads on this host, and those that it may use.
#[must_use]
pub fn planned_cpus(config: &Config) -> (CpuPlan, Vec<usize>) {
    let allowed = allowed_cpus();
    (CpuPlan::new(&config.placement, &allowed, config.lanes.len()).0, allowed)
}

/// What a run tells its caller at every interval, and once at the end.
#[derive(Debug)]
pub struct Report<'r> {
    /// How far each lane is.
    pub lanes: &'r BTreeMap<LaneId, LaneStatus>,
    /// The end of each lane's log, where the brokers told it.
    pub ends: &'r BTreeMap<LaneId, i64>,
    /// Latencies since the last report; since the start in the last one.
    pub latencies: &'r Latencies,
    /// Whether this is the last one.
    pub is_last: bool,
}

/// Processes the lanes of `config` until `stop` is set, and puts up on `board` how it is. `started` is told once all threads run; `report` at
/// every interval and at the end.
///
/// # Errors
/// See [`RunError`].
pub fn run(
    config: &Arc<Config>,
    stop: &AtomicBool,
    board: &Arc<Board>,
    started: impl FnOnce(&[ThreadRow]),
    report: impl FnMut(&Report<'_>),
) -> Result<(), RunError> {
    run_traced(config, stop, &Watchers { board: Arc::clone(board), trace: Trace::default() }, started, report)
}

/// Who looks at a run from outside, each in its own way.
#[derive(Clone, Debug)]
pub struct Watchers {
    /// Where copies of how it is are put up.
    pub board: Arc<Board>,
    /// What is told of every envelope.
    pub trace: Trace,
}

/// As [`run`], and tells a trace of every envelope.
///
/// # Errors
/// See [`RunError`].
pub fn run_traced(
    config: &Arc<Config>,
    stop: &AtomicBool,
    watchers: &Watchers,
    started: impl FnOnce(&[ThreadRow]),
    mut report: impl FnMut(&Report<'_>),
) -> Result<(), RunError> {
    let allowed = allowed_cpus();
    let (plan, warnings) = CpuPlan::new(&config.placement, &allowed, config.lanes.len());
    warnings.iter().for_each(|warning| log::warn!("{warning}"));
    if !plan.housekeeping.is_empty()
        && let Err(fault) = confine_current_thread(&plan.housekeeping).and_then(|()| placement::confine_log_thread(&plan.housekeeping))
    {
        log::warn!("the system refuses to confine threads to CPUs {:?}: {fault}", plan.housekeeping);
    }

    kafka::settle_memory(config, plan.workers.len());
    let Some(Prepared { cluster, groups, starts, producers, locks }) = Prepared::unless_stopped(config, stop)? else {
        log::info!("stopped before the start was over: nothing was read");
        return Ok(());
    };
    let shared = Arc::new(Shared::new(watchers.board.clients()));
    let threads = Threads::start(config, &plan, &starts, &groups, producers, &shared, watchers)?;
    let mut observer = Observer::start(config, &shared, cluster, groups, &watchers.board, plan.workers.len())?;
    // librdkafka starts its broker threads with the first metadata: give them that moment, so that the table has them.
    thread::sleep(Duration::from_millis(200));
    started(&placement::threads());
    while !stop.load(Ordering::Acquire) && !shared.is_stopping() && !threads.any_ended() {
        thread::sleep(LOOK_AROUND);
        observer.take(&threads.reports);
        observer.turn(&mut report);
    }
    if threads.senders.iter().any(JoinHandle::is_finished) && !shared.is_stopping() {
        // Nothing will be acknowledged any more: there is no use in waiting for it as long as a stop may take.
        shared.fail(Failure::Other("the sender died".to_owned()));
    }
    shared.stop(Instant::now() + config.stop_deadline);
    observer.put(Phase::Stopping);
    // Asked now, so that in an outage it is not waited for on top of the deadline.
    observer.ask();
    let reports = threads.reports.clone();
    let ended = threads.join(&shared);
    observer.take(&reports);
    observer.tell_last(&mut report);
    drop(locks);
    outcome(ended, &shared)
}

fn outcome(ended: Result<Vec<Uncommitted>, String>, shared: &Shared) -> Result<(), RunError> {
    match (shared.failure(), ended) {
        // Whoever is fenced must not come back, however it ended.
        (Some(Failure::Fenced(lane)), _) => Err(RunError::Fenced(*lane)),
        (_, Err(died)) => Err(RunError::Died(died)),
        (Some(Failure::Other(cause)), Ok(uncommitted)) => {
            Err(RunError::Failed { cause: cause.clone(), uncommitted: uncommitted.iter().map(|lane| lane.count).sum() })
        }
        (None, Ok(uncommitted)) if uncommitted.is_empty() => Ok(()),
        (None, Ok(uncommitted)) => Err(RunError::Uncommitted(uncommitted)),
    }
}

/// The running threads.
struct Threads {
    workers: Vec<JoinHandle<Vec<Uncommitted>>>,
    senders: Vec<JoinHandle<()>>,
    reports: Receiver<WorkerReport>,
}

impl Threads {
    /// Makes all clients here, so that librdkafka's threads inherit this thread's CPUs, then starts the threads.
    fn start(
        config: &Arc<Config>,
        plan: &CpuPlan,
        starts: &BTreeMap<LaneId, Start>,
        groups: &Groups,
        producers: Producers,
        shared: &Arc<Shared>,
        watchers: &Watchers,
    ) -> Result<Self, RunError> {
        let count = plan.workers.len();
        let (reports, reports_out) = bounded(4 * count);
        // Bounded by the batches that lanes may have under way.
        let (answers, answers_out): (Vec<_>, Vec<_>) = (0..count).map(|_| unbounded()).unzip();
        let dealt: Vec<Vec<(LaneId, Start)>> = (0..count).map(|index| lanes_of(index, count, starts)).collect();
        let (senders, routes) = Senders::new(config, shared, groups, producers, &dealt, &answers);

        let mut workers = Vec::new();
        for (index, (lanes, answers)) in dealt.iter().zip(answers_out).enumerate() {
            let sources = sources(config, shared, index, lanes).map_err(RunError::Refused)?;
            let (trace, sampler) = (watchers.trace.clone(), Sampler::new(&watchers.board, lanes.len()));
            let channels = Channels { routes: routes.clone(), answers, reports: reports.clone(), trace, sampler };
            workers.push(Worker::new(index, Arc::clone(config), Arc::clone(shared), sources, lanes, channels));
        }
        drop(routes);

        let senders = senders.spawn(config, plan)?;
        let mut handles = Vec::new();
        for (index, (worker, cpu)) in workers.into_iter().zip(&plan.workers).enumerate() {
            handles.push(spawn(&format!("worker-{index}"), config.placement.worker_stack_bytes, *cpu, move || worker.run())?);
        }
        Ok(Self { workers: handles, senders, reports: reports_out })
    }

    fn any_ended(&self) -> bool {
        self.senders.iter().any(JoinHandle::is_finished) || self.workers.iter().any(JoinHandle::is_finished)
    }

    /// Waits for the workers, then for the sender, until a little after the deadline of the stop; `shared` has one. Returns what each lane has not
    /// committed.
    fn join(self, shared: &Shared) -> Result<Vec<Uncommitted>, String> {
        let mut uncommitted = Vec::new();
        let mut died = Vec::new();
        for (index, worker) in self.workers.into_iter().enumerate() {
            if !ends_in_time(&worker, shared, WORKER_GRACE) {
                died.push(format!("worker {index} did not end in time"));
                continue;
            }
            match worker.join() {
                Ok(lanes) => uncommitted.extend(lanes),
                Err(_) => died.push(format!("worker {index} died")),
            }
        }
        // In an outage they are left behind with what they hold: the workers know what is not committed.
        for sender in self.senders {
            if ends_in_time(&sender, shared, END_GRACE) && sender.join().is_err() {
                died.push("the sender died".to_owned());
            }
        }
        if died.is_empty() { Ok(uncommitted) } else { Err(format!("{}: this is a fault of the program", died.join(", "))) }
    }
}

/// Waits for the end of a thread, until so long after the deadline of the stop.
fn ends_in_time<T>(thread: &JoinHandle<T>, shared: &Shared, grace: Duration) -> bool {
    while !thread.is_finished() {
        if shared.is_over_for(grace) {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
    true
}

/// The lanes of one of `count` workers: dealt in turn, so that the lanes of a stream spread.
fn lanes_of<T: Copy>(index: usize, count: usize, lanes: &BTreeMap<LaneId, T>) -> Vec<(LaneId, T)> {
    lanes.iter().skip(index).step_by(count).map(|(&lane, &value)| (lane, value)).collect()
}

/// One consumer for each stream among the lanes.
fn sources(config: &Config, shared: &Shared, worker: usize, lanes: &[(LaneId, Start)]) -> Result<Vec<Source>, String> {
    let mut sources = Vec::new();
    for stream in Stream::ALL {
        let of_stream: Vec<_> = lanes.iter().enumerate().filter(|(_, (lane, _))| lane.stream == stream).map(|(index, _)| index).collect();
        if !of_stream.is_empty() {
            let place = shared.statistics_of(format!("worker-{worker}/{stream}"));
            sources.push(Source { consumer: Consumer::watched(config, config.names(stream), of_stream.len(), place)?, lanes: of_stream, is_stale: false });
        }
    }
    Ok(sources)
}

/// Starts a thread that pins itself first.
fn spawn<T: Send + 'static>(name: &str, stack_bytes: usize, cpu: Option<usize>, work: impl FnOnce() -> T + Send + 'static) -> Result<JoinHandle<T>, RunError> {
    let pinned = move || {
        if let Some(cpu) = cpu
            && !placement::pin_current_thread(cpu)
        {
            log::warn!("the system refuses to pin this thread to CPU {cpu}; it runs unpinned");
        }
        work()
    };
    thread::Builder::new()
        .name(name.to_owned())
        .stack_size(stack_bytes)
        .spawn(pinned)
        .map_err(|error| RunError::Died(format!("thread {name} cannot start: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_has_one_worker() {
        let offsets: BTreeMap<_, _> = Config::default().lanes.into_iter().map(|lane| (lane, 7)).collect();
        for count in 1..=18 {
            let mut dealt: Vec<_> = (0..count).flat_map(|index| lanes_of(index, count, &offsets)).collect();
            dealt.sort_unstable();
            assert_eq!(dealt, offsets.clone().into_iter().collect::<Vec<_>>());
            assert!((0..count).all(|index| !lanes_of(index, count, &offsets).is_empty()));
        }
    }

    fn threads(worker: impl FnOnce() -> Vec<Uncommitted> + Send + 'static, sender: impl FnOnce() + Send + 'static) -> Threads {
        Threads { workers: vec![thread::spawn(worker)], senders: vec![thread::spawn(sender)], reports: unbounded().1 }
    }

    fn stopped(deadline: Instant) -> Shared {
        let shared = Shared::default();
        shared.stop(deadline);
        shared
    }

    #[test]
    fn what_is_uncommitted_has_its_true_reason() {
        let lane = Config::default().lanes[0];
        let failed = Uncommitted { lane, count: 3, fault: Some("topic: not allowed".to_owned()), was_held: true };
        let late = Uncommitted { count: 4, fault: None, was_held: false, ..failed.clone() };
        let said = RunError::Uncommitted(vec![failed.clone()]).to_string();
        assert!(said.starts_with("stopped with 3 ") && said.ends_with(" 3 (cannot write: topic: not allowed)"), "{said}");
        let said = RunError::Uncommitted(vec![failed, late]).to_string();
        assert!(said.starts_with("stopped at the deadline with 7 ") && said.ends_with(" 4"), "{said}");
    }

    #[test]
    fn a_thread_that_dies_is_named() {
        let far = stopped(Instant::now() + Duration::from_secs(60));
        let died = threads(|| panic!("a fault that the test makes"), || {}).join(&far).unwrap_err();
        assert!(died.contains("worker 0 died") && !died.contains("sender"), "{died}");
        let died = threads(Vec::new, || panic!("a fault that the test makes")).join(&far).unwrap_err();
        assert!(died.contains("the sender died"), "{died}");
    }

    #[test]
    fn a_thread_that_does_not_end_is_left_behind_at_the_deadline() {
        fn park() -> ! {
            loop {
                thread::park();
            }
        }
        let began = Instant::now();
        assert_eq!(threads(Vec::new, || park()).join(&stopped(began)), Ok(Vec::new()), "what the sender holds, a worker counts");
        assert!(threads(|| park(), || {}).join(&stopped(began)).unwrap_err().contains("worker 0 did not end in time"));
        assert!(began.elapsed() < 10 * WORKER_GRACE, "{:?}", began.elapsed());
    }
}
