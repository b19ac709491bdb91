//! Where a lane can begin again: the offset to go on from, and what its books must be rebuilt from.
//!
//! Committed with the offset, in the metadata that Kafka keeps beside it (contract, section 8, Restart). Anybody may write such
//! metadata: what is not ours word for word counts as absent.

/// The first word of our metadata; another layout gets another number.
const VERSION: &str = "market-hub/1";
const BY: &str = "by=";
const FROM: &str = "from=";
const BOOKS: &str = "books=";
const DIGEST: &str = "digest=";
const DEEP: &str = "deep";
/// The largest metadata that a broker takes by default; ours is far shorter.
const METADATA_BYTES_MAX: usize = 4_096;

/// What the books of a lane are a function of, and a digest to tell whether a rebuild has given the same.
///
/// Only books count whose records may show no doubt before the next snapshot: live ones, and those of Kraken that a checksum can
/// make live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BooksMark {
    /// The offset of the oldest frame that one of them rests on, its last snapshot or else its first delta; below the checkpoint's
    /// offset.
    pub from: i64,
    /// How many they are; at least 1.
    pub count: u32,
    /// A digest of them, whatever their order.
    pub digest: u64,
}

/// Tells one running instance from another: whoever has committed last owns the lane, and of two that fence each other the greater one, which was started
/// later, prevails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim(pub u64);

impl Claim {
    /// Whether an instance that was fenced gives way, by whose claim stands beside the committed offset of the lane: that of a later one, or none, for then
    /// something else commits there. An earlier one does not know of us yet, and is fenced in turn.
    #[must_use]
    pub fn gives_way_to(self, owner: Option<Self>) -> bool {
        owner.is_none_or(|owner| owner > self)
    }
}

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The offset of the next record, as Kafka commits it.
    pub offset: i64,
    /// The books at that offset; `None` if none counts.
    pub books: Option<BooksMark>,
    /// Whether the lane has, or has lost by a restart, a Kraken book that is kept deeper than its checksum covers. Should such a
    /// book be lost now, its depth is lost with it: no checksum may then call a book complete before its next snapshot.
    pub deep: bool,
}

impl Checkpoint {
    /// A checkpoint without books.
    #[must_use]
    pub const fn without_books(offset: i64) -> Self {
        Self { offset, books: None, deep: false }
    }

    /// Reads what was committed, and by whom. `metadata` may be anybody's; `None` for what is not ours.
    #[must_use]
    pub fn read(offset: i64, metadata: &[u8]) -> Option<(Self, Option<Claim>)> {
        if metadata.len() > METADATA_BYTES_MAX || !metadata.is_ascii() {
            return None;
        }
        let mut words = std::str::from_utf8(metadata).ok()?.split(' ').peekable();
        if words.next() != Some(VERSION) {
            return None;
        }
        let claim = match words.next_if(|word| word.starts_with(BY)) {
            Some(by) => Some(Claim(u64::from_str_radix(by.strip_prefix(BY)?, 16).ok()?)),
            None => None,
        };
        let books = match words.next_if(|word| word.starts_with(FROM)) {
            Some(from) => Some(BooksMark {
                from: from.strip_prefix(FROM)?.parse().ok().filter(|from| (0..offset).contains(from))?,
                count: words.next()?.strip_prefix(BOOKS)?.parse().ok().filter(|&count| count > 0)?,
                digest: u64::from_str_radix(words.next()?.strip_prefix(DIGEST)?, 16).ok()?,
            }),
            None => None,
        };
        let checkpoint = Self { offset, books, deep: words.next() == Some(DEEP) };
        (checkpoint.metadata(claim).as_bytes() == metadata).then_some((checkpoint, claim))
    }

    /// Where to begin to read again, so that the books are there at [`Checkpoint::offset`].
    #[must_use]
    pub fn replay_from(&self) -> i64 {
        self.books.map_or(self.offset, |books| books.from)
    }

    /// The metadata to commit beside the offset: ASCII, at most 120 bytes.
    #[must_use]
    pub fn metadata(&self, claim: Option<Claim>) -> String {
        let by = claim.map_or_else(String::new, |Claim(claim)| format!(" {BY}{claim:016x}"));
        let books = self.books.map_or_else(String::new, |BooksMark { from, count, digest }| format!(" {FROM}{from} {BOOKS}{count} {DIGEST}{digest:016x}"));
        let deep = if self.deep { format!(" {DEEP}") } else { String::new() };
        format!("{VERSION}{by}{books}{deep}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(offset in 1..i64::MAX, from in 0..i64::MAX, count in 0_u32.., digest: u64, deep: bool, claim: Option<u64>) {
            let books = (count > 0).then_some(BooksMark { from: from % offset, count, digest });
            let checkpoint = Checkpoint { offset, books, deep };
            let metadata = checkpoint.metadata(claim.map(Claim));
            prop_assert!(metadata.len() <= 120);
            prop_assert_eq!(Checkpoint::read(offset, metadata.as_bytes()), Some((checkpoint, claim.map(Claim))));
        }

        #[test]
        fn foreign_metadata_is_never_trusted(metadata in prop::collection::vec(any::<u8>(), 0..60)) {
            prop_assert_eq!(Checkpoint::read(7, &metadata), None);
        }
    }

    #[test]
    fn what_is_nearly_ours_is_not() {
        for metadata in [
            "",
            "market-hub/2",
            "market-hub/1 ",
            "market-hub/1 by=",
            "market-hub/1 by=1",
            "market-hub/1 deep ",
            "market-hub/1 deep deep",
            "market-hub/1 from=+3 books=1 digest=0000000000000000",
            "market-hub/1 from=3 books=1 digest=0",
            "market-hub/1 deep from=3 books=1 digest=0000000000000000",
            "market-hub/1 from=7 books=1 digest=0000000000000000",
            "market-hub/1 from=-1 books=1 digest=0000000000000000",
            "market-hub/1 from=3 books=0 digest=0000000000000000",
            "market-hub/1 from=3 books=1",
            "market-hub/1 from=3 books=1 digest=xyz",
            "market-hub/1 from=3 books=1 digest=0000000000000000 more",
        ] {
            assert_eq!(Checkpoint::read(7, metadata.as_bytes()), None, "{metadata}");
        }
        assert_eq!(Checkpoint::read(7, b"market-hub/1"), Some((Checkpoint::without_books(7), None)));
        let deep = Checkpoint { deep: true, ..Checkpoint::without_books(7) };
        assert_eq!(Checkpoint::read(7, b"market-hub/1 deep"), Some((deep, None)));
        assert_eq!(Checkpoint::read(7, &[b'x'; 5_000]), None);
    }
}
