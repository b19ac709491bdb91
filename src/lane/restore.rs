//! Where a lane can begin again, and how its books come back (contract, section 8, Restart).
//!
//! A book is a function of its frames since its last snapshot, or since it began empty. So the checkpoint names the oldest of these
//! places, and whoever begins there again has the lane process the log from that place to the checkpoint, throws the output away,
//! and has the same books. Where that part of the log is not to be had, books start unverified: late perhaps, never wrong.

use super::Lane;
use crate::checkpoint::{BooksMark, Checkpoint};
use crate::outcome::Counts;

/// What is kept aside while a lane processes frames for the second time.
#[derive(Debug)]
pub(super) struct Restoring {
    to: Checkpoint,
    from: i64,
    counts: Counts,
}

impl Restoring {
    pub(super) const fn counts(&self) -> &Counts {
        &self.counts
    }
}

/// What a lane has of its books once the log is read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// The books of the checkpoint.
    Same {
        /// How many books are live.
        books: usize,
    },
    /// The part of the log that was read begins behind some of the snapshots: those books are unverified.
    Partly {
        /// How many books are live.
        books: usize,
        /// How many the checkpoint counts.
        of: u32,
    },
    /// Other books than those of the checkpoint: the log or the settings are no longer the same. All books are forgotten.
    Different {
        /// The checkpoint's.
        expected: Option<BooksMark>,
        /// What the log has given.
        found: Option<BooksMark>,
    },
}

impl Lane {
    /// Where the lane stands once everything below `next_offset` is processed: what to commit there. Takes a look at every
    /// kept book, and allocates nothing.
    #[must_use]
    pub fn checkpoint(&self, next_offset: i64) -> Checkpoint {
        let books = &self.frames.books;
        let deep = books.are_deep();
        Checkpoint { offset: next_offset, books: books.mark(deep), deep }
    }

    /// Forgets all books and gets ready to rebuild those of the checkpoint `to`. The caller then has the lane [`Lane::process`]
    /// all that the log has in `from..to.offset`, throws away what comes of it, and calls [`Lane::end_restore`]. Meanwhile nothing is
    /// counted.
    ///
    /// `from` is [`Checkpoint::replay_from`], or later where the log does not go back so far or that is too much to read; never
    /// earlier, for a book without a snapshot is another one if it begins earlier. Call it for every checkpoint to begin at, even where
    /// there is nothing to read.
    pub fn begin_restore(&mut self, to: &Checkpoint, from: i64) {
        self.forget_books();
        self.frames.books.forget(to.deep);
        self.restoring = Some(Restoring { to: *to, from, counts: std::mem::take(&mut self.frames.counts) });
    }

    /// Ends what [`Lane::begin_restore`] began, and sees whether the books are those of the checkpoint.
    pub fn end_restore(&mut self) -> Restored {
        let books = self.frames.books.status().live;
        let Some(Restoring { to, from, counts }) = self.restoring.take() else { return Restored::Same { books } };
        self.frames.counts = counts;
        let found = self.frames.books.mark(to.deep);
        match to.books {
            Some(mark) if from > mark.from => {
                self.frames.books.doubt_unverified();
                Restored::Partly { books, of: mark.count }
            }
            expected if expected == found => Restored::Same { books },
            expected => {
                self.forget_books();
                Restored::Different { expected, found }
            }
        }
    }

    /// Forgets all books, so that they start unverified. Gives up a restore that has begun.
    pub fn forget_books(&mut self) {
        let books = &mut self.frames.books;
        books.forget(books.are_deep());
        self.frames.order.forget();
        if let Some(Restoring { counts, .. }) = self.restoring.take() {
            self.frames.counts = counts;
        }
    }
}
