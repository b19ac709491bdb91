//! The hub between topics of a real Kafka broker: every promise of contract sections 1, 7 and 8 that a broker is needed for.
//!
//! Each scenario has topics and groups of its own on the one broker of this binary, and the broker to itself while it runs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/harness.rs"]
mod harness;
mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::net::UnixDatagram,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use market_hub::market::{Exchange, Kind, Stream};
use support::{
    Message,
    broker::{self, Broker},
    client::{Client, Place},
    http,
    hub::{Hub, HubCommand, Stopped, committed, input_ends},
    names::Names,
    record_file::golden_files,
    report,
    rounds::{differences, rounds},
    wait_until,
};

/// How long a hub may take to get through what a scenario sends it, in a debug build on a busy machine.
const CATCH_UP_BOUND: Duration = Duration::from_secs(120);

// ---------------------------------------------------------------------------------------------------------------------------- the hub

#[test]
fn golden_files_come_out_byte_for_byte() {
    let Some(broker) = broker::shared() else { return };
    let client = broker.client();
    for (number, round) in rounds(golden_files()).into_iter().enumerate() {
        // The first round has the deployed names: the hub is told none.
        let names = if number == 0 { Names::deployed() } else { Names::of(&format!("golden-{number}")) };
        client.create_topics(&round.topics(&names));
        let offsets = client.produce(&round.input(&names));

        let began = Instant::now();
        let mut hub = HubCommand::run(&broker, &names).with(&["--commit-interval-ms", "100"]);
        if let Some(mode) = round.book {
            hub = hub.with(&["--book", mode]);
        }
        if let Some(lanes) = round.lanes() {
            hub = hub.with(&["--lanes", &lanes]);
        }
        let mut hub = hub.start();
        hub.wait_until_caught_up(&client, &names, CATCH_UP_BOUND);
        hub.terminate().assert_clean(&format!("round {number}"));

        let found = client.read(&output_topics(&names));
        let differences = differences(&round.expected(&names, &offsets), &found);
        let count: usize = found.values().map(Vec::len).sum();
        report(format_args!("round {number}: {} envelopes, {count} messages out, {:?}: {:?}", offsets.len(), began.elapsed(), round.files()));
        assert!(
            differences.is_empty(),
            "{} differences in round {number}; the first:\n{}",
            differences.len(),
            differences[..differences.len().min(5)].join("\n")
        );
        assert_eq!(committed(&client, &names), input_ends(&client, &names), "a stop takes nothing back");
    }
}

#[test]
fn every_group_is_committed_to_the_end_whatever_became_of_the_frames() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("commits"));
    client.create_topics(&names.topics());
    let mut sent = Vec::new();
    for stream in Stream::ALL {
        for exchange in stream.region.exchanges() {
            let place = |data: &str| Message::new(&names.input(stream), exchange.partition(), &envelope(*exchange, data));
            // Nothing to do, control, rejected, and at the end nothing to do again: no acknowledgement ever tells that the last one is done.
            sent.extend([place(""), place("{}"), place(r#""no frame""#), place(r#""ping",{}"#), place("")]);
        }
    }
    client.produce(&sent);

    let mut hub = run(&broker, &names);
    hub.wait_until_caught_up(&client, &names, CATCH_UP_BOUND);
    hub.terminate().assert_clean("nothing but noise");

    let committed = committed(&client, &names);
    assert_eq!(committed.len(), 18, "all partitions of all streams");
    assert!(committed.values().all(|offset| *offset == 5), "{committed:?}");
    for (place, messages) in client.read(&output_topics(&names)) {
        let reasons: Vec<Option<&str>> = messages.iter().map(|message| message.header("hub.reason")).collect();
        let expected = if place.0.ends_with("-dlt") { &[Some("json")][..] } else { &[] };
        assert_eq!(reasons, expected, "{place:?}");
    }
}

#[test]
fn a_stop_under_load_loses_nothing_and_repeats_nothing() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("sigterm"));
    client.create_topics(&names.topics());
    // Commits so rare that only the stop's own can be what makes a restart begin where it ended.
    let run = || HubCommand::run(&broker, &names).with(&["--commit-interval-ms", "5000"]).start();
    let mut hub = run();
    let load = Load::start(&client, &names);
    for stop in ["first stop under load", "second stop under load"] {
        let before = written(&client, &names);
        let written_now = || {
            hub.assert_running();
            written(&client, &names)
        };
        wait_until("10,000 records more", CATCH_UP_BOUND, written_now, |written| *written >= before + 10_000);
        hub.terminate().assert_clean(stop);
        assert_what_is_committed_is_what_is_written(&client, &names);
        hub = run();
    }
    let sent = load.finish();
    hub.wait_until_caught_up(&client, &names, CATCH_UP_BOUND);
    hub.terminate().assert_clean("stop when idle");

    let found = client.read(&output_topics(&names));
    for exchange in Exchange::ALL {
        let stream = ticker_stream(exchange);
        let records = &found[&(names.output(stream), exchange.partition())];
        let sequence: Vec<u64> = records.iter().map(sequence_of).collect();
        assert_dense(&sequence, sent[&exchange], exchange);
        assert!(found[&(names.dead_letters(stream), exchange.partition())].is_empty(), "no dead letter of {exchange}");
    }
    report(format_args!("{} frames through two stops", sent.values().sum::<u64>()));
}

