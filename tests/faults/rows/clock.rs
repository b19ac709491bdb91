//! Row 19: the wall clock moves by an hour, back and forth.

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use crate::{
    support::{broker, report},
    vocabulary::{Delivery, PerSecond as _, Scene, WallClock, in_both_modes, within},
};

in_both_modes!(row_19_wall_clock_moves);

fn row_19_wall_clock_moves(delivery: Delivery) {
    let Some(broker) = broker::shared() else { return };
    // A folder of its own: both promises have a clock on one broker.
    let dir = broker.dir().join(format!("clock-{delivery}"));
    fs::create_dir_all(&dir).unwrap();
    let Some(clock) = WallClock::in_dir(&dir) else { return };
    let mut scene = Scene::on(&broker, "clock", delivery).with(&["--report-interval-s", "1"]);
    for (variable, value) in clock.environment() {
        scene = scene.env(variable, value);
    }
    scene.start_load(10_000.per_second());
    scene.start_hub();
    scene.wait_for_new_output();
    for moved in ["+3600", "+0", "-3600", "+0"] {
        clock.moves_to(moved);
        let (began, mut longest) = (Instant::now(), Duration::ZERO);
        while began.elapsed() < Duration::from_secs(5) {
            longest = longest.max(scene.wait_for_fresh_output());
        }
        within(&format!("the longest stall after the clock moved to {moved}"), Duration::from_secs(1), longest);
    }
    let said = scene.hub().said();
    assert!(hours(&said) >= 2, "the hub's clock did not move, or it says nothing:\n{said}");
    let stages = said.lines().filter(|line| line.contains("poll to encoded") || line.contains("encoded to acknowledged"));
    let worst = stages.filter_map(|line| seconds(line.split_once("max ")?.1)).fold(0.0, f64::max);
    report(format_args!("the greatest latency of a stage that was logged: {worst:.3} s"));
    assert!(worst < 60.0, "an absurd latency:\n{said}");
    scene.finish().assert_promise_kept();
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
