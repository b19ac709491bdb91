//! The picture of a run as it is told to everybody: `/status` as JSON, from which the page is drawn; metrics are written from the same. Types alone.
//!
//! This is an interface: a field keeps its name, its unit and its meaning; new ones may come. Times end in `_ms` (milliseconds since the epoch) or
//! `_s` (seconds). What is not known is `null`.

use serde::Serialize;

use crate::observe::SinkPart;

/// All of it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Status {
    /// The version of the program.
    pub version: &'static str,
    /// When this picture was made.
    pub now_ms: i64,
    /// When the process began.
    pub started_ms: i64,
    /// `starting`, `running` or `stopping`.
    pub phase: &'static str,
    /// Whether all lanes work: what `/ready` tells.
    pub ready: bool,
    /// How old what the workers have told is; far above 1 where the main thread is held up.
    pub sight_age_s: f64,
    /// Every lane of this process, by stream and partition.
    pub lanes: Vec<LaneRow>,
    /// Every exchange and kind that a lane of this process reads.
    pub feeds: Vec<FeedRow>,
    /// Every stage of the path that has been measured.
    pub latencies: Vec<LatencyRow>,
    /// Lines of the log that were left out because they came faster than they could be written.
    pub log_lines_left_out: u64,
    /// The writer into the S3 store; `null` where none runs beside this hub.
    pub sink: Option<SinkStatus>,
    /// The process.
    pub process: ProcessRow,
    /// Its threads.
    pub threads: Vec<ThreadRow>,
    /// Its Kafka clients, as they told of themselves last, which they do every five seconds.
    pub clients: Vec<ClientRow>,
    /// The last dead letters, newest first, at most 20.
    pub dead_letters: Vec<LetterRow>,
    /// What the sample of frames has that is not known, or lacks.
    pub drift: Vec<DriftRow>,
    /// The symbols of which book records have been seen while somebody watched, at most 2,000.
    pub symbols: Vec<String>,
    /// Their best prices: of the one symbol that was asked for, or of the first 100.
    pub quotes: Vec<QuoteRow>,
}

/// One lane.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LaneRow {
    /// As settings and the log name it: `asia-orderbook:0`.
    pub lane: String,
    /// Its stream.
    pub stream: &'static str,
    /// `ticker` or `orderbook`.
    pub kind: &'static str,
    /// The exchange that is expected on its partition.
    pub exchange: Option<&'static str>,
    /// Its input topic.
    pub topic: String,
    /// Its group.
    pub group: String,
    /// Its partition.
    pub partition: i32,
    /// `OK`, `WARN`, `STALL`, `STOP`, `ERR`, or `START` before its worker has told.
    pub state: &'static str,
    /// Why, where it is not `OK`.
    pub reason: Option<String>,
    /// Envelopes taken since the start.
    pub envelopes: u64,
    /// Frames in them.
    pub frames: u64,
    /// Frames a second, over the last five.
    pub frames_per_s: f64,
    /// Records written.
    pub records: u64,
    /// Records among them from a book that cannot be trusted.
    pub unverified: u64,
    /// Known noise.
    pub control: u64,
    /// Deltas that were not newer than their book.
    pub stale: u64,
    /// Records kept back because their book cannot be trusted.
    pub held: u64,
    /// Dead letters.
    pub dead_letters: u64,
    /// Dead letters by reason, without those that there are none of.
    pub dead_letters_by_reason: Vec<(&'static str, u64)>,
    /// Deltas before which frames are missing.
    pub gaps: u64,
    /// Checksums that fit their book.
    pub checksum_matches: u64,
    /// Checksums that do not.
    pub checksum_mismatches: u64,
    /// Records whose best bid is not below the best ask.
    pub crossed: u64,
    /// Requests for snapshots.
    pub resyncs: u64,
    /// Frames of another exchange than the partition's.
    pub misplaced: u64,
    /// The offset that it takes next.
    pub position: i64,
    /// The offset below which all is acknowledged.
    pub watermark: i64,
    /// The offset that its group has committed.
    pub committed: i64,
    /// The end of its log.
    pub end: Option<i64>,
    /// Records that it has not taken.
    pub lag: Option<i64>,
    /// Age of the record that it took last, by its Kafka timestamp; 0 where nothing is left to take.
    pub lag_s: Option<f64>,
    /// How long ago it took one.
    pub idle_s: Option<f64>,
    /// Batches handed over and not acknowledged.
    pub under_way: usize,
    /// Books that are live.
    pub books_live: usize,
    /// Books that are unverified.
    pub books_unverified: usize,
    /// How long the one that has been unverified for longest has been so.
    pub oldest_unverified_s: Option<f64>,
    /// While it reads again for its books: how far of how many envelopes.
    pub restoring: Option<(i64, i64)>,
    /// Envelopes lost to gaps in its log.
    pub lost: u64,
    /// How often it began again after a failure.
    pub restarts: u64,
}

