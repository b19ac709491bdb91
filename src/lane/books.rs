//! The kept books of one lane, by market, symbol and instrument (contract, section 6).

use std::collections::HashMap;

use super::At;
use crate::book::{Action, Applied, Book, BookRules, Depth, Digest, Frame, Summary};
use crate::checkpoint::BooksMark;
use crate::envelope::Symbol;
use crate::market::Exchange;
use crate::outcome::ResyncReason;
use crate::rules::{PairDecimals, Rules};

/// How many levels a side a book of Binance diffs holds: what its REST interface would give.
const BINANCE_DEPTH: usize = 5_000;

/// All kept books of a lane. The state of a book is a function of its frames since its last snapshot, or since it began empty.
#[derive(Debug, Default)]
pub(super) struct Books {
    kept: HashMap<Vec<u8>, Kept>,
    /// Whether books may be lost that were kept deeper than their checksum covers. Nothing tells which, or how deep, so that at no
    /// book without a snapshot a checksum suffices any more.
    lost_deep: bool,
    key: Vec<u8>,
    checksum_text: Vec<u8>,
}

#[derive(Debug)]
struct Kept {
    book: Book,
    /// The digest of the key.
    name: Digest,
    /// The offset of its last snapshot, or of the delta that it began with.
    since: i64,
    has_snapshot: bool,
    /// Whether a checksum could be held against it.
    is_checked: bool,
    /// Whether a restart may have lost it, so that nobody has asked for its snapshot yet.
    is_lost: bool,
}

impl Kept {
    /// Whether later frames may give a record that shows no doubt without a snapshot: it is live, or a checksum can make it so.
    const fn matters(&self) -> bool {
        self.book.is_live() || (self.is_checked && self.book.lives_by_checksum())
    }

    /// Whether it comes back when the frames since [`Kept::since`] are read again. Where deep books may be lost, not by checksums.
    const fn comes_back(&self, deep: bool) -> bool {
        if deep { self.has_snapshot && self.book.is_live() } else { self.matters() }
    }
}

/// What a frame did to its book, and the book after it.
pub(super) struct Change {
    pub(super) applied: Applied,
    pub(super) summary: Summary,
    pub(super) is_live: bool,
    /// Why its snapshot must be asked for: it has become unverified just now.
    pub(super) doubt: Option<ResyncReason>,
}

impl Books {
    /// Applies a snapshot or a delta to the book that it belongs to.
    pub(super) fn apply(&mut self, at: &At<'_>, frame: &Frame, rules: &Rules) -> Change {
        self.write_key(at.exchange, at.symbol, frame);
        let mut book_rules = book_rules(at.exchange, at.symbol, frame, rules);
        let is_new = !self.kept.contains_key(&self.key);
        if is_new {
            let kept = Kept {
                book: Book::new(book_rules.depth),
                name: Digest::of(&self.key),
                since: at.input.offset,
                has_snapshot: false,
                is_checked: false,
                is_lost: false,
            };
            self.kept.insert(self.key.clone(), kept);
        }
        let Some(kept) = self.kept.get_mut(&self.key) else { unreachable!("the book was put there") };
        let was_live = book_rules.can_be_live && (kept.book.is_live() || frame.action == Action::Snapshot);
        if frame.action == Action::Snapshot && book_rules.can_be_live {
            (kept.since, kept.has_snapshot) = (at.input.offset, true);
        }
        book_rules.checksum_suffices &= !self.lost_deep || kept.has_snapshot;
        let applied = kept.book.apply(frame, &book_rules, &mut self.checksum_text);
        kept.is_checked |= matches!(applied, Applied::Changed { checksum: Some(_), .. });
        let is_live = kept.book.is_live();
        let doubt = match applied {
            Applied::Changed { .. } if !book_rules.can_be_live => None,
            Applied::Changed { gap: true, .. } if was_live && !is_live => Some(ResyncReason::Gap),
            Applied::Changed { .. } if was_live && !is_live => Some(ResyncReason::Checksum),
            Applied::Changed { .. } if is_new && frame.action == Action::Delta => Some(ResyncReason::NoSnapshot),
            Applied::Changed { .. } if kept.is_lost && !is_live => Some(ResyncReason::NoSnapshot),
            Applied::Changed { .. } | Applied::Stale => None,
        };
        kept.is_lost &= doubt.is_none() && !is_live;
        Change { applied, summary: kept.book.summary(), is_live, doubt }
    }

    /// The books that must come back at a restart, where [`Books::are_deep`] says `deep`; `None` if there are none.
    pub(super) fn mark(&self, deep: bool) -> Option<BooksMark> {
        let mark = |kept: &Kept| BooksMark { from: kept.since, count: 1, digest: kept.book.digest(kept.name).value() };
        let marks = self.kept.values().filter(|kept| kept.comes_back(deep)).map(mark);
        marks.reduce(|a, b| BooksMark { from: a.from.min(b.from), count: a.count + b.count, digest: a.digest.wrapping_add(b.digest) })
    }

    /// Whether there are books that are kept deeper than their checksum covers, or such books may be lost.
    pub(super) fn are_deep(&self) -> bool {
        self.lost_deep || self.kept.values().any(|kept| kept.book.is_deep())
    }

    /// How many books are live.
    pub(super) fn live(&self) -> usize {
        self.kept.values().filter(|kept| kept.book.is_live()).count()
    }

    /// A replay that began in the middle is over: whether a book that no snapshot made live was live before is not known.
    pub(super) fn doubt_unverified(&mut self) {
        self.kept.values_mut().for_each(|kept| kept.is_lost = !kept.has_snapshot && !kept.book.is_live());
    }

    /// Forgets all books; `lost_deep` tells whether deep ones may be lost. Once known that does not change, for nothing tells later that
    /// all of them are back.
    pub(super) fn forget(&mut self, lost_deep: bool) {
        self.lost_deep = lost_deep;
        self.kept.clear();
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
