//! Arrays against the records that went in, and the waits of the contract.

use super::*;
use proptest::prelude::*;

const RULES: ArrayRules = ArrayRules { max: 20, timeout_us: 5 * SECOND_US, adaptive: true };

fn batch(messages: &[(Destination, &str, bool)], offset: i64) -> Batch {
    let mut batch = Batch::default();
    for (frame, &(destination, value, is_unverified)) in (0..).zip(messages) {
        let mut message = batch.begin(destination, Place { offset, frame: Some(frame) }, offset * 100 + i64::from(frame));
        message.key(|out| out.extend_from_slice(format!("key of {value}").as_bytes()));
        message.value(|out| out.extend_from_slice(value.as_bytes()));
        if is_unverified {
            message.header(BOOK_STATE, |out| out.extend_from_slice(b"unverified"));
        }
        message.finish();
    }
    batch
}

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8(bytes.unwrap().to_vec()).unwrap()
}

fn values(batch: &Batch) -> Vec<String> {
    batch.messages().map(|message| text(message.value)).collect()
}

/// What came of envelope `offset`, and what is then the checkpoint before it.
fn stack(stacker: &mut Stacker, messages: &[(Destination, &str, bool)], offset: i64, now_us: u64, into: &mut Batch) {
    stacker.stack(&batch(messages, offset), &Checkpoint::without_books(offset), now_us, into);
}

#[test]
fn an_array_is_that_of_the_contract() {
    use Destination::{DeadLetter, Output, Resync};
    let mut stacker = Stacker::new(ArrayRules { max: 3, ..RULES });
    let mut into = Batch::default();
    stack(&mut stacker, &[(Output, "1", false), (DeadLetter, "bad", false)], 7, 0, &mut into);
    assert_eq!((values(&into), stacker.held()), (vec!["bad".to_owned()], Some(Checkpoint::without_books(7))), "dead letters do not wait");
    stack(&mut stacker, &[(Resync, "ask", false), (Output, "2", true), (Output, "3", false), (Output, "4", false)], 8, 1, &mut into);
    assert_eq!((values(&into), stacker.held()), (["bad", "ask", "[1,2,3]"].map(str::to_owned).to_vec(), Some(Checkpoint::without_books(8))));
    let array = into.message(2);
    assert_eq!((text(array.key), array.timestamp_ms, array.place), ("key of 1".to_owned(), 802, Place { offset: 7, frame: Some(0) }));
    assert!(array.headers().eq([(BOOK_STATE, Some(b"unverified".as_slice()))]), "as one of its records");
    into.clear(0);
    stacker.flush(&mut into);
    assert_eq!((values(&into), into.message(0).headers().len(), stacker.held()), (vec!["[4]".to_owned()], 0, None));
    stacker.flush(&mut into);
    stack(&mut stacker, &[(Output, "5", false)], 9, 2, &mut into);
    stacker.clear();
    stacker.flush(&mut into);
    assert_eq!((into.len(), stacker.held(), stacker.due_us()), (1, None, None), "what is dropped, and what is not there, is not written");
}

/// How long an array waits after records that came at `arrivals` milliseconds.
fn wait_ms(rules: ArrayRules, arrivals: impl IntoIterator<Item = u64>) -> u64 {
    let (mut stacker, mut into, mut last) = (Stacker::new(rules), Batch::default(), 0);
    for now in arrivals {
        stack(&mut stacker, &[(Destination::Output, "1", false)], 1, now * 1_000, &mut into);
        last = now * 1_000;
    }
    let due = stacker.due_us().unwrap();
    let before = into.len();
    stacker.flush_due(due - 1, &mut into);
    assert_eq!(into.len(), before);
    stacker.flush_due(due, &mut into);
    assert_eq!(into.len(), before + 1);
    (due - last) / 1_000
}

