//! A session of the writer: one thread that reads, rolls and commits, and those that upload, until it is stopped or the store refuses.
//!
//! ```text
//!  Kafka ─▶ part: read, roll ══ jobs (bounded) ══▶ uploaders ─▶ store
//!             ▲  └─ commits beginnings of objects      │
//!             └═══════════════ told ◀══════════════════┘
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, unbounded};

use super::part::{Event, Part, PartState};
use super::prepare::Prepared;
use super::store::Store;
use super::uploader::{Job, Told, Uploader};
use super::{Error, verdict::Stop};
use crate::config::{Config, OnOffsetGap};
use crate::kafka::{Answer, Consumer, OffsetGap};
use crate::observe::{Board, SinkSight};
use crate::sink::Source;

/// How long the thread sleeps where nothing is there.
const IDLE: Duration = Duration::from_millis(2);
/// How often lookers are told.
const SHOW_INTERVAL: Duration = Duration::from_secs(5);
/// How soon is committed what a part waits for.
const SOON: Duration = Duration::from_millis(20);
/// How long a writer that ends in peace waits for its last word to be committed.
const END: Duration = Duration::from_secs(3);
/// How many jobs wait for an uploader, for each request that may be under way.
const JOBS_A_FLIGHT: usize = 2;

/// See the module.
pub(super) struct Session<'s> {
    config: &'s Config,
    sources: Vec<Source>,
    /// One for each source.
    consumers: Vec<Consumer>,
    parts: Vec<Part>,
    buckets: Vec<Arc<str>>,
    jobs: Option<Sender<Job>>,
    told: Receiver<Told>,
    given_up: Arc<AtomicBool>,
    committed_at: Instant,
    reported_at: Instant,
    board: Option<&'s Board>,
    shown_at: Option<Instant>,
}

impl<'s> Session<'s> {
    /// Starts the uploaders.
    pub fn start(config: &'s Config, prepared: Prepared, board: Option<&'s Board>) -> Result<Self, Error> {
        let Prepared { sources, consumers, parts, store } = prepared;
        let writer = &config.writer;
        let (jobs, jobs_out) = bounded(writer.threads * writer.uploads * JOBS_A_FLIGHT);
        let (tell, told) = unbounded();
        let given_up = Arc::new(AtomicBool::new(false));
        for index in 0..writer.threads {
            spawn_uploader(index, writer.uploads, &store, &jobs_out, &tell, &given_up)?;
        }
        let buckets = sources.iter().map(|source| Arc::from(source.bucket.as_str())).collect();
        let now = Instant::now();
        let jobs = Some(jobs);
        Ok(Self { config, sources, consumers, parts, buckets, jobs, told, given_up, committed_at: now, reported_at: now, board, shown_at: None })
    }

    /// Works until `stop` is set and what is whole is committed, at most until the deadline of the stop.
    pub fn run(mut self, stop: &AtomicBool) -> Result<(), Error> {
        while !stop.load(Ordering::Acquire) {
            let taken = self.turn(true)?;
            self.report(false);
            self.show();
            if taken == 0 {
                self.wait()?;
            }
        }
        let deadline = Instant::now() + self.config.stop_deadline;
        while !self.is_settled() && Instant::now() < deadline {
            self.turn(false)?;
            self.wait()?;
        }
        self.end(deadline)?;
        self.report(true);
        if self.is_settled() { Ok(()) } else { Err(Error::Uncommitted(self.parts.iter().filter(|part| !part.is_settled()).count())) }
    }

    /// Has the parts that are settled say that nothing lies beyond their commits, so that the next writer is free in its bounds. Where the brokers do not take
    /// that in time, nothing is lost: the next one goes by what they have.
    fn end(&mut self, deadline: Instant) -> Result<(), Error> {
        let deadline = deadline.min(Instant::now() + END);
        self.parts.iter_mut().filter(|part| part.is_settled()).for_each(Part::end);
        while !self.parts.iter().all(Part::has_said) && Instant::now() < deadline {
            self.turn(false)?;
            self.wait()?;
        }
        Ok(())
    }

    fn is_settled(&self) -> bool {
        self.parts.iter().all(Part::is_settled)
    }

