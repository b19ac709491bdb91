//! A real Apache Kafka broker for tests: one KRaft node on loopback, data in a temporary directory.
//!
//! It never outlives the test process, however that ends: a static is not dropped, and a killed process drops nothing, so beside each broker a `sh` waits for
//! the end of a pipe that only the test process holds, and then kills the broker by its process id and removes its directory.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant, SystemTime},
};

use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};
use tempfile::TempDir;

use super::{client::Client, kafka_home, report, tail};

/// How long a start may take; about 4 s on a quiet machine of two cores.
const START_BOUND: Duration = Duration::from_secs(90);
/// How long a stop by SIGTERM may take before SIGKILL follows.
const STOP_BOUND: Duration = Duration::from_secs(20);
/// What takes long in a test is the start of the JVM: no second compiler, no parallel collector. The load of tests is small.
const QUICK_START: &[&str] = &["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
/// As Kafka's own script starts it.
const FAST: &[&str] =
    &["-Xmx1g", "-Xms1g", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent"];
/// `market-hub-tests` in base64.
const CLUSTER_ID: &str = "bWFya2V0LWh1Yi10ZXN0cw";

/// The broker that the scenarios of one test binary share, one scenario at a time: two at once would only disturb each other's times on two cores, and a
/// scenario may stop the broker. `None` (said on stderr) when Java or Maven is missing; a panic where `CI` says that nothing may be left out.
pub fn shared() -> Option<MappedMutexGuard<'static, Broker>> {
    if let Some(reason) = kafka_home::missing() {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci.is_empty()), "CI runs every test, but: {reason}");
        report(format_args!("ignored: {reason}"));
        return None;
    }
    let mut shared = SHARED.lock();
    match shared.as_mut() {
        Some(broker) => broker.be_running(),
        None => *shared = Some(Broker::start()),
    }
    Some(MutexGuard::map(shared, |broker| broker.as_mut().expect("just started")))
}

/// Waits for the turn of a scenario that needs no real broker, and gives it what the others have: the machine to itself.
pub fn turn() -> impl Drop {
    SHARED.lock()
}

static SHARED: Mutex<Option<Broker>> = Mutex::new(None);

/// One broker, running or not. Its ports and log directories stay the same from `start` to `drop`.
pub struct Broker {
    dir: TempDir,
    jars: PathBuf,
    ports: Ports,
    jvm: &'static [&'static str],
    running: Option<Running>,
}

impl Broker {
    /// Formats fresh log directories and starts; panics with the end of the broker's log when that fails.
    pub fn start() -> Self {
        Self::start_on(QUICK_START)
    }

    /// As [`Broker::start`], for measurements: a broker that starts slowly and then runs as fast as in production.
    pub fn start_fast() -> Self {
        Self::start_on(FAST)
    }

    fn start_on(jvm: &'static [&'static str]) -> Self {
        let jars = kafka_home::jars();
        let began = Instant::now();
        let dir = tempfile::Builder::new().prefix("market-hub-kafka-").tempdir().expect("a temporary directory");
        let ports = Ports::free();
        fs::write(dir.path().join("server.properties"), properties(dir.path(), &ports)).expect("server.properties");
        let mut broker = Self { dir, jars, ports, jvm, running: None };
        broker.format();
        broker.restart();
        report(format_args!("kafka {} on port {}: formatted and answering after {:?}", kafka_home::VERSION, broker.ports.plain, began.elapsed()));
        broker
    }

    /// `host:port`, as clients want it.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.ports.plain)
    }

    /// The ports of the listener for clients that come through a proxy: where the broker listens, and where it tells those clients to go.
    pub fn proxied_ports(&self) -> (u16, u16) {
        (self.ports.proxied, self.ports.proxy)
    }

    /// The directory of one partition's log.
    pub fn log_of(&self, topic: &str, partition: i32) -> PathBuf {
        self.dir().join("logs").join(format!("{topic}-{partition}"))
    }

    /// The tests' own client.
    pub fn client(&self) -> Client {
        Client::new(&self.address())
    }

    /// A directory that lives as long as the broker, for logs.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Starts the broker on the directories it has, and waits until a client gets an answer. Stops it first when it runs.
    pub fn restart(&mut self) {
        self.terminate();
        let log = File::options().create(true).append(true).open(self.log()).expect("the broker's log");
        let java = self
            .java()
            .args(self.jvm)
            .args(["-Dlog4j2.level=INFO", "kafka.Kafka"])
            .arg(self.dir().join("server.properties"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the broker's log"))
            .stderr(log)
            .spawn()
            .expect("java runs");
        let began = Instant::now();
        self.running = Some(Running::guarded(java, self.dir.path()));
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports.plain)).is_err() {
            self.still_starting(began, "does not listen");
        }
        while !self.client().answers(Duration::from_secs(1)) {
            self.still_starting(began, "listens, but answers no metadata request");
        }
    }

    /// SIGKILL: nothing is flushed, nobody is told.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.java.kill().expect("SIGKILL");
            running.java.wait().expect("the broker's end");
        }
    }

    /// SIGTERM, as an operator stops a broker; SIGKILL when that takes too long. Nothing to do when it does not run.
    pub fn terminate(&mut self) {
        let Some(running) = self.running.as_mut() else { return };
        // A stopped process would sleep through SIGTERM.
        signal("CONT", running.java.id());
        signal("TERM", running.java.id());
        if wait_for_end(&mut running.java, STOP_BOUND).is_none() {
            report(format_args!("the broker did not stop within {STOP_BOUND:?} of SIGTERM: killed"));
        }
        self.kill();
    }

    /// SIGSTOP: the broker holds its connections and says nothing.
    pub fn stop(&self) {
        signal("STOP", self.pid());
    }

    /// SIGCONT: goes on after [`Broker::stop`].
    pub fn cont(&self) {
        signal("CONT", self.pid());
    }

    /// The process id of the running broker.
    pub fn pid(&self) -> u32 {
        self.running.as_ref().expect("a running broker").java.id()
    }

    /// Makes good what an earlier scenario may have left: a broker that is stopped, or gone.
    fn be_running(&mut self) {
        if let Some(running) = self.running.as_mut()
            && running.java.try_wait().expect("the broker's state").is_none()
        {
            self.cont();
            if self.client().answers(Duration::from_secs(10)) {
                return;
            }
        }
        self.restart();
    }

    fn format(&self) {
        let format = self
            .java()
            .args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"])
            .arg(self.dir().join("server.properties"))
            .stdin(Stdio::null())
            .output()
            .expect("java runs");
        assert!(format.status.success(), "no format:\n{}{}", String::from_utf8_lossy(&format.stdout), String::from_utf8_lossy(&format.stderr));
    }

    fn java(&self) -> Command {
        let mut java = Command::new("java");
        java.arg("-cp").arg(self.jars.join("*"));
        java
    }

    fn log(&self) -> PathBuf {
        self.dir().join("broker.log")
    }

    /// Waits a moment; panics when the broker has ended or the start takes too long.
    fn still_starting(&mut self, began: Instant, state: &str) {
        let ended = self.running.as_mut().and_then(|running| running.java.try_wait().expect("the broker's state"));
        assert!(ended.is_none(), "the broker ended with {ended:?}\n{}", tail(&self.log(), 40));
        assert!(began.elapsed() < START_BOUND, "the broker {state} after {START_BOUND:?}\n{}", tail(&self.log(), 40));
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.terminate();
    }
}

