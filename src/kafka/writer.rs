//! Sends messages for commands that end: a full queue makes the caller wait, and the caller asks when all is acknowledged.
//!
//! Unlike the run's producer it gives up: somebody waits at a terminal, and what is not acknowledged is sent again by the next call.

use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};

use super::clients;
use super::log::LogContext;
use super::producer::failure_of_any;
use crate::config::Config;

/// How long a message may wait for its acknowledgement.
const MESSAGE_TIMEOUT_MS: &str = "60000";
/// How long one look for acknowledgements takes.
const POLL: Duration = Duration::from_millis(20);

/// A message to be sent.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names are Kafka's")]
pub struct Outgoing<'m> {
    pub topic: &'m str,
    pub partition: i32,
    pub timestamp_ms: i64,
    pub key: Option<&'m [u8]>,
    pub value: Option<&'m [u8]>,
    pub headers: &'m [(&'m str, Option<&'m [u8]>)],
}

struct Context {
    log: LogContext,
    /// What the first message that was not written is told.
    failure: Mutex<Option<String>>,
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
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Some(failure) = failure_of_any(result) {
            self.failure.lock().get_or_insert(failure.text);
        }
    }
}

/// See the module.
pub struct Writer {
    client: BaseProducer<Context>,
}

impl Writer {
    /// A writer with the settings of the run's producer.
    ///
    /// # Errors
    /// librdkafka's, in particular for a property that it does not know.
    pub fn new(config: &Config) -> Result<Self, String> {
        let mut settings = clients::producer(config);
        settings.set("message.timeout.ms", MESSAGE_TIMEOUT_MS);
        let context = Context { log: LogContext::new("writer"), failure: Mutex::default() };
        Ok(Self { client: settings.create_with_context(context).map_err(clients::refusal)? })
    }

    /// Queues a message; waits where the queue is full.
    ///
    /// # Errors
    /// This message, or one before it, cannot be written.
    pub fn send(&self, message: &Outgoing<'_>) -> Result<(), String> {
        self.check()?;
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(message.topic).partition(message.partition).timestamp(message.timestamp_ms);
        record.key = message.key;
        record.payload = message.value;
        if !message.headers.is_empty() {
            let none = OwnedHeaders::new_with_capacity(message.headers.len());
            record = record.headers(message.headers.iter().fold(none, |headers, &(key, value)| headers.insert(Header { key, value })));
        }
        while let Err((error, same)) = self.client.send(record) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(format!("{}, partition {}: {error}", message.topic, message.partition));
            }
            self.client.poll(POLL);
            self.check()?;
            record = same;
        }
        self.client.poll(Duration::ZERO);
        Ok(())
    }

    /// Waits until everything sent is acknowledged.
    ///
    /// # Errors
    /// Something cannot be written.
    pub fn finish(&self) -> Result<(), String> {
        while self.client.in_flight_count() > 0 {
            self.client.poll(POLL);
            self.check()?;
        }
        self.check()
    }

    fn check(&self) -> Result<(), String> {
        self.client.context().failure.lock().clone().map_or(Ok(()), Err)
    }
}
