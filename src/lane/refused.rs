//! Records that the brokers do not take, since they are larger than their topic allows: read again, their frames become dead
//! letters. Nobody can know it before the brokers say so, and nothing else would ever get past such a frame.

use super::{At, Frames, Lane};
use crate::batch::Place;

impl Lane {
    /// The brokers refuse what came of a frame as too large: when the lane is made to process the frame again, it writes a dead letter with the
    /// reason `size` instead. What the frame does to its book stays as it is.
    ///
    /// To be called with the place of a record or a resync request. A dead letter that is too large is for the caller to solve.
    pub fn refuse(&mut self, offset: i64, frame: u32) {
        self.frames.refused.insert(Place { offset, frame: Some(frame) });
    }

    /// Everything below `committed` is never read again: what was refused there is forgotten.
    ///
    /// Not sooner: whoever goes back once for a refused record may have to go back once more for the next one.
    pub fn forget_refused(&mut self, committed: i64) {
        if !self.frames.refused.is_empty() {
            self.frames.refused.retain(|place| place.offset >= committed);
        }
    }
}

impl Frames {
    pub(super) fn is_refused(&self, at: &At<'_>) -> bool {
        !self.refused.is_empty() && self.refused.contains(&at.place())
    }
}
