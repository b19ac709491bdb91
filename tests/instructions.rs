//! Instructions a frame, by kind, against the table in `tuning/instructions.txt`: the same on every run, where nanoseconds are not. Measured in the release
//! build alone, by valgrind, which runs this very test binary once a kind.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

#[path = "../benches/pipeline/data.rs"]
mod data;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use data::{Data, Envelope, ROWS, Row};
use market_hub::batch::Batch;
use market_hub::lane::{Input, Lane};
use market_hub::market::{Kind, Stream};
use market_hub::rules::Rules;

/// Names the kind that a run under valgrind is about.
const KIND: &str = "INSTRUCTIONS_OF";
const TABLE: &str = "tuning/instructions.txt";
/// More than this many per cent above the table fail; libraries and processors differ by less.
const PER_CENT: u64 = 5;

/// What is counted, by this name.
#[inline(never)]
fn counted_pass(lane: &mut Lane, envelopes: &[Envelope], batch: &mut Batch) {
    for envelope in envelopes {
        let key = Some(envelope.key.as_bytes());
        let input = Input { offset: 0, timestamp_ms: envelope.timestamp_ms, now_micros: 0, key, value: Some(&envelope.value), headers: &[] };
        lane.process(&input, batch);
        std::hint::black_box(&*batch);
        batch.clear(1 << 20);
    }
}

/// What valgrind runs.
#[test]
fn one_pass() {
    let Some(row) = std::env::var(KIND).ok().and_then(|kind| ROWS.iter().find(|row| row.name == kind)) else { return };
    let data = Data::new(row);
    let stream = Stream { region: row.exchange.region(), kind: Kind::Orderbook };
    let mut lane = Lane::new(stream, row.exchange.partition(), stream.input_topic(), Arc::new(Rules::default()));
    let mut batch = Batch::default();
    for envelope in &data.opening {
        let input = Input { offset: 0, timestamp_ms: envelope.timestamp_ms, now_micros: 0, key: None, value: Some(&envelope.value), headers: &[] };
        lane.process(&input, &mut batch);
    }
    batch.clear(1 << 20);
    counted_pass(&mut lane, &data.envelopes, &mut batch);
    assert_eq!(lane.counts().records.iter().sum::<u64>(), data.expected.len() as u64);
}

#[test]
fn no_kind_takes_more_instructions_than_the_table_says() {
    if cfg!(debug_assertions) || std::env::var_os(KIND).is_some() {
        return;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "valgrind is missing");
        report("not measured: there is no valgrind here");
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(TABLE);
    let table = std::fs::read_to_string(&path).unwrap();
    let rows = table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '));
    let allowed: BTreeMap<&str, u64> = rows.map(|(kind, count)| (kind, count.trim().parse().unwrap())).collect();
    assert!(allowed.len() == ROWS.len() && ROWS.iter().all(|row| allowed.contains_key(row.name)), "{TABLE} has a row for each kind");

    let counts: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = ROWS.iter().map(|row| (row.name, scope.spawn(|| instructions_a_frame(row)))).collect();
        runs.into_iter().map(|(kind, run)| (kind, run.join().unwrap())).collect()
    });
    let mut grown = Vec::new();
    for (kind, count) in counts {
        report(&format!("{kind} {count} instructions a frame; the table says {}", allowed[kind]));
        if count * 100 > allowed[kind] * (100 + PER_CENT) {
            grown.push(kind);
        }
    }
    assert!(grown.is_empty(), "more than {PER_CENT} % above {TABLE}: {grown:?}; if that is worth it, change the table, and say why");
}

fn instructions_a_frame(row: &Row) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("profile");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*counted_pass*"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "one_pass", "--test-threads=1"])
        .env(KIND, row.name)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let profile = std::fs::read_to_string(profile).unwrap();
    let totals = profile.lines().find_map(|line| line.strip_prefix("totals: ")).unwrap();
    let total: u64 = totals.trim().parse().unwrap();
    assert!(total > 0, "nothing was counted for {}", row.name);
    total / Data::new(row).frames() as u64
}

/// Says it also when the test passes: the harness holds back what the print macros write.
fn report(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