/// One exchange's tickers or order books, over all lanes of this process.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FeedRow {
    /// The exchange.
    pub exchange: &'static str,
    /// `ticker` or `orderbook`.
    pub kind: &'static str,
    /// The worst of its lanes' states, or `STALE` where those work and nothing has come for long.
    pub state: &'static str,
    /// Why, where it is not `OK`.
    pub reason: Option<String>,
    /// Frames that became a record, noise, stale or held.
    pub frames: u64,
    /// The same a second, over the last five.
    pub frames_per_s: f64,
    /// Records written.
    pub records: u64,
    /// How long ago one of these frames came last, to a second; `null` where none has since the start.
    pub last_seen_s: Option<f64>,
    /// Whether that is too long.
    pub is_stale: bool,
    /// Frames whose event time lies before that of an earlier frame of their symbol.
    pub out_of_order: u64,
    /// Frames whose record is that of the frame before of their symbol once more.
    pub duplicates: u64,
    /// How long after the event its envelope came, by the sample of the last minute: the least, the median and the most; below 0 where the exchange's
    /// clock is ahead.
    pub skew_s: Option<[f64; 3]>,
    /// Books that are live, of its own lane.
    pub books_live: usize,
    /// Books that are unverified, of its own lane.
    pub books_unverified: usize,
    /// Records that its own lane has not taken.
    pub lag: Option<i64>,
    /// The same as an age.
    pub lag_s: Option<f64>,
    /// Dead letters of its own lane.
    pub dead_letters: u64,
    /// Frames of the sample that are checked for drift.
    pub sampled: u64,
    /// Frames among them with a key that is not known or without one that belongs there.
    pub drifted: u64,
}

/// One stage of the path.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LatencyRow {
    /// `poll_to_encoded`, `encoded_to_acknowledged`, `transaction_commit` or `event_to_acknowledged`.
    pub stage: &'static str,
    /// How many have been measured since the start.
    pub count: u64,
    /// Their sum in seconds, to a hundredth of each.
    pub sum_s: f64,
    /// Of the last ten seconds: percentile and seconds, for the percentiles of [`LatencyRow::PERCENTILES`].
    pub curve: Vec<(f64, f64)>,
    /// The last 15 minutes, oldest first, a point every ten seconds: time in milliseconds, median, 99th percentile and greatest in seconds.
    pub history: Vec<(i64, f64, f64, f64)>,
    /// Since the start: bounds in seconds, and how many lie at or below them.
    pub buckets: Vec<(f64, u64)>,
}

impl LatencyRow {
    /// The percentiles of a curve.
    pub const PERCENTILES: [f64; 10] = [10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99, 100.0];
}

/// The writer into the S3 store.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SinkStatus {
    /// `OK`; `START` before it has begun; `STALL` and `STOP` where one of its partitions is so; `ERR` where nothing is written at all.
    pub state: &'static str,
    /// Why, where it is none of the first two.
    pub reason: Option<String>,
    /// Every partition that it writes.
    pub parts: Vec<SinkPart>,
}

/// The process.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ProcessRow {
    /// Its id.
    pub pid: u32,
    /// Resident memory.
    pub resident_bytes: u64,
    /// Virtual memory.
    pub virtual_bytes: u64,
    /// Processor time since its start, of user and system.
    pub cpu_s: f64,
    /// Open file descriptors.
    pub open_fds: u64,
    /// How many it may have.
    pub max_fds: Option<u64>,
}

