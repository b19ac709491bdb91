//! Delivery: how far a lane is, what of it is under way, and what is done when something fails.
//!
//! Pure: told what happened, it says what to do. No clock (moments are milliseconds given by the caller), no thread, no Kafka,
//! so that a simulation can take it through every order of events. At every step, for every lane,
//!
//! ```text
//! committed <= watermark <= acknowledged <= sent <= polled
//! ```
//!
//! - [`Watermark`]: which batches are acknowledged, hence which offset may be committed.
//! - [`Progress`]: what a lane does with the next input record: rebuild its books, process it, or nothing.
//! - [`Hold`]: what a lane that takes no records waits for.
//! - [`Outstanding`]: the batches of a producer, and which of their messages are not reported yet.
//! - [`Transaction`]: the transaction of a lane with exactly-once delivery: the next call, and what a failed one means.
//! - [`Joining`]: the batches that wait for a transaction or are in one.
//! - [`Ledger`]: what the last transactions have written, by which their fate can be told.

mod hold;
mod joining;
mod ledger;
mod outstanding;
mod progress;
mod transaction;
mod watermark;

pub use hold::Hold;
pub use joining::Joining;
pub use ledger::{Ledger, Written};
pub use outstanding::{Outstanding, Settled};
pub use progress::{Progress, Restore, Step};
pub use transaction::{Call, Fault, Transaction};
pub use watermark::{Ticket, Watermark};
