//! How fast envelopes go from topic to topic, through the hub and through a pass-through that does the same with plain rdkafka calls and parses nothing; on
//! a real broker, in turn, every turn draining the same topics from their beginning. And what it costs: CPU of process and broker, memory. Where all frames are
//! order books of Upbit, beside a program too that reads and writes like the pass-through and is otherwise what most would write (`benches/pipeline/sonic.rs`).
//!
//!     cargo bench --bench throughput -- [books] [mix] [wide] [embedded] [latency] [--rate FRAMES/S] [--frames N] [--turns N] \
//!         [--hub "[PROGRAM] [ARGUMENT...]"]... [--program "PROGRAM [ARGUMENT...]"]...
//!
//! Each `--hub` is a hub to compare, with arguments of its own, `VARIABLE=value`s, or another build of it where the first word is a path. One with an
//! `--endpoint` is looked at: its metrics and what an open page shows, every second. Each `--program` is any other program that does the same with the order
//! books of Upbit; it is given the arguments of the pass-through (`pass_through.rs`). Needs Java and Maven, as the tests do; `embedded` alone does not.
//! Prints tables, asserts nothing about time.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for people, which fails loudly")]

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../pipeline/books.rs"]
mod books;
#[path = "../pipeline/sonic.rs"]
mod sonic;

mod embedded;
mod input;
mod latency;
mod onlooker;
mod pass_through;
mod process;
mod program;

use std::thread;
use std::time::{Duration, Instant};

use books::Books;
use input::{FRAMES, LaneInput, Load};
use process::{cpu_seconds, median, resident_mib, threads};
use program::{Contender, Program};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use support::broker::Broker;
use support::names::Names;

/// How often is looked how far a program is.
const LOOK: Duration = Duration::from_millis(5);
/// A turn that takes longer is stuck.
const TURN_MAX: Duration = Duration::from_secs(240);

/// What is asked for.
struct Asked {
    loads: Vec<Load>,
    /// Upbit's order books on as many partitions as there are lanes, and on a broker inside this process.
    embedded: bool,
    latency: bool,
    /// Of the latency: frames a second, and in an envelope.
    rate: u32,
    frames: usize,
    turns: usize,
    hubs: Vec<Vec<String>>,
    programs: Vec<Vec<String>>,
}

impl Asked {
    fn new(words: impl Iterator<Item = String>) -> Self {
        let mut words = words.filter(|word| word != "--bench");
        let mut asked =
            Self { loads: Vec::new(), embedded: false, latency: false, rate: 5_000, frames: FRAMES, turns: 5, hubs: Vec::new(), programs: Vec::new() };
        let split = |words: String| words.split_whitespace().map(str::to_owned).collect();
        while let Some(word) = words.next() {
            match word.as_str() {
                "books" => asked.loads.push(Load::Books),
                "mix" => asked.loads.push(Load::Mix),
                "wide" => asked.loads.push(Load::Wide),
                "embedded" => asked.embedded = true,
                "latency" => asked.latency = true,
                "--rate" => asked.rate = words.next().unwrap().parse().unwrap(),
                "--frames" => asked.frames = words.next().unwrap().parse().unwrap(),
                "--turns" => asked.turns = words.next().unwrap().parse().unwrap(),
                "--hub" => asked.hubs.push(split(words.next().unwrap())),
                "--program" => asked.programs.push(split(words.next().unwrap())),
                _ => panic!("what is {word}?"),
            }
        }
        if !asked.needs_broker() && !asked.embedded {
            (asked.loads, asked.embedded, asked.latency) = (vec![Load::Books, Load::Mix, Load::Wide], true, true);
        }
        if asked.hubs.is_empty() {
            asked.hubs.push(Vec::new());
        }
        asked
    }

    const fn needs_broker(&self) -> bool {
        !self.loads.is_empty() || self.latency
    }

    /// The pass-through, and the hubs.
    fn contenders(&self) -> Vec<Contender> {
        std::iter::once(Contender::PassThrough).chain(self.hubs.iter().cloned().map(Contender::Hub)).collect()
    }

