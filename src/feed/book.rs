//! A coin's order book at one exchange: what the exchange sends of it, and what a receiver must write.
//!
//! Owns the sequence numbers and the moments of snapshots, lost deltas and repeats. Whether a record is unverified is for `book_model` to say.

use super::book_model::{Applied, Book, BookFrame};
use super::book_wire::{BINANCE_DIFF, BookWire};
use super::coin::Coin;
use super::ladder::{ASK, BID, Ladders, Levels, SIDES, best, kraken_checksum, levels};
use super::rng::Rng;
use super::venue::Venue;
use super::{Expected, Moment, Options};
use crate::market::Exchange;

/// One coin's book channel.
#[derive(Clone, Debug)]
pub(super) struct BookFeed {
    exchange: Exchange,
    wire: &'static BookWire,
    depth: usize,
    changes: usize,
    venue: Venue,
    /// What the deltas sent so far, lost ones included, have shown.
    sent: Ladders,
    /// The last number used on the wire.
    seq: i64,
    /// BINANCE: the last number of a diff.
    diff_seq: i64,
    /// Deltas since the last snapshot.
    deltas: u64,
    opened: bool,
    /// The last frame where it was a delta that can come twice.
    last_delta: Option<(String, BookFrame)>,
    receiver: Book,
}

impl BookFeed {
    pub(super) fn new(exchange: Exchange, coin: Coin, options: &Options, rng: &mut Rng) -> Self {
        let wire = BookWire::of(exchange);
        let depth = options.depth.unwrap_or(wire.depth).max(1);
        let venue = Venue::new(coin, depth + depth / 4 + 5, rng);
        let seq = 1_000_000 + rng.below(100_000_000_000);
        let sent = if exchange == Exchange::Binance { venue.sides.clone() } else { best(&venue.sides, depth) };
        Self {
            exchange,
            wire,
            depth,
            changes: options.changes.unwrap_or(wire.changes).max(1),
            venue,
            sent,
            seq,
            diff_seq: seq,
            deltas: 0,
            opened: !options.opening_snapshot,
            last_delta: None,
            receiver: Book::new(),
        }
    }

    pub(super) const fn coin(&self) -> &Coin {
        &self.venue.coin
    }

    pub(super) const fn seq(&self) -> i64 {
        self.seq
    }

    /// The next frame, and what must come out of it. Where `lose` is set and deltas are sent, one is lost before it, and `lose` cleared.
    pub(super) fn next(&mut self, options: &Options, lose: &mut bool, moment: Moment, rng: &mut Rng) -> (String, Expected) {
        if self.exchange == Exchange::Binance && rng.below(100) < options.diff_percent.into() {
            return self.delta(&BINANCE_DIFF, moment, rng);
        }
        if self.wire.words.is_none() {
            return self.whole(moment, rng);
        }
        if !self.opened || (options.snapshot_every > 0 && self.deltas >= options.snapshot_every) {
            return self.snapshot(moment, rng);
        }
        if std::mem::take(lose) {
            _ = self.advance(self.wire, rng);
        }
        self.delta(self.wire, moment, rng)
    }

    /// The last delta once more, where the receiver must drop it.
    pub(super) fn repeat(&mut self) -> Option<(String, Expected)> {
        let (text, frame) = self.last_delta.clone()?;
        let applied = self.receiver.apply(self.exchange, &self.venue.coin, &frame);
        debug_assert_eq!(applied, Applied::Stale, "a repeated delta is not newer");
        Some((text, Expected::Stale))
    }

    /// A well-formed next frame, from which a poisoned one is made: nothing counts it as sent.
    pub(super) fn draft(&self, moment: Moment) -> String {
        let mut levels = levels(&best(&self.venue.sides, self.depth));
        if self.wire.words.is_some() {
            levels[ASK].truncate(1);
            levels[BID].clear();
        }
        self.text(self.wire, &BookFrame { levels, seq: self.seq + 1, prev: self.seq, ..BookFrame::default() }, None, moment)
    }

    /// How a draft is spoiled: no number, no side.
    pub(super) const fn spoilers(&self) -> [(&'static str, &'static str); 2] {
        [self.wire.bad_price, self.wire.no_side]
    }

    fn whole(&mut self, moment: Moment, rng: &mut Rng) -> (String, Expected) {
        if !rng.one_in(4) {
            self.venue.step(self.changes, rng);
            self.seq += 1 + rng.below(20);
        }
        let mut levels = levels(&best(&self.venue.sides, self.depth));
        let side = rng.index(2);
        match rng.below(512) {
            // A stopped pair.
            0 => levels = Levels::default(),
            1 => levels[side].clear(),
            // Fewer orders than the window has room for.
            2..=20 => levels[side].truncate(1 + rng.index(self.depth)),
            // Bithumb rounds a very small quantity to zero and leaves it in the list.
            21..=60 if self.exchange == Exchange::Bithumb => levels[side][0].1 = 0,
            _ => {}
        }
        let text = self.text(self.wire, &BookFrame { levels: levels.clone(), seq: self.seq, ..BookFrame::default() }, None, moment);
        (text, self.record(&Book::whole(&levels), self.wire, moment))
    }

