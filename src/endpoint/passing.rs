//! What passes by, as far as samples show it: best prices, dead letters, how the clocks of exchanges stand, frames that drift. Bounded, and behind the
//! run: nobody waits for it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use parking_lot::Mutex;
use sonic_rs::JsonValueTrait as _;

use super::drift::Drift;
use super::recent::Feed;
use super::status::{LetterRow, QuoteRow};
use crate::batch::{BOOK_STATE, Batch, Destination};
use crate::book::Frame;
use crate::config::{Config, LaneId};
use crate::envelope;
use crate::event_time::EventTime;
use crate::exchange::{self, Decoded};
use crate::market::{Exchange, Kind};
use crate::observe::{Letter, Sample};
use crate::rules::Limits;

/// How many dead letters are kept, and how many symbols.
const LETTERS_MAX: usize = 20;
const SYMBOLS_MAX: usize = 2_000;
/// How many quotes are told where no symbol is asked for.
const QUOTES_MAX: usize = 100;
/// How long, and how many at most, differences of clocks count.
const SKEW_TIME: Duration = Duration::from_secs(60);
const SKEWS_MAX: usize = 1_000;
/// How often to look whether it is over.
const LOOK_AROUND: Duration = Duration::from_millis(250);

/// See the module.
#[derive(Debug)]
pub(super) struct Passing {
    limits: Limits,
    envelopes: envelope::Reader,
    frame: Frame,
    space: Vec<u8>,
    /// The latest record of each exchange and symbol, by the key of its message.
    quotes: BTreeMap<Vec<u8>, Quote>,
    letters: VecDeque<LetterRow>,
    skews: BTreeMap<Feed, VecDeque<(Instant, i64)>>,
    drift: Drift,
}

#[derive(Debug)]
struct Quote {
    /// One record, or an array of them.
    value: Vec<u8>,
    is_verified: bool,
    event_ms: i64,
    seen_at: Instant,
}

/// Takes samples until it is over.
pub(super) fn run(passing: &Mutex<Passing>, samples: &Receiver<Sample>, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Acquire) {
        match samples.recv_timeout(LOOK_AROUND) {
            Ok(sample) => passing.lock().take(sample),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

impl Passing {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            limits: config.rules.limits,
            envelopes: envelope::Reader::default(),
            frame: Frame::default(),
            space: Vec::new(),
            quotes: BTreeMap::new(),
            letters: VecDeque::new(),
            skews: BTreeMap::new(),
            drift: Drift::default(),
        }
    }

    fn take(&mut self, sample: Sample) {
        match sample {
            Sample::Envelope { lane, timestamp_ms, value } => self.take_envelope(lane, timestamp_ms, &value),
            Sample::Batch { lane, batch } => self.take_batch(lane, &batch),
            Sample::Letter(letter) => {
                self.letters.truncate(LETTERS_MAX - 1);
                self.letters.push_front(letter_row(letter));
            }
        }
    }

    /// Looks at the first and the last frame: the others are like them.
    fn take_envelope(&mut self, lane: LaneId, timestamp_ms: i64, value: &[u8]) {
        let Self { limits, envelopes, frame, space, skews, drift, .. } = self;
        let Ok(envelope) = envelopes.read(value, limits) else { return };
        let (exchange, kind) = (envelope.exchange, lane.stream.kind);
        let count = envelope.items().len();
        for item in envelope.items().enumerate().filter(|(index, _)| *index == 0 || index + 1 == count).map(|(_, item)| item) {
            let Ok(text) = std::str::from_utf8(item.bytes(space)) else { continue };
            let Some(time) = event_time(exchange, kind, text, limits, frame) else { continue };
            drift.look(exchange, kind, text);
            if let Some(time) = time.filter(|_| timestamp_ms > 0) {
                let skews = skews.entry((exchange, kind)).or_default();
                skews.push_back((Instant::now(), timestamp_ms - time.millis()));
                while skews.len() > SKEWS_MAX {
                    skews.pop_front();
                }
            }
        }
    }

    fn take_batch(&mut self, lane: LaneId, batch: &Batch) {
        if lane.stream.kind != Kind::Orderbook {
            return;
        }
        for message in batch.messages().filter(|message| message.destination == Destination::Output) {
            let (Some(key), Some(value)) = (message.key, message.value) else { continue };
            let is_verified = !message.headers().any(|(name, _)| name == BOOK_STATE);
            let (event_ms, seen_at) = (message.timestamp_ms, Instant::now());
            let has_room = self.quotes.len() < SYMBOLS_MAX;
            match self.quotes.get_mut(key) {
                Some(quote) => {
                    quote.value.clear();
                    quote.value.extend_from_slice(value);
                    (quote.is_verified, quote.event_ms, quote.seen_at) = (is_verified, event_ms, seen_at);
                }
                None if has_room => {
                    self.quotes.insert(key.to_vec(), Quote { value: value.to_vec(), is_verified, event_ms, seen_at });
                }
                None => {}
            }
        }
    }

    /// The last dead letters, newest first.
    pub(super) fn letters(&self) -> Vec<LetterRow> {
        self.letters.iter().cloned().collect()
    }

    pub(super) const fn drift(&self) -> &Drift {
        &self.drift
    }

    /// The least, the median and the most that envelopes came after their events in the last minute, in seconds.
    pub(super) fn skew(&mut self, feed: &Feed) -> Option<[f64; 3]> {
        let skews = self.skews.get_mut(feed)?;
        while skews.front().is_some_and(|(at, _)| at.elapsed() > SKEW_TIME) {
            skews.pop_front();
        }
        let mut sorted: Vec<i64> = skews.iter().map(|(_, skew)| *skew).collect();
        sorted.sort_unstable();
        Some([*sorted.first()?, *sorted.get(sorted.len() / 2)?, *sorted.last()?].map(|millis| millis as f64 / 1_000.0))
    }

    /// All symbols that have been seen, without their exchanges.
    pub(super) fn symbols(&self) -> Vec<String> {
        let mut symbols: Vec<String> = self.quotes.keys().filter_map(|key| Some(names(key)?.1.to_owned())).collect();
        symbols.sort_unstable();
        symbols.dedup();
        symbols
    }

    /// The quotes of one symbol, or the first ones of all.
    pub(super) fn quotes(&self, symbol: Option<&str>) -> Vec<QuoteRow> {
        let wanted = self.quotes.iter().filter_map(|(key, quote)| Some((names(key)?, quote)));
        let wanted = wanted.filter(|((_, of), _)| symbol.is_none_or(|symbol| symbol.eq_ignore_ascii_case(of)));
        wanted.take(QUOTES_MAX).map(|((exchange, symbol), quote)| quote.row(exchange, symbol)).collect()
    }
}

