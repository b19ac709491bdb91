//! What the core may be told: bounds on its input, how it is read, how books are kept, decimals of Kraken's pairs.
//!
//! Plain values with the contract's defaults; reading and checking what a user typed is the job of `config`.

use std::collections::BTreeMap;

/// Everything that changes what the core writes for a given input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Bounds on what is read.
    pub limits: Limits,
    /// Whether order books are scanned before they are read.
    pub scanner: Scanner,
    /// How books of delta exchanges are kept.
    pub book_mode: BookMode,
    /// Which time an order-book record carries.
    pub book_time: BookTime,
    /// Whether a snapshot is asked for when a book can no longer be trusted.
    pub resync: bool,
    /// How many levels a side a Kraken book holds until a snapshot says more; `1..=1000`.
    pub kraken_depth: usize,
    /// Decimals of Kraken's pairs, by pair (`BTC/USD`), as its checksum needs them.
    pub kraken_decimals: BTreeMap<String, PairDecimals>,
    /// How far, in milliseconds, an event time may lie after its input record's timestamp and still become the Kafka timestamp.
    pub future_max_ms: i64,
}

impl Default for Rules {
    fn default() -> Self {
        let pairs = [("BTC/USD", 1, 8), ("ETH/USD", 2, 8), ("XRP/USD", 5, 8), ("ALGO/USD", 5, 8), ("USDG/USD", 4, 5), ("MATIC/USD", 4, 8)];
        Self {
            limits: Limits::default(),
            scanner: Scanner::On,
            book_mode: BookMode::Maintained,
            book_time: BookTime::Event,
            resync: false,
            kraken_depth: 10,
            kraken_decimals: pairs.into_iter().map(|(pair, price, quantity)| (pair.to_owned(), PairDecimals { price, quantity })).collect(),
            future_max_ms: 3_600_000,
        }
    }
}

/// Bounds of contract section 2. Beyond one of them a frame, or the whole envelope, is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an envelope.
    pub envelope_bytes: usize,
    /// Bytes of a frame, unescaped.
    pub frame_bytes: usize,
    /// Nesting depth of a frame, and of an envelope around its frames; the outermost value has depth 1.
    pub depth: usize,
    /// Levels on one side of one frame.
    pub levels: usize,
    /// Characters of a number that is read, without quotes.
    pub number_chars: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { envelope_bytes: 8 << 20, frame_bytes: 1 << 20, depth: 32, levels: 5_000, number_chars: 64 }
    }
}

/// How order-book frames are read. Changes nothing in what comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanner {
    /// By the scanner where it knows the frame, which is nearly always, else by the general reader. With AVX2 and AVX-512 where the machine has them.
    On,
    /// As [`Scanner::On`], with what every machine has.
    Portable,
    /// By the general reader.
    Off,
}

/// How books of delta exchanges are kept (contract, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookMode {
    /// A book is kept; records from one that cannot be trusted say so in a header.
    Maintained,
    /// No book is kept: each frame is read as if it were the whole book.
    Frame,
    /// As [`BookMode::Maintained`], but a book that cannot be trusted writes no records.
    Hold,
}

/// Which time an order-book record carries (contract, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookTime {
    /// The exchange's own time of the frame.
    Event,
    /// The moment of processing.
    Wall,
}

/// How many decimals the exchange gives a pair's prices and quantities; each `0..=18`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it all")]
pub struct PairDecimals {
    pub price: u8,
    pub quantity: u8,
}
