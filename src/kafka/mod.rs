//! Kafka: consumers, the producer, topics, and a broker inside the process. The only users of rdkafka.

mod clients;
mod consumer;
mod embedded;
mod log;
mod producer;
mod topics;

pub use consumer::{Consumer, Polled};
pub use embedded::EmbeddedBroker;
pub use producer::{Producer, Report, SendError};
pub use topics::{Cluster, TopicPlan, Unavailable};
