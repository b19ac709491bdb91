//! Frames as the three exchanges send them, and decimals and times as text.

use market_hub::market::Exchange;

use super::{Levels, Pair, Update};

/// Midnight of a day: frame numbers are its milliseconds.
const DAY: &str = "2025-06-15";
const DAY_MS: u64 = 1_749_945_600_000;

/// The time of a frame in milliseconds since the epoch.
pub const fn millis(number: u64) -> u64 {
    DAY_MS + number
}

/// The number of the frame of this time.
pub fn number_at(millis: i64) -> Option<u64> {
    u64::try_from(millis).ok()?.checked_sub(DAY_MS)
}

/// The time of a frame as text, with six digits of a second.
pub fn time(number: u64, separator: &str, zone: &str) -> String {
    let (seconds, millis) = (number / 1_000, number % 1_000);
    assert!(seconds < 86_400, "a day is over");
    format!("{DAY}{separator}{:02}:{:02}:{:02}.{millis:03}000{zone}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// A whole number of steps with all its decimals.
fn fixed(steps: i128, decimals: usize) -> String {
    let digits = format!("{steps:0width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    if decimals == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

/// The plain form of the contract, section 3.
pub fn plain(steps: i128, decimals: usize) -> String {
    let fixed = fixed(steps, decimals);
    let (whole, fraction) = fixed.split_once('.').unwrap_or((&fixed, ""));
    let fraction = fraction.trim_end_matches('0');
    format!("{whole}.{}", if fraction.is_empty() { "0" } else { fraction })
}

/// The text of a frame.
pub fn frame(exchange: Exchange, pair: Pair, update: &Update) -> String {
    let Update { is_snapshot, changes, sequence: (sequence, before), checksum, number } = update;
    let symbol = pair.symbol;
    let levels = |levels: &Levels, level: fn(&str, &str) -> String| {
        let text = |(price, quantity): (&i64, &i64)| {
            level(
                &fixed((*price).into(), pair.price_decimals),
                &if *quantity == 0 { "0".to_owned() } else { fixed((*quantity).into(), pair.quantity_decimals) },
            )
        };
        levels.iter().map(text).collect::<Vec<_>>().join(",")
    };
    let sides = |level: fn(&str, &str) -> String| (levels(&changes.bids, level), levels(&changes.asks, level));
    let time = millis(*number);
    match exchange {
        Exchange::Okx => {
            let (bids, asks) = sides(|price, quantity| format!(r#"["{price}","{quantity}","0","1"]"#));
            let (action, before) = if *is_snapshot { ("snapshot", "-1".to_owned()) } else { ("update", before.to_string()) };
            format!(
                r#"{{"arg":{{"channel":"books","instId":"{symbol}-USDT"}},"action":"{action}","data":[{{"asks":[{asks}],"bids":[{bids}],"ts":"{time}","checksum":0,"seqId":{sequence},"prevSeqId":{before}}}]}}"#
            )
        }
        Exchange::Bybit => {
            let (bids, asks) = sides(|price, quantity| format!(r#"["{price}","{quantity}"]"#));
            let kind = if *is_snapshot { "snapshot" } else { "delta" };
            // An update number of 1 would be a snapshot of its own right.
            let sequence = sequence + 1_000;
            format!(
                r#"{{"topic":"orderbook.50.{symbol}USDT","ts":{time},"type":"{kind}","data":{{"s":"{symbol}USDT","b":[{bids}],"a":[{asks}],"u":{sequence},"seq":{sequence}}},"cts":{time}}}"#
            )
        }
        Exchange::Kraken => {
            let (bids, asks) = sides(|price, quantity| format!(r#"{{"price":{price},"qty":{quantity}}}"#));
            let kind = if *is_snapshot { "snapshot" } else { "update" };
            let timestamp = self::time(*number, "T", "Z");
            format!(
                r#"{{"channel":"book","type":"{kind}","data":[{{"symbol":"{symbol}/USD","bids":[{bids}],"asks":[{asks}],"checksum":{checksum},"timestamp":"{timestamp}"}}]}}"#
            )
        }
        _ => unreachable!("an exchange that changes books by deltas"),
    }
}