#[test]
fn a_poison_envelope_is_dead_lettered_and_what_follows_flows() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("poison"));
    client.create_topics(&names.topics());
    let stream = ticker_stream(Exchange::Upbit);
    let deep = format!(r#"{{"region":"korea","market":"UPBIT","symbol":"BTC","skipped":{},"data":[]}}"#, "[".repeat(11_500));
    // The very first record of each partition, and the reason its dead letter must give.
    let poison: [(Option<&[u8]>, &str); 4] =
        [(Some(deep.as_bytes()), "depth"), (None, "json"), (Some(b"\xff\xfe{}"), "utf8"), (Some(br#"{"region":"korea","market":"KORBIT""#), "json")];
    let mut sent = Vec::new();
    for (exchange, (value, _)) in stream.region.exchanges().iter().zip(poison) {
        let first = Message::new(&names.input(stream), exchange.partition(), "");
        sent.push(Message {
            value: value.map(<[u8]>::to_vec),
            key: Some(b"poison".to_vec()),
            headers: vec![("trace".to_owned(), Some(vec![0, 0xff]))],
            ..first
        });
        sent.extend((1..=3).map(|sequence| numbered(&names, *exchange, &[sequence])));
    }
    client.produce(&sent);

    let mut hub = run(&broker, &names);
    hub.wait_until_caught_up(&client, &names, CATCH_UP_BOUND);
    hub.terminate().assert_clean("after poison");

    let found = client.read(&output_topics(&names));
    for (exchange, (value, reason)) in stream.region.exchanges().iter().zip(poison) {
        let letters = &found[&(names.dead_letters(stream), exchange.partition())];
        assert_eq!(letters.len(), 1, "{exchange}: {letters:?}");
        let letter = &letters[0];
        assert_eq!((letter.value.as_deref(), letter.key.as_deref(), letter.timestamp_ms), (value, Some(b"poison".as_slice()), sent[0].timestamp_ms));
        assert_eq!(letter.headers[0], ("trace".to_owned(), Some(vec![0, 0xff])), "the original's own header, first");
        assert_eq!(letter.header("__connect.errors.topic"), Some(names.input(stream).as_str()));
        assert_eq!(letter.header("__connect.errors.partition"), Some(exchange.partition().to_string().as_str()));
        assert_eq!((letter.header("__connect.errors.offset"), letter.header("hub.reason")), (Some("0"), Some(reason)));
        let sequence: Vec<u64> = found[&(names.output(stream), exchange.partition())].iter().map(sequence_of).collect();
        assert_eq!(sequence, [1, 2, 3], "{exchange}");
    }
}

#[test]
fn missing_topics_are_all_named_and_end_the_start() {
    let Some(broker) = broker::shared() else { return };
    let names = Names::of("missing");
    let (there, missing): (Vec<_>, Vec<_>) = names.topics().into_iter().partition(|(topic, _)| topic == &names.input(ticker_stream(Exchange::Okx)));
    broker.client().create_topics(&there);

    let Stopped { code, said, took } = HubCommand::run(&broker, &names).with(&["--start-deadline-s", "1"]).start().wait_for_exit(Duration::from_secs(30));

    report(format_args!("{} topics missing: exit {code:?} after {took:?}", missing.len()));
    assert_eq!(code, Some(69), "{said}");
    let unnamed: Vec<&str> = missing.iter().map(|(topic, _)| topic.as_str()).filter(|topic| !said.contains(topic)).collect();
    assert!(unnamed.is_empty(), "not named: {unnamed:?} in:\n{said}");
    let existing = broker.client().topics();
    assert!(missing.iter().all(|(topic, _)| !existing.contains_key(topic)), "nothing was created: {existing:?}");
}

#[test]
fn create_topics_makes_what_is_missing_and_goes_on() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("create"));
    let mut hub = HubCommand::run(&broker, &names).with(&["--create-topics", "--commit-interval-ms", "100"]).start();
    let made = || {
        hub.assert_running();
        client.topics().into_iter().filter(|(topic, _)| topic.starts_with("create.")).collect::<BTreeMap<String, i32>>()
    };
    let expected: BTreeMap<String, i32> = names.topics().into_iter().collect();
    wait_until("all topics, with the contract's partitions", Duration::from_secs(30), made, |made| *made == expected);

    client.produce(&Exchange::ALL.map(|exchange| numbered(&names, exchange, &[7])));
    hub.wait_until_caught_up(&client, &names, CATCH_UP_BOUND);
    hub.terminate().assert_clean("topics of its own making");

    let found = client.read(&output_topics(&names));
    for exchange in Exchange::ALL {
        let records = &found[&(names.output(ticker_stream(exchange)), exchange.partition())];
        assert_eq!(records.iter().map(sequence_of).collect::<Vec<u64>>(), [7], "{exchange}");
    }
}

#[test]
fn a_stop_in_an_outage_ends_by_its_deadline_and_loses_nothing() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("outage"));
    client.create_topics(&names.topics());
    // Reports every second: one is being made whenever the signal comes.
    let run = |more: &[&str]| HubCommand::run(&broker, &names).with(&["--commit-interval-ms", "100", "--report-interval-s", "1"]).with(more).start();
    // The defaults; and a producer that holds less than one batch, so that the open batches of all lanes have nowhere to go when the stop comes.
    let tight = ["--producer-queue-messages=10", "--channel-batches=2", "--batch-records=400", "--batch-age-us=10000000", "--poll-max-envelopes=8"];
    let mut load = None;
    for (settings, more) in [("by default", &[][..]), ("with small queues", &tight)] {
        let mut hub = run(&[&["--stop-deadline-ms", "2000"], more].concat());
        let load = load.get_or_insert_with(|| Load::start(&client, &names));
        let before = written(&client, &names);
        wait_until("1,000 records more", CATCH_UP_BOUND, || written(&client, &names), |written| *written >= before + 1_000);
        hub.assert_running();
        broker.stop();
        // Long enough for a report that finds no broker, and for queues to fill.
        thread::sleep(Duration::from_millis(1_500));
        let Stopped { code, said, took } = hub.terminate();
        broker.cont();
        wait_until("an answer after SIGCONT", Duration::from_secs(30), || client.answers(Duration::from_secs(1)), |answers| *answers);

        report(format_args!("stop in an outage, {settings}: exit {code:?} after {took:?} (goal 3 s)"));
        assert_eq!(code, Some(75), "{said}");
        // A busy machine may take longer than the goal; what waits for the broker takes far longer.
        assert!((Duration::from_secs(2)..Duration::from_secs(5)).contains(&took), "not before the deadline of 2 s, and soon after it: {took:?}");
        let count = said.lines().find_map(|line| line.split_once("stopped at the deadline with ")?.1.split(' ').next()?.parse::<u64>().ok());
        assert!(count.is_some_and(|count| count > 0), "how many envelopes are uncommitted: {count:?} in\n{said}");
        load.assert_running();
    }
    let sent = load.unwrap().finish();
    let mut hub = run(&[]);
    hub.wait_until_caught_up(&client, &names, CATCH_UP_BOUND);
    hub.terminate().assert_clean("after two outages");

    let found = client.read(&output_topics(&names));
    for exchange in Exchange::ALL {
        let records = &found[&(names.output(ticker_stream(exchange)), exchange.partition())];
        // What was sent and not committed comes again; nothing is missing, and nothing comes that was never sent.
        let distinct: BTreeSet<u64> = records.iter().map(sequence_of).collect();
        assert_eq!((distinct.len() as u64, distinct.last()), (sent[&exchange], Some(&sent[&exchange])), "{exchange}: 1 to {}", sent[&exchange]);
        report(format_args!("{exchange}: {} frames, {} records again", sent[&exchange], records.len() - distinct.len()));
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("twice"));
    client.create_topics(&names.topics());
    // The stop would have to commit, which it cannot.
    let mut hub = HubCommand::run(&broker, &names).with(&["--stop-deadline-ms", "60000", "--commit-interval-ms", "60000"]).start();
    client.produce(&[numbered(&names, Exchange::Upbit, &[1])]);
    wait_until("a record", CATCH_UP_BOUND, || written(&client, &names), |written| *written == 1);
    broker.stop();
    hub.signal_term();
    thread::sleep(Duration::from_millis(300));
    let Stopped { code, said, took } = hub.terminate();
    broker.cont();
    report(format_args!("second SIGTERM: exit {code:?} after {took:?}"));
    assert_eq!(code, Some(75), "{said}");
    assert!(took < Duration::from_millis(500), "{took:?}");
}

