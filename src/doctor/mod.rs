//! The doctor: what on this host is in the way of the hub, for the CPUs that its threads would have. Reads, and changes nothing.
//!
//! Every check is a small function from a [`Host`] to a [`Finding`]. A host is a directory that has `/proc` and `/sys` in it: the real one, or one that a
//! test has made. What cannot be read is said to be unknown, never good.

mod cpu;
mod host;
mod limits;
mod memory;
mod time;

use std::collections::BTreeSet;

pub use host::Host;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It could not be read.
    Unknown,
    /// It costs something now and then.
    Warn,
    /// It costs much, or stops the hub.
    Bad,
}

impl Verdict {
    /// One word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Unknown => "unknown",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// What one check has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// How bad it is.
    pub verdict: Verdict,
    /// What is there.
    pub found: String,
    /// What should be.
    pub wanted: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// The command that mends it; empty where nothing is to be mended.
    pub mend: String,
}

/// What a check looks for, before it has looked.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    what: &'static str,
    wanted: &'static str,
    why: &'static str,
}

impl Check {
    /// A check of this name.
    #[must_use]
    pub const fn new(what: &'static str, wanted: &'static str, why: &'static str) -> Self {
        Self { what, wanted, why }
    }

    /// It is as it should be.
    #[must_use]
    pub fn good(self, found: impl Into<String>) -> Finding {
        self.is(Verdict::Good, found, "")
    }

    /// It could not be read, for this reason.
    #[must_use]
    pub fn unknown(self, why_not: impl Into<String>) -> Finding {
        self.is(Verdict::Unknown, why_not, "")
    }

    /// It is so, and is mended by a command.
    #[must_use]
    pub fn is(self, verdict: Verdict, found: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { what: self.what, verdict, found: found.into(), wanted: self.wanted, why: self.why, mend: mend.into() }
    }
}

/// The CPUs that the hub's threads would have here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cpus {
    /// Those of workers and sender, to which they would be pinned; empty where nothing is pinned.
    pub pinned: BTreeSet<usize>,
    /// How many threads would be pinned to them.
    pub threads: usize,
    /// Those that this process may use.
    pub allowed: BTreeSet<usize>,
}

/// Looks at everything of the host, in the order of what decides most.
#[must_use]
pub fn examine(host: &Host, cpus: &Cpus) -> Vec<Finding> {
    let mut findings = cpu::findings(host, cpus);
    findings.extend(memory::findings(host, cpus));
    findings.extend(limits::findings(host, cpus));
    findings.extend(time::findings(host));
    findings
}

/// CPUs as the system lists them: `0-3,8`.
#[must_use]
pub fn list(cpus: &BTreeSet<usize>) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &cpu in cpus {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == cpu => *last = cpu,
            _ => ranges.push((cpu, cpu)),
        }
    }
    let range = |(first, last): (usize, usize)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    ranges.into_iter().map(range).collect::<Vec<_>>().join(",")
}

/// Reads a list of CPUs as the system writes it; what is no number is passed over.
#[must_use]
pub fn unlist(text: &str) -> BTreeSet<usize> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.trim().parse::<usize>().ok()?..=last.trim().parse::<usize>().ok()?)
    };
    text.split(',').filter_map(range).flatten().collect()
}

#[cfg(test)]
mod tests;
