//! What exactly once costs beside at least once, on a real broker, with a thread for each lane's transactions and with fewer: throughput of a backlog in turns
//! of all, how long the commit of a transaction takes, and how late a reader of committed records is.
//!
//! Run with `cargo bench --bench delivery`; needs Java and Maven, as the tests do. Prints a table, asserts nothing about time.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for people, which fails loudly")]

#[path = "../../tests/support/mod.rs"]
mod support;

use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use market_hub::feed::{Feed, Options};
use market_hub::market::{Exchange, Kind, Stream};
use rdkafka::Message as _;
use rdkafka::consumer::Consumer as _;
use rdkafka::{Offset, TopicPartitionList};
use support::Message;
use support::broker::{self, Broker};
use support::hub::{HubCommand, committed, input_ends};
use support::names::Names;

/// What goes through: order books of three lanes.
const EXCHANGES: [Exchange; 3] = [Exchange::Upbit, Exchange::Okx, Exchange::Binance];
/// Of each lane, with so many frames each.
const ENVELOPES: usize = 6_000;
const FRAMES: usize = 20;
const TURNS: usize = 3;
/// What is compared, and its arguments.
const MODES: [(&str, [&str; 4]); 4] = [
    ("at least once", ["--delivery", "at-least-once", "--transaction-threads", "0"]),
    ("exactly once, a thread a lane", ["--delivery", "exactly-once", "--transaction-threads", "0"]),
    ("exactly once, 2 threads", ["--delivery", "exactly-once", "--transaction-threads", "2"]),
    ("exactly once, 1 thread", ["--delivery", "exactly-once", "--transaction-threads", "1"]),
];
/// Of the measurement of latency: one frame a lane this often, for so long.
const PACE: Duration = Duration::from_millis(20);
const LATENCY_FOR: Duration = Duration::from_secs(10);

fn main() {
    let Some(broker) = broker::shared() else { return };
    let input = backlog();
    let mut rates = MODES.map(|_| Vec::new());
    for turn in 0..TURNS {
        for (index, ((mode, arguments), rates)) in MODES.iter().zip(&mut rates).enumerate() {
            let (rate, commit) = throughput(&broker, &input, arguments, &format!("cost-{index}-{turn}"));
            println!("turn {turn}, {mode}: {rate:.0} frames/s{commit}");
            rates.push(rate);
        }
    }
    let medians = rates.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    });
    for ((mode, _), median) in MODES.iter().zip(medians) {
        println!("median, {mode}: {median:.0} frames/s, {:.0} % of at least once", 100.0 * median / medians[0]);
    }
    for (index, (mode, arguments)) in MODES.iter().enumerate() {
        println!("{mode}, one frame every {PACE:?}, produced to read as committed: {}", latency(&broker, arguments, &format!("late-{index}")));
    }
}

/// The envelopes of each lane.
fn backlog() -> Vec<(Exchange, Vec<Vec<u8>>)> {
    let envelopes = |exchange| {
        let mut feed = Feed::new(7, exchange, Kind::Orderbook, Options::default());
        let mut expected = Vec::new();
        let next = |number: usize| {
            let mut value = Vec::new();
            feed.next_envelope(FRAMES, 1_790_000_000_000 + number as i64, &mut value, &mut expected);
            expected.clear();
            value
        };
        (exchange, (0..ENVELOPES).map(next).collect())
    };
    EXCHANGES.into_iter().map(envelopes).collect()
}

fn stream(exchange: Exchange, kind: Kind) -> Stream {
    Stream { region: exchange.region(), kind }
}

fn lanes(kind: Kind) -> String {
    EXCHANGES.map(|exchange| format!("{}:{}", stream(exchange, kind), exchange.partition())).join(" ")
}

/// Frames a second from the first commit to the last, and what the hub says of its transactions' commits.
fn throughput(broker: &Broker, input: &[(Exchange, Vec<Vec<u8>>)], arguments: &[&str], name: &str) -> (f64, String) {
    let (client, names) = (broker.client(), Names::of(name));
    client.create_topics(&names.topics());
    let mut producer = client.producer();
    for (exchange, values) in input {
        let topic = names.input(stream(*exchange, Kind::Orderbook));
        for value in values {
            producer.send(&Message { value: Some(value.clone()), ..Message::new(&topic, exchange.partition(), "") });
        }
    }
    producer.finish();
    let ends = input_ends(&client, &names);
    let total: i64 = ends.values().sum();
    let hub = HubCommand::run(broker, &names).with(arguments).with(&["--lanes", &lanes(Kind::Orderbook)]).start();
    let done = || committed(&client, &names).values().map(|offset| (*offset).max(0)).sum::<i64>();
    // A first message comes half a second after a start: it is left out.
    let mut first = None;
    loop {
        let (now, done) = (Instant::now(), done());
        let &mut (since, before) = first.get_or_insert((now, done));
        if before == 0 {
            first = Some((now, done));
        } else if done >= total {
            let rate = (done - before) as f64 * FRAMES as f64 / since.elapsed().as_secs_f64();
            let said = hub.terminate().said;
            let line = said.lines().rfind(|line| line.contains("commit of a transaction")).and_then(|line| line.split("latency, ").nth(1));
            return (rate, line.map_or_else(String::new, |line| format!("; {line}")));
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Percentiles of the time from producing a frame to reading its record, of one lane among three that are fed alike.
fn latency(broker: &Broker, arguments: &[&str], name: &str) -> String {
    let (client, names) = (broker.client(), Names::of(name));
    client.create_topics(&names.topics());
    let exchange = Exchange::Okx;
    let stream = stream(exchange, Kind::Ticker);
    let mut hub = HubCommand::run(broker, &names).with(arguments).with(&["--lanes", &lanes(Kind::Ticker)]).start();
    hub.wait_until_running();
    let reader = client.reader();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&names.output(stream), exchange.partition(), Offset::Beginning).unwrap();
    reader.assign(&list).unwrap();
    let mut producer = client.producer();
    let (mut late, mut sent) = (Vec::new(), 0_usize);
    let began = Instant::now();
    let mut next = began;
    while began.elapsed() < LATENCY_FOR || (late.len() < sent && began.elapsed() < 2 * LATENCY_FOR) {
        if Instant::now() >= next && began.elapsed() < LATENCY_FOR {
            next += PACE;
            sent += 1;
            for (exchange, price) in EXCHANGES.into_iter().zip(["trade_price", "last", "c"]) {
                let region = exchange.region().as_str();
                let value = format!(r#"{{"region":"{region}","market":"{exchange}","symbol":"BTC","data":["{{\"{price}\":\"1\",\"ts\":\"{}\"}}"]}}"#, now_ms());
                let topic = names.input(Stream { region: exchange.region(), kind: Kind::Ticker });
                producer.send(&Message { timestamp_ms: now_ms(), ..Message::new(&topic, exchange.partition(), &value) });
            }
        }
        if let Some(Ok(record)) = reader.poll(Duration::from_millis(1)) {
            late.push(now_ms() - record.timestamp().to_millis().unwrap());
        }
    }
    // The first second is the start of connections.
    late.drain(..late.len().min(50));
    late.sort_unstable();
    let percentile = |percent: usize| late.get((late.len() * percent / 100).min(late.len().saturating_sub(1))).copied().unwrap_or(-1);
    format!("p50 {} ms, p99 {} ms, max {} ms, of {}", percentile(50), percentile(99), percentile(100), late.len())
}

fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}
