//! The logs that lanes write to, looked at from outside: whether what a transaction has written stays.
//!
//! A coordinator decides a transaction by a record of its own, answers, and then has a mark written into each log that the transaction has written to; only
//! the marks make records visible, and offsets committed. Kafka 4.3.1 loses marks: a broker that was killed between the two writes them when it is back, but
//! takes a log that has no leader at that moment for one that was deleted, and leaves its mark out ("Couldn't find leader endpoint for partitions ... these
//! partitions are likely deleted already and hence can be skipped"). Records without a mark hang: nobody sees them, nor anything behind them, until the
//! producer's next transaction in that log ends, and then they share its fate.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::{Message as _, Offset, TopicPartitionList};

use super::bootstrap::Bootstrap;
use super::clients;
use super::group::Group;
use super::log::LogContext;
use crate::config::Config;
use crate::delivery::Written;

/// How long to wait for a record at a time.
const POLL: Duration = Duration::from_millis(100);

/// See the module.
pub struct Outputs {
    config: Arc<Config>,
    /// Sees what is in the logs, visible or not.
    all: BaseConsumer<LogContext>,
    bootstrap: Bootstrap,
}

impl Outputs {
    /// A client; nothing is asked yet.
    ///
    /// # Errors
    /// librdkafka's, in particular for a property that it does not know.
    pub fn new(config: &Arc<Config>) -> Result<Self, String> {
        let all = clients::looker_at_outputs(config, "read_uncommitted").create_with_context(LogContext::new("consumer")).map_err(clients::refusal)?;
        Ok(Self { config: Arc::clone(config), all, bootstrap: Bootstrap::new(config) })
    }

    /// Whether a log ends in something that no reader is shown yet. `group` sees what they are shown.
    ///
    /// # Errors
    /// The brokers did not answer within `timeout`.
    pub(super) fn hangs(&self, group: &Group, topic: &str, partition: i32, timeout: Duration) -> Result<bool, String> {
        let shown = group.log_range_of(topic, partition, timeout)?.1;
        Ok(shown < self.range(topic, partition, timeout)?.1)
    }

    /// Whether a record is shown to readers. It is if it was deleted since, too: then nothing speaks against it.
    ///
    /// # Errors
    /// The brokers did not answer within `timeout`, or the record hangs.
    pub(super) fn shows(&self, record: &Written, timeout: Duration) -> Result<bool, String> {
        let Written { topic, partition, offset } = record;
        let fault = |error: KafkaError| format!("{topic}, partition {partition}, offset {offset}: {error}");
        let deadline = Instant::now() + timeout;
        if self.range(topic, *partition, timeout)?.0 > *offset {
            return Ok(true);
        }
        let reader: BaseConsumer<LogContext> =
            clients::looker_at_outputs(&self.config, "read_committed").create_with_context(LogContext::new("consumer")).map_err(clients::refusal)?;
        let mut from = TopicPartitionList::new();
        from.add_partition_offset(topic, *partition, Offset::Offset(*offset)).map_err(fault)?;
        reader.assign(&from).map_err(fault)?;
        let mut is_shown = None;
        while is_shown.is_none() && Instant::now() < deadline {
            is_shown = match reader.poll(POLL) {
                Some(Ok(next)) => Some(next.offset() == *offset),
                Some(Err(KafkaError::PartitionEOF(_))) if passed(&reader, topic, *partition) > *offset => Some(false),
                Some(Err(_)) | None => None,
            };
        }
        clients::retire(reader);
        is_shown.ok_or_else(|| format!("{topic}, partition {partition}: whether the record at offset {offset} stays is not known yet"))
    }

    /// Takes what has come for the client, a little at a time; never waits. Nobody may have a question for days.
    pub fn serve(&self) {
        clients::serve(&self.all, Duration::ZERO);
    }

    fn range(&self, topic: &str, partition: i32, timeout: Duration) -> Result<(i64, i64), String> {
        self.bootstrap.log_range(&self.all, topic, partition, timeout)
    }
}

/// Up to where a reader has read.
fn passed(reader: &BaseConsumer<LogContext>, topic: &str, partition: i32) -> i64 {
    let positions = reader.position().ok();
    positions.and_then(|list| list.find_partition(topic, partition)?.offset().to_raw()).unwrap_or(-1)
}
