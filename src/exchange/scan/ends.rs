//! Where numbers end, found for a stretch of text in one go: then none of them has to be read to know where the next one begins.

#[cfg(target_arch = "x86_64")]
use super::avx512;
#[cfg(target_arch = "x86_64")]
use crate::machine::Avx512;

/// How many bytes are looked at in one go; some of them in vain, behind the last level of a list.
pub(super) const STRETCH: usize = 1_024;
/// How many of them are looked at as one.
pub(super) const BLOCK: usize = 64;
/// Room for all ends of a stretch, for no two stand side by side, and for what is written behind the last one in vain.
pub(super) const ROOM: usize = STRETCH / 2 + BLOCK / 2;

/// What a machine knows of where numbers end.
pub(super) trait Ends {
    /// Whether it knows anything: else each number is looked at for its end.
    const ARE_KNOWN: bool;

    /// Turns to `at`, which does not lie before where it turned to last, and tells the ends behind it, counted from a place that is told too. If they
    /// are fewer than `least`, there are no more.
    fn behind(&mut self, text: &[u8], at: usize, least: usize) -> (usize, &[u16]);

    /// Passes by so many of those that were told last.
    fn pass(&mut self, count: usize);

    /// Turns back to the beginning.
    fn rewind(&mut self);
}

/// Knows nothing.
pub(super) struct Unknown;

impl Ends for Unknown {
    const ARE_KNOWN: bool = false;

    fn behind(&mut self, _: &[u8], at: usize, _: usize) -> (usize, &[u16]) {
        (at, &[])
    }

    fn pass(&mut self, _: usize) {}

    fn rewind(&mut self) {}
}

/// One stretch of the text after the other.
#[cfg(target_arch = "x86_64")]
pub(super) struct OfStretch {
    machine: Avx512,
    /// Where the stretch begins.
    start: usize,
    /// Ends, counted from there, ascending: the first `count`.
    places: [u16; ROOM],
    count: usize,
    /// Which of them comes next.
    next: usize,
}

#[cfg(target_arch = "x86_64")]
impl OfStretch {
    #[inline(always)]
    pub(super) const fn new(machine: Avx512) -> Self {
        Self { machine, start: 0, places: [0; ROOM], count: 0, next: 0 }
    }

    #[inline(never)]
    fn find(&mut self, text: &[u8], at: usize) {
        self.count = avx512::ends(self.machine, text.get(at..).unwrap_or_default(), &mut self.places);
        (self.start, self.next) = (at, 0);
    }
}

#[cfg(target_arch = "x86_64")]
impl Ends for OfStretch {
    const ARE_KNOWN: bool = true;

    #[inline]
    fn behind(&mut self, text: &[u8], at: usize, least: usize) -> (usize, &[u16]) {
        let left = self.places[..self.count].get(self.next..).unwrap_or_default();
        self.next += left.iter().take_while(|&&place| self.start + usize::from(place) <= at).count();
        if self.next + least > self.count {
            self.find(text, at);
        }
        (self.start, self.places[..self.count].get(self.next..).unwrap_or_default())
    }

    #[inline(always)]
    fn pass(&mut self, count: usize) {
        self.next += count;
    }

    #[inline(always)]
    fn rewind(&mut self) {
        (self.count, self.next) = (0, 0);
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether a byte may be one of a number without an exponent. More than such numbers have: their reader looks closer.
    const fn is_in_number(byte: u8) -> bool {
        matches!(byte, b'+'..=b'9') && byte != b','
    }

    /// What [`avx512::ends`] tells, byte by byte. A number that the text's end cuts has no end, or that one.
    fn ends(text: &[u8]) -> Vec<u16> {
        let is_part = |at: usize| is_in_number(text[at]) || (at > 0 && matches!(text[at], b'e' | b'E') && is_in_number(text[at - 1]));
        (1..text.len()).filter(|&at| is_part(at - 1) && !is_part(at)).map(|at| at as u16).collect()
    }

    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            3 => "[0-9]{1,9}(\\.[0-9]{1,9})?",
            1 => "[0-9](\\.[0-9]{1,9})?[eE][-+]?[0-9]{1,2}",
            3 => prop::sample::select(vec!["\\\",\\\"", ",\"bid_price\":", "},{", "e", "-", "+", "/", ".", ",", "\u{e9}", "1e", "1", ""]).prop_map(str::to_owned),
        ]
    }

    proptest! {
        #[test]
        fn ends_are_found_as_byte_by_byte(pieces in prop::collection::vec(piece(), 0..200)) {
            let Some(machine) = Avx512::detect() else { return Ok(()) };
            let text = pieces.concat().into_bytes();
            let stretch = &text[..text.len().min(STRETCH)];
            let mut places = [0; ROOM];
            let count = avx512::ends(machine, stretch, &mut places);
            let told: Vec<_> = places[..count].iter().copied().filter(|&place| usize::from(place) < stretch.len()).collect();
            prop_assert_eq!(told, ends(stretch));
        }

        #[test]
        fn all_ends_are_told_one_after_the_other(pieces in prop::collection::vec(piece(), 0..400), steps in prop::collection::vec((0_usize..5, 1_usize..5), 1..200)) {
            let Some(machine) = Avx512::detect() else { return Ok(()) };
            let text = pieces.concat().into_bytes();
            let (mut known, mut at) = (OfStretch::new(machine), 0);
            for (skipped, least) in steps {
                at = text.len().min(at + skipped);
                let (start, told) = known.behind(&text, at, least);
                let told: Vec<_> = told.iter().map(|&place| start + usize::from(place)).filter(|&place| place < text.len()).collect();
                // From the middle of a number on as from its beginning.
                let expected: Vec<_> = ends(&text[at..]).into_iter().map(|place| at + usize::from(place)).collect();
                let whole = text[..at].last().is_none_or(|&byte| !is_in_number(byte) && !matches!(byte, b'e' | b'E'));
                if whole {
                    prop_assert!(expected.starts_with(&told), "{told:?} {expected:?}");
                    prop_assert!(told.len() >= least.min(expected.len()), "{told:?} {expected:?}");
                }
                let taken = told.len().min(least);
                known.pass(taken);
                at = told[..taken].last().map_or(at, |&end| end);
            }
        }
    }
}
