//! What a seed is about: the settings of the hub, and which faults happen how often. Every seed leaves most faults out, so that those it has meet
//! long stretches of work.

use crate::random::Random;

/// How often each fault happens, in a thousand chances.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// A message is not written, or nobody knows.
    pub(crate) report: usize,
    /// The producer fails for good.
    pub(crate) fatal: usize,
    /// A plain commit fails, or its answer is lost; a question has no answer.
    pub(crate) ask: usize,
    /// A transactional call fails.
    pub(crate) call: usize,
    /// The instance dies.
    pub(crate) crash: usize,
    /// It is stopped in good order.
    pub(crate) stop: usize,
    /// The head of a log is deleted.
    pub(crate) retention: usize,
    /// All brokers are away for a while.
    pub(crate) outage: usize,
    /// A second instance with the same ids starts.
    pub(crate) second: usize,
    /// Much time passes at once.
    pub(crate) pause: usize,
    /// Records come twice out of a consumer.
    pub(crate) stray: usize,
    /// Something is larger than its topic allows; in input records.
    pub(crate) oversized: usize,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) exactly_once: bool,
    pub(crate) lanes: usize,
    /// Input records of each lane.
    pub(crate) inputs: usize,
    pub(crate) steps: usize,
    /// Batches that a lane may have under way.
    pub(crate) channel: usize,
    pub(crate) batch_records: usize,
    /// Records that are put into one array; 1 without arrays.
    pub(crate) array: usize,
    /// Messages that fit in a producer's queue.
    pub(crate) queue: usize,
    pub(crate) restore_max: u64,
    pub(crate) stop_at_gaps: bool,
    pub(crate) commit_interval_ms: u64,
    /// After how long brokers give a transaction up.
    pub(crate) transaction_timeout_ms: u64,
    pub(crate) faults: Faults,
}

impl Plan {
    pub(crate) fn of(random: &mut Random) -> Self {
        let exactly_once = random.below(2) == 0;
        let mut rate = |rates: &[usize]| if random.below(2) == 0 { random.pick(rates) } else { 0 };
        let faults = Faults {
            report: rate(&[5, 20, 100]),
            fatal: rate(&[5, 20]),
            ask: rate(&[20, 100, 400]),
            call: rate(&[20, 100, 300]),
            crash: rate(&[3, 10, 40]),
            stop: rate(&[3, 10]),
            retention: rate(&[5, 20, 60]),
            outage: rate(&[3, 10]),
            second: rate(&[3, 10, 30]),
            pause: rate(&[5, 20]),
            stray: rate(&[20, 100]),
            oversized: rate(&[20, 100]),
        };
        Self {
            exactly_once,
            lanes: 1 + random.below(3),
            inputs: 10 + random.below(60),
            steps: 150 + random.below(850),
            channel: 1 + random.below(4),
            batch_records: 1 + random.below(5),
            array: random.pick(&[1, 1, 4]),
            queue: random.pick(&[1, 3, 10, 100]),
            restore_max: random.pick(&[0, 5, 20, 200_000, 200_000, 200_000]),
            stop_at_gaps: random.below(3) == 0,
            commit_interval_ms: random.pick(&[0, 20, 100]),
            transaction_timeout_ms: random.pick(&[1_000, 10_000]),
            faults,
        }
    }
}
