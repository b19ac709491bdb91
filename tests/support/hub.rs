//! The hub as its users run it: a process with arguments, an environment, signals and an exit code.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use market_hub::market::Stream;

use super::{
    broker::{Broker, signal, wait_for_end},
    client::{Client, Place},
    names::Names,
    report, tail, wait_until,
};

/// What a clean stop may take on a quiet machine (faults, row 3). A test says what it saw and fails at ten times the figure.
const STOP_GOAL: Duration = Duration::from_secs(2);
const STOP_BOUND: Duration = Duration::from_secs(20);

/// A `market-hub` that is not started yet.
pub struct HubCommand {
    command: Command,
    stderr: PathBuf,
}

impl HubCommand {
    /// `market-hub run` towards `broker`, with the topics and groups of `names`, and without whatever the environment of the tests would tell a hub.
    pub fn run(broker: &Broker, names: &Names) -> Self {
        Self::new(&["run"], broker, names)
    }

    /// As [`HubCommand::run`], towards any cluster; `dir` is where its log goes.
    pub fn run_at(brokers: &str, dir: &Path, names: &Names) -> Self {
        Self::at(&["run"], brokers, dir, names)
    }

    /// `market-hub check`, as [`HubCommand::run`].
    pub fn check(broker: &Broker, names: &Names) -> Self {
        Self::new(&["check"], broker, names)
    }

    /// Any command, in as many words as it has, as [`HubCommand::run`].
    pub fn new(command_words: &[&str], broker: &Broker, names: &Names) -> Self {
        Self::at(command_words, &broker.address(), broker.dir(), names)
    }

    /// A command that ends by itself, for [`HubCommand::ran`] alone: it needs no directory for a log.
    pub fn ending_at(command_words: &[&str], brokers: &str, names: &Names) -> Self {
        Self::at(command_words, brokers, &std::env::temp_dir(), names)
    }

