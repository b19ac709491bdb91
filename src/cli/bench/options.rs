//! The options of `market-hub bench`: what can be asked for, and one report of everything that is wrong with what was.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::bench::{BOOKS, Plan, Sample};
use crate::config::{Origin, Row};

pub(in crate::cli) const NAME: &str = "bench";

/// Something that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Core,
    Latency,
    Memory,
    Growth,
    Throughput,
    Paced,
}

impl Part {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Core, "core"),
        (Self::Latency, "latency"),
        (Self::Memory, "memory"),
        (Self::Growth, "growth"),
        (Self::Throughput, "throughput"),
        (Self::Paced, "paced"),
    ];
}

/// What was asked for, checked.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) plan: Plan,
    pub(super) parts: Vec<Part>,
    /// Frames a second.
    pub(super) rate: u64,
    pub(super) seconds: Duration,
    /// Real brokers, in place of the embedded one.
    pub(super) brokers: bool,
    pub(super) json: Option<PathBuf>,
    pub(super) hgrm: Option<PathBuf>,
    pub(super) svg: Option<PathBuf>,
    pub(super) compare: Option<PathBuf>,
    /// Per cent.
    pub(super) fail_above: Option<f64>,
    pub(super) profile: Option<PathBuf>,
    pub(super) write_input: Option<PathBuf>,
    pub(super) input_of: Sample,
}

pub(in crate::cli) fn command() -> Command {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        // As with settings, whether a value is good is said with all other problems.
        Arg::new(name).long(name).value_name(value).help(help).num_args(1).allow_hyphen_values(true)
    };
    let path = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help).value_parser(value_parser!(PathBuf))
    };
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    Command::new(NAME)
        .about("Measure what the hub costs here: the core in this process, and the whole through a broker")
        .long_about(
            "Measure what the hub costs here.\n\n\
             In this process: time, allocations and memory of the core by exchange and kind, latency of single frames, and how cost grows. Through a broker: \
             throughput, and at a given rate the latency of every stage, from the moment at which a frame was due, so that what waits for a stall counts \
             (coordinated omission). The broker is embedded, unless --brokers stands on the command line; topics and groups are the bench's own, made and \
             deleted by it.\n\n\
             Figures are medians of turns with quartiles. Every outcome of the core is held against what it must be before it is measured.",
        )
        .arg(flag("quick", "Less of everything, within 20 s"))
        .arg(
            text("only", "PART,...", "What is measured: core, latency, memory, growth, throughput, paced [default: all]")
                .action(ArgAction::Append)
                .value_delimiter(','),
        )
        .arg(text("turns", "N", "How often each figure of the core is taken [default: 9, with --quick 3]"))
        .arg(text("rate", "FRAMES_PER_S", "The rate of the paced part [default: 5000]"))
        .arg(text("seconds", "S", "How long the paced part and each throughput last [default: 10, with --quick 2]"))
        .arg(flag("embedded", "Use the embedded broker, which is the default"))
        .arg(path("json", "FILE", "Where all figures go as JSON"))
        .arg(path("hgrm", "DIR", "Where the distributions go, one file each in HdrHistogram's text format"))
        .arg(path("svg", "FILE", "Where a picture of the percentiles goes"))
        .arg(path("compare", "FILE", "Hold the figures against those of an earlier --json"))
        .arg(text("fail-above", "PERCENT", "With --compare: exit 1 where a figure is worse by more than this, and by more than its noise"))
        .arg(path("profile", "FILE", "Where a flame graph of the core goes, as SVG"))
        .arg(path("write-input", "FILE", "Write envelopes to a record file, for replay and other programs, and measure nothing"))
        .arg(text("input-of", "KIND", "Whose envelopes --write-input writes [default: upbit-15-units]"))
}

