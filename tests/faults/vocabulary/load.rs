//! The load: envelopes of numbered frames into all lanes, at a steady rate, from a thread of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    figures::Rate,
    flow::{FRAMES, Flow},
};
use crate::support::{client::Client, names::Names};

/// How often the load sends what has become due.
const TICK: Duration = Duration::from_millis(10);

/// How many envelopes each flow has been sent.
pub type Sent = BTreeMap<Flow, u64>;
/// Envelopes that librdkafka reported as written without an offset: after a broker's death, some of them are nowhere.
pub type Doubtful = BTreeSet<(Flow, u64)>;

/// See the module.
pub struct Load {
    finish: Arc<AtomicBool>,
    is_paused: Arc<AtomicBool>,
    frames: Arc<AtomicU64>,
    sender: JoinHandle<(Sent, Doubtful)>,
}

impl Load {
    /// Goes on where `sent` says that an earlier load has ended.
    pub fn start(client: &Client, names: &Names, sent: Sent, rate: Rate) -> Self {
        let (finish, is_paused, frames) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let work = Work { finish: Arc::clone(&finish), is_paused: Arc::clone(&is_paused), frames: Arc::clone(&frames), rate };
        let (client, names) = (client.clone(), names.clone());
        let sender = thread::spawn(move || work.run(&client, &names, sent));
        Self { finish, is_paused, frames, sender }
    }

    /// Sends nothing until [`Load::resume`].
    pub fn pause(&self) {
        self.is_paused.store(true, Ordering::Relaxed);
    }

    pub fn resume(&self) {
        self.is_paused.store(false, Ordering::Relaxed);
    }

    /// How many frames have been handed to the producer since the start.
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Waits until all of it is acknowledged.
    pub fn finish(self) -> (Sent, Doubtful) {
        self.finish.store(true, Ordering::Relaxed);
        self.sender.join().expect("the load was sent")
    }
}

struct Work {
    finish: Arc<AtomicBool>,
    is_paused: Arc<AtomicBool>,
    frames: Arc<AtomicU64>,
    rate: Rate,
}

impl Work {
    fn run(&self, client: &Client, names: &Names, mut sent: Sent) -> (Sent, Doubtful) {
        let mut producer = client.producer();
        let flows: Vec<Flow> = sent.keys().copied().collect();
        let mut turns = flows.iter().cycle();
        let mut order = Vec::new();
        let (mut due, mut last) = (0.0, Instant::now());
        while !self.finish.load(Ordering::Relaxed) {
            thread::sleep(TICK);
            let passed = last.elapsed();
            last = Instant::now();
            if self.is_paused.load(Ordering::Relaxed) {
                continue;
            }
            due += passed.as_secs_f64() * f64::from(self.rate.0) / FRAMES as f64;
            while due >= 1.0 {
                due -= 1.0;
                let flow = turns.next().expect("flows");
                let index = sent.get_mut(flow).expect("a flow");
                producer.send(&flow.envelope(names, *index));
                order.push((*flow, *index));
                *index += 1;
                self.frames.fetch_add(FRAMES, Ordering::Relaxed);
            }
        }
        let offsets = producer.finish();
        let doubtful = order.into_iter().zip(offsets).filter(|(_, offset)| *offset < 0).map(|(envelope, _)| envelope);
        (sent, doubtful.collect())
    }
}
