//! The core allocates nothing for a frame once it is warm: counted by an allocator that counts, for all kinds of frame that are measured.
#![expect(unsafe_code, reason = "an allocator is unsafe by its nature; this one hands everything on")]

#[path = "../benches/pipeline/data.rs"]
mod data;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use data::{Data, Envelope, ROWS};
use market_hub::batch::Batch;
use market_hub::lane::{Input, Lane};
use market_hub::market::{Kind, Stream};
use market_hub::rules::Rules;

thread_local! {
    /// Of this thread alone: what the test harness does meanwhile does not count.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    // A thread that ends has none left.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to the system's allocator with the caller's own arguments, and counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are those that this function asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are those that this function asks for.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are those that this function asks for; the pointer came from the same allocator.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are those that this function asks for; the pointer came from the same allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static GLOBAL: Counting = Counting;

/// Room that a batch keeps, as the lanes of a running hub have it.
const BATCH_BYTES: usize = 1 << 20;

fn process(lane: &mut Lane, envelopes: &[Envelope], batch: &mut Batch) {
    for envelope in envelopes {
        let key = Some(envelope.key.as_bytes());
        let input = Input { offset: 0, timestamp_ms: envelope.timestamp_ms, now_micros: 0, key, value: Some(&envelope.value), headers: &[] };
        lane.process(&input, batch);
        assert!(!batch.is_empty());
        batch.clear(BATCH_BYTES);
    }
}

#[test]
fn a_warm_lane_allocates_nothing() {
    for row in &ROWS {
        let data = Data::new(row);
        let stream = Stream { region: row.exchange.region(), kind: Kind::Orderbook };
        let mut lane = Lane::new(stream, row.exchange.partition(), stream.input_topic(), Arc::new(Rules::default()));
        let mut batch = Batch::default();
        let mut pass = || {
            let before = ALLOCATIONS.get();
            process(&mut lane, &data.opening, &mut batch);
            process(&mut lane, &data.envelopes, &mut batch);
            ALLOCATIONS.get() - before
        };
        assert!(pass() > 0, "{}: the first pass makes room, or nothing is counted", row.name);
        assert_eq!(pass(), 0, "{}: {} frames, {} outcomes", row.name, row.frames(), data.expected.len());
    }
}
