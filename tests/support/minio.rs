//! A real S3 store for tests: MinIO, one node on loopback, data in a temporary directory. Taken from the PATH, or built once by Go into the target
//! directory. Like the broker it never outlives the test process.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read as _,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};
use tempfile::TempDir;
use ureq::Agent;

use super::{
    broker::{signal, wait_for_end},
    report, wait_until,
};

/// The last version before upstream was archived.
const VERSION: &str = "v0.0.0-20260212201848-7aac2a2c5b7c";
const START_BOUND: Duration = Duration::from_secs(60);
const SIGNED_FOR: Duration = Duration::from_secs(600);

pub const ACCESS_KEY: &str = "tester";
pub const SECRET_KEY: &str = "a-secret-of-the-tests";

/// Why there can be no MinIO here; `None` when there can. A panic where `CI` says that nothing may be left out.
pub fn is_missing() -> bool {
    let answers = |program: &str, argument: &str| Command::new(program).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if answers("minio", "--version") || built().is_file() || answers("go", "version") {
        return false;
    }
    let reason = "neither `minio` nor `go` (1.24 or newer, to build it) on the PATH";
    assert!(std::env::var_os("CI").is_none_or(|ci| ci.is_empty()), "CI runs every test, but: {reason}");
    report(format_args!("ignored: {reason}"));
    true
}

fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory")
}

fn built() -> PathBuf {
    target().join("minio").join("minio")
}

/// The program. Two test processes at once: the second waits for the first's lock.
fn program() -> PathBuf {
    if Command::new("minio").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok() {
        return PathBuf::from("minio");
    }
    let lock = File::create(target().join("minio.lock")).expect("a lock file in the target directory");
    lock.lock().expect("the lock on MinIO");
    if !built().is_file() {
        report("building MinIO, some minutes");
        let dir = tempfile::tempdir_in(target()).expect("a directory for Go");
        let go = Command::new("go").args(["install", &format!("github.com/minio/minio@{VERSION}")]).env("GOBIN", dir.path()).output().expect("go runs");
        assert!(go.status.success(), "go could not build MinIO:\n{}", String::from_utf8_lossy(&go.stderr));
        std::fs::create_dir_all(target().join("minio")).expect("a directory");
        std::fs::rename(dir.path().join("minio"), built()).expect("MinIO in place");
    }
    built()
}

/// One store, running or not. Its port and data stay the same from `start` to `drop`.
pub struct Minio {
    dir: TempDir,
    port: u16,
    running: Option<(Child, Child)>,
    agent: Agent,
}

impl Minio {
    pub fn start() -> Self {
        let dir = tempfile::Builder::new().prefix("market-hub-minio-").tempdir().expect("a temporary directory");
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("its address").port();
        let agent = Agent::config_builder().timeout_global(Some(Duration::from_secs(30))).http_status_as_error(false).build().new_agent();
        let mut minio = Self { dir, port, running: None, agent };
        minio.restart();
        minio
    }

    /// Starts it on the data it has, and waits until it is ready.
    pub fn restart(&mut self) {
        self.kill();
        let log = File::options().create(true).append(true).open(self.dir.path().join("minio.log")).expect("MinIO's log");
        let minio = Command::new(program())
            .arg("server")
            .arg(self.dir.path().join("data"))
            .args(["--address", &self.address()])
            .envs([("MINIO_ROOT_USER", ACCESS_KEY), ("MINIO_ROOT_PASSWORD", SECRET_KEY), ("MINIO_BROWSER", "off"), ("MINIO_UPDATE", "off")])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("MinIO's log"))
            .stderr(log)
            .spawn()
            .expect("minio runs");
        let script = r#"trap '' HUP INT TERM; read -r _; kill -KILL "$0"; rm -rf "$1""#;
        let watchdog = Command::new("sh")
            .args(["-c", script, &minio.id().to_string()])
            .arg(self.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh runs");
        self.running = Some((minio, watchdog));
        let ready = || self.agent.get(format!("{}/minio/health/ready", self.url())).call().is_ok_and(|answer| answer.status() == 200);
        wait_until("MinIO is ready", START_BOUND, ready, |ready| *ready);
    }

