//! `market-hub dlt`: frames die of a bound, the bound is raised, and every record is there.

use std::time::Duration;

use market_hub::market::{Exchange, Stream};
use serde_json::Value;

use super::support::{
    Message,
    broker::{self, Broker},
    client::Client,
    hub::HubCommand,
    names::Names,
};

const CATCH_UP_BOUND: Duration = Duration::from_secs(120);
const KOREA_TICKER: Stream = Stream::ALL[0];
const ASIA_ORDERBOOK: Stream = Stream::ALL[3];

/// The largest levels that the poison of these tests gets by with.
const NARROW: [&str; 2] = ["--levels-max", "2"];

#[test]
fn a_raised_bound_and_a_replay_lose_nothing() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("dlt-mended"));
    client.create_topics(&names.topics());
    // Ten envelopes of three books each: the one in the middle has too many levels.
    client.produce(&(0..10).map(|number| books(&names, &[(number * 3, 1), (number * 3 + 1, 3), (number * 3 + 2, 2)])).collect::<Vec<_>>());
    run_hub(&broker, &client, &names, &NARROW);
    assert_eq!(prices(&client, &names).len(), 20, "the others came through");
    assert_eq!(letters(&client, &names).len(), 10);

    let dry = dlt(&broker, &names, &["replay", "--dry-run"]).ok("dry run");
    assert!(dry.starts_with("10 would be sent, 0 skipped, 0 passed over as sent before, 0 left out by filters\n"), "{dry}");
    let said = dlt(&broker, &names, &["replay"]).ok("replay");
    assert!(said.starts_with("10 sent, 0 skipped, 0 passed over as sent before, 0 left out"), "{said}");
    assert!(said.contains(&format!("sent to {}: 10, reason levels", names.input(ASIA_ORDERBOOK))), "{said}");
    let again = dlt(&broker, &names, &["replay"]).ok("a second replay");
    assert!(again.starts_with("0 sent, 0 skipped"), "nothing is replayed twice: {again}");

    run_hub(&broker, &client, &names, &[]);
    let mut found = prices(&client, &names);
    found.sort_unstable();
    assert_eq!(found, (0..30).collect::<Vec<_>>(), "every book has its record, once");
    assert_eq!(letters(&client, &names).len(), 10, "no new dead letter");

    // The envelopes that were made: key, header and timestamp of the first ones, one frame each, and the count.
    let input = input(&client, &names);
    assert_eq!(input.len(), 20);
    for (first, replayed) in input[..10].iter().zip(&input[10..]) {
        assert_eq!((&replayed.key, replayed.timestamp_ms), (&first.key, first.timestamp_ms));
        assert_eq!(replayed.headers, [("trace".to_owned(), Some(vec![0xff])), ("hub.replays".to_owned(), Some(b"1".to_vec()))]);
        let (first, replayed): (Value, Value) = (serde_json::from_str(first.text()).unwrap(), serde_json::from_str(replayed.text()).unwrap());
        assert_eq!(replayed["data"], Value::from(vec![first["data"][1].clone()]));
    }
}

#[test]
fn the_bound_on_replays_stops_what_stays_bad() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("dlt-bound"));
    client.create_topics(&names.topics());
    client.produce(&[books(&names, &[(1, 3)])]);
    let mut counts = Vec::new();
    for _ in 0..5 {
        run_hub(&broker, &client, &names, &NARROW);
        let said = dlt(&broker, &names, &["replay", "--max-replays", "2"]).ok("replay");
        counts.push(said.lines().next().unwrap().to_owned());
    }
    let sent = |sent: u64, skipped: u64| format!("{sent} sent, {skipped} skipped, 0 passed over as sent before, 0 left out by filters");
    assert_eq!(counts, [sent(1, 0), sent(1, 0), sent(0, 1), sent(0, 1), sent(0, 1)]);
    let replays: Vec<_> = letters(&client, &names).iter().map(|letter| letter.header("hub.replays").map(str::to_owned)).collect();
    assert_eq!(replays, [None, Some("1".to_owned()), Some("2".to_owned())], "the count comes back by itself");

    // What was skipped is not forgotten: with the bound raised it goes.
    let said = dlt(&broker, &names, &["replay", "--max-replays", "3"]).ok("a higher bound");
    assert!(said.starts_with("1 sent, 0 skipped"), "{said}");
    // Asked for, all of it goes again: the letters of 0, 1 and 2 replays.
    let said = dlt(&broker, &names, &["replay", "--again"]).ok("again");
    assert!(said.starts_with("3 sent, 0 skipped"), "{said}");
    let last: Vec<_> = input(&client, &names).into_iter().rev().take(3).map(|message| message.header("hub.replays").unwrap().to_owned()).collect();
    assert_eq!(last, ["3", "2", "1"]);
}

