//! What Kafka clients tell of themselves: the last statistics of each, as they came. Whoever serves a client only leaves them here; lookers read them.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// The last statistics of every client, as librdkafka writes them in JSON.
#[derive(Debug, Default)]
pub struct ClientStatistics(Mutex<BTreeMap<String, Arc<[u8]>>>);

impl ClientStatistics {
    /// Leaves what `client` has told.
    pub fn put(&self, client: &str, json: &[u8]) {
        let json = Arc::from(json);
        // Lookers hold the lock for as long as it takes to point at each.
        self.0.lock().insert(client.to_owned(), json);
    }

    /// The last statistics of every client, by its name.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, Arc<[u8]>> {
        self.0.lock().clone()
    }
}

/// Where one client leaves its statistics.
#[derive(Clone, Debug)]
pub struct StatisticsOf {
    /// How the client is called.
    pub client: String,
    /// Where they are left.
    pub statistics: Arc<ClientStatistics>,
}
