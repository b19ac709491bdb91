//! Owns the report of everything that is wrong with the settings, and the search for the name that was meant.

use std::fmt;

/// All that is wrong with what the user gave: one line each, naming the setting, the value and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<String>);

impl Problems {
    /// What a process that cannot use its settings exits with (`EX_CONFIG`).
    pub const EXIT_CODE: u8 = 78;

    /// `Ok` when there is nothing to report.
    pub(super) fn check(lines: Vec<String>) -> Result<(), Self> {
        if lines.is_empty() { Ok(()) } else { Err(Self(lines)) }
    }

    /// The report, line by line; never empty.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Problems {}

/// The one of `known` that `typed` is most likely a misspelling of; `None` when nothing is near.
pub(super) fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, name) = known.into_iter().map(|name| (edit_distance(typed, name), name)).min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + typed.len() / 3).then_some(name)
}

/// How many bytes to insert, remove or change to make one of the other (Levenshtein).
fn edit_distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, a) in left.bytes().enumerate() {
        let mut diagonal = above;
        row[0] = above + 1;
        for (index, b) in right.bytes().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[index + 1];
            row[index + 1] = changed.min(diagonal + 1).min(row[index] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_edits() {
        for (left, right, distance) in [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("HUB_LINGER", "HUB_LINGER_MS", 3), ("ab", "ba", 2)] {
            assert_eq!(edit_distance(left, right), distance, "{left} {right}");
            assert_eq!(edit_distance(right, left), distance, "{right} {left}");
        }
    }

    #[test]
    fn finds_what_was_meant_and_does_not_guess() {
        let known = ["HUB_WORKERS", "HUB_WORKER_CPUS", "HUB_LINGER_MS"];
        assert_eq!(nearest("HUB_WORKRES", known), Some("HUB_WORKERS"));
        assert_eq!(nearest("HUB_LINGERMS", known), Some("HUB_LINGER_MS"));
        assert_eq!(nearest("HUB_X", known), None);
        assert_eq!(nearest("HUB_X", []), None);
    }
}
