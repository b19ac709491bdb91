//! Where each lane starts: at what its group has committed, else at the end of the log that the settings name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::group::{Committed, Group};
use super::outputs::Outputs;
use super::producer::Producer;
use super::topics::{Unavailable, retry};
use super::transaction::Failed;
use crate::checkpoint::{Checkpoint, Claim};
use crate::config::{Config, LaneId};
use crate::delivery::{Fault, Ledger};
use crate::market::Stream;

/// How long a lane that is taken over waits for offsets that are about to be committed: its own are by then, so that what is left belongs to nobody.
const PENDING_MAX: Duration = Duration::from_secs(1);
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
        let start = retry(deadline, |timeout| start_of(config, group, lane, timeout).map_err(|fault| vec![format!("{lane}: {fault}")]))?;
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

/// Where a lane starts that is not running yet.
fn start_of(config: &Config, group: &Group, lane: LaneId, timeout: Duration) -> Result<Start, String> {
    let shown = shown_by(group, lane, timeout)?;
    let log = group.log_range(lane.partition, timeout)?;
    let checkpoint = shown.unwrap_or_else(|| Checkpoint::without_books(config.start.offset(log)));
    Ok(Start { checkpoint, log })
}

/// What a group has as committed for a lane.
fn shown_by(group: &Group, lane: LaneId, timeout: Duration) -> Result<Option<Checkpoint>, String> {
    let committed = group.committed(lane.partition, timeout)?;
    if let Some(Committed { foreign: Some(metadata), checkpoint, .. }) = &committed
        && !metadata.is_empty()
    {
        ::log::warn!("{lane}: the metadata beside committed offset {} is not ours: {metadata:?}; books start unverified", checkpoint.offset);
    }
    Ok(committed.map(|committed| committed.checkpoint))
}

/// What a lane is taken over with.
#[derive(Clone, Copy)]
pub struct TakeOver<'a> {
    /// The settings.
    pub config: &'a Config,
    /// The lane's group.
    pub group: &'a Group,
    /// The logs that lanes write to.
    pub outputs: &'a Outputs,
    /// The lane.
    pub lane: LaneId,
    /// Who takes it over.
    pub claim: Claim,
    /// How long each question and call may take.
    pub timeout: Duration,
}

