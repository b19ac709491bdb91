//! Any text as frames, one a line, of an exchange and kind that the first byte chooses: see `support/spellings.rs`.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use market_hub::market::{Exchange, Kind};
use market_hub::rules::Rules;

#[path = "../../support/spellings.rs"]
mod spellings;

fuzz_target!(|data: &[u8]| {
    let Some((&choice, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let exchange = Exchange::ALL[usize::from(choice) % Exchange::COUNT];
    let kind = Kind::ALL[usize::from(choice) / Exchange::COUNT % 2];
    spellings::assert_same_outcome(exchange, kind, &Arc::new(Rules::default()), text.split('\n'));
});
