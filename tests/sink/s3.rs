//! `market-hub sink s3`: whatever is killed, stopped or refused, the bucket holds every record of the topics once, where its name says.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use market_hub::market::{Kind, Stream};
use serde_json::Value;

use super::store_proxy::{Mishap, StoreProxy, error};
use super::support::{
    Message,
    broker::{self, Broker},
    client::Client,
    http,
    hub::{Hub, HubCommand, Stopped},
    minio::{self, ACCESS_KEY, Minio, SECRET_KEY},
    names::Names,
    report, wait_until,
};

const BOUND: Duration = Duration::from_secs(120);
const KOREA_TICKER: Stream = Stream::ALL[0];
const ASIA_ORDERBOOK: Stream = Stream::ALL[3];
/// Where the records of these tests lie: a few minutes around midnight, UTC.
const MIDNIGHT_MS: i64 = 1_790_035_200_000;

#[test]
fn every_record_is_there_once_though_the_writer_dies_twenty_times_and_the_store_goes_away() {
    let Some((broker, mut store)) = parts() else { return };
    let (client, names) = (broker.client(), Names::of("sink-kills"));
    client.create_topics(&names.topics());
    store.make_bucket("ticker-data");
    store.make_bucket("orderbook-data");
    let topics = [names.output(KOREA_TICKER), names.output(ASIA_ORDERBOOK)];
    // 50,000 of each kind, a fifth of them at a time.
    let feed = |part: i64| {
        let record = |number: i64, topic: &str, partitions: i64| {
            let value = format!("{{\"number\":{number},\"padding\":\"{}\"}}", "x".repeat((number % 90) as usize));
            let partition = i32::try_from(number % partitions).unwrap();
            Message { timestamp_ms: MIDNIGHT_MS + (number - 25_000) * 20, ..Message::new(topic, partition, &value) }
        };
        let numbers = part * 10_000..(part + 1) * 10_000;
        client.produce(&numbers.flat_map(|number| [record(number, &topics[0], 4), record(number, &topics[1], 3)]).collect::<Vec<_>>());
    };
    let keys = |store: &Minio| store.keys("ticker-data").len() + store.keys("orderbook-data").len();
    let mut deaths = 0;
    for part in 0..5 {
        feed(part);
        for turn in 0..4 {
            let before = keys(&store);
            let mut sink = sink(&broker, &store.url(), &names).with(&["--s3-uploads", "2"]).start();
            if part == 2 && turn == 1 {
                // The writer outlives its store.
                wait_until("objects", BOUND, || keys(&store), |now| *now > before);
                store.terminate();
                std::thread::sleep(Duration::from_millis(500));
                sink.assert_running();
                store.restart();
            }
            let wanted = before + if turn == 3 { 60 } else { 20 + 10 * turn };
            let growing = || {
                sink.assert_running();
                keys(&store)
            };
            wait_until("more objects", BOUND, growing, |now| *now >= wanted);
            sink.kill();
            deaths += 1;
        }
    }
    assert_eq!(deaths, 20);
    finish(&broker, &client, &store.url(), &names);

    assert_whole(&client, &store, &names, &[KOREA_TICKER, ASIA_ORDERBOOK]);
    let said = verified(&broker, &store, &names).ok("verify");
    assert!(said.lines().count() == 7 && said.lines().all(|line| line.contains(" covered: ")), "{said}");

    // What is taken out, or doubled, is found.
    let key = store.keys("ticker-data").into_iter().nth(700).unwrap();
    let first: i64 = key.rsplit('+').next().unwrap().trim_end_matches(".json.gz").parse().unwrap();
    store.delete("ticker-data", &key);
    let gap = verified(&broker, &store, &names);
    gap.failed(1, &["do not cover the topics: 1 faults"]);
    assert!(gap.stdout.contains(&format!("gap: offsets {first} to {}", first + 19)), "{gap:?}");
    let moved = key.replace(&format!("{first:010}"), &format!("{:010}", first + 1));
    store.put("ticker-data", &moved, &gzip(&"{}\n".repeat(20)));
    let overlap = verified(&broker, &store, &names);
    overlap.failed(1, &["faults"]);
    assert!(overlap.stdout.contains("overlap: ") && overlap.stdout.contains(&format!("gap: offsets {first} to {first}")), "{overlap:?}");
    let json = sink_command(&["sink", "s3", "verify"], &broker, &store.url(), &names).with(&["--json", "--offline"]).ran();
    let lines: Vec<Value> = json.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((json.code, lines.iter().filter(|line| line["covered"] == false).count()), (Some(1), 1), "{json:?}");
}

