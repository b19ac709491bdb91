//! `market-hub bench`: what the core costs, and what the hub does through a broker, as figures that can be compared.
//!
//! ```text
//! samples ─▶ pass ─▶ in_process: core, memory, latency, growth ───────┐
//!                                                                     ├─▶ Outcome ─▶ table, JSON, hgrm, curve; compare
//! samples ─▶ broker: feeder ─▶ input ─▶ runtime ─▶ output ─▶ reader ──┘
//! ```
//! Every figure is the median of several turns, taken in turn with all others of its part, with the quartiles beside it. Nothing is measured before its
//! outcomes have been held against what the feed promises. Never prints.

mod allocations;
mod broker;
mod compare;
mod cpu_time;
mod curve;
mod flame;
mod hgrm;
mod in_process;
mod machine;
mod outcome;
mod pass;
#[cfg(feature = "profile")]
mod profile;
mod samples;

pub use allocations::{Allocated, Counting};
pub use broker::{Broker, BrokerError, Course};
pub use compare::{Comparison, compare};
pub use cpu_time::cpu_time;
pub use curve::svg;
pub use flame::flame;
pub use hgrm::hgrm;
pub use in_process::{InProcess, Plan, core, growth, latency, memory};
pub use machine::Machine;
pub use outcome::{Curve, Outcome, Row, Turns};
pub use pass::Pass;
#[cfg(feature = "profile")]
pub use profile::profile;
pub use samples::{BOOKS, Data, Envelope, Sample};
