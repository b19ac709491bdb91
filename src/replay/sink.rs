//! Where what comes of a replay goes: lines of a record file, topics of another name, or nowhere; and a digest of it on the way.

use std::io::Write;

use super::{Digest, OutputRecord, Stop};
use crate::batch::{BY_KEY, Message};
use crate::config::LaneId;
use crate::kafka::{Outgoing, Writer};

/// Takes what comes of a replay.
pub trait Sink {
    /// Takes the next message of a lane; its partition is the lane's, or [`BY_KEY`].
    ///
    /// # Errors
    /// It cannot be written.
    fn take(&mut self, lane: LaneId, topic: &str, partition: i32, message: &Message<'_>) -> Result<(), Stop>;
}

/// Messages as lines of a record file.
#[derive(Debug)]
pub struct Lines<W>(pub W);

impl<W: Write> Sink for Lines<W> {
    fn take(&mut self, _: LaneId, topic: &str, partition: i32, message: &Message<'_>) -> Result<(), Stop> {
        serde_json::to_writer(&mut self.0, &OutputRecord::new(topic, partition, message)).map_err(|error| Stop::Write(error.into()))?;
        self.0.write_all(b"\n").map_err(Stop::Write)
    }
}

/// Messages to topics whose names are the stream's with something before them.
pub struct Topics {
    writer: Writer,
    prefix: String,
}

impl Topics {
    pub(super) const fn new(writer: Writer, prefix: String) -> Self {
        Self { writer, prefix }
    }

    /// Waits until everything is acknowledged.
    ///
    /// # Errors
    /// Something cannot be written.
    pub fn finish(self) -> Result<(), Stop> {
        self.writer.finish().map_err(Stop::NotSent)
    }
}

impl Sink for Topics {
    fn take(&mut self, _: LaneId, topic: &str, partition: i32, message: &Message<'_>) -> Result<(), Stop> {
        let topic = format!("{}{topic}", self.prefix);
        let headers: Vec<_> = message.headers().collect();
        let Message { timestamp_ms, key, value, .. } = *message;
        self.writer.send(&Outgoing { topic: &topic, partition, timestamp_ms, key, value, headers: &headers }).map_err(Stop::NotSent)
    }
}

/// A sink, and the digest of what it took, under the streams' own topic names wherever it goes.
#[derive(Debug)]
pub struct Digested<S> {
    /// The digest so far.
    pub digest: Digest,
    /// Where the messages go.
    pub sink: S,
}

impl<S: Sink> Sink for Digested<S> {
    fn take(&mut self, lane: LaneId, topic: &str, partition: i32, message: &Message<'_>) -> Result<(), Stop> {
        if partition == BY_KEY {
            // Lanes share these partitions, and which message comes first is nobody's: they count by the lane that they come from.
            self.digest.add(&format!("{topic}/{}", lane.stream), lane.partition, message);
        } else {
            self.digest.add(topic, partition, message);
        }
        self.sink.take(lane, topic, partition, message)
    }
}
