//! `market-hub dlt show`: letters in full.

use std::ops::ControlFlow;
use std::sync::Arc;

use clap::{ArgMatches, Command};
use serde_json::{Value, json};

use super::super::escape::{escaped, json_line};
use super::super::{Failure, moment, print};
use super::{json_arg, limit, selection, selection_args};
use crate::config::Config;
use crate::dlt::{Letter, Part, Shelf};
use crate::replay::Field;

pub(super) const NAME: &str = "show";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Show dead letters: reason, origin, headers, payload")
        .long_about(
            "Show dead letters in full: reason, origin, headers and payload, one or many.\n\n\
             What is not printable is escaped: no letter can act on a terminal. Exit code 1 if there is no such letter.",
        )
        .args(selection_args())
        .arg(json_arg("Print a JSON object a line; keys, values and header values are text, {\"b64\":\"..\"} for other bytes, or null"))
}

pub(super) fn run(matches: &ArgMatches, config: &Arc<Config>) -> Result<(), Failure> {
    let (selection, limit, is_json) = (selection(matches), limit(matches), matches.get_flag("json"));
    let mut count = 0;
    Shelf::open(config, &selection)?.read(|part, letter| {
        if selection.takes(letter) {
            count += 1;
            print(&if is_json { line(part, letter)? } else { paragraph(part, letter) })?;
        }
        Ok::<_, Failure>(if limit.is_some_and(|limit| count >= limit) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    if count == 0 { Err(Failure::new(Failure::NOTHING_FOUND, "there is no such dead letter")) } else { Ok(()) }
}

fn paragraph(part: &Part, letter: &Letter<'_>) -> String {
    let bytes = |bytes: Option<&[u8]>| bytes.map_or_else(|| "null".to_owned(), escaped);
    let told = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let record = &letter.record;
    let frame = match (letter.is_frame, letter.frame) {
        (true, frame) => format!(", frame {}", told(frame.map(|frame| frame.to_string()))),
        (false, _) => ", whole envelope".to_owned(),
    };
    let mut lines = vec![
        format!("{}, partition {}, offset {}", part.log.topic, part.log.partition, record.offset),
        format!(
            "  reason     {}: {}",
            letter.reason.map_or("-", |reason| reason.as_str()),
            letter.message.map_or_else(|| "-".to_owned(), |message| escaped(message.as_bytes()))
        ),
        format!(
            "  origin     {}, partition {}, offset {}{frame}",
            letter.origin_topic.map_or_else(|| "-".to_owned(), |topic| escaped(topic.as_bytes())),
            told(letter.origin_partition.map(|partition| partition.to_string())),
            told(letter.origin_offset.map(|offset| offset.to_string())),
        ),
        format!("  timestamp  {} ({} ago)", moment::write(record.timestamp_ms), moment::age(record.timestamp_ms, moment::now())),
        format!("  replays    {}", told(letter.replays.map(|replays| replays.to_string()))),
        format!("  key        {}", bytes(record.key)),
    ];
    lines.extend(record.headers.iter().map(|(name, value)| format!("  header     {}: {}", escaped(name.as_bytes()), bytes(*value))));
    lines.push(format!("  payload    {} bytes", record.value.map_or(0, <[u8]>::len)));
    lines.push(format!("    {}\n\n", bytes(record.value)));
    lines.join("\n")
}

fn line(part: &Part, letter: &Letter<'_>) -> Result<String, Failure> {
    let record = &letter.record;
    let field = |bytes: Option<&[u8]>| bytes.map(Field::from);
    let headers: Vec<Value> = record.headers.iter().map(|(name, value)| json!({ "name": name, "value": field(*value) })).collect();
    let line = json_line(&json!({
        "topic": part.log.topic,
        "partition": part.log.partition,
        "offset": record.offset,
        "timestamp_ms": record.timestamp_ms,
        "timestamp": moment::write(record.timestamp_ms),
        "reason": letter.reason.map(|reason| reason.as_str()),
        "message": letter.message,
        "origin": {
            "topic": letter.origin_topic,
            "partition": letter.origin_partition,
            "offset": letter.origin_offset,
            "frame": letter.frame,
        },
        "region": letter.region.map(|region| region.as_str()),
        "exchange": letter.exchange.map(|exchange| exchange.as_str()),
        "symbol": letter.symbol.map(|symbol| String::from_utf8_lossy(symbol.as_bytes()).into_owned()),
        "replays": letter.replays,
        "key": field(record.key),
        "headers": headers,
        "value": field(record.value),
    }));
    line.map_err(|error| Failure::new(Failure::SOFTWARE, error))
}
