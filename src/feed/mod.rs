//! Made-up frames of all nine exchanges, as the collector writes them into envelopes, together with what the contract promises for them.
//!
//! ```text
//! rng ─▶ venue (the exchange's book) ─▶ book ─▶ book_wire ──▶ text ─▶ collector ─▶ envelope
//!        ticker (a walking price)   ────┬─────▶ ticker_wire ─┘
//!                                       └─▶ book_model, ticker_model ─▶ Expected
//! ```
//!
//! The same seed and the same calls give the same bytes on every machine. The two models are a second reading of the contract: integers and
//! ordered maps, plain and slow. They share nothing with the product but the names in [`crate::market`], and must keep it so, or comparing the
//! two would prove nothing. No recorded frame is in here.

mod book;
mod book_model;
mod book_wire;
mod clock;
mod coin;
mod collector;
mod ladder;
mod number;
mod options;
mod rng;
mod scenario;
mod template;
mod ticker;
mod ticker_model;
mod ticker_wire;
mod venue;

pub use options::{Options, Spelling};

use crate::market::{Exchange, Kind};
use book::BookFeed;
use book_wire::Times;
use coin::Coin;
use rng::Rng;
use ticker::Ticker;

/// What must come out of one frame, in default configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A record.
    Record {
        /// Its Kafka key.
        key: String,
        /// Its Kafka timestamp.
        timestamp_ms: i64,
        /// Whether it carries the header `book-state: unverified`.
        unverified: bool,
        /// Its text.
        value: String,
    },
    /// Nothing: known noise.
    Control,
    /// Nothing: a delta that is not newer than the book.
    Stale,
    /// A dead letter, with the envelope's key.
    DeadLetter {
        /// Header `hub.reason`.
        reason: &'static str,
        /// Header `hub.frame`.
        frame: usize,
        /// The frame's own text.
        value: String,
    },
}

impl Expected {
    fn record(exchange: Exchange, symbol: &str, timestamp_ms: i64, unverified: bool, value: String) -> Self {
        Self::Record { key: format!("{exchange}:{symbol}"), timestamp_ms, unverified, value }
    }
}

/// The times of one frame.
#[derive(Clone, Copy, Debug)]
struct Moment {
    times: Times,
    /// The timestamp of the input record that carries it.
    input_ms: i64,
}

/// One coin's channel.
#[derive(Clone, Debug)]
enum Channel {
    Ticker(Ticker),
    Book(Box<BookFeed>),
}

impl Channel {
    const fn coin(&self) -> &Coin {
        match self {
            Self::Ticker(ticker) => &ticker.coin,
            Self::Book(book) => book.coin(),
        }
    }
}

/// The frames of one exchange and kind: what one input partition carries.
#[derive(Clone, Debug)]
pub struct Feed {
    exchange: Exchange,
    kind: Kind,
    options: Options,
    rng: Rng,
    channels: Vec<Channel>,
    /// The channel of the last envelope or frame.
    turn: usize,
    /// Frames made so far.
    frames: u64,
    /// Where [`Feed::frame`] has got to.
    clock_ms: i64,
    /// Whether a lost or repeated delta is due at the next chance.
    gap_due: bool,
    stale_due: bool,
    market: &'static str,
    key: String,
}

impl Feed {
    /// The feed of `seed`; feeds of other exchanges and kinds walk other ways.
    #[must_use]
    pub fn new(seed: u64, exchange: Exchange, kind: Kind, options: Options) -> Self {
        let mut rng = Rng::new(seed ^ ((exchange as u64 * 2 + kind as u64) << 56));
        let channel = |index| {
            let coin = Coin::new(exchange, index);
            match kind {
                Kind::Ticker => Channel::Ticker(Ticker::new(exchange, coin, &mut rng)),
                Kind::Orderbook => Channel::Book(Box::new(BookFeed::new(exchange, coin, &options, &mut rng))),
            }
        };
        let channels: Vec<_> = (0..options.symbols.max(1)).map(channel).collect();
        // Korbit has had two host names, from which the collector takes the market's name.
        let market = if exchange == Exchange::Korbit && rng.one_in(2) { "DIGITALX" } else { exchange.as_str() };
        let turn = channels.len() - 1;
        let mut feed = Self {
            exchange,
            kind,
            options,
            rng,
            channels,
            turn,
            frames: 0,
            clock_ms: 1_790_000_000_000,
            gap_due: false,
            stale_due: false,
            market,
            key: String::new(),
        };
        feed.set_key();
        feed
    }

