//! `market-hub tap`: what passes, from now on, and of what was asked for; the hub does not notice.

use std::thread;
use std::time::Duration;

use market_hub::market::{Exchange, Stream};
use serde_json::Value;

use super::support::{
    Message,
    broker::{self, Broker},
    hub::{HubCommand, Ran},
    names::Names,
};

const KOREA_TICKER: Stream = Stream::ALL[0];

#[test]
fn frames_and_records_are_seen_as_they_pass() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("tap"));
    client.create_topics(&names.topics());
    client.produce(&[ticker(&names, "OLD", 1)]);
    let mut hub = HubCommand::run(&broker, &names).start();
    hub.wait_until_running();

    let taps =
        [&["korea-ticker:0", "--symbol", "btc", "--json"][..], &["korea-ticker", "--symbol", "ETH", "--frames", "--json"], &["korea-ticker:0", "--frames"]];
    let ran = while_it_comes(&broker, &names, &taps, |number| {
        client.produce(&[ticker(&names, "BTC", number), ticker(&names, "ETH", number), Message::new(&names.input(KOREA_TICKER), 0, "no envelope\u{1b}[2J")]);
    });
    let [records, frames, all] = ran.try_into().unwrap();

    let records: Vec<Value> = json(&records);
    assert_eq!(records.len(), 5);
    for record in &records {
        assert_eq!((&record["topic"], &record["partition"], &record["key"]), (&names.output(KOREA_TICKER).into(), &0.into(), &"UPBIT:BTC".into()));
        assert!(record["frame"].is_null() && record["value"].as_str().unwrap().starts_with(r#"{"region":"Korea","market":"UPBIT","coin_symbol":"BTC""#));
    }
    let offsets: Vec<i64> = records.iter().map(|record| record["offset"].as_i64().unwrap()).collect();
    assert!(offsets.is_sorted() && offsets[0] > 0, "in order, and not what was there before: {offsets:?}");

    let frames: Vec<Value> = json(&frames);
    assert_eq!(frames.len(), 5);
    for (number, frame) in frames.iter().enumerate() {
        assert_eq!(frame["frame"], number % 2, "both items of each envelope: {frame}");
        assert!(frame["value"].as_str().unwrap().starts_with("{\"trade_price\":"), "{frame}");
    }

    assert_eq!(all.stdout.lines().count(), 5);
    assert!(all.stdout.contains(r"no envelope\u{1b}[2J") && !all.stdout.contains('\u{1b}'), "what is no envelope is shown, and harmless: {}", all.stdout);
    hub.terminate().assert_clean("tapped");
}

#[test]
fn arrays_are_taken_apart() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("tap-arrays"));
    client.create_topics(&names.topics());
    let record = |symbol: &str| format!(r#"{{"region":"Korea","market":"UPBIT","coin_symbol":"{symbol}","timestamp":1.0,"data":[]}}"#);
    let array = format!("[{},{},{}]", record("BTC"), record("ETH"), record("BTC"));
    let ran = while_it_comes(&broker, &names, &[&["korea-ticker:0", "--symbol", "BTC", "--json"]], |_| {
        client.produce(&[Message::new(&names.output(KOREA_TICKER), 0, &array)]);
    });
    let found: Vec<Value> = json(&ran[0]);
    assert_eq!(found.len(), 5);
    assert!(found.iter().all(|line| line["value"] == record("BTC")), "{found:?}");
}

#[test]
fn it_ends_when_it_was_told_to_and_says_what_is_not_there() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("tap-end"));
    client.create_topics(&names.topics());
    let silent = tap(&broker, &names, &["korea-ticker", "--for", "1"]);
    assert_eq!(silent.ok("nothing comes"), "");
    let at_once = ["--start-deadline-s", "1"];
    tap(&broker, &names, &[&["korea-ticker:77"], &at_once[..]].concat()).failed(69, &[&names.output(KOREA_TICKER), "partition 77"]);
    tap(&broker, &names, &["corea-ticker"]).failed(2, &["corea-ticker"]);
    tap(&broker, &names, &["korea-ticker", "--symbol", "a b"]).failed(2, &["--symbol", "a symbol has 1 to 32"]);
}

/// Runs taps of five lines each while `produce` goes on, and until all have ended.
fn while_it_comes(broker: &Broker, names: &Names, taps: &[&[&str]], produce: impl Fn(u64)) -> Vec<Ran> {
    thread::scope(|scope| {
        let taps: Vec<_> =
            taps.iter().map(|arguments| scope.spawn(|| tap(broker, names, &[arguments, &["--count", "5", "--for", "60"][..]].concat()))).collect();
        for number in 2.. {
            if taps.iter().all(|tap| tap.is_finished()) {
                break;
            }
            produce(number);
            thread::sleep(Duration::from_millis(50));
        }
        taps.into_iter().map(|tap| tap.join().unwrap()).collect()
    })
}

fn tap(broker: &Broker, names: &Names, arguments: &[&str]) -> Ran {
    HubCommand::new(&["tap"], broker, names).with(arguments).ran()
}

fn json(ran: &Ran) -> Vec<Value> {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// An envelope of two frames.
fn ticker(names: &Names, symbol: &str, price: u64) -> Message {
    let frame = serde_json::to_string(&format!(r#"{{"trade_price":{price}}}"#)).unwrap();
    let value = format!(r#"{{"region":"korea","market":"{}","symbol":"{symbol}","data":[{frame},{frame}]}}"#, Exchange::Upbit);
    Message::new(&names.input(KOREA_TICKER), 0, &value)
}
