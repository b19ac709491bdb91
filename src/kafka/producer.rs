//! The idempotent producer: sends messages without blocking, collects what became of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};
use rdkafka::{ClientConfig, ClientContext};

use super::aside::Aside;
use super::batch_calls::HandleProducer;
use super::bootstrap::Bootstrap;
use super::clients;
use super::log::LogContext;
use crate::batch::{BY_KEY, Message};
use crate::config::{Config, KafkaCalls};
use crate::observe::StatisticsOf;

/// What became of one message, or of some whose tags follow each other, as they do in their log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What the first was sent with.
    pub tag: usize,
    /// How many there are: 1 where they were not written.
    pub count: usize,
    /// In which partition of its topic the first one is.
    pub partition: i32,
    /// Where it is there; that of each other one follows.
    pub offset: i64,
    /// Why it was not written.
    pub failure: Option<Failure>,
}

impl Report {
    /// Adds the report of one message to those before it.
    fn push(reports: &mut Vec<Self>, tag: usize, (partition, offset): (i32, i64), failure: Option<Failure>) {
        match reports.last_mut() {
            Some(last) if failure.is_none() && last.failure.is_none() && last.is_followed_by(tag, partition, offset) => last.count += 1,
            _ => reports.push(Self { tag, count: 1, partition, offset, failure }),
        }
    }

    const fn is_followed_by(&self, tag: usize, partition: i32, offset: i64) -> bool {
        self.tag + self.count == tag && self.partition == partition && self.offset + self.count as i64 == offset
    }
}

/// Why a message was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was said of it, with the topic.
    pub text: String,
    /// What it means.
    pub cause: Cause,
}

/// What a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The message is larger than its topic takes, and will be the next time too.
    TooLarge,
    /// The brokers know a newer producer with the same transactional id.
    Fenced,
    /// The producer is of no use any more.
    Fatal,
    /// Anything that an operator, or time, can mend.
    Other,
}

impl Cause {
    fn of(code: Option<RDKafkaErrorCode>) -> Self {
        match code {
            Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize) => Self::TooLarge,
            Some(RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::InvalidProducerEpoch) => Self::Fenced,
            Some(RDKafkaErrorCode::Fatal) => Self::Fatal,
            _ => Self::Other,
        }
    }
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The queue is full: take reports, then try the same message again.
    QueueFull,
    /// It was not taken, and there will be no report.
    Failed(Failure),
}

/// What is reported as written although nobody knows where, or whether. librdkafka numbers the messages of a request from the offset that the broker
/// tells of the first: where it has told none, -1, the others have 0, 1, 2, which look like offsets.
#[derive(Debug, Default)]
struct Nowhere {
    /// The partition of the last message, if it was one of these, and the offset of the next one that would be.
    next: Option<(i32, i64)>,
}

impl Nowhere {
    /// Whether the message of the next report is one of these.
    fn holds(&mut self, partition: i32, offset: i64) -> bool {
        let holds = offset < 0 || self.next == Some((partition, offset));
        self.next = holds.then_some((partition, offset + 1));
        holds
    }
}

pub(super) struct Context {
    log: LogContext,
    reports: Mutex<Vec<Report>>,
    nowhere: Mutex<Nowhere>,
    was_cut: AtomicBool,
}

/// Whether librdkafka says that a connection has failed which may have carried requests. A client for which that matters must be told to say so from
/// level *info* on: that is what it is where a single request is on its way.
fn tells_of_cut(facility: &str, message: &str) -> bool {
    // "... Disconnected (after 17ms in state UP)"
    let state =
        message.rsplit_once(" in state ").map(|(_, state)| state.trim_end_matches(|character: char| !character.is_ascii_alphabetic() && character != '_'));
    let carries_none = |state: &str| ["INIT", "DOWN", "CONNECT", "TRY_CONNECT", "SSL", "AUTH", "APIVERSION"].iter().any(|before| state.starts_with(before));
    facility == "FAIL" && !state.is_some_and(carries_none)
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if tells_of_cut(facility, message) {
            // It is said before any request of that connection is sent again.
            self.was_cut.store(true, Ordering::Release);
        }
        self.log.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.error(error, reason);
    }

    fn stats_raw(&self, json: &[u8]) {
        self.log.stats_raw(json);
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, tag: usize) {
        let (Ok(message) | Err((_, message))) = result;
        Report::push(&mut self.reports.lock(), tag, (message.partition(), message.offset()), failure_of(result, &mut self.nowhere.lock()));
    }
}

