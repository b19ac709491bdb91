//! The commands as a user runs them: arguments, environment and files in; output, messages and exit codes out. No broker is needed; those that need one are
//! in `kafka.rs`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs::{self, File},
    io::{Read as _, Write as _, pipe},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use market_hub::config::knobs;
use serde_json::Value;

/// An address that nobody listens at: port 1 is reserved for a service that no machine has run for decades.
const NOBODY: &str = "127.0.0.1:1";

// ------------------------------------------------------------------------------------------------------------------------- replay

#[test]
fn replay_prints_what_comes_of_the_records() {
    let ran = Hub::new(&["replay", "-"]).fed(&line(0, &["1", "x"])).run();
    ran.assert(0, &[]);
    let [record, letter] = &ran.lines()[..] else { panic!("{ran:?}") };
    assert_eq!((&record["topic"], &record["key"]), (&"Region.Korea_TickerPreprocessing".into(), &"UPBIT:BTC".into()));
    assert_eq!(trade_price(record), "1.0");
    assert_eq!((&letter["topic"], &letter["headers"]["hub.reason"]), (&"koraSocketDataIn-ticker-dlt".into(), &"number".into()));
}

#[test]
fn replay_takes_files_as_one_log_and_compresses_where_the_name_says_so() {
    let folder = Folder::new();
    let plain = folder.with("a.jsonl", line(0, &["1"]).as_bytes());
    let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
    zipped.write_all(line(1, &["2"]).as_bytes()).unwrap();
    let zipped = folder.with("b.jsonl.gz", &zipped.finish().unwrap());
    let inputs = [plain.to_str().unwrap(), "-", zipped.to_str().unwrap()];
    let all = ["1.0", "3.0", "2.0"];

    let (out, counters) = (folder.path("out.jsonl"), folder.path("counters.json"));
    let to_file = ["--out", out.to_str().unwrap(), "--counters", counters.to_str().unwrap()];
    let ran = Hub::new(&["replay"]).with(&to_file).with(&inputs).fed(&line(7, &["3"])).run();
    ran.assert(0, &[]);
    assert_eq!(ran.stdout, "", "all of it is in the file");
    assert_eq!(records(&fs::read_to_string(&out).unwrap()), all);
    let counters: Value = serde_json::from_slice(&fs::read(counters).unwrap()).unwrap();
    assert_eq!((&counters["envelopes"], &counters["records"]["UPBIT"]), (&3.into(), &3.into()));

    let out = folder.path("out.jsonl.gz");
    Hub::new(&["replay", "--out", out.to_str().unwrap()]).with(&inputs).fed(&line(7, &["3"])).run().assert(0, &[]);
    let mut text = String::new();
    GzDecoder::new(File::open(out).unwrap()).read_to_string(&mut text).unwrap();
    assert_eq!(records(&text), all);
}

