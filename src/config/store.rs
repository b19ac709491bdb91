//! The S3 store: where it is, who asks, and which topic goes into which bucket.

use std::time::Duration;

use url::Url;

use super::knobs::{self, Knob};
use super::object_key::KeyPattern;
use super::parse;
use super::secret::Secret;
use super::values::Values;
use crate::market::{Kind, Stream};

/// The store, and what it has of each kind of record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// `http` or `https`, with a host and without user, password, query or fragment. Buckets are asked for by path.
    pub endpoint: Url,
    /// The region that requests are signed for.
    pub region: String,
    /// Who asks. Only what goes to a store needs them.
    pub credentials: Option<StoreCredentials>,
    /// The bucket of tickers, and how many of them one object holds; `1..=100_000`.
    pub ticker: Shelf,
    /// The same of order books.
    pub orderbook: Shelf,
    /// Topics other than the six output topics, each once.
    pub further: Vec<(String, Shelf)>,
}

impl StoreConfig {
    /// Where records of `stream` go.
    #[must_use]
    pub const fn shelf(&self, stream: Stream) -> &Shelf {
        match stream.kind {
            Kind::Ticker => &self.ticker,
            Kind::Orderbook => &self.orderbook,
        }
    }
}

/// A bucket, and how many records an object in it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// The bucket's name.
    pub bucket: String,
    /// Records to an object; `1..=100_000`.
    pub records: usize,
}

/// How the writer works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterConfig {
    /// Whether it runs beside the hub.
    pub beside_hub: bool,
    /// Its consumer group.
    pub group: String,
    /// How keys are made.
    pub pattern: KeyPattern,
    /// The size of an object, uncompressed, at which it is whole; `1 KiB..=1 GiB`.
    pub object_bytes: usize,
    /// The age at which an object is written as it is; `1 ms..=1 d`.
    pub roll_after: Option<Duration>,
    /// Whether missing buckets are made.
    pub create_bucket: bool,
    /// Threads that upload; `1..=64`.
    pub threads: usize,
    /// Requests that each has under way; `1..=256`.
    pub uploads: usize,
    /// For a connection to open; `10 ms..=1 min`.
    pub connect_timeout: Duration,
    /// For a request with its answer; `100 ms..=10 min`.
    pub timeout: Duration,
}

/// What requests are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreCredentials {
    /// The access key. It is no secret by itself, but is treated as one.
    pub access: Secret,
    /// The secret key.
    pub secret: Secret,
    /// The token of temporary credentials.
    pub session: Option<Secret>,
}

pub(super) fn build(values: &mut Values) -> StoreConfig {
    let mut shelf = |bucket: &'static Knob, records: &'static Knob| Shelf { bucket: values.parsed(bucket, parse::bucket), records: values.narrow(records) };
    let ticker = shelf(&knobs::S3_TICKER_BUCKET, &knobs::S3_TICKER_RECORDS);
    let orderbook = shelf(&knobs::S3_ORDERBOOK_BUCKET, &knobs::S3_ORDERBOOK_RECORDS);
    StoreConfig {
        endpoint: values.parsed(&knobs::S3_ENDPOINT, parse::endpoint),
        region: values.parsed(&knobs::S3_REGION, parse::region),
        credentials: credentials(values),
        ticker,
        orderbook,
        further: values.parsed(&knobs::S3_TOPICS, parse::shelves),
    }
}

pub(super) fn writer(values: &mut Values) -> WriterConfig {
    WriterConfig {
        beside_hub: values.choice(&knobs::SINK, [false, true]),
        group: values.parsed(&knobs::S3_GROUP, parse::group),
        pattern: values.parsed(&knobs::S3_OBJECT_KEY, KeyPattern::parse),
        object_bytes: values.bytes(&knobs::S3_OBJECT_BYTES),
        roll_after: Some(values.duration(&knobs::S3_ROLL_MS)).filter(|age| !age.is_zero()),
        create_bucket: values.flag(&knobs::CREATE_BUCKET),
        threads: values.narrow(&knobs::S3_THREADS),
        uploads: values.narrow(&knobs::S3_UPLOADS),
        connect_timeout: values.duration(&knobs::S3_CONNECT_TIMEOUT_MS),
        timeout: values.duration(&knobs::S3_TIMEOUT_MS),
    }
}

/// Both keys, or none. A token belongs to the keys that it came with: that of the AWS variables is not used with keys from `HUB_*`.
fn credentials(values: &mut Values) -> Option<StoreCredentials> {
    let [access, secret, session] = [&knobs::S3_ACCESS_KEY, &knobs::S3_SECRET_KEY, &knobs::S3_SESSION_TOKEN].map(|knob| (knob, values.secret(knob)));
    let is_own = |values: &Values, knob: &Knob| values.given().found(knob).is_none_or(|found| found.name.starts_with("HUB_"));
    let keys_are_own = is_own(values, access.0);
    match (access.1, secret.1) {
        (Some(_), Some(_)) if keys_are_own != is_own(values, secret.0) => {
            values.contradiction(&[access.0, secret.0], "a key pair comes from one place: give both as HUB_S3_*, or both as AWS_*");
            None
        }
        (Some(access), Some(secret)) => {
            let session = session.1.filter(|_| keys_are_own == is_own(values, &knobs::S3_SESSION_TOKEN));
            Some(StoreCredentials { access, secret, session })
        }
        (None, None) => None,
        (None, Some(_)) if !is_own(values, secret.0) => None,
        (Some(_), None) if !keys_are_own => None,
        _ => {
            values.contradiction(&[access.0, secret.0], "only one of the two keys is given");
            None
        }
    }
}
