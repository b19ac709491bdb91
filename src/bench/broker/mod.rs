//! The hub through a broker: topics and groups of its own, made for one measurement and deleted after it. Never touches any other.
//!
//! ```text
//! feeder ─▶ input topics ─▶ runtime ─▶ output topics ─▶ reader, or only their ends
//!    └── when a frame was due      └── polled, encoded, acknowledged   └── consumed
//! ```
//! All of it in one process, feeder and reader too: beside an embedded broker it shares the machine with the hub.

mod feeder;
mod paced;
mod stand;
mod throughput;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::outcome::Outcome;
use crate::config::Config;
use crate::kafka::{EmbeddedBroker, Unavailable};
use crate::runtime::RunError;

/// How much goes through.
#[derive(Clone, Debug)]
pub struct Course {
    /// The settings; brokers, topics and groups are replaced.
    pub config: Config,
    /// Whether the brokers of the settings are used, in place of an embedded one.
    pub real: bool,
    /// Frames a second of the paced part.
    pub rate: u64,
    /// How long each measurement lasts.
    pub seconds: Duration,
    /// How often each throughput is taken.
    pub turns: usize,
    /// Whether only the two usual loads are taken.
    pub quick: bool,
}

/// Why a measurement through a broker came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrokerError {
    /// The run ended.
    Run(RunError),
    /// Something that went in did not come out.
    Lost(String),
    /// A signal came.
    Stopped,
}

impl From<RunError> for BrokerError {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

impl From<Unavailable> for BrokerError {
    fn from(unavailable: Unavailable) -> Self {
        Self::Run(RunError::Unavailable(unavailable))
    }
}

/// Brokers, and what is asked of them.
pub struct Broker<'c> {
    course: &'c Course,
    embedded: Option<EmbeddedBroker>,
    stop: Arc<AtomicBool>,
}

impl<'c> Broker<'c> {
    /// The brokers of a course; `stop` ends whatever goes on.
    ///
    /// # Errors
    /// librdkafka's.
    pub fn new(course: &'c Course, stop: Arc<AtomicBool>) -> Result<Self, BrokerError> {
        let embedded = if course.real { None } else { Some(EmbeddedBroker::start().map_err(RunError::Refused)?) };
        Ok(Self { course, embedded, stop })
    }

    /// How many frames a second go through, and what they cost.
    ///
    /// # Errors
    /// See [`BrokerError`].
    pub fn throughput(&self, outcome: &mut Outcome, tell: &mut dyn FnMut(&str)) -> Result<(), BrokerError> {
        throughput::measure(self, outcome, tell)
    }

    /// How long a frame takes at a rate, by stage.
    ///
    /// # Errors
    /// See [`BrokerError`].
    pub fn paced(&self, outcome: &mut Outcome, tell: &mut dyn FnMut(&str)) -> Result<(), BrokerError> {
        paced::measure(self, outcome, tell)
    }

    const fn kind(&self) -> &'static str {
        if self.course.real { "real broker" } else { "embedded broker" }
    }
}
