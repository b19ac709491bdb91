//! `market-hub run`: the six streams against Kafka. `market-hub check`: what that would find, without processing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Command;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::progress::Progress;
use super::supervisor::Supervisor;
use super::{Failure, print, say};
use crate::config::{Config, LaneId, Loaded};
use crate::endpoint::Endpoint;
use crate::kafka::{self, Cluster, Producer, Start, Unavailable};
use crate::observe::{Board, StreamLines, latency_lines};
use crate::runtime::{self, Report, RunError, ThreadRow};
use crate::sink::credentials;
use crate::sink::s3::{self, Beside};

/// How long to wait for the settings of topics.
const SETTINGS_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) const NAME: &str = "run";
pub(super) const CHECK: &str = "check";

pub(super) fn command() -> Command {
    Command::new(NAME).about("Process the lanes: envelopes from Kafka, records and dead letters to Kafka").long_about(
        "Process the lanes: envelopes from Kafka, records and dead letters to Kafka.\n\n\
         SIGTERM or SIGINT: stop polling, drain, commit, exit 0. A second signal ends at once.",
    )
}

pub(super) fn check_command() -> Command {
    Command::new(CHECK).about("Check settings, brokers, topics and groups as run would, without processing")
}

pub(super) fn run(loaded: Loaded) -> Result<(), Failure> {
    if loaded.config.writer.beside_hub {
        credentials(&loaded.config.store).map_err(|fault| Failure::new(Failure::CONFIG, fault))?;
    }
    let stop = stop_on_signals()?;
    let config = Arc::new(loaded.config);
    let board = Board::new(config.endpoint.is_some());
    let _endpoint = Endpoint::start(&config, loaded.listing, &board);
    let sink = if config.writer.beside_hub { Some(Beside::start(&config, &stop, &board)?) } else { None };
    let supervisor = Supervisor::new(Arc::clone(&board), Arc::clone(&stop));
    let started = |threads: &[ThreadRow]| {
        print_threads(threads);
        supervisor.ready();
    };
    let ended = runtime::run(&config, &stop, &board, started, log_report);
    supervisor.stopping();
    // A hub that ended by itself takes its sink with it.
    stop.store(true, Ordering::Release);
    let written = sink.map_or(Ok(()), Beside::join);
    ended.map_err(Failure::from).and(written.map_err(Failure::from))
}

/// A flag that the first signal sets. The second one ends the process at once.
pub(super) fn stop_on_signals() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        // In this order: the first signal finds the flag unset, and sets it.
        flag::register_conditional_shutdown(signal, Failure::UNCOMMITTED.into(), Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .map_err(|error| Failure::new(Failure::SOFTWARE, format_args!("signals cannot be caught: {error}")))?;
    }
    Ok(stop)
}

pub(super) fn check(config: Config) -> Result<(), Failure> {
    let config = Arc::new(config);
    let cluster = Cluster::new(&config).map_err(RunError::Refused)?;
    drop(Producer::new(&config).map_err(RunError::Refused)?);
    let deadline = Instant::now() + config.start_deadline;
    let known = Progress::during("asks the brokers", || cluster.wait_for_brokers(deadline)).map_err(RunError::Unavailable)?;
    let faults = cluster.faults(&known);
    for warning in cluster.uncovered(&known) {
        print(&format!("warning: {warning}\n"))?;
    }
    if !faults.is_empty() {
        return Err(RunError::Unavailable(Unavailable(faults)).into());
    }
    let groups = kafka::groups(&config).map_err(RunError::Refused)?;
    kafka::refuse_members(&groups, deadline).map_err(RunError::Unavailable)?;
    let starts = kafka::starts(&config, &groups, deadline).map_err(RunError::Unavailable)?;
    for (lane, gap) in starts.iter().filter_map(|(lane, start)| Some((lane, start.gap()?))) {
        print(&format!("warning: {lane}: {gap}\n"))?;
    }
    // Not all brokers tell, or to everybody; then there is nothing to warn of.
    match kafka::hurtful_settings(&config, &groups, &starts, SETTINGS_TIMEOUT) {
        Ok(warnings) => warnings.iter().try_for_each(|warning| print(&format!("warning: {warning}\n")))?,
        Err(fault) => log::warn!("{fault}"),
    }
    if config.writer.beside_hub {
        let buckets: Vec<String> = s3::check(&config, &known)?.into_iter().collect();
        print(&format!("the S3 store at {} takes the keys; buckets {}\n", config.store.endpoint, buckets.join(", ")))?;
    }
    let ready = format!("{} lanes are ready at {}\n", starts.len(), config.brokers);
    let line = |(lane, start): (&LaneId, &Start)| format!("{lane}: starts at offset {} of {}\n", start.checkpoint.offset, config.names(lane.stream).input);
    print(&starts.iter().map(line).fold(ready, |all, line| all + &line))
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let code = match &error {
            RunError::Unavailable(_) => Self::UNAVAILABLE,
            RunError::Refused(_) => Self::CONFIG,
            RunError::Failed { .. } => Self::IO,
            RunError::Fenced(_) => Self::FENCED,
            RunError::Uncommitted(_) => Self::UNCOMMITTED,
            RunError::Died(_) => Self::SOFTWARE,
        };
        Self::new(code, error)
    }
}

/// The table of threads, as the system has them.
pub(super) fn print_threads(threads: &[ThreadRow]) {
    say(format_args!("{:>9}  {:<16}{:<14}CPUs", "thread", "name", "role"));
    for row in threads {
        say(format_args!("{:>9}  {:<16}{:<14}{}", row.id, row.name, row.role(), row.cpus));
    }
}

fn log_report(report: &Report<'_>) {
    let scope = if report.is_last { "in all" } else { "so far" };
    for line in StreamLines::of(report.lanes.iter(), |lane| report.ends.get(lane).copied()) {
        log::info!("{scope}: {line}");
    }
    for line in latency_lines(report.latencies) {
        log::info!("latency, {line}");
    }
}
