//! How many frames a second go through: the hub takes a log that is there already; with an embedded broker, which keeps only the last 5 MiB of a
//! partition, one that is written a little ahead of it. What has come out is read off the ends of the output topics.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

use super::feeder::{Fed, Source, fill, follow};
use super::stand::{Hub, Stand};
use super::{Broker, BrokerError};
use crate::bench::outcome::{Outcome, Row, Turns};
use crate::bench::samples::{BOOKS, Sample};
use crate::config::LaneId;
use crate::market::{Kind, Region, Stream};
use crate::runtime::Trace;

/// What a log that is there already has for each second of the measurement.
const LOG_BYTES_A_SECOND: usize = 64 << 20;
/// How far the feeder of an embedded broker is ahead of the hub, a partition: the broker keeps 5 MiB.
const AHEAD_BYTES: usize = 5 << 19;
/// A round of one lane.
const ROUND_BYTES: usize = 1 << 20;
/// How long the hub may take to bring out the first record, and nothing more.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// How many lanes are taken to see how cost grows.
const LANES: [usize; 5] = [1, 2, 4, 9, 18];

/// Some lanes and what is on them.
struct Load {
    name: String,
    lanes: Vec<(LaneId, Sample)>,
}

pub(super) fn measure(broker: &Broker<'_>, outcome: &mut Outcome, tell: &mut dyn FnMut(&str)) -> Result<(), BrokerError> {
    let part = format!("throughput, {}", broker.kind());
    let (name, lanes) = mix(broker);
    take(broker, &part, &[upbit(1), Load { name, lanes }], broker.course.turns, outcome, tell)?;
    if !broker.course.quick {
        let part = format!("{part}, Upbit order books on more lanes");
        take(broker, &part, &LANES.map(upbit), 1, outcome, tell)?;
    }
    if let Some(kib) = peak_kib() {
        outcome.rows.push(Row { noise: Some(0.25), ..Row::exact(&part, "whole process", "MiB resident at most", kib as f64 / 1_024.0) });
    }
    Ok(())
}

/// Order books of Upbit on so many partitions of one stream.
fn upbit(lanes: usize) -> Load {
    let stream = Stream { region: Region::Korea, kind: Kind::Orderbook };
    let lane = |partition| (LaneId { stream, partition }, BOOKS[0]);
    Load { name: format!("Upbit order books, {lanes} lanes").replace(" 1 lanes", " 1 lane"), lanes: (0..lanes as i32).map(lane).collect() }
}

/// All lanes of the settings that the contract has frames for.
pub(super) fn mix(broker: &Broker<'_>) -> (String, Vec<(LaneId, Sample)>) {
    let samples = Sample::all(usize::MAX);
    let sample = |lane: &LaneId| samples.iter().find(|sample| sample.stream() == lane.stream && sample.exchange.partition() == lane.partition);
    let lanes: Vec<_> = broker.course.config.lanes.iter().filter_map(|lane| Some((*lane, *sample(lane)?))).collect();
    (format!("mix of {} lanes", lanes.len()), lanes)
}

fn take(broker: &Broker<'_>, part: &str, loads: &[Load], turns: usize, outcome: &mut Outcome, tell: &mut dyn FnMut(&str)) -> Result<(), BrokerError> {
    let mut figures = vec![(Turns::default(), Turns::default()); loads.len()];
    for turn in 0..turns {
        for (load, (rates, costs)) in loads.iter().zip(&mut figures).filter(|(load, _)| !load.lanes.is_empty()) {
            tell(&format!("{part}: {}, turn {} of {turns}", load.name, turn + 1));
            let (rate, cost) = once(broker, load)?;
            rates.push(rate);
            costs.push(cost);
        }
    }
    for (load, (rates, costs)) in loads.iter().zip(&figures).filter(|(load, _)| !load.lanes.is_empty()) {
        outcome.rows.push(Row { noise: Some(0.3), ..rates.rate(part, &load.name, "frames/s") });
        outcome.rows.push(Row { noise: Some(0.3), ..costs.row(part, &load.name, "us of CPU a frame") });
    }
    Ok(())
}

