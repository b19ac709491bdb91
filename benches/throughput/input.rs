//! What goes through: envelopes of 20 made-up frames, put into the input topics once and read again by every turn.

use std::time::Duration;

use market_hub::feed::{Expected, Feed, Options};
use market_hub::market::{Exchange, Kind, Stream};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, error::RDKafkaErrorCode};

use crate::support::names::Names;

/// Frames an envelope.
pub const FRAMES: usize = 20;
/// After so many envelopes of a lane whose frames stand for themselves the same ones come again.
const DISTINCT: usize = 2_000;

/// One lane's part.
pub struct LaneInput {
    pub stream: Stream,
    pub partition: i32,
    pub envelopes: usize,
    /// Records that must come out, and the mean bytes of their keys and values.
    pub records: usize,
    pub key_bytes: usize,
    pub value_bytes: usize,
}

impl LaneInput {
    /// As `--lanes` wants it.
    pub fn lane(&self) -> String {
        format!("{}:{}", self.stream, self.partition)
    }
}

/// What is measured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Order books of Upbit, in one lane.
    Books,
    /// All eighteen lanes.
    Mix,
    /// All eighteen lanes with 200 symbols each: for the memory.
    Wide,
}

impl Load {
    pub fn lanes(self) -> Vec<(Exchange, Kind)> {
        match self {
            Self::Books => vec![(Exchange::Upbit, Kind::Orderbook)],
            Self::Mix | Self::Wide => Exchange::ALL.into_iter().flat_map(|exchange| [(exchange, Kind::Ticker), (exchange, Kind::Orderbook)]).collect(),
        }
    }

    const fn symbols(self) -> usize {
        if matches!(self, Self::Wide) { 200 } else { 3 }
    }

    /// Of each lane.
    const fn envelopes(self) -> usize {
        match self {
            Self::Books => 40_000,
            Self::Mix | Self::Wide => 2_400,
        }
    }
}

/// The envelopes of one lane, one after the other.
pub struct Envelopes {
    feed: Feed,
    number: i64,
    expected: Vec<Expected>,
    lane: LaneInput,
    /// Whole books and tickers may come again.
    again: Vec<(String, Vec<u8>, usize)>,
    repeats: bool,
}

impl Envelopes {
    pub fn new(exchange: Exchange, kind: Kind, symbols: usize) -> Self {
        let stream = Stream { region: exchange.region(), kind };
        let lane = LaneInput { stream, partition: exchange.partition(), envelopes: 0, records: 0, key_bytes: 0, value_bytes: 0 };
        let repeats = kind == Kind::Ticker || exchange == Exchange::Upbit;
        Self {
            feed: Feed::new(7, exchange, kind, Options { symbols, ..Options::default() }),
            number: 0,
            expected: Vec::new(),
            lane,
            again: Vec::new(),
            repeats,
        }
    }

    /// Gives the next one as key and value.
    pub fn next(&mut self, frames: usize) -> (&str, &[u8]) {
        let number = usize::try_from(self.number).unwrap();
        self.number += 1;
        self.lane.envelopes += 1;
        if self.again.len() <= number % DISTINCT || !self.repeats {
            let mut value = Vec::new();
            self.feed.next_envelope(frames, 1_790_000_000_000 + self.number, &mut value, &mut self.expected);
            let (mut records, mut keys, mut values) = (0, 0, 0);
            for expected in self.expected.drain(..) {
                if let Expected::Record { key, value, .. } = expected {
                    (records, keys, values) = (records + 1, keys + key.len(), values + value.len());
                }
            }
            self.lane.key_bytes = keys / records.max(1);
            self.lane.value_bytes = values / records.max(1);
            let envelope = (self.feed.key().to_owned(), value, records);
            if self.repeats { self.again.push(envelope) } else { self.again = vec![envelope] }
        }
        let (key, value, records) = &self.again[if self.repeats { number % DISTINCT } else { 0 }];
        self.lane.records += records;
        (key, value)
    }
}

impl Envelopes {
    /// What there was.
    pub fn into_lane(self) -> LaneInput {
        self.lane
    }
}

/// Puts the load into the input topics.
pub fn prefill(brokers: &str, names: &Names, load: Load) -> Vec<LaneInput> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("linger.ms", "20").set("batch.size", "1000000").set("enable.idempotence", "true");
    config.set("queue.buffering.max.kbytes", "262144");
    let producer: BaseProducer = config.create().unwrap();
    let fill = |(exchange, kind): (Exchange, Kind)| {
        let mut envelopes = Envelopes::new(exchange, kind, load.symbols());
        let topic = names.input(envelopes.lane.stream);
        for number in 0..load.envelopes() {
            let (key, value) = envelopes.next(FRAMES);
            let timestamp_ms = 1_790_000_000_000 + i64::try_from(number).unwrap();
            let mut record = BaseRecord::to(&topic).partition(exchange.partition()).key(key).payload(value).timestamp(timestamp_ms);
            while let Err((error, same)) = producer.send(record) {
                assert_eq!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::QueueFull));
                producer.poll(Duration::from_millis(10));
                record = same;
            }
            producer.poll(Duration::ZERO);
        }
        envelopes.lane
    };
    let lanes = load.lanes().into_iter().map(fill).collect();
    producer.flush(Duration::from_secs(60)).unwrap();
    lanes
}
