//! The partition monitor: collects what the workers report, has a thread of its own ask the brokers about logs, topics and groups, and
//! says of every lane how it is, twice a minute and with every report.
//!
//! Never waits for that thread but at the very end: brokers that are slow or away must not delay the reaction to a signal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::shared::Shared;
use super::silence::Silence;
use super::worker::WorkerReport;
use super::{Report, RunError};
use crate::config::{Config, Delivery, LaneId, Output};
use crate::kafka::{Cluster, Groups};
use crate::observe::{Board, LaneLine, LaneState, LaneStatus, Latencies, Phase, Sight, wall_millis};
use crate::rules::BookMode;

/// How long one question to the brokers may take.
const ANSWER_WAIT: Duration = Duration::from_secs(1);
/// How long a look waits for all answers, for brokers may be slow, and how long the last one does.
const LOOK_WAIT: Duration = Duration::from_secs(5);
const LAST_LOOK_WAIT: Duration = Duration::from_millis(300);

/// How long what is put up stands.
const PUT_PAUSE: Duration = Duration::from_millis(500);

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
    shared: Arc<Shared>,
    board: Arc<Board>,
    silence: Silence,
    turned: Turned,
    lanes: BTreeMap<LaneId, LaneStatus>,
    /// As they were told last, or as far as lanes have come since.
    ends: BTreeMap<LaneId, i64>,
    /// Where lanes were when the present look began: a log that ends before that is cut, while one that ends where its lane was a moment later is not.
    asked_from: BTreeMap<LaneId, i64>,
    interval: Latencies,
    total: Latencies,
    asks: Sender<()>,
    answers: Receiver<Seen>,
    /// When the look began that is not over yet.
    asked_at: Option<Instant>,
    /// When a broker has answered last, or the run began.
    answered_at: Instant,
    looked_at: Instant,
    told_at: Instant,
    reported_at: Instant,
    put_at: Instant,
    /// The warnings that were said last: they are said again when they change.
    warnings: Vec<String>,
}