#[test]
fn a_supervisor_hears_how_it_goes() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("supervised"));
    client.create_topics(&names.topics());
    let socket_at = broker.dir().join("notify");
    let socket = UnixDatagram::bind(&socket_at).unwrap();
    let wait = |what: &str| {
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut said = [0; 256];
        let length = socket.recv(&mut said).unwrap_or_else(|error| panic!("{what} is not told: {error}"));
        String::from_utf8_lossy(&said[..length]).trim().to_owned()
    };
    let hub = HubCommand::run(&broker, &names)
        .env("NOTIFY_SOCKET", socket_at.to_str().unwrap())
        .env("WATCHDOG_USEC", "30000000")
        .with(&["--report-interval-s", "1"])
        .start();
    assert_eq!(wait("the end of the start"), "READY=1");
    for _ in 0..3 {
        assert_eq!(wait("that workers turn"), "WATCHDOG=1");
    }
    hub.terminate().assert_clean("supervised");
    let last = std::iter::repeat_with(|| wait("the stop")).find(|said| said != "WATCHDOG=1");
    assert_eq!(last.as_deref(), Some("STOPPING=1"));
}

#[test]
fn metrics_tell_of_every_kafka_client() {
    let Some(broker) = broker::shared() else { return };
    for (delivery, writers) in [("at-least-once", &["sender"][..]), ("exactly-once", &[])] {
        for calls in ["single", "batch"] {
            let (client, names) = (broker.client(), Names::of(&format!("figures-{delivery}-{calls}")));
            client.create_topics(&names.topics());
            let mut hub = HubCommand::run(&broker, &names)
                .env("HUB_ENDPOINT", "127.0.0.1:0")
                .with(&["--delivery", delivery, "--kafka-calls", calls, "--commit-interval-ms", "100"])
                .start();
            hub.wait_until_running();
            client.produce(&Exchange::ALL.map(|exchange| numbered(&names, exchange, &[1, 2])));
            hub.wait_until_caught_up(&client, &names, CATCH_UP_BOUND);
            let readers = Stream::ALL.map(|stream| format!("worker-0/{stream}"));
            let expected: Vec<&str> = readers.iter().map(String::as_str).chain(writers.iter().copied()).collect();
            let scrape = wait_until(
                "figures of all clients",
                Duration::from_secs(60),
                || http::get(hub.endpoint(), "/metrics").body.lines().filter(|line| line.starts_with("hub_kafka_")).collect::<Vec<_>>().join("\n"),
                |scrape| expected.iter().all(|client| figure(scrape, "hub_kafka_received_bytes_total", client) > 0.0),
            );
            for client in expected {
                assert_eq!((figure(&scrape, "hub_kafka_brokers", client), figure(&scrape, "hub_kafka_brokers_up", client)), (1.0, 1.0), "{client}");
            }
            hub.terminate().assert_clean("looked at");
        }
    }
}

