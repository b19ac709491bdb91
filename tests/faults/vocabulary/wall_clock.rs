//! A wall clock that a test moves, for one scene's hubs alone: libfaketime tells the time.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::support::report;

/// See the module.
pub struct WallClock {
    file: PathBuf,
    library: PathBuf,
}

impl WallClock {
    /// A clock that goes right as yet. `None`, and said, where libfaketime is not installed; `CI` leaves nothing out.
    pub fn in_dir(dir: &Path) -> Option<Self> {
        let Some(library) = faketime() else {
            assert!(std::env::var_os("CI").is_none_or(|ci| ci.is_empty()), "CI runs every test, but libfaketime is missing");
            report("ignored: no libfaketime: apt-get install libfaketime");
            return None;
        };
        let clock = Self { file: dir.join("clock"), library };
        clock.moves_to("+0");
        Some(clock)
    }

    /// Moves it to so many seconds beside the right time; within a second the hub has noticed.
    pub fn moves_to(&self, offset: &str) {
        // It must never be read half written.
        let next = self.file.with_extension("next");
        fs::write(&next, format!("{offset}\n")).expect("the clock's file");
        fs::rename(&next, &self.file).expect("the clock's file");
    }

    /// What a hub has in its environment that lives by this clock.
    pub fn environment(&self) -> [(&str, &str); 4] {
        [
            ("LD_PRELOAD", self.library.to_str().expect("a path in UTF-8")),
            ("FAKETIME_TIMESTAMP_FILE", self.file.to_str().expect("a path in UTF-8")),
            // To read it at every question about the time would keep a hub busy with that.
            ("FAKETIME_CACHE_DURATION", "1"),
            // Only the wall clock moves, as when an operator sets it.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ]
    }
}

/// The library for programs with threads, wherever the distribution has put it.
fn faketime() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    folders.into_iter().find(|path| path.is_file())
}
