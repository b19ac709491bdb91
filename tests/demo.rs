//! The demo as a user runs it: it must prove what it shows, and fail when asked for nonsense.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::process::{Command, Output};

fn demo(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_market-hub"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HUB_") || name.to_string_lossy().starts_with("KAFKA_") {
            command.env_remove(name);
        }
    }
    command.env("HUB_ENDPOINT", "off").arg("demo").args(args).output().unwrap()
}

/// The number in front of `unit` in the line that starts with `start`.
fn number(text: &str, start: &str, unit: &str) -> u64 {
    let line = text.lines().find(|line| line.ends_with(start)).unwrap_or_else(|| panic!("no line ends with {start:?} in\n{text}"));
    let before = line.split(unit).next().unwrap();
    before.trim_end().rsplit([' ', '(']).next().unwrap().parse().unwrap()
}

#[test]
fn every_frame_is_accounted_for() {
    let output = demo(&["--seconds", "4", "--rate", "max", "--seed", "7"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{log}");
    assert!(text.contains("proved: every frame came out as expected"), "{text}");

    for exchange in ["UPBIT", "BITHUMB", "COINONE", "KORBIT", "OKX", "BYBIT", "GATEIO", "BINANCE", "KRAKEN"] {
        let records = text.lines().filter(|line| line.trim_start().starts_with(&format!("{exchange}: {{\"region\":"))).count();
        assert_eq!(records, 2, "one ticker and one order book of {exchange}\n{text}");
    }
    let end = "lost; 0 different";
    let [frames, records, silent, dead_letters, lost] =
        [" frames = ", " records (", " without a record", " dead letters + ", " lost"].map(|unit| number(&text, end, unit));
    assert_eq!(frames, records + silent + dead_letters);
    assert_eq!(lost, 0);
    assert!(records > 0 && silent > 0 && dead_letters > 0, "{text}");
    assert!(number(&text, end, " unverified)") > 0, "a lost delta must show\n{text}");
    for stage in ["poll to encoded: p50", "encoded to acknowledged: p50", "event time to acknowledged: p50"] {
        assert!(text.contains(stage), "{stage}\n{text}");
    }
    assert!(log.contains("worker-0"), "the table of threads\n{log}");
}

#[test]
fn nonsense_is_refused() {
    for args in [["--seconds", "0"], ["--rate", "0"], ["--rate", "fast"]] {
        assert_eq!(demo(&args).status.code(), Some(2), "{args:?}");
    }
    let output = demo(&["--linger-ms", "-1", "--batch-records", "0"]);
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(78), "{log}");
    assert!(log.contains("linger-ms") && log.contains("batch-records"), "both in one report\n{log}");
}
