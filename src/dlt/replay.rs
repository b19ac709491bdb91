//! Sends letters back to their input topics, and remembers which: `remembered <= acknowledged <= sent`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::letter::{Header, Letter, REPLAYS};
use super::progress::Progress;
use super::wrap::{self, Skip};
use super::{Error, Part, Selection, Shelf};
use crate::config::{Config, LaneId};
use crate::kafka::{Bookmarks, Outgoing, Stretch, Writer};
use crate::market::Stream;
use crate::outcome::Reason;

/// After this many letters, or so many bytes, the brokers are asked to remember: what a replay that is killed sends again.
const CHUNK_LETTERS: usize = 500;
const CHUNK_BYTES: usize = 4 << 20;

/// What to replay, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which letters.
    pub selection: Selection,
    /// At most so many are sent.
    pub limit: Option<u64>,
    /// The group that remembers what was replayed.
    pub group: String,
    /// Whether what was replayed is replayed again.
    pub again: bool,
    /// Whether nothing is sent and nothing remembered.
    pub dry_run: bool,
    /// Letters whose envelope is the result of so many replays stay where they are.
    pub replays_max: u32,
}

/// What a replay did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Letters sent and acknowledged, by stream and reason; those that would have been, in a dry run.
    pub sent: BTreeMap<(Stream, Reason), u64>,
    /// Letters selected, but not sent.
    pub skipped: BTreeMap<Skip, u64>,
    /// Letters selected and met again that an earlier call had sent. Those below the first letter that was not are not even looked at.
    pub sent_before: u64,
    /// Letters that the filters left out.
    pub left_out: u64,
    /// Where it ended early, and why.
    pub ended: Option<Ended>,
}

/// Why a replay ended before the last letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As many were sent as were asked for.
    Limit,
    /// It was told to stop.
    Stopped,
    /// No more can be remembered of a partition, so no more of it was sent.
    Full,
}

/// A replay that knows what there is, and has sent nothing yet.
pub struct Replay<'p> {
    config: &'p Arc<Config>,
    plan: &'p Plan,
    bookmarks: Bookmarks,
    writer: Writer,
    shelf: Shelf,
    progress: BTreeMap<LaneId, Progress>,
}

impl<'p> Replay<'p> {
    /// Finds the letters, and what was replayed of them.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn open(config: &'p Arc<Config>, plan: &'p Plan) -> Result<Self, Error> {
        let bookmarks = Bookmarks::new(config, &plan.group).map_err(Error::Refused)?;
        let writer = Writer::new(config).map_err(Error::Refused)?;
        let shelf = Shelf::open(config, &plan.selection)?;
        let progress = shelf.progress(config, &bookmarks)?;
        Ok(Self { config, plan, bookmarks, writer, shelf, progress })
    }

    /// How many offsets all that is looked at spans; there may be fewer letters.
    #[must_use]
    pub fn span(&self) -> u64 {
        self.shelf.span()
    }

    /// Replays until the ends that the topics had when this was opened, or until `stop` is set. `passed` is told how many letters are behind it.
    ///
    /// # Errors
    /// See [`Error`]. What was acknowledged before it is remembered, up to the last chunk.
    pub fn run(&self, stop: &AtomicBool, mut passed: impl FnMut(u64)) -> Result<Outcome, Error> {
        let mut outcome = Outcome::default();
        let mut count = 0;
        let mut pass = || {
            count += 1;
            passed(count);
        };
        for part in &self.shelf.parts {
            let done = self.progress.get(&part.lane).cloned().unwrap_or(Progress::from(part.log.from));
            LaneRun { replay: self, part, done, chunk: Chunk::default() }.all(stop, &mut outcome, &mut pass)?;
            if matches!(outcome.ended, Some(Ended::Limit | Ended::Stopped)) {
                break;
            }
        }
        Ok(outcome)
    }
}

/// What is sent, but not yet remembered.
#[derive(Default)]
struct Chunk {
    letters: usize,
    bytes: usize,
}

/// The replay of one partition.
struct LaneRun<'p> {
    replay: &'p Replay<'p>,
    part: &'p Part,
    done: Progress,
    chunk: Chunk,
}

