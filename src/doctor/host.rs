//! The files in which a system tells of itself.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// See the module.
#[derive(Clone, Debug)]
pub struct Host {
    root: PathBuf,
}

impl Host {
    /// The host whose `/proc` and `/sys` lie below `root`.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The text of a file, without white space around it.
    ///
    /// # Errors
    /// Why it cannot be read, in words for a finding.
    pub fn read(&self, path: &str) -> Result<String, String> {
        fs::read_to_string(self.root.join(path)).map(|text| text.trim().to_owned()).map_err(|error| match error.kind() {
            ErrorKind::NotFound => format!("there is no /{path} here"),
            ErrorKind::PermissionDenied => format!("/{path} may not be read: ask again as root"),
            _ => format!("/{path}: {error}"),
        })
    }

    /// The names in a directory, in order; none where it is not there.
    #[must_use]
    pub fn names(&self, path: &str) -> Vec<String> {
        let entries = fs::read_dir(self.root.join(path)).into_iter().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        names
    }
}
