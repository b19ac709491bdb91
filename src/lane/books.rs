//! The kept books of one lane, by market, symbol and instrument (contract, section 6).

use std::collections::HashMap;

use super::At;
use crate::book::{Action, Applied, Book, BookRules, Depth, Digest, Frame, Summary};
use crate::checkpoint::BooksMark;
use crate::envelope::Symbol;
use crate::market::Exchange;
use crate::rules::{PairDecimals, Rules};

/// How many levels a side a book of Binance diffs holds: what its REST interface would give.
const BINANCE_DEPTH: usize = 5_000;

/// All kept books of a lane. The state of a book is a function of the frames since its last snapshot, whatever came before.
#[derive(Debug, Default)]
pub(super) struct Books {
    kept: HashMap<Vec<u8>, Kept>,
    key: Vec<u8>,
    checksum_text: Vec<u8>,
}

#[derive(Debug)]
struct Kept {
    book: Book,
    /// The digest of the key.
    name: Digest,
    /// The offset of its last snapshot; `None` before the first, and always at Binance, whose diffs have none.
    anchor: Option<i64>,
}

/// What a frame did to its book, and the book after it.
pub(super) struct Change {
    pub(super) applied: Applied,
    pub(super) summary: Summary,
    pub(super) is_live: bool,
}

impl Books {
    /// Applies a snapshot or a delta to the book that it belongs to.
    pub(super) fn apply(&mut self, at: &At<'_>, frame: &Frame, rules: &Rules) -> Change {
        self.write_key(at.exchange, at.symbol, frame);
        let book_rules = book_rules(at.exchange, at.symbol, frame, rules);
        if !self.kept.contains_key(&self.key) {
            let kept = Kept { book: Book::new(book_rules.depth), name: Digest::of(&self.key), anchor: None };
            self.kept.insert(self.key.clone(), kept);
        }
        let Some(kept) = self.kept.get_mut(&self.key) else { unreachable!("the book was put there") };
        if frame.action == Action::Snapshot && book_rules.can_be_live {
            kept.anchor = Some(at.input.offset);
        }
        let applied = kept.book.apply(frame, &book_rules, &mut self.checksum_text);
        Change { applied, summary: kept.book.summary(), is_live: kept.book.is_live() }
    }

    /// The books that are live and rest on a snapshot; `None` if there are none.
    pub(super) fn mark(&self) -> Option<BooksMark> {
        let anchored = self.kept.values().filter(|kept| kept.book.is_live()).filter_map(|kept| Some((kept.anchor?, kept)));
        let mark = |(anchor, kept): (i64, &Kept)| BooksMark { from: anchor, count: 1, digest: kept.book.digest(kept.name).value() };
        anchored.map(mark).reduce(|a, b| BooksMark { from: a.from.min(b.from), count: a.count + b.count, digest: a.digest.wrapping_add(b.digest) })
    }

    /// Whether there are books that are kept deeper than their checksum covers.
    pub(super) fn are_deep(&self) -> bool {
        self.kept.values().any(|kept| kept.book.is_deep())
    }

    /// Neither exchange nor symbol can hold the separator; the instrument is last, and absent is not empty.
    fn write_key(&mut self, exchange: Exchange, symbol: &Symbol, frame: &Frame) {
        self.key.clear();
        self.key.push(exchange as u8);
        self.key.extend_from_slice(symbol.as_bytes());
        if let Some(instrument) = &frame.instrument {
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
            checksum_suffices: true,
        },
        Exchange::Binance => BookRules { depth: Depth::Fixed(BINANCE_DEPTH), can_be_live: false, decimals: None, checksum_suffices: false },
        _ => BookRules { depth: Depth::Unlimited, can_be_live: true, decimals: None, checksum_suffices: false },
    }
}

/// The decimals of the frame's own pair, or of the symbol's pair in US dollars where the frame names none.
fn pair_decimals(symbol: &Symbol, frame: &Frame, rules: &Rules) -> Option<PairDecimals> {
    let usd_pair;
    let pair = match &frame.instrument {
        Some(pair) => pair,
        None => {
            usd_pair = [symbol.as_bytes(), b"/USD"].concat();
            &usd_pair
        }
    };
    rules.kraken_decimals.get(std::str::from_utf8(pair).ok()?).copied()
}
