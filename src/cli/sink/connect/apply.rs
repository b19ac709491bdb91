//! `market-hub sink connect apply`: makes Kafka Connect have the connectors of the plan, and waits until they run.

use std::time::{Duration, Instant};

use clap::Command;

use super::super::super::progress::Progress;
use super::super::super::{Failure, print, say};
use super::{Asked, connectors_arg};
use crate::config::Config;
use crate::kafka::Cluster;
use crate::sink::connect::apply::{Difference, Outcome, differences, faults, wait_for};
use crate::sink::connect::{Rest, State, Status, Trouble, traps};
use crate::sink::s3::{Cause, Error, Store};

pub(super) const NAME: &str = "apply";

/// Kafka Connect has brokers of its own: that ours do not answer shall not hold anything back for long.
const BROKERS_WAIT: Duration = Duration::from_secs(10);

/// The same of the store.
const STORE_WAIT: Duration = Duration::from_secs(5);

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Create or change the connectors, and wait until their tasks run; the same again changes nothing")
        .long_about(
            "Create or change the connectors, and wait until their tasks run; the same again changes nothing.\n\n\
             Everything is validated by Kafka Connect before anything is changed. It is asked again while it starts or rebalances, until --connect-deadline-s.",
        )
        .arg(connectors_arg())
}

pub(super) fn run(asked: &Asked) -> Result<(), Failure> {
    for connector in &asked.connectors {
        for trap in traps(connector, &asked.config).iter().filter(|trap| !trap.avoided) {
            log::warn!("{}: {}: {}", connector.name, trap.about, asked.mask().text(&trap.text));
        }
    }
    let mut rest = asked.rest()?;
    refuse_missing_topics(asked)?;
    refuse_missing_buckets(asked)?;
    let failure = |rest: &Rest, trouble: Trouble| asked.failure(rest, &trouble);
    let faults = faults(&rest, &asked.connectors).map_err(|trouble| failure(&rest, trouble))?;
    if !faults.is_empty() {
        return Err(Failure::new(Failure::CONFIG, format_args!("Kafka Connect refuses the configuration, and nothing was changed:\n{}", faults.join("\n"))));
    }
    let differences = match differences(&mut rest, &asked.connectors) {
        Ok(differences) => differences,
        Err(trouble) => return Err(failure(&rest, trouble)),
    };
    for (connector, difference) in asked.connectors.iter().zip(&differences) {
        if *difference != Difference::Nothing {
            rest.put(&connector.name, &connector.sent()).map_err(|trouble| failure(&rest, trouble))?;
        }
    }
    let (mut not_running, changed) = (0, Instant::now());
    for (connector, difference) in asked.connectors.iter().zip(&differences) {
        let changed = (*difference != Difference::Nothing).then_some(changed);
        let waited = Progress::during(&format!("waits for the tasks of {}", connector.name), || wait_for(&rest, &connector.name, State::Running, changed));
        let outcome = waited.map_err(|trouble| failure(&rest, trouble))?;
        not_running += usize::from(!matches!(outcome, Outcome::Reached(_)));
        print(&format!("{}: {}, {}\n", connector.name, done(difference), came_to(&outcome)))?;
    }
    if not_running == 0 { Ok(()) } else { Err(Failure::new(Failure::NOT_WELL, format_args!("{not_running} connectors do not run"))) }
}

/// A sink of a topic that is not there runs, and waits for ever.
fn refuse_missing_topics(asked: &Asked) -> Result<(), Failure> {
    let deadline = Instant::now() + BROKERS_WAIT.min(asked.config.start_deadline);
    let cluster = Cluster::new(&asked.config).map_err(|error| Failure::new(Failure::CONFIG, error))?;
    let known = match cluster.wait_for_brokers(deadline) {
        Ok(known) => known,
        Err(unavailable) => {
            say(format_args!("market-hub: warning: whether the topics are there is not known: {unavailable}"));
            return Ok(());
        }
    };
    let missing: Vec<String> = asked
        .connectors
        .iter()
        .filter(|connector| !known.contains_key(&connector.source.topic))
        .map(|connector| match connector.partitions() {
            Some(_) => format!(
                "topic {:?} (--{}-output) is not at the brokers {}: make it, or name another",
                connector.source.topic,
                connector.called(),
                asked.config.brokers
            ),
            None => format!("topic {:?} (--s3-topics) is not at the brokers {}: make it, or name another", connector.source.topic, asked.config.brokers),
        })
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(Failure::new(Failure::UNAVAILABLE, missing.join("\n"))) }
}

/// Neither a validation nor a registration asks for the bucket, and some sinks run on without it.
fn refuse_missing_buckets(asked: &Asked) -> Result<(), Failure> {
    let buckets: Vec<String> = asked.connectors.iter().filter(|connector| connector.preset.is_s3()).map(|connector| connector.source.bucket.clone()).collect();
    if buckets.is_empty() || asked.config.store.credentials.is_none() {
        return Ok(());
    }
    let mut config = Config::clone(&asked.config);
    config.writer.timeout = config.writer.timeout.min(STORE_WAIT);
    let store = Store::new(&config, buckets).map_err(|error| Failure::new(Failure::CONFIG, error))?;
    match store.prove() {
        Ok(()) => Ok(()),
        // The workers may reach a store that we do not.
        Err(stop) if stop.cause == Cause::Away || asked.config.connect.store.is_some() && stop.cause == Cause::Place => {
            say(format_args!("market-hub: warning: whether the buckets are there is not known: {}", stop.message));
            Ok(())
        }
        Err(stop) => Err(Failure::from(Error::Store(stop))),
    }
}

fn done(difference: &Difference) -> String {
    match difference {
        Difference::New => "created".to_owned(),
        Difference::Nothing => "unchanged".to_owned(),
        Difference::Properties(names) => format!("changed ({})", names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")),
    }
}

/// How it is, in a line.
pub(super) fn came_to(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Reached(status) if status.runs() => format!("{} tasks run", status.tasks.len()),
        Outcome::Reached(status) => status.connector.state.as_str().to_owned(),
        Outcome::Short(None) => "and the worker knows nothing of it yet".to_owned(),
        Outcome::Short(Some(status)) => format!("and does not come to run: {}", told(status)),
    }
}

/// Connector and tasks in one line, with the reason of what failed.
fn told(status: &Status) -> String {
    let part = |part: &crate::sink::connect::Part| {
        let name = part.task.map_or_else(|| "connector".to_owned(), |task| format!("task {task}"));
        let why = if part.trace.is_empty() { String::new() } else { format!(" ({})", part.trace) };
        format!("{name} {}{why}", part.state.as_str())
    };
    let tasks = if status.tasks.is_empty() { ", no tasks" } else { "" };
    status.parts().map(part).collect::<Vec<_>>().join(", ") + tasks
}
