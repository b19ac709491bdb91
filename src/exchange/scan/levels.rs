//! Lists of levels: what stands around the numbers of each [`Shape`](super::Shape) of a level, and one loop for all.

use super::literal::Literal;
use super::machine::Machine;
use super::scanner::{Scanner, json_number};
use crate::decimal::{Amount, Common, Decimal, NUMBER_WINDOW};

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

/// A number and what stands behind it, with what a number is looked at in.
const WINDOW: usize = NUMBER_WINDOW + 16;

impl<'t, const ESCAPED: bool, const SPACED: bool, M: Machine> Scanner<'t, ESCAPED, SPACED, M> {
    /// Reads a list of levels, and gives the numbers of each to `push`.
    #[inline(always)]
    pub(super) fn levels<const N: usize, F: Form<N>>(&mut self, mut push: impl FnMut([Amount; N])) -> Option<()> {
        let first = const { Literal::new(&["[", F::BEFORE[0]], ESCAPED, SPACED) };
        if !self.take(&first) {
            return self.expect(&const { Literal::new(&["[]"], ESCAPED, SPACED) });
        }
        let mut rest = self.rest();
        for _ in 0..self.limits.levels {
            let mut numbers = [Amount::ZERO; N];
            // Spelled out, so that each is compared with a text that the compiler knows.
            (numbers[0], rest) = self.number::<N, F>(rest, &const { Literal::new(&[F::BEFORE[1]], ESCAPED, SPACED) })?;
            if N == 4 {
                (numbers[1], rest) = self.number::<N, F>(rest, &const { Literal::new(&[F::BEFORE[N / 2]], ESCAPED, SPACED) })?;
                (numbers[2], rest) = self.number::<N, F>(rest, &const { Literal::new(&[F::BEFORE[N - 1]], ESCAPED, SPACED) })?;
            }
            let is_last;
            (numbers[N - 1], rest, is_last) = self.last_number::<N, F>(rest)?;
            push(numbers);
            if is_last {
                self.at = self.text.len() - rest.len();
                return Some(());
            }
        }
        None
    }

    /// The number at the start of `rest`, and what follows the text that must stand behind it.
    #[inline(always)]
    fn number<const N: usize, F: Form<N>>(&self, rest: &'t [u8], behind: &Literal) -> Option<(Amount, &'t [u8])> {
        let common = self.common_number(rest);
        if let Some((common, window)) = common
            && (F::ORDERS.is_none() || common.is_shortest(window))
            && let Some(rest) = behind.strip(rest, common.length)
        {
            return Some((common.amount, rest));
        }
        let (amount, length) = self.any_number::<N, F>(rest, common.map(|(common, _)| common))?;
        Some((amount, behind.strip(rest, length)?))
    }

    /// The last number of a level, with all that stands behind it up to the next level or behind the list; whether it is
    /// the list's last.
    #[inline(always)]
    fn last_number<const N: usize, F: Form<N>>(&self, rest: &'t [u8]) -> Option<(Amount, &'t [u8], bool)> {
        let next = const { Literal::new(&[F::AFTER, ",", F::BEFORE[0]], ESCAPED, SPACED) };
        let last = const { Literal::new(&[F::AFTER, "]"], ESCAPED, SPACED) };
        let either = |rest: &'t [u8], length| match next.strip(rest, length) {
            Some(rest) => Some((rest, false)),
            None => Some((last.strip(rest, length)?, true)),
        };
        if let Some(orders) = const { OptionalLiteral::new(F::ORDERS, ESCAPED, SPACED) }.0 {
            let (amount, rest) = self.number::<N, F>(rest, &orders)?;
            let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (rest, is_last) = either(rest, count).filter(|_| count > 0)?;
            return Some((amount, rest, is_last));
        }
        let common = self.common_number(rest).map(|(common, _)| common);
        if let Some(common) = common
            && let Some((rest, is_last)) = either(rest, common.length)
        {
            return Some((common.amount, rest, is_last));
        }
        let (amount, length) = self.any_number::<N, F>(rest, common)?;
        let (rest, is_last) = either(rest, length)?;
        Some((amount, rest, is_last))
    }

    /// A number in the spelling that nearly all have, and what it was looked at in; not near the end of the text.
    #[inline(always)]
    fn common_number(&self, rest: &'t [u8]) -> Option<(Common, &'t [u8; NUMBER_WINDOW])> {
        let window = rest.first_chunk::<WINDOW>()?.first_chunk()?;
        Some((self.machine.read(window)?, window))
    }

    /// A number in any spelling, up to the bound on numbers, and its length; with a count of orders behind it in the
    /// shortest form alone: no zero at the end of a fraction. `common` is how it starts, if that is known.
    #[inline(never)]
    fn any_number<const N: usize, F: Form<N>>(&self, rest: &[u8], common: Option<Common>) -> Option<(Amount, usize)> {
        if F::ORDERS.is_some() {
            let (amount, decimals, length) = Decimal::parse_short(rest)?;
            return (decimals == 0 || rest[length - 1] != b'0').then_some((amount, length));
        }
        if let Some(common) = common
            && let Some((amount, length)) = common.with_exponent(&rest[common.length..])
        {
            return Some((amount, common.length + length));
        }
        if let Some((amount, _, length)) = Decimal::parse_short(rest)
            && !matches!(rest.get(length), Some(b'e' | b'E'))
        {
            return Some((amount, length));
        }
        let number = json_number(rest)?;
        let is_within = number.len() <= self.limits.number_chars;
        Some((is_within.then(|| Decimal::parse(number).ok()).flatten()?.amount()?, number.len()))
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