/// Why the message of the next report was not written, if it was not.
fn failure_of(result: &DeliveryResult<'_>, nowhere: &mut Nowhere) -> Option<Failure> {
    let (error, message) = match result {
        Ok(message) => (None, message),
        Err((error, message)) => (error.rdkafka_error_code(), message),
    };
    let is_nowhere = nowhere.holds(message.partition(), message.offset());
    failure(error, is_nowhere, || (message.topic().to_owned(), message.partition()))
}

/// As [`failure_of`], of a message that stands for itself: where one of a request fails, its first one does.
pub(super) fn failure_of_any(result: &DeliveryResult<'_>) -> Option<Failure> {
    failure_of(result, &mut Nowhere::default())
}

/// Why a message was not written, if it was not; `place` gives its topic and partition.
fn failure(error: Option<RDKafkaErrorCode>, is_nowhere: bool, place: impl FnOnce() -> (String, i32)) -> Option<Failure> {
    let (why, cause) = match error {
        None if !is_nowhere => return None,
        // After a broker's death librdkafka has been seen to report so what is nowhere in the topic.
        None => ("reported as written, but nobody knows where".to_owned(), Cause::Other),
        Some(code) => (KafkaError::MessageProduction(code).to_string(), Cause::of(Some(code))),
    };
    let (topic, partition) = place();
    Some(Failure { text: format!("{topic}, partition {partition}: {why}"), cause })
}

/// See the module.
pub struct Producer {
    inner: HandleProducer<Context>,
    bootstrap: Bootstrap,
    calls: KafkaCalls,
    /// Where a call is made that may never come back; of a transactional one.
    aside: Option<Aside>,
}

impl Producer {
    /// A producer as the settings want it.
    ///
    /// # Errors
    /// librdkafka's, in particular for a property that it does not know.
    pub fn new(config: &Config) -> Result<Self, String> {
        Self::from(&clients::with_statistics(&clients::producer(config), config), config)
    }

    pub(super) fn from(client: &ClientConfig, config: &Config) -> Result<Self, String> {
        let context = Context { log: LogContext::new("producer"), reports: Mutex::default(), nowhere: Mutex::default(), was_cut: AtomicBool::new(false) };
        let client = client.create_with_context(context).map_err(clients::refusal)?;
        let inner = HandleProducer::new(client).ok_or("a producer without a queue")?;
        Ok(Self { inner, bootstrap: Bootstrap::new(config), calls: config.kafka.calls, aside: None })
    }

    /// Has the producer leave its statistics there, each time they come; only the first place counts.
    pub fn leave_statistics(&self, place: StatisticsOf) {
        self.client().context().log.leave_statistics(place);
    }

    pub(super) const fn client(&self) -> &Arc<BaseProducer<Context>> {
        self.inner.client()
    }

    /// Queues a message; its report comes with the same `tag`. The partition may be [`BY_KEY`].
    ///
    /// # Errors
    /// See [`SendError`].
    pub fn send(&self, topic: &str, partition: i32, message: &Message<'_>, tag: usize) -> Result<(), SendError> {
        let sent = match self.calls {
            KafkaCalls::Batch => self.inner.send(topic, partition, message, tag),
            KafkaCalls::Single => self.send_single(topic, partition, message, tag),
        };
        sent.map_err(|code| match code {
            RDKafkaErrorCode::QueueFull => SendError::QueueFull,
            code => {
                self.inner.forget_topics();
                let text = format!("{topic}, partition {partition}: {}", KafkaError::MessageProduction(code));
                SendError::Failed(Failure { text, cause: Cause::of(Some(code)) })
            }
        })
    }

