//! Levels in one run of memory, with room before the first and behind the last: what comes or goes near an end moves little, and a
//! frame's levels are put in their places together, or merged with those that are there.

use std::hint::select_unpredictable;

use super::Level;
use crate::decimal::Amount;

/// See the module. Cells outside `start..end` hold anything.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    cells: Vec<Level>,
    start: usize,
    end: usize,
}

/// A level that goes from a place, or one that comes to stand before the level at that place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    place: u32,
    /// Which of the frame's levels comes, or [`GOES`].
    comes: u32,
}

/// No level of a frame: none has so many.
const GOES: u32 = u32::MAX;

impl Change {
    /// The level at `place` goes.
    pub(super) const fn goes(place: usize) -> Self {
        Self { place: place as u32, comes: GOES }
    }

    /// Level `index` of the frame comes to stand before the one at `place`.
    pub(super) const fn comes(place: usize, index: usize) -> Self {
        Self { place: place as u32, comes: index as u32 }
    }

    const fn place(self) -> usize {
        self.place as usize
    }

    /// Where what follows begins.
    const fn behind(self) -> usize {
        self.place() + (self.comes == GOES) as usize
    }

    /// By how much it moves what follows.
    const fn shift(self) -> isize {
        if self.comes == GOES { -1 } else { 1 }
    }
}

impl Run {
    pub(super) const fn new() -> Self {
        Self { cells: Vec::new(), start: 0, end: 0 }
    }

    #[inline]
    pub(super) fn levels(&self) -> &[Level] {
        &self.cells[self.start..self.end]
    }

    #[inline]
    pub(super) fn levels_mut(&mut self) -> &mut [Level] {
        &mut self.cells[self.start..self.end]
    }

    pub(super) const fn len(&self) -> usize {
        self.end - self.start
    }

    /// Takes away all levels.
    pub(super) const fn clear(&mut self) {
        self.end = self.start;
    }

    /// Takes away the first levels.
    pub(super) const fn cut(&mut self, count: usize) {
        self.start += count;
    }

    /// Makes the changes, which come in falling order of their places. What is moved least stays where it is.
    pub(super) fn change(&mut self, changes: &[Change], frame: &[Level]) {
        let (stays, total) = self.longest(changes);
        let (before, behind) = (stays.max(0).unsigned_abs(), (total - stays).max(0).unsigned_abs());
        if self.start < before || self.cells.len() - self.end < behind {
            self.make_room(before, behind);
        }
        let (base, length) = (self.start, self.len());
        // What moves down goes first and upwards, what moves up last and downwards: nothing is overwritten before it has moved.
        let (mut from, mut shift) = (0, -stays);
        for change in changes.iter().rev() {
            self.shift(base + from, base + change.place(), shift, isize::is_negative);
            from = change.behind();
            shift += change.shift();
        }
        self.shift(base + from, base + length, shift, isize::is_negative);
        self.end = self.end.wrapping_add_signed(shift);
        let mut to = length;
        for change in changes {
            self.shift(base + change.behind(), base + to, shift, isize::is_positive);
            to = change.place();
            shift -= change.shift();
            // What goes leaves the cell as it is: no branch asks.
            if let Some(cell) = self.cells.get_mut((base + to).wrapping_add_signed(shift)) {
                *cell = *frame.get(change.comes as usize).unwrap_or(cell);
            }
        }
        self.shift(base, base + to, shift, isize::is_positive);
        self.start = base.wrapping_add_signed(shift);
    }

