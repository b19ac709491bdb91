//! Fail points: places where a test build ends the process at once, as a power failure would. Without the feature `fail-points` they are
//! nothing, and `HUB_FAIL_POINT` is unknown.

/// A place in the life of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailPoint {
    /// An envelope is processed, its records are in the open batch.
    AfterDecode,
    /// Every message of a batch is given to the producer.
    AfterSend,
    /// Every message of a batch is acknowledged.
    AfterReport,
    /// Offsets are about to be committed.
    BeforeCommit,
    /// Offsets have joined a transaction.
    AfterOffsets,
    /// A commit is under way.
    DuringCommit,
}

impl FailPoint {
    #[cfg(feature = "fail-points")]
    const fn as_str(self) -> &'static str {
        match self {
            Self::AfterDecode => "after-decode",
            Self::AfterSend => "after-send",
            Self::AfterReport => "after-report",
            Self::BeforeCommit => "before-commit",
            Self::AfterOffsets => "after-offsets",
            Self::DuringCommit => "during-commit",
        }
    }

    /// Aborts the process if this is the place, and the time, that `HUB_FAIL_POINT=PLACE:COUNT` names.
    #[cfg(feature = "fail-points")]
    pub fn reach(self) {
        use std::sync::OnceLock;
        use std::sync::atomic::{AtomicU64, Ordering};

        static WANTED: OnceLock<Option<(String, u64)>> = OnceLock::new();
        static REACHED: AtomicU64 = AtomicU64::new(0);
        let wanted = WANTED.get_or_init(|| {
            let given = std::env::var("HUB_FAIL_POINT").ok()?;
            let (place, count) = given.split_once(':').unwrap_or((&given, "1"));
            Some((place.to_owned(), count.parse().ok()?))
        });
        let Some((place, count)) = wanted else { return };
        if place != self.as_str() || REACHED.fetch_add(1, Ordering::AcqRel) + 1 != *count {
            return;
        }
        if self == Self::DuringCommit {
            // The call that follows is on its way by then.
            std::thread::spawn(|| {
                std::thread::sleep(std::time::Duration::from_micros(500));
                std::process::abort();
            });
        } else {
            std::process::abort();
        }
    }

    /// Nothing, in a build for users.
    #[cfg(not(feature = "fail-points"))]
    pub const fn reach(self) {}
}
