//! `market-hub demo`: see it work without a broker.

use std::fmt::{self, Write};
use std::io::{IsTerminal, stdout};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Arg, ArgMatches, Command, value_parser};

use super::run::{print_threads, stop_on_signals};
use super::{Failure, print};
use crate::config::Loaded;
use crate::demo::{self, Plan, Verdict};
use crate::endpoint::Endpoint;
use crate::market::{Kind, Stream};
use crate::observe::{Board, StreamLines, latency_lines};
use crate::runtime::Report;

pub(super) const NAME: &str = "demo";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("See it work: made-up frames of all nine exchanges through an embedded broker, and proof of what comes out")
        .arg(
            Arg::new("seconds")
                .long("seconds")
                .value_name("S")
                .default_value("10")
                .value_parser(value_parser!(u64).range(1..=86_400))
                .help("How long frames are fed"),
        )
        .arg(
            Arg::new("rate")
                .long("rate")
                .value_name("FRAMES_PER_S")
                .default_value("5000")
                .value_parser(parse_rate)
                .help("Frames a second over all lanes, or max"),
        )
        .arg(Arg::new("seed").long("seed").value_name("N").default_value("1").value_parser(value_parser!(u64)).help("Decides the frames"))
}

/// `None` is `max`.
fn parse_rate(text: &str) -> Result<Option<NonZeroU64>, String> {
    if text == "max" {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| "a whole number above 0, or max".to_owned())
}

pub(super) fn run(matches: &ArgMatches, loaded: Loaded) -> Result<(), Failure> {
    let rate = matches.get_one::<Option<NonZeroU64>>("rate").copied().flatten();
    let plan = Plan {
        duration: Duration::from_secs(matches.get_one("seconds").copied().unwrap_or(10)),
        rate: rate.map(NonZeroU64::get),
        seed: matches.get_one("seed").copied().unwrap_or(1),
    };
    let mut config = loaded.config;
    config.report_interval = Duration::from_secs(1);
    let stop = stop_on_signals()?;
    let board = Board::new(config.endpoint.is_some());
    let _endpoint = Endpoint::start(&Arc::new(config.clone()), loaded.listing, &board);
    let mut screen = Screen::new();
    let verdict = demo::run(config, &plan, &stop, &board, print_threads, |report| screen.show(report))?;
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_samples(&verdict, &mut text).and_then(|()| write_totals(&verdict, &mut text));
    print(&text)?;
    if verdict.is_good() { Ok(()) } else { Err(Failure::new(Failure::DIFFERENT, "the demo failed: something was lost or came out different")) }
}

/// A table that is drawn over itself in a terminal, plain lines elsewhere.
struct Screen {
    is_terminal: bool,
    begin: Instant,
    drawn: usize,
}

impl Screen {
    fn new() -> Self {
        Self { is_terminal: stdout().is_terminal(), begin: Instant::now(), drawn: 0 }
    }

    fn show(&mut self, report: &Report<'_>) {
        let mut lines = vec![format!("after {:.1} s", self.begin.elapsed().as_secs_f64())];
        lines.extend(StreamLines::of(report.lanes.iter(), |lane| report.ends.get(lane).copied()).iter().map(|line| format!("  {line}")));
        // Up over what was drawn last, and clear from there on.
        let up = if self.is_terminal && self.drawn > 0 { format!("\x1b[{}F\x1b[J", self.drawn) } else { String::new() };
        self.drawn = lines.len();
        // What is shown meanwhile is no reason to end the run.
        let _ = print(&format!("{up}{}\n", lines.join("\n")));
    }
}

fn write_samples(verdict: &Verdict, text: &mut String) -> fmt::Result {
    for kind in Kind::ALL {
        writeln!(text, "\nOne {} record of each exchange:", kind.as_str())?;
        for ((_, exchange), sample) in verdict.proof.samples.iter().filter(|((of, _), _)| *of == kind) {
            writeln!(text, "  {exchange}: {}", sample.value)?;
        }
    }
    if let Some(letter) = &verdict.proof.dead_letter {
        let shown: String = letter.value.escape_debug().take(160).collect();
        writeln!(
            text,
            "\nA dead letter, reason {}: {shown}{}",
            letter.reason.as_deref().unwrap_or("unknown"),
            if shown.len() < letter.value.len() { "..." } else { "" }
        )?;
    }
    Ok(())
}

fn write_totals(verdict: &Verdict, text: &mut String) -> fmt::Result {
    let proof = &verdict.proof;
    let seconds = verdict.fed_for.as_secs_f64();
    writeln!(text, "\nLatency:")?;
    for line in latency_lines(&verdict.latencies) {
        writeln!(text, "  {line}")?;
    }
    let envelopes: u64 = verdict.lanes.values().map(|lane| lane.counts.envelopes).sum();
    let lanes = Stream::ALL.iter().map(|stream| stream.partitions()).sum::<i32>();
    writeln!(
        text,
        "\n{} frames in {envelopes} envelopes on {lanes} lanes in {seconds:.1} s: {:.0} frames/s",
        verdict.fed_frames,
        verdict.fed_frames as f64 / seconds
    )?;
    writeln!(
        text,
        "{} frames = {} records ({} unverified) + {} without a record (noise, stale) + {} dead letters + {} lost; {} different",
        verdict.fed_frames, proof.records, proof.unverified, proof.silent, proof.dead_letters, proof.lost, proof.different
    )?;
    for difference in &proof.differences {
        writeln!(text, "  {}: expected {}\n  {}: found    {}", difference.lane, difference.expected, difference.lane, difference.found)?;
    }
    writeln!(text, "{}", if verdict.is_good() { "proved: every frame came out as expected, once and in order" } else { "NOT proved" })?;
    Ok(())
}
