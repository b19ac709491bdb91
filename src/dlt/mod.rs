//! Dead letters one can act on: counted, shown, and sent back to where they came from.
//!
//! ```text
//!  input topic ─▶ hub ─▶ dead-letter topic ─▶ Shelf ─▶ Selection ─▶ count, show
//!       ▲                                                  └──────▶ wrap ─▶ send ─▶ progress
//!       └──────────────────────────────────────────────────────────────────┘
//! ```
//! Never reads beyond the ends that the topics had at the beginning: what comes back dead from a replay belongs to the next one.

mod letter;
mod progress;
mod replay;
mod select;
mod tally;
mod wrap;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

pub use letter::{Header, Letter, REPLAYS};
pub use progress::Progress;
pub use replay::{Ended, Outcome, Plan, Replay};
pub use select::Selection;
pub use tally::{Group, Tally, Total};
pub use wrap::Skip;

use crate::config::{Config, LaneId};
use crate::kafka::{Bookmarks, Cluster, Edge, LogReader, Stretch, Unavailable};

/// Why a command ends early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Brokers, topics or partitions are not there.
    Unavailable(Unavailable),
    /// librdkafka refuses a property.
    Refused(String),
    /// There is no such dead-letter topic or partition among those of the lanes.
    NoSuchPlace(String),
    /// An envelope cannot be sent.
    NotSent(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(faults) => write!(f, "{faults}"),
            Self::Refused(fault) => write!(f, "librdkafka refuses the settings: {fault}"),
            Self::NoSuchPlace(fault) => f.write_str(fault),
            Self::NotSent(fault) => write!(f, "an envelope cannot be sent: {fault}"),
        }
    }
}

impl From<Unavailable> for Error {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

/// One dead-letter partition, as it was when the shelf was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Whose dead letters.
    pub lane: LaneId,
    /// All of it.
    pub log: Stretch,
    /// What is looked at: all of it, or one letter.
    pub looked_at: Stretch,
}

/// The dead-letter partitions of the lanes, as far as they are selected.
pub struct Shelf {
    reader: LogReader,
    parts: Vec<Part>,
}

impl Shelf {
    /// Finds the partitions that `selection` asks for.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn open(config: &Arc<Config>, selection: &Selection) -> Result<Self, Error> {
        let deadline = Instant::now() + config.start_deadline;
        let lanes = lanes(config, selection)?;
        let reader = LogReader::new(config).map_err(Error::Refused)?;
        let known = Cluster::new(config).map_err(Error::Refused)?.wait_for_brokers(deadline)?;
        let faults = faults(config, &lanes, &known);
        if !faults.is_empty() {
            return Err(Unavailable(faults).into());
        }
        let mut parts = Vec::new();
        for lane in lanes {
            let log = reader.whole(&config.names(lane.stream).dlt, lane.partition, deadline)?;
            let looked_at = match selection.offset {
                Some(offset) => reader.part(&log, Edge::Offset(offset), Edge::Offset(offset.saturating_add(1)), deadline)?,
                None => log.clone(),
            };
            parts.push(Part { lane, log, looked_at });
        }
        Ok(Self { reader, parts })
    }

    /// How many offsets all that is looked at spans; there may be fewer letters.
    #[must_use]
    pub fn span(&self) -> u64 {
        self.parts.iter().map(|part| part.looked_at.span()).sum()
    }

    /// Calls `each` with every letter, lane by lane, oldest first, until it breaks off.
    ///
    /// # Errors
    /// Those of `each`; a partition cannot be read to its end.
    pub fn read<E: From<Unavailable>>(&self, mut each: impl FnMut(&Part, &Letter<'_>) -> Result<ControlFlow<()>, E>) -> Result<(), E> {
        for part in &self.parts {
            let mut flow = ControlFlow::Continue(());
            self.reader.read(&part.looked_at, |record| {
                flow = each(part, &Letter::of(*record))?;
                Ok::<_, E>(flow)
            })?;
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// What was replayed of each partition, as the bookmarks of `group` have it.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn progress(&self, config: &Config, bookmarks: &Bookmarks) -> Result<BTreeMap<LaneId, Progress>, Error> {
        let deadline = Instant::now() + config.start_deadline;
        let mut progress = BTreeMap::new();
        for Part { lane, log, .. } in &self.parts {
            let bookmark = bookmarks.read(&log.topic, log.partition, deadline)?;
            let read = bookmark.map_or(Progress::from(0), |bookmark| Progress::read(bookmark.offset, &bookmark.words));
            progress.insert(*lane, settled(read, log));
        }
        Ok(progress)
    }
}

/// What is remembered of a partition, held against its log as it is: letters that are gone need no memory, and what was remembered beyond the end is of a
/// topic that was made anew.
fn settled(mut remembered: Progress, log: &Stretch) -> Progress {
    if remembered.next() > log.to {
        log::warn!("{}, partition {}: it ends before what was replayed of it, so it was made anew; nothing of it counts as replayed", log.topic, log.partition);
        return Progress::from(log.from);
    }
    remembered.insert(0..log.from);
    remembered
}

/// The lanes whose dead-letter partitions are meant.
fn lanes(config: &Config, selection: &Selection) -> Result<Vec<LaneId>, Error> {
    let is_meant = |lane: &LaneId| {
        let names = config.names(lane.stream);
        selection.topic.as_ref().is_none_or(|topic| *topic == names.dlt || *topic == names.input)
            && selection.partition.is_none_or(|partition| partition == lane.partition)
    };
    let lanes: Vec<LaneId> = config.lanes.iter().filter(|lane| is_meant(lane)).copied().collect();
    if lanes.is_empty() {
        let mut topics: Vec<&str> = config.lanes.iter().map(|lane| config.names(lane.stream).dlt.as_str()).collect();
        topics.dedup();
        return Err(Error::NoSuchPlace(format!("no lane has that dead-letter topic and partition; the lanes' topics are {} (--lanes)", topics.join(", "))));
    }
    Ok(lanes)
}

/// What is wrong with the dead-letter topics of `lanes`.
fn faults(config: &Config, lanes: &[LaneId], known: &BTreeMap<String, i32>) -> Vec<String> {
    let mut faults: Vec<String> = lanes
        .iter()
        .filter_map(|lane| {
            let topic = &config.names(lane.stream).dlt;
            match known.get(topic) {
                None => Some(format!("topic {topic} (dead letters of {}) is missing; --lanes leaves streams out", lane.stream)),
                Some(&count) if lane.partition >= count => Some(format!("topic {topic} has {count} partitions, and {lane} is not among them")),
                Some(_) => None,
            }
        })
        .collect();
    faults.dedup();
    faults
}
