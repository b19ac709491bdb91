//! Loading as a whole: who wins, what is checked, and that everything wrong is said at once.

use super::knobs::Kind;
use super::*;
use clap::Command;
use std::io::Write;
use std::time::Duration;

fn load_with(line: &[&str], variables: &[(&str, &str)]) -> Result<Loaded, Problems> {
    let matches = args(Command::new("run").no_binary_name(true)).try_get_matches_from(line).expect("clap takes it");
    load(&matches, &Environment::from_iter(variables.iter().copied()))
}

fn problems(line: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    load_with(line, variables).expect_err("problems").lines().to_vec()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("written");
    file
}

fn path(file: &tempfile::NamedTempFile) -> &str {
    file.path().to_str().expect("UTF-8")
}

fn row<'a>(loaded: &'a Loaded, name: &str) -> &'a Row {
    loaded.listing.iter().find(|row| row.name == name).expect(name)
}

#[test]
fn nothing_given_is_the_contract() {
    let loaded = load_with(&[], &[]).expect("defaults are good");
    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.config.rules, Rules::default());
    assert_eq!(loaded.config.lanes, lanes::contract());
    assert_eq!(loaded.warnings, Vec::<String>::new());
    assert_eq!(loaded.listing.len(), knobs::ALL.len());
    assert!(loaded.listing.iter().all(|row| row.origin == Origin::Default));
    for stream in Stream::ALL {
        let names = loaded.config.names(stream);
        assert_eq!([&*names.input, &*names.output, &*names.group], [stream.input_topic(), stream.output_topic(), stream.group()]);
        assert_eq!(names.dlt, format!("{}-dlt", stream.input_topic()));
    }
    assert!(load(&ArgMatches::default(), &Environment::default()).is_ok(), "a command without our options gives the defaults");
}

#[test]
fn the_command_line_wins_over_environment_over_files_over_defaults() {
    let first = file("HUB_LINGER_MS=1\nHUB_BATCH_RECORDS=1\nHUB_WORKERS=1\nHUB_DEPTH_MAX=11\nHUB_LEVELS_MAX=6");
    let second = file("# the last file wins\nHUB_LINGER_MS=2\nHUB_BATCH_RECORDS=2\nHUB_WORKERS=2\n");
    let line = ["--workers", "4", "--env-file", path(&first), "--env-file", path(&second)];
    let loaded = load_with(&line, &[("HUB_WORKERS", "3"), ("HUB_BATCH_RECORDS", "3"), ("HUB_DEPTH_MAX", "")]).expect("good");
    assert_eq!(loaded.config.placement.workers, Some(4));
    assert_eq!(loaded.config.batch.records, 3);
    assert_eq!(loaded.config.kafka.linger, Duration::from_millis(2));
    assert_eq!(loaded.config.rules.limits.depth, 11, "an empty variable counts as absent");
    assert_eq!(loaded.config.rules.limits.levels, 6);
    let origins = ["workers", "batch-records", "linger-ms", "depth-max", "compression"].map(|name| row(&loaded, name).origin.to_string());
    assert_eq!(origins, ["command line", "environment", &format!("{}:2", path(&second)), &format!("{}:4", path(&first)), "default"]);
}

#[test]
fn every_knob_is_read_and_its_bounds_are_kept() {
    for knob in knobs::ALL {
        let bad: Vec<String> = match knob.kind {
            Kind::Number { min, max, .. } => {
                for good in [min, max] {
                    let said = load_with(&[], &[(knob.env, &good.to_string())]).err().map(|all| all.to_string()).unwrap_or_default();
                    assert!(!said.contains("out of bounds"), "{said}");
                }
                vec![(i128::from(min) - 1).to_string(), (max + 1).to_string(), "9".repeat(50), "1.5".into(), "x".into(), "-".into()]
            }
            Kind::Choice(words) => {
                assert!(words.iter().all(|word| load_with(&[], &[(knob.env, word)]).is_ok()));
                vec!["x".into()]
            }
            Kind::Flag => vec!["yes".into()],
            Kind::Text(_) => vec!["\u{7}\"".into()],
            // Any text may be a secret, and none is quoted.
            Kind::Secret => vec![],
        };
        for bad in bad {
            let lines = problems(&[], &[(knob.env, &bad)]);
            let wanted = format!("--{} / {} = {bad:?} (environment): ", knob.flag, knob.env);
            assert!(lines[0].starts_with(&wanted) && lines[0].ends_with(&format!("; allowed: {}", knob.allowed())), "{lines:?}");
            assert!(lines.iter().all(|line| !line.contains('\n')));
        }
    }
}

