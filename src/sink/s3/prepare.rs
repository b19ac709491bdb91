//! The start of the writer: everything that a session needs, and everything that is wrong, before the first record is read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Error;
use super::beyond::Beyond;
use super::part::Part;
use super::session::{act_on_gap, assign};
use super::store::Store;
use super::verdict::Cause;
use crate::config::{Config, StartAt, StreamNames};
use crate::kafka::{Bookmarks, Cluster, Consumer, LogReader, OffsetGap, Unavailable};
use crate::sink::roll::Bounds;
use crate::sink::{Source, covered, faults, partitions_of};

/// How long a wait goes on before it is looked whether all shall stop.
const SLICE: Duration = Duration::from_secs(3);
/// How long to wait before the store is asked again.
const PAUSE: Duration = Duration::from_millis(500);
/// What one consumer keeps at hand: the writer's memory is for what is under way.
const FETCH_QUEUE_KIB_MAX: usize = 8192;

/// See the module.
pub(super) struct Prepared {
    pub sources: Vec<Source>,
    /// One for each source.
    pub consumers: Vec<Consumer>,
    pub parts: Vec<Part>,
    pub store: Arc<Store>,
}

impl Prepared {
    /// Waits for brokers, topics and store until the deadline of the start; `None` where it was stopped before that.
    pub fn unless_stopped(config: &Config, stop: &AtomicBool) -> Result<Option<Self>, Error> {
        let deadline = Instant::now() + config.start_deadline;
        let sources = covered(config);
        let store = Arc::new(Store::new(config, sources.iter().map(|source| source.bucket.clone())).map_err(Error::Refused)?);
        let cluster = Cluster::new(&Arc::new(config.clone())).map_err(Error::Refused)?;
        let find = |slice: Instant| {
            let known = cluster.wait_for_brokers(slice)?;
            let faults = faults(config, &sources, &known);
            if faults.is_empty() { Ok(known) } else { Err(Unavailable(faults)) }
        };
        let Some(known) = until(deadline, stop, find)? else { return Ok(None) };
        if !prove(&store, deadline, stop)? {
            return Ok(None);
        }
        let Some(mut parts) = until(deadline, stop, |slice| parts(config, &sources, &known, slice))? else { return Ok(None) };
        let consumers = consumers(config, &sources, &mut parts)?;
        Ok(Some(Self { sources, consumers, parts, store }))
    }
}

/// Waits for the store; says whether it is there, and was not stopped before that.
fn prove(store: &Store, deadline: Instant, stop: &AtomicBool) -> Result<bool, Error> {
    while !stop.load(Ordering::Acquire) {
        match store.prove() {
            Ok(()) => return Ok(true),
            Err(away) if away.cause == Cause::Away && Instant::now() < deadline => log::warn!("not yet, trying again: {}", away.message),
            Err(stop) => return Err(stop.into()),
        }
        std::thread::sleep(PAUSE);
    }
    Ok(false)
}

/// Tries again in slices, so that a stop is seen, until it succeeds or the deadline is over.
fn until<T>(deadline: Instant, stop: &AtomicBool, mut attempt: impl FnMut(Instant) -> Result<T, Unavailable>) -> Result<Option<T>, Error> {
    loop {
        match attempt(deadline.min(Instant::now() + SLICE)) {
            Ok(found) => return Ok(Some(found)),
            Err(_) if stop.load(Ordering::Acquire) => return Ok(None),
            Err(faults) if Instant::now() >= deadline => return Err(Error::Unavailable(faults)),
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn parts(config: &Config, sources: &[Source], known: &BTreeMap<String, i32>, deadline: Instant) -> Result<Vec<Part>, Unavailable> {
    let refused = |fault: String| Unavailable(vec![fault]);
    let (bookmarks, reader) = (Bookmarks::new(config, &config.writer.group).map_err(refused)?, LogReader::new(config).map_err(refused)?);
    let mut parts = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        for partition in partitions_of(config, source, known) {
            let whole = reader.whole(&source.topic, partition, deadline)?;
            let start = match config.start {
                StartAt::Earliest => whole.from,
                StartAt::Latest => whole.to,
            };
            let committed = bookmarks.read(&source.topic, partition, deadline)?;
            let offset = committed.as_ref().map_or(start, |bookmark| bookmark.offset);
            let bounds = Bounds { records: source.records, bytes: config.writer.object_bytes };
            let said = committed.as_ref().and_then(|bookmark| Beyond::read(&bookmark.words));
            let mut part = Part::new(&source.topic, partition, index, offset, (whole.from, whole.to), bounds, said);
            if let Some(gap) = OffsetGap::find(offset, part.log) {
                act_on_gap(&mut part, gap, config.on_offset_gap);
            }
            parts.push(part);
        }
    }
    Ok(parts)
}

fn consumers(config: &Config, sources: &[Source], parts: &mut [Part]) -> Result<Vec<Consumer>, Error> {
    let mut config = config.clone();
    config.kafka.fetch_queue_kib = config.kafka.fetch_queue_kib.min(FETCH_QUEUE_KIB_MAX);
    let mut consumers = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        let count = parts.iter().filter(|part| part.source == index).count();
        let group = config.writer.group.clone();
        let names = StreamNames { input: source.topic.clone(), output: String::new(), dlt: String::new(), group };
        let consumer = Consumer::new(&config, &names, count).map_err(Error::Refused)?;
        assign(&consumer, index, parts)?;
        consumers.push(consumer);
    }
    Ok(consumers)
}
