//! Where and by what a figure was measured, so that nobody compares what cannot be compared.

use std::fmt;
use std::fs;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::runtime::allowed_cpus;

/// See the module. What the system does not tell is `unknown`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// When, as RFC 3339.
    pub date: String,
    /// The CPU's name, family and model.
    pub cpu: String,
    /// How many of them this process may use.
    pub cpus: usize,
    /// What was going on before: the load averages of 1, 5 and 15 minutes.
    pub load: String,
    /// The system.
    pub system: String,
    /// The compiler.
    pub rustc: String,
    /// The program.
    pub version: String,
    /// `release`, or `debug`, whose figures mean nothing.
    pub profile: String,
}

impl Machine {
    /// This one, at the moment `now_ms` since the epoch.
    #[must_use]
    pub fn here(now_ms: i64) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let known = |text: String| if text.trim().is_empty() { "unknown".to_owned() } else { text.trim().to_owned() };
        let load = read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ");
        Self {
            date: Timestamp::from_millisecond(now_ms).map_or_else(|_| "unknown".to_owned(), |date| date.strftime("%FT%TZ").to_string()),
            cpu: known(cpu(&read("/proc/cpuinfo"))),
            cpus: allowed_cpus().len(),
            load: known(load),
            system: known(format!("{} {}", read("/proc/sys/kernel/ostype").trim(), read("/proc/sys/kernel/osrelease").trim())),
            rustc: format!("rustc {}", rustc_version_runtime::version()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
        }
    }
}

/// Name, family and model of the first CPU in `/proc/cpuinfo`.
fn cpu(text: &str) -> String {
    let field = |name: &str| text.lines().find_map(|line| line.split_once(':').filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim()));
    match (field("model name"), field("cpu family"), field("model")) {
        (Some(name), Some(family), Some(model)) => format!("{name} (family {family}, model {model})"),
        (name, ..) => name.unwrap_or_default().to_owned(),
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { date, cpu, cpus, load, system, rustc, version, profile } = self;
        writeln!(f, "market-hub {version} ({profile}, {rustc})")?;
        writeln!(f, "{date}; {cpu}, {cpus} CPUs; load {load}; {system}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cpu_has_name_family_and_model() {
        assert_eq!(cpu("cpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC\nmodel\t: 7\n"), "AMD EPYC (family 25, model 1)");
        assert_eq!(cpu("BogoMIPS: 5\n"), "");
        assert_eq!(Machine::here(0).date, "1970-01-01T00:00:00Z");
    }
}
