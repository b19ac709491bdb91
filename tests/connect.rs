//! `market-hub sink connect` against a real worker of Kafka Connect, with `connect-file` as its sink, and against servers that are none.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "connect/life.rs"]
mod life;
#[path = "connect/objects.rs"]
mod objects;
#[path = "connect/plan.rs"]
mod plan;
#[path = "connect/refusals.rs"]
mod refusals;
#[path = "connect/scripted.rs"]
mod scripted;
mod support;

use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};
use support::{
    broker::{self, Broker},
    connect::Worker,
    hub::{HubCommand, Ran},
    kafka_home,
    names::Names,
    report,
};

/// A secret that no output may have, in none of the forms that it takes.
const SECRET: &str = "hunter2/\"secret\"";
const FILE_SINK: &str = "org.apache.kafka.connect.file.FileStreamSinkConnector";

/// The worker that all scenarios share, one after the other as they share the broker.
static WORKER: Mutex<Option<Worker>> = Mutex::new(None);

/// Broker and worker; `None` (said on stderr) where Java or Maven is missing, which is a failure where `CI` says that nothing may be left out.
fn services() -> Option<(MappedMutexGuard<'static, Broker>, MappedMutexGuard<'static, Worker>)> {
    if let Some(reason) = kafka_home::connect_missing() {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci.is_empty()), "CI runs every test, but: {reason}");
        report(format_args!("ignored: {reason}"));
        return None;
    }
    let broker = broker::shared()?;
    let mut worker = WORKER.lock();
    worker.get_or_insert_with(|| Worker::start(&broker, "connect-tests"));
    Some((broker, MutexGuard::map(worker, |worker| worker.as_mut().expect("just started"))))
}

/// `market-hub sink connect ...` with secrets in its settings, towards the given URL. Connectors are called after the scenario.
fn sink_connect(words: &[&str], brokers: &str, url: &str, names: &Names, scenario: &str) -> HubCommand {
    let words: Vec<&str> = ["sink", "connect"].iter().chain(words).copied().collect();
    HubCommand::ending_at(&words, brokers, names)
        .env("HUB_CONNECT_URL", url)
        .env("HUB_CONNECTOR_NAME", &format!("{scenario}-{{stream}}"))
        .env("HUB_CONNECTOR_PROPERTIES", &format!("aws.secret.access.key={SECRET}\nsome.password={SECRET}"))
        .env("HUB_S3_ACCESS_KEY", "access-hunter2")
        .env("HUB_S3_SECRET_KEY", SECRET)
        .env("HUB_CONNECT_DEADLINE_S", "120")
}

/// Runs it, and holds against all that it said that no secret is in it.
fn ran(command: HubCommand) -> Ran {
    let ran = command.ran();
    for text in [&ran.stdout, &ran.stderr] {
        assert!(!text.contains("hunter2"), "a secret is told: {ran:?}");
    }
    ran
}
