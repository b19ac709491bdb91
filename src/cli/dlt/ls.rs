//! `market-hub dlt ls`: how many, of what, how old.

use std::ops::ControlFlow;
use std::sync::Arc;

use clap::{ArgMatches, Command};
use serde_json::json;

use super::super::escape::json_line;
use super::super::progress::{Of, Progress};
use super::super::{Failure, moment, print};
use super::{group, group_arg, json_arg};
use crate::config::Config;
use crate::dlt::{Selection, Shelf, Tally};
use crate::kafka::Bookmarks;

pub(super) const NAME: &str = "ls";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Count dead letters by topic, exchange and reason")
        .long_about(
            "Count dead letters by topic, exchange and reason, with the age of the oldest and of the newest, and how many of them `dlt replay` has sent already.\n\n\
             - stands for an exchange or a reason that a letter does not tell: an envelope that cannot be read has no exchange.",
        )
        .arg(group_arg())
        .arg(json_arg("Print a JSON object for each line, with times instead of ages"))
}

pub(super) fn run(matches: &ArgMatches, config: &Arc<Config>) -> Result<(), Failure> {
    let bookmarks = Bookmarks::new(config, &group(matches)).map_err(crate::dlt::Error::Refused)?;
    let shelf = Shelf::open(config, &Selection::default())?;
    let progress = shelf.progress(config, &bookmarks)?;
    let mut tally = Tally::default();
    let shown = Progress::new("dead letters", Of::Items(shelf.span()));
    shelf.read(|part, letter| {
        let is_replayed = progress.get(&part.lane).is_some_and(|progress| progress.contains(letter.record.offset));
        tally.add(part.lane.stream, letter, is_replayed);
        shown.at(tally.count());
        Ok::<_, Failure>(ControlFlow::Continue(()))
    })?;
    drop(shown);
    if matches.get_flag("json") { print(&json_lines(config, &tally)?) } else { print(&table(config, &tally)) }
}

const NOT_TOLD: &str = "-";

fn table(config: &Config, tally: &Tally) -> String {
    if tally.count() == 0 {
        return "no dead letters\n".to_owned();
    }
    let now = moment::now();
    let mut rows = vec![["TOPIC", "EXCHANGE", "REASON", "COUNT", "REPLAYED", "OLDEST", "NEWEST"].map(str::to_owned)];
    rows.extend(tally.iter().map(|(group, total)| {
        [
            config.names(group.stream).dlt.clone(),
            group.exchange.map_or(NOT_TOLD, |exchange| exchange.as_str()).to_owned(),
            group.reason.map_or(NOT_TOLD, |reason| reason.as_str()).to_owned(),
            total.count.to_string(),
            total.replayed.to_string(),
            moment::age(total.oldest_ms, now),
            moment::age(total.newest_ms, now),
        ]
    }));
    let widths: [usize; 7] = std::array::from_fn(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or_default());
    // Numbers stand under each other on the right.
    let cell = |column: usize, text: &str| if column < 3 { format!("{text:<0$}", widths[column]) } else { format!("{text:>0$}", widths[column]) };
    rows.iter().map(|row| row.iter().enumerate().map(|(column, text)| cell(column, text)).collect::<Vec<_>>().join("  ") + "\n").collect()
}

fn json_lines(config: &Config, tally: &Tally) -> Result<String, Failure> {
    let line = |(group, total): (&crate::dlt::Group, &crate::dlt::Total)| {
        json_line(&json!({
            "topic": config.names(group.stream).dlt,
            "exchange": group.exchange.map(|exchange| exchange.as_str()),
            "reason": group.reason.map(|reason| reason.as_str()),
            "count": total.count,
            "replayed": total.replayed,
            "oldest_ms": total.oldest_ms,
            "newest_ms": total.newest_ms,
            "oldest": moment::write(total.oldest_ms),
            "newest": moment::write(total.newest_ms),
        }))
    };
    tally.iter().map(line).collect::<Result<String, _>>().map_err(|error| Failure::new(Failure::SOFTWARE, error))
}
