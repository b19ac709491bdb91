//! Row 9, on mock brokers: every transactional request fails in every way.

use std::time::Duration;

use rdkafka::types::{RDKafkaApiKey as Request, RDKafkaRespErr as Code};

use crate::{
    support::{broker, report, wait_until},
    vocabulary::{Delivery, Mixture, Mock, PerSecond as _, Scene, within},
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
    (Request::InitProducerId, "fenced", Code::RD_KAFKA_RESP_ERR_PRODUCER_FENCED, Fenced),
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

#[test]
#[ignore = "awaits --delivery exactly-once"]
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
            mock.cluster.request_errors(request, &[code]);
        }
        match then {
            GoesOn => goes_on(&mut scene, &what),
            Fenced => is_fenced(&mut scene, &what),
        }
        mock.cluster.clear_request_errors(request);
    }
}

/// The mock keeps no transactional offsets: after an abort the hub begins at the beginning, and only the count of records tells that it goes on.
fn goes_on(scene: &mut Scene, what: &str) {
    within(&format!("{what}: output flows again"), Duration::from_secs(1), scene.wait_for_any_output());
    let stopped = scene.take_hub().terminate();
    assert_eq!(stopped.code, Some(0), "{what}; the hub said:\n{}", stopped.said);
}

fn is_fenced(scene: &mut Scene, what: &str) {
    let stopped = scene.take_hub().wait_for_exit(Duration::from_secs(20));
    report(format_args!("{what}: exit {:?} after {:?}", stopped.code, stopped.took));
    assert_eq!(stopped.code, Some(77), "{what}; the hub said:\n{}", stopped.said);
}

#[test]
#[ignore = "awaits --delivery exactly-once"]
fn row_9_abort_with_a_thousand_records_outstanding() {
    let _turn = broker::turn();
    let mock = Mock::start();
    let mut scene = mock.scene("abort", Delivery::ExactlyOnce, Mixture::Pure).with(&["--commit-interval-ms", "500"]);
    scene.start_load(6_000.per_second());
    scene.start_hub();
    scene.wait_for_any_output();
    // Reports come a second late: what half a second of load makes is outstanding when the transaction must be aborted.
    mock.cluster.broker_round_trip_time(-1, Duration::from_secs(1)).unwrap();
    wait_until("records outstanding", Duration::from_secs(5), || scene.load().frames(), |frames| *frames > 6_000);
    mock.cluster.request_errors(Request::AddOffsetsToTxn, &[Code::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED]);
    scene.wait_until_said(&["abort"], Duration::from_secs(10));
    mock.cluster.broker_round_trip_time(-1, Duration::ZERO).unwrap();
    within("output flows again after an abort", Duration::from_secs(1), scene.wait_for_any_output());
}
