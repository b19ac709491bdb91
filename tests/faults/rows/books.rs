//! Row 21: books, killed again and again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use market_hub::market::Stream;
use rdkafka::{TopicPartitionList, consumer::Consumer as _};

use crate::{
    books::{Lane, Tape},
    support::{
        broker::{self, Broker},
        client::Client,
        hub::{Hub, HubCommand},
        names::Names,
        report, wait_until,
    },
    vocabulary::{Delivery, chance, in_both_modes, sized, spread, within},
};

/// Between two envelopes of a tape, as long as hubs come and go: the tape must last longer than that.
const PACE: Duration = Duration::from_millis(25);
/// What a broker takes for a partition.
const METADATA_BYTES_MAX: usize = 4_096;

/// Never a wrong book, whatever was restored.
#[test]
fn row_21_no_wrong_book() {
    let Some(broker) = broker::shared() else { return };
    let mut stage = Stage::on(&broker, "books-marked", Delivery::AtLeastOnce);
    stage.kill_again_and_again(&broker);
    stage.judge(true);
}

in_both_modes!(row_21_books_restored);

fn row_21_books_restored(delivery: Delivery) {
    let Some(broker) = broker::shared() else { return };
    let mut stage = Stage::on(&broker, "books", delivery);
    stage.kill_again_and_again(&broker);
    stage.judge(false);
}

#[test]
fn row_21_snapshots_gone_from_the_log() {
    let Some(broker) = broker::shared() else { return };
    let mut stage = Stage::on(&broker, "books-gone", Delivery::AtLeastOnce);
    stage.start_hub(&broker);
    stage.wait_for_output();
    stage.run_for(Duration::from_secs(2));
    stage.kill_hub();
    for lane in Lane::ALL {
        let committed = stage.client.committed(&stage.names.group(lane.stream()), &lane.input(&stage.names).0)[&lane.input(&stage.names)];
        stage.client.admin().delete_records(&lane.input(&stage.names), committed);
    }
    stage.start_hub(&broker);
    stage.judge(true);
}

/// A hub between topics of books, with tapes that are fed to it.
struct Stage {
    client: Client,
    names: Names,
    delivery: Delivery,
    tapes: Arc<Vec<Tape>>,
    is_running: Arc<AtomicBool>,
    feeder: Option<JoinHandle<()>>,
    hub: Option<Hub>,
}

impl Stage {
    fn on(broker: &Broker, name: &str, delivery: Delivery) -> Self {
        let (client, name) = (broker.client(), format!("{name}-{delivery}"));
        let names = Names::of(&name);
        let of = |stream: Stream| [names.input(stream), names.output(stream), names.dead_letters(stream)].map(|topic| (topic, stream.partitions()));
        client.create_topics(&streams().into_iter().flat_map(of).collect::<Vec<_>>());
        let tapes: Arc<Vec<Tape>> = Arc::new(Lane::ALL.iter().map(|lane| Tape::of(*lane, &names, sized(4_000, 16_000))).collect());
        let is_running = Arc::new(AtomicBool::new(true));
        let feeder = Some(feed(&client, &tapes, &is_running));
        Self { client, names, delivery, tapes, is_running, feeder, hub: None }
    }

    fn kill_again_and_again(&mut self, broker: &Broker) {
        let mut restarts = Vec::new();
        for _ in 0..sized(10, 100) {
            self.start_hub(broker);
            let began = Instant::now();
            self.wait_for_output();
            restarts.push(began.elapsed());
            self.run_for(Duration::from_millis(chance(100..800)));
            self.kill_hub();
            self.assert_metadata_fits();
        }
        report(format_args!("first output after a restart: {}", spread(&restarts)));
        within("the slowest restart with books", Duration::from_secs(2), restarts.into_iter().max().unwrap_or_default());
        self.start_hub(broker);
    }

