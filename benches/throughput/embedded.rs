//! The same through a broker inside this process, librdkafka's mock cluster, which keeps the last 5 MiB of a partition: envelopes are written a little ahead of
//! what has come out, on as many partitions as the hub has lanes. Broker, feeder and whoever looks share two cores with the program.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use market_hub::market::{Exchange, Kind};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _};
use rdkafka::{ClientConfig, error::RDKafkaErrorCode};

use crate::input::{Envelopes, FRAMES, LaneInput, Load};
use crate::process::cpu_seconds;
use crate::program::{Contender, Program};
use crate::support::names::Names;
use crate::{Asked, Ends, Turn, table};

/// How many lanes there are of all exchanges together.
const LANES: i32 = 18;
/// How far the feeder is ahead of what has come out, a partition.
const AHEAD_BYTES: usize = 5 << 19;
/// So many envelopes come again and again.
const DISTINCT: usize = 500;
/// What is not measured, from the first record on, and what is.
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(4);
const LOOK: Duration = Duration::from_millis(2);
const PAUSE: Duration = Duration::from_micros(200);

/// Prints a table of the programs, in turn, medians of the turns.
pub fn measure(asked: &Asked) {
    let contenders = asked.contenders_at(Load::Books);
    let cluster: MockCluster<'_, DefaultProducerContext> = MockCluster::new(1).unwrap();
    let mut envelopes = Envelopes::new(Exchange::Upbit, Kind::Orderbook, 3);
    let own = |(key, value): (&str, &[u8])| (key.to_owned(), value.to_vec());
    let values: Vec<(String, Vec<u8>)> = (0..DISTINCT).map(|_| own(envelopes.next(FRAMES))).collect();
    let lane = envelopes.into_lane();
    println!("Upbit order books on {LANES} partitions of an embedded broker, {MEASURED:?} a turn");
    let mut results: Vec<Vec<Turn>> = contenders.iter().map(|_| Vec::new()).collect();
    // Every turn has topics of its own, with logs of no more than 5 MiB; the first one is for the warming up.
    for turn in 0..=asked.turns {
        for (index, contender) in contenders.iter().enumerate() {
            let names = Names::of(&format!("embedded-{turn}-{index}"));
            for (topic, _) in names.topics() {
                cluster.create_topic(&topic, LANES, 1).unwrap();
            }
            let measured = take(&cluster.bootstrap_servers(), contender, &lane, &values, &names);
            if turn > 0 {
                results[index].push(measured);
            }
        }
    }
    table(&contenders, &results);
}

fn take(brokers: &str, contender: &Contender, lane: &LaneInput, values: &[(String, Vec<u8>)], names: &Names) -> Turn {
    let of_partition = |partition| LaneInput { partition, ..*lane };
    let lanes: Vec<LaneInput> = (0..LANES).map(of_partition).collect();
    let done: Vec<AtomicI64> = lanes.iter().map(|_| AtomicI64::new(0)).collect();
    let (dir, over) = (tempfile::tempdir().unwrap(), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| feed(brokers, &names.input(lane.stream), values, &done, &over));
        let ends = Ends::new(brokers, &lanes, names);
        let program = Program::start((brokers, dir.path()), contender, false, &lanes, names, names);
        let look = || {
            thread::sleep(LOOK);
            let each = ends.each();
            each.iter().zip(&done).for_each(|(end, done)| done.store(*end, Ordering::Release));
            (Instant::now(), each.iter().sum::<i64>(), cpu_seconds(program.pid()), cpu_seconds(std::process::id()))
        };
        let wait = |until: &dyn Fn(i64) -> bool| {
            let began = Instant::now();
            loop {
                let now = look();
                if until(now.1) {
                    return now;
                }
                assert!(began.elapsed() < crate::TURN_MAX, "nothing comes out");
            }
        };
        let started = wait(&|records| records > 0);
        let first = wait(&|_| started.0.elapsed() >= WARM_UP);
        let last = wait(&|_| first.0.elapsed() >= MEASURED);
        let turn = Turn::between(first, last, &program);
        over.store(true, Ordering::Release);
        program.end();
        turn
    })
}

/// Writes envelopes to all partitions in turn, so far ahead of what is done and no further.
fn feed(brokers: &str, topic: &str, values: &[(String, Vec<u8>)], done: &[AtomicI64], over: &AtomicBool) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("linger.ms", "1").set("batch.size", "1000000").set("queue.buffering.max.kbytes", "262144");
    let producer: BaseProducer = config.create().unwrap();
    let ahead = i64::try_from(AHEAD_BYTES / values[0].1.len() * FRAMES).unwrap();
    let mut fed: Vec<i64> = vec![0; done.len()];
    while !over.load(Ordering::Acquire) {
        let mut waits = true;
        for (partition, (fed, done)) in (0..).zip(fed.iter_mut().zip(done)) {
            if *fed - done.load(Ordering::Acquire) >= ahead {
                continue;
            }
            waits = false;
            let number = usize::try_from(*fed).unwrap() / FRAMES;
            let timestamp_ms = 1_790_000_000_000 + i64::try_from(number).unwrap();
            let (key, value) = &values[number % values.len()];
            let mut record = BaseRecord::to(topic).partition(partition).key(key).payload(value).timestamp(timestamp_ms);
            while let Err((error, same)) = producer.send(record) {
                assert_eq!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::QueueFull));
                producer.poll(Duration::from_millis(1));
                record = same;
            }
            *fed += i64::try_from(FRAMES).unwrap();
        }
        producer.poll(Duration::ZERO);
        if waits {
            thread::sleep(PAUSE);
        }
    }
    producer.purge(rdkafka::producer::PurgeConfig::default().queue().inflight());
}
