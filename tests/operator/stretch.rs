//! `market-hub replay --from-kafka`: what is in the log gives what it gave, and a digest that tells one output from another.

use std::collections::BTreeMap;

use market_hub::market::{Exchange, Stream};

use super::support::{
    Message,
    broker::{self, Broker},
    client::Place,
    hub::{HubCommand, Ran, committed},
    names::Names,
    record_file::{golden_files, messages},
    rounds::{differences, rounds},
};

const KOREA_TICKER: Stream = Stream::ALL[0];
/// The timestamp of the first input record.
const T0: i64 = 1_790_000_000_000;

#[test]
fn golden_files_come_out_of_the_log_as_out_of_files() {
    let Some(broker) = broker::shared() else { return };
    let client = broker.client();
    // The hard cases, which have all kinds of dead letters and partitions beyond the contract's; and a round of many files, with books.
    for (number, round) in rounds(golden_files()).into_iter().take(2).enumerate() {
        let names = Names::of(&format!("log-golden-{number}"));
        client.create_topics(&round.topics(&names));
        let offsets = client.produce(&round.input(&names));
        let lanes = round.lanes().map_or_else(Vec::new, |lanes| vec!["--lanes".to_owned(), lanes]);
        let lanes: Vec<&str> = lanes.iter().map(String::as_str).collect();

        let out = broker.dir().join(format!("log-golden-{number}.jsonl.gz"));
        let counters = out.with_extension("counters");
        let files = ["--out", out.to_str().unwrap(), "--counters", counters.to_str().unwrap()];
        let digest = replay(&broker, &names, &[&files, &lanes[..]].concat()).ok("to a file");
        let found = by_place(messages(&out));
        let expected = round.expected(&names, &offsets);
        let differences = differences(&expected, &found);
        assert!(differences.is_empty(), "{} differences in round {number}; the first:\n{}", differences.len(), differences[0]);
        assert_digest_counts(&digest, &found);
        let counters: serde_json::Value = serde_json::from_slice(&std::fs::read(counters).unwrap()).unwrap();
        assert_eq!(counters["envelopes"].as_u64(), Some(offsets.len() as u64));

        // The same input as a record file gives the same digest, though it comes in another order.
        let file = broker.dir().join(format!("log-golden-{number}.in.jsonl"));
        std::fs::write(&file, record_file(&round.input(&names), &offsets)).unwrap();
        let of_file = HubCommand::new(&["replay", file.to_str().unwrap(), "--digest-only"], &broker, &names).ran().ok("from a file");
        assert_eq!(of_file, digest);
        // Requests of several lanes share a topic, in another order here than there.
        let resync = ["--digest-only", "--resync-topic", "resync"];
        let of_log = replay(&broker, &names, &[&resync, &lanes[..]].concat()).ok("with requests, from the log");
        let of_file = HubCommand::new(&["replay", file.to_str().unwrap()], &broker, &names).with(&resync).ran().ok("with requests, from a file");
        assert_eq!(of_file, of_log);
        // The files of the second round ask for nothing.
        let lanes_that_ask = of_log.lines().filter(|line| line.starts_with("resync/")).count();
        assert!(number > 0 || lanes_that_ask > 1, "{of_log}");
        assert!(committed(&client, &names).values().all(|offset| *offset == 0), "nobody's group was touched");
    }
}

#[test]
fn digests_tell_one_output_from_another() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("log-digest"));
    client.create_topics(&names.topics());
    client.produce(&tickers(&names, 0, 0..100));
    client.produce(&tickers(&names, 3, 0..100));
    let digest = |more: &[&str]| replay(&broker, &names, &[&["--digest-only"], more].concat()).ok("digest");
    let first = digest(&[]);
    assert_eq!(first, digest(&[]), "the same log");
    assert_eq!(first.lines().count(), 3, "{first}");

    // The records on standard output: then the digest is said, not printed.
    let ran = replay(&broker, &names, &[]);
    assert_eq!(ran.stdout.lines().count(), 200);
    assert!(ran.stderr.contains(&first), "{}", ran.stderr);

    // What is added later belongs to the next replay, unless the end is told.
    client.produce(&tickers(&names, 3, 100..101));
    let second = digest(&[]);
    let line = |digest: &str, number: usize| digest.lines().nth(number).unwrap().to_owned();
    assert_eq!(line(&first, 0), line(&second, 0), "the partition that did not change");
    assert!(line(&first, 1) != line(&second, 1) && line(&first, 2) != line(&second, 2));
    assert_eq!(digest(&["--to", "offset:100"]), first);
    assert_ne!(digest(&["--number-max-chars", "1"]), second, "another rule, another output");
}