    fn start_hub(&mut self, broker: &Broker) {
        let lanes = streams().map(Stream::name).join(" ");
        let arguments = self.delivery.arguments(&format!("books-{}", self.delivery));
        let arguments: Vec<&str> = ["--lanes", &lanes, "--commit-interval-ms", "100"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
        self.hub = Some(HubCommand::run(broker, &self.names).with(&arguments).start());
    }

    fn kill_hub(&mut self) {
        self.hub.take().unwrap().kill();
    }

    fn run_for(&mut self, time: Duration) {
        thread::sleep(time);
        self.hub.as_mut().unwrap().assert_running();
    }

    fn outputs(&self) -> Vec<String> {
        streams().iter().map(|stream| self.names.output(*stream)).collect()
    }

    /// Waits until every lane has written something: a hub that is killed before has shown nothing.
    fn wait_for_output(&mut self) {
        let places = Lane::ALL.map(|lane| lane.output(&self.names));
        let ends = || {
            let ends = self.client.ends(&self.outputs());
            places.each_ref().map(|place| ends[place])
        };
        let before = ends();
        wait_until("output of every lane", Duration::from_secs(60), ends, |now| now.iter().zip(&before).all(|(now, before)| now > before));
    }

    fn assert_metadata_fits(&self) {
        for lane in Lane::ALL {
            let (topic, partition) = lane.input(&self.names);
            let mut asked = TopicPartitionList::new();
            asked.add_partition(&topic, partition);
            // What a killed hub left open keeps the answer back until brokers give it up, after ten seconds.
            let found = self.client.consumer_of(&self.names.group(lane.stream())).committed_offsets(asked, Duration::from_secs(60)).unwrap();
            let bytes = found.elements()[0].metadata().len();
            assert!(bytes <= METADATA_BYTES_MAX, "{lane:?}: {bytes} bytes of metadata");
        }
    }

    /// Feeds the tapes to their ends, lets the hub catch up and stop, and compares every record.
    fn judge(mut self, may_be_unverified: bool) {
        self.is_running.store(false, Ordering::Relaxed);
        self.feeder.take().unwrap().join().unwrap();
        let mut hub = self.hub.take().unwrap();
        for lane in Lane::ALL {
            let (place, group) = (lane.input(&self.names), self.names.group(lane.stream()));
            let end = self.client.ends(std::slice::from_ref(&place.0))[&place];
            let committed = || {
                hub.assert_running();
                self.client.committed(&group, &place.0)[&place]
            };
            wait_until(&format!("{lane:?} is committed to {end}"), Duration::from_secs(120), committed, |committed| *committed == end);
        }
        hub.terminate().assert_clean("books");
        let found = self.client.read(&self.outputs());
        let mut faults = Vec::new();
        for tape in self.tapes.iter() {
            let records = &found[&tape.lane.output(&self.names)];
            let (wrong, marked) = tape.judge(records, may_be_unverified);
            report(format_args!(
                "{:?}: {} frames, {} of live books; {} records, {marked} marked unverified that need not be, {} wrong",
                tape.lane,
                tape.records.len(),
                tape.verified(),
                records.len(),
                wrong.len()
            ));
            faults.extend(wrong);
        }
        assert!(faults.is_empty(), "{} faults, the first:\n{}", faults.len(), faults[..faults.len().min(5)].join("\n"));
    }
}

/// Sends all tapes, an envelope each in turn: slowly while hubs come and go, and the rest at once.
fn feed(client: &Client, tapes: &Arc<Vec<Tape>>, is_running: &Arc<AtomicBool>) -> JoinHandle<()> {
    let (client, tapes, is_running) = (client.clone(), Arc::clone(tapes), Arc::clone(is_running));
    thread::spawn(move || {
        let mut producer = client.producer();
        for index in 0..tapes[0].envelopes.len() {
            tapes.iter().for_each(|tape| producer.send(&tape.envelopes[index]));
            if is_running.load(Ordering::Relaxed) {
                thread::sleep(PACE);
            }
        }
        producer.finish();
    })
}

/// The streams of the lanes, each once.
fn streams() -> [Stream; 2] {
    [Lane::ALL[0].stream(), Lane::ALL[2].stream()]
}
