//! What is observed of a run: latencies, counts, and warnings that do not flood the log.

mod clock;
mod lane_line;
mod latency;
mod rate_limit;
mod report;

pub use clock::{wall_micros, wall_millis};
pub use lane_line::LaneLine;
pub use latency::{Latencies, Stage};
pub use rate_limit::RateLimit;
pub use report::{LaneState, LaneStatus, StreamLines, latency_lines};
