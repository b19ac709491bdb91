//! The partition monitor: collects what the workers report, has a thread of its own ask the brokers about logs, topics and groups, and
//! says of every lane how it is, twice a minute and with every report.
//!
//! Never waits for that thread but at the very end: brokers that are slow or away must not delay the reaction to a signal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::worker::WorkerReport;
use super::{Report, RunError};
use crate::config::{Config, LaneId};
use crate::kafka::{Cluster, Groups};
use crate::observe::{LaneLine, LaneState, LaneStatus, Latencies, wall_millis};
use crate::rules::BookMode;

/// How long one question to the brokers may take.
const ANSWER_WAIT: Duration = Duration::from_secs(1);
/// How long a look waits for all answers, for brokers may be slow, and how long the last one does.
const LOOK_WAIT: Duration = Duration::from_secs(5);
const LAST_LOOK_WAIT: Duration = Duration::from_millis(300);

/// What the brokers tell.
#[derive(Debug, Default)]
struct Seen {
    ends: BTreeMap<LaneId, i64>,
    /// What is allowed but hardly meant: partitions that no lane covers, groups with members.
    warnings: Vec<String>,
}

/// See the module.
pub(super) struct Observer {
    config: Arc<Config>,
    lanes: BTreeMap<LaneId, LaneStatus>,
    interval: Latencies,
    total: Latencies,
    asks: Sender<()>,
    answers: Receiver<Seen>,
    /// When the look began that is not over yet.
    asked_at: Option<Instant>,
    looked_at: Instant,
    reported_at: Instant,
    /// The warnings that were said last: they are said again when they change.
    warnings: Vec<String>,
}

impl Observer {
    /// Starts the thread. It is never waited for, and with it its clients, whose end may have to wait for brokers.
    pub(super) fn start(config: &Arc<Config>, cluster: Cluster, groups: Groups) -> Result<Self, RunError> {
        // Without room: only a thread that waits for an ask takes one.
        let (asks, asked) = bounded(0);
        let (answer, answers) = unbounded();
        let lanes = config.lanes.clone();
        let ask = move || {
            while asked.recv().is_ok() && answer.send(look(&lanes, &cluster, &groups)).is_ok() {}
        };
        let thread = thread::Builder::new().name("observer".to_owned()).spawn(ask);
        thread.map_err(|error| RunError::Died(format!("thread observer cannot start: {error}")))?;
        let now = Instant::now();
        Ok(Self {
            config: Arc::clone(config),
            lanes: BTreeMap::new(),
            interval: Latencies::default(),
            total: Latencies::default(),
            asks,
            answers,
            asked_at: None,
            looked_at: now,
            reported_at: now,
            warnings: Vec::new(),
        })
    }

    /// Takes what the workers have reported.
    pub(super) fn take(&mut self, reports: &Receiver<WorkerReport>) {
        while let Ok(report) = reports.try_recv() {
            self.lanes.extend(report.lanes);
            self.interval.add(&report.latencies);
            self.total.add(&report.latencies);
        }
    }

    /// Begins a look when it is time for one, and tells one that has begun once the answers are there, or without them where they take too
    /// long.
    pub(super) fn turn(&mut self, report: &mut impl FnMut(&Report<'_>)) {
        if self.looked_at.elapsed() >= self.config.monitor_interval() {
            self.ask();
        }
        let Some(asked_at) = self.asked_at else { return };
        match self.answers.try_recv() {
            Ok(seen) => self.tell(seen, false, report),
            Err(_) if asked_at.elapsed() > LOOK_WAIT => self.tell(Seen::default(), false, report),
            Err(_) => {}
        }
    }

    /// Begins a look: asks the brokers.
    pub(super) fn ask(&mut self) {
        // An answer that came too late for its own look.
        while self.answers.try_recv().is_ok() {}
        let _ = self.asks.try_send(());
        (self.asked_at, self.looked_at) = (Some(Instant::now()), Instant::now());
    }

    /// Tells the last report, whose look has begun; waits for the answers.
    pub(super) fn tell_last(&mut self, report: &mut impl FnMut(&Report<'_>)) {
        let left = self.asked_at.map_or(Duration::ZERO, |asked_at| LAST_LOOK_WAIT.saturating_sub(asked_at.elapsed()));
        let seen = self.answers.recv_timeout(left).unwrap_or_default();
        self.tell(seen, true, report);
    }

    fn tell(&mut self, seen: Seen, is_last: bool, report: &mut impl FnMut(&Report<'_>)) {
        self.asked_at = None;
        if self.warnings != seen.warnings && !is_last {
            seen.warnings.iter().for_each(|warning| log::warn!("{warning}"));
            self.warnings = seen.warnings;
        }
        self.tell_lanes(&seen.ends);
        // A look that began when the report was due.
        if is_last || self.looked_at.duration_since(self.reported_at) >= self.config.report_interval {
            self.reported_at = self.looked_at;
            let latencies = if is_last { &self.total } else { &self.interval };
            report(&Report { lanes: &self.lanes, ends: &seen.ends, latencies, is_last });
            self.interval.reset();
        }
    }

    fn tell_lanes(&self, ends: &BTreeMap<LaneId, i64>) {
        let now_ms = wall_millis();
        for (&lane, status) in &self.lanes {
            let line = LaneLine { lane, status, end: ends.get(&lane).copied(), now_ms, holds: self.config.rules.book_mode == BookMode::Hold };
            match line.state() {
                LaneState::Ok => log::info!("{line}"),
                LaneState::Warn(_) => log::warn!("{line}"),
                LaneState::Stall(_) | LaneState::Stop(_) | LaneState::Err(_) => log::error!("{line}"),
            }
        }
    }
}

/// Asks the brokers, up to the first question that they leave open: one that is silent is not asked again for every lane.
fn look(lanes: &[LaneId], cluster: &Cluster, groups: &Groups) -> Seen {
    let ends = lanes.iter().map_while(|&lane| Some((lane, cluster.log_range(lane, ANSWER_WAIT).ok()?.1))).collect();
    let mut warnings = cluster.uncovered_now(ANSWER_WAIT).unwrap_or_default();
    for group in groups.iter().flatten() {
        match group.members(ANSWER_WAIT) {
            Ok(0) => {}
            Ok(members) => warnings.push(format!("group {} has {members} members of its own now: they refuse our commits, stop them", group.name())),
            Err(_) => break,
        }
    }
    Seen { ends, warnings }
}
