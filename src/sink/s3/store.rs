//! The requests to the store: signed, sent, and where somebody waits for them, repeated.
//!
//! Signing is by URL, which is as secret as a key while it lasts: none is ever logged.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusty_s3::actions::{CreateBucket, ListObjectsV2};
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};
use ureq_proto::http::{Method, Request};
use url::Url;

use super::connection::{Answer, Connection};
use super::verdict::{self, Cause, Stop, Verdict};
use crate::config::{Config, knobs};
use crate::sink::{credentials, setting};

/// How long a signature holds. Longer than any request may take, so that only a clock can make it too old.
const SIGNED_FOR: Duration = Duration::from_secs(900);
/// The first pause before a request is sent again, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// See the module.
pub struct Store {
    pub(super) config: Config,
    credentials: Credentials,
    buckets: BTreeMap<String, Bucket>,
    /// Connections of requests that somebody waits for.
    idle: Mutex<Vec<Connection>>,
}

/// An object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was written, as the store writes it: RFC 3339.
    pub modified: String,
}

impl Store {
    /// The store, for these buckets; nothing is asked yet.
    ///
    /// # Errors
    /// There are no credentials, or a bucket cannot be asked for.
    pub fn new(config: &Config, buckets: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let keys = credentials(&config.store)?;
        let (access, secret) = (keys.access.expose(), keys.secret.expose());
        let credentials = match &keys.session {
            Some(token) => Credentials::new_with_token(access, secret, token.expose()),
            None => Credentials::new(access, secret),
        };
        let bucket = |name: String| {
            let bucket = Bucket::new(config.store.endpoint.clone(), UrlStyle::Path, name.clone(), config.store.region.clone());
            let wrong = |error| format!("{}: {error}", verdict::bucket_setting(config, &name));
            Ok((name.clone(), bucket.map_err(wrong)?))
        };
        let buckets = buckets.into_iter().map(bucket).collect::<Result<_, String>>()?;
        Ok(Self { config: config.clone(), credentials, buckets, idle: Mutex::default() })
    }

    /// The buckets, by name.
    pub fn buckets(&self) -> impl Iterator<Item = &str> {
        self.buckets.keys().map(String::as_str)
    }

    fn bucket(&self, name: &str) -> &Bucket {
        &self.buckets[name]
    }

    /// A new connection.
    pub(super) fn connect(&self) -> io::Result<Connection> {
        Connection::open(&self.config.store.endpoint, self.config.writer.connect_timeout)
    }

    /// The request that puts an object of so many bytes.
    pub(super) fn put(&self, bucket: &str, key: &str, bytes: usize) -> io::Result<Request<()>> {
        let url = self.bucket(bucket).put_object(Some(&self.credentials), key).sign(SIGNED_FOR);
        request(Method::PUT, &url, bytes)
    }

    /// Makes sure that the store is there, knows the keys and has the buckets; makes those that are missing where the settings say so.
    ///
    /// # Errors
    /// What is not so, with the setting and the remedy; [`Cause::Away`] may pass.
    pub fn prove(&self) -> Result<(), Stop> {
        let deadline = Instant::now();
        for (name, bucket) in &self.buckets {
            let mut list = ListObjectsV2::new(bucket, Some(&self.credentials));
            list.with_max_keys(1);
            match self.ask(name, Method::GET, &list.sign(SIGNED_FOR), deadline) {
                Ok(_) => {}
                Err(stop) if stop.cause == Cause::NoBucket && self.config.writer.create_bucket => self.create(name, deadline)?,
                // Who may only write cannot be told from who may nothing: the first object will tell.
                Err(stop) if stop.cause == Cause::Rights && stop.message.contains("AccessDenied") => {
                    log::warn!("whether bucket {name} is there cannot be told before something is written to it: {}", stop.message);
                }
                Err(stop) => return Err(stop),
            }
        }
        Ok(())
    }

    fn create(&self, name: &str, deadline: Instant) -> Result<(), Stop> {
        let url = CreateBucket::new(self.bucket(name), &self.credentials).sign(SIGNED_FOR);
        self.ask(name, Method::PUT, &url, deadline)?;
        log::info!("bucket {name} made at {}", self.config.store.endpoint);
        Ok(())
    }

