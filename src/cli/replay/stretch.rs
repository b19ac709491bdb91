//! `market-hub replay --from-kafka`: which stretch, and how far it is.

use std::path::Path;
use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches};

use super::super::progress::{Of, Progress};
use super::super::{Failure, moment, say};
use super::failure;
use crate::config::Config;
use crate::kafka::Edge;
use crate::replay::{LogReplay, Replay, Sink};

pub(super) const FROM_KAFKA: &str = "from-kafka";
pub(super) const TO_PREFIX: &str = "to-prefix";

/// A bare number below this is an offset, from it on milliseconds since the epoch: those of 1973.
const MILLIS_MIN: i64 = 100_000_000_000;

pub(super) fn args() -> [Arg; 4] {
    let option = |name: &'static str| Arg::new(name).long(name).help_heading("From Kafka").conflicts_with("file");
    [
        option(FROM_KAFKA).action(ArgAction::SetTrue).help("Read the input topics of the lanes instead of files"),
        option("from").value_name("TIME|OFFSET").requires(FROM_KAFKA).value_parser(edge).default_value("start").help(
            "Where the stretch begins: start, time:TIME (the first record of that time or later; RFC 3339 or milliseconds since the epoch), or offset:N (in \
             every lane). Without the word, a number below 10^11 is an offset and anything else a time",
        ),
        option("to")
            .value_name("TIME|OFFSET|end")
            .requires(FROM_KAFKA)
            .value_parser(edge)
            .default_value("end")
            .help("Where it ends, itself excluded: as --from, or end, which is where the log ends when the command starts"),
        option(TO_PREFIX)
            .value_name("PREFIX")
            .requires(FROM_KAFKA)
            .conflicts_with("out")
            .value_parser(clap::builder::NonEmptyStringValueParser::new())
            .help("Write to topics named PREFIX and the output or dead-letter topic's name instead of a file; --create-topics makes them"),
    ]
}

/// Reads an end of a stretch.
fn edge(text: &str) -> Result<Edge, String> {
    let offset = |text: &str| text.parse().ok().filter(|offset| *offset >= 0).map(Edge::Offset).ok_or_else(|| format!("{text:?} is no offset"));
    match text.split_once(':') {
        _ if text == "start" => Ok(Edge::Start),
        _ if text == "end" => Ok(Edge::End),
        Some(("offset", rest)) => offset(rest),
        Some(("time", rest)) => moment::parse(rest).map(Edge::Time),
        _ if text.parse().is_ok_and(|number: i64| number < MILLIS_MIN) => offset(text),
        _ => moment::parse(text).map(Edge::Time),
    }
}

/// Finds the stretch; `None` where files are read.
pub(super) fn open<'c>(matches: &ArgMatches, config: &'c Arc<Config>) -> Result<Option<LogReplay<'c>>, Failure> {
    if !matches.get_flag(FROM_KAFKA) {
        return Ok(None);
    }
    let edge = |name: &str, default: Edge| matches.get_one::<Edge>(name).copied().unwrap_or(default);
    let (from, to) = (edge("from", Edge::Start), edge("to", Edge::End));
    let is_backwards = match (from, to) {
        (Edge::Offset(from), Edge::Offset(to)) | (Edge::Time(from), Edge::Time(to)) => from > to,
        (Edge::End, _) | (_, Edge::Start) => true,
        _ => false,
    };
    if is_backwards {
        return Err(Failure::new(Failure::CONFIG, "--from lies behind --to"));
    }
    let log = LogReplay::open(config, from, to).map_err(|stop| failure(Path::new(""), &stop))?;
    for cut in log.cut() {
        say(format_args!("market-hub: warning: {cut}"));
    }
    Ok(Some(log))
}

/// Runs the core over it.
pub(super) fn run(log: &LogReplay<'_>, replay: &mut Replay<'_>, sink: &mut impl Sink) -> Result<(), Failure> {
    let progress = Progress::new("the log", Of::Items(log.span()));
    let mut current = None;
    let ran = log.run(replay, sink, |lane, passed| {
        if current.replace(lane) != Some(lane) {
            progress.tell(&lane.to_string());
        }
        progress.at(passed);
    });
    drop(progress);
    ran.map_err(|stop| failure(Path::new(""), &stop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_a_stretch_are_told_apart() {
        for (text, expected) in [
            ("start", Edge::Start),
            ("end", Edge::End),
            ("offset:0", Edge::Offset(0)),
            ("offset:1786539989464", Edge::Offset(1_786_539_989_464)),
            ("time:5", Edge::Time(5)),
            ("time:2026-08-12T13:06:29.464Z", Edge::Time(1_786_539_989_464)),
            ("2026-08-12T13:06:29.464Z", Edge::Time(1_786_539_989_464)),
            ("99999999999", Edge::Offset(99_999_999_999)),
            ("100000000000", Edge::Time(100_000_000_000)),
        ] {
            assert_eq!(edge(text), Ok(expected), "{text}");
        }
        for text in ["", "begin", "offset:", "offset:-1", "-1", "time:", "time:now", "offset:end"] {
            assert!(edge(text).is_err(), "{text}");
        }
    }
}