/// A server's process and the `sh` that ends it when this process is gone.
pub struct Running {
    pub java: Child,
    watchdog: Child,
}

impl Running {
    /// `dir` goes with the process.
    pub fn guarded(java: Child, dir: &Path) -> Self {
        // Signals to the whole process group (Ctrl-C) must not end the watchdog before its work.
        let script = r#"trap '' HUP INT TERM; read -r _; kill -KILL "$0"; rm -rf "$1""#;
        let watchdog = Command::new("sh")
            .args(["-c", script, &java.id().to_string()])
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh runs");
        Self { java, watchdog }
    }
}

impl Drop for Running {
    /// The broker is gone, its process id may soon be another's: so must be its watchdog.
    fn drop(&mut self) {
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
    }
}

/// Sends a signal to one process. By `sh`, whose `kill` is always there: the crate denies unsafe code, and the standard library knows SIGKILL only.
pub fn signal(name: &str, pid: u32) {
    let status = Command::new("sh").args(["-c", r#"kill -"$0" "$1""#, name, &pid.to_string()]).status().expect("sh runs");
    assert!(status.success(), "SIG{name} to {pid}");
}

/// Waits for a process's end; `None` when it still runs after `bound`.
pub fn wait_for_end(child: &mut Child, bound: Duration) -> Option<ExitStatus> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child's state") {
            return Some(status);
        }
        if began.elapsed() >= bound {
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The ports of one broker, all on loopback.
struct Ports {
    plain: u16,
    controller: u16,
    /// Where a proxy reaches the broker.
    proxied: u16,
    /// Where the broker says that it is to whoever comes through the proxy. Nobody listens there until a test starts its proxy.
    proxy: u16,
}

impl Ports {
    /// Ports that nobody listens on, from below the range that the system gives to outgoing connections: while the broker is down, a client that tries again
    /// and again to reach a port of that range can be given the very same port to start from, reaches itself, and the broker can never bind it again.
    fn free() -> Self {
        let seed = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |now| now.subsec_nanos()) ^ std::process::id().wrapping_mul(0x9e37_79b9);
        let first = 10_000 + u16::try_from(seed % 20_000).expect("below 20,000");
        let mut free = (first..32_000).filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
        let mut port = || free.next().expect("four free ports");
        Self { plain: port(), controller: port(), proxied: port(), proxy: port() }
    }
}

/// A port for another server, as [`Ports::free`] has them.
pub fn free_port() -> u16 {
    Ports::free().plain
}

/// The broker's settings: one node that keeps whatever it is sent, since records carry the event times of past years and nothing may go before a test has read
/// it, takes envelopes up to 16 MiB, and creates no topic by itself, as in production. Times ahead of its clock it refuses as every broker does.
fn properties(dir: &Path, ports: &Ports) -> String {
    let Ports { plain, controller, proxied, proxy } = ports;
    let logs = dir.join("logs");
    let logs = logs.display();
    format!(
        "\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{plain},PROXIED://127.0.0.1:{proxied},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},PROXIED://127.0.0.1:{proxy}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={logs}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
log.retention.ms=-1
log.retention.bytes=-1
log.roll.ms=9223372036854775807
log.message.timestamp.before.max.ms=9223372036854775807
log.index.size.max.bytes=1048576
log.cleaner.dedupe.buffer.size=4194304
message.max.bytes=16777216
replica.fetch.max.bytes=16777216
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
num.network.threads=2
num.io.threads=4
"
    )
}
