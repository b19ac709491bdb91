//! A lane that is killed anywhere and restored from its checkpoint writes what an uninterrupted one writes, or says that it cannot know: over made-up feeds
//! and over the golden inputs.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use flate2::read::GzDecoder;
use market_hub::batch::{Batch, Place};
use market_hub::checkpoint::{BooksMark, Checkpoint};
use market_hub::feed::{Feed, Options, Spelling};
use market_hub::lane::{Input, Lane, Restored};
use market_hub::market::{Exchange, Kind, Stream};
use market_hub::replay::InputRecord;
use market_hub::rules::Rules;
use proptest::prelude::*;

/// A message without its place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    key: String,
    timestamp_ms: i64,
    value: String,
    headers: Vec<(String, String)>,
}

impl Written {
    fn is_unverified(&self) -> bool {
        self.headers.iter().any(|(name, value)| name == "book-state" && value == "unverified")
    }
}

/// One input partition's log, what an uninterrupted lane makes of it, and its checkpoint before each record.
struct Run {
    stream: Stream,
    partition: i32,
    log: Vec<InputRecord>,
    written: Vec<BTreeMap<Place, Written>>,
    checkpoints: Vec<Checkpoint>,
}

impl Run {
    fn new(stream: Stream, partition: i32, log: Vec<InputRecord>) -> Self {
        let mut run = Self { stream, partition, log, written: Vec::new(), checkpoints: Vec::new() };
        let mut lane = run.lane();
        for record in &run.log {
            run.checkpoints.push(lane.checkpoint(record.offset));
            run.written.push(process(&mut lane, record));
        }
        run.checkpoints.push(lane.checkpoint(run.log.last().map_or(0, |record| record.offset + 1)));
        run
    }

    fn of_feed(seed: u64, exchange: Exchange, options: Options, envelopes: usize) -> Self {
        let mut feed = Feed::new(seed, exchange, Kind::Orderbook, options);
        let record = |index: usize| {
            let (mut value, timestamp_ms) = (Vec::new(), 1_790_000_000_000 + index as i64 * 777);
            feed.next_envelope(1 + index * 7 % 8, timestamp_ms, &mut value, &mut Vec::new());
            // Offsets with holes, as compaction and transactions leave them.
            record(index as i64 * 3 + 5, timestamp_ms, &value)
        };
        Self::new(Stream { region: exchange.region(), kind: Kind::Orderbook }, exchange.partition(), (0..envelopes).map(record).collect())
    }

    fn lane(&self) -> Lane {
        Lane::new(self.stream, self.partition, self.stream.input_topic(), Arc::new(Rules::default()))
    }

    /// A lane that begins again at record `at`, with the log from record `oldest` on.
    fn restored(&self, mut lane: Lane, checkpoint: &Checkpoint, at: usize, oldest: usize) -> (Lane, Restored) {
        let committed = Checkpoint::read(checkpoint.offset, checkpoint.metadata(None).as_bytes()).unwrap().0;
        assert_eq!(committed, *checkpoint);
        let from = committed.replay_from().max(self.log.get(oldest).map_or(i64::MAX, |record| record.offset)).min(committed.offset);
        let counts = lane.counts().clone();
        lane.begin_restore(&committed, from);
        for record in self.log[..at].iter().filter(|record| record.offset >= from) {
            process(&mut lane, record);
            assert_eq!(lane.counts(), &counts, "nothing is counted twice");
        }
        let restored = lane.end_restore();
        assert_eq!(lane.counts(), &counts);
        (lane, restored)
    }

    /// From record `at` on the lane writes what the uninterrupted one wrote, or says that the book is unverified; for the keys of `exact` it writes the
    /// same and no less.
    fn assert_goes_on(&self, lane: Lane, at: usize, exact: &BTreeSet<String>) {
        self.assert_follows(lane, at, exact, false);
    }

    /// As [`Run::assert_goes_on`] without exact keys, where books were lost: what an uninterrupted Kraken book drags along from before a lost delta, one that
    /// begins empty does not have, so that a checksum may vouch for it sooner.
    fn assert_begins_anew(&self, lane: Lane, at: usize) {
        self.assert_follows(lane, at, &BTreeSet::new(), true);
    }

    fn assert_follows(&self, mut lane: Lane, at: usize, exact: &BTreeSet<String>, sooner: bool) {
        for (record, expected) in self.log.iter().zip(&self.written).skip(at) {
            let found = process(&mut lane, record);
            for (place, written) in found.iter().filter(|(_, written)| !written.is_unverified()) {
                let sooner = sooner && written.key.starts_with("KRAKEN:") && expected[place].is_unverified();
                assert!(
                    sooner || expected.get(place) == Some(written),
                    "{written:?} is not {:?}, restored at record {at}, now at {place:?}",
                    expected.get(place)
                );
            }
            for (place, written) in expected.iter().filter(|(_, written)| exact.contains(&written.key) || !written.value.contains("highest_bid")) {
                assert_eq!(found.get(place), Some(written), "restored at record {at}, now at {place:?}");
            }
        }
    }

