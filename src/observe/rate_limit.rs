//! Repeated warnings, limited: one in an interval, with a count of what was left out.

use std::time::{Duration, Instant};

/// Lets one message through in an interval.
#[derive(Clone, Debug)]
pub struct RateLimit {
    interval: Duration,
    last: Option<Instant>,
    left_out: u64,
}

impl RateLimit {
    /// One message in `interval`.
    #[must_use]
    pub const fn new(interval: Duration) -> Self {
        Self { interval, last: None, left_out: 0 }
    }

    /// Whether to say it now: then how many were left out since the last time.
    pub fn pass(&mut self, now: Instant) -> Option<u64> {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < self.interval) {
            self.left_out += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.left_out))
    }

    /// Logs a warning unless one was logged within the interval.
    pub fn warn(&mut self, message: &str) {
        match self.pass(Instant::now()) {
            Some(0) => log::warn!("{message}"),
            Some(left_out) => log::warn!("{message} ({left_out} more warnings like this were left out)"),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_counted() {
        let mut limit = RateLimit::new(Duration::from_secs(10));
        let start = Instant::now();
        assert_eq!(limit.pass(start), Some(0));
        assert_eq!(limit.pass(start + Duration::from_secs(1)), None);
        assert_eq!(limit.pass(start + Duration::from_secs(9)), None);
        assert_eq!(limit.pass(start + Duration::from_secs(11)), Some(2));
    }
}