/// The sample of a metric that a Kafka client has; 0 where there is none.
fn figure(scrape: &str, metric: &str, client: &str) -> f64 {
    let start = format!("{metric}{{client=\"{client}\"}} ");
    scrape.lines().find_map(|line| line.strip_prefix(&start)?.parse().ok()).unwrap_or(0.0)
}

#[test]
fn threads_run_where_the_settings_put_them() {
    let Some(broker) = broker::shared() else { return };
    let allowed = market_hub::runtime::allowed_cpus();
    let [housekeeping, .., workers] = allowed[..] else {
        report(format_args!("ignored: placement needs two CPUs, and these are allowed: {allowed:?}"));
        return;
    };
    let (client, names) = (broker.client(), Names::of("placement"));
    client.create_topics(&names.topics());
    let mut hub = HubCommand::run(&broker, &names)
        .env("HUB_WORKERS", "2")
        .env("HUB_WORKER_CPUS", &workers.to_string())
        .env("HUB_HOUSEKEEPING_CPUS", &housekeeping.to_string())
        .with(&["--commit-interval-ms", "100", "--report-interval-s", "1"])
        .start();
    hub.wait_until_running();
    // Records in and out, commits and a report: then every thread there will ever be is there.
    client.produce(&Exchange::ALL.map(|exchange| numbered(&names, exchange, &[1])));
    hub.wait_until_caught_up(&client, &names, CATCH_UP_BOUND);
    thread::sleep(Duration::from_millis(1_500));

    let threads = threads_of(hub.pid());
    let (workers, housekeeping) = (workers.to_string(), housekeeping.to_string());
    let misplaced: Vec<_> = threads.iter().filter(|(name, cpus)| *cpus != if name.starts_with("worker-") { &*workers } else { &*housekeeping }).collect();
    assert!(misplaced.is_empty(), "workers belong on CPU {workers}, all others on {housekeeping}: {misplaced:?}");
    let count = |start: &str| threads.iter().filter(|(name, _)| name.starts_with(start)).count();
    assert_eq!((count("worker-"), count("sender")), (2, 1), "{threads:?}");
    assert!(count("rdk:main") >= 3 && count("rdk:broker") >= 3, "librdkafka's threads were seen: {threads:?}");
    let said = hub.said();
    let unsaid: Vec<_> = ["worker-0", "worker-1", "sender", "rdk:main"].into_iter().filter(|name| !said.contains(name)).collect();
    assert!(unsaid.is_empty(), "the table of threads has no {unsaid:?}:\n{said}");
    hub.terminate().assert_clean("pinned");
}

