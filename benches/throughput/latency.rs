//! How late a record is: 5,000 one-frame envelopes a second, from the moment when the envelope was due to be produced until its record is consumed. A
//! producer that falls behind its schedule does not hide it: what counts is the schedule.

use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use market_hub::market::{Exchange, Kind};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::producer::{BaseProducer, BaseRecord};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::Program;
use crate::input::{Envelopes, LaneInput};
use crate::process::median;
use crate::support::broker::Broker;
use crate::support::names::Names;

const EVERY: Duration = Duration::from_micros(200);
/// The first seconds are the start of connections and the broker's warming up.
const WARM_UP: Duration = Duration::from_secs(3);
const MEASURED: Duration = Duration::from_secs(10);
const PERCENTILES: [f64; 4] = [50.0, 99.0, 99.9, 100.0];

/// Prints percentiles of the pass-through and of the hubs, in turn, medians of the turns.
pub fn measure(broker: &Broker, hubs: &[Vec<String>], turns: usize) {
    let programs: Vec<Option<&[String]>> = std::iter::once(None).chain(hubs.iter().map(|hub| Some(hub.as_slice()))).collect();
    let mut results: Vec<Vec<[f64; 4]>> = programs.iter().map(|_| Vec::new()).collect();
    for turn in 0..turns {
        for (index, hub) in programs.iter().enumerate() {
            let late = turn_of(broker, *hub, &Names::of(&format!("late-{turn}-{index}")));
            println!("  {}: p50, p99, p99.9, max: {late:.2?} ms", hub.map_or_else(|| "pass-through".to_owned(), |words| words.join(" ")));
            results[index].push(late);
        }
    }
    println!("| program | p50 ms | p99 | p99.9 | max |");
    println!("|---|---|---|---|---|");
    for (program, turns) in programs.iter().zip(&results) {
        let of = |index: usize| median(turns.iter().map(|turn| turn[index]).collect());
        let name = program.map_or_else(|| "pass-through".to_owned(), |words| format!("hub {}", words.join(" ")));
        println!("| {name} | {:.2} | {:.2} | {:.2} | {:.2} |", of(0), of(1), of(2), of(3));
    }
}

fn turn_of(broker: &Broker, hub: Option<&[String]>, names: &Names) -> [f64; 4] {
    broker.client().create_topics(&names.topics());
    let (exchange, kind) = (Exchange::Upbit, Kind::Orderbook);
    let mut envelopes = Envelopes::new(exchange, kind, 3);
    let values: Vec<Vec<u8>> = (0..1_000).map(|_| envelopes.next(1).1.to_vec()).collect();
    let lane = envelopes.into_lane();
    let program = Program::start(broker, hub, true, std::slice::from_ref(&lane), names, names);
    let late = paced(broker, names, &lane, &values);
    program.end();
    PERCENTILES.map(|percent| late.value_at_percentile(percent) as f64 / 1_000.0)
}

/// Produces on schedule from one thread and consumes in another; both sleep while there is nothing to do.
fn paced(broker: &Broker, names: &Names, lane: &LaneInput, values: &[Vec<u8>]) -> Histogram<u64> {
    let (input, output, partition) = (names.input(lane.stream), names.output(lane.stream), lane.exchange.partition());
    let (producer, consumer) = clients(broker, &output, partition);
    let began = Instant::now();
    let due = |number: u32| began + EVERY * number;
    let total = u32::try_from((WARM_UP + MEASURED).as_micros() / EVERY.as_micros()).unwrap();
    let mut late = Histogram::new(3).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            for (number, value) in (0..total).zip(values.iter().cycle()) {
                thread::sleep(due(number).saturating_duration_since(Instant::now()));
                let record = BaseRecord::to(&input).partition(partition).key("key").payload(value).timestamp(1_790_000_000_000);
                producer.send(record).map_err(|(error, _)| error).unwrap();
                producer.poll(Duration::ZERO);
            }
        });
        // Records come in the order of their envelopes, one for each.
        let mut number = 0;
        while number < total {
            assert!(began.elapsed() < 3 * (WARM_UP + MEASURED), "{number} of {total} records came");
            let Some(record) = consumer.poll(Duration::from_secs(1)) else { continue };
            record.unwrap();
            if due(number) >= began + WARM_UP {
                late.record(u64::try_from(due(number).elapsed().as_micros()).unwrap()).unwrap();
            }
            number += 1;
        }
    });
    late
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