/// A Kafka client.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ClientRow {
    /// Whose it is: `worker-0/korea-ticker`, or `sender`. Producers of transactions tell nothing of themselves.
    pub client: String,
    /// Brokers that it knows.
    pub brokers: usize,
    /// Brokers that it is connected to.
    pub brokers_up: usize,
    /// Requests sent since it was made.
    pub requests: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Requests sent again.
    pub retries: u64,
    /// Requests that were not answered in time.
    pub timeouts: u64,
    /// Connections lost.
    pub disconnects: u64,
    /// Requests that wait to be sent or answered.
    pub waiting_requests: u64,
    /// Round trip of the slowest broker over the last interval, 99th percentile.
    pub round_trip_p99_s: Option<f64>,
    /// How long a broker had it wait because of a quota, 99th percentile.
    pub throttled_p99_s: Option<f64>,
    /// Messages that a producer has not had acknowledged.
    pub queued_messages: u64,
    /// Bytes of them.
    pub queued_bytes: u64,
    /// Records that a consumer has fetched ahead.
    pub fetched_messages: u64,
    /// Bytes of them.
    pub fetched_bytes: u64,
}

/// A thread.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ThreadRow {
    /// Its id in the system.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: &'static str,
    /// The CPUs that it may run on.
    pub cpus: String,
    /// The CPU that it ran on last.
    pub last_cpu: Option<u32>,
    /// How much of a CPU it took lately, 1 for all of one.
    pub busy: f64,
}

/// A dead letter.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LetterRow {
    /// The lane that wrote it.
    pub lane: String,
    /// The offset of its envelope.
    pub offset: i64,
    /// The frame's index in `data`; `null` for a whole envelope.
    pub frame: Option<u32>,
    /// The Kafka timestamp of its envelope.
    pub timestamp_ms: i64,
    /// The reason in a word.
    pub reason: String,
    /// The exchange, where it is known.
    pub exchange: Option<String>,
    /// The symbol, where it is known.
    pub symbol: Option<String>,
    /// Its first bytes as text.
    pub value: String,
    /// How many bytes it has in all.
    pub bytes: usize,
}

/// A key that drifts.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DriftRow {
    /// The exchange.
    pub exchange: &'static str,
    /// `ticker` or `orderbook`.
    pub kind: &'static str,
    /// `unknown` or `missing`.
    pub what: &'static str,
    /// The key with those around it: `data.askPx`.
    pub key: String,
    /// In how many frames of the sample.
    pub count: u64,
    /// When it was seen first.
    pub first_seen_ms: i64,
    /// The frame in which it was seen first, up to 512 bytes of it.
    pub example: String,
}

/// The best prices of a book, as its latest record of the sample has them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct QuoteRow {
    /// The exchange.
    pub exchange: String,
    /// The symbol.
    pub symbol: String,
    /// The best bid, as the record spells it; `null` where the side is empty.
    pub bid: Option<String>,
    /// The best ask.
    pub ask: Option<String>,
    /// Their difference.
    pub spread: Option<String>,
    /// Whether the book can be trusted.
    pub is_verified: bool,
    /// The record's event time.
    pub event_ms: i64,
    /// How long ago the record was seen.
    pub age_s: f64,
}

/// What `/ready` tells.
#[derive(Clone, Debug, Serialize)]
pub struct Ready<'s> {
    /// Whether all lanes work.
    pub ready: bool,
    /// As in [`Status`].
    pub phase: &'static str,
    /// The lanes that do not: they stall, have stopped or failed, or have not begun.
    pub lanes: Vec<NotReady<'s>>,
}

/// A lane that does not work.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "as in LaneRow")]
pub struct NotReady<'s> {
    pub lane: &'s str,
    pub state: &'static str,
    pub reason: Option<&'s str>,
}

impl Status {
    /// What is ready, and what is not.
    #[must_use]
    pub fn readiness(&self) -> Ready<'_> {
        let lanes = self.lanes.iter().filter(|lane| !lane.works());
        let lanes = lanes.map(|lane| NotReady { lane: &lane.lane, state: lane.state, reason: lane.reason.as_deref() }).collect();
        Ready { ready: self.ready, phase: self.phase, lanes }
    }
}

impl LaneRow {
    /// Whether it works, if perhaps not as it should.
    #[must_use]
    pub fn works(&self) -> bool {
        matches!(self.state, "OK" | "WARN")
    }
}
