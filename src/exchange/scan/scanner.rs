//! A position in a frame that is spelled in one of four ways. Every method goes behind what it reads; `None` means that
//! something else stands there, and the frame is none of the scanner's.

use super::ends::Ends as _;
use super::layout::{Found, Member, Shape, Value};
use super::levels::{Bare, Orders, Pair, Quoted, Unit};
use super::literal::{Fixed, Literal};
use super::machine::Machine;
use crate::book::{Action, Frame, Level};
use crate::decimal::{Amount, NUMBER_WINDOW, number_length, number_window, parse_whole};
use crate::event_time::EventTime;
use crate::json::{Cursor, first_of};
use crate::rules::Limits;

/// See the module. `ESCAPED`: quotes have a backslash before them, and there is no other escape. `SPACED`: one space
/// stands behind every comma and colon between values, otherwise none.
pub(super) struct Scanner<'t, const ESCAPED: bool, const SPACED: bool, M: Machine> {
    pub(super) text: &'t [u8],
    pub(super) at: usize,
    pub(super) limits: &'t Limits,
    pub(super) machine: M,
    pub(super) ends: M::Ends,
}

impl<'t, const ESCAPED: bool, const SPACED: bool, M: Machine> Scanner<'t, ESCAPED, SPACED, M> {
    pub(super) fn new(text: &'t [u8], limits: &'t Limits, machine: M) -> Self {
        Self { text, at: 0, limits, machine, ends: machine.ends() }
    }

