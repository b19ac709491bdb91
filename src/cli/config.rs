//! `market-hub config`: every setting, its value, and who gave it.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::{Failure, print};
use crate::config::{Loaded, markdown_table};

pub(super) const NAME: &str = "config";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Print every setting: name, variable, value, and where the value came from")
        .arg(Arg::new("markdown").long("markdown").action(ArgAction::SetTrue).help("Print the table of all settings instead, as the README has it"))
}

pub(super) fn run(matches: &ArgMatches, loaded: &Loaded) -> Result<(), Failure> {
    if matches.get_flag("markdown") {
        return print(&markdown_table());
    }
    let width = |column: fn(&crate::config::Row) -> &str| loaded.listing.iter().map(|row| column(row).len()).max().unwrap_or_default();
    let (name, env, value) = (width(|row| &row.name), width(|row| &row.env), width(|row| &row.value).min(48));
    let line = |row: &crate::config::Row| format!("{:name$}  {:env$}  {:value$}  {}\n", row.name, row.env, row.value, row.origin);
    print(&loaded.listing.iter().map(line).collect::<String>())
}
