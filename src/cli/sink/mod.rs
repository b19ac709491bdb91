//! `market-hub sink`: records into an S3 store.

mod s3;
mod connect;

use clap::{ArgMatches, Command};

use super::Failure;

pub(super) const NAME: &str = "sink";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Put the records of the output topics into an S3 store")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(s3::command())
        .subcommand(connect::command())
}

pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    match matches.subcommand() {
        Some((s3::NAME, matches)) => s3::run(matches),
        Some((connect::NAME, matches)) => connect::run(matches),
        _ => Err(Failure::new(Failure::SOFTWARE, "no such command")),
    }
}
