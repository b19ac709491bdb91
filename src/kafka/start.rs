//! Where each lane starts: at what its group has committed, else at the end of the log that the settings name.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::group::{Committed, Group};
use super::producer::Producer;
use super::topics::{Unavailable, retry};
use super::transaction::Failed;
use crate::checkpoint::{Checkpoint, Claim};
use crate::config::{Config, LaneId};
use crate::delivery::Fault;
use crate::market::Stream;

/// How long a lane that is taken over waits for offsets that are about to be committed: its own are by then, so that what is left belongs to nobody.
const PENDING_MAX: Duration = Duration::from_secs(3);
/// How long a lane whose start was fenced waits at least before it is taken over again.
const FENCED_PAUSE_MIN: Duration = Duration::from_millis(200);

/// The groups of the streams that have lanes, by [`Stream::index`].
pub type Groups = [Option<Arc<Group>>; Stream::COUNT];

/// Where a lane starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// What is committed, or the end of the log that the settings name.
    pub checkpoint: Checkpoint,
    /// The first offset and the end of the log.
    pub log: (i64, i64),
}

impl Start {
    /// Why the lane cannot start there, if it cannot.
    #[must_use]
    pub fn gap(&self) -> Option<OffsetGap> {
        OffsetGap::find(self.checkpoint.offset, self.log)
    }
}

/// An offset that is not in the log: records were deleted, or the topic was made again, or it was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetGap {
    /// The offset that is wanted.
    pub wanted: i64,
    /// The first offset and the end of the log.
    pub log: (i64, i64),
}

impl OffsetGap {
    /// The gap between the offset that is wanted and the log, if there is one.
    #[must_use]
    pub fn find(wanted: i64, log: (i64, i64)) -> Option<Self> {
        (!(log.0..=log.1).contains(&wanted)).then_some(Self { wanted, log })
    }

    /// How many envelopes are gone unread; `None` where the log ends before the offset, and nobody can tell.
    #[must_use]
    pub fn size(&self) -> Option<i64> {
        (self.wanted < self.log.0).then(|| self.log.0 - self.wanted)
    }
}

impl fmt::Display for OffsetGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wanted, log: (low, high) } = self;
        write!(f, "offset {wanted} is wanted, but the log holds {low} to {high}: ")?;
        match self.size() {
            Some(size) => write!(f, "{size} envelopes are gone unread"),
            None => f.write_str("it was cut, or the topic was made again"),
        }
    }
}

/// The groups of all streams that have lanes; nothing is asked yet.
///
/// # Errors
/// librdkafka's, in particular for a property that it does not know.
pub fn groups(config: &Config) -> Result<Groups, String> {
    let mut groups = Groups::default();
    for stream in Stream::ALL.into_iter().filter(|&stream| config.lanes.iter().any(|lane| lane.stream == stream)) {
        groups[stream.index()] = Some(Arc::new(Group::new(config, config.names(stream))?));
    }
    Ok(groups)
}

/// The group of a lane's stream.
///
/// # Panics
/// When the stream has no lane, which is a fault of the program.
#[must_use]
pub fn group_of(groups: &Groups, lane: LaneId) -> &Arc<Group> {
    groups[lane.stream.index()].as_ref().expect("every stream with a lane has a group")
}

/// Where each lane starts.
///
/// # Errors
/// The brokers did not answer before `deadline`.
pub fn starts(config: &Config, groups: &Groups, deadline: Instant) -> Result<BTreeMap<LaneId, Start>, Unavailable> {
    let start = |&lane: &LaneId| {
        let group = group_of(groups, lane);
        let start = retry(deadline, |timeout| start_of(config, group, lane, None, timeout).map_err(|fault| vec![format!("{lane}: {fault}")]))?;
        Ok((lane, start))
    };
    config.lanes.iter().map(start).collect()
}

/// Refuses groups that have members: they would refuse our commits.
///
/// # Errors
/// The groups that have members.
pub fn refuse_members(groups: &Groups, deadline: Instant) -> Result<(), Unavailable> {
    let mut faults = Vec::new();
    for (group, stream) in groups.iter().zip(Stream::ALL).filter_map(|(group, stream)| Some((group.as_ref()?, stream))) {
        let members = retry(deadline, |timeout| group.members(timeout).map_err(|fault| vec![fault]))?;
        if members > 0 {
            faults.push(format!("group {} ({stream}) has {members} members of its own: stop them, or set --{stream}-group", group.name()));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Unavailable(faults)) }
}

/// Where a lane starts, and what is committed for it. `known` is what a running lane knows of that.
fn start_of(config: &Config, group: &Group, lane: LaneId, known: Option<Checkpoint>, timeout: Duration) -> Result<Start, String> {
    let committed = group.committed(lane.partition, timeout)?;
    let log = group.log_range(lane.partition, timeout)?;
    if let Some(Committed { foreign: Some(metadata), checkpoint, .. }) = &committed
        && !metadata.is_empty()
    {
        ::log::warn!("{lane}: the metadata beside committed offset {} is not ours: {metadata:?}; books start unverified", checkpoint.offset);
    }
    let shown = committed.map(|committed| committed.checkpoint);
    let checkpoint = match known {
        Some(known) => at_least(known, shown),
        None => shown.unwrap_or_else(|| Checkpoint::without_books(config.start.offset(log))),
    };
    Ok(Start { checkpoint, log })
}

/// Where a running lane begins again that knows what is committed: never before that, whatever the brokers show. They forget the offset of a lane that is idle for
/// long, and tools delete or move it: it still stands for what is written.
#[must_use]
pub fn at_least(known: Checkpoint, shown: Option<Checkpoint>) -> Checkpoint {
    shown.filter(|shown| shown.offset >= known.offset).unwrap_or(known)
}

