//! JSON as the hub reads it: sonic-rs for tickers, with the guard in front of it, unless they are flat; one strict walk for envelopes and
//! order books, whose hundreds of short strings cost sonic-rs more than plain loops. Knows nothing of markets.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod cursor;
mod flat;
mod guard;
mod leading;
mod quoted;
mod text;
mod token;
mod walk;
mod wire;

pub use cursor::{Cursor, Skipped};
pub use flat::flat;
pub use guard::{check, read};
pub use quoted::{first_of, is_utf8, quoted_length};
pub use text::{Unescaped, unescape};
pub use token::Token;
pub use walk::{walk, walk_part};
pub use wire::Wire;
pub(crate) use wire::wire_struct;