    fn snapshot(&mut self, moment: Moment, rng: &mut Rng) -> (String, Expected) {
        self.venue.step(self.changes, rng);
        self.sent = best(&self.venue.sides, self.depth);
        // BYBIT: number 1, after a restart of its service, is a snapshot whatever else the frame says.
        let restart = self.exchange == Exchange::Bybit && self.opened && rng.one_in(4);
        self.seq = if restart { 1 } else { self.seq + 1 };
        let word = usize::from(restart && rng.one_in(2));
        let frame = BookFrame { snapshot: true, levels: levels(&self.sent), seq: self.seq, prev: -1, checksum: self.checksum() };
        (self.opened, self.deltas, self.last_delta) = (true, 0, None);
        let text = self.text(self.wire, &frame, Some(word), moment);
        _ = self.receiver.apply(self.exchange, &self.venue.coin, &frame);
        (text, self.record(&self.receiver, self.wire, moment))
    }

    fn delta(&mut self, wire: &'static BookWire, moment: Moment, rng: &mut Rng) -> (String, Expected) {
        let frame = self.advance(wire, rng);
        let text = self.text(wire, &frame, Some(1), moment);
        let applied = self.receiver.apply(self.exchange, &self.venue.coin, &frame);
        let expected = match applied {
            Applied::Yes => {
                debug_assert!(!self.receiver.live || self.receiver.sides == self.sent || self.blind(), "a live book is the exchange's");
                self.record(&self.receiver, wire, moment)
            }
            // OKX: where the gap hid a reset, all that follows looks old until the numbers, or a snapshot, catch up.
            Applied::Stale => Expected::Stale,
        };
        self.last_delta = (self.exchange != Exchange::Kraken).then_some((text.clone(), frame));
        (text, expected)
    }

    /// KRAKEN: whether deltas can be lost without a trace, because the checksum sees ten levels only, or is not used.
    fn blind(&self) -> bool {
        self.exchange == Exchange::Kraken && (self.depth > 10 || !self.venue.coin.checksummed)
    }

    /// The exchange's next delta, sent or lost.
    fn advance(&mut self, wire: &BookWire, rng: &mut Rng) -> BookFrame {
        self.deltas += 1;
        let kraken = self.exchange == Exchange::Kraken;
        let depth = if wire.words.is_none() { usize::MAX } else { self.depth };
        let mut changed = Levels::default();
        for _ in 0..100 {
            self.venue.step(self.changes, rng);
            let now = best(&self.venue.sides, depth);
            changed = self.venue.changes(&self.sent, &now, kraken);
            self.sent = now;
            if changed.iter().any(|side| !side.is_empty()) {
                break;
            }
        }
        if kraken {
            SIDES.into_iter().for_each(|side| rng.shuffle(&mut changed[side]));
            self.stutter(&mut changed, rng);
        }
        let before = self.seq;
        // BINANCE: its diffs are counted on from diff to diff, whatever depth20 has shown in between.
        let prev = if self.exchange == Exchange::Binance { self.diff_seq } else { before };
        self.seq = match self.exchange {
            // Maintenance: the numbers start again below.
            Exchange::Okx if before > 100_000 && rng.one_in(400) => before / 2,
            Exchange::Okx | Exchange::Binance => before + 1 + rng.below(40),
            _ => before + 1,
        };
        self.diff_seq = self.seq;
        BookFrame { snapshot: false, levels: changed, seq: self.seq, prev, checksum: self.checksum() }
    }

    /// Kraken tells a price several times in one frame now and then; in order, the last counts.
    fn stutter(&self, changed: &mut Levels, rng: &mut Rng) {
        let side = &mut changed[rng.index(2)];
        if !side.is_empty() && rng.one_in(8) {
            let (key, _) = side[rng.index(side.len())];
            let first = (key, self.venue.coin.quantity(rng));
            side.insert(0, first);
        }
    }

    fn checksum(&self) -> u32 {
        // For a pair whose decimals nobody here knows any number will do.
        if self.exchange == Exchange::Kraken { kraken_checksum(&self.sent, &self.venue.coin).unwrap_or(7) } else { 0 }
    }

    fn text(&self, wire: &BookWire, frame: &BookFrame, word: Option<usize>, moment: Moment) -> String {
        wire.write(&self.venue.coin, &frame.levels, moment.times, |name, out| match name {
            "type" => out.push_str(wire.words.map_or("", |words| words[word.unwrap_or(1)])),
            "seq" => out.push_str(&frame.seq.to_string()),
            "prev" => out.push_str(&frame.prev.to_string()),
            "first" => out.push_str(&(frame.prev + 1).to_string()),
            "depth" => out.push_str(&self.depth.to_string()),
            "checksum" => out.push_str(&frame.checksum.to_string()),
            _ => {}
        })
    }

    fn record(&self, book: &Book, wire: &BookWire, moment: Moment) -> Expected {
        let event_us = moment.times.event_us(wire.time, moment.input_ms);
        let value = book.record(self.exchange, &self.venue.coin, event_us);
        Expected::record(self.exchange, &self.venue.coin.symbol, event_us / 1_000, !book.live, value)
    }
}