/// Takes a lane over: makes the producer with its transactional id, which fences every other, finds out what is committed, and
/// commits the claim beside it, so that a fenced instance can tell who has fenced it. `known` is what a running lane knows to be committed.
///
/// # Errors
/// See [`Failed`].
pub fn take_over(
    config: &Config,
    group: &Group,
    lane: LaneId,
    claim: Claim,
    known: Option<Checkpoint>,
    timeout: Duration,
) -> Result<(Producer, Start), Failed> {
    let fatal = |text| Failed { fault: Fault::Fatal, text };
    let producer = Producer::transactional(config, &config.transactional_id(lane)).map_err(fatal)?;
    // First this: a transaction that a dying instance has left may still move what is committed.
    producer.initialise(timeout)?;
    let ask = |timeout| start_of(config, group, lane, known, timeout).map_err(|text| Failed { fault: Fault::Retriable, text });
    let start = match ask(timeout.min(PENDING_MAX)) {
        Ok(start) => start,
        Err(failed) => {
            ::log::warn!("{lane}: {}; offsets that came too late for their transaction may be in the way and are aborted", failed.text);
            abort_pending(&producer, group, lane, claim, known, timeout)?;
            ask(timeout)?
        }
    };
    producer.begin()?;
    producer.add_offset(group, lane.partition, &start.checkpoint, claim, timeout)?;
    producer.commit(timeout)?;
    if producer.was_cut() {
        // The commit may be on its way a second time, and would end the first transaction that it meets.
        return Err(Failed { fault: Fault::TimedOut, text: "a connection failed meanwhile".to_owned() });
    }
    Ok((producer, start))
}

/// Ends what brokers still hold as pending for the lane in the group. The start of a producer ends every transaction of its id, with marks wherever that had
/// written; offsets that reach the group after that, as happens when a broker dies, belong to none, and would be waited for without end by whoever asks what
/// is committed. They are never part of a committed transaction, for that one's mark would have come after them. The mark of an aborted one ends them.
fn abort_pending(producer: &Producer, group: &Group, lane: LaneId, claim: Claim, known: Option<Checkpoint>, timeout: Duration) -> Result<(), Failed> {
    producer.begin()?;
    producer.add_offset(group, lane.partition, &known.unwrap_or(Checkpoint::without_books(0)), claim, timeout)?;
    producer.abort(timeout, &mut Vec::new())
}

/// Why lanes could not be taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// The brokers did not let us before the deadline.
    Unavailable(Unavailable),
    /// An instance that was started later has this lane.
    Fenced(LaneId),
}

/// Takes a lane over at the start, again and again until `deadline`. Two instances that start at once fence each other: each waits for a time of chance, so
/// that one gets its claim committed, and the earlier one gives way to it.
fn take_over_first(config: &Config, group: &Group, lane: LaneId, claim: Claim, deadline: Instant) -> Result<(Producer, Start), NotTaken> {
    let taken = retry(deadline, |timeout| {
        let failed = match take_over(config, group, lane, claim, None, timeout) {
            Ok(taken) => return Ok(Some(taken)),
            Err(failed) => failed,
        };
        if failed.fault == Fault::Fenced {
            thread::sleep(pause_of_chance());
            if let Ok(Some(Committed { claim: Some(owner), .. })) = group.committed(lane.partition, timeout)
                && claim.gives_way_to(Some(owner))
            {
                return Ok(None);
            }
        }
        Err(vec![format!(
            "{lane}: no transaction with id {}: {}; brokers must offer transactions, and allow this id: see --transactional-prefix, or use --delivery at-least-once",
            config.transactional_id(lane),
            failed.text
        )])
    });
    taken.map_err(NotTaken::Unavailable)?.ok_or(NotTaken::Fenced(lane))
}

/// Takes all lanes over, all at once.
///
/// # Errors
/// See [`NotTaken`]; all lanes that are unavailable, and why.
pub fn take_over_all(config: &Config, groups: &Groups, claim: Claim, deadline: Instant) -> Result<BTreeMap<LaneId, (Producer, Start)>, NotTaken> {
    let results: Vec<_> = thread::scope(|scope| {
        let take = |lane| scope.spawn(move || take_over_first(config, group_of(groups, lane), lane, claim, deadline));
        let threads: Vec<_> = config.lanes.iter().map(|&lane| (lane, take(lane))).collect();
        threads.into_iter().map(|(lane, thread)| (lane, thread.join())).collect()
    });
    let (mut taken, mut faults) = (BTreeMap::new(), Vec::new());
    for (lane, result) in results {
        match result {
            Ok(Ok(start)) => drop(taken.insert(lane, start)),
            Ok(Err(NotTaken::Unavailable(Unavailable(why)))) => faults.extend(why),
            Ok(Err(fenced)) => return Err(fenced),
            Err(_) => faults.push(format!("{lane}: the thread that takes it over died")),
        }
    }
    if faults.is_empty() { Ok(taken) } else { Err(NotTaken::Unavailable(Unavailable(faults))) }
}

/// Longer than it takes to take a lane over, and another one every time: the keys of a hash map are the system's random numbers.
fn pause_of_chance() -> Duration {
    let chance = RandomState::new().build_hasher().finish();
    FENCED_PAUSE_MIN + Duration::from_micros(chance % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_to_be_committed_is_not_done_again() {
        let [earlier, known, later] = [4, 5, 6].map(Checkpoint::without_books);
        assert_eq!(at_least(known, None), known);
        assert_eq!(at_least(known, Some(earlier)), known);
        assert_eq!(at_least(known, Some(later)), later);
        let with_books = Checkpoint { deep: true, ..known };
        assert_eq!(at_least(known, Some(with_books)), with_books, "what stands beside the offset is the brokers'");
    }
}
