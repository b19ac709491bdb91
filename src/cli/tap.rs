//! `market-hub tap`: what comes to a lane, or leaves it, as it passes.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::json;
use sonic_rs::JsonValueTrait as _;

use super::escape::{escaped, json_line};
use super::run::stop_on_signals;
use super::{Failure, moment, print};
use crate::config::{Config, LaneId, parse_lanes};
use crate::envelope::{Reader, Symbol};
use crate::kafka::LogReader;
use crate::lane::Input;
use crate::replay::Field;
use crate::rules::Limits;

pub(super) const NAME: &str = "tap";

pub(super) fn command() -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help).help_heading("Tap");
    let option = |name: &'static str, value: &'static str, help: &'static str| Arg::new(name).long(name).value_name(value).help(help).help_heading("Tap");
    Command::new(NAME)
        .about("Print a lane's records, or its frames, as they pass")
        .long_about(
            "Print a lane's records, or with --frames what comes to it, from now on.\n\n\
             It reads the topics with a client of its own, without a group: no lane waits for it, and whoever reads its output slowly is behind, alone. Of \
             transactions it shows what is committed. A line has the Kafka timestamp, topic/partition@offset, the key and the text, in which whatever is not \
             printable is escaped. It ends after --count lines, after --for, or with the first signal.",
        )
        .arg(
            Arg::new("lane")
                .value_name("LANE")
                .required(true)
                .value_parser(|text: &str| parse_lanes(text).map_err(|faults| faults.join("; ")))
                .help("The lane, as asia-orderbook:0; a stream, as asia-orderbook, means all its partitions; as --lanes takes them")
                .help_heading("Tap"),
        )
        .arg(option("symbol", "S", "Only what is of this symbol, as envelopes name it: BTC").value_parser(symbol))
        .arg(flag("frames", "Print the frames of the input topics instead of the records"))
        .arg(flag("json", "Print a JSON object a line: topic, partition, offset, timestamp_ms, frame (its index, with --frames), key, value"))
        .arg(option("count", "N", "End after so many lines; 0 for never").default_value("1000").value_parser(value_parser!(usize)))
        .arg(option("for", "SECONDS", "End after so long").value_parser(value_parser!(u64).range(1..=86_400)))
}

fn symbol(text: &str) -> Result<Symbol, String> {
    Symbol::parse(text.as_bytes()).ok_or_else(|| "a symbol has 1 to 32 letters, digits, '.', '_', '/' and '-'".to_owned())
}

pub(super) fn run(matches: &ArgMatches, config: Config) -> Result<(), Failure> {
    let lanes = matches.get_one::<Vec<LaneId>>("lane").map_or(&[][..], Vec::as_slice);
    let is_frames = matches.get_flag("frames");
    let places: Vec<(&str, i32)> = lanes
        .iter()
        .map(|lane| {
            let names = config.names(lane.stream);
            (if is_frames { names.input.as_str() } else { names.output.as_str() }, lane.partition)
        })
        .collect();
    let mut tap = Tap {
        symbol: matches.get_one("symbol").copied(),
        is_frames,
        is_json: matches.get_flag("json"),
        left: matches.get_one("count").copied().filter(|count| *count > 0),
        envelopes: Reader::default(),
        limits: config.rules.limits,
        space: Vec::new(),
    };
    let stop = stop_on_signals()?;
    let ends_at = matches.get_one("for").map(|seconds| Instant::now() + Duration::from_secs(*seconds));
    let reader = LogReader::new(&config).map_err(|fault| Failure::new(Failure::CONFIG, fault))?;
    let goes_on = || !stop.load(Ordering::Acquire) && ends_at.is_none_or(|end| Instant::now() < end);
    reader.follow(&places, Instant::now() + config.start_deadline, goes_on, |topic, partition, input| tap.take(topic, partition, input))
}

/// What is printed of what passes.
struct Tap {
    symbol: Option<Symbol>,
    is_frames: bool,
    is_json: bool,
    /// How many lines are left; `None` for no bound.
    left: Option<usize>,
    envelopes: Reader,
    limits: Limits,
    space: Vec<u8>,
}

impl Tap {
    fn take(&mut self, topic: &str, partition: i32, input: &Input<'_>) -> Result<ControlFlow<()>, Failure> {
        let value = input.value.unwrap_or_default();
        let place = Place { topic, partition, input, is_json: self.is_json };
        let mut lines = Vec::new();
        if !self.is_frames {
            for record in records(value) {
                if self.symbol.is_none_or(|symbol| is_of(&record, symbol)) {
                    lines.push(place.line(None, &record)?);
                }
            }
        } else if let Ok(envelope) = self.envelopes.read(value, &self.limits) {
            if self.symbol.is_none_or(|symbol| symbol == envelope.symbol) {
                for (index, item) in envelope.items().enumerate() {
                    lines.push(place.line(Some(index), item.bytes(&mut self.space))?);
                }
            }
        } else if self.symbol.is_none() {
            // No envelope, and so none of a symbol: it is shown as it came.
            lines.push(place.line(None, value)?);
        }
        if let Some(left) = &mut self.left {
            lines.truncate(*left);
            *left -= lines.len();
        }
        print(&lines.concat())?;
        Ok(if self.left == Some(0) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

/// Where a line comes from, and how it is written.
struct Place<'t> {
    topic: &'t str,
    partition: i32,
    input: &'t Input<'t>,
    is_json: bool,
}

impl Place<'_> {
    fn line(&self, frame: Option<usize>, value: &[u8]) -> Result<String, Failure> {
        let Self { topic, partition, input, is_json } = self;
        let Input { offset, timestamp_ms, key, .. } = input;
        if *is_json {
            let key = key.map(Field::from);
            let line = json!({
                "topic": topic, "partition": partition, "offset": offset, "timestamp_ms": timestamp_ms, "frame": frame, "key": key, "value": Field::from(value),
            });
            return json_line(&line).map_err(|error| Failure::new(Failure::SOFTWARE, error));
        }
        let frame = frame.map_or_else(String::new, |frame| format!("#{frame}"));
        let key = key.map_or_else(|| "-".to_owned(), escaped);
        Ok(format!("{} {topic}/{partition}@{offset}{frame} {key} {}\n", moment::write(*timestamp_ms), escaped(value)))
    }
}

/// The records of an output message, which is one, or with `--output arrays` many.
fn records(value: &[u8]) -> Vec<Cow<'_, [u8]>> {
    if !value.starts_with(b"[") {
        return vec![Cow::Borrowed(value)];
    }
    let elements = sonic_rs::to_array_iter(value).filter_map(Result::ok);
    elements
        .map(|element| match element.as_raw_cow() {
            Cow::Borrowed(record) => Cow::Borrowed(record.as_bytes()),
            Cow::Owned(record) => Cow::Owned(record.into_bytes()),
        })
        .collect()
}

fn is_of(record: &[u8], symbol: Symbol) -> bool {
    let name = sonic_rs::get(record, ["coin_symbol"]).ok();
    name.as_ref().and_then(|name| name.as_str()).is_some_and(|name| name.as_bytes() == symbol.as_bytes())
}
