//! The two promises of delivery, and how a case is written once for both.

use std::fmt;

/// What a hub is told to promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    AtLeastOnce,
    ExactlyOnce,
}

impl Delivery {
    /// Those that a fault of the broker befalls at once.
    pub const ALL: &[Self] = &[Self::AtLeastOnce, Self::ExactlyOnce];

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

/// Makes two tests of a case, a function of [`Delivery`].
macro_rules! in_both_modes {
    ($($case:ident),+ $(,)?) => {$(
        mod $case {
            use crate::vocabulary::Delivery;

            #[test]
            fn at_least_once() {
                super::$case(Delivery::AtLeastOnce);
            }

            #[test]
            fn exactly_once() {
                super::$case(Delivery::ExactlyOnce);
            }
        }
    )+};
}
pub(crate) use in_both_modes;
