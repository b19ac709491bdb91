//! Nanoseconds of CPU time from envelope bytes to record bytes: the hub, and the same work done in two usual ways, on the same envelopes in the same run.
//!
//! An iteration is a pass over all envelopes of a kind, after an untimed opening that puts every kept book back to its first snapshot. Before a
//! kind is measured, all three must give every record that the feed promises, byte for byte. At the end the three are measured once more, in turns,
//! for a table of ratios: `cargo bench --bench pipeline -- ratios` gives that alone. `tuning/BENCHMARKS.md` has the figures.

mod books;
mod data;
mod plain;
mod sonic;

use std::cell::LazyCell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use books::{Books, Record};
use criterion::{Criterion, Throughput, criterion_group};
use data::{Data, Envelope, ROWS, Row};
use market_hub::batch::Batch;
use market_hub::bench::cpu_time;
use market_hub::feed::Expected;
use market_hub::lane::{Input, Lane};
use market_hub::market::{Kind, Stream};
use market_hub::rules::Rules;

/// As the binary has it; the others get it too.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn new_lane(row: &Row) -> Lane {
    let stream = Stream { region: row.exchange.region(), kind: Kind::Orderbook };
    Lane::new(stream, row.exchange.partition(), stream.input_topic(), Arc::new(Rules::default()))
}

fn input(envelope: &Envelope) -> Input<'_> {
    Input { offset: 0, timestamp_ms: envelope.timestamp_ms, now_micros: 0, key: Some(envelope.key.as_bytes()), value: Some(&envelope.value), headers: &[] }
}

/// Not inlined, so that a profiler can tell it from the opening and the checks.
#[inline(never)]
fn hub_pass(lane: &mut Lane, envelopes: &[Envelope], batch: &mut Batch) {
    for envelope in envelopes {
        lane.process(&input(envelope), batch);
        black_box(&*batch);
        batch.clear(1 << 20);
    }
}

/// One of the two ways: envelope bytes and timestamp in, records out.
type Usual = fn(&mut Books, &[u8], i64) -> Vec<Record>;

/// As [`hub_pass`].
#[inline(never)]
fn usual_pass(process: Usual, books: &mut Books, envelopes: &[Envelope]) {
    for envelope in envelopes {
        black_box(process(books, &envelope.value, envelope.timestamp_ms));
    }
}

const USUAL: [(&str, Usual); 2] = [("sonic", sonic::process), ("plain", plain::process)];

/// The data of a kind, after all have been seen to give what it promises.
fn checked_data(row: &Row) -> Data {
    let data = Data::new(row);
    let (mut lane, mut batch) = (new_lane(row), Batch::default());
    data.opening.iter().chain(&data.envelopes).for_each(|envelope| lane.process(&input(envelope), &mut batch));
    let ours = batch.messages().map(|message| {
        let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap_or_default().to_vec()).expect("UTF-8");
        record(text(message.key), message.timestamp_ms, message.headers().len() > 0, text(message.value))
    });
    check("the hub", row, &data, ours);
    for (name, process) in USUAL {
        let mut books = Books::new();
        let records = data.opening.iter().chain(&data.envelopes).flat_map(|envelope| process(&mut books, &envelope.value, envelope.timestamp_ms));
        check(name, row, &data, records.map(|Record { key, value, timestamp_ms, unverified }| record(key, timestamp_ms, unverified, value)));
    }
    data
}

fn check(name: &str, row: &Row, data: &Data, records: impl Iterator<Item = Expected>) {
    let records: Vec<_> = records.collect();
    assert_eq!(records.len(), data.expected.len(), "{name}, {}", row.name);
    for (record, expected) in records.iter().zip(&data.expected) {
        assert_eq!(record, expected, "{name}, {}", row.name);
    }
}

const fn record(key: String, timestamp_ms: i64, unverified: bool, value: String) -> Expected {
    Expected::Record { key, timestamp_ms, unverified, value }
}

/// Bytes, as they stand in the envelopes, and levels of the average frame.
fn per_frame(data: &Data) -> (f64, f64) {
    let average = |of: fn(&[u8]) -> usize| data.envelopes.iter().map(|envelope| of(&envelope.value)).sum::<usize>() as f64 / data.frames() as f64;
    (average(<[u8]>::len), average(plain::count_levels))
}

/// The CPU time of `passes` passes, each after an opening that does not count.
fn timed(passes: u64, data: &Data, mut run: impl FnMut(&[Envelope])) -> Duration {
    let pass = |_| {
        run(&data.opening);
        let start = cpu_time();
        run(&data.envelopes);
        cpu_time() - start
    };
    (0..passes).map(pass).sum()
}

#[expect(clippy::print_stdout, reason = "a bench reports to its terminal")]
fn pipeline(criterion: &mut Criterion) {
    for row in &ROWS {
        // Made when the first of the two is measured, and not at all where a filter leaves out both.
        let data = LazyCell::new(|| {
            let data = checked_data(row);
            let (bytes, levels) = per_frame(&data);
            println!("{}: {} frames, {bytes:.0} bytes and {levels:.1} levels a frame", row.name, data.frames());
            data
        });
        let mut group = criterion.benchmark_group(row.name);
        group.throughput(Throughput::Elements((row.envelopes * row.frames) as u64));
        group.bench_function("hub", |bencher| {
            let (data, mut lane, mut batch) = (LazyCell::force(&data), new_lane(row), Batch::default());
            bencher.iter_custom(|passes| timed(passes, data, |envelopes| hub_pass(&mut lane, envelopes, &mut batch)));
        });
        for (name, process) in USUAL {
            group.bench_function(name, |bencher| {
                let (data, mut books) = (LazyCell::force(&data), Books::new());
                bencher.iter_custom(|passes| timed(passes, data, |envelopes| usual_pass(process, &mut books, envelopes)));
            });
        }
        group.finish();
    }
}

/// How often each of the three takes its turn.
const TURNS: usize = 21;

/// Medians of turns of CPU time, so that what the machine does meanwhile meets all three, and only by its caches.
#[expect(clippy::print_stdout, reason = "a bench reports to its terminal")]
fn ratios() {
    println!("\n{:<18}{:>10}{:>10}{:>10}{:>12}{:>12}", "ns a frame", "hub", "sonic", "plain", "sonic/hub", "plain/hub");
    for row in &ROWS {
        let data = checked_data(row);
        let (mut lane, mut batch) = (new_lane(row), Batch::default());
        let mut books = USUAL.map(|_| Books::new());
        let mut took = [const { Vec::new() }; 3];
        for _ in 0..TURNS {
            took[0].push(timed(1, &data, |envelopes| hub_pass(&mut lane, envelopes, &mut batch)));
            for (index, (_, process)) in USUAL.into_iter().enumerate() {
                took[index + 1].push(timed(1, &data, |envelopes| usual_pass(process, &mut books[index], envelopes)));
            }
        }
        let [hub, sonic, plain] = took.map(|mut took| {
            took.sort_unstable();
            took[TURNS / 2].as_nanos() as f64 / data.frames() as f64
        });
        println!("{:<18}{hub:>10.0}{sonic:>10.0}{plain:>10.0}{:>12.1}{:>12.1}", row.name, sonic / hub, plain / hub);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
    targets = pipeline
}

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    // `cargo test` runs this too, to see that it works.
    if std::env::args().any(|argument| argument == "--bench") {
        ratios();
    }
}