impl TakeOver<'_> {
    /// Takes the lane over: makes the producer with its transactional id, which fences every other, finds out what is committed, and commits the claim
    /// beside it, so that a fenced instance can tell who has fenced it. `ledger` is a running lane's.
    ///
    /// # Errors
    /// See [`Failed`].
    pub fn run(self, ledger: Option<&Ledger>) -> Result<(Producer, Start), Failed> {
        let Self { config, lane, .. } = self;
        let fatal = |text| Failed { fault: Fault::Fatal, text };
        let producer = Producer::transactional(config, &config.transactional_id(lane)).map_err(fatal)?;
        match self.with(&producer, ledger) {
            Ok(start) => Ok((producer, start)),
            Err(failed) => {
                producer.retire();
                Err(failed)
            }
        }
    }

    fn with(self, producer: &Producer, ledger: Option<&Ledger>) -> Result<Start, Failed> {
        // First this: a transaction that a dying instance has left may still move what is committed.
        producer.initialise(self.timeout)?;
        let start = match ledger {
            Some(ledger) => self.goes_on(producer, ledger)?,
            None => self.starts(producer)?,
        };
        producer.begin()?;
        self.add_offset(producer, &start.checkpoint)?;
        producer.commit(self.timeout)?;
        if producer.was_cut() {
            // The commit may be on its way a second time, and would end the first transaction that it meets.
            return Err(Failed { fault: Fault::TimedOut, text: "a connection failed meanwhile".to_owned() });
        }
        Ok(start)
    }

    /// Where a lane starts that is not running yet.
    fn starts(self, producer: &Producer) -> Result<Start, Failed> {
        let Self { config, group, lane, timeout, .. } = self;
        let start = start_of(config, group, lane, timeout.min(PENDING_MAX));
        let hanging = self.hanging(std::iter::empty())?;
        if !hanging.is_empty() {
            ::log::warn!("{lane}: brokers have not ended what is in {hanging:?}: it shares the fate of the lane's next transaction");
        }
        // Offsets that are about to be committed belong to nobody now: a broker has not marked them, or they came too late for their transaction. What was to
        // become of them only the instance knew that is gone: they are aborted, with what hangs in the outputs.
        start.or_else(|text| {
            ::log::warn!("{lane}: {text}; offsets that are about to be committed may be in the way and are aborted, with what hangs");
            self.abort_in(producer, &hanging, &Checkpoint::without_books(0))?;
            start_of(config, group, lane, timeout).map_err(retriable)
        })
    }

    /// Where a lane goes on that is running. What hangs in its outputs is aborted, so that everything is decided; then the outputs tell how far it has come.
    fn goes_on(self, producer: &Producer, ledger: &Ledger) -> Result<Start, Failed> {
        let Self { group, outputs, lane, timeout, .. } = self;
        let hanging = self.hanging(ledger.logs())?;
        if !hanging.is_empty() {
            ::log::warn!("{lane}: brokers have not ended what is in {hanging:?}: it is aborted");
            self.abort_in(producer, &hanging, &ledger.known())?;
        }
        let shown = shown_by(group, lane, timeout.min(PENDING_MAX)).unwrap_or_else(|text| {
            ::log::warn!("{lane}: {text}; offsets that are about to be committed may be in the way");
            None
        });
        let checkpoint = ledger.find(shown, |record| outputs.shows(record, timeout)).map_err(retriable)?;
        if checkpoint != ledger.known() || shown != Some(checkpoint) {
            let [known, at] = [ledger.known(), checkpoint].map(|checkpoint| checkpoint.offset);
            let shown = shown.map_or_else(|| "nothing".to_owned(), |shown| shown.offset.to_string());
            ::log::warn!("{lane}: committed was offset {known}, the group shows {shown}, and what is written says {at}: it goes on from there");
        }
        Ok(Start { checkpoint, log: group.log_range(lane.partition, timeout).map_err(retriable)? })
    }

    /// Those of a lane's outputs, and of others that it has written to, that end in something that is not decided. Nothing of the lane is open.
    fn hanging<'l>(self, others: impl Iterator<Item = (&'l str, i32)>) -> Result<Vec<(String, i32)>, Failed> {
        let names = self.config.names(self.lane.stream);
        let own = [&names.output, &names.dlt].map(|topic| (topic.clone(), self.lane.partition));
        let mut logs: BTreeSet<(String, i32)> = others.map(|(topic, partition)| (topic.to_owned(), partition)).chain(own).collect();
        let mut hanging = Vec::new();
        while let Some((topic, partition)) = logs.pop_first() {
            if self.outputs.hangs(self.group, &topic, partition, self.timeout).map_err(retriable)? {
                hanging.push((topic, partition));
            }
        }
        Ok(hanging)
    }

    /// Ends what hangs in these logs and in the group: the mark of an aborted transaction does.
    fn abort_in(self, producer: &Producer, logs: &[(String, i32)], offset: &Checkpoint) -> Result<(), Failed> {
        producer.begin()?;
        producer.touch(logs, self.timeout)?;
        self.add_offset(producer, offset)?;
        producer.abort(self.timeout, &mut Vec::new())
    }

    fn add_offset(self, producer: &Producer, checkpoint: &Checkpoint) -> Result<(), Failed> {
        producer.add_offset(self.group, self.lane.partition, checkpoint, self.claim, self.timeout)
    }
}

const fn retriable(text: String) -> Failed {
    Failed { fault: Fault::Retriable, text }
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
fn take_over_first(config: &Config, group: &Group, outputs: &Outputs, lane: LaneId, claim: Claim, deadline: Instant) -> Result<(Producer, Start), NotTaken> {
    let taken = retry(deadline, |timeout| {
        let failed = match (TakeOver { config, group, outputs, lane, claim, timeout }).run(None) {
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
pub fn take_over_all(
    config: &Config,
    groups: &Groups,
    outputs: &Outputs,
    claim: Claim,
    deadline: Instant,
) -> Result<BTreeMap<LaneId, (Producer, Start)>, NotTaken> {
    let results: Vec<_> = thread::scope(|scope| {
        let take = |lane| scope.spawn(move || take_over_first(config, group_of(groups, lane), outputs, lane, claim, deadline));
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
