//! Batches: what one lane has to send, as one buffer of bytes with the messages as spans of it.
//!
//! A batch is filled by its lane, sent by the producer, and comes back empty to be filled again; nothing is allocated
//! once it has grown to its size. It covers whole envelopes: the offsets `first_offset..=last_offset` of one lane.

use std::ops::Range;

/// The partition of a message whose key decides about it, as in Kafka's own clients.
pub const BY_KEY: i32 = -1;
/// The header of a record whose book cannot be trusted.
pub const BOOK_STATE: &str = "book-state";

/// Where a message goes. The partition is the lane's, but for [`Destination::Resync`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The stream's output topic.
    Output,
    /// The dead-letter topic beside the stream's input topic.
    DeadLetter,
    /// The one topic of requests for snapshots, to a partition chosen by the key.
    Resync,
}

/// The input that a message came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The offset of its envelope.
    pub offset: i64,
    /// The frame's index in `data`; `None` for the envelope as a whole.
    pub frame: Option<u32>,
}

/// One message of a batch, as Kafka will have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'b> {
    /// Where it goes.
    pub destination: Destination,
    /// Where it comes from.
    pub place: Place,
    /// Milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// Absent where the input record of a dead letter has none.
    pub key: Option<&'b [u8]>,
    /// Absent where the input record of a dead letter has none.
    pub value: Option<&'b [u8]>,
    batch: &'b Batch,
    headers: (usize, usize),
}

impl<'b> Message<'b> {
    /// The headers, in order: name and value.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&'b str, Option<&'b [u8]>)> + use<'b> {
        let batch = self.batch;
        batch.headers[self.headers.0..self.headers.1].iter().map(move |header| (header.name.as_str(), batch.slice(&header.value)))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Header {
    name: Name,
    value: Option<Range<usize>>,
}

/// Our own header names cost nothing; those of an input record are rare.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Ours(&'static str),
    Theirs(Box<str>),
}

impl Name {
    fn as_str(&self) -> &str {
        match self {
            Self::Ours(name) => name,
            Self::Theirs(name) => name,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    destination: Destination,
    place: Place,
    timestamp_ms: i64,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    headers: (usize, usize),
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    headers: Vec<Header>,
}

impl Batch {
    /// The messages, in the order in which they came.
    pub fn messages(&self) -> impl ExactSizeIterator<Item = Message<'_>> {
        (0..self.spans.len()).map(|index| self.message(index))
    }

    /// The message at `index`, below [`Batch::len`].
    #[must_use]
    pub fn message(&self, index: usize) -> Message<'_> {
        let span = &self.spans[index];
        Message {
            destination: span.destination,
            place: span.place,
            timestamp_ms: span.timestamp_ms,
            key: self.slice(&span.key),
            value: self.slice(&span.value),
            batch: self,
            headers: span.headers,
        }
    }

    /// The timestamps of the messages to one destination, in milliseconds and in their order; each with how many have it one after the other.
    pub fn timestamps(&self, destination: Destination) -> impl Iterator<Item = (i64, u64)> {
        let same = |one: &Span, other: &Span| one.timestamp_ms == other.timestamp_ms && one.destination == other.destination;
        let runs = self.spans.chunk_by(same).filter(move |run| run[0].destination == destination);
        runs.map(|run| (run[0].timestamp_ms, run.len() as u64))
    }

    /// How many messages there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Bytes of keys, values and headers.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes of memory that it holds, full or not.
    #[must_use]
    pub const fn memory(&self) -> usize {
        self.bytes.capacity() + self.spans.capacity() * size_of::<Span>() + self.headers.capacity() * size_of::<Header>()
    }

    /// Empties the batch, keeping its memory up to `bytes_max`: one giant envelope shall not stay for ever.
    pub fn clear(&mut self, bytes_max: usize) {
        self.bytes.clear();
        self.bytes.shrink_to(bytes_max);
        self.spans.clear();
        self.headers.clear();
    }

    /// Starts a message. Write its parts, then [`Writer::finish`] it; a writer that is dropped leaves nothing behind.
    pub const fn begin(&mut self, destination: Destination, place: Place, timestamp_ms: i64) -> Writer<'_> {
        let (first_byte, first_header) = (self.bytes.len(), self.headers.len());
        Writer { destination, place, timestamp_ms, key: None, value: None, first_byte, first_header, batch: self }
    }

    /// Adds a message of another batch.
    pub fn copy(&mut self, message: &Message<'_>) {
        let mut writer = self.begin(message.destination, message.place, message.timestamp_ms);
        if let Some(key) = message.key {
            writer.key(|out| out.extend_from_slice(key));
        }
        if let Some(value) = message.value {
            writer.value(|out| out.extend_from_slice(value));
        }
        let (first, end) = message.headers;
        for header in &message.batch.headers[first..end] {
            let value = message.batch.slice(&header.value);
            let value = value.map(|value| writer.append(|out| out.extend_from_slice(value)));
            writer.batch.headers.push(Header { name: header.name.clone(), value });
        }
        writer.finish();
    }

    fn slice(&self, range: &Option<Range<usize>>) -> Option<&[u8]> {
        range.clone().map(|range| &self.bytes[range])
    }
}

/// A message being written. What stands in the batch from `first_byte` and `first_header` on is not finished.
#[derive(Debug)]
pub struct Writer<'b> {
    destination: Destination,
    place: Place,
    timestamp_ms: i64,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    first_byte: usize,
    first_header: usize,
    batch: &'b mut Batch,
}

