//! A model of the brokers: input logs with holes and heads that are deleted, committed offsets, and a coordinator of transactions a lane, whose requests
//! may come late and twice. And what everything in the simulation shares: the random source, the clock, the trace.

use market_hub::checkpoint::{Checkpoint, Claim};
use market_hub::delivery::Fault;

use crate::check::Check;
use crate::input::{Input, Message};
use crate::plan::Plan;
use crate::random::{Random, Trace};

/// The input log of a lane.
#[derive(Default)]
pub(crate) struct Log {
    records: Vec<Input>,
    pub(crate) low: i64,
    pub(crate) high: i64,
}

impl Log {
    /// The first record at an offset or behind it.
    pub(crate) fn at(&self, offset: i64) -> Option<Input> {
        let index = self.records.partition_point(|input| input.offset < offset.max(self.low));
        self.records.get(index).copied()
    }

    pub(crate) const fn range(&self) -> (i64, i64) {
        (self.low, self.high)
    }

    pub(crate) const fn len(&self) -> usize {
        self.records.len()
    }
}

struct Open {
    since_ms: u64,
    messages: Vec<Message>,
    offset: Option<(i64, String)>,
}

/// A request that comes late, of a producer's epoch.
#[derive(Debug)]
pub(crate) enum Late {
    End { epoch: u32, commit: bool },
    Produce { epoch: u32, message: Message },
}

/// The coordinator of one transactional id.
#[derive(Default)]
struct Coordinator {
    epoch: u32,
    open: Option<Open>,
    /// How the last transaction ended: whether it was committed.
    ended: Option<bool>,
    late: Vec<Late>,
}

/// See the module.
pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) plan: Plan,
    pub(crate) trace: Trace,
    pub(crate) check: Check,
    pub(crate) now_ms: u64,
    pub(crate) logs: Vec<Log>,
    /// Whether all brokers are away.
    pub(crate) outage: bool,
    /// Whether the instance whose step it is dies now.
    pub(crate) crashes: bool,
    committed: Vec<Option<(i64, String)>>,
    coordinators: Vec<Coordinator>,
}

