//! What the pictures of the last minutes tell that one alone does not: rates, when something was seen last, the latencies of the last quarter of an hour.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::status::LatencyRow;
use crate::config::LaneId;
use crate::market::{Exchange, Kind};
use crate::observe::{Latencies, Sight, Stage, wall_millis};
use crate::outcome::Counts;

/// Over how long rates are taken.
const RATE_TIME: Duration = Duration::from_secs(5);
/// How often there is a point of history, and how many are kept: 15 minutes.
const POINT_TIME: Duration = Duration::from_secs(10);
const POINTS_MAX: usize = 90;

/// The tickers or the order books of an exchange.
pub(super) type Feed = (Exchange, Kind);

/// Frames since the start.
#[derive(Clone, Debug, Default)]
struct Frames {
    lanes: BTreeMap<LaneId, u64>,
    feeds: BTreeMap<Feed, u64>,
}

/// A point of a stage's history: milliseconds since the epoch; median, 99th percentile and greatest, in seconds.
type Point = (i64, f64, f64, f64);

/// See the module.
#[derive(Debug)]
pub(super) struct Recent {
    /// The oldest is at least [`RATE_TIME`] old, where there is one.
    frames: VecDeque<(Instant, Frames)>,
    seen: BTreeMap<Feed, (u64, Instant)>,
    point_at: Instant,
    at_point: Latencies,
    curves: [Vec<(f64, f64)>; Stage::ALL.len()],
    history: [VecDeque<Point>; Stage::ALL.len()],
}

impl Recent {
    pub(super) fn new() -> Self {
        Self {
            frames: VecDeque::new(),
            seen: BTreeMap::new(),
            point_at: Instant::now(),
            at_point: Latencies::default(),
            curves: Default::default(),
            history: Default::default(),
        }
    }

    /// Takes a picture that is newer than the last one.
    pub(super) fn take(&mut self, sight: &Sight) {
        let frames = Frames::of(sight);
        for (&feed, &count) in &frames.feeds {
            let seen = self.seen.entry(feed).or_insert((0, sight.at));
            if seen.0 != count {
                *seen = (count, sight.at);
            }
        }
        self.frames.push_back((sight.at, frames));
        while self.frames.get(1).is_some_and(|(at, _)| sight.at.duration_since(*at) >= RATE_TIME) {
            self.frames.pop_front();
        }
        if sight.at.duration_since(self.point_at) >= POINT_TIME {
            self.point(sight);
        }
    }

    fn point(&mut self, sight: &Sight) {
        let late = sight.latencies.since(&self.at_point);
        (self.point_at, self.at_point) = (sight.at, sight.latencies.clone());
        for stage in Stage::ALL {
            let (curve, history) = (&mut self.curves[stage as usize], &mut self.history[stage as usize]);
            let percentile = |percent: f64| late.percentile(stage, percent).as_secs_f64();
            // A pause is a gap in the plot.
            curve.clear();
            if late.count(stage) > 0 {
                curve.extend(LatencyRow::PERCENTILES.map(|percent| (percent, percentile(percent))));
                history.push_back((wall_millis(), percentile(50.0), percentile(99.0), percentile(100.0)));
            }
            while history.len() > POINTS_MAX {
                history.pop_front();
            }
        }
    }

    /// Frames a second of a lane.
    pub(super) fn lane_rate(&self, lane: &LaneId) -> f64 {
        self.rate(|frames| frames.lanes.get(lane).copied())
    }

    /// Frames a second of a feed.
    pub(super) fn feed_rate(&self, feed: &Feed) -> f64 {
        self.rate(|frames| frames.feeds.get(feed).copied())
    }

    fn rate(&self, count: impl Fn(&Frames) -> Option<u64>) -> f64 {
        let (Some((from, first)), Some((to, last))) = (self.frames.front(), self.frames.back()) else { return 0.0 };
        let passed = to.duration_since(*from).as_secs_f64();
        let grown = count(last).unwrap_or(0).saturating_sub(count(first).unwrap_or(0));
        if passed > 0.0 { grown as f64 / passed } else { 0.0 }
    }

    /// When a frame of a feed was seen last; `None` where there was none yet.
    pub(super) fn seen_at(&self, feed: &Feed) -> Option<Instant> {
        self.seen.get(feed).filter(|(count, _)| *count > 0).map(|(_, at)| *at)
    }

    /// All feeds of which frames have come.
    pub(super) fn feeds(&self) -> impl Iterator<Item = Feed> {
        self.seen.iter().filter(|(_, (count, _))| *count > 0).map(|(&feed, _)| feed)
    }

    /// The percentiles of the last point.
    pub(super) fn curve(&self, stage: Stage) -> Vec<(f64, f64)> {
        self.curves[stage as usize].clone()
    }

    /// The points, oldest first.
    pub(super) fn history(&self, stage: Stage) -> Vec<Point> {
        self.history[stage as usize].iter().copied().collect()
    }
}

impl Frames {
    fn of(sight: &Sight) -> Self {
        let mut frames = Self::default();
        for (lane, status) in &sight.lanes {
            frames.lanes.insert(*lane, status.counts.frames + status.counts.rejected_envelopes);
            let own = lane.stream.exchange_at(lane.partition);
            for exchange in Exchange::ALL {
                // Of what is rejected the exchange is not counted: it is taken for the lane's own.
                let rejected = if own == Some(exchange) { status.counts.dead_letters() } else { 0 };
                *frames.feeds.entry((exchange, lane.stream.kind)).or_default() += settled_of(&status.counts, exchange) + rejected;
            }
        }
        frames
    }
}

/// Frames of an exchange that became a record, noise, stale or held.
pub(super) fn settled_of(counts: &Counts, exchange: Exchange) -> u64 {
    [&counts.records, &counts.control, &counts.stale, &counts.held].map(|by_exchange| by_exchange[exchange as usize]).iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::observe::LaneStatus;

    #[test]
    fn rates_and_last_sights_come_from_differences() {
        let lane = Config::default().lanes[0];
        let feed = (Exchange::Upbit, Kind::Ticker);
        let mut recent = Recent::new();
        let start = Instant::now();
        let mut sight = Sight::default();
        for second in 0..=20_u64 {
            let mut status = LaneStatus::default();
            status.counts.frames = second.min(10) * 100;
            status.counts.records[Exchange::Upbit as usize] = second.min(10) * 100;
            sight.at = start + Duration::from_secs(second);
            sight.latencies.record(Stage::PollToEncoded, Duration::from_micros(second), 10);
            sight.lanes.insert(lane, status);
            recent.take(&sight);
            if second == 10 {
                assert!((recent.lane_rate(&lane) - 100.0).abs() < 1e-9 && (recent.feed_rate(&feed) - 100.0).abs() < 1e-9);
            }
        }
        assert!(recent.lane_rate(&lane).abs() < 1e-9, "nothing came in the last five seconds");
        assert_eq!(recent.seen_at(&feed), Some(start + Duration::from_secs(10)));
        assert_eq!(recent.feeds().collect::<Vec<_>>(), [feed]);
        assert_eq!(recent.seen_at(&(Exchange::Kraken, Kind::Ticker)), None);
        let history = recent.history(Stage::PollToEncoded);
        assert_eq!(history.len(), 2, "a point every ten seconds");
        assert!(history[0].3 < 10.2e-6 && history[1].1 > 10e-6, "each of its own ten seconds: {history:?}");
        assert_eq!(recent.curve(Stage::EncodedToAcknowledged), []);
    }
}