    /// SIGTERM, as an operator stops it.
    pub fn terminate(&mut self) {
        if let Some((minio, _)) = &mut self.running {
            signal("TERM", minio.id());
            let _ = wait_for_end(minio, Duration::from_secs(10));
        }
        self.kill();
    }

    fn kill(&mut self) {
        if let Some((mut minio, mut watchdog)) = self.running.take() {
            let _ = minio.kill();
            let _ = minio.wait();
            let _ = watchdog.kill();
            let _ = watchdog.wait();
        }
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    fn bucket(&self, name: &str) -> (Bucket, Credentials) {
        let bucket = Bucket::new(self.url().parse().expect("a URL"), UrlStyle::Path, name.to_owned(), "us-east-1").expect("a bucket");
        (bucket, Credentials::new(ACCESS_KEY, SECRET_KEY))
    }

    pub fn make_bucket(&self, name: &str) {
        let (bucket, credentials) = self.bucket(name);
        let answer = self.agent.put(bucket.create_bucket(&credentials).sign(SIGNED_FOR).as_str()).send_empty().expect("an answer");
        assert_eq!(answer.status(), 200, "bucket {name}");
    }

    pub fn delete(&self, bucket_name: &str, key: &str) {
        let (bucket, credentials) = self.bucket(bucket_name);
        let answer = self.agent.delete(bucket.delete_object(Some(&credentials), key).sign(SIGNED_FOR).as_str()).call().expect("an answer");
        assert_eq!(answer.status(), 204, "{bucket_name}/{key}");
    }

    pub fn put(&self, bucket_name: &str, key: &str, bytes: &[u8]) {
        let (bucket, credentials) = self.bucket(bucket_name);
        let answer = self.agent.put(bucket.put_object(Some(&credentials), key).sign(SIGNED_FOR).as_str()).send(bytes).expect("an answer");
        assert_eq!(answer.status(), 200, "{bucket_name}/{key}");
    }

    /// The keys of a bucket; none where it is not there.
    pub fn keys(&self, name: &str) -> Vec<String> {
        let (bucket, credentials) = self.bucket(name);
        let (mut keys, mut token): (Vec<String>, Option<String>) = (Vec::new(), None);
        loop {
            let mut list = bucket.list_objects_v2(Some(&credentials));
            if let Some(token) = token {
                list.with_continuation_token(token);
            }
            let ask = || self.agent.get(list.sign(SIGNED_FOR).as_str()).call().expect("an answer");
            // A store that says that it is ready may still be busy with itself.
            let mut answer = wait_until("a listing", START_BOUND, ask, |answer| !answer.status().is_server_error());
            if answer.status() == 404 {
                return keys;
            }
            let text = answer.body_mut().read_to_string().expect("a listing");
            assert_eq!(answer.status(), 200, "{name}: {text}");
            let page = rusty_s3::actions::ListObjectsV2::parse_response(&text).expect("a listing");
            keys.extend(page.contents.into_iter().map(|object| object.key));
            token = page.next_continuation_token;
            if token.is_none() {
                return keys;
            }
        }
    }

    /// The unpacked text of every object of a bucket, by key.
    pub fn objects(&self, name: &str) -> BTreeMap<String, String> {
        let (bucket, credentials) = self.bucket(name);
        let get = |key: String| {
            let mut answer = self.agent.get(bucket.get_object(Some(&credentials), &key).sign(SIGNED_FOR).as_str()).call().expect("an answer");
            assert_eq!(answer.status(), 200, "{key}");
            let mut text = String::new();
            flate2::read::GzDecoder::new(answer.body_mut().as_reader()).read_to_string(&mut text).expect("gzip of text");
            (key, text)
        };
        self.keys(name).into_iter().map(get).collect()
    }
}

impl Drop for Minio {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            report(super::tail(&self.dir.path().join("minio.log"), 10));
        }
    }
}
