//! Records into objects: where one ends and the next begins, and an object's bytes. Pure: both are a function of the records alone.
//!
//! An object ends with the record that fills it, by count or bytes, and before a record of another day. So whoever begins where an object begins makes
//! the same objects; the one exception is told by [`Object::is_early`].

use std::fmt;
use std::io::Write as _;

use flate2::{Compression, GzBuilder};

use crate::config::Day;

/// The compression level: part of the bytes of an object.
const LEVEL: Compression = Compression::new(6);
/// What a gzip header says of its system: unknown, on every one.
const NO_SYSTEM: u8 = 255;

/// When an object is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// At this many records; at least 1.
    pub records: usize,
    /// At this many bytes, uncompressed; one record may go beyond.
    pub bytes: usize,
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} records or {} bytes", self.records, self.bytes)
    }
}

/// What one object holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The offset of its first record.
    pub first: i64,
    /// The offset behind its last record.
    pub next: i64,
    /// The day of its first record, and of all others.
    pub day: Day,
    /// How many records, and lines, it has.
    pub records: usize,
    /// Its lines, each with its end.
    pub lines: Vec<u8>,
    /// Whether a clock ended it: then somebody else may end it elsewhere, and nothing behind it may be written before its offset is committed.
    pub is_early: bool,
}

impl Object {
    const fn is_full(&self, bounds: Bounds) -> bool {
        self.records >= bounds.records || self.lines.len() >= bounds.bytes
    }

    /// The object's bytes: the same for the same lines, on any machine, at any time.
    #[must_use]
    pub fn compressed(&self) -> Vec<u8> {
        let mut gzip = GzBuilder::new().mtime(0).operating_system(NO_SYSTEM).write(Vec::with_capacity(self.lines.len() / 4), LEVEL);
        // Writing to a vector cannot fail.
        let _ = gzip.write_all(&self.lines);
        gzip.finish().unwrap_or_default()
    }
}

/// The objects of one partition.
#[derive(Clone, Debug)]
pub struct Roller {
    bounds: Bounds,
    open: Option<Object>,
}

impl Roller {
    /// A partition that begins with a new object.
    #[must_use]
    pub const fn new(bounds: Bounds) -> Self {
        Self { bounds, open: None }
    }

    /// Adds a record, and gives every object that ends with it or before it to `done`, in order. `timestamp_ms` is the record's Kafka timestamp, which is
    /// its event time. Line ends inside a value, which JSON has only as white space, become blanks; no value at all is `null`.
    pub fn add(&mut self, offset: i64, timestamp_ms: i64, value: Option<&[u8]>, mut done: impl FnMut(Object)) {
        let day = Day::of_millis(timestamp_ms);
        if self.open.as_ref().is_some_and(|open| open.day != day) {
            self.open.take().into_iter().for_each(&mut done);
        }
        let open = self.open.get_or_insert_with(|| Object { first: offset, next: offset, day, records: 0, lines: Vec::new(), is_early: false });
        open.next = offset + 1;
        open.records += 1;
        let value = value.unwrap_or(b"null");
        open.lines.extend(value.iter().map(|&byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
        open.lines.push(b'\n');
        let bounds = self.bounds;
        self.open.take_if(|open| open.is_full(bounds)).into_iter().for_each(done);
    }

    /// Ends the open object early, if there is one.
    pub fn end_early(&mut self) -> Option<Object> {
        self.open.take().map(|open| Object { is_early: true, ..open })
    }

    /// When an object is full.
    #[must_use]
    pub const fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Ends objects otherwise from now on; gives the open one where it is full by that. It has one record at most, or its end would not be a function of
    /// the records.
    pub fn rebound(&mut self, bounds: Bounds) -> Option<Object> {
        debug_assert!(self.open.as_ref().is_none_or(|open| open.records <= 1), "bounds change where an object begins");
        self.bounds = bounds;
        self.open.take_if(|open| open.is_full(bounds))
    }

    /// Whether records wait for company.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.open.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Read as _;

    const DAY_MS: i64 = 86_400_000;

    fn rolled(bounds: Bounds, records: &[(i64, i64, Option<&[u8]>)]) -> (Vec<Object>, Roller) {
        let (mut roller, mut objects) = (Roller::new(bounds), Vec::new());
        for &(offset, timestamp_ms, value) in records {
            roller.add(offset, timestamp_ms, value, |object| objects.push(object));
        }
        (objects, roller)
    }

    #[test]
    fn an_object_ends_by_count_by_bytes_and_before_another_day() {
        let one: Option<&[u8]> = Some(b"{}");
        let long: Option<&[u8]> = Some(b"[1,2,3,4,5,6]");
        let (objects, mut rest) = rolled(
            Bounds { records: 3, bytes: 12 },
            &[(0, 0, one), (1, 0, one), (4, 0, one), (5, 0, one), (6, DAY_MS, one), (7, DAY_MS, long), (8, 0, None), (9, 0, Some(b"{\n}"))],
        );
        let told: Vec<_> = objects.iter().map(|object| (object.first, object.next, object.records, object.day.day)).collect();
        assert_eq!(told, [(0, 5, 3, 1), (5, 6, 1, 1), (6, 8, 2, 2)], "count with a hole in the offsets, day, bytes");
        assert!(objects.iter().all(|object| !object.is_early));
        let early = rest.end_early().unwrap();
        assert_eq!((&early.lines[..], early.first, early.is_early), (&b"null\n{ }\n"[..], 8, true));
        assert_eq!(rest.end_early(), None);
    }

    #[test]
    fn bytes_are_fixed() {
        let (objects, _) = rolled(Bounds { records: 1, bytes: 99 }, &[(7, 0, Some(b"{\"a\":1}"))]);
        let bytes = objects[0].compressed();
        assert_eq!(bytes[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], "no time, no name, no system");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, "{\"a\":1}\n");
    }

    proptest! {
        /// Whoever begins again where an object begins makes the same objects from there on.
        #[test]
        fn a_replay_gives_the_same_objects(days in prop::collection::vec(0_i64..3, 1..60), records in 1_usize..6, bytes in 1_usize..40, from: prop::sample::Index) {
            let lines: Vec<Vec<u8>> = days.iter().enumerate().map(|(index, _)| vec![b'x'; index % 7]).collect();
            let input: Vec<(i64, i64, Option<&[u8]>)> = days.iter().zip(&lines).enumerate()
                .map(|(index, (day, line))| (3 * index as i64, day * DAY_MS, Some(&line[..]))).collect();
            let bounds = Bounds { records, bytes };
            let (objects, _) = rolled(bounds, &input);
            prop_assume!(!objects.is_empty());
            let from = from.index(objects.len());
            let begin = objects[from].first;
            let again: Vec<_> = input.into_iter().filter(|(offset, ..)| *offset >= begin).collect();
            prop_assert_eq!(&rolled(bounds, &again).0, &objects[from..]);
        }
    }
}
