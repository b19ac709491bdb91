//! What cannot work says so once: the setting, its value without secrets, and what to do; and it changes nothing.

use market_hub::market::Stream;
use serde_json::json;

use super::scripted::Scripted;
use super::support::{hub::Ran, names::Names};
use super::{FILE_SINK, SECRET, ran, services, sink_connect};

/// An address that nobody listens at.
const NOBODY: &str = "127.0.0.1:1";
const TICKER: Stream = Stream::ALL[4];

/// `apply` of one connector towards a server that is not a worker, without brokers, and with little patience.
fn apply_at(url: &str) -> Ran {
    ran(sink_connect(&["apply", "ne-ticker"], NOBODY, url, &Names::deployed(), "x").env("HUB_CONNECT_DEADLINE_S", "2").env("HUB_START_DEADLINE_S", "0"))
}

#[test]
fn who_is_not_kafka_connect_is_named() {
    let url = format!("http://{NOBODY}/");
    apply_at(&url).failed(69, &["--connect-url / HUB_CONNECT_URL = \"http://127.0.0.1:1/\"", "no answer", "waited up to 2 s"]);
    for (status, body) in [(404, "<html>nothing here</html>"), (200, "<html>welcome</html>"), (200, "{\"hello\":\"hunter2\"}"), (302, "")] {
        let server = Scripted::new(move |_, _| (status, body.to_owned()));
        apply_at(&server.url()).failed(78, &["--connect-url / HUB_CONNECT_URL", "whoever answers is not Kafka Connect", "port is 8083"]);
    }
    let server = Scripted::new(|_, _| (401, String::new()));
    apply_at(&server.url()).failed(78, &["HUB_CONNECT_USER and HUB_CONNECT_PASSWORD"]);
    assert_eq!(server.asked(), ["GET /"], "nothing is asked of whom it does not belong to");
}

#[test]
fn settings_that_cannot_be_meant_are_told_without_their_secrets() {
    let apply = |variable: &str, value: &str| ran(sink_connect(&["plan"], NOBODY, "http://x", &Names::deployed(), "x").env(variable, value));
    apply("HUB_CONNECT_URL", "http://me:hunter2@x").failed(78, &["HUB_CONNECT_URL", "has a user in it"]);
    apply("HUB_CONNECTOR_NAME", "one").failed(78, &["HUB_CONNECTOR_NAME", "every stream needs a connector of its own"]);
    apply("HUB_CONNECTOR_PROPERTIES", "a=b\nhunter2").failed(78, &["HUB_CONNECTOR_PROPERTIES", "line 2 is not NAME=VALUE"]);
    let plan = |words: &[&str]| ran(sink_connect(words, NOBODY, "http://x", &Names::deployed(), "x"));
    plan(&["plan", "--property", "hunter2"]).failed(78, &["--property"]);
    plan(&["plan", "mars-ticker"]).failed(78, &["\"mars-ticker\" is none of the connectors", "x-ne-ticker"]);
}

#[test]
fn a_worker_in_a_rebalance_is_asked_again_and_what_it_echoes_is_masked() {
    const REBALANCE: &str =
        r#"{"error_code":409,"message":"Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway."}"#;
    let server = Scripted::new(|request, before| match request {
        "GET /" => (200, json!({"version": "4.3.1", "commit": "x", "kafka_cluster_id": "y"}).to_string()),
        "GET /connectors/x-ne-ticker/config" if before < 2 => (409, REBALANCE.to_owned()),
        "GET /connectors/x-ne-ticker/config" => (200, json!({"name": "x-ne-ticker", "old.secret.key": "old-hunter2-secret"}).to_string()),
        "PUT /connectors/x-ne-ticker/config" if before < 2 => (409, REBALANCE.to_owned()),
        "PUT /connectors/x-ne-ticker/config" => (400, json!({"error_code": 400, "message": format!("bad: {SECRET}, was old-hunter2-secret")}).to_string()),
        request if request.ends_with("/config/validate") => (200, json!({"error_count": 0, "configs": []}).to_string()),
        _ => (404, json!({"error_code": 404, "message": "no"}).to_string()),
    });
    let told = ran(sink_connect(&["apply", "ne-ticker"], NOBODY, &server.url(), &Names::deployed(), "x").env("HUB_START_DEADLINE_S", "0"));
    told.failed(78, &["likely because a rebalance was underway", "trying again", "bad: ********, was ********"]);
    assert_eq!(server.asked().iter().filter(|request| request.starts_with("PUT /connectors/")).count(), 3);
}