#[test]
fn filters_take_what_they_say_and_leave_the_rest_for_later() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("dlt-filters"));
    client.create_topics(&names.topics());
    dead_letters_of_all_kinds(&client, &names);
    run_hub(&broker, &client, &names, &NARROW);

    let listed = json_lines(&dlt(&broker, &names, &["ls", "--json"]).ok("ls"));
    let row = |topic: String, exchange: Option<&str>, reason: &str, count: u64, replayed: u64, times: (i64, i64)| {
        let exchange = exchange.map_or(Value::Null, Value::from);
        (Value::from(topic), exchange, Value::from(reason), Value::from(count), Value::from(replayed), Value::from(times.0), Value::from(times.1))
    };
    let found = |listed: &[Value]| {
        let column = |line: &Value, name: &str| line[name].clone();
        let columns = |line: &Value| {
            let [topic, exchange, reason, count, replayed, oldest, newest] =
                ["topic", "exchange", "reason", "count", "replayed", "oldest_ms", "newest_ms"].map(|name| column(line, name));
            (topic, exchange, reason, count, replayed, oldest, newest)
        };
        listed.iter().map(columns).collect::<Vec<_>>()
    };
    let (ticker, book) = (names.dead_letters(KOREA_TICKER), names.dead_letters(ASIA_ORDERBOOK));
    let expected = |replayed: [u64; 4]| {
        [
            row(ticker.clone(), None, "json", 1, replayed[0], (T0 + 3, T0 + 3)),
            row(ticker.clone(), Some("UPBIT"), "utf8", 1, replayed[1], (T0 + 2, T0 + 2)),
            row(ticker.clone(), Some("UPBIT"), "number", 2, replayed[2], (T0, T0 + 1)),
            row(book.clone(), Some("GATEIO"), "levels", 2, replayed[3], (T0, T0 + 10)),
        ]
    };
    assert_eq!(found(&listed), expected([0; 4]));

    let replay = |filters: &[&str]| {
        let said = dlt(&broker, &names, &[&["replay"], filters].concat()).ok("replay");
        said.lines().next().unwrap().to_owned()
    };
    assert_eq!(replay(&["--reason", "number,utf8", "--limit", "1"]), "1 sent, 0 skipped, 0 passed over as sent before, 0 left out by filters");
    assert_eq!(replay(&["--reason", "number", "--reason", "utf8"]), "2 sent, 0 skipped, 0 passed over as sent before, 3 left out by filters");
    assert_eq!(replay(&["--exchange", "gateio", "--from", &(T0 + 10).to_string()]), "1 sent, 0 skipped, 0 passed over as sent before, 2 left out by filters");
    assert_eq!(found(&json_lines(&dlt(&broker, &names, &["ls", "--json"]).ok("ls"))), expected([0, 1, 2, 1]));
    assert_eq!(replay(&["--reason", "utf8", "--again"]), "1 sent, 0 skipped, 0 passed over as sent before, 5 left out by filters");
    // One letter by its place; the other book is left, and the envelope.
    assert_eq!(replay(&["--topic", &book, "--partition", "2", "--offset", "1"]), "0 sent, 0 skipped, 1 passed over as sent before, 0 left out by filters");
    assert_eq!(replay(&[]), "2 sent, 0 skipped, 1 passed over as sent before, 0 left out by filters");
    assert_eq!(replay(&[]), "0 sent, 0 skipped, 0 passed over as sent before, 0 left out by filters");
    assert_eq!(found(&json_lines(&dlt(&broker, &names, &["ls", "--json"]).ok("ls"))), expected([1, 1, 2, 2]));

    // Whatever stays bad dies the same death: the same bytes, the same reason.
    let essence = |letter: &Message| (letter.value.clone(), letter.header("hub.reason").unwrap().to_owned(), letter.key.clone(), letter.timestamp_ms);
    let before: Vec<_> = all_letters(&client, &names).iter().map(essence).collect();
    run_hub(&broker, &client, &names, &NARROW);
    let after: Vec<_> = all_letters(&client, &names).iter().map(essence).collect();
    // The one of `utf8` was sent twice.
    let expected: Vec<_> = before.iter().map(|letter| if letter.1 == "utf8" { 3 } else { 2 }).collect();
    let found: Vec<_> = before.iter().map(|letter| after.iter().filter(|again| *again == letter).count()).collect();
    assert_eq!((found, after.len()), (expected, 13));
}

