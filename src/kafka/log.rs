//! What librdkafka says, into our log: its warnings come again and again in an outage, so they are limited in rate. What it tells of its clients in figures
//! is left for lookers.

use std::sync::OnceLock;
use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;

use crate::observe::{RateLimit, StatisticsOf};

/// One warning of a client in this time.
const INTERVAL: Duration = Duration::from_secs(10);

/// The context of a client that has nothing else to say.
pub(super) struct LogContext {
    client: &'static str,
    warnings: Mutex<RateLimit>,
    statistics: OnceLock<StatisticsOf>,
}

impl LogContext {
    /// `client` is how the log calls it.
    pub(super) const fn new(client: &'static str) -> Self {
        Self { client, warnings: Mutex::new(RateLimit::new(INTERVAL)), statistics: OnceLock::new() }
    }

    /// Has statistics left there from now on; before, nobody takes them.
    pub(super) fn leave_statistics(&self, place: StatisticsOf) {
        let _ = self.statistics.set(place);
    }
}

impl ClientContext for LogContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Info | RDKafkaLogLevel::Notice | RDKafkaLogLevel::Debug => log::debug!("{}: {facility}: {message}", self.client),
            _ => self.warnings.lock().warn(&format!("{}: {facility}: {message}", self.client)),
        }
    }

    /// The same comes to the log, and out of polls.
    fn error(&self, error: KafkaError, reason: &str) {
        log::debug!("{}: {error}: {reason}", self.client);
    }

    /// Called by whoever polls the client, which may be a worker: a copy, and no more.
    fn stats_raw(&self, json: &[u8]) {
        if let Some(place) = self.statistics.get() {
            place.statistics.put(&place.client, json);
        }
    }
}

impl ConsumerContext for LogContext {}