#[test]
fn replay_keeps_books_as_the_settings_say_whoever_gives_them() {
    // A delta without a snapshot before it: whether that is a record is up to the book mode.
    let delta = r#"{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{"asks":[["2","1","0","1"]],"bids":[["1","1","0","1"]],"ts":"1790000000000","seqId":2,"prevSeqId":1}]}"#;
    let input = envelope("asiaSocketDataIn-Orderbook", 2, "asia", "OKX", &[delta]);
    let outcome = |hub: Hub| {
        let ran = hub.fed(&input).run();
        ran.assert(0, &[]);
        ran.lines().iter().map(|record| record["headers"]["book-state"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(outcome(Hub::new(&["replay", "-"])), [Some("unverified".to_owned())], "maintained");
    assert_eq!(outcome(Hub::new(&["replay", "-", "--book", "frame"])), [None]);
    assert_eq!(outcome(Hub::new(&["replay", "-"]).env("HUB_BOOK", "hold")), [None; 0]);
    assert_eq!(outcome(Hub::new(&["replay", "-", "--book", "frame"]).env("HUB_BOOK", "hold")), [None], "the command line wins");
}

#[test]
fn replay_writes_resync_requests_where_it_is_told_to() {
    let delta = r#"{"topic":"orderbook.50.BTCUSDT","type":"delta","data":{"s":"BTCUSDT","b":[["1","1"]],"a":[],"u":7}}"#;
    let input = envelope("asiaSocketDataIn-Orderbook", 2, "asia", "BYBIT", &[delta]);
    let folder = Folder::new();
    let counters = folder.path("counters.json");
    let counted = || serde_json::from_slice::<Value>(&fs::read(&counters).unwrap()).unwrap()["resyncs"].clone();
    let hub = || Hub::new(&["replay", "-", "--counters", counters.to_str().unwrap()]).fed(&input);
    let ran = hub().with(&["--resync-topic", "asked"]).run();
    ran.assert(0, &[]);
    let [request, record] = &ran.lines()[..] else { panic!("{ran:?}") };
    assert_eq!((&request["topic"], &request["partition"], &request["key"]), (&"asked".into(), &(-1).into(), &"BYBIT:BTC".into()));
    assert_eq!(serde_json::from_str::<Value>(request["value"].as_str().unwrap()).unwrap()["reason"], "no_snapshot");
    assert_eq!((&record["headers"]["book-state"], counted()), (&"unverified".into(), serde_json::json!({"BYBIT": 1})));
    assert_eq!(hub().run().lines().len(), 1);
    assert_eq!(counted(), Value::Null, "nothing is said of what is off");
}

#[test]
fn replay_puts_records_into_arrays_by_the_time_of_the_input() {
    let input = [line(0, &["1", "x", "2"]), line(1, &["3"]), line(2, &["4"]).replace("1790000000000", "1790000006000")].concat();
    let arrays = |options: &[&str]| {
        let ran = Hub::new(&["replay", "-", "--output", "arrays"]).with(options).fed(&input).run();
        ran.assert(0, &[]);
        let outputs = ran.lines().into_iter().filter(|record| record["topic"] == "Region.Korea_TickerPreprocessing");
        let values = outputs.map(|record| serde_json::from_str::<Vec<Value>>(record["value"].as_str().unwrap()).unwrap());
        values
            .map(|array| array.iter().map(|record| record["data"][0]["trade_price"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    };
    assert_eq!(arrays(&[]), ["1.0 2.0 3.0", "4.0"], "the first waits 5 s and no longer, the second to the end");
    assert_eq!(arrays(&["--array-max", "2"]), ["1.0 2.0", "3.0", "4.0"]);
    assert_eq!(arrays(&["--array-timeout-ms", "7000"]), ["1.0 2.0 3.0 4.0"]);
}

#[test]
fn replay_says_which_line_is_no_record_and_keeps_what_came_before() {
    let folder = Folder::new();
    let file = folder.with("bad.jsonl", format!("{}\nno record\n", line(0, &["1"])).as_bytes());
    let ran = Hub::new(&["replay", file.to_str().unwrap()]).run();
    ran.assert(65, &["bad.jsonl, line 3"]);
    assert_eq!(records(&ran.stdout), ["1.0"]);
    let elsewhere = envelope("elsewhere", 0, "korea", "UPBIT", &["{}"]);
    Hub::new(&["replay", "-"]).fed(&elsewhere).run().assert(65, &["-, line 1", "\"elsewhere\" is none of the six input topics"]);
}

#[test]
fn a_command_that_takes_its_time_says_how_far_it_is_where_that_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("slow");
    for (how, is_told) in [("plain", true), ("off", false), ("auto", false)] {
        let _ = fs::remove_file(&pipe);
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let slow = pipe.clone();
        let feeder = thread::spawn(move || {
            let mut end = fs::OpenOptions::new().write(true).open(slow).unwrap();
            for offset in 0..8 {
                end.write_all(line(offset, &["1"]).as_bytes()).unwrap();
                thread::sleep(Duration::from_millis(400));
            }
        });
        let ran = Hub::new(&["replay", pipe.to_str().unwrap(), "--digest-only", "--progress", how]).run();
        feeder.join().unwrap();
        assert_eq!((ran.code, ran.stdout.is_empty()), (Some(0), false), "{}", ran.stderr);
        let told = format!("market-hub: {}: ", pipe.display());
        assert_eq!(ran.stderr.lines().any(|line| line.starts_with(&told) && line.ends_with(" bytes")), is_told, "{how}: {}", ran.stderr);
    }
    Hub::new(&["replay", "-", "--progress", "loud"]).run().assert(2, &["--progress", "plain"]);
}

#[test]
fn replay_tells_a_file_that_is_missing_from_one_that_is_damaged() {
    let folder = Folder::new();
    let (out, missing) = (folder.with("out.jsonl", b"of yesterday"), folder.path("missing.jsonl"));
    let there = folder.with("there.jsonl", b"");
    let ran = Hub::new(&["replay", "--out", out.to_str().unwrap(), there.to_str().unwrap(), missing.to_str().unwrap()]).run();
    ran.assert(66, &["missing.jsonl"]);
    assert_eq!(fs::read(out).unwrap(), b"of yesterday", "nothing is written over for an input that is not there");
    for (name, bytes) in [("text.gz", b"not compressed".as_slice()), ("cut.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b])] {
        let file = folder.with(name, bytes);
        Hub::new(&["replay", file.to_str().unwrap()]).run().assert(65, &[name]);
    }
}

#[test]
fn replay_refuses_to_write_over_what_it_reads() {
    let folder = Folder::new();
    let file = folder.with("a.jsonl", line(0, &["1"]).as_bytes());
    let file = file.to_str().unwrap();
    for option in ["--out", "--counters"] {
        Hub::new(&["replay", file, option, file]).run().assert(78, &["a.jsonl cannot be both input and output"]);
    }
    assert_eq!(fs::read_to_string(file).unwrap(), line(0, &["1"]));
}

#[test]
fn replay_fails_when_its_output_cannot_be_written() {
    let folder = Folder::new();
    let nowhere = folder.path("nowhere/out.jsonl");
    Hub::new(&["replay", "-", "--out", nowhere.to_str().unwrap()]).run().assert(74, &["nowhere/out.jsonl"]);
    Hub::new(&["replay", "-", "--counters", nowhere.to_str().unwrap()]).run().assert(74, &["--counters", "nowhere/out.jsonl"]);
    if Path::new("/dev/full").exists() {
        Hub::new(&["replay", "-", "--out", "/dev/full"]).fed(&line(0, &["1"])).run().assert(74, &["No space left"]);
    }
}

#[test]
fn a_reader_that_goes_away_ends_a_command_without_a_panic() {
    let long: String = (0..2_000).map(|offset| line(offset, &["1"])).collect();
    for (arguments, input) in [(&["replay", "-"][..], long.as_str()), (&["config"], ""), (&["config", "--markdown"], "")] {
        Hub::new(arguments).fed(input).run_unread().assert(74, &["Broken pipe"]);
    }
}

#[test]
fn nobody_who_reads_the_messages_is_no_reason_to_panic() {
    // With the message lost, the exit code alone tells.
    let folder = Folder::new();
    let missing = folder.path("missing.jsonl");
    let mut command = Hub::new(&["replay", missing.to_str().unwrap()]).command;
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(command.stderr(writer).status().unwrap().code(), Some(66));
}

// ----------------------------------------------------------------------------------------------------------------------- settings

#[test]
fn config_tells_each_value_and_who_gave_it() {
    let folder = Folder::new();
    let file = folder.with("hub.env", b"# two of them\nHUB_LINGER_MS=7\nHUB_WORKERS=2\n");
    let file = file.to_str().unwrap();
    let ran = Hub::new(&["config", "--env-file", file, "--book", "frame"])
        .env("HUB_WORKERS", "3")
        .env("KAFKA_CLIENT_SASL_PASSWORD", "hunter2")
        .env("KAFKA_CLIENT_SASL_USERNAME", "somebody")
        .run();
    ran.assert(0, &[]);
    let row = |name: &str| {
        let rows: Vec<&str> = ran.stdout.lines().filter(|row| row.starts_with(&format!("{name} "))).collect();
        assert_eq!(rows.len(), 1, "{name}: {}", ran.stdout);
        rows[0].split_whitespace().skip(name.split(' ').count()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(row("book"), "HUB_BOOK frame command line");
    assert_eq!(row("workers"), "HUB_WORKERS 3 environment");
    assert_eq!(row("linger-ms"), format!("HUB_LINGER_MS 7 {file}:2"));
    assert_eq!(row("batch-age-us"), "HUB_BATCH_AGE_US 2000 default");
    assert_eq!(row("client sasl.username"), "KAFKA_CLIENT_SASL_USERNAME somebody environment");
    assert_eq!(row("client sasl.password"), "KAFKA_CLIENT_SASL_PASSWORD ******** environment");
    assert!(!ran.stdout.contains("hunter2") && !ran.stderr.contains("hunter2"));
    assert_eq!(ran.stdout.lines().count(), knobs::ALL.len() + 2, "all settings, and what is passed on");
}

#[test]
fn the_settings_that_are_shipped_are_good() {
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tuning")).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_none_or(|extension| extension != "env") {
            continue;
        }
        let ran = Hub::new(&["config", "--env-file", file.to_str().unwrap()]).run();
        ran.assert(0, &[]);
        assert_eq!(ran.stderr, "", "no warning of {}", file.display());
    }
}

#[test]
fn everything_wrong_with_the_settings_is_said_at_once_before_anything_starts() {
    let folder = Folder::new();
    let (file, missing) = (folder.with("hub.env", b"HUB_BATCH_RECORDS=0\nno setting\n"), folder.path("missing.env"));
    for command in [&["run"][..], &["check"], &["config"], &["replay", "-"]] {
        let began = Instant::now();
        let ran = Hub::new(command)
            .with(&["--brokers", NOBODY, "--lanes", "mars-ticker", "--pin=maybe"])
            .with(&["--env-file", file.to_str().unwrap(), "--env-file", missing.to_str().unwrap()])
            .env("HUB_WORKRES", "1")
            .env("HUB_LINGER_MS", "9999")
            .env("HUB_FRAME_MAX_BYTES", "9000000")
            .env("KAFKA_PRODUCER_ACKS", "1")
            .env("KAFKA_CONSUMER_GROUP_ID", "mine")
            .run();
        ran.assert(
            78,
            &[
                "HUB_WORKRES = \"1\" (environment): there is no such setting; did you mean HUB_WORKERS?",
                "HUB_LINGER_MS = \"9999\" (environment): is out of bounds; allowed: 0..=1000 ms",
                "HUB_BATCH_RECORDS = \"0\" (", // and the file's line
                "hub.env:1): is out of bounds",
                "hub.env:2: ",
                "missing.env: cannot be read",
                "\"mars-ticker\" (command line)",
                "HUB_PIN = \"maybe\" (command line)",
                "a frame cannot be larger than the envelope it is in",
                "KAFKA_PRODUCER_ACKS",
                "KAFKA_CONSUMER_GROUP_ID",
            ],
        );
        assert!(began.elapsed() < Duration::from_secs(5), "no broker was waited for");
    }
}

#[test]
fn a_property_that_librdkafka_does_not_know_is_refused_before_any_broker_is_awaited() {
    for command in ["run", "check"] {
        for variable in ["KAFKA_CLIENT_MADE_UP_KEY", "KAFKA_CONSUMER_MADE_UP_KEY", "KAFKA_PRODUCER_MADE_UP_KEY"] {
            let began = Instant::now();
            let ran = Hub::new(&[command, "--brokers", NOBODY]).env(variable, "hunter2").run();
            ran.assert(78, &["made.up.key", "No such configuration property"]);
            assert!(!ran.stderr.contains("hunter2"), "its name says that it is a secret: {}", ran.stderr);
            assert!(began.elapsed() < Duration::from_secs(10), "the deadline of the start is a minute");
        }
        // Each is known and allowed; only a client knows that they do not go together.
        let ran = Hub::new(&[command, "--brokers", NOBODY]).env("KAFKA_CONSUMER_RECEIVE_MESSAGE_MAX_BYTES", "1000").run();
        ran.assert(78, &["receive.message.max.bytes"]);
    }
}

#[test]
fn help_names_every_variable() {
    for command in ["run", "replay", "check", "config"] {
        let ran = Hub::new(&[command, "--help"]).run();
        ran.assert(0, &[]);
        for knob in knobs::ALL {
            assert!(ran.stdout.contains(&format!("[env: {}]", knob.env)), "{command} --help: {}", knob.env);
        }
    }
}

// ------------------------------------------------------------------------------------------------------------------------- the log

#[test]
#[cfg(unix)]
fn a_log_that_nobody_reads_holds_nothing_up() {
    let (reader, mut writer) = pipe().unwrap();
    // As much as a pipe holds: not a byte more can be written.
    writer.write_all(&[b'.'; 65_536]).unwrap();
    let mut hub = Hub::new(&["run", "--brokers", NOBODY, "--start-deadline-s", "3600"]);
    let mut hub = hub.command.stderr(writer).spawn().unwrap();
    thread::sleep(Duration::from_secs(1));
    let began = Instant::now();
    assert!(Command::new("sh").args(["-c", r#"kill -TERM "$0""#, &hub.id().to_string()]).status().unwrap().success());
    let ended = loop {
        match hub.try_wait().unwrap() {
            Some(status) => break Some(status),
            None if began.elapsed() > Duration::from_secs(60) => break None,
            None => thread::sleep(Duration::from_millis(20)),
        }
    };
    hub.kill().unwrap_or_default();
    drop(reader);
    assert_eq!(ended.and_then(|status| status.code()), Some(0), "it ends though its log waits");
}

#[test]
fn the_log_goes_to_files_as_json_lines() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    let ran = Hub::new(&["run", "--brokers", NOBODY, "--start-deadline-s", "1", "--log-format", "json", "--log-dir", logs.to_str().unwrap()]).run();
    ran.assert(69, &[NOBODY]);
    let text = fs::read_to_string(logs.join("market-hub.log")).unwrap();
    let (json, said): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('{'));
    assert!(!json.is_empty(), "{text}");
    for line in json {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(["time", "level", "module", "message"].iter().all(|field| line[field].is_string()), "{line}");
    }
    assert!(said.iter().any(|line| line.starts_with("market-hub: no broker answers")), "the last word is in the file too: {text}");
}

#[test]
fn a_log_that_cannot_be_written_is_named_before_anything_starts() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let dir = file.path().join("below-a-file");
    Hub::new(&["run", "--brokers", NOBODY, "--log-dir", dir.to_str().unwrap()]).run().assert(78, &["--log-dir / HUB_LOG_DIR", "below-a-file"]);
}

// ------------------------------------------------------------------------------------------------------------------------- doctor

#[test]
fn doctor_says_of_every_check_what_it_found_and_what_mends_it() {
    let ran = Hub::new(&["doctor", "--offline", "--json"]).run();
    assert!(matches!(ran.code, Some(0 | 1)), "{ran:?}");
    let checks: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(checks.len() >= 15, "{ran:?}");
    for check in &checks {
        assert!(["what", "found", "wanted", "why"].iter().all(|field| check[field].as_str().is_some_and(|text| !text.is_empty())), "{check}");
        assert_eq!(["warn", "bad"].contains(&check["verdict"].as_str().unwrap()), check["mend"] != "", "{check}");
    }
    assert_eq!(ran.code == Some(1), checks.iter().any(|check| check["verdict"] == "bad"));
}

#[test]
fn doctor_fails_where_something_is_bad() {
    let host = tempfile::tempdir().unwrap();
    fs::create_dir_all(host.path().join("proc/self")).unwrap();
    fs::write(host.path().join("proc/self/limits"), "Max open files            64                   64                   files\n").unwrap();
    let root = host.path().to_str().unwrap();
    let ran = Hub::new(&["doctor", "--offline", "--root", root]).run();
    ran.assert(1, &["1 of ", " checks are bad"]);
    assert!(ran.stdout.contains("bad      file descriptors         64") && ran.stdout.contains("LimitNOFILE=65536"), "{ran:?}");
    Hub::new(&["doctor", "--brokers", NOBODY, "--root", root]).run().assert(1, &["2 of ", " checks are bad"]);
}

// ------------------------------------------------------------------------------------------------------------------------- top

#[test]
fn top_says_whom_it_asks_where_nobody_answers() {
    Hub::new(&["top", NOBODY, "--once"]).run().assert(69, &["no hub answers", "--endpoint", NOBODY]);
}

// ------------------------------------------------------------------------------------------------- completions and man pages

#[test]
fn completions_and_man_pages_know_every_command() {
    let dir = tempfile::tempdir().unwrap();
    Hub::new(&["assets", dir.path().to_str().unwrap()]).run().assert(0, &[]);
    let commands = ["run", "demo", "bench", "replay", "dlt", "sink", "check", "doctor", "top", "tap", "config"];
    for file in ["market-hub.bash", "_market-hub", "market-hub.fish", "market-hub.1"] {
        let text = fs::read_to_string(dir.path().join(file)).unwrap();
        for command in commands {
            assert!(text.contains(command), "{file}: {command}");
        }
    }
    let run = fs::read_to_string(dir.path().join("market-hub-run.1")).unwrap();
    assert!(knobs::ALL.iter().all(|knob| run.contains(&knob.env.replace('_', "\\_")) || run.contains(knob.env)), "every variable");
    assert!(dir.path().join("market-hub-dlt-show.1").exists() && !dir.path().join("market-hub-assets.1").exists());
}

// ------------------------------------------------------------------------------------------------------------- brokers that are away

#[test]
fn a_broker_that_is_not_there_is_named_at_the_deadline_of_the_start() {
    for command in ["run", "check"] {
        let began = Instant::now();
        Hub::new(&[command, "--brokers", NOBODY, "--start-deadline-s", "1"]).run().assert(69, &[NOBODY]);
        let took = began.elapsed();
        assert!(took < Duration::from_secs(5), "{command} took {took:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_signal_ends_the_wait_for_a_broker() {
    let mut hub = Hub::new(&["run", "--brokers", NOBODY]).command.stderr(Stdio::piped()).spawn().unwrap();
    // The first that it says is whom it asks.
    hub.stderr.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    let began = Instant::now();
    assert!(Command::new("sh").args(["-c", r#"kill -TERM "$0""#, &hub.id().to_string()]).status().unwrap().success());
    let status = hub.wait().unwrap();
    assert!(began.elapsed() < Duration::from_secs(3), "took {:?}", began.elapsed());
    assert_eq!(status.code(), Some(0), "nothing was read, so nothing is uncommitted");
}

// --------------------------------------------------------------------------------------------------------- what the tests are made of

/// A command line that is not run yet, in an environment without settings.
struct Hub {
    command: Command,
    input: String,
}

impl Hub {
    fn new(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_market-hub"));
        for (variable, _) in std::env::vars_os() {
            if ["HUB_", "KAFKA_", "RUST_LOG"].iter().any(|prefix| variable.to_string_lossy().starts_with(prefix)) {
                command.env_remove(variable);
            }
        }
        // Hubs run side by side: none shall want the port of another.
        if arguments.first().is_some_and(|command| ["run", "demo"].contains(command)) {
            command.env("HUB_ENDPOINT", "off");
        }
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { command, input: String::new() }
    }

    fn with(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    fn env(mut self, variable: &str, value: &str) -> Self {
        self.command.env(variable, value);
        self
    }

    /// What standard input has.
    fn fed(mut self, input: &str) -> Self {
        input.clone_into(&mut self.input);
        self
    }

    fn run(mut self) -> Ran {
        self.command.stdout(Stdio::piped());
        self.end()
    }

    /// With a standard output that nobody reads any more.
    fn run_unread(mut self) -> Ran {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        self.command.stdout(writer);
        self.end()
    }

    fn end(self) -> Ran {
        let Self { mut command, input } = self;
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The command holds the test's own end of a pipe for as long as it lives.
        drop(command);
        let mut stdin = child.stdin.take().unwrap();
        let feeder = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// How a command ended, and what it said.
#[derive(Debug)]
struct Ran {
    /// `None` after a signal; 101 after a panic.
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    /// It ended with `code`, and its messages have all `parts`.
    #[track_caller]
    fn assert(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        let unsaid: Vec<_> = parts.iter().filter(|part| !self.stderr.contains(**part)).collect();
        assert!(unsaid.is_empty() && !self.stderr.contains("panicked"), "not said: {unsaid:?}, but:\n{}", self.stderr);
    }

    fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Files of one test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn with(&self, name: &str, bytes: &[u8]) -> PathBuf {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }
}

/// A line of a record file: an envelope of Upbit tickers, each of which has nothing but a trade price.
fn line(offset: i64, prices: &[&str]) -> String {
    let frames: Vec<String> = prices.iter().map(|price| format!(r#"{{"trade_price":"{price}"}}"#)).collect();
    let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
    envelope("koraSocketDataIn-ticker", offset, "korea", "UPBIT", &frames)
}

fn envelope(topic: &str, offset: i64, region: &str, market: &str, frames: &[&str]) -> String {
    let value = serde_json::json!({"region": region, "market": market, "symbol": "BTC", "data": frames}).to_string();
    let record = serde_json::json!({"topic": topic, "partition": 0, "offset": offset, "timestamp_ms": 1_790_000_000_000_i64, "value": value});
    format!("{record}\n")
}

/// The trade prices of all records.
fn records(output: &str) -> Vec<String> {
    output.lines().map(|line| trade_price(&serde_json::from_str(line).unwrap())).collect()
}

fn trade_price(record: &Value) -> String {
    let value: Value = serde_json::from_str(record["value"].as_str().unwrap()).unwrap();
    value["data"][0]["trade_price"].as_str().unwrap().to_owned()
}
