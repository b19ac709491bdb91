//! The plan: connectors of the presets as checked in beside this file, and what is warned of. Nobody is asked.

use std::{fs, path::Path};

use serde_json::Value;

use super::support::names::Names;
use super::{SECRET, ran, sink_connect};

fn plan(arguments: &[&str]) -> String {
    let command = sink_connect(&["plan"], "127.0.0.1:1", "http://x", &Names::deployed(), "s3-sink");
    ran(command
        .env("HUB_CONNECTOR_NAME", "s3-sink-{stream}-market")
        .env("HUB_CONNECTOR_PROPERTIES", "")
        .env("HUB_S3_ENDPOINT", "http://minio:9000")
        .with(arguments))
    .ok("plan")
}

fn lines(arguments: &[&str]) -> Vec<Value> {
    plan(&[arguments, &["--json"]].concat()).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_presets_are_as_checked_in() {
    for preset in ["confluent", "aiven"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/connect/{preset}.txt"));
        let found = plan(&["--connector-class", preset, "korea-ticker", "s3-sink-ne-orderbook-market"]);
        let expected = fs::read_to_string(&path).unwrap_or_default();
        let different = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
        assert!(found == expected, "not as in {}; first difference (program, file): {different:?}; the program prints\n{found}", path.display());
    }
}

#[test]
fn names_buckets_and_sizes_are_those_of_the_contract_and_further_topics_follow() {
    let found = lines(&["--s3-topics", "averages=more:7"]);
    let told = |line: &Value| {
        ["name", "topic", "bucket"].map(|what| line[what].as_str().unwrap().to_owned()).join(" ") + " " + line["config"]["flush.size"].as_str().unwrap()
    };
    assert_eq!(
        found.iter().map(told).collect::<Vec<_>>(),
        [
            "s3-sink-korea-ticker-market Region.Korea_TickerPreprocessing ticker-data 20",
            "s3-sink-korea-orderbook-market Region.Korea_OrderbookPreprocessing orderbook-data 50",
            "s3-sink-asia-ticker-market Region.Asia_TickerPreprocessing ticker-data 20",
            "s3-sink-asia-orderbook-market Region.Asia_OrderbookPreprocessing orderbook-data 50",
            "s3-sink-ne-ticker-market Region.NE_TickerPreprocessing ticker-data 20",
            "s3-sink-ne-orderbook-market Region.NE_OrderbookPreprocessing orderbook-data 50",
            "s3-sink-averages-market averages more 7",
        ]
    );
    assert_eq!(
        (&found[0]["config"]["tasks.max"], &found[6]["config"]["tasks.max"], &found[6]["group"]),
        (&"4".into(), &"1".into(), &"connect-s3-sink-averages-market".into())
    );
    assert_eq!(found[0]["config"]["store.url"], "http://minio:9000");
    assert_eq!(lines(&["--connector-s3-endpoint", "http://store:9", "ne-ticker"])[0]["config"]["store.url"], "http://store:9");
}

#[test]
fn a_property_that_brings_a_trap_back_is_warned_of() {
    let about = |arguments: &[&str], trap: &str, kind: &str| {
        let line = lines(&[&["ne-ticker"], arguments].concat()).remove(0);
        line[kind].as_array().unwrap().iter().find(|found| found["about"] == trap).map(|found| found["text"].as_str().unwrap().to_owned())
    };
    let cases: [(&[&str], &str, &str); 11] = [
        (&["--property", "partitioner.class=io.confluent.connect.storage.partitioner.DailyPartitioner"], "keys", "overwrites path.format"),
        (&["--property", "timestamp.extractor=Wallclock"], "day", "not exactly once"),
        (&["--property", "timestamp.extractor="], "day", "not exactly once"),
        (&["--property", "value.converter=org.apache.kafka.connect.json.JsonConverter"], "bytes", "numbers as doubles"),
        (&["--property", "auto.offset.reset=earliest"], "start", "consumer.override.auto.offset.reset"),
        (&["--property", "tasks.max=3"], "tasks", "2 partitions"),
        (&["--property", "consumer.override.isolation.level=", "--delivery", "exactly-once"], "transactions", "aborted"),
        (&["--connector-rotate-ms", "60000"], "last records", "not exactly once"),
        (&[], "last records", "wait in the worker"),
        (&["--connector-class", "aiven", "--property", "file.name.timestamp.source=WALLCLOCK"], "day", "file.name.timestamp.source=EVENT"),
        (&["--connector-class", "aiven"], "objects", "only splits"),
    ];
    for (arguments, trap, part) in cases {
        let warned = about(arguments, trap, "warnings");
        assert!(warned.as_ref().is_some_and(|text| text.contains(part)), "{arguments:?}: {warned:?}");
        assert_eq!(about(arguments, trap, "avoided"), None, "{arguments:?}");
    }
    for trap in ["keys", "day", "bytes", "start", "tasks", "transactions"] {
        assert!(about(&[], trap, "avoided").is_some() && about(&[], trap, "warnings").is_none(), "{trap}");
    }
}

#[test]
fn properties_are_filled_in_and_masked_where_they_are_secret() {
    let secret = format!("my.password={SECRET}");
    let line = lines(&[
        "--connector-class",
        "a.B",
        "ne-ticker",
        "--property",
        "file=/x/{name}/{topic}/{stream}/{bucket}/{records}/{other}/{{topic}}",
        "--property",
        &secret,
    ])
    .remove(0);
    assert_eq!(line["config"]["file"], "/x/s3-sink-ne-ticker-market/Region.NE_TickerPreprocessing/ne-ticker/ticker-data/20/{other}/{{topic}}");
    assert_eq!((&line["config"]["my.password"], &line["keys"]), (&"********".into(), &Value::Null));
}
