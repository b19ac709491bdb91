//! Which thread runs on which CPU: workers and the producer pinned to one each, everything else on the rest.
//!
//! librdkafka's own threads inherit the mask of the thread that makes the client: clients are made while the main
//! thread runs on the housekeeping CPUs, and only then handed to their workers.

use std::fs;

use core_affinity::CoreId;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

use crate::config::Placement;
use crate::logs::LOG_THREAD;

/// A worker, the producer, and two for librdkafka, the brokers' interrupts and everything else.
const PINNED_MIN: usize = 4;

/// The CPU of every role, all of them allowed to this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuPlan {
    /// One for each worker; `None` where it is not pinned.
    pub workers: Vec<Option<usize>>,
    /// The producer's.
    pub producer: Option<usize>,
    /// Those of all other threads; empty where nothing is pinned.
    pub housekeeping: Vec<usize>,
}

impl CpuPlan {
    /// Deals the allowed CPUs: workers take the last ones, the producer and everything else the first; lists in the
    /// settings win. With too few of them nothing is pinned that is not asked for by a list: threads that could not give way to each other would
    /// only be in each other's. Returns the plan and what was asked for but cannot be had.
    #[must_use]
    pub fn new(placement: &Placement, allowed: &[usize], lanes: usize) -> (Self, Vec<String>) {
        let count = placement.worker_count(allowed.len(), lanes);
        let asks_for_none = placement.worker_cpus.is_empty() && placement.producer_cpus.is_empty() && placement.housekeeping_cpus.is_empty();
        if !placement.pin || allowed.is_empty() || (asks_for_none && allowed.len() < PINNED_MIN) {
            return (Self { workers: vec![None; count], producer: None, housekeeping: Vec::new() }, Vec::new());
        }
        let mut warnings = Vec::new();
        let mut usable = |asked: &[usize], role: &str| -> Vec<usize> {
            let (usable, refused): (Vec<_>, Vec<_>) = asked.iter().copied().partition(|cpu| allowed.contains(cpu));
            if !refused.is_empty() {
                warnings.push(format!("CPUs {refused:?} asked for the {role} are not allowed to this process"));
            }
            usable
        };
        let asked_workers = usable(&placement.worker_cpus, "workers");
        let asked_producer = usable(&placement.producer_cpus, "producer");
        let asked_housekeeping = usable(&placement.housekeeping_cpus, "other threads");

        // The first CPU serves interrupts on most hosts: it is the last that a worker gets.
        let worker_cpus: Vec<usize> = if asked_workers.is_empty() { allowed.iter().rev().take(count).copied().collect() } else { asked_workers };
        let rest: Vec<usize> = allowed.iter().copied().filter(|cpu| !worker_cpus.contains(cpu)).collect();
        let or_any = |cpus: Vec<usize>| if cpus.is_empty() { allowed.to_vec() } else { cpus };
        let housekeeping = if asked_housekeeping.is_empty() { or_any(rest) } else { asked_housekeeping };
        // With CPUs to spare the producer has one for itself.
        let producer = asked_producer.first().or(housekeeping.last()).copied();
        let housekeeping = match producer {
            Some(cpu) if asked_producer.is_empty() && placement.housekeeping_cpus.is_empty() && housekeeping.len() > 2 => {
                housekeeping.into_iter().filter(|&other| other != cpu).collect()
            }
            _ => housekeeping,
        };
        let workers = worker_cpus.iter().copied().cycle().take(count).map(Some).collect();
        (Self { workers, producer, housekeeping }, warnings)
    }
}

/// The CPUs that this process may use, in order.
#[must_use]
pub fn allowed_cpus() -> Vec<usize> {
    let mut cpus: Vec<usize> = core_affinity::get_core_ids().unwrap_or_default().into_iter().map(|core| core.id).collect();
    cpus.sort_unstable();
    cpus
}

/// Pins the calling thread to one CPU; says whether the system did it.
#[must_use]
pub fn pin_current_thread(cpu: usize) -> bool {
    core_affinity::set_for_current(CoreId { id: cpu })
}

/// Lets the calling thread, and all that it starts from now on, run on these CPUs.
///
/// # Errors
/// The system's.
pub fn confine_current_thread(cpus: &[usize]) -> Result<(), String> {
    confine(Pid::from_raw(0), cpus)
}

/// Confines the thread of the log, which is there before the settings are read.
///
/// # Errors
/// The system's.
pub(super) fn confine_log_thread(cpus: &[usize]) -> Result<(), String> {
    let ids = threads().into_iter().filter(|thread| thread.name == LOG_THREAD).filter_map(|thread| i32::try_from(thread.id).ok());
    ids.map(Pid::from_raw).try_for_each(|thread| confine(thread, cpus))
}

fn confine(thread: Pid, cpus: &[usize]) -> Result<(), String> {
    let mut set = CpuSet::new();
    cpus.iter().try_for_each(|&cpu| set.set(cpu)).and_then(|()| sched_setaffinity(thread, &set)).map_err(|error| error.to_string())
}

/// One thread of this process, read back from the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadRow {
    /// Its id in the system.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// The CPUs that it may run on, as the system lists them.
    pub cpus: String,
}

impl ThreadRow {
    /// What it is for.
    #[must_use]
    pub fn role(&self) -> &'static str {
        match self.name.as_str() {
            name if name.starts_with("worker-") => "worker",
            "sender" => "producer",
            name if name.starts_with("transactor-") => "transactions",
            name if name.starts_with("s3-") => "S3 sink",
            name if name.starts_with("rdk:") => "Kafka client",
            _ => "housekeeping",
        }
    }
}

/// All threads of this process.
#[must_use]
pub fn threads() -> Vec<ThreadRow> {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else { return Vec::new() };
    let mut rows: Vec<ThreadRow> = tasks
        .filter_map(|task| {
            let status = fs::read_to_string(task.ok()?.path().join("status")).ok()?;
            let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
            Some(ThreadRow { id: field("Pid:")?.parse().ok()?, name: field("Name:")?, cpus: field("Cpus_allowed_list:")? })
        })
        .collect();
    rows.sort_by_key(|row| row.id);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn workers_take_the_last_cpus_and_leave_the_first() {
        let placement = Config::default().placement;
        let plan = |allowed: &[usize]| CpuPlan::new(&placement, allowed, 18).0;
        assert_eq!(plan(&[0, 1, 2, 3]).workers, [Some(3), Some(2), Some(1)]);
        assert_eq!(plan(&[0, 1, 2]), CpuPlan { workers: vec![None; 2], producer: None, housekeeping: vec![] }, "too few");
        let listed = Placement { worker_cpus: vec![1], ..placement.clone() };
        let plan = CpuPlan::new(&listed, &[0, 1], 18).0;
        assert_eq!(plan, CpuPlan { workers: vec![Some(1)], producer: Some(0), housekeeping: vec![0] }, "asked for");
    }

    #[test]
    fn only_allowed_cpus_are_taken() {
        let mut placement = Config::default().placement;
        placement.workers = Some(2);
        placement.worker_cpus = vec![2, 9];
        placement.producer_cpus = vec![1];
        let (plan, warnings) = CpuPlan::new(&placement, &[0, 1, 2, 3], 18);
        assert_eq!(plan, CpuPlan { workers: vec![Some(2), Some(2)], producer: Some(1), housekeeping: vec![0, 1, 3] });
        assert_eq!(warnings.len(), 1, "{warnings:?}");
    }

    #[test]
    fn threads_are_read_back() {
        assert!(threads().iter().any(|row| !row.cpus.is_empty()));
    }
}
