//! Rows 1 and 2: the hub is killed, at random times and at each stage.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::{
    support::{broker, report},
    vocabulary::{Delivery, FLOW_GOAL, PerSecond as _, Scene, chance, in_both_modes, sized, spread, within},
};

in_both_modes!(row_1_killed_at_random_times);

fn row_1_killed_at_random_times(delivery: Delivery) {
    let Some(broker) = broker::shared() else { return };
    let mut scene = Scene::on(&broker, "kills", delivery);
    scene.start_load(10_000.per_second());
    scene.start_hub();
    scene.wait_for_new_output();
    let mut first_output = Vec::new();
    for _ in 0..sized(10, 100) {
        thread::sleep(Duration::from_millis(chance(50..1_000)));
        scene.kill_hub();
        scene.start_hub();
        first_output.push(scene.wait_for_new_output());
    }
    report(format_args!("first new output of all lanes after a restart: {}", spread(&first_output)));
    within("the slowest restart", FLOW_GOAL, first_output.into_iter().max().unwrap_or_default());
    scene.finish().assert_promise_kept();
}

/// Stages of an envelope's way behind which a hub can be told to die, and whether they are passed at least once, or exactly once only.
const STAGES: [(&str, bool); 6] =
    [("after-decode", true), ("after-send", true), ("after-report", true), ("before-commit", true), ("after-offsets", false), ("during-commit", true)];

in_both_modes!(awaiting "awaits the feature fail-points": row_2_killed_at_each_stage);

fn row_2_killed_at_each_stage(delivery: Delivery) {
    let Some(broker) = broker::shared() else { return };
    let program = hub_with_fail_points();
    let mut scene = Scene::on(&broker, "stages", delivery);
    scene.start_load(10_000.per_second());
    let stages = STAGES.into_iter().filter(|(_, is_everywhere)| *is_everywhere || delivery == Delivery::ExactlyOnce);
    for (stage, _) in stages.cycle().take(sized(2, 10) * STAGES.len()) {
        let point = format!("{stage}:{}", chance(1..100));
        scene.start(scene.command().built_as(&program).env("HUB_FAIL_POINT", &point));
        let stopped = scene.take_hub().wait_for_exit(Duration::from_secs(60));
        report(format_args!("killed at {point}: {:?} after {:?}", stopped.code, stopped.took));
        assert_eq!(stopped.code, None, "it dies by a signal of its own; it said:\n{}", stopped.said);
        scene.note_death();
    }
    scene.start_hub();
    within("new output after the last death", FLOW_GOAL, scene.wait_for_new_output());
    scene.finish().assert_promise_kept();
}

/// Builds it: in the debug profile, whose dependencies are there whatever is tested, and under a name of its own, so that no other test gets it.
fn hub_with_fail_points() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory");
    let build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--locked", "--features", "fail-points", "--bin", "market-hub-fail-points", "--target-dir"])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()
        .expect("cargo runs");
    assert!(build.status.success(), "no hub with fail points:\n{}", String::from_utf8_lossy(&build.stderr));
    target.join("debug/market-hub-fail-points")
}
