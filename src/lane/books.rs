//! The kept books of one lane, by market, symbol and instrument (contract, section 6).

use std::collections::HashMap;

use super::At;
use super::kept::{Change, Kept};
use crate::book::{BookRules, Depth, Frame, Texts};
use crate::checkpoint::BooksMark;
use crate::envelope::Symbol;
use crate::market::Exchange;
use crate::rules::{PairDecimals, Rules};

/// How many levels a side a book of Binance diffs holds: what its REST interface would give.
const BINANCE_DEPTH: usize = 5_000;

/// How the books of a lane stand. Those of Binance diffs, which are never live, do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BooksStatus {
    /// How many are live.
    pub live: usize,
    /// How many are unverified.
    pub unverified: usize,
    /// When the one that has been unverified for longest became so: the timestamp of the input record, or where that has none the
    /// frame's event time. In milliseconds.
    pub oldest_unverified_ms: Option<i64>,
}

/// All kept books of a lane. The state of a book is a function of its frames since its last snapshot, or since it began empty.
#[derive(Debug, Default)]
pub(super) struct Books {
    kept: Vec<Kept>,
    /// The place of the last frame's book in `kept`: that of the next one is mostly the same.
    last: usize,
    /// The places in `kept` by key.
    places: HashMap<Box<[u8]>, usize>,
    /// Whether books may be lost that were kept deeper than their checksum covers. Nothing tells which, or how deep, so that at no
    /// book without a snapshot a checksum suffices any more.
    lost_deep: bool,
    key: Vec<u8>,
    checksum_texts: Texts,
}

impl Books {
    /// Applies a snapshot or a delta to the book that it belongs to.
    pub(super) fn apply(&mut self, at: &At<'_>, frame: &Frame, rules: &Rules) -> Change {
        if !self.kept.get(self.last).is_some_and(|kept| kept.is_of(at, frame)) {
            self.last = self.place(at, frame, rules);
        }
        self.kept[self.last].apply(at, frame, self.lost_deep, &mut self.checksum_texts)
    }

    /// Where the frame's book is; a new one where there is none.
    fn place(&mut self, at: &At<'_>, frame: &Frame, rules: &Rules) -> usize {
        self.write_key(at.exchange, at.symbol, frame);
        if let Some(place) = self.places.get(self.key.as_slice()) {
            return *place;
        }
        self.kept.push(Kept::new(&self.key, book_rules(at.exchange, at.symbol, frame, rules), at, frame));
        self.places.insert(self.key.as_slice().into(), self.kept.len() - 1);
        self.kept.len() - 1
    }

    /// The books that must come back at a restart, where [`Books::are_deep`] says `deep`; `None` if there are none.
    pub(super) fn mark(&self, deep: bool) -> Option<BooksMark> {
        let mark = |kept: &Kept| BooksMark { from: kept.since(), count: 1, digest: kept.digest() };
        let marks = self.kept.iter().filter(|kept| kept.comes_back(deep)).map(mark);
        marks.reduce(|a, b| BooksMark { from: a.from.min(b.from), count: a.count + b.count, digest: a.digest.wrapping_add(b.digest) })
    }

    /// Whether there are books that are kept deeper than their checksum covers, or such books may be lost.
    pub(super) fn are_deep(&self) -> bool {
        self.lost_deep || self.kept.iter().any(Kept::is_deep)
    }

    /// A replay that began in the middle is over: whether a book that no snapshot made live was live before is not known.
    pub(super) fn doubt_unverified(&mut self) {
        self.kept.iter_mut().for_each(Kept::doubt_unverified);
    }

    pub(super) fn status(&self) -> BooksStatus {
        self.kept.iter().filter(|kept| kept.can_be_live()).fold(BooksStatus::default(), |status, kept| {
            let Some(since_ms) = kept.unverified_since_ms() else { return BooksStatus { live: status.live + 1, ..status } };
            let oldest = status.oldest_unverified_ms.map_or(since_ms, |oldest| oldest.min(since_ms));
            BooksStatus { unverified: status.unverified + 1, oldest_unverified_ms: Some(oldest), ..status }
        })
    }

    /// Forgets all books; `lost_deep` tells whether deep ones may be lost. Once known that does not change, for nothing tells later that
    /// all of them are back.
    pub(super) fn forget(&mut self, lost_deep: bool) {
        self.lost_deep = lost_deep;
        self.kept.clear();
        self.places.clear();
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
            decimals: pair_decimals(symbol, frame, rules),
            checksum_suffices: true,
        },
        Exchange::Binance => BookRules { depth: Depth::Fixed(BINANCE_DEPTH), can_be_live: false, decimals: None, checksum_suffices: false },
        _ => BookRules { depth: Depth::Unlimited, can_be_live: true, decimals: None, checksum_suffices: false },
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
