//! Stretches of logs, for commands that look at what is there and end: found once, read once, nothing committed, nobody's group touched.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::{Offset, TopicPartitionList};

use super::clients;
use super::consumer::with_input;
use super::log::LogContext;
use super::topics::{Unavailable, retry};
use crate::config::Config;
use crate::lane::Input;

/// How long a stretch may stay silent before its end. A broker that moves takes seconds; one that is away shall not be waited for without a word.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// How long one look for the next record takes.
const POLL: Duration = Duration::from_millis(100);

/// An end of a stretch, as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The first record that the log still has.
    Start,
    /// Behind the last record of now.
    End,
    /// This offset.
    Offset(i64),
    /// The first record whose timestamp, in milliseconds, is not below this one; [`Edge::End`] where there is none.
    Time(i64),
}

/// A part of the log of one partition: the records with `from <= offset < to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The first offset.
    pub from: i64,
    /// The offset behind the last one; not below `from`.
    pub to: i64,
}

impl Stretch {
    /// How many offsets it spans; there may be fewer records.
    #[must_use]
    pub const fn span(&self) -> u64 {
        self.to.abs_diff(self.from)
    }
}

/// See the module.
pub struct LogReader {
    client: BaseConsumer<LogContext>,
}

impl LogReader {
    /// A reader; nothing is asked yet.
    ///
    /// # Errors
    /// librdkafka's, in particular for a property that it does not know.
    pub fn new(config: &Config) -> Result<Self, String> {
        let mut settings = clients::observer(config);
        // The last offsets of a log may be the marks of transactions, which no reader sees: only the end itself tells that nothing more comes.
        settings.set("enable.partition.eof", "true");
        let client = settings.create_with_context(LogContext::new("reader")).map_err(clients::refusal)?;
        Ok(Self { client })
    }

    /// The whole log of a partition, as it is now. Its end is that of what is committed: records of open transactions are not yet there.
    ///
    /// # Errors
    /// The brokers did not answer before `deadline`.
    pub fn whole(&self, topic: &str, partition: i32, deadline: Instant) -> Result<Stretch, Unavailable> {
        let (from, to) = retry(deadline, |timeout| {
            self.client.fetch_watermarks(topic, partition, timeout).map_err(|error| {
                // librdkafka remembers that a partition has no leader, and does not ask again by itself.
                let _ = self.client.fetch_metadata(Some(topic), timeout);
                vec![format!("{topic}, partition {partition}: {error}")]
            })
        })?;
        Ok(Stretch { topic: topic.to_owned(), partition, from, to: to.max(from) })
    }

    /// The part of `whole` between two edges. What lies outside of it is cut: the caller sees that by comparing.
    ///
    /// # Errors
    /// The brokers did not answer before `deadline`.
    pub fn part(&self, whole: &Stretch, from: Edge, to: Edge, deadline: Instant) -> Result<Stretch, Unavailable> {
        let from = self.offset_of(whole, from, deadline)?.clamp(whole.from, whole.to);
        let to = self.offset_of(whole, to, deadline)?.clamp(from, whole.to);
        Ok(Stretch { from, to, ..whole.clone() })
    }

    fn offset_of(&self, whole: &Stretch, edge: Edge, deadline: Instant) -> Result<i64, Unavailable> {
        let millis = match edge {
            Edge::Start => return Ok(whole.from),
            Edge::End => return Ok(whole.to),
            Edge::Offset(offset) => return Ok(offset),
            Edge::Time(millis) => millis,
        };
        let fault = |error: KafkaError| vec![format!("{}, partition {}: {error}", whole.topic, whole.partition)];
        retry(deadline, |timeout| {
            let mut times = TopicPartitionList::new();
            times.add_partition_offset(&whole.topic, whole.partition, Offset::Offset(millis.max(0))).map_err(fault)?;
            let found = self.client.offsets_for_times(times, timeout).map_err(fault)?;
            let element = found.find_partition(&whole.topic, whole.partition);
            element.as_ref().map_or(Ok(()), |element| element.error()).map_err(fault)?;
            Ok(match element.map(|element| element.offset()) {
                Some(Offset::Offset(offset)) => offset,
                _ => whole.to,
            })
        })
    }

