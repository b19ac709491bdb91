//! The drift alarm is silent for every frame that is recorded or derived: each that gives a record has known keys, and none is missing.

use market_hub::{
    book::Frame,
    endpoint::drift::Drift,
    envelope,
    exchange::{self, Decoded},
    market::{Exchange, Kind, Stream},
    rules::Limits,
};

use super::support::record_file::golden_files;

#[test]
fn recorded_frames_do_not_drift() {
    let (limits, mut reader, mut frame, mut space) = (Limits::default(), envelope::Reader::default(), Frame::default(), Vec::new());
    let mut drift = Drift::default();
    // The hard cases are odd on purpose.
    for file in golden_files().into_iter().filter(|file| file.name != "hard-cases") {
        for message in &file.input {
            let Some(stream) = Stream::ALL.into_iter().find(|stream| stream.input_topic() == message.topic) else { panic!("{}", message.topic) };
            let Ok(envelope) = reader.read(message.value.as_deref().unwrap_or_default(), &limits) else { continue };
            for item in envelope.items() {
                let Ok(text) = std::str::from_utf8(item.bytes(&mut space)) else { continue };
                let is_data = match stream.kind {
                    Kind::Ticker => matches!(exchange::read_ticker(envelope.exchange, text, &limits), Ok(Decoded::Data(_))),
                    Kind::Orderbook => matches!(exchange::read_book(envelope.exchange, text, &limits, &mut frame), Ok(Decoded::Data(()))),
                };
                if is_data {
                    drift.look(envelope.exchange, stream.kind, text);
                }
            }
        }
    }
    let found: Vec<_> =
        drift.rows().into_iter().map(|row| format!("{} {} {} {} in {}: {}", row.exchange, row.kind, row.what, row.key, row.count, row.example)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    for exchange in Exchange::ALL {
        for kind in Kind::ALL {
            assert!(drift.seen(exchange, kind).0 > 0, "no frame of {exchange} {kind:?} was looked at");
        }
    }
}
