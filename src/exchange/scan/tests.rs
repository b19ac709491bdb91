//! The scanner against the general reader: what it accepts is what the general reader accepts, and it reads the same.

use crate::book::Frame;
use crate::envelope::{self, Item};
#[cfg(target_arch = "x86_64")]
use crate::exchange::book_layouts;
use crate::exchange::{Decoded, read_book, scan_book};
use crate::market::Exchange::{self, Binance, Bithumb, Bybit, Coinone, Gateio, Korbit, Kraken, Okx, Upbit};
use crate::rules::{Limits, Rules, Scanner};
use proptest::prelude::*;

/// Frames that the scanner must know, without white space.
const KNOWN: [(Exchange, &str); 21] = [
    (
        Upbit,
        r#"{"type":"orderbook","code":"KRW-A","timestamp":1700000000123,"total_ask_size":1.83604250,"total_bid_size":5.1e-05,"orderbook_units":[{"ask_price":1.16539E8,"bid_price":116538000.0,"ask_size":0.02054761,"bid_size":0E-8},{"ask_price":0,"bid_price":12345678901,"ask_size":5.1e-05,"bid_size":1.5}],"stream_type":"REALTIME","level":0}"#,
    ),
    (Upbit, r#"{"type":"orderbook","code":"KRW-A","timestamp":1700000000123,"orderbook_units":[]}"#),
    (
        Bithumb,
        r#"{"type":"orderbook","code":"KRW-A","total_ask_size":95088751392.9099200000000000,"total_bid_size":-1,"orderbook_units":[{"ask_price":3715000,"bid_price":3714000,"ask_size":8.4592,"bid_size":0}],"level":1,"timestamp":1700000000123456,"stream_type":"REALTIME"}"#,
    ),
    (
        Coinone,
        r#"{"response_type":"DATA","channel":"ORDERBOOK","data":{"quote_currency":"KRW","target_currency":"A","timestamp":1700000000123,"id":"17","asks":[{"price":"116460000","qty":"0.0232"}],"bids":[{"price":"1","qty":"1e-5"},{"price":"2","qty":"0"}]}}"#,
    ),
    (
        Korbit,
        r#"{"symbol":"a_krw","timestamp":1700000000999,"type":"orderbook","snapshot":true,"data":{"timestamp":0,"asks":[{"price":"1","qty":"2"}],"bids":[]}}"#,
    ),
    (Korbit, r#"{"symbol":"a_krw","timestamp":1700000000999,"type":"orderbook","data":{"timestamp":1700000000123,"asks":[],"bids":[]}}"#),
    (
        Okx,
        r#"{"arg":{"channel":"books","instId":"A-B"},"action":"update","data":[{"asks":[["78853.3","0.00002056","0","2"],["78854","0","0","0"]],"bids":[],"ts":"1700000000123","checksum":-12,"seqId":80274874895,"prevSeqId":80274874887}]}"#,
    ),
    (
        Okx,
        r#"{"arg":{"channel":"books","instId":"A-B"},"action":"snapshot","data":[{"asks":[],"bids":[["0.001","1031","0","3"]],"ts":"1700000000123","checksum":0,"seqId":5,"prevSeqId":-1}]}"#,
    ),
    (Okx, r#"{"action":"snapshot","data":[{"asks":[],"bids":[]}]}"#),
    (
        Bybit,
        r#"{"topic":"orderbook.50.AB","ts":1700000000124,"type":"delta","data":{"s":"AB","b":[["28161.04","0.177474"],["28145.71","0"]],"a":[],"u":59438061,"seq":4281282232},"cts":1700000000123}"#,
    ),
    (Bybit, r#"{"topic":"orderbook.50.AB","ts":1700000000124,"type":"snapshot","data":{"s":"AB","b":[],"a":[["1","2"]],"u":7,"seq":8}}"#),
    (Bybit, r#"{"type":"delta","data":{"b":[],"a":[],"u":1},"cts":0}"#),
    (
        Gateio,
        r#"{"time":1700000000,"time_ms":1700000000125,"channel":"spot.order_book","event":"update","result":{"t":1700000000124,"lastUpdateId":40013700725,"s":"A_B","l":"100","bids":[["84005.6","0.035056"]],"asks":[["84005.7","0.115252"]]}}"#,
    ),
    (Gateio, r#"{"time":1700000000,"channel":"spot.order_book","event":"update","result":{"s":"A_B","bids":[],"asks":[]}}"#),
    (
        Binance,
        r#"{"stream":"ab@depth20","data":{"lastUpdateId":17044571457,"bids":[["1782.00000000","6.48300000"],["1781.95000000","0.03000000"]],"asks":[["1782.01000000","15.46080000"]]}}"#,
    ),
    (Binance, r#"{"lastUpdateId":17044571457,"bids":[],"asks":[["99999999999999999999.123456789012345678","0"]]}"#),
    (
        Binance,
        r#"{"stream":"ab@depth@100ms","data":{"e":"depthUpdate","E":1700000000123,"s":"AB","U":236531260,"u":236531261,"b":[["1.31200000","0.00000000"]],"a":[]}}"#,
    ),
    (Binance, r#"{"e":"depthUpdate","E":"1700000000123","s":"AB","u":-1,"b":[],"a":[]}"#),
    (
        Kraken,
        r#"{"channel":"book","type":"update","data":[{"symbol":"A/B","bids":[],"asks":[{"price":63006.4,"qty":0.00005100},{"price":63006.5,"qty":5.1e-05}],"checksum":1820162136,"timestamp":"2026-08-01T02:54:31.021934Z"}]}"#,
    ),
    (Kraken, r#"{"channel":"book","type":"snapshot","data":[{"symbol":"A/B","bids":[{"price":1,"qty":2.50}],"asks":[],"checksum":0}]}"#),
    (Kraken, r#"{"type":"snapshot","data":[{"bids":[],"asks":[]}]}"#),
];

/// The frame as it stands in an envelope, as a string or inline, with a space behind commas and colons or without.
fn spelled(frame: &str, is_quoted: bool, is_spaced: bool) -> String {
    let mut text = String::new();
    let mut in_string = false;
    for c in frame.chars() {
        in_string ^= c == '"';
        text.push(c);
        if is_spaced && !in_string && matches!(c, ',' | ':') {
            text.push(' ');
        }
    }
    if is_quoted { serde_json::to_string(&text).unwrap() } else { text }
}

fn item(text: &str, is_quoted: bool) -> Item<'_> {
    if is_quoted { Item::Quoted(text.as_bytes()) } else { Item::Inline { bytes: text.as_bytes(), depth: 5 } }
}

fn general(exchange: Exchange, frame: &str, limits: &Limits) -> Option<Frame> {
    let mut book = Frame::default();
    (read_book(exchange, frame, limits, &mut book) == Ok(Decoded::Data(()))).then_some(book)
}

/// As every machine reads it; all must read it alike.
fn scanned(exchange: Exchange, item: &Item<'_>, limits: &Limits) -> Option<Frame> {
    let [here, portable] = [Scanner::On, Scanner::Portable].map(|scanner| {
        let mut book = Frame::default();
        scan_book(exchange, item, &Rules { limits: *limits, scanner, ..Rules::default() }, &mut book).then_some(book)
    });
    assert_eq!(here, portable, "{item:?}");
    // The one in the middle, where this machine has more.
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = crate::machine::Avx2::detect() {
        let mut book = Frame::default();
        let read = super::read_on(avx2, book_layouts(exchange), item, limits, &mut book).then_some(book);
        assert_eq!(read, portable, "{item:?}");
    }
    here
}

#[test]
fn frames_are_known_in_every_spelling() {
    let limits = Limits::default();
    for (exchange, frame) in KNOWN {
        let expected = general(exchange, frame, &limits);
        assert!(expected.is_some(), "{frame}");
        for (is_quoted, is_spaced) in [(false, false), (false, true), (true, false), (true, true)] {
            let text = spelled(frame, is_quoted, is_spaced);
            assert_eq!(scanned(exchange, &item(&text, is_quoted), &limits), expected, "{text}");
        }
    }
}

#[test]
fn bounds_are_left_to_the_general_reader() {
    let default = Limits::default();
    for (exchange, frame) in KNOWN {
        for limits in [Limits { depth: 4, ..default }, Limits { number_chars: 18, ..default }, Limits { frame_bytes: frame.len() - 1, ..default }] {
            assert_eq!(scanned(exchange, &item(frame, false), &limits), None, "{frame}");
        }
        let limits = Limits { levels: 1, frame_bytes: frame.len(), ..default };
        assert_eq!(scanned(exchange, &item(frame, false), &limits), general(exchange, frame, &limits), "{frame}");
    }
    let long = r#"{"lastUpdateId":1,"bids":[],"asks":[["1.00000000000000000000","0"]]}"#;
    for number_chars in [21, 22] {
        let limits = Limits { number_chars, ..default };
        assert_eq!(scanned(Binance, &item(long, false), &limits), general(Binance, long, &limits));
    }
}

/// What may happen to a text on its way.
#[derive(Clone, Debug)]
enum Damage {
    /// So many bytes at a place become a piece.
    Replace(usize, usize, &'static str),
    /// One bit of a byte turns.
    Flip(usize, u8),
    /// So many bytes from one place come again at another: a key twice, members in another order.
    Repeat(usize, usize, usize),
    /// What follows is lost.
    Cut(usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        6 => (0_usize..600, 0_usize..4, piece()).prop_map(|(at, length, piece)| Damage::Replace(at, length, piece)),
        3 => (0_usize..600, 0_u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        3 => (0_usize..600, 1_usize..60, 0_usize..600).prop_map(|(at, length, to)| Damage::Repeat(at, length, to)),
        1 => (0_usize..600).prop_map(Damage::Cut),
    ]
}

impl Damage {
    fn apply(&self, text: &mut Vec<u8>) {
        let size = text.len();
        if size == 0 {
            return;
        }
        match *self {
            Self::Replace(at, length, piece) => drop(text.splice(at % size..(at % size + length).min(text.len()), piece.bytes())),
            Self::Flip(at, bit) => text[at % size] ^= 1 << bit,
            Self::Repeat(at, length, to) => {
                let part = text[at % size..(at % size + length).min(text.len())].to_vec();
                drop(text.splice(to % size..to % size, part));
            }
            Self::Cut(at) => text.truncate(at % size),
        }
    }
}

/// A piece of text that may stand in the way.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "\"",
        ",",
        "[",
        "]",
        "{",
        "}",
        ":",
        "null",
        "e5",
        "-",
        ".",
        " ",
        "\t",
        "0",
        "00",
        "9",
        "1234567890123456789",
        "\"price\":",
        "[]",
        "\"\"",
        "true",
        "x",
        "e-05",
        "E+3",
        "1e400",
        "00000000000000000000",
        "123456789.123456789012345678901234567890",
        "\\",
        "\\\"",
        "\\u0030",
        "\\/",
        "/",
        "\u{e9}",
        "\"timestamp\":1,",
        "\"ts\":\"1\",",
    ])
}

/// Few where every instruction is interpreted.
const CASES: u32 = if cfg!(miri) { 40 } else { 4_000 };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    /// Byte by byte, in the envelope: what is not UTF-8 or no string any more does not come so far.
    #[test]
    fn a_damaged_item_is_read_alike(
        (exchange, frame) in prop::sample::select(KNOWN.to_vec()),
        (is_quoted, is_spaced) in any::<(bool, bool)>(),
        damages in prop::collection::vec(damage(), 1..4),
    ) {
        let mut text = spelled(frame, is_quoted, is_spaced).into_bytes();
        damages.iter().for_each(|damage| damage.apply(&mut text));
        let head = format!(r#"{{"region":"{}","market":"{exchange}","symbol":"A","data":["#, exchange.region().as_str());
        let envelope = [head.as_bytes(), &text, b"]}"].concat();
        let (limits, mut reader, mut space) = (Limits::default(), envelope::Reader::default(), Vec::new());
        for item in reader.read(&envelope, &limits).iter().flat_map(|envelope| envelope.items()) {
            if let Some(book) = scanned(exchange, &item, &limits) {
                let text = std::str::from_utf8(item.bytes(&mut space)).unwrap();
                prop_assert_eq!(Some(book), general(exchange, text, &limits), "{}", text);
            }
        }
    }

    #[test]
    fn what_it_accepts_the_general_reader_reads_alike(
        (exchange, frame) in prop::sample::select(KNOWN.to_vec()),
        is_spaced: bool,
        edits in prop::collection::vec((0_usize..500, 0_usize..4, piece()), 1..3),
    ) {
        let mut text = spelled(frame, false, is_spaced);
        for (at, length, piece) in edits {
            // An edit before this one may have put a character of two bytes there.
            let start = text.floor_char_boundary(at % text.len());
            text.replace_range(start..text.ceil_char_boundary(start + length), piece);
        }
        let limits = Limits::default();
        let (quoted, expected) = (serde_json::to_string(&text).unwrap(), general(exchange, &text, &limits));
        let inline = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok() && !text.ends_with([' ', '\t']);
        for (is_there, text) in [(true, &quoted), (inline, &text)] {
            let is_quoted = text == &quoted;
            if is_there && let Some(book) = scanned(exchange, &item(text, is_quoted), &limits) {
                prop_assert_eq!(Some(book), expected.clone(), "{}", text);
            }
        }
    }
}
