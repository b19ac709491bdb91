//! One partition in the writer: what is read of it, rolled, handed over, acknowledged and committed.
//!
//! `committed <= acknowledged <= handed over <= rolled <= position`, and each of the first three is the beginning of an object. Nothing is handed over
//! before the committed metadata says how it ends: see [`Beyond`].

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use super::beyond::{Beyond, OBJECTS_MAX};
use crate::checkpoint::Checkpoint;
use crate::delivery::{Ticket, Watermark};
use crate::kafka::{Commit, LaneQueue, Polled};
use crate::observe::SinkPart;
use crate::sink::roll::{Bounds, Object, Roller};

/// How many records are taken of a partition before the others are looked at.
const TURN: usize = 512;

/// How a partition is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PartState {
    /// It is written, as far as anybody knows.
    Ok,
    /// Something passes by itself: what.
    Stall(String),
    /// Nothing of it is written any more, until somebody acts: why.
    Stop(String),
}

impl PartState {
    /// Its word, and why it is so.
    fn told(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Ok => ("OK", None),
            Self::Stall(why) => ("STALL", Some(why)),
            Self::Stop(why) => ("STOP", Some(why)),
        }
    }
}

impl fmt::Display for PartState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.told() {
            (word, None) => f.write_str(word),
            (word, Some(why)) => write!(f, "{word} ({why})"),
        }
    }
}

/// What a turn has found that others must act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The position is not in the log any more.
    OffsetGone,
}

/// See the module.
pub(super) struct Part {
    pub topic: String,
    pub partition: i32,
    /// Which source of the session it belongs to.
    pub source: usize,
    pub queue: Option<LaneQueue>,
    pub state: PartState,
    /// The next offset to be read.
    pub position: i64,
    pub watermark: Watermark,
    /// First offset and end of its log, as last heard.
    pub log: (i64, i64),
    pub objects: u64,
    pub records: u64,
    pub bytes: u64,
    roller: Roller,
    /// The bounds of the settings: those of the roller once nothing that ended by others may be left in the store.
    bounds: Bounds,
    /// How many objects are still to be made before that.
    left: usize,
    /// What this writer says of what lies beyond its commits, and what stands committed.
    says: Beyond,
    said: Option<Beyond>,
    opened_at: Option<Instant>,
    /// What is whole and not handed over.
    rolled: VecDeque<Rolled>,
    /// The offsets behind the objects that are handed over and not committed.
    ahead: VecDeque<i64>,
    /// Whether the last object that was handed over ended early: nothing may follow it before it is committed.
    is_barred: bool,
}

/// What comes of records, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Rolled {
    Object(Object),
    /// Objects begin anew at this offset, behind a gap. It is committed before the first of them is handed over, or another writer could begin elsewhere.
    Anchor(i64),
}

impl Part {
    /// A partition that is read from `offset` on, beside which `said` is committed.
    pub fn new(topic: &str, partition: i32, source: usize, offset: i64, log: (i64, i64), bounds: Bounds, said: Option<Beyond>) -> Self {
        let others = said.filter(|said| said.objects > 0 && said.bounds != bounds);
        let present = others.map_or(bounds, |others| others.bounds);
        Self {
            topic: topic.to_owned(),
            partition,
            source,
            queue: None,
            state: PartState::Ok,
            position: offset,
            watermark: Watermark::starting_at(Checkpoint::without_books(offset)),
            log,
            objects: 0,
            records: 0,
            bytes: 0,
            roller: Roller::new(present),
            bounds,
            left: others.map_or(0, |others| others.objects),
            says: Beyond::some(present),
            said,
            opened_at: None,
            rolled: VecDeque::new(),
            ahead: VecDeque::new(),
            is_barred: false,
        }
    }

    /// Takes records until an object is whole, none is there, or it is somebody else's turn. Says how many it took.
    pub fn read(&mut self, roll_after: Option<Duration>) -> (usize, Option<Event>) {
        let (mut taken, mut event) = (0, None);
        let Some(queue) = self.queue.take() else { return (0, None) };
        while taken < TURN && self.wants_records() {
            match queue.poll() {
                Polled::Record(record) => {
                    record.with_input(0, |input| self.add(input.offset, input.timestamp_ms, input.value));
                    taken += 1;
                }
                Polled::Nothing => break,
                Polled::Transient(why) => {
                    self.state = PartState::Stall(why);
                    break;
                }
                Polled::OffsetGone(_) => {
                    event = Some(Event::OffsetGone);
                    break;
                }
            }
        }
        self.queue = event.is_none().then_some(queue);
        self.age(roll_after);
        (taken, event)
    }

    /// Whether a record may be added: what is whole is handed over, and it is known how the next object ends.
    fn wants_records(&mut self) -> bool {
        self.change_bounds();
        self.rolled.is_empty() && !self.waits_for_bounds()
    }