#[test]
fn busy_lanes_wait_less() {
    let rules = ArrayRules { max: 1_000, ..RULES };
    let every = |ms: u64| (0..40).map(move |index| index * ms);
    assert_eq!([1_000, 200, 199, 100, 99, 1].map(|ms| wait_ms(rules, every(ms))), [5_000, 5_000, 2_000, 2_000, 1_000, 1_000]);
    assert_eq!([5, 6, 10, 11].map(|count| wait_ms(rules, vec![0; count])), [5_000, 2_000, 2_000, 1_000], "a burst is a second's worth");
    assert_eq!(wait_ms(rules, every(1).chain([1_038])), 5_000, "the second that ends with the last record");
    assert_eq!(wait_ms(ArrayRules { max: 20, ..rules }, every(1).chain([40])), 1_000, "records of the arrays before count");
    assert_eq!(wait_ms(ArrayRules { adaptive: false, ..rules }, every(1)), 5_000);
    assert_eq!(wait_ms(ArrayRules { timeout_us: 700_000, ..rules }, every(1)), 700, "never longer than it is told");
    assert_eq!(wait_ms(ArrayRules { timeout_us: 1_500_000, ..rules }, every(150)), 1_500);
}

#[test]
fn what_is_due_goes_out_before_what_comes() {
    let (mut stacker, mut into) = (Stacker::new(RULES), Batch::default());
    stack(&mut stacker, &[(Destination::Output, "1", false)], 1, 0, &mut into);
    stack(&mut stacker, &[(Destination::Output, "2", false)], 2, 5 * SECOND_US - 1, &mut into);
    stack(&mut stacker, &[(Destination::Output, "3", false)], 3, 10 * SECOND_US - 1, &mut into);
    assert_eq!((values(&into), stacker.held()), (vec!["[1,2]".to_owned()], Some(Checkpoint::without_books(3))));
}

fn destination() -> impl Strategy<Value = Destination> {
    prop_oneof![6 => Just(Destination::Output), 1 => Just(Destination::DeadLetter), 1 => Just(Destination::Resync)]
}

proptest! {
    #[test]
    fn arrays_one_after_the_other_are_the_records(
        max in 1_usize..8,
        envelopes in prop::collection::vec((prop::collection::vec((destination(), any::<bool>()), 0..12), 0..3_000_000_u64, prop::bool::weighted(0.1)), 0..30),
    ) {
        let mut stacker = Stacker::new(ArrayRules { max, ..RULES });
        let (mut now_us, mut next) = (0, 0);
        let (mut records, mut others, mut written) = (Vec::new(), Vec::new(), Batch::default());
        for (offset, (messages, wait_us, flush)) in (0..).zip(&envelopes) {
            now_us += wait_us;
            let messages: Vec<_> = messages.iter().map(|&(destination, unverified)| { next += 1; (destination, next.to_string(), unverified) }).collect();
            for (destination, value, unverified) in &messages {
                if *destination == Destination::Output { records.push((value.clone(), *unverified, offset)) } else { others.push(value.clone()) }
            }
            let messages: Vec<_> = messages.iter().map(|(destination, value, unverified)| (*destination, value.as_str(), *unverified)).collect();
            stack(&mut stacker, &messages, offset, now_us, &mut written);
            if *flush {
                stacker.flush(&mut written);
            }
            let arrays = written.messages().filter(|message| message.destination == Destination::Output);
            let out: usize = arrays.map(|array| text(array.value).split(',').count()).sum();
            let first_held = records.get(out).map(|&(_, _, offset)| Checkpoint::without_books(offset));
            prop_assert_eq!(stacker.held(), first_held, "from the envelope of the first record that waits");
            let passed: Vec<_> = written.messages().filter(|message| message.destination != Destination::Output).map(|message| text(message.value)).collect();
            prop_assert_eq!(&passed, &others, "all else passes at once, in order");
        }
        stacker.flush(&mut written);
        let mut records = records.iter();
        for array in written.messages().filter(|message| message.destination == Destination::Output) {
            let value: Vec<u64> = serde_json::from_str(&text(array.value)).unwrap();
            prop_assert!((1..=max).contains(&value.len()));
            let inside: Vec<_> = records.by_ref().take(value.len()).collect();
            prop_assert_eq!(inside.iter().map(|record| record.0.parse::<u64>().unwrap()).collect::<Vec<_>>(), value);
            prop_assert_eq!(text(array.key), format!("key of {}", inside[0].0));
            prop_assert_eq!(array.headers().len() == 1, inside.iter().any(|record| record.1));
            prop_assert_eq!(array.place.offset, inside[0].2);
        }
        prop_assert!(records.next().is_none(), "none is lost");
    }
}
