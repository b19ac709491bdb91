//! The drift alarm: keys of sampled frames that are not known, or that belong there and are missing. Exchanges change their frames without asking.

use std::collections::BTreeMap;

use serde_json::Value;

use super::recent::Feed;
use super::status::DriftRow;
use crate::exchange::known;
use crate::market::{Exchange, Kind};
use crate::observe::wall_millis;

/// How many keys are told of each feed; one that gets more has new frames altogether.
const KEYS_MAX: usize = 16;
/// How deep objects are looked into, and how much of an example is kept.
const DEPTH_MAX: usize = 6;
const EXAMPLE_BYTES_MAX: usize = 512;

/// How frames of one feed fared.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// How many were looked at.
    pub sampled: u64,
    /// How many of them drift.
    pub drifted: u64,
    keys: BTreeMap<(&'static str, String), Found>,
}

#[derive(Clone, Debug)]
struct Found {
    count: u64,
    first_seen_ms: i64,
    example: String,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Drift {
    feeds: BTreeMap<Feed, Seen>,
}

impl Drift {
    /// Looks at a frame that gives a record.
    pub fn look(&mut self, exchange: Exchange, kind: Kind, text: &str) {
        let Ok(frame) = serde_json::from_str::<Value>(text) else { return };
        let known = known(exchange, kind);
        let mut keys = Vec::new();
        collect(&frame, "", 0, &mut keys);
        let bare = |path: &str| path.rsplit('.').next().is_some_and(|key| known.has(key));
        let unknown = keys.iter().filter(|path| !bare(path)).map(|path| ("unknown", path.clone()));
        let is_there = |key: &&&str| keys.iter().any(|path| path.rsplit('.').next() == Some(**key));
        // The keys of levels are not there where there are no levels.
        let has_levels = !known.belong.contains(&"orderbook_units") || is_there(&&"ask_price");
        let belong = known.belong.iter().filter(|key| has_levels || **key == "orderbook_units");
        let missing = belong.filter(|key| !is_there(key)).map(|key| ("missing", (*key).to_owned()));
        let drifting: Vec<_> = unknown.chain(missing).collect();
        self.feeds.entry((exchange, kind)).or_default().note(drifting, text);
    }

    /// How the frames of a feed fared.
    #[must_use]
    pub fn seen(&self, exchange: Exchange, kind: Kind) -> (u64, u64) {
        self.feeds.get(&(exchange, kind)).map_or((0, 0), |seen| (seen.sampled, seen.drifted))
    }

    /// All keys that drift.
    #[must_use]
    pub fn rows(&self) -> Vec<DriftRow> {
        let row = |(exchange, kind): Feed, what: &'static str, key: &str, found: &Found| DriftRow {
            exchange: exchange.as_str(),
            kind: kind.as_str(),
            what,
            key: key.to_owned(),
            count: found.count,
            first_seen_ms: found.first_seen_ms,
            example: found.example.clone(),
        };
        self.feeds.iter().flat_map(|(&feed, seen)| seen.keys.iter().map(move |((what, key), found)| row(feed, what, key, found))).collect()
    }
}

impl Seen {
    fn note(&mut self, drifting: Vec<(&'static str, String)>, text: &str) {
        self.sampled += 1;
        self.drifted += u64::from(!drifting.is_empty());
        for key in drifting {
            let has_room = self.keys.len() < KEYS_MAX;
            match self.keys.get_mut(&key) {
                Some(found) => found.count += 1,
                None if has_room => {
                    let example = text.char_indices().take_while(|(at, c)| at + c.len_utf8() <= EXAMPLE_BYTES_MAX).map(|(_, c)| c).collect();
                    self.keys.insert(key, Found { count: 1, first_seen_ms: wall_millis(), example });
                }
                None => {}
            }
        }
    }
}

/// The keys of objects, each with those around it; of the objects in an array those of the first.
fn collect(value: &Value, around: &str, depth: usize, keys: &mut Vec<String>) {
    if depth > DEPTH_MAX {
        return;
    }
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let path = if around.is_empty() { key.clone() } else { format!("{around}.{key}") };
                collect(value, &path, depth + 1, keys);
                keys.push(path);
            }
        }
        Value::Array(items) => items.first().into_iter().for_each(|item| collect(item, around, depth + 1, keys)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_or_gone_is_counted_with_its_first_example() {
        let mut drift = Drift::default();
        let frame = |more: &str| {
            format!(r#"{{"arg":{{"channel":"tickers","instId":"X"}},"data":[{{"last":"1","open24h":"1","high24h":"1","low24h":"1","vol24h":"1"{more}}}]}}"#)
        };
        drift.look(Exchange::Okx, Kind::Ticker, &frame(r#","ts":"1""#));
        assert_eq!((drift.seen(Exchange::Okx, Kind::Ticker), drift.rows().len()), ((1, 0), 0));
        drift.look(Exchange::Okx, Kind::Ticker, &frame(r#","ts":"1","fee":{"maker":1}"#));
        drift.look(Exchange::Okx, Kind::Ticker, &frame(r#","ts":"2","fee":2"#));
        drift.look(Exchange::Okx, Kind::Ticker, &frame(""));
        let rows: Vec<_> = drift.rows().into_iter().map(|row| (row.what, row.key, row.count)).collect();
        assert_eq!(rows, [("missing", "ts".to_owned(), 1), ("unknown", "data.fee".to_owned(), 2), ("unknown", "data.fee.maker".to_owned(), 1)]);
        assert_eq!(drift.seen(Exchange::Okx, Kind::Ticker), (4, 3));
        assert!(drift.rows()[1].example.contains(r#""maker":1"#), "the first example is kept");
        drift.look(Exchange::Upbit, Kind::Orderbook, r#"{"orderbook_units":[]}"#);
        assert_eq!(drift.seen(Exchange::Upbit, Kind::Orderbook), (1, 0), "a book may be empty");
        for key in 0..100 {
            drift.look(Exchange::Upbit, Kind::Ticker, &format!(r#"{{"trade_price":1,"timestamp":1,"key{key}":"{}"}}"#, "\u{e9}".repeat(600)));
        }
        let of_upbit: Vec<_> = drift.rows().into_iter().filter(|row| row.exchange == "UPBIT").collect();
        assert!(of_upbit.len() == KEYS_MAX && of_upbit.iter().all(|row| row.example.len() <= EXAMPLE_BYTES_MAX));
    }
}
