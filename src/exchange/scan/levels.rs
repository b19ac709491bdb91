//! Lists of levels: what stands around the numbers of each [`Shape`](super::Shape) of a level, and one loop for all.

use super::ends::Ends as _;
use super::literal::Literal;
use super::machine::Machine;
use super::scanner::{Scanner, json_number};
use crate::decimal::{Amount, Decimal, Exponent, KNOWN_WINDOW, NUMBER_WINDOW};

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

/// The longest text of a number that is looked at together with what stands behind it: sixteen characters and an exponent of four.
const CHARS_MAX: usize = 20;
/// The longest count of orders that is looked at together with the rest of its level.
const COUNT_CHARS_MAX: usize = 10;
/// Room for the longest level of common numbers.
const ROOM: usize = 256;

/// The numbers of a level, where the next one or the end of the list begins behind it, and whether it is the list's last.
type Seen<const N: usize> = ([Amount; N], usize, bool);

impl<'t, const ESCAPED: bool, const SPACED: bool, M: Machine> Scanner<'t, ESCAPED, SPACED, M> {
    /// Reads a list of levels, and gives the numbers of each to `push`.
    #[inline(always)]
    pub(super) fn levels<const N: usize, F: Form<N>>(&mut self, mut push: impl FnMut([Amount; N])) -> Option<()> {
        let first = const { Literal::new(&["[", F::BEFORE[0]], ESCAPED, SPACED) };
        if !self.take(&first) {
            return self.expect(&const { Literal::new(&["[]"], ESCAPED, SPACED) });
        }
        if M::Ends::ARE_KNOWN {
            return self.levels_of_known_ends::<N, F>(push);
        }
        let mut rest = self.rest();
        for _ in 0..self.limits.levels {
            let (numbers, length, is_last) = self.level::<N, F>(rest)?;
            push(numbers);
            rest = rest.get(length..)?;
            if is_last {
                self.at = self.text.len() - rest.len();
                return Some(());
            }
        }
        None
    }

    /// As [`Self::levels`], behind the beginning of the list.
    #[inline(always)]
    fn levels_of_known_ends<const N: usize, F: Form<N>>(&mut self, mut push: impl FnMut([Amount; N])) -> Option<()> {
        let mut left = self.limits.levels;
        while !self.known_levels::<N, F>(&mut left, &mut push)? {
            left = left.checked_sub(1)?;
            let (numbers, length, is_last) = self.rare_level::<N, F>()?;
            push(numbers);
            self.rest().get(length..)?;
            self.at += length;
            if is_last {
                break;
            }
        }
        Some(())
    }

    /// [`Self::level`] where it is not the usual way.
    #[inline(never)]
    fn rare_level<const N: usize, F: Form<N>>(&self) -> Option<Seen<N>> {
        self.level::<N, F>(self.rest())
    }

    /// The level at the start of the rest of the text.
    #[inline(always)]
    fn level<const N: usize, F: Form<N>>(&self, rest: &'t [u8]) -> Option<Seen<N>> {
        match self.common_level::<N, F>(room_at(rest, Self::room::<N, F>(), &mut None)) {
            Some(seen) => Some(seen),
            None => self.other_level::<N, F>(rest),
        }
    }

    /// Reads levels as long as it is known where their numbers end, and all are spelled as nearly all are. Says whether
    /// one of them was the last; `None` if there are too many.
    #[inline(always)]
    fn known_levels<const N: usize, F: Form<N>>(&mut self, left: &mut usize, push: &mut impl FnMut([Amount; N])) -> Option<bool> {
        if N == 4 || F::ORDERS.is_some() { self.known_levels_of::<N, 4, F>(left, push) } else { self.known_levels_of::<N, 2, F>(left, push) }
    }

