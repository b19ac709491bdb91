//! Rows 3 and 4: the hub is told to stop, under load and in an outage.

use std::{thread, time::Duration};

use crate::{
    support::{broker, report},
    vocabulary::{Delivery, PerSecond as _, Scene, in_both_modes, within},
};

in_both_modes!(row_3_stopped_under_load, row_4_stopped_in_an_outage);

fn row_3_stopped_under_load(delivery: Delivery) {
    let Some(broker) = broker::shared() else { return };
    let mut scene = Scene::on(&broker, "stops", delivery);
    scene.start_load(20_000.per_second());
    for signal in ["SIGTERM", "SIGINT", "SIGTERM", "SIGINT"] {
        scene.start_hub();
        scene.wait_for_new_output();
        thread::sleep(Duration::from_millis(500));
        let hub = scene.take_hub();
        let stopped = if signal == "SIGINT" { hub.interrupt() } else { hub.terminate() };
        within(&format!("{signal} under load: exit {:?} after", stopped.code), Duration::from_secs(2), stopped.took);
        assert_eq!(stopped.code, Some(0), "the hub said:\n{}", stopped.said);
        scene.assert_committed_is_written();
    }
    scene.start_hub();
    scene.finish().assert_promise_kept().assert_nothing_repeated();
}

fn row_4_stopped_in_an_outage(delivery: Delivery) {
    let Some(broker) = broker::shared() else { return };
    let deadline = Duration::from_secs(2);
    // A producer's queue that is full after a tenth of a second.
    let mut scene = Scene::on(&broker, "outage", delivery).with(&["--stop-deadline-ms", "2000", "--producer-queue-messages", "1000"]);
    scene.start_load(10_000.per_second());
    scene.start_hub();
    scene.wait_for_new_output();
    broker.stop();
    // Until all queues are full.
    thread::sleep(Duration::from_millis(1_500));
    let stopped = scene.take_hub().terminate();
    broker.cont();

    report(format_args!("SIGTERM in an outage: exit {:?}", stopped.code));
    within("its end", deadline + Duration::from_secs(1), stopped.took);
    assert!(stopped.took >= deadline, "it did not use the time it had: {:?}", stopped.took);
    assert_eq!(stopped.code, Some(75), "the hub said:\n{}", stopped.said);
    let count = stopped.said.lines().find_map(|line| line.split_once("stopped at the deadline with ")?.1.split(' ').next()?.parse::<u64>().ok());
    assert!(count.is_some_and(|count| count > 0), "how many envelopes are uncommitted: {count:?} in\n{}", stopped.said);
    scene.start_hub();
    scene.wait_for_new_output();
    scene.finish().assert_promise_kept();
}
