//! What workers hand to the threads that send, and what comes back.

use std::time::{Duration, Instant};

use crate::batch::{BY_KEY, Batch, Destination, Place};
use crate::checkpoint::Checkpoint;
use crate::config::{Config, LaneId};
use crate::delivery::Ticket;

/// A batch on its way.
#[derive(Debug)]
pub(super) struct Parcel {
    /// Whose it is; the index of the worker's channel of answers.
    pub(super) worker: usize,
    /// The worker's own index of the lane.
    pub(super) lane: usize,
    /// Where it goes.
    pub(super) lane_id: LaneId,
    /// The lane's epoch: one that is not its present one is not wanted any more.
    pub(super) epoch: u32,
    /// The batch in the lane's watermark.
    pub(super) ticket: Ticket,
    /// Up to where the lane is complete with this batch.
    pub(super) checkpoint: Checkpoint,
    /// At least one message with at-least-once delivery.
    pub(super) batch: Batch,
    /// When it was handed over.
    pub(super) encoded_at: Instant,
}

impl Parcel {
    /// The topic and partition of one of its messages.
    pub(super) fn place<'c>(&self, destination: Destination, config: &'c Config) -> (&'c str, i32) {
        let names = config.names(self.lane_id.stream);
        match destination {
            Destination::Output => (&names.output, self.lane_id.partition),
            Destination::DeadLetter => (&names.dlt, self.lane_id.partition),
            Destination::Resync => (config.resync_topic.as_deref().unwrap_or_default(), BY_KEY),
        }
    }

    /// What to note about a message that is too large for its topic: its frame becomes a dead letter the next time. For a dead letter
    /// there is nothing smaller to fall back to.
    pub(super) fn refusal(&self, message: usize) -> Option<Place> {
        let message = self.batch.message(message);
        (message.destination != Destination::DeadLetter).then_some(message.place)
    }
}

/// What a worker hears of its parcels.
#[derive(Debug)]
pub(super) enum Answer {
    /// All of it is written.
    Written(Parcel),
    /// It is not wanted any more, or will be sent again; only its memory comes back.
    Dropped(Parcel),
    /// Not all of it is written.
    Failed { parcel: Parcel, fault: String, refused: Vec<Place> },
    /// A transaction has committed this; the call took so long.
    Committed { lane: usize, checkpoint: Checkpoint, took: Duration },
    /// The lane cannot write at present.
    Trouble { lane: usize, fault: String },
    /// The transaction was given up: the lane begins again, at what is committed.
    Rewind { lane: usize, checkpoint: Checkpoint, refused: Vec<Place> },
}

/// The tag of a message: the slot of its batch, and its index in it. Both are far below 2^32.
pub(super) const fn tag(slot: usize, message: usize) -> usize {
    slot << 32 | message
}

/// The slot and the index in a tag.
pub(super) const fn untag(tag: usize) -> (usize, usize) {
    (tag >> 32, tag & u32::MAX as usize)
}

const _: () = assert!(usize::BITS == 64, "a tag holds two numbers");
