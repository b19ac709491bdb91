//! A lane: one input partition of a stream. Envelope in, outcomes into a batch: the whole core in one call.
//!
//! A lane owns all that depends on order. It is a pure function of its input and the rules: no clock, no thread, no
//! Kafka. `frames == records + control + stale + held + rejected frames`, in every envelope that is accepted.

mod books;
mod kept;
mod order;
mod refused;
mod restore;
mod resync;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::batch::{BOOK_STATE, Batch, Destination, Place};
use crate::book::{Action, Applied, Frame, Summary};
use crate::decimal::write_integer;
use crate::encode::Encoder;
use crate::envelope::{self, Item, Origin, Symbol};
use crate::event_time::EventTime;
use crate::exchange::{self, Decoded};
use crate::market::{Exchange, Kind, Stream};
use crate::outcome::{Counts, Reason, ResyncReason};
use crate::rules::{BookMode, BookTime, Rules};
use crate::ticker::Ticker;
use books::Books;
use order::Order;
use restore::Restoring;

pub use books::BooksStatus;
pub use restore::Restored;

/// One input record.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Its offset in the lane's partition.
    pub offset: i64,
    /// Its Kafka timestamp in milliseconds; below 0 where it has none.
    pub timestamp_ms: i64,
    /// The moment of processing in microseconds since the epoch; read only with [`BookTime::Wall`].
    pub now_micros: i64,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value: an envelope.
    pub value: Option<&'a [u8]>,
    /// Its headers, in order.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
}

/// See the module.
#[derive(Debug)]
pub struct Lane {
    envelopes: envelope::Reader,
    frames: Frames,
    /// Set while books are being restored.
    restoring: Option<Restoring>,
}

impl Lane {
    /// A lane without books. `input_topic` is what dead letters name as their origin.
    #[must_use]
    pub fn new(stream: Stream, partition: i32, input_topic: &str, rules: Arc<Rules>) -> Self {
        let frames = Frames {
            stream,
            partition,
            input_topic: input_topic.to_owned(),
            rules,
            books: Books::default(),
            order: Order::default(),
            frame: Frame::default(),
            encoder: Encoder::default(),
            space: Vec::new(),
            refused: BTreeSet::new(),
            counts: Counts::default(),
        };
        Self { envelopes: envelope::Reader::default(), frames, restoring: None }
    }

    /// What became of the frames so far, without those read again to restore books.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        self.restoring.as_ref().map_or(&self.frames.counts, Restoring::counts)
    }

    /// How the books stand. Takes a look at every one.
    #[must_use]
    pub fn books(&self) -> BooksStatus {
        self.frames.books.status()
    }

    /// Processes one input record and appends what comes of it to `batch`.
    pub fn process(&mut self, input: &Input<'_>, batch: &mut Batch) {
        let frames = &mut self.frames;
        frames.counts.envelopes += 1;
        let envelope = match self.envelopes.read(input.value.unwrap_or_default(), &frames.rules.limits) {
            Ok(envelope) => envelope,
            Err(rejected) => {
                frames.counts.rejected_envelopes += 1;
                frames.reject(rejected.reason, input, &rejected.origin, None, input.value, batch);
                return;
            }
        };
        let misplaced = frames.is_misplaced(envelope.exchange);
        frames.encoder.turn_to(envelope.exchange, &envelope.symbol);
        let followed = frames.order.of(envelope.exchange, &envelope.symbol);
        for (index, item) in (0..).zip(envelope.items()) {
            frames.counts.frames += 1;
            frames.counts.misplaced += u64::from(misplaced);
            let at = At { exchange: envelope.exchange, symbol: &envelope.symbol, input, frame: index, followed };
            if let Err(reason) = frames.process(&at, item, batch) {
                let origin = Origin { region: Some(envelope.exchange.region()), exchange: Some(envelope.exchange), symbol: Some(envelope.symbol) };
                let mut space = std::mem::take(&mut frames.space);
                frames.reject(reason, input, &origin, Some(index), Some(item.bytes(&mut space)), batch);
                frames.space = space;
            }
        }
    }
}

/// A frame's surroundings.
#[derive(Clone, Copy, Debug)]
struct At<'a> {
    exchange: Exchange,
    symbol: &'a Symbol,
    input: &'a Input<'a>,
    /// The frame's index in `data`.
    frame: u32,
    /// Where the order of its symbol is followed.
    followed: Option<usize>,
}

impl At<'_> {
    const fn place(&self) -> Place {
        Place { offset: self.input.offset, frame: Some(self.frame) }
    }

    /// The event time, unless it lies so far after the input record that brokers would refuse it (contract, section 1).
    fn kafka_timestamp(&self, time: EventTime, future_max_ms: i64) -> i64 {
        let input_ms = self.input.timestamp_ms;
        if input_ms > 0 && time.millis() > input_ms.saturating_add(future_max_ms) { input_ms } else { time.millis() }
    }
}