#[test]
fn nothing_is_sent_that_cannot_be_remembered() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("dlt-full"));
    client.create_topics(&names.topics());
    // Every other letter is of another reason: a filter leaves out every other one.
    client.produce(&(0..3_000).map(|number| letter(&names, number, if number % 2 == 0 { "levels" } else { "json" })).collect::<Vec<_>>());
    let ran = dlt(&broker, &names, &["replay", "--reason", "levels"]);
    ran.failed(75, &["no more can be remembered"]);
    let first = input(&client, &names).len();
    assert!((500..1_500).contains(&first), "some hundred stretches: {first}");
    let second = dlt(&broker, &names, &["replay"]).ok("the rest");
    assert!(second.starts_with(&format!("{} sent, 0 skipped, ", 3_000 - first)), "{second}");
    let mut values: Vec<_> = input(&client, &names).into_iter().map(|message| message.value).collect();
    values.sort_unstable();
    values.dedup();
    assert_eq!((values.len(), input(&client, &names).len()), (3_000, 3_000), "each once");
}

#[test]
fn letters_of_transactions_are_replayed_once() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("dlt-transactions"));
    client.create_topics(&names.topics());
    for (numbers, commits) in [(0..2, true), (2..4, false), (4..6, true), (6..8, false)] {
        let letters: Vec<_> = numbers.map(|number| letter(&names, number, if number % 2 == 0 { "levels" } else { "json" })).collect();
        client.transact("dlt-transactions", &letters, commits);
    }
    let heads = [&["--reason", "levels"][..], &[], &[]].map(|filters| {
        let said = dlt(&broker, &names, &[&["replay"], filters].concat()).ok("replay");
        said.lines().next().unwrap().to_owned()
    });
    assert_eq!(
        heads,
        [
            "2 sent, 0 skipped, 0 passed over as sent before, 2 left out by filters",
            "2 sent, 0 skipped, 1 passed over as sent before, 0 left out by filters",
            "0 sent, 0 skipped, 0 passed over as sent before, 0 left out by filters",
        ]
    );
    // Behind the last mark nothing is left to look at: all of the log counts as done.
    let topic = names.dead_letters(ASIA_ORDERBOOK);
    let place = (topic.clone(), Exchange::Gateio.partition());
    assert_eq!(client.committed("market-hub-dlt", &topic)[&place], client.ends(std::slice::from_ref(&topic))[&place]);
}

