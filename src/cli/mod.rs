//! The command line: what each command is. The only place that prints, and that turns failures into exit codes.

mod assets;
mod bench;
mod config;
mod demo;
mod dlt;
mod doctor;
mod escape;
mod moment;
mod progress;
mod replay;
mod run;
mod sink;
mod supervisor;
mod tap;
mod top;

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{ArgMatches, Command};

use crate::config::{Environment, Loaded, Problems, args, load as load_settings};
use crate::kafka::Unavailable;
use crate::logs;

/// Why a command ends without success: what to say, and the exit code, which is one of `sysexits.h` where one fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What is wrong, and with what.
    pub message: String,
}

impl Failure {
    /// Something was lost or came out different (`demo`, `sink s3 verify`).
    pub const DIFFERENT: u8 = 1;
    /// Nothing is what was asked for (`dlt show`).
    pub const NOTHING_FOUND: u8 = 1;
    /// A figure is worse than it may be (`bench`).
    pub const WORSE: u8 = 1;
    /// A connector does not run, or alarms (`sink connect`); something on the host is bad (`doctor`).
    pub const NOT_WELL: u8 = 1;
    /// An input file does not hold what it should.
    pub const BAD_INPUT: u8 = 65;
    /// A file that was named cannot be read.
    pub const NO_INPUT: u8 = 66;
    /// Brokers, topics or partitions are not there.
    pub const UNAVAILABLE: u8 = 69;
    /// The program itself is at fault, or a thread of it died.
    pub const SOFTWARE: u8 = 70;
    /// Reading or writing failed.
    pub const IO: u8 = 74;
    /// It stopped before everything was committed; what is not will be read again.
    pub const UNCOMMITTED: u8 = 75;
    /// Another process with the same transactional ids has taken over; a supervisor must not start this one again.
    pub const FENCED: u8 = 77;
    /// The settings are wrong.
    pub const CONFIG: u8 = Problems::EXIT_CODE;

    fn new(code: u8, message: impl fmt::Display) -> Self {
        Self { code, message: message.to_string() }
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::new(Self::CONFIG, format_args!("the settings cannot be used:\n{problems}"))
    }
}

impl From<Unavailable> for Failure {
    fn from(unavailable: Unavailable) -> Self {
        Self::new(Self::UNAVAILABLE, unavailable)
    }
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    logs::start();
    let matches = command().get_matches();
    progress::set(&matches);
    let code = match dispatch(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(format_args!("market-hub: {}", failure.message));
            ExitCode::from(failure.code)
        }
    };
    logs::finish();
    code
}

/// All commands, with all their options.
#[must_use]
pub fn command() -> Command {
    Command::new("market-hub")
        .version(env!("CARGO_PKG_VERSION"))
        .about(env!("CARGO_PKG_DESCRIPTION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(progress::arg())
        .subcommand(args(run::command()))
        .subcommand(args(demo::command()))
        .subcommand(args(bench::command()))
        .subcommand(args(replay::command()))
        .subcommand(dlt::command())
        .subcommand(sink::command())
        .subcommand(args(run::check_command()))
        .subcommand(args(doctor::command()))
        .subcommand(top::command())
        .subcommand(args(tap::command()))
        .subcommand(assets::command())
        .subcommand(args(config::command()))
}

/// Says something on standard error. The print macros would panic where nobody reads it or the disk is full, and end a run that is well; a pipe that is full
/// would hold it up.
fn say(what: impl fmt::Display) {
    logs::say(&what.to_string());
}

/// Prints what the user asked for; it is a failure when nobody reads it.
fn print(what: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    let printed = output.write_all(what.as_bytes()).and_then(|()| output.flush());
    printed.map_err(|error| Failure::new(Failure::IO, format_args!("standard output cannot be written: {error}")))
}

fn dispatch(matches: &ArgMatches) -> Result<(), Failure> {
    match matches.subcommand() {
        Some((run::NAME, matches)) => run::run(load(matches)?),
        Some((demo::NAME, matches)) => demo::run(matches, load(matches)?),
        Some((bench::NAME, matches)) => bench::run(matches),
        Some((replay::NAME, matches)) => replay::run(matches, load(matches)?.config),
        Some((dlt::NAME, matches)) => dlt::run(matches),
        Some((sink::NAME, matches)) => sink::run(matches),
        Some((run::CHECK, matches)) => run::check(load(matches)?.config),
        Some((assets::NAME, matches)) => assets::run(matches),
        Some((top::NAME, matches)) => top::run(matches),
        Some((tap::NAME, matches)) => tap::run(matches, load(matches)?.config),
        Some((doctor::NAME, matches)) => doctor::run(matches, load(matches)?.config),
        Some((config::NAME, matches)) => config::run(matches, &load(matches)?),
        _ => Err(Failure::new(Failure::SOFTWARE, "no such command")),
    }
}

/// The settings of this process, checked.
fn load(matches: &ArgMatches) -> Result<Loaded, Failure> {
    let loaded = load_settings(matches, &Environment::of_process())?;
    for warning in &loaded.warnings {
        say(format_args!("market-hub: warning: {warning}"));
    }
    let logs = &loaded.config.logs;
    logs::set(logs).map_err(|fault| Failure::new(Failure::CONFIG, format_args!("--log-dir / HUB_LOG_DIR: no log can be written there: {fault}")))?;
    Ok(loaded)
}
