//! Kafka: consumers, the producer, topics, and a broker inside the process. The only users of rdkafka.

mod bookmarks;
mod clients;
mod consumer;
mod embedded;
mod log;
mod producer;
mod stretch;
mod topics;
mod writer;

pub use bookmarks::{Bookmark, Bookmarks};
pub use consumer::{Consumer, Polled};
pub use embedded::EmbeddedBroker;
pub use producer::{Producer, Report, SendError};
pub use stretch::{Edge, LogReader, Stretch};
pub use topics::{Cluster, TopicPlan, Unavailable};
pub use writer::{Outgoing, Writer};