#[test]
fn letters_are_shown_and_never_act_on_a_terminal() {
    let Some(broker) = broker::shared() else { return };
    let (client, names) = (broker.client(), Names::of("dlt-show"));
    client.create_topics(&names.topics());
    dead_letters_of_all_kinds(&client, &names);
    run_hub(&broker, &client, &names, &NARROW);
    let ticker = names.dead_letters(KOREA_TICKER);

    let text = dlt(&broker, &names, &["show"]).ok("show");
    assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
    assert_eq!(text.matches("  reason     ").count(), 6, "{text}");
    for part in [
        format!("{ticker}, partition 0, offset 1\n"),
        format!("  origin     {}, partition 0, offset 0, frame 2\n", names.input(KOREA_TICKER)),
        "  header     trace: \\u{1b}[2J\\xff\n".to_owned(),
        ", whole envelope\n".to_owned(),
    ] {
        assert!(text.contains(&part), "{part:?} is not in\n{text}");
    }

    let lines = json_lines(&dlt(&broker, &names, &["show", "--json", "--topic", &ticker]).ok("show --json"));
    assert_eq!(lines.iter().map(|line| line["offset"].as_i64().unwrap()).collect::<Vec<_>>(), [0, 1, 2, 3]);
    let found: Vec<_> = letters_of(&client, &ticker, 0);
    for (line, letter) in lines.iter().zip(&found) {
        assert_eq!(line["reason"].as_str(), letter.header("hub.reason"));
        assert_eq!(line["timestamp_ms"].as_i64(), Some(letter.timestamp_ms));
        assert_eq!(line["origin"]["frame"].as_u64().map(|frame| frame.to_string()).as_deref(), letter.header("hub.frame"));
        assert_eq!(line["headers"].as_array().unwrap().len(), letter.headers.len());
    }
    assert_eq!(lines[2]["value"]["b64"], "eyJ0cmFkZV9wcmljZSI6Iu2gvSJ9", "what is no text comes as base64: {}", lines[2]);

    let one = ["show", "--json", "--topic", &names.input(KOREA_TICKER), "--partition", "0", "--offset", "3"];
    assert_eq!(json_lines(&dlt(&broker, &names, &one).ok("one"))[0]["reason"], "json");
    dlt(&broker, &names, &["show", "--reason", "depth"]).failed(1, &["there is no such dead letter"]);
    dlt(&broker, &names, &["show", "--topic", "elsewhere"]).failed(78, &["no lane has that dead-letter topic", &ticker]);
    dlt(&broker, &names, &["show", "--offset", "1"]).failed(2, &["--topic"]);
}

#[test]
fn what_is_missing_is_named() {
    let Some(broker) = broker::shared() else { return };
    let names = Names::of("dlt-missing");
    let there: Vec<_> = names.topics().into_iter().filter(|(topic, _)| *topic == names.dead_letters(KOREA_TICKER)).collect();
    broker.client().create_topics(&there);
    for command in ["ls", "show", "replay"] {
        dlt(&broker, &names, &[command]).failed(69, &[&names.dead_letters(ASIA_ORDERBOOK), "is missing"]);
    }
    assert_eq!(dlt(&broker, &names, &["ls", "--lanes", "korea-ticker"]).ok("only what is there"), "no dead letters\n");
    dlt(&broker, &names, &["ls", "--lanes", "korea-ticker:4"]).failed(69, &["has 4 partitions"]);
    let nobody = ["ls", "--brokers", "127.0.0.1:1", "--start-deadline-s", "1"];
    dlt(&broker, &names, &nobody).failed(69, &["127.0.0.1:1"]);
}

// -------------------------------------------------------------------------------------------------------------- what the scenarios are made of

/// The timestamp of the first input record.
const T0: i64 = 1_790_000_000_000;

fn dlt(broker: &Broker, names: &Names, arguments: &[&str]) -> super::support::hub::Ran {
    HubCommand::new(&["dlt", arguments[0]], broker, names).with(&arguments[1..]).ran()
}

/// Lets a hub get through all that is there.
fn run_hub(broker: &Broker, client: &Client, names: &Names, settings: &[&str]) {
    let mut hub = HubCommand::run(broker, names).with(&["--commit-interval-ms", "50"]).with(settings).start();
    hub.wait_until_caught_up(client, names, CATCH_UP_BOUND);
    hub.terminate().assert_clean("caught up");
}

