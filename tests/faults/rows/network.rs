//! Rows 11 and 12: the network between hub and broker is slow, broken, or late.

use std::{thread, time::Duration};

use crate::{
    support::{broker, wait_until},
    vocabulary::{Delivery, END_TRANSACTION, Mishap, PerSecond as _, Proxy, Rate, Scene, in_both_modes, within},
};

/// When output must flow again after the network has failed.
const RECOVERY_GOAL: Duration = Duration::from_secs(5);

in_both_modes!(row_11_slow_network, row_11_broken_network, row_11_flipped_byte);

fn row_11_slow_network(delivery: Delivery) {
    // 3 Mbit/s carry about 1,000 records a second.
    behind_a_proxy("slow", delivery, 500.per_second(), |scene, proxy| {
        proxy.set_weather(Duration::from_millis(100), 3_000_000 / 8);
        scene.wait_for_new_output();
        thread::sleep(Duration::from_secs(5));
        within("new output of every lane through a slow network", RECOVERY_GOAL, scene.wait_for_fresh_output());
    });
}

fn row_11_broken_network(delivery: Delivery) {
    behind_a_proxy("broken", delivery, 10_000.per_second(), |scene, proxy| {
        for bytes in [2, 100] {
            survives(scene, proxy, Mishap::CutAfter(bytes));
        }
        // A quick broker answers so often that no answer is as large as that: what takes its time carries more.
        proxy.set_weather(Duration::from_millis(50), 0);
        survives(scene, proxy, Mishap::CutAfter(5_000));
        proxy.set_weather(Duration::ZERO, 0);
        for _ in 0..3 {
            proxy.reset_all();
            within("new output after RST", RECOVERY_GOAL, scene.wait_for_fresh_output());
        }
        proxy.silence_all();
        within("new output after all connections were half open", RECOVERY_GOAL, scene.wait_for_fresh_output());
    });
}

fn row_11_flipped_byte(delivery: Delivery) {
    behind_a_proxy("flipped", delivery, 10_000.per_second(), |scene, proxy| {
        for _ in 0..5 {
            survives(scene, proxy, Mishap::FlippedByte);
        }
    });
}

fn survives(scene: &mut Scene, proxy: &Proxy, mishap: Mishap) {
    proxy.befall(mishap);
    wait_until(&format!("{mishap:?} happens"), Duration::from_secs(30), || proxy.pending(), |pending| *pending == 0);
    within(&format!("new output after {mishap:?}"), RECOVERY_GOAL, scene.wait_for_fresh_output());
}

#[test]
fn row_12_end_of_transaction_comes_late() {
    behind_a_proxy("late", Delivery::ExactlyOnce, 10_000.per_second(), |scene, proxy| {
        for delay_ms in [20, 200, 2_000] {
            survives(scene, proxy, Mishap::HeldBack(END_TRANSACTION, Duration::from_millis(delay_ms)));
            thread::sleep(Duration::from_millis(delay_ms + 500));
        }
        // What comes late would end the next transaction in its middle, if its producer were the same.
        let renewals = scene.hub().said().matches("a new producer takes over").count();
        assert!(renewals >= 3, "{renewals} new producers for three connections that failed");
    });
}

fn behind_a_proxy(name: &str, delivery: Delivery, rate: Rate, befall: impl FnOnce(&mut Scene, &Proxy)) {
    let Some(broker) = broker::shared() else { return };
    let proxy = Proxy::before(&broker);
    let mut scene = Scene::on(&broker, name, delivery).by_way_of(&proxy.address());
    scene.start_load(rate);
    scene.start_hub();
    scene.wait_for_new_output();
    befall(&mut scene, &proxy);
    scene.finish().assert_promise_kept();
}
