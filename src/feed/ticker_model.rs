//! The ticker record that the contract promises for what a frame tells: the table of section 4, with integers.
//!
//! The second model that the product's ticker records are compared with. It is told values, not text.

use super::coin::Coin;
use super::number::Number;
use crate::market::Exchange;

/// What one ticker frame tells; `None` where it does not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    pub(super) open: Option<Number>,
    pub(super) trade: Option<Number>,
    pub(super) high: Option<Number>,
    pub(super) low: Option<Number>,
    pub(super) prev: Option<Number>,
    pub(super) volume: Option<Number>,
    pub(super) change: Option<Number>,
    /// As a fraction.
    pub(super) rate: Option<Number>,
}

/// Where a price of the record comes from.
#[derive(Clone, Copy)]
enum From {
    Open,
    Prev,
    /// trade - change
    Before,
    Nowhere,
}

/// One row of the contract's table: opening, previous close, what change and rate refer to, and whether the rate as told comes first.
const fn row(exchange: Exchange) -> (From, From, From, bool) {
    match exchange {
        Exchange::Upbit | Exchange::Bithumb => (From::Open, From::Prev, From::Prev, true),
        Exchange::Coinone | Exchange::Korbit => (From::Open, From::Prev, From::Prev, false),
        Exchange::Okx => (From::Open, From::Open, From::Open, false),
        Exchange::Bybit => (From::Prev, From::Prev, From::Prev, false),
        Exchange::Gateio => (From::Nowhere, From::Nowhere, From::Nowhere, false),
        Exchange::Binance => (From::Open, From::Prev, From::Open, false),
        Exchange::Kraken => (From::Before, From::Before, From::Before, false),
    }
}

/// The record of a frame that has a trade price.
pub(super) fn record(exchange: Exchange, coin: &Coin, told: &Told, event_ms: i64) -> String {
    let (opening, previous, base, told_first) = row(exchange);
    let price = |from| match from {
        From::Open => told.open,
        From::Prev => told.prev,
        From::Before => told.trade.zip(told.change).map(|(trade, change)| trade.minus(change)),
        From::Nowhere => None,
    };
    let change = told.change.or_else(|| told.trade.zip(price(base)).map(|(trade, base)| trade.minus(base)));
    let computed = change.zip(price(base)).and_then(|(change, base)| change.over(base, 6));
    let as_told = told.rate.map(|rate| rate.rounded(6));
    let rate = if told_first { as_told.or(computed) } else { computed.or(as_told) };
    let text = |value: Option<Number>| value.map_or_else(|| "null".to_owned(), |value| format!("\"{}\"", value.plain()));
    let rate = rate.map_or_else(|| "null".to_owned(), |rate| format!("\"{}\"", six_decimals(rate)));
    format!(
        r#"{{"region":"{}","market":"{exchange}","coin_symbol":"{}","timestamp":{event_ms}.0,"data":[{{"opening_price":{},"trade_price":{},"max_price":{},"min_price":{},"prev_closing_price":{},"acc_trade_volume_24h":{},"signed_change_price":{},"signed_change_rate":{rate}}}]}}"#,
        exchange.region().as_str(),
        coin.symbol,
        text(price(opening)),
        text(told.trade),
        text(told.high),
        text(told.low),
        text(price(previous)),
        text(told.volume),
        text(change),
    )
}

/// A rate of scale 6 with all of its decimals.
fn six_decimals(rate: Number) -> String {
    let size = rate.units.unsigned_abs();
    format!("{}{}.{:06}", if rate.units < 0 { "-" } else { "" }, size / 1_000_000, size % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(open: i128, trade: i128, change: Option<i128>, rate: Option<Number>) -> Told {
        let price = |units| Some(Number::new(units, 1));
        Told { open: price(open), prev: price(open + 10), trade: price(trade), change: change.and_then(price), rate, ..Told::default() }
    }

    fn tail(exchange: Exchange, told: &Told) -> String {
        let record = record(exchange, &Coin::new(exchange, 0), told, 1_786_538_789_464);
        record.split_once(r#""acc_trade_volume_24h":null,"#).map(|(_, tail)| tail.to_owned()).unwrap_or(record)
    }

    #[test]
    fn change_and_rate_follow_the_table() {
        let percent = Some(Number::new(-4_034, 6));
        let given = told(1_000, 1_100, Some(200), percent);
        assert_eq!(tail(Exchange::Okx, &told(1_000, 1_100, None, None)), r#""signed_change_price":"10.0","signed_change_rate":"0.100000"}]}"#);
        assert_eq!(tail(Exchange::Upbit, &given), r#""signed_change_price":"20.0","signed_change_rate":"-0.004034"}]}"#);
        assert_eq!(tail(Exchange::Korbit, &given), r#""signed_change_price":"20.0","signed_change_rate":"0.198020"}]}"#, "200 / 1010");
        assert_eq!(tail(Exchange::Binance, &given), r#""signed_change_price":"20.0","signed_change_rate":"0.200000"}]}"#);
        assert_eq!(tail(Exchange::Kraken, &given), r#""signed_change_price":"20.0","signed_change_rate":"0.222222"}]}"#, "200 / 900");
        assert_eq!(tail(Exchange::Gateio, &told(1, 1_100, None, percent)), r#""signed_change_price":null,"signed_change_rate":"-0.004034"}]}"#);
    }

    #[test]
    fn a_whole_record_reads_as_in_the_contract() {
        let (p, q) = (|units| Some(Number::new(units, 1)), Some(Number::new(587_419_398_956, 8)));
        let told = Told { open: p(643_240), trade: p(640_286), high: p(644_969), low: p(632_376), volume: q, ..Told::default() };
        assert_eq!(
            record(Exchange::Okx, &Coin::new(Exchange::Okx, 0), &told, 1_786_538_789_464),
            r#"{"region":"Asia","market":"OKX","coin_symbol":"BTC","timestamp":1786538789464.0,"data":[{"opening_price":"64324.0","trade_price":"64028.6","max_price":"64496.9","min_price":"63237.6","prev_closing_price":"64324.0","acc_trade_volume_24h":"5874.19398956","signed_change_price":"-295.4","signed_change_rate":"-0.004592"}]}"#
        );
    }
}
