//! Whether the objects of a partition cover its records: each once, in order, none left out. Pure: it is told names, line counts and, where the topic
//! can be read, the offsets of its records.

use std::fmt;

/// An object as its name and its lines tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The key.
    pub key: String,
    /// The offset of its first record.
    pub first: i64,
    /// How many lines it has.
    pub lines: u64,
}

/// Which offsets must be covered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The first offset; `None`: that of the first object.
    pub from: Option<i64>,
    /// The offset behind the last one that must be there; `None`: that of the last object. Objects beyond it are fine as long as they fit.
    pub to: Option<i64>,
}

/// What is known of the records of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Records<'r> {
    /// From this offset on all records are known; `i64::MAX` where the topic cannot be read.
    pub known_from: i64,
    /// The offsets of those records, in order. Offsets between them are marks of transactions.
    pub offsets: &'r [i64],
    /// Whether every offset before that is a record. Else some are marks of transactions, and holes between objects prove nothing there.
    pub is_dense: bool,
}

/// What is wrong with the objects of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Records from one offset to before another are in no object.
    Gap {
        /// The first offset that is missing.
        from: i64,
        /// The first one that is there again.
        to: i64,
    },
    /// The object holds records that one before it has too.
    Overlap {
        /// The object's key.
        key: String,
        /// How many, at least.
        records: u64,
    },
    /// The object is named after an offset that is no record's, or has more lines than there are records.
    Stray {
        /// The object's key.
        key: String,
    },
    /// Several keys begin at the same offset.
    Twice {
        /// The keys.
        keys: [String; 2],
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { from, to } => write!(f, "gap: offsets {from} to {} are in no object", to - 1),
            Self::Overlap { key, records } => write!(f, "overlap: {key} has {records} records that an object before it has too"),
            Self::Stray { key } => write!(f, "stray: {key} has lines that are no records of the topic where its name says"),
            Self::Twice { keys: [one, other] } => write!(f, "twice: {one} and {other} begin at the same offset"),
        }
    }
}

/// What the objects of a partition prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The first offset that was looked for, and the offset behind the last one that is accounted for.
    pub range: (i64, i64),
    /// Objects looked at.
    pub objects: usize,
    /// Lines in them.
    pub lines: u64,
    /// What is wrong, in the order of the offsets.
    pub faults: Vec<Fault>,
}

impl Coverage {
    /// Holds the objects of one partition, in any order, against what is wanted and known.
    #[must_use]
    pub fn of(mut pieces: Vec<Piece>, wanted: &Wanted, records: Records<'_>) -> Self {
        pieces.sort_by(|one, other| (one.first, &one.key).cmp(&(other.first, &other.key)));
        let from = wanted.from.or_else(|| pieces.first().map(|piece| piece.first)).or(wanted.to).unwrap_or(0);
        let mut walk = Walk { records, next: from, is_unsure: false, faults: Vec::new() };
        for (index, piece) in pieces.iter().enumerate() {
            match pieces.get(index.wrapping_sub(1)) {
                Some(before) if before.first == piece.first => walk.faults.push(Fault::Twice { keys: [before.key.clone(), piece.key.clone()] }),
                _ => walk.step(piece),
            }
        }
        if let Some(to) = wanted.to {
            walk.gap(to);
        }
        Self { range: (from, walk.next), objects: pieces.len(), lines: pieces.iter().map(|piece| piece.lines).sum(), faults: walk.faults }
    }
}

struct Walk<'r> {
    records: Records<'r>,
    /// All records below it are accounted for.
    next: i64,
    /// Whether it may as well lie higher: the last object begins where nothing is known.
    is_unsure: bool,
    faults: Vec<Fault>,
}

