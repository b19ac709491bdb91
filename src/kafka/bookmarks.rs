//! Bookmarks: how far somebody has come with a partition, kept by the brokers as the committed offset of a group of its own, with words beside it.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, TopicPartitionList};

use super::clients;
use super::group::{add_offset, metadata};
use super::log::LogContext;
use super::topics::{Unavailable, retry};
use crate::config::Config;

/// How long a commit may take: librdkafka itself would wait for its broker for ever.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(30);

/// A committed offset and what was written beside it, which may be anybody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bookmark {
    /// The offset.
    pub offset: i64,
    /// The metadata of the commit; empty where it is no UTF-8.
    pub words: String,
}

/// The bookmarks of one group. Nobody is a member of it: partitions are read by hand.
pub struct Bookmarks {
    client: Arc<BaseConsumer<LogContext>>,
    group: String,
}

impl Bookmarks {
    /// The bookmarks of `group`; nothing is asked yet.
    ///
    /// # Errors
    /// librdkafka's, in particular for a property that it does not know.
    pub fn new(config: &Config, group: &str) -> Result<Self, String> {
        let client = clients::consumer(config, group).create_with_context(LogContext::new("bookmarks")).map_err(clients::refusal)?;
        Ok(Self { client: Arc::new(client), group: group.to_owned() })
    }

    /// The bookmark in a partition; `None` where there is none.
    ///
    /// # Errors
    /// The brokers did not answer before `deadline`.
    pub fn read(&self, topic: &str, partition: i32, deadline: Instant) -> Result<Option<Bookmark>, Unavailable> {
        let fault = |error: KafkaError| vec![format!("group {}, {topic}, partition {partition}: {error}", self.group)];
        retry(deadline, |timeout| {
            let mut asked = TopicPartitionList::new();
            asked.add_partition(topic, partition);
            let found = self.client.committed_offsets(asked, timeout).map_err(fault)?;
            let element = found.find_partition(topic, partition);
            element.as_ref().map_or(Ok(()), |element| element.error()).map_err(fault)?;
            let bookmark = |element: &TopicPartitionListElem<'_>| match element.offset() {
                Offset::Offset(offset) => Some(Bookmark { offset, words: metadata(element) }),
                _ => None,
            };
            Ok(element.as_ref().and_then(bookmark))
        })
    }

    /// Puts a bookmark. `words` are at most 4,096 bytes, as brokers want it by default.
    ///
    /// # Errors
    /// The brokers refuse it, or did not take it within half a minute.
    pub fn write(&self, topic: &str, partition: i32, offset: i64, words: &str) -> Result<(), Unavailable> {
        let fault = |why: String| Unavailable(vec![format!("group {}, {topic}, partition {partition}: {why}", self.group)]);
        let mut list = TopicPartitionList::new();
        add_offset(&mut list, topic, partition, offset, words).map_err(|error| fault(error.to_string()))?;
        // A commit with a result has no time limit: a thread of its own may wait for ever.
        let (tell, told) = bounded(1);
        let client = Arc::clone(&self.client);
        let committer = thread::Builder::new().name("committer".to_owned()).spawn(move || tell.send(client.commit(&list, CommitMode::Sync)));
        committer.map_err(|error| fault(format!("a thread for commits cannot start: {error}")))?;
        let committed = told.recv_timeout(COMMIT_TIMEOUT).map_err(|_| fault(format!("no broker took the commit within {COMMIT_TIMEOUT:?}")))?;
        committed.map_err(|error| fault(error.to_string()))
    }
}
