//! The tape of one lane: envelopes in order, and the record that each frame must become.

use market_hub::market::{Exchange, Kind, Stream};

use super::{
    Pair,
    model::{Model, Record},
    venue::Venue,
    wire,
};
use crate::{
    support::{Message, client::Place, names::Names},
    vocabulary::chance,
};

/// Kraken's checksums need the decimals of its pairs, which are in no frame.
const PAIRS: [Pair; 4] = [
    Pair { symbol: "BTC", price_decimals: 1, quantity_decimals: 8 },
    Pair { symbol: "ETH", price_decimals: 2, quantity_decimals: 8 },
    Pair { symbol: "XRP", price_decimals: 5, quantity_decimals: 8 },
    Pair { symbol: "MATIC", price_decimals: 4, quantity_decimals: 8 },
];
/// Frames in an envelope.
const FRAMES: u64 = 5;

/// An input partition of books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lane(pub Exchange);

impl Lane {
    pub const ALL: [Self; 3] = [Self(Exchange::Okx), Self(Exchange::Bybit), Self(Exchange::Kraken)];

    pub fn stream(self) -> Stream {
        Stream { region: self.0.region(), kind: Kind::Orderbook }
    }

    pub fn input(self, names: &Names) -> Place {
        (names.input(self.stream()), self.0.partition())
    }

    pub fn output(self, names: &Names) -> Place {
        (names.output(self.stream()), self.0.partition())
    }
}

/// See the module.
pub struct Tape {
    pub lane: Lane,
    pub envelopes: Vec<Message>,
    /// By number of the frame.
    pub records: Vec<Record>,
}

impl Tape {
    /// A tape of this many envelopes. Snapshots are far apart, now and then a delta is lost, and one coin begins without a snapshot.
    pub fn of(lane: Lane, names: &Names, envelopes: u64) -> Self {
        let mut coins: Vec<(Pair, Venue, Model)> = PAIRS.iter().map(|pair| (*pair, Venue::new(chance(1..u64::MAX)), Model::default())).collect();
        let mut tape = Self { lane, envelopes: Vec::new(), records: Vec::new() };
        for index in 0..envelopes {
            let turn = usize::try_from(index).expect("a small number") % coins.len();
            let (pair, venue, model) = &mut coins[turn];
            let mut items = Vec::new();
            for position in 0..FRAMES {
                let number = index * FRAMES + position;
                let is_first = index < PAIRS.len() as u64 && position == 0;
                let is_snapshot = if is_first { turn != 0 } else { chance(0..400) == 0 };
                if !is_snapshot && !is_first && chance(0..600) == 0 {
                    // Lost on its way to the collector.
                    let _ = venue.next(number, false);
                }
                let update = venue.next(number, is_snapshot);
                tape.records.push(model.apply(lane.0, *pair, &update));
                items.push(format!("\"{}\"", wire::frame(lane.0, *pair, &update).replace('"', "\\\"")));
            }
            let (topic, partition) = lane.input(names);
            let value =
                format!(r#"{{"region":"{}","market":"{}","symbol":"{}","data":[{}]}}"#, lane.0.region().as_str(), lane.0, pair.symbol, items.join(", "));
            let timestamp_ms = i64::try_from(wire::millis(index * FRAMES)).expect("a time");
            tape.envelopes.push(Message { topic, partition, offset: None, timestamp_ms, key: None, headers: Vec::new(), value: Some(value.into_bytes()) });
        }
        tape
    }

    /// How many frames of the tape must become records without the header.
    pub fn verified(&self) -> usize {
        self.records.iter().filter(|record| !record.is_unverified).count()
    }

    /// What is wrong with the output: lost, out of order, or different. A record that says that it is unverified may say anything where the reference's book
    /// is unverified as well, for such books need not outlive a hub; with `may_be_unverified`, everywhere.
    /// Also how many records were marked that an uninterrupted hub would not have marked.
    pub fn judge(&self, found: &[Message], may_be_unverified: bool) -> (Vec<String>, usize) {
        // Kraken's checksums bring back to life a book that was not restored, but later than one that was kept.
        let may_be_unverified = may_be_unverified || self.lane.0 == Exchange::Kraken;
        let (mut faults, mut marked, mut next) = (Vec::new(), 0, 0);
        for message in found {
            let Some((number, expected)) =
                wire::number_at(message.timestamp_ms).and_then(|number| Some((number, self.records.get(usize::try_from(number).ok()?)?)))
            else {
                faults.push(format!("made up: {message:?}"));
                continue;
            };
            if number > next {
                faults.push(format!("{:?}: {number} comes when {next} is due", self.lane));
            }
            // A smaller number is a repetition, after which all follows in order again.
            next = number + 1;
            let is_unverified = message.header("book-state") == Some("unverified");
            let is_same =
                (message.text(), is_unverified) == (&*expected.value, expected.is_unverified) && message.key.as_deref() == Some(expected.key.as_bytes());
            marked += usize::from(is_unverified && !expected.is_unverified);
            let is_allowed = is_same || is_unverified && (may_be_unverified || expected.is_unverified);
            if !is_allowed {
                faults.push(format!("{:?}: {message:?} instead of {expected:?}", self.lane));
            }
        }
        if next != self.records.len() as u64 {
            faults.push(format!("{:?}: the last record is {next} of {}", self.lane, self.records.len()));
        }
        (faults, marked)
    }
}
