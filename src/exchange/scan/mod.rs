//! The fused scanner: order books as they nearly always come, read in one go from the bytes of the envelope, escaped or
//! not, into exact amounts.
//!
//! What stands between the values is compared with tables ([`Layout`]), literally; nothing is unescaped, copied or
//! allocated. Whatever is not in the tables (another order of keys, other white space, an escape, a number that is no
//! number, a bound exceeded) is left to the general reader, which takes the frame from its start and says what it is.
//! The scanner never rejects, accepts nothing that the general reader rejects, and reads what it accepts alike.

mod layout;
mod levels;
mod literal;
mod scanner;

pub(super) use layout::{Found, Layout, Member, Shape, Value, member, whole};

use crate::book::Frame;
use crate::decimal::SHORT_CHARS_MAX;
use crate::envelope::Item;
use crate::json::first_of;
use crate::rules::Limits;
use scanner::Scanner;

/// How deep the deepest frame of the tables is nested: OKX and Kraken, down to a level.
const DEPTH: usize = 5;

/// Reads the frame in `item` into `frame` if it is laid out in one of these ways. Otherwise `frame` holds anything.
pub(super) fn read(layouts: &[Layout], item: &Item<'_>, limits: &Limits, frame: &mut Frame) -> bool {
    let (text, is_escaped) = match *item {
        Item::Quoted([_, text @ .., _]) => (text, true),
        Item::Inline { bytes, .. } => (bytes, false),
        Item::Quoted(_) | Item::Text { .. } => return false,
    };
    // Without its escapes the frame is shorter still.
    if text.len() > limits.frame_bytes || limits.depth < DEPTH || limits.number_chars < SHORT_CHARS_MAX {
        return false;
    }
    let is_spaced = first_of(b':', b':', text).is_some_and(|colon| text.get(colon + 1) == Some(&b' '));
    match (is_escaped, is_spaced) {
        (true, true) => read_spelled::<true, true>(layouts, text, limits, frame),
        (true, false) => read_spelled::<true, false>(layouts, text, limits, frame),
        (false, true) => read_spelled::<false, true>(layouts, text, limits, frame),
        (false, false) => read_spelled::<false, false>(layouts, text, limits, frame),
    }
}

fn read_spelled<const ESCAPED: bool, const SPACED: bool>(layouts: &[Layout], text: &[u8], limits: &Limits, frame: &mut Frame) -> bool {
    layouts.iter().any(|layout| {
        frame.clear();
        let mut scanner = Scanner::<ESCAPED, SPACED>::new(text, limits);
        let Some(found) = scanner.frame(layout.members, frame) else { return false };
        if !found.bids || !found.asks {
            return false;
        }
        frame.time = found.times.into_iter().flatten().next();
        frame.instrument.set(found.instrument);
        (layout.finish)(&found, frame)
    })
}

#[cfg(test)]
mod tests;
