//! The proof of a bucket: what its objects' names and lines say, held against the topics.
//!
//! It is the same for whoever wrote them: keys are read by a pattern, and the offset up to which they must be there is that of a group.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use flate2::read::MultiGzDecoder;
use parking_lot::Mutex;

use super::Source;
use super::coverage::{Coverage, Piece, Records, Wanted};
use super::s3::{Cause, Error, Stop, Store};
use super::{faults, partitions_of};
use crate::config::{Config, Delivery, KeyPattern, StartAt};
use crate::kafka::{Bookmarks, Cluster, Edge, LogReader, Unavailable};

/// How many objects are fetched at a time: the store's latency rules.
const FETCHERS: usize = 8;
/// How long the store may take for one answer, with all tries.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// What is to be proved.
#[derive(Clone, Debug)]
pub struct Claim<'c> {
    /// The topics, with their buckets.
    pub sources: Vec<Source>,
    /// How keys are made.
    pub pattern: &'c KeyPattern,
    /// The group of each source whose committed offset says what must be there; by its place in `sources`.
    pub groups: Vec<String>,
    /// Offsets that are stated in place of what the group and the topic say, for every partition.
    pub stated: Wanted,
    /// Whether the brokers are asked. Else only the objects speak for themselves.
    pub asks_kafka: bool,
}

/// What was found of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The bucket.
    pub bucket: String,
    /// The offset up to which objects must be there, if somebody said so.
    pub to: Option<i64>,
    /// Whether every record was looked up in the topic, from this offset on.
    pub known_from: Option<i64>,
    /// What the objects prove.
    pub coverage: Coverage,
}

/// Is told how many objects of a topic have been fetched, out of how many; by several threads.
pub type Fetched<'f> = dyn Fn(&str, u64, u64) + Sync + 'f;

/// Looks at every object of the claim's topics, and gives a finding for each partition that has objects or must have some.
///
/// # Errors
/// Brokers, topics or the store are not there, or refuse.
pub fn verify(config: &Config, claim: &Claim<'_>, fetched: &Fetched<'_>) -> Result<Vec<Finding>, Error> {
    let store = Store::new(config, claim.sources.iter().map(|source| source.bucket.clone())).map_err(Error::Refused)?;
    let log = if claim.asks_kafka { Some(Log::open(config, &claim.sources)?) } else { None };
    let mut findings = Vec::new();
    for (source, group) in claim.sources.iter().zip(&claim.groups) {
        let mut pieces = pieces(&store, source, claim.pattern, fetched)?;
        let covered = log.as_ref().map_or_else(Vec::new, |log| partitions_of(config, source, &log.known));
        for partition in covered {
            pieces.entry(partition).or_default();
        }
        for (partition, pieces) in pieces {
            let facts = match &log {
                Some(log) => log.facts(config, source, partition, group, pieces.first().map(|piece| piece.first))?,
                None => Facts { wanted: Wanted { from: None, to: None }, known_from: None, offsets: Vec::new() },
            };
            let wanted = Wanted { from: claim.stated.from.or(facts.wanted.from), to: claim.stated.to.or(facts.wanted.to) };
            let records =
                Records { known_from: facts.known_from.unwrap_or(i64::MAX), offsets: &facts.offsets, is_dense: config.delivery == Delivery::AtLeastOnce };
            let coverage = Coverage::of(pieces, &wanted, records);
            findings.push(Finding {
                topic: source.topic.clone(),
                partition,
                bucket: source.bucket.clone(),
                to: wanted.to,
                known_from: facts.known_from,
                coverage,
            });
        }
    }
    Ok(findings)
}

