//! Brokers that a client has lost, told to it once more.
//!
//! librdkafka 2.12 drops every broker that an answer does not name. A broker that has just come back to its controller names none for a moment: a client
//! that asks in that moment drops the last one it knows, and often never asks anybody again.

#![allow(unsafe_code, reason = "rdkafka has no safe call that tells a client of brokers")]

use std::ffi::CString;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::ClientContext;
use rdkafka::bindings as native;
use rdkafka::client::Client;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;

use super::clients;
use super::log::LogContext;
use crate::config::Config;

/// The pause before brokers are told again, and the longest. Each time may cost the client a thread, until a broker answers.
const PAUSE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));

/// How long what has come is taken; without time this would be one event.
const SERVE: Duration = Duration::from_millis(1);

/// See the module.
pub(super) struct Bootstrap {
    brokers: CString,
    /// Not before then, and the pause after that.
    next: Mutex<(Instant, Duration)>,
}

impl Bootstrap {
    /// Of the brokers of the settings.
    pub(super) fn new(config: &Config) -> Self {
        Self { brokers: CString::new(config.brokers.as_str()).unwrap_or_default(), next: Mutex::new((Instant::now(), PAUSE.0)) }
    }

    /// Notes that a broker has answered the client.
    pub(super) fn answered(&self) {
        *self.next.lock() = (Instant::now(), PAUSE.0);
    }

    /// Notes that none has, and tells the client of the brokers of the settings again; now and then only. Never waits.
    pub(super) fn missed<C: ClientContext>(&self, client: &Client<C>) {
        let (now, mut next) = (Instant::now(), self.next.lock());
        if now < next.0 {
            return;
        }
        *next = (now + next.1, (next.1 * 2).min(PAUSE.1));
        // SAFETY: the client is alive, and the list ends with a NUL; librdkafka copies it.
        unsafe { native::rd_kafka_brokers_add(client.native_ptr(), self.brokers.as_ptr()) };
    }

    /// Notes whether a broker has answered a client that reads nothing, and takes what has come for it otherwise.
    pub(super) fn heard<T>(&self, client: &BaseConsumer<LogContext>, answer: Result<T, KafkaError>) -> Result<T, KafkaError> {
        match answer {
            Ok(_) => self.answered(),
            Err(_) => self.missed(client.client()),
        }
        clients::serve(client, SERVE);
        answer
    }

    /// First offset and end of a partition's log, as the consumer sees it.
    pub(super) fn log_range(&self, consumer: &BaseConsumer<LogContext>, topic: &str, partition: i32, timeout: Duration) -> Result<(i64, i64), String> {
        consumer.fetch_watermarks(topic, partition, timeout).map_err(|error| {
            // A broker that comes back has a moment without leaders. librdkafka remembers such an answer as final, here for up to a quarter of an hour,
            // and says `UnknownPartition` without asking again: ask for it, so that the next try knows better.
            let _ = self.heard(consumer, consumer.fetch_metadata(Some(topic), timeout));
            format!("{topic}, partition {partition}: {error}")
        })
    }
}
