//! The system's clock, which can be moved: for what people and other machines read, never for how long something took.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since the epoch; 0 for a clock that is set before it.
#[must_use]
pub fn wall_micros() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| i64::try_from(age.as_micros()).unwrap_or(i64::MAX))
}

/// Milliseconds since the epoch; 0 for a clock that is set before it.
#[must_use]
pub fn wall_millis() -> i64 {
    wall_micros() / 1_000
}
