//! What the hub is measured against: the same records by `serde_json::Value`.
//!
//! It knows the six kinds of frame that are measured and nothing of bounds, noise, tickers or dead letters, all of which the hub has to think of. Bare
//! numbers go through a 64-bit float, as they do in `serde_json` unless asked otherwise; with the 15 digits at most that the data has, its shortest
//! text is exact.

use std::str::FromStr as _;

use market_hub::event_time::EventTime;
use market_hub::json::Token;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::books::{Books, Envelope, Frame, Levels, Record};

/// Envelope in, records out.
pub fn process(books: &mut Books, envelope: &[u8], timestamp_ms: i64) -> Vec<Record> {
    let json: Value = serde_json::from_slice(envelope).expect("an envelope is JSON");
    let envelope = Envelope::new(text(&json["region"]), text(&json["market"]), text(&json["symbol"]), timestamp_ms);
    let items = json["data"].as_array().expect("data is a list");
    let mut records = Vec::with_capacity(items.len());
    for item in items {
        let json: Value = serde_json::from_str(text(item)).expect("a frame is JSON");
        records.extend(books.record(&envelope, &decode(&envelope.market, &json)));
    }
    records
}

/// Levels in the frames of an envelope.
pub fn count_levels(envelope: &[u8]) -> usize {
    let envelope: Value = serde_json::from_slice(envelope).expect("an envelope is JSON");
    let items = envelope["data"].as_array().expect("data is a list");
    let frames = items.iter().map(|item| decode(text(&envelope["market"]), &serde_json::from_str(text(item)).expect("a frame is JSON")));
    frames.map(|frame| frame.bids.len() + frame.asks.len()).sum()
}

fn decode(market: &str, frame: &Value) -> Frame {
    let data = match market {
        "UPBIT" => frame,
        "GATEIO" => &frame["result"],
        "OKX" | "KRAKEN" => &frame["data"][0],
        _ => &frame["data"],
    };
    let (bids, asks) = match market {
        "UPBIT" => (levels(&data["orderbook_units"], "bid_price", "bid_size"), levels(&data["orderbook_units"], "ask_price", "ask_size")),
        "KRAKEN" => (levels(&data["bids"], "price", "qty"), levels(&data["asks"], "price", "qty")),
        "BYBIT" => (levels(&data["b"], 0, 1), levels(&data["a"], 0, 1)),
        _ => (levels(&data["bids"], 0, 1), levels(&data["asks"], 0, 1)),
    };
    let time = match market {
        "UPBIT" => millis(&frame["timestamp"]),
        "GATEIO" => millis(&data["t"]),
        "OKX" => millis(&data["ts"]),
        "BYBIT" => millis(&frame["cts"]),
        "KRAKEN" => EventTime::of_text(&Token::Text(text(&data["timestamp"]).as_bytes().into()), 64),
        _ => None,
    };
    let instrument = match market {
        "OKX" => text(&frame["arg"]["instId"]),
        "BYBIT" => text(&data["s"]),
        "KRAKEN" => text(&data["symbol"]),
        _ => "",
    };
    let word = if market == "OKX" { &frame["action"] } else { &frame["type"] };
    Frame {
        snapshot: word == "snapshot" || data["u"] == 1,
        bids,
        asks,
        time,
        sequence: match market {
            "OKX" => data["seqId"].as_i64().zip(data["prevSeqId"].as_i64()),
            "BYBIT" => data["u"].as_i64().map(|own| (own, own - 1)),
            _ => None,
        },
        checksum: data["checksum"].as_i64(),
        instrument: instrument.to_owned(),
    }
}

/// The levels of one side: price and quantity stand at these keys of an object, or at these places of a list.
fn levels<I: serde_json::value::Index + Copy>(side: &Value, price: I, quantity: I) -> Levels {
    let side = side.as_array().expect("a side is a list");
    side.iter().map(|level| (number(&level[price]), number(&level[quantity]))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn millis(value: &Value) -> Option<EventTime> {
    let millis = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
    Some(EventTime::from_micros(millis * 1_000))
}

fn number(value: &Value) -> Decimal {
    match value {
        Value::String(text) => Decimal::from_str(text),
        other => {
            let text = other.to_string();
            if text.contains('e') { Decimal::from_scientific(&text) } else { Decimal::from_str(&text) }
        }
    }
    .expect("a number")
}
