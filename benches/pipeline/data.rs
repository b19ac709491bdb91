//! The six kinds of frame that are measured: seeded, in the collector's spelling, about 4 MB each, with what must come out of them.
//!
//! A smaller set is memorised by the branch predictor, and then measures something else.

use market_hub::feed::{Expected, Feed, Options};
use market_hub::market::{Exchange, Kind};

/// Frames an envelope.
const FRAMES: usize = 20;
/// Coins that take turns.
const COINS: usize = 3;

/// One kind of frame, as the report names it and as the feed is asked for it.
pub struct Row {
    pub name: &'static str,
    pub exchange: Exchange,
    /// Levels a side of a whole book or snapshot; the exchange's own number where `None`.
    depth: Option<usize>,
    /// About how many levels a side a frame touches; the exchange's own habit where `None`.
    changes: Option<usize>,
    /// Envelopes without the opening: as many as make 4 MB.
    envelopes: usize,
}

impl Row {
    /// Frames without the opening.
    pub const fn frames(&self) -> usize {
        self.envelopes * FRAMES
    }
}

/// All six, in the order of the report.
pub const ROWS: [Row; 6] = [
    Row { name: "upbit-15-units", exchange: Exchange::Upbit, depth: Some(15), changes: None, envelopes: 118 },
    Row { name: "binance-depth20", exchange: Exchange::Binance, depth: None, changes: None, envelopes: 132 },
    Row { name: "gate-100-levels", exchange: Exchange::Gateio, depth: None, changes: None, envelopes: 34 },
    Row { name: "okx-delta", exchange: Exchange::Okx, depth: None, changes: Some(9), envelopes: 183 },
    Row { name: "kraken-delta", exchange: Exchange::Kraken, depth: None, changes: Some(6), envelopes: 360 },
    Row { name: "bybit-50-levels", exchange: Exchange::Bybit, depth: None, changes: Some(38), envelopes: 144 },
];

/// One input record.
pub struct Envelope {
    pub key: String,
    pub timestamp_ms: i64,
    pub value: Vec<u8>,
}

/// The input of one kind, and its outcomes frame by frame.
pub struct Data {
    /// One frame a coin: the snapshots with which the books of delta exchanges begin. Every pass starts with them, and does not count them.
    pub opening: Vec<Envelope>,
    /// What is measured.
    pub envelopes: Vec<Envelope>,
    /// Of the opening and the envelopes together.
    pub expected: Vec<Expected>,
}

impl Data {
    pub fn new(row: &Row) -> Self {
        let options = Options { symbols: COINS, depth: row.depth, changes: row.changes, snapshot_every: 0, ..Options::default() };
        let mut feed = Feed::new(2026, row.exchange, Kind::Orderbook, options);
        let mut expected = Vec::new();
        let mut timestamp_ms = 1_790_000_000_000;
        let mut next = |frames| {
            timestamp_ms += 200;
            let mut value = Vec::new();
            feed.next_envelope(frames, timestamp_ms, &mut value, &mut expected);
            Envelope { key: feed.key().to_owned(), timestamp_ms, value }
        };
        let opening: Vec<_> = (0..COINS).map(|_| next(1)).collect();
        let envelopes = (0..row.envelopes).map(|_| next(FRAMES)).collect();
        Self { opening, envelopes, expected }
    }
}
