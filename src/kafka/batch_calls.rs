//! librdkafka's own calls, where rdkafka's safe ones cost too much: many records or reports with one call, topics by handle and not by name. Never decides
//! what a record, a report or an error means: that is in the files of consumer and producer, the same for the safe calls (`--kafka-calls single`), against
//! which tests hold these.
//!
//! Sending stays a call for each message: `rd_kafka_produce_batch` of librdkafka 2.12 gives every message the time of the call and knows no headers.

#![allow(unsafe_code, reason = "rdkafka has no safe calls for batches: a produced message costs half as much, a polled one a quarter")]

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::bindings::{self as native, rd_kafka_resp_err_t as Code, rd_kafka_vtype_t as Part};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer as _, ProducerContext};

use super::log::LogContext;
use crate::batch::Message;

/// How many records one call takes at most. They stay in librdkafka's memory until they are processed.
const TAKE_MAX: usize = 64;

/// The records of one partition, in order, taken many at a time. Those that were taken and not given on are lost to it when it is dropped, as what was
/// fetched ahead is.
pub(super) struct PartitionBatches {
    /// Its own reference; given back on drop.
    queue: NonNull<native::rd_kafka_queue_t>,
    /// What was taken and not given on, the next one last. All its own.
    taken: RefCell<Vec<*mut native::rd_kafka_message_t>>,
    /// Outlives the queue and the records.
    _client: Arc<BaseConsumer<LogContext>>,
}

// SAFETY: librdkafka's queues and messages belong to no thread, and the pointers are this one's own.
unsafe impl Send for PartitionBatches {}

impl PartitionBatches {
    /// The records of a partition that is assigned to the client. From here on they come to no other queue.
    pub(super) fn split(client: &Arc<BaseConsumer<LogContext>>, topic: &str, partition: i32) -> Option<Self> {
        let topic = CString::new(topic).ok()?;
        // SAFETY: the client is alive, the name ends with a NUL; the result is a reference of our own, or null.
        let queue = NonNull::new(unsafe { native::rd_kafka_queue_get_partition(client.client().native_ptr(), topic.as_ptr(), partition) })?;
        // SAFETY: the queue is alive; forwarding to nothing is what splitting is.
        unsafe { native::rd_kafka_queue_forward(queue.as_ptr(), ptr::null_mut()) };
        Some(Self { queue, taken: RefCell::new(Vec::with_capacity(TAKE_MAX)), _client: Arc::clone(client) })
    }

    /// The next record or error, if one is there.
    pub(super) fn poll(&self) -> Option<Result<Taken<'_>, KafkaError>> {
        let message = NonNull::new(self.next()?)?;
        let taken = Taken { message, queue: PhantomData };
        match taken.parts().err {
            Code::RD_KAFKA_RESP_ERR_NO_ERROR => Some(Ok(taken)),
            Code::RD_KAFKA_RESP_ERR__PARTITION_EOF => Some(Err(KafkaError::PartitionEOF(taken.parts().partition))),
            code => Some(Err(KafkaError::MessageConsumption(code.into()))),
        }
    }

    fn next(&self) -> Option<*mut native::rd_kafka_message_t> {
        let mut taken = self.taken.borrow_mut();
        if taken.is_empty() {
            // SAFETY: the queue is alive; librdkafka writes at most as many pointers as there is room for, and says how many, below 0 for an error.
            let count = unsafe { native::rd_kafka_consume_batch_queue(self.queue.as_ptr(), 0, taken.as_mut_ptr(), taken.capacity()) };
            // SAFETY: so many are written.
            unsafe { taken.set_len(usize::try_from(count).unwrap_or(0)) };
            taken.reverse();
        }
        taken.pop()
    }
}

impl Drop for PartitionBatches {
    fn drop(&mut self) {
        for message in self.taken.get_mut().drain(..) {
            // SAFETY: nobody else has it: what was given on was taken out.
            unsafe { native::rd_kafka_message_destroy(message) };
        }
        // SAFETY: it is our own reference, and not used again; the client is still alive.
        unsafe { native::rd_kafka_queue_destroy(self.queue.as_ptr()) };
    }
}

/// Name and value of a header.
type Header<'m> = (&'m str, Option<&'m [u8]>);

/// A record in librdkafka's memory, of a partition that outlives it.
pub(super) struct Taken<'q> {
    message: NonNull<native::rd_kafka_message_t>,
    queue: PhantomData<&'q PartitionBatches>,
}