impl Walk<'_> {
    fn step(&mut self, piece: &Piece) {
        if piece.first < self.next {
            let records = self.count(piece.first, self.next).min(piece.lines);
            self.faults.push(Fault::Overlap { key: piece.key.clone(), records });
        } else {
            self.gap(piece.first);
        }
        let end = self.end(piece).unwrap_or_else(|| {
            self.faults.push(Fault::Stray { key: piece.key.clone() });
            piece.first.saturating_add_unsigned(piece.lines)
        });
        self.next = self.next.max(end);
        self.is_unsure = piece.first < self.records.known_from && !self.records.is_dense;
    }

    /// Nothing from `next` to before `to` is in an object: a fault if there are records.
    fn gap(&mut self, to: i64) {
        if to <= self.next {
            return;
        }
        let is_lost = self.records.is_dense && self.next < to.min(self.records.known_from);
        if is_lost || (!self.is_unsure && self.known(self.next, to) > 0) {
            self.faults.push(Fault::Gap { from: self.next, to });
        }
        self.next = to;
    }

    /// How many known records lie in a range of offsets.
    fn known(&self, from: i64, to: i64) -> u64 {
        let below = |offset| self.records.offsets.partition_point(|&other| other < offset) as u64;
        below(to).saturating_sub(below(from))
    }

    /// How many records lie in a range of offsets, at most.
    fn count(&self, from: i64, to: i64) -> u64 {
        let unknown_to = to.min(self.records.known_from);
        self.known(from, to) + if unknown_to > from { unknown_to.abs_diff(from) } else { 0 }
    }

    /// The offset behind the last record of an object; `None` where its name or its lines do not fit the topic.
    fn end(&self, piece: &Piece) -> Option<i64> {
        let Records { known_from, offsets, .. } = self.records;
        if piece.first < known_from {
            return Some(piece.first.saturating_add_unsigned(piece.lines));
        }
        let at = offsets.binary_search(&piece.first).ok()?;
        let last = at.checked_add(usize::try_from(piece.lines).ok()?)?.checked_sub(1).filter(|&last| last >= at)?;
        offsets.get(last).map(|last| last + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn piece(first: i64, lines: u64) -> Piece {
        Piece { key: format!("k{first}"), first, lines }
    }

    fn told(pieces: &[Piece], from: i64, to: i64, records: Records<'_>) -> Vec<String> {
        let coverage = Coverage::of(pieces.to_vec(), &Wanted { from: Some(from), to: Some(to) }, records);
        coverage.faults.iter().map(Fault::to_string).collect()
    }

    const DENSE: Records<'static> = Records { known_from: i64::MAX, offsets: &[], is_dense: true };
    const SPARSE: Records<'static> = Records { is_dense: false, ..DENSE };

    #[test]
    fn faults_are_named() {
        let whole = [piece(0, 20), piece(20, 20), piece(40, 7)];
        assert_eq!(told(&whole, 0, 47, DENSE), [""; 0]);
        assert_eq!(told(&whole, 0, 40, DENSE), [""; 0], "what is beyond is fine as long as it fits");
        assert_eq!(told(&whole[1..], 0, 47, DENSE), ["gap: offsets 0 to 19 are in no object"]);
        assert_eq!(told(&whole, 0, 50, DENSE), ["gap: offsets 47 to 49 are in no object"]);
        assert_eq!(told(&[piece(0, 20), piece(19, 21)], 0, 40, DENSE), ["overlap: k19 has 1 records that an object before it has too"]);
        assert_eq!(told(&[], 3, 5, DENSE), ["gap: offsets 3 to 4 are in no object"]);
        assert_eq!(told(&[piece(0, 20), piece(22, 20)], 0, 42, SPARSE), [""; 0], "there may be marks between");
        assert_eq!(told(&[piece(0, 20), piece(19, 20)], 0, 39, SPARSE).len(), 1, "but not less than nothing");
        let twice = [piece(0, 20), Piece { key: "other".to_owned(), ..piece(0, 20) }];
        assert_eq!(told(&twice, 0, 20, DENSE), ["twice: k0 and other begin at the same offset"]);
    }

    #[test]
    fn the_topic_tells_marks_from_records() {
        let offsets = [0, 1, 2, 4, 5, 7];
        let known = Records { known_from: 0, offsets: &offsets, is_dense: false };
        assert_eq!(told(&[piece(0, 3), piece(4, 2), piece(7, 1)], 0, 9, known), [""; 0]);
        assert_eq!(told(&[piece(0, 4), piece(5, 2)], 0, 8, known), [""; 0], "an object goes on behind a mark");
        assert_eq!(told(&[piece(0, 3), piece(5, 2)], 0, 8, known), ["gap: offsets 3 to 4 are in no object"]);
        assert_eq!(told(&[piece(0, 4), piece(4, 3)], 0, 8, known), ["overlap: k4 has 1 records that an object before it has too"]);
        assert_eq!(told(&[piece(0, 3), piece(3, 3)], 0, 8, known)[0], "stray: k3 has lines that are no records of the topic where its name says");
        assert_eq!(told(&[piece(0, 7)], 0, 7, known), ["stray: k0 has lines that are no records of the topic where its name says"], "more lines than records");
        assert_eq!(told(&[piece(0, 6), piece(8, 0)], 0, 8, known).len(), 1, "no lines at all");
        let forgotten = Records { known_from: 4, offsets: &offsets[3..], is_dense: false };
        assert_eq!(told(&[piece(0, 4), piece(5, 2)], 0, 8, forgotten), [""; 0], "an object may begin where the topic has forgotten");
        assert_eq!(told(&[piece(0, 2), piece(4, 2)], 0, 8, forgotten), ["gap: offsets 6 to 7 are in no object"]);
    }

    proptest! {
        /// Whatever is cut into objects is covered; with one left out, or one twice as long, it is not.
        #[test]
        fn what_is_missing_or_too_much_is_found(steps in prop::collection::vec((1_i64..3, any::<bool>()), 2..60), which: prop::sample::Index, known: bool) {
            let steps: Vec<(i64, bool)> = steps.into_iter().map(|(step, cut)| (if known { step } else { 1 }, cut)).collect();
            let offsets: Vec<i64> = steps.iter().scan(0, |next, (step, _)| { *next += step; Some(*next - 1) }).collect();
            let mut pieces: Vec<Piece> = Vec::new();
            for (index, offset) in offsets.iter().enumerate() {
                match pieces.last_mut() {
                    Some(last) if !steps[index].1 => last.lines += 1,
                    _ => pieces.push(piece(*offset, 1)),
                }
            }
            let to = offsets[offsets.len() - 1] + 1;
            let records = if known { Records { known_from: 0, offsets: &offsets, is_dense: false } } else { DENSE };
            prop_assert_eq!(told(&pieces, 0, to, records), [""; 0]);
            let which = which.index(pieces.len());
            let mut fewer = pieces.clone();
            fewer.remove(which);
            prop_assert!(!told(&fewer, 0, to, records).is_empty());
            pieces[which].lines *= 2;
            if known || which + 1 < pieces.len() {
                prop_assert!(!told(&pieces, 0, to, records).is_empty());
            }
        }
    }
}
