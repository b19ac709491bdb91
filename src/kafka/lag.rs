//! How far a consumer group of somebody else is behind the ends of a topic. Reads what is committed, joins nothing, commits nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Cluster;
use super::group::Group;
use super::topics::{Unavailable, retry};
use crate::config::{Config, StreamNames};

/// What a group has yet to read of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionLag {
    /// The partition.
    pub partition: i32,
    /// What the group has committed; `None` where it has not yet.
    pub committed: Option<i64>,
    /// First offset and end of the log.
    pub log: (i64, i64),
}

impl PartitionLag {
    /// How many offsets are left, the marks of transactions among them; what is gone from the log does not count.
    #[must_use]
    pub fn records(&self) -> u64 {
        let (low, high) = self.log;
        high.saturating_sub(self.committed.unwrap_or(low).max(low)).max(0).unsigned_abs()
    }
}

/// The lag of `group` on every partition of `topic`; `None` where there is no such topic.
///
/// # Errors
/// The brokers did not answer before `deadline`.
pub fn group_lag(config: &Arc<Config>, group: &str, topic: &str, deadline: Instant) -> Result<Option<Vec<PartitionLag>>, Unavailable> {
    let fault = |fault: String| Unavailable(vec![fault]);
    let Some(&partitions) = Cluster::new(config).map_err(fault)?.wait_for_brokers(deadline)?.get(topic) else { return Ok(None) };
    let names = StreamNames { input: topic.to_owned(), output: String::new(), dlt: String::new(), group: group.to_owned() };
    let group = Group::new(config, &names).map_err(fault)?;
    let lag = |partition: i32| {
        retry(deadline, |timeout: Duration| {
            let wrong = |fault: String| vec![fault];
            let committed = group.committed(partition, timeout).map_err(wrong)?.map(|committed| committed.checkpoint.offset);
            Ok(PartitionLag { partition, committed, log: group.log_range(partition, timeout).map_err(wrong)? })
        })
    };
    (0..partitions).map(lag).collect::<Result<Vec<_>, _>>().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_still_be_read_counts() {
        for (committed, log, records) in
            [(None, (0, 7), 7), (Some(3), (0, 7), 4), (Some(7), (0, 7), 0), (Some(1), (5, 7), 2), (Some(9), (0, 7), 0), (None, (7, 7), 0)]
        {
            assert_eq!(PartitionLag { partition: 0, committed, log }.records(), records);
        }
    }
}