/// What processes the frames of a lane, apart from the reader that they are borrowed from.
#[derive(Debug)]
struct Frames {
    stream: Stream,
    partition: i32,
    input_topic: String,
    rules: Arc<Rules>,
    books: Books,
    order: Order,
    frame: Frame,
    /// Turned to the symbol of the envelope at hand.
    encoder: Encoder,
    /// Where an item is written without its escapes.
    space: Vec<u8>,
    /// Frames whose records the brokers do not take.
    refused: BTreeSet<Place>,
    counts: Counts,
}

impl Frames {
    /// Whether frames of `exchange` are expected in another lane.
    fn is_misplaced(&self, exchange: Exchange) -> bool {
        self.stream.exchange_at(self.partition) != Some(exchange)
    }

    /// Processes one item of `data`.
    fn process(&mut self, at: &At<'_>, item: Item<'_>, batch: &mut Batch) -> Result<(), Reason> {
        match self.stream.kind {
            Kind::Orderbook if exchange::scan_book(at.exchange, &item, &self.rules, &mut self.frame) => return self.book(at, batch),
            Kind::Ticker if let Some((ticker, time)) = exchange::scan_ticker(at.exchange, &item, &self.rules) => return self.ticker(at, &ticker, time, batch),
            Kind::Orderbook | Kind::Ticker => {}
        }
        let mut space = std::mem::take(&mut self.space);
        let outcome = self.read(at, item, &mut space, batch);
        self.space = space;
        outcome
    }

    /// Reads any frame, without its escapes in `space`.
    fn read(&mut self, at: &At<'_>, item: Item<'_>, space: &mut Vec<u8>, batch: &mut Batch) -> Result<(), Reason> {
        let is_data = match (frame_text(item, space, &self.rules)?, self.stream.kind) {
            (None, _) => false,
            (Some(text), Kind::Ticker) => match exchange::read_ticker(at.exchange, text, &self.rules.limits)? {
                Decoded::Data((ticker, time)) => {
                    self.ticker(at, &ticker, time, batch)?;
                    true
                }
                Decoded::Control => false,
            },
            (Some(text), Kind::Orderbook) => {
                let is_data = exchange::read_book(at.exchange, text, &self.rules.limits, &mut self.frame)? == Decoded::Data(());
                if is_data {
                    self.book(at, batch)?;
                }
                is_data
            }
        };
        self.counts.control[at.exchange as usize] += u64::from(!is_data);
        Ok(())
    }

    /// Takes the ticker that was read.
    fn ticker(&mut self, at: &At<'_>, ticker: &Ticker, time: Option<EventTime>, batch: &mut Batch) -> Result<(), Reason> {
        let At { exchange, input, .. } = *at;
        if self.is_refused(at) {
            return Err(Reason::Size);
        }
        let time = time.unwrap_or(EventTime::of_record(input.timestamp_ms));
        let mut record = batch.begin(Destination::Output, at.place(), at.kafka_timestamp(time, self.rules.future_max_ms));
        record.key(|out| self.encoder.write_key(out));
        record.value(|out| self.encoder.write_ticker(time, ticker, out));
        record.finish();
        self.follow(at, time, batch);
        self.counts.records[exchange as usize] += 1;
        Ok(())
    }

    /// Takes the book frame that was read.
    fn book(&mut self, at: &At<'_>, batch: &mut Batch) -> Result<(), Reason> {
        let At { exchange, input, .. } = *at;
        let index = exchange as usize;
        let Some((summary, is_live, doubt)) = self.apply(at) else {
            self.counts.stale[index] += 1;
            return Ok(());
        };
        if self.is_refused(at) {
            return Err(Reason::Size);
        }
        let event_time = self.frame.time.unwrap_or(EventTime::of_record(input.timestamp_ms));
        let shown_time = match self.rules.book_time {
            BookTime::Event => event_time,
            BookTime::Wall => EventTime::from_micros(input.now_micros),
        };
        let timestamp_ms = at.kafka_timestamp(event_time, self.rules.future_max_ms);
        if let Some(reason) = doubt.filter(|_| self.rules.resync) {
            self.ask_for_snapshot(at, reason, shown_time, timestamp_ms, batch);
        }
        if !is_live && self.rules.book_mode == BookMode::Hold {
            self.counts.held[index] += 1;
            return Ok(());
        }
        let mut record = batch.begin(Destination::Output, at.place(), timestamp_ms);
        record.key(|out| self.encoder.write_key(out));
        record.value(|out| self.encoder.write_book(shown_time, &summary, out));
        if !is_live {
            record.header(BOOK_STATE, |out| out.extend_from_slice(b"unverified"));
        }
        record.finish();
        self.follow(at, event_time, batch);
        self.counts.records[index] += 1;
        self.counts.unverified[index] += u64::from(!is_live);
        self.counts.crossed[index] += u64::from(summary.is_crossed());
        Ok(())
    }

