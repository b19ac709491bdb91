//! What is served under which path. Reads, and never changes anything but whether records are watched as they pass.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::metrics::{self, Form};
use super::request::Request;
use super::response::Response;
use super::watch::{Quotes, Watch};
use crate::config::Row;

/// How long an answer that has to be made stands for whoever asks the same: workers tell every second, and many may ask.
const ANSWER_TIME: Duration = Duration::from_millis(250);
const ANSWERS_MAX: usize = 4;

const HTML: &str = include_str!("page/index.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// See the module.
#[derive(Debug)]
pub(super) struct Routes {
    watch: Watch,
    /// The last ones that had to be made, and for whom.
    answers: VecDeque<(Instant, Request, Response)>,
    settings: Vec<Setting>,
}

/// A setting as `/config` tells it; secrets are masked.
#[derive(Debug, Serialize)]
struct Setting {
    name: String,
    variable: String,
    value: String,
    origin: String,
}

#[derive(Serialize)]
struct Version {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Health {
    alive: bool,
}

impl Routes {
    pub(super) fn new(watch: Watch, settings: Vec<Row>) -> Self {
        let setting = |row: Row| Setting { name: row.name, variable: row.env, value: row.value, origin: row.origin.to_string() };
        Self { watch, answers: VecDeque::new(), settings: settings.into_iter().map(setting).collect() }
    }

    /// Looks at what has happened since. Called every now and then.
    pub(super) fn tick(&mut self) {
        self.watch.tick();
    }

    /// Answers a request.
    pub(super) fn answer(&mut self, request: &Request) -> Response {
        match request.path.as_str() {
            "/" => Response::new(200, "text/html; charset=utf-8", HTML.as_bytes()),
            "/page.css" => Response::new(200, "text/css; charset=utf-8", STYLE.as_bytes()),
            "/page.js" => Response::new(200, "text/javascript; charset=utf-8", SCRIPT.as_bytes()),
            "/health" => Response::json(200, &Health { alive: true }),
            "/config" => Response::json(200, &self.settings),
            "/version" => Response::json(200, &Version { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") }),
            "/metrics" | "/ready" | "/status" => self.made(request),
            _ => Response::refusal(404, "nothing is here: see /, /metrics, /health, /ready, /status, /config and /version"),
        }
    }

    /// An answer that is made of the present status, or was just now.
    fn made(&mut self, request: &Request) -> Response {
        self.answers.retain(|(at, ..)| at.elapsed() < ANSWER_TIME);
        if let Some((.., response)) = self.answers.iter().find(|(_, asked, _)| asked.asks_as(request)) {
            return response.clone();
        }
        self.watch.tick();
        let response = self.make(request);
        self.answers.truncate(ANSWERS_MAX - 1);
        self.answers.push_front((Instant::now(), request.clone(), response.clone()));
        response
    }

    fn make(&mut self, request: &Request) -> Response {
        match request.path.as_str() {
            "/metrics" => {
                let form = if request.wants_openmetrics { Form::OpenMetrics } else { Form::Plain };
                Response::new(200, form.content_type(), metrics::write(&self.watch.status(Quotes::None), form).into_bytes())
            }
            "/ready" => {
                let status = self.watch.status(Quotes::None);
                Response::json(if status.ready { 200 } else { 503 }, &status.readiness())
            }
            _ => {
                let symbol = request.parameter("symbol");
                if symbol.is_some() {
                    self.watch.watch();
                }
                let quotes = symbol.as_deref().filter(|symbol| !symbol.is_empty()).map_or(Quotes::First, Quotes::Of);
                Response::json(200, &self.watch.status(quotes))
            }
        }
    }
}
