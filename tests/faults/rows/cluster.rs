//! Rows 8 and 14, on mock brokers: leaders and coordinators move, commits fail, the dead-letter topic cannot be written.

use std::{thread, time::Duration};

use market_hub::market::{Region, Stream};
use rdkafka::mocking::MockCoordinator;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr as Code};

use crate::{
    support::{broker, report},
    vocabulary::{BROKERS, Delivery, FLOW_GOAL, Flow, Mixture, Mock, PerSecond as _, Stillness, Vitals, at_most, chance, sized, topics, within},
};

/// What a broker may answer to a commit.
const COMMIT_ERRORS: [Code; 13] = [
    Code::RD_KAFKA_RESP_ERR__TRANSPORT,
    Code::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
    Code::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
    Code::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
    Code::RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
    Code::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
    Code::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
    Code::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
    Code::RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE,
    Code::RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE,
    Code::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
    Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
    Code::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
];

#[test]
fn row_8_leaders_and_coordinators_move_and_commits_fail() {
    let _turn = broker::turn();
    let mock = Mock::start();
    let mut scene = mock.scene("moves", Delivery::AtLeastOnce, Mixture::Pure);
    scene.start_load(sized(1_500, 500).per_second());
    scene.start_hub();
    scene.wait_for_new_output();
    let stillness = Stillness::of(scene.hub().pid());
    let broker = || i32::try_from(chance(1..BROKERS as u64 + 1)).unwrap();
    for turn in 0..sized(100, 1_000) {
        for (topic, partitions) in topics(&scene.names) {
            (0..partitions).for_each(|partition| mock.cluster.partition_leader(&topic, partition, Some(broker())).unwrap());
        }
        if turn % 10 == 0 {
            for stream in Stream::ALL {
                mock.cluster.coordinator(MockCoordinator::Group(scene.names.group(stream)), broker()).unwrap();
            }
        }
        if turn % 5 == 0 {
            mock.cluster.request_errors(RDKafkaApiKey::OffsetCommit, &[COMMIT_ERRORS[turn / 5 % COMMIT_ERRORS.len()]]);
        }
        thread::sleep(Duration::from_millis(100));
    }
    within("the longest that a worker stood still", Duration::from_millis(50), stillness.end());
    within("new output of every lane after the moves", FLOW_GOAL, scene.wait_for_new_output());
    scene.finish().assert_promise_kept();
}

#[test]
#[ignore = "awaits lanes that stall alone"]
fn row_14_dead_letter_topic_forbidden() {
    dead_letter_topic_fails("forbidden", Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
}

#[test]
#[ignore = "awaits lanes that stall alone"]
fn row_14_dead_letter_topic_missing() {
    dead_letter_topic_fails("missing", Code::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
}

/// Dead letters of Korea cannot be written: its lanes stall, the others go on, until it is mended.
fn dead_letter_topic_fails(how: &str, code: Code) {
    let _turn = broker::turn();
    let mock = Mock::start();
    let mut scene = mock.scene(how, Delivery::AtLeastOnce, Mixture::Poisoned);
    let is_stalled = |flow: &Flow| flow.exchange.region() == Region::Korea;
    let stalled: Vec<Flow> = scene.flows().into_iter().filter(is_stalled).collect();
    let letters = stalled[0].letters(&scene.names).0;
    scene.start_hub();
    scene.hub().wait_until_running();
    mock.cluster.topic_error(&letters, code).unwrap();
    scene.start_load(1_000.per_second());

    scene.wait_for_new_output_of(|flow| !is_stalled(flow));
    for flow in &stalled {
        let line = scene.wait_until_said(&["lane", &flow.lane(), "state STALL", &letters], Duration::from_secs(60));
        report(format_args!("{line}"));
    }
    let before = Vitals::of(scene.hub().pid());
    thread::sleep(Duration::from_secs(5));
    let after = Vitals::of(scene.hub().pid());
    at_most("MiB that lanes take while they stall", 4.0, after.resident_kib.saturating_sub(before.resident_kib) as f64 / 1024.0);
    scene.wait_for_new_output_of(|flow| !is_stalled(flow));
    // The very first envelope of every lane is poison.
    let committed = scene.committed();
    assert!(stalled.iter().all(|flow| committed[flow] == 0), "nothing is committed past a frame that is nowhere: {committed:?}");

    mock.cluster.topic_error(&letters, Code::RD_KAFKA_RESP_ERR_NO_ERROR).unwrap();
    within("new output of every lane once it is mended", FLOW_GOAL, scene.wait_for_new_output());
    scene.finish().assert_promise_kept();
}
