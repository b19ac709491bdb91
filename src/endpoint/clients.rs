//! What Kafka clients tell of themselves, boiled down: librdkafka's statistics have a row for every broker and partition, ours one for every client.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::status::ClientRow;

/// A window over the last interval.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Window {
    p99: i64,
    cnt: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Broker {
    nodeid: i64,
    state: String,
    outbuf_cnt: i64,
    waitresp_cnt: i64,
    txretries: i64,
    req_timeouts: i64,
    disconnects: i64,
    rtt: Window,
    throttle: Window,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Topic {
    partitions: BTreeMap<String, Partition>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Partition {
    fetchq_cnt: i64,
    fetchq_size: i64,
}

/// Those of librdkafka's statistics that are looked at, by its names.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Statistics {
    tx: i64,
    tx_bytes: i64,
    rx_bytes: i64,
    msg_cnt: i64,
    msg_size: i64,
    brokers: BTreeMap<String, Broker>,
    topics: BTreeMap<String, Topic>,
}

/// The row of a client; `None` where what it told cannot be read.
pub(super) fn row(client: &str, json: &[u8]) -> Option<ClientRow> {
    let Statistics { tx, tx_bytes, rx_bytes, msg_cnt, msg_size, brokers, topics } = sonic_rs::from_slice(json).ok()?;
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    let of_brokers = |figure: fn(&Broker) -> i64| brokers.values().map(figure).map(count).sum::<u64>();
    // Of the brokers to which something went: a window over nothing is 0.
    let worst = |window: fn(&Broker) -> &Window| brokers.values().map(window).filter(|window| window.cnt > 0).map(|window| window.p99).max();
    let of_partitions = |figure: fn(&Partition) -> i64| topics.values().flat_map(|topic| topic.partitions.values()).map(figure).map(count).sum::<u64>();
    Some(ClientRow {
        client: client.to_owned(),
        // The addresses that were told at the start have no number.
        brokers: brokers.values().filter(|broker| broker.nodeid >= 0).count(),
        brokers_up: brokers.values().filter(|broker| broker.nodeid >= 0 && broker.state == "UP").count(),
        requests: count(tx),
        sent_bytes: count(tx_bytes),
        received_bytes: count(rx_bytes),
        retries: of_brokers(|broker| broker.txretries),
        timeouts: of_brokers(|broker| broker.req_timeouts),
        disconnects: of_brokers(|broker| broker.disconnects),
        waiting_requests: of_brokers(|broker| broker.outbuf_cnt) + of_brokers(|broker| broker.waitresp_cnt),
        round_trip_p99_s: worst(|broker| &broker.rtt).map(|micros| micros as f64 / 1e6),
        throttled_p99_s: worst(|broker| &broker.throttle).map(|millis| millis as f64 / 1e3),
        queued_messages: count(msg_cnt),
        queued_bytes: count(msg_size),
        fetched_messages: of_partitions(|partition| partition.fetchq_cnt),
        fetched_bytes: of_partitions(|partition| partition.fetchq_size),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_and_partitions_are_summed_up() {
        let broker = |id: i64, state: &str, p99: i64, cnt: i64| {
            format!(
                r#""b{id}":{{"name":"x","nodeid":{id},"state":"{state}","outbuf_cnt":2,"waitresp_cnt":3,"txretries":1,"req_timeouts":1,"disconnects":1,"rtt":{{"p99":{p99},"cnt":{cnt}}},"throttle":{{"p99":0,"cnt":0}}}}"#
            )
        };
        let brokers = [broker(-1, "UP", 0, 0), broker(1, "UP", 1_500, 9), broker(2, "TRY_CONNECT", 9_999, 0)].join(",");
        let partitions = r#""-1":{"fetchq_cnt":0,"fetchq_size":0},"0":{"fetchq_cnt":5,"fetchq_size":500},"1":{"fetchq_cnt":1,"fetchq_size":10}"#;
        let told = format!(
            r#"{{"name":"x","tx":7,"tx_bytes":70,"rx_bytes":700,"msg_cnt":4,"msg_size":40,"brokers":{{{brokers}}},"topics":{{"t":{{"partitions":{{{partitions}}}}}}}}}"#
        );
        let row = row("sender", told.as_bytes()).unwrap();
        assert_eq!((row.brokers, row.brokers_up), (2, 1));
        assert_eq!((row.requests, row.sent_bytes, row.received_bytes), (7, 70, 700));
        assert_eq!((row.retries, row.timeouts, row.disconnects, row.waiting_requests), (3, 3, 3, 15));
        assert_eq!((row.round_trip_p99_s, row.throttled_p99_s), (Some(0.0015), None));
        assert_eq!((row.queued_messages, row.queued_bytes, row.fetched_messages, row.fetched_bytes), (4, 40, 6, 510));
    }

    #[test]
    fn what_cannot_be_read_has_no_row() {
        assert!(row("sender", b"").is_none() && row("sender", br#"{"tx":"x"}"#).is_none());
        assert_eq!(row("sender", b"{}").unwrap().requests, 0);
    }
}
