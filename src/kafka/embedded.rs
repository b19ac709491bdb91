//! A broker inside this process, for the demo: librdkafka's mock cluster on loopback ports. It keeps the last 5 MiB of
//! a partition and proves nothing about delivery.

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

/// See the module.
pub struct EmbeddedBroker {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl EmbeddedBroker {
    /// Starts one broker.
    ///
    /// # Errors
    /// librdkafka's.
    pub fn start() -> Result<Self, String> {
        MockCluster::new(1).map(|cluster| Self { cluster }).map_err(|error| error.to_string())
    }

    /// Where it listens: `host:port`.
    #[must_use]
    pub fn brokers(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// Makes a topic.
    ///
    /// # Errors
    /// librdkafka's.
    pub fn create_topic(&self, name: &str, partitions: i32) -> Result<(), String> {
        self.cluster.create_topic(name, partitions, 1).map_err(|error| format!("{name}: {error}"))
    }
}
