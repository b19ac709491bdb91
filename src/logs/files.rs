//! Files that turn over: `market-hub.log` is written, `market-hub.log.1` is the last full one, and the oldest goes.
//!
//! The crates for this bring a library of dates, or threads, or a runtime; all that is needed is to rename.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const NAME: &str = "market-hub.log";

/// See the module. `written <= bytes_max` but for a line that alone is longer.
#[derive(Debug)]
pub(super) struct Files {
    dir: PathBuf,
    bytes_max: u64,
    kept: usize,
    file: Option<File>,
    written: u64,
}

impl Files {
    /// Opens the file to go on with.
    pub(super) fn open(dir: &Path, bytes_max: u64, kept: usize) -> io::Result<Self> {
        let mut files = Self { dir: dir.to_owned(), bytes_max, kept, file: None, written: 0 };
        files.reopen()?;
        Ok(files)
    }

    /// Writes a line; after a failure the file is opened anew with the next one.
    pub(super) fn write(&mut self, line: &str) -> io::Result<()> {
        if self.file.is_none() {
            self.reopen()?;
        }
        if self.written > 0 && self.written + line.len() as u64 > self.bytes_max {
            self.turn_over()?;
        }
        let written = self.file.as_mut().map_or_else(|| Err(io::ErrorKind::NotFound.into()), |file| file.write_all(line.as_bytes()));
        match written {
            Ok(()) => self.written += line.len() as u64,
            Err(_) => self.file = None,
        }
        written
    }

    fn reopen(&mut self) -> io::Result<()> {
        fs::create_dir_all(&self.dir)?;
        let file = OpenOptions::new().create(true).append(true).open(self.path(0))?;
        self.written = file.metadata()?.len();
        self.file = Some(file);
        Ok(())
    }

    fn turn_over(&mut self) -> io::Result<()> {
        self.file = None;
        for number in (0..self.kept).rev() {
            match fs::rename(self.path(number), self.path(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        if self.kept == 0 {
            fs::remove_file(self.path(0))?;
        }
        self.reopen()
    }

    /// The file that is written, or the full one of a number.
    fn path(&self, number: usize) -> PathBuf {
        self.dir.join(if number == 0 { NAME.to_owned() } else { format!("{NAME}.{number}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(dir: &Path, name: &str) -> String {
        fs::read_to_string(dir.join(name)).unwrap_or_default()
    }

    #[test]
    fn files_turn_over_and_the_oldest_goes() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Files::open(dir.path(), 10, 2).unwrap();
        for line in ["one\n", "two\n", "three\n", "four\n", "five\n", "longer than a file\n"] {
            files.write(line).unwrap();
        }
        assert_eq!(text(dir.path(), NAME), "longer than a file\n");
        assert_eq!(text(dir.path(), "market-hub.log.1"), "four\nfive\n");
        assert_eq!(text(dir.path(), "market-hub.log.2"), "three\n");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
        // What a process before has written counts.
        let mut files = Files::open(dir.path(), 10, 2).unwrap();
        files.write("six\n").unwrap();
        assert_eq!(text(dir.path(), "market-hub.log.1"), "longer than a file\n");
    }

    #[test]
    fn a_directory_that_goes_away_is_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let below = dir.path().join("logs");
        let mut files = Files::open(&below, 10, 1).unwrap();
        files.write("12345678\n").unwrap();
        fs::remove_dir_all(&below).unwrap();
        // It turns over, and finds nothing to rename.
        files.write("after\n").unwrap();
        assert_eq!(text(&below, NAME), "after\n");
    }

    #[test]
    fn what_cannot_be_opened_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(Files::open(file.path(), 10, 1).is_err());
    }
}