    fn send_single(&self, topic: &str, partition: i32, message: &Message<'_>, tag: usize) -> Result<(), RDKafkaErrorCode> {
        let mut record: BaseRecord<'_, [u8], [u8], usize> = BaseRecord::with_opaque_to(topic, tag).timestamp(message.timestamp_ms);
        if partition != BY_KEY {
            record = record.partition(partition);
        }
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
        self.client().send(record).map_err(|(error, _)| error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail))
    }

    /// Serves reports for at most `timeout` and moves them to `reports`.
    pub fn poll(&self, timeout: Duration, reports: &mut Vec<Report>) {
        match self.calls {
            KafkaCalls::Single => self.client().poll(timeout),
            KafkaCalls::Batch => {
                let mut failed = false;
                let context = self.client().context();
                let mut nowhere = context.nowhere.lock();
                self.inner.poll(timeout, |report| {
                    let failure = failure(report.error, nowhere.holds(report.partition, report.offset), || (report.topic(), report.partition));
                    failed |= failure.is_some();
                    Report::push(reports, report.tag, (report.partition, report.offset), failure);
                });
                if failed {
                    self.inner.forget_topics();
                }
            }
        }
        // Also what was served while a transaction was committed.
        reports.append(&mut self.client().context().reports.lock());
    }

    /// Has a thread beside this one for calls that may never come back.
    pub(super) fn with_aside(self) -> Result<Self, String> {
        let aside = Aside::new("offsets").map_err(|error| format!("a thread for offsets cannot start: {error}"))?;
        Ok(Self { aside: Some(aside), ..self })
    }

    pub(super) const fn aside(&self) -> Option<&Aside> {
        self.aside.as_ref()
    }

    /// Gives a producer up that another one takes the place of; never waits.
    pub fn retire(self) {
        clients::retire(self);
    }

    /// Why this producer is of no use any more, if it is not.
    #[must_use]
    pub fn fatal(&self) -> Option<Failure> {
        let (code, text) = self.client().client().fatal_error()?;
        let cause = if Cause::of(Some(code)) == Cause::Fenced { Cause::Fenced } else { Cause::Fatal };
        Some(Failure { text, cause })
    }

    /// Whether a connection has failed since this producer was made: then a request that was sent again since may still arrive a second time.
    /// Serves all that has come, of which that may be; reports are kept for the next [`poll`](Self::poll).
    #[must_use]
    pub fn was_cut(&self) -> bool {
        let timeout = match self.calls {
            KafkaCalls::Batch => Duration::ZERO,
            // Without time this call serves a single event.
            KafkaCalls::Single => Duration::from_millis(1),
        };
        let mut reports = Vec::new();
        self.poll(timeout, &mut reports);
        let context = self.client().context();
        context.reports.lock().append(&mut reports);
        context.was_cut.load(Ordering::Acquire)
    }

    /// Tells the client of the brokers again, for it seems to have lost them.
    pub fn find_brokers(&self) {
        self.bootstrap.missed(self.client().client());
    }

    /// How many messages are queued or on their way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        usize::try_from(self.client().in_flight_count()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_an_unknown_offset_is_unknown_too() {
        let mut nowhere = Nowhere::default();
        let mut holds = |reports: &[(i32, i64)]| reports.iter().map(|&(partition, offset)| nowhere.holds(partition, offset)).collect::<Vec<_>>();
        assert_eq!(holds(&[(0, 0), (0, 1), (0, -1), (0, 0), (0, 1), (0, 700), (0, 701)]), [false, false, true, true, true, false, false]);
        assert_eq!(holds(&[(0, -1001), (0, -1000), (1, 9), (1, 10)]), [true, true, false, false]);
        assert_eq!(holds(&[(0, -1), (1, 0), (0, 0)]), [true, false, false], "of another partition");
    }

    #[test]
    fn reports_of_messages_in_a_row_are_one() {
        let failure = Some(Failure { text: "why".to_owned(), cause: Cause::Other });
        let mut reports = Vec::new();
        for (tag, failure) in [(7, None), (8, None), (10, None), (11, failure.clone()), (12, None), (13, failure.clone()), (14, failure.clone()), (1, None)] {
            Report::push(&mut reports, tag, (0, 100 + tag as i64), failure);
        }
        for (tag, place) in [(2, (0, 102)), (3, (0, 102)), (4, (1, 103)), (5, (1, 104))] {
            Report::push(&mut reports, tag, place, None);
        }
        let seen: Vec<_> = reports.iter().map(|report| (report.tag, report.count, report.failure.is_some())).collect();
        let first = [(7, 2, false), (10, 1, false), (11, 1, true), (12, 1, false), (13, 1, true), (14, 1, true), (1, 2, false)];
        assert_eq!(seen, [first.as_slice(), [(3, 1, false), (4, 2, false)].as_slice()].concat(), "also where they do not follow each other in the log");
    }

    #[test]
    fn a_connection_that_carried_requests_is_told_from_one_that_never_came_about() {
        let said = |state: &str| {
            format!("[thrd:TxnCoordinator]: TxnCoordinator/1: 127.0.0.1:9092: Disconnected (after 17ms in state {state}, 1 identical error(s) suppressed)")
        };
        for state in ["UP", "REAUTH", "SOMETHING_NEW"] {
            assert!(tells_of_cut("FAIL", &said(state)), "{state}");
        }
        for state in ["CONNECT", "TRY_CONNECT", "SSL_HANDSHAKE", "AUTH_REQ", "APIVERSION_QUERY"] {
            assert!(!tells_of_cut("FAIL", &said(state)), "{state}");
        }
        assert!(tells_of_cut("FAIL", "TxnCoordinator/1: Disconnected"), "when in doubt");
        assert!(!tells_of_cut("GETPID", &said("UP")));
    }
}