impl Taken<'_> {
    fn parts(&self) -> &native::rd_kafka_message_t {
        // SAFETY: it came from librdkafka, is our own, and nobody changes it.
        unsafe { self.message.as_ref() }
    }

    pub(super) fn offset(&self) -> i64 {
        self.parts().offset
    }

    /// Milliseconds; `None` where the record has no timestamp.
    pub(super) fn timestamp_ms(&self) -> Option<i64> {
        let mut kind = native::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is alive; the kind is written to a place of our own.
        let millis = unsafe { native::rd_kafka_message_timestamp(self.message.as_ptr(), &raw mut kind) };
        (millis != -1 && kind != native::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE).then_some(millis)
    }

    pub(super) fn key(&self) -> Option<&[u8]> {
        // SAFETY: key and length belong together, and live as long as the message.
        unsafe { bytes(self.parts().key, self.parts().key_len) }
    }

    pub(super) fn value(&self) -> Option<&[u8]> {
        // SAFETY: as for the key.
        unsafe { bytes(self.parts().payload, self.parts().len) }
    }

    /// The headers, in order; none where a name is not UTF-8.
    pub(super) fn headers(&self) -> Vec<Header<'_>> {
        let mut headers = ptr::null_mut();
        // SAFETY: the message is alive; it keeps its headers, which are written to a place of our own.
        if unsafe { native::rd_kafka_message_headers(self.message.as_ptr(), &raw mut headers) } != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Vec::new();
        }
        (0..).map_while(|index| self.header(headers, index)).collect::<Option<_>>().unwrap_or_default()
    }

    /// The header at `index`, if there is one; inside, `None` for a name that is not UTF-8.
    fn header(&self, headers: *const native::rd_kafka_headers_t, index: usize) -> Option<Option<Header<'_>>> {
        let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the headers belong to the message, which is alive; the parts are written to places of our own.
        let found = unsafe { native::rd_kafka_header_get_all(headers, index, &raw mut name, &raw mut value, &raw mut length) };
        if found != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        // SAFETY: the name ends with a NUL and lives as long as the message.
        let name = unsafe { CStr::from_ptr(name) }.to_str();
        // SAFETY: value and length belong together, and live as long as the message.
        let value = unsafe { bytes(value, length) };
        Some(name.ok().map(|name| (name, value)))
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        // SAFETY: it is our own, and what borrows from it is gone.
        unsafe { native::rd_kafka_message_destroy(self.message.as_ptr()) };
    }
}

/// # Safety
/// `start` is null, or `length` bytes from there on live for `'m` and do not change.
unsafe fn bytes<'m>(start: *const c_void, length: usize) -> Option<&'m [u8]> {
    // SAFETY: the caller's promise.
    (!start.is_null()).then(|| unsafe { slice::from_raw_parts(start.cast(), length) })
}

/// A report, as librdkafka gives it.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawReport<'e> {
    pub(super) tag: usize,
    pub(super) error: Option<RDKafkaErrorCode>,
    /// Below 0 where it is not known.
    pub(super) offset: i64,
    topic: *const native::rd_kafka_topic_t,
    pub(super) partition: i32,
    event: PhantomData<&'e ()>,
}

impl RawReport<'_> {
    pub(super) fn topic(&self) -> String {
        // SAFETY: the event holds the message, and the message its topic; the name ends with a NUL.
        unsafe { CStr::from_ptr(native::rd_kafka_topic_name(self.topic)) }.to_string_lossy().into_owned()
    }
}

/// A producer, with handles of the topics that it sends to.
pub(super) struct HandleProducer<C: ProducerContext + 'static> {
    /// Handles by name, the one that was used last in front: batches go to one topic. Each is a reference of our own.
    topics: RefCell<Vec<(String, NonNull<native::rd_kafka_topic_t>)>>,
    /// Where reports come. Its own reference.
    queue: NonNull<native::rd_kafka_queue_t>,
    /// Dropped last, here.
    client: Arc<BaseProducer<C>>,
}

// SAFETY: librdkafka's topics and queues belong to no thread; that two threads do not use the handles at once is what `RefCell` sees to, by not being `Sync`.
unsafe impl<C: ProducerContext + 'static> Send for HandleProducer<C> {}

