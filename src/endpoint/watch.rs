//! The watch over a run: makes the one picture of it from what is on the board, what it was before, what passes by, and what the system says.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::clients;
use super::passing::Passing;
use super::process::{Threads, process};
use super::recent::{Feed, Recent, settled_of};
use super::status::{FeedRow, LaneRow, LatencyRow, SinkStatus, Status, ThreadRow};
use crate::config::{Config, LaneId};
use crate::market::Exchange;
use crate::observe::{Board, LaneLine, LaneState, LaneStatus, Phase, Sight, SinkSight, Stage, wall_millis};
use crate::outcome::{Counts, Reason};
use crate::rules::BookMode;

/// How long records are watched as they pass once nobody asks any more.
const WATCH_TIME: Duration = Duration::from_secs(10);
/// How often threads are looked at.
const THREADS_TIME: Duration = Duration::from_secs(5);

/// Which quotes are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Quotes<'q> {
    None,
    /// The first ones of all symbols.
    First,
    /// Those of one symbol.
    Of(&'q str),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Watch {
    config: Arc<Config>,
    board: Arc<Board>,
    passing: Arc<Mutex<Passing>>,
    sight: Arc<Sight>,
    recent: Recent,
    began: Instant,
    started_ms: i64,
    threads: Threads,
    thread_rows: Vec<ThreadRow>,
    threads_at: Option<Instant>,
    watched_at: Option<Instant>,
    /// The bounds of latencies in seconds.
    bounds_s: Vec<f64>,
}

impl Watch {
    pub(super) fn new(config: Arc<Config>, board: Arc<Board>, passing: Arc<Mutex<Passing>>) -> Self {
        Self {
            sight: board.sight(),
            config,
            board,
            passing,
            recent: Recent::new(),
            began: Instant::now(),
            started_ms: wall_millis(),
            threads: Threads::default(),
            thread_rows: Vec::new(),
            threads_at: None,
            watched_at: None,
            // Those of native histograms of schema 1: powers of the square root of 2, here from a microsecond to 64 seconds.
            bounds_s: (-40..=12).map(|power| 2_f64.powf(f64::from(power) / 2.0)).collect(),
        }
    }

    /// Takes what is new. Called at least several times a second.
    pub(super) fn tick(&mut self) {
        let sight = self.board.sight();
        if sight.at > self.sight.at {
            self.recent.take(&sight);
            self.sight = sight;
        }
        if self.threads_at.is_none_or(|at| at.elapsed() >= THREADS_TIME) {
            self.thread_rows = self.threads.now();
            self.threads_at = Some(Instant::now());
        }
        if self.watched_at.is_some_and(|at| at.elapsed() >= WATCH_TIME) {
            self.watched_at = None;
            self.board.watch(false);
        }
    }

    /// Has records watched as they pass, for a while.
    pub(super) fn watch(&mut self) {
        self.watched_at = Some(Instant::now());
        self.board.watch(true);
    }

    /// The picture at present.
    pub(super) fn status(&self, quotes: Quotes<'_>) -> Status {
        let lanes: Vec<_> = self.config.lanes.iter().map(|lane| self.lane(*lane)).collect();
        let mut passing = self.passing.lock();
        let feeds = self.feeds().map(|feed| self.feed(feed, &lanes, &mut passing)).collect();
        let (symbols, quotes) = match quotes {
            Quotes::None => (Vec::new(), Vec::new()),
            Quotes::First => (passing.symbols(), passing.quotes(None)),
            Quotes::Of(symbol) => (passing.symbols(), passing.quotes(Some(symbol))),
        };
        let (dead_letters, drift) = (passing.letters(), passing.drift().rows());
        drop(passing);
        Status {
            version: env!("CARGO_PKG_VERSION"),
            now_ms: wall_millis(),
            started_ms: self.started_ms,
            phase: self.sight.phase.as_str(),
            ready: self.sight.phase == Phase::Running && lanes.iter().all(LaneRow::works),
            sight_age_s: self.sight.at.elapsed().as_secs_f64(),
            lanes,
            feeds,
            latencies: Stage::ALL.into_iter().filter(|&stage| self.sight.latencies.count(stage) > 0).map(|stage| self.latency(stage)).collect(),
            log_lines_left_out: crate::logs::left_out(),
            sink: self.board.sink().map(|sight| sink(&sight)),
            process: process(),
            threads: self.thread_rows.clone(),
            clients: self.board.clients().all().iter().filter_map(|(client, json)| clients::row(client, json)).collect(),
            dead_letters,
            drift,
            symbols,
            quotes,
        }
    }

    fn lane(&self, lane: LaneId) -> LaneRow {
        let names = self.config.names(lane.stream);
        let named = LaneRow {
            lane: lane.to_string(),
            stream: lane.stream.name(),
            kind: lane.stream.kind.as_str(),
            exchange: lane.stream.exchange_at(lane.partition).map(Exchange::as_str),
            topic: names.input.clone(),
            group: names.group.clone(),
            partition: lane.partition,
            ..LaneRow::default()
        };
        let Some(status) = self.sight.lanes.get(&lane) else {
            return LaneRow { state: "START", reason: Some("its worker has not told of it yet".to_owned()), ..named };
        };
        let holds = self.config.rules.book_mode == BookMode::Hold;
        let Sight { ends, answered_at, .. } = &*self.sight;
        let line = LaneLine { lane, status, end: ends.get(&lane).copied(), answered_at: *answered_at, now_ms: wall_millis(), holds };
        counted(&status.counts, told(&line, LaneRow { frames_per_s: self.recent.lane_rate(&lane), ..named }))
    }