    /// Reads the whole text from its beginning.
    pub(super) fn frame(&mut self, members: &[Member], frame: &mut Frame) -> Option<Found<'t>> {
        let mut found = Found::default();
        self.at = 0;
        self.ends.rewind();
        self.object(members, &mut found, frame)?;
        (self.at == self.text.len()).then_some(found)
    }

    /// An object with at least one of these members, in their order, and no other.
    fn object(&mut self, members: &[Member], found: &mut Found<'t>, frame: &mut Frame) -> Option<()> {
        let mut members = members.iter();
        self.expect(&const { Literal::new(&["{\""], ESCAPED, SPACED) })?;
        loop {
            // What was passed by does not come again: no key can be there twice.
            let member = members.find(|member| self.take_fixed(&member.key))?;
            self.value(&member.value, found, frame)?;
            if !self.take(&const { Literal::new(&[",\""], ESCAPED, SPACED) }) {
                return self.expect(&const { Literal::new(&["}"], ESCAPED, SPACED) });
            }
        }
    }

    #[inline]
    fn value(&mut self, value: &Value, found: &mut Found<'t>, frame: &mut Frame) -> Option<()> {
        match value {
            Value::Text => _ = self.string()?,
            Value::Number => self.skip_number()?,
            Value::True => self.expect(&const { Literal::new(&["true"], ESCAPED, SPACED) })?,
            Value::Word(word) => self.take_fixed(word).then_some(())?,
            Value::Action(delta) => {
                let is_snapshot = self.take(&const { Literal::new(&["\"snapshot\""], ESCAPED, SPACED) });
                found.action = Some(if is_snapshot { Action::Snapshot } else { self.take_fixed(delta).then_some(Action::Delta)? });
            }
            Value::Instrument => found.instrument = Some(self.string()?),
            Value::Time(place) => found.times[*place] = self.time()?,
            Value::Clock => found.times[0] = Some(EventTime::of_rfc3339(self.string().filter(|text| text.len() <= self.limits.number_chars)?)?),
            Value::Id => found.id = Some(self.integer()?),
            Value::Previous => found.previous = Some(self.integer()?),
            Value::Checksum => found.checksum = Some(self.integer()?),
            Value::Bids(shape) => {
                found.bids = true;
                self.side(*shape, &mut frame.bids)?;
            }
            Value::Asks(shape) => {
                found.asks = true;
                self.side(*shape, &mut frame.asks)?;
            }
            Value::Units => {
                (found.bids, found.asks) = (true, true);
                self.units(frame)?;
            }
            Value::Object(members) => self.object(members, found, frame)?,
            Value::Only(members) => {
                self.expect(&const { Literal::new(&["["], ESCAPED, SPACED) })?;
                self.object(members, found, frame)?;
                self.expect(&const { Literal::new(&["]"], ESCAPED, SPACED) })?;
            }
        }
        Some(())
    }

    fn side(&mut self, shape: Shape, levels: &mut Vec<Level>) -> Option<()> {
        let push = |[price, quantity]: [Amount; 2]| levels.push(Level { price, quantity });
        match shape {
            Shape::Pair => M::levels::<ESCAPED, SPACED, 2, Pair>(self, push),
            Shape::Orders => M::levels::<ESCAPED, SPACED, 2, Orders>(self, push),
            Shape::Quoted => M::levels::<ESCAPED, SPACED, 2, Quoted>(self, push),
            Shape::Bare => M::levels::<ESCAPED, SPACED, 2, Bare>(self, push),
        }
    }

    fn units(&mut self, frame: &mut Frame) -> Option<()> {
        M::levels::<ESCAPED, SPACED, 4, Unit>(self, |[ask_price, bid_price, ask_quantity, bid_quantity]| {
            frame.asks.push(Level { price: ask_price, quantity: ask_quantity });
            frame.bids.push(Level { price: bid_price, quantity: bid_quantity });
        })
    }

    #[inline(always)]
    pub(super) fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    #[inline(always)]
    pub(super) fn take(&mut self, literal: &Literal) -> bool {
        let end = literal.end(self.text, self.at);
        self.at = end.unwrap_or(self.at);
        end.is_some()
    }

    #[inline(always)]
    pub(super) fn expect(&mut self, literal: &Literal) -> Option<()> {
        self.at = literal.end(self.text, self.at)?;
        Some(())
    }

    #[inline(always)]
    fn take_fixed(&mut self, fixed: &Fixed) -> bool {
        let end = fixed.end::<ESCAPED, SPACED>(self.text, self.at);
        self.at = end.unwrap_or(self.at);
        end.is_some()
    }

    /// A string in which nothing is escaped.
    fn string(&mut self) -> Option<&'t [u8]> {
        let quote = const { Literal::new(&["\""], ESCAPED, SPACED) };
        self.expect(&quote)?;
        let rest = self.rest();
        // A quote of an escaped text has a backslash before it.
        let length = first_of(if ESCAPED { b'\\' } else { b'"' }, b'\\', rest)?;
        self.at += length;
        self.expect(&quote)?;
        Some(&rest[..length])
    }

    /// A bare number, which is not read.
    fn skip_number(&mut self) -> Option<()> {
        let rest = self.rest();
        self.at += match number_length(number_window(rest, &mut [0; NUMBER_WINDOW])) {
            Some(length) if !matches!(rest.get(length), Some(b'e' | b'E')) => length,
            _ => json_number(rest)?.len(),
        };
        Some(())
    }

    #[inline]
    fn whole(&mut self) -> Option<u64> {
        let (value, length) = parse_whole(self.rest())?;
        self.at += length;
        Some(value)
    }

    /// A bare integer.
    fn integer(&mut self) -> Option<i64> {
        let is_negative = self.rest().first() == Some(&b'-');
        self.at += usize::from(is_negative);
        let size = self.whole()?.cast_signed();
        Some(if is_negative { -size } else { size })
    }

    fn time(&mut self) -> Option<Option<EventTime>> {
        let quote = const { Literal::new(&["\""], ESCAPED, SPACED) };
        let is_quoted = self.take(&quote);
        let time = EventTime::of_whole(self.whole()?.into());
        if is_quoted {
            self.expect(&quote)?;
        }
        Some(time)
    }
}

/// The number at the start of `text`, as JSON spells any.
pub(super) fn json_number(text: &[u8]) -> Option<&[u8]> {
    if !matches!(text.first(), Some(b'-' | b'0'..=b'9')) {
        return None;
    }
    let mut cursor = Cursor::new(text);
    let number = cursor.skip(0).ok()?;
    text.get(..number.end)
}
