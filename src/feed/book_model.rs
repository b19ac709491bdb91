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
    Yes,
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
        Applied::Yes
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame with prices in whole ticks; bids are given as prices, too.
    fn frame(snapshot: bool, bids: &[(i64, i64)], asks: &[(i64, i64)], seq: i64, prev: i64) -> BookFrame {
        let bids = bids.iter().map(|&(price, quantity)| (-price, quantity)).collect();
        BookFrame { snapshot, levels: [bids, asks.to_vec()], seq, prev, checksum: 0 }
    }

    fn best(book: &Book) -> (Option<i64>, Option<i64>) {
        (book.sides[BID].keys().next().map(|key| -key), book.sides[ASK].keys().next().copied())
    }

    #[test]
    fn a_record_is_that_of_the_levels_with_price_and_quantity() {
        let coin = Coin::new(Exchange::Okx, 1);
        let mut book = Book::whole(&[vec![(-6_660_922, 160_000), (0, 5)], vec![(6_661_998, 25_911_500), (6_661_000, 0)]]);
        assert_eq!(
            book.record(Exchange::Okx, &coin, 1_729_679_100_050_000),
            r#"{"region":"Asia","market":"OKX","coin_symbol":"ETH","highest_bid":66609.22,"lowest_ask":66619.98,"spread":10.76,"total_bid_volume":0.0016,"total_ask_volume":0.259115,"timestamp":"2024-10-23 10:25:00.050000+00:00"}"#
        );
        book.sides[BID].clear();
        assert!(book.record(Exchange::Okx, &coin, 0).contains(r#""highest_bid":null,"lowest_ask":66619.98,"spread":null,"total_bid_volume":0.0,"#));
    }

    #[test]
    fn after_a_gap_newer_levels_push_away_what_they_cross() {
        let (okx, coin) = (Exchange::Okx, Coin::new(Exchange::Okx, 0));
        let mut book = Book::new();
        book.apply(okx, &coin, &frame(true, &[(99, 1), (98, 1)], &[(101, 1), (102, 1), (103, 1)], 10, -1));
        assert_eq!(book.apply(okx, &coin, &frame(false, &[(99, 2)], &[], 15, 10)), Applied::Yes);
        assert!(book.live);
        assert_eq!(book.apply(okx, &coin, &frame(false, &[(99, 3)], &[], 15, 10)), Applied::Stale);
        // 17 is lost. The bid at 102 takes the asks at 101 and 102 with it, but not the one set beside it.
        assert_eq!(book.apply(okx, &coin, &frame(false, &[(102, 1)], &[(100, 4)], 20, 17)), Applied::Yes);
        assert!(!book.live);
        assert_eq!(best(&book), (Some(102), Some(100)));
        assert_eq!(book.sides[ASK].keys().copied().collect::<Vec<_>>(), [100, 103]);
        assert_eq!(book.sides[BID].len(), 3, "the bids at 99 and 98 are below the ask that was set");
        // A maintenance reset is in order, and does not heal; a snapshot does.
        assert_eq!(book.apply(okx, &coin, &frame(false, &[(98, 5)], &[], 3, 20)), Applied::Yes);
        assert!(!book.live);
        book.apply(okx, &coin, &frame(true, &[(90, 1)], &[(91, 1)], 4, -1));
        assert!(book.live);
        assert_eq!(best(&book), (Some(90), Some(91)));
    }

    #[test]
    fn kraken_is_cut_and_believed_by_its_checksum_alone() {
        let (kraken, coin) = (Exchange::Kraken, Coin::new(Exchange::Kraken, 0));
        let asks: Vec<_> = (101..112).map(|price| (price, 1)).collect();
        let mut book = Book::new();
        book.apply(kraken, &coin, &frame(false, &[], &asks, 0, 0));
        assert_eq!((book.live, book.sides[ASK].len()), (false, 10));
        let mut update = frame(false, &[(99, 7)], &[], 0, 0);
        update.checksum = crc32fast::hash(b"1011102110311041105110611071108110911101997");
        book.apply(kraken, &coin, &update);
        assert!(book.live);
        book.apply(kraken, &coin, &frame(false, &[(98, 7)], &[], 0, 0));
        assert!(!book.live);
    }
}