/// Frames a second, and microseconds of this process's CPU a frame.
fn once(broker: &Broker<'_>, load: &Load) -> Result<(f64, f64), BrokerError> {
    let lanes: Vec<LaneId> = load.lanes.iter().map(|(lane, _)| *lane).collect();
    let stand = Stand::new(broker, &lanes)?;
    let sources: Vec<Source> = load.lanes.iter().map(|(lane, sample)| Source::new(*lane, sample, ROUND_BYTES)).collect();
    let seconds = broker.course.seconds;
    if broker.embedded.is_none() {
        let fed = fill(&stand, &sources, LOG_BYTES_A_SECOND * usize::try_from(seconds.as_secs()).unwrap_or(1), &broker.stop)?;
        let mut drain = Drain::new(&stand, &lanes, &broker.stop);
        let hub = stand.start_hub(Trace::default());
        drain.watch(&hub, |written| written >= fed.values().sum::<i64>(), |_| {})?;
        return drain.settle(hub, &fed);
    }
    let done: Vec<AtomicI64> = lanes.iter().map(|_| AtomicI64::new(0)).collect();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let hub = stand.start_hub(Trace::default());
        let feeder = scope.spawn(|| follow(&stand, &sources, AHEAD_BYTES, &done, &over));
        let mut drain = Drain::new(&stand, &lanes, &broker.stop);
        let note = |written: &[i64]| written.iter().zip(&done).for_each(|(now, done)| done.store(*now, Ordering::Release));
        let mut first = None;
        let watched = drain.watch(&hub, |_| first.get_or_insert_with(Instant::now).elapsed() >= seconds, note);
        over.store(true, Ordering::Release);
        let fed = feeder.join().map_err(|_| BrokerError::Lost("the feeder died".to_owned()))?;
        watched?;
        drain.settle(hub, &fed?)
    })
}

/// What comes out, as it comes out.
struct Drain<'d> {
    stand: &'d Stand,
    lanes: &'d [LaneId],
    stop: &'d AtomicBool,
    /// The first look that saw a record, and the last one before the end: when, how many records, CPU time.
    first: Option<Look>,
    last: Option<Look>,
}

#[derive(Clone, Copy)]
struct Look {
    at: Instant,
    records: i64,
    cpu_micros: i64,
}

impl<'d> Drain<'d> {
    const fn new(stand: &'d Stand, lanes: &'d [LaneId], stop: &'d AtomicBool) -> Self {
        Self { stand, lanes, stop, first: None, last: None }
    }

    /// Looks until `is_over` of the number of records; what each lane has is told to `note`.
    fn watch(&mut self, hub: &Hub, mut is_over: impl FnMut(i64) -> bool, note: impl Fn(&[i64])) -> Result<(), BrokerError> {
        let mut heard = (Instant::now(), 0);
        loop {
            let written = self.lanes.iter().map(|lane| self.stand.written(*lane)).collect::<Result<Vec<i64>, _>>()?;
            note(&written);
            let look = Look { at: Instant::now(), records: written.iter().sum(), cpu_micros: cpu_micros() };
            if look.records > heard.1 {
                heard = (look.at, look.records);
            }
            if look.records > 0 {
                self.first.get_or_insert(look);
                if is_over(look.records) {
                    // The only look there is, where all was out at once.
                    self.last.get_or_insert(look);
                    return Ok(());
                }
                self.last = Some(look);
            }
            if self.stop.load(Ordering::Acquire) {
                return Err(BrokerError::Stopped);
            }
            if hub.has_ended() || heard.0.elapsed() > SILENCE_MAX {
                return Err(BrokerError::Lost(format!("nothing comes out any more after {} records", look.records)));
            }
            thread::sleep(Duration::from_millis(if self.lanes.len() > 4 { 2 } else { 1 }));
        }
    }

    /// Waits until all has come out, and ends the hub.
    fn settle(self, hub: Hub, fed: &Fed) -> Result<(f64, f64), BrokerError> {
        let mut heard = (Instant::now(), 0);
        loop {
            let written = fed.keys().map(|lane| self.stand.written(*lane)).collect::<Result<Vec<i64>, _>>()?;
            if written.iter().zip(fed.values()).all(|(written, frames)| written >= frames) {
                break;
            }
            let sum = written.iter().sum();
            if sum > heard.1 {
                heard = (Instant::now(), sum);
            }
            if hub.has_ended() || heard.0.elapsed() > SILENCE_MAX || self.stop.load(Ordering::Acquire) {
                return Err(BrokerError::Lost(format!("{} frames went in, {sum} records came out", fed.values().sum::<i64>())));
            }
            thread::sleep(Duration::from_millis(20));
        }
        hub.end()?;
        for (lane, frames) in fed {
            let written = self.stand.written(*lane)?;
            if written != *frames {
                return Err(BrokerError::Lost(format!("{lane}: {frames} frames went in, {written} records came out")));
            }
        }
        let (Some(first), Some(last)) = (self.first, self.last) else { return Err(BrokerError::Lost("nothing came out".to_owned())) };
        let (seconds, records) = (last.at.duration_since(first.at).as_secs_f64(), (last.records - first.records) as f64);
        if records <= 0.0 {
            return Err(BrokerError::Lost("all came out at once: there is nothing to measure; take more --seconds".to_owned()));
        }
        Ok((records / seconds, (last.cpu_micros - first.cpu_micros) as f64 / records))
    }
}

/// CPU time of this process, in microseconds.
fn cpu_micros() -> i64 {
    getrusage(UsageWho::RUSAGE_SELF).map_or(0, |usage| (usage.user_time() + usage.system_time()).num_microseconds())
}

/// The most that this process has had in memory, in KiB.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().split(' ').next()?.parse().ok()
}