    /// As [`Self::known_levels`]; `K` numbers stand in a level, with those that are not read.
    #[inline(always)]
    fn known_levels_of<const N: usize, const K: usize, F: Form<N>>(&mut self, left: &mut usize, push: &mut impl FnMut([Amount; N])) -> Option<bool> {
        loop {
            let (start, ends) = self.ends.behind(self.text, self.at, K);
            let text = self.text.get(start..)?;
            let (levels, mut at) = (ends.as_chunks::<K>().0, self.at.checked_sub(start)?);
            let (mut taken, mut is_common, mut is_last) = (0, !levels.is_empty(), false);
            for ends in levels {
                let seen = text.get(at..).and_then(|rest| {
                    let mut near_end = None;
                    let room = room_at(rest, Self::known_room::<N, F>(), &mut near_end);
                    Self::known_level::<N, K, F>(self.machine, room, ends.map(|end| usize::from(end).wrapping_sub(at)))
                });
                let Some((numbers, length, ends_list)) = seen else {
                    is_common = false;
                    break;
                };
                *left = left.checked_sub(1)?;
                push(numbers);
                at += length;
                taken += K;
                is_last = ends_list;
                if is_last {
                    break;
                }
            }
            self.at = start + at;
            self.ends.pass(taken);
            if is_last || !is_common {
                return Some(is_last);
            }
        }
    }

    /// How many bytes a level of common numbers reaches over at most, with what is looked at behind its last number.
    const fn room<const N: usize, F: Form<N>>() -> usize {
        const {
            let room = Self::reach::<N, F>(CHARS_MAX, NUMBER_WINDOW);
            assert!(room <= ROOM);
            room
        }
    }

    /// As [`Self::room`], where the lengths of its numbers are known.
    const fn known_room<const N: usize, F: Form<N>>() -> usize {
        const {
            let room = Self::reach::<N, F>(KNOWN_WINDOW, Behind::level::<N, F>(ESCAPED, SPACED).next.len());
            assert!(room <= ROOM);
            room
        }
    }

    /// The bytes of a level whose numbers have so many characters, and of what is behind the last one.
    const fn reach<const N: usize, F: Form<N>>(chars: usize, behind: usize) -> usize {
        let (mut reach, mut index) = (N * chars + behind, 1);
        if F::ORDERS.is_some() {
            reach += Behind::orders::<N, F>(ESCAPED, SPACED).next.len() + COUNT_CHARS_MAX;
        }
        while index < N {
            reach += Literal::new(&[F::BEFORE[index]], ESCAPED, SPACED).len();
            index += 1;
        }
        reach
    }

    /// The level at the start of a text in which these numbers end.
    #[inline(always)]
    fn known_level<const N: usize, const K: usize, F: Form<N>>(machine: M, room: &[u8], ends: [usize; K]) -> Option<Seen<N>> {
        let mut numbers = [Amount::ZERO; N];
        let (mut start, is_last);
        start = 0;
        if N == 4 {
            [numbers[0], numbers[1]] =
                Self::known_two::<false>(machine, room, [start, ends[0]], ends[1], &const { Behind::number::<N, F>(3, ESCAPED, SPACED) })?;
            (start, _) = const { Behind::number::<N, F>(2, ESCAPED, SPACED) }.end(room, ends[1])?;
        }
        let last = if N == 4 { [ends[2], ends[3]] } else { [ends[0], ends[1]] };
        let between = &const { Behind::number::<N, F>(1, ESCAPED, SPACED) };
        if F::ORDERS.is_some() {
            [numbers[N - 2], numbers[N - 1]] = Self::known_two::<true>(machine, room, [start, last[0]], last[1], between)?;
            (start, _) = const { Behind::orders::<N, F>(ESCAPED, SPACED) }.end(room, last[1])?;
            (start, is_last) = Self::behind_count::<N, F>(room, start)?;
        } else {
            [numbers[N - 2], numbers[N - 1]] = Self::known_two::<false>(machine, room, [start, last[0]], last[1], between)?;
            (start, is_last) = const { Behind::level::<N, F>(ESCAPED, SPACED) }.end(room, last[1])?;
        }
        Some((numbers, start, is_last))
    }