/// The objects of a source by partition, each partition's by offset.
fn pieces(store: &Store, source: &Source, pattern: &KeyPattern, fetched: &Fetched<'_>) -> Result<BTreeMap<i32, Vec<Piece>>, Stop> {
    let mut places = Vec::new();
    for object in store.list(&source.bucket, &pattern.prefix(&source.topic), ANSWER_LIMIT)? {
        match pattern.read(&source.topic, &object.key) {
            Some((partition, first)) => places.push((partition, first, object.key)),
            // A topic's name may begin with that of another.
            None => log::debug!("{}: {} is no key of {}", source.bucket, object.key, source.topic),
        }
    }
    places.sort_unstable();
    let (next, found, failure) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(places.len())), Mutex::new(None));
    thread::scope(|scope| {
        for _ in 0..FETCHERS.min(places.len()) {
            scope.spawn(|| {
                while let Some((partition, first, key)) = places.get(next.fetch_add(1, Ordering::Relaxed))
                    && failure.lock().is_none()
                {
                    match lines(store, &source.bucket, key) {
                        Ok(lines) => {
                            let mut found = found.lock();
                            found.push((*partition, Piece { key: key.clone(), first: *first, lines }));
                            let count = found.len() as u64;
                            drop(found);
                            fetched(&source.topic, count, places.len() as u64);
                        }
                        Err(stop) => drop(failure.lock().get_or_insert(stop)),
                    }
                }
            });
        }
    });
    if let Some(stop) = failure.into_inner() {
        return Err(stop);
    }
    let mut pieces: BTreeMap<i32, Vec<Piece>> = BTreeMap::new();
    for (partition, piece) in found.into_inner() {
        pieces.entry(partition).or_default().push(piece);
    }
    pieces.values_mut().for_each(|pieces| pieces.sort_by_key(|piece| piece.first));
    Ok(pieces)
}

/// How many lines an object has. One that cannot be unpacked has those that can be.
fn lines(store: &Store, bucket: &str, key: &str) -> Result<u64, Stop> {
    let bytes = store.get(bucket, key, ANSWER_LIMIT)?;
    let is_packed = bytes.starts_with(&[0x1f, 0x8b]);
    let counted = if is_packed { count(BufReader::new(MultiGzDecoder::new(&bytes[..]))) } else { count(&bytes[..]) };
    counted.map_err(|error| Stop { cause: Cause::Refused, message: format!("{bucket}/{key} is damaged: {error}") })
}

fn count(mut input: impl std::io::BufRead) -> std::io::Result<u64> {
    let (mut lines, mut line) = (0, Vec::new());
    while input.read_until(b'\n', &mut line)? > 0 {
        lines += 1;
        line.clear();
    }
    Ok(lines)
}

/// What the brokers know.
struct Log {
    reader: LogReader,
    known: BTreeMap<String, i32>,
    deadline: Instant,
}

/// What they know of one partition.
struct Facts {
    wanted: Wanted,
    known_from: Option<i64>,
    offsets: Vec<i64>,
}

impl Log {
    fn open(config: &Config, sources: &[Source]) -> Result<Self, Error> {
        let deadline = Instant::now() + config.start_deadline;
        let cluster = Cluster::new(&Arc::new(config.clone())).map_err(Error::Refused)?;
        let known = cluster.wait_for_brokers(deadline)?;
        let faults = faults(config, sources, &known);
        if !faults.is_empty() {
            return Err(Unavailable(faults).into());
        }
        Ok(Self { reader: LogReader::new(config).map_err(Error::Refused)?, known, deadline })
    }

    /// Reads the offsets of a partition's records, from the first object on.
    fn facts(&self, config: &Config, source: &Source, partition: i32, group: &str, first: Option<i64>) -> Result<Facts, Error> {
        let whole = self.reader.whole(&source.topic, partition, self.deadline)?;
        let committed = Bookmarks::new(config, group).map_err(Error::Refused)?.read(&source.topic, partition, self.deadline)?;
        let to = committed.map(|bookmark| bookmark.offset);
        if to.is_none() && first.is_none() {
            return Ok(Facts { wanted: Wanted { from: None, to }, known_from: None, offsets: Vec::new() });
        }
        let from = match config.start {
            // Whoever began at the end of the log has left out what was there.
            StartAt::Latest => first,
            StartAt::Earliest => Some(first.map_or(whole.from, |first| first.min(whole.from))),
        };
        let part = self.reader.part(&whole, from.map_or(Edge::Start, Edge::Offset), Edge::End, self.deadline)?;
        let mut offsets = Vec::new();
        self.reader.read(&part, |input| {
            offsets.push(input.offset);
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        Ok(Facts { wanted: Wanted { from, to }, known_from: Some(part.from), offsets })
    }
}
