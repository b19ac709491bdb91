//! `market-hub doctor`: what on this host, and at its brokers, is in the way of the hub.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::json;

use super::progress::Progress;
use super::{Failure, print};
use crate::config::Config;
use crate::doctor::{Check, Cpus, Finding, Host, Verdict, examine};
use crate::kafka::{self, Cluster};
use crate::runtime::planned_cpus;

pub(super) const NAME: &str = "doctor";

/// How long brokers may take to answer.
const BROKER_WAIT: Duration = Duration::from_secs(5);
/// How often the way to them is measured.
const ROUND_TRIPS: usize = 5;
/// A round trip that is longer than this is felt in every commit.
const ROUND_TRIP_MAX: Duration = Duration::from_millis(5);

pub(super) fn command() -> Command {
    let root = Arg::new("root").long("root").value_name("DIR").default_value("/").value_parser(value_parser!(PathBuf));
    Command::new(NAME)
        .about("Check this host and its brokers for what is in the way of the hub, and say what mends it")
        .long_about(
            "Check this host and its brokers for what is in the way of the hub, and say what mends it. Reads only, works without root, and says what it could \
             not read.\n\nExit code 1 if something is bad.",
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("One JSON object a line for each check"))
        .arg(Arg::new("offline").long("offline").action(ArgAction::SetTrue).help("Ask no broker"))
        .arg(root.help("Read /proc and /sys below this directory"))
}

pub(super) fn run(matches: &ArgMatches, config: Config) -> Result<(), Failure> {
    let config = Arc::new(config);
    let host = Host::at(matches.get_one::<PathBuf>("root").map_or("/".as_ref(), PathBuf::as_path));
    let (plan, allowed) = planned_cpus(&config);
    let pinned = || plan.workers.iter().copied().flatten().chain(plan.producer);
    let cpus = Cpus { pinned: pinned().collect(), threads: pinned().count(), allowed: allowed.into_iter().collect() };
    let mut findings = examine(&host, &cpus);
    if !matches.get_flag("offline") {
        findings.extend(brokers(&config));
    }
    let shown: String = if matches.get_flag("json") { findings.iter().map(json_line).collect() } else { table(&findings) };
    print(&shown)?;
    match findings.iter().filter(|finding| finding.verdict == Verdict::Bad).count() {
        0 => Ok(()),
        bad => Err(Failure::new(Failure::NOT_WELL, format_args!("{bad} of {} checks are bad", findings.len()))),
    }
}

/// Whether the brokers can be reached, how far they are, and what their topics' settings cost.
fn brokers(config: &Arc<Config>) -> Vec<Finding> {
    let reach = Check::new("brokers", "they answer", "without them nothing is read or written");
    let cluster = match Cluster::new(config) {
        Ok(cluster) => cluster,
        Err(fault) => return vec![reach.is(Verdict::Bad, fault, "correct the setting")],
    };
    if let Err(fault) = Progress::during("asks the brokers", || cluster.wait_for_brokers(Instant::now() + BROKER_WAIT)) {
        return vec![reach.is(Verdict::Bad, fault.to_string(), "correct --brokers / HUB_BROKERS, or start them")];
    }
    let mut findings = vec![reach.good(config.brokers.clone()), round_trip(&cluster), broker_clocks()];
    findings.extend(topics(config));
    findings
}

fn round_trip(cluster: &Cluster) -> Finding {
    let check = Check::new("round trip to a broker", "below 5 ms", "a commit takes one, the end of a transaction several");
    let mut trips: Vec<Duration> = Vec::new();
    for _ in 0..ROUND_TRIPS {
        let began = Instant::now();
        match cluster.uncovered_now(BROKER_WAIT) {
            Ok(_) => trips.push(began.elapsed()),
            Err(why) => return check.unknown(why),
        }
    }
    trips.sort_unstable();
    let median = trips[trips.len() / 2];
    let found = format!("{:.2} ms", median.as_secs_f64() * 1e3);
    if median <= ROUND_TRIP_MAX { check.good(found) } else { check.is(Verdict::Warn, found, "run the hub nearer to its brokers") }
}

fn broker_clocks() -> Finding {
    let check = Check::new("clocks of the brokers", "within a second of this host's", "brokers delete by record time, and refuse records from the future");
    check.unknown("Kafka has no request that tells a broker's time: compare `date` on both")
}

fn topics(config: &Arc<Config>) -> Vec<Finding> {
    let check = Check::new("topic settings", "nothing that refuses, deletes or repacks records", "such a setting stalls a lane, or loses what it wrote");
    let deadline = Instant::now() + BROKER_WAIT;
    let warnings = kafka::groups(config).and_then(|groups| {
        let starts = kafka::starts(config, &groups, deadline).map_err(|fault| fault.to_string())?;
        let mut warnings = kafka::hurtful_settings(config, &groups, &starts, BROKER_WAIT)?;
        warnings.extend(kafka::costly_settings(config, BROKER_WAIT)?);
        Ok(warnings)
    });
    match warnings {
        Err(why) => vec![check.unknown(why)],
        Ok(warnings) if warnings.is_empty() => vec![check.good("none")],
        Ok(warnings) => warnings.into_iter().map(|warning| check.is(Verdict::Warn, warning, "kafka-configs.sh --alter --entity-type topics")).collect(),
    }
}

fn json_line(finding: &Finding) -> String {
    let Finding { what, verdict, found, wanted, why, mend } = finding;
    json!({"what": what, "verdict": verdict.name(), "found": found, "wanted": wanted, "why": why, "mend": mend}).to_string() + "\n"
}

/// What is good in a line each; what is not, with what is wanted, why, and what mends it.
fn table(findings: &[Finding]) -> String {
    let mut table = String::new();
    for finding in findings {
        table += &format!("{:<8} {:<24} {}\n", finding.verdict.name(), finding.what, finding.found);
        if finding.verdict >= Verdict::Warn {
            table += &format!("{:33} wanted: {}; for {}\n", "", finding.wanted, finding.why);
            table += &format!("{:33} mend:   {}\n", "", finding.mend);
        }
    }
    let count = |verdict: Verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let [good, unknown, warn, bad] = [Verdict::Good, Verdict::Unknown, Verdict::Warn, Verdict::Bad].map(count);
    table + &format!("{good} good, {warn} to look at, {bad} bad, {unknown} unknown\n")
}