impl LaneRun<'_> {
    fn all(&mut self, stop: &AtomicBool, outcome: &mut Outcome, passed: &mut impl FnMut()) -> Result<(), Error> {
        // Where only one letter is looked at, nothing is known of its neighbours.
        let is_whole = self.replay.plan.selection.offset.is_none();
        let looked_at = &self.part.looked_at;
        let from = if self.replay.plan.again || !is_whole { looked_at.from } else { self.done.next().max(looked_at.from) };
        let stretch = Stretch { from, ..looked_at.clone() };
        let mut seen = from;
        let mut is_early = false;
        self.replay.shelf.reader.read(&stretch, |record| {
            let ended = if stop.load(Ordering::Acquire) { Some(Ended::Stopped) } else { self.limit_reached(outcome) };
            if ended.is_some() {
                (outcome.ended, is_early) = (ended, true);
                return Ok(ControlFlow::Break(()));
            }
            passed();
            if is_whole {
                self.pass(seen, record.offset);
            }
            seen = record.offset + 1;
            if !self.take(&Letter::of(*record), outcome)? {
                (outcome.ended, is_early) = (Some(Ended::Full), true);
                return Ok(ControlFlow::Break(()));
            }
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        if is_whole && !is_early {
            self.pass(seen, stretch.to);
        }
        self.remember()
    }

    fn limit_reached(&self, outcome: &Outcome) -> Option<Ended> {
        let sent: u64 = outcome.sent.values().sum();
        self.replay.plan.limit.is_some_and(|limit| sent >= limit).then_some(Ended::Limit)
    }

    /// Between `from` and `to` there are no letters.
    fn pass(&mut self, from: i64, to: i64) {
        self.done.pass(from..to);
    }

    /// Sends a letter, or says why not; `false` where it was not, because that could not be remembered.
    fn take(&mut self, letter: &Letter<'_>, outcome: &mut Outcome) -> Result<bool, Error> {
        if !self.replay.plan.selection.takes(letter) {
            outcome.left_out += 1;
            return Ok(true);
        }
        let offset = letter.record.offset;
        if !self.replay.plan.again && self.done.contains(offset) {
            outcome.sent_before += 1;
            return Ok(true);
        }
        match self.envelope(letter) {
            Err(skip) => {
                *outcome.skipped.entry(skip).or_default() += 1;
                return Ok(true);
            }
            Ok((value, reason, replays)) => {
                if !self.done.has_room_for(offset) {
                    return Ok(false);
                }
                if !self.replay.plan.dry_run {
                    self.send(letter, value.as_deref(), replays)?;
                }
                *outcome.sent.entry((self.part.lane.stream, reason)).or_default() += 1;
            }
        }
        self.done.insert(offset..offset + 1);
        if self.chunk.letters >= CHUNK_LETTERS || self.chunk.bytes >= CHUNK_BYTES {
            self.remember()?;
        }
        Ok(true)
    }

    /// The envelope to send for a letter, why it had died, and how many replays that makes.
    fn envelope(&self, letter: &Letter<'_>) -> Result<(Option<Vec<u8>>, Reason, u32), Skip> {
        let (Some(reason), Some(replays)) = (letter.reason, letter.replays) else { return Err(Skip::Foreign) };
        if replays >= self.replay.plan.replays_max {
            return Err(Skip::Bound);
        }
        let value = wrap::value(letter, self.replay.config.rules.limits.envelope_bytes)?;
        Ok((value, reason, replays + 1))
    }

    fn send(&mut self, letter: &Letter<'_>, value: Option<&[u8]>, replays: u32) -> Result<(), Error> {
        let replays = replays.to_string();
        let mut headers: Vec<Header<'_>> = letter.kept_headers().collect();
        headers.push((REPLAYS, Some(replays.as_bytes())));
        let message = Outgoing {
            topic: &self.replay.config.names(self.part.lane.stream).input,
            partition: self.part.lane.partition,
            timestamp_ms: letter.record.timestamp_ms,
            key: letter.record.key,
            value,
            headers: &headers,
        };
        self.replay.writer.send(&message).map_err(Error::NotSent)?;
        self.chunk.letters += 1;
        self.chunk.bytes += value.map_or(0, <[u8]>::len);
        Ok(())
    }

    /// Waits until all that was sent is acknowledged; only then it counts as replayed. Also where nothing is new: brokers forget what nobody repeats.
    fn remember(&mut self) -> Result<(), Error> {
        self.chunk = Chunk::default();
        if self.replay.plan.dry_run || self.done == Progress::from(self.part.log.from) {
            return Ok(());
        }
        self.replay.writer.finish().map_err(Error::NotSent)?;
        self.replay.bookmarks.write(&self.part.log.topic, self.part.log.partition, self.done.next(), &self.done.words())?;
        Ok(())
    }
}
