//! A scene: a hub between topics of its own, under load, watched from the first record to the last. What befalls it is the test's to say.

mod inputs;

use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use market_hub::market::{Kind, Region, Stream};

use super::{
    delivery::Delivery,
    figures::{Rate, within},
    flow::{FRAMES, Flow, Mixture, number},
    journal::{Journal, Role},
    load::{Doubtful, Load, Sent},
    reader::Reader,
    verdict::{Evidence, Verdict},
    witness::{Note, Notes, Witness},
};
use crate::support::{
    broker::Broker,
    client::{Client, Place},
    hub::{Hub, HubCommand, Stopped},
    names::Names,
    wait_until,
};

/// How long a hub may take to get through what it was sent, in a debug build on a busy machine.
const CATCH_UP_BOUND: Duration = Duration::from_secs(120);
/// When output must flow again after whatever interrupted it.
pub const FLOW_GOAL: Duration = Duration::from_secs(3);
/// The streams under load: two topics, two groups, six lanes.
pub const STREAMS: [Stream; 2] = [Stream { region: Region::Korea, kind: Kind::Ticker }, Stream { region: Region::Ne, kind: Kind::Ticker }];

/// See the module.
pub struct Scene {
    name: String,
    delivery: Delivery,
    pub names: Names,
    pub client: Client,
    dir: PathBuf,
    /// Where the hub is told that the brokers are.
    brokers: String,
    arguments: Vec<String>,
    before_hub: String,
    environment: Vec<(String, String)>,
    sent: Sent,
    doubtful: Doubtful,
    load: Option<Load>,
    hub: Option<Hub>,
    reader: Reader,
    notes: Notes,
    witness: Witness,
    deaths: Vec<Note>,
    gone: BTreeMap<Flow, Vec<Range<u64>>>,
}

impl Scene {
    /// A scene of this name on a real broker, with its topics made.
    pub fn on(broker: &Broker, name: &str, delivery: Delivery) -> Self {
        Self::of(broker, name, delivery, Mixture::Pure)
    }

    /// As [`Scene::on`], with other things among the good frames.
    pub fn of(broker: &Broker, name: &str, delivery: Delivery, mixture: Mixture) -> Self {
        Self::of_flows(broker, name, delivery, flows(&STREAMS, mixture))
    }

    /// As [`Scene::on`], with the two lanes of one stream alone.
    pub fn on_few_lanes(broker: &Broker, name: &str, delivery: Delivery) -> Self {
        Self::of_flows(broker, name, delivery, flows(&STREAMS[1..], Mixture::Pure))
    }

    fn of_flows(broker: &Broker, name: &str, delivery: Delivery, flows: Vec<Flow>) -> Self {
        let client = broker.client();
        let name = format!("{name}-{delivery}");
        client.create_topics(&topics(&Names::of(&name)));
        Self::among(client, &broker.address(), broker.dir(), name, delivery, flows)
    }

    /// A scene on brokers that have its [`topics`] already.
    pub fn among(client: Client, brokers: &str, dir: &Path, name: String, delivery: Delivery, flows: Vec<Flow>) -> Self {
        let names = Names::of(&name);
        let reader = Reader::start(&client, journals(&flows, &names));
        Self {
            delivery,
            dir: dir.to_owned(),
            brokers: brokers.to_owned(),
            arguments: Vec::new(),
            before_hub: String::new(),
            environment: Vec::new(),
            sent: flows.iter().map(|flow| (*flow, 0)).collect(),
            doubtful: Doubtful::new(),
            load: None,
            hub: None,
            reader,
            notes: Notes::start(Witness::new(&client, &names, &flows)),
            witness: Witness::new(&client, &names, &flows),
            deaths: Vec::new(),
            gone: BTreeMap::new(),
            client,
            names,
            name,
        }
    }

    /// Arguments for every hub of the scene.
    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// A variable for every hub of the scene.
    pub fn env(mut self, variable: &str, value: &str) -> Self {
        self.environment.push((variable.to_owned(), value.to_owned()));
        self
    }

    /// Where every hub of the scene is told that the brokers are.
    pub fn by_way_of(mut self, brokers: &str) -> Self {
        brokers.clone_into(&mut self.brokers);
        self
    }

    /// What the shell does before it becomes the hub.
    pub fn after(mut self, shell: &str) -> Self {
        shell.clone_into(&mut self.before_hub);
        self
    }

    // ------------------------------------------------------------------------------------------------------------------------ what happens

    /// Starts the load, or another one that goes on where the last ended.
    pub fn start_load(&mut self, rate: Rate) {
        self.load = Some(Load::start(&self.client, &self.names, self.sent.clone(), rate));
    }

    pub fn load(&self) -> &Load {
        self.load.as_ref().expect("a load")
    }

    /// Ends the load; everything is acknowledged.
    pub fn end_load(&mut self) {
        if let Some(load) = self.load.take() {
            let (sent, doubtful) = load.finish();
            self.sent = sent;
            self.doubtful.extend(doubtful);
        }
    }