    /// Writes the text of the next envelope, of the next coin, with `frames` frames into `value`, which is cleared first; what must come out
    /// of them is appended to `expected`, one for each frame. `timestamp_ms`, the input record's, lies in `100_000_100_000..=4_000_000_000_000`.
    pub fn next_envelope(&mut self, frames: usize, timestamp_ms: i64, value: &mut Vec<u8>, expected: &mut Vec<Expected>) {
        debug_assert!((100_000_100_000..=4_000_000_000_000).contains(&timestamp_ms), "{timestamp_ms} is not in milliseconds");
        self.next_turn();
        self.clock_ms = timestamp_ms;
        let texts: Vec<String> = (0..frames)
            .map(|index| {
                let age_ms = (frames - 1 - index) as i64;
                let (text, outcome) = self.next_frame(index, age_ms);
                expected.push(outcome);
                text
            })
            .collect();
        value.clear();
        let symbol = &self.channels[self.turn].coin().symbol;
        collector::envelope(self.exchange.region().as_str(), self.market, symbol, texts.iter().map(String::as_str), value);
    }

    /// The Kafka key of the last envelope: a JSON string, quotes included.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The coin of the last envelope or frame, as records write it.
    #[must_use]
    pub fn symbol(&self) -> &str {
        &self.channels[self.turn].coin().symbol
    }

    /// The next frame alone, of the next coin, a tenth of a second after the last.
    pub fn frame(&mut self) -> String {
        self.next_turn();
        self.clock_ms += 100;
        self.next_frame(0, 0).0
    }

    fn next_turn(&mut self) {
        self.turn = (self.turn + 1) % self.channels.len();
        self.set_key();
    }

    fn set_key(&mut self) {
        self.key = format!("\"{}:{}-{}\"", self.market, self.kind.as_str(), self.symbol());
    }

    fn next_frame(&mut self, index: usize, age_ms: i64) -> (String, Expected) {
        self.frames += 1;
        let count = self.frames;
        let due = |every: u64| every > 0 && count.is_multiple_of(every);
        self.gap_due |= due(self.options.gap_every);
        self.stale_due |= due(self.options.stale_every);
        let (poison, control, sparse) = (due(self.options.poison_every), due(self.options.control_every), due(self.options.sparse_every));
        let moment = self.moment(age_ms);
        if poison {
            let (text, reason) = self.poison(moment);
            let value = self.spell(text);
            return (value.clone(), Expected::DeadLetter { reason, frame: index, value });
        }
        if control {
            let text = self.control(moment);
            return (self.spell(text), Expected::Control);
        }
        let Self { options, rng, channels, turn, gap_due, stale_due, .. } = self;
        let (text, expected) = match &mut channels[*turn] {
            Channel::Ticker(ticker) => ticker.next(sparse, options.spelling, moment, rng),
            Channel::Book(book) => {
                let repeated = if *stale_due { book.repeat() } else { None };
                *stale_due &= repeated.is_none();
                repeated.unwrap_or_else(|| book.next(options, gap_due, moment, rng))
            }
        };
        (self.spell(text), expected)
    }

    /// A frame is a few milliseconds older than its envelope, and what it tells is a few milliseconds older still.
    fn moment(&mut self, age_ms: i64) -> Moment {
        let sent_ms = self.clock_ms - age_ms * 10 - self.rng.below(10);
        let times = Times { sent_us: sent_ms * 1_000 + self.rng.below(1_000), changed_ms: sent_ms - self.rng.below(8) };
        Moment { times, input_ms: self.clock_ms }
    }

    fn control(&mut self, moment: Moment) -> String {
        let (pair, seq) = match &self.channels[self.turn] {
            Channel::Ticker(ticker) if self.options.spelling == Spelling::Collector && self.rng.one_in(2) => return ticker.lone_time(moment.times),
            Channel::Ticker(ticker) => (&ticker.coin.pair, 0),
            Channel::Book(book) => (&book.coin().pair, book.seq()),
        };
        scenario::control(self.exchange, self.kind, pair, seq, moment.times, &mut self.rng)
    }

    fn poison(&mut self, moment: Moment) -> (String, &'static str) {
        let Self { options, rng, channels, turn, .. } = self;
        match &channels[*turn] {
            Channel::Ticker(ticker) => {
                let good = ticker.idle(options.spelling, moment, rng);
                let column = ticker.price_column();
                let (is, number, missing) = (format!("\"{column}\":"), format!("\"{column}\":\"abc\",\"was\":"), format!("\"{column}\":null,\"was\":"));
                scenario::poison(&good, (&is, &number), (&is, &missing), rng)
            }
            Channel::Book(book) => {
                let [number, missing] = book.spoilers();
                scenario::poison(&book.draft(moment), number, missing, rng)
            }
        }
    }

    fn spell(&self, text: String) -> String {
        match self.options.spelling {
            Spelling::Collector if text.starts_with(['{', '[']) => collector::respell(&text),
            _ => text,
        }
    }
}

#[cfg(test)]
mod tests;
