//! Nanoseconds from envelope bytes to record bytes: the hub, and the same work done plainly, on the same envelopes in the same run.
//!
//! An iteration is a pass over all envelopes of a kind, after an untimed opening that puts every kept book back to its first snapshot. Before a
//! kind is measured, both must give every record that the feed promises, byte for byte. `tuning/BENCHMARKS.md` has the figures.

mod data;
mod plain;

use std::cell::LazyCell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use data::{Data, Envelope, ROWS, Row};
use market_hub::batch::Batch;
use market_hub::feed::Expected;
use market_hub::lane::{Input, Lane};
use market_hub::market::{Kind, Stream};
use market_hub::rules::Rules;
use plain::{Plain, Record};

/// As the binary has it; the plain version gets it too.
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

/// As [`hub_pass`].
#[inline(never)]
fn plain_pass(plain: &mut Plain, envelopes: &[Envelope]) {
    for envelope in envelopes {
        black_box(plain.process(&envelope.value, envelope.timestamp_ms));
    }
}

/// The data of a kind, after both have been seen to give what it promises.
fn checked_data(row: &Row) -> Data {
    let data = Data::new(row);
    let (mut lane, mut batch, mut plain) = (new_lane(row), Batch::default(), Plain::new());
    let mut records = Vec::new();
    for envelope in data.opening.iter().chain(&data.envelopes) {
        lane.process(&input(envelope), &mut batch);
        records.extend(plain.process(&envelope.value, envelope.timestamp_ms));
    }
    let ours = batch.messages().map(|message| {
        let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap_or_default().to_vec()).expect("UTF-8");
        record(text(message.key), message.timestamp_ms, message.headers().len() > 0, text(message.value))
    });
    let theirs = records.into_iter().map(|Record { key, value, timestamp_ms, unverified }| record(key, timestamp_ms, unverified, value));
    assert_eq!(ours.len(), data.expected.len());
    assert_eq!(theirs.len(), data.expected.len());
    for ((ours, theirs), expected) in ours.zip(theirs).zip(&data.expected) {
        assert_eq!(ours, *expected, "the hub, {}", row.name);
        assert_eq!(theirs, *expected, "the plain version, {}", row.name);
    }
    data
}

const fn record(key: String, timestamp_ms: i64, unverified: bool, value: String) -> Expected {
    Expected::Record { key, timestamp_ms, unverified, value }
}

/// Bytes, as they stand in the envelopes, and levels of the average frame.
fn per_frame(envelopes: &[Envelope], frames: usize) -> (f64, f64) {
    let average = |of: fn(&[u8]) -> usize| envelopes.iter().map(|envelope| of(&envelope.value)).sum::<usize>() as f64 / frames as f64;
    (average(<[u8]>::len), average(plain::count_levels))
}

/// The time of `passes` passes, each after an opening that does not count.
fn timed(passes: u64, data: &Data, mut run: impl FnMut(&[Envelope])) -> Duration {
    let pass = |_| {
        run(&data.opening);
        let start = Instant::now();
        run(&data.envelopes);
        start.elapsed()
    };
    (0..passes).map(pass).sum()
}

#[expect(clippy::print_stdout, reason = "a bench reports to its terminal")]
fn pipeline(criterion: &mut Criterion) {
    for row in &ROWS {
        // Made when the first of the two is measured, and not at all where a filter leaves out both.
        let data = LazyCell::new(|| {
            let data = checked_data(row);
            let (bytes, levels) = per_frame(&data.envelopes, row.frames());
            println!("{}: {} frames, {bytes:.0} bytes and {levels:.1} levels a frame", row.name, row.frames());
            data
        });
        let mut group = criterion.benchmark_group(row.name);
        group.throughput(Throughput::Elements(row.frames() as u64));
        group.bench_function("hub", |bencher| {
            let (data, mut lane, mut batch) = (LazyCell::force(&data), new_lane(row), Batch::default());
            bencher.iter_custom(|passes| timed(passes, data, |envelopes| hub_pass(&mut lane, envelopes, &mut batch)));
        });
        group.bench_function("plain", |bencher| {
            let (data, mut plain) = (LazyCell::force(&data), Plain::new());
            bencher.iter_custom(|passes| timed(passes, data, |envelopes| plain_pass(&mut plain, envelopes)));
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
    targets = pipeline
}
criterion_main!(benches);
