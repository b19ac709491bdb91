//! The sides of a book as the exchanges write them, read into levels: one loop for all, tables for what differs
//! (contract, sections 6 and 9).

use std::borrow::Cow;

use crate::book::{Frame, Level, OddSpelling};
use crate::decimal::{Amount, Decimal, SHORT_CHARS_MAX};
use crate::json::{Cursor, Token, unescape};
use crate::outcome::Reason;
use crate::rules::Limits;

/// How an exchange writes one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// `["64024.7","2.36206603",...]`: price, quantity, and what is ignored.
    Pair,
    /// As [`Layout::Pair`]; the texts are kept, for the checksum.
    PairAsSpelled,
    /// `{"price":..,"qty":..}`; the second of the quantity's names counts where the first is not there.
    Object(&'static [&'static str; 3]),
}

/// A price and a quantity in the same object: ask price, ask quantity, bid price, bid quantity.
pub(super) type UnitKeys = [&'static str; 4];

/// Two sides that are there, as arrays not yet looked into.
pub(super) struct Sides<'t> {
    bids: &'t str,
    asks: &'t str,
}

impl<'t> Sides<'t> {
    /// # Errors
    /// [`Reason::Shape`] if neither side is there, [`Reason::Missing`] if one is absent or `null`, [`Reason::Shape`]
    /// if one is no array.
    pub(super) fn of(bids: &'t Token<'_>, asks: &'t Token<'_>) -> Result<Self, Reason> {
        if !bids.is_there() && !asks.is_there() {
            return Err(Reason::Shape);
        }
        if !bids.is_value() || !asks.is_value() {
            return Err(Reason::Missing);
        }
        match (bids, asks) {
            (Token::List(bids), Token::List(asks)) => Ok(Self { bids, asks }),
            _ => Err(Reason::Shape),
        }
    }

    /// Reads the levels into `frame`.
    ///
    /// # Errors
    /// The first that holds of [`Reason::Levels`], [`Reason::Shape`], [`Reason::Missing`] and [`Reason::Number`].
    pub(super) fn read(&self, layout: Layout, limits: &Limits, frame: &mut Frame) -> Result<(), Reason> {
        let bids = Reader::new(self.bids, limits).side(layout, &mut frame.bids, &mut frame.odd_bids);
        let asks = Reader::new(self.asks, limits).side(layout, &mut frame.asks, &mut frame.odd_asks);
        first_of(bids, asks)
    }
}

/// Reads one array whose elements hold a level of either side into `frame`.
///
/// # Errors
/// [`Reason::Shape`] if there is no array, [`Reason::Missing`] if there is `null`, else as [`Sides::read`].
pub(super) fn read_units(units: &Token<'_>, keys: &UnitKeys, limits: &Limits, frame: &mut Frame) -> Result<(), Reason> {
    match units {
        Token::List(units) => Reader::new(units, limits).units(keys, frame),
        Token::Null => Err(Reason::Missing),
        _ => Err(Reason::Shape),
    }
}

/// Of two results, the fault that the contract names first.
fn first_of(one: Result<(), Reason>, other: Result<(), Reason>) -> Result<(), Reason> {
    match (one, other) {
        (Err(one), Err(other)) => Err(if rank(one) <= rank(other) { one } else { other }),
        (Ok(()), result) | (result, Ok(())) => result,
    }
}

/// As [`Decimal::parse_short`], and `None` too where the number is not spelled in the shortest form.
#[inline]
fn parse_shortest(text: &[u8]) -> Option<(Amount, u8, usize)> {
    Decimal::parse_short(text).filter(|&(_, decimals, length)| decimals == 0 || text[length - 1] != b'0')
}

/// The order in which the faults of levels are told.
const fn rank(reason: Reason) -> u8 {
    match reason {
        Reason::Levels => 0,
        Reason::Shape => 1,
        Reason::Missing => 2,
        _ => 3,
    }
}

/// A price or quantity as it stands in the frame: not there, no number at all, or text to be read as one.
#[derive(Default)]
enum Field<'t> {
    #[default]
    Absent,
    NotANumber,
    Text(Cow<'t, [u8]>),
}

/// Walks over the elements of a side. The text has passed the guard: a syntax error cannot come.
struct Reader<'t> {
    cursor: Cursor<'t>,
    limits: &'t Limits,
    fault: Result<(), Reason>,
}

