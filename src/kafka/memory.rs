//! librdkafka's memory comes from the C library, whose own ways do not suit it.
//!
//! - It makes up to eight arenas for each CPU, and keeps in each what its threads once needed. Two are enough for a worker, whose few busy threads take
//!   memory in batches.
//! - It gives what is free at the end of an arena back to the system, soon after a fetch or two are read. Then the next ones cost a page fault every 4 KiB:
//!   a tenth of the CPU of order books, and of some runs only, for it depends on what lies where.
#![expect(unsafe_code, reason = "settings of the C library, which nothing safe hands on")]

use std::ffi::c_int;

use libc::{M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, mallopt};

use super::clients;
use crate::config::Config;

/// A worker's own, with the threads of librdkafka that fetch for it, and those of the sender.
const ARENAS_OF_A_WORKER: usize = 2;
/// What is larger is not taken from an arena: the most that the C library knows.
const MAPPED_APART: usize = 32 << 20;
/// How many fetches of one partition may be free at the end of an arena before they are given back.
const FREE_FETCHES: usize = 4;

/// Tells the C library how a process with these settings and so many workers uses memory; of the arenas the first call decides. It overrules the variables
/// of the environment that the C library has for this.
pub fn settle_memory(config: &Config, workers: usize) {
    set(M_ARENA_MAX, workers.max(1) * ARENAS_OF_A_WORKER);
    set(M_MMAP_THRESHOLD, MAPPED_APART);
    set(M_TRIM_THRESHOLD, FREE_FETCHES * clients::largest_fetch(config));
}

fn set(parameter: c_int, value: usize) {
    let value = c_int::try_from(value).unwrap_or(c_int::MAX);
    // SAFETY: takes two numbers, no memory of ours, and has the allocator's own lock. It says 0 to what it does not know: then all is as before.
    let _ = unsafe { mallopt(parameter, value) };
}