    /// Reads, hands over, takes what the uploaders and the brokers tell, and commits. Says how many records it took.
    fn turn(&mut self, reads: bool) -> Result<usize, Error> {
        let mut taken = 0;
        for index in 0..self.parts.len() {
            if reads {
                let (records, event) = self.parts[index].read(self.config.writer.roll_after);
                taken += records;
                if event == Some(Event::OffsetGone) {
                    let part = &self.parts[index];
                    self.consumers[part.source].ask_range(part.partition);
                }
            }
            self.hand_over(index)?;
        }
        while let Ok(told) = self.told.try_recv() {
            self.hear(told)?;
        }
        for source in 0..self.consumers.len() {
            self.answers(source)?;
        }
        let interval = if self.parts.iter().any(Part::waits_for_commit) { SOON } else { self.config.commit_interval };
        if self.committed_at.elapsed() >= interval.min(self.config.commit_interval) {
            self.committed_at = Instant::now();
            self.commit();
        }
        Ok(taken)
    }

    /// Gives whole objects of a part to the uploaders, as long as they have room.
    fn hand_over(&mut self, index: usize) -> Result<(), Error> {
        let Some(jobs) = &self.jobs else { return Ok(()) };
        let part = &mut self.parts[index];
        while !jobs.is_full()
            && let Some(object) = part.take()
        {
            let ticket = part.sent(object.next, object.is_early);
            let key = self.config.writer.pattern.key(&part.topic, part.partition, object.first, object.day);
            match jobs.try_send(Job { part: index, ticket, bucket: Arc::clone(&self.buckets[part.source]), key, object }) {
                Ok(()) => {}
                // This thread alone sends, and has seen room; an uploader that ends tells why.
                Err(TrySendError::Full(_)) => return Err(Error::Died("the uploaders' channel lost its room".to_owned())),
                Err(TrySendError::Disconnected(_)) => return self.wait_for_the_reason(),
            }
        }
        Ok(())
    }

    fn wait_for_the_reason(&mut self) -> Result<(), Error> {
        while let Ok(told) = self.told.recv_timeout(Duration::from_secs(1)) {
            self.hear(told)?;
        }
        Err(Error::Died("an uploading thread died: this is a fault of the program".to_owned()))
    }

    /// Sleeps until an uploader tells something, but not for long.
    fn wait(&mut self) -> Result<(), Error> {
        match self.told.recv_timeout(IDLE) {
            Ok(told) => self.hear(told),
            Err(error) if error.is_disconnected() => Err(Error::Died("the uploading threads died: this is a fault of the program".to_owned())),
            Err(_) => Ok(()),
        }
    }

    fn hear(&mut self, told: Told) -> Result<(), Error> {
        match told {
            Told::Written { part, ticket, records, bytes } => {
                let part = &mut self.parts[part];
                part.watermark.acknowledge(ticket);
                part.objects += 1;
                part.records += records as u64;
                part.bytes += bytes as u64;
                if matches!(part.state, PartState::Stall(_)) {
                    part.state = PartState::Ok;
                }
            }
            Told::Trouble { part, why } => {
                log::warn!("sink: {why}; trying again");
                if !matches!(self.parts[part].state, PartState::Stop(_)) {
                    self.parts[part].state = PartState::Stall(why);
                }
            }
            Told::Stopped(stop) => return Err(Error::Store(stop)),
        }
        Ok(())
    }

    /// Takes what the brokers have answered to a source's consumer.
    fn answers(&mut self, source: usize) -> Result<(), Error> {
        if let Some(trouble) = self.consumers[source].serve() {
            log::debug!("sink: {trouble}");
        }
        while let Some(answer) = self.consumers[source].answer() {
            match answer {
                Answer::Committed(commits) => {
                    for commit in &commits {
                        self.of_source(source, commit.partition).for_each(|part| part.committed(commit));
                    }
                }
                Answer::NotCommitted(why) => log::warn!("sink: {}: a commit failed and is tried again: {why}", self.sources[source].topic),
                Answer::Range(partition, Ok(log)) => {
                    let mut gone = false;
                    for part in self.of_source(source, partition) {
                        part.log = log;
                        gone = part.queue.is_none() && !matches!(part.state, PartState::Stop(_));
                    }
                    if gone {
                        self.mind_the_gap(source, partition)?;
                    }
                }
                Answer::Range(partition, Err(why)) => {
                    log::debug!("sink: {why}");
                    if self.of_source(source, partition).any(|part| part.queue.is_none() && !matches!(part.state, PartState::Stop(_))) {
                        self.consumers[source].ask_range(partition);
                    }
                }
            }
        }
        Ok(())
    }

