//! Kafka: consumers, producers, transactions, groups, topics, and a broker inside the process. The only users of rdkafka.

mod aside;
mod batch_calls;
mod bookmarks;
mod bootstrap;
mod clients;
mod consumer;
mod embedded;
mod group;
mod lag;
mod log;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod memory;
mod outputs;
mod producer;
mod start;
mod stretch;
mod topic_settings;
mod topics;
mod transaction;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod waits;
mod writer;

pub use bookmarks::{Bookmark, Bookmarks};
pub use consumer::{Answer, Commit, Consumer, LaneQueue, Polled, Record};
pub use embedded::EmbeddedBroker;
pub use group::{Committed, Group};
pub use lag::{PartitionLag, group_lag};
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub use memory::settle_memory;
pub use outputs::Outputs;
pub use producer::{Cause, Failure, Producer, Report, SendError};
pub use start::{Groups, NotTaken, OffsetGap, Start, TakeOver, group_of, groups, refuse_members, starts, take_over_all};
pub use stretch::{Edge, LogReader, Stretch};
pub use topic_settings::{costly_settings, hurtful_settings};
pub use topics::{Cluster, TopicPlan, Unavailable};
pub use transaction::Failed;
pub use writer::{Outgoing, Writer};

/// Other C libraries have ways of their own.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub const fn settle_memory(_config: &crate::config::Config, _workers: usize) {}
