//! `market-hub assets`, which help does not show: shell completions and man pages, made of the commands themselves, for whoever packages the hub.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use super::Failure;

pub(super) const NAME: &str = "assets";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .hide(true)
        .about("Write shell completions and man pages into a directory")
        .arg(Arg::new("dir").value_name("DIR").required(true).value_parser(value_parser!(PathBuf)))
}

pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let Some(dir) = matches.get_one::<PathBuf>("dir") else { return Ok(()) };
    write(dir).map_err(|error| Failure::new(Failure::IO, format_args!("{}: {error}", dir.display())))
}

fn write(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut super::command(), "market-hub", dir)?;
    }
    page(&super::command(), "market-hub", dir)
}

/// The page of a command, and those of its commands: `market-hub-dlt-show.1`.
fn page(command: &Command, name: &str, dir: &Path) -> io::Result<()> {
    let of_page = command.clone().name(name.to_owned());
    clap_mangen::Man::new(of_page).render(&mut File::create(dir.join(format!("{name}.1")))?)?;
    command.get_subcommands().filter(|inner| !inner.is_hide_set()).try_for_each(|inner| page(inner, &format!("{name}-{}", inner.get_name()), dir))
}
