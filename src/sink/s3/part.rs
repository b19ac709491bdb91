//! One partition in the writer: what is read of it, rolled, handed over, acknowledged and committed.
//!
//! `committed <= acknowledged <= handed over <= rolled <= position`, and each of the first three is the beginning of an object.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use crate::checkpoint::Checkpoint;
use crate::delivery::{Ticket, Watermark};
use crate::kafka::{LaneQueue, Polled};
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
    opened_at: Option<Instant>,
    /// Objects that are whole and not handed over.
    rolled: VecDeque<Object>,
    /// Whether the last object that was handed over ended early: nothing may follow it before it is committed.
    is_barred: bool,
}

impl Part {
    /// A partition that is read from `offset` on.
    pub fn new(topic: &str, partition: i32, source: usize, offset: i64, log: (i64, i64), bounds: Bounds) -> Self {
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
            roller: Roller::new(bounds),
            opened_at: None,
            rolled: VecDeque::new(),
            is_barred: false,
        }
    }

    /// Takes records until an object is whole, none is there, or it is somebody else's turn. Says how many it took.
    pub fn read(&mut self, roll_after: Option<Duration>) -> (usize, Option<Event>) {
        let (mut taken, mut event) = (0, None);
        let Some(queue) = &self.queue else { return (0, None) };
        while self.rolled.is_empty() && taken < TURN {
            match queue.poll() {
                Polled::Record(record) => {
                    let Self { roller, rolled, .. } = self;
                    record.with_input(0, |input| roller.add(input.offset, input.timestamp_ms, input.value, |object| rolled.push_back(object)));
                    self.position = record.offset() + 1;
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
        if event.is_some() {
            self.queue = None;
        }
        self.age(roll_after);
        (taken, event)
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
        self.rolled.extend(self.roller.end_early());
        self.opened_at = None;
    }

    /// The next object to be handed over, if it may be.
    pub fn take(&mut self) -> Option<Object> {
        self.is_barred &= !self.watermark.is_settled();
        if self.is_barred {
            return None;
        }
        self.rolled.pop_front()
    }

    /// Notes that an object is handed over.
    pub fn sent(&mut self, next: i64, is_early: bool) -> Ticket {
        self.is_barred = is_early;
        self.watermark.send(Checkpoint::without_books(next))
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