#[test]
fn check_finds_what_a_run_would_find() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("check"));
    let stream = ticker_stream(Exchange::Okx);
    // One partition more than the contract's, which no lane covers.
    let partitions = |stream_of: Stream, partitions: i32| if stream_of == stream { partitions + 1 } else { partitions };
    for of in Stream::ALL {
        let topics = [names.input(of), names.output(of), names.dead_letters(of)];
        client.create_topics(&topics.map(|topic| (topic, partitions(of, of.partitions()))));
    }
    client.produce(&[numbered(&names, Exchange::Okx, &[1]), numbered(&names, Exchange::Okx, &[2])]);
    client.commit(&names.group(stream), &(names.input(stream), Exchange::Okx.partition()), 1);
    let ends = (client.ends(&output_topics(&names)), committed(&client, &names));
    // A week, and the frame is older than that.
    client.admin().configure(&names.output(stream), "retention.ms", "604800000");

    let Stopped { code, said, took } = HubCommand::check(&broker, &names).start().wait_for_exit(Duration::from_secs(30));
    report(format_args!("check: exit {code:?} after {took:?}"));
    assert_eq!(code, Some(0), "{said}");
    let lane = format!("{stream}:{}: starts at offset 1 of {}", Exchange::Okx.partition(), names.input(stream));
    let uncovered = format!("no lane covers partition {} of {}", stream.partitions(), names.input(stream));
    let old = format!("{stream}:{}: 1 envelopes are older than the 168 h that {}", Exchange::Okx.partition(), names.output(stream));
    let narrow = format!("{} takes 16777216 bytes a record, {} has up to 16777216", names.dead_letters(stream), names.input(stream));
    for part in ["18 lanes are ready", &lane, &uncovered, &old, &narrow] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
    assert_eq!(said.matches("starts at offset").count(), 18, "{said}");
    assert_eq!((client.ends(&output_topics(&names)), committed(&client, &names)), ends, "nothing was processed");
}

