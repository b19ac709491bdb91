//! market-hub: crypto market data from Kafka to Kafka, one thread a core, without an async runtime.
//!
//! Envelopes of raw frames of nine exchanges come in; normalised records go out: tickers as exact decimals, order books
//! maintained from snapshots and deltas. What cannot be read becomes a dead letter. Nothing is lost.
//!
//! # The path of an envelope
//!
//! ```text
//!  Kafka in ─▶ worker (pinned thread, owns lanes)                                     sender (own thread) ─▶ Kafka out
//!              poll ─▶ envelope ─▶ exchange ─▶ ticker | book ─▶ encode ─▶ batch ═══▶ send, take reports ─┐
//!                ▲      guard       decode      exact decimals            bounded channel                │
//!                └──── commit ◀── watermark ◀════════════════════ acknowledged batches ══════════════════┘
//! ```
//!
//! The modules below are in that order, after the words that they share. From [`envelope`] to [`batch`] the path is
//! pure: bytes and a timestamp in; records, dead letters and counts out. The same input gives the same bytes, on any
//! machine, any number of times. A module knows what stands above it here, and nothing of what comes after.
//!
//! # Words
//!
//! - **frame**: one JSON object as an exchange sent it. **envelope**: one input record, with 1 to 100 frames.
//!   **record**: one output.
//! - **level**: a price and a quantity on one **side** of a book. **snapshot**: a frame that replaces the book.
//!   **delta**: a frame that changes it. **live**: every level of the book is known; **unverified**: it may not be.
//! - **stream**: one (region, kind), with input topic, output topic and group; there are six. **lane**: one input
//!   partition of a stream; it owns all that depends on order.
//! - **worker**: a pinned thread that owns lanes. **sender**: the thread of the one producer. **batch**: what a lane
//!   has to send. **watermark**: the offset below which all of a lane is acknowledged; only that is committed.
//!
//! # Guarantees
//!
//! - An offset is committed only after every record and dead letter of all earlier offsets is acknowledged by the
//!   brokers: `committed <= watermark <= acknowledged <= sent <= polled`. With exactly-once delivery all three go into one
//!   transaction of the lane.
//! - Books are rebuilt from the log before the first new record: that record is the one of a hub that never stopped.
//! - A lane that cannot go on stalls or stops alone.
//! - Order within an input partition is kept.
//! - Bad input never panics, never stops a lane, and never costs more than a scan of its bytes.
//! - No binary floating point touches a price or a quantity.

// What is traded, what may be asked of the core, what may become of a frame.
pub mod market;
pub mod rules;
pub mod outcome;
// What the path is made with.
pub mod machine;
pub mod decimal;
pub mod json;
pub mod event_time;
// The path.
pub mod envelope;
pub mod ticker;
pub mod book;
pub mod exchange;
pub mod encode;
pub mod batch;
pub mod checkpoint;
pub mod lane;
pub mod stack;
pub mod delivery;
// What runs it.
pub mod logs;
pub mod http;
pub mod config;
pub mod observe;
pub mod kafka;
pub mod runtime;
pub mod endpoint;
pub mod replay;
pub mod dlt;
pub mod sink;
// What shows and tests it.
pub mod feed;
pub mod demo;
pub mod bench;
pub mod doctor;
pub mod top;
pub mod cli;
