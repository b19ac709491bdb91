//! The settings.

pub mod cpus;
pub mod env_file;
pub mod lanes;
mod problems;

pub use lanes::LaneId;
pub use problems::Problems;
