//! `market-hub sink connect restart`, `pause`, `resume` and `delete`.

use std::time::Instant;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::super::super::progress::Progress;
use super::super::super::{Failure, print};
use super::apply::came_to;
use super::{Asked, connectors_arg};
use crate::sink::connect::apply::{Outcome, wait_for};
use crate::sink::connect::{Rest, State, Trouble};

pub(super) const RESTART: &str = "restart";
pub(super) const PAUSE: &str = "pause";
pub(super) const RESUME: &str = "resume";
pub(super) const DELETE: &str = "delete";

const ONLY_FAILED: &str = "only-failed";

pub(super) fn restart_command() -> Command {
    let only_failed = Arg::new(ONLY_FAILED).long(ONLY_FAILED).action(ArgAction::SetTrue).help("Restart only what has failed");
    Command::new(RESTART).about("Restart connectors with their tasks, and wait until they run").arg(connectors_arg()).arg(only_failed)
}

pub(super) fn pause_command() -> Command {
    Command::new(PAUSE).about("Let connectors write nothing until they are resumed").arg(connectors_arg())
}

pub(super) fn resume_command() -> Command {
    Command::new(RESUME).about("Let paused connectors go on, and wait until they run").arg(connectors_arg())
}

pub(super) fn delete_command() -> Command {
    Command::new(DELETE)
        .about("Take connectors away; objects stay, and so do the offsets that they have committed")
        .long_about("Take connectors away. Objects stay, and so does what their groups have committed: applied again, they go on where they were.")
        .arg(connectors_arg())
}

pub(super) fn restart(matches: &ArgMatches, asked: &Asked) -> Result<(), Failure> {
    let only_failed = matches.get_flag(ONLY_FAILED);
    each(asked, "restarted", |rest, name| rest.restart(name, only_failed), State::Running)
}

pub(super) fn pause(asked: &Asked) -> Result<(), Failure> {
    each(asked, "paused", Rest::pause, State::Paused)
}

pub(super) fn resume(asked: &Asked) -> Result<(), Failure> {
    each(asked, "resumed", Rest::resume, State::Running)
}

/// Taking away what is not there is no failure: it is as it shall be.
pub(super) fn delete(asked: &Asked) -> Result<(), Failure> {
    let rest = asked.rest()?;
    for connector in &asked.connectors {
        let was_there = rest.delete(&connector.name).map_err(|trouble| asked.failure(&rest, &trouble))?;
        print(&format!("{}: {}\n", connector.name, if was_there { "deleted" } else { "was not there" }))?;
    }
    Ok(())
}

/// Asks the same of every connector, then waits for what shall come of it.
fn each(asked: &Asked, done: &str, act: impl Fn(&Rest, &str) -> Result<bool, Trouble>, state: State) -> Result<(), Failure> {
    let rest = asked.rest()?;
    let failure = |trouble| asked.failure(&rest, &trouble);
    let (mut there, mut short) = (Vec::new(), 0);
    for connector in &asked.connectors {
        if act(&rest, &connector.name).map_err(failure)? {
            there.push(&connector.name);
        } else {
            short += 1;
            print(&format!("{}: is not there: `market-hub sink connect apply` makes it\n", connector.name))?;
        }
    }
    let changed = Instant::now();
    for name in there {
        let outcome = Progress::during(&format!("waits for {name}"), || wait_for(&rest, name, state, Some(changed))).map_err(failure)?;
        short += usize::from(!matches!(outcome, Outcome::Reached(_)));
        print(&format!("{name}: {done}, {}\n", came_to(&outcome)))?;
    }
    if short == 0 { Ok(()) } else { Err(Failure::new(Failure::NOT_WELL, format_args!("{short} of {} connectors are not {done}", asked.connectors.len()))) }
}
