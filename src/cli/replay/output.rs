//! Where the output of a replay goes: a file, standard output, topics, or nowhere.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::Failure;
use crate::batch::Message;
use crate::config::LaneId;
use crate::replay::{Lines, Sink, Stop, Topics};

/// See the module.
pub(super) enum Target {
    Lines { lines: Lines<Output>, is_stdout: bool },
    Topics(Topics),
    Nowhere,
}

impl Target {
    /// Whether records stand on standard output.
    pub(super) const fn takes_stdout(&self) -> bool {
        matches!(self, Self::Lines { is_stdout: true, .. })
    }

    /// Writes out what is left; until then, nothing is sure to be there.
    pub(super) fn finish(self) -> Result<(), Stop> {
        match self {
            Self::Lines { lines, .. } => lines.0.finish().map_err(Stop::Write),
            Self::Topics(topics) => topics.finish(),
            Self::Nowhere => Ok(()),
        }
    }
}

impl Sink for Target {
    fn take(&mut self, lane: LaneId, topic: &str, partition: i32, message: &Message<'_>) -> Result<(), Stop> {
        match self {
            Self::Lines { lines, .. } => lines.take(lane, topic, partition, message),
            Self::Topics(topics) => topics.take(lane, topic, partition, message),
            Self::Nowhere => Ok(()),
        }
    }
}

pub(super) fn is_gzip(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz")
}

/// A file, or standard output.
pub(super) enum Output {
    Plain(BufWriter<Box<dyn Write>>),
    Gzip(GzEncoder<BufWriter<Box<dyn Write>>>),
}

impl Output {
    pub(super) fn open(path: Option<&PathBuf>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::Plain(BufWriter::with_capacity(1 << 18, Box::new(io::stdout())))) };
        let file = File::create(path).map_err(|error| Failure::new(Failure::IO, format_args!("--out {}: {error}", path.display())))?;
        let file = BufWriter::with_capacity(1 << 18, Box::new(file) as Box<dyn Write>);
        Ok(if is_gzip(path) { Self::Gzip(GzEncoder::new(file, Compression::default())) } else { Self::Plain(file) })
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut output) => output.flush(),
            Self::Gzip(output) => output.finish()?.flush(),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(output) => output.write(bytes),
            Self::Gzip(output) => output.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(output) => output.flush(),
            Self::Gzip(output) => output.flush(),
        }
    }
}
