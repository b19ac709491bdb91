//! The tests' own tools, tried on a broker without any hub: what they send and read is exact, and a broker that dies comes back with what it had.

use std::{collections::BTreeMap, time::Duration};

use super::support::{
    Message,
    broker::{self, signal},
    client::Place,
    names::Names,
    record_file::golden_files,
    rounds::{differences, rounds},
    wait_until,
};

#[test]
fn what_is_produced_is_read_back_byte_for_byte() {
    let Some(broker) = broker::shared() else { return };
    let client = broker.client();
    client.create_topics(&[("harness.bytes".to_owned(), 4)]);
    // All kinds of values there are: dead letters of the hard cases, with their headers, under times from 1970 on.
    let golden = golden_files().into_iter().find(|file| file.name == "hard-cases").expect("the hard cases");
    let mut sent: Vec<Message> = golden.output.into_iter().chain(golden.input).collect();
    sent.push(Message { value: None, headers: vec![("empty".to_owned(), Some(Vec::new())), ("null".to_owned(), None)], ..Message::new("", 3, "") });
    sent.push(Message { key: Some(Vec::new()), headers: vec![("twice".to_owned(), Some(vec![0xff, 0])); 2], ..Message::new("", 3, "") });
    let mut expected: BTreeMap<Place, Vec<Message>> = BTreeMap::new();
    for message in &mut sent {
        message.topic = "harness.bytes".to_owned();
        let partition = expected.entry((message.topic.clone(), message.partition)).or_default();
        message.offset = Some(i64::try_from(partition.len()).unwrap());
        partition.push(message.clone());
    }

    let offsets = client.produce(&sent);

    assert!(offsets.iter().zip(&sent).all(|(offset, message)| Some(*offset) == message.offset));
    let found = client.read(&["harness.bytes".to_owned()]);
    for (place, expected) in &expected {
        let difference = expected.iter().zip(&found[place]).find(|(expected, found)| expected != found);
        assert!(difference.is_none() && expected.len() == found[place].len(), "{place:?}: {difference:?}");
    }
    assert_eq!(expected.len(), found.len());
}

#[test]
fn committed_offsets_and_messages_survive_the_death_of_the_broker() {
    let Some(mut broker) = broker::shared() else { return };
    let client = broker.client();
    let topic = "harness.survive".to_owned();
    client.create_topics(&[(topic.clone(), 2)]);
    assert_eq!(client.committed("harness", &topic).into_values().collect::<Vec<i64>>(), [0, 0], "nothing committed yet");
    client.produce(&[Message::new(&topic, 0, "one"), Message::new(&topic, 0, "two")]);
    client.commit("harness", &(topic.clone(), 0), 2);
    let state = || (client.ends(std::slice::from_ref(&topic)), client.committed("harness", &topic));
    let before = state();
    assert_eq!(before.0.values().chain(before.1.values()).copied().collect::<Vec<i64>>(), [2, 0, 2, 0]);

    broker.kill();
    assert!(!client.answers(Duration::from_millis(200)), "killed");
    broker.restart();
    assert_eq!(state(), before, "after SIGKILL");

    broker.stop();
    assert!(!client.answers(Duration::from_millis(500)), "stopped");
    broker.cont();
    wait_until("an answer after SIGCONT", Duration::from_secs(30), || client.answers(Duration::from_secs(1)), |answers| *answers);
    assert_eq!(state(), before, "after SIGSTOP and SIGCONT");

    // What a scenario leaves behind must not become the next one's failure.
    broker.terminate();
    drop(broker);
    let broker = broker::shared().expect("it was there before");
    assert_eq!(state(), before, "after SIGTERM, started by the next scenario");
    signal("0", broker.pid());
}

#[test]
fn rounds_take_every_file_once_and_never_mix_books() {
    let files = golden_files();
    let count = files.len();
    let rounds = rounds(files);
    let names = Names::of("mapped");
    assert_eq!(rounds.iter().map(|round| round.files().len()).sum::<usize>(), count);
    assert_eq!(rounds[0].files(), ["hard-cases"]);
    assert!(rounds.len() <= 12, "{} starts of the hub", rounds.len());
    for round in &rounds {
        // As a broker would give them: dense from 0 in each partition.
        let mut ends: BTreeMap<Place, i64> = BTreeMap::new();
        let offset = |message: &Message| {
            let end = ends.entry((message.topic.clone(), message.partition)).or_default();
            *end += 1;
            *end - 1
        };
        let offsets: Vec<i64> = round.input(&names).iter().map(offset).collect();
        let expected = round.expected(&names, &offsets);
        let topics: BTreeMap<String, i32> = round.topics(&names).into_iter().collect();
        assert!(expected.keys().all(|(topic, partition)| topics.get(topic).is_some_and(|partitions| partition < partitions)));

        let mut found: BTreeMap<Place, Vec<Message>> =
            expected.iter().map(|(place, messages)| (place.clone(), messages.iter().map(|expected| expected.message.clone()).collect())).collect();
        assert!(differences(&expected, &found).is_empty(), "the same is no difference");
        let messages = found.values_mut().next().expect("every round has output");
        messages[0].timestamp_ms += 1;
        assert!(!differences(&expected, &found).is_empty(), "a change is");
        found.values_mut().next().expect("every round has output").clear();
        assert!(!differences(&expected, &found).is_empty(), "a loss is");
    }
}
