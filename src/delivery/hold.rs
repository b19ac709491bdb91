//! What keeps a lane from taking records, and what it waits for.

use crate::checkpoint::Checkpoint;

/// See the module. `M` is a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold<M> {
    /// Nothing.
    None,
    /// Something could not be delivered: after this moment the lane begins again, at the checkpoint or else at what is committed.
    Failed {
        /// When.
        until: M,
        /// Where, if that is known.
        checkpoint: Option<Checkpoint>,
        /// Whether it was asked what is in the log.
        asked: bool,
    },
    /// Its offset is not in the log: it is found out what is, once all is settled.
    Gone {
        /// Not before this moment.
        until: M,
        /// Whether it was asked what is in the log.
        asked: bool,
    },
    /// It has stopped, until the hub is started again.
    Stopped,
}

impl<M: Copy + PartialOrd> Hold<M> {
    /// Whether it is time to ask what is in the log; true once.
    pub fn shall_ask(&mut self, now: M, is_settled: bool) -> bool {
        let due = match self {
            Self::Failed { until, asked: false, .. } => now >= *until,
            Self::Gone { until, asked: false } => now >= *until && is_settled,
            _ => false,
        };
        if due {
            self.set_asked(true);
        }
        due
    }

    /// Whether the lane waits to begin again: what else of it fails then is dealt with. One whose offset is gone still waits for what is under
    /// way, and must hear of every failure, or it would wait for ever.
    #[must_use]
    pub const fn has_failed(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }

    /// Whether the lane may commit. Not between the question what is in the log and the answer: the lane begins again with the answer, at what is
    /// committed, and a commit that came later would be ahead of it.
    #[must_use]
    pub const fn may_commit(&self) -> bool {
        !matches!(self, Self::Failed { asked: true, .. })
    }

    /// Has the question asked again, not before a moment.
    pub fn ask_again(&mut self, moment: M) {
        if let Self::Failed { until, .. } | Self::Gone { until, .. } = self {
            *until = moment;
        }
        self.set_asked(false);
    }

    const fn set_asked(&mut self, value: bool) {
        if let Self::Failed { asked, .. } | Self::Gone { asked, .. } = self {
            *asked = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_log_is_asked_once_and_nothing_is_committed_until_the_answer() {
        let mut hold = Hold::Failed { until: 10, checkpoint: None, asked: false };
        assert!(!hold.shall_ask(9, true) && hold.may_commit());
        assert!(hold.shall_ask(10, false) && !hold.shall_ask(10, false) && !hold.may_commit());
        hold.ask_again(20);
        assert!(hold.may_commit() && !hold.shall_ask(19, false) && hold.shall_ask(20, false));
    }

    #[test]
    fn an_offset_that_is_gone_waits_for_what_is_under_way() {
        let mut hold = Hold::Gone { until: 0, asked: false };
        assert!(!hold.shall_ask(5, false) && !hold.has_failed() && hold.may_commit());
        assert!(hold.shall_ask(5, true) && !hold.shall_ask(5, true));
        assert!(!Hold::Stopped.shall_ask(5, true) && !Hold::None.shall_ask(5, true));
    }
}
