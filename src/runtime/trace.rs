//! What a run tells of every envelope on its way, for those who measure it. Costs nothing where nobody asks.

use std::time::Instant;

use crossbeam_channel::Sender;

use crate::config::LaneId;

/// A moment in the life of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The envelope at this offset was taken from Kafka at the first, and its outcomes were bytes at the second.
    Processed(Instant, Instant),
    /// All outcomes of envelopes below this offset were acknowledged, or with exactly once committed, by then.
    Acknowledged(Instant),
}

/// One moment of one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it all")]
pub struct Traced {
    pub lane: LaneId,
    pub offset: i64,
    pub moment: Moment,
}

/// Where moments go, if anywhere.
#[derive(Clone, Debug, Default)]
pub struct Trace(pub Option<Sender<Traced>>);

impl Trace {
    pub(super) fn processed(&self, lane: LaneId, offset: i64, polled_at: Instant) {
        if let Some(sender) = &self.0 {
            // Whoever has stopped listening needs no more.
            let _ = sender.send(Traced { lane, offset, moment: Moment::Processed(polled_at, Instant::now()) });
        }
    }

    pub(super) fn acknowledged(&self, lane: LaneId, offset: i64) {
        if let Some(sender) = &self.0 {
            let _ = sender.send(Traced { lane, offset, moment: Moment::Acknowledged(Instant::now()) });
        }
    }
}
