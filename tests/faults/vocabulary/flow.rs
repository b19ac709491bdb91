//! What the load sends and what must come of it: ticker frames whose price is their number, dense from 1 in each lane.
//!
//! The expected bytes are written down here by hand, from the contract: nothing of the hub's core is used.

use market_hub::market::{Exchange, Kind, Stream};

use super::poison::{self, Poison, Shape};
use crate::support::{Message, client::Place, names::Names};

/// Frames in an envelope.
pub const FRAMES: u64 = 20;
/// The time of the first envelope of a lane; each later one is a millisecond younger. Old enough for every clock, young enough for every broker.
const FIRST_MS: u64 = 1_750_000_000_000;

/// One lane under load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flow {
    pub exchange: Exchange,
    pub mixture: Mixture,
}

/// What is among the good frames of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mixture {
    /// Nothing.
    Pure,
    /// One frame of a hundred, or the envelope that it would be in, is poison.
    Poisoned,
    /// The same, and the first envelopes are such that try to exhaust the hub.
    HeavilyPoisoned,
    /// The same as poisoned, and the first envelope is larger than the hub takes.
    Oversized,
}

/// What a frame becomes.
pub enum Outcome {
    Record,
    /// A dead letter, alone or for the envelope that it came in.
    Letter(&'static Poison),
    /// Nothing of its own: its envelope is a dead letter.
    Nothing,
}

impl Flow {
    /// The flows of all tickers of a stream.
    pub fn of(stream: Stream, mixture: Mixture) -> impl Iterator<Item = Self> {
        stream.region.exchanges().iter().map(move |exchange| Self { exchange: *exchange, mixture })
    }

    pub fn stream(self) -> Stream {
        Stream { region: self.exchange.region(), kind: Kind::Ticker }
    }

    pub fn input(self, names: &Names) -> Place {
        (names.input(self.stream()), self.exchange.partition())
    }

    pub fn output(self, names: &Names) -> Place {
        (names.output(self.stream()), self.exchange.partition())
    }

    pub fn letters(self, names: &Names) -> Place {
        (names.dead_letters(self.stream()), self.exchange.partition())
    }

    /// As the hub's log calls the lane.
    pub fn lane(self) -> String {
        format!("{}:{}", self.stream(), self.exchange.partition())
    }

    /// The envelope of this index from 0, which is also its offset as long as no producer sends one twice: nobody else writes to the topic.
    pub fn envelope(self, names: &Names, index: u64) -> Message {
        let (topic, partition) = self.input(names);
        let value = self.value(index);
        Message { topic, partition, offset: None, timestamp_ms: time_of(index), key: Some(key_of(index)), headers: Vec::new(), value }
    }

    fn value(self, index: u64) -> Option<Vec<u8>> {
        let poison = self.poison_of(index);
        if let Some(Poison { shape: Shape::Envelope(bytes), .. }) = poison {
            return bytes();
        }
        let column = price_column(self.exchange);
        let mut text = format!(r#"{{"region":"{}","market":"{}","symbol":"BTC","data":["#, self.exchange.region().as_str(), self.exchange);
        for position in 0..FRAMES {
            text.push_str(if position == 0 { "" } else { ", " });
            match poison.filter(|poison| poison.position() == position) {
                Some(poison) => text.push_str(&poison.item()),
                None => text.push_str(&format!(r#""{{\"{column}\": \"{}\"}}""#, number(index, position))),
            }
        }
        text.push_str("]}");
        Some(text.into_bytes())
    }

    fn poison_of(self, index: u64) -> Option<&'static Poison> {
        match self.mixture {
            Mixture::Pure => None,
            Mixture::Poisoned => poison::light_at(index),
            Mixture::Oversized if index == 0 => Some(&poison::OVERSIZED),
            Mixture::Oversized => poison::light_at(index),
            Mixture::HeavilyPoisoned => poison::heavy_at(index).or_else(|| poison::light_at(index)),
        }
    }

    /// What the frame of this number becomes.
    pub fn outcome(self, number: u64) -> Outcome {
        let (index, position) = place_of(number);
        match self.poison_of(index) {
            Some(poison) if poison.position() == position => Outcome::Letter(poison),
            Some(Poison { shape: Shape::Envelope(_), .. }) => Outcome::Nothing,
            _ => Outcome::Record,
        }
    }

    /// Key, timestamp, headers and value of the record of this number.
    pub fn record(self, number: u64) -> Message {
        let time = time_of(place_of(number).0);
        let value = format!(
            "{{\"region\":\"{}\",\"market\":\"{}\",\"coin_symbol\":\"BTC\",\"timestamp\":{time}.0,\"data\":[{{\"opening_price\":null,\"trade_price\":\"{number}.0\",\
             \"max_price\":null,\"min_price\":null,\"prev_closing_price\":null,\"acc_trade_volume_24h\":null,\"signed_change_price\":null,\
             \"signed_change_rate\":null}}]}}",
            self.exchange.region().as_str(),
            self.exchange
        );
        let key = Some(format!("{}:BTC", self.exchange).into_bytes());
        Message {
            topic: String::new(),
            partition: self.exchange.partition(),
            offset: None,
            timestamp_ms: time,
            key,
            headers: Vec::new(),
            value: Some(value.into_bytes()),
        }
    }

    /// The key of every record and dead letter of this number's envelope that keeps the input's.
    pub fn input_key(number: u64) -> Vec<u8> {
        key_of(place_of(number).0)
    }
}

/// The number of a frame: dense over envelopes, from 1.
pub fn number(index: u64, position: u64) -> u64 {
    index * FRAMES + position + 1
}

/// The envelope of a number, and its position in it.
pub fn place_of(number: u64) -> (u64, u64) {
    ((number - 1) / FRAMES, (number - 1) % FRAMES)
}

/// The number that stands as the trade price in a record, found without reading the rest.
pub fn number_in(record: &[u8]) -> Option<u64> {
    const BEFORE: &[u8] = br#""trade_price":""#;
    let start = record.windows(BEFORE.len()).position(|window| window == BEFORE)? + BEFORE.len();
    let digits = record[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&record[start..start + digits]).ok()?.parse().ok()
}

fn time_of(index: u64) -> i64 {
    i64::try_from(FIRST_MS + index).expect("a time")
}

fn key_of(index: u64) -> Vec<u8> {
    format!("envelope {index}").into_bytes()
}

/// The index of the envelope that has this key.
pub fn index_in(key: &[u8]) -> Option<u64> {
    std::str::from_utf8(key).ok()?.strip_prefix("envelope ")?.parse().ok()
}

fn price_column(exchange: Exchange) -> &'static str {
    match exchange {
        Exchange::Upbit | Exchange::Bithumb => "trade_price",
        Exchange::Coinone | Exchange::Okx | Exchange::Gateio | Exchange::Kraken => "last",
        Exchange::Korbit => "close",
        Exchange::Bybit => "lastPrice",
        Exchange::Binance => "c",
    }
}