#[test]
fn an_output_topic_with_too_few_partitions_ends_the_start() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("narrow"));
    let narrow = names.output(ticker_stream(Exchange::Okx));
    let topics: Vec<(String, i32)> =
        names.topics().into_iter().map(|(topic, partitions)| if topic == narrow { (topic, 1) } else { (topic, partitions) }).collect();
    client.create_topics(&topics);
    for command in [HubCommand::run(&broker, &names), HubCommand::check(&broker, &names)] {
        let Stopped { code, said, took } = command.with(&["--start-deadline-s", "1"]).start().wait_for_exit(Duration::from_secs(30));
        report(format_args!("an output topic of one partition: exit {code:?} after {took:?}"));
        assert_eq!(code, Some(69), "{said}");
        assert!(said.contains(&format!("topic {narrow} (output of asia-ticker) has 1 partitions")), "{said}");
    }
}

#[test]
fn a_group_with_members_refuses_the_start() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("members"));
    client.create_topics(&names.topics());
    let stream = ticker_stream(Exchange::Kraken);
    let member = client.join(&names.group(stream), &names.input(stream));
    for command in [HubCommand::run(&broker, &names), HubCommand::check(&broker, &names)] {
        let Stopped { code, said, .. } = command.start().wait_for_exit(Duration::from_secs(30));
        assert_eq!(code, Some(69), "{said}");
        assert!(said.contains(&format!("group {} ({stream}) has 1 members", names.group(stream))), "{said}");
    }
    drop(member);
    let mut hub = run(&broker, &names);
    client.produce(&[numbered(&names, Exchange::Kraken, &[1])]);
    hub.wait_until_caught_up(&client, &names, CATCH_UP_BOUND);
    // A hub itself is no member: a second one is not kept out by this.
    hub.terminate().assert_clean("once the member had left");
}

// -------------------------------------------------------------------------------------------------------------- what the scenarios are made of

fn run(broker: &Broker, names: &Names) -> Hub {
    HubCommand::run(broker, names).with(&["--commit-interval-ms", "100"]).start()
}

fn output_topics(names: &Names) -> Vec<String> {
    Stream::ALL.into_iter().flat_map(|stream| [names.output(stream), names.dead_letters(stream)]).collect()
}

fn ticker_stream(exchange: Exchange) -> Stream {
    Stream { region: exchange.region(), kind: Kind::Ticker }
}

