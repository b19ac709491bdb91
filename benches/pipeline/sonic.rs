//! What the hub is measured against: the same records by sonic-rs and typed structs, which is how most would write it for speed.
//!
//! An envelope is read into a struct, its frames into strings, each of which is read into the struct of its exchange: numbers are taken by
//! `rust_decimal` from their text, keys that nobody asked for are skipped. As the plain version, it knows the six kinds of frame that are measured.

use std::borrow::Cow;
use std::str::FromStr as _;

use market_hub::event_time::EventTime;
use market_hub::json::Token;
use rust_decimal::Decimal;
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};
use sonic_rs::RawNumber;

use crate::books::{Books, Envelope, Frame, Levels, Record};

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    region: Cow<'a, str>,
    #[serde(borrow)]
    market: Cow<'a, str>,
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    data: Vec<String>,
}

#[derive(Deserialize)]
struct Upbit {
    timestamp: i64,
    orderbook_units: Vec<Unit>,
}

#[derive(Deserialize)]
struct Unit {
    #[serde(deserialize_with = "bare")]
    ask_price: Decimal,
    #[serde(deserialize_with = "bare")]
    bid_price: Decimal,
    #[serde(deserialize_with = "bare")]
    ask_size: Decimal,
    #[serde(deserialize_with = "bare")]
    bid_size: Decimal,
}

#[derive(Deserialize)]
struct Binance {
    data: Sides,
}

#[derive(Deserialize)]
struct Sides {
    bids: Levels,
    asks: Levels,
}

#[derive(Deserialize)]
struct Gateio {
    result: GateioBook,
}

#[derive(Deserialize)]
struct GateioBook {
    t: i64,
    bids: Levels,
    asks: Levels,
}

#[derive(Deserialize)]
struct Okx<'a> {
    #[serde(borrow)]
    arg: OkxChannel<'a>,
    action: Action,
    #[serde(borrow)]
    data: [OkxBook<'a>; 1],
}

#[derive(Deserialize)]
struct OkxChannel<'a> {
    #[serde(rename = "instId")]
    instrument: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OkxBook<'a> {
    asks: Vec<OkxLevel>,
    bids: Vec<OkxLevel>,
    ts: &'a str,
    seq_id: i64,
    prev_seq_id: i64,
}

/// Price, quantity, nothing, orders.
#[derive(Deserialize)]
struct OkxLevel(Decimal, Decimal, IgnoredAny, IgnoredAny);

#[derive(Deserialize)]
struct Bybit<'a> {
    #[serde(rename = "type")]
    action: Action,
    #[serde(borrow)]
    data: BybitBook<'a>,
    cts: i64,
}

#[derive(Deserialize)]
struct BybitBook<'a> {
    s: &'a str,
    b: Levels,
    a: Levels,
    u: i64,
}

#[derive(Deserialize)]
struct Kraken<'a> {
    #[serde(rename = "type")]
    action: Action,
    #[serde(borrow)]
    data: [KrakenBook<'a>; 1],
}

#[derive(Deserialize)]
struct KrakenBook<'a> {
    symbol: &'a str,
    bids: Vec<KrakenLevel>,
    asks: Vec<KrakenLevel>,
    checksum: i64,
    timestamp: &'a str,
}

#[derive(Deserialize)]
struct KrakenLevel {
    #[serde(deserialize_with = "bare")]
    price: Decimal,
    #[serde(deserialize_with = "bare")]
    qty: Decimal,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Action {
    Snapshot,
    #[serde(alias = "delta")]
    Update,
}

/// A number without quotes, by its text: by itself `rust_decimal` would be given a float, and print it to read it again.
fn bare<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let number = RawNumber::deserialize(deserializer)?;
    Decimal::from_str(number.as_str()).or_else(|_| Decimal::from_scientific(number.as_str())).map_err(D::Error::custom)
}

/// Envelope in, records out.
pub fn process(books: &mut Books, envelope: &[u8], timestamp_ms: i64) -> Vec<Record> {
    let Wire { region, market, symbol, data } = sonic_rs::from_slice(envelope).expect("an envelope is JSON");
    let envelope = Envelope::new(&region, &market, &symbol, timestamp_ms);
    let mut records = Vec::with_capacity(data.len());
    for text in data {
        records.extend(books.record(&envelope, &decode(&envelope.market, &text)));
    }
    records
}

fn decode(market: &str, text: &str) -> Frame {
    match market {
        "UPBIT" => {
            let Upbit { timestamp, orderbook_units } = read(text);
            let bids = orderbook_units.iter().map(|unit| (unit.bid_price, unit.bid_size)).collect();
            let asks = orderbook_units.iter().map(|unit| (unit.ask_price, unit.ask_size)).collect();
            Frame { time: Some(millis(timestamp)), ..whole(bids, asks) }
        }
        "BINANCE" => {
            let Binance { data: Sides { bids, asks } } = read(text);
            whole(bids, asks)
        }
        "GATEIO" => {
            let Gateio { result: GateioBook { t, bids, asks } } = read(text);
            Frame { time: Some(millis(t)), ..whole(bids, asks) }
        }
        "OKX" => {
            let Okx { arg, action, data: [OkxBook { asks, bids, ts, seq_id, prev_seq_id }] } = read(text);
            let levels = |side: Vec<OkxLevel>| side.into_iter().map(|OkxLevel(price, quantity, ..)| (price, quantity)).collect();
            Frame {
                snapshot: action == Action::Snapshot,
                time: ts.parse().ok().map(millis),
                sequence: Some((seq_id, prev_seq_id)),
                instrument: arg.instrument.to_owned(),
                ..whole(levels(bids), levels(asks))
            }
        }
        "BYBIT" => {
            let Bybit { action, data: BybitBook { s, b, a, u }, cts } = read(text);
            Frame {
                snapshot: action == Action::Snapshot || u == 1,
                time: Some(millis(cts)),
                sequence: Some((u, u - 1)),
                instrument: s.to_owned(),
                ..whole(b, a)
            }
        }
        _ => {
            let Kraken { action, data: [KrakenBook { symbol, bids, asks, checksum, timestamp }] } = read(text);
            let levels = |side: Vec<KrakenLevel>| side.into_iter().map(|level| (level.price, level.qty)).collect();
            Frame {
                snapshot: action == Action::Snapshot,
                time: EventTime::of_text(&Token::Text(timestamp.as_bytes().into()), 64),
                checksum: Some(checksum),
                instrument: symbol.to_owned(),
                ..whole(levels(bids), levels(asks))
            }
        }
    }
}

fn read<'t, T: Deserialize<'t>>(text: &'t str) -> T {
    sonic_rs::from_str(text).expect("a frame is JSON")
}

/// A frame that says no more than this.
const fn whole(bids: Levels, asks: Levels) -> Frame {
    Frame { snapshot: false, bids, asks, time: None, sequence: None, checksum: None, instrument: String::new() }
}

fn millis(millis: i64) -> EventTime {
    EventTime::from_micros(millis * 1_000)
}
