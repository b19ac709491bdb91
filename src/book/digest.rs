//! A digest of a kept book, by which a rebuilt book is told from another one. The same on every machine and in every run: it is
//! kept in Kafka from one to the next.

use super::side::Side;
use super::{Book, Depth};

/// An odd number without a pattern: the fraction of the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// A digest of words in order. Quick, and good enough to notice an accident; nothing against malice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Digest {
    /// The digest of some bytes and their number.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let word = |chunk: &[u8]| chunk.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        bytes.chunks(8).fold(Self(FACTOR).and(bytes.len() as u64), |digest, chunk| digest.and(word(chunk)))
    }

    /// The digest with one more word: both halves of a product, so that every bit comes to bear on all.
    #[must_use]
    pub const fn and(self, word: u64) -> Self {
        let product = (self.0.rotate_left(29) ^ word) as u128 * FACTOR as u128;
        Self((product as u64 ^ (product >> 64) as u64).wrapping_add(FACTOR))
    }

    /// The digest as a number.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl Book {
    /// Adds the book to the digest of its name. Looks at a few words whatever the book's size, since it is asked for at every
    /// batch: whether it is live, last id, depth, and of each side the number of levels, their total and the best price. One level more or
    /// less, or another quantity, changes them.
    #[must_use]
    pub fn digest(&self, name: Digest) -> Digest {
        let (kind, depth) = match self.depth {
            Depth::Unlimited => (0, 0),
            Depth::Fixed(depth) => (1, depth),
            Depth::Subscribed(depth) => (2, depth),
        };
        let (has_id, id) = self.last_id.map_or((0, 0), |id| (4, id.cast_unsigned()));
        let book = name.and(kind | has_id | u64::from(self.live) << 3).and(depth as u64).and(id);
        add_side(add_side(book, &self.bids), &self.asks)
    }
}

fn add_side(digest: Digest, side: &Side) -> Digest {
    let best = side.best().map_or(0, |price| price.units());
    let words = [side.len() as u64, best as u64, (best >> 64) as u64].into_iter().chain(side.total().words());
    words.fold(digest, Digest::and)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_digest_never_changes() {
        // These values are in the commits of running groups.
        assert_eq!(
            [b"".as_slice(), b"a", b"OKX BTC-USDT"].map(|bytes| Digest::of(bytes).value()),
            [12_688_526_898_085_989_758, 574_186_724_365_869_291, 7_297_311_744_151_709_111]
        );
        assert_eq!(Book::new(Depth::Subscribed(10)).digest(Digest::of(b"x")).value(), 5_679_534_440_793_198_294);
    }

    #[test]
    fn neighbours_are_far_apart() {
        let mut seen = BTreeSet::new();
        for word in 0..64 {
            for bytes in [vec![0; word], vec![1; word], [vec![0; word], vec![1]].concat()] {
                seen.insert(Digest::of(&bytes).value());
            }
            seen.insert(Digest::of(b"x").and(1 << word).value());
            seen.insert(Digest::of(b"x").and(1 << word).and(0).value());
        }
        assert_eq!(seen.len(), 64 * 5 - 2, "only [0; 0] and [1; 0] are the same, and [1; 1] is [] with 1");
    }
}
