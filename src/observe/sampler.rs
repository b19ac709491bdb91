//! A worker's samples of what passes: some envelopes as they came, the latest records while somebody watches, dead letters. Bounded in number and in
//! bytes a second; never waits; where nobody can look it does nothing at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::Board;
use crate::batch::{Batch, Destination, Message};
use crate::config::LaneId;
use crate::lane::Input;

/// How long a lane goes without showing an envelope.
const ENVELOPE_PAUSE: Duration = Duration::from_millis(250);
/// Larger envelopes are not shown.
const ENVELOPE_BYTES_MAX: usize = 64 << 10;
/// How much of batches one worker copies in [`REFILL`].
const BATCH_BYTES: usize = 200 << 10;
const REFILL: Duration = Duration::from_millis(100);
/// How many dead letters one worker shows in [`REFILL`], and how much of each.
const LETTERS: usize = 10;
const LETTER_BYTES_MAX: usize = 256;

/// A copy of something that passed.
#[derive(Clone, Debug)]
pub enum Sample {
    /// An envelope as it was read.
    Envelope {
        /// The lane that read it.
        lane: LaneId,
        /// Its Kafka timestamp in milliseconds; below 0 where it has none.
        timestamp_ms: i64,
        /// An envelope of at most 64 KiB.
        value: Vec<u8>,
    },
    /// What was written, in order.
    Batch {
        /// The lane that wrote it.
        lane: LaneId,
        /// Its messages.
        batch: Batch,
    },
    /// A dead letter that was written.
    Letter(Letter),
}

/// What is shown of a dead letter.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The lane that wrote it.
    pub lane: LaneId,
    /// The offset of its envelope.
    pub offset: i64,
    /// The frame's index in `data`; `None` for a whole envelope.
    pub frame: Option<u32>,
    /// Its Kafka timestamp, which is that of its envelope, in milliseconds.
    pub timestamp_ms: i64,
    /// The headers that say why, and of what.
    pub headers: Vec<(String, String)>,
    /// The first 256 bytes.
    pub value: Vec<u8>,
    /// How many bytes it has in all.
    pub bytes: usize,
}

/// See the module.
#[derive(Debug)]
pub struct Sampler {
    ends: Option<(Sender<Sample>, Arc<AtomicBool>)>,
    /// When each lane may show an envelope again.
    envelopes: Vec<Instant>,
    refilled_at: Instant,
    batch_bytes: usize,
    letters: usize,
}

impl Sampler {
    /// For a worker of `lanes` lanes.
    #[must_use]
    pub fn new(board: &Board, lanes: usize) -> Self {
        let now = Instant::now();
        Self { ends: board.sample_ends(), envelopes: vec![now; lanes], refilled_at: now, batch_bytes: BATCH_BYTES, letters: LETTERS }
    }

    /// Shows the envelope if it is time for one. `index` is the lane's in its worker.
    pub fn envelope(&mut self, index: usize, lane: LaneId, input: &Input<'_>, now: Instant) {
        let Some((samples, _)) = &self.ends else { return };
        if now < self.envelopes[index] {
            return;
        }
        self.envelopes[index] = now + ENVELOPE_PAUSE;
        if let Some(value) = input.value.filter(|value| value.len() <= ENVELOPE_BYTES_MAX) {
            let _ = samples.try_send(Sample::Envelope { lane, timestamp_ms: input.timestamp_ms, value: value.to_vec() });
        }
    }

    /// Shows what was written.
    pub fn written(&mut self, lane: LaneId, batch: &Batch) {
        let Some((samples, is_watched)) = &self.ends else { return };
        if self.refilled_at.elapsed() >= REFILL {
            (self.refilled_at, self.batch_bytes, self.letters) = (Instant::now(), BATCH_BYTES, LETTERS);
        }
        // A batch may overdraw what is left, once.
        if self.batch_bytes > 0 && is_watched.load(Ordering::Relaxed) {
            self.batch_bytes = self.batch_bytes.saturating_sub(batch.bytes());
            let _ = samples.try_send(Sample::Batch { lane, batch: batch.clone() });
        }
        if self.letters > 0 {
            for letter in batch.messages().filter(|message| message.destination == Destination::DeadLetter).take(self.letters) {
                self.letters -= 1;
                let _ = samples.try_send(Sample::Letter(Letter::of(lane, &letter)));
            }
        }
    }
}

impl Letter {
    fn of(lane: LaneId, message: &Message<'_>) -> Self {
        let value = message.value.unwrap_or_default();
        let headers = message.headers().filter(|(name, _)| name.starts_with("hub."));
        let text = |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
        Self {
            lane,
            offset: message.place.offset,
            frame: message.place.frame,
            timestamp_ms: message.timestamp_ms,
            headers: headers.map(|(name, value)| (name.to_owned(), text(value))).collect(),
            value: value[..value.len().min(LETTER_BYTES_MAX)].to_vec(),
            bytes: value.len(),
        }
    }
}
