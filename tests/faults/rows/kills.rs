//! Rows 1 and 2: the hub is killed, at random times and at each stage.

use std::{thread, time::Duration};

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