    /// The keys whose last record before record `at` is of a live book.
    fn live_keys(&self, at: usize) -> BTreeSet<String> {
        let last: BTreeMap<&str, bool> =
            self.written[..at].iter().flat_map(BTreeMap::values).map(|written| (&*written.key, !written.is_unverified())).collect();
        last.into_iter().filter(|&(_, live)| live).map(|(key, _)| key.to_owned()).collect()
    }
}

fn record(offset: i64, timestamp_ms: i64, value: &[u8]) -> InputRecord {
    let value = market_hub::replay::Field::from(value);
    InputRecord { topic: String::new(), partition: 0, offset, timestamp_ms, key: None, headers: Default::default(), value: Some(value) }
}

fn process(lane: &mut Lane, record: &InputRecord) -> BTreeMap<Place, Written> {
    let mut batch = Batch::default();
    let value = record.value.as_ref().map(|value| value.bytes());
    let input = Input { offset: record.offset, timestamp_ms: record.timestamp_ms, now_micros: 0, key: None, value, headers: &[] };
    lane.process(&input, &mut batch);
    let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let written = batch.messages().map(|message| {
        let headers = message.headers().map(|(name, value)| (name.to_owned(), text(value))).collect();
        (message.place, Written { key: text(message.key), timestamp_ms: message.timestamp_ms, value: text(message.value), headers })
    });
    written.collect()
}

fn options(spelling: Spelling) -> Options {
    Options { spelling, snapshot_every: 25, diff_percent: 40, gap_every: 67, stale_every: 23, control_every: 13, poison_every: 17, ..Options::default() }
}

fn spelling() -> impl Strategy<Value = Spelling> {
    prop_oneof![Just(Spelling::Raw), Just(Spelling::Collector)]
}

fn delta_exchange() -> impl Strategy<Value = Exchange> {
    prop::sample::select(vec![Exchange::Okx, Exchange::Bybit, Exchange::Kraken, Exchange::Binance])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_killed_lane_goes_on_as_if_it_had_not_been(
        (exchange, spelling, seed, opening) in (delta_exchange(), spelling(), any::<u64>(), any::<bool>()),
        depth in prop::option::of(prop::sample::select(vec![10, 25])),
        snapshot_every in prop::sample::select(vec![0, 25, 60]),
        kills in prop::collection::vec((0.0..1.0, 0.0..1.0), 4),
    ) {
        let options = Options { opening_snapshot: opening, depth, snapshot_every, ..options(spelling) };
        let run = Run::of_feed(seed, exchange, options, 90);
        for (at, oldest) in kills {
            let at = (at * 90.0) as usize;
            let checkpoint = &run.checkpoints[at];
            let (lane, restored) = run.restored(run.lane(), checkpoint, at, 0);
            let Restored::Same { .. } = restored else { panic!("{restored:?}") };
            // Two books of Binance have one key, and where deep books may be lost, those that live by checksums alone are not promised.
            let exact = if exchange == Exchange::Binance || checkpoint.deep { BTreeSet::new() } else { run.live_keys(at) };
            prop_assert_eq!(lane.checkpoint(checkpoint.offset), *checkpoint);
            run.assert_goes_on(lane, at, &exact);

            // The same in a process that has gone on and must go back.
            let mut ahead = run.lane();
            run.log.iter().take(at + 7).for_each(|record| _ = process(&mut ahead, record));
            let (lane, restored) = run.restored(ahead, checkpoint, at, 0);
            prop_assert!(matches!(restored, Restored::Same { .. }), "{:?}", restored);
            run.assert_goes_on(lane, at, &exact);

            // The log no longer goes back so far.
            let oldest = (oldest * 90.0) as usize;
            let (lane, restored) = run.restored(run.lane(), checkpoint, at, oldest);
            if let Some(books) = checkpoint.books && run.log.get(oldest).is_none_or(|record| record.offset > books.from) {
                prop_assert!(matches!(restored, Restored::Partly { of, .. } if of == books.count), "{:?}", restored);
            }
            run.assert_begins_anew(lane, at);
        }
    }
}