impl Observer {
    /// Starts the thread. It is never waited for, and with it its clients, whose end may have to wait for brokers.
    pub(super) fn start(
        config: &Arc<Config>,
        shared: &Arc<Shared>,
        cluster: Cluster,
        groups: Groups,
        board: &Arc<Board>,
        workers: usize,
    ) -> Result<Self, RunError> {
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
            shared: Arc::clone(shared),
            board: Arc::clone(board),
            silence: Silence::new(held(config)),
            turned: Turned { workers, those: BTreeSet::new() },
            lanes: BTreeMap::new(),
            ends: BTreeMap::new(),
            asked_from: BTreeMap::new(),
            interval: Latencies::default(),
            total: Latencies::default(),
            asks,
            answers,
            asked_at: None,
            answered_at: now,
            looked_at: now,
            told_at: now,
            reported_at: now,
            put_at: now,
            warnings: Vec::new(),
        })
    }

    /// Takes what the workers have reported.
    pub(super) fn take(&mut self, reports: &Receiver<WorkerReport>) {
        while let Ok(report) = reports.try_recv() {
            if self.turned.note(report.worker) {
                self.board.beat();
            }
            for (lane, status) in report.lanes {
                let before = self.lanes.get(&lane).map_or(i64::MIN, |before| before.position);
                if let Some(end) = self.ends.get_mut(&lane).filter(|end| **end >= before) {
                    *end = status.position.max(*end);
                }
                self.lanes.insert(lane, status);
            }
            self.interval.add(&report.latencies);
            self.total.add(&report.latencies);
        }
    }

    /// Begins a look when it is time for one, and ends one that has begun once the answers are there, or without them where they take too
    /// long. Puts up how the run is.
    pub(super) fn turn(&mut self, report: &mut impl FnMut(&Report<'_>)) {
        if self.put_at.elapsed() >= PUT_PAUSE {
            self.put(Phase::Running);
        }
        if self.looked_at.elapsed() >= self.config.look_interval() {
            self.ask();
        }
        let Some(asked_at) = self.asked_at else { return };
        match self.answers.try_recv() {
            Ok(seen) => self.take_look(seen, report),
            Err(_) if asked_at.elapsed() > LOOK_WAIT => self.take_look(Seen::default(), report),
            Err(_) => {}
        }
    }

    /// Puts up how the run is, for whoever looks at it.
    pub(super) fn put(&mut self, phase: Phase) {
        self.put_at = Instant::now();
        if self.config.endpoint.is_some() {
            let (lanes, ends, latencies) = (self.lanes.clone(), self.ends.clone(), self.total.clone());
            self.board.put(Sight { at: self.put_at, phase, lanes, ends, answered_at: self.answered_at, latencies });
        }
    }

    /// Ends a look, and tells it if it is time for that.
    fn take_look(&mut self, seen: Seen, report: &mut impl FnMut(&Report<'_>)) {
        self.asked_at = None;
        if !seen.ends.is_empty() {
            self.answered_at = Instant::now();
        }
        if let Some(lane) = self.silence.look(&self.lanes, &seen.ends, Instant::now()) {
            log::warn!("{lane}: brokers answer, but nothing comes in or goes out: all clients look for their brokers again");
            self.shared.search();
        }
        if self.looked_at.duration_since(self.told_at) >= self.config.monitor_interval() {
            self.tell(seen, false, report);
        } else {
            self.ends = self.ends_of(&seen);
        }
    }

    /// Begins a look: asks the brokers.
    pub(super) fn ask(&mut self) {
        // An answer that came too late for its own look.
        while self.answers.try_recv().is_ok() {}
        let _ = self.asks.try_send(());
        self.asked_from = self.lanes.iter().map(|(&lane, status)| (lane, status.position)).collect();
        (self.asked_at, self.looked_at) = (Some(Instant::now()), Instant::now());
    }

    /// Tells the last report, whose look has begun; waits for the answers.
    pub(super) fn tell_last(&mut self, report: &mut impl FnMut(&Report<'_>)) {
        let left = self.asked_at.map_or(Duration::ZERO, |asked_at| LAST_LOOK_WAIT.saturating_sub(asked_at.elapsed()));
        let seen = self.answers.recv_timeout(left).unwrap_or_default();
        self.tell(seen, true, report);
    }

    /// The ends of logs; no less than where their lanes have come meanwhile, unless they are cut.
    fn ends_of(&self, seen: &Seen) -> BTreeMap<LaneId, i64> {
        let end = |(&lane, &end): (&LaneId, &i64)| {
            let is_cut = self.asked_from.get(&lane).is_some_and(|from| end < *from);
            let position = self.lanes.get(&lane).map_or(end, |status| status.position);
            (lane, if is_cut { end } else { end.max(position) })
        };
        seen.ends.iter().map(end).collect()
    }

    fn tell(&mut self, seen: Seen, is_last: bool, report: &mut impl FnMut(&Report<'_>)) {
        (self.told_at, self.ends) = (self.looked_at, self.ends_of(&seen));
        if self.warnings != seen.warnings && !is_last {
            seen.warnings.iter().for_each(|warning| log::warn!("{warning}"));
            self.warnings = seen.warnings;
        }
        self.tell_lanes();
        // A look that began when the report was due.
        if is_last || self.looked_at.duration_since(self.reported_at) >= self.config.report_interval {
            self.reported_at = self.looked_at;
            let latencies = if is_last { &self.total } else { &self.interval };
            report(&Report { lanes: &self.lanes, ends: &self.ends, latencies, is_last });
            self.interval.reset();
        }
    }

    fn tell_lanes(&self) {
        let now_ms = wall_millis();
        let holds = self.config.rules.book_mode == BookMode::Hold;
        for (&lane, status) in &self.lanes {
            let line = LaneLine { lane, status, end: self.ends.get(&lane).copied(), answered_at: self.answered_at, now_ms, holds };
            match line.state() {
                LaneState::Ok => log::info!("{line}"),
                LaneState::Warn(_) => log::warn!("{line}"),
                LaneState::Stall(_) | LaneState::Stop(_) | LaneState::Err(_) => log::error!("{line}"),
            }
        }
    }
}

/// Which workers have turned since all had: one that hangs keeps the others from being all.
#[derive(Debug)]
struct Turned {
    workers: usize,
    those: BTreeSet<usize>,
}

impl Turned {
    /// Notes that a worker has turned; says whether all have.
    fn note(&mut self, worker: usize) -> bool {
        self.those.insert(worker);
        let all = self.those.len() >= self.workers;
        if all {
            self.those.clear();
        }
        all
    }
}

/// How long a lane holds back what it has processed.
fn held(config: &Config) -> Duration {
    let in_arrays = if let Output::Arrays(rules) = config.output { Duration::from_micros(rules.timeout_us) } else { Duration::ZERO };
    let in_transactions = if config.delivery == Delivery::ExactlyOnce { config.commit_interval } else { Duration::ZERO };
    in_arrays + in_transactions + config.batch.age
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_hangs_keeps_the_beat_away() {
        let mut turned = Turned { workers: 3, those: BTreeSet::new() };
        let mut note = |workers: &[usize]| workers.iter().map(|&worker| turned.note(worker)).collect::<Vec<_>>();
        assert_eq!(note(&[0, 1, 2]), [false, false, true]);
        assert_eq!(note(&[0, 1, 0, 1, 0, 1]), [false; 6], "the third one hangs");
        assert_eq!(note(&[2, 2]), [true, false], "it turns again");
    }
}