impl<'t> Reader<'t> {
    const fn new(text: &'t str, limits: &'t Limits) -> Self {
        Self { cursor: Cursor::new(text.as_bytes()), limits, fault: Ok(()) }
    }

    fn side(mut self, layout: Layout, levels: &mut Vec<Level>, odd: &mut Vec<(usize, OddSpelling)>) -> Result<(), Reason> {
        let is_short = self.limits.number_chars >= SHORT_CHARS_MAX;
        self.elements(|reader| {
            if is_short && reader.short_level(layout, levels) {
                return Ok(());
            }
            let [price, quantity] = match layout {
                Layout::Pair | Layout::PairAsSpelled => reader.pair()?,
                Layout::Object(keys) => {
                    let [price, quantity, other] = reader.object(keys)?;
                    [price, if matches!(quantity, Field::Absent) { other } else { quantity }]
                }
            };
            reader.push(&price, &quantity, levels);
            if layout == Layout::PairAsSpelled
                && let (Field::Text(price), Field::Text(quantity)) = (&price, &quantity)
                && let Some(spelling) = OddSpelling::of(price, quantity)
            {
                // After a fault the place may be wrong, but then nobody asks.
                odd.push((levels.len().saturating_sub(1), spelling));
            }
            Ok(())
        })
    }

    fn units(mut self, keys: &UnitKeys, frame: &mut Frame) -> Result<(), Reason> {
        let is_short = self.limits.number_chars >= SHORT_CHARS_MAX;
        self.elements(|reader| {
            if is_short && let Some([ask_price, ask_quantity, bid_price, bid_quantity]) = reader.short_object(keys) {
                frame.asks.push(Level { price: ask_price.0, quantity: ask_quantity.0 });
                frame.bids.push(Level { price: bid_price.0, quantity: bid_quantity.0 });
                return Ok(());
            }
            let [ask_price, ask_quantity, bid_price, bid_quantity] = reader.object(keys)?;
            reader.push(&ask_price, &ask_quantity, &mut frame.asks);
            reader.push(&bid_price, &bid_quantity, &mut frame.bids);
            Ok(())
        })
    }

    /// Reads a level as nearly all are written: two numbers in the common spelling, nothing escaped, no key twice.
    /// Otherwise nothing is taken, and the long way is gone.
    #[inline]
    fn short_level(&mut self, layout: Layout, levels: &mut Vec<Level>) -> bool {
        let start = self.cursor.at();
        let numbers = match layout {
            Layout::Pair => self.short_pair(Decimal::parse_short),
            Layout::PairAsSpelled => self.short_pair(parse_shortest),
            Layout::Object([price, quantity, _]) => self.short_object(&[*price, *quantity]),
        };
        let Some([price, quantity]) = numbers else {
            self.cursor.rewind(start);
            return false;
        };
        levels.push(Level { price: price.0, quantity: quantity.0 });
        true
    }

    #[inline]
    fn short_pair(&mut self, parse: impl Fn(&[u8]) -> Option<(Amount, u8, usize)>) -> Option<[(Amount, u8); 2]> {
        let cursor = &mut self.cursor;
        cursor.take(b'[').then_some(())?;
        let price = cursor.take_short_number(&parse)?;
        cursor.take(b',').then_some(())?;
        let quantity = cursor.take_short_number(parse)?;
        while !cursor.take(b']') {
            cursor.expect(b',').and_then(|()| cursor.skip_checked()).ok()?;
        }
        Some([price, quantity])
    }

    /// Exactly these keys, in any order. Where it is not so, the cursor is where it was.
    #[inline]
    fn short_object<const N: usize>(&mut self, keys: &[&str; N]) -> Option<[(Amount, u8); N]> {
        let start = self.cursor.at();
        let numbers = self.short_members(keys);
        if numbers.is_none() {
            self.cursor.rewind(start);
        }
        numbers
    }