    /// Counts how the record that was written last stands to the one before of its symbol.
    fn follow(&mut self, at: &At<'_>, time: EventTime, batch: &Batch) {
        let Some(followed) = at.followed else { return };
        let record = batch.message(batch.len() - 1).value.unwrap_or_default();
        match self.order.take(followed, time, record) {
            order::Place::Next => {}
            order::Place::Early => self.counts.out_of_order[at.exchange as usize] += 1,
            order::Place::Repeated => self.counts.duplicates[at.exchange as usize] += 1,
        }
    }

    /// The book after the frame, whether it can be trusted, and why no longer if that is new; `None` if the frame is stale.
    fn apply(&mut self, at: &At<'_>) -> Option<(Summary, bool, Option<ResyncReason>)> {
        if self.frame.action == Action::Whole || self.rules.book_mode == BookMode::Frame {
            return Some((Summary::of_frame(&mut self.frame), true, None));
        }
        let change = self.books.apply(at, &self.frame, &self.rules);
        let Applied::Changed { gap, checksum } = change.applied else { return None };
        let index = at.exchange as usize;
        self.counts.gaps[index] += u64::from(gap);
        self.counts.checksum_matches[index] += u64::from(checksum == Some(true));
        self.counts.checksum_mismatches[index] += u64::from(checksum == Some(false));
        Some((change.summary, change.is_live, change.doubt))
    }

    /// Writes a dead letter (contract, sections 7 and 9).
    fn reject(&mut self, reason: Reason, input: &Input<'_>, origin: &Origin, frame: Option<u32>, value: Option<&[u8]>, batch: &mut Batch) {
        self.counts.rejected[reason as usize] += 1;
        let mut letter = batch.begin(Destination::DeadLetter, Place { offset: input.offset, frame }, input.timestamp_ms.max(0));
        if let Some(key) = input.key {
            letter.key(|out| out.extend_from_slice(key));
        }
        if let Some(value) = value {
            letter.value(|out| out.extend_from_slice(value));
        }
        for (name, value) in input.headers {
            letter.copy_header(name, *value);
        }
        letter.header("__connect.errors.topic", |out| out.extend_from_slice(self.input_topic.as_bytes()));
        letter.header("__connect.errors.partition", |out| write_integer(self.partition.unsigned_abs().into(), out));
        letter.header("__connect.errors.offset", |out| write_integer(input.offset.unsigned_abs().into(), out));
        letter.header("__connect.errors.exception.message", |out| out.extend_from_slice(reason.explanation().as_bytes()));
        letter.header("hub.reason", |out| out.extend_from_slice(reason.as_str().as_bytes()));
        if let Some(frame) = frame {
            letter.header("hub.frame", |out| write_integer(frame.into(), out));
        }
        if let Some(region) = origin.region {
            letter.header("hub.region", |out| out.extend_from_slice(region.as_str().as_bytes()));
        }
        if let Some(exchange) = origin.exchange {
            letter.header("hub.market", |out| out.extend_from_slice(exchange.as_str().as_bytes()));
        }
        if let Some(symbol) = origin.symbol {
            letter.header("hub.symbol", |out| out.extend_from_slice(symbol.as_bytes()));
        }
        letter.finish();
    }
}

/// The text of the frame in an item; `None` for a bare `ping` or `pong`, which is control.
fn frame_text<'s, 'e: 's>(item: Item<'e>, space: &'s mut Vec<u8>, rules: &Rules) -> Result<Option<&'s str>, Reason> {
    let bytes = item.bytes(space);
    match item {
        Item::Quoted(_) | Item::Text { .. } if bytes.eq_ignore_ascii_case(b"ping") || bytes.eq_ignore_ascii_case(b"pong") => return Ok(None),
        _ if bytes.len() > rules.limits.frame_bytes => return Err(Reason::Size),
        Item::Text { lone_surrogate: true, .. } => return Err(Reason::Utf8),
        Item::Inline { depth, .. } if depth > rules.limits.depth => return Err(Reason::Depth),
        Item::Quoted(_) | Item::Text { .. } | Item::Inline { .. } => {}
    }
    simdutf8::basic::from_utf8(bytes).map(Some).map_err(|_| Reason::Utf8)
}

#[cfg(test)]
mod tests;