    fn of_source(&mut self, source: usize, partition: i32) -> impl Iterator<Item = &mut Part> {
        self.parts.iter_mut().filter(move |part| part.source == source && part.partition == partition)
    }

    /// Decides about a partition whose position is not in its log.
    fn mind_the_gap(&mut self, source: usize, partition: i32) -> Result<(), Error> {
        let on_gap = self.config.on_offset_gap;
        for part in self.of_source(source, partition) {
            // Where it is there after all, it is read again.
            if let Some(gap) = OffsetGap::find(part.position, part.log) {
                act_on_gap(part, gap, on_gap);
            }
        }
        self.read_again(source)
    }

    /// Assigns the partitions of a source again, each at its position.
    fn read_again(&mut self, source: usize) -> Result<(), Error> {
        assign(&self.consumers[source], source, &mut self.parts)
    }

    fn commit(&mut self) {
        for (source, consumer) in self.consumers.iter_mut().enumerate().filter(|(_, consumer)| !consumer.is_committing()) {
            let parts = self.parts.iter().filter(|part| part.source == source);
            consumer.commit(parts.filter_map(Part::to_commit).collect());
        }
    }

    /// Puts up how every part is, when it is time.
    fn show(&mut self) {
        let Some(board) = self.board.filter(|_| self.shown_at.is_none_or(|at| at.elapsed() >= SHOW_INTERVAL)) else { return };
        self.shown_at = Some(Instant::now());
        board.put_sink(SinkSight { failure: None, parts: self.parts.iter().map(Part::sight).collect() });
    }

    /// Says how every part is, when it is time, and asks how far their logs go by then.
    fn report(&mut self, is_last: bool) {
        if !is_last && self.reported_at.elapsed() < self.config.report_interval {
            return;
        }
        self.reported_at = Instant::now();
        for part in &self.parts {
            match part.state {
                PartState::Ok => log::info!("{part}"),
                PartState::Stall(_) | PartState::Stop(_) => log::error!("{part}"),
            }
            self.consumers[part.source].ask_range(part.partition);
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // Uploaders that wait for a store that is away are not waited for.
        self.given_up.store(true, Ordering::Release);
        self.jobs = None;
    }
}

/// Stops a part at a gap, or lets it go on where the log begins.
pub(super) fn act_on_gap(part: &mut Part, gap: OffsetGap, on_gap: OnOffsetGap) {
    match on_gap {
        OnOffsetGap::Stop => {
            part.state = PartState::Stop(format!("{gap}; --on-offset-gap continue goes on where the log begins"));
            log::error!("{part}");
        }
        OnOffsetGap::Continue => {
            log::error!("sink {}:{}: {gap}; it goes on at {}", part.topic, part.partition, part.log.0);
            part.jump(part.log.0);
        }
    }
}

/// Reads all parts of a source that are not stopped, each from its position on.
pub(super) fn assign(consumer: &Consumer, source: usize, parts: &mut [Part]) -> Result<(), Error> {
    let mut live: Vec<&mut Part> = parts.iter_mut().filter(|part| part.source == source && !matches!(part.state, PartState::Stop(_))).collect();
    let offsets: Vec<(i32, i64)> = live.iter().map(|part| (part.partition, part.position)).collect();
    let queues = consumer.read(&offsets).map_err(Error::Refused)?;
    for (part, queue) in live.iter_mut().zip(queues) {
        part.queue = Some(queue);
    }
    Ok(())
}

fn spawn_uploader(
    index: usize,
    flights_max: usize,
    store: &Arc<Store>,
    jobs: &Receiver<Job>,
    told: &Sender<Told>,
    given_up: &Arc<AtomicBool>,
) -> Result<(), Error> {
    let uploader = Uploader { store: Arc::clone(store), jobs: jobs.clone(), told: told.clone(), given_up: Arc::clone(given_up), flights_max };
    let spawned = thread::Builder::new().name(format!("s3-upload-{index}")).spawn(move || uploader.run());
    spawned.map(drop).map_err(|error| Error::Died(format!("an uploading thread cannot start: {error}")))
}

impl From<Stop> for Error {
    fn from(stop: Stop) -> Self {
        Self::Store(stop)
    }
}
