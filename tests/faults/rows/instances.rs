//! Row 10: a second hub with the same groups and ids.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    support::broker,
    vocabulary::{Delivery, PerSecond as _, Scene, sized, within},
};

#[test]
#[ignore = "awaits the lock on a host's lanes"]
fn row_10_second_instance_at_least_once() {
    let Some(broker) = broker::shared() else { return };
    let mut scene = Scene::on(&broker, "twins", Delivery::AtLeastOnce);
    scene.start_load(10_000.per_second());
    scene.start_hub();
    scene.wait_for_new_output();
    let second = scene.command().start().wait_for_exit(Duration::from_secs(30));
    assert_eq!(second.code, Some(69), "{}", second.said);
    let lane = scene.flows()[0].lane();
    assert!([&lane, "--lanes"].iter().all(|part| second.said.contains(part)), "names the lane and the remedy: {}", second.said);
    scene.wait_for_new_output();
    // A dead hub holds nothing.
    scene.kill_hub();
    scene.start_hub();
    scene.finish().assert_promise_kept();
}

#[test]
#[ignore = "awaits --delivery exactly-once"]
fn row_10_second_instance_exactly_once() {
    let Some(broker) = broker::shared() else { return };
    let mut scene = Scene::on(&broker, "twins", Delivery::ExactlyOnce);
    scene.start_load(10_000.per_second());
    scene.start_hub();
    scene.wait_for_new_output();
    let first = scene.take_hub();
    first.stop();
    scene.start_hub();
    within("new output of the second instance", Duration::from_secs(3), scene.wait_for_new_output());
    thread::sleep(sized(Duration::from_secs(10), Duration::from_secs(20)));
    first.cont();
    let began = Instant::now();
    let stopped = first.wait_for_exit(Duration::from_secs(20));
    within("the end of the first instance, by its commit interval", Duration::from_millis(200), began.elapsed());
    assert_eq!(stopped.code, Some(77), "{}", stopped.said);
    scene.wait_for_new_output();
    scene.finish().assert_promise_kept();
}
