//! Where the core's time goes, as a flame graph: this thread is interrupted a thousand times a second of its CPU time, and its stack noted.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pprof::ProfilerGuardBuilder;

use super::flame::flame;
use super::pass::Pass;
use super::samples::{Data, Sample};
use crate::rules::Rules;

/// Interrupts a second: no multiple of anything that the core may do regularly.
const FREQUENCY: i32 = 997;
/// How long each kind of frame is taken through.
const EACH: Duration = Duration::from_millis(500);

/// Writes the flame graph of all kinds of frame, each for the same time.
///
/// # Errors
/// An outcome is not what it must be, the system refuses the timer, or the file cannot be written.
pub fn profile(bytes: usize, rules: &Arc<Rules>, path: &Path) -> Result<(), String> {
    let mut passes = Vec::new();
    for sample in Sample::all(usize::MAX) {
        passes.push(Pass::new(&sample, Data::up_to(&sample, bytes), rules)?);
    }
    let guard = ProfilerGuardBuilder::default().frequency(FREQUENCY).build().map_err(|error| format!("the system refuses to profile: {error}"))?;
    for pass in &mut passes {
        let begin = Instant::now();
        while begin.elapsed() < EACH {
            pass.timed();
        }
    }
    let report = guard.report().build().map_err(|error| format!("the profile cannot be read: {error}"))?;
    if report.data.is_empty() {
        return Err("the system let the timer be set, but never interrupted: it has no SIGPROF for this process".to_owned());
    }
    let stacks: Vec<(Vec<String>, u64)> = report
        .data
        .iter()
        .map(|(stack, samples)| {
            // A function that was inlined into another is a frame of its own, inner ones first; the stack begins with the innermost too.
            let names = stack.frames.iter().flatten().map(|symbol| symbol.name()).collect::<Vec<_>>();
            (names.into_iter().rev().collect(), u64::try_from(*samples).unwrap_or(0))
        })
        .collect();
    std::fs::write(path, flame("The core, all kinds of frame for the same time each", &stacks)).map_err(|error| format!("{}: {error}", path.display()))
}
