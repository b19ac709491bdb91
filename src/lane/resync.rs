//! Asks for the snapshot of a book that can no longer be trusted: no hub can mend it, only a new snapshot can.
//!
//! Once a transition: when a live book becomes unverified, when a snapshot does not fit its own checksum, and when the first frame of
//! a book is a delta. Not for Binance diffs, whose books are never live, and not where no book is kept.

use super::{At, Frames};
use crate::batch::{Batch, Destination};
use crate::encode::{self, Resync};
use crate::event_time::EventTime;
use crate::outcome::ResyncReason;

impl Frames {
    /// Writes a resync request for the book of the frame at hand, with the times of the frame's record.
    pub(super) fn ask_for_snapshot(&mut self, at: &At<'_>, reason: ResyncReason, time: EventTime, timestamp_ms: i64, batch: &mut Batch) {
        let resync = Resync {
            market: at.exchange,
            symbol: at.symbol,
            instrument: self.frame.instrument.get(),
            reason,
            topic: &self.input_topic,
            partition: self.partition,
            offset: at.input.offset,
            frame: at.frame,
            timestamp: time,
        };
        let mut request = batch.begin(Destination::Resync, at.place(), timestamp_ms);
        request.key(|out| self.encoder.write_key(out));
        request.value(|out| encode::write_resync(&resync, out));
        request.finish();
        self.counts.resyncs[at.exchange as usize] += 1;
    }
}