    /// Every object of a bucket whose key begins with `prefix`, in the order of their keys.
    ///
    /// # Errors
    /// The store does not give them.
    pub fn list(&self, bucket: &str, prefix: &str, limit: Duration) -> Result<Vec<Listed>, Stop> {
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let mut list = ListObjectsV2::new(self.bucket(bucket), Some(&self.credentials));
            list.with_prefix(prefix);
            if let Some(token) = token {
                list.with_continuation_token(token);
            }
            let answer = self.ask(bucket, Method::GET, &list.sign(SIGNED_FOR), Instant::now() + limit)?;
            let page = std::str::from_utf8(&answer.body).ok().and_then(|text| ListObjectsV2::parse_response(text).ok()).ok_or_else(|| Stop {
                cause: Cause::Place,
                message: format!(
                    "what answers at {} gives no listing of objects: correct the URL",
                    setting(&knobs::S3_ENDPOINT, self.config.store.endpoint.as_str())
                ),
            })?;
            found.extend(page.contents.into_iter().map(|object| Listed {
                key: object.key,
                bytes: object.size.unwrap_or_default(),
                modified: object.last_modified.unwrap_or_default(),
            }));
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// The bytes of an object.
    ///
    /// # Errors
    /// The store does not give it.
    pub fn get(&self, bucket: &str, key: &str, limit: Duration) -> Result<Vec<u8>, Stop> {
        let url = self.bucket(bucket).get_object(Some(&self.credentials), key).sign(SIGNED_FOR);
        Ok(self.ask(bucket, Method::GET, &url, Instant::now() + limit)?.body)
    }

    /// Sends a request and waits for its answer, again and again where the trouble passes, until `deadline`.
    fn ask(&self, bucket: &str, method: Method, url: &Url, deadline: Instant) -> Result<Answer, Stop> {
        let mut tries = 0;
        loop {
            let verdict = match self.ask_once(method.clone(), url) {
                Ok(answer) => match verdict::of_answer(&self.config, bucket, &answer) {
                    Verdict::Done => return Ok(answer),
                    other => other,
                },
                Err(error) => verdict::of_failure(&self.config, &error),
            };
            match verdict {
                Verdict::Stop(stop) => return Err(stop),
                Verdict::Again(message) if Instant::now() + PAUSE.1 >= deadline => return Err(Stop { cause: Cause::Away, message }),
                Verdict::Again(message) => log::warn!("{message}; trying again"),
                Verdict::Done => {}
            }
            thread::sleep(pause(tries));
            tries += 1;
        }
    }

    fn ask_once(&self, method: Method, url: &Url) -> io::Result<Answer> {
        let deadline = Instant::now() + self.config.writer.timeout;
        let idle = self.idle.lock().pop();
        if let Some(mut kept) = idle
            && let Ok(answer) = exchange(&mut kept, request(method.clone(), url, 0)?, deadline)
        {
            self.keep(kept);
            return Ok(answer);
        }
        let mut fresh = self.connect()?;
        let answer = exchange(&mut fresh, request(method, url, 0)?, deadline)?;
        self.keep(fresh);
        Ok(answer)
    }

    fn keep(&self, connection: Connection) {
        if connection.is_open() {
            self.idle.lock().push(connection);
        }
    }
}

fn exchange(connection: &mut Connection, request: Request<()>, deadline: Instant) -> io::Result<Answer> {
    let sent = connection.send(request, &[], deadline)?;
    connection.receive(sent, deadline)
}

fn request(method: Method, url: &Url, bytes: usize) -> io::Result<Request<()>> {
    let mut request = Request::builder().method(&method).uri(url.as_str()).header("user-agent", concat!("market-hub/", env!("CARGO_PKG_VERSION")));
    if method == Method::PUT {
        request = request.header("content-length", bytes);
    }
    if bytes > 0 {
        request = request.header("content-type", "application/gzip");
    }
    // The message could quote the URL, which is signed.
    request.body(()).map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a request cannot be made of the URL and the key"))
}

/// How long to wait before the next try, after so many that failed: twice as long each time, and somewhere in the upper half of that, so that many who
/// failed together do not come back together.
pub(super) fn pause(tries: u32) -> Duration {
    let whole = PAUSE.0.saturating_mul(1 << tries.min(16)).min(PAUSE.1);
    // A hasher with random keys is the standard library's only source of chance.
    let chance = RandomState::new().hash_one(tries) % 1024;
    whole / 2 + (whole / 2).mul_f64(chance as f64 / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_bounded() {
        for tries in 0..40 {
            let whole = PAUSE.0.saturating_mul(1 << tries.min(16)).min(PAUSE.1);
            assert!((whole / 2..=whole).contains(&pause(tries)), "{tries}");
        }
        assert!(pause(40) >= PAUSE.1 / 2);
    }

    #[test]
    fn a_signed_url_holds_the_key_by_path_and_no_secret() {
        let mut config = Config::default();
        assert!(Store::new(&config, []).is_err(), "there are no keys");
        config.store.credentials =
            Some(crate::config::StoreCredentials { access: crate::config::Secret::new("me"), secret: crate::config::Secret::new("hunter2"), session: None });
        let store = Store::new(&config, ["ticker-data".to_owned()]).unwrap();
        let request = store.put("ticker-data", "a/b+0+1.gz", 7).unwrap();
        assert_eq!(request.uri().path(), "/ticker-data/a/b%2B0%2B1.gz");
        assert!(!request.uri().to_string().contains("hunter2"));
        assert_eq!(request.headers()["content-length"], "7");
    }
}
