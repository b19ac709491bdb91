//! The line of one lane in the partition monitor: how far it is, what is left, and what an operator must know.

use std::fmt;
use std::time::{Duration, Instant};

use super::report::{LaneState, LaneStatus};
use crate::config::LaneId;

/// A lane that has input and has taken none of it for so long does not move.
const STALL_AFTER: Duration = Duration::from_secs(30);

/// A lane that takes nothing while no broker answers for so long cannot know whether there is input.
const UNANSWERED_AFTER: Duration = Duration::from_secs(10);

/// What is known of one lane at one moment.
#[derive(Clone, Debug)]
pub struct LaneLine<'l> {
    /// Which lane.
    pub lane: LaneId,
    /// What its worker tells of it.
    pub status: &'l LaneStatus,
    /// The end of its log, where the brokers told it.
    pub end: Option<i64>,
    /// When a broker has answered last, or the run began.
    pub answered_at: Instant,
    /// The present moment, in milliseconds since the epoch.
    pub now_ms: i64,
    /// Whether books that are unverified write nothing.
    pub holds: bool,
}

impl LaneLine<'_> {
    /// How many records it has not taken yet.
    #[must_use]
    pub fn lag(&self) -> Option<i64> {
        self.end.map(|end| (end - self.status.position).max(0))
    }

    /// How old, by its Kafka timestamp, the record is that it took last; zero where nothing is left to take.
    #[must_use]
    pub fn lag_time(&self) -> Option<Duration> {
        match self.lag()? {
            0 => Some(Duration::ZERO),
            _ if self.status.last_timestamp_ms < 0 => None,
            _ => Some(Duration::from_millis(u64::try_from(self.now_ms - self.status.last_timestamp_ms).unwrap_or(0))),
        }
    }

    /// Its state: the worker's, unless what is seen from outside is worse.
    #[must_use]
    pub fn state(&self) -> LaneState {
        let status = self.status;
        if matches!(status.state, LaneState::Stall(_) | LaneState::Stop(_) | LaneState::Err(_)) {
            return status.state.clone();
        }
        if !status.is_assigned {
            return LaneState::Err("its partition is not assigned".to_owned());
        }
        if self.end.is_some_and(|end| end < status.position) && status.restoring.is_none() {
            return LaneState::Err(format!("its log ends at {}, before its position: it was cut, or the topic was made again", self.end.unwrap_or_default()));
        }
        let idle = status.active_at.map_or(Duration::ZERO, |at| at.elapsed());
        if self.lag().is_some_and(|lag| lag > 0) && idle >= STALL_AFTER {
            return LaneState::Stall(format!("there is input, but it has taken none for {} s", idle.as_secs()));
        }
        let unanswered = self.answered_at.elapsed();
        if unanswered >= UNANSWERED_AFTER && idle >= UNANSWERED_AFTER {
            return LaneState::Stall(format!("no broker has answered for {} s", unanswered.as_secs()));
        }
        if let LaneState::Warn(why) = &status.state {
            return LaneState::Warn(why.clone());
        }
        if let Some((_, to)) = status.restoring {
            return LaneState::Warn(format!("reads again for its books, up to offset {to}"));
        }
        if self.holds && status.books.live == 0 && status.books.unverified > 0 {
            return LaneState::Warn("all its books are unverified and write nothing".to_owned());
        }
        LaneState::Ok
    }
}

impl fmt::Display for LaneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LaneStatus { position, watermark, committed, books, restarts, lost, .. } = self.status;
        write!(f, "lane {} state {}; position {position}, watermark {watermark}, committed {committed}, ", self.lane, self.state())?;
        match (self.end, self.lag()) {
            (Some(end), Some(lag)) => write!(f, "end {end}, lag {lag} records")?,
            _ => f.write_str("end unknown")?,
        }
        if let Some(age) = self.lag_time() {
            write!(f, " {:.1} s", age.as_secs_f64())?;
        }
        if let Some(at) = self.status.active_at {
            write!(f, ", active {:.1} s ago", at.elapsed().as_secs_f64())?;
        }
        if books.live + books.unverified > 0 {
            write!(f, ", books {} live {} unverified", books.live, books.unverified)?;
        }
        if let Some(since_ms) = books.oldest_unverified_ms {
            write!(f, ", the oldest for {} s", (self.now_ms - since_ms).max(0) / 1_000)?;
        }
        if let Some((from, to)) = self.status.restoring {
            write!(f, ", restored {} of {} envelopes", position - from, to - from)?;
        }
        if *restarts > 0 {
            write!(f, ", began again {restarts} times")?;
        }
        if *lost > 0 {
            write!(f, ", {lost} envelopes lost to gaps in the log")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn line(status: &LaneStatus, end: Option<i64>) -> LaneLine<'_> {
        LaneLine { lane: Config::default().lanes[0], status, end, answered_at: Instant::now(), now_ms: 10_000, holds: false }
    }

    #[test]
    fn the_worst_that_is_known_is_what_is_said() {
        let ok = LaneStatus { position: 7, is_assigned: true, active_at: Some(Instant::now()), last_timestamp_ms: 8_500, ..LaneStatus::default() };
        assert_eq!(line(&ok, Some(9)).state(), LaneState::Ok);
        assert_eq!((line(&ok, Some(9)).lag(), line(&ok, Some(9)).lag_time()), (Some(2), Some(Duration::from_millis(1_500))));
        assert_eq!(line(&ok, Some(7)).lag_time(), Some(Duration::ZERO));
        assert!(matches!(line(&ok, Some(3)).state(), LaneState::Err(_)), "the log was cut");
        assert!(matches!(line(&LaneStatus { is_assigned: false, ..ok.clone() }, None).state(), LaneState::Err(_)));
        let idle = LaneStatus { active_at: Instant::now().checked_sub(Duration::from_secs(60)), ..ok.clone() };
        assert!(matches!(line(&idle, Some(9)).state(), LaneState::Stall(_)));
        assert_eq!(line(&idle, Some(7)).state(), LaneState::Ok, "there is nothing to take");
        let unanswered = |status| LaneLine { answered_at: Instant::now().checked_sub(Duration::from_secs(12)).unwrap(), ..line(status, None) };
        assert_eq!(unanswered(&idle).state(), LaneState::Stall("no broker has answered for 12 s".to_owned()));
        assert_eq!(unanswered(&ok).state(), LaneState::Ok, "it takes records all the same");
        let stopped = LaneStatus { state: LaneState::Stop("by decision".to_owned()), is_assigned: false, ..ok.clone() };
        assert_eq!(line(&stopped, Some(9)).state(), LaneState::Stop("by decision".to_owned()));
        let restoring = LaneStatus { restoring: Some((3, 9)), ..ok };
        assert!(line(&restoring, Some(9)).to_string().contains("restored 4 of 6 envelopes"));
    }
}
