//! A `read_committed` reader of outputs and dead letters, on a thread of its own: what it takes goes into journals.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
};

use super::journal::Journal;
use crate::support::{
    client::{self, Client, Place},
    wait_until,
};

/// How long a reader may take to get to the end of what is there.
const END_BOUND: Duration = Duration::from_secs(120);
/// A client that has heard nothing for so long may have lost its brokers for good: another one takes its place.
const QUIET_MAX: Duration = Duration::from_secs(5);

/// See the module. Reads from the beginning until it is dropped.
pub struct Reader {
    state: Arc<State>,
    told: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    journals: Mutex<BTreeMap<Place, Journal>>,
    /// The offset up to which each partition is read, markers of transactions included.
    positions: Mutex<BTreeMap<Place, i64>>,
}

impl Reader {
    /// Starts to fill the journals from the beginning of their partitions.
    pub fn start(client: &Client, journals: BTreeMap<Place, Journal>) -> Self {
        let state = Arc::new(State { journals: Mutex::new(journals), positions: Mutex::default() });
        let told = Arc::new(AtomicBool::new(false));
        let (of_thread, is_told, client) = (Arc::clone(&state), Arc::clone(&told), client.clone());
        let thread = thread::spawn(move || {
            let mut consumer = of_thread.consumer(&client);
            let mut heard_at = Instant::now();
            while !is_told.load(Ordering::Relaxed) {
                if of_thread.take(&consumer) {
                    heard_at = Instant::now();
                } else if heard_at.elapsed() > QUIET_MAX {
                    (consumer, heard_at) = (of_thread.consumer(&client), Instant::now());
                }
            }
        });
        Self { state, told, thread: Some(thread) }
    }

    /// The greatest number that each partition has shown.
    pub fn heads(&self) -> BTreeMap<Place, u64> {
        self.state.journals.lock().iter().map(|(place, journal)| (place.clone(), journal.head)).collect()
    }

    /// How many messages have been read.
    pub fn count(&self) -> usize {
        self.state.journals.lock().values().map(|journal| journal.seen.len()).sum()
    }

    /// Reads up to these offsets, and ends.
    pub fn read_to(mut self, ends: &BTreeMap<Place, i64>) -> BTreeMap<Place, Journal> {
        let open = || {
            let positions = self.state.positions.lock();
            let at = |place: &Place| positions.get(place).copied().unwrap_or(0);
            ends.iter().filter(|(place, end)| at(place) < **end).map(|(place, end)| (place.clone(), at(place), *end)).collect::<Vec<_>>()
        };
        wait_until("read to the end (place, position, end)", END_BOUND, open, Vec::is_empty);
        self.end();
        std::mem::take(&mut self.state.journals.lock())
    }

    fn end(&mut self) {
        self.told.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            assert!(thread.join().is_ok() || thread::panicking(), "the reader died");
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.end();
    }
}

impl State {
    /// A consumer that goes on where the last one was.
    fn consumer(&self, client: &Client) -> BaseConsumer {
        let consumer = client.reader();
        let mut assigned = TopicPartitionList::new();
        let positions = self.positions.lock();
        for place @ (topic, partition) in self.journals.lock().keys() {
            let from = positions.get(place).map_or(Offset::Beginning, |at| Offset::Offset(*at));
            assigned.add_partition_offset(topic, *partition, from).expect("a partition");
        }
        consumer.assign(&assigned).expect("an assignment");
        consumer
    }

    /// Takes what is next; says whether something was.
    fn take(&self, consumer: &BaseConsumer) -> bool {
        match consumer.poll(Duration::from_millis(50)) {
            Some(Ok(message)) => {
                let message = client::owned(&message);
                let (place, offset) = ((message.topic.clone(), message.partition), message.offset.expect("an offset"));
                self.journals.lock().get_mut(&place).expect("an assigned partition").take(&message);
                self.positions.lock().insert(place, offset + 1);
                true
            }
            // The last offsets may be a transaction's markers, which no reader sees: the position passes them.
            Some(Err(KafkaError::PartitionEOF(_))) => {
                for element in consumer.position().expect("positions").elements() {
                    if let Offset::Offset(at) = element.offset() {
                        self.positions.lock().insert((element.topic().to_owned(), element.partition()), at);
                    }
                }
                true
            }
            // Brokers are away or move all the time here; what the reader then misses, `read_to` finds.
            Some(Err(_)) | None => false,
        }
    }
}
