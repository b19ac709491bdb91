//! The life of a connector: registered, seen, changed, paused, gone; and records that arrive as they were sent.

use std::{fs, path::Path, time::Duration};

use market_hub::market::Stream;

use super::support::{
    Message,
    broker::{Broker, free_port},
    connect::Worker,
    hub::Ran,
    names::Names,
    wait_until,
};
use super::{FILE_SINK, SECRET, ran, services, sink_connect};

const BOUND: Duration = Duration::from_secs(60);

/// What all commands of a scenario have in common.
struct Scenario<'a> {
    broker: &'a Broker,
    url: String,
    names: Names,
    name: &'static str,
}

impl<'a> Scenario<'a> {
    /// A scenario with the output topics of two streams.
    fn new(name: &'static str, broker: &'a Broker, worker: &Worker) -> Self {
        let names = Names::of(name);
        broker.client().create_topics(&[TICKER, ORDERBOOK].map(|stream| (names.output(stream), stream.partitions())));
        Self { broker, url: worker.url(), names, name }
    }

    /// Runs a command about the two streams, with the file sink writing into `file`.
    fn run(&self, words: &[&str], file: &Path) -> Ran {
        let words: Vec<&str> = words.iter().copied().chain([TICKER.name(), ORDERBOOK.name()]).collect();
        ran(sink_connect(&words, &self.broker.address(), &self.url, &self.names, self.name)
            .env("HUB_CONNECTOR_CLASS", FILE_SINK)
            .env("HUB_CONNECTOR_PROPERTIES", &format!("file={}\naws.secret.access.key={SECRET}", file.display())))
    }

    fn connector(&self, stream: Stream) -> String {
        format!("{}-{}", self.name, stream.name())
    }
}

const TICKER: Stream = Stream::ALL[4];
const ORDERBOOK: Stream = Stream::ALL[5];

#[test]
fn connectors_are_made_changed_paused_and_taken_away_and_records_arrive_as_they_were_sent() {
    let Some((broker, worker)) = services() else { return };
    let scenario = Scenario::new("life", &broker, &worker);
    let file = worker.dir().join("{stream}.txt");
    let run = |words: &[&str]| scenario.run(words, &file);
    let lines = |stream: Stream| fs::read_to_string(worker.dir().join(format!("{}.txt", stream.name()))).unwrap_or_default();

    run(&["status"]).failed(1, &["2 of 2 connectors"]);
    run(&["pause"]).failed(1, &["2 of 2 connectors are not paused"]);
    let made = run(&["apply"]).ok("apply");
    assert_eq!(made, "life-ne-ticker: created, 2 tasks run\nlife-ne-orderbook: created, 2 tasks run\n");

    let record = |stream: Stream, partition: i32, text: &str| Message { partition, ..Message::new(&scenario.names.output(stream), partition, text) };
    let ticker = r#"{"region":"NE","market":"BINANCE","z":1.10,"a":66609.220000000000001,"e":1E-9}"#;
    let book = "{\"highest_bid\":0.1,\"caf\u{e9}\":null}";
    broker.client().produce(&[record(TICKER, 0, ticker), record(ORDERBOOK, 1, book), record(ORDERBOOK, 1, ticker)]);
    wait_until("every record in its file", BOUND, || (lines(TICKER), lines(ORDERBOOK)), |seen| *seen == (format!("{ticker}\n"), format!("{book}\n{ticker}\n")));

    // The worker's flush clock has committed everything, so nothing waits.
    let status = wait_until("no lag", BOUND, || run(&["status"]), |status| status.stdout.matches("lag 0").count() == 2).ok("status");
    assert!(status.contains("life-ne-ticker  RUNNING  tasks 2/2  lag 0"), "{status}");

    assert_eq!(run(&["apply"]).ok("the same again"), "life-ne-ticker: unchanged, 2 tasks run\nlife-ne-orderbook: unchanged, 2 tasks run\n");
    let changed = run(&["apply", "--connector-tasks-max", "1"]).ok("other tasks");
    assert_eq!(changed, "life-ne-ticker: changed (tasks.max), 1 tasks run\nlife-ne-orderbook: changed (tasks.max), 1 tasks run\n");
    let there = worker.get("/connectors/life-ne-ticker/config").unwrap();
    assert_eq!((&there["tasks.max"], &there["aws.secret.access.key"], &there["topics"]), (&"1".into(), &SECRET.into(), &scenario.names.output(TICKER).into()));

    assert_eq!(run(&["pause"]).ok("pause"), "life-ne-ticker: paused, PAUSED\nlife-ne-orderbook: paused, PAUSED\n");
    let status = run(&["status"]);
    status.failed(1, &["2 of 2 connectors do not run"]);
    assert!(status.stdout.contains("life-ne-ticker  PAUSED  tasks 0/1") && status.stdout.contains("task 0: PAUSED at 127.0.0.1:"), "{status:?}");
    run(&["apply", "--connector-tasks-max", "1"]).failed(1, &["2 connectors do not run"]);
    assert!(run(&["resume"]).ok("resume").contains("life-ne-ticker: resumed, 1 tasks run"));
    assert!(run(&["restart"]).ok("restart").contains("life-ne-orderbook: restarted, 1 tasks run"));
    let json = run(&["status", "--json"]).ok("status --json");
    let line: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!((&line["state"], &line["lag"], &line["tasks"][0]["state"]), (&"RUNNING".into(), &0.into(), &"RUNNING".into()));

    assert_eq!(run(&["delete"]).ok("delete"), "life-ne-ticker: deleted\nlife-ne-orderbook: deleted\n");
    assert_eq!(run(&["delete"]).ok("delete"), "life-ne-ticker: was not there\nlife-ne-orderbook: was not there\n");
    assert!(worker.get(&format!("/connectors/{}", scenario.connector(TICKER))).is_err());
}