#[test]
fn what_passes_is_tried_again_and_nothing_is_lost_or_doubled() {
    let Some((broker, store)) = parts() else { return };
    let (client, names) = (broker.client(), Names::of("sink-trouble"));
    client.create_topics(&names.topics());
    let proxy = StoreProxy::before(store.port());
    let topic = names.output(ASIA_ORDERBOOK);
    // Transactions, committed and aborted, leave marks between the records.
    for round in 0..20 {
        let messages: Vec<Message> = (0..83).map(|number| record(&topic, number % 3, i64::from(round * 83 + number))).collect();
        client.transact("sink-trouble", &messages, true);
        client.transact("sink-trouble", &messages[..5], false);
    }
    let answers = [500, 503, 429, 502].map(|status| Mishap::Answer(status, String::new()));
    let slow_down = Mishap::Answer(503, error("SlowDown", "reduce your request rate"));
    let mishaps = || answers.iter().chain([&Mishap::CloseAfterBody, &slow_down, &Mishap::Hang]).cloned();
    proxy.befall(mishaps());
    let sink = sink(&broker, &proxy.url(), &names)
        .with(&["--create-bucket", "--s3-timeout-ms", "1000", "--s3-connect-timeout-ms", "1000", "--s3-threads", "1", "--s3-uploads", "3"])
        .start();
    wait_until("all mishaps have happened", BOUND, || proxy.pending(), |left| *left == 0);
    proxy.befall(mishaps());
    wait_until("and again", BOUND, || proxy.pending(), |left| *left == 0);
    let stopped = caught_up(sink, &client, &names);
    // Of what comes again and again not all is said.
    assert!(stopped.said.contains("is in trouble (status 5") && stopped.said.contains("; trying again"), "{}", stopped.said);
    assert_whole(&client, &store, &names, &[ASIA_ORDERBOOK]);
    verified(&broker, &store, &names).ok("verify");
}

#[test]
fn an_age_writes_what_waits_and_nothing_overlaps() {
    let Some((broker, store)) = parts() else { return };
    let (client, names) = (broker.client(), Names::of("sink-age"));
    client.create_topics(&names.topics());
    let topic = names.output(KOREA_TICKER);
    let start = || sink(&broker, &store.url(), &names).with(&["--create-bucket", "--s3-roll-ms", "200"]).start();
    let mut number = 0;
    for _ in 0..3 {
        // 27 records: one whole object, and seven that only the age writes.
        client.produce(&(number..number + 27).map(|number| record(&topic, 0, number)).collect::<Vec<_>>());
        number += 27;
        let sink = start();
        let committed = || client.committed(&names.name("sink"), &topic)[&(topic.clone(), 0)];
        wait_until("all of it is committed", BOUND, committed, |offset| *offset == number);
        sink.kill();
    }
    let lines: Vec<usize> = store.objects("ticker-data").values().map(|text| text.lines().count()).collect();
    assert_eq!(lines.iter().sum::<usize>(), 81);
    verified(&broker, &store, &names).ok("verify");
}

