//! What the system says about a running hub.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// A moment of a process.
#[derive(Clone, Copy, Debug)]
pub struct Vitals {
    pub resident_kib: u64,
    pub threads: u64,
    pub descriptors: u64,
    /// Processor time of its workers so far.
    pub workers_busy: Duration,
}

impl Vitals {
    pub fn of(pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok()).expect(name);
        Self {
            resident_kib: field("VmRSS:"),
            threads: field("Threads:"),
            descriptors: fs::read_dir(format!("/proc/{pid}/fd")).expect("its descriptors").count() as u64,
            workers_busy: workers(pid).values().map(|worker| worker.busy).sum(),
        }
    }
}

/// How long a worker thread has run, and how often it was given a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct WorkerTime {
    busy: Duration,
    turns: u64,
}

/// Every worker of a hub, by its thread's name.
fn workers(pid: u32) -> BTreeMap<String, WorkerTime> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return BTreeMap::new() };
    let of_task = |task: std::io::Result<fs::DirEntry>| {
        let path = task.ok()?.path();
        let name = fs::read_to_string(path.join("comm")).ok()?;
        // Nanoseconds on a processor, nanoseconds waiting for one, and how many times it got one.
        let times = fs::read_to_string(path.join("schedstat")).ok()?;
        let mut times = times.split_whitespace().map(|number| number.parse().unwrap_or(0));
        let (busy, turns) = (times.next()?, times.nth(1)?);
        name.starts_with("worker-").then_some((name, WorkerTime { busy: Duration::from_nanos(busy), turns }))
    };
    tasks.filter_map(of_task).collect()
}

/// Watches for workers that do not move: a worker that has nothing to do looks around all the time.
pub struct Stillness {
    told: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Stillness {
    pub fn of(pid: u32) -> Self {
        let told = Arc::new(AtomicBool::new(false));
        let is_told = Arc::clone(&told);
        let thread = thread::spawn(move || {
            let (mut last, mut moved_at, mut longest) = (workers(pid), Instant::now(), Duration::ZERO);
            while !is_told.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(5));
                let now = workers(pid);
                if now.iter().all(|(name, time)| last.get(name) != Some(time)) {
                    last = now;
                    moved_at = Instant::now();
                } else {
                    longest = longest.max(moved_at.elapsed());
                }
            }
            longest
        });
        Self { told, thread }
    }

    /// The longest that a worker did not move.
    pub fn end(self) -> Duration {
        self.told.store(true, Ordering::Relaxed);
        self.thread.join().expect("the watch")
    }
}
