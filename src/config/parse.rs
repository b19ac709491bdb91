//! Reads the settings whose values are more than a number or a choice: broker lists, topic names, Kraken's decimals.

use super::store::Shelf;
use crate::rules::{PairDecimals, Rules};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use url::Url;

/// The highest number of decimals a pair may have: as many as a number of the contract.
const DECIMALS_MAX: u8 = 18;

/// Checks `host:port,host:port` and gives it back without white space. A host may be an IPv6 address in brackets.
pub(super) fn brokers(text: &str) -> Result<String, Vec<String>> {
    let mut wrong = Vec::new();
    let mut found = Vec::new();
    for broker in text.split(',').map(str::trim) {
        match broker_problem(broker) {
            None => found.push(broker),
            Some(why) => wrong.push(format!("{broker:?} {why}")),
        }
    }
    if wrong.is_empty() { Ok(found.join(",")) } else { Err(wrong) }
}

fn broker_problem(broker: &str) -> Option<&'static str> {
    if broker.contains("://") {
        return Some("begins with a protocol; give that as KAFKA_CLIENT_SECURITY_PROTOCOL");
    }
    let Some((host, port)) = broker.rsplit_once(':') else {
        return Some("has no port");
    };
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let good_host = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
    };
    if !good_host {
        return Some("has no good host before the port; an IPv6 address stands in brackets");
    }
    let good_port = port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
    (!good_port).then_some("has no port of 1..=65535")
}

/// Reads `address:port`, where an IPv6 address stands in brackets, or `off`.
pub(super) fn address_or_off(text: &str) -> Result<Option<SocketAddr>, Vec<String>> {
    match text.trim() {
        text if text.eq_ignore_ascii_case("off") => Ok(None),
        text => text.parse().map(Some).map_err(|_| vec!["is neither an address with a port, such as 127.0.0.1:9464 or [::1]:9464, nor off".to_owned()]),
    }
}

/// Checks that Kafka allows `text` as a topic's name.
pub(super) fn topic(text: &str) -> Result<String, Vec<String>> {
    if text.is_empty() || text.len() > 249 {
        return Err(vec!["has 1 to 249 characters".to_owned()]);
    }
    if text == "." || text == ".." {
        return Err(vec!["is a name that Kafka refuses".to_owned()]);
    }
    topic_part(text)
}

/// As [`topic`]; empty text is none.
pub(super) fn topic_or_none(text: &str) -> Result<Option<String>, Vec<String>> {
    if text.is_empty() { Ok(None) } else { topic(text).map(Some) }
}

/// Checks that every character of `text` may stand in a topic's name.
pub(super) fn topic_part(text: &str) -> Result<String, Vec<String>> {
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        Ok(text.to_owned())
    } else {
        Err(vec!["has characters other than letters, digits, '.', '_' and '-'".to_owned()])
    }
}

/// Checks the name of a consumer group: any text without control characters.
pub(super) fn group(text: &str) -> Result<String, Vec<String>> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err(vec!["is blank or has control characters".to_owned()]);
    }
    Ok(text.to_owned())
}

/// The default table of decimals with the pairs of `BTC/USD=1:8,ETH/USD=2:8` added or replaced.
pub(super) fn kraken_decimals(text: &str) -> Result<BTreeMap<String, PairDecimals>, Vec<String>> {
    let mut given = BTreeMap::new();
    let mut wrong = Vec::new();
    for item in text.split(|c: char| c == ',' || c.is_whitespace()).filter(|item| !item.is_empty()) {
        match pair_decimals(item) {
            None => wrong.push(format!("{item:?} is not PAIR=PRICE:QUANTITY with decimals of 0..={DECIMALS_MAX}")),
            Some((pair, decimals)) => {
                if given.insert(pair.clone(), decimals).is_some() {
                    wrong.push(format!("{pair} is given twice"));
                }
            }
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut table = Rules::default().kraken_decimals;
    table.extend(given);
    Ok(table)
}

fn pair_decimals(item: &str) -> Option<(String, PairDecimals)> {
    let (pair, decimals) = item.split_once('=')?;
    let (base, quote) = pair.split_once('/')?;
    let is_coin = |coin: &str| !coin.is_empty() && coin.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    let (price, quantity) = decimals.split_once(':')?;
    let count = |text: &str| text.parse::<u8>().ok().filter(|count| *count <= DECIMALS_MAX && !text.starts_with('+'));
    let decimals = PairDecimals { price: count(price)?, quantity: count(quantity)? };
    (is_coin(base) && is_coin(quote)).then(|| (pair.to_ascii_uppercase(), decimals))
}

/// Reads `http://host:port` or `https://host`; without a protocol `http` is meant.
pub(super) fn endpoint(text: &str) -> Result<Url, Vec<String>> {
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&whole).map_err(|error| vec![format!("is no URL: {error}")])?;
    let problem = match url.scheme() {
        _ if !url.username().is_empty() || url.password().is_some() => Some("has a user in it; credentials have variables of their own"),
        _ if url.query().is_some() || url.fragment().is_some() => Some("has a query or a fragment"),
        "https" if !cfg!(feature = "ssl") => Some("needs TLS, which this build has not; allowed with a build by `cargo build --release --features ssl`"),
        "http" | "https" => None,
        _ => Some("begins neither with http:// nor with https://"),
    };
    problem.map_or(Ok(url), |why| Err(vec![why.to_owned()]))
}

/// Checks the name of an S3 region.
pub(super) fn region(text: &str) -> Result<String, Vec<String>> {
    let good = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if good { Ok(text.to_owned()) } else { Err(vec!["is empty, or has characters other than letters, digits and '-'".to_owned()]) }
}

/// Checks the name of a bucket as S3 wants it.
pub(super) fn bucket(text: &str) -> Result<String, Vec<String>> {
    let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let inner = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte));
    if (3..=63).contains(&text.len()) && inner && is_end(text.bytes().next()) && is_end(text.bytes().last()) && !text.contains("..") {
        Ok(text.to_owned())
    } else {
        Err(vec!["is no bucket name: 3 to 63 of a-z, 0-9, '.' and '-', with a letter or digit at both ends".to_owned()])
    }
}

