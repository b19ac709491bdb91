//! What librdkafka says, into our log: its warnings come again and again in an outage, so they are limited in rate.

use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;

use crate::observe::RateLimit;

/// One warning of a client in this time.
const INTERVAL: Duration = Duration::from_secs(10);

/// The context of a client that has nothing else to say.
pub(super) struct LogContext {
    client: &'static str,
    warnings: Mutex<RateLimit>,
}

impl LogContext {
    /// `client` is how the log calls it.
    pub(super) const fn new(client: &'static str) -> Self {
        Self { client, warnings: Mutex::new(RateLimit::new(INTERVAL)) }
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
}

impl ConsumerContext for LogContext {}
