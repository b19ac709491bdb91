//! The figures of a ticker: which columns an exchange sends, how they are read, and what is computed from them
//! (contract, sections 4 and 9).

use crate::decimal::{Decimal, Rate};
use crate::json::Token;
use crate::outcome::Reason;

/// The columns of one ticker, each as its exchange names it; [`Token::Absent`] where it has none.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names are those of the contract's table")]
pub struct Columns<'w> {
    pub opening: &'w Token<'w>,
    pub trade: &'w Token<'w>,
    pub max: &'w Token<'w>,
    pub min: &'w Token<'w>,
    pub prev_closing: &'w Token<'w>,
    pub volume: &'w Token<'w>,
    pub change: &'w Token<'w>,
    pub rate: &'w Token<'w>,
}

/// The columns of one ticker, read. `None` is a column that is absent, `null` or `""`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the contract's table")]
pub struct Numbers {
    pub opening: Option<Decimal>,
    pub trade: Decimal,
    pub max: Option<Decimal>,
    pub min: Option<Decimal>,
    pub prev_closing: Option<Decimal>,
    pub volume: Option<Decimal>,
    pub change: Option<Decimal>,
    pub rate: Option<Decimal>,
}

/// What a ticker record tells; `None` is written `null`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the record")]
pub struct Ticker {
    pub opening_price: Option<Decimal>,
    pub trade_price: Decimal,
    pub max_price: Option<Decimal>,
    pub min_price: Option<Decimal>,
    pub prev_closing_price: Option<Decimal>,
    pub acc_trade_volume_24h: Option<Decimal>,
    pub signed_change_price: Option<Decimal>,
    pub signed_change_rate: Option<Rate>,
}

impl Columns<'_> {
    /// Whether the key of any column is there, whatever its value.
    #[must_use]
    pub fn any(&self) -> bool {
        self.all().into_iter().any(Token::is_there)
    }

    /// Reads all columns.
    ///
    /// # Errors
    /// In this order: [`Reason::Number`] for a trade price that is no number, [`Reason::Missing`] for one that is
    /// absent, zero or negative, [`Reason::Number`] for any other column that is no number.
    pub fn read(&self, chars_max: usize) -> Result<Numbers, Reason> {
        let number = |token: &Token<'_>| token.with_scalar(|token| optional_number(token, chars_max));
        Ok(Numbers {
            trade: number(self.trade)?.filter(|price| price.is_positive()).ok_or(Reason::Missing)?,
            opening: number(self.opening)?,
            max: number(self.max)?,
            min: number(self.min)?,
            prev_closing: number(self.prev_closing)?,
            volume: number(self.volume)?,
            change: number(self.change)?,
            rate: number(self.rate)?,
        })
    }

    const fn all(&self) -> [&Token<'_>; 8] {
        [self.trade, self.opening, self.max, self.min, self.prev_closing, self.volume, self.change, self.rate]
    }
}

impl Numbers {
    /// The ticker with the figures as they were sent and the given change and rate.
    #[must_use]
    pub const fn with_change(self, change: Option<Decimal>, rate: Option<Rate>) -> Ticker {
        Ticker {
            opening_price: self.opening,
            trade_price: self.trade,
            max_price: self.max,
            min_price: self.min,
            prev_closing_price: self.prev_closing,
            acc_trade_volume_24h: self.volume,
            signed_change_price: change,
            signed_change_rate: rate,
        }
    }

    /// `trade - base`; `None` where there is no base.
    #[must_use]
    pub fn change_from(&self, base: Option<Decimal>) -> Option<Decimal> {
        base.map(|base| self.trade.minus(base))
    }
}

/// `change / base`; `None` where either is missing or the base is zero.
#[must_use]
pub fn rate_of(change: Option<Decimal>, base: Option<Decimal>) -> Option<Rate> {
    Rate::of(change?, base?)
}

/// A number, bare or quoted; `None` for an absent one, `null` and `""`.
fn optional_number(token: &Token<'_>, chars_max: usize) -> Result<Option<Decimal>, Reason> {
    match token {
        Token::Absent | Token::Null => Ok(None),
        Token::Text(text) if text.is_empty() => Ok(None),
        Token::Number(text) | Token::Text(text) if text.len() <= chars_max => Decimal::parse(text).map(Some).map_err(|_| Reason::Number),
        _ => Err(Reason::Number),
    }
}