impl Quote {
    fn row(&self, exchange: &str, symbol: &str) -> QuoteRow {
        // Of an array the last record; what the numbers look like is kept, for they are exact.
        let record = sonic_rs::to_array_iter(self.value.as_slice()).filter_map(Result::ok).last();
        let record = record.as_ref().map_or(self.value.as_slice(), |record| record.as_raw_str().as_bytes());
        let figure = |name: &str| {
            let value = sonic_rs::get(record, [name]).ok()?;
            (!value.is_null()).then(|| value.as_raw_str().to_owned())
        };
        QuoteRow {
            exchange: exchange.to_owned(),
            symbol: symbol.to_owned(),
            bid: figure("highest_bid"),
            ask: figure("lowest_ask"),
            spread: figure("spread"),
            is_verified: self.is_verified,
            event_ms: self.event_ms,
            age_s: self.seen_at.elapsed().as_secs_f64(),
        }
    }
}

/// The exchange and the symbol in the key of a record.
fn names(key: &[u8]) -> Option<(&str, &str)> {
    std::str::from_utf8(key).ok()?.split_once(':')
}

/// The event time of a frame that gives a record, if it has one; `None` for any other frame.
fn event_time(exchange: Exchange, kind: Kind, text: &str, limits: &Limits, frame: &mut Frame) -> Option<Option<EventTime>> {
    match kind {
        Kind::Ticker => match exchange::read_ticker(exchange, text, limits) {
            Ok(Decoded::Data((_, time))) => Some(time),
            _ => None,
        },
        Kind::Orderbook => match exchange::read_book(exchange, text, limits, frame) {
            Ok(Decoded::Data(())) => Some(frame.time),
            _ => None,
        },
    }
}

