//! Rows 17 and 18: a slow broker behind a small queue, and a system that gives the hub little.

use std::{thread, time::Duration};

use crate::{
    support::{
        broker::{self, Broker},
        report,
    },
    vocabulary::{Delivery, PerSecond as _, Proxy, Scene, Vitals, at_most, in_both_modes},
};

in_both_modes!(row_17_queue_full, row_18_no_room_for_logs, row_18_no_output_at_all, row_18_few_descriptors);

fn row_17_queue_full(delivery: Delivery) {
    let Some(broker) = broker::shared() else { return };
    let proxy = Proxy::before(&broker);
    let mut scene = Scene::on(&broker, "full", delivery).by_way_of(&proxy.address()).with(&["--producer-queue-messages", "1000"]);
    proxy.set_weather(Duration::from_millis(100), 0);
    scene.start_load(10_000.per_second());
    scene.start_hub();
    scene.wait_for_new_output();
    thread::sleep(Duration::from_secs(3));
    let (pid, pause) = (scene.hub().pid(), Duration::from_secs(5));
    let before = Vitals::of(pid);
    thread::sleep(pause);
    let after = Vitals::of(pid);
    let busy = (after.workers_busy - before.workers_busy).as_secs_f64() / pause.as_secs_f64();
    at_most("per cent of a processor that workers take while the queue is full", 5.0, busy * 100.0);
    at_most("MiB that 5 s of a full queue add", 4.0, after.resident_kib.saturating_sub(before.resident_kib) as f64 / 1024.0);
    proxy.set_weather(Duration::ZERO, 0);
    scene.finish().assert_promise_kept();
}

fn row_18_no_room_for_logs(delivery: Delivery) {
    flows_after("exec >/dev/full 2>&1", Scene::on, "disk-full", delivery);
}

fn row_18_no_output_at_all(delivery: Delivery) {
    flows_after("exec >&- 2>&-", Scene::on, "closed", delivery);
    // A reader of the log that has gone away.
    flows_after(r#"mkfifo "$PIPE"; (: <"$PIPE") & exec >"$PIPE" 2>&1"#, Scene::on, "gone", delivery);
}

fn row_18_few_descriptors(delivery: Delivery) {
    flows_after("ulimit -n 64", Scene::on_few_lanes, "few-descriptors", delivery);
}

/// The data path goes on, whatever became of the rest.
fn flows_after(shell: &str, set: fn(&Broker, &str, Delivery) -> Scene, name: &str, delivery: Delivery) {
    let Some(broker) = broker::shared() else { return };
    let pipe = broker.dir().join(format!("{name}-{delivery}.pipe"));
    let mut scene = set(&broker, name, delivery).after(shell).env("PIPE", pipe.to_str().unwrap()).with(&["--report-interval-s", "1"]);
    scene.start_load(10_000.per_second());
    scene.start_hub();
    scene.wait_for_new_output();
    report(format_args!("{name}: {} descriptors", Vitals::of(scene.hub().pid()).descriptors));
    thread::sleep(Duration::from_secs(2));
    scene.wait_for_new_output();
    scene.finish().assert_promise_kept();
}
