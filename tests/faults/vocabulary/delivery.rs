//! The two promises of delivery, and how a case is written once for both.

use std::fmt;

/// What a hub is told to promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    AtLeastOnce,
    ExactlyOnce,
}

impl Delivery {
    /// Those that a fault of the broker befalls at once. Exactly once awaits `--delivery exactly-once`.
    pub const READY: &[Self] = &[Self::AtLeastOnce];

    /// The hub's arguments. Ids of transactions belong to a scene as its groups do.
    pub fn arguments(self, scene: &str) -> Vec<String> {
        match self {
            Self::AtLeastOnce => Vec::new(),
            Self::ExactlyOnce => ["--delivery", "exactly-once", "--transactional-prefix", scene].map(str::to_owned).to_vec(),
        }
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AtLeastOnce => "at-least-once",
            Self::ExactlyOnce => "exactly-once",
        })
    }
}

/// Makes two tests of a case, a function of [`Delivery`]; of one that awaits something in the hub, two that are ignored with that reason.
macro_rules! in_both_modes {
    (awaiting $reason:literal: $($case:ident),+ $(,)?) => {$(
        mod $case {
            use crate::vocabulary::Delivery;

            #[test]
            #[ignore = $reason]
            fn at_least_once() {
                super::$case(Delivery::AtLeastOnce);
            }

            #[test]
            #[ignore = $reason]
            fn exactly_once() {
                super::$case(Delivery::ExactlyOnce);
            }
        }
    )+};
    ($($case:ident),+ $(,)?) => {$(
        mod $case {
            use crate::vocabulary::Delivery;

            #[test]
            fn at_least_once() {
                super::$case(Delivery::AtLeastOnce);
            }

            #[test]
            #[ignore = "awaits --delivery exactly-once"]
            fn exactly_once() {
                super::$case(Delivery::ExactlyOnce);
            }
        }
    )+};
}
pub(crate) use in_both_modes;
