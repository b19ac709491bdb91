//! Figures: sizes of the cases, goals that are printed, and chance that can be repeated.

use std::{
    fmt::Debug,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use crate::support::report;

/// How far beyond its goal a figure may lie on a busy machine.
const TOLERANCE: u32 = 10;

/// The first in CI; the second with `FAULTS=L` in the environment, for a longer run by hand.
pub fn sized<T>(small: T, large: T) -> T {
    if std::env::var_os("FAULTS").is_some_and(|size| size == "L") { large } else { small }
}

/// Says what was seen beside the goal; fails at ten times the goal.
pub fn within(what: &str, goal: Duration, seen: Duration) {
    report(format_args!("{what}: {seen:.2?} (goal {goal:?})"));
    assert!(seen < goal * TOLERANCE, "{what}: {seen:?} is beyond ten times the goal of {goal:?}");
}

/// As [`within`], for a figure that is no time.
pub fn at_most(what: &str, goal: f64, seen: f64) {
    report(format_args!("{what}: {seen:.1} (goal {goal})"));
    assert!(seen < goal * f64::from(TOLERANCE), "{what}: {seen} is beyond ten times the goal of {goal}");
}

/// As [`at_most`], the other way round.
pub fn at_least(what: &str, goal: f64, seen: f64) {
    report(format_args!("{what}: {seen:.1} (goal {goal})"));
    assert!(seen * f64::from(TOLERANCE) > goal, "{what}: {seen} is below a tenth of the goal of {goal}");
}

/// A number that reads as it is meant: `10_000.per_second()`.
pub trait PerSecond {
    fn per_second(self) -> Rate;
}

/// Frames a second.
#[derive(Clone, Copy, Debug)]
pub struct Rate(pub u32);

impl PerSecond for u32 {
    fn per_second(self) -> Rate {
        Rate(self)
    }
}

/// Where chance decides, `FAULTS_SEED` decides again what it did the last time.
pub fn chance(range: std::ops::Range<u64>) -> u64 {
    static STATE: AtomicU64 = AtomicU64::new(0);
    let state = match STATE.load(Ordering::Relaxed) {
        0 => seed(),
        state => state,
    };
    // splitmix64
    let next = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    STATE.store(next, Ordering::Relaxed);
    let mixed = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    range.start + (mixed ^ (mixed >> 31)) % (range.end - range.start)
}

fn seed() -> u64 {
    let given = std::env::var("FAULTS_SEED").ok().map(|seed| seed.parse().expect("FAULTS_SEED is a number"));
    let seed = given.unwrap_or_else(|| SystemTime::UNIX_EPOCH.elapsed().map_or(1, |now| u64::from(now.subsec_nanos())));
    report(format_args!("FAULTS_SEED={seed}"));
    seed
}

/// The median and the greatest of some figures, for a line of the report.
pub fn spread<T: Copy + Ord + Debug>(figures: &[T]) -> String {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable();
    match sorted.last() {
        None => "none".to_owned(),
        Some(greatest) => format!("median {:.2?}, greatest {greatest:.2?} of {}", sorted[sorted.len() / 2], sorted.len()),
    }
}
