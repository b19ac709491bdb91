//! What a commit of the writer says about objects beyond it: how they end, and how many there may be. Pure.
//!
//! Names make exactly once only where everybody ends objects alike. A writer that was killed leaves objects beyond its commit; one that comes after it with
//! other bounds must first write those again as they are. So every writer says in the metadata of its commits what it makes, before it makes it, and that
//! there is nothing any more when it ends in peace.

use crate::sink::roll::Bounds;

/// The first word of the metadata; another layout gets another number.
const VERSION: &str = "market-hub-s3/1";
/// So many objects of a partition are handed over and not committed, at most. Commits come every 100 ms by default: this is no bound on the rate. Tests of
/// its own reach it soon.
pub const OBJECTS_MAX: usize = if cfg!(test) { 4 } else { 256 };

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beyond {
    /// How the objects end.
    pub bounds: Bounds,
    /// How many there may be; 0: none.
    pub objects: usize,
}

impl Beyond {
    /// Of a writer that goes on.
    #[must_use]
    pub const fn some(bounds: Bounds) -> Self {
        Self { bounds, objects: OBJECTS_MAX }
    }

    /// Of a writer that has ended.
    #[must_use]
    pub const fn none(bounds: Bounds) -> Self {
        Self { bounds, objects: 0 }
    }

    /// The metadata that says so.
    #[must_use]
    pub fn words(&self) -> String {
        format!("{VERSION} records={} bytes={} beyond={}", self.bounds.records, self.bounds.bytes, self.objects)
    }

    /// Reads metadata, which may be anybody's; `None` for what is not ours word for word.
    #[must_use]
    pub fn read(words: &str) -> Option<Self> {
        let mut numbers = words.strip_prefix(VERSION)?.strip_prefix(' ')?.split(' ');
        let mut number = |name: &str| numbers.next()?.strip_prefix(name)?.parse::<usize>().ok();
        let bounds = Bounds { records: number("records=")?, bytes: number("bytes=")? };
        let read = Self { bounds, objects: number("beyond=")? };
        (bounds.records > 0 && read.words() == words).then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(records in 1_usize.., bytes: usize, objects: usize) {
            let beyond = Beyond { bounds: Bounds { records, bytes }, objects };
            prop_assert_eq!(Beyond::read(&beyond.words()), Some(beyond));
        }

        #[test]
        fn foreign_words_are_never_trusted(words in ".{0,60}") {
            prop_assert_eq!(Beyond::read(&words), None);
        }
    }

    #[test]
    fn what_is_nearly_ours_is_not() {
        for words in [
            "",
            "market-hub/1",
            "market-hub-s3/1",
            "market-hub-s3/2 records=20 bytes=9 beyond=1",
            "market-hub-s3/1 records=0 bytes=9 beyond=1",
            "market-hub-s3/1 records=+20 bytes=9 beyond=1",
            "market-hub-s3/1 records=20 bytes=9 beyond=",
            "market-hub-s3/1 records=20 bytes=9 beyond=1 ",
            "market-hub-s3/1  records=20 bytes=9 beyond=1",
        ] {
            assert_eq!(Beyond::read(words), None, "{words:?}");
        }
        assert_eq!(Beyond::read("market-hub-s3/1 records=20 bytes=9 beyond=1"), Some(Beyond { bounds: Bounds { records: 20, bytes: 9 }, objects: 1 }));
    }
}