impl<C: ProducerContext + 'static> HandleProducer<C> {
    /// `None` where librdkafka has no queue for it, which it always has.
    pub(super) fn new(client: BaseProducer<C>) -> Option<Self> {
        // SAFETY: the client is alive; the result is a reference of our own.
        let queue = NonNull::new(unsafe { native::rd_kafka_queue_get_main(client.client().native_ptr()) })?;
        Some(Self { topics: RefCell::default(), queue, client: Arc::new(client) })
    }

    pub(super) const fn client(&self) -> &Arc<BaseProducer<C>> {
        &self.client
    }

    /// Queues a message, which librdkafka copies; partition -1 leaves the choice to the key.
    pub(super) fn send(&self, topic: &str, partition: i32, message: &Message<'_>, tag: usize) -> Result<(), RDKafkaErrorCode> {
        let handle = self.handle(topic).ok_or(RDKafkaErrorCode::UnknownTopic)?;
        let headers = Headers::of(message);
        let (key, key_length) = start(message.key);
        let (value, value_length) = start(message.value);
        // SAFETY: the client and the handle, which is its own, are alive; pointers and lengths belong together and are only read; types and order are those
        // of `rd_kafka_producev`, whose list ends with END. The tag is a number to librdkafka.
        let code = unsafe {
            native::rd_kafka_producev(
                self.client.client().native_ptr(),
                Part::RD_KAFKA_VTYPE_RKT,
                handle.as_ptr(),
                Part::RD_KAFKA_VTYPE_PARTITION,
                partition,
                Part::RD_KAFKA_VTYPE_MSGFLAGS,
                native::RD_KAFKA_MSG_F_COPY,
                Part::RD_KAFKA_VTYPE_VALUE,
                value,
                value_length,
                Part::RD_KAFKA_VTYPE_KEY,
                key,
                key_length,
                Part::RD_KAFKA_VTYPE_OPAQUE,
                ptr::without_provenance_mut::<c_void>(tag),
                Part::RD_KAFKA_VTYPE_TIMESTAMP,
                message.timestamp_ms,
                Part::RD_KAFKA_VTYPE_HEADERS,
                headers.0,
                Part::RD_KAFKA_VTYPE_END,
            )
        };
        match code {
            Code::RD_KAFKA_RESP_ERR_NO_ERROR => {
                // They are librdkafka's now.
                std::mem::forget(headers);
                Ok(())
            }
            code => Err(code.into()),
        }
    }

    /// The handle of a topic.
    fn handle(&self, topic: &str) -> Option<NonNull<native::rd_kafka_topic_t>> {
        let mut topics = self.topics.borrow_mut();
        match topics.iter().position(|(name, _)| name == topic) {
            Some(0) => {}
            Some(index) => topics.swap(0, index),
            None => {
                let name = CString::new(topic).ok()?;
                // SAFETY: the client is alive, the name ends with a NUL, no settings are the default ones; the result is a reference of our own, or null.
                let handle = NonNull::new(unsafe { native::rd_kafka_topic_new(self.client.client().native_ptr(), name.as_ptr(), ptr::null_mut()) })?;
                topics.insert(0, (topic.to_owned(), handle));
            }
        }
        topics.first().map(|(_, handle)| *handle)
    }

    /// Gives the handles back. librdkafka forgets a topic that nobody holds, and so asks for it anew: one that was missing may be there by now.
    pub(super) fn forget_topics(&self) {
        for (_, handle) in self.topics.borrow_mut().drain(..) {
            // SAFETY: it is our own reference, and not used again.
            unsafe { native::rd_kafka_topic_destroy(handle.as_ptr()) };
        }
    }

    /// Serves events for at most `timeout`, until there is none; calls `each` with every report.
    pub(super) fn poll(&self, timeout: Duration, mut each: impl FnMut(RawReport<'_>)) {
        let mut wait_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the queue is alive; an event is our own.
        while let Some(event) = NonNull::new(unsafe { native::rd_kafka_queue_poll(self.queue.as_ptr(), wait_ms) }) {
            wait_ms = 0;
            let event = Event(event);
            if event.kind() == native::RD_KAFKA_EVENT_DR {
                event.reports(&mut each);
            } else {
                event.tell(&**self.client.context());
            }
        }
    }
}

impl<C: ProducerContext + 'static> Drop for HandleProducer<C> {
    fn drop(&mut self) {
        self.forget_topics();
        // SAFETY: it is our own reference, and not used again; the client is still alive.
        unsafe { native::rd_kafka_queue_destroy(self.queue.as_ptr()) };
    }
}