impl World {
    pub(crate) fn new(plan: Plan, random: Random, trace: Trace) -> Self {
        let lanes = plan.lanes;
        Self {
            random,
            check: Check::new(lanes, plan.exactly_once),
            plan,
            trace,
            now_ms: 0,
            logs: (0..lanes).map(|_| Log::default()).collect(),
            outage: false,
            crashes: false,
            committed: vec![None; lanes],
            coordinators: (0..lanes).map(|_| Coordinator::default()).collect(),
        }
    }

    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        let now_ms = self.now_ms;
        self.trace.note(|| format!("{now_ms:>6} ms  {}", line()));
    }

    /// A record comes into a log, now and then behind a hole.
    pub(crate) fn append(&mut self, lane: usize) {
        if self.logs[lane].len() >= self.plan.inputs {
            return;
        }
        let offset = self.logs[lane].high + if self.random.below(6) == 0 { self.random.below(4) as i64 } else { 0 };
        let input = Input::new(offset, &mut self.random, self.plan.faults.oversized);
        self.note(|| format!("lane {lane}: {input:?}"));
        self.check.appended(lane, &input);
        let marks = i64::from(self.random.below(8) == 0);
        let log = &mut self.logs[lane];
        log.records.push(input);
        log.high = offset + 1 + marks;
    }

    /// The head of a log is deleted.
    pub(crate) fn delete_head(&mut self, lane: usize) {
        let (low, high) = self.logs[lane].range();
        let ahead = self.random.below((high - low) as usize + 1) as i64;
        self.logs[lane].low = low + if self.random.below(3) == 0 { ahead } else { ahead / 3 };
        self.note(|| format!("lane {lane}: the log begins at {}", self.logs[lane].low));
    }

    /// What is committed, as a group asks for it.
    pub(crate) fn committed(&self, lane: usize) -> Option<(Checkpoint, Option<Claim>)> {
        let (offset, metadata) = self.committed[lane].as_ref()?;
        Some(Checkpoint::read(*offset, metadata.as_bytes()).expect("it is ours"))
    }

    pub(crate) fn committed_offset(&self, lane: usize) -> i64 {
        self.committed[lane].as_ref().map_or(0, |committed| committed.0)
    }

    /// The answer to the question what is committed, which waits for a transaction that may commit.
    pub(crate) fn ask_committed(&mut self, lane: usize) -> Result<Option<(Checkpoint, Option<Claim>)>, Fault> {
        let is_unstable = self.coordinators[lane].open.as_ref().is_some_and(|open| open.offset.is_some());
        if self.outage || is_unstable || self.random.happens(self.plan.faults.ask) { Err(Fault::Retriable) } else { Ok(self.committed(lane)) }
    }

    /// Where a lane starts.
    pub(crate) fn start(&mut self, lane: usize, claim: Claim) -> (Checkpoint, (i64, i64)) {
        let log = self.logs[lane].range();
        let checkpoint = match self.committed(lane) {
            Some((checkpoint, _)) => checkpoint,
            // Nobody has promised anything about what was deleted before the first commit.
            None => {
                self.check.skips(lane, claim, 0, log.0);
                Checkpoint::without_books(log.0)
            }
        };
        (checkpoint, log)
    }

    pub(crate) fn commit(&mut self, lane: usize, checkpoint: &Checkpoint) {
        self.note(|| format!("lane {lane}: {} is committed", checkpoint.offset));
        self.check.committed(lane, self.committed_offset(lane), checkpoint);
        self.committed[lane] = Some((checkpoint.offset, checkpoint.metadata(None)));
    }

    /// A new producer with the id of a lane; gives its epoch.
    pub(crate) fn initialise(&mut self, lane: usize) -> u32 {
        let coordinator = &mut self.coordinators[lane];
        coordinator.epoch += 1;
        (coordinator.open, coordinator.ended) = (None, None);
        coordinator.epoch
    }

    fn open(&mut self, lane: usize, epoch: u32) -> Result<&mut Open, Fault> {
        let coordinator = &mut self.coordinators[lane];
        if coordinator.epoch != epoch {
            return Err(Fault::Fenced);
        }
        let now_ms = self.now_ms;
        Ok(coordinator.open.get_or_insert_with(|| Open { since_ms: now_ms, messages: Vec::new(), offset: None }))
    }

    pub(crate) fn produce(&mut self, lane: usize, epoch: u32, message: &Message) -> Result<(), Fault> {
        self.open(lane, epoch).map(|open| open.messages.push(*message))
    }

    pub(crate) fn add_offset(&mut self, lane: usize, epoch: u32, checkpoint: &Checkpoint, claim: Claim) -> Result<(), Fault> {
        self.open(lane, epoch).map(|open| open.offset = Some((checkpoint.offset, checkpoint.metadata(Some(claim)))))
    }

    /// Ends the transaction of a lane. Asked once more, it says the same.
    pub(crate) fn end(&mut self, lane: usize, epoch: u32, commit: bool) -> Result<(), Fault> {
        let coordinator = &mut self.coordinators[lane];
        if coordinator.epoch != epoch {
            return Err(Fault::Fenced);
        }
        let Some(open) = coordinator.open.take() else {
            // A transaction with nothing in it is known to nobody but the producer.
            return if coordinator.ended.is_none_or(|ended| ended == commit) || !commit { Ok(()) } else { Err(Fault::Fatal) };
        };
        coordinator.ended = Some(commit);
        let (messages, before) = (open.messages.len(), self.committed_offset(lane));
        self.note(|| format!("lane {lane}: {messages} messages and {:?} are {}", open.offset, if commit { "committed" } else { "aborted" }));
        if commit {
            let committed = open.offset.as_ref().map(|(offset, metadata)| Checkpoint::read(*offset, metadata.as_bytes()).expect("it is ours"));
            self.check.committed_together(lane, before, &open.messages, committed);
            if open.offset.is_some() {
                self.committed[lane] = open.offset;
            }
        }
        Ok(())
    }

    /// Has a request come late.
    pub(crate) fn delay(&mut self, lane: usize, late: Late) {
        self.note(|| format!("lane {lane}: late will come {late:?}"));
        self.coordinators[lane].late.push(late);
    }

    /// A late request comes in; whoever sent it hears nothing of it.
    pub(crate) fn take_late(&mut self, lane: usize) {
        let count = self.coordinators[lane].late.len();
        if count == 0 {
            return;
        }
        let which = self.random.below(count);
        let late = self.coordinators[lane].late.swap_remove(which);
        let result = match &late {
            Late::End { epoch, commit } => self.end(lane, *epoch, *commit),
            Late::Produce { epoch, message } => self.produce(lane, *epoch, message),
        };
        self.note(|| format!("lane {lane}: late comes {late:?}: {result:?}"));
    }

    /// Brokers give up transactions that are open too long; their producers are fenced.
    pub(crate) fn expire(&mut self) {
        for (lane, coordinator) in self.coordinators.iter_mut().enumerate() {
            if coordinator.open.as_ref().is_some_and(|open| self.now_ms - open.since_ms >= self.plan.transaction_timeout_ms) {
                coordinator.epoch += 1;
                (coordinator.open, coordinator.ended) = (None, None);
                self.trace.note(|| format!("lane {lane}: the brokers give the transaction up"));
            }
        }
    }
}
