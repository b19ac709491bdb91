//! What may happen, and what must then hold: the table of faults as a suite.
//!
//! Each row of the table is a test `row_N_...`, for both promises of delivery where they differ. A [`vocabulary::Scene`] is a hub between topics of its own
//! under a load of numbered frames; readers and witnesses watch it during and after the fault; a [`vocabulary::Verdict`] says what became of every number.
//!
//! Times are goals on a quiet machine: a test prints what it saw and fails at ten times the figure. Sizes are for CI; `FAULTS=L` makes them large.
//! `FAULTS_SEED=n` lets chance decide as it did when it printed that number; `FAULTS_ARGUMENTS="--kafka-calls single"` gives every hub these arguments too.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod books;
mod rows;
#[path = "../support/mod.rs"]
mod support;
mod vocabulary;