    #[inline]
    fn short_members<const N: usize>(&mut self, keys: &[&str; N]) -> Option<[(Amount, u8); N]> {
        let cursor = &mut self.cursor;
        cursor.take(b'{').then_some(())?;
        let mut found = [None; N];
        for member in 0..N {
            if member > 0 {
                cursor.take(b',').then_some(())?;
            }
            let key = cursor.key().ok()?;
            let place = keys.iter().position(|known| known.as_bytes() == key)?;
            found[place] = Some(cursor.take_short_number(Decimal::parse_short)?);
        }
        cursor.take(b'}').then_some(())?;
        // As many members as keys: if each is there, none is there twice.
        if found.contains(&None) {
            return None;
        }
        Some(found.map(Option::unwrap_or_default))
    }

    /// Calls `read` before each element, up to the bound; notes the faults.
    fn elements(&mut self, mut read: impl FnMut(&mut Self) -> Result<(), Reason>) -> Result<(), Reason> {
        self.cursor.expect(b'[')?;
        let mut count = 0;
        while self.cursor.next_member(count == 0, b']')? {
            count += 1;
            if count > self.limits.levels {
                return Err(Reason::Levels);
            }
            read(self)?;
        }
        self.fault
    }

    /// The first two elements of an array; two absent fields, and a noted fault, where there is something else.
    fn pair(&mut self) -> Result<[Field<'t>; 2], Reason> {
        let mut fields = [Field::Absent, Field::Absent];
        if self.cursor.peek() != Some(b'[') {
            return self.wrong_type(fields);
        }
        self.cursor.expect(b'[')?;
        let mut count = 0;
        while self.cursor.next_member(count == 0, b']')? {
            match fields.get_mut(count) {
                Some(field) => *field = self.field()?,
                None => drop(self.cursor.skip(usize::MAX)?),
            }
            count += 1;
        }
        if count < fields.len() {
            self.note(Reason::Shape);
        }
        Ok(fields)
    }

    /// The values of `keys` in an object; absent fields, and a noted fault, where there is something else.
    fn object<const N: usize>(&mut self, keys: &[&str; N]) -> Result<[Field<'t>; N], Reason> {
        let mut fields = std::array::from_fn(|_| Field::Absent);
        if self.cursor.peek() != Some(b'{') {
            return self.wrong_type(fields);
        }
        self.cursor.expect(b'{')?;
        let mut first = true;
        while self.cursor.next_member(first, b'}')? {
            first = false;
            let key = self.cursor.key()?;
            let place = |key: &[u8]| keys.iter().position(|known| known.as_bytes() == key);
            match place(key).or_else(|| key.contains(&b'\\').then(|| place(&unescape(key).bytes)).flatten()) {
                Some(at) => fields[at] = self.field()?,
                None => drop(self.cursor.skip(usize::MAX)?),
            }
        }
        Ok(fields)
    }

    fn wrong_type<const N: usize>(&mut self, fields: [Field<'t>; N]) -> Result<[Field<'t>; N], Reason> {
        self.note(Reason::Shape);
        self.cursor.skip(usize::MAX)?;
        Ok(fields)
    }

    fn field(&mut self) -> Result<Field<'t>, Reason> {
        let value = self.cursor.skip(usize::MAX)?;
        let text = self.cursor.slice(value.start, value.end);
        Ok(match text {
            [b'"', inner @ .., b'"'] => Field::Text(unescape(inner).bytes),
            [b'-' | b'0'..=b'9', ..] => Field::Text(Cow::Borrowed(text)),
            _ => Field::NotANumber,
        })
    }

    fn push(&mut self, price: &Field<'_>, quantity: &Field<'_>, levels: &mut Vec<Level>) {
        match (self.amount(price), self.amount(quantity)) {
            (Ok(price), Ok(quantity)) => levels.push(Level { price, quantity }),
            (price, quantity) => {
                for reason in [price.err(), quantity.err()].into_iter().flatten() {
                    self.note(reason);
                }
            }
        }
    }

    fn amount(&self, field: &Field<'_>) -> Result<Amount, Reason> {
        match field {
            Field::Absent => Err(Reason::Missing),
            Field::Text(text) if text.len() <= self.limits.number_chars => Decimal::parse(text).ok().and_then(Decimal::amount).ok_or(Reason::Number),
            Field::Text(_) | Field::NotANumber => Err(Reason::Number),
        }
    }

    fn note(&mut self, reason: Reason) {
        self.fault = first_of(self.fault, Err(reason));
    }
}
