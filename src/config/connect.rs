//! Kafka Connect: where it is, which connector class, and what its connectors are told.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use super::knobs;
use super::parse;
use super::secret::Secret;
use super::values::Values;

/// How connectors are registered and watched.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectConfig {
    /// The REST interface of any worker; `http` or `https`, without user and password.
    pub url: Url,
    /// Who asks, where it wants to know.
    pub user: Option<String>,
    /// The password that belongs to the user.
    pub password: Option<Secret>,
    /// `confluent`, `aiven`, or the name of a class.
    pub class: String,
    /// The name of a connector; holds `{stream}`.
    pub name: String,
    /// `tasks.max`, `1..=1000`; `None`: one task a partition.
    pub tasks_max: Option<i32>,
    /// After how long a connector writes what there is, where it can; `None`: only full objects.
    pub rotate: Option<Duration>,
    /// The store as the workers of Kafka Connect see it; `None`: as we do.
    pub store: Option<Url>,
    /// Further properties of every connector; an empty one takes a property away. They may be secret.
    pub properties: BTreeMap<String, String>,
    /// How long to wait for Kafka Connect, and for its tasks to run; `1 s..=1 h`.
    pub deadline: Duration,
    /// Above how many records of lag `status` alarms.
    pub lag_max: u64,
    /// How old the newest object may be while records wait; `1 s..=30 d`.
    pub age_max: Duration,
}

impl std::fmt::Debug for ConnectConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { url, class, name, .. } = self;
        f.debug_struct("ConnectConfig").field("url", &url.as_str()).field("class", class).field("name", name).finish_non_exhaustive()
    }
}

pub(super) fn build(values: &mut Values) -> ConnectConfig {
    let user = values.parsed(&knobs::CONNECT_USER, user);
    let password = values.secret(&knobs::CONNECT_PASSWORD);
    if user.is_none() && password.is_some() {
        values.contradiction(&[&knobs::CONNECT_USER, &knobs::CONNECT_PASSWORD], "a password needs a user");
    }
    let given = values.secret(&knobs::CONNECTOR_PROPERTIES);
    let properties = given.map(|given| parse_properties(given.expose())).transpose().unwrap_or_else(|line| {
        // Not the line itself: it may be a secret.
        values.contradiction(&[&knobs::CONNECTOR_PROPERTIES], &format!("line {line} is not NAME=VALUE"));
        None
    });
    ConnectConfig {
        url: values.parsed(&knobs::CONNECT_URL, parse::endpoint),
        user,
        password,
        class: values.parsed(&knobs::CONNECTOR_CLASS, class),
        name: values.parsed(&knobs::CONNECTOR_NAME, name),
        tasks_max: Some(values.narrow(&knobs::CONNECTOR_TASKS_MAX)).filter(|tasks| *tasks > 0),
        rotate: Some(values.duration(&knobs::CONNECTOR_ROTATE_MS)).filter(|rotate| !rotate.is_zero()),
        store: values.parsed(&knobs::CONNECTOR_S3_ENDPOINT, |text| if text.is_empty() { Ok(None) } else { parse::endpoint(text).map(Some) }),
        properties: properties.unwrap_or_default(),
        deadline: values.duration(&knobs::CONNECT_DEADLINE_S),
        lag_max: values.number(&knobs::CONNECT_LAG_MAX),
        age_max: values.duration(&knobs::CONNECT_AGE_MAX_S),
    }
}

/// Checks a user; empty text is none.
fn user(text: &str) -> Result<Option<String>, Vec<String>> {
    // What stands before the first colon is the user, to whoever reads it.
    if text.chars().any(|c| c.is_control() || c == ':') {
        return Err(vec!["has control characters or a colon".to_owned()]);
    }
    Ok(Some(text.to_owned()).filter(|user| !user.is_empty()))
}

/// Checks a class name, or the short name of one.
fn class(text: &str) -> Result<String, Vec<String>> {
    let good = !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "._$".contains(c));
    if good { Ok(text.to_owned()) } else { Err(vec!["is empty, or has characters that no class name has".to_owned()]) }
}

/// Checks the pattern of connector names: every stream must get a name of its own.
fn name(text: &str) -> Result<String, Vec<String>> {
    let others = text.replace("{stream}", "");
    if !text.contains("{stream}") {
        return Err(vec!["has no {stream}: every stream needs a connector of its own".to_owned()]);
    }
    let good = others.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if good { Ok(text.to_owned()) } else { Err(vec!["has characters other than letters, digits, '.', '_' and '-' beside {stream}".to_owned()]) }
}

/// Reads `NAME=VALUE` lines; empty lines and those that begin with `#` do not count. Or the number of the first line that is none.
fn parse_properties(text: &str) -> Result<BTreeMap<String, String>, usize> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(number, line)| property(line).ok_or(number)).collect()
}

/// Reads one `NAME=VALUE` of a connector.
#[must_use]
pub fn property(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim();
    let good = !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control());
    good.then(|| (name.to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_need_the_stream() {
        assert!(name("s3-sink-{stream}-market").is_ok());
        for text in ["", "x", "{stream}/x", "a {stream}"] {
            assert!(name(text).is_err(), "{text}");
        }
        assert!(class("a.b.C$D").is_ok() && class("").is_err() && class("a b").is_err());
    }

    #[test]
    fn properties_are_lines() {
        let read = parse_properties("# of ours\n\n a.b = c=d \nempty=\n");
        assert_eq!(read, Ok([("a.b".to_owned(), "c=d".to_owned()), ("empty".to_owned(), String::new())].into()));
        assert_eq!((parse_properties("a=b\nhunter2"), parse_properties("=x"), parse_properties("a b=x")), (Err(2), Err(1), Err(1)));
    }
}