#[test]
fn a_task_that_fails_is_told_with_its_reason_and_without_its_secrets() {
    let Some((broker, worker)) = services() else { return };
    let scenario = Scenario::new("fails", &broker, &worker);
    let nowhere = format!("/nowhere/{SECRET}/x");
    let run = |words: &[&str]| scenario.run(words, Path::new(&nowhere));
    let applied = run(&["apply"]);
    applied.failed(1, &["2 connectors do not run"]);
    assert!(
        applied.stdout.contains("task 0 FAILED (org.apache.kafka.connect.errors.ConnectException: Couldn't find or create file '/nowhere/********/x'"),
        "{applied:?}"
    );
    let status = run(&["status"]);
    status.failed(1, &["2 of 2 connectors do not run"]);
    assert!(status.stdout.contains("fails-ne-ticker  RUNNING  tasks 0/2"), "the connector itself says that it runs: {status:?}");
    assert!(status.stdout.contains("caused by: java.nio.file.NoSuchFileException"), "{status:?}");
    assert!(status.stdout.lines().all(|line| line.len() < 800) && !status.stdout.contains(".java:"), "traces are short: {status:?}");
    run(&["restart", "--only-failed"]).failed(1, &["2 of 2 connectors are not restarted"]);
    // Mended by another configuration.
    scenario.run(&["apply"], &worker.dir().join("mended-{stream}.txt")).ok("mended");
    run(&["delete"]).ok("delete");
}

#[test]
fn what_waits_is_alarmed_on() {
    let Some((broker, worker)) = services() else { return };
    let scenario = Scenario::new("waits", &broker, &worker);
    let topic = scenario.names.output(TICKER);
    broker.client().produce(&vec![Message::new(&topic, 0, "{}"); 30]);
    let file = worker.dir().join("waits-{stream}.txt");
    scenario.run(&["apply"], &file).ok("apply");
    wait_until("no lag", BOUND, || scenario.run(&["status"], &file), |status| status.code == Some(0));
    scenario.run(&["pause"], &file).ok("pause");
    broker.client().produce(&vec![Message::new(&topic, 1, "{}"); 30]);
    let status = scenario.run(&["status", "--connect-lag-max", "29"], &file);
    assert!(status.stdout.contains("lag 30") && status.stdout.contains("alarm: 30 records wait, more than --connect-lag-max 29"), "{status:?}");
    scenario.run(&["delete"], &file).ok("delete");
}

#[test]
fn a_worker_that_is_still_starting_is_waited_for_and_a_rebalance_is_outlasted() {
    let Some((broker, worker)) = services() else { return };
    let mut scenario = Scenario::new("starts", &broker, &worker);
    let port = free_port();
    scenario.url = format!("http://127.0.0.1:{port}");
    let file = worker.dir().join("starts-{stream}.txt");
    let second = std::thread::scope(|scope| {
        // Nobody listens yet; then it listens and answers with web pages; then it joins the group of the other, and both rebalance.
        let applied = scope.spawn(|| scenario.run(&["apply"], &file));
        let second = Worker::starting(&broker, "connect-tests", port);
        applied.join().unwrap().failed(0, &["Kafka Connect at http://127.0.0.1", "trying again"]);
        second
    });
    drop(second);
    scenario.url = worker.url();
    // The worker that is gone is noticed after its session has ended; until then some calls are refused with 409, and some are held back.
    for tasks in ["1", "2"] {
        scenario.run(&["apply", "--connector-tasks-max", tasks], &file).ok("while they rebalance");
    }
    scenario.run(&["delete"], &file).ok("delete");
}
