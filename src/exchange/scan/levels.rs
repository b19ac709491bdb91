//! Lists of levels: what stands around the numbers of each [`Shape`](super::Shape) of a level, and one loop for all.

use super::literal::Literal;
use super::scanner::Scanner;
use crate::decimal::Amount;

/// A shape as text: `N` numbers, and what stands before each and behind the last.
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
        let next = const { Literal::new(&[F::AFTER, ",", F::BEFORE[0]], ESCAPED, SPACED) };
        let last = const { Literal::new(&[F::AFTER, "]"], ESCAPED, SPACED) };
        if !self.take(&first) {
            return self.expect(&const { Literal::new(&["[]"], ESCAPED, SPACED) });
        }
        for _ in 0..self.limits.levels {
            push(self.numbers::<N, F>()?);
            if !self.take(&next) {
                return self.expect(&last);
            }
        }
        None
    }

    #[inline(always)]
    fn numbers<const N: usize, F: Form<N>>(&mut self) -> Option<[Amount; N]> {
        let before = const {
            let mut before = [const { Literal::new(&[], ESCAPED, SPACED) }; N];
            let mut at = 0;
            while at < N {
                before[at] = Literal::new(&[F::BEFORE[at]], ESCAPED, SPACED);
                at += 1;
            }
            before
        };
        let mut numbers = [Amount::ZERO; N];
        for (at, number) in numbers.iter_mut().enumerate() {
            if at > 0 {
                self.expect(&before[at])?;
            }
            *number = if F::ORDERS.is_some() { self.shortest_amount()? } else { self.amount()? };
        }
        if let Some(orders) = const { OptionalLiteral::new(F::ORDERS, ESCAPED, SPACED) }.0 {
            self.expect(&orders)?;
            self.skip_digits()?;
        }
        Some(numbers)
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
