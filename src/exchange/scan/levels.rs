//! Lists of levels: what stands around the numbers of each [`Shape`](super::Shape) of a level, and one loop for all.

use super::literal::Literal;
use super::scanner::Scanner;
use crate::decimal::{Amount, Common};

/// A shape as text: `N` numbers, two or four, and what stands before each and behind the last.
pub(super) trait Form<const N: usize> {
    const BEFORE: [&'static str; N];
    const AFTER: &'static str;
    /// What stands between the last number and a count of orders that is not read.
    const ORDERS: Option<&'static str> = None;
}

/// An ask's price, a bid's price, an ask's quantity, a bid's quantity.
pub(super) struct Unit;

impl Form<4> for Unit {
    const BEFORE: [&'static str; 4] = [r#"{"ask_price":"#, r#","bid_price":"#, r#","ask_size":"#, r#","bid_size":"#];
    const AFTER: &'static str = "}";
}

pub(super) struct Pair;

impl Form<2> for Pair {
    const BEFORE: [&'static str; 2] = [r#"[""#, r#"",""#];
    const AFTER: &'static str = r#""]"#;
}

pub(super) struct Orders;

impl Form<2> for Orders {
    const BEFORE: [&'static str; 2] = Pair::BEFORE;
    const AFTER: &'static str = Pair::AFTER;
    const ORDERS: Option<&'static str> = Some(r#"","0",""#);
}

pub(super) struct Quoted;

impl Form<2> for Quoted {
    const BEFORE: [&'static str; 2] = [r#"{"price":""#, r#"","qty":""#];
    const AFTER: &'static str = r#""}"#;
}

pub(super) struct Bare;

impl Form<2> for Bare {
    const BEFORE: [&'static str; 2] = [r#"{"price":"#, r#","qty":"#];
    const AFTER: &'static str = "}";
}

impl<const ESCAPED: bool, const SPACED: bool> Scanner<'_, ESCAPED, SPACED> {
    /// Reads a list of levels, and gives the numbers of each to `push`.
    #[inline(always)]
    pub(super) fn levels<const N: usize, F: Form<N>>(&mut self, mut push: impl FnMut([Amount; N])) -> Option<()> {
        let first = const { Literal::new(&["[", F::BEFORE[0]], ESCAPED, SPACED) };
        if !self.take(&first) {
            return self.expect(&const { Literal::new(&["[]"], ESCAPED, SPACED) });
        }
        // A position of its own, which stays in a register: that of the scanner is in memory.
        let mut at = self.at;
        for _ in 0..self.limits.levels {
            let mut numbers = [Amount::ZERO; N];
            // Spelled out, so that each is compared with a text that the compiler knows.
            (numbers[0], at) = self.number::<N, F>(at, &const { Literal::new(&[F::BEFORE[1]], ESCAPED, SPACED) })?;
            if N == 4 {
                (numbers[1], at) = self.number::<N, F>(at, &const { Literal::new(&[F::BEFORE[N / 2]], ESCAPED, SPACED) })?;
                (numbers[2], at) = self.number::<N, F>(at, &const { Literal::new(&[F::BEFORE[N - 1]], ESCAPED, SPACED) })?;
            }
            let is_last;
            (numbers[N - 1], at, is_last) = self.last_number::<N, F>(at)?;
            push(numbers);
            if is_last {
                self.at = at;
                return Some(());
            }
        }
        None
    }

    /// The number at `at`, and where the text ends that must stand behind it.
    #[inline(always)]
    fn number<const N: usize, F: Form<N>>(&self, at: usize, behind: &Literal) -> Option<(Amount, usize)> {
        if let Some((amount, end)) = self.common_number::<N, F>(at)
            && let Some(end) = behind.end(self.text, end)
        {
            return Some((amount, end));
        }
        let (amount, end) = if F::ORDERS.is_some() { self.shortest_number(at)? } else { self.any_number(at)? };
        Some((amount, behind.end(self.text, end)?))
    }

    /// The last number of a level, with all that stands behind it up to the next level or behind the list; whether it is
    /// the list's last.
    #[inline(always)]
    fn last_number<const N: usize, F: Form<N>>(&self, at: usize) -> Option<(Amount, usize, bool)> {
        let next = const { Literal::new(&[F::AFTER, ",", F::BEFORE[0]], ESCAPED, SPACED) };
        let last = const { Literal::new(&[F::AFTER, "]"], ESCAPED, SPACED) };
        let (amount, end) = if let Some(orders) = const { OptionalLiteral::new(F::ORDERS, ESCAPED, SPACED) }.0 {
            let (amount, at) = self.number::<N, F>(at, &orders)?;
            (amount, self.skip_count(at)?)
        } else {
            if let Some((amount, end)) = self.common_number::<N, F>(at) {
                if let Some(end) = next.end(self.text, end) {
                    return Some((amount, end, false));
                }
                if let Some(end) = last.end(self.text, end) {
                    return Some((amount, end, true));
                }
            }
            self.any_number(at)?
        };
        match next.end(self.text, end) {
            Some(end) => Some((amount, end, false)),
            None => Some((amount, last.end(self.text, end)?, true)),
        }
    }

    /// A number in the spelling that nearly all have, and where it ends.
    #[inline(always)]
    fn common_number<const N: usize, F: Form<N>>(&self, at: usize) -> Option<(Amount, usize)> {
        let Common { amount, length, decimals } = Common::read(self.text.get(at..)?)?;
        let is_shortest = F::ORDERS.is_none() || decimals == 0 || self.text[at + length - 1] != b'0';
        is_shortest.then_some((amount, at + length))
    }
}

/// A [`Literal`] where there is text for it.
struct OptionalLiteral(Option<Literal>);

impl OptionalLiteral {
    const fn new(text: Option<&str>, escaped: bool, spaced: bool) -> Self {
        Self(match text {
            Some(text) => Some(Literal::new(&[text], escaped, spaced)),
            None => None,
        })
    }
}
