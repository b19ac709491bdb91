//! Row 9, on mock brokers: every transactional request fails in every way.

use std::{
    thread,
    time::{Duration, Instant},
};

use rdkafka::types::{RDKafkaApiKey as Request, RDKafkaRespErr as Code};

use crate::{
    support::{broker, report},
    vocabulary::{Delivery, FLOW_GOAL, Mixture, Mock, PerSecond as _, Scene, within},
};

/// What must come of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The same call again, or an abort, or a new producer: output flows on.
    GoesOn,
    /// Somebody else has the id: exit 77, not to come back by itself.
    Fenced,
}

use Then::{Fenced, GoesOn};

/// Request, kind of error, error, and what must come of it.
const ERRORS: [(Request, &str, Code, Then); 22] = [
    (Request::InitProducerId, "retriable", Code::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, GoesOn),
    (Request::InitProducerId, "retriable", Code::RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, GoesOn),
    (Request::InitProducerId, "retriable", Code::RD_KAFKA_RESP_ERR__TRANSPORT, GoesOn),
    // A start is what fences others, and brokers fence no start: the next try is a new producer, which is what takes a lane over.
    (Request::InitProducerId, "fenced", Code::RD_KAFKA_RESP_ERR_PRODUCER_FENCED, GoesOn),
    (Request::AddPartitionsToTxn, "retriable", Code::RD_KAFKA_RESP_ERR_NOT_COORDINATOR, GoesOn),
    (Request::AddPartitionsToTxn, "retriable", Code::RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, GoesOn),
    (Request::AddPartitionsToTxn, "fatal", Code::RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, GoesOn),
    (Request::AddPartitionsToTxn, "fenced", Code::RD_KAFKA_RESP_ERR_PRODUCER_FENCED, Fenced),
    (Request::Produce, "retriable", Code::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, GoesOn),
    (Request::Produce, "retriable", Code::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, GoesOn),
    (Request::Produce, "abortable", Code::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, GoesOn),
    (Request::AddOffsetsToTxn, "retriable", Code::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, GoesOn),
    (Request::AddOffsetsToTxn, "abortable", Code::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, GoesOn),
    (Request::AddOffsetsToTxn, "fatal", Code::RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, GoesOn),
    (Request::AddOffsetsToTxn, "fenced", Code::RD_KAFKA_RESP_ERR_PRODUCER_FENCED, Fenced),
    (Request::TxnOffsetCommit, "retriable", Code::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, GoesOn),
    (Request::TxnOffsetCommit, "abortable", Code::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, GoesOn),
    (Request::TxnOffsetCommit, "fenced", Code::RD_KAFKA_RESP_ERR_PRODUCER_FENCED, Fenced),
    (Request::EndTxn, "retriable", Code::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, GoesOn),
    (Request::EndTxn, "retriable", Code::RD_KAFKA_RESP_ERR__TRANSPORT, GoesOn),
    (Request::EndTxn, "fatal", Code::RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, GoesOn),
    (Request::EndTxn, "fenced", Code::RD_KAFKA_RESP_ERR_PRODUCER_FENCED, Fenced),
];

/// No scene has more lanes.
const LANES_AT_MOST: usize = 6;

/// How often a [`Scene`]'s hub commits.
const COMMIT_INTERVAL: Duration = Duration::from_millis(100);

#[test]
fn row_9_every_transactional_request_fails() {
    let _turn = broker::turn();
    let mock = Mock::start();
    let mut scene = mock.scene("transactions", Delivery::ExactlyOnce, Mixture::Pure);
    // About a thousand records are on their way when an error comes.
    scene.start_load(600.per_second());
    for (request, kind, code, then) in ERRORS {
        let what = format!("{request:?}, {kind}: {code:?}");
        // Only a start asks for the producer's id; anything else befalls a hub that runs.
        let is_start = request == Request::InitProducerId;
        if is_start {
            mock.cluster.request_errors(request, &[code]);
        }
        scene.start_hub();
        if !is_start {
            scene.wait_for_any_output();
            if then == Fenced {
                claim_all(&scene);
            }
            injects(&mut scene, &mock, request, code);
        }
        match then {
            // A start has its own goal: it takes all lanes over, and one that is fenced waits for a time of chance.
            GoesOn => goes_on(&mut scene, &what, if is_start { FLOW_GOAL } else { Duration::from_secs(1) }),
            Fenced => is_fenced(&mut scene, &what),
        }
        mock.cluster.clear_request_errors(request);
    }
}

/// librdkafka asks three times for a coordinator that it has lost, and then maybe never again: the call does not come back.
#[test]
fn row_9_a_group_has_no_coordinator_for_a_while() {
    let _turn = broker::turn();
    let mock = Mock::start();
    let mut scene = mock.scene("no-coordinator", Delivery::ExactlyOnce, Mixture::Pure).with(&["--transaction-timeout-ms", "2000"]);
    scene.start_load(600.per_second());
    scene.start_hub();
    scene.wait_for_any_output();
    // Whoever asks hears the same, for as long as it takes: who hears who the coordinator is goes on without a fault.
    mock.cluster.request_errors(Request::FindCoordinator, &[Code::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE; 1_000]);
    mock.cluster.request_errors(Request::TxnOffsetCommit, &[Code::RD_KAFKA_RESP_ERR_NOT_COORDINATOR; LANES_AT_MOST]);
    scene.wait_until_said(&["nobody knows whether they will be"], Duration::from_secs(10));
    mock.cluster.clear_request_errors(Request::FindCoordinator);
    goes_on(&mut scene, "a group without a coordinator", FLOW_GOAL);
}

