//! A real worker of Kafka Connect for tests: distributed mode, one node, against the tests' broker. It ends with the test process, as the broker does.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use super::{
    broker::{Broker, Running, free_port, signal},
    kafka_home, report, tail, wait_until,
};

/// How long a start may take; about 3 s on a quiet machine.
const START_BOUND: Duration = Duration::from_secs(90);

/// See the module. Dropped, it is killed.
pub struct Worker {
    dir: TempDir,
    port: u16,
    running: Running,
}

impl Worker {
    /// A worker that answers. What it keeps is in topics of its own, named after `name`.
    pub fn start(broker: &Broker, name: &str) -> Self {
        let began = Instant::now();
        let worker = Self::starting(broker, name, free_port());
        let _ = wait_until("an answer of Kafka Connect", START_BOUND, || worker.get("/"), Result::is_ok);
        report(format_args!("kafka connect {} on port {}: answering after {:?}", kafka_home::VERSION, worker.port, began.elapsed()));
        worker
    }

    /// A worker that was started just now; `port` may be one that somebody waits for.
    pub fn starting(broker: &Broker, name: &str, port: u16) -> Self {
        let (jars, plugins) = kafka_home::connect();
        let dir = tempfile::Builder::new().prefix("market-hub-connect-").tempdir().expect("a temporary directory");
        let properties = dir.path().join("worker.properties");
        fs::write(&properties, self::properties(broker, name, port, &plugins)).expect("worker.properties");
        let log = File::create(dir.path().join("worker.log")).expect("the worker's log");
        let java = Command::new("java")
            .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=INFO", "-cp"])
            .arg(jars.join("*"))
            .arg("org.apache.kafka.connect.cli.ConnectDistributed")
            .arg(properties)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the worker's log"))
            .stderr(log)
            .spawn()
            .expect("java runs");
        let running = Running::guarded(java, dir.path());
        Self { dir, port, running }
    }

    /// Its REST interface.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A directory that lives as long as the worker.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// SIGSTOP: connections are taken, and nobody answers.
    pub fn stop(&self) {
        signal("STOP", self.running.java.id());
    }

    /// SIGCONT: goes on after [`Worker::stop`].
    pub fn cont(&self) {
        signal("CONT", self.running.java.id());
    }

    /// The JSON at a path, by a client that shares no code with the hub.
    pub fn get(&self, path: &str) -> Result<Value, String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).map_err(|error| error.to_string())?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).map_err(|error| error.to_string())?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: x\r\n\r\n").map_err(|error| error.to_string())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        if head.split(' ').nth(1) != Some("200") {
            return Err(head.lines().next().unwrap_or_default().to_owned());
        }
        serde_json::from_str(body).map_err(|error| error.to_string())
    }

    /// The end of what it says.
    pub fn log(&self) -> String {
        tail(&self.log_path(), 30)
    }

    fn log_path(&self) -> PathBuf {
        self.dir().join("worker.log")
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            report(self.log());
        }
        let _ = self.running.java.kill();
        let _ = self.running.java.wait();
    }
}

fn properties(broker: &Broker, name: &str, port: u16, plugins: &Path) -> String {
    format!(
        "\
bootstrap.servers={}
group.id={name}
listeners=http://127.0.0.1:{port}
config.storage.topic={name}-config
offset.storage.topic={name}-offset
status.storage.topic={name}-status
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
offset.storage.partitions=1
status.storage.partitions=1
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
plugin.path={}
plugin.discovery=service_load
scheduled.rebalance.max.delay.ms=0
offset.flush.interval.ms=500
",
        broker.address(),
        plugins.display()
    )
}
