//! How late a record is at a given rate, from the moment when its envelope was due to be produced until it is consumed. A producer that falls behind its
//! schedule does not hide it: what counts is the schedule. A hub that is looked at is left alone every other moment, and has a row for each.

use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use market_hub::market::{Exchange, Kind};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::producer::{BaseProducer, BaseRecord};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::Asked;
use crate::input::{Envelopes, LaneInput};
use crate::process::median;
use crate::program::{Contender, Program};
use crate::support::broker::Broker;
use crate::support::names::Names;

/// The first seconds are the start of connections and the broker's warming up.
const WARM_UP: Duration = Duration::from_secs(3);
const MEASURED: Duration = Duration::from_secs(12);
/// For so long a hub is looked at, then left alone.
const MOMENT: Duration = Duration::from_secs(2);
const PERCENTILES: [f64; 4] = [50.0, 99.0, 99.9, 100.0];

/// Envelopes of so many frames, one each `every`.
#[derive(Clone, Copy)]
struct Pace {
    every: Duration,
    frames: usize,
}

impl Pace {
    /// How many there are.
    fn total(self) -> u32 {
        u32::try_from((WARM_UP + MEASURED).as_nanos() / self.every.as_nanos()).unwrap()
    }

    /// When one is due after the first.
    fn due(self, number: u32) -> Duration {
        self.every * number
    }
}

/// The records of the moments when nobody looked, and of the others.
type Late = [Histogram<u64>; 2];

/// Prints percentiles of the pass-through and of the hubs, in turn, medians of the turns.
pub fn measure(broker: &Broker, asked: &Asked) {
    let pace = Pace { every: Duration::from_secs(1) * u32::try_from(asked.frames).unwrap() / asked.rate, frames: asked.frames };
    println!("{} frames/s in envelopes of {}, one every {:?}", asked.rate, pace.frames, pace.every);
    let programs = asked.contenders();
    let mut results: Vec<[Vec<[f64; 4]>; 2]> = programs.iter().map(|_| Default::default()).collect();
    for turn in 0..asked.turns {
        for (index, contender) in programs.iter().enumerate() {
            let late = turn_of(broker, contender, pace, &Names::of(&format!("late-{turn}-{index}")));
            for (looks, late) in late.iter().enumerate().filter(|(_, late)| !late.is_empty()) {
                let late = PERCENTILES.map(|percent| late.value_at_percentile(percent) as f64 / 1_000.0);
                println!("  {}: p50, p99, p99.9, max: {late:.2?} ms", name(contender, looks));
                results[index][looks].push(late);
            }
        }
    }
    println!("| program | p50 ms | p99 | p99.9 | max |");
    println!("|---|---|---|---|---|");
    for (program, results) in programs.iter().zip(&results) {
        for (looks, turns) in results.iter().enumerate().filter(|(_, turns)| !turns.is_empty()) {
            let of = |index: usize| median(turns.iter().map(|turn| turn[index]).collect());
            println!("| {} | {:.2} | {:.2} | {:.2} | {:.2} |", name(program, looks), of(0), of(1), of(2), of(3));
        }
        if let [alone, seen] = results
            && !seen.is_empty()
        {
            let ratio = |index: usize| median(alone.iter().zip(seen).map(|(alone, seen)| seen[index] / alone[index]).collect());
            println!("| looked at / left alone, paired | {:.3} | {:.3} | {:.3} | {:.3} |", ratio(0), ratio(1), ratio(2), ratio(3));
        }
    }
}

fn name(contender: &Contender, looks: usize) -> String {
    contender.name() + ["", ", looked at"][looks]
}

fn turn_of(broker: &Broker, contender: &Contender, pace: Pace, names: &Names) -> Late {
    broker.client().create_topics(&names.topics());
    let (exchange, kind) = (Exchange::Upbit, Kind::Orderbook);
    let mut envelopes = Envelopes::new(exchange, kind, 3);
    let values: Vec<Vec<u8>> = (0..1_000).map(|_| envelopes.next(pace.frames).1.to_vec()).collect();
    let lane = envelopes.into_lane();
    assert_eq!(lane.records, pace.frames * values.len(), "a record for each frame");
    let program = Program::start((&broker.address(), broker.dir()), contender, true, std::slice::from_ref(&lane), names, names);
    let late = paced(broker, &program, pace, names, &lane, &values);
    program.end();
    late
}

/// Produces on schedule from one thread and consumes in another; both sleep while there is nothing to do.
fn paced(broker: &Broker, program: &Program, pace: Pace, names: &Names, lane: &LaneInput, values: &[Vec<u8>]) -> Late {
    let (input, output, partition) = (names.input(lane.stream), names.output(lane.stream), lane.partition);
    let (producer, consumer) = clients(broker, &output, partition);
    let began = Instant::now();
    let total = pace.total();
    let mut late = [Histogram::new(3).unwrap(), Histogram::new(3).unwrap()];
    thread::scope(|scope| {
        scope.spawn(|| {
            for (number, value) in (0..total).zip(values.iter().cycle()) {
                let due = began + pace.due(number);
                thread::sleep(due.saturating_duration_since(Instant::now()));
                program.be_looked_at(is_looked_at(pace.due(number)));
                let record = BaseRecord::to(&input).partition(partition).key("key").payload(value).timestamp(1_790_000_000_000);
                producer.send(record).map_err(|(error, _)| error).unwrap();
                producer.poll(Duration::ZERO);
            }
        });
        // Records come in the order of their envelopes, one for each frame.
        let mut number = 0;
        while number < total * u32::try_from(pace.frames).unwrap() {
            assert!(began.elapsed() < 3 * (WARM_UP + MEASURED), "{number} records came");
            let Some(record) = consumer.poll(Duration::from_secs(1)) else { continue };
            record.unwrap();
            let due = pace.due(number / u32::try_from(pace.frames).unwrap());
            if due >= WARM_UP {
                let looks = usize::from(program.has_onlooker() && is_looked_at(due));
                late[looks].record(u64::try_from((began.elapsed() - due).as_micros()).unwrap()).unwrap();
            }
            number += 1;
        }
    });
    late
}

/// Every other moment from the end of the warming up.
const fn is_looked_at(due: Duration) -> bool {
    due.as_millis() >= WARM_UP.as_millis() && ((due.as_millis() - WARM_UP.as_millis()) / MOMENT.as_millis()).is_multiple_of(2)
}

fn clients(broker: &Broker, output: &str, partition: i32) -> (BaseProducer, BaseConsumer) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker.address()).set("socket.nagle.disable", "true").set("linger.ms", "0");
    let producer = config.create().unwrap();
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker.address()).set("group.id", "late").set("enable.auto.commit", "false").set("fetch.wait.max.ms", "100");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(output, partition, Offset::Beginning).unwrap();
    consumer.assign(&list).unwrap();
    (producer, consumer)
}