#[test]
fn other_bounds_after_a_kill_leave_no_gap_and_no_overlap() {
    let Some((broker, store)) = parts() else { return };
    let (client, names) = (broker.client(), Names::of("sink-bounds"));
    client.create_topics(&names.topics());
    let topic = names.output(KOREA_TICKER);
    client.produce(&(0..20_000).map(|number| record(&topic, 0, number)).collect::<Vec<_>>());
    let sink = |records: &str, commit_ms: &str| {
        sink(&broker, &store.url(), &names).with(&["--create-bucket", "--commit-interval-ms", commit_ms, "--s3-ticker-records", records]).start()
    };
    let committed = || client.committed(&names.name("sink"), &topic)[&(topic.clone(), 0)];
    let beyond = || {
        let committed = committed();
        let first = |key: &String| key.rsplit('+').next().unwrap().trim_end_matches(".json.gz").parse::<i64>().unwrap();
        store.keys("ticker-data").iter().filter(|key| first(key) > committed).count()
    };
    for (records, wanted) in [("20", 60), ("50", 200), ("31", 330)] {
        // Commits are rare, so that much lies beyond the last one.
        let killed = sink(records, "60000");
        wait_until("objects", BOUND, || store.keys("ticker-data").len(), |count| *count >= wanted);
        killed.kill();
        report(format_args!("killed at {records} records an object: {} objects beyond the commit", beyond()));
    }
    let last = sink("70", "100");
    wait_until("the rest", BOUND, committed, |offset| *offset > 20_000 - 70);
    assert_eq!(last.terminate().code, Some(0));
    verified(&broker, &store, &names).ok("verify");
    let lines: Vec<usize> = store.objects("ticker-data").values().map(|text| text.lines().count()).collect();
    let of = |records: usize| lines.iter().filter(|lines| **lines == records).count();
    // None of those that were killed came as far as its own bounds.
    assert!(of(20) >= 330 && of(70) > 0 && of(20) + of(70) == lines.len(), "{lines:?}");

    // One that has ended in peace leaves the next one free at once.
    client.produce(&(20_000..20_200).map(|number| record(&topic, 0, number)).collect::<Vec<_>>());
    let before = store.keys("ticker-data");
    let at_once = sink("10", "100");
    wait_until("all of it", BOUND, || store.keys("ticker-data").len(), |count| *count >= before.len() + 20);
    assert_eq!(at_once.terminate().code, Some(0));
    let new: Vec<usize> = store.objects("ticker-data").into_iter().filter(|(key, _)| !before.contains(key)).map(|(_, text)| text.lines().count()).collect();
    assert!(new.iter().all(|lines| *lines == 10), "{new:?}");
    verified(&broker, &store, &names).ok("verify");
}

#[test]
fn a_store_that_refuses_stops_the_writer_with_the_remedy() {
    let Some((broker, store)) = parts() else { return };
    let (client, names) = (broker.client(), Names::of("sink-refused"));
    client.create_topics(&names.topics());
    let proxy = StoreProxy::before(store.port());
    let refused = |what: &[&str], code: i32, parts: &[&str]| {
        let ended = sink(&broker, &proxy.url(), &names).with(&["--start-deadline-s", "5"]).with(what).start().wait_for_exit(BOUND);
        let missing: Vec<_> = parts.iter().filter(|part| !ended.said.contains(**part)).collect();
        assert!(ended.code == Some(code) && missing.is_empty(), "{missing:?} not in {ended:?}");
        assert!(!ended.said.contains(SECRET_KEY), "{ended:?}");
    };
    refused(&[], 69, &["NoSuchBucket", "--create-bucket", "HUB_S3_", "-data\""]);
    store.make_bucket("ticker-data");
    store.make_bucket("orderbook-data");
    refused(&["--s3-endpoint", "http://127.0.0.1:1"], 69, &["--s3-endpoint / HUB_S3_ENDPOINT = \"http://127.0.0.1:1/\"", "refuses connections"]);
    refused(&["--s3-object-key", "{topic}/{partition}.gz"], 78, &["--s3-object-key / HUB_S3_OBJECT_KEY", "has no {offset}"]);
    refused(&["--korea-ticker-output", "nowhere"], 69, &["--korea-ticker-output / HUB_KOREA_TICKER_OUTPUT = \"nowhere\"", "does not exist"]);
    refused(&["--s3-topics", "nowhere=ticker-data:7"], 69, &["\"nowhere\" of --s3-topics / HUB_S3_TOPICS", "does not exist"]);
    let wrong_key = sink(&broker, &proxy.url(), &names).env("HUB_S3_SECRET_KEY", "hunter2-hunter2").ran();
    wrong_key.failed(69, &["SignatureDoesNotMatch", "HUB_S3_SECRET_KEY", "********"]);
    assert!(!wrong_key.stderr.contains("hunter2"), "{wrong_key:?}");
    for command in [&["sink", "s3"][..], &["sink", "s3", "verify"], &["run", "--sink", "s3"]] {
        HubCommand::new(command, &broker, &names).ran().failed(78, &["HUB_S3_ACCESS_KEY", "HUB_S3_SECRET_KEY_FILE"]);
    }
    for (status, text, parts) in [
        (403, error("RequestTimeTooSkewed", "the difference is too large"), &["RequestTimeTooSkewed", "the clocks differ", "ahead of the store's"][..]),
        (403, String::new(), &["status 403", "s3:PutObject"]),
        (404, "<html>not here</html>".to_owned(), &["is no S3 store", "HUB_S3_ENDPOINT"]),
        (301, error("PermanentRedirect", "elsewhere"), &["PermanentRedirect", "HUB_S3_ENDPOINT"]),
        (400, error("AuthorizationQueryParametersError", "the region is wrong"), &["--s3-region / HUB_S3_REGION = \"us-east-1\""]),
    ] {
        proxy.always(Some((status, text)));
        refused(&[], 69, parts);
    }
    proxy.always(None);
    // It may as well begin in the middle.
    client.produce(&(0..40).map(|number| record(&names.output(KOREA_TICKER), 0, number)).collect::<Vec<_>>());
    proxy.befall([Mishap::Answer(403, error("AccessDenied", "Access Denied."))]);
    let stopped = sink(&broker, &proxy.url(), &names).start().wait_for_exit(BOUND);
    assert_eq!(stopped.code, Some(69), "{}", stopped.said);
    assert!(stopped.said.contains("AccessDenied: Access Denied."), "{}", stopped.said);
}

