//! What is measured: seeded envelopes in the collector's spelling, with what must come out of them. Never a clock, never the core.
//!
//! A set of less than some megabytes is memorised by the branch predictor, and then measures something else.

use crate::feed::{Expected, Feed, Options};
use crate::market::{Exchange, Kind, Stream};

/// The timestamp before that of the first envelope.
const BEGIN_MS: i64 = 1_790_000_000_000;
/// Between envelopes.
const STEP_MS: i64 = 200;

/// One kind of frame, as reports name it and as the feed is asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// As reports and tables spell it.
    pub name: &'static str,
    /// Whose frames.
    pub exchange: Exchange,
    /// Of what.
    pub kind: Kind,
    /// Levels a side of a whole book or snapshot; the exchange's own number where `None`.
    pub depth: Option<usize>,
    /// About how many levels a side a frame touches; the exchange's own habit where `None`.
    pub changes: Option<usize>,
    /// Coins that take turns, one an envelope; `1..`.
    pub symbols: usize,
    /// Frames an envelope; `1..`.
    pub frames: usize,
    /// Envelopes without the opening.
    pub envelopes: usize,
}

/// The six kinds of order book that the tables of instructions and comparisons are about, about 4 MB each.
pub const BOOKS: [Sample; 6] = [
    Sample { depth: Some(15), ..Sample::book("upbit-15-units", Exchange::Upbit, 118) },
    Sample::book("binance-depth20", Exchange::Binance, 132),
    Sample::book("gate-100-levels", Exchange::Gateio, 34),
    Sample { changes: Some(9), ..Sample::book("okx-delta", Exchange::Okx, 183) },
    Sample { changes: Some(6), ..Sample::book("kraken-delta", Exchange::Kraken, 360) },
    Sample { changes: Some(38), ..Sample::book("bybit-50-levels", Exchange::Bybit, 144) },
];

impl Sample {
    const fn book(name: &'static str, exchange: Exchange, envelopes: usize) -> Self {
        Self { name, exchange, kind: Kind::Orderbook, depth: None, changes: None, symbols: 3, frames: 20, envelopes }
    }

    /// All nine exchanges, tickers first; order books as in [`BOOKS`] where they are there. `envelopes` is for those that are not.
    #[must_use]
    pub fn all(envelopes: usize) -> Vec<Self> {
        const NAMES: [&str; Exchange::COUNT] = ["upbit", "bithumb", "coinone", "korbit", "okx", "bybit", "gateio", "binance", "kraken"];
        let usual = |kind: Kind| {
            let of = move |exchange: Exchange| Self { kind, ..Self::book(NAMES[exchange as usize], exchange, envelopes) };
            Exchange::ALL.map(|exchange| BOOKS.into_iter().find(|book| book.exchange == exchange && kind == Kind::Orderbook).unwrap_or_else(|| of(exchange)))
        };
        Kind::ALL.into_iter().flat_map(usual).collect()
    }

    /// The stream of the lane that it belongs to; the partition is the exchange's.
    #[must_use]
    pub const fn stream(&self) -> Stream {
        Stream { region: self.exchange.region(), kind: self.kind }
    }
}

/// One input record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Its key.
    pub key: String,
    /// Its Kafka timestamp.
    pub timestamp_ms: i64,
    /// Its text.
    pub value: Vec<u8>,
}

/// The input of one kind, and its outcomes frame by frame.
#[derive(Clone, Debug)]
pub struct Data {
    /// One frame a coin: the snapshots with which the books of delta exchanges begin. Every pass starts with them, and does not count them.
    pub opening: Vec<Envelope>,
    /// What is measured.
    pub envelopes: Vec<Envelope>,
    /// Of the opening and the envelopes together.
    pub expected: Vec<Expected>,
}

impl Data {
    /// All envelopes of a sample.
    #[must_use]
    pub fn new(sample: &Sample) -> Self {
        Self::up_to(sample, usize::MAX)
    }

    /// As many envelopes of a sample as make about `bytes`, at least one.
    #[must_use]
    pub fn up_to(sample: &Sample, bytes: usize) -> Self {
        Self::beginning_at(sample, bytes, BEGIN_MS)
    }

    /// As [`Data::up_to`], with timestamps from `begin_ms` on.
    #[must_use]
    pub fn beginning_at(sample: &Sample, bytes: usize, begin_ms: i64) -> Self {
        let options = Options { symbols: sample.symbols, depth: sample.depth, changes: sample.changes, snapshot_every: 0, ..Options::default() };
        let mut feed = Feed::new(2026, sample.exchange, sample.kind, options);
        let mut expected = Vec::new();
        let mut timestamp_ms = begin_ms;
        let mut next = |frames| {
            timestamp_ms += STEP_MS;
            let mut value = Vec::new();
            feed.next_envelope(frames, timestamp_ms, &mut value, &mut expected);
            Envelope { key: feed.key().to_owned(), timestamp_ms, value }
        };
        let opening: Vec<_> = (0..sample.symbols).map(|_| next(1)).collect();
        let mut envelopes = Vec::new();
        let mut made = 0;
        while envelopes.len() < sample.envelopes && (made < bytes || envelopes.is_empty()) {
            let envelope = next(sample.frames);
            made += envelope.value.len();
            envelopes.push(envelope);
        }
        Self { opening, envelopes, expected }
    }

    /// Frames without the opening.
    #[must_use]
    pub const fn frames(&self) -> usize {
        self.expected.len() - self.opening.len()
    }

    /// Levels in all frames without the opening, where each is a list that begins with a text, as at most exchanges, or an object of both sides.
    #[must_use]
    pub fn levels(&self) -> usize {
        let count = |value: &[u8]| {
            let lists = value.windows(3).filter(|bytes| bytes == b"[\\\"").count();
            lists + 2 * value.windows(9).filter(|bytes| bytes == b"ask_price").count()
        };
        self.envelopes.iter().map(|envelope| count(&envelope.value)).sum()
    }

    /// Bytes of the envelopes without the opening.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.envelopes.iter().map(|envelope| envelope.value.len()).sum()
    }
}