#[test]
fn a_task_that_a_smaller_number_takes_away_is_no_failure() {
    let part = |id: u64, state: &str, trace: &str| json!({"id": id, "state": state, "worker_id": "w", "trace": trace});
    let told = move |surplus: Option<&str>| {
        let mut tasks = vec![part(0, "RUNNING", "")];
        tasks.extend(surplus.map(|trace| part(1, "FAILED", trace)));
        json!({"name": "x-ne-ticker", "connector": part(0, "RUNNING", ""), "tasks": tasks}).to_string()
    };
    // A worker tells this of task 1 for some seconds where a rebalance gives it away before its connector has read the new number.
    const SURPLUS: &str = "org.apache.kafka.connect.runtime.TooManyTasksException: The connector x-ne-ticker has generated 2 tasks, which is greater than 1";
    let applied = |trace: &'static str| {
        let server = Scripted::new(move |request, before| match request {
            "GET /" => (200, json!({"version": "4.3.1", "commit": "x", "kafka_cluster_id": "y"}).to_string()),
            "GET /connectors/x-ne-ticker/config" => (200, json!({"name": "x-ne-ticker", "tasks.max": "2"}).to_string()),
            "PUT /connectors/x-ne-ticker/config" => (200, json!({"name": "x-ne-ticker"}).to_string()),
            "GET /connectors/x-ne-ticker/status" => (200, told((before < 14).then_some(trace))),
            request if request.ends_with("/config/validate") => (200, json!({"error_count": 0, "configs": []}).to_string()),
            _ => (404, json!({"error_code": 404, "message": "no"}).to_string()),
        });
        let arguments = ["apply", "ne-ticker", "--connector-tasks-max", "1"];
        ran(sink_connect(&arguments, NOBODY, &server.url(), &Names::deployed(), "x").env("HUB_START_DEADLINE_S", "0"))
    };
    let told = applied(SURPLUS).ok("the task goes");
    assert!(told.contains("1 tasks run"), "{told}");
    let failed = applied("java.lang.RuntimeException: something else");
    failed.failed(1, &["do not run"]);
    assert!(failed.stdout.contains("does not come to run") && failed.stdout.contains("something else"), "{failed:?}");
}

#[test]
fn a_real_worker_refuses_what_is_wrong_and_nothing_is_changed() {
    let Some((broker, worker)) = services() else { return };
    let names = Names::of("refused");
    broker.client().create_topics(&[(names.output(TICKER), 2)]);
    let apply = |arguments: &[&str]| {
        let command = sink_connect(&["apply", "ne-ticker"], &broker.address(), &worker.url(), &names, "refused");
        ran(command.env("HUB_CONNECTOR_CLASS", FILE_SINK).with(arguments))
    };
    apply(&["--property", "tasks.max=many", "--property", "topics=", "--property", "key.converter=NoSuch"]).failed(
        78,
        &[
            "nothing was changed",
            "refused-ne-ticker: tasks.max = \"many\": Invalid value many for configuration tasks.max: Not a number of type INT",
            "refused-ne-ticker: topics = (not set): Must configure one of topics or topics.regex",
            "refused-ne-ticker: key.converter = \"NoSuch\"",
        ],
    );
    // The secret itself where a class is expected: the worker echoes it.
    apply(&["--property", &format!("value.converter={SECRET}")]).failed(78, &["value.converter = \"********\": Invalid value ********"]);
    for class in ["confluent", "io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector", "no.such.Class"] {
        apply(&["--connector-class", class]).failed(78, &["--connector-class / HUB_CONNECTOR_CLASS", "not installed", FILE_SINK, "plugin.path"]);
    }
    let elsewhere = sink_connect(&["apply", "ne-orderbook"], &broker.address(), &worker.url(), &names, "refused").env("HUB_CONNECTOR_CLASS", FILE_SINK);
    ran(elsewhere).failed(69, &["refused.Region.NE_OrderbookPreprocessing", "--ne-orderbook-output", "is not at the brokers"]);
    assert!(worker.get("/connectors").unwrap().as_array().unwrap().iter().all(|name| !name.as_str().unwrap().starts_with("refused")));
}
