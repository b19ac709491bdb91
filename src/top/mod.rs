//! The live page in a terminal: what a running hub tells at its endpoint, here or on another host. Asks, draws, and changes nothing there.
//!
//! What is shown is a function of the last picture and of what the keys have chosen: [`View`] and [`draw`] know no terminal and no network.

mod draw;
mod keys;
mod picture;
mod plain;

pub use draw::draw;
pub use keys::{Key, Sort, View};
pub use picture::{Feed, Lane, Latency, Letter, Picture, Process};
pub use plain::plain;

use std::time::Duration;

/// How long the hub may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(3);

/// Where a hub's status is asked for.
#[derive(Debug)]
pub struct Source {
    agent: ureq::Agent,
    url: String,
}

impl Source {
    /// The endpoint at `address`, which is `HOST:PORT` or a URL.
    #[must_use]
    pub fn at(address: &str) -> Self {
        let base = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
        Self { agent: crate::http::agent(ANSWER_WAIT, ANSWER_WAIT), url: format!("{}/status", base.trim_end_matches('/')) }
    }

    /// Asks once.
    ///
    /// # Errors
    /// Why there is no picture, in a sentence.
    pub fn ask(&self) -> Result<Picture, String> {
        let fault = |error: &dyn std::fmt::Display| format!("{}: {error}", self.url);
        let mut answer = self.agent.get(&self.url).call().map_err(|error| fault(&error))?;
        if answer.status() != 200 {
            return Err(fault(&format_args!("status {}: is this a hub's endpoint?", answer.status())));
        }
        let body = answer.body_mut().read_to_vec().map_err(|error| fault(&error))?;
        serde_json::from_slice(&body).map_err(|error| fault(&format_args!("this is no status of a hub: {error}")))
    }
}

#[cfg(test)]
mod tests;
