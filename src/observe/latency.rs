//! Latency histograms (HDR): one recorder a thread, no lock; readers get copies.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest latency that is told apart; longer ones count as this.
const HIGHEST_MICROS: u64 = 24 * 3_600 * 1_000_000;

/// From where to where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// An envelope taken from Kafka until its records are bytes.
    PollToEncoded,
    /// A batch of records that are bytes until the brokers have acknowledged all of them.
    EncodedToAcknowledged,
    /// The call that commits a transaction.
    TransactionCommit,
    /// A record's event time until the brokers have acknowledged its batch.
    EventToAcknowledged,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 4] = [Self::PollToEncoded, Self::EncodedToAcknowledged, Self::TransactionCommit, Self::EventToAcknowledged];

    /// The stage as reports spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PollToEncoded => "poll to encoded",
            Self::EncodedToAcknowledged => "encoded to acknowledged",
            Self::TransactionCommit => "commit of a transaction",
            Self::EventToAcknowledged => "event time to acknowledged",
        }
    }
}

impl Stage {
    /// The stage as metrics and the status spell it.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::PollToEncoded => "poll_to_encoded",
            Self::EncodedToAcknowledged => "encoded_to_acknowledged",
            Self::TransactionCommit => "transaction_commit",
            Self::EventToAcknowledged => "event_to_acknowledged",
        }
    }

    /// Seconds in a value of its histogram.
    const fn unit_s(self) -> f64 {
        match self {
            Self::PollToEncoded => 1e-9,
            Self::EncodedToAcknowledged | Self::TransactionCommit | Self::EventToAcknowledged => 1e-6,
        }
    }
}

/// One histogram of each stage; nanoseconds for the first, microseconds for the others, two significant digits.
#[derive(Clone, Debug)]
pub struct Latencies {
    stages: [Histogram<u64>; 4],
}

impl Default for Latencies {
    fn default() -> Self {
        // Grows to what is recorded: 2 significant digits keep each within some 20 KiB.
        let histogram = || {
            let mut histogram = Histogram::new(2).unwrap_or_else(|_| unreachable!("2 digits are allowed"));
            histogram.auto(true);
            histogram
        };
        Self { stages: [histogram(), histogram(), histogram(), histogram()] }
    }
}

impl Latencies {
    /// Records `count` times a latency.
    pub fn record(&mut self, stage: Stage, latency: Duration, count: u64) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX).min(HIGHEST_MICROS * 1_000);
        let value = if stage == Stage::PollToEncoded { nanos } else { nanos / 1_000 };
        // The histogram grows by itself; within the bound nothing can fail.
        let _ = self.stages[stage as usize].record_n(value, count);
    }

    /// Adds what another thread has recorded.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.stages.iter_mut().zip(&other.stages) {
            let _ = mine.add(theirs);
        }
    }

    /// Forgets everything, keeping the memory.
    pub fn reset(&mut self) {
        self.stages.iter_mut().for_each(Histogram::reset);
    }

    /// What has been recorded since `earlier`, a copy of this from before.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut late = self.clone();
        for (mine, theirs) in late.stages.iter_mut().zip(&earlier.stages) {
            // A copy from before has no more of any value.
            let _ = mine.subtract(theirs);
        }
        late
    }

    /// The sum of the stage's latencies in seconds, each to its two digits.
    #[must_use]
    pub fn sum_s(&self, stage: Stage) -> f64 {
        let values = self.stages[stage as usize].iter_recorded();
        values.map(|value| value.value_iterated_to() as f64 * value.count_at_value() as f64).sum::<f64>() * stage.unit_s()
    }

    /// How many of the stage's latencies lie at or below each of `bounds_s`, which ascend, to their two digits.
    #[must_use]
    pub fn counts_to(&self, stage: Stage, bounds_s: &[f64]) -> Vec<u64> {
        let mut values = self.stages[stage as usize].iter_recorded().peekable();
        let mut count = 0;
        let mut count_to = |bound: f64| {
            while let Some(value) = values.next_if(|value| value.value_iterated_to() as f64 * stage.unit_s() <= bound) {
                count += value.count_at_value();
            }
            count
        };
        bounds_s.iter().map(|&bound| count_to(bound)).collect()
    }

    /// How many latencies of the stage there are.
    #[must_use]
    pub fn count(&self, stage: Stage) -> u64 {
        self.stages[stage as usize].len()
    }

    /// The latency below or at which `percent` of them lie; 100 is the largest.
    #[must_use]
    pub fn percentile(&self, stage: Stage, percent: f64) -> Duration {
        let value = self.stages[stage as usize].value_at_percentile(percent);
        if stage == Stage::PollToEncoded { Duration::from_nanos(value) } else { Duration::from_micros(value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_add_up() {
        let (mut one, mut other) = (Latencies::default(), Latencies::default());
        one.record(Stage::PollToEncoded, Duration::from_nanos(700), 99);
        other.record(Stage::PollToEncoded, Duration::from_secs(40 * 24 * 3_600), 1);
        one.add(&other);
        assert_eq!(one.count(Stage::PollToEncoded), 100);
        assert!(one.percentile(Stage::PollToEncoded, 50.0) < Duration::from_nanos(710));
        assert!(one.percentile(Stage::PollToEncoded, 100.0) >= Duration::from_secs(23 * 3_600), "a wild clock counts as a day");
    }

    #[test]
    fn what_came_since_a_copy_is_told_with_sum_and_counts() {
        let mut all = Latencies::default();
        all.record(Stage::EncodedToAcknowledged, Duration::from_secs(9), 1);
        let earlier = all.clone();
        all.record(Stage::EncodedToAcknowledged, Duration::from_millis(10), 2);
        all.record(Stage::EncodedToAcknowledged, Duration::from_millis(100), 1);
        let late = all.since(&earlier);
        assert_eq!(late.counts_to(Stage::EncodedToAcknowledged, &[0.001, 0.02, 0.2, 60.0]), [0, 2, 3, 3]);
        assert_eq!(all.counts_to(Stage::EncodedToAcknowledged, &[0.2, 60.0]), [3, 4]);
        assert!((late.sum_s(Stage::EncodedToAcknowledged) - 0.12).abs() < 0.002);
        assert_eq!(all.since(&all).count(Stage::EncodedToAcknowledged), 0);
    }
}
