//! What a caller may ask of a feed.

/// How frames are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// As the exchange sends them.
    Raw,
    /// As the Python collector writes them again: spaces, numbers through a float, tickers cut to flat columns.
    Collector,
}

/// What a feed is made of. An `_every` counts the feed's frames, of all coins together; 0 is never.
#[derive(Clone, Debug)]
pub struct Options {
    /// How frames are spelled.
    pub spelling: Spelling,
    /// How many coins take turns, one an envelope; `1..`. BTC, ETH and XRP come first.
    pub symbols: usize,
    /// Levels a side of a whole book or snapshot; the exchange's own number where `None`. Kraken knows 10, 25, 100, 500 and 1000.
    pub depth: Option<usize>,
    /// About how many levels a side change from frame to frame; `1..`, the exchange's own habit where `None`.
    pub changes: Option<usize>,
    /// After so many deltas of a coin comes a snapshot; 0 is never again.
    pub snapshot_every: u64,
    /// Whether the books of delta exchanges open with a snapshot, as they do not at Kraken behind the collector.
    pub opening_snapshot: bool,
    /// How many of 100 Binance book frames are of its diff channel; `0..=100`.
    pub diff_percent: u8,
    /// A delta is lost on the way (OKX, Bybit, Kraken books).
    pub gap_every: u64,
    /// The last delta comes twice (OKX, Bybit, Binance diffs).
    pub stale_every: u64,
    /// Control noise.
    pub control_every: u64,
    /// A frame that must be rejected.
    pub poison_every: u64,
    /// A ticker that lacks a column.
    pub sparse_every: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            spelling: Spelling::Collector,
            symbols: 3,
            depth: None,
            changes: None,
            snapshot_every: 500,
            opening_snapshot: true,
            diff_percent: 0,
            gap_every: 0,
            stale_every: 0,
            control_every: 0,
            poison_every: 0,
            sparse_every: 0,
        }
    }
}
