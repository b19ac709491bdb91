//! The core allocates nothing for a frame once it is warm: counted by an allocator that counts, for all kinds of frame that are measured.

#[path = "../benches/pipeline/data.rs"]
mod data;

use std::alloc::System;
use std::sync::Arc;

use data::{Data, Envelope, ROWS};
use market_hub::batch::Batch;
use market_hub::bench::{Allocated, Counting};
use market_hub::lane::{Input, Lane};
use market_hub::market::{Kind, Stream};
use market_hub::rules::Rules;

/// Of each thread alone: what the test harness does meanwhile does not count.
#[global_allocator]
static GLOBAL: Counting<System> = Counting(System);

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
            let before = Allocated::now();
            process(&mut lane, &data.opening, &mut batch);
            process(&mut lane, &data.envelopes, &mut batch);
            Allocated::now().since(before).times
        };
        assert!(pass() > 0, "{}: the first pass makes room, or nothing is counted", row.name);
        assert_eq!(pass(), 0, "{}: {} frames, {} outcomes", row.name, data.frames(), data.expected.len());
    }
}
