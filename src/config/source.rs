//! Where a setting's value comes from: command line, else environment, else `--env-file`, else default.
//!
//! The only place of the crate that reads `std::env`. Never judges a value.

use super::knobs::{self, Kind, Knob};
use super::problems::nearest;
use super::properties::is_secret;
use super::secret::MASK;
use super::{ENV_FILE, env_file};
use clap::ArgMatches;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

/// The environment variables of a process, as a plain value. `Debug` shows names only: values may be secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// Names of variables whose values are not UTF-8.
    unreadable: BTreeSet<String>,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let mut environment = Self::default();
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => drop(environment.variables.insert(name, value)),
                Err(_) => drop(environment.unreadable.insert(name)),
            }
        }
        environment
    }

    /// The value of the variable `name`, where it is there and UTF-8.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self { variables: variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect(), unreadable: BTreeSet::new() }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).entries(&self.unreadable).finish()
    }
}

/// Who gave a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An option of the command.
    CommandLine,
    /// A variable of the process's environment.
    Environment,
    /// A line, counted from 1, of an `--env-file`.
    File(PathBuf, usize),
    /// Nobody: it is the default.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("command line"),
            Self::Environment => f.write_str("environment"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Everything that was given, before any of it is judged. No value is empty unless the command line says so.
#[derive(Default)]
pub(super) struct Given {
    pub command_line: BTreeMap<&'static str, String>,
    /// The environment's variables, over those of the files.
    pub variables: BTreeMap<String, (String, Origin)>,
    pub problems: Vec<String>,
    pub warnings: Vec<String>,
}

/// A variable that counts for a setting.
pub(super) struct Found<'g> {
    pub name: &'g str,
    pub value: &'g str,
    pub origin: &'g Origin,
}

impl Given {
    pub fn gather(matches: &ArgMatches, environment: &Environment) -> Self {
        let mut given = Self::default();
        for knob in knobs::ALL {
            // An option that the command does not have, or has by another type, was not given.
            if let Ok(Some(value)) = matches.try_get_one::<String>(knob.flag) {
                given.command_line.insert(knob.flag, value.clone());
            }
        }
        for path in matches.try_get_many::<PathBuf>(ENV_FILE).ok().flatten().into_iter().flatten() {
            given.read_file(path);
        }
        given.read_environment(environment);
        given.name_unknown();
        given
    }

    /// The value that counts for `knob`, and who gave it; a secret is masked.
    pub fn value(&self, knob: &Knob) -> (String, Origin) {
        if let Some(value) = self.command_line.get(knob.flag) {
            return (value.clone(), Origin::CommandLine);
        }
        let shown = |text: &str| if matches!(knob.kind, Kind::Secret) { MASK.to_owned() } else { text.to_owned() };
        self.found(knob).map_or_else(|| (knob.default.to_owned(), Origin::Default), |found| (shown(found.value), found.origin.clone()))
    }

    /// The variable that counts for `knob`: its own, for a secret the one that names its file, else the first of other programs.
    pub fn found(&self, knob: &Knob) -> Option<Found<'_>> {
        let file = matches!(knob.kind, Kind::Secret).then(|| format!("{}_FILE", knob.env));
        let names = std::iter::once(knob.env).chain(file.as_deref()).chain(knob.other_names().iter().copied());
        let (name, (value, origin)) = names.filter_map(|name| self.variables.get_key_value(name)).next()?;
        Some(Found { name, value, origin })
    }

    fn read_file(&mut self, path: &PathBuf) {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return self.problems.push(format!("--{ENV_FILE} {}: cannot be read: {error}", path.display())),
        };
        let lines = env_file::parse(&text);
        self.problems.extend(lines.wrong.into_iter().map(|(line, why)| format!("{}:{line}: {why}", path.display())));
        self.warnings.extend(lines.odd.into_iter().map(|(line, why)| format!("{}:{line}: {why}", path.display())));
        for (name, (value, line)) in lines.variables {
            let origin = Origin::File(path.clone(), line);
            if !is_ours(&name) {
                self.warnings.push(format!("{origin}: {name} has no effect: only settings, HUB_* and KAFKA_*, are read from the file"));
            } else if !value.is_empty() {
                self.variables.insert(name, (value, origin));
            }
        }
    }

    fn read_environment(&mut self, environment: &Environment) {
        for (name, value) in &environment.variables {
            // An empty variable counts as absent: compose files pass `HUB_X=${HUB_X:-}`.
            if is_ours(name) && !value.is_empty() && !is_service_link(name, value) {
                self.variables.insert(name.clone(), (value.clone(), Origin::Environment));
            }
        }
        for name in environment.unreadable.iter().filter(|name| is_ours(name)) {
            self.problems.push(format!("{name}: the value from the environment is not UTF-8"));
        }
    }

    /// Reports every `HUB_*` variable that is no setting.
    fn name_unknown(&mut self) {
        for (name, (value, origin)) in &self.variables {
            if !name.starts_with("HUB_") || (cfg!(feature = "fail-points") && name == "HUB_FAIL_POINT") || knobs::ALL.iter().any(|knob| is_of(name, knob)) {
                continue;
            }
            let shown = if is_secret(name) { String::new() } else { format!(" = {value:?}") };
            let hint = nearest_env(name).map_or_else(|| "`market-hub config` lists all".to_owned(), |env| format!("did you mean {env}?"));
            self.problems.push(format!("{name}{shown} ({origin}): there is no such setting; {hint}"));
        }
    }
}