/// Reads `TOPIC=BUCKET:RECORDS, ...`; nothing gives an empty list.
pub(super) fn shelves(text: &str) -> Result<Vec<(String, Shelf)>, Vec<String>> {
    let mut found: Vec<(String, Shelf)> = Vec::new();
    let mut wrong = Vec::new();
    for item in text.split(|c: char| c == ',' || c.is_whitespace()).filter(|item| !item.is_empty()) {
        match one_shelf(item) {
            Err(why) => wrong.push(format!("{item:?}: {why}")),
            Ok((topic, _)) if found.iter().any(|(other, _)| *other == topic) => wrong.push(format!("{topic} is given twice")),
            Ok(shelf) => found.push(shelf),
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(wrong) }
}

fn one_shelf(item: &str) -> Result<(String, Shelf), String> {
    let form = || "is not TOPIC=BUCKET:RECORDS".to_owned();
    let (name, rest) = item.split_once('=').ok_or_else(form)?;
    let (place, records) = rest.split_once(':').ok_or_else(form)?;
    let first = |wrong: Vec<String>| wrong.concat();
    let records = records.parse().ok().filter(|records| (1..=100_000).contains(records)).ok_or("an object holds 1 to 100000 records")?;
    Ok((topic(name).map_err(first)?, Shelf { bucket: bucket(place).map_err(first)?, records }))
}

/// A directory, or nothing.
pub(super) fn dir_or_none(text: &str) -> Result<Option<PathBuf>, Vec<String>> {
    match text {
        "" => Ok(None),
        text if text.chars().any(char::is_control) => Err(vec!["has characters that no path should have".to_owned()]),
        text => Ok(Some(text.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_need_host_and_port() {
        assert_eq!(brokers("a:1, b.c-d:65535 ,[::1]:9092").as_deref(), Ok("a:1,b.c-d:65535,[::1]:9092"));
        for text in ["", "a", "a:", ":1", "a:0", "a:65536", "a:+1", "a:1,", "a b:1", "::1:9092", "[x]:1", "SSL://a:1", "a:1/x"] {
            assert_eq!(brokers(text).expect_err(text).len(), 1, "{text}");
        }
        assert_eq!(brokers("x,y").expect_err("both").len(), 2);
    }

    #[test]
    fn topics_are_what_kafka_allows() {
        assert!(topic("Region.Korea_Ticker-1").is_ok());
        assert!(topic(&"x".repeat(249)).is_ok());
        for text in ["", ".", "..", "a b", "a/b", "\u{e9}", &"x".repeat(250)] {
            assert!(topic(text).is_err(), "{text}");
        }
        assert!(group("any group, really").is_ok());
        assert!(group(" ").is_err());
    }

    #[test]
    fn stores_are_named_by_url_and_buckets_by_the_rules_of_s3() {
        assert_eq!(endpoint("http://minio:9000/").map(String::from).as_deref(), Ok("http://minio:9000/"));
        assert_eq!(endpoint("minio:9000").map(String::from).as_deref(), Ok("http://minio:9000/"));
        for text in ["", "ftp://x", "http://", "http://me:pw@x", "http://x?y", "http://x:99999"] {
            assert_eq!(endpoint(text).expect_err(text).len(), 1, "{text}");
        }
        assert!(bucket("a.b-1").is_ok());
        for text in ["", "ab", "Abc", "-abc", "abc.", "a..b", "a_b", &"x".repeat(64)] {
            assert!(bucket(text).is_err(), "{text}");
        }
        let shelf = Shelf { bucket: "more".to_owned(), records: 7 };
        assert_eq!(shelves("A.b=more:7"), Ok(vec![("A.b".to_owned(), shelf)]));
        for text in ["A", "A=b", "A=more", "A=more:0", "A=m:1", "a/b=more:1", "A=more:1,A=more:2"] {
            assert_eq!(shelves(text).expect_err(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn decimals_add_to_the_default_table() {
        let table = kraken_decimals("sol/usd=2:8, BTC/USD=3:0").expect("good");
        assert_eq!(table.len(), Rules::default().kraken_decimals.len() + 1);
        assert_eq!(table["SOL/USD"], PairDecimals { price: 2, quantity: 8 });
        assert_eq!(table["BTC/USD"], PairDecimals { price: 3, quantity: 0 });
        assert_eq!(kraken_decimals(""), Ok(Rules::default().kraken_decimals));
        for text in ["BTC/USD", "BTC/USD=1", "BTC/USD=1:", "BTC/USD=1:19", "BTC/USD=-1:8", "BTC/USD=+1:8", "BTC=1:8", "/USD=1:8", "A/B=1:1,a/b=1:1"] {
            assert_eq!(kraken_decimals(text).expect_err(text).len(), 1, "{text}");
        }
    }
}
