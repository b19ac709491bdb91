//! What may become of a frame: the reasons of a dead letter, and the counts by exchange (contract, section 7).

use crate::market::Exchange;

/// Why a frame or an envelope became a dead letter; the text of the header `hub.reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The envelope is no object, or one of its keys is absent or of the wrong type.
    Envelope,
    /// The text is not JSON.
    Json,
    /// The bytes are not UTF-8, or an item holds an escaped lone surrogate.
    Utf8,
    /// Nested deeper than [`crate::rules::Limits::depth`].
    Depth,
    /// Longer than a bound of [`crate::rules::Limits`], or its record is longer than the brokers take.
    Size,
    /// The market or the region is unknown, or they do not belong together.
    Market,
    /// The symbol is not 1 to 32 characters of `A-Z 0-9 . _ / -`.
    Symbol,
    /// The trade price, a side or a level's key is not there.
    Missing,
    /// A number that is read is none, or is out of range.
    Number,
    /// A side has more levels than [`crate::rules::Limits::levels`].
    Levels,
    /// Neither a ticker nor a book of this exchange.
    Shape,
}

impl Reason {
    /// How many reasons there are; `reason as usize` is below it.
    pub const COUNT: usize = Self::ALL.len();

    /// All reasons.
    pub const ALL: [Self; 11] =
        [Self::Envelope, Self::Json, Self::Utf8, Self::Depth, Self::Size, Self::Market, Self::Symbol, Self::Missing, Self::Number, Self::Levels, Self::Shape];

    /// The text of the header `hub.reason`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Envelope => "envelope",
            Self::Json => "json",
            Self::Utf8 => "utf8",
            Self::Depth => "depth",
            Self::Size => "size",
            Self::Market => "market",
            Self::Symbol => "symbol",
            Self::Missing => "missing",
            Self::Number => "number",
            Self::Levels => "levels",
            Self::Shape => "shape",
        }
    }

    /// Reads [`Reason::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }

    /// The reason in a sentence, for the header `__connect.errors.exception.message`.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Envelope => "the record is not an object with the strings region, market and symbol and the array data",
            Self::Json => "the text is not JSON",
            Self::Utf8 => "the bytes are not UTF-8 text",
            Self::Depth => "the text is nested too deeply",
            Self::Size => "the text, or the record made of it, is too long",
            Self::Market => "the market is unknown, or is not traded in the envelope's region",
            Self::Symbol => "the symbol is not 1 to 32 characters of A-Z 0-9 . _ / -",
            Self::Missing => "the trade price, a side of the book or a key of a level is missing",
            Self::Number => "a number that is needed cannot be read, is negative or is out of range",
            Self::Levels => "a side of the book has too many levels",
            Self::Shape => "the text is neither a ticker nor an order book of this exchange",
        }
    }
}

/// Why a snapshot of a book is asked for; `reason` of a resync request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResyncReason {
    /// Frames before a delta are missing.
    Gap,
    /// A checksum does not fit the book.
    Checksum,
    /// The first frame of the book is a delta.
    NoSnapshot,
}

impl ResyncReason {
    /// The text in a resync request.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::Checksum => "checksum",
            Self::NoSnapshot => "no_snapshot",
        }
    }
}

/// One count for each exchange.
pub type ByExchange = [u64; Exchange::COUNT];

/// What became of the frames, counted since the start.
///
/// `frames == records + control + stale + held + rejected` for whole envelopes; a rejected envelope counts in
/// `rejected` and has no frames.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Input records taken.
    pub envelopes: u64,
    /// Items of `data` in accepted envelopes.
    pub frames: u64,
    /// Records written.
    pub records: ByExchange,
    /// Records written from a book that cannot be trusted.
    pub unverified: ByExchange,
    /// Known noise, dropped.
    pub control: ByExchange,
    /// Frames and envelopes that became dead letters.
    pub rejected: [u64; Reason::COUNT],
    /// Rejected envelopes among [`Counts::rejected`].
    pub rejected_envelopes: u64,
    /// Deltas that were not newer than the book, dropped.
    pub stale: ByExchange,
    /// Deltas before which frames are missing.
    pub gaps: ByExchange,
    /// Checksums that fit the book.
    pub checksum_matches: ByExchange,
    /// Checksums that do not fit the book.
    pub checksum_mismatches: ByExchange,
    /// Records whose best bid is not below the best ask.
    pub crossed: ByExchange,
    /// Records kept back because the book cannot be trusted (book mode `hold`).
    pub held: ByExchange,
    /// Resync requests written.
    pub resyncs: ByExchange,
    /// Frames whose event time lies before that of an earlier frame of their symbol.
    pub out_of_order: ByExchange,
    /// Frames whose record is that of the frame before of their symbol once more.
    pub duplicates: ByExchange,
    /// Frames of another exchange than the partition's.
    pub misplaced: u64,
}

impl Counts {
    /// Adds what another lane has counted.
    pub fn add(&mut self, other: &Self) {
        self.envelopes += other.envelopes;
        self.frames += other.frames;
        self.rejected_envelopes += other.rejected_envelopes;
        self.misplaced += other.misplaced;
        for (mine, theirs) in self.rejected.iter_mut().zip(other.rejected) {
            *mine += theirs;
        }
        for (mine, theirs) in self.by_exchange_mut().into_iter().zip(other.by_exchange()) {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine += theirs;
            }
        }
    }

    /// Frames that gave a record, a control count, a stale count or a held count.
    #[must_use]
    pub fn settled_frames(&self) -> u64 {
        [&self.records, &self.control, &self.stale, &self.held].into_iter().flatten().sum()
    }

    /// Dead letters: rejected frames and envelopes.
    #[must_use]
    pub fn dead_letters(&self) -> u64 {
        self.rejected.iter().sum()
    }

    /// The counts by exchange, in the order of the fields.
    #[must_use]
    pub const fn by_exchange(&self) -> [&ByExchange; 12] {
        [
            &self.records,
            &self.unverified,
            &self.control,
            &self.stale,
            &self.gaps,
            &self.checksum_matches,
            &self.checksum_mismatches,
            &self.crossed,
            &self.held,
            &self.resyncs,
            &self.out_of_order,
            &self.duplicates,
        ]
    }

    const fn by_exchange_mut(&mut self) -> [&mut ByExchange; 12] {
        [
            &mut self.records,
            &mut self.unverified,
            &mut self.control,
            &mut self.stale,
            &mut self.gaps,
            &mut self.checksum_matches,
            &mut self.checksum_mismatches,
            &mut self.crossed,
            &mut self.held,
            &mut self.resyncs,
            &mut self.out_of_order,
            &mut self.duplicates,
        ]
    }
}
