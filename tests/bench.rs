//! `market-hub bench`: what it writes, what it compares, what it refuses, and that it leaves nothing behind on real brokers. Never how fast anything is.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use market_hub::market::{Exchange, Kind};
use serde_json::Value;
use support::broker;
use tempfile::TempDir;

/// `market-hub bench` in an environment without settings.
fn bench(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_market-hub"));
    for (variable, _) in std::env::vars_os() {
        if ["HUB_", "KAFKA_", "RUST_LOG"].iter().any(|prefix| variable.to_string_lossy().starts_with(prefix)) {
            command.env_remove(variable);
        }
    }
    command.arg("bench").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn assert_ended(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}\n{}", text(&output.stdout), text(&output.stderr));
}

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn word(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// `PART | NAME | UNIT` of every row, and its median.
fn rows(outcome: &Value) -> Vec<(String, f64)> {
    let word = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let row = |row: &Value| (format!("{} | {} | {}", word(row, "part"), word(row, "name"), word(row, "unit")), row["median"].as_f64().unwrap());
    outcome["rows"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn a_quick_run_in_process_has_all_rows_and_files() {
    let files = Files::new();
    let (figures, picture, folder) = (files.word("figures.json"), files.word("picture.svg"), files.word("hgrm"));
    let output = bench(&["--quick", "--turns", "1", "--only", "core,latency,memory,growth", "--json", &figures, "--svg", &picture, "--hgrm", &folder]);
    assert_ended(&output, 0);
    let outcome = json(&files.path("figures.json"));
    for fact in ["date", "cpu", "load", "rustc", "version", "profile", "system"] {
        assert!(outcome["machine"][fact].as_str().is_some_and(|fact| !fact.is_empty()), "{fact}");
        assert!(text(&output.stdout).contains(outcome["machine"][fact].as_str().unwrap()), "{fact} stands in the table");
    }
    let rows = rows(&outcome);
    let names: BTreeSet<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), rows.len(), "no row twice");
    for exchange in Exchange::ALL {
        for kind in Kind::ALL {
            for unit in ["ns", "frames/s a core", "bytes", "allocations"] {
                assert!(names.contains(format!("core, by frame | {exchange} {} | {unit}", kind.as_str()).as_str()), "{exchange} {kind:?} {unit}");
            }
        }
    }
    for part in ["core, one frame an envelope", "memory, ", "growth, levels", "growth, symbols", "growth, frames an envelope"] {
        assert!(names.iter().any(|name| name.starts_with(part)), "{part}");
    }
    assert!(
        rows.iter().all(|(name, figure)| figure.is_finite() && (*figure > 0.0 || name.ends_with("allocations") || name.ends_with("further level"))),
        "{rows:?}"
    );
    let allocations: Vec<_> = rows.iter().filter(|(name, count)| name.ends_with("allocations") && name.contains("orderbook") && *count > 0.0).collect();
    assert!(allocations.is_empty(), "a warm lane allocates nothing for an order book: {allocations:?}");
    assert!(fs::read_to_string(picture).unwrap().contains("<polyline"));
    assert!(fs::read_dir(folder).unwrap().count() >= 10);
}

#[test]
fn a_row_that_is_slower_than_before_is_told_and_can_fail_the_run() {
    let files = Files::new();
    let before = files.word("before.json");
    assert_ended(&bench(&["--quick", "--turns", "1", "--only", "core", "--json", &before]), 0);
    // As if all had taken a thousand times as long before: nothing can be worse.
    let mut slow = json(&files.path("before.json"));
    for row in slow["rows"].as_array_mut().unwrap() {
        let factor = if row["more_is_better"].as_bool().unwrap() { 0.001 } else { 1_000.0 };
        ["median", "low", "high"].iter().for_each(|key| row[*key] = (row[*key].as_f64().unwrap() * factor).into());
    }
    fs::write(files.path("slow.json"), slow.to_string()).unwrap();
    let better = bench(&["--quick", "--turns", "1", "--only", "core", "--compare", &files.word("slow.json"), "--fail-above", "10"]);
    assert_ended(&better, 0);
    assert!(text(&better.stdout).contains("better") && !text(&better.stdout).contains("WORSE"));
    // And now one figure as if it had taken a thousandth.
    let row = slow["rows"].as_array_mut().unwrap().iter_mut().find(|row| row["name"] == "OKX orderbook" && row["unit"] == "ns").unwrap();
    ["median", "low", "high"].iter().for_each(|key| row[*key] = (row[*key].as_f64().unwrap() / 1e6).into());
    fs::write(files.path("one.json"), slow.to_string()).unwrap();
    let told = bench(&["--quick", "--turns", "1", "--only", "core", "--compare", &files.word("one.json")]);
    assert_ended(&told, 0);
    let worse: Vec<String> = text(&told.stdout).lines().filter(|line| line.ends_with("WORSE")).map(str::to_owned).collect();
    assert!(worse.len() == 1 && worse[0].contains("OKX orderbook ns"), "{worse:?}");
    let failed = bench(&["--quick", "--turns", "1", "--only", "core", "--compare", &files.word("one.json"), "--fail-above", "10"]);
    assert_ended(&failed, 1);
    assert!(text(&failed.stderr).contains("OKX orderbook"), "{}", text(&failed.stderr));
}

#[test]
fn everything_that_is_wrong_is_in_one_report() {
    let output = bench(&[
        "--turns",
        "0",
        "--rate",
        "fast",
        "--only",
        "core,engine",
        "--fail-above",
        "-1",
        "--embedded",
        "--brokers",
        "no-port",
        "--json",
        "/nowhere/x.json",
        "--input-of",
        "gold",
        "--linger-ms",
        "99999",
    ]);
    assert_ended(&output, 78);
    let said = text(&output.stderr);
    for part in ["--turns", "--rate", "\"engine\"", "--fail-above", "--embedded and --brokers", "no-port", "/nowhere/x.json", "\"gold\"", "--linger-ms"] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
    assert_ended(&bench(&["--fail-above", "5"]), 78);
    let files = Files::new();
    assert_ended(&bench(&["--compare", &files.word("none.json")]), 66);
    fs::write(files.path("other.json"), "{}").unwrap();
    assert_ended(&bench(&["--compare", &files.word("other.json")]), 65);
}

#[test]
fn what_replay_reads_can_be_written() {
    let files = Files::new();
    let input = files.word("input");
    assert_ended(&bench(&["--quick", "--write-input", &input, "--input-of", "okx-delta"]), 0);
    let replayed = Command::new(env!("CARGO_BIN_EXE_market-hub")).args(["replay", &input]).output().unwrap();
    assert_ended(&replayed, 0);
    let lines = text(&replayed.stdout);
    assert!(lines.lines().count() > 100 && lines.lines().all(|line| line.contains("OKX:") && !line.contains("hub.reason")));
}

/// The rows that every measurement through a broker has.
fn assert_broker_rows(outcome: &Value) {
    let rows = rows(outcome);
    let has = |part: &str| rows.iter().any(|(name, figure)| name.contains(part) && *figure > 0.0);
    for part in ["Upbit order books, 1 lane | frames/s", "mix of 18 lanes | frames/s", "mix of 18 lanes | us of CPU a frame", "MiB resident"] {
        assert!(has(part), "{part}: {rows:?}");
    }
    for stage in ["produced to polled", "polled to encoded", "encoded to acknowledged", "acknowledged to consumed", "produced to consumed"] {
        for unit in ["p50", "p90", "p99", "p99.9", "p99.99", "p99.999", "max"] {
            assert!(rows.iter().any(|(name, _)| name.contains(&format!("{stage} | {unit} us"))), "{stage}, {unit}");
        }
    }
    let of = |stage: &str| rows.iter().find(|(name, _)| name.contains(&format!("{stage} | max us"))).unwrap().1;
    assert!(of("produced to consumed") >= of("polled to encoded"));
}

#[test]
fn through_the_embedded_broker() {
    let files = Files::new();
    let figures = files.word("figures.json");
    assert_ended(&bench(&["--quick", "--only", "throughput,paced", "--rate", "500", "--json", &figures]), 0);
    assert_broker_rows(&json(&files.path("figures.json")));
}

#[test]
fn through_a_real_broker_of_which_nothing_remains() {
    let Some(broker) = broker::shared() else { return };
    let files = Files::new();
    let figures = files.word("figures.json");
    let brokers = broker.address();
    assert_ended(&bench(&["--quick", "--only", "throughput,paced", "--seconds", "1", "--rate", "500", "--brokers", &brokers, "--json", &figures]), 0);
    assert_broker_rows(&json(&files.path("figures.json")));
    let ours = || broker.client().topics().into_keys().filter(|topic| topic.starts_with("market-hub-bench")).collect::<Vec<_>>();
    support::wait_until("the bench's topics are gone", Duration::from_secs(10), ours, Vec::is_empty);
}
