//! A batch on its way: from its worker to the producer, and back once the brokers have acknowledged all of it.

use std::time::Instant;

use crate::batch::Batch;
use crate::config::LaneId;
use crate::watermark::Ticket;

/// See the module.
#[derive(Debug)]
pub(super) struct Parcel {
    /// Whose it is; the index of the worker's channel of acknowledgements.
    pub(super) worker: usize,
    /// The worker's own index of the lane.
    pub(super) lane: usize,
    /// Where it goes.
    pub(super) lane_id: LaneId,
    /// The batch in the lane's watermark.
    pub(super) ticket: Ticket,
    /// At least one message.
    pub(super) batch: Batch,
    /// When it was handed over.
    pub(super) encoded_at: Instant,
}
