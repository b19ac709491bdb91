//! Rows 5, 6 and 7: the broker dies, freezes, and is away for long. The fault befalls both promises at once.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    support::{broker, report},
    vocabulary::{Delivery, FLOW_GOAL, PerSecond as _, Proxy, Scene, Vitals, at_least, at_most, sized, within},
};

/// What the README says that a hub of these lanes keeps at most, with one worker: batches under way, the producer's queue, and two consumers' queues.
const MEMORY_BOUND_MIB: f64 = 32.0 + 64.0 + 2.0 * 16.0;

#[test]
fn row_5_broker_killed_and_restarted() {
    let Some(mut broker) = broker::shared() else { return };
    let mut scenes: Vec<Scene> = Delivery::ALL.iter().map(|delivery| Scene::on(&broker, "broker-kills", *delivery)).collect();
    for scene in &mut scenes {
        scene.start_load(10_000.per_second());
        scene.start_hub();
        scene.wait_for_new_output();
    }
    for _ in 0..sized(2, 20) {
        broker.kill();
        thread::sleep(Duration::from_secs(1));
        broker.restart();
        flows_again(&mut scenes, "the broker answers again");
    }
    finish(scenes);
}

#[test]
fn row_6_broker_frozen() {
    let Some(broker) = broker::shared() else { return };
    let proxy = Proxy::before(&broker);
    let mut scenes = proxied(&broker, &proxy, "frozen");
    let frozen = Duration::from_secs(30);
    broker.stop();
    let before = proxy.requests();
    thread::sleep(frozen);
    let rate = (proxy.requests() - before) as f64 / frozen.as_secs_f64() / scenes.len() as f64;
    broker.cont();
    flows_again(&mut scenes, "SIGCONT");
    at_most("requests a second to a frozen broker", 50.0, rate);
    assert_no_report_failed(&mut scenes);
    finish(scenes);
}

#[test]
fn row_7_all_brokers_away() {
    let Some(broker) = broker::shared() else { return };
    let proxy = Proxy::before(&broker);
    let mut scenes = proxied(&broker, &proxy, "away");
    let rate = 10_000;
    proxy.cut();
    // What was on its way fills the queues; from then on nothing may grow.
    thread::sleep(Duration::from_secs(5));
    let full: Vec<Vitals> = scenes.iter_mut().map(|scene| Vitals::of(scene.hub().pid())).collect();
    thread::sleep(sized(Duration::from_secs(25), Duration::from_secs(295)));
    for (scene, full) in scenes.iter_mut().zip(full) {
        let late = Vitals::of(scene.hub().pid());
        at_most("MiB that an outage adds once queues are full", 4.0, late.resident_kib.saturating_sub(full.resident_kib) as f64 / 1024.0);
        at_most("MiB resident", MEMORY_BOUND_MIB, late.resident_kib as f64 / 1024.0);
    }
    let before: Vec<_> = scenes.iter_mut().map(|scene| scene.output_count()).collect();
    proxy.mend();
    let mended = Instant::now();
    flows_again(&mut scenes, "the brokers are back");
    for (scene, before) in scenes.iter_mut().zip(before) {
        scene.catch_up();
        // All since then counts: a backlog may be gone by the time that both hubs are seen to write.
        let drained = (scene.output_count() - before) as f64 / mended.elapsed().as_secs_f64();
        at_least("records a second while the backlog is drained", 2.0 * f64::from(rate), drained);
    }
    assert_no_report_failed(&mut scenes);
    finish(scenes);
}

/// Scenes whose hubs, and nobody else, reach the broker through the proxy.
fn proxied(broker: &broker::Broker, proxy: &Proxy, name: &str) -> Vec<Scene> {
    let start = |delivery: &Delivery| {
        let mut scene = Scene::on(broker, name, *delivery).by_way_of(&proxy.address());
        scene.start_load(10_000.per_second());
        scene.start_hub();
        scene.wait_for_new_output();
        scene
    };
    Delivery::ALL.iter().map(start).collect()
}

fn flows_again(scenes: &mut [Scene], since: &str) {
    let began = Instant::now();
    for scene in scenes {
        scene.wait_for_new_output();
    }
    within(&format!("output flows again after {since}"), FLOW_GOAL, began.elapsed());
}

fn finish(scenes: Vec<Scene>) {
    for mut scene in scenes {
        // The hub that saw the fault is the one that runs now.
        scene.hub().assert_running();
        let said = scene.hub().said();
        report(format_args!("{} lines of log", said.lines().count()));
        scene.finish().assert_promise_kept();
    }
}

/// An outage ends no message, however long it is.
fn assert_no_report_failed(scenes: &mut [Scene]) {
    // A transaction that lasts longer than brokers let it is given up with its messages, and made again: with exactly once that is no loss.
    for scene in scenes.iter_mut().filter(|scene| scene.delivery() == Delivery::AtLeastOnce) {
        let said = scene.hub().said();
        assert!(!said.contains("was not written") && !said.contains("stalls"), "no report failed:\n{said}");
    }
}
