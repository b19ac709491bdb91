//! What every feed promises, whatever its exchange and kind.

use super::*;

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
        ..Options::default()
    }
}

fn lanes() -> impl Iterator<Item = (Exchange, Kind)> {
    Exchange::ALL.into_iter().flat_map(|exchange| Kind::ALL.map(|kind| (exchange, kind)))
}

/// Envelopes of 1 to 20 frames, each with its timestamp, key, text and outcomes.
fn run(seed: u64, exchange: Exchange, kind: Kind, options: Options, envelopes: usize) -> Vec<(i64, String, String, Vec<Expected>)> {
    let mut feed = Feed::new(seed, exchange, kind, options);
    let mut value = Vec::new();
    (0..envelopes)
        .map(|index| {
            let (timestamp_ms, mut expected) = (1_790_000_000_000 + index as i64 * 777, Vec::new());
            feed.next_envelope(1 + index * 7 % 20, timestamp_ms, &mut value, &mut expected);
            (timestamp_ms, feed.key().to_owned(), String::from_utf8(value.clone()).expect("UTF-8"), expected)
        })
        .collect()
}

#[test]
fn a_seed_says_everything() {
    for (exchange, kind) in lanes() {
        let once = run(5, exchange, kind, busy(Spelling::Collector), 12);
        assert_eq!(once, run(5, exchange, kind, busy(Spelling::Collector), 12));
        assert_ne!(once, run(6, exchange, kind, busy(Spelling::Collector), 12));
    }
}

#[test]
fn envelopes_and_frames_are_json_unless_poisoned() {
    for (exchange, kind) in lanes() {
        for spelling in [Spelling::Raw, Spelling::Collector] {
            for (_, key, text, expected) in run(1, exchange, kind, busy(spelling), 30) {
                let envelope: serde_json::Value = serde_json::from_str(&text).expect("an envelope is JSON");
                let frames = envelope["data"].as_array().expect("a list");
                assert_eq!(frames.len(), expected.len());
                let market = envelope["market"].as_str().expect("a text");
                assert_eq!(Exchange::parse(market), Some(exchange));
                assert_eq!(key, format!("\"{market}:{}-{}\"", kind.as_str(), envelope["symbol"].as_str().expect("a text")));
                for (frame, outcome) in frames.iter().zip(&expected) {
                    let frame = frame.as_str().expect("a text");
                    let parsed = serde_json::from_str::<serde_json::Value>(frame);
                    match outcome {
                        Expected::Record { value, .. } => {
                            assert!(parsed.is_ok(), "{frame}");
                            assert!(serde_json::from_str::<serde_json::Value>(value).is_ok(), "{value}");
                        }
                        Expected::Stale => assert!(parsed.is_ok(), "{frame}"),
                        Expected::Control => assert!(parsed.is_ok() || ["pong", "PING"].contains(&frame), "{frame}"),
                        Expected::DeadLetter { reason, value, .. } => {
                            assert_eq!(parsed.is_err(), matches!(*reason, "json" | "depth"), "{frame}");
                            assert_eq!(value, frame);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn every_outcome_comes_up_where_it_can() {
    for (exchange, kind) in lanes() {
        let outcomes: Vec<_> = run(2, exchange, kind, busy(Spelling::Collector), 60).into_iter().flat_map(|(.., expected)| expected).collect();
        let some = |wanted: fn(&Expected) -> bool| outcomes.iter().any(wanted);
        assert!(some(|outcome| matches!(outcome, Expected::Control)));
        for reason in ["json", "depth", "number", "missing", "shape"] {
            assert!(outcomes.iter().any(|outcome| matches!(outcome, Expected::DeadLetter { reason: own, .. } if *own == reason)), "{exchange} {reason}");
        }
        let book = kind == Kind::Orderbook;
        let numbered = book && matches!(exchange, Exchange::Okx | Exchange::Bybit | Exchange::Binance);
        assert_eq!(some(|outcome| *outcome == Expected::Stale), numbered, "{exchange} {kind:?}");
        let doubted = book && (numbered || exchange == Exchange::Kraken);
        assert_eq!(some(|outcome| matches!(outcome, Expected::Record { unverified: true, .. })), doubted, "{exchange} {kind:?}");
        assert!(some(|outcome| matches!(outcome, Expected::Record { unverified: false, .. })));
    }
}

#[test]
fn live_books_are_never_crossed_and_have_their_depth() {
    for exchange in Exchange::ALL {
        let options = Options { spelling: Spelling::Raw, symbols: 7, ..Options::default() };
        for (.., expected) in run(3, exchange, Kind::Orderbook, options, 42) {
            for outcome in expected {
                let Expected::Record { value, unverified, .. } = outcome else { panic!("a calm feed has records only: {outcome:?}") };
                assert!(!unverified);
                let record: serde_json::Value = serde_json::from_str(&value).expect("JSON");
                let spread = &record["spread"];
                assert!(spread.is_null() || spread.as_f64().expect("a number") > 0.0, "{value}");
            }
        }
    }
}

#[test]
fn a_lost_delta_makes_records_unverified_until_the_next_snapshot() {
    for exchange in [Exchange::Okx, Exchange::Bybit] {
        let options = Options { symbols: 1, snapshot_every: 30, gap_every: 10, ..Options::default() };
        let doubts: Vec<bool> = run(4, exchange, Kind::Orderbook, options, 12)
            .into_iter()
            .flat_map(|(.., expected)| expected)
            .map(|outcome| matches!(outcome, Expected::Record { unverified: true, .. }))
            .collect();
        // Frame 0 is the snapshot; deltas are lost before frames 9 and 19, and they count among the 30.
        assert!(!doubts[..9].contains(&true), "{doubts:?}");
        assert!(!doubts[9..29].contains(&false), "{doubts:?}");
        assert!(!doubts[29], "{doubts:?}");
    }
}

#[test]
fn frames_alone_take_turns_among_the_coins() {
    let mut feed = Feed::new(9, Exchange::Okx, Kind::Orderbook, Options { spelling: Spelling::Raw, depth: Some(5), ..Options::default() });
    for symbol in ["BTC", "ETH", "XRP", "BTC"] {
        assert!(feed.frame().contains(&format!("\"instId\":\"{symbol}-USDT\"")));
        assert_eq!(feed.symbol(), symbol);
    }
    assert_eq!(feed.key(), "\"OKX:orderbook-BTC\"");
}