impl Writer<'_> {
    /// Writes the key.
    pub fn key(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.key = Some(self.append(write));
    }

    /// Writes the value.
    pub fn value(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.value = Some(self.append(write));
    }

    /// Adds a header of ours.
    pub fn header(&mut self, name: &'static str, write: impl FnOnce(&mut Vec<u8>)) {
        let value = Some(self.append(write));
        self.batch.headers.push(Header { name: Name::Ours(name), value });
    }

    /// Adds a header of the input record.
    pub fn copy_header(&mut self, name: &str, value: Option<&[u8]>) {
        let value = value.map(|value| self.append(|out| out.extend_from_slice(value)));
        self.batch.headers.push(Header { name: Name::Theirs(name.into()), value });
    }

    /// Adds the message to the batch.
    pub fn finish(mut self) {
        let headers = (self.first_header, self.batch.headers.len());
        let (key, value) = (self.key.take(), self.value.take());
        self.batch.spans.push(Span { destination: self.destination, place: self.place, timestamp_ms: self.timestamp_ms, key, value, headers });
        (self.first_byte, self.first_header) = (self.batch.bytes.len(), self.batch.headers.len());
    }

    fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Range<usize> {
        let start = self.batch.bytes.len();
        write(&mut self.batch.bytes);
        start..self.batch.bytes.len()
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.batch.bytes.truncate(self.first_byte);
        self.batch.headers.truncate(self.first_header);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Bytes = Option<Vec<u8>>;
    /// Timestamp, key, value, headers (ours where the name is odd), and whether it is finished.
    type Draft = (i64, Bytes, Bytes, Vec<(u8, Bytes)>, bool);

    const OURS: [&str; 4] = ["even-0", "odd-1", "even-2", "odd-3"];

    fn write(batch: &mut Batch, (timestamp_ms, key, value, headers, finished): &Draft) {
        let mut writer = batch.begin(destination(*timestamp_ms), place(*timestamp_ms), *timestamp_ms);
        // The value first: the order of the parts is free.
        value.iter().for_each(|value| writer.value(|out| out.extend_from_slice(value)));
        key.iter().for_each(|key| writer.key(|out| out.extend_from_slice(key)));
        for (name, value) in headers {
            match (OURS[usize::from(*name)], value) {
                (name @ ("odd-1" | "odd-3"), Some(value)) => writer.header(name, |out| out.extend_from_slice(value)),
                (name, value) => writer.copy_header(name, value.as_deref()),
            }
        }
        if *finished {
            writer.finish();
        }
    }

    const fn destination(timestamp_ms: i64) -> Destination {
        if timestamp_ms % 2 == 0 { Destination::Output } else { Destination::DeadLetter }
    }

    fn place(timestamp_ms: i64) -> Place {
        Place { offset: timestamp_ms * 3, frame: u32::try_from(timestamp_ms).ok().filter(|frame| frame % 3 > 0) }
    }

    fn bytes() -> impl Strategy<Value = Bytes> {
        prop::option::of(prop::collection::vec(any::<u8>(), 0..5))
    }

    proptest! {
        #[test]
        fn messages_come_back_and_dropped_ones_leave_nothing(
            drafts in prop::collection::vec((0_i64..9, bytes(), bytes(), prop::collection::vec((0_u8..4, bytes()), 0..4), prop::bool::weighted(0.7)), 0..8),
        ) {
            let (mut batch, mut finished_only) = (Batch::default(), Batch::default());
            drafts.iter().for_each(|draft| write(&mut batch, draft));
            let finished: Vec<_> = drafts.iter().filter(|draft| draft.4).collect();
            finished.iter().for_each(|draft| write(&mut finished_only, draft));
            prop_assert_eq!(&batch, &finished_only);

            let length = |bytes: &Bytes| bytes.as_ref().map_or(0, Vec::len);
            let total = finished.iter().map(|draft| length(&draft.1) + length(&draft.2) + draft.3.iter().map(|(_, value)| length(value)).sum::<usize>());
            prop_assert_eq!((batch.len(), batch.is_empty(), batch.bytes()), (finished.len(), finished.is_empty(), total.sum()));
            for (message, (timestamp_ms, key, value, headers, _)) in batch.messages().zip(finished) {
                prop_assert_eq!((message.timestamp_ms, message.destination), (*timestamp_ms, destination(*timestamp_ms)));
                prop_assert_eq!(message.place, place(*timestamp_ms));
                prop_assert_eq!((message.key, message.value), (key.as_deref(), value.as_deref()));
                let expected = headers.iter().map(|(name, value)| (OURS[usize::from(*name)], value.as_deref()));
                prop_assert!(message.headers().eq(expected));
            }
            let outputs = || batch.messages().filter(|message| message.destination == Destination::Output).map(|message| message.timestamp_ms);
            prop_assert!(batch.timestamps(Destination::Output).flat_map(|(timestamp_ms, count)| (0..count).map(move |_| timestamp_ms)).eq(outputs()));
            let mut copied = Batch::default();
            batch.messages().for_each(|message| copied.copy(&message));
            prop_assert!(copied.messages().zip(batch.messages()).all(|(copy, message)| copy.headers().eq(message.headers())));
            prop_assert!(copied.messages().zip(batch.messages()).all(|(copy, message)| (copy.key, copy.value) == (message.key, message.value)));
            prop_assert_eq!((copied.len(), copied.bytes()), (batch.len(), batch.bytes()));
            batch.clear(0);
            prop_assert_eq!(batch, Batch::default());
        }
    }
}
