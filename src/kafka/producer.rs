//! The idempotent producer: sends messages without blocking, collects what became of them.

use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};

use super::clients;
use super::log::LogContext;
use crate::batch::Message;
use crate::config::Config;

/// What became of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What it was sent with.
    pub tag: usize,
    /// Why it was not written, and to which topic.
    pub failure: Option<String>,
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The queue is full: take reports, then try the same message again.
    QueueFull,
    /// It can never be sent, or the producer cannot go on.
    Failed(String),
}

struct Context {
    log: LogContext,
    reports: Mutex<Vec<Report>>,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.error(error, reason);
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, tag: usize) {
        let failure = result.as_ref().err().map(|(error, message)| format!("{}, partition {}: {error}", message.topic(), message.partition()));
        self.reports.lock().push(Report { tag, failure });
    }
}

/// See the module.
pub struct Producer {
    client: BaseProducer<Context>,
}

impl Producer {
    /// A producer as the settings want it.
    ///
    /// # Errors
    /// librdkafka's, in particular for a property that it does not know.
    pub fn new(config: &Config) -> Result<Self, String> {
        let client =
            clients::producer(config).create_with_context(Context { log: LogContext::new("producer"), reports: Mutex::default() }).map_err(clients::refusal)?;
        Ok(Self { client })
    }

    /// Queues a message; its report comes with the same `tag`.
    ///
    /// # Errors
    /// See [`SendError`].
    pub fn send(&self, topic: &str, partition: i32, message: &Message<'_>, tag: usize) -> Result<(), SendError> {
        let mut record: BaseRecord<'_, [u8], [u8], usize> = BaseRecord::with_opaque_to(topic, tag).partition(partition).timestamp(message.timestamp_ms);
        if let Some(key) = message.key {
            record = record.key(key);
        }
        if let Some(value) = message.value {
            record = record.payload(value);
        }
        let headers = message.headers();
        if headers.len() > 0 {
            let owned = headers.fold(OwnedHeaders::new_with_capacity(16), |owned, (key, value)| owned.insert(Header { key, value }));
            record = record.headers(owned);
        }
        self.client.send(record).map_err(|(error, _)| match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::QueueFull) => SendError::QueueFull,
            _ => SendError::Failed(format!("{topic}, partition {partition}: {error}")),
        })
    }

    /// Serves reports for at most `timeout` and moves them to `reports`.
    pub fn poll(&self, timeout: Duration, reports: &mut Vec<Report>) {
        self.client.poll(timeout);
        reports.append(&mut self.client.context().reports.lock());
    }

    /// How many messages are queued or on their way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        usize::try_from(self.client.in_flight_count()).unwrap_or_default()
    }
}
