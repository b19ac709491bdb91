//! A run: threads, channels, start and stop.
//!
//! ```text
//!  Kafka ─▶ worker 0..W ══ parcels (bounded) ══▶ sender ─▶ Kafka
//!              ▲  └─ commits its lanes' watermarks         │
//!              └════════ acknowledged parcels ◀════════════┘
//! ```
//! The main thread starts everything, reports, and ends it: workers first, then the sender.

mod parcel;
mod placement;
mod sender;
mod shared;
mod worker;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded, unbounded};

pub use placement::{CpuPlan, ThreadRow, allowed_cpus, threads};

use crate::config::{Config, LaneId};
use crate::kafka::{Cluster, Consumer, Producer, Unavailable};
use crate::market::Stream;
use crate::observe::{LaneStatus, Latencies};
use sender::BatchSender;
use shared::Shared;
use worker::{Channels, Source, Worker, WorkerReport};

/// How often the main thread looks whether it shall stop.
const LOOK_AROUND: Duration = Duration::from_millis(20);
/// How long to ask for the end of a lane's log: a report does not wait for brokers that are away.
const END_TIMEOUT: Duration = Duration::from_millis(300);
/// How much longer than a worker the sender may take to end.
const SENDER_GRACE: Duration = Duration::from_millis(500);

/// Why a run ended without success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunError {
    /// Brokers, topics or offsets were not there before the deadline of the start.
    Unavailable(Unavailable),
    /// librdkafka refuses a property.
    Refused(String),
    /// A message could not be written, or a lane could not be read on; `uncommitted` envelopes will be read again.
    Failed {
        /// What went wrong.
        cause: String,
        /// Envelopes that are processed but not committed.
        uncommitted: i64,
    },
    /// The deadline of the stop was over before everything was committed.
    Uncommitted(Vec<(LaneId, i64)>),
    /// A thread died.
    Died(String),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(faults) => write!(f, "{faults}"),
            Self::Refused(fault) => write!(f, "librdkafka refuses the settings: {fault}"),
            Self::Failed { cause, uncommitted } => write!(f, "{cause}; {uncommitted} envelopes are not committed and will be read again"),
            Self::Uncommitted(lanes) => {
                let total: i64 = lanes.iter().map(|(_, count)| count).sum();
                write!(f, "stopped at the deadline with {total} envelopes uncommitted, which will be read again:")?;
                lanes.iter().try_for_each(|(lane, count)| write!(f, " {lane} {count}"))
            }
            Self::Died(fault) => f.write_str(fault),
        }
    }
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