    /// Merges a frame's levels into those from `start` on: a price that is there is set, without a quantity it goes, and others come. The frame's
    /// prices all differ and come in the order of the run, or, if `is_reversed`, against it. `is_before` says which of two prices stands first;
    /// `tail` is scratch space. Each level is written anew, and no branch asks what becomes of it, which nobody can foretell.
    #[inline(always)]
    pub(super) fn merge(&mut self, start: usize, frame: &[Level], is_reversed: bool, is_before: impl Fn(Amount, Amount) -> bool, tail: &mut Vec<Level>) {
        if self.cells.len() - self.end < frame.len() {
            self.make_room(0, frame.len());
        }
        tail.clear();
        tail.extend_from_slice(&self.levels()[start..]);
        let start = self.start + start;
        let cells = &mut self.cells[start..];
        let (mut from, mut taken, mut to, last) = (0, 0, 0, frame.len().wrapping_sub(1));
        let level_at = |at: usize| frame.get(if is_reversed { last.wrapping_sub(at) } else { at });
        while let (Some(held), Some(level), Some(cell)) = (tail.get(from), level_at(taken), cells.get_mut(to)) {
            // `Level::counts` is a branch here.
            let counts = (level.price != Amount::ZERO) & (level.quantity != Amount::ZERO);
            let (stays, is_set) = (is_before(held.price, level.price), held.price == level.price);
            *cell = *select_unpredictable(stays, held, level);
            to += usize::from(stays | counts);
            from += usize::from(stays | is_set);
            taken += usize::from(!stays);
        }
        while let (Some(level), Some(cell)) = (level_at(taken), cells.get_mut(to)) {
            *cell = *level;
            to += usize::from(level.counts());
            taken += 1;
        }
        let rest = &tail[from..];
        cells[to..to + rest.len()].copy_from_slice(rest);
        self.end = start + to + rest.len();
    }

    /// By how much the changes would move the longest piece between two of them, and what is behind all of them, if nothing before
    /// the first were moved.
    fn longest(&self, changes: &[Change]) -> (isize, isize) {
        let (mut from, mut shift, mut longest, mut stays) = (0, 0, 0, 0);
        for change in changes.iter().rev() {
            if change.place() - from > longest {
                (longest, stays) = (change.place() - from, shift);
            }
            from = change.behind();
            shift += change.shift();
        }
        (if self.len() - from > longest { shift } else { stays }, shift)
    }

    #[inline]
    fn shift(&mut self, from: usize, to: usize, shift: isize, is_due: impl Fn(isize) -> bool) {
        if from < to && is_due(shift) {
            self.cells.copy_within(from..to, from.wrapping_add_signed(shift));
        }
    }

    /// Makes room for so many levels before and behind, and as much of it on both sides as there is memory for.
    #[inline(never)]
    fn make_room(&mut self, before: usize, behind: usize) {
        let length = self.len();
        let needed = length + 2 * before.max(behind);
        if self.cells.len() < needed + length / 4 {
            self.cells.resize(needed + length + 16, Level::default());
        }
        let start = (self.cells.len() - length) / 2;
        self.cells.copy_within(self.start..self.end, start);
        (self.start, self.end) = (start, start + length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal::{Amount, Decimal};
    use proptest::prelude::*;

    fn level(value: usize) -> Level {
        Level { price: Decimal::from_integer(value as u64).amount().unwrap(), quantity: Amount::ZERO }
    }

    proptest! {
        /// A step is for each place what happens there: levels that come before it, and whether its own goes.
        #[test]
        fn a_run_is_a_vector(steps in prop::collection::vec((prop::collection::vec((0..3_usize, prop::bool::weighted(0.3)), 0..40), 0..5_usize), 0..12)) {
            let (mut run, mut vector, mut next) = (Run::new(), Vec::new(), 0);
            for (places, cut) in steps {
                let (mut changes, mut frame, mut expected) = (Vec::new(), Vec::new(), Vec::new());
                for place in 0..=vector.len() {
                    let (come, goes) = places.get(place).copied().unwrap_or_default();
                    for _ in 0..come {
                        changes.push(Change::comes(place, frame.len()));
                        frame.push(level(next));
                        next += 1;
                        expected.extend(frame.last());
                    }
                    if let Some(held) = vector.get(place) {
                        if goes { changes.push(Change::goes(place)) } else { expected.push(*held) }
                    }
                }
                changes.reverse();
                run.change(&changes, &frame);
                prop_assert_eq!(run.levels(), expected.as_slice());
                let cut = cut.min(expected.len());
                run.cut(cut);
                vector = expected.split_off(cut);
                prop_assert_eq!(run.levels(), vector.as_slice());
            }
        }
    }
}
