//! Frames of the nine exchanges, decoded: one file an exchange, the one match that chooses it, and the noise that all
//! have in common.
//!
//! To add a tenth: its row in [`crate::market`], a file beside the others, and an arm in [`read_ticker`] and
//! [`read_book`]. Exchange files never import each other.

mod binance;
mod bithumb;
mod bybit;
mod coinone;
mod gateio;
mod korbit;
mod kraken;
mod levels;
mod okx;
mod tickers;
mod upbit;

pub use tickers::TimedTicker;

use serde::Deserialize;

use crate::book::Frame;
use crate::decimal::Decimal;
use crate::json::{self, Cursor, Token, unescape};
use crate::market::Exchange;
use crate::outcome::Reason;
use crate::rules::Limits;

/// The key of a ticker column that an exchange does not have.
const ABSENT: &Token<'static> = &Token::Absent;

/// Keys that may stand alone in what the collector leaves of an acknowledgement.
const TIME_KEYS: [&str; 5] = ["E", "ts", "time", "time_ms", "timestamp"];

/// What a frame turned out to be, unless it is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded<T> {
    /// Known noise (contract, section 7.2).
    Control,
    /// A ticker or a book.
    Data(T),
}

/// Reads a frame of a ticker topic. `text` is no longer than the bound on frames.
///
/// # Errors
/// The reason for which the frame is rejected (contract, sections 4 and 9).
pub fn read_ticker(exchange: Exchange, text: &str, limits: &Limits) -> Result<Decoded<TimedTicker>, Reason> {
    let decoded = match exchange {
        Exchange::Upbit => tickers::read::<upbit::Layout>(text, limits),
        Exchange::Bithumb => tickers::read::<bithumb::Layout>(text, limits),
        Exchange::Coinone => tickers::read::<coinone::Layout>(text, limits),
        Exchange::Korbit => tickers::read::<korbit::Layout>(text, limits),
        Exchange::Okx => tickers::read::<okx::Layout>(text, limits),
        Exchange::Bybit => tickers::read::<bybit::Layout>(text, limits),
        Exchange::Gateio => tickers::read::<gateio::Layout>(text, limits),
        Exchange::Binance => tickers::read::<binance::Layout>(text, limits),
        Exchange::Kraken => tickers::read::<kraken::Layout>(text, limits),
    };
    if decoded == Err(Reason::Shape) && (is_noise(text) || has_only_times(text)) { Ok(Decoded::Control) } else { decoded }
}

/// Reads a frame of an order-book topic into `frame`, which is cleared first.
///
/// # Errors
/// The reason for which the frame is rejected (contract, section 9).
pub fn read_book(exchange: Exchange, text: &str, limits: &Limits, frame: &mut Frame) -> Result<Decoded<()>, Reason> {
    frame.clear();
    let decoded = match exchange {
        Exchange::Upbit => upbit::read_book(text, limits, frame),
        Exchange::Bithumb => bithumb::read_book(text, limits, frame),
        Exchange::Coinone => coinone::read_book(text, limits, frame),
        Exchange::Korbit => korbit::read_book(text, limits, frame),
        Exchange::Okx => okx::read_book(text, limits, frame),
        Exchange::Bybit => bybit::read_book(text, limits, frame),
        Exchange::Gateio => gateio::read_book(text, limits, frame),
        Exchange::Binance => binance::read_book(text, limits, frame),
        Exchange::Kraken => kraken::read_book(text, limits, frame),
    };
    if decoded == Err(Reason::Shape) && is_noise(text) { Ok(Decoded::Control) } else { decoded }
}

/// The object in `token`, or the first element of an array there; an empty one where there is none.
fn part<'a, T: Deserialize<'a> + Default>(token: &'a Token<'_>) -> Result<T, Reason> {
    token.object().map_or_else(|| Ok(T::default()), json::read_part)
}

/// A sequence id or a checksum: a 64-bit integer by value, quoted or bare; `None` where there is none.
fn integer(token: &Token<'_>, chars_max: usize) -> Result<Option<i64>, Reason> {
    match token {
        Token::Absent | Token::Null => Ok(None),
        Token::Number(text) | Token::Text(text) if text.len() <= chars_max => {
            Decimal::parse(text).ok().and_then(Decimal::integer).map(Some).ok_or(Reason::Number)
        }
        _ => Err(Reason::Number),
    }
}

/// What is traded, where the exchange says so.
fn instrument(token: &Token<'_>) -> Option<Vec<u8>> {
    token.text().map(<[u8]>::to_vec)
}

/// `{}` and `{"processed":"skip"}`, which any exchange may have. Called for what is JSON, but neither ticker nor book.
fn is_noise(text: &str) -> bool {
    members(text).is_some_and(|members| match members.as_slice() {
        [] => true,
        [(key, value)] => key == b"processed" && value.is_text("skip"),
        _ => false,
    })
}

/// A time, and nothing else: what the collector leaves of a frame without wanted columns.
fn has_only_times(text: &str) -> bool {
    members(text).is_some_and(|members| members.iter().all(|(key, _)| TIME_KEYS.iter().any(|time| time.as_bytes() == key)))
}

/// The members of an object, if it has no more than there are time keys; of equal keys the last.
fn members(text: &str) -> Option<Vec<(Vec<u8>, Token<'_>)>> {
    let mut cursor = Cursor::new(text.as_bytes());
    cursor.expect(b'{').ok()?;
    let mut members: Vec<(Vec<u8>, Token<'_>)> = Vec::new();
    let mut first = true;
    while cursor.next_member(first, b'}').ok()? {
        first = false;
        let key = unescape(cursor.key().ok()?).bytes.into_owned();
        let value = cursor.skip(usize::MAX).ok()?;
        let value = Token::of(text.get(value.start..value.end)?.into());
        members.retain(|(known, _)| *known != key);
        members.push((key, value));
        if members.len() > TIME_KEYS.len() {
            return None;
        }
    }
    Some(members)
}