#[test]
fn everything_wrong_is_said_at_once() {
    let bad = file("HUB_LINGRE_MS=5\noops\nKAFKA_CLIENT_GROUP_ID=x\n");
    let line = ["--workers", "-1", "--lanes", "korea-tickr 3", "--env-file", path(&bad), "--env-file", "/nowhere/at/all"];
    let variables = [
        ("HUB_BATCH_RECORDS", "many"),
        ("HUB_BOOK", "maintaned"),
        ("HUB_CREATE_TOPICS", "1"),
        ("HUB_SASL_PASSWORD", "hunter2"),
        ("KAFKA_PRODUCER_ACKS", "1"),
        ("HUB_FRAME_MAX_BYTES", "2048"),
        ("HUB_ENVELOPE_MAX_BYTES", "1024"),
        ("KAFKA_HEAP_OPTS", "-Xmx1g"),
        ("HUB_PORT", "tcp://10.0.0.1:80"),
        ("PATH", "/bin"),
    ];
    let lines = problems(&line, &variables);
    let origin = path(&bad);
    for wanted in [
        format!("{origin}:2: no NAME=value"),
        "--env-file /nowhere/at/all: cannot be read: ".to_owned(),
        "HUB_SASL_PASSWORD (environment): there is no such setting".to_owned(),
        format!("HUB_LINGRE_MS = \"5\" ({origin}:1): there is no such setting; did you mean HUB_LINGER_MS?"),
        "--workers / HUB_WORKERS = \"-1\" (command line): is out of bounds; allowed: 0..=256".to_owned(),
        "--lanes / HUB_LANES = \"korea-tickr 3\" (command line): \"korea-tickr\" is no stream; did you mean korea-ticker?".to_owned(),
        "--lanes / HUB_LANES = \"korea-tickr 3\" (command line): \"3\" stands without a stream".to_owned(),
        "--batch-records / HUB_BATCH_RECORDS = \"many\" (environment): is no whole number; allowed: 1..=100000".to_owned(),
        "--book / HUB_BOOK = \"maintaned\" (environment): is none of the words allowed; allowed: maintained, frame, hold".to_owned(),
        "--create-topics / HUB_CREATE_TOPICS = \"1\" (environment): is neither true nor false; allowed: true, false".to_owned(),
        "--frame-max-bytes / HUB_FRAME_MAX_BYTES = \"2048\" (environment) and --envelope-max-bytes / HUB_ENVELOPE_MAX_BYTES = \"1024\" (environment): a frame"
            .to_owned(),
        format!("KAFKA_CLIENT_GROUP_ID = \"x\" ({origin}:3): group.id is not passed to librdkafka"),
        "KAFKA_PRODUCER_ACKS = \"1\" (environment): acks is not passed to librdkafka".to_owned(),
    ] {
        assert_eq!(lines.iter().filter(|line| line.starts_with(&wanted)).count(), 1, "{wanted}\n{lines:#?}");
    }
    assert_eq!(lines.len(), 13, "{lines:#?}");
    assert!(!lines.concat().contains("hunter2"));
}

#[test]
fn topics_must_not_clash() {
    let same = problems(&["--ne-ticker-input", "x", "--asia-ticker-input", "x"], &[]);
    assert_eq!(same.len(), 1);
    assert!(same[0].contains("--asia-ticker-input") && same[0].contains("--ne-ticker-input") && same[0].contains("same input topic"), "{same:?}");
    let output = problems(&["--ne-ticker-input", "Region.Korea_TickerPreprocessing"], &[]);
    assert!(output.len() == 1 && output[0].contains("both input and output"), "{output:?}");
    let dead = problems(&["--ne-ticker-input", "asiaSocketDataIn-ticker-dlt"], &[]);
    assert!(dead.len() == 1 && dead[0].contains("dead-letter topic of asia-ticker"), "{dead:?}");
    let written = problems(&["--ne-ticker-output", "neSocketDataIn-ticker-dlt"], &[]);
    assert!(written.len() == 1 && written[0].contains("output topic \"neSocketDataIn-ticker-dlt\" is also the dead-letter topic of ne-ticker"), "{written:?}");
    assert_eq!(problems(&["--dlt-suffix", ""], &[]).len(), 6, "without a suffix each stream's dead letters would be its input");
    let long = "x".repeat(246);
    assert_eq!(problems(&["--ne-ticker-input", &long], &[]).len(), 1);
    for (topic, what) in [
        ("asiaSocketDataIn-Orderbook", "--asia-orderbook-input"),
        ("Region.NE_TickerPreprocessing", "--ne-ticker-output"),
        ("neSocketDataIn-ticker-dlt", "dead-letter topic of ne-ticker"),
    ] {
        let resync = problems(&["--resync-topic", topic], &[]);
        assert!(resync.len() == 1 && resync[0].contains("--resync-topic") && resync[0].contains(what), "{resync:?}");
    }
    assert_eq!(problems(&["--resync-topic", "a topic"], &[]).len(), 1);
    assert!(load_with(&["--ne-ticker-output", "one", "--ne-orderbook-output", "one"], &[]).is_ok(), "streams may share an output topic");
}