/// An envelope of Gate.io books, each told by its best bid, with so many levels a side.
fn books(names: &Names, books: &[(u64, u64)]) -> Message {
    let side = |first: u64, levels: u64| (0..levels).map(|level| format!(r#"["{}","1"]"#, first + level)).collect::<Vec<_>>().join(",");
    // Bids go down from the number, so that it is the best; a million above all of them are the asks.
    let bids = |number: u64, levels: u64| (0..levels).map(|level| format!(r#"["{}.{}","1"]"#, number + 1, 9 - level)).collect::<Vec<_>>().join(",");
    let frame = |(number, levels): &(u64, u64)| {
        format!(
            r#"{{"time_ms":1790000000000,"channel":"spot.order_book","event":"update","result":{{"bids":[{}],"asks":[{}]}}}}"#,
            bids(*number, *levels),
            side(1_000_000, *levels)
        )
    };
    let items: Vec<String> = books.iter().map(|book| serde_json::to_string(&frame(book)).unwrap()).collect();
    let value = format!(r#"{{"region":"asia","market":"GATEIO","symbol":"BTC","data":[{}]}}"#, items.join(","));
    Message {
        key: Some(b"GATEIO:BTC".to_vec()),
        headers: vec![("trace".to_owned(), Some(vec![0xff]))],
        ..Message::new(&names.input(ASIA_ORDERBOOK), Exchange::Gateio.partition(), &value)
    }
}

/// A dead letter of a frame as a hub writes it, told by its number.
fn letter(names: &Names, number: i64, reason: &str) -> Message {
    let (input, offset, frame) = (names.input(ASIA_ORDERBOOK), number.to_string(), format!(r#"{{"number":{number}}}"#));
    let headers = [
        ("__connect.errors.topic", input.as_str()),
        ("__connect.errors.partition", "2"),
        ("__connect.errors.offset", &offset),
        ("hub.reason", reason),
        ("hub.frame", "0"),
        ("hub.region", "Asia"),
        ("hub.market", "GATEIO"),
        ("hub.symbol", "BTC"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), Some(value.as_bytes().to_vec()))).to_vec();
    Message { headers, ..Message::new(&names.dead_letters(ASIA_ORDERBOOK), Exchange::Gateio.partition(), &frame) }
}

/// Six dead letters: on tickers, with an escape sequence in a header, two of `number`, one of `utf8`, one whole
/// envelope; two books.
fn dead_letters_of_all_kinds(client: &Client, names: &Names) {
    let at = |message: Message, later: i64| Message { timestamp_ms: T0 + later, ..message };
    let ticker = |value: &str| Message {
        key: Some(b"UPBIT:BTC".to_vec()),
        headers: vec![("trace".to_owned(), Some(b"\x1b[2J\xff".to_vec()))],
        ..Message::new(&names.input(KOREA_TICKER), 0, value)
    };
    let envelope = |items: &str| format!(r#"{{"region":"korea","market":"UPBIT","symbol":"BTC","data":[{items}]}}"#);
    client.produce(&[
        at(ticker(&envelope(r#""ping",{"trade_price":1},{"trade_price":"x"}"#)), 0),
        at(ticker(&envelope(r#""{\"trade_price\":\"y\"}""#)), 1),
        at(ticker(&envelope(r#""{\"trade_price\":\"\ud83d\"}""#)), 2),
        at(ticker("no envelope"), 3),
        at(books(names, &[(1, 3)]), 0),
        at(books(names, &[(2, 3)]), 10),
    ]);
}

/// The numbers of the books whose records are there, in order.
fn prices(client: &Client, names: &Names) -> Vec<u64> {
    let place = (names.output(ASIA_ORDERBOOK), Exchange::Gateio.partition());
    let number = |message: &Message| {
        let record: Value = serde_json::from_str(message.text()).unwrap();
        record["highest_bid"].as_f64().unwrap() as u64 - 1
    };
    client.read(std::slice::from_ref(&place.0))[&place].iter().map(number).collect()
}

fn letters_of(client: &Client, topic: &str, partition: i32) -> Vec<Message> {
    client.read(&[topic.to_owned()]).remove(&(topic.to_owned(), partition)).unwrap()
}

/// The dead letters of Gate.io's books.
fn letters(client: &Client, names: &Names) -> Vec<Message> {
    letters_of(client, &names.dead_letters(ASIA_ORDERBOOK), Exchange::Gateio.partition())
}

/// All dead letters, topic by topic.
fn all_letters(client: &Client, names: &Names) -> Vec<Message> {
    letters_of(client, &names.dead_letters(KOREA_TICKER), 0).into_iter().chain(letters(client, names)).collect()
}

/// The input of Gate.io's books.
fn input(client: &Client, names: &Names) -> Vec<Message> {
    letters_of(client, &names.input(ASIA_ORDERBOOK), Exchange::Gateio.partition())
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
