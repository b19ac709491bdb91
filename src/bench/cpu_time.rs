//! How long this thread has had a CPU: what other threads take meanwhile is not counted, as it would be by a clock. Machines are shared.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// CPU time of this thread until now. The reading itself takes a fraction of a microsecond: for passes, not for frames.
#[must_use]
pub fn cpu_time() -> Duration {
    // The system has this clock, or none of this runs.
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;
    use std::thread;

    #[test]
    fn work_counts_and_waiting_does_not() {
        let before = cpu_time();
        thread::sleep(Duration::from_millis(200));
        let waited = cpu_time() - before;
        assert_eq!((0..1_000_000_u64).map(black_box).sum::<u64>(), 499_999_500_000);
        let worked = cpu_time() - before;
        assert!(waited < Duration::from_millis(150) && worked > waited, "{waited:?}, {worked:?}");
    }
}
