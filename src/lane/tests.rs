//! What a lane makes of whole envelopes; what single frames become is tested beside each exchange.

use super::*;
use crate::batch::Message;
use crate::market::Region;
use proptest::prelude::*;

const NOW_MS: i64 = 1_700_000_000_000;

fn lane(exchange: Exchange, kind: Kind, rules: Rules) -> Lane {
    let stream = Stream { region: exchange.region(), kind };
    Lane::new(stream, exchange.partition(), stream.input_topic(), Arc::new(rules))
}

fn envelope(exchange: Exchange, frames: &[&str]) -> String {
    format!(r#"{{"region":"{}","market":"{exchange}","symbol":"btc","data":[{}]}}"#, exchange.region().as_str(), frames.join(","))
}

fn input(value: &str, timestamp_ms: i64) -> Input<'_> {
    Input { offset: 7, timestamp_ms, now_micros: 42, key: Some(b"k"), value: Some(value.as_bytes()), headers: &[] }
}

fn process(lane: &mut Lane, exchange: Exchange, frames: &[&str]) -> Batch {
    let mut batch = Batch::default();
    lane.process(&input(&envelope(exchange, frames), NOW_MS), &mut batch);
    batch
}

fn text(bytes: Option<&[u8]>) -> String {
    bytes.map_or_else(|| "-".to_owned(), |bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn headers(message: &Message<'_>) -> Vec<String> {
    message.headers().map(|(name, value)| format!("{name}={}", text(value))).collect()
}

fn assert_adds_up(counts: &Counts) {
    assert_eq!(counts.frames, counts.settled_frames() + counts.dead_letters() - counts.rejected_envelopes, "{counts:?}");
}

const SNAPSHOT: &str = r#"{"topic":"o","ts":1700000000001,"type":"snapshot","data":{"s":"X","b":[["5","1"],["4","2"]],"a":[["6","3"]],"u":10}}"#;
const NEXT: &str = r#"{"topic":"o","ts":1700000000002,"type":"delta","data":{"s":"X","b":[["5","0"]],"a":[],"u":11}}"#;
const LATER: &str = r#"{"topic":"o","ts":1700000000003,"type":"delta","data":{"s":"X","b":[["7","1"]],"a":[],"u":13}}"#;

#[test]
fn every_item_is_accounted_for() {
    let mut lane = lane(Exchange::Bybit, Kind::Orderbook, Rules::default());
    let batch = process(&mut lane, Exchange::Bybit, &[SNAPSHOT, r#""PoNg""#, "5", NEXT, NEXT, LATER, r#"{"op":"x"}"#, r#"" ping""#, r#""\ud800""#]);
    let counts = lane.counts();
    assert_adds_up(counts);
    let bybit = Exchange::Bybit as usize;
    assert_eq!((counts.envelopes, counts.frames, counts.records[bybit], counts.control[bybit], counts.stale[bybit]), (1, 9, 3, 2, 1));
    assert_eq!((counts.unverified[bybit], counts.gaps[bybit], counts.crossed[bybit], counts.misplaced), (1, 1, 0, 0));
    let rejected = [Reason::Shape, Reason::Json, Reason::Utf8].map(|reason| counts.rejected[reason as usize]);
    assert_eq!((rejected, counts.dead_letters()), ([1, 1, 1], 3));
    let values: Vec<_> = batch.messages().map(|message| (message.destination == Destination::Output, text(message.key))).collect();
    let (record, letter) = ((true, "BYBIT:BTC".to_owned()), (false, "k".to_owned()));
    assert_eq!(values, [&record, &letter, &record, &record, &letter, &letter].map(Clone::clone), "in the order of the items");
    let places: Vec<_> = batch.messages().map(|message| (message.place.offset, message.place.frame)).collect();
    assert_eq!(places, [0, 2, 3, 5, 7, 8].map(|frame| (7, Some(frame))), "each says which item it came from");
    assert_eq!(batch.message(5).value, Some(b"\xed\xa0\x80".as_slice()), "a lone surrogate keeps its three bytes");
    process(&mut lane, Exchange::Bybit, &[]);
    assert_eq!((lane.counts().envelopes, lane.counts().frames), (2, 9), "no items are nothing to do");
}

#[test]
fn a_book_that_misses_frames_says_so_and_with_hold_is_silent() {
    let bybit = Exchange::Bybit as usize;
    let shown = |mode: BookMode| {
        let mut lane = lane(Exchange::Bybit, Kind::Orderbook, Rules { book_mode: mode, ..Rules::default() });
        let batch = process(&mut lane, Exchange::Bybit, &[SNAPSHOT, NEXT, LATER, NEXT]);
        assert_adds_up(lane.counts());
        let records = batch.messages().map(|message| {
            let value: serde_json::Value = serde_json::from_slice(message.value.unwrap()).unwrap();
            format!("{} {} {}", value["highest_bid"], value["lowest_ask"], headers(&message).join(" ")).trim_end().to_owned()
        });
        let counts = lane.counts();
        (records.collect::<Vec<_>>(), [counts.stale[bybit], counts.held[bybit], counts.unverified[bybit], counts.gaps[bybit]])
    };
    let live = ["5.0 6.0", "4.0 6.0"].map(str::to_owned);
    let (records, counts) = shown(BookMode::Maintained);
    assert_eq!((&records[..2], records[2].as_str(), counts), (&live[..], "7.0 null book-state=unverified", [1, 0, 1, 1]), "what the gap left is crossed away");
    assert_eq!(shown(BookMode::Hold), (live.to_vec(), [1, 1, 0, 1]));
    let each = ["5.0 6.0", "null null", "7.0 null", "null null"].map(str::to_owned).to_vec();
    assert_eq!(shown(BookMode::Frame), (each, [0; 4]), "every frame is the whole book: no gap, no stale, no header");
}

#[test]
fn books_are_kept_by_symbol_and_instrument() {
    let mut lane = lane(Exchange::Bybit, Kind::Orderbook, Rules::default());
    process(&mut lane, Exchange::Bybit, &[SNAPSHOT]);
    let other = NEXT.replace(r#""s":"X""#, r#""s":"Y""#);
    let unnamed = NEXT.replace(r#""s":"X","#, "");
    let batch = process(&mut lane, Exchange::Bybit, &[&other, &unnamed, NEXT]);
    let unverified: Vec<_> = batch.messages().map(|message| message.headers().len() == 1).collect();
    assert_eq!(unverified, [true, true, false]);
    // depth20 is a book of its own and does not touch the diffs' book.
    let mut lane = self::lane(Exchange::Binance, Kind::Orderbook, Rules::default());
    let diff = r#"{"e":"depthUpdate","E":1,"s":"X","U":1,"u":5,"b":[["5","1"]],"a":[]}"#;
    let batch = process(&mut lane, Exchange::Binance, &[diff, r#"{"lastUpdateId":9,"bids":[["8","1"]],"asks":[]}"#, &diff.replace("\"u\":5", "\"u\":6")]);
    let records: Vec<_> = batch.messages().map(|message| (text(message.value).contains(r#""highest_bid":5.0"#), message.headers().len())).collect();
    assert_eq!(records, [(true, 1), (false, 0), (true, 1)]);
}

#[test]
fn a_checkpoint_names_the_oldest_snapshot_that_a_live_book_rests_on() {
    let mut lane = lane(Exchange::Bybit, Kind::Orderbook, Rules::default());
    let mut process = |offset: i64, frames: &[&str]| {
        let value = envelope(Exchange::Bybit, frames);
        lane.process(&Input { offset, ..input(&value, NOW_MS) }, &mut Batch::default());
        lane.checkpoint(offset + 1).books
    };
    let of_y = |frame: &str| frame.replace(r#""s":"X""#, r#""s":"Y""#);
    assert_eq!(process(1, &["{}", NEXT, &of_y(NEXT)]), None, "none is live");
    let one = process(2, &[SNAPSHOT]).unwrap();
    assert_eq!((one.from, one.count), (2, 1));
    let both = process(3, &[&of_y(SNAPSHOT)]).unwrap();
    assert_eq!((both.from, both.count), (2, 2));
    assert_eq!(process(4, &[SNAPSHOT, &of_y(SNAPSHOT)]).unwrap(), crate::checkpoint::BooksMark { from: 4, ..both }, "the same books again");
    let moved = process(5, &[NEXT]).unwrap();
    assert_eq!((moved.from, moved.count), (4, 2));
    assert_ne!(moved.digest, both.digest);
    let alone = process(6, &[&of_y(LATER)]).unwrap();
    assert_eq!((alone.from, alone.count), (4, 1), "a gap took the other one");
    assert_eq!(alone.digest, moved.digest.wrapping_sub(both.digest.wrapping_sub(one.digest)));
    assert_eq!(process(7, &[LATER]), None);
    // A book of Binance diffs is never live.
    let mut lane = self::lane(Exchange::Binance, Kind::Orderbook, Rules::default());
    self::process(&mut lane, Exchange::Binance, &[r#"{"e":"depthUpdate","E":1,"s":"X","U":1,"u":5,"b":[["5","1"]],"a":[]}"#]);
    assert_eq!(lane.checkpoint(8), crate::checkpoint::Checkpoint::without_books(8));
}

#[test]
fn the_status_of_books_names_the_oldest_doubt() {
    let mut lane = lane(Exchange::Bybit, Kind::Orderbook, Rules::default());
    let mut status = |timestamp_ms: i64, frames: &[&str]| {
        lane.process(&input(&envelope(Exchange::Bybit, frames), timestamp_ms), &mut Batch::default());
        let BooksStatus { live, unverified, oldest_unverified_ms } = lane.books();
        (live, unverified, oldest_unverified_ms)
    };
    let of_y = |frame: &str| frame.replace(r#""s":"X""#, r#""s":"Y""#);
    assert_eq!(status(10, &["{}"]), (0, 0, None));
    assert_eq!(status(20, &[SNAPSHOT, &of_y(NEXT)]), (1, 1, Some(20)));
    assert_eq!(status(30, &[LATER, &of_y(LATER)]), (0, 2, Some(20)), "it became so once");
    assert_eq!(status(40, &[&of_y(SNAPSHOT)]), (1, 1, Some(30)));
    assert_eq!(status(-1, &[SNAPSHOT, &of_y(LATER)]), (1, 1, Some(1_700_000_000_003)), "where there is no timestamp, the event time");
    let mut lane = self::lane(Exchange::Binance, Kind::Orderbook, Rules::default());
    process(&mut lane, Exchange::Binance, &[r#"{"e":"depthUpdate","E":1,"s":"X","U":1,"u":5,"b":[["5","1"]],"a":[]}"#]);
    assert_eq!(lane.books(), BooksStatus::default());
}

/// What a lane writes with resync requests on: `reason@frame` for each of them, `record` for a record, `?` after one that is unverified.
fn shown_with_requests(exchange: Exchange, mode: BookMode, frames: &[&str]) -> Vec<String> {
    let mut lane = lane(exchange, Kind::Orderbook, Rules { resync: true, book_mode: mode, ..Rules::default() });
    let batch = process(&mut lane, exchange, frames);
    assert_adds_up(lane.counts());
    let requests = batch.messages().filter(|message| message.destination == Destination::Resync).count();
    assert_eq!(lane.counts().resyncs.iter().sum::<u64>(), requests as u64);
    let show = |message: Message<'_>| match message.destination {
        Destination::Resync => {
            let value: serde_json::Value = serde_json::from_slice(message.value.unwrap()).unwrap();
            assert_eq!((value["frame"].as_u64(), text(message.key)), (message.place.frame.map(u64::from), format!("{exchange}:BTC")));
            format!("{}@{}", value["reason"].as_str().unwrap(), value["frame"])
        }
        Destination::Output => format!("record{}", if message.headers().len() > 0 { "?" } else { "" }),
        Destination::DeadLetter => "letter".to_owned(),
    };
    batch.messages().map(show).collect()
}

#[test]
fn a_snapshot_is_asked_for_once_a_transition() {
    let bybit = |mode| shown_with_requests(Exchange::Bybit, mode, &[NEXT, NEXT, LATER, SNAPSHOT, NEXT, LATER, "5", LATER, SNAPSHOT]);
    let records = ["no_snapshot@0", "record?", "record?", "record", "record", "gap@5", "record?", "letter", "record"];
    assert_eq!(bybit(BookMode::Maintained), records, "before the record; a stale delta is no transition");
    assert_eq!(bybit(BookMode::Hold), ["no_snapshot@0", "record", "record", "gap@5", "letter", "record"], "also where the record is held back");
    assert_eq!(bybit(BookMode::Frame), ["record", "record", "record", "record", "record", "record", "letter", "record", "record"], "no book, no request");

    let okx = |action: &str, seq: i64, previous: i64, checksum: i64| {
        format!(r#"{{"action":"{action}","data":[{{"asks":[["2","1"]],"bids":[["1","1"]],"checksum":{checksum},"seqId":{seq},"prevSeqId":{previous}}}]}}"#)
    };
    let right = i64::from(crc32fast::hash(b"1:1:2:1").cast_signed());
    let frames = [
        okx("snapshot", 1, -1, right),
        okx("update", 2, 1, right + 1),
        okx("update", 9, 5, right + 1),
        okx("snapshot", 11, -1, right + 1),
        okx("snapshot", 20, -1, right),
        okx("update", 30, 25, right + 1),
    ];
    let frames: Vec<_> = frames.iter().map(String::as_str).collect();
    let expected = ["record", "checksum@1", "record?", "record?", "checksum@3", "record?", "record", "gap@5", "record?"];
    assert_eq!(shown_with_requests(Exchange::Okx, BookMode::Maintained, &frames), expected, "a snapshot that is wrong too is asked for again");

    let diff = r#"{"e":"depthUpdate","E":1,"s":"X","U":1,"u":5,"b":[["5","1"]],"a":[]}"#;
    assert_eq!(shown_with_requests(Exchange::Binance, BookMode::Maintained, &[diff]), ["record?"], "no snapshot would come");
}

#[test]
fn a_resync_request_tells_where_and_when() {
    let mut lane = lane(Exchange::Bybit, Kind::Orderbook, Rules { resync: true, ..Rules::default() });
    let batch = process(&mut lane, Exchange::Bybit, &["{}", NEXT, &LATER.replace(r#""s":"X","#, "")]);
    let (first, record) = (batch.message(0), batch.message(1));
    assert_eq!((first.destination, first.timestamp_ms), (Destination::Resync, record.timestamp_ms));
    assert_eq!(
        text(first.value),
        r#"{"market":"BYBIT","symbol":"BTC","instrument":"X","reason":"no_snapshot","topic":"asiaSocketDataIn-Orderbook","partition":1,"offset":7,"frame":1,"timestamp":"2023-11-14 22:13:20.002000+00:00"}"#
    );
    assert!(text(record.value).ends_with(r#""timestamp":"2023-11-14 22:13:20.002000+00:00"}"#));
    assert!(text(batch.message(2).value).contains(r#""instrument":null,"#));
}

#[test]
fn a_book_that_a_restart_has_lost_is_asked_for_and_one_that_is_back_is_not() {
    let rules = Rules { resync: true, ..Rules::default() };
    let mut before = lane(Exchange::Bybit, Kind::Orderbook, rules.clone());
    let process = |lane: &mut Lane, offset: i64, frame: &str| {
        let (mut batch, value) = (Batch::default(), envelope(Exchange::Bybit, &[frame]));
        lane.process(&Input { offset, ..input(&value, NOW_MS) }, &mut batch);
        batch.messages().filter(|message| message.destination == Destination::Resync).map(|message| message.place.offset).collect::<Vec<_>>()
    };
    let of_y = |frame: &str| frame.replace(r#""s":"X""#, r#""s":"Y""#);
    let log = [SNAPSHOT.to_owned(), of_y(SNAPSHOT), NEXT.to_owned(), of_y(NEXT)];
    for (offset, frame) in (1..).zip(&log) {
        assert_eq!(process(&mut before, offset, frame), [0; 0]);
    }
    let checkpoint = before.checkpoint(5);
    let later = LATER.replace("13", "12");
    for (from, asked) in [(1, [&[][..], &[]]), (2, [&[5], &[]]), (3, [&[5], &[6]]), (5, [&[5], &[6]])] {
        let mut after = lane(Exchange::Bybit, Kind::Orderbook, rules.clone());
        after.begin_restore(&checkpoint, from);
        for (offset, frame) in (1..).zip(&log).filter(|&(offset, _)| offset >= from) {
            process(&mut after, offset, frame);
        }
        after.end_restore();
        assert_eq!([process(&mut after, 5, &later), process(&mut after, 6, &of_y(&later))], asked, "read again from {from}");
        assert_eq!(process(&mut after, 7, &later.replace("12", "13")), [0; 0], "and only once");
    }
}

#[test]
fn frames_of_another_exchange_are_processed_and_counted() {
    let mut lane = lane(Exchange::Okx, Kind::Ticker, Rules::default());
    let batch = process(&mut lane, Exchange::Upbit, &[r#"{"trade_price":1}"#, "{}", "5"]);
    assert_eq!(text(batch.message(0).key), "UPBIT:BTC");
    assert_eq!((lane.counts().misplaced, lane.counts().records[Exchange::Upbit as usize]), (3, 1));
    assert_adds_up(lane.counts());
    // Beyond the contract's partitions everything is misplaced.
    let stream = Stream { region: Region::Asia, kind: Kind::Ticker };
    let mut lane = Lane::new(stream, 3, "in", Arc::default());
    process(&mut lane, Exchange::Okx, &["{}"]);
    assert_eq!(lane.counts().misplaced, 1);
}

#[test]
fn a_record_that_is_refused_becomes_a_dead_letter_and_its_book_goes_on() {
    let frames = [SNAPSHOT, NEXT, LATER];
    let mut lane = lane(Exchange::Bybit, Kind::Orderbook, Rules { resync: true, ..Rules::default() });
    let plain = process(&mut lane, Exchange::Bybit, &frames);
    lane.refuse(7, 1);
    lane.refuse(7, 2);
    lane.forget_refused(7);
    lane.forget_books();
    let batch = process(&mut lane, Exchange::Bybit, &[&frames[..], &[SNAPSHOT]].concat());
    let shown: Vec<_> = batch.messages().map(|message| (message.destination, message.place.frame.unwrap(), text(message.value))).collect();
    let record = |index: usize, frame: u32| (Destination::Output, frame, text(plain.message(index).value));
    let letter = |frame: u32| (Destination::DeadLetter, frame, frames[frame as usize].to_owned());
    assert_eq!(shown, [record(0, 0), letter(1), letter(2), record(0, 3)], "no request either: it may be what is too large");
    assert!(headers(&batch.message(1)).contains(&"hub.reason=size".to_owned()));
    let (counts, bybit) = (lane.counts(), Exchange::Bybit as usize);
    assert_eq!((counts.rejected[Reason::Size as usize], counts.gaps[bybit]), (2, 2), "the book has seen them");
    assert_adds_up(counts);
    lane.forget_refused(8);
    lane.forget_books();
    assert_eq!(process(&mut lane, Exchange::Bybit, &frames), plain);

    let mut lane = self::lane(Exchange::Upbit, Kind::Ticker, Rules::default());
    lane.refuse(7, 0);
    let batch = process(&mut lane, Exchange::Upbit, &[r#"{"trade_price":1}"#, r#"{"trade_price":2}"#]);
    assert_eq!([0, 1].map(|index| batch.message(index).destination), [Destination::DeadLetter, Destination::Output]);
}

#[test]
fn a_wild_clock_does_not_reach_the_kafka_timestamp() {
    let hour = 3_600_000;
    let stamps = |frame_ms: &str, input_ms: i64| {
        let mut batch = Batch::default();
        let frame = format!(r#"{{"trade_price":1,"timestamp":{frame_ms}}}"#);
        lane(Exchange::Upbit, Kind::Ticker, Rules::default()).process(&input(&envelope(Exchange::Upbit, &[&frame]), input_ms), &mut batch);
        let value: serde_json::Value = serde_json::from_slice(batch.message(0).value.unwrap()).unwrap();
        (batch.message(0).timestamp_ms, value["timestamp"].as_f64().unwrap() as i64)
    };
    let frame = NOW_MS.to_string();
    assert_eq!(stamps(&frame, NOW_MS - hour), (NOW_MS, NOW_MS), "an hour is not more than an hour");
    assert_eq!(stamps(&frame, NOW_MS - hour - 1), (NOW_MS - hour - 1, NOW_MS), "the text keeps the event time");
    assert_eq!(stamps(&frame, NOW_MS + 99 * hour), (NOW_MS, NOW_MS), "the past is no harm");
    assert_eq!(stamps(&frame, 0), (NOW_MS, NOW_MS), "an input record without timestamp says nothing");
    assert_eq!(stamps(&frame, -1), (NOW_MS, NOW_MS));
    assert_eq!(stamps("null", 1_234), (1_234, 1_234), "without event time it is the input's");
    assert_eq!(stamps("null", -5), (0, 0));
    assert_eq!(stamps("null", i64::MAX).0, i64::MAX / 1_000, "a timestamp beyond microseconds sticks there");
}

#[test]
fn wall_time_is_shown_and_not_stamped() {
    let mut lane = lane(Exchange::Bybit, Kind::Orderbook, Rules { book_time: BookTime::Wall, ..Rules::default() });
    let batch = process(&mut lane, Exchange::Bybit, &[SNAPSHOT]);
    assert!(text(batch.message(0).value).ends_with(r#""timestamp":"1970-01-01 00:00:00.000042+00:00"}"#));
    assert_eq!(batch.message(0).timestamp_ms, 1_700_000_000_001);
    let ticker = process(
        &mut self::lane(Exchange::Bybit, Kind::Ticker, Rules { book_time: BookTime::Wall, ..Rules::default() }),
        Exchange::Bybit,
        &[r#"{"lastPrice":"1"}"#],
    );
    assert!(text(ticker.message(0).value).contains(r#""timestamp":1700000000000.0,"#), "tickers have no wall time");
}

#[test]
fn dead_letters_say_where_they_come_from() {
    let mut lane = lane(Exchange::Korbit, Kind::Ticker, Rules::default());
    let value = r#"{"region":"korea","market":"DigitalX","symbol":"b/c","data":["ping","{\"close\":\"\\u00e9\"}"]}"#;
    let own: [(&str, Option<&[u8]>); 3] = [("trace", Some(b"1")), ("hub.frame", None), ("trace", Some(b"2"))];
    let mut batch = Batch::default();
    lane.process(&Input { headers: &own, ..input(value, -3) }, &mut batch);
    let letter = batch.message(0);
    assert_eq!((letter.destination, letter.timestamp_ms, text(letter.key)), (Destination::DeadLetter, 0, "k".to_owned()));
    assert_eq!(text(letter.value), r#"{"close":"\u00e9"}"#, "the frame without the envelope's escapes");
    let message = format!("__connect.errors.exception.message={}", Reason::Number.explanation());
    let of_frame = ["hub.reason=number", "hub.frame=1", "hub.region=Korea", "hub.market=KORBIT", "hub.symbol=B/C"];
    let origin = ["__connect.errors.topic=koraSocketDataIn-ticker", "__connect.errors.partition=3", "__connect.errors.offset=7", &message];
    assert_eq!(headers(&letter), [&["trace=1", "hub.frame=-", "trace=2"], &origin[..], &of_frame].concat());

    for (value, known) in [
        (Some(r#"{"region":"korea","market":"OKX","symbol":"x","data":[]}"#), &["hub.reason=market", "hub.region=Korea", "hub.market=OKX", "hub.symbol=X"][..]),
        (Some(r#"{"region":"korea","market":"UPBIT","symbol":"*","data":[]}"#), &["hub.reason=symbol", "hub.region=Korea", "hub.market=UPBIT"]),
        (Some(r#"{"region":"moon","market":"UPBIT","symbol":"x"}"#), &["hub.reason=envelope", "hub.market=UPBIT", "hub.symbol=X"]),
        (Some(r#"{"region":"korea""#), &["hub.reason=json"]),
        (None, &["hub.reason=json"]),
    ] {
        let mut batch = Batch::default();
        lane.process(&Input { key: None, value: value.map(str::as_bytes), ..input("", NOW_MS) }, &mut batch);
        let letter = batch.message(0);
        assert_eq!(letter.place, Place { offset: 7, frame: None });
        assert_eq!((letter.key, letter.value, letter.timestamp_ms), (None, value.map(str::as_bytes), NOW_MS));
        assert_eq!(headers(&letter)[4..], *known, "{value:?}");
    }
    assert_eq!((lane.counts().frames, lane.counts().rejected_envelopes, lane.counts().dead_letters()), (2, 5, 6));
    assert_adds_up(lane.counts());
}

#[test]
fn bounds_reject_frames_one_by_one() {
    let limits = crate::rules::Limits { frame_bytes: 20, depth: 3, levels: 1, number_chars: 3, ..Default::default() };
    let mut lane = lane(Exchange::Upbit, Kind::Ticker, Rules { limits, ..Rules::default() });
    let frames =
        [r#"{"trade_price":1   }"#, r#"{"trade_price":1    }"#, r#""{\"trade_price\":1   }""#, r#"{"a":[[1]]}"#, r#"{"a":[[[1]]]}"#, r#"{"trade_price":1234}"#];
    let batch = process(&mut lane, Exchange::Upbit, &frames);
    let reasons: Vec<_> = batch.messages().filter_map(|message| headers(&message).into_iter().find(|header| header.starts_with("hub.reason"))).collect();
    assert_eq!(reasons, ["size", "shape", "depth", "number"].map(|reason| format!("hub.reason={reason}")));
    assert_eq!(lane.counts().records[Exchange::Upbit as usize], 2, "white space inside counts, escapes do not");
}

proptest! {
    #[test]
    fn any_text_is_accounted_for(exchange in 0_usize..9, book in any::<bool>(), frames in prop::collection::vec("[\\[\\]{}\",:0-9a-u.\\-]{0,20}|\\{\"(data|bids|asks|b|c|last)\":[\\[\\]\"0-9,]{0,9}\\}", 0..5)) {
        let exchange = Exchange::ALL[exchange];
        let kind = if book { Kind::Orderbook } else { Kind::Ticker };
        let mut lane = lane(exchange, kind, Rules::default());
        let items: Vec<_> = frames.iter().map(|frame| serde_json::to_string(frame).unwrap()).collect();
        let batch = process(&mut lane, exchange, &items.iter().map(String::as_str).collect::<Vec<_>>());
        assert_adds_up(lane.counts());
        prop_assert_eq!(lane.counts().frames, frames.len() as u64);
        prop_assert_eq!(batch.len() as u64, lane.counts().records.iter().sum::<u64>() + lane.counts().dead_letters());
    }
}