    fn add(&mut self, offset: i64, timestamp_ms: i64, value: Option<&[u8]>) {
        let Self { roller, rolled, left, .. } = self;
        roller.add(offset, timestamp_ms, value, |object| {
            rolled.push_back(Rolled::Object(object));
            *left = left.saturating_sub(1);
        });
        self.position = offset + 1;
    }

    /// Whether everything is made that may be in the store with other bounds than those of the settings.
    fn waits_for_bounds(&self) -> bool {
        self.left == 0 && self.roller.bounds() != self.bounds
    }

    /// Goes over to the bounds of the settings, where nothing is beyond the commit.
    fn change_bounds(&mut self) {
        if self.waits_for_bounds() && self.is_settled() {
            self.rolled.extend(self.roller.rebound(self.bounds).map(Rolled::Object));
            self.says = Beyond::some(self.bounds);
            log::info!("sink {}:{}: objects end at {} from {} on", self.topic, self.partition, self.bounds, self.watermark.offset());
        }
    }

    /// Ends the open object where it has been open for too long.
    fn age(&mut self, roll_after: Option<Duration>) {
        if !self.roller.is_open() || !self.rolled.is_empty() {
            self.opened_at = None;
        } else if self.opened_at.get_or_insert_with(Instant::now).elapsed() >= roll_after.unwrap_or(Duration::MAX) {
            self.end_early();
        }
    }

    /// Ends the open object now.
    pub fn end_early(&mut self) {
        self.rolled.extend(self.roller.end_early().map(Rolled::Object));
        self.opened_at = None;
    }

    /// The next object to be handed over, if it may be.
    pub fn take(&mut self) -> Option<Object> {
        self.is_barred &= !self.watermark.is_settled();
        if self.is_barred || !self.has_said() || self.ahead.len() >= OBJECTS_MAX {
            return None;
        }
        let is_settled = self.watermark.is_settled();
        match self.rolled.pop_front_if(|rolled| is_settled || matches!(rolled, Rolled::Object(_)))? {
            Rolled::Object(object) => Some(object),
            Rolled::Anchor(offset) => {
                self.watermark.rewind(Checkpoint::without_books(offset));
                self.said = None;
                None
            }
        }
    }

    /// Notes that an object is handed over.
    pub fn sent(&mut self, next: i64, is_early: bool) -> Ticket {
        self.is_barred = is_early;
        self.ahead.push_back(next);
        self.watermark.send(Checkpoint::without_books(next))
    }

    /// What to commit, if it is not committed yet.
    pub fn to_commit(&self) -> Option<Commit> {
        let checkpoint = match self.watermark.to_commit() {
            None if self.has_said() => return None,
            next => next.unwrap_or_else(|| self.watermark.committed()),
        };
        Some(Commit { partition: self.partition, checkpoint, words: Some(self.says.words()) })
    }

    /// Notes what the brokers hold as committed.
    pub fn committed(&mut self, commit: &Commit) {
        self.watermark.commit(commit.checkpoint);
        let committed = self.watermark.committed().offset;
        while self.ahead.pop_front_if(|next| *next <= committed).is_some() {}
        self.said = commit.words.as_deref().and_then(Beyond::read);
    }

    /// Whether what it says of what lies beyond its commits stands committed.
    pub fn has_said(&self) -> bool {
        self.said == Some(self.says)
    }

    /// Whether it can hardly go on, or not at all, before the brokers have its next commit.
    pub fn waits_for_commit(&self) -> bool {
        !self.has_said() || self.is_barred || self.waits_for_bounds() || self.ahead.len() >= OBJECTS_MAX / 2
    }

    /// Says from now on that nothing lies beyond its commits; nothing may be handed over any more.
    pub fn end(&mut self) {
        self.says = Beyond::none(self.roller.bounds());
    }

    /// Whether everything that is whole is written and committed.
    pub fn is_settled(&self) -> bool {
        self.rolled.is_empty() && self.watermark.is_settled()
    }

    /// How it is, for lookers.
    pub fn sight(&self) -> SinkPart {
        let (state, reason) = self.state.told();
        SinkPart {
            topic: self.topic.clone(),
            partition: self.partition,
            state,
            reason: reason.map(str::to_owned),
            acknowledged: self.watermark.offset(),
            committed: self.watermark.committed().offset,
            // What was read is there, whenever the log's end was asked for.
            lag: self.log.1.max(self.position) - self.watermark.offset(),
            objects: self.objects,
            records: self.records,
            bytes: self.bytes,
        }
    }

    /// Goes on at another offset: what was read before stays in an object of its own.
    pub fn jump(&mut self, offset: i64) {
        self.end_early();
        self.position = offset;
        self.rolled.push_back(Rolled::Anchor(offset));
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, partition, state, position, log, objects, records, bytes, .. } = self;
        let (committed, lag) = (self.watermark.committed().offset, (log.1 - position).max(0));
        write!(
            f,
            "sink {topic}:{partition} {state}: position {position}, acknowledged {}, committed {committed}, lag {lag}, {objects} objects with {records} \
             records and {bytes} bytes written",
            self.watermark.offset()
        )
    }
}

#[cfg(test)]
mod tests;
