//! What a receiver knows of a book, and the record after each frame (contract, section 6).

use market_hub::market::Exchange;

use super::{Levels, Pair, Sides, Update, venue::DEPTH, wire};

/// A book as a receiver that has seen the whole log holds it.
#[derive(Debug, Default)]
pub struct Model {
    book: Sides,
    is_live: bool,
    last: u64,
}

/// The record of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub key: String,
    pub value: String,
    pub is_unverified: bool,
}

impl Model {
    pub fn apply(&mut self, exchange: Exchange, pair: Pair, update: &Update) -> Record {
        let (sequence, before) = update.sequence;
        if update.is_snapshot {
            self.book = update.changes.clone();
            self.is_live = true;
        } else {
            // Kraken numbers nothing: a checksum alone tells it.
            self.is_live &= exchange == Exchange::Kraken || self.last == before;
            let Sides { bids, asks } = &mut self.book;
            apply(bids, &update.changes.bids);
            apply(asks, &update.changes.asks);
            if !self.is_live {
                uncross(asks, &update.changes, |ask, bid| ask <= bid);
                let mirrored = Sides { bids: update.changes.asks.clone(), asks: update.changes.bids.clone() };
                uncross(bids, &mirrored, |bid, ask| bid >= ask);
            }
        }
        self.last = sequence;
        if exchange == Exchange::Kraken {
            while self.book.bids.len() > DEPTH {
                self.book.bids.pop_first();
            }
            while self.book.asks.len() > DEPTH {
                self.book.asks.pop_last();
            }
            self.is_live = checksum(&self.book) == update.checksum;
        }
        Record { key: format!("{exchange}:{}", pair.symbol), value: self.record(exchange, pair, update.number), is_unverified: !self.is_live }
    }

    fn record(&self, exchange: Exchange, pair: Pair, number: u64) -> String {
        let price = |price: i64| wire::plain(price.into(), pair.price_decimals);
        let total = |levels: &Levels| wire::plain(levels.values().map(|quantity| i128::from(*quantity)).sum(), pair.quantity_decimals);
        let (bid, ask) = (self.book.bids.keys().next_back().copied(), self.book.asks.keys().next().copied());
        let or_null = |value: Option<i64>| value.map_or_else(|| "null".to_owned(), price);
        format!(
            r#"{{"region":"{}","market":"{exchange}","coin_symbol":"{}","highest_bid":{},"lowest_ask":{},"spread":{},"total_bid_volume":{},"total_ask_volume":{},"timestamp":"{}"}}"#,
            exchange.region().as_str(),
            pair.symbol,
            or_null(bid),
            or_null(ask),
            or_null(bid.zip(ask).map(|(bid, ask)| ask - bid)),
            total(&self.book.bids),
            total(&self.book.asks),
            wire::time(number, " ", "+00:00"),
        )
    }
}

/// Removes from the asks what the bids of this frame cross, but never what the frame has set itself; with the sides changed about, the same for bids.
fn uncross(asks: &mut Levels, changes: &Sides, crosses: impl Fn(&i64, &i64) -> bool) {
    let is_crossed = |ask: &i64| changes.bids.iter().any(|(bid, quantity)| *quantity > 0 && crosses(ask, bid));
    asks.retain(|ask, _| changes.asks.contains_key(ask) || !is_crossed(ask));
}

fn apply(levels: &mut Levels, changes: &Levels) {
    for (price, quantity) in changes {
        if *quantity == 0 {
            levels.remove(price);
        } else {
            levels.insert(*price, *quantity);
        }
    }
}

/// Kraken's: digits of the best ten asks and bids, which are the whole numbers that they are kept as.
pub fn checksum(book: &Sides) -> u32 {
    let best = book.asks.iter().take(DEPTH).chain(book.bids.iter().rev().take(DEPTH));
    let text: String = best.map(|(price, quantity)| format!("{price}{quantity}")).collect();
    crc32fast::hash(text.as_bytes())
}
