//! Any bytes as an input record, in the lane of every stream and partition: nothing panics, every frame is accounted for.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use market_hub::batch::Batch;
use market_hub::lane::Lane;
use market_hub::market::Stream;
use market_hub::rules::{BookMode, Rules};

#[path = "../../support/spellings.rs"]
#[allow(dead_code, reason = "the other target uses the rest")]
mod spellings;

fuzz_target!(|data: &[u8]| {
    let (choice, envelope) = data.split_first().unwrap_or((&0, &[]));
    let book_mode = [BookMode::Maintained, BookMode::Frame, BookMode::Hold][usize::from(choice % 3)];
    let rules = Arc::new(Rules { book_mode, ..Rules::default() });
    for stream in Stream::ALL {
        // One partition beyond the contract's.
        let partition = i32::from(choice / 3) % (stream.partitions() + 1);
        let mut lane = Lane::new(stream, partition, stream.input_topic(), Arc::clone(&rules));
        let mut batch = Batch::default();
        // Twice, for what the first time leaves in the books.
        lane.process(&spellings::input(0, envelope), &mut batch);
        lane.process(&spellings::input(1, envelope), &mut batch);
        spellings::assert_adds_up(&lane, &batch);
    }
});
