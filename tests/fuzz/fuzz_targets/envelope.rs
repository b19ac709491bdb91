//! Any bytes as an input record, in the lane of every stream and partition: nothing panics, every frame is accounted for, and the scanner changes nothing.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use market_hub::batch::Batch;
use market_hub::lane::Lane;
use market_hub::market::Stream;
use market_hub::rules::{BookMode, Rules, Scanner};

#[path = "../../support/spellings.rs"]
#[allow(dead_code, reason = "the other target uses the rest")]
mod spellings;

fuzz_target!(|data: &[u8]| {
    let (choice, envelope) = data.split_first().unwrap_or((&0, &[]));
    let book_mode = [BookMode::Maintained, BookMode::Frame, BookMode::Hold][usize::from(choice % 3)];
    for stream in Stream::ALL {
        // One partition beyond the contract's.
        let partition = i32::from(choice / 3) % (stream.partitions() + 1);
        let batches = [Scanner::On, Scanner::Portable, Scanner::Off].map(|scanner| {
            let rules = Arc::new(Rules { book_mode, scanner, ..Rules::default() });
            let mut lane = Lane::new(stream, partition, stream.input_topic(), rules);
            let mut batch = Batch::default();
            // Twice, for what the first time leaves in the books.
            lane.process(&spellings::input(0, envelope), &mut batch);
            lane.process(&spellings::input(1, envelope), &mut batch);
            spellings::assert_adds_up(&lane, &batch);
            batch
        });
        assert!(batches[0] == batches[1] && batches[0] == batches[2], "the scanner changes what comes out");
    }
});
