//! `market-hub sink connect verify`: the proof of what the connectors have written.

use clap::{ArgMatches, Command};

use super::super::super::Failure;
use super::super::s3::{proof_args, show, stated, verified};
use super::{Asked, connectors_arg};
use crate::sink::Claim;
use crate::sink::connect::key_pattern;

pub(super) const NAME: &str = "verify";

pub(super) fn command() -> Command {
    let command = Command::new(NAME)
        .about("Prove from names and lines of the connectors' objects that each partition is covered without gap or overlap")
        .long_about(
            "Prove from names and lines of the connectors' objects that each partition is covered without gap or overlap.\n\n\
             As `sink s3 verify`, under the keys of `sink connect plan`, up to what the group connect-NAME has committed. Confluent's sink keeps objects of two \
             days open at a time where records of both alternate: such a pair counts as an overlap. Exit code 1 if it is not so.",
        );
    proof_args(command).arg(connectors_arg())
}

pub(super) fn run(matches: &ArgMatches, asked: &Asked) -> Result<(), Failure> {
    let mut findings = Vec::new();
    for connector in &asked.connectors {
        let pattern = key_pattern(connector).map_err(|why| Failure::new(Failure::CONFIG, asked.mask().text(&why)))?;
        let claim = Claim {
            sources: vec![connector.source.clone()],
            pattern: &pattern,
            groups: vec![connector.group()],
            stated: stated(matches),
            asks_kafka: !matches.get_flag("offline"),
        };
        findings.extend(verified(&asked.config, &claim)?);
    }
    show(&findings, matches.get_flag("json"))
}
