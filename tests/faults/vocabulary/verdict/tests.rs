//! The verdict on evidence that was tampered with: each kind of fault is found, and no other.

use std::collections::BTreeMap;

use market_hub::market::Exchange;

use super::{
    super::{
        flow::{FRAMES, Flow, Mixture},
        journal::{Journal, Role},
        witness::Note,
    },
    Delivery, Evidence, Verdict,
};
use crate::support::{Message, client::Place, names::Names};

const ENVELOPES: u64 = 3;
const FLOW: Flow = Flow { exchange: Exchange::Okx, mixture: Mixture::Pure };

/// What a hub without a fault leaves behind, changed by `tamper`.
fn verdict(delivery: Delivery, tamper: impl Fn(&mut Vec<Message>), committed: i64) -> Verdict {
    let place: Place = FLOW.output(&Names::deployed());
    let mut records: Vec<Message> = (1..=ENVELOPES * FRAMES).map(|number| FLOW.record(number)).collect();
    tamper(&mut records);
    let mut journal = Journal::new(FLOW, Role::Records);
    for (offset, record) in (0..).zip(records) {
        journal.take(&Message { offset: Some(offset), ..record });
    }
    let end = journal.seen.last().map_or(0, |(offset, _)| offset + 1);
    let journals = BTreeMap::from([(place.clone(), journal)]);
    Verdict::on(&Evidence {
        scene: "tampered".to_owned(),
        delivery,
        inputs: BTreeMap::from([(FLOW, (0..ENVELOPES).collect())]),
        during: journals.clone(),
        after: journals,
        notes: vec![Note { committed: BTreeMap::from([(FLOW, committed)]), ends: BTreeMap::from([(place, end.min(45))]) }],
        deaths: Vec::new(),
    })
}

fn counts(delivery: Delivery, tamper: impl Fn(&mut Vec<Message>), committed: i64) -> [u64; 5] {
    let verdict = verdict(delivery, tamper, committed);
    [&verdict.lost, &verdict.repeated, &verdict.out_of_order, &verdict.strange, &verdict.committed_too_early].map(|findings| findings.count)
}

#[test]
fn each_fault_is_found_and_no_other() {
    use Delivery::AtLeastOnce;
    let again = |records: &mut Vec<Message>| {
        let tail = records.split_off(30);
        records.extend_from_within(20..);
        records.extend(tail);
    };
    assert_eq!(counts(AtLeastOnce, |_| {}, 2), [0, 0, 0, 0, 0]);
    assert_eq!(counts(AtLeastOnce, |records| drop(records.pop()), 2), [1, 0, 0, 0, 0]);
    assert_eq!(counts(AtLeastOnce, |records| drop(records.remove(10)), 2), [1, 0, 1, 0, 0], "what is lost leaves a gap");
    assert_eq!(counts(AtLeastOnce, again, 1), [0, 10, 0, 0, 0]);
    assert_eq!(counts(AtLeastOnce, |records| records.swap(10, 11), 2), [0, 0, 2, 0, 0]);
    assert_eq!(counts(AtLeastOnce, |records| records[5].timestamp_ms += 1, 2), [0, 0, 0, 1, 0]);
    assert_eq!(counts(AtLeastOnce, |records| records.push(FLOW.record(61)), 2), [0, 0, 0, 1, 0], "never sent");
    assert_eq!(counts(AtLeastOnce, |records| records.push(Message::new("", 0, "{}")), 2)[3], 1, "from no frame");
    assert_eq!(counts(AtLeastOnce, |_| {}, 3), [0, 0, 0, 0, 1], "60 frames are committed when the output ends at 45");
}

#[test]
fn a_promise_is_judged_as_it_was_made() {
    let again = |records: &mut Vec<Message>| records.extend_from_within(50..);
    verdict(Delivery::AtLeastOnce, again, 2).assert_promise_kept();
    let broken = std::panic::catch_unwind(|| {
        verdict(Delivery::ExactlyOnce, again, 2).assert_promise_kept();
    });
    assert!(broken.is_err(), "exactly once repeats nothing");
}
