//! Reads the settings whose values are more than a number or a choice: broker lists, topic names, Kraken's decimals.

use crate::rules::{PairDecimals, Rules};
use std::collections::BTreeMap;

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
