//! Row 19: the wall clock moves by an hour, back and forth.

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::{
    support::{broker, report},
    vocabulary::{Delivery, PerSecond as _, Scene, in_both_modes, within},
};

in_both_modes!(row_19_wall_clock_moves);

fn row_19_wall_clock_moves(delivery: Delivery) {
    let Some(broker) = broker::shared() else { return };
    let Some(library) = faketime() else {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci.is_empty()), "CI runs every test, but libfaketime is missing");
        report("ignored: no libfaketime: apt-get install libfaketime");
        return;
    };
    let clock = broker.dir().join(format!("clock-{delivery}"));
    fs::write(&clock, "+0\n").unwrap();
    let mut scene = Scene::on(&broker, "clock", delivery)
        .env("LD_PRELOAD", library.to_str().unwrap())
        .env("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap())
        .env("FAKETIME_NO_CACHE", "1")
        // Only the wall clock moves, as when an operator sets it.
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .with(&["--report-interval-s", "1"]);
    scene.start_load(10_000.per_second());
    scene.start_hub();
    scene.wait_for_new_output();
    for moved in ["+3600\n", "+0\n", "-3600\n", "+0\n"] {
        // Read at every question about the time: it must never be half written.
        let next = clock.with_extension("next");
        fs::write(&next, moved).unwrap();
        fs::rename(&next, &clock).unwrap();
        let (began, mut longest) = (Instant::now(), Duration::ZERO);
        while began.elapsed() < Duration::from_secs(4) {
            longest = longest.max(scene.wait_for_fresh_output());
        }
        within(&format!("the longest stall after the clock moved to {}", moved.trim()), Duration::from_secs(1), longest);
    }
    let said = scene.hub().said();
    assert!(hours(&said) >= 2, "the hub's clock did not move, or it says nothing:\n{said}");
    let stages = said.lines().filter(|line| line.contains("poll to encoded") || line.contains("encoded to acknowledged"));
    let worst = stages.filter_map(|line| seconds(line.split_once("max ")?.1)).fold(0.0, f64::max);
    report(format_args!("the greatest latency of a stage that was logged: {worst:.3} s"));
    assert!(worst < 60.0, "an absurd latency:\n{said}");
    scene.finish().assert_promise_kept();
}

/// The library for programs with threads, wherever the distribution has put it.
fn faketime() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    folders.into_iter().find(|path| path.is_file())
}

/// How many different hours its lines have: `[2026-11-22T23:25:37Z WARN ...`.
fn hours(said: &str) -> usize {
    said.lines().filter_map(|line| line.strip_prefix('[')?.split_once('T')?.1.get(..2)).collect::<BTreeSet<&str>>().len()
}

/// `92 ms, of 5` in seconds.
fn seconds(text: &str) -> Option<f64> {
    let mut words = text.split([' ', ',']);
    let number: f64 = words.next()?.parse().ok()?;
    let unit = match words.next()? {
        "ns" => 1e-9,
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return None,
    };
    Some(number * unit)
}
