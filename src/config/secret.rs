//! A value that no log, listing or report shows. Comes from the environment or a file, never from the command line.

use std::fmt;

/// What stands in place of a secret.
pub const MASK: &str = "********";

/// A password, key or token. `Debug` masks it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for where it must be sent; never for where it could be printed.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// `scheme://user:password@host` without the password.
#[must_use]
pub fn without_passwords(text: &str) -> String {
    let (mut shown, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = after.find(|c: char| c == '/' || c.is_whitespace() || "\"'<>,;".contains(c)).unwrap_or(after.len());
        let (authority, left) = after.split_at(end);
        match authority.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?.0, host))) {
            Some((user, host)) => shown.extend([user, ":", MASK, "@", host]),
            None => shown.push_str(authority),
        }
        rest = left;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_nothing() {
        assert_eq!(format!("{:?}", Some(Secret::new("hunter2"))), format!("Some({MASK})"));
        assert_eq!(Secret::new("hunter2").expose(), "hunter2");
    }

    #[test]
    fn urls_lose_their_passwords() {
        let shown = "at http://me:********@proxy:3128/x, s3://b/k, a@b and http://host:80";
        assert_eq!(without_passwords("at http://me:pw@proxy:3128/x, s3://b/k, a@b and http://host:80"), shown);
        assert_eq!(without_passwords("http://x:y@z@w://"), "http://x:********@w://");
    }
}
