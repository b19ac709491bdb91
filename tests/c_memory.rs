//! How the C library keeps memory for librdkafka, in a process of its own whose memory all comes from there.
#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::thread;

use market_hub::config::Config;
use market_hub::kafka;
use nix::sys::prctl::set_thp_disable;

/// An arena begins at a multiple of this.
const ARENA: usize = 64 << 20;
/// As large as a fetch for one lane, by default.
const FETCH: usize = 8 << 20;
const PAGE: usize = 4 << 10;
const ROUNDS: usize = 10;

/// How many arenas there are while `threads` more take memory, all at once.
fn arenas_beside(threads: usize) -> usize {
    let barrier = Arc::new(Barrier::new(threads + 1));
    let take = |barrier: Arc<Barrier>| {
        let memory = black_box(vec![1_u8; 1_000]);
        barrier.wait();
        barrier.wait();
        drop(memory);
    };
    let running: Vec<_> = (0..threads).map(|_| Arc::clone(&barrier)).map(|barrier| thread::spawn(move || take(barrier))).collect();
    barrier.wait();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    barrier.wait();
    running.into_iter().for_each(|thread| thread.join().unwrap());
    let start = |line: &str| usize::from_str_radix(line.split('-').next().unwrap(), 16).unwrap();
    maps.lines().map(start).filter(|start| start % ARENA == 0).count()
}

/// The pages that this process was given while a thread takes three fetches and frees them, again and again.
fn pages_of_fetches() -> usize {
    let given = || {
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        stat.rsplit(") ").next().unwrap().split(' ').nth(7).unwrap().parse::<usize>().unwrap()
    };
    let take = || {
        let fetch = || black_box(vec![1_u8; FETCH]);
        drop([fetch(), fetch(), fetch()]);
    };
    thread::spawn(move || {
        // What is mapped apart, and how often, is settled by now.
        (0..3).for_each(|_| take());
        let before = given();
        (0..ROUNDS).for_each(|_| take());
        given() - before
    })
    .join()
    .unwrap()
}

#[test]
fn memory_is_settled_for_librdkafka() {
    // Where the system gives huge pages to everybody, a fetch is four of these.
    set_thp_disable(true).unwrap();
    let (free, given) = (arenas_beside(4), pages_of_fetches());
    assert!(free > 2, "{free} arenas: each thread has its own until there are many");
    assert!(given > ROUNDS * FETCH / PAGE, "{given} pages: what was freed is given back");
    let mut config = Config::default();
    config.lanes.truncate(1);
    kafka::settle_memory(&config, 1);
    let (bounded, given) = (arenas_beside(12), pages_of_fetches());
    assert!(bounded <= free, "{bounded} arenas, and {free} before they were bounded");
    assert!(given < FETCH / PAGE, "{given} pages: what was freed is kept");
}
