//! The fused scanner: order books as they nearly always come, read in one go from the bytes of the envelope, escaped or
//! not, into exact amounts.
//!
//! What stands between the values is compared with tables ([`Layout`]), literally; nothing is unescaped, copied or
//! allocated. Whatever is not in the tables (another order of keys, other white space, an escape, a number that is no
//! number, a bound exceeded) is left to the general reader, which takes the frame from its start and says what it is.
//! The scanner never rejects, accepts nothing that the general reader rejects, and reads what it accepts alike.
//!
//! [`read`] chooses the machine and the spelling once a frame. The scanner walks over the members of a layout; at a list
//! of levels it enters the one loop over levels, which is compiled for each [`Machine`]. Where a machine can say for many bytes at once where numbers end in
//! them ([`ends`]), the loop reads one number without having read the one before.

#[cfg(target_arch = "x86_64")]
mod avx512;
mod ends;
mod layout;
mod levels;
mod literal;
mod machine;
mod scanner;

pub(super) use layout::{Found, Layout, Member, Shape, Value, action, member, whole, word};

use crate::book::Frame;
use crate::decimal::SHORT_CHARS_MAX;
use crate::envelope::Item;
use crate::json::first_of;
use crate::machine::Portable;
#[cfg(target_arch = "x86_64")]
use crate::machine::{Avx2, Avx512};
use crate::rules::{self, Limits, Rules};
use machine::Machine;
use scanner::Scanner;

/// How deep the deepest frame of the tables is nested: OKX and Kraken, down to a level.
const DEPTH: usize = 5;

/// Reads the frame in `item` into `frame` if it is laid out in one of these ways, and frames are to be scanned. Otherwise
/// `frame` holds anything.
pub(super) fn read(layouts: &[Layout], item: &Item<'_>, rules: &Rules, frame: &mut Frame) -> bool {
    match rules.scanner {
        rules::Scanner::Off => return false,
        rules::Scanner::Portable => {}
        rules::Scanner::On =>
        {
            #[cfg(target_arch = "x86_64")]
            if let Some(avx512) = Avx512::detect() {
                return read_on(avx512, layouts, item, &rules.limits, frame);
            } else if let Some(avx2) = Avx2::detect() {
                return read_on(avx2, layouts, item, &rules.limits, frame);
            }
        }
    }
    read_on(Portable, layouts, item, &rules.limits, frame)
}

/// The frame in an item as it is spelled there, and whether its quotes are escaped; `None` where it must be unescaped, or may be beyond a bound.
pub(super) fn text<'e>(item: &Item<'e>, limits: &Limits) -> Option<(&'e [u8], bool)> {
    let (text, is_escaped) = match *item {
        Item::Quoted([_, text @ .., _]) => (text, true),
        Item::Inline { bytes, .. } => (bytes, false),
        Item::Quoted(_) | Item::Text { .. } => return None,
    };
    // Without its escapes the frame is shorter still.
    let is_within = text.len() <= limits.frame_bytes && limits.depth >= DEPTH && limits.number_chars >= SHORT_CHARS_MAX;
    is_within.then_some((text, is_escaped))
}

fn read_on<M: Machine>(machine: M, layouts: &[Layout], item: &Item<'_>, limits: &Limits, frame: &mut Frame) -> bool {
    let Some((text, is_escaped)) = text(item, limits) else { return false };
    let is_spaced = first_of(b':', b':', text).is_some_and(|colon| text.get(colon + 1) == Some(&b' '));
    match (is_escaped, is_spaced) {
        (true, true) => read_spelled(layouts, Scanner::<true, true, M>::new(text, limits, machine), frame),
        (true, false) => read_spelled(layouts, Scanner::<true, false, M>::new(text, limits, machine), frame),
        (false, true) => read_spelled(layouts, Scanner::<false, true, M>::new(text, limits, machine), frame),
        (false, false) => read_spelled(layouts, Scanner::<false, false, M>::new(text, limits, machine), frame),
    }
}

fn read_spelled<const ESCAPED: bool, const SPACED: bool, M: Machine>(
    layouts: &[Layout],
    mut scanner: Scanner<'_, ESCAPED, SPACED, M>,
    frame: &mut Frame,
) -> bool {
    layouts.iter().any(|layout| {
        frame.clear();
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