    /// Calls `each` with every record of a stretch, in order, until it breaks off. The moment of processing is that of the record: the same stretch gives
    /// the same input at any time.
    ///
    /// # Errors
    /// Those of `each`; the log does not have the stretch any more; no broker gave anything for half a minute.
    pub fn read<E: From<Unavailable>>(&self, stretch: &Stretch, mut each: impl FnMut(&Input<'_>) -> Result<ControlFlow<()>, E>) -> Result<(), E> {
        if stretch.from >= stretch.to {
            return Ok(());
        }
        self.assign(stretch)?;
        let mut heard = Instant::now();
        let mut trouble = String::new();
        loop {
            match self.client.poll(POLL) {
                Some(Ok(message)) => {
                    heard = Instant::now();
                    if message.offset() >= stretch.to {
                        break;
                    }
                    let flow = at_its_time(&message, &mut each)?;
                    if flow.is_break() || message.offset() + 1 == stretch.to {
                        break;
                    }
                }
                Some(Err(KafkaError::PartitionEOF(_))) if self.position() >= Some(stretch.to) => break,
                // An end before that of the stretch is one of an open transaction, or of another time.
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(error)) if is_final(&error) => return Err(unreadable(stretch, &error.to_string()).into()),
                Some(Err(error)) => trouble = format!(": {error}"),
                None => {}
            }
            if heard.elapsed() > SILENCE_MAX {
                return Err(unreadable(stretch, &format!("nothing came for {SILENCE_MAX:?}{trouble}")).into());
            }
        }
        // What was fetched ahead is of no use.
        let _ = self.client.unassign();
        Ok(())
    }

    /// Calls `each` with every record that comes to some partitions from now on, each partition's in order. Whenever nothing is there, and after each record,
    /// `goes_on` decides. What the caller has no time for stays with the brokers.
    ///
    /// # Errors
    /// Those of `each`; the brokers did not answer before `deadline`; a log does not have the next record any more.
    pub fn follow<E: From<Unavailable>>(
        &self,
        partitions: &[(&str, i32)],
        deadline: Instant,
        goes_on: impl Fn() -> bool,
        mut each: impl FnMut(&str, i32, &Input<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let fault = |error: KafkaError| Unavailable(vec![format!("what comes cannot be read: {error}")]);
        let mut list = TopicPartitionList::new();
        for &(topic, partition) in partitions {
            let end = self.whole(topic, partition, deadline)?.to;
            list.add_partition_offset(topic, partition, Offset::Offset(end)).map_err(fault)?;
        }
        self.client.assign(&list).map_err(fault)?;
        while goes_on() {
            match self.client.poll(POLL) {
                Some(Ok(message)) => {
                    if at_its_time(&message, |input| each(message.topic(), message.partition(), input))?.is_break() {
                        break;
                    }
                }
                Some(Err(error)) if is_final(&error) => return Err(fault(error).into()),
                // Brokers that are away come back.
                Some(Err(_)) | None => {}
            }
        }
        let _ = self.client.unassign();
        Ok(())
    }

    fn assign(&self, stretch: &Stretch) -> Result<(), Unavailable> {
        let mut list = TopicPartitionList::new();
        let assigned = list.add_partition_offset(&stretch.topic, stretch.partition, Offset::Offset(stretch.from)).and_then(|()| self.client.assign(&list));
        assigned.map_err(|error| unreadable(stretch, &error.to_string()))
    }

    /// The offset behind all that was read or passed; one partition is assigned at a time.
    fn position(&self) -> Option<i64> {
        match self.client.position().ok()?.elements().first()?.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }
    }
}

/// Calls `process` with a record as if it were processed at the time of its timestamp: the same record is the same input at any time.
fn at_its_time<R>(message: &BorrowedMessage<'_>, process: impl FnOnce(&Input<'_>) -> R) -> R {
    with_input(message, message.timestamp().to_millis().unwrap_or(-1).saturating_mul(1_000), process)
}

/// What no waiting mends. All else passes: brokers that are away, leaders that move.
fn is_final(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{AutoOffsetReset, Fatal, OffsetOutOfRange, TopicAuthorizationFailed};
    matches!(error.rdkafka_error_code(), Some(AutoOffsetReset | OffsetOutOfRange | Fatal | TopicAuthorizationFailed))
}

fn unreadable(stretch: &Stretch, why: &str) -> Unavailable {
    let Stretch { topic, partition, from, to } = stretch;
    Unavailable(vec![format!("{topic}, partition {partition}: offsets {from} to {to} cannot be read: {why}")])
}