/// Processes the lanes of `config` until `stop` is set. `started` is told once all threads run; `report` at every
/// interval and at the end.
///
/// # Errors
/// See [`RunError`].
pub fn run(config: &Arc<Config>, stop: &AtomicBool, started: impl FnOnce(&[ThreadRow]), mut report: impl FnMut(&Report<'_>)) -> Result<(), RunError> {
    let allowed = allowed_cpus();
    let (plan, warnings) = CpuPlan::new(&config.placement, &allowed, config.lanes.len());
    warnings.iter().for_each(|warning| log::warn!("{warning}"));
    if !plan.housekeeping.is_empty()
        && let Err(fault) = placement::confine_current_thread(&plan.housekeeping)
    {
        log::warn!("the system refuses to confine threads to CPUs {:?}: {fault}", plan.housekeeping);
    }

    let cluster = Cluster::new(config).map_err(RunError::Refused)?;
    let deadline = Instant::now() + config.start_deadline;
    cluster.wait_for_topics(deadline).map_err(RunError::Unavailable)?;
    cluster.refuse_members(deadline).map_err(RunError::Unavailable)?;
    if let Ok(known) = cluster.partitions() {
        cluster.uncovered(&known).iter().for_each(|warning| log::warn!("{warning}"));
    }
    let offsets = cluster.start_offsets(deadline).map_err(RunError::Unavailable)?;

    let shared = Arc::new(Shared::default());
    let threads = Threads::start(config, &plan, &offsets, &shared)?;
    // librdkafka starts its broker threads with the first metadata: give them that moment, so that the table has them.
    thread::sleep(Duration::from_millis(200));
    started(&placement::threads());
    let mut observer = Observer { config, cluster: &cluster, lanes: BTreeMap::new(), interval: Latencies::default(), total: Latencies::default() };
    let mut reported_at = Instant::now();
    while !stop.load(Ordering::Acquire) && !shared.is_stopping() && !threads.any_ended() {
        thread::sleep(LOOK_AROUND);
        observer.take(&threads.reports);
        if reported_at.elapsed() >= config.report_interval {
            reported_at = Instant::now();
            observer.tell(false, &mut report);
        }
    }
    shared.stop(Instant::now() + config.stop_deadline);
    let reports = threads.reports.clone();
    let ended = threads.join(&shared);
    observer.take(&reports);
    observer.tell(true, &mut report);
    outcome(ended, &shared)
}

fn outcome(ended: Result<Vec<(LaneId, i64)>, String>, shared: &Shared) -> Result<(), RunError> {
    let uncommitted = ended.map_err(RunError::Died)?;
    match shared.failure() {
        Some(cause) => Err(RunError::Failed { cause: cause.to_owned(), uncommitted: uncommitted.iter().map(|(_, count)| count).sum() }),
        None if uncommitted.is_empty() => Ok(()),
        None => Err(RunError::Uncommitted(uncommitted)),
    }
}

/// The running threads.
struct Threads {
    workers: Vec<JoinHandle<Vec<(LaneId, i64)>>>,
    sender: JoinHandle<()>,
    reports: Receiver<WorkerReport>,
}

impl Threads {
    /// Makes all clients here, so that librdkafka's threads inherit this thread's CPUs, then starts the threads.
    fn start(config: &Arc<Config>, plan: &CpuPlan, offsets: &BTreeMap<LaneId, i64>, shared: &Arc<Shared>) -> Result<Self, RunError> {
        let count = plan.workers.len();
        let (parcels, parcels_out) = bounded(config.batch.channel * count);
        let (reports, reports_out) = bounded(4 * count);
        // Bounded by the batches that a worker may have under way.
        let (acknowledged, acknowledged_out): (Vec<_>, Vec<_>) = (0..count).map(|_| unbounded()).unzip();

        let producer = Producer::new(config).map_err(RunError::Refused)?;
        let sender = BatchSender::new(Arc::clone(config), Arc::clone(shared), producer, parcels_out, acknowledged);
        let mut workers = Vec::new();
        for (index, acknowledged) in acknowledged_out.into_iter().enumerate() {
            let lanes = lanes_of(index, count, offsets);
            let sources = sources(config, &lanes).map_err(RunError::Refused)?;
            let channels = Channels { parcels: parcels.clone(), acknowledged, reports: reports.clone() };
            workers.push(Worker::new(index, Arc::clone(config), Arc::clone(shared), sources, &lanes, channels));
        }
        drop(parcels);

        let sender = spawn("sender", config.placement.worker_stack_bytes, plan.producer, move || sender.run())?;
        let mut handles = Vec::new();
        for (index, (worker, cpu)) in workers.into_iter().zip(&plan.workers).enumerate() {
            handles.push(spawn(&format!("worker-{index}"), config.placement.worker_stack_bytes, *cpu, move || worker.run())?);
        }
        Ok(Self { workers: handles, sender, reports: reports_out })
    }

    fn any_ended(&self) -> bool {
        self.sender.is_finished() || self.workers.iter().any(JoinHandle::is_finished)
    }

    /// Waits for the workers, then for the sender. Returns what each lane has not committed.
    fn join(self, shared: &Shared) -> Result<Vec<(LaneId, i64)>, String> {
        let mut uncommitted = Vec::new();
        let mut died = Vec::new();
        for (index, worker) in self.workers.into_iter().enumerate() {
            match worker.join() {
                Ok(lanes) => uncommitted.extend(lanes),
                Err(_) => {
                    died.push(format!("worker {index} died"));
                    shared.stop(Instant::now());
                }
            }
        }
        let patience = Instant::now() + SENDER_GRACE;
        while !self.sender.is_finished() && (!shared.is_over() || Instant::now() < patience) {
            thread::sleep(Duration::from_millis(1));
        }
        if self.sender.is_finished() && self.sender.join().is_err() {
            died.push("the sender died".to_owned());
        }
        if died.is_empty() { Ok(uncommitted) } else { Err(format!("{}: this is a fault of the program", died.join(", "))) }
    }
}

/// The lanes of one of `count` workers: dealt in turn, so that the lanes of a stream spread.
fn lanes_of(index: usize, count: usize, offsets: &BTreeMap<LaneId, i64>) -> Vec<(LaneId, i64)> {
    offsets.iter().skip(index).step_by(count).map(|(&lane, &offset)| (lane, offset)).collect()
}

/// One consumer for each stream among the lanes.
fn sources(config: &Config, lanes: &[(LaneId, i64)]) -> Result<Vec<Source>, String> {
    let mut sources = Vec::new();
    for stream in Stream::ALL {
        let of_stream = || lanes.iter().enumerate().filter(|(_, (lane, _))| lane.stream == stream);
        let partitions: Vec<_> = of_stream().map(|(_, &(lane, offset))| (lane.partition, offset)).collect();
        if !partitions.is_empty() {
            let consumer = Consumer::new(config, config.names(stream), &partitions)?;
            sources.push(Source { consumer, lanes: of_stream().map(|(index, (lane, _))| (lane.partition, index)).collect() });
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

/// Collects what workers report, and asks the brokers for the ends of the logs.
struct Observer<'c> {
    config: &'c Config,
    cluster: &'c Cluster<'c>,
    lanes: BTreeMap<LaneId, LaneStatus>,
    interval: Latencies,
    total: Latencies,
}

impl Observer<'_> {
    fn take(&mut self, reports: &Receiver<WorkerReport>) {
        while let Ok(report) = reports.try_recv() {
            self.lanes.extend(report.lanes);
            self.interval.add(&report.latencies);
            self.total.add(&report.latencies);
        }
    }

    fn tell(&mut self, is_last: bool, report: &mut impl FnMut(&Report<'_>)) {
        let mut ends = BTreeMap::new();
        for &lane in &self.config.lanes {
            // One silent broker shall not hold the report up once for every lane.
            let Ok((_, end)) = self.cluster.log_range(lane, END_TIMEOUT) else { break };
            ends.insert(lane, end);
        }
        let latencies = if is_last { &self.total } else { &self.interval };
        report(&Report { lanes: &self.lanes, ends: &ends, latencies, is_last });
        self.interval.reset();
    }
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
}
