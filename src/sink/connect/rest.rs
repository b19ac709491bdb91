//! The REST interface of Kafka Connect: every request there is, tried again while waiting helps. Bodies leave this file as values or masked, never as text.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use ureq::http::{self, Request, Response};
use ureq::{Agent, AsSendBody, Body};
use url::Url;

use super::answer::{self, Trouble};
use super::connector::Properties;
use super::mask::Mask;
use crate::config::{ConnectConfig, Secret};
use crate::http::agent;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take: a worker in a rebalance holds a request back for up to 90 s.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(100);
/// With less than this no worker would ever be reached.
const ANSWER_TIMEOUT_MIN: Duration = Duration::from_secs(2);
/// How long to wait between two tries.
const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// A worker answers 404 to everything while it starts, for less than a second on a quiet machine. What does so for longer is none.
const STARTING_MAX: Duration = Duration::from_secs(30);
/// A validation of a large connector has 200 KiB.
const BODY_BYTES_MAX: u64 = 16 << 20;

/// See the module.
pub struct Rest {
    agent: Agent,
    base: Url,
    authorization: Option<Secret>,
    mask: Mask,
    deadline: Instant,
}

/// What a request is: its method, the segments of its path and its query.
#[derive(Clone, Copy)]
struct Asked<'a> {
    method: &'a str,
    path: &'a [&'a str],
    query: &'a str,
}

impl Rest {
    /// Nobody is asked yet. `mask` knows the secrets of the settings; at `deadline` waiting ends.
    #[must_use]
    pub fn new(connect: &ConnectConfig, mut mask: Mask, deadline: Instant) -> Self {
        let authorization = connect.user.as_ref().map(|user| {
            let password = connect.password.as_ref().map_or("", Secret::expose);
            let encoded = STANDARD.encode(format!("{user}:{password}"));
            mask.learn(&Secret::new(encoded.as_str()));
            Secret::new(format!("Basic {encoded}"))
        });
        connect.password.iter().for_each(|password| mask.learn(password));
        Self { agent: agent(CONNECT_TIMEOUT, ANSWER_TIMEOUT), base: connect.url.clone(), authorization, mask, deadline }
    }

    /// What hides the secrets that are known by now.
    #[must_use]
    pub const fn mask(&self) -> &Mask {
        &self.mask
    }

    /// When waiting ends.
    #[must_use]
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The version of the worker that answers. Whatever else answers is found out here.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn version(&self) -> Result<String, Trouble> {
        let value = self.ask(Asked { method: "GET", path: &[], query: "" }, None)?;
        match (value["version"].as_str(), value["kafka_cluster_id"].as_str()) {
            (Some(version), Some(_)) => Ok(self.mask.text(version)),
            _ => Err(Trouble::Foreign("its first page has no version and no kafka_cluster_id".to_owned())),
        }
    }