/// Has the hub's next request of a kind fail. The load produces to the same brokers: it must not be what meets the error.
fn injects(scene: &mut Scene, mock: &Mock, request: Request, code: Code) {
    if request != Request::Produce {
        return mock.cluster.request_errors(request, &[code]);
    }
    scene.hub().stop();
    thread::sleep(Duration::from_millis(500));
    scene.load().pause();
    thread::sleep(Duration::from_millis(300));
    mock.cluster.request_errors(request, &[code]);
    scene.hub().cont();
    thread::sleep(Duration::from_millis(500));
    scene.load().resume();
}

/// Commits as another instance that has taken all lanes over: the mock keeps no offsets of transactions, but those of plain commits. By what is committed a hub
/// tells whether it is fenced by another one or its own transaction was given up; the latter is no reason to exit.
fn claim_all(scene: &Scene) {
    for flow in scene.flows() {
        scene.client.commit(&scene.names.group(flow.stream()), &flow.input(&scene.names), 0);
    }
}

/// The mock keeps what was aborted: only new records of every lane tell that it goes on, and a lane still writes some before it meets the error. A hub that is
/// told to stop while a lane begins again rightly says so and exits with 75.
fn goes_on(scene: &mut Scene, what: &str, goal: Duration) {
    let began = Instant::now();
    scene.wait_for_new_output();
    thread::sleep(COMMIT_INTERVAL * 3);
    scene.wait_for_new_output();
    within(&format!("{what}: output flows again"), goal, began.elapsed().saturating_sub(COMMIT_INTERVAL * 3));
    let stopped = scene.take_hub().terminate();
    assert_eq!(stopped.code, Some(0), "{what}; the hub said:\n{}", stopped.said);
}

fn is_fenced(scene: &mut Scene, what: &str) {
    let stopped = scene.take_hub().wait_for_exit(Duration::from_secs(20));
    report(format_args!("{what}: exit {:?} after {:?}", stopped.code, stopped.took));
    assert_eq!(stopped.code, Some(77), "{what}; the hub said:\n{}", stopped.said);
}

/// The brokers that lead what the hub reads and what it writes.
const INPUTS: i32 = 1;
const OUTPUTS: i32 = 2;
/// A transaction whose interval is over takes no more messages, and a lane whose batches are all in an open one has none for more.
const TRANSACTION_STAYS_OPEN: [&str; 6] = ["--commit-interval-ms", "60000", "--transaction-timeout-ms", "600000", "--channel-batches", "4096"];

#[test]
fn row_9_abort_with_a_thousand_records_outstanding() {
    let _turn = broker::turn();
    let mock = Mock::start();
    let mut scene = mock.scene("abort", Delivery::ExactlyOnce, Mixture::Pure).with(&TRANSACTION_STAYS_OPEN);
    for flow in scene.flows() {
        let leads = |(topic, partition): (String, i32), broker| mock.cluster.partition_leader(&topic, partition, Some(broker)).unwrap();
        leads(flow.input(&scene.names), INPUTS);
        leads(flow.output(&scene.names), OUTPUTS);
    }
    scene.start_load(10_000.per_second());
    scene.start_hub();
    scene.wait_for_any_output();
    // What it reads comes at once and what it writes is answered late: with one request on its way, a lane's messages of three seconds wait for the next.
    mock.cluster.broker_round_trip_time(OUTPUTS, Duration::from_secs(3)).unwrap();
    thread::sleep(Duration::from_secs(7));
    scene.load().pause();
    thread::sleep(Duration::from_millis(300));
    mock.cluster.request_errors(Request::Produce, &[Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED]);
    let line = scene.wait_until_said(&["the transaction is given up"], Duration::from_secs(30));
    report(&line);
    let began = Instant::now();
    let outstanding = line.split_once("of which ").and_then(|(_, said)| said.split(' ').next()?.parse::<u32>().ok());
    assert!(outstanding.is_some_and(|messages| messages >= 1_000), "too few messages are outstanding: {outstanding:?}");
    mock.cluster.broker_round_trip_time(OUTPUTS, Duration::ZERO).unwrap();
    scene.load().resume();
    let lane = line.split_once("] ").and_then(|(_, said)| said.split(": ").next()).unwrap();
    scene.wait_until_said(&[lane, "begins again at"], Duration::from_secs(30));
    within("an abort with a thousand records outstanding", Duration::from_secs(1), began.elapsed());
    within("output flows again after it", Duration::from_secs(1), scene.wait_for_any_output());
}
