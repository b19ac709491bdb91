//! `market-hub dlt`: dead letters counted, shown, and sent back.

mod ls;
mod replay;
mod show;

use std::sync::Arc;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::{Failure, load, moment};
use crate::config::args;
use crate::dlt::{Error, Selection};
use crate::market::Exchange;
use crate::outcome::Reason;

pub(super) const NAME: &str = "dlt";

/// The group that remembers what was replayed.
const GROUP: &str = "market-hub-dlt";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Count, show and replay dead letters")
        .long_about(
            "Count, show and replay the dead letters of the configured streams.\n\n\
             --lanes restricts all of it to some streams or partitions. The time of a letter is that of its input record. What is shown and replayed ends \
             where the topics end when the command starts.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(args(ls::command()))
        .subcommand(args(show::command()))
        .subcommand(args(replay::command()))
}

pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    match matches.subcommand() {
        Some((ls::NAME, matches)) => ls::run(matches, &Arc::new(load(matches)?.config)),
        Some((show::NAME, matches)) => show::run(matches, &Arc::new(load(matches)?.config)),
        Some((replay::NAME, matches)) => replay::run(matches, &Arc::new(load(matches)?.config)),
        _ => Err(Failure::new(Failure::SOFTWARE, "no such command")),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::Unavailable(_) => Self::UNAVAILABLE,
            Error::Refused(_) | Error::NoSuchPlace(_) => Self::CONFIG,
            Error::NotSent(_) => Self::IO,
        };
        Self::new(code, error)
    }
}

/// The options that select letters.
fn selection_args() -> [Arg; 8] {
    let option = |name: &'static str, value: &'static str, help: &'static str| Arg::new(name).long(name).value_name(value).help(help).help_heading("Letters");
    let many = |arg: Arg| arg.action(ArgAction::Append).value_delimiter(',');
    let exchanges = Exchange::ALL.map(Exchange::as_str);
    [
        option("topic", "TOPIC", "Only those of this dead-letter topic, or of this input topic"),
        option("partition", "N", "Only those of this partition").value_parser(value_parser!(i32).range(0..)),
        option("offset", "N", "Only the one at this offset of the dead-letter topic")
            .value_parser(value_parser!(i64).range(0..))
            .requires("topic")
            .requires("partition"),
        many(option("reason", "WORD", "Only those that died of this; several between commas"))
            .value_parser(PossibleValuesParser::new(Reason::ALL.map(Reason::as_str))),
        many(option("exchange", "NAME", "Only frames of this exchange; several between commas"))
            .value_parser(PossibleValuesParser::new(exchanges))
            .ignore_case(true),
        option("from", "TIME", "Only from this time on: RFC 3339, or milliseconds since the epoch").value_parser(moment::parse),
        option("to", "TIME", "Only before this time").value_parser(moment::parse),
        option("limit", "N", "At most so many, oldest first in each partition").value_parser(value_parser!(u64).range(1..)),
    ]
}

fn selection(matches: &ArgMatches) -> Selection {
    let words = |name: &str| matches.get_many::<String>(name).into_iter().flatten();
    Selection {
        topic: matches.get_one("topic").cloned(),
        partition: matches.get_one("partition").copied(),
        offset: matches.get_one("offset").copied(),
        reasons: words("reason").filter_map(|word| Reason::parse(word)).collect(),
        exchanges: words("exchange").filter_map(|word| Exchange::parse(word)).collect(),
        from_ms: matches.get_one("from").copied(),
        to_ms: matches.get_one("to").copied(),
    }
}

fn limit(matches: &ArgMatches) -> Option<u64> {
    matches.get_one("limit").copied()
}

fn json_arg(help: &'static str) -> Arg {
    Arg::new("json").long("json").action(ArgAction::SetTrue).help(help).help_heading("Output")
}

fn group_arg() -> Arg {
    Arg::new("group")
        .long("group")
        .value_name("GROUP")
        .default_value(GROUP)
        .help("The consumer group whose offsets remember what was replayed")
        .help_heading("Letters")
}

fn group(matches: &ArgMatches) -> String {
    matches.get_one::<String>("group").map_or(GROUP, String::as_str).to_owned()
}
