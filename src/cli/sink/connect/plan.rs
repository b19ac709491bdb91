//! `market-hub sink connect plan`: what would be registered, where objects would appear, and what to beware of. Asks nobody.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::super::super::escape::json_line;
use super::super::super::{Failure, print};
use super::{Asked, connectors_arg};
use crate::sink::connect::{Connector, Mask, keys, traps};

pub(super) const NAME: &str = "plan";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Print the connectors as they would be registered, the keys of their objects, and known traps")
        .arg(connectors_arg())
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print a JSON object a line and connector"))
}

pub(super) fn run(matches: &ArgMatches, asked: &Asked) -> Result<(), Failure> {
    let mask = asked.mask();
    let shown = |connector: &Connector| if matches.get_flag("json") { line(connector, asked, &mask) } else { page(connector, asked, &mask) };
    let text = asked.connectors.iter().map(shown).collect::<Result<String, _>>();
    print(&text.map_err(|error| Failure::new(Failure::SOFTWARE, error))?)
}

const UNKNOWN: &str = "(as the class decides)";

/// The keys of the topic's objects, with what is different from object to object in braces.
fn shown_keys(connector: &Connector) -> Option<String> {
    keys(connector).map(|keys| keys.replace("{topic}", &connector.source.topic))
}

fn page(connector: &Connector, asked: &Asked, mask: &Mask) -> serde_json::Result<String> {
    let config = serde_json::to_string_pretty(&json!({"name": connector.name, "config": connector.shown(mask)}))?;
    let keys = shown_keys(connector).unwrap_or_else(|| UNKNOWN.to_owned());
    let mut text = format!("{config}\nobjects: {} {}\n", connector.source.bucket, mask.text(&keys));
    for trap in traps(connector, &asked.config) {
        let kind = if trap.avoided { "avoided" } else { "warning" };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{kind}: {}: {}", trap.about, mask.text(&trap.text));
    }
    Ok(text + "\n")
}

fn line(connector: &Connector, asked: &Asked, mask: &Mask) -> serde_json::Result<String> {
    let traps = traps(connector, &asked.config);
    let told = |avoided: bool| {
        traps.iter().filter(|trap| trap.avoided == avoided).map(|trap| json!({"about": trap.about, "text": mask.text(&trap.text)})).collect::<Vec<_>>()
    };
    json_line(&json!({
        "name": connector.name,
        "topic": connector.source.topic,
        "bucket": connector.source.bucket,
        "group": connector.group(),
        "config": connector.shown(mask),
        "keys": shown_keys(connector).map(|keys| mask.text(&keys)),
        "warnings": told(false),
        "avoided": told(true),
    }))
}
