//! `market-hub sink s3`: the native writer. `market-hub sink s3 verify`: the proof of what it, or Kafka Connect, has written.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::{Value, json};

use super::super::progress::{Of, Progress};
use super::super::run::stop_on_signals;
use super::super::{Failure, load, print};
use crate::config::{Config, args};
use crate::sink::s3::{self, Error};
use crate::sink::{Claim, Finding, Wanted, covered, verify};

pub(super) const NAME: &str = "s3";
const VERIFY: &str = "verify";

pub(super) fn command() -> Command {
    args(Command::new(NAME))
        .about("Write the records of the output topics to an S3 store, each once")
        .long_about(
            "Write the records of the output topics to an S3 store as gzip JSON lines, each once.\n\n\
             Object names are made of topic, partition and first offset; offsets are committed to a group of its own. SIGTERM or SIGINT: what is whole is \
             written and committed, exit 0. What does not fill an object stays in Kafka for the next start.",
        )
        .subcommand_negates_reqs(true)
        .subcommand(args(verify_command()))
}

fn verify_command() -> Command {
    let command = Command::new(VERIFY).about("Prove from names and lines of the objects that each partition is covered without gap or overlap").long_about(
        "Prove from names and lines of the objects that each partition is covered without gap or overlap.\n\n\
             Every object is listed, fetched and its lines are counted. What must be there ends at what the writer's group has committed; the topics tell \
             which offsets are records and which are marks of transactions. Exit code 1 if it is not so.",
    );
    proof_args(command)
}

/// The options of every proof.
pub(super) fn proof_args(command: Command) -> Command {
    let offset = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("OFFSET").help(help).help_heading("Proof").value_parser(value_parser!(i64).range(0..))
    };
    command
        .arg(offset("from-offset", "Where the objects of every partition must begin, in place of the first record or object"))
        .arg(offset("to-offset", "The offset behind the last record that must be there, in place of what the group has committed"))
        .arg(
            Arg::new("offline")
                .long("offline")
                .action(ArgAction::SetTrue)
                .help("Ask no brokers; with --delivery exactly-once holes between objects then prove nothing")
                .help_heading("Proof"),
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print an object a line").help_heading("Output"))
}

/// The offsets that are stated in place of what is known.
pub(super) fn stated(matches: &ArgMatches) -> Wanted {
    Wanted { from: matches.get_one("from-offset").copied(), to: matches.get_one("to-offset").copied() }
}

pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    if let Some((VERIFY, matches)) = matches.subcommand() {
        return prove(matches, &load(matches)?.config);
    }
    let config = load(matches)?.config;
    let stop = stop_on_signals()?;
    s3::run(&config, &stop, None).map_err(Failure::from)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::Unavailable(_) | Error::Store(_) => Self::UNAVAILABLE,
            Error::Refused(_) => Self::CONFIG,
            Error::Uncommitted(_) => Self::UNCOMMITTED,
            Error::Died(_) => Self::SOFTWARE,
        };
        Self::new(code, error)
    }
}

fn prove(matches: &ArgMatches, config: &Config) -> Result<(), Failure> {
    let sources = covered(config);
    let claim = Claim {
        groups: vec![config.writer.group.clone(); sources.len()],
        sources,
        pattern: &config.writer.pattern,
        stated: stated(matches),
        asks_kafka: !matches.get_flag("offline"),
    };
    show(&verified(config, &claim)?, matches.get_flag("json"))
}

/// Looks at all objects, and says how far it is.
pub(super) fn verified(config: &Config, claim: &Claim<'_>) -> Result<Vec<Finding>, Error> {
    let progress = Progress::new("objects", Of::Steps);
    verify(config, claim, &|topic, fetched, count| progress.tell(&format!("{topic}: {fetched} of {count} objects")))
}

/// Prints what was found, for whoever wrote the objects.
pub(super) fn show(findings: &[Finding], as_json: bool) -> Result<(), Failure> {
    let line = |finding: &Finding| if as_json { format!("{}\n", in_json(finding)) } else { in_words(finding) };
    print(&findings.iter().map(line).collect::<String>())?;
    let faults: usize = findings.iter().map(|finding| finding.coverage.faults.len()).sum();
    if faults > 0 {
        return Err(Failure::new(Failure::DIFFERENT, format_args!("the objects do not cover the topics: {faults} faults")));
    }
    Ok(())
}

fn in_words(finding: &Finding) -> String {
    let Finding { topic, partition, bucket, coverage, .. } = finding;
    let verdict = if coverage.faults.is_empty() { "covered" } else { "NOT COVERED" };
    let (from, to) = coverage.range;
    let mut text = format!("{bucket}: {topic}:{partition} {verdict}: offsets {from} to {to}, {} objects, {} records\n", coverage.objects, coverage.lines);
    for fault in &coverage.faults {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {fault}");
    }
    text
}

fn in_json(finding: &Finding) -> Value {
    let coverage = &finding.coverage;
    json!({
        "topic": finding.topic,
        "partition": finding.partition,
        "bucket": finding.bucket,
        "covered": coverage.faults.is_empty(),
        "from": coverage.range.0,
        "to": coverage.range.1,
        "committed": finding.to,
        "objects": coverage.objects,
        "records": coverage.lines,
        "faults": coverage.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
