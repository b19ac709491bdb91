//! Where a lane can begin again: the offset to go on from, and what its books must be rebuilt from.
//!
//! Committed with the offset, in the metadata that Kafka keeps beside it (contract, section 8, Restart):
//!
//! ```text
//! market-hub/1 by=00c0ffee00c0ffee from=1042 books=12 digest=8badf00d8badf00d
//! ```
//! `by` is the claim of the instance that has committed, with exactly-once delivery; the rest is there where live books rest on
//! snapshots. Anybody may write such metadata: what is not ours word for word counts as absent.

/// The first word of our metadata; another layout gets another number.
const VERSION: &str = "market-hub/1";
/// The largest metadata that a broker takes by default; ours is far shorter.
const METADATA_BYTES_MAX: usize = 4_096;

/// What the live books of a lane are a function of, and a digest to tell whether a rebuild has given the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BooksMark {
    /// The offset of the oldest snapshot that a live book rests on; below the checkpoint's offset.
    pub from: i64,
    /// How many live books rest on snapshots; at least 1.
    pub count: u32,
    /// A digest of them, whatever their order.
    pub digest: u64,
}

/// Tells one running instance from another: whoever has committed last owns the lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim(pub u64);

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The offset of the next record, as Kafka commits it.
    pub offset: i64,
    /// The books at that offset; `None` if no live book rests on a snapshot.
    pub books: Option<BooksMark>,
}

impl Checkpoint {
    /// A checkpoint without books.
    #[must_use]
    pub const fn without_books(offset: i64) -> Self {
        Self { offset, books: None }
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
        let claim = match words.next_if(|word| word.starts_with("by=")) {
            Some(word) => Some(Claim(hexadecimal(word, "by=")?)),
            None => None,
        };
        let Some(first) = words.next() else { return Some((Self::without_books(offset), claim)) };
        let from = first.strip_prefix("from=")?.parse().ok()?;
        let count = words.next()?.strip_prefix("books=")?.parse().ok()?;
        let digest = hexadecimal(words.next()?, "digest=")?;
        let is_sound = words.next().is_none() && (0..offset).contains(&from) && count > 0;
        is_sound.then_some((Self { offset, books: Some(BooksMark { from, count, digest }) }, claim))
    }

    /// The metadata to commit beside the offset: ASCII, at most 120 bytes.
    #[must_use]
    pub fn metadata(&self, claim: Option<Claim>) -> String {
        let by = claim.map_or_else(String::new, |Claim(claim)| format!(" by={claim:016x}"));
        let books = self.books.map_or_else(String::new, |BooksMark { from, count, digest }| format!(" from={from} books={count} digest={digest:016x}"));
        format!("{VERSION}{by}{books}")
    }
}

fn hexadecimal(word: &str, prefix: &str) -> Option<u64> {
    u64::from_str_radix(word.strip_prefix(prefix)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(offset in 1..i64::MAX, from in 0..i64::MAX, count in 0_u32.., digest: u64, claim: Option<u64>) {
            let books = (count > 0).then_some(BooksMark { from: from % offset, count, digest });
            let checkpoint = Checkpoint { offset, books };
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
            "market-hub/1 from=3 books=1 digest=0 by=0",
            "market-hub/1 from=7 books=1 digest=0",
            "market-hub/1 from=-1 books=1 digest=0",
            "market-hub/1 from=3 books=0 digest=0",
            "market-hub/1 from=3 books=1",
            "market-hub/1 from=3 books=1 digest=xyz",
            "market-hub/1 from=3 books=1 digest=0 more",
        ] {
            assert_eq!(Checkpoint::read(7, metadata.as_bytes()), None, "{metadata}");
        }
        assert_eq!(Checkpoint::read(7, b"market-hub/1"), Some((Checkpoint::without_books(7), None)));
        assert_eq!(Checkpoint::read(7, &[b'x'; 5_000]), None);
    }
}