impl Options {
    /// The options of a command line.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub(super) fn of(matches: &ArgMatches) -> Result<Self, Vec<String>> {
        let mut wrong = Vec::new();
        let quick = matches.get_flag("quick");
        let mut number = |name: &str, default: u64, max: u64| {
            let Some(text) = matches.get_one::<String>(name) else { return default };
            match text.trim().parse::<u64>() {
                Ok(number) if (1..=max).contains(&number) => number,
                _ => {
                    wrong.push(format!("--{name} = {text:?}: allowed is 1..={max}"));
                    default
                }
            }
        };
        let turns = number("turns", if quick { 3 } else { 9 }, 1_000) as usize;
        let rate = number("rate", 5_000, 10_000_000);
        let seconds = Duration::from_secs(number("seconds", if quick { 2 } else { 10 }, 86_400));
        let mut parts = Vec::new();
        for text in matches.get_many::<String>("only").into_iter().flatten() {
            match Part::ALL.iter().find(|(_, name)| name == text) {
                Some((part, _)) => parts.push(*part),
                None => wrong.push(format!("--only = {text:?}: allowed is {}", Part::ALL.map(|(_, name)| name).join(", "))),
            }
        }
        let fail_above = matches.get_one::<String>("fail-above").and_then(|text| {
            let percent = text.trim().parse::<f64>().ok().filter(|percent| percent.is_finite() && *percent >= 0.0);
            if percent.is_none() {
                wrong.push(format!("--fail-above = {text:?}: allowed is a number of per cent from 0 on"));
            }
            percent
        });
        let input_of = matches.get_one::<String>("input-of").map_or("upbit-15-units", String::as_str);
        let found = BOOKS.into_iter().find(|book| book.name == input_of);
        if found.is_none() {
            wrong.push(format!("--input-of = {input_of:?}: allowed is {}", BOOKS.map(|book| book.name).join(", ")));
        }
        let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
        let options = Self {
            plan: Plan { turns, bytes: if quick { 1 << 18 } else { 4 << 20 }, quick },
            parts: if parts.is_empty() { Part::ALL.map(|(part, _)| part).to_vec() } else { parts },
            rate,
            seconds,
            brokers: matches.try_get_one::<String>("brokers").ok().flatten().is_some(),
            json: path("json"),
            hgrm: path("hgrm"),
            svg: path("svg"),
            compare: path("compare"),
            fail_above,
            profile: path("profile"),
            write_input: path("write-input"),
            input_of: found.unwrap_or(BOOKS[0]),
        };
        wrong.extend(options.contradictions(matches.get_flag("embedded")));
        if wrong.is_empty() { Ok(options) } else { Err(wrong) }
    }

    fn contradictions(&self, embedded: bool) -> Vec<String> {
        let mut wrong = Vec::new();
        if embedded && self.brokers {
            wrong.push("--embedded and --brokers: only one of them can be".to_owned());
        }
        if self.fail_above.is_some() && self.compare.is_none() {
            wrong.push("--fail-above needs --compare".to_owned());
        }
        if self.profile.is_some() && !cfg!(feature = "profile") {
            wrong.push("--profile: this build has no profiler; build it with `cargo build --release --features profile`".to_owned());
        }
        for (name, path) in [("json", &self.json), ("svg", &self.svg), ("profile", &self.profile), ("write-input", &self.write_input)] {
            if let Some(path) = path {
                wrong.extend(unwritable(path).map(|why| format!("--{name} = {:?}: {why}", path.display())));
            }
        }
        wrong
    }

    pub(super) fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// What decides about the figures: options, and settings that are not the defaults.
    pub(super) fn settings(&self, listing: &[Row]) -> Vec<String> {
        let Plan { turns, bytes, .. } = self.plan;
        let mut settings =
            vec![format!("turns {turns}"), format!("KiB a kind {}", bytes >> 10), format!("rate {}", self.rate), format!("seconds {}", self.seconds.as_secs())];
        settings.push(format!("broker {}", if self.brokers { "real" } else { "embedded" }));
        let given = listing.iter().filter(|row| row.origin != Origin::Default && row.name != "brokers");
        settings.extend(given.map(|row| format!("{} {}", row.name, row.value)));
        settings
    }
}

/// Why a file cannot be made, as far as that can be told before.
fn unwritable(path: &Path) -> Option<&'static str> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.is_dir() {
        return Some("is a folder");
    }
    (!folder.is_dir()).then_some("its folder is not there")
}
