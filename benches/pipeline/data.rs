//! The six kinds of frame that are measured, as `market_hub::bench` has them.

#[allow(unused_imports, reason = "not every user names them all")]
pub use market_hub::bench::{BOOKS as ROWS, Data, Envelope, Sample as Row};