/// The variable most likely meant by `typed`, which may also be a flag spelled as a variable (`HUB_BROKERS`).
fn nearest_env(typed: &str) -> Option<&'static str> {
    let upper = |knob: &Knob| format!("HUB_{}", knob.flag.replace('-', "_").to_uppercase());
    let spelled: Vec<(String, &'static str)> = knobs::ALL.iter().map(|knob| (upper(knob), knob.env)).collect();
    let found = nearest(typed, spelled.iter().map(|(name, _)| name.as_str()))?.to_owned();
    spelled.iter().find(|(name, _)| *name == found).map(|(_, env)| *env)
}

fn is_ours(name: &str) -> bool {
    name.starts_with("HUB_") || name.starts_with("KAFKA_") || knobs::is_other_name(name)
}

/// Whether the variable `name` is the knob's, or names the file of its secret.
fn is_of(name: &str, knob: &Knob) -> bool {
    knob.env == name || (matches!(knob.kind, Kind::Secret) && name.strip_suffix("_FILE") == Some(knob.env))
}

/// Whether the variable is one that Kubernetes and Docker set for a service that happens to be called `hub` or `kafka-client`.
fn is_service_link(name: &str, value: &str) -> bool {
    let address = value.starts_with("tcp://") || value.starts_with("udp://");
    let of_port = ["_TCP", "_UDP"].iter().any(|protocol| name.contains(&format!("{protocol}_")) || name.ends_with(protocol));
    name.ends_with("_SERVICE_HOST") || name.contains("_SERVICE_PORT") || (name.ends_with("_PORT") && address) || (name.contains("_PORT_") && of_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_no_values() {
        let environment = Environment::from_iter([("KAFKA_CLIENT_SASL_PASSWORD", "hunter2")]);
        assert_eq!(format!("{environment:?}"), "{\"KAFKA_CLIENT_SASL_PASSWORD\"}");
    }

    #[test]
    fn names_what_was_meant() {
        for (typed, meant) in [
            ("HUB_BROKERS", Some("KAFKA_BOOTSTRAP_SERVERS")),
            ("HUB_WORKER", Some("HUB_WORKERS")),
            ("HUB_KORAE_TICKER_INPUT", Some("HUB_KOREA_TICKER_INPUT")),
            ("HUB_Q", None),
        ] {
            assert_eq!(nearest_env(typed), meant, "{typed}");
        }
    }

    #[test]
    fn knows_the_variables_of_services() {
        let link = "tcp://10.0.0.1:80";
        for (name, value) in [
            ("HUB_SERVICE_HOST", "10.0.0.1"),
            ("HUB_SERVICE_PORT", "80"),
            ("HUB_SERVICE_PORT_HTTP", "80"),
            ("HUB_PORT", link),
            ("HUB_PORT_80_TCP", link),
            ("HUB_PORT_80_TCP_ADDR", "10.0.0.1"),
            ("KAFKA_CLIENT_PORT_53_UDP_PROTO", "udp"),
        ] {
            assert!(is_service_link(name, value), "{name}");
        }
        assert!(!is_service_link("HUB_PORT", "80"));
        assert!(!is_service_link("HUB_LANES", "ne-ticker"));
    }
}
