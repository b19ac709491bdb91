//! What a receiver must hold and write after each book frame: sections 6 and 9 of the contract, on plain ordered maps.
//!
//! The second model that the product's books are compared with. It is told what a frame means, not its text.

use super::clock;
use super::coin::Coin;
use super::ladder::{ASK, BID, Ladders, Levels, SIDES, crosses, cut, kraken_checksum, opposite};
use super::number::Number;
use crate::market::Exchange;

/// What a book frame means.
#[derive(Clone, Debug, Default)]
pub(super) struct BookFrame {
    /// It replaces the book.
    pub(super) snapshot: bool,
    /// In the order of the frame.
    pub(super) levels: Levels,
    /// OKX `seqId`, BYBIT `u`, BINANCE diff `u`.
    pub(super) seq: i64,
    /// OKX `prevSeqId`.
    pub(super) prev: i64,
    /// KRAKEN.
    pub(super) checksum: u32,
}

/// What a frame did to a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Applied {
    /// A record is due.
    Yes { unverified: bool },
    /// Not newer than what is there: dropped.
    Stale,
}

/// One kept book.
#[derive(Clone, Debug)]
pub(super) struct Book {
    pub(super) sides: Ladders,
    pub(super) live: bool,
    last: Option<i64>,
    /// KRAKEN.
    depth: usize,
}

impl Book {
    pub(super) fn new() -> Self {
        Self { sides: Ladders::default(), live: false, last: None, depth: 10 }
    }

    /// The book of a frame that is a whole book: there is nothing to doubt about it.
    pub(super) fn whole(levels: &Levels) -> Self {
        let mut book = Self { live: true, ..Self::new() };
        SIDES.into_iter().for_each(|side| book.sides[side].extend(levels[side].iter().copied()));
        book
    }

    /// Applies a frame of a delta exchange.
    pub(super) fn apply(&mut self, exchange: Exchange, coin: &Coin, frame: &BookFrame) -> Applied {
        if frame.snapshot {
            self.sides = Ladders::default();
            self.live = true;
        } else {
            match self.sequence(exchange, frame) {
                Sequence::Stale => return Applied::Stale,
                Sequence::Gap => self.live = false,
                Sequence::Next => {}
            }
        }
        self.last = Some(frame.seq);
        let named = SIDES.map(|side| frame.levels[side].iter().copied().collect::<std::collections::BTreeMap<_, _>>());
        for side in SIDES {
            for (&key, &quantity) in &named[side] {
                _ = if quantity == 0 { self.sides[side].remove(&key) } else { self.sides[side].insert(key, quantity) };
            }
        }
        if !self.live {
            for side in SIDES {
                for (&set, _) in named[side].iter().filter(|&(_, &quantity)| quantity > 0) {
                    let other = opposite(side);
                    self.sides[other].retain(|&key, _| !crosses(set, key) || named[other].contains_key(&key));
                }
            }
        }
        if exchange == Exchange::Kraken {
            self.check(coin, frame);
        }
        Applied::Yes { unverified: !self.live }
    }

    fn sequence(&self, exchange: Exchange, frame: &BookFrame) -> Sequence {
        let newer = self.last.is_none_or(|last| frame.seq > last);
        let next = match exchange {
            Exchange::Okx => self.last == Some(frame.prev),
            Exchange::Bybit => self.last == Some(frame.seq - 1),
            Exchange::Kraken => return Sequence::Next,
            _ => false,
        };
        let reset = exchange == Exchange::Okx && next && frame.seq < frame.prev;
        match (newer || reset, next) {
            (false, _) => Sequence::Stale,
            (true, false) => Sequence::Gap,
            (true, true) => Sequence::Next,
        }
    }

    /// KRAKEN: cuts the book to its depth, then compares checksums.
    fn check(&mut self, coin: &Coin, frame: &BookFrame) {
        if frame.snapshot {
            let longer = SIDES.map(|side| self.sides[side].len()).into_iter().max().unwrap_or(0);
            self.depth = [10, 25, 100, 500].into_iter().find(|&depth| longer <= depth).unwrap_or(1_000);
        }
        cut(&mut self.sides, self.depth);
        match kraken_checksum(&self.sides, coin) {
            Some(own) if own != frame.checksum => self.live = false,
            Some(_) if self.depth == 10 => self.live = true,
            _ => {}
        }
    }

    /// The order-book record of section 6.
    pub(super) fn record(&self, exchange: Exchange, coin: &Coin, event_us: i64) -> String {
        let held = SIDES.map(|side| self.sides[side].iter().filter(|&(&key, &quantity)| key != 0 && quantity > 0));
        let [bids, asks] = held;
        let price = |units: i64| Number::new(units.into(), coin.price_scale).plain();
        let highest_bid = bids.clone().map(|(key, _)| -key).max();
        let lowest_ask = asks.clone().map(|(&key, _)| key).min();
        let spread = highest_bid.zip(lowest_ask).map(|(bid, ask)| ask - bid);
        let total = [bids, asks].map(|side| Number::new(side.map(|(_, &quantity)| i128::from(quantity)).sum(), coin.quantity_scale).plain());
        let or_null = |value: Option<i64>| value.map_or_else(|| "null".to_owned(), price);
        format!(
            r#"{{"region":"{}","market":"{exchange}","coin_symbol":"{}","highest_bid":{},"lowest_ask":{},"spread":{},"total_bid_volume":{},"total_ask_volume":{},"timestamp":"{}"}}"#,
            exchange.region().as_str(),
            coin.symbol,
            or_null(highest_bid),
            or_null(lowest_ask),
            or_null(spread),
            total[BID],
            total[ASK],
            clock::utc(event_us)
        )
    }
}

/// How a delta stands to the frames before it.
enum Sequence {
    Next,
    Gap,
    Stale,
}
