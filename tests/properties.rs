//! The core against made-up feeds: what the feed's own model of the contract promises, and the same outcome in both spellings for frames that were
//! damaged on the way.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

#[path = "support/spellings.rs"]
mod spellings;

use std::sync::Arc;

use market_hub::batch::{Batch, Destination, Message};
use market_hub::feed::{Expected, Feed, Options, Spelling};
use market_hub::market::{Exchange, Kind};
use market_hub::rules::{BookMode, Rules};
use proptest::prelude::*;

/// Everything that can happen, often.
fn busy(spelling: Spelling) -> Options {
    Options {
        spelling,
        snapshot_every: 40,
        diff_percent: 40,
        gap_every: 67,
        stale_every: 23,
        control_every: 13,
        poison_every: 17,
        sparse_every: 7,
        depth: Some(10),
        ..Options::default()
    }
}

fn spelling() -> impl Strategy<Value = Spelling> {
    prop_oneof![Just(Spelling::Raw), Just(Spelling::Collector)]
}

fn exchange() -> impl Strategy<Value = Exchange> {
    prop::sample::select(Exchange::ALL.to_vec())
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(Kind::ALL.to_vec())
}

/// One damage to a text, at a place in `0..65536`ths of it.
#[derive(Clone, Debug)]
enum Damage {
    Remove(u16, usize),
    Insert(u16, String),
    Replace(u16, String),
    Repeat(u16, usize),
}

impl Damage {
    fn apply(&self, text: &mut String) {
        let place = |text: &str, at: u16| text.floor_char_boundary(text.len() * usize::from(at) / 65_536);
        let end = |text: &str, start: usize, length: usize| text.ceil_char_boundary((start + length).min(text.len()));
        match self {
            Self::Remove(at, length) => {
                let start = place(text, *at);
                text.replace_range(start..end(text, start, *length), "");
            }
            Self::Insert(at, what) => text.insert_str(place(text, *at), what),
            Self::Replace(at, what) => {
                let start = place(text, *at);
                text.replace_range(start..end(text, start, what.len()), what);
            }
            Self::Repeat(at, length) => {
                let start = place(text, *at);
                let part = text[start..end(text, start, *length)].to_owned();
                text.insert_str(start, &part);
            }
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    let words = prop::sample::select(vec![
        "\"", ",", "[", "]", "{", "}", ":", "null", "1e5", "-", ".", "\\", "\\u00e9", "\\ud800", " ", "\u{1}", "가", "9", "0", "true", "[[", "\"\"",
    ]);
    prop_oneof![
        (any::<u16>(), 0_usize..12).prop_map(|(at, length)| Damage::Remove(at, length)),
        (any::<u16>(), words.clone()).prop_map(|(at, word)| Damage::Insert(at, word.to_owned())),
        (any::<u16>(), words).prop_map(|(at, word)| Damage::Replace(at, word.to_owned())),
        (any::<u16>(), 0_usize..60).prop_map(|(at, length)| Damage::Repeat(at, length)),
    ]
}

proptest! {
    #[test]
    fn damaged_frames_have_one_outcome_in_both_spellings(
        (exchange, kind, spelling, seed) in (exchange(), kind(), spelling(), any::<u64>()),
        mode in prop::sample::select(vec![BookMode::Maintained, BookMode::Frame, BookMode::Hold]),
        damages in prop::collection::vec(prop::collection::vec(damage(), 0..3), 1..12),
    ) {
        let mut feed = Feed::new(seed, exchange, kind, busy(spelling));
        let frames: Vec<String> = damages.iter().map(|damages| {
            let mut frame = feed.frame();
            damages.iter().for_each(|damage| damage.apply(&mut frame));
            frame
        }).collect();
        let rules = Arc::new(Rules { book_mode: mode, ..Rules::default() });
        spellings::assert_same_outcome(exchange, kind, &rules, frames.iter().map(String::as_str));
    }
}

/// Enough envelopes for gaps, repetitions and snapshots of every coin.
const ENVELOPES: i64 = 60;

#[test]
fn feeds_become_what_their_model_promises() {
    let rules = Arc::new(Rules::default());
    for (exchange, kind) in Exchange::ALL.into_iter().flat_map(|exchange| Kind::ALL.map(|kind| (exchange, kind))) {
        for spelling in [Spelling::Raw, Spelling::Collector] {
            let mut feed = Feed::new(11, exchange, kind, busy(spelling));
            let mut lane = spellings::lane(exchange, kind, &rules);
            let (mut batch, mut value, mut expected) = (Batch::default(), Vec::new(), Vec::new());
            for index in 0..ENVELOPES {
                expected.clear();
                let timestamp_ms = 1_790_000_000_000 + index * 777;
                feed.next_envelope(1 + index as usize * 7 % 20, timestamp_ms, &mut value, &mut expected);
                let key = feed.key().to_owned();
                let input = market_hub::lane::Input { timestamp_ms, key: Some(key.as_bytes()), ..spellings::input(index, &value) };
                batch.clear(1 << 20);
                lane.process(&input, &mut batch);
                check(&batch, &expected, &key, timestamp_ms, &format!("{exchange} {kind:?} {spelling:?}, envelope {index}"));
            }
        }
    }
}

/// The messages of one envelope are what is expected of its frames.
fn check(batch: &Batch, expected: &[Expected], key: &str, timestamp_ms: i64, place: &str) {
    let mut messages = batch.messages();
    let header = |message: &Message<'_>, name: &str| message.headers().find(|header| header.0 == name).map(|header| text(header.1));
    for outcome in expected {
        match outcome {
            Expected::Control | Expected::Stale => {}
            Expected::Record { key, timestamp_ms, unverified, value } => {
                let message = messages.next().unwrap();
                assert_eq!((message.destination, text(message.value)), (Destination::Output, value.clone()), "{place}");
                assert_eq!((text(message.key), message.timestamp_ms), (key.clone(), *timestamp_ms), "{place}");
                assert_eq!(header(&message, "book-state"), unverified.then(|| "unverified".to_owned()), "{place}");
            }
            Expected::DeadLetter { reason, frame, value } => {
                let message = messages.next().unwrap();
                assert_eq!((message.destination, text(message.value)), (Destination::DeadLetter, value.clone()), "{place}");
                assert_eq!((text(message.key), message.timestamp_ms), (key.to_owned(), timestamp_ms), "{place}");
                assert_eq!(header(&message, "hub.reason").as_deref(), Some(*reason), "{place}: {value}");
                assert_eq!(header(&message, "hub.frame"), Some(frame.to_string()), "{place}");
            }
        }
    }
    assert!(messages.next().is_none(), "{place}");
}

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8(bytes.unwrap().to_vec()).unwrap()
}
