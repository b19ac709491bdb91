//! Feeds envelopes of all lanes at a rate, and tells the prover what must become of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::{Due, Fed, Plan};
use crate::batch::{Batch, Destination, Place};
use crate::config::{Config, LaneId};
use crate::feed::{Expected, Feed, Options};
use crate::kafka::{Producer, SendError};
use crate::market::{Exchange, Kind};
use crate::observe::wall_millis;

/// A lane is not fed while so many of its messages are due. With frames of a few kilobytes, that is well within what
/// the embedded broker keeps of a partition.
const DUE_MAX: i64 = 300;
/// Sizes of the collector's batches, in turns.
const BATCH_FRAMES: [usize; 8] = [1, 20, 5, 100, 10, 2, 50, 30];

/// One lane's frames, and the key of its last envelope.
struct Source {
    lane: LaneId,
    feed: Feed,
}

/// See the module.
pub(super) struct Feeder {
    config: Arc<Config>,
    producer: Producer,
    sources: Vec<Source>,
    rate: Option<u64>,
    fed: Sender<Fed>,
    due: Due,
}

impl Feeder {
    pub(super) fn new(config: &Arc<Config>, plan: &Plan, fed: Sender<Fed>, due: Due) -> Result<Self, String> {
        let source = |&lane: &LaneId| {
            let exchange = lane.stream.exchange_at(lane.partition)?;
            let feed = Feed::new(plan.seed ^ (lane.stream.index() as u64) << 8, exchange, lane.stream.kind, options(exchange, lane.stream.kind));
            Some(Source { lane, feed })
        };
        let sources: Vec<_> = config.lanes.iter().filter_map(source).collect();
        if sources.is_empty() {
            return Err("the demo feeds the contract's lanes alone, and HUB_LANES names none of them".to_owned());
        }
        Ok(Self { config: Arc::clone(config), producer: Producer::new(config)?, sources, rate: plan.rate, fed, due })
    }

    /// Feeds for `duration`, or until `stop`; returns how many frames. Everything is written when it returns.
    pub(super) fn run(mut self, duration: Duration, stop: &AtomicBool) -> u64 {
        let begin = Instant::now();
        let mut frames = 0;
        let mut batch = Batch::default();
        for turn in 0.. {
            if begin.elapsed() >= duration || stop.load(Ordering::Acquire) {
                break;
            }
            let mut fed_any = false;
            for index in 0..self.sources.len() {
                if self.due[&self.sources[index].lane].load(Ordering::Acquire) >= DUE_MAX {
                    continue;
                }
                let count = BATCH_FRAMES[(turn + index) % BATCH_FRAMES.len()];
                self.feed(index, count, &mut batch);
                frames += count as u64;
                fed_any = true;
                self.pace(begin, frames, stop);
            }
            if !fed_any {
                thread::sleep(Duration::from_millis(1));
            }
        }
        while self.producer.in_flight() > 0 {
            self.producer.poll(Duration::from_millis(10), &mut Vec::new());
        }
        frames
    }

    fn feed(&mut self, index: usize, count: usize, batch: &mut Batch) {
        let Source { lane, feed } = &mut self.sources[index];
        let timestamp_ms = wall_millis();
        let (mut value, mut expected) = (Vec::new(), Vec::new());
        feed.next_envelope(count, timestamp_ms, &mut value, &mut expected);
        let due = expected.iter().filter(|expected| matches!(expected, Expected::Record { .. } | Expected::DeadLetter { .. })).count();
        self.due[lane].fetch_add(due as i64, Ordering::AcqRel);
        // The prover lives until the feed has ended.
        let _ = self.fed.send(Fed { lane: *lane, key: feed.key().to_owned(), expected });

        batch.clear(usize::MAX);
        let mut envelope = batch.begin(Destination::Output, Place::default(), timestamp_ms);
        envelope.key(|out| out.extend_from_slice(feed.key().as_bytes()));
        envelope.value(|out| out.extend_from_slice(&value));
        envelope.finish();
        let topic = &self.config.names(lane.stream).input;
        while self.producer.send(topic, lane.partition, &batch.message(0), 0) == Err(SendError::QueueFull) {
            self.producer.poll(Duration::from_millis(5), &mut Vec::new());
        }
        self.producer.poll(Duration::ZERO, &mut Vec::new());
    }

    /// Waits until `frames` frames are due at the rate.
    fn pace(&self, begin: Instant, frames: u64, stop: &AtomicBool) {
        let Some(rate) = self.rate else { return };
        let due_after = Duration::from_micros(frames.saturating_mul(1_000_000) / rate.max(1));
        while let Some(wait) = due_after.checked_sub(begin.elapsed()).filter(|wait| !wait.is_zero()) {
            if stop.load(Ordering::Acquire) {
                return;
            }
            thread::sleep(wait.min(Duration::from_millis(5)));
            self.producer.poll(Duration::ZERO, &mut Vec::new());
        }
    }
}

/// A gap and a stale delta where there are sequences, noise everywhere, poison at one exchange.
fn options(exchange: Exchange, kind: Kind) -> Options {
    let is_book = kind == Kind::Orderbook;
    Options {
        snapshot_every: 200,
        diff_percent: 40,
        gap_every: if is_book && exchange == Exchange::Okx { 200 } else { 0 },
        stale_every: if is_book && exchange == Exchange::Bybit { 150 } else { 0 },
        control_every: 100,
        poison_every: if is_book && exchange == Exchange::Upbit { 150 } else { 0 },
        sparse_every: 40,
        ..Options::default()
    }
}