    /// The classes of all sink connectors that are installed.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn sink_classes(&self) -> Result<Vec<String>, Trouble> {
        let value = self.ask(Asked { method: "GET", path: &["connector-plugins"], query: "" }, None)?;
        let plugins = value.as_array().ok_or_else(|| Trouble::Foreign("its list of plugins is none".to_owned()))?;
        let sinks = plugins.iter().filter(|plugin| plugin["type"] == "sink").filter_map(|plugin| plugin["class"].as_str());
        Ok(sinks.map(|class| self.mask.text(class)).collect())
    }

    /// What is wrong with properties, by the name of the property.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn validate(&self, class: &str, properties: &Properties) -> Result<Vec<(String, String)>, Trouble> {
        let value = self.ask(Asked { method: "PUT", path: &["connector-plugins", class, "config", "validate"], query: "" }, Some(properties))?;
        let Some(count) = value["error_count"].as_u64() else { return Err(Trouble::Foreign("its validation counts no errors".to_owned())) };
        let faults = answer::faults(&value, &self.mask);
        let uncertain = count > 0 && faults.is_empty();
        Ok(if uncertain { vec![("?".to_owned(), format!("{count} errors, of which it does not tell the property"))] } else { faults })
    }

    /// The properties of a connector, with its `name`; `None` where there is no such connector. What is secret in them is masked from now on.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn properties(&mut self, name: &str) -> Result<Option<Properties>, Trouble> {
        let Some(value) = found(self.ask(Asked { method: "GET", path: &["connectors", name, "config"], query: "" }, None))? else { return Ok(None) };
        let properties: BTreeMap<String, Option<String>> =
            serde_json::from_value(value).map_err(|_| Trouble::Foreign("a connector's configuration is no object of texts".to_owned()))?;
        let properties = properties.into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect();
        self.mask.learn_properties(&properties);
        Ok(Some(properties))
    }

    /// Creates or changes a connector.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn put(&self, name: &str, properties: &Properties) -> Result<(), Trouble> {
        self.ask(Asked { method: "PUT", path: &["connectors", name, "config"], query: "" }, Some(properties)).map(drop)
    }

    /// States as the worker tells them; `None` where it knows of none.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn status(&self, name: &str) -> Result<Option<Value>, Trouble> {
        found(self.ask(Asked { method: "GET", path: &["connectors", name, "status"], query: "" }, None))
    }

    /// Restarts a connector and its tasks, or what of them has failed. `false` where there is no such connector, as in all that follow.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn restart(&self, name: &str, only_failed: bool) -> Result<bool, Trouble> {
        let query = format!("includeTasks=true&onlyFailed={only_failed}");
        self.act(Asked { method: "POST", path: &["connectors", name, "restart"], query: &query })
    }

    /// Stops consuming, and keeps the tasks.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn pause(&self, name: &str) -> Result<bool, Trouble> {
        self.act(Asked { method: "PUT", path: &["connectors", name, "pause"], query: "" })
    }

    /// Goes on after a pause.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn resume(&self, name: &str) -> Result<bool, Trouble> {
        self.act(Asked { method: "PUT", path: &["connectors", name, "resume"], query: "" })
    }

    /// Takes a connector away; what its group has committed stays.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn delete(&self, name: &str) -> Result<bool, Trouble> {
        self.act(Asked { method: "DELETE", path: &["connectors", name], query: "" })
    }

    fn act(&self, asked: Asked<'_>) -> Result<bool, Trouble> {
        Ok(found(self.ask(asked, None))?.is_some())
    }

    /// Asks until there is an answer or waiting does not help.
    fn ask(&self, asked: Asked<'_>, body: Option<&Properties>) -> Result<Value, Trouble> {
        let mut starting_since: Option<Instant> = None;
        let mut said = String::new();
        loop {
            let trouble = match self.ask_once(asked, body) {
                Err(trouble) if trouble.passes() => trouble,
                answer => return answer,
            };
            let since = match trouble {
                Trouble::Starting => *starting_since.get_or_insert_with(Instant::now),
                _ => Instant::now(),
            };
            let is_late = Instant::now() + RETRY_PAUSE >= self.deadline;
            if trouble == Trouble::Starting && (is_late || since.elapsed() > STARTING_MAX) {
                return Err(Trouble::Foreign("status 404, again and again".to_owned()));
            }
            if is_late {
                return Err(trouble);
            }
            let text = trouble.to_string();
            if text != said {
                log::warn!("Kafka Connect at {}: {text}; trying again", self.base);
                said = text;
            }
            thread::sleep(RETRY_PAUSE);
        }
    }

    fn ask_once(&self, Asked { method, path, query }: Asked<'_>, body: Option<&Properties>) -> Result<Value, Trouble> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        let mut request = Request::builder().method(method).uri(url.as_str()).header("Accept", "application/json").header("Content-Type", "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization.expose());
        }
        let left = self.deadline.saturating_duration_since(Instant::now()).clamp(ANSWER_TIMEOUT_MIN, ANSWER_TIMEOUT);
        let unreachable = |error: ureq::Error| Trouble::Unreachable(self.mask.text(&error.to_string()));
        let body = body.map(|properties| serde_json::json!(properties).to_string());
        let mut response = match body {
            Some(body) => self.run(request.body(body), left),
            None => self.run(request.body(()), left),
        }
        .map_err(unreachable)?;
        let status = response.status().as_u16();
        let text = match response.body_mut().with_config().limit(BODY_BYTES_MAX).lossy_utf8(true).read_to_string() {
            Ok(text) => text,
            Err(ureq::Error::BodyExceedsLimit(_)) => return Err(Trouble::Foreign(format!("status {status} with more than {BODY_BYTES_MAX} bytes"))),
            Err(error) => return Err(unreachable(error)),
        };
        answer::judge(status, &text, &self.mask)
    }

    fn run<B: AsSendBody>(&self, request: http::Result<Request<B>>, left: Duration) -> Result<Response<Body>, ureq::Error> {
        self.agent.run(self.agent.configure_request(request?).timeout_global(Some(left)).build())
    }
}

/// An answer, or `None` where what was asked for is not there.
fn found(answer: Result<Value, Trouble>) -> Result<Option<Value>, Trouble> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Trouble::Missing(_)) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}