#[test]
fn a_stretch_has_the_bounds_that_were_asked_for() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("log-bounds"));
    client.create_topics(&names.topics());
    // A second apart, so that times and offsets say the same.
    client.produce(&tickers(&names, 0, 0..60));
    let numbers = |more: &[&str]| {
        let ran = replay(&broker, &names, &[&["--lanes", "korea-ticker:0"], more].concat());
        let lines: Vec<serde_json::Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let price = |line: &serde_json::Value| {
            let record: serde_json::Value = serde_json::from_str(line["value"].as_str().unwrap()).unwrap();
            record["data"][0]["trade_price"].as_str().unwrap().trim_end_matches(".0").parse::<u64>().unwrap() - 1
        };
        let found: Vec<u64> = lines.iter().map(price).collect();
        assert!(found.windows(2).all(|pair| pair[0] + 1 == pair[1]), "in order, without a hole: {found:?}");
        (found.first().copied().zip(found.last().copied()), ran)
    };
    let millis = |number: i64| (T0 + number * 1_000).to_string();
    for (arguments, expected) in [
        (&["--from", "start", "--to", "end"][..], Some((0, 59))),
        (&["--from", "offset:10", "--to", "offset:20"], Some((10, 19))),
        (&["--from", "10", "--to", "11"], Some((10, 10))),
        (&["--from", &millis(10), "--to", &millis(20)], Some((10, 19))),
        // 2026-09-21T14:13:20Z is T0.
        (&["--from", "2026-09-21T14:13:30.001Z", "--to", "time:2026-09-21T16:13:40+02:00"], Some((11, 19))),
        (&["--from", "time:0"], Some((0, 59))),
        (&["--from", &millis(1_000)], None),
        (&["--from", "offset:5", "--to", "offset:5"], None),
        (&["--from", "offset:5", "--to", &millis(2)], None),
    ] {
        let (found, ran) = numbers(arguments);
        assert_eq!((found, ran.code), (expected, Some(0)), "{arguments:?}: {}", ran.stderr);
    }
    let (found, ran) = numbers(&["--from", "offset:50", "--to", "offset:70"]);
    assert_eq!(found, Some((50, 59)));
    assert!(ran.stderr.contains("offset 70 is not in the log"), "{}", ran.stderr);
    replay(&broker, &names, &["--from", "offset:2", "--to", "offset:1"]).failed(78, &["--from lies behind --to"]);
    replay(&broker, &names, &["--from", "yesterday"]).failed(2, &["yesterday"]);
}

#[test]
fn what_was_aborted_is_no_input_and_the_marks_of_transactions_end_no_stretch_early_or_never() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("log-transactions"));
    client.create_topics(&names.topics());
    // Offsets 0-2, mark 3, aborted 4-6, mark 7, 8-10, mark 11, aborted 12-14, mark 15.
    for (numbers, commits) in [(0..3, true), (3..6, false), (6..9, true), (9..12, false)] {
        client.transact("log-transactions", &tickers(&names, 0, numbers), commits);
    }
    for (arguments, count) in
        [(&["--to", "end"][..], 6), (&["--to", "offset:4"], 3), (&["--to", "offset:8"], 3), (&["--from", "offset:3", "--to", "offset:9"], 1)]
    {
        let began = std::time::Instant::now();
        let ran = replay(&broker, &names, &[&["--lanes", "korea-ticker:0"], arguments].concat());
        assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), count), "{arguments:?}: {ran:?}");
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "{arguments:?}: {:?}", began.elapsed());
    }
}

