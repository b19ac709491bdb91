//! What the system says of this process and its threads. Read from `/proc`; what cannot be read is left out.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use super::status::{ProcessRow, ThreadRow};
use crate::runtime;

/// Clock ticks a second, as Linux tells them to programs.
const TICKS: f64 = 100.0;

/// The process at present.
pub(super) fn process() -> ProcessRow {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib << 10)
    };
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let max_fds = limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next()?.parse().ok());
    ProcessRow {
        pid: std::process::id(),
        resident_bytes: bytes("VmRSS:"),
        virtual_bytes: bytes("VmSize:"),
        cpu_s: ticks(&stat).map_or(0.0, |ticks| ticks as f64 / TICKS),
        // The folder's own descriptor is one of them.
        open_fds: fs::read_dir("/proc/self/fd").map_or(0, |fds| fds.count().saturating_sub(1) as u64),
        max_fds,
    }
}

/// Processor time of user and system.
fn ticks(stat: &str) -> Option<u64> {
    field(stat, 14)?.checked_add(field(stat, 15)?)
}

/// A field of a `stat` file, counted from 1 as its manual does, behind the name.
fn field(stat: &str, number: usize) -> Option<u64> {
    // The name may hold anything, also parentheses.
    stat.rsplit_once(')')?.1.split_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

/// The threads, with how much of a CPU each took since the last time that was asked.
#[derive(Debug, Default)]
pub(super) struct Threads {
    ticks: BTreeMap<u32, u64>,
    asked_at: Option<Instant>,
}

impl Threads {
    pub(super) fn now(&mut self) -> Vec<ThreadRow> {
        let passed = self.asked_at.replace(Instant::now()).map(|asked_at| asked_at.elapsed().as_secs_f64());
        let before = std::mem::take(&mut self.ticks);
        let row = |thread: runtime::ThreadRow| {
            let stat = fs::read_to_string(format!("/proc/self/task/{}/stat", thread.id)).unwrap_or_default();
            let now = ticks(&stat).unwrap_or(0);
            let grown = before.get(&thread.id).map_or(0, |before| now.saturating_sub(*before));
            self.ticks.insert(thread.id, now);
            let busy = passed.filter(|passed| *passed > 0.0).map_or(0.0, |passed| grown as f64 / TICKS / passed);
            let last_cpu = field(&stat, 39).and_then(|cpu| u32::try_from(cpu).ok());
            ThreadRow { role: thread.role(), id: thread.id, name: thread.name, cpus: thread.cpus, last_cpu, busy }
        };
        runtime::threads().into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_of_this_process() {
        let process = process();
        assert!(process.resident_bytes > 1 << 20 && process.virtual_bytes >= process.resident_bytes && process.open_fds >= 3, "{process:?}");
        let threads = Threads::default().now();
        assert!(threads.iter().any(|thread| thread.last_cpu.is_some()), "{threads:?}");
        let stat = "7 (rdk: (x) 1) S 1 2 3 4 5 6 7 8 9 10 110 220 0 0 20 0 1 0 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 17 3 0";
        assert_eq!((field(stat, 14), ticks(stat), field(stat, 39)), (Some(110), Some(330), Some(3)));
    }
}
