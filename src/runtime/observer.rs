//! What a run tells of itself: collects what the workers report, and has a thread of its own ask the brokers for the ends of the logs.
//!
//! Never waits for that thread but at the very end: brokers that are slow or away must not delay the reaction to a signal.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::worker::WorkerReport;
use super::{Report, RunError};
use crate::config::LaneId;
use crate::kafka::Cluster;
use crate::observe::{LaneStatus, Latencies};

/// How long to ask for the end of one lane's log, and how long a report waits for all of them.
const ENDS_WAIT: Duration = Duration::from_millis(300);

type Ends = BTreeMap<LaneId, i64>;

/// See the module.
pub(super) struct Observer {
    lanes: BTreeMap<LaneId, LaneStatus>,
    interval: Latencies,
    total: Latencies,
    asks: Sender<()>,
    ends: Receiver<Ends>,
    /// When the report began that is not told yet.
    asked_at: Option<Instant>,
}

impl Observer {
    /// Starts the thread. It is never waited for, and with it `cluster`, whose end may have to wait for brokers.
    pub(super) fn start(lanes: Vec<LaneId>, cluster: Cluster) -> Result<Self, RunError> {
        // Without room: only a thread that waits for an ask takes one.
        let (asks, asked) = bounded(0);
        let (answers, ends) = unbounded();
        let ask = move || {
            while asked.recv().is_ok() && answers.send(ends_of(&lanes, &cluster)).is_ok() {}
        };
        let thread = thread::Builder::new().name("observer".to_owned()).spawn(ask);
        thread.map_err(|error| RunError::Died(format!("thread observer cannot start: {error}")))?;
        Ok(Self { lanes: BTreeMap::new(), interval: Latencies::default(), total: Latencies::default(), asks, ends, asked_at: None })
    }

    /// Takes what the workers have reported.
    pub(super) fn take(&mut self, reports: &Receiver<WorkerReport>) {
        while let Ok(report) = reports.try_recv() {
            self.lanes.extend(report.lanes);
            self.interval.add(&report.latencies);
            self.total.add(&report.latencies);
        }
    }

    /// Begins a report: asks for the ends of the logs.
    pub(super) fn ask(&mut self) {
        // An answer that came too late for its own report.
        while self.ends.try_recv().is_ok() {}
        let _ = self.asks.try_send(());
        self.asked_at = Some(Instant::now());
    }

    /// Tells the report that has begun once the ends are there, or without them where they take too long.
    pub(super) fn tell_when_ready(&mut self, report: &mut impl FnMut(&Report<'_>)) {
        let Some(asked_at) = self.asked_at else { return };
        match self.ends.try_recv() {
            Ok(ends) => self.tell(&ends, false, report),
            Err(_) if asked_at.elapsed() > ENDS_WAIT => self.tell(&Ends::new(), false, report),
            Err(_) => {}
        }
    }

    /// Tells the last report, which has begun; waits for the ends.
    pub(super) fn tell_last(&mut self, report: &mut impl FnMut(&Report<'_>)) {
        let left = self.asked_at.map_or(Duration::ZERO, |asked_at| ENDS_WAIT.saturating_sub(asked_at.elapsed()));
        let ends = self.ends.recv_timeout(left).unwrap_or_default();
        self.tell(&ends, true, report);
    }

    fn tell(&mut self, ends: &Ends, is_last: bool, report: &mut impl FnMut(&Report<'_>)) {
        let latencies = if is_last { &self.total } else { &self.interval };
        report(&Report { lanes: &self.lanes, ends, latencies, is_last });
        self.interval.reset();
        self.asked_at = None;
    }
}

/// The ends of all lanes' logs, up to the first that no broker tells: one that is silent is not asked again for every lane.
fn ends_of(lanes: &[LaneId], cluster: &Cluster) -> Ends {
    lanes.iter().map_while(|&lane| Some((lane, cluster.log_range(lane, ENDS_WAIT).ok()?.1))).collect()
}