    /// Two numbers, of which the first stands between two places and the second ends at a third, and what stands between them.
    #[inline(always)]
    fn known_two<const SHORTEST: bool>(machine: M, room: &[u8], [start, end]: [usize; 2], second_end: usize, between: &Behind) -> Option<[Amount; 2]> {
        let lengths = [end.wrapping_sub(start), second_end.wrapping_sub(end + between.next.len())];
        if lengths.iter().any(|&length| length.wrapping_sub(1) >= KNOWN_WINDOW) {
            return None;
        }
        let (second_start, _) = between.end(room, end)?;
        let windows = [room.get(start..)?.first_chunk()?, room.get(second_start..)?.first_chunk()?];
        machine.two::<SHORTEST>(windows, lengths)
    }

    /// A level whose numbers are spelled as nearly all are, at the start of a text that is at least as long as it can be.
    #[inline(always)]
    fn common_level<const N: usize, F: Form<N>>(&self, room: &[u8]) -> Option<Seen<N>> {
        let (mut numbers, mut at) = ([Amount::ZERO; N], 0);
        let (mut first, mut second, is_last);
        // Spelled out, so that each text is compared with one that the compiler knows, and numbers become values two at a time.
        if N == 4 {
            (first, at, _) = self.number(room, at, false, &const { Behind::number::<N, F>(3, ESCAPED, SPACED) })?;
            (second, at, _) = self.number(room, at, false, &const { Behind::number::<N, F>(2, ESCAPED, SPACED) })?;
            [numbers[0], numbers[1]] = self.machine.amounts([first, second])?;
        }
        (first, at, _) = self.number(room, at, F::ORDERS.is_some(), &const { Behind::number::<N, F>(1, ESCAPED, SPACED) })?;
        if F::ORDERS.is_some() {
            (second, at, _) = self.number(room, at, true, &const { Behind::orders::<N, F>(ESCAPED, SPACED) })?;
            (at, is_last) = Self::behind_count::<N, F>(room, at)?;
        } else {
            (second, at, is_last) = self.number(room, at, false, &const { Behind::level::<N, F>(ESCAPED, SPACED) })?;
        }
        [numbers[N - 2], numbers[N - 1]] = self.machine.amounts([first, second])?;
        Some((numbers, at, is_last))
    }

    /// The number at `at`, where what stands behind it ends, and whether that is what ends a list.
    #[inline(always)]
    fn number(&self, room: &[u8], at: usize, is_shortest: bool, behind: &Behind) -> Option<(M::Value, usize, bool)> {
        let window = room.get(at..)?.first_chunk()?;
        let found = self.machine.find(window)?;
        if is_shortest && !found.is_shortest(window) {
            return None;
        }
        let at = at + found.length;
        if let Some((end, is_last)) = behind.end(room, at) {
            return Some((found.value, end, is_last));
        }
        if is_shortest {
            return None;
        }
        let exponent = Exponent::read(room.get(at..)?.first_chunk()?)?;
        if found.length + exponent.length() > self.limits.number_chars {
            return None;
        }
        let (end, is_last) = behind.end(room, at + exponent.length())?;
        Some((self.machine.raise(found, exponent)?, end, is_last))
    }

