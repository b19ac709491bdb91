//! What looks at the metrics from outside: the dashboard and the alert rules that are shipped. A metric or a label that they name and nobody tells would be
//! an alert that never comes.

use std::{
    collections::BTreeSet,
    fs,
    process::Command,
    time::{Duration, Instant},
};

use market_hub::{
    lane::{BooksStatus, Input},
    market::Kind,
    observe::{Sampler, SinkPart, SinkSight},
    outcome::Reason,
};
use serde_json::Value;

use super::{
    Served,
    support::{report, wait_until},
};

/// A scrape in which every metric has a sample.
fn scrape() -> String {
    let served = Served::new();
    for envelopes in [500, 1_000] {
        served.put(envelopes, |lane, status| {
            status.counts.rejected = [7; Reason::COUNT];
            if lane.stream.kind == Kind::Orderbook {
                status.books = BooksStatus { live: 4, unverified: 2, oldest_unverified_ms: Some(1_000) };
            }
        });
        served.wait_for_ready(200);
    }
    let broker = r#"{"nodeid":1,"state":"UP","rtt":{"p99":900,"cnt":3},"throttle":{"p99":0,"cnt":3}}"#;
    served.board.clients().put("sender", format!(r#"{{"tx":9,"brokers":{{"b":{broker}}}}}"#).as_bytes());
    let part = SinkPart { topic: "t".to_owned(), state: "OK", ..SinkPart::default() };
    served.board.put_sink(SinkSight { failure: None, parts: vec![part] });
    // One frame with a time of its exchange.
    let frame = r#"{"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","last":"1","ts":"1790000000100"}]}"#;
    let value = format!(r#"{{"region":"asia","market":"OKX","symbol":"BTC","data":[{frame}]}}"#);
    let input = Input { offset: 0, timestamp_ms: 1_790_000_000_000, now_micros: 0, key: None, value: Some(value.as_bytes()), headers: &[] };
    let mut sampler = Sampler::new(&served.board, 1);
    let scrape = || {
        sampler.envelope(0, served.lane("asia-ticker:0"), &input, Instant::now());
        served.get("/metrics").body
    };
    wait_until("the skew of a feed", Duration::from_secs(60), scrape, |scrape| scrape.contains("hub_feed_skew_seconds{"))
}

fn file(name: &str) -> String {
    fs::read_to_string(format!("{}/tuning/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_').filter(|word| !word.is_empty())
}

/// Which metrics and which `label="value"` or `by (label)` of an expression the scrape does not have.
fn unknown_in(expression: &str, scrape: &str) -> Vec<String> {
    let told: BTreeSet<&str> = scrape.lines().filter(|line| !line.starts_with('#')).filter_map(|line| words(line).next()).collect();
    let prefixed = |word: &&str| ["hub_", "process_", "kafka_"].iter().any(|prefix| word.starts_with(prefix));
    let metrics: BTreeSet<&str> = words(expression).filter(prefixed).collect();
    let mut unknown: Vec<String> = metrics.iter().filter(|metric| !told.contains(*metric)).map(|metric| (*metric).to_owned()).collect();
    // Prometheus adds these itself.
    let added = ["job", "instance", "le"];
    for clause in expression.split("by (").skip(1) {
        let labels = clause.split(')').next().unwrap();
        for label in words(labels).filter(|label| !added.contains(label)) {
            let has = |metric: &&str| scrape.lines().any(|line| line.starts_with(*metric) && line.contains(&format!("{label}=\"")));
            unknown.extend(metrics.iter().filter(|metric| !has(metric)).map(|metric| format!("{metric} by {label}")));
        }
    }
    unknown
}

/// The labels that a text shows, as `{{label}}` or `$labels.label`, which no sample of any of the expression's metrics has.
fn unknown_labels(text: &str, expression: &str, scrape: &str) -> Vec<String> {
    let shown = text.split("{{").skip(1).filter_map(|part| part.split("}}").next()).map(str::trim);
    let labels = shown.filter(|shown| !shown.starts_with("$value")).map(|shown| shown.trim_start_matches("$labels."));
    let has = |label: &str| {
        let tells = |line: &str| words(line).next().is_some_and(|metric| expression.contains(metric)) && line.contains(&format!("{label}=\""));
        label == "instance" || scrape.lines().any(tells)
    };
    labels.filter(|label| !has(label)).map(str::to_owned).collect()
}

#[test]
fn the_dashboard_shows_metrics_that_there_are() {
    let dashboard: Value = serde_json::from_str(&file("grafana-dashboard.json")).unwrap();
    let scrape = scrape();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() >= 12);
    for target in panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap()) {
        let expression = target["expr"].as_str().unwrap();
        assert_eq!(unknown_in(expression, &scrape), [""; 0], "{expression}");
        assert_eq!(unknown_labels(target["legendFormat"].as_str().unwrap(), expression, &scrape), [""; 0], "{expression}");
    }
}

#[test]
fn the_alerts_watch_metrics_that_there_are_and_are_rules() {
    let rules = file("alerts.yml");
    let scrape = scrape();
    let alerts: Vec<&str> = rules.split("- alert: ").skip(1).collect();
    assert!(alerts.len() >= 12);
    for alert in alerts {
        let expression = alert.lines().find_map(|line| line.trim().strip_prefix("expr: ")).unwrap();
        assert_eq!(unknown_in(expression, &scrape), [""; 0], "{alert}");
        assert_eq!(unknown_labels(alert, expression, &scrape), [""; 0], "{alert}");
    }

    let path = format!("{}/tuning/alerts.yml", env!("CARGO_MANIFEST_DIR"));
    let Ok(output) = Command::new("promtool").args(["check", "rules", &path]).output() else {
        assert!(std::env::var_os("CI").is_none(), "promtool is missing");
        return report("not checked by promtool: there is none here");
    };
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_nobody_tells_is_found() {
    let scrape = "hub_lane_lag{lane=\"a\"} 1\n";
    assert_eq!(unknown_in("sum by (lane) (hub_lane_lag) > 1", scrape), [""; 0]);
    assert_eq!(unknown_in("sum by (exchange) (hub_lane_lag) + hub_lag", scrape), ["hub_lag", "hub_lag by exchange", "hub_lane_lag by exchange"]);
    assert_eq!(unknown_labels("{{ $labels.lane }} {{exchange}} {{ $value | humanize }}", "hub_lane_lag", scrape), ["exchange"]);
}
