//! One lane, and the envelopes that are taken through it again and again.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::allocations::Allocated;
use super::cpu_time::cpu_time;
use super::samples::{Data, Envelope, Sample};
use crate::batch::{Batch, Message};
use crate::feed::Expected;
use crate::lane::{Input, Lane};
use crate::rules::Rules;

/// Room that a batch keeps.
const BATCH_BYTES: usize = 1 << 20;

/// See the module.
#[derive(Debug)]
pub struct Pass {
    /// What is taken through.
    pub data: Data,
    lane: Lane,
    batch: Batch,
    keeps: i64,
}

impl Pass {
    /// A lane that has seen `data` once: its books are there, and it has all the room that it needs.
    ///
    /// # Errors
    /// With the default rules: an outcome is not what the feed promises.
    pub fn new(sample: &Sample, data: Data, rules: &Arc<Rules>) -> Result<Self, String> {
        let before = Allocated::now();
        let stream = sample.stream();
        let lane = Lane::new(stream, sample.exchange.partition(), stream.input_topic(), Arc::clone(rules));
        let mut pass = Self { data, lane, batch: Batch::default(), keeps: 0 };
        pass.go_through();
        pass.batch = Batch::default();
        pass.keeps = Allocated::now().since(before).bytes;
        let standard = Rules { scanner: rules.scanner, ..Rules::default() };
        if **rules == standard {
            pass.check().map_err(|fault| format!("{} {}: {fault}", sample.exchange, sample.kind.as_str()))?;
        }
        Ok(pass)
    }

    /// Bytes that the lane keeps for its books and its work; 0 where nothing counts allocations.
    #[must_use]
    pub const fn keeps(&self) -> i64 {
        self.keeps
    }

    /// The CPU time of one pass over the envelopes, after an opening that puts every book back to its first snapshot and does not count.
    pub fn timed(&mut self) -> Duration {
        process_all(&mut self.lane, &self.data.opening, &mut self.batch);
        let start = cpu_time();
        process_all(&mut self.lane, &self.data.envelopes, &mut self.batch);
        cpu_time() - start
    }

    /// What one pass allocates.
    pub fn allocated(&mut self) -> Allocated {
        // The batch has its room now.
        self.go_through();
        process_all(&mut self.lane, &self.data.opening, &mut self.batch);
        let before = Allocated::now();
        process_all(&mut self.lane, &self.data.envelopes, &mut self.batch);
        Allocated::now().since(before)
    }

    /// Calls `each` with the time of every envelope of one pass, in nanoseconds.
    pub fn each_timed(&mut self, mut each: impl FnMut(u64)) {
        process_all(&mut self.lane, &self.data.opening, &mut self.batch);
        for envelope in &self.data.envelopes {
            let start = Instant::now();
            process(&mut self.lane, envelope, &mut self.batch);
            each(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
            self.batch.clear(BATCH_BYTES);
        }
    }

    fn go_through(&mut self) {
        process_all(&mut self.lane, &self.data.opening, &mut self.batch);
        process_all(&mut self.lane, &self.data.envelopes, &mut self.batch);
    }

    /// Holds every outcome against what the feed promises.
    fn check(&mut self) -> Result<(), String> {
        let Self { data, lane, batch, .. } = self;
        let mut expected = data.expected.iter().filter(|expected| !matches!(expected, Expected::Control | Expected::Stale));
        for envelope in data.opening.iter().chain(&data.envelopes) {
            process(lane, envelope, batch);
            for message in batch.messages() {
                let wanted = expected.next();
                if !wanted.is_some_and(|wanted| is_same(&message, wanted)) {
                    let found = String::from_utf8_lossy(message.value.unwrap_or_default());
                    return Err(format!("an outcome is not what it must be: expected {wanted:?}, found {found:?}"));
                }
            }
            batch.clear(BATCH_BYTES);
        }
        expected.next().map_or(Ok(()), |missing| Err(format!("an outcome is missing: {missing:?}")))
    }
}

fn is_same(message: &Message<'_>, expected: &Expected) -> bool {
    match expected {
        Expected::Record { key, timestamp_ms, unverified, value } => {
            message.key == Some(key.as_bytes())
                && message.timestamp_ms == *timestamp_ms
                && (message.headers().len() > 0) == *unverified
                && message.value == Some(value.as_bytes())
        }
        Expected::DeadLetter { value, .. } => message.value == Some(value.as_bytes()),
        Expected::Control | Expected::Stale => false,
    }
}

/// Not inlined, so that a profiler can tell it from all else.
#[inline(never)]
fn process_all(lane: &mut Lane, envelopes: &[Envelope], batch: &mut Batch) {
    for envelope in envelopes {
        process(lane, envelope, batch);
        batch.clear(BATCH_BYTES);
    }
}

fn process(lane: &mut Lane, envelope: &Envelope, batch: &mut Batch) {
    let Envelope { key, timestamp_ms, value } = envelope;
    lane.process(
        &Input { offset: 0, timestamp_ms: *timestamp_ms, now_micros: timestamp_ms * 1_000, key: Some(key.as_bytes()), value: Some(value), headers: &[] },
        batch,
    );
    black_box(&*batch);
}