    /// A hub's command as this scene's, to change before it starts.
    pub fn command(&self) -> HubCommand {
        let streams = STREAMS.into_iter().filter(|stream| self.sent.keys().any(|flow| flow.stream() == *stream));
        let lanes = streams.map(Stream::name).collect::<Vec<_>>().join(" ");
        let mut command = HubCommand::run_at(&self.brokers, &self.dir, &self.names).with(&["--lanes", &lanes, "--commit-interval-ms", "100"]);
        command = command.after(&self.before_hub);
        for (variable, value) in &self.environment {
            command = command.env(variable, value);
        }
        let asked_for = std::env::var("FAULTS_ARGUMENTS").unwrap_or_default();
        let arguments = self.delivery.arguments(&self.name);
        let own = arguments.iter().chain(&self.arguments).map(String::as_str);
        command.with(&own.chain(asked_for.split_whitespace()).collect::<Vec<_>>())
    }

    pub fn start_hub(&mut self) {
        self.start(self.command());
    }

    /// Starts the hub of a command that was made of [`Scene::command`].
    pub fn start(&mut self, command: HubCommand) {
        self.hub = Some(command.start());
    }

    /// Makes a hub that was started apart the scene's own.
    pub fn adopt(&mut self, hub: Hub) {
        self.hub = Some(hub);
    }

    pub fn hub(&mut self) -> &mut Hub {
        self.hub.as_mut().expect("a hub")
    }

    /// SIGKILL; notes what was committed by then.
    pub fn kill_hub(&mut self) {
        let hub = self.take_hub();
        hub.kill();
        self.note_death();
    }

    /// Takes the hub out of the scene, for an end that the test makes.
    pub fn take_hub(&mut self) -> Hub {
        self.hub.take().expect("a hub")
    }

    /// Notes what was committed when the hub had ended.
    pub fn note_death(&mut self) {
        // An open transaction may still become part of the output, or not: exactly once is judged by its result alone.
        if self.delivery == Delivery::AtLeastOnce {
            self.deaths.extend(self.witness.note());
        }
    }

    /// Waits until every lane has written something that it had not written before; gives how long that took.
    pub fn wait_for_new_output(&mut self) -> Duration {
        self.wait_for_new_output_of(|_| true)
    }

    /// Waits until there is one more record, be it a repetition; gives how long that took.
    pub fn wait_for_any_output(&mut self) -> Duration {
        let (began, before) = (Instant::now(), self.reader.count());
        let (hub, reader) = (&mut self.hub, &self.reader);
        let count = || {
            if let Some(hub) = hub {
                hub.assert_running();
            }
            reader.count()
        };
        wait_until("any new output", Duration::from_secs(90), count, |count| *count > before);
        began.elapsed()
    }

    /// As [`Scene::wait_for_new_output`], of some lanes.
    pub fn wait_for_new_output_of(&mut self, is_meant: impl Fn(&Flow) -> bool) -> Duration {
        let heads = self.reader.heads();
        let flows = self.sent.keys().filter(|flow| is_meant(flow));
        let beyond = flows.map(|flow| flow.output(&self.names)).map(|place| (place.clone(), heads[&place])).collect();
        self.wait_for_output_beyond(&beyond)
    }

    /// Waits until every lane has written what the load began to send when this was called: nothing that was on its way before. Gives how long that took.
    pub fn wait_for_fresh_output(&mut self) -> Duration {
        let beyond = self.sent.keys().map(|flow| (flow.output(&self.names), (self.sent_by_now(*flow) + 1) * FRAMES)).collect();
        self.wait_for_output_beyond(&beyond)
    }

    fn wait_for_output_beyond(&mut self, beyond: &BTreeMap<Place, u64>) -> Duration {
        let began = Instant::now();
        let (hub, reader) = (&mut self.hub, &self.reader);
        let silent = || {
            if let Some(hub) = hub {
                hub.assert_running();
            }
            let heads = reader.heads();
            beyond.iter().filter(|(place, number)| heads[*place] <= **number).map(|(place, number)| (place.clone(), heads[place], *number)).collect::<Vec<_>>()
        };
        wait_until("every lane beyond a number (place, written, number)", Duration::from_secs(90), silent, Vec::is_empty);
        began.elapsed()
    }

    /// What is committed is what is written, to the last frame: the hub has stopped in order.
    pub fn assert_committed_is_written(&self) {
        let committed = self.witness.patiently(Witness::committed);
        let due = |flow: &Flow, envelopes: &i64| (flow.output(&self.names), u64::try_from(*envelopes).expect("an offset") * FRAMES);
        let differing = || {
            let heads = self.reader.heads();
            let of_lane = |(flow, envelopes)| Some(due(flow, envelopes)).map(|(place, due)| (heads[&place], due, place)).filter(|(head, due, _)| head != due);
            committed.iter().filter_map(of_lane).collect::<Vec<_>>()
        };
        wait_until("what is committed is what is written (written, committed, place)", Duration::from_secs(10), differing, Vec::is_empty);
    }

