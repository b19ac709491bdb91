//! JSON as the hub reads it: a strict cursor for the collector's envelopes and for levels, sonic-rs for the frames of
//! the exchanges, and the guard in front of it. Knows nothing of markets.

mod cursor;
mod guard;
mod text;
mod token;
mod wire;

pub use cursor::{Cursor, Skipped};
pub use guard::{check, read, read_part};
pub use text::{Unescaped, unescape, unescape_into};
pub use token::Token;
pub(crate) use wire::wire_struct;