#[test]
fn sizes_must_go_together() {
    let queue = problems(&["--producer-queue-kib", "8191"], &[]);
    assert!(queue.len() == 1 && queue[0].contains("never send the largest envelope"), "{queue:?}");
    assert!(load_with(&["--producer-queue-kib", "8192"], &[]).is_ok());
    let one_bad = problems(&["--producer-queue-kib", "1024", "--envelope-max-bytes", "1M"], &[]);
    assert!(one_bad.len() == 1 && one_bad[0].contains("no whole number"), "a default that stands in for a bad value contradicts nothing: {one_bad:?}");
}

#[test]
fn oddities_are_warned_of() {
    for (line, wanted) in [
        (&["--worker-cpus", "1-2", "--producer-cpus", "2"][..], "share CPU 2"),
        (&["--worker-cpus", "1", "--pin=false"], "has no effect, since threads are not pinned"),
        (&["--workers", "3", "--lanes", "ne-ticker"], "there are only 2 lanes"),
        (&["--workers", "3", "--worker-cpus", "1,2"], "fewer CPUs than workers"),
        (&["--idle", "spin", "--idle-park-us", "5"], "workers do not park"),
        (&["--producer-queue-messages", "10"], "does not fit"),
        (&["--resync-topic", "x", "--book", "frame"], "no books are kept"),
        (&["--array-max", "7"], "not put into arrays"),
        (&["--producer-queue-kib", "8192", "--batch-bytes", "16777216"], "does not fit"),
    ] {
        let warnings = load_with(line, &[]).expect("only odd").warnings;
        assert!(warnings.len() == 1 && warnings[0].contains(wanted), "{line:?} {warnings:?}");
    }
    let twice = file("HUB_WORKERS=1\nHUB_WORKERS=2\nRUST_LOG=debug\n");
    assert_eq!(load_with(&["--env-file", path(&twice)], &[]).expect("only odd").warnings.len(), 2);
}

#[test]
fn secrets_show_nowhere() {
    let secret = file("KAFKA_PRODUCER_SASL_PASSWORD=hunter3\n");
    let loaded = load_with(&["--env-file", path(&secret)], &[("KAFKA_CLIENT_SASL_PASSWORD", "hunter2")]).expect("good");
    assert_eq!(loaded.config.kafka.consumer_properties.get("sasl.password"), Some("hunter2"));
    assert_eq!(loaded.config.kafka.producer_properties.get("sasl.password"), Some("hunter3"));
    assert_eq!(row(&loaded, "producer sasl.password").value, "********");
    assert!(!format!("{loaded:?}").contains("hunter"));
}

#[test]
fn values_arrive_in_their_units() {
    let line = [
        "--idle-park-us",
        "7",
        "--batch-age-us",
        "8",
        "--worker-stack-kib",
        "1024",
        "--stop-deadline-ms",
        "900",
        "--report-interval-s",
        "3",
        "--create-topics",
        "--resync-topic",
        "asked",
        "--output",
        "arrays",
        "--array-timeout-ms",
        "70",
    ];
    let config = load_with(&line, &[("HUB_KRAKEN_DECIMALS", "SOL/USD=2:8")]).expect("good").config;
    assert_eq!(config.idle, Idle::Park(Duration::from_micros(7)));
    assert_eq!(config.batch.age, Duration::from_micros(8));
    assert_eq!(config.placement.worker_stack_bytes, 1 << 20);
    assert_eq!(config.stop_deadline, Duration::from_millis(900));
    assert_eq!(config.report_interval, Duration::from_secs(3));
    assert!(config.create_topics);
    assert_eq!(config.output, Output::Arrays(ArrayRules { max: 20, timeout_us: 70_000, adaptive: true }));
    assert_eq!(Config::default().output, Output::Records);
    assert_eq!((config.resync_topic.as_deref(), config.rules.resync), (Some("asked"), true));
    assert_eq!(config.rules.kraken_decimals.len(), 7);
    assert_eq!(Compression::Lz4.as_str(), "lz4");
}

