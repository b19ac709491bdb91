//! What connectors have put into a store: a real MinIO, into which the hub's own writer writes under the same keys and for the connector's group.

use market_hub::market::Stream;

use super::support::{
    Message,
    broker::{Broker, free_port},
    hub::{HubCommand, Ran},
    minio::{self, ACCESS_KEY, Minio, SECRET_KEY},
    names::Names,
    wait_until,
};
use super::{FILE_SINK, ran, services, sink_connect};

const TICKER: Stream = Stream::ALL[4];
const GROUP: &str = "connect-objects-ne-ticker";

/// A command about the one connector, with the store in its settings.
fn run(words: &[&str], url: &str, store: &str, broker: &Broker, names: &Names) -> Ran {
    let words: Vec<&str> = words.iter().copied().chain(["ne-ticker"]).collect();
    let command = sink_connect(&words, &broker.address(), url, names, "objects").env("HUB_CONNECTOR_PROPERTIES", "");
    let ran = ran(command.env("HUB_S3_ACCESS_KEY", ACCESS_KEY).env("HUB_S3_SECRET_KEY", SECRET_KEY).env("HUB_S3_ENDPOINT", store));
    assert!(!format!("{ran:?}").contains(SECRET_KEY), "{ran:?}");
    ran
}

#[test]
fn buckets_are_asked_for_before_and_objects_proved_and_watched_after() {
    let Some((broker, worker)) = services() else { return };
    if minio::is_missing() {
        return;
    }
    let (store, names) = (Minio::start(), Names::of("objects"));
    let topic = names.output(TICKER);
    broker.client().create_topics(&names.topics());
    let run = |words: &[&str]| run(words, &worker.url(), &store.url(), &broker, &names);

    // The class is not installed either, but the bucket is asked for first.
    run(&["apply"]).failed(69, &["NoSuchBucket", "--s3-ticker-bucket / HUB_S3_TICKER_BUCKET = \"ticker-data\""]);
    let wrong = sink_connect(&["apply", "ne-ticker"], &broker.address(), &worker.url(), &names, "objects").env("HUB_S3_ENDPOINT", &store.url());
    ran(wrong).failed(69, &["HUB_S3_ACCESS_KEY and HUB_S3_SECRET_KEY"]);
    store.make_bucket("ticker-data");

    let record = |number: i64| Message { timestamp_ms: 1_790_000_000_000 + number, ..Message::new(&topic, 0, &format!("{{\"number\":{number}}}")) };
    broker.client().produce(&(0..60).map(record).collect::<Vec<_>>());
    let status = run(&["status"]);
    assert!(status.stdout.contains("MISSING  lag 60  newest object none") && status.stdout.contains("alarm: 60 records wait for full objects"), "{status:?}");

    let writer = HubCommand::new(&["sink", "s3"], &broker, &names)
        .with(&["--lanes", "ne-ticker", "--s3-group", GROUP, "--s3-endpoint", &store.url()])
        .env("HUB_S3_ACCESS_KEY", ACCESS_KEY)
        .env("HUB_S3_SECRET_KEY", SECRET_KEY)
        .start();
    wait_until("three objects", std::time::Duration::from_secs(60), || store.keys("ticker-data").len(), |count| *count == 3);
    writer.terminate().assert_clean("the writer");

    let proved = run(&["verify"]).ok("verify");
    assert!(proved.contains(&format!("ticker-data: {topic}:0 covered: offsets 0 to 60, 3 objects, 60 records")), "{proved}");
    let status = run(&["status", "--json"]);
    let line: serde_json::Value = serde_json::from_str(status.stdout.lines().next().unwrap()).unwrap();
    assert!(
        line["newest_object_ms"].as_i64().is_some_and(|millis| millis > 1_700_000_000_000) && line["lag"] == 0 && line["alarms"].as_array().unwrap().is_empty(),
        "{line}"
    );
    store.delete("ticker-data", &store.keys("ticker-data")[1]);
    let gap = run(&["verify"]);
    gap.failed(1, &["1 faults"]);
    assert!(gap.stdout.contains("gap: offsets 20 to 39 are in no object"), "{gap:?}");
    let elsewhere = super::sink_connect(&["verify", "ne-ticker"], &broker.address(), &worker.url(), &names, "objects").env("HUB_CONNECTOR_CLASS", FILE_SINK);
    ran(elsewhere).failed(78, &["where objects of", FILE_SINK, "is not known"]);
    // A store that is away leaves the rest of what is known.
    let away = super::objects::run(&["status"], &worker.url(), &format!("http://127.0.0.1:{}", free_port()), &broker, &names);
    assert!(away.stdout.contains("newest object ?") && away.stdout.contains("HUB_S3_ENDPOINT"), "{away:?}");
}
