//! The page over a real run at a real broker: under load, while the broker is dead, and after it has come back.

use std::path::Path;

use market_hub::feed::{Feed, Options};
use market_hub::market::{Exchange, Kind, Stream};
use market_hub::observe::wall_millis;
use serde_json::Value;

use super::browser::Browser;
use super::page::{PATIENCE, SHOWN, compare};
use super::support::{
    Message,
    broker::{self, Broker},
    hub::HubCommand,
    names::Names,
    wait_until,
};

/// All lanes' frames, one envelope a lane and round.
struct Load {
    names: Names,
    feeds: Vec<(Exchange, Kind, Feed)>,
}

impl Load {
    fn new(names: Names) -> Self {
        let lanes = Exchange::ALL.into_iter().flat_map(|exchange| [(exchange, Kind::Ticker), (exchange, Kind::Orderbook)]);
        Self { names, feeds: lanes.map(|(exchange, kind)| (exchange, kind, Feed::new(3, exchange, kind, Options::default()))).collect() }
    }

    fn round(&mut self, broker: &Broker) {
        let now_ms = wall_millis();
        let envelopes = self.feeds.iter_mut().map(|(exchange, kind, feed)| {
            let mut value = Vec::new();
            feed.next_envelope(20, now_ms, &mut value, &mut Vec::new());
            let topic = self.names.input(Stream { region: exchange.region(), kind: *kind });
            Message { timestamp_ms: now_ms, value: Some(value), ..Message::new(&topic, exchange.partition(), "") }
        });
        broker.client().produce(&envelopes.collect::<Vec<_>>());
    }
}

#[test]
fn a_real_run_is_seen_while_its_broker_dies_and_comes_back() {
    let Some(mut broker) = broker::shared() else { return };
    let Some(browser) = Browser::start() else { return };
    let names = Names::of("page");
    broker.client().create_topics(&names.topics());
    let mut hub = HubCommand::run(&broker, &names).with(&["--endpoint", "127.0.0.1:0"]).start();
    hub.wait_until_running();
    let mut load = Load::new(names);
    browser.open(&format!("http://{}/", hub.endpoint()));
    browser.look(1280, 900, "light");

    let is_moving = |shown: &Value| {
        let cards = shown["cards"].as_array().unwrap();
        shown["ready"] == "READY" && cards.len() == 18 && cards.iter().all(|card| card["state"] == "OK") && shown["lines"] == 3
    };
    let mut under_load = |broker: &Broker, what: &str| {
        let ask = || {
            load.round(broker);
            browser.run(SHOWN)
        };
        wait_until(what, PATIENCE, ask, is_moving)
    };
    compare(&under_load(&broker, "every feed is well"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    browser.photograph(&folder.join("page-live.png"));

    broker.kill();
    let shown = wait_until("the outage is seen", PATIENCE, || browser.run(SHOWN), |shown| shown["ready"] != "READY");
    compare(&shown);
    browser.photograph(&folder.join("page-broker-dead.png"));
    assert_eq!((&shown["ready"], &shown["trouble"]), (&"NOT READY: 18 of 18 lanes".into(), &"".into()), "the hub itself answers");
    let is_told = |card: &Value| card["state"] == "STALL" && card["reason"].as_str().unwrap().starts_with("no broker has answered for ");
    assert!(shown["cards"].as_array().unwrap().iter().all(is_told), "{}", shown["cards"]);

    broker.restart();
    compare(&under_load(&broker, "every feed is well again"));
    assert_eq!(browser.console(), [Value::Null; 0], "nothing on the console");
    hub.terminate().assert_clean("seen");
}