#[test]
fn the_tuning_files_load_without_a_word() {
    for (name, idle) in [("latency", Idle::Park(Duration::from_micros(50))), ("throughput", Config::default().idle)] {
        let path = format!("{}/tuning/{name}.env", env!("CARGO_MANIFEST_DIR"));
        let loaded = load_with(&["--env-file", &path], &[]).expect(name);
        assert_eq!(loaded.warnings, Vec::<String>::new());
        assert_eq!(loaded.config.idle, idle);
        let text = std::fs::read_to_string(&path).expect(name);
        let lines: Vec<&str> = text.lines().collect();
        for pair in lines.windows(2).filter(|pair| pair[1].starts_with("HUB_")) {
            assert!(pair[0].starts_with("# "), "{name}: a reason stands above {}", pair[1]);
        }
        let given = loaded.listing.iter().filter(|row| row.origin != Origin::Default).count();
        assert_eq!(given, lines.iter().filter(|line| line.starts_with("HUB_")).count());
    }
}

#[test]
fn keys_of_the_store_come_from_variables_and_files_and_are_shown_nowhere() {
    let keys = |variables: &[(&str, &str)]| {
        let loaded = load_with(&[], variables).expect("good");
        assert!(!format!("{loaded:?}").contains("hunter"), "{loaded:?}");
        loaded.config.store.credentials.map(|keys| (keys.access.expose().to_owned(), keys.secret.expose().to_owned(), keys.session.is_some()))
    };
    let both = Some(("hunter1".to_owned(), "hunter2".to_owned(), false));
    let secret = file("hunter2\n");
    assert_eq!(keys(&[]), None);
    assert_eq!(keys(&[("HUB_S3_ACCESS_KEY", "hunter1"), ("HUB_S3_SECRET_KEY_FILE", path(&secret))]), both);
    let aws = [("AWS_ACCESS_KEY_ID", "hunter1"), ("AWS_SECRET_ACCESS_KEY", "hunter2"), ("AWS_SESSION_TOKEN", "hunter3")];
    assert_eq!(keys(&aws), Some(("hunter1".to_owned(), "hunter2".to_owned(), true)));
    let own = [("HUB_S3_ACCESS_KEY", "hunter1"), ("HUB_S3_SECRET_KEY", "hunter2")];
    assert_eq!(keys(&[own, [aws[0], aws[2]]].concat()), both, "a token belongs to the keys that it came with");
    assert_eq!(keys(&aws[..1]), None, "what is in the environment for others must not hurt");

    for (given, why) in [
        (&own[..1], "HUB_S3_ACCESS_KEY = ******** (environment) and HUB_S3_SECRET_KEY =  (default): only one of the two keys is given"),
        (&[own[0], aws[1]], "a key pair comes from one place"),
        (&[own[0], own[1], ("HUB_S3_SECRET_KEY_FILE", path(&secret))], "HUB_S3_SECRET_KEY is given too"),
        (&[own[0], ("HUB_S3_SECRET_KEY_FILE", "/no/such/file")], "HUB_S3_SECRET_KEY_FILE = \"/no/such/file\" (environment): cannot be read"),
    ] {
        let said = problems(&[], given);
        assert!(said.len() == 1 && said[0].contains(why) && !said[0].contains("hunter"), "{said:?}");
    }
}

#[test]
fn variables_of_other_programs_count_where_ours_are_not_given() {
    let endpoint = |variables: &[(&str, &str)]| load_with(&[], variables).expect("good").config.store.endpoint.to_string();
    assert_eq!(endpoint(&[("MINIO_URL", "minio:9000")]), "http://minio:9000/");
    assert_eq!(endpoint(&[("MINIO_URL", "minio:9000"), ("HUB_S3_ENDPOINT", "http://own:1")]), "http://own:1/");
    let said = problems(&[], &[("AWS_ENDPOINT_URL", "ftp://x")]);
    assert!(said[0].starts_with("--s3-endpoint / AWS_ENDPOINT_URL = \"ftp://x\" (environment): begins neither"), "{said:?}");
}
