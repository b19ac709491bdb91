//! The endpoint as its clients meet it: what it answers, whom it cuts off, what the page shows. A run is played by what a test puts on the board; `live` has a real one.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod abuse;
mod answers;
mod browser;
mod drift;
mod live;
mod page;
mod terminal;
mod watchers;
#[path = "../support/mod.rs"]
mod support;

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use market_hub::{
    config::{Config, LaneId},
    endpoint::Endpoint,
    observe::{Board, LaneState, LaneStatus, Latencies, Phase, Sight, Stage},
};
use serde_json::Value;

use support::{http, wait_until};

/// An endpoint at a port of its own, and the board that it looks at.
struct Served {
    config: Arc<Config>,
    board: Arc<Board>,
    address: SocketAddr,
    _endpoint: Endpoint,
}

impl Served {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config { endpoint: Some("127.0.0.1:0".parse().unwrap()), ..Config::default() };
        change(&mut config);
        let config = Arc::new(config);
        let board = Board::new(true);
        let endpoint = Endpoint::start(&config, Vec::new(), &board);
        let address = wait_until("the endpoint listens", Duration::from_secs(30), || endpoint.address(), Option::is_some).unwrap();
        Self { config, board, address, _endpoint: endpoint }
    }

    fn lane(&self, name: &str) -> LaneId {
        *self.config.lanes.iter().find(|lane| lane.to_string() == name).unwrap()
    }

    /// Puts up a run in which every lane has taken `envelopes` of 10 frames; `change` says what is otherwise.
    fn put(&self, envelopes: u64, change: impl Fn(LaneId, &mut LaneStatus)) {
        let mut sight = Sight { at: Instant::now(), phase: Phase::Running, ..Sight::default() };
        for (index, &lane) in self.config.lanes.iter().enumerate() {
            let taken = envelopes * (index as u64 + 1);
            let mut status = LaneStatus {
                position: i64::try_from(taken).unwrap(),
                committed: i64::try_from(taken.saturating_sub(3)).unwrap(),
                is_assigned: true,
                active_at: Some(Instant::now()),
                last_timestamp_ms: 1_790_000_000_000,
                ..LaneStatus::default()
            };
            status.counts.envelopes = taken;
            status.counts.frames = taken * 10;
            status.counts.records[lane.stream.exchange_at(lane.partition).unwrap() as usize] = taken * 10;
            change(lane, &mut status);
            sight.ends.insert(lane, status.position + 1_200 * i64::try_from(index).unwrap());
            sight.lanes.insert(lane, status);
        }
        sight.latencies = latencies(envelopes);
        self.board.put(sight);
    }

    fn get(&self, path: &str) -> http::Answer {
        http::get(self.address, path)
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.get("/status").body).unwrap()
    }

    /// `/ready`, once it answers so.
    fn wait_for_ready(&self, code: u16) -> Value {
        let answer = wait_until("/ready", Duration::from_secs(30), || self.get("/ready"), |answer| answer.code == code);
        serde_json::from_str(&answer.body).unwrap()
    }
}

/// Stops one lane by decision.
fn stopped(lane: LaneId, why: &str) -> impl Fn(LaneId, &mut LaneStatus) {
    move |of, status| {
        if of == lane {
            status.state = LaneState::Stop(why.to_owned());
        }
    }
}

fn latencies(turns: u64) -> Latencies {
    let mut latencies = Latencies::default();
    for turn in 1..=turns {
        latencies.record(Stage::PollToEncoded, Duration::from_micros(20 + turn % 40), 10);
        latencies.record(Stage::EncodedToAcknowledged, Duration::from_millis(4 + turn % 9), 10);
        latencies.record(Stage::EventToAcknowledged, Duration::from_millis(40 + turn % 90), 10);
    }
    latencies
}
