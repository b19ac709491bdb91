//! Row 13: poison among the frames, and as the first of them.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    support::broker,
    vocabulary::{Delivery, Mixture, PerSecond as _, Scene, at_most, in_both_modes},
};

in_both_modes!(row_13_poison);

fn row_13_poison(delivery: Delivery) {
    let Some(broker) = broker::shared() else { return };
    let pure = drained(Scene::of(&broker, "pure", delivery, Mixture::Pure));
    let poisoned = drained(Scene::of(&broker, "poisoned", delivery, Mixture::Poisoned));
    at_most("per cent of the rate of good frames that poison costs", 10.0, (1.0 - poisoned / pure) * 100.0);

    flows(Scene::of(&broker, "heavy", delivery, Mixture::HeavilyPoisoned));
}

#[test]
#[ignore = "awaits envelopes beyond 9 MiB: the hub's consumer refuses the answer that holds one, again and again"]
fn row_13_envelope_beyond_all_bounds() {
    let Some(broker) = broker::shared() else { return };
    flows(Scene::of(&broker, "oversized", Delivery::AtLeastOnce, Mixture::Oversized));
}

fn flows(mut scene: Scene) {
    scene.start_load(10_000.per_second());
    scene.start_hub();
    scene.wait_for_new_output();
    thread::sleep(Duration::from_secs(3));
    scene.finish().assert_promise_kept();
}

/// Lets a hub drain some seconds of load; gives how many frames a second it took.
fn drained(mut scene: Scene) -> f64 {
    scene.start_load(20_000.per_second());
    thread::sleep(Duration::from_secs(3));
    scene.end_load();
    let frames = scene.sent().values().sum::<u64>() as f64;
    scene.start_hub();
    scene.hub().wait_until_running();
    let began = Instant::now();
    scene.catch_up();
    let rate = frames / began.elapsed().as_secs_f64();
    scene.finish().assert_promise_kept();
    rate
}
