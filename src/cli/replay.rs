//! `market-hub replay`: the core alone over record files.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use indicatif::{ProgressBar, ProgressStyle};

use super::Failure;
use crate::config::Config;
use crate::replay::{Replay, Stop, counters_json};

pub(super) const NAME: &str = "replay";

pub(super) fn command() -> Command {
    let path = |name: &'static str| Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(PathBuf));
    Command::new(NAME)
        .about("Run the core alone over record files, without Kafka")
        .long_about(
            "Run the core alone over record files, without Kafka.\n\nA record file has one Kafka record a line, as JSON (see the README). \
             Names that end in .gz are compressed, - is standard input. All files are one log: books are kept from one to the next.",
        )
        .arg(Arg::new("file").value_name("FILE").required(true).action(ArgAction::Append).value_parser(value_parser!(PathBuf)).help("Input files, or -"))
        .arg(path("out").help("Where records and dead letters go; compressed if it ends in .gz [default: standard output]"))
        .arg(path("counters").help("Where totals by outcome go, as JSON"))
}

pub(super) fn run(matches: &ArgMatches, config: &Config) -> Result<(), Failure> {
    let mut replay = Replay::new(config);
    let inputs: Vec<&PathBuf> = matches.get_many("file").into_iter().flatten().collect();
    let made_anew = ["out", "counters"].map(|name| matches.get_one::<PathBuf>(name));
    check_inputs(&inputs, &made_anew)?;
    let mut output = open_output(made_anew[0])?;
    for path in inputs {
        let mut input = open_input(path)?;
        replay.run(&mut input, &mut output).map_err(|stop| failure(path, &stop))?;
    }
    output.finish().map_err(|error| failure(Path::new(""), &Stop::Write(error)))?;
    if let Some(path) = made_anew[1] {
        let text = format!("{}\n", counters_json(&replay.counts()));
        std::fs::write(path, text).map_err(|error| Failure::new(Failure::IO, format_args!("--counters {}: {error}", path.display())))?;
    }
    Ok(())
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
    }
}

fn open_input(path: &Path) -> Result<BufReader<Box<dyn Read>>, Failure> {
    if path == Path::new("-") {
        return Ok(BufReader::new(Box::new(io::stdin())));
    }
    let cannot = |error: io::Error| Failure::new(Failure::NO_INPUT, format_args!("{}: {error}", path.display()));
    let file = File::open(path).map_err(cannot)?;
    let length = file.metadata().map_err(cannot)?.len();
    let file = progress_bar(length, path).wrap_read(BufReader::with_capacity(1 << 18, file));
    Ok(BufReader::with_capacity(1 << 18, if is_gzip(path) { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) }))
}

/// Hidden where standard error is no terminal.
fn progress_bar(length: u64, path: &Path) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style).with_message(path.display().to_string())
}

fn is_gzip(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz")
}

/// Where output lines go.
enum Output {
    Plain(BufWriter<Box<dyn Write>>),
    Gzip(GzEncoder<BufWriter<Box<dyn Write>>>),
}

impl Output {
    fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut output) => output.flush(),
            Self::Gzip(output) => output.finish()?.flush(),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(output) => output.write(bytes),
            Self::Gzip(output) => output.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(output) => output.flush(),
            Self::Gzip(output) => output.flush(),
        }
    }
}

fn open_output(path: Option<&PathBuf>) -> Result<Output, Failure> {
    let Some(path) = path else { return Ok(Output::Plain(BufWriter::with_capacity(1 << 18, Box::new(io::stdout())))) };
    let file = File::create(path).map_err(|error| Failure::new(Failure::IO, format_args!("--out {}: {error}", path.display())))?;
    let file = BufWriter::with_capacity(1 << 18, Box::new(file) as Box<dyn Write>);
    Ok(if is_gzip(path) { Output::Gzip(GzEncoder::new(file, Compression::default())) } else { Output::Plain(file) })
}
