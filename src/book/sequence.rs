//! Sequence rules of the delta exchanges: which delta is next, which is old, before which some are missing
//! (contract, sections 6 and 9).

/// The sequence ids of one frame; `None` where the frame has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sequence {
    /// The exchange numbers nothing.
    #[default]
    Unnumbered,
    /// OKX `seqId` and `prevSeqId`: a frame names the one before it; the step is arbitrary.
    Linked {
        /// The frame's own id.
        id: Option<i64>,
        /// The id of the frame before it.
        previous: Option<i64>,
    },
    /// Bybit `u`: the last one plus 1.
    Counted(Option<i64>),
    /// Binance `u`: grows. Its books are never live, so that a gap changes nothing.
    Growing(Option<i64>),
}

/// What a delta is, seen from the last id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// Nothing says that it is not the next one.
    Next,
    /// Frames before it are missing.
    Gap,
    /// Not newer than the last one.
    Stale,
}

impl Sequence {
    /// The frame's own id.
    pub(super) const fn id(self) -> Option<i64> {
        match self {
            Self::Unnumbered => None,
            Self::Linked { id, .. } | Self::Counted(id) | Self::Growing(id) => id,
        }
    }

    /// Whether an update without levels is OKX's heartbeat, which names itself as its predecessor.
    #[must_use]
    pub fn is_heartbeat(self) -> bool {
        matches!(self, Self::Linked { id: Some(id), previous: Some(previous) } if id == previous)
    }

    /// Where a delta with these ids stands behind a frame with the id `last`.
    pub(super) fn position(self, last: Option<i64>) -> Position {
        let is_old = |id: Option<i64>| id.zip(last).is_some_and(|(id, last)| id <= last);
        match self {
            Self::Unnumbered => Position::Next,
            Self::Linked { id, previous } => match previous {
                // After maintenance the exchange counts from a smaller id on; the link holds all the same.
                Some(_) if previous == last && id < previous => Position::Next,
                _ if is_old(id) => Position::Stale,
                Some(_) if previous != last => Position::Gap,
                _ => Position::Next,
            },
            Self::Counted(id) => match id.zip(last) {
                _ if is_old(id) => Position::Stale,
                Some((id, last)) if id.checked_sub(1) == Some(last) => Position::Next,
                _ => Position::Gap,
            },
            Self::Growing(id) => {
                if is_old(id) {
                    Position::Stale
                } else {
                    Position::Next
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn linked(previous: i64, id: i64) -> Sequence {
        Sequence::Linked { id: Some(id), previous: Some(previous) }
    }

    #[test]
    fn okx_goes_by_links() {
        assert_eq!(linked(10, 15).position(Some(10)), Position::Next);
        assert_eq!(linked(15, 3).position(Some(15)), Position::Next, "a reset is no gap");
        assert_eq!(linked(12, 20).position(Some(10)), Position::Gap);
        assert_eq!(linked(5, 9).position(Some(10)), Position::Stale);
        assert_eq!(linked(5, 9).position(None), Position::Gap, "nothing to link to");
        assert_eq!(Sequence::Linked { id: None, previous: None }.position(Some(10)), Position::Next);
        assert!(linked(15, 15).is_heartbeat());
    }

    #[test]
    fn bybit_goes_by_ones() {
        assert_eq!(Sequence::Counted(Some(11)).position(Some(10)), Position::Next);
        assert_eq!(Sequence::Counted(Some(12)).position(Some(10)), Position::Gap);
        assert_eq!(Sequence::Counted(Some(10)).position(Some(10)), Position::Stale);
        assert_eq!(Sequence::Counted(None).position(Some(10)), Position::Gap);
        assert_eq!(Sequence::Counted(Some(i64::MIN)).position(Some(i64::MAX)), Position::Stale);
    }

    #[test]
    fn binance_only_grows() {
        assert_eq!(Sequence::Growing(Some(20)).position(Some(10)), Position::Next);
        assert_eq!(Sequence::Growing(Some(10)).position(Some(10)), Position::Stale);
        assert_eq!(Sequence::Growing(None).position(Some(10)), Position::Next);
    }
}
