//! The settings.

pub mod cpus;
pub mod env_file;
pub mod knobs;
pub mod lanes;
mod problems;
mod show;

pub use lanes::LaneId;
pub use problems::Problems;
pub use show::{args, markdown_table};

/// The option that names a file of settings.
const ENV_FILE: &str = "env-file";
