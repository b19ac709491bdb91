//! Rows 15 and 16: offsets that are out of range, and topics that change or are not there.

use std::{
    fs::OpenOptions,
    thread,
    time::{Duration, Instant},
};

use crate::{
    support::{
        broker::{self, Broker},
        hub::HubCommand,
        names::Names,
        report, wait_until,
    },
    vocabulary::{Delivery, Flow, PerSecond as _, Scene, topics, within},
};

/// When a lane must have said that it has stopped.
const SAID_BOUND: Duration = Duration::from_secs(60);

// ------------------------------------------------------------------------------------------------------------------------------ row 15

#[test]
fn row_15_records_deleted_while_no_hub_runs() {
    let Some(broker) = broker::shared() else { return };
    let mut scene = flowing(&broker, "deleted");
    let lane = scene.flows()[0];
    // In order: what it had written and not committed would be gone from the input as well.
    scene.take_hub().terminate().assert_clean("before records are deleted");
    thread::sleep(Duration::from_secs(1));
    scene.end_load();
    let (from, to) = (scene.committed()[&lane], i64::try_from(scene.sent()[&lane]).unwrap() - 5);
    scene.client.admin().delete_records(&lane.input(&scene.names), to);

    scene.start_hub();
    stops_alone(&mut scene, lane, from);
    goes_on_over_the_gap(scene, lane, from, to);
}

#[test]
fn row_15_records_deleted_under_a_running_hub() {
    let Some(broker) = broker::shared() else { return };
    // A queue so short that the hub is far behind after two seconds of sleep.
    let mut scene = flowing_with(&broker, "deleted-running", &["--fetch-queue-kib", "64"]);
    let lane = scene.flows()[0];
    scene.hub().stop();
    thread::sleep(Duration::from_secs(3));
    scene.end_load();
    let to = i64::try_from(scene.sent()[&lane]).unwrap() - 5;
    scene.client.admin().delete_records(&lane.input(&scene.names), to);
    scene.hub().cont();

    scene.wait_until_said(&["lane", &lane.lane(), "state STOP"], SAID_BOUND);
    // What it had at hand is done by then, and committed.
    thread::sleep(Duration::from_secs(1));
    let from = scene.committed()[&lane];
    assert!(from < to, "a gap was skipped without a word: {from} is committed, and all below {to} is gone");
    stops_alone(&mut scene, lane, from);
    goes_on_over_the_gap(scene, lane, from, to);
}

#[test]
fn row_15_topic_deleted_and_made_again() {
    let Some(broker) = broker::shared() else { return };
    let mut scene = flowing(&broker, "made-again");
    let gone = scene.flows()[0];
    let topic = gone.input(&scene.names).0;
    let partitions = gone.stream().partitions();
    scene.catch_up();
    let (before, head) = (scene.committed(), scene.head(gone));
    scene.client.admin().delete_topic(&topic);
    wait_until("the topic is gone", Duration::from_secs(30), || scene.client.topics().contains_key(&topic), |is_there| !is_there);
    scene.client.create_topics(&[(topic, partitions)]);
    // More envelopes than the old topic had: offsets that the hub has not read yet are there again, and mean something else.
    scene.start_load(10_000.per_second());
    wait_until("the new topic is longer than the old one", SAID_BOUND, || scene.sent_by_now(gone), |sent| *sent > 2 * before[&gone].unsigned_abs() + 100);

    scene.wait_until_said(&["lane", &gone.lane(), "state STOP"], SAID_BOUND);
    thread::sleep(Duration::from_secs(5));
    scene.wait_for_new_output_of(|flow| flow.stream() != gone.stream());
    assert_eq!(scene.head(gone), head, "the hub reads the new topic from the middle, as if it were the old one");
    // Brokers delete what is committed for a topic with it.
    let committed = scene.committed()[&gone];
    assert!(committed == before[&gone] || committed == 0, "nothing of the new topic is committed: {committed}, before {}", before[&gone]);
}

