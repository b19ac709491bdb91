//! Row 10: a second hub with the same groups and ids.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    support::{broker, hub::Hub, wait_until},
    vocabulary::{Delivery, PerSecond as _, Scene, sized, within},
};

#[test]
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

#[test]
fn row_10_two_instances_started_at_once() {
    let Some(broker) = broker::shared() else { return };
    let mut scene = Scene::on(&broker, "rivals", Delivery::ExactlyOnce);
    scene.start_load(10_000.per_second());
    for turn in 0..sized(3, 20) {
        let mut hubs = [scene.command().start(), scene.command().start()];
        let began = Instant::now();
        // Started one after the other, they are never exactly equal: one prevails, and the other one says so and ends.
        let fenced = wait_until("one of two hubs gives way", Duration::from_secs(60), || hubs.iter_mut().position(Hub::has_ended), Option::is_some).unwrap();
        let [first, second] = hubs;
        let (loser, winner) = if fenced == 0 { (first, second) } else { (second, first) };
        let stopped = loser.wait_for_exit(Duration::from_secs(1));
        assert_eq!(stopped.code, Some(77), "{}", stopped.said);
        scene.adopt(winner);
        scene.wait_for_new_output();
        within(&format!("turn {turn}: output of one of two hubs that start at once"), Duration::from_secs(10), began.elapsed());
        scene.hub().assert_running();
        scene.kill_hub();
    }
    scene.start_hub();
    scene.finish().assert_promise_kept();
}

#[test]
fn row_10_first_instance_runs_on() {
    let Some(broker) = broker::shared() else { return };
    let mut scene = Scene::on(&broker, "successor", Delivery::ExactlyOnce);
    scene.start_load(10_000.per_second());
    scene.start_hub();
    for _ in 0..sized(3, 20) {
        scene.wait_for_new_output();
        let first = scene.take_hub();
        scene.start_hub();
        let stopped = first.wait_for_exit(Duration::from_secs(60));
        assert_eq!(stopped.code, Some(77), "{}", stopped.said);
    }
    within("new output of the last instance", Duration::from_secs(3), scene.wait_for_new_output());
    scene.finish().assert_promise_kept();
}
