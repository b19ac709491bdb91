//! Three brokers in this process, librdkafka's mock cluster: what it answers can be told in advance. It neither fences nor forgets duplicates, and keeps 5 MiB
//! of a partition: it shows what the hub does about an answer, and proves nothing about exactly once.

use std::path::Path;

use rdkafka::{mocking::MockCluster, producer::DefaultProducerContext};
use tempfile::TempDir;

use super::{
    delivery::Delivery,
    flow::Mixture,
    scene::{STREAMS, Scene, flows, topics},
};
use crate::support::{client::Client, names::Names};

/// How many brokers, numbered from 1.
pub const BROKERS: i32 = 3;

/// See the module.
pub struct Mock {
    pub cluster: MockCluster<'static, DefaultProducerContext>,
    dir: TempDir,
}

impl Mock {
    pub fn start() -> Self {
        Self { cluster: MockCluster::new(BROKERS).expect("a mock cluster"), dir: tempfile::tempdir().expect("a temporary directory") }
    }

    pub fn client(&self) -> Client {
        Client::new(&self.cluster.bootstrap_servers())
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A scene on these brokers, with its topics made.
    pub fn scene(&self, name: &str, delivery: Delivery, mixture: Mixture) -> Scene {
        let name = format!("{name}-{delivery}");
        for (topic, partitions) in topics(&Names::of(&name)) {
            self.cluster.create_topic(&topic, partitions, BROKERS).expect("a topic");
        }
        Scene::among(self.client(), &self.cluster.bootstrap_servers(), self.dir(), name, delivery, flows(&STREAMS, mixture))
    }
}
