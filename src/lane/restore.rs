//! Where a lane can begin again, and how its books come back (contract, section 8, Restart).

use super::Lane;
use crate::checkpoint::Checkpoint;

impl Lane {
    /// Where the lane stands once everything below `next_offset` is processed: what to commit there. Takes a look at every
    /// kept book, and allocates nothing.
    #[must_use]
    pub fn checkpoint(&self, next_offset: i64) -> Checkpoint {
        let books = &self.frames.books;
        Checkpoint { offset: next_offset, books: books.mark(), deep: books.are_deep() }
    }
}