fn letter_row(letter: Letter) -> LetterRow {
    let header = |name: &str| letter.headers.iter().find(|(of, _)| of == name).map(|(_, value)| value.clone());
    LetterRow {
        lane: letter.lane.to_string(),
        offset: letter.offset,
        frame: letter.frame,
        timestamp_ms: letter.timestamp_ms,
        reason: header("hub.reason").unwrap_or_default(),
        exchange: header("hub.market"),
        symbol: header("hub.symbol"),
        value: String::from_utf8_lossy(&letter.value).into_owned(),
        bytes: letter.bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Place;

    fn lane(name: &str) -> LaneId {
        Config::default().lanes.into_iter().find(|lane| lane.to_string() == name).expect("a lane")
    }

    fn written(records: &[(&str, &str, bool)]) -> Batch {
        let mut batch = Batch::default();
        for (key, value, is_verified) in records {
            let mut message = batch.begin(Destination::Output, Place::default(), 5);
            message.key(|out| out.extend_from_slice(key.as_bytes()));
            message.value(|out| out.extend_from_slice(value.as_bytes()));
            if !is_verified {
                message.header(BOOK_STATE, |out| out.extend_from_slice(b"unverified"));
            }
            message.finish();
        }
        batch
    }

    #[test]
    fn the_latest_record_of_a_symbol_gives_its_quote_as_it_is_spelled() {
        let mut passing = Passing::new(&Config::default());
        let book = |bid: &str| format!(r#"{{"market":"OKX","coin_symbol":"BTC","highest_bid":{bid},"lowest_ask":66620.10,"spread":10.76}}"#);
        let batch = written(&[
            ("OKX:BTC", &book("1.0"), true),
            ("OKX:BTC", &book("66609.220000000000001"), false),
            ("OKX:ETH", r#"[{"highest_bid":1.0},{"highest_bid":null,"lowest_ask":2.0,"spread":null}]"#, true),
        ]);
        passing.take(Sample::Batch { lane: lane("asia-orderbook:0"), batch: batch.clone() });
        passing.take(Sample::Batch { lane: lane("asia-ticker:0"), batch: written(&[("OKX:XRP", "{}", true)]) });
        assert_eq!(passing.symbols(), ["BTC", "ETH"]);
        let rows = passing.quotes(Some("btc"));
        assert_eq!((rows.len(), rows[0].exchange.as_str(), rows[0].is_verified), (1, "OKX", false));
        assert_eq!([&rows[0].bid, &rows[0].ask, &rows[0].spread].map(Option::as_deref), [Some("66609.220000000000001"), Some("66620.10"), Some("10.76")]);
        let rows = passing.quotes(None);
        assert_eq!((rows.len(), rows[1].bid.as_deref(), rows[1].ask.as_deref()), (2, None, Some("2.0")), "of an array the last");
    }

    #[test]
    fn sampled_envelopes_tell_of_clocks_and_drift() {
        let mut passing = Passing::new(&Config::default());
        let frame = |last: &str, ts: &str| {
            format!(r#"{{\"last\":\"{last}\",\"open24h\":\"1\",\"high24h\":\"1\",\"low24h\":\"1\",\"vol24h\":\"1\",\"ts\":\"{ts}\",\"new\":1}}"#)
        };
        let envelope = |frames: &[String]| format!(r#"{{"region":"asia","market":"OKX","symbol":"BTC","data":["{}"]}}"#, frames.join(r#"",""#));
        let mut take = |timestamp_ms, frames: &[String]| {
            passing.take(Sample::Envelope { lane: lane("asia-ticker:0"), timestamp_ms, value: envelope(frames).into_bytes() });
        };
        take(1_790_000_000_250, &[frame("1", "1790000000000"), frame("1", "1790000009999"), frame("1", "1790000001250")]);
        take(-1, &[frame("1", "1790000000000")]);
        take(1_790_000_000_000, &[frame("no number", "1790000000000"), "ping".to_owned()]);
        passing.take(Sample::Envelope { lane: lane("asia-ticker:0"), timestamp_ms: 1, value: b"[[".to_vec() });
        let feed = (Exchange::Okx, Kind::Ticker);
        assert_eq!(passing.skew(&feed), Some([-1.0, 0.25, 0.25]), "the exchange's clock was ahead once");
        assert_eq!(passing.drift().seen(Exchange::Okx, Kind::Ticker), (3, 3));
        assert_eq!(passing.skew(&(Exchange::Okx, Kind::Orderbook)), None);
    }

    #[test]
    fn the_last_letters_are_kept() {
        let mut passing = Passing::new(&Config::default());
        for offset in 0..50 {
            let headers = vec![("hub.reason".to_owned(), "json".to_owned()), ("hub.market".to_owned(), "OKX".to_owned())];
            let letter = Letter { lane: lane("asia-ticker:0"), offset, frame: Some(1), timestamp_ms: 7, headers, value: b"{\xff".to_vec(), bytes: 9 };
            passing.take(Sample::Letter(letter));
        }
        let letters = passing.letters();
        assert_eq!((letters.len(), letters[0].offset, letters[0].reason.as_str(), letters[0].value.as_str()), (LETTERS_MAX, 49, "json", "{\u{fffd}"));
    }
}