    fn at(command_words: &[&str], brokers: &str, dir: &Path, names: &Names) -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let mut command = Command::new("bash");
        // The shell becomes the hub: the process is the hub's, and what a test wants to be otherwise before it starts can be said in a line of shell. What
        // librdkafka has open in the test's process would be open in the hub, and count there.
        let shell = r#"for fd in /proc/$$/fd/*; do fd=${fd##*/}; [ "$fd" -le 2 ] || eval "exec $fd>&-"; done; eval "$BEFORE"; exec "${INSTEAD:-$0}" "$@""#;
        command.args(["-c", shell, env!("CARGO_BIN_EXE_market-hub")]);
        for (variable, _) in std::env::vars_os() {
            if ["HUB_", "KAFKA_", "AWS_", "MINIO_", "RUST_LOG"].iter().any(|prefix| variable.to_string_lossy().starts_with(prefix)) {
                command.env_remove(variable);
            }
        }
        // Hubs run side by side: none shall want the port of another.
        command.env("HUB_ENDPOINT", "off");
        command.args(command_words).args(["--brokers", brokers]).envs(names.environment()).stdin(Stdio::null());
        if let Ok(delivery) = std::env::var("TEST_DELIVERY") {
            command.args(["--delivery", &delivery]);
        }
        let stderr = dir.join(format!("hub-{}.stderr", STARTED.fetch_add(1, Ordering::Relaxed)));
        Self { command, stderr }
    }

    /// One argument more, or a flag and its value.
    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// A variable of the environment more.
    pub fn env(mut self, variable: &str, value: &str) -> Self {
        self.command.env(variable, value);
        self
    }

    /// Runs a command that ends by itself, and tells what it prints from what it says.
    pub fn ran(mut self) -> Ran {
        let output = self.command.output().expect("market-hub runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Shell commands that run before the hub, in the process that becomes it: limits, files for its output.
    pub fn after(self, shell: &str) -> Self {
        self.env("BEFORE", shell)
    }

    /// Another build of the hub.
    pub fn built_as(self, program: &Path) -> Self {
        self.env("INSTEAD", program.to_str().expect("a path in UTF-8"))
    }

    pub fn start(mut self) -> Hub {
        // One file for both: what a command prints and what it says stand in one text, in order.
        let stderr = File::create(&self.stderr).expect("a file for the hub's stderr");
        let stdout = stderr.try_clone().expect("the same file for its stdout");
        let child = self.command.stdout(stdout).stderr(stderr).spawn().expect("market-hub runs");
        Hub { child, stderr: self.stderr }
    }
}

/// What a command that ends by itself gave.
#[derive(Debug)]
pub struct Ran {
    /// `None` after a signal.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Exit code 0; gives what it printed.
    pub fn ok(self, what: &str) -> String {
        assert_eq!(self.code, Some(0), "{what}: {self:?}");
        self.stdout
    }

    /// This exit code, and these parts in what it said.
    pub fn failed(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        let missing: Vec<_> = parts.iter().filter(|part| !self.stderr.contains(**part)).collect();
        assert!(missing.is_empty(), "{missing:?} not in {self:?}");
    }
}

/// A running hub. Dropped, it is killed; while a test fails, the end of what it said is shown.
pub struct Hub {
    child: Child,
    stderr: PathBuf,
}

impl Hub {
    /// SIGTERM, and the end that follows.
    pub fn terminate(mut self) -> Stopped {
        self.assert_running();
        let began = Instant::now();
        signal("TERM", self.child.id());
        self.ended(began, STOP_BOUND, "after SIGTERM")
    }

    /// SIGTERM alone; the hub goes on until it has drained.
    pub fn signal_term(&mut self) {
        self.assert_running();
        signal("TERM", self.child.id());
    }

    /// The end that the hub comes to by itself.
    pub fn wait_for_exit(mut self, bound: Duration) -> Stopped {
        self.ended(Instant::now(), bound, "by itself")
    }

    /// SIGINT, and the end that follows.
    pub fn interrupt(mut self) -> Stopped {
        self.assert_running();
        let began = Instant::now();
        signal("INT", self.child.id());
        self.ended(began, STOP_BOUND, "after SIGINT")
    }

    /// SIGSTOP: it holds its connections and does nothing.
    pub fn stop(&self) {
        signal("STOP", self.child.id());
    }

    /// SIGCONT: goes on after [`Hub::stop`].
    pub fn cont(&self) {
        signal("CONT", self.child.id());
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("the hub's end");
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything it has said so far.
    pub fn said(&self) -> String {
        fs::read(&self.stderr).map_or_else(|_| String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Where it said that its endpoint is.
    pub fn endpoint(&self) -> SocketAddr {
        let said = self.said();
        let url = said.split("endpoint: http://").nth(1).unwrap_or_else(|| panic!("no endpoint:\n{said}"));
        url.split('/').next().expect("a part").parse().expect("an address")
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("the hub's state").is_some()
    }

    /// Panics when the hub has ended.
    pub fn assert_running(&mut self) {
        let ended = self.child.try_wait().expect("the hub's state");
        assert!(ended.is_none(), "the hub ended with {ended:?}, and said:\n{}", self.said());
    }

    /// Waits until it has started all its threads, of which it tells then.
    pub fn wait_until_running(&mut self) {
        let said = || {
            self.assert_running();
            self.said()
        };
        wait_until("the table of threads", Duration::from_secs(30), said, |said| said.contains("worker-0"));
    }

    /// Waits until every partition of every group is committed to the end of its input topic.
    pub fn wait_until_caught_up(&mut self, client: &Client, names: &Names, bound: Duration) {
        let ends = input_ends(client, names);
        let behind = || {
            self.assert_running();
            let committed = committed(client, names);
            ends.iter().filter(|(place, end)| committed[*place] < **end).map(|(place, end)| (place.clone(), committed[place], *end)).collect::<Vec<_>>()
        };
        wait_until("committed offsets are the ends (place, committed, end)", bound, behind, Vec::is_empty);
    }

    fn ended(&mut self, began: Instant, bound: Duration, how: &str) -> Stopped {
        let status = wait_for_end(&mut self.child, bound).unwrap_or_else(|| panic!("the hub did not end {how} within {bound:?}"));
        Stopped { code: status.code(), took: began.elapsed(), said: self.said() }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            report(tail(&self.stderr, 40));
        }
    }
}

/// How a hub ended.
#[derive(Debug)]
pub struct Stopped {
    /// `None` after a signal.
    pub code: Option<i32>,
    pub took: Duration,
    /// Its stdout and stderr.
    pub said: String,
}

impl Stopped {
    /// Exit code 0 in time.
    pub fn assert_clean(&self, when: &str) {
        report(format_args!("{when}: exit {:?} after {:?} (goal {STOP_GOAL:?})", self.code, self.took));
        assert_eq!(self.code, Some(0), "{when}; the hub said:\n{}", self.said);
    }
}

/// The ends of all input partitions.
pub fn input_ends(client: &Client, names: &Names) -> BTreeMap<Place, i64> {
    client.ends(&Stream::ALL.map(|stream| names.input(stream)))
}

/// The committed offsets of all input partitions, each of its stream's own group.
pub fn committed(client: &Client, names: &Names) -> BTreeMap<Place, i64> {
    Stream::ALL.into_iter().flat_map(|stream| client.committed(&names.group(stream), &names.input(stream))).collect()
}