    /// The tickers and books that lanes of this process are to read, and those of which frames have come all the same.
    fn feeds(&self) -> impl Iterator<Item = Feed> {
        let expected = self.config.lanes.iter().filter_map(|lane| Some((lane.stream.exchange_at(lane.partition)?, lane.stream.kind)));
        let mut feeds: Vec<Feed> = expected.chain(self.recent.feeds()).collect();
        feeds.sort_unstable();
        feeds.dedup();
        feeds.into_iter()
    }

    fn feed(&self, feed: Feed, lanes: &[LaneRow], passing: &mut Passing) -> FeedRow {
        let (exchange, kind) = feed;
        let own = lanes.iter().find(|lane| lane.exchange == Some(exchange.as_str()) && lane.kind == kind.as_str());
        let counts = || self.sight.lanes.iter().filter(|(lane, _)| lane.stream.kind == kind).map(|(_, status): (_, &LaneStatus)| &status.counts);
        let seen_at = self.recent.seen_at(&feed);
        let unseen = seen_at.unwrap_or(self.began).elapsed();
        let is_stale = self.sight.phase == Phase::Running && unseen >= self.config.stale_after;
        let (mut state, mut reason) = own.map_or(("OK", None), |own| (own.state, own.reason.clone()));
        if is_stale && matches!(state, "OK" | "WARN") {
            (state, reason) = ("STALE", Some(format!("no frames for {} s", unseen.as_secs())));
        }
        let (sampled, drifted) = passing.drift().seen(exchange, kind);
        FeedRow {
            exchange: exchange.as_str(),
            kind: kind.as_str(),
            state,
            reason,
            frames: counts().map(|counts| settled_of(counts, exchange)).sum(),
            frames_per_s: self.recent.feed_rate(&feed),
            records: counts().map(|counts| counts.records[exchange as usize]).sum(),
            last_seen_s: seen_at.map(|at| at.elapsed().as_secs_f64()),
            is_stale,
            out_of_order: counts().map(|counts| counts.out_of_order[exchange as usize]).sum(),
            duplicates: counts().map(|counts| counts.duplicates[exchange as usize]).sum(),
            skew_s: passing.skew(&feed),
            books_live: own.map_or(0, |own| own.books_live),
            books_unverified: own.map_or(0, |own| own.books_unverified),
            lag: own.and_then(|own| own.lag),
            lag_s: own.and_then(|own| own.lag_s),
            dead_letters: own.map_or(0, |own| own.dead_letters),
            sampled,
            drifted,
        }
    }

    fn latency(&self, stage: Stage) -> LatencyRow {
        let latencies = &self.sight.latencies;
        LatencyRow {
            stage: stage.id(),
            count: latencies.count(stage),
            sum_s: latencies.sum_s(stage),
            curve: self.recent.curve(stage),
            history: self.recent.history(stage),
            buckets: self.bounds_s.iter().copied().zip(latencies.counts_to(stage, &self.bounds_s)).collect(),
        }
    }
}

/// The writer into the store; the worst of its partitions speaks for it.
fn sink(sight: &SinkSight) -> SinkStatus {
    let worst = ["STOP", "STALL"].into_iter().find_map(|state| sight.parts.iter().find(|part| part.state == state));
    let (state, reason) = match (&sight.failure, worst) {
        (Some(failure), _) => ("ERR", Some(failure.clone())),
        (None, Some(part)) => (part.state, part.reason.as_ref().map(|reason| format!("{}:{}: {reason}", part.topic, part.partition))),
        (None, None) if sight.parts.is_empty() => ("START", None),
        (None, None) => ("OK", None),
    };
    SinkStatus { state, reason, parts: sight.parts.clone() }
}

/// With what its worker tells of it.
fn told(line: &LaneLine<'_>, row: LaneRow) -> LaneRow {
    let status = line.status;
    let state: LaneState = line.state();
    LaneRow {
        state: state.word(),
        reason: state.reason().map(str::to_owned),
        position: status.position,
        watermark: status.watermark,
        committed: status.committed,
        end: line.end,
        lag: line.lag(),
        lag_s: line.lag_time().map(|lag| lag.as_secs_f64()),
        idle_s: status.active_at.map(|at| at.elapsed().as_secs_f64()),
        under_way: status.under_way,
        books_live: status.books.live,
        books_unverified: status.books.unverified,
        oldest_unverified_s: status.books.oldest_unverified_ms.map(|since_ms| (line.now_ms - since_ms).max(0) as f64 / 1_000.0),
        restoring: status.restoring.map(|(from, to)| (status.position - from, to - from)),
        lost: status.lost,
        restarts: status.restarts,
        ..row
    }
}

/// With what has become of its frames.
fn counted(counts: &Counts, row: LaneRow) -> LaneRow {
    let sum = |by_exchange: &crate::outcome::ByExchange| by_exchange.iter().sum::<u64>();
    let by_reason = Reason::ALL.into_iter().map(|reason| (reason.as_str(), counts.rejected[reason as usize]));
    LaneRow {
        envelopes: counts.envelopes,
        frames: counts.frames,
        records: sum(&counts.records),
        unverified: sum(&counts.unverified),
        control: sum(&counts.control),
        stale: sum(&counts.stale),
        held: sum(&counts.held),
        dead_letters: counts.dead_letters(),
        dead_letters_by_reason: by_reason.filter(|(_, count)| *count > 0).collect(),
        gaps: sum(&counts.gaps),
        checksum_matches: sum(&counts.checksum_matches),
        checksum_mismatches: sum(&counts.checksum_mismatches),
        crossed: sum(&counts.crossed),
        resyncs: sum(&counts.resyncs),
        misplaced: counts.misplaced,
        ..row
    }
}
