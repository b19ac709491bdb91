//! The commands of an operator against a real broker: dead letters counted, shown and sent back; the core over a stretch of the log; what passes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "operator/dlt.rs"]
mod dlt;
#[path = "operator/stretch.rs"]
mod stretch;
#[path = "operator/tap.rs"]
mod tap;
mod support;
