//! The page in a browser: its numbers are those of `/status`, a stopped lane turns red, prices move, nothing is wrong on the console, and it fits a phone.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use market_hub::{
    batch::{Batch, Destination, Place},
    config::LaneId,
    lane::{BooksStatus, Input},
    market::Kind,
    observe::{LaneState, LaneStatus, Sampler},
};
use serde_json::{Value, json};

use super::{Served, browser::Browser, support::wait_until};

pub const PATIENCE: Duration = Duration::from_secs(60);

/// A run that goes on: every lane takes more, books are written, until it is dropped.
struct Play {
    served: Arc<Served>,
    /// The lane that has stopped, by its index from 1; 0 where none has.
    stopped: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Play {
    fn start() -> Self {
        let served = Arc::new(Served::new());
        let (stopped, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let thread = {
            let (served, stopped, over) = (Arc::clone(&served), Arc::clone(&stopped), Arc::clone(&over));
            thread::spawn(move || {
                let mut sampler = Sampler::new(&served.board, 1);
                for turn in 1.. {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    put(&served, turn, stopped.load(Ordering::Relaxed));
                    sample(&served, &mut sampler, turn);
                    thread::sleep(Duration::from_millis(200));
                }
            })
        };
        Self { served, stopped, over, thread: Some(thread) }
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(thread::JoinHandle::join);
    }
}

fn put(served: &Served, turn: u64, stopped: u64) {
    let index_of = |lane: LaneId| served.config.lanes.iter().position(|one| *one == lane).unwrap() as u64;
    served.put(turn * 4, |lane, status: &mut LaneStatus| {
        if lane.stream.kind == Kind::Orderbook {
            status.books = BooksStatus { live: 40, unverified: usize::try_from(index_of(lane) % 3).unwrap(), oldest_unverified_ms: Some(1_000) };
        }
        status.counts.rejected[1] = index_of(lane) * 3;
        if index_of(lane) + 1 == stopped {
            status.state = LaneState::Stop("offset 4 is not in the log: <b>reset</b> it".to_owned());
        }
    });
}

/// Records of two symbols, and a dead letter that would be markup.
fn sample(served: &Served, sampler: &mut Sampler, turn: u64) {
    let mut batch = Batch::default();
    for (symbol, bid) in [("BTC", 66_000 + turn), ("ETH", 3_000 + turn)] {
        let mut message = batch.begin(Destination::Output, Place::default(), 1_790_000_000_000);
        message.key(|out| out.extend_from_slice(format!("OKX:{symbol}").as_bytes()));
        message.value(|out| out.extend_from_slice(format!(r#"{{"highest_bid":{bid}.25,"lowest_ask":{bid}.75,"spread":0.5}}"#).as_bytes()));
        message.finish();
    }
    let mut letter = batch.begin(Destination::DeadLetter, Place { offset: 7, frame: Some(2) }, 1_790_000_000_000);
    letter.value(|out| out.extend_from_slice(b"<img src=x onerror=alert(1)>"));
    letter.header("hub.reason", |out| out.extend_from_slice(b"json"));
    letter.finish();
    sampler.written(served.lane("asia-orderbook:0"), &batch);
    let value = Some(br#"{"region":"asia","market":"OKX","symbol":"BTC","data":[{"last":"1","surprise":1}]}"#.as_slice());
    let input = Input { offset: 0, timestamp_ms: 1_790_000_000_000, now_micros: 0, key: None, value, headers: &[] };
    sampler.envelope(0, served.lane("asia-ticker:0"), &input, Instant::now());
}

/// What the page shows and the status that it was drawn from, of one moment.
pub const SHOWN: &str = "
    const cards = [...document.querySelectorAll('.card')].map((card) => ({
        feed: card.dataset.feed,
        state: card.querySelector('.badge').textContent,
        ground: getComputedStyle(card.querySelector('.badge')).backgroundColor,
        reason: card.querySelector('.reason').textContent,
        cells: Object.fromEntries([...card.querySelectorAll('[data-cell]')].map((cell) => [cell.dataset.cell, cell.textContent])),
    }));
    const text = (id) => document.getElementById(id).textContent;
    const quotes = [...document.querySelectorAll('[data-quote]')].map((row) => [row.dataset.quote, ...[...row.querySelectorAll('[data-cell]')].map((cell) => cell.textContent)]);
    return { cards, quotes, drawn: hub.drawn, status: hub.status, ready: text('ready'), letters: text('letters'), drift: text('drift'),
        total: text('total-letters'), lag: text('total-lag'), trouble: text('trouble'), threads: text('cpus'), marked: document.querySelectorAll('img, b').length,
        lines: document.querySelectorAll('#curve polyline').length };";

#[test]
fn the_page_shows_what_the_status_says() {
    let Some(browser) = Browser::start() else { return };
    let play = Play::start();
    browser.open(&format!("http://{}/", play.served.address));
    // The first percentiles come after ten seconds.
    let shown = wait_until("the page is drawn", PATIENCE, || browser.run(SHOWN), |shown| shown["lines"] == 3 && shown["quotes"][0][0] == "OKX");
    assert_eq!(shown["trouble"], "");
    compare(&shown);
    assert_ne!(shown["lag"], "–", "the lag of all lanes is known");
    assert!(shown["letters"].as_str().unwrap().contains("<img src=x onerror=alert(1)>") && shown["marked"] == 0, "text stays text");
    assert!(shown["drift"].as_str().unwrap().contains("surprise"), "{}", shown["drift"]);
    assert_eq!((&shown["quotes"][0][0], shown["quotes"].as_array().unwrap().len()), (&json!("OKX"), 1), "of the chosen symbol alone");

    let bid = |shown: &Value| shown["quotes"][0][1].clone();
    wait_until("prices move", PATIENCE, || bid(&browser.run(SHOWN)), |now| *now != bid(&shown));
    browser.run("const choice = document.getElementById('symbol'); choice.value = 'ETH'; choice.dispatchEvent(new Event('change'));");
    let of_eth = |bid: &Value| bid.as_str().is_some_and(|bid| bid.starts_with("3"));
    wait_until("another symbol's", PATIENCE, || bid(&browser.run(SHOWN)), of_eth);

    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, width, height, scheme) in [("light", 1280, 900, "light"), ("dark", 1280, 900, "dark"), ("phone", 390, 844, "light")] {
        browser.look(width, height, scheme);
        let before = browser.run(SHOWN)["drawn"].as_u64().unwrap();
        wait_until("it is drawn anew", PATIENCE, || browser.run(SHOWN)["drawn"].as_u64().unwrap(), |drawn| *drawn > before + 1);
        browser.photograph(&folder.join(format!("page-{name}.png")));
        let wide = browser.run("return [document.documentElement.scrollWidth, innerWidth, getComputedStyle(document.body).backgroundColor];");
        assert!(wide[0].as_u64() <= wide[1].as_u64(), "{name}: nothing is cut off at the side: {wide}");
        assert_eq!(wide[2] == "rgb(14, 17, 22)", scheme == "dark", "{name}: {wide}");
    }
    assert_eq!(browser.console(), [Value::Null; 0], "nothing on the console");
}

#[test]
fn a_stopped_lane_turns_red_and_a_lost_hub_is_said() {
    let Some(browser) = Browser::start() else { return };
    let play = Play::start();
    browser.open(&format!("http://{}/", play.served.address));
    let first = |shown: &Value| shown["cards"][0]["feed"].clone();
    let shown = wait_until("the page is drawn", PATIENCE, || browser.run(SHOWN), |shown| shown["ready"] == "READY");
    assert_eq!(first(&shown), "UPBIT ticker");
    compare(&shown);

    let lane = play.served.lane("ne-ticker:1");
    let place = play.served.config.lanes.iter().position(|one| *one == lane).unwrap() as u64 + 1;
    play.stopped.store(place, Ordering::Relaxed);
    let shown = wait_until("it is seen", PATIENCE, || browser.run(SHOWN), |shown| shown["ready"] != "READY");
    assert_eq!(shown["ready"], "NOT READY: 1 of 18 lanes");
    compare(&shown);
    let card = &shown["cards"][0];
    assert_eq!((&card["feed"], &card["state"], &card["ground"]), (&json!("KRAKEN ticker"), &json!("STOP"), &json!("rgb(196, 36, 43)")), "red, and first");
    assert_eq!(card["reason"], "offset 4 is not in the log: <b>reset</b> it");
    browser.look(1280, 900, "light");
    browser.photograph(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("page-stopped.png"));

    play.stopped.store(0, Ordering::Relaxed);
    wait_until("it is well again", PATIENCE, || browser.run(SHOWN), |shown| shown["ready"] == "READY" && first(shown) == "UPBIT ticker");
    assert_eq!(browser.console(), [Value::Null; 0], "nothing on the console");
    drop(play);
    wait_until("the hub is missed", PATIENCE, || browser.run(SHOWN)["trouble"].clone(), |trouble| trouble.as_str().unwrap().contains("No answer from the hub"));
}

/// Every card against its feed, and the totals against the sums.
pub fn compare(shown: &Value) {
    let status = &shown["status"];
    // What is not known is a dash, and nothing else is.
    let whole = |text: &Value| {
        let text = text.as_str().unwrap().split(" (").next().unwrap();
        (text != "–").then(|| text.replace(',', "").parse::<u64>().unwrap())
    };
    let cards = shown["cards"].as_array().unwrap();
    let feeds = status["feeds"].as_array().unwrap();
    assert_eq!((cards.len(), feeds.len()), (18, 18));
    for feed in feeds {
        let name = format!("{} {}", feed["exchange"].as_str().unwrap(), feed["kind"].as_str().unwrap());
        let card = cards.iter().find(|card| card["feed"] == name.as_str()).unwrap();
        let cells = &card["cells"];
        assert_eq!(card["state"], feed["state"], "{name}");
        assert_eq!(card["reason"].as_str(), Some(feed["reason"].as_str().unwrap_or_default()), "{name}");
        assert_eq!((whole(&cells["lag"]), whole(&cells["dead letters"])), (feed["lag"].as_u64(), feed["dead_letters"].as_u64()), "{name}");
        let rate = feed["frames_per_s"].as_f64().unwrap();
        let rate_shown: f64 = cells["rate"].as_str().unwrap().replace(',', "").parse().unwrap();
        assert!((rate - rate_shown).abs() <= 0.5, "{name}: {rate} {rate_shown}");
        if feed["kind"] == "orderbook" {
            let (unverified, live) = (feed["books_unverified"].as_u64().unwrap(), feed["books_live"].as_u64().unwrap());
            assert_eq!(cells["unverified books"], format!("{unverified} of {}", unverified + live), "{name}");
        }
    }
    let sum = |field: &str| status["lanes"].as_array().unwrap().iter().filter_map(|lane| lane[field].as_u64()).reduce(|sum, value| sum + value);
    assert_eq!((whole(&shown["total"]), whole(&shown["lag"])), (sum("dead_letters"), sum("lag")));
}
