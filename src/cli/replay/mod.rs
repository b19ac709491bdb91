//! `market-hub replay`: the core alone over record files, or over a stretch of the log.

mod output;
mod stretch;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use flate2::read::MultiGzDecoder;

use super::progress::{Of, Progress};
use super::{Failure, print, say};
use crate::config::Config;
use crate::replay::{Digest, Digested, Lines, LogReplay, Replay, Stop, counters_json};
use output::{Output, Target, is_gzip};

pub(super) const NAME: &str = "replay";

pub(super) fn command() -> Command {
    let path = |name: &'static str| Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(PathBuf));
    Command::new(NAME)
        .about("Run the core alone over record files, or over a stretch of the log")
        .long_about(
            "Run the core alone over record files, without Kafka, or over a stretch of the log.\n\n\
             A record file has one Kafka record a line, as JSON (see the README). Names that end in .gz are compressed, - is standard input. All files are one \
             log: books are kept from one to the next. With --output arrays, time is that of the input records.\n\n\
             With --from-kafka the input is what the lanes' input topics hold between --from and --to, one lane after the other. The hub's groups are not \
             touched and nothing is committed. A stretch begins without books: deltas before the first snapshot in it give unverified records. At the end a \
             digest of the output is printed, to compare two versions by.",
        )
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .required_unless_present(stretch::FROM_KAFKA)
                .action(ArgAction::Append)
                .value_parser(value_parser!(PathBuf))
                .help("Input files, or -"),
        )
        .arg(path("out").help("Where records and dead letters go; compressed if it ends in .gz [default: standard output]"))
        .arg(path("counters").help("Where totals by outcome go, as JSON"))
        .arg(
            Arg::new("digest-only")
                .long("digest-only")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["out", stretch::TO_PREFIX])
                .help("Print the digest of the output, and nothing of the output itself"),
        )
        .args(stretch::args())
}

pub(super) fn run(matches: &ArgMatches, config: Config) -> Result<(), Failure> {
    let config = Arc::new(config);
    let made_anew = ["out", "counters"].map(|name| matches.get_one::<PathBuf>(name));
    let inputs: Vec<&PathBuf> = matches.get_many("file").into_iter().flatten().collect();
    check_inputs(&inputs, &made_anew)?;
    let log = stretch::open(matches, &config)?;
    let mut sink = Digested { digest: Digest::default(), sink: target(matches, log.as_ref())? };
    let mut replay = Replay::new(&config);
    if let Some(log) = &log {
        stretch::run(log, &mut replay, &mut sink)?;
    }
    for path in inputs {
        let mut input = open_input(path)?;
        replay.run(&mut input, &mut sink).map_err(|stop| failure(path, &stop))?;
    }
    replay.finish(&mut sink).map_err(|stop| failure(Path::new(""), &stop))?;
    let Digested { digest, sink } = sink;
    let takes_stdout = sink.takes_stdout();
    sink.finish().map_err(|stop| failure(Path::new(""), &stop))?;
    if let Some(path) = made_anew[1] {
        let text = format!("{}\n", counters_json(&replay.counts()));
        std::fs::write(path, text).map_err(|error| Failure::new(Failure::IO, format_args!("--counters {}: {error}", path.display())))?;
    }
    match (log.is_some() || matches.get_flag("digest-only"), takes_stdout) {
        (true, false) => print(&digest.to_string()),
        // Whoever reads the records shall find nothing else between them.
        (true, true) => {
            say(digest.to_string().trim_end());
            Ok(())
        }
        (false, _) => Ok(()),
    }
}

/// Where the output goes; nothing is made or written over before the input is known to be there.
fn target(matches: &ArgMatches, log: Option<&LogReplay<'_>>) -> Result<Target, Failure> {
    let prefix = matches.get_one::<String>(stretch::TO_PREFIX);
    match (matches.get_flag("digest-only"), log.zip(prefix)) {
        (true, _) => Ok(Target::Nowhere),
        (false, Some((log, prefix))) => Ok(Target::Topics(log.topics(prefix).map_err(|stop| failure(Path::new(""), &stop))?)),
        (false, None) => {
            let path = matches.get_one::<PathBuf>("out");
            Ok(Target::Lines { lines: Lines(Output::open(path)?), is_stdout: path.is_none() })
        }
    }
}

/// Nothing is written over before every input is known to be there, and least of all an input.
fn check_inputs(inputs: &[&PathBuf], made_anew: &[Option<&PathBuf>]) -> Result<(), Failure> {
    for path in inputs.iter().filter(|path| path.as_path() != Path::new("-")) {
        let input = path.canonicalize().map_err(|error| Failure::new(Failure::NO_INPUT, format_args!("{}: {error}", path.display())))?;
        if made_anew.iter().flatten().any(|output| output.canonicalize().is_ok_and(|output| output == input)) {
            return Err(Failure::new(Failure::CONFIG, format_args!("{} cannot be both input and output", path.display())));
        }
    }
    Ok(())
}

fn failure(path: &Path, stop: &Stop) -> Failure {
    match stop {
        Stop::Line(number, fault) => Failure::new(Failure::BAD_INPUT, format_args!("{}, line {number}: {fault}", path.display())),
        Stop::Read(error) => {
            // What the decompressor says of a file that is cut or damaged.
            let damaged = matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof);
            Failure::new(if damaged { Failure::BAD_INPUT } else { Failure::IO }, format_args!("{}: {error}", path.display()))
        }
        Stop::Write(error) => Failure::new(Failure::IO, format_args!("the output cannot be written: {error}")),
        Stop::Unavailable(faults) => Failure::new(Failure::UNAVAILABLE, faults),
        Stop::Refused(fault) => Failure::new(Failure::CONFIG, fault),
        Stop::NotSent(fault) => Failure::new(Failure::IO, format_args!("the output cannot be sent: {fault}")),
    }
}

fn open_input(path: &Path) -> Result<BufReader<Box<dyn Read>>, Failure> {
    if path == Path::new("-") {
        return Ok(BufReader::new(Box::new(io::stdin())));
    }
    let cannot = |error: io::Error| Failure::new(Failure::NO_INPUT, format_args!("{}: {error}", path.display()));
    let file = File::open(path).map_err(cannot)?;
    let length = file.metadata().map_err(cannot)?.len();
    let file = Progress::new(&path.display().to_string(), Of::Bytes(length)).reading(BufReader::with_capacity(1 << 18, file));
    Ok(BufReader::with_capacity(1 << 18, if is_gzip(path) { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) }))
}
