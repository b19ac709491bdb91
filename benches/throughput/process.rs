//! What the system says of a process: the CPU time it has used and its memory.

use std::fs;

/// Clock ticks a second in `/proc/PID/stat`: 100 on every Linux that this runs on.
const TICKS: f64 = 100.0;

/// Seconds of CPU, user and system, of all threads since the start.
pub fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name stands in brackets and may hold anything.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks: f64 = fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap()).sum();
    ticks / TICKS
}

/// The most memory that the process ever had resident, in MiB.
pub fn resident_mib(pid: u32) -> f64 {
    status(pid, "VmHWM:") / 1024.0
}

/// How many threads it has.
pub fn threads(pid: u32) -> f64 {
    status(pid, "Threads:")
}

fn status(pid: u32, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// The middle one of an odd number of figures.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