#[test]
fn other_books_than_those_of_the_checkpoint_are_forgotten() {
    for exchange in [Exchange::Okx, Exchange::Bybit, Exchange::Kraken] {
        let run = Run::of_feed(5, exchange, options(Spelling::Raw), 80);
        let checkpoint = run.checkpoints[60];
        let books = checkpoint.books.unwrap();
        for wrong in
            [BooksMark { digest: books.digest ^ 1, ..books }, BooksMark { count: books.count + 1, ..books }, BooksMark { from: run.log[0].offset, ..books }]
        {
            let wrong = Checkpoint { books: Some(wrong), ..checkpoint };
            let (lane, restored) = run.restored(run.lane(), &wrong, 60, 0);
            assert_eq!(restored, Restored::Different { expected: wrong.books, found: Some(books) });
            assert_eq!(lane.checkpoint(checkpoint.offset).books, None);
            run.assert_begins_anew(lane, 60);
        }
        let (mut lane, _) = run.restored(run.lane(), &checkpoint, 60, 0);
        lane.forget_books();
        assert_eq!(lane.checkpoint(checkpoint.offset).books, None);
        run.assert_begins_anew(lane, 60);
    }
}

#[test]
fn a_restore_that_is_given_up_leaves_no_book_and_all_counts() {
    let run = Run::of_feed(7, Exchange::Okx, options(Spelling::Raw), 80);
    let mut lane = run.lane();
    run.log.iter().for_each(|record| _ = process(&mut lane, record));
    let counts = lane.counts().clone();
    lane.begin_restore(&run.checkpoints[50], run.checkpoints[50].replay_from());
    process(&mut lane, &run.log[40]);
    lane.forget_books();
    assert_eq!((lane.counts(), lane.checkpoint(9).books), (&counts, None));
    assert_eq!(lane.end_restore(), Restored::Same { books: 0 }, "nothing is under way");
    process(&mut lane, &run.log[50]);
    assert_eq!(lane.counts().envelopes, counts.envelopes + 1);
}

/// A book of 25 levels whose checksum covers ten: once its snapshot is lost, no checksum may call it complete, in this process or in the next.
#[test]
fn a_deep_book_that_is_lost_does_not_live_by_ten_levels() {
    let options = Options { depth: Some(25), symbols: 1, snapshot_every: 0, changes: Some(9), ..Options::default() };
    let run = Run::of_feed(3, Exchange::Kraken, options, 60);
    let checkpoint = run.checkpoints[20];
    assert!(checkpoint.deep);
    let (lane, restored) = run.restored(run.lane(), &checkpoint, 20, 20);
    assert_eq!(restored, Restored::Partly { books: 0, of: 1 });
    let again = lane.checkpoint(checkpoint.offset);
    assert_eq!(again, Checkpoint { books: None, ..checkpoint }, "the next one to begin here knows too");
    run.assert_goes_on(lane, 20, &BTreeSet::new());
    let (lane, _) = run.restored(run.lane(), &again, 20, 20);
    run.assert_goes_on(lane, 20, &BTreeSet::new());
    // Were it not told, ten levels that fit would pass for a book of 25.
    let (mut lane, _) = run.restored(run.lane(), &Checkpoint { deep: false, ..again }, 20, 20);
    let written: Vec<_> = run.log[20..].iter().map(|record| process(&mut lane, record)).collect();
    assert!(written.iter().flat_map(BTreeMap::values).any(|written| !written.is_unverified()));
}

#[test]
fn golden_logs_can_be_cut_anywhere() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/golden");
    for (name, every) in [
        ("kraken-book-d10-collector", 1),
        ("kraken-book-d25-collector", 5),
        ("kraken-book-nosnapshot-string", 3),
        ("kraken-orderbook-string", 1),
        ("okx-orderbook-string", 1),
        ("bybit-orderbook-string", 1),
        ("hard-cases", 60),
    ] {
        let mut text = String::new();
        let file = std::fs::File::open(folder.join(format!("{name}.in.jsonl.gz"))).unwrap();
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
        let mut logs: BTreeMap<(Stream, i32), Vec<InputRecord>> = BTreeMap::new();
        for record in text.lines().map(|line| serde_json::from_str::<InputRecord>(line).unwrap()) {
            let stream = Stream::ALL.into_iter().find(|stream| stream.input_topic() == record.topic).unwrap();
            logs.entry((stream, record.partition)).or_default().push(record);
        }
        for ((stream, partition), log) in logs.into_iter().filter(|((stream, _), _)| stream.kind == Kind::Orderbook) {
            let run = Run::new(stream, partition, log);
            for at in (0..run.log.len()).step_by(every) {
                let (lane, restored) = run.restored(run.lane(), &run.checkpoints[at], at, 0);
                assert!(matches!(restored, Restored::Same { .. }), "{name} {at}: {restored:?}");
                run.assert_goes_on(lane, at, &BTreeSet::new());
            }
        }
    }
}
