//! The kept books of one lane, by market, symbol and instrument (contract, section 6).

use std::collections::HashMap;

use crate::book::{Applied, Book, BookRules, Depth, Frame, Summary};
use crate::envelope::Symbol;
use crate::market::Exchange;
use crate::rules::{PairDecimals, Rules};

/// How many levels a side a book of Binance diffs holds: what its REST interface would give.
const BINANCE_DEPTH: usize = 5_000;

/// All kept books of a lane.
#[derive(Debug, Default)]
pub(super) struct Books {
    kept: HashMap<Vec<u8>, Book>,
    key: Vec<u8>,
    checksum_text: Vec<u8>,
}

/// What a frame did to its book, and the book after it.
pub(super) struct Change {
    pub(super) applied: Applied,
    pub(super) summary: Summary,
    pub(super) is_live: bool,
}

impl Books {
    /// Applies a snapshot or a delta to the book that it belongs to.
    pub(super) fn apply(&mut self, exchange: Exchange, symbol: &Symbol, frame: &Frame, rules: &Rules) -> Change {
        self.write_key(exchange, symbol, frame);
        let book_rules = book_rules(exchange, symbol, frame, rules);
        if !self.kept.contains_key(&self.key) {
            self.kept.insert(self.key.clone(), Book::new(book_rules.depth));
        }
        let Some(book) = self.kept.get_mut(&self.key) else { unreachable!("the book was put there") };
        let applied = book.apply(frame, &book_rules, &mut self.checksum_text);
        Change { applied, summary: book.summary(), is_live: book.is_live() }
    }

    /// Neither exchange nor symbol can hold the separator; the instrument is last, and absent is not empty.
    fn write_key(&mut self, exchange: Exchange, symbol: &Symbol, frame: &Frame) {
        self.key.clear();
        self.key.push(exchange as u8);
        self.key.extend_from_slice(symbol.as_bytes());
        if let Some(instrument) = frame.instrument.get() {
            self.key.push(0);
            self.key.extend_from_slice(instrument);
        }
    }
}

fn book_rules(exchange: Exchange, symbol: &Symbol, frame: &Frame, rules: &Rules) -> BookRules {
    match exchange {
        Exchange::Kraken => BookRules {
            depth: Depth::Subscribed(rules.kraken_depth),
            can_be_live: true,
            decimals: frame.checksum.and_then(|_| pair_decimals(symbol, frame, rules)),
        },
        Exchange::Binance => BookRules { depth: Depth::Fixed(BINANCE_DEPTH), can_be_live: false, decimals: None },
        _ => BookRules { depth: Depth::Unlimited, can_be_live: true, decimals: None },
    }
}

/// The decimals of the frame's own pair, or of the symbol's pair in US dollars where the frame names none.
fn pair_decimals(symbol: &Symbol, frame: &Frame, rules: &Rules) -> Option<PairDecimals> {
    let usd_pair;
    let pair = match frame.instrument.get() {
        Some(pair) => pair,
        None => {
            usd_pair = [symbol.as_bytes(), b"/USD"].concat();
            &usd_pair
        }
    };
    rules.kraken_decimals.get(std::str::from_utf8(pair).ok()?).copied()
}