    /// Those, and where all frames are ones that they know, the straightforward program and others.
    fn contenders_at(&self, load: Load) -> Vec<Contender> {
        let mut contenders = self.contenders();
        if load == Load::Books {
            contenders.push(Contender::Straightforward);
            contenders.extend(self.programs.iter().cloned().map(Contender::Other));
        }
        contenders
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.split_first() {
        Some((name, rest)) if name == pass_through::NAME => return pass_through::run(rest, None),
        Some((name, rest)) if name == pass_through::STRAIGHTFORWARD => return pass_through::run(rest, Some(Books::new())),
        _ => {}
    }
    let asked = Asked::new(words.into_iter());
    if asked.embedded {
        embedded::measure(&asked);
    }
    if !asked.needs_broker() {
        return;
    }
    if let Some(reason) = support::kafka_home::missing() {
        return println!("not measured: {reason}");
    }
    let broker = Broker::start_fast();
    for &load in &asked.loads {
        throughput(&broker, load, &asked);
    }
    if asked.latency {
        latency::measure(&broker, &asked);
    }
}

/// What one turn gave.
struct Turn {
    frames_per_second: f64,
    /// CPU seconds for a million frames, of the program and of the broker.
    program: f64,
    broker: f64,
    resident_mib: f64,
    threads: f64,
}

/// When, how many records are out, and CPU seconds of program and broker so far.
type Look = (Instant, i64, f64, f64);

impl Turn {
    fn between(first: Look, last: Look, program: &Program) -> Self {
        let millions = (last.1 - first.1) as f64 / 1e6;
        let turn = Self {
            frames_per_second: millions * 1e6 / (last.0 - first.0).as_secs_f64(),
            program: (last.2 - first.2) / millions,
            broker: (last.3 - first.3) / millions,
            resident_mib: resident_mib(program.pid()),
            threads: threads(program.pid()),
        };
        println!("  {:.0} frames/s, {:.2} + {:.2} us", turn.frames_per_second, turn.program, turn.broker);
        turn
    }
}

fn throughput(broker: &Broker, load: Load, asked: &Asked) {
    let (client, input) = (broker.client(), Names::of(&format!("{load:?}")));
    client.create_topics(&input.topics());
    let began = Instant::now();
    let lanes = input::prefill(&broker.address(), &input, load);
    let envelopes: usize = lanes.iter().map(|lane| lane.envelopes).sum();
    println!("{load:?}: {envelopes} envelopes of {FRAMES} frames in {} lanes, filled within {:?}", lanes.len(), began.elapsed());

    let programs = asked.contenders_at(load);
    let mut results: Vec<Vec<Turn>> = programs.iter().map(|_| Vec::new()).collect();
    // The first turn of all warms the broker up.
    for turn in 0..=asked.turns {
        for (index, contender) in programs.iter().enumerate() {
            let output = Names::of(&format!("{load:?}-{turn}-{index}"));
            client.create_topics(&output.topics());
            let measured = drain(broker, contender, &lanes, &input, &output);
            output.topics().iter().for_each(|(topic, _)| client.admin().delete_topic(topic));
            if turn > 0 {
                results[index].push(measured);
            }
        }
    }
    table(&programs, &results);
}

fn table(programs: &[Contender], results: &[Vec<Turn>]) {
    let of = |turns: &[Turn], figure: fn(&Turn) -> f64| median(turns.iter().map(figure).collect());
    println!("| program | frames/s | range | of pass-through, paired | us/frame program | broker | both | resident MiB | threads |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for (program, turns) in programs.iter().zip(results) {
        let rates = || turns.iter().map(|turn| turn.frames_per_second);
        let paired = median(turns.iter().zip(&results[0]).map(|(turn, yardstick)| 100.0 * turn.frames_per_second / yardstick.frames_per_second).collect());
        println!(
            "| {} | {:.0} | {:.0} to {:.0} | {paired:.0} % | {:.2} | {:.2} | {:.2} | {:.0} | {:.0} |",
            program.name(),
            of(turns, |turn| turn.frames_per_second),
            rates().fold(f64::INFINITY, f64::min),
            rates().fold(0.0, f64::max),
            of(turns, |turn| turn.program),
            of(turns, |turn| turn.broker),
            of(turns, |turn| turn.program + turn.broker),
            of(turns, |turn| turn.resident_mib),
            of(turns, |turn| turn.threads),
        );
    }
}

/// One turn: from the first records that are seen in the output to the last.
fn drain(broker: &Broker, contender: &Contender, lanes: &[LaneInput], input: &Names, output: &Names) -> Turn {
    let total: i64 = lanes.iter().map(|lane| i64::try_from(lane.records).unwrap()).sum();
    let ends = Ends::new(&broker.address(), lanes, output);
    let program = Program::start((&broker.address(), broker.dir()), contender, false, lanes, input, output);
    let look = || (Instant::now(), ends.sum(), cpu_seconds(program.pid()), cpu_seconds(broker.pid()));
    let began = Instant::now();
    let mut first = None;
    let (first, last) = loop {
        thread::sleep(LOOK);
        let now = look();
        if first.is_none() && now.1 > 0 {
            first = Some(now);
        }
        if now.1 >= total {
            break (first.unwrap(), now);
        }
        assert!(began.elapsed() < TURN_MAX, "{} of {total} records after {TURN_MAX:?}", now.1);
    };
    let turn = Turn::between(first, last, &program);
    program.end();
    turn
}

/// Asks for the ends of all output partitions with one request.
struct Ends {
    client: BaseConsumer,
    asked: TopicPartitionList,
}

impl Ends {
    fn new(brokers: &str, lanes: &[LaneInput], output: &Names) -> Self {
        let client: BaseConsumer = ClientConfig::new().set("bootstrap.servers", brokers).create().unwrap();
        let mut asked = TopicPartitionList::new();
        for lane in lanes {
            // A time of -1 stands for the end of the log.
            asked.add_partition_offset(&output.output(lane.stream), lane.partition, Offset::End).unwrap();
        }
        Self { client, asked }
    }

    /// Of each lane, in their order.
    fn each(&self) -> Vec<i64> {
        let ends = self.client.offsets_for_times(self.asked.clone(), Duration::from_secs(10)).unwrap();
        ends.elements().iter().map(|element| if let Offset::Offset(offset) = element.offset() { offset } else { 0 }).collect()
    }

    fn sum(&self) -> i64 {
        self.each().iter().sum()
    }
}
