//! What is observed of a run: latencies, counts, and warnings that do not flood the log.

mod board;
mod clients;
mod clock;
mod lane_line;
mod latency;
mod rate_limit;
mod report;
mod sampler;
mod sink_sight;

pub use board::{Board, Phase, Sight};
pub use clients::{ClientStatistics, StatisticsOf};
pub use clock::{wall_micros, wall_millis};
pub use lane_line::LaneLine;
pub use latency::{Latencies, Stage};
pub use rate_limit::RateLimit;
pub use report::{LaneState, LaneStatus, StreamLines, latency_lines};
pub use sampler::{Letter, Sample, Sampler};
pub use sink_sight::{SinkPart, SinkSight};
