//! What an answer of Kafka Connect means: the value, or what is wrong and whether waiting helps. Masks every text before anybody else sees it.

use std::fmt;

use serde_json::Value;

use super::mask::Mask;

/// How much of a message is told.
const CHARS_MAX: usize = 1_000;

/// Why a request gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody answers; the worker may be starting.
    Unreachable(String),
    /// It answers as a worker does that has not started yet, and as many a server that is something else.
    Starting,
    /// A rebalance, or another request that changes the same: it does not answer now.
    Busy(String),
    /// What was asked for is not there.
    Missing(String),
    /// The class is not installed.
    NoSuchClass,
    /// The configuration is refused, for reasons that are told.
    Refused(String),
    /// Wrong user or password, or none; the status.
    Denied(u16),
    /// Whoever answers is not Kafka Connect.
    Foreign(String),
    /// Everything else: status and text.
    Failed(u16, String),
}

impl Trouble {
    /// Whether the same request may be answered a little later.
    #[must_use]
    pub const fn passes(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Starting | Self::Busy(_) => true,
            Self::Missing(_) | Self::NoSuchClass | Self::Refused(_) | Self::Denied(_) | Self::Foreign(_) | Self::Failed(..) => false,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "no answer: {why}"),
            Self::Starting => f.write_str("it answers 404, as a worker that starts and as a server that is not Kafka Connect"),
            Self::Busy(why) => write!(f, "it is busy: {why}"),
            Self::Missing(what) | Self::Refused(what) => f.write_str(what),
            Self::NoSuchClass => f.write_str("the class is not installed"),
            Self::Denied(status) => write!(f, "it wants a user and a password (status {status})"),
            Self::Foreign(how) => write!(f, "whoever answers is not Kafka Connect: {how}"),
            Self::Failed(status, text) if text.is_empty() => write!(f, "status {status} without a word"),
            Self::Failed(status, text) => write!(f, "status {status}: {text}"),
        }
    }
}

/// Judges an answer: its status, and its body as text.
///
/// # Errors
/// See [`Trouble`].
pub fn judge(status: u16, body: &str, mask: &Mask) -> Result<Value, Trouble> {
    let value: Option<Value> = serde_json::from_str(body).ok();
    let message = value.as_ref().and_then(|value| value.get("message")).and_then(Value::as_str);
    let text = || one_line(&mask.text(message.unwrap_or_default()));
    match (status, value.as_ref(), message) {
        (200..=299, Some(_), _) => Ok(value.unwrap_or_default()),
        (200..=299, None, _) if body.trim().is_empty() => Ok(Value::Null),
        (200..=299, None, _) => Err(Trouble::Foreign(format!("status {status} with {}", kind_of(body)))),
        (401 | 403, ..) => Err(Trouble::Denied(status)),
        // Of a connector that is not there it tells the name; a path that is not there yet is the worker's own start.
        (404, _, Some(message)) if !message.ends_with("Not Found") => Err(Trouble::Missing(text())),
        (404, ..) => Err(Trouble::Starting),
        // A worker that has gone, behind a proxy that has not; too many requests.
        (429 | 502 | 503 | 504, ..) => Err(Trouble::Busy(format!("status {status}"))),
        (_, _, Some(message)) if message.contains("Failed to find any class that implements Connector") => Err(Trouble::NoSuchClass),
        (409, _, Some(_)) => Err(Trouble::Busy(text())),
        // It waits for a rebalance, or for a leader that has just gone.
        (500, _, Some(message)) if message.contains("timed out") || message.contains("trying to forward REST request") => Err(Trouble::Busy(text())),
        (400 | 422, _, Some(_)) => Err(Trouble::Refused(text())),
        (500..=599, _, Some(_)) => Err(Trouble::Failed(status, text())),
        (500..=599, None, _) if body.trim().is_empty() => Err(Trouble::Failed(status, String::new())),
        (_, _, Some(_)) => Err(Trouble::Failed(status, text())),
        _ => Err(Trouble::Foreign(format!("status {status} with {}", kind_of(body)))),
    }
}

/// What a body is, without any of it.
fn kind_of(body: &str) -> &'static str {
    match body.trim_start() {
        "" => "an empty body",
        text if text.starts_with('<') => "a web page",
        text if text.starts_with('{') || text.starts_with('[') => "other JSON",
        _ => "text",
    }
}

/// Connect's messages have lines, and advice at their end that we have followed already.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("You can also find the above list"));
    let mut line = lines.collect::<Vec<_>>().join("; ").replacen("error(s):;", "error(s):", 1);
    if let Some((end, _)) = line.char_indices().nth(CHARS_MAX) {
        line.truncate(end);
        line.push_str("...");
    }
    line
}

