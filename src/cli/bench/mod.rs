//! `market-hub bench`: what the hub costs on this machine, as figures that can be kept and compared.

mod options;
mod output;

use std::sync::Arc;

use clap::ArgMatches;

use super::progress::{Of, Progress};
use super::run::stop_on_signals;
use super::{Failure, print, say};
use crate::bench::{self, Broker, BrokerError, Course, Machine, Outcome, compare};
use crate::config::{Config, Environment, load as load_settings};
use crate::observe::wall_millis;
use options::{Options, Part};

pub(super) use options::{NAME, command};

/// How often each throughput is taken.
const BROKER_TURNS: usize = 5;

pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let (options, loaded) = match (Options::of(matches), load_settings(matches, &Environment::of_process())) {
        (Ok(options), Ok(loaded)) => (options, loaded),
        (options, loaded) => {
            let mut wrong = options.err().unwrap_or_default();
            wrong.extend(loaded.err().iter().flat_map(|problems| problems.lines().to_vec()));
            return Err(Failure::new(Failure::CONFIG, format_args!("the bench cannot be run so:\n{}", wrong.join("\n"))));
        }
    };
    loaded.warnings.iter().for_each(|warning| say(format_args!("market-hub: warning: {warning}")));
    if let Some(path) = &options.write_input {
        return output::write_input(path, &options.input_of, options.plan.bytes, &loaded.config);
    }
    let before = options.compare.as_deref().map(output::read).transpose()?;
    let mut outcome = Outcome::new(Machine::here(wall_millis()), options.settings(&loaded.listing));
    if cfg!(debug_assertions) {
        outcome.notes.push("this is a debug build: its figures mean nothing".to_owned());
    }
    measure(&options, loaded.config, &mut outcome)?;
    print(&outcome.to_string())?;
    output::write(&options, &outcome)?;
    let Some(before) = before else { return Ok(()) };
    let comparison = compare(&before, &outcome);
    print(&format!("\n{comparison}"))?;
    let worse = options.fail_above.map_or_else(Vec::new, |percent| comparison.worse_than(percent));
    if worse.is_empty() { Ok(()) } else { Err(Failure::new(Failure::WORSE, format_args!("worse than before:\n{}", worse.join("\n")))) }
}

/// Takes every part that was asked for.
fn measure(options: &Options, config: Config, outcome: &mut Outcome) -> Result<(), Failure> {
    let progress = Progress::new("bench", Of::Steps);
    let rules = Arc::new(config.rules.clone());
    let wrong = |fault: String| Failure::new(Failure::DIFFERENT, fault);
    let plan = &options.plan;
    let core: [(Part, bench::InProcess); 4] =
        [(Part::Core, bench::core), (Part::Latency, bench::latency), (Part::Memory, bench::memory), (Part::Growth, bench::growth)];
    for (part, take) in core {
        if options.has(part) {
            take(plan, &rules, outcome, &mut |what| progress.tell(what)).map_err(wrong)?;
        }
    }
    #[cfg(feature = "profile")]
    if let Some(path) = &options.profile {
        progress.tell("profile");
        bench::profile(plan.bytes, &rules, path).map_err(|fault| Failure::new(Failure::IO, format_args!("--profile: {fault}")))?;
    }
    if !options.has(Part::Throughput) && !options.has(Part::Paced) {
        return Ok(());
    }
    let turns = if plan.quick { 1 } else { BROKER_TURNS };
    let course = Course { config, real: options.brokers, rate: options.rate, seconds: options.seconds, turns, quick: plan.quick };
    let broker = Broker::new(&course, stop_on_signals()?)?;
    if options.has(Part::Throughput) {
        broker.throughput(outcome, &mut |what| progress.tell(what))?;
    }
    if options.has(Part::Paced) {
        broker.paced(outcome, &mut |what| progress.tell(what))?;
    }
    if !options.brokers {
        outcome.notes.push(
            "the embedded broker, the feeder and the reader share this process and its CPUs with the hub; it proves nothing about a real broker".to_owned(),
        );
    }
    Ok(())
}

impl From<BrokerError> for Failure {
    fn from(error: BrokerError) -> Self {
        match error {
            BrokerError::Run(error) => error.into(),
            BrokerError::Lost(fault) => Self::new(Self::DIFFERENT, fault),
            BrokerError::Stopped => Self::new(Self::UNCOMMITTED, "stopped by a signal: nothing is told of what was not measured"),
        }
    }
}