#[test]
fn row_15_log_truncated() {
    let Some(mut broker) = broker::shared() else { return };
    let mut scene = flowing(&broker, "truncated");
    let lane = scene.flows()[0];
    scene.catch_up();
    let (topic, partition) = lane.input(&scene.names);
    broker.kill();
    // The second half of the log was on a disk that is gone.
    let log = OpenOptions::new().write(true).open(broker.log_of(&topic, partition).join("00000000000000000000.log")).unwrap();
    log.set_len(log.metadata().unwrap().len() / 2).unwrap();
    broker.restart();
    let end = scene.client.ends(std::slice::from_ref(&topic))[&(topic, partition)];
    let committed = scene.committed()[&lane];
    report(format_args!("the log ends at {end}, and {committed} is committed"));
    assert!(end < committed);
    scene.wait_until_said(&["lane", &lane.lane(), "state STOP"], SAID_BOUND);
    scene.start_load(10_000.per_second());
    scene.wait_for_new_output_of(|flow| *flow != lane);
    assert_eq!(scene.committed()[&lane], committed, "a lane that has stopped commits nothing");
}

fn flowing(broker: &Broker, name: &str) -> Scene {
    flowing_with(broker, name, &[])
}

fn flowing_with(broker: &Broker, name: &str, arguments: &[&str]) -> Scene {
    let mut scene = Scene::on(broker, name, Delivery::AtLeastOnce).with(arguments);
    scene.start_load(10_000.per_second());
    scene.start_hub();
    scene.wait_for_new_output();
    thread::sleep(Duration::from_secs(1));
    scene
}

/// The lane says that it has stopped and stays where it is; all others go on to their ends.
fn stops_alone(scene: &mut Scene, lane: Flow, at: i64) {
    let line = scene.wait_until_said(&["lane", &lane.lane(), "state STOP"], SAID_BOUND);
    report(format_args!("{line}"));
    scene.catch_up_of(|flow| *flow != lane);
    assert_eq!(scene.committed()[&lane], at, "a lane that has stopped commits nothing");
}

/// With the setting that says so, the lane goes on behind the gap, and says how much it is.
fn goes_on_over_the_gap(mut scene: Scene, lane: Flow, from: i64, to: i64) {
    scene.take_hub().terminate();
    scene.start(scene.command().with(&["--on-offset-gap", "continue"]));
    let line = scene.wait_until_said(&["gap", &lane.lane(), &(to - from).to_string()], SAID_BOUND);
    report(format_args!("{line}"));
    scene.forgive(lane, from..to);
    scene.finish().assert_promise_kept();
}

// ------------------------------------------------------------------------------------------------------------------------------ row 16

#[test]
fn row_16_partitions_added() {
    let Some(broker) = broker::shared() else { return };
    let mut scene = flowing(&broker, "added");
    let stream = scene.flows()[0].stream();
    let topic = scene.names.input(stream);
    scene.client.admin().add_partitions(&topic, usize::try_from(stream.partitions()).unwrap() + 1);
    let began = Instant::now();
    let line = scene.wait_until_said(&["WARN", &format!("partition {}", stream.partitions()), &topic], Duration::from_secs(300));
    report(format_args!("{line}"));
    within("new partitions are seen", Duration::from_secs(30), began.elapsed());
    scene.finish().assert_promise_kept();
}

#[test]
fn row_16_topics_that_come_late() {
    let Some(broker) = broker::shared() else { return };
    let names = Names::of("late-topics");
    let mut hub = HubCommand::run(&broker, &names).with(&["--lanes", "korea-ticker ne-ticker", "--start-deadline-s", "60"]).start();
    thread::sleep(Duration::from_secs(2));
    hub.assert_running();
    broker.client().create_topics(&topics(&names));
    hub.wait_until_running();
    hub.terminate().assert_clean("topics that came late");
}

#[test]
fn row_16_topic_or_partition_missing() {
    let Some(broker) = broker::shared() else { return };
    let names = Names::of("missing-partition");
    let mut topics = topics(&names);
    let narrow = topics[0].0.clone();
    topics[0].1 -= 1;
    let missing = topics.pop().unwrap().0;
    broker.client().create_topics(&topics);
    let hub = HubCommand::run(&broker, &names).with(&["--lanes", "korea-ticker ne-ticker", "--start-deadline-s", "2"]).start();
    let stopped = hub.wait_for_exit(Duration::from_secs(30));
    within("the end of a start without topics", Duration::from_secs(3), stopped.took);
    assert!(stopped.took >= Duration::from_secs(1), "it waits for them: {:?}", stopped.took);
    assert_eq!(stopped.code, Some(69), "{}", stopped.said);
    assert!([&narrow, &missing].iter().all(|topic| stopped.said.contains(*topic)), "names {narrow} and {missing}: {}", stopped.said);
}