    pub const fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// How many records and dead letters have been read.
    pub fn output_count(&self) -> usize {
        self.reader.count()
    }

    /// Waits until every lane's group is committed to the end of its input; gives how long that took. Ends the load first.
    pub fn catch_up(&mut self) -> Duration {
        self.catch_up_of(|_| true)
    }

    /// As [`Scene::catch_up`], of some lanes.
    pub fn catch_up_of(&mut self, is_meant: impl Fn(&Flow) -> bool) -> Duration {
        self.end_load();
        let began = Instant::now();
        let ends = self.witness.patiently(Witness::input_ends);
        let (hub, witness) = (&mut self.hub, &self.witness);
        let behind = || {
            if let Some(hub) = hub {
                hub.assert_running();
            }
            let committed = witness.committed().unwrap_or_default();
            let of_lane = |(flow, end): (&Flow, &i64)| (flow.lane(), committed.get(flow).copied().unwrap_or(-1), *end);
            ends.iter().filter(|(flow, _)| is_meant(flow)).map(of_lane).filter(|(_, committed, end)| committed != end).collect::<Vec<_>>()
        };
        wait_until("all is committed (lane, committed, end)", CATCH_UP_BOUND, behind, Vec::is_empty);
        began.elapsed()
    }

    /// Waits until the hub has said all of these on one line; gives the line.
    pub fn wait_until_said(&mut self, words: &[&str], bound: Duration) -> String {
        let hub = self.hub();
        let line = || {
            hub.assert_running();
            hub.said().lines().find(|line| words.iter().all(|word| line.contains(word))).map(str::to_owned)
        };
        wait_until(&format!("a line with {words:?}"), bound, line, Option::is_some).expect("a line")
    }

    /// Committed offsets, by lane.
    pub fn committed(&self) -> BTreeMap<Flow, i64> {
        self.witness.patiently(Witness::committed)
    }

    /// The greatest number that the lane's output has shown.
    pub fn head(&self, flow: Flow) -> u64 {
        self.reader.heads()[&flow.output(&self.names)]
    }

    pub fn flows(&self) -> Vec<Flow> {
        self.sent.keys().copied().collect()
    }

    /// How many envelopes each lane has been sent; exact when no load runs.
    pub fn sent(&self) -> &Sent {
        &self.sent
    }

    /// About how many envelopes a lane has been sent while the load runs.
    pub fn sent_by_now(&self, flow: Flow) -> u64 {
        self.sent[&flow] + self.load.as_ref().map_or(0, |load| load.frames() / FRAMES / self.sent.len() as u64)
    }

    /// Envelopes from this offset to below that one were taken from the log before the hub read them.
    pub fn forgive(&mut self, flow: Flow, gone: Range<i64>) {
        let first = |offset: i64| number(u64::try_from(offset).expect("an offset"), 0);
        self.gone.entry(flow).or_default().push(first(gone.start)..first(gone.end));
    }

    /// Ends the load, lets the hub catch up and stop, reads everything again, and judges.
    pub fn finish(mut self) -> Verdict {
        self.catch_up();
        let hub = self.take_hub();
        let Stopped { code, said, took } = hub.terminate();
        assert_eq!(code, Some(0), "{}: the hub said:\n{said}", self.name);
        within(&format!("{}: stop when idle", self.name), Duration::from_secs(2), took);
        self.judge()
    }

    /// Reads everything again and judges. The hub has ended.
    pub fn judge(mut self) -> Verdict {
        self.end_load();
        let inputs = self.inputs();
        self.forgive_what_brokers_lost(&inputs);
        let notes = self.notes.end();
        let ends = self.witness.patiently(Witness::ends);
        let flows: Vec<Flow> = self.sent.keys().copied().collect();
        let again = Reader::start(&self.client, journals(&flows, &self.names));
        let [mut during, mut after] = [self.reader, again].map(|reader| reader.read_to(&ends));
        for journal in during.values_mut().chain(after.values_mut()) {
            journal.gone = self.gone.get(&journal.flow).cloned().unwrap_or_default();
        }
        let evidence = Evidence { during, after, scene: self.name, delivery: self.delivery, inputs, notes, deaths: self.deaths };
        Verdict::on(&evidence)
    }
}

/// The topics of a scene.
pub fn topics(names: &Names) -> Vec<(String, i32)> {
    let of = |stream: Stream| [names.input(stream), names.output(stream), names.dead_letters(stream)].map(|topic| (topic, stream.partitions()));
    STREAMS.into_iter().flat_map(of).collect()
}

/// All lanes of these streams.
pub fn flows(streams: &[Stream], mixture: Mixture) -> Vec<Flow> {
    streams.iter().flat_map(|stream| Flow::of(*stream, mixture)).collect()
}

fn journals(flows: &[Flow], names: &Names) -> BTreeMap<Place, Journal> {
    let of = |flow: &Flow| [(flow.output(names), Journal::new(*flow, Role::Records)), (flow.letters(names), Journal::new(*flow, Role::Letters))];
    flows.iter().flat_map(of).collect()
}
