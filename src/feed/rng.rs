//! A small seeded random source: SplitMix64. The same seed gives the same numbers on every machine; not for secrets.

/// SplitMix64 (Steele, Lea, Flood 2014): one addition and one mix a number, period 2^64, every seed as good as any other.
#[derive(Clone, Debug)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`, 0 where `bound` is 0 or less.
    pub(super) const fn below(&mut self, bound: i64) -> i64 {
        let bound = if bound > 0 { bound as u128 } else { 0 };
        ((self.next() as u128 * bound) >> 64) as i64
    }

    /// An index in `0..len`, 0 where `len` is 0.
    pub(super) const fn index(&mut self, len: usize) -> usize {
        self.below(len as i64) as usize
    }

    /// True once in `n` times.
    pub(super) const fn one_in(&mut self, n: i64) -> bool {
        self.below(n) == 0
    }

    /// Puts `items` in any order (Fisher-Yates).
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers_of_the_published_generator() {
        let mut rng = Rng::new(1_234_567);
        assert_eq!([rng.next(), rng.next(), rng.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn draws_stay_in_their_range() {
        let mut rng = Rng::new(7);
        let mut seen = [0; 5];
        (0..1_000).for_each(|_| seen[rng.index(5)] += 1);
        assert!(seen.iter().all(|&count| count > 100), "{seen:?}");
        assert_eq!(rng.below(0), 0);
        let mut items = [1, 2, 3, 4];
        rng.shuffle(&mut items);
        items.sort_unstable();
        assert_eq!(items, [1, 2, 3, 4]);
    }
}