    /// Behind the last number of a level, from its count of orders on.
    #[inline(always)]
    fn behind_count<const N: usize, F: Form<N>>(text: &[u8], at: usize) -> Option<(usize, bool)> {
        let count = text.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return None;
        }
        const { Behind::level::<N, F>(ESCAPED, SPACED) }.end(text, at + count)
    }

    /// A level with a number in another spelling.
    #[inline(never)]
    fn other_level<const N: usize, F: Form<N>>(&self, rest: &'t [u8]) -> Option<Seen<N>> {
        let (mut numbers, mut at, mut is_last) = ([Amount::ZERO; N], 0, false);
        for (index, number) in numbers.iter_mut().enumerate() {
            let length;
            (*number, length) = self.any_number::<N, F>(rest.get(at..)?)?;
            let behind = const { &Self::between::<N, F>() };
            (at, is_last) = behind[index].end(rest, at + length)?;
        }
        if F::ORDERS.is_some() {
            (at, is_last) = Self::behind_count::<N, F>(rest, at)?;
        }
        Some((numbers, at, is_last))
    }

    /// What stands behind each number of a level.
    const fn between<const N: usize, F: Form<N>>() -> [Behind; N] {
        let mut all = [const { Behind { next: Literal::new(&[], false, false), last: None } }; N];
        let mut index = 0;
        while index + 1 < N {
            all[index] = Behind::number::<N, F>(N - 1 - index, ESCAPED, SPACED);
            index += 1;
        }
        all[N - 1] = if F::ORDERS.is_some() { Behind::orders::<N, F>(ESCAPED, SPACED) } else { Behind::level::<N, F>(ESCAPED, SPACED) };
        all
    }

    /// A number in any spelling, up to the bound on numbers, and its length; with a count of orders behind it in the
    /// shortest form alone: no zero at the end of a fraction.
    fn any_number<const N: usize, F: Form<N>>(&self, rest: &[u8]) -> Option<(Amount, usize)> {
        let short = Decimal::parse_short(rest);
        if F::ORDERS.is_some() {
            let (amount, decimals, length) = short?;
            return (decimals == 0 || rest[length - 1] != b'0').then_some((amount, length));
        }
        if let Some((amount, _, length)) = short
            && !matches!(rest.get(length), Some(b'e' | b'E'))
        {
            return Some((amount, length));
        }
        let number = json_number(rest)?;
        let is_within = number.len() <= self.limits.number_chars;
        Some((is_within.then(|| Decimal::parse(number).ok()).flatten()?.amount()?, number.len()))
    }
}

/// The start of the rest of a text, so long; near the end of the text zeros, in `near_end`, stand in for what is not there: nothing of a level is the byte 0.
#[inline(always)]
fn room_at<'r>(rest: &'r [u8], length: usize, near_end: &'r mut Option<[u8; ROOM]>) -> &'r [u8] {
    if let Some(room) = rest.get(..length) {
        return room;
    }
    let padded = near_end.insert([0; ROOM]);
    padded[..rest.len()].copy_from_slice(rest);
    &padded[..length]
}

/// What must stand behind a number: the text before the next one, or where a list may end what ends it.
struct Behind {
    next: Literal,
    last: Option<Literal>,
}

impl Behind {
    /// Behind a number of which so many others of its level follow; there may be fewer numbers where nobody asks.
    const fn number<const N: usize, F: Form<N>>(left: usize, escaped: bool, spaced: bool) -> Self {
        Self { next: Literal::new(&[F::BEFORE[N.saturating_sub(left)]], escaped, spaced), last: None }
    }

    /// Between the last number of a level and its count of orders, if it has one.
    const fn orders<const N: usize, F: Form<N>>(escaped: bool, spaced: bool) -> Self {
        let orders = if let Some(orders) = F::ORDERS { orders } else { "" };
        Self { next: Literal::new(&[orders], escaped, spaced), last: None }
    }

    /// Behind a level.
    const fn level<const N: usize, F: Form<N>>(escaped: bool, spaced: bool) -> Self {
        let next = Literal::new(&[F::AFTER, ",", F::BEFORE[0]], escaped, spaced);
        Self { next, last: Some(Literal::new(&[F::AFTER, "]"], escaped, spaced)) }
    }

    /// Where it ends if it stands at `at` in `text`, and whether it ends a list.
    #[inline(always)]
    fn end(&self, text: &[u8], at: usize) -> Option<(usize, bool)> {
        match (self.next.end(text, at), &self.last) {
            (Some(end), _) => Some((end, false)),
            (None, Some(last)) => Some((last.end(text, at)?, true)),
            (None, None) => None,
        }
    }
}
