//! Row 20: the metrics port is abused; and of row 18: it is taken.

use std::{
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    support::{broker, http, report, wait_until},
    vocabulary::{Delivery, PerSecond as _, Scene, at_most, in_both_modes, sized, spread, within},
};

in_both_modes!(row_20_metrics_abused, row_18_metrics_port_taken);

/// How often calm and abuse take turns, and how long each lasts.
const TURN: Duration = Duration::from_secs(3);

fn row_20_metrics_abused(delivery: Delivery) {
    let Some(broker) = broker::shared() else { return };
    let mut scene = Scene::on(&broker, "abused", delivery).with(&["--endpoint", "127.0.0.1:0"]);
    scene.start_load(10_000.per_second());
    scene.start_hub();
    scene.wait_for_new_output();
    let address = endpoint_of(&mut scene);
    let (mut scrapes, mut growths) = (Vec::new(), Vec::new());
    // The first seconds of a hub are slower than the others.
    thread::sleep(TURN);
    for _ in 0..sized(7, 20) {
        let calm = p99_of(address, &mut Vec::new());
        let abuse = Abuse::of(address);
        let abused = p99_of(address, &mut scrapes);
        abuse.end();
        growths.push((abused.as_secs_f64() / calm.as_secs_f64() - 1.0) * 100.0);
    }
    growths.sort_by(f64::total_cmp);
    within("the slowest scrape under abuse", Duration::from_secs(1), scrapes.iter().copied().max().unwrap());
    report(format_args!("scrapes under abuse: {}", spread(&scrapes)));
    at_most("per cent that the 99th percentile from encoded to acknowledged grows under abuse", 5.0, growths[growths.len() / 2]);
    scene.wait_for_fresh_output();
    scene.finish().assert_promise_kept();
}

fn row_18_metrics_port_taken(delivery: Delivery) {
    let Some(broker) = broker::shared() else { return };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut scene = Scene::on_few_lanes(&broker, "port-taken", delivery).with(&["--endpoint", &address.to_string()]);
    scene.start_load(10_000.per_second());
    scene.start_hub();
    scene.wait_for_new_output();
    assert!(scene.hub().said().contains(&format!("endpoint: {address} cannot be listened at and is tried again, data goes on")), "it is said");
    drop(taken);
    assert_eq!(endpoint_of(&mut scene), address);
    wait_until("ready", Duration::from_secs(30), || http::get(address, "/ready"), |answer| answer.code == 200);
    scene.wait_for_fresh_output();
    scene.finish().assert_promise_kept();
}

/// Where the hub says that its endpoint is, once it says so.
fn endpoint_of(scene: &mut Scene) -> SocketAddr {
    let told = |said: &str| said.lines().find_map(|line| line.split_once("endpoint: http://")?.1.split('/').next()?.parse().ok());
    wait_until("where the endpoint is", Duration::from_secs(30), || told(&scene.hub().said()), Option::is_some).unwrap()
}

/// The 99th percentile of the path to the acknowledgement over one turn, by what the hub's own metrics say at its begin and end. `scrapes` gets how long
/// each of them took.
fn p99_of(address: SocketAddr, scrapes: &mut Vec<Duration>) -> Duration {
    let mut scrape = || {
        let began = Instant::now();
        let metrics = http::get(address, "/metrics").body;
        scrapes.push(began.elapsed());
        buckets(&metrics)
    };
    let before = scrape();
    let end = Instant::now() + TURN;
    let mut after = before.clone();
    while Instant::now() < end {
        thread::sleep(Duration::from_millis(500));
        after = scrape();
    }
    let grown: Vec<(f64, f64)> = after.iter().zip(&before).map(|(after, before)| (after.0, after.1 - before.1)).collect();
    let all = grown.last().expect("buckets").1;
    assert!(all > 0.0, "nothing was acknowledged within {TURN:?}");
    let place = grown.iter().position(|(_, count)| *count >= all * 0.99).expect("the last has all");
    let (low, below) = if place == 0 { (0.0, 0.0) } else { grown[place - 1] };
    let (high, within) = grown[place];
    let high = if high.is_finite() { high } else { low };
    Duration::from_secs_f64(low + (high - low) * (all * 0.99 - below) / (within - below).max(1.0))
}

/// Bounds in seconds, and how many lie at or below them.
fn buckets(metrics: &str) -> Vec<(f64, f64)> {
    let lines = metrics.lines().filter_map(|line| line.strip_prefix("hub_latency_seconds_bucket{stage=\"encoded_to_acknowledged\",le=\""));
    let number = |text: &str| if text == "+Inf" { f64::INFINITY } else { text.parse().expect("a number") };
    lines.filter_map(|line| line.split_once("\"} ")).map(|(bound, count)| (number(bound), number(count))).collect()
}

/// 200 connections that say nothing, readers that do not read, request lines of a megabyte; until it is ended.
struct Abuse {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Abuse {
    fn of(address: SocketAddr) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let repeat = |abuse: fn(SocketAddr) -> Vec<TcpStream>, pause: Duration| {
            let over = Arc::clone(&over);
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let held = abuse(address);
                    thread::sleep(pause);
                    drop(held);
                }
            })
        };
        let idle = |address| (0..200).filter_map(|_| TcpStream::connect(address).ok()).collect();
        let slow = |address: SocketAddr| {
            let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n").repeat(50);
            let ask = |mut stream: TcpStream| stream.write_all(request.as_bytes()).map(|()| stream);
            (0..8).filter_map(|_| TcpStream::connect(address).and_then(ask).ok()).collect()
        };
        let large = |address: SocketAddr| {
            if let Ok(mut stream) = TcpStream::connect(address) {
                // It is cut somewhere within.
                let _ = stream.write_all(format!("GET /{} HTTP/1.1\r\n", "x".repeat(1 << 20)).as_bytes());
            }
            Vec::new()
        };
        let threads = vec![repeat(idle, Duration::from_secs(1)), repeat(slow, Duration::from_secs(1)), repeat(large, Duration::from_millis(200))];
        Self { over, threads }
    }

    fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        self.threads.into_iter().for_each(|thread| thread.join().expect("an abuser"));
    }
}