/// What a validation found wrong: property and sentence, each once.
#[must_use]
pub fn faults(validation: &Value, mask: &Mask) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for value in validation["configs"].as_array().into_iter().flatten().filter_map(|config| config.get("value")) {
        let name = value["name"].as_str().unwrap_or("?");
        for error in value["errors"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let fault = (name.to_owned(), one_line(&mask.text(error)));
            if !found.contains(&fault) {
                found.push(fault);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    const NO_CLASS: &str = r#"{"error_code":500,"message":"org.apache.kafka.connect.runtime.rest.errors.BadRequestException: Failed to find any class that implements Connector and which name matches io.confluent.connect.s3.S3SinkConnector, available connectors are: PluginDesc{klass=class org.apache.kafka.connect.file.FileStreamSinkConnector}"}"#;

    #[test]
    fn answers_of_a_real_worker_are_known() {
        let mut mask = Mask::default();
        mask.learn(&Secret::new("hunter2"));
        let judge = |status, body| super::judge(status, body, &mask);
        assert_eq!(judge(204, ""), Ok(Value::Null));
        assert_eq!(judge(200, r#"{"version":"4.3.1"}"#).map(|value| value["version"].clone()), Ok("4.3.1".into()));
        assert_eq!(
            judge(404, r#"{"error_code":404,"message":"No status found for connector a"}"#),
            Err(Trouble::Missing("No status found for connector a".to_owned()))
        );
        for body in ["<html>\n<head></html>", r#"{"error_code":404,"message":"Not Found"}"#, r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#] {
            assert_eq!(judge(404, body), Err(Trouble::Starting));
        }
        for status in [400, 500] {
            assert_eq!(judge(status, NO_CLASS), Err(Trouble::NoSuchClass));
        }
        let rebalance =
            r#"{"error_code":409,"message":"Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway."}"#;
        assert!(judge(409, rebalance).is_err_and(|trouble| trouble.passes()));
        let gone = r#"{"error_code":500,"message":"IO Error trying to forward REST request: java.net.ConnectException: Connection refused"}"#;
        assert!(judge(500, gone).is_err_and(|trouble| trouble.passes()));
        let invalid = r#"{"error_code":400,"message":"Connector configuration is invalid and contains the following 1 error(s):\nInvalid value hunter2 for configuration a: bad\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`"}"#;
        let told = "Connector configuration is invalid and contains the following 1 error(s): Invalid value ******** for configuration a: bad";
        assert_eq!(judge(400, invalid), Err(Trouble::Refused(told.to_owned())));
        assert_eq!(judge(500, ""), Err(Trouble::Failed(500, String::new())));
        assert_eq!(judge(401, ""), Err(Trouble::Denied(401)));
    }

    #[test]
    fn other_servers_are_told_from_kafka_connect() {
        for (status, body) in [(200, "<html>"), (200, "hello"), (302, ""), (400, "<Error/>"), (405, "{}"), (501, "<html>")] {
            assert!(matches!(judge(status, body, &Mask::default()), Err(Trouble::Foreign(_))), "{status} {body}");
        }
        assert!(judge(503, "<html>", &Mask::default()).is_err_and(|trouble| trouble.passes()));
    }

    #[test]
    fn nothing_of_a_body_is_told_but_masked_messages() {
        let mask = Mask::default();
        for (status, body) in [(200, "hunter2"), (500, "hunter2"), (404, "<hunter2>"), (409, "{\"x\":\"hunter2\"}"), (400, "hunter2"), (302, "hunter2")] {
            assert!(!format!("{:?}", judge(status, body, &mask)).contains("hunter2"), "{status}");
        }
    }

    #[test]
    fn faults_have_the_name_of_their_property() {
        let mut mask = Mask::default();
        mask.learn(&Secret::new("hunter2"));
        let validation = serde_json::json!({"configs": [
            {"value": {"name": "tasks.max", "value": "x", "errors": ["Invalid value x for configuration tasks.max: Not a number of type INT"]}},
            {"value": {"name": "topics", "errors": ["Must configure one of topics or topics.regex", "Must configure one of topics or topics.regex"]}},
            {"value": {"name": "file", "errors": []}},
            {"value": {"name": "k", "errors": ["bad hunter2"]}},
        ]});
        let found = faults(&validation, &mask);
        assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["tasks.max", "topics", "k"]);
        assert_eq!(found[2].1, "bad ********");
    }
}
