//! What `/status` tells, as far as it is shown here. A field that an older hub does not have is as if nothing was known.

use serde::Deserialize;

/// One answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "as in the endpoint's Status")]
pub struct Picture {
    pub version: String,
    pub now_ms: i64,
    pub started_ms: i64,
    pub phase: String,
    pub ready: bool,
    pub sight_age_s: f64,
    pub lanes: Vec<Lane>,
    pub feeds: Vec<Feed>,
    pub latencies: Vec<Latency>,
    pub process: Process,
    pub dead_letters: Vec<Letter>,
}

/// One lane.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "as in the endpoint's LaneRow")]
pub struct Lane {
    pub lane: String,
    pub state: String,
    pub reason: Option<String>,
}

/// One exchange's tickers or order books.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "as in the endpoint's FeedRow")]
pub struct Feed {
    pub exchange: String,
    pub kind: String,
    pub state: String,
    pub reason: Option<String>,
    pub frames_per_s: f64,
    pub last_seen_s: Option<f64>,
    pub skew_s: Option<[f64; 3]>,
    pub books_live: u64,
    pub books_unverified: u64,
    pub lag: Option<i64>,
    pub dead_letters: u64,
}

/// One stage of the path: percentiles and seconds of the last ten seconds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "as in the endpoint's LatencyRow")]
pub struct Latency {
    pub stage: String,
    pub curve: Vec<(f64, f64)>,
}

impl Latency {
    /// Seconds at a percentile of the curve.
    #[must_use]
    pub fn at(&self, percentile: f64) -> Option<f64> {
        self.curve.iter().find(|(at, _)| (at - percentile).abs() < 1e-9).map(|(_, seconds)| *seconds)
    }
}

/// The process.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "as in the endpoint's ProcessRow")]
pub struct Process {
    pub pid: u32,
    pub resident_bytes: u64,
    pub cpu_s: f64,
}

/// A dead letter.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "as in the endpoint's LetterRow")]
pub struct Letter {
    pub lane: String,
    pub offset: i64,
    pub frame: Option<u32>,
    pub reason: String,
    pub value: String,
}