#[test]
fn a_prefix_keeps_the_output_apart() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("log-prefix"));
    client.create_topics(&names.topics());
    client.produce(&tickers(&names, 1, 0..50));
    client.produce(&[Message::new(&names.input(KOREA_TICKER), 1, "no envelope")]);
    let digest = replay(&broker, &names, &["--digest-only"]).ok("nowhere");

    let to = ["--to-prefix", "trial.", "--lanes", "korea-ticker"];
    let (output, letters) = (format!("trial.{}", names.output(KOREA_TICKER)), format!("trial.{}", names.dead_letters(KOREA_TICKER)));
    replay(&broker, &names, &to).failed(69, &[&output, &letters, "--create-topics"]);
    let told = replay(&broker, &names, &[&to[..], &["--create-topics"]].concat()).ok("to topics");
    assert_eq!(told, digest, "the prefix is not part of it");
    let found = client.read(&[output.clone(), letters.clone()]);
    assert_eq!((found[&(output, 1)].len(), found[&(letters, 1)].len(), found.len()), (50, 1, 8));
    assert!(
        client.ends(&[names.output(KOREA_TICKER), names.dead_letters(KOREA_TICKER)]).values().all(|end| *end == 0),
        "the hub's own topics are not written to"
    );

    replay(&broker, &names, &["--to-prefix", "a b"]).failed(78, &["is no name of a topic"]);
    replay(&broker, &names, &["--to-prefix", "x", "--out", "y"]).failed(2, &["--out"]);
}

#[test]
fn what_cannot_be_read_is_named() {
    let Some(broker) = broker::shared() else { return };
    let names = Names::of("log-missing");
    replay(&broker, &names, &["--digest-only"]).failed(69, &[&names.input(KOREA_TICKER), "is missing"]);
    replay(&broker, &names, &["--brokers", "127.0.0.1:1", "--start-deadline-s", "1"]).failed(69, &["127.0.0.1:1"]);
    let both = HubCommand::new(&["replay", "file.jsonl", "--from-kafka"], &broker, &names).ran();
    both.failed(2, &["--from-kafka"]);
    HubCommand::new(&["replay", "file.jsonl", "--from", "start"], &broker, &names).ran().failed(2, &["--from <"]);
}

// -------------------------------------------------------------------------------------------------------------- what the scenarios are made of

fn replay(broker: &Broker, names: &Names, arguments: &[&str]) -> Ran {
    HubCommand::new(&["replay", "--from-kafka"], broker, names).with(arguments).ran()
}

/// One ticker a second, whose price is one more than its number.
fn tickers(names: &Names, partition: i32, numbers: std::ops::Range<i64>) -> Vec<Message> {
    let exchange = Exchange::ALL[usize::try_from(partition).unwrap()];
    let column = ["trade_price", "trade_price", "last", "close"][usize::try_from(partition).unwrap()];
    let ticker = |number: i64| {
        let value = format!(r#"{{"region":"korea","market":"{exchange}","symbol":"BTC","data":[{{"{column}":{}}}]}}"#, number + 1);
        Message { timestamp_ms: T0 + number * 1_000, ..Message::new(&names.input(KOREA_TICKER), partition, &value) }
    };
    numbers.map(ticker).collect()
}

fn by_place(messages: Vec<Message>) -> BTreeMap<Place, Vec<Message>> {
    let mut found: BTreeMap<Place, Vec<Message>> = BTreeMap::new();
    for message in messages {
        found.entry((message.topic.clone(), message.partition)).or_default().push(message);
    }
    found
}

/// The digest has a line for each partition, with as many messages as there are.
fn assert_digest_counts(digest: &str, found: &BTreeMap<Place, Vec<Message>>) {
    let counts: Vec<String> = digest.lines().map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect();
    let mut expected: Vec<String> = found.iter().map(|((topic, partition), messages)| format!("{topic} {partition} {}", messages.len())).collect();
    expected.push(format!("all - {}", found.values().map(Vec::len).sum::<usize>()));
    assert_eq!(counts, expected);
}

/// Messages as an input file, with the offsets that they were given.
fn record_file(messages: &[Message], offsets: &[i64]) -> String {
    let field = |bytes: Option<&[u8]>| match bytes.map(std::str::from_utf8) {
        None => serde_json::Value::Null,
        Some(Ok(text)) => text.into(),
        Some(Err(_)) => serde_json::json!({ "b64": base64(bytes.unwrap()) }),
    };
    let line = |(message, offset): (&Message, &i64)| {
        let headers: serde_json::Map<_, _> = message.headers.iter().map(|(name, value)| (name.clone(), field(value.as_deref()))).collect();
        let Message { topic, partition, timestamp_ms, key, value, .. } = message;
        let line = serde_json::json!({
            "topic": topic, "partition": partition, "offset": offset, "timestamp_ms": timestamp_ms,
            "key": field(key.as_deref()), "headers": headers, "value": field(value.as_deref()),
        });
        format!("{line}\n")
    };
    messages.iter().zip(offsets).map(line).collect()
}

fn base64(bytes: &[u8]) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    BASE64_STANDARD.encode(bytes)
}
