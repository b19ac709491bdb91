//! What a consumer group has committed for the lanes of a stream, with the metadata beside it, which anybody may have written.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, TopicPartitionList};

use super::bootstrap::Bootstrap;
use super::clients;
use super::log::LogContext;
use crate::checkpoint::{Checkpoint, Claim};
use crate::config::{Config, StreamNames};

/// The group of one stream, seen by a client that reads nothing.
pub struct Group {
    client: BaseConsumer<LogContext>,
    bootstrap: Bootstrap,
    topic: String,
    name: String,
}

/// What is committed for a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The offset, and the books as far as the metadata beside it is ours.
    pub checkpoint: Checkpoint,
    /// Who has committed it, where that was with exactly-once delivery.
    pub claim: Option<Claim>,
    /// Metadata that is not ours, escaped and shortened; then nothing is known of the books.
    pub foreign: Option<String>,
}

impl Group {
    /// A client; nothing is asked yet.
    ///
    /// # Errors
    /// librdkafka's, in particular for a property that it does not know.
    pub fn new(config: &Config, names: &StreamNames) -> Result<Self, String> {
        let client = clients::group_of_transactions(config, &names.group).create_with_context(LogContext::new("consumer")).map_err(clients::refusal)?;
        Ok(Self { client, bootstrap: Bootstrap::new(config), topic: names.input.clone(), name: names.group.clone() })
    }

    /// The group's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is committed for a partition; waits for a transaction that is about to commit an offset.
    ///
    /// # Errors
    /// The brokers did not answer within `timeout`.
    pub fn committed(&self, partition: i32, timeout: Duration) -> Result<Option<Committed>, String> {
        let fault = |error: KafkaError| format!("group {}: {error}", self.name);
        let mut asked = TopicPartitionList::new();
        asked.add_partition(&self.topic, partition);
        let list = self.heard(self.client.committed_offsets(asked, timeout)).map_err(fault)?;
        let Some(element) = list.find_partition(&self.topic, partition) else { return Ok(None) };
        element.error().map_err(fault)?;
        let Offset::Offset(offset) = element.offset() else { return Ok(None) };
        let metadata = metadata(&element);
        let (checkpoint, claim, foreign) = match Checkpoint::read(offset, metadata.as_bytes()) {
            Some((checkpoint, claim)) => (checkpoint, claim, None),
            None => (Checkpoint::without_books(offset), None, Some(metadata.escape_debug().take(100).collect())),
        };
        Ok(Some(Committed { checkpoint, claim, foreign }))
    }

    /// First offset and end of a partition's log.
    ///
    /// # Errors
    /// The brokers did not answer.
    pub fn log_range(&self, partition: i32, timeout: Duration) -> Result<(i64, i64), String> {
        self.log_range_of(&self.topic, partition, timeout)
    }

    /// As [`log_range`](Self::log_range), of any topic.
    ///
    /// # Errors
    /// The brokers did not answer.
    pub(super) fn log_range_of(&self, topic: &str, partition: i32, timeout: Duration) -> Result<(i64, i64), String> {
        self.bootstrap.log_range(&self.client, topic, partition, timeout)
    }

    /// The first offset of a partition whose record has at least this timestamp; `None` if none has.
    ///
    /// # Errors
    /// The brokers did not answer within `timeout`.
    pub fn offset_at(&self, partition: i32, timestamp_ms: i64, timeout: Duration) -> Result<Option<i64>, String> {
        let fault = |error: KafkaError| format!("{}, partition {partition}: {error}", self.topic);
        let asked = offsets_list(&self.topic, &[(partition, timestamp_ms)]).map_err(fault)?;
        let list = self.client.offsets_for_times(asked, timeout).map_err(fault)?;
        Ok(list.find_partition(&self.topic, partition).and_then(|element| element.offset().to_raw()).filter(|offset| *offset >= 0))
    }

    /// How many members the group has: they would refuse our commits.
    ///
    /// # Errors
    /// The brokers did not answer within `timeout`.
    pub fn members(&self, timeout: Duration) -> Result<usize, String> {
        match self.heard(self.client.fetch_group_list(Some(&self.name), timeout)) {
            Ok(list) => Ok(list.groups().iter().map(|group| group.members().len()).sum()),
            // A broker that cannot tell, as the embedded one, has no members that could refuse us.
            Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::UnsupportedFeature) => Ok(0),
            Err(error) => Err(format!("group {}: {error}", self.name)),
        }
    }

    /// Notes whether a broker has answered.
    fn heard<T>(&self, answer: Result<T, KafkaError>) -> Result<T, KafkaError> {
        self.bootstrap.heard(&self.client, answer)
    }

    /// What a transaction needs to commit to this group. A client that assigns by hand is no member, which brokers accept.
    pub(super) fn metadata(&self) -> Option<ConsumerGroupMetadata> {
        self.client.group_metadata()
    }

    /// The list that commits one lane.
    pub(super) fn list(&self, partition: i32, checkpoint: &Checkpoint, claim: Option<Claim>) -> Result<TopicPartitionList, KafkaError> {
        let mut list = TopicPartitionList::new();
        add_offset(&mut list, &self.topic, partition, checkpoint.offset, &checkpoint.metadata(claim))?;
        Ok(list)
    }
}

/// The metadata of an element; empty where it is no UTF-8, for which rdkafka panics.
pub(super) fn metadata(element: &TopicPartitionListElem<'_>) -> String {
    catch_unwind(AssertUnwindSafe(|| element.metadata().to_owned())).unwrap_or_default()
}

/// Adds an offset with its metadata. Once only for a partition: a second time would leak the first.
pub(super) fn add_offset(list: &mut TopicPartitionList, topic: &str, partition: i32, offset: i64, metadata: &str) -> Result<(), KafkaError> {
    let mut element = list.add_partition(topic, partition);
    element.set_offset(Offset::Offset(offset))?;
    element.set_metadata(metadata);
    Ok(())
}

/// Offsets to read from.
pub(super) fn offsets_list(topic: &str, offsets: &[(i32, i64)]) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    for &(partition, offset) in offsets {
        list.add_partition_offset(topic, partition, Offset::Offset(offset))?;
    }
    Ok(list)
}
