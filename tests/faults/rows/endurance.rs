//! Row 22: a long run with a mix of faults, idle a quarter of the time.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    support::{broker, report},
    vocabulary::{Delivery, Mixture, PerSecond as _, Proxy, Scene, Vitals, at_most, chance, sized},
};

#[test]
fn row_22_long_run() {
    let Some(broker) = broker::shared() else { return };
    let proxy = Proxy::before(&broker);
    let start = |delivery: &Delivery| {
        let mut scene = Scene::of(&broker, "long", *delivery, Mixture::Poisoned).by_way_of(&proxy.address());
        scene.start_load(5_000.per_second());
        scene.start_hub();
        scene.wait_for_new_output();
        scene
    };
    let mut scenes: Vec<Scene> = Delivery::ALL.iter().map(start).collect();
    let length = sized(Duration::from_secs(180), Duration::from_secs(1_800));
    let began = Instant::now();
    let mut samples: Vec<Vec<(Duration, Vitals)>> = vec![Vec::new(); scenes.len()];
    while began.elapsed() < length {
        for _ in 0..3 {
            befall(&broker, &proxy);
            thread::sleep(Duration::from_secs(2));
            for scene in &mut scenes {
                scene.wait_for_new_output();
            }
        }
        scenes.iter().for_each(|scene| scene.load().pause());
        thread::sleep(Duration::from_secs(3));
        for (scene, samples) in scenes.iter_mut().zip(&mut samples) {
            samples.push((began.elapsed(), Vitals::of(scene.hub().pid())));
            scene.load().resume();
        }
    }
    for (scene, samples) in scenes.into_iter().zip(samples) {
        judge_vitals(&samples);
        scene.finish().assert_promise_kept();
    }
}

/// A fault that a hub lives through.
fn befall(broker: &broker::Broker, proxy: &Proxy) {
    match chance(0..4) {
        0 => proxy.reset_all(),
        1 => {
            proxy.cut();
            thread::sleep(Duration::from_secs(1));
            proxy.mend();
        }
        2 => {
            broker.stop();
            thread::sleep(Duration::from_secs(1));
            broker.cont();
        }
        _ => {
            proxy.set_weather(Duration::from_millis(50), 0);
            thread::sleep(Duration::from_secs(1));
            proxy.set_weather(Duration::ZERO, 0);
        }
    }
}

/// A slope is judged over this time at least: in a run of minutes memory still grows to what the largest burst so far has needed, or comes and goes by more.
const SLOPE_MIN: Duration = Duration::from_secs(600);

/// The first half is for warming up.
fn judge_vitals(samples: &[(Duration, Vitals)]) {
    let warm = &samples[samples.len() / 2..];
    let values = |of: fn(&Vitals) -> u64| warm.iter().map(|(_, vitals)| of(vitals)).collect::<Vec<_>>();
    let [resident, threads, descriptors] = [values(|vitals| vitals.resident_kib), values(|vitals| vitals.threads), values(|vitals| vitals.descriptors)];
    report(format_args!("resident KiB {resident:?}, threads {threads:?}, descriptors {descriptors:?}"));
    let slope = slope(warm) * 600.0 / 1024.0;
    if warm[warm.len() - 1].0 - warm[0].0 >= SLOPE_MIN {
        at_most("MiB that ten minutes add", 1.0, slope);
    } else {
        report(format_args!("MiB that ten minutes add: {slope:.1}"));
    }
    let growth = |values: &[u64]| values.last().unwrap().saturating_sub(values[0]) as f64;
    at_most("MiB more than after warming up", 4.0, growth(&resident) / 1024.0);
    // A connection may just be on its way.
    at_most("threads more than after warming up", 1.0, growth(&threads));
    at_most("descriptors more than after warming up", 2.0, growth(&descriptors));
}

/// KiB a second: the median of the slopes between any two samples. What grows all the time shows in all of them; a burst that is larger than any before it
/// adds something once, and shows in few.
fn slope(samples: &[(Duration, Vitals)]) -> f64 {
    let between = |(first, before): &(Duration, Vitals), (last, after): &(Duration, Vitals)| {
        (after.resident_kib as f64 - before.resident_kib as f64) / (last.as_secs_f64() - first.as_secs_f64())
    };
    let pairs = samples.iter().enumerate().flat_map(|(index, first)| samples[index + 1..].iter().map(move |last| between(first, last)));
    let mut slopes: Vec<f64> = pairs.collect();
    slopes.sort_by(f64::total_cmp);
    slopes[slopes.len() / 2]
}
