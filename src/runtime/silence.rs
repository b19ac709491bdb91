//! Lanes that do not move although the brokers answer: a client of theirs has lost its brokers, and does not know.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::config::LaneId;
use crate::observe::{LaneState, LaneStatus};

/// How long a lane that has something to do may do nothing, beyond what it waits for by its settings.
const SILENT_AFTER: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub(super) struct Silence {
    after: Duration,
    /// Position and watermark of each lane, and since when they are so.
    seen: BTreeMap<LaneId, (i64, i64, Instant)>,
}

impl Silence {
    /// For lanes that hold back what they have for `held` at the most.
    pub(super) fn new(held: Duration) -> Self {
        Self { after: SILENT_AFTER + held, seen: BTreeMap::new() }
    }

    /// Looks at lanes of which a broker has just told the `ends`; gives one that has had something to do for a while and has done nothing.
    pub(super) fn look(&mut self, lanes: &BTreeMap<LaneId, LaneStatus>, ends: &BTreeMap<LaneId, i64>, now: Instant) -> Option<LaneId> {
        let mut silent = None;
        for (&lane, &end) in ends {
            let Some(status) = lanes.get(&lane) else { continue };
            let place = (status.position, status.watermark);
            let waits = end > status.position || status.position > status.watermark;
            let may_move = !matches!(status.state, LaneState::Stop(_)) && status.restoring.is_none();
            let seen = self.seen.entry(lane).or_insert((place.0, place.1, now));
            if (seen.0, seen.1) != place || !waits || !may_move {
                *seen = (place.0, place.1, now);
            } else if now.saturating_duration_since(seen.2) >= self.after {
                silent = Some(lane);
            }
        }
        silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Kind, Region, Stream};

    const LANE: LaneId = LaneId { stream: Stream { region: Region::Asia, kind: Kind::Ticker }, partition: 0 };

    #[test]
    fn only_a_lane_that_could_move_is_silent() {
        let began = Instant::now();
        let mut silence = Silence::new(Duration::ZERO);
        let mut look = |after_s: u64, end: Option<i64>, position: i64, watermark: i64, state: LaneState| {
            let lanes = BTreeMap::from([(LANE, LaneStatus { position, watermark, state, ..LaneStatus::default() })]);
            silence.look(&lanes, &end.map(|end| (LANE, end)).into_iter().collect(), began + Duration::from_secs(after_s))
        };
        assert_eq!(look(0, Some(9), 5, 5, LaneState::Ok), None, "just seen");
        assert_eq!(look(3, Some(9), 5, 5, LaneState::Ok), None, "not for long");
        assert_eq!(look(6, None, 5, 5, LaneState::Ok), None, "brokers do not answer either");
        assert_eq!(look(6, Some(9), 5, 5, LaneState::Ok), Some(LANE), "nothing comes in");
        assert_eq!(look(7, Some(9), 9, 6, LaneState::Ok), None, "it has moved");
        assert_eq!(look(13, Some(9), 9, 6, LaneState::Ok), Some(LANE), "nothing goes out");
        assert_eq!(look(14, Some(9), 9, 9, LaneState::Ok), None, "it has moved");
        assert_eq!(look(60, Some(9), 9, 9, LaneState::Ok), None, "nothing is to be done");
        assert_eq!(look(90, Some(20), 9, 9, LaneState::Stop(String::new())), None, "it has stopped");
        assert_eq!(look(99, Some(20), 9, 9, LaneState::Stop(String::new())), None, "it has stopped");
    }
}