fn start(bytes: Option<&[u8]>) -> (*const u8, usize) {
    bytes.map_or((ptr::null(), 0), |bytes| (bytes.as_ptr(), bytes.len()))
}

/// The headers of a message that is to be sent; null for none. Dropped, they are given back.
struct Headers(*mut native::rd_kafka_headers_t);

impl Headers {
    fn of(message: &Message<'_>) -> Self {
        let headers = message.headers();
        if headers.len() == 0 {
            return Self(ptr::null_mut());
        }
        // SAFETY: it gives headers of our own.
        let list = Self(unsafe { native::rd_kafka_headers_new(headers.len()) });
        for (name, value) in headers {
            let (value, value_length) = start(value);
            // SAFETY: the list is alive; pointers and lengths belong together; librdkafka copies both.
            unsafe { native::rd_kafka_header_add(list.0, name.as_ptr().cast(), name.len().cast_signed(), value.cast(), value_length.cast_signed()) };
        }
        list
    }
}

impl Drop for Headers {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: they are our own, for no message has taken them.
            unsafe { native::rd_kafka_headers_destroy(self.0) };
        }
    }
}

/// An event of our own.
struct Event(NonNull<native::rd_kafka_event_t>);

impl Event {
    fn kind(&self) -> i32 {
        // SAFETY: the event is alive.
        unsafe { native::rd_kafka_event_type(self.0.as_ptr()) }
    }

    fn reports(&self, each: &mut impl FnMut(RawReport<'_>)) {
        // SAFETY: the event is alive; it holds every message that it gives, until it is destroyed.
        while let Some(message) = unsafe { native::rd_kafka_event_message_next(self.0.as_ptr()).as_ref() } {
            let error = (message.err != Code::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| message.err.into());
            let (offset, topic, partition) = (message.offset, message.rkt.cast_const(), message.partition);
            each(RawReport { tag: message._private.addr(), error, offset, topic, partition, event: PhantomData });
        }
    }

    /// Hands on what is no report.
    fn tell(&self, context: &impl ClientContext) {
        match self.kind() {
            native::RD_KAFKA_EVENT_ERROR => {
                // SAFETY: the event is alive.
                let code: RDKafkaErrorCode = unsafe { native::rd_kafka_event_error(self.0.as_ptr()) }.into();
                // SAFETY: the text belongs to the event and ends with a NUL.
                let reason = unsafe { CStr::from_ptr(native::rd_kafka_event_error_string(self.0.as_ptr())) };
                context.error(KafkaError::Global(code), reason.to_string_lossy().trim());
            }
            native::RD_KAFKA_EVENT_STATS => {
                // SAFETY: as for the text of an error.
                let statistics = unsafe { CStr::from_ptr(native::rd_kafka_event_stats(self.0.as_ptr())) };
                context.stats_raw(statistics.to_bytes());
            }
            native::RD_KAFKA_EVENT_LOG => {
                let (mut facility, mut text, mut level) = (ptr::null(), ptr::null(), 0);
                // SAFETY: the event is alive.
                if unsafe { native::rd_kafka_event_log(self.0.as_ptr(), &raw mut facility, &raw mut text, &raw mut level) } == 0 {
                    // SAFETY: both texts belong to the event and end with a NUL.
                    let (facility, text) = unsafe { (CStr::from_ptr(facility), CStr::from_ptr(text)) };
                    context.log(level_of(level), &facility.to_string_lossy(), text.to_string_lossy().trim());
                }
            }
            _ => {}
        }
    }
}

/// The level of one of librdkafka's log lines, in the numbers of syslog.
const fn level_of(level: i32) -> RDKafkaLogLevel {
    match level {
        ..=0 => RDKafkaLogLevel::Emerg,
        1 => RDKafkaLogLevel::Alert,
        2 => RDKafkaLogLevel::Critical,
        3 => RDKafkaLogLevel::Error,
        4 => RDKafkaLogLevel::Warning,
        5 => RDKafkaLogLevel::Notice,
        6 => RDKafkaLogLevel::Info,
        7.. => RDKafkaLogLevel::Debug,
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: it is our own, and what borrows from it is gone.
        unsafe { native::rd_kafka_event_destroy(self.0.as_ptr()) };
    }
}
