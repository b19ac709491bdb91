//! The writer: records of the output topics into gzip JSON lines in an S3 store, each once.
//!
//! Exactly once is by naming: an object's key and bytes are a function of the records in it, its offset is committed after the store has acknowledged
//! it, and every commit is where an object begins. Whatever is done again after a crash puts the same bytes under the same key. Never stops the hub:
//! where it runs beside one, it raises an alarm and tries again.

mod beyond;
mod connection;
mod part;
mod prepare;
mod session;
mod store;
mod supervise;
mod uploader;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::AtomicBool;

pub use store::{Listed, Store};
pub use supervise::Beside;
pub use verdict::{Cause, Stop};

use super::{covered, faults};
use crate::config::Config;
use crate::kafka::Unavailable;
use crate::observe::Board;
use prepare::Prepared;
use session::Session;

/// Why the writer ends without success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Brokers or topics are not there.
    Unavailable(Unavailable),
    /// The settings cannot be used.
    Refused(String),
    /// The store refuses, or is not there at the start.
    Store(Stop),
    /// The deadline of the stop was over before everything that is whole was committed, for so many partitions.
    Uncommitted(usize),
    /// A thread died.
    Died(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(faults) => write!(f, "{faults}"),
            Self::Store(stop) => f.write_str(&stop.message),
            Self::Uncommitted(parts) => {
                write!(f, "stopped at the deadline with objects of {parts} partitions not committed; they will be written again, under the same keys")
            }
            Self::Refused(fault) | Self::Died(fault) => f.write_str(fault),
        }
    }
}

impl From<Unavailable> for Error {
    fn from(faults: Unavailable) -> Self {
        Self::Unavailable(faults)
    }
}

/// Looks whether the topics and buckets that a writer would need are there, and whether the store takes the keys; makes none. Returns the buckets.
///
/// # Errors
/// See [`Error`]; a store that is away is one.
pub fn check(config: &Config, known: &BTreeMap<String, i32>) -> Result<BTreeSet<String>, Error> {
    let sources = covered(config);
    let faults = faults(config, &sources, known);
    if !faults.is_empty() {
        return Err(Unavailable(faults).into());
    }
    let buckets: BTreeSet<String> = sources.into_iter().map(|source| source.bucket).collect();
    let mut looking = config.clone();
    looking.writer.create_bucket = false;
    match Store::new(&looking, buckets.iter().cloned()).map_err(Error::Refused)?.prove() {
        Err(missing) if missing.cause == Cause::NoBucket && config.writer.create_bucket => log::info!("{}; a run makes it", missing.message),
        proved => proved?,
    }
    Ok(buckets)
}

/// Writes the lanes' records to the store until `stop` is set, and tells `board` how it is.
///
/// # Errors
/// See [`Error`]. What passes by itself, such as a store that is away, is none once everything was there.
pub fn run(config: &Config, stop: &AtomicBool, board: Option<&Board>) -> Result<(), Error> {
    let Some(prepared) = Prepared::unless_stopped(config, stop)? else { return Ok(()) };
    log::info!("sink: {} partitions of {} topics go to {}", prepared.parts.len(), prepared.sources.len(), config.store.endpoint);
    Session::start(config, prepared, board)?.run(stop)
}