/// An envelope around the items of `data`.
fn envelope(exchange: Exchange, data: &str) -> String {
    format!(r#"{{"region":"{}","market":"{exchange}","symbol":"BTC","data":[{data}]}}"#, exchange.region().as_str())
}

/// An envelope of ticker frames, each of which has nothing but its number for a trade price.
fn numbered(names: &Names, exchange: Exchange, numbers: &[u64]) -> Message {
    let column = match exchange {
        Exchange::Upbit | Exchange::Bithumb => "trade_price",
        Exchange::Coinone | Exchange::Okx | Exchange::Gateio | Exchange::Kraken => "last",
        Exchange::Korbit => "close",
        Exchange::Bybit => "lastPrice",
        Exchange::Binance => "c",
    };
    let frames: Vec<String> = numbers.iter().map(|number| format!(r#""{{\"{column}\":\"{number}\"}}""#)).collect();
    Message::new(&names.input(ticker_stream(exchange)), exchange.partition(), &envelope(exchange, &frames.join(", ")))
}

/// The number that [`numbered`] put into the frame of this record.
fn sequence_of(record: &Message) -> u64 {
    let value: serde_json::Value = serde_json::from_str(record.text()).unwrap();
    let price = value["data"][0]["trade_price"].as_str().unwrap_or_else(|| panic!("no trade price: {record:?}"));
    price.strip_suffix(".0").unwrap().parse().unwrap()
}

/// 1, 2, 3, ... up to `last`: says whether one was lost, repeated or out of order.
fn assert_dense(sequence: &[u64], last: u64, of: Exchange) {
    let distinct: BTreeSet<u64> = sequence.iter().copied().collect();
    let lost: Vec<u64> = (1..=last).filter(|number| !distinct.contains(number)).take(5).collect();
    let phantom: Vec<u64> = distinct.iter().copied().filter(|number| !(1..=last).contains(number)).take(5).collect();
    let repeated = sequence.len() - distinct.len();
    assert!(lost.is_empty() && phantom.is_empty() && repeated == 0, "{of}: of 1..={last} lost {lost:?}.., phantom {phantom:?}.., {repeated} repeated");
    let misplaced = sequence.windows(2).find(|pair| pair[0] >= pair[1]);
    assert!(misplaced.is_none(), "{of}: out of order: {misplaced:?}");
}

/// Name and allowed CPUs of every thread of a process.
fn threads_of(pid: u32) -> Vec<(String, String)> {
    let status = |task: std::io::Result<fs::DirEntry>| fs::read_to_string(task.ok()?.path().join("status")).ok();
    let field = |status: &str, name: &str| status.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned())).unwrap();
    let statuses: Vec<String> = fs::read_dir(format!("/proc/{pid}/task")).unwrap().filter_map(status).collect();
    statuses.iter().map(|status| (field(status, "Name:"), field(status, "Cpus_allowed_list:"))).collect()
}

/// How many records the ticker output topics hold.
fn written(client: &Client, names: &Names) -> i64 {
    let outputs: Vec<String> = Stream::ALL.into_iter().filter(|stream| stream.kind == Kind::Ticker).map(|stream| names.output(stream)).collect();
    client.ends(&outputs).values().sum()
}

/// After a clean stop the committed offset of each partition is the one behind the last envelope whose records are written.
fn assert_what_is_committed_is_what_is_written(client: &Client, names: &Names) {
    let committed = committed(client, names);
    for exchange in Exchange::ALL {
        let stream = ticker_stream(exchange);
        let envelopes = committed[&(names.input(stream), exchange.partition())];
        let output: Place = (names.output(stream), exchange.partition());
        let records = client.ends(std::slice::from_ref(&output.0))[&output];
        assert_eq!(records, envelopes * Load::FRAMES, "{exchange}: {envelopes} envelopes are committed");
    }
}

/// A steady load on all nine ticker partitions: envelopes of two numbered frames, 20,000 frames a second, until it is told to finish.
struct Load {
    finish: Arc<AtomicBool>,
    sender: JoinHandle<BTreeMap<Exchange, u64>>,
}

impl Load {
    const FRAMES: i64 = 2;
    const FRAMES_MAX: u64 = 60_000;

    fn start(client: &Client, names: &Names) -> Self {
        let (finish, client, names) = (Arc::new(AtomicBool::new(false)), client.clone(), names.clone());
        let told = Arc::clone(&finish);
        let sender = thread::spawn(move || {
            let mut producer = client.producer();
            let mut last: BTreeMap<Exchange, u64> = Exchange::ALL.into_iter().map(|exchange| (exchange, 0)).collect();
            let mut next = Instant::now();
            while !told.load(Ordering::Relaxed) && last.values().all(|last| *last < Self::FRAMES_MAX) {
                for (exchange, last) in &mut last {
                    producer.send(&numbered(&names, *exchange, &[*last + 1, *last + 2]));
                    *last += 2;
                }
                next += Duration::from_micros(900);
                thread::sleep(next.saturating_duration_since(Instant::now()));
            }
            producer.finish();
            last
        });
        Self { finish, sender }
    }

    fn assert_running(&self) {
        assert!(!self.sender.is_finished(), "the load is at its end, or died");
    }

    /// The last number sent to each exchange's partition.
    fn finish(self) -> BTreeMap<Exchange, u64> {
        self.finish.store(true, Ordering::Relaxed);
        self.sender.join().expect("the load was sent")
    }
}
