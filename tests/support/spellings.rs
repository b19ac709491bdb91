//! One property of the core, for property tests and fuzzers: a frame gives the same messages whether it stands in its envelope as an escaped string, as
//! the collector writes it, or inline as the object itself, and whether order books are scanned, with AVX2 or without, or not; and every frame is accounted for.

use std::sync::Arc;

use market_hub::batch::Batch;
use market_hub::lane::{Input, Lane};
use market_hub::market::{Exchange, Kind, Stream};
use market_hub::rules::{Rules, Scanner};

/// An input record without headers.
pub fn input(offset: i64, value: &[u8]) -> Input<'_> {
    Input { offset, timestamp_ms: 1_790_000_000_000, now_micros: 0, key: Some(b"key"), value: Some(value), headers: &[] }
}

/// The lane on which `exchange` is expected.
pub fn lane(exchange: Exchange, kind: Kind, rules: &Arc<Rules>) -> Lane {
    let stream = Stream { region: exchange.region(), kind };
    Lane::new(stream, exchange.partition(), stream.input_topic(), Arc::clone(rules))
}

/// Every frame is a record, noise, stale, held back or a dead letter, and the batch has the messages that are counted.
pub fn assert_adds_up(lane: &Lane, batch: &Batch) {
    let counts = lane.counts();
    let rejected_frames = counts.dead_letters() - counts.rejected_envelopes;
    assert_eq!(counts.frames, counts.settled_frames() + rejected_frames, "{counts:?}");
    assert_eq!(batch.len() as u64, counts.records.iter().sum::<u64>() + counts.dead_letters(), "{counts:?}");
    assert!(counts.unverified.iter().zip(counts.records).all(|(&part, all)| part <= all), "{counts:?}");
    for message in batch.messages() {
        for (name, _) in message.headers() {
            assert!(name == "book-state" || name.starts_with("hub.") || name.starts_with("__connect.errors."), "{name}");
        }
    }
}

/// Processes the frames one after the other, in both spellings where they have both, with the scanner and without.
pub fn assert_same_outcome<'f>(exchange: Exchange, kind: Kind, rules: &Arc<Rules>, frames: impl Iterator<Item = &'f str>) {
    let lanes = |scanner| {
        let rules = Arc::new(Rules { scanner, ..Rules::clone(rules) });
        [0; 2].map(|_| (lane(exchange, kind, &rules), Batch::default()))
    };
    let mut runs = [Scanner::On, Scanner::Portable, Scanner::Off].map(lanes);
    for (offset, frame) in frames.enumerate() {
        // White space around an object is no part of it when it stands inline.
        let frame = frame.trim_matches([' ', '\n', '\r', '\t']);
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(frame).is_ok();
        let string = serde_json::Value::from(frame).to_string();
        // Text that is not JSON would break the envelope, and a string that stands inline is the frame in it.
        let itself = if is_json && !frame.starts_with('"') { frame } else { &string };
        let envelopes = [string.as_str(), itself]
            .map(|item| format!(r#"{{"region":"{}","market":"{exchange}","symbol":"BTC","data":[{item}]}}"#, exchange.region().as_str()));
        for lanes in &mut runs {
            for ((lane, batch), envelope) in lanes.iter_mut().zip(&envelopes) {
                lane.process(&input(offset as i64, envelope.as_bytes()), batch);
            }
        }
    }
    let [(lane, batch), others @ ..] = runs.as_flattened() else { unreachable!("there are six") };
    assert_adds_up(lane, batch);
    others.iter().for_each(|(other_lane, other_batch)| {
        assert_eq!(lane.counts(), other_lane.counts());
        assert_same(batch, other_batch);
    });
}

fn assert_same(one: &Batch, other: &Batch) {
    for (one, other) in one.messages().zip(other.messages()) {
        let parts = |message: &market_hub::batch::Message<'_>| (message.destination, message.timestamp_ms, message.key.map(<[u8]>::to_vec));
        assert_eq!(parts(&one), parts(&other));
        let text = |value: Option<&[u8]>| value.map(|value| String::from_utf8_lossy(value).into_owned());
        assert_eq!(text(one.value), text(other.value));
        assert!(one.headers().eq(other.headers()), "headers of {:?}", text(one.value));
    }
    assert!(one == other, "the batches differ in nothing");
}