#[test]
fn beside_a_hub_a_store_that_refuses_is_an_alarm_and_the_hub_goes_on() {
    let Some((broker, store)) = parts() else { return };
    let (client, names) = (broker.client(), Names::of("sink-beside"));
    client.create_topics(&names.topics());
    let envelope = |number: i64| {
        let frame = format!(r#"{{\"code\":\"KRW-BTC\",\"trade_price\":{}}}"#, number + 1);
        let value = format!(r#"{{"region":"korea","market":"UPBIT","symbol":"BTC","data":["{frame}"]}}"#);
        Message { timestamp_ms: MIDNIGHT_MS + number, ..Message::new(&names.input(KOREA_TICKER), 0, &value) }
    };
    client.produce(&(0..45).map(envelope).collect::<Vec<_>>());
    let keyed =
        |command: HubCommand| with_keys(command, &store.url(), &names).env("HUB_ENDPOINT", "127.0.0.1:0").with(&["--sink", "s3", "--report-interval-s", "1"]);
    let check = || with_keys(HubCommand::check(&broker, &names), &store.url(), &names).with(&["--sink", "s3"]).ran();
    check().failed(69, &["NoSuchBucket"]);
    let mut hub = keyed(HubCommand::run(&broker, &names)).start();
    hub.wait_until_caught_up(&client, &names, BOUND);
    wait_until("the alarm", BOUND, || hub.said(), |said| said.contains("sink ERR: nothing is written to the store") && said.contains("NoSuchBucket"));
    hub.assert_running();
    let told = || -> Value { serde_json::from_str(&http::get(hub.endpoint(), "/status").body).unwrap() };
    let alarmed = wait_until("the alarm in the status", BOUND, told, |told| told["sink"]["state"] == "ERR");
    assert!(alarmed["sink"]["reason"].as_str().unwrap().contains("NoSuchBucket"), "{alarmed}");
    assert!(http::get(hub.endpoint(), "/metrics").body.contains("\nhub_sink_works 0\n"));
    store.make_bucket("ticker-data");
    store.make_bucket("orderbook-data");
    let topic = names.output(KOREA_TICKER);
    let committed = || client.committed(&names.name("sink"), &topic)[&(topic.clone(), 0)];
    wait_until("two objects are committed", BOUND, committed, |offset| *offset == 40);
    let row = |told: &Value| told["sink"]["parts"].as_array().unwrap().iter().find(|part| part["topic"] == topic && part["partition"] == 0).cloned();
    let written = |told: &Value| row(told).is_some_and(|row| row["committed"] == 40 && row["objects"] == 2 && row["records"] == 40 && row["lag"] == 5);
    let well = wait_until("two objects in the status", BOUND, told, written);
    assert_eq!(well["sink"]["state"], "OK", "{well}");
    assert!(http::get(hub.endpoint(), "/metrics").body.contains(&format!("hub_sink_lag{{topic=\"{topic}\",partition=\"0\"}} 5\n")));
    hub.terminate().assert_clean("a hub with a sink");
    assert!(check().ok("all is there").contains("takes the keys; buckets orderbook-data, ticker-data"));
    assert_whole(&client, &store, &names, &[KOREA_TICKER]);
}

#[test]
fn records_that_are_gone_are_never_passed_over_in_silence() {
    let Some((broker, store)) = parts() else { return };
    let (client, names) = (broker.client(), Names::of("sink-gap"));
    client.create_topics(&names.topics());
    let topic = names.output(KOREA_TICKER);
    let place = (topic.clone(), 1);
    client.produce(&(0..100).map(|number| record(&topic, 1, number)).collect::<Vec<_>>());
    client.commit(&names.name("sink"), &place, 20);
    client.admin().delete_records(&place, 50);
    let command = || sink(&broker, &store.url(), &names).with(&["--create-bucket", "--report-interval-s", "1"]);
    let hub = command().start();
    let stopped =
        wait_until("the stop", BOUND, || hub.said(), |said| said.contains(&format!("sink {topic}:1 STOP (offset 20 is wanted, but the log holds 50")));
    assert!(stopped.contains("--on-offset-gap continue"), "{stopped}");
    assert_eq!(hub.terminate().code, Some(0));
    assert_eq!(store.keys("ticker-data"), [""; 0]);
    let sink = command().with(&["--on-offset-gap", "continue"]).start();
    let committed = || client.committed(&names.name("sink"), &topic)[&place];
    wait_until("the rest", BOUND, committed, |offset| *offset == 90);
    assert!(sink.terminate().said.contains("it goes on at 50"));
    assert_eq!(store.keys("ticker-data").len(), 2);
}

/// Says what it is worth that a thread has several uploads under way; asserts that all of it arrives.
#[test]
fn a_slow_store_is_kept_busy() {
    const RECORDS: i64 = 60_000;
    let Some((broker, store)) = parts() else { return };
    let (client, names) = (broker.client(), Names::of("sink-slow"));
    client.create_topics(&names.topics());
    let topic = names.output(ASIA_ORDERBOOK);
    let padding = "x".repeat(200);
    let book = |number: i64| {
        let value = format!("{{\"number\":{number},\"padding\":\"{padding}\"}}");
        Message { timestamp_ms: MIDNIGHT_MS + number, ..Message::new(&topic, i32::try_from(number % 3).unwrap(), &value) }
    };
    client.produce(&(0..RECORDS).map(book).collect::<Vec<_>>());
    let proxy = StoreProxy::before(store.port());
    proxy.always(Some((200, String::new())));
    proxy.set_delay(Duration::from_millis(20));
    let uploads = std::env::var("SINK_UPLOADS").unwrap_or_else(|_| "8".to_owned());
    let sink = sink(&broker, &proxy.url(), &names).with(&["--s3-threads", "2", "--s3-uploads", &uploads]).start();
    wait_until("the first object", BOUND, || proxy.puts(), |puts| *puts > 0);
    let began = Instant::now();
    let puts = wait_until("all objects", BOUND, || proxy.puts(), |puts| *puts >= RECORDS.unsigned_abs() / 50);
    let rate = RECORDS as f64 / began.elapsed().as_secs_f64();
    report(format_args!("2 threads, {uploads} uploads each, 20 ms a put: {rate:.0} records a second, {puts} objects"));
    let committed = || client.committed(&names.name("sink"), &topic).into_values().sum::<i64>();
    wait_until("all of it is committed", BOUND, committed, |offset| *offset == RECORDS);
    sink.terminate().assert_clean("the writer");
}

// ----------------------------------------------------------------------------------------------------------------------------- parts

fn parts() -> Option<(parking_lot::MappedMutexGuard<'static, Broker>, Minio)> {
    if minio::is_missing() {
        return None;
    }
    let broker = broker::shared()?;
    Some((broker, Minio::start()))
}

fn record(topic: &str, partition: i32, number: i64) -> Message {
    Message { timestamp_ms: MIDNIGHT_MS + number, ..Message::new(topic, partition, &format!("{{\"number\":{number}}}")) }
}

/// A command with the keys of the store and a group of its own.
fn with_keys(command: HubCommand, url: &str, names: &Names) -> HubCommand {
    command.env("HUB_S3_ACCESS_KEY", ACCESS_KEY).env("HUB_S3_SECRET_KEY", SECRET_KEY).with(&[
        "--s3-endpoint",
        url,
        "--s3-group",
        &names.name("sink"),
        "--lanes",
        "korea-ticker asia-orderbook",
    ])
}

fn sink_command(words: &[&str], broker: &Broker, url: &str, names: &Names) -> HubCommand {
    with_keys(HubCommand::new(words, broker, names), url, names)
}

fn sink(broker: &Broker, url: &str, names: &Names) -> HubCommand {
    sink_command(&["sink", "s3"], broker, url, names)
}

fn verified(broker: &Broker, store: &Minio, names: &Names) -> super::support::hub::Ran {
    sink_command(&["sink", "s3", "verify"], broker, &store.url(), names).ran()
}

/// Runs the writer until what is whole is written.
fn finish(broker: &Broker, client: &Client, url: &str, names: &Names) {
    caught_up(sink(broker, url, names).start(), client, names);
}

/// Waits until the committed offset of every partition is what whole objects make of it, and ends the writer.
fn caught_up(mut sink: Hub, client: &Client, names: &Names) -> Stopped {
    let began = Instant::now();
    for stream in [KOREA_TICKER, ASIA_ORDERBOOK] {
        let topic = names.output(stream);
        let next = |messages: &[Message]| whole_objects(messages, stream).last().map_or(0, |object| object.last().unwrap().offset.unwrap() + 1);
        let wanted: BTreeMap<_, _> = client.read(std::slice::from_ref(&topic)).into_iter().map(|(place, messages)| (place, next(&messages))).collect();
        let committed = || {
            sink.assert_running();
            client.committed(&names.name("sink"), &topic)
        };
        wait_until("all that is whole is committed", BOUND.saturating_sub(began.elapsed()), committed, |committed| *committed == wanted);
    }
    let stopped = sink.terminate();
    stopped.assert_clean("the writer");
    stopped
}

/// What the contract makes of the records of one partition: 20 or 50 an object, and none over midnight. What waits for company is left out.
fn whole_objects(messages: &[Message], stream: Stream) -> Vec<Vec<&Message>> {
    let full = if stream.kind == Kind::Ticker { 20 } else { 50 };
    let mut objects: Vec<Vec<&Message>> = vec![Vec::new()];
    for message in messages {
        let open = objects.last_mut().unwrap();
        let is_other_day = open.first().is_some_and(|first| (first.timestamp_ms < MIDNIGHT_MS) != (message.timestamp_ms < MIDNIGHT_MS));
        if open.len() == full || is_other_day {
            objects.push(vec![message]);
        } else {
            open.push(message);
        }
    }
    if objects.last().is_some_and(|last| last.len() < full) {
        objects.pop();
    }
    objects
}

/// The buckets hold what the topics make of it: the same keys with the same lines, no more and no less.
fn assert_whole(client: &Client, store: &Minio, names: &Names, streams: &[Stream]) {
    let mut wanted: BTreeMap<String, String> = BTreeMap::new();
    for &stream in streams {
        let topic = names.output(stream);
        for ((_, partition), messages) in client.read(std::slice::from_ref(&topic)) {
            for object in whole_objects(&messages, stream) {
                let day = if object[0].timestamp_ms < MIDNIGHT_MS { "year=2026/month=09/day=21" } else { "year=2026/month=09/day=22" };
                let key = format!("topics/{topic}/{day}/{topic}+{partition}+{:010}.json.gz", object[0].offset.unwrap());
                wanted.insert(key, object.iter().map(|message| format!("{}\n", message.text())).collect());
            }
        }
    }
    let mut found = store.objects("ticker-data");
    found.extend(store.objects("orderbook-data"));
    let keys = |objects: &BTreeMap<String, String>| objects.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&found), keys(&wanted));
    assert!(found == wanted, "{:?}", found.iter().zip(&wanted).find(|(found, wanted)| found != wanted));
    report(format_args!("{} objects hold {} records", found.len(), found.values().map(|text| text.lines().count()).sum::<usize>()));
}

fn gzip(text: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}
