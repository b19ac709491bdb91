//! The report of a run: a line for each stream, a line for each latency.

use std::fmt;
use std::time::{Duration, Instant};

use super::{Latencies, Stage};
use crate::config::LaneId;
use crate::lane::BooksStatus;
use crate::market::Stream;
use crate::outcome::Counts;

/// What an operator needs to know of a lane at a glance, with the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LaneState {
    /// It works.
    #[default]
    Ok,
    /// It works, but something is not as it should be.
    Warn(String),
    /// It takes nothing, and goes on by itself once something is mended.
    Stall(String),
    /// It has stopped until somebody decides.
    Stop(String),
    /// It has failed.
    Err(String),
}

impl LaneState {
    /// The state in a word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warn(_) => "WARN",
            Self::Stall(_) => "STALL",
            Self::Stop(_) => "STOP",
            Self::Err(_) => "ERR",
        }
    }

    /// Why it is so.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Ok => None,
            Self::Warn(why) | Self::Stall(why) | Self::Stop(why) | Self::Err(why) => Some(why),
        }
    }
}

impl fmt::Display for LaneState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            None => f.write_str(self.word()),
            Some(why) => write!(f, "{}: {why}", self.word()),
        }
    }
}

/// How far a lane is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneStatus {
    /// What became of its frames.
    pub counts: Counts,
    /// The offset of the next record that it takes.
    pub position: i64,
    /// The offset below which all is acknowledged.
    pub watermark: i64,
    /// The offset that its group has committed.
    pub committed: i64,
    /// From where to where it reads again for its books, while it does.
    pub restoring: Option<(i64, i64)>,
    /// Whether its consumer reads it, or it is held for a reason that the state tells.
    pub is_assigned: bool,
    /// What its worker says of it.
    pub state: LaneState,
    /// How its books stand.
    pub books: BooksStatus,
    /// The Kafka timestamp of the last record that it took, in milliseconds; below 0 where there was none.
    pub last_timestamp_ms: i64,
    /// When it took a record last, or began.
    pub active_at: Option<Instant>,
    /// Batches handed over and not acknowledged.
    pub under_way: usize,
    /// Envelopes lost to gaps in the log.
    pub lost: u64,
    /// How often it began again after a failure.
    pub restarts: u64,
}

/// The line of one stream.
#[derive(Clone, Debug)]
pub struct StreamLines {
    stream: Stream,
    counts: Counts,
    lag: Option<i64>,
}

impl StreamLines {
    /// The lines of all streams that have lanes; `end` gives the end of a lane's log, where it is known.
    pub fn of<'l>(lanes: impl Iterator<Item = (&'l LaneId, &'l LaneStatus)>, end: impl Fn(&LaneId) -> Option<i64>) -> Vec<Self> {
        let mut lines: Vec<Self> = Vec::new();
        for (lane, status) in lanes {
            let lag = end(lane).map(|end| (end - status.position).max(0));
            match lines.iter_mut().find(|line| line.stream == lane.stream) {
                Some(line) => {
                    line.counts.add(&status.counts);
                    line.lag = line.lag.zip(lag).map(|(sum, lag)| sum + lag);
                }
                None => lines.push(Self { stream: lane.stream, counts: status.counts.clone(), lag }),
            }
        }
        lines
    }
}

impl fmt::Display for StreamLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.counts;
        let sum = |by_exchange: &crate::outcome::ByExchange| by_exchange.iter().sum::<u64>();
        write!(
            f,
            "{}: envelopes {}, frames {}, records {}, control {}, stale {}, held {}, dead letters {}, unverified {}, lag ",
            self.stream,
            counts.envelopes,
            counts.frames,
            sum(&counts.records),
            sum(&counts.control),
            sum(&counts.stale),
            sum(&counts.held),
            counts.dead_letters(),
            sum(&counts.unverified),
        )?;
        match self.lag {
            Some(lag) => write!(f, "{lag}"),
            None => f.write_str("unknown"),
        }
    }
}

/// A line for each stage that has been measured.
#[must_use]
pub fn latency_lines(latencies: &Latencies) -> Vec<String> {
    let measured = Stage::ALL.into_iter().filter(|&stage| latencies.count(stage) > 0);
    let line = |stage: Stage| {
        let [p50, p90, p99, p999, max] = [50.0, 90.0, 99.0, 99.9, 100.0].map(|percent| short(latencies.percentile(stage, percent)));
        format!("{}: p50 {p50}, p90 {p90}, p99 {p99}, p99.9 {p999}, max {max}, of {}", stage.as_str(), latencies.count(stage))
    };
    measured.map(line).collect()
}

fn short(latency: Duration) -> String {
    match latency.as_nanos() {
        nanos @ ..10_000 => format!("{nanos} ns"),
        nanos @ ..10_000_000 => format!("{} us", nanos / 1_000),
        nanos @ ..10_000_000_000 => format!("{} ms", nanos / 1_000_000),
        nanos => format!("{} s", nanos / 1_000_000_000),
    }
}
