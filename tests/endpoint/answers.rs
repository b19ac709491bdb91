//! What is answered: every path, readiness with its reasons, metrics that Prometheus's own tool accepts, feeds that go stale.

use std::{
    io::Write as _,
    net::TcpListener,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use market_hub::{config::Config, endpoint::Endpoint, lane::BooksStatus, market::Kind, observe::Board};
use serde_json::Value;

use super::{
    Served, stopped,
    support::{http, report, wait_until},
};

#[test]
fn every_path_has_its_answer() {
    let served = Served::new();
    for (path, kind, part) in [
        ("/", "text/html", "<title>market-hub</title>"),
        ("/page.js", "text/javascript", "use strict"),
        ("/page.css", "text/css", "prefers-color-scheme"),
        ("/metrics", "text/plain; version=0.0.4", "# TYPE hub_ready gauge\nhub_ready 0\n"),
        ("/health", "application/json", r#"{"alive":true}"#),
        ("/status", "application/json", r#""phase":"starting""#),
        ("/status?symbol=BTC", "application/json", r#""quotes":[]"#),
        ("/config", "application/json", "[]"),
        ("/version", "application/json", env!("CARGO_PKG_VERSION")),
    ] {
        let answer = served.get(path);
        assert!(answer.code == 200 && answer.body.contains(part), "{path}: {answer:?}");
        assert!(
            answer.head.contains(&format!("Content-Type: {kind}")) && answer.head.contains("Content-Security-Policy: default-src 'none'"),
            "{path}: {answer:?}"
        );
        let head = http::ask(served.address, &format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        assert_eq!((head.code, head.body.as_str()), (200, ""), "{path}");
    }
    for page in ["/", "/page.js", "/page.css"] {
        let text = served.get(page).body.replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("url("), "{page} needs nothing from elsewhere");
    }
    assert!(served.get("/metrics/").code == 404 && served.get("/../etc/passwd").code == 404 && served.get("/status/x").code == 404);
    let open = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: application/openmetrics-text; version=1.0.0\r\nConnection: close\r\n\r\n";
    let open = http::ask(served.address, open);
    assert!(open.head.contains("application/openmetrics-text") && open.body.ends_with("# EOF\n"), "{open:?}");
}

#[test]
fn ready_tells_which_lanes_are_not_and_why() {
    let served = Served::new();
    let starting = served.wait_for_ready(503);
    assert_eq!((&starting["phase"], starting["lanes"].as_array().unwrap().len()), (&Value::from("starting"), 18));
    served.put(10, |_, _| {});
    assert_eq!(served.wait_for_ready(200), serde_json::json!({"ready": true, "phase": "running", "lanes": []}));
    let lane = served.lane("asia-orderbook:1");
    served.put(11, stopped(lane, "offset 4 is not in the log"));
    let stopped = serde_json::json!([{"lane": "asia-orderbook:1", "state": "STOP", "reason": "offset 4 is not in the log"}]);
    assert_eq!(served.wait_for_ready(503)["lanes"], stopped);
    served.put(12, |_, _| {});
    served.wait_for_ready(200);
}

#[test]
fn status_tells_what_the_workers_told() {
    let served = Served::new();
    served.put(100, |lane, status| {
        if lane.stream.kind == Kind::Orderbook {
            status.books = BooksStatus { live: 4, unverified: 2, oldest_unverified_ms: Some(1_000) };
            status.counts.rejected[3] = 5;
        }
    });
    served.wait_for_ready(200);
    let status = served.status();
    let lane = &status["lanes"][4];
    assert_eq!((&lane["lane"], &lane["exchange"], &lane["state"]), (&"korea-orderbook:0".into(), &"UPBIT".into(), &"OK".into()));
    assert_eq!((&lane["position"], &lane["end"], &lane["lag"], &lane["committed"]), (&500.into(), &5_300.into(), &4_800.into(), &497.into()));
    assert_eq!((&lane["books_live"], &lane["books_unverified"], &lane["dead_letters"]), (&4.into(), &2.into(), &5.into()));
    assert_eq!(lane["dead_letters_by_reason"], serde_json::json!([["depth", 5]]));
    let stages: Vec<_> = status["latencies"].as_array().unwrap().iter().map(|row| row["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["poll_to_encoded", "encoded_to_acknowledged", "event_to_acknowledged"]);
    assert_eq!(status["feeds"].as_array().unwrap().len(), 18);
    assert!(status["process"]["resident_bytes"].as_u64().unwrap() > 0 && !status["threads"].as_array().unwrap().is_empty());
}

#[test]
fn a_feed_without_frames_goes_stale_and_comes_back() {
    let served = Served::with(|config| config.stale_after = Duration::from_secs(1));
    let upbit = |status: &Value| (status["feeds"][0]["state"].clone(), status["feeds"][0]["is_stale"].clone());
    served.put(5, |_, _| {});
    wait_until("stale", Duration::from_secs(30), || upbit(&served.status()), |seen| *seen == ("STALE".into(), true.into()));
    assert_eq!(served.get("/ready").code, 200, "the hub itself works");
    assert!(served.get("/metrics").body.contains("hub_feed_stale{exchange=\"UPBIT\",kind=\"ticker\"} 1\n"));
    let mut envelopes = 5;
    let on = || {
        envelopes += 1;
        served.put(envelopes, |_, _| {});
        upbit(&served.status())
    };
    wait_until("not stale any more", Duration::from_secs(30), on, |seen| *seen == ("OK".into(), false.into()));
}

#[test]
fn metrics_are_what_prometheus_wants_and_bounded() {
    let served = Served::new();
    for envelopes in [500, 1_000] {
        served.put(envelopes, |lane, status| {
            status.counts.rejected = [7; market_hub::outcome::Reason::COUNT];
            status.position += 1_000_000_000_000;
            if lane.stream.kind == Kind::Orderbook {
                status.books = BooksStatus { live: 4, unverified: 2, oldest_unverified_ms: Some(1_000) };
            }
        });
        served.wait_for_ready(200);
    }
    // As of three workers with all streams.
    for client in 0..18 {
        served.board.clients().put(&format!("worker-{client}/korea-orderbook"), br#"{"tx_bytes":1000000000000,"brokers":{}}"#);
    }
    let began = Instant::now();
    let metrics = served.get("/metrics").body;
    report(format_args!("/metrics with 18 lanes: {} bytes in {:?} (goals 200 kB, 20 ms)", metrics.len(), began.elapsed()));
    assert!(metrics.len() < 200_000, "{} bytes", metrics.len());
    let buckets = metrics.lines().filter(|line| line.starts_with("hub_latency_seconds_bucket{stage=\"poll_to_encoded\"")).count();
    assert!((20..=60).contains(&buckets), "{buckets} buckets");
    assert!(
        metrics.contains("kafka_consumergroup_lag{consumergroup=\"Ticker_group_id_Korea\",topic=\"koraSocketDataIn-ticker\",partition=\"1\"} 1000000001203\n")
    );

    let Ok(mut tool) = Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() else {
        assert!(std::env::var_os("CI").is_none(), "promtool is missing");
        return report("not checked by promtool: there is none here");
    };
    tool.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let output = tool.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_port_that_is_taken_is_had_once_it_is_free() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let config = Arc::new(Config { endpoint: Some(address), ..Config::default() });
    let endpoint = Endpoint::start(&config, Vec::new(), &Board::new(true));
    // Nobody accepts there: what is asked meanwhile is not for us.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(endpoint.address(), None);
    drop(taken);
    wait_until("the port", Duration::from_secs(30), || endpoint.address(), |found| *found == Some(address));
    assert_eq!(http::get(address, "/health").code, 200);
}
