//! Bithumb: the key names of Upbit with its own order, units and times; whole books of 15 units.
//! <https://apidocs.bithumb.com/v2.1.5/reference/현재가-ticker>, <https://apidocs.bithumb.com/v2.1.5/reference/호가-orderbook>

use super::Decoded;
use super::levels::{UnitKeys, read_units};
use super::tickers::TickerLayout;
use crate::book;
use crate::decimal::Rate;
use crate::event_time::EventTime;
use crate::json::{self, Token, wire_struct};
use crate::outcome::Reason;
use crate::rules::Limits;
use crate::ticker::{Columns, Numbers, Ticker, rate_of};

wire_struct! {
    /// A ticker, an order book or an answer of the socket. Numbers are bare, large ones with an exponent.
    ///
    /// ```json
    /// {"type":"ticker","code":"KRW-BTC","opening_price":96510000.00000000,"high_price":96900000.00000000,"low_price":95800000.00000000,
    ///  "trade_price":96200000.00000000,"prev_closing_price":96510000.00000000,"signed_change_price":-310000.00000000,
    ///  "signed_change_rate":-0.0032121024,"acc_trade_volume_24h":1804.33396972,"timestamp":1758875206974}
    /// {"type":"orderbook","code":"KRW-BTC","timestamp":1790134743006,"total_ask_size":1.83604250,"total_bid_size":1.62306717,
    ///  "orderbook_units":[{"ask_price":1.1653E8,"bid_price":1.1652E8,"ask_size":0.02054000,"bid_size":0.06612000}],"level":0}
    /// ```
    Frame {
        kind: "type",
        status: "status",
        error: "error",
        resmsg: "resmsg",
        data: "data",
        result: "result",
        timestamp: "timestamp",
        opening_price: "opening_price",
        trade_price: "trade_price",
        high_price: "high_price",
        low_price: "low_price",
        prev_closing_price: "prev_closing_price",
        acc_trade_volume_24h: "acc_trade_volume_24h",
        signed_change_price: "signed_change_price",
        signed_change_rate: "signed_change_rate",
        orderbook_units: "orderbook_units",
    }
}

const UNIT_KEYS: UnitKeys = ["ask_price", "ask_size", "bid_price", "bid_size"];

/// Bithumb's tickers.
pub(super) struct Layout;

impl TickerLayout for Layout {
    type Frame<'a> = Frame<'a>;

    fn is_control(frame: &Frame<'_>) -> bool {
        is_control(frame)
    }

    fn columns<'w>(frame: &'w Frame<'_>) -> Columns<'w> {
        Columns {
            opening: &frame.opening_price,
            trade: &frame.trade_price,
            max: &frame.high_price,
            min: &frame.low_price,
            prev_closing: &frame.prev_closing_price,
            volume: &frame.acc_trade_volume_24h,
            change: &frame.signed_change_price,
            rate: &frame.signed_change_rate,
        }
    }

    fn containers<'w>(frame: &'w Frame<'_>) -> [&'w Token<'w>; 2] {
        [&frame.data, &frame.result]
    }

    fn time(frame: &Frame<'_>, _inner: &Frame<'_>, chars_max: usize) -> Option<EventTime> {
        EventTime::of_number(&frame.timestamp, chars_max)
    }

    fn ticker(numbers: Numbers) -> Ticker {
        let change = numbers.change.or_else(|| numbers.change_from(numbers.prev_closing));
        let rate = numbers.rate.and_then(Rate::fraction).or_else(|| rate_of(change, numbers.prev_closing));
        numbers.with_change(change, rate)
    }
}

/// Reads a whole book.
pub(super) fn read_book(text: &str, limits: &Limits, book: &mut book::Frame) -> Result<Decoded<()>, Reason> {
    let frame: Frame<'_> = json::read(text, limits.depth)?;
    if is_control(&frame) {
        return Ok(Decoded::Control);
    }
    read_units(&frame.orderbook_units, &UNIT_KEYS, limits, book)?;
    book.time = EventTime::of_number(&frame.timestamp, limits.number_chars);
    Ok(Decoded::Data(()))
}

fn is_control(frame: &Frame<'_>) -> bool {
    !frame.kind.is_there() && [&frame.status, &frame.error, &frame.resmsg].into_iter().any(Token::is_there)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{book, is_data, levels, micros, ticker};
    use crate::book::Action;
    use crate::market::{Exchange::Bithumb, Kind};
    use crate::outcome::Reason;

    #[test]
    fn raw_and_flattened_tickers_tell_the_same() {
        let raw = r#"{"type":"ticker","code":"KRW-XYZ","opening_price":500,"high_price":520,"low_price":480,"trade_price":490,"prev_closing_price":500,
            "change":"FALL","signed_change_price":-10,"signed_change_rate":-0.02000000,"acc_trade_volume_24h":77.70,"delisting_date":null,"timestamp":1700000000999}"#;
        let flat = r#"{"opening_price": 500, "high_price": 520.0, "low_price": 4.8e+2, "trade_price": 490, "prev_closing_price": 500,
            "signed_change_price": -10.0, "signed_change_rate": -0.02, "acc_trade_volume_24h": 77.7, "timestamp": 1700000000999}"#;
        let expected = "500.0 490.0 520.0 480.0 500.0 77.7 -10.0 -0.020000 @1700000000999000";
        assert_eq!([ticker(Bithumb, raw), ticker(Bithumb, flat)], [expected; 2]);
        let nested = format!(r#"{{"timestamp":1700000000999,"data":[{flat}]}}"#);
        assert_eq!(ticker(Bithumb, &nested), expected);
    }

    #[test]
    fn change_and_rate_are_computed_where_they_are_not_sent() {
        let with = |rest: &str| ticker(Bithumb, &format!(r#"{{"trade_price":[[490],1]{rest}}}"#));
        assert_eq!(with(r#","prev_closing_price":500"#), "- 490.0 - - 500.0 - -10.0 -0.020000 @-");
        assert_eq!(with(r#","prev_closing_price":0,"signed_change_price":-1"#), "- 490.0 - - 0.0 - -1.0 - @-");
        assert_eq!(with(r#","signed_change_rate":0.0000005"#), "- 490.0 - - - - - 0.000001 @-", "half a millionth is rounded away from zero");
        assert_eq!(with(r#","prev_closing_price":[]"#), "- 490.0 - - - - - - @-", "an empty list is null");
    }

    #[test]
    fn books_have_times_in_microseconds_or_milliseconds() {
        let at = |time: &str| {
            let text = format!(r#"{{"orderbook_units":[{{"ask_price":3715000,"bid_price":0,"ask_size":8.40,"bid_size":0}}],"timestamp":{time}}}"#);
            let frame = book(Bithumb, &text);
            assert_eq!((levels(&frame).as_str(), frame.action), ("0.0x0.0 | 3715000.0x8.4", Action::Whole));
            micros(&frame)
        };
        assert_eq!(at("1700000000123456"), Some(1_700_000_000_123_456));
        assert_eq!(at(r#""1700000000123""#), Some(1_700_000_000_123_000));
        assert_eq!(at("[1700000000123]"), None, "the list rule is for columns alone");
    }

    #[test]
    fn control_and_rejections() {
        for kind in Kind::ALL {
            for text in [r#"{"status":"0000","resmsg":"hello"}"#, r#"{"error":{"name":"NO_TYPE","message":"\uac00"}}"#] {
                assert_eq!(is_data(Bithumb, kind, text), Ok(false), "{text}");
            }
        }
        assert_eq!(is_data(Bithumb, Kind::Ticker, r#"{"type":"ticker","content":{"closePrice":"1"}}"#), Err(Reason::Shape));
        assert_eq!(is_data(Bithumb, Kind::Ticker, r#"{"trade_price":-1}"#), Err(Reason::Missing));
        assert_eq!(is_data(Bithumb, Kind::Ticker, r#"{"trade_price":1e20}"#), Err(Reason::Number));
        assert_eq!(is_data(Bithumb, Kind::Orderbook, r#"{"orderbook_units":{}}"#), Err(Reason::Shape));
        let unit = r#"{"ask_price":1,"ask_size":1,"bid_price":null,"bid_size":1}"#;
        assert_eq!(is_data(Bithumb, Kind::Orderbook, &format!(r#"{{"orderbook_units":[{unit}]}}"#)), Err(Reason::Number));
        assert_eq!(is_data(Bithumb, Kind::Orderbook, &format!(r#"{{"orderbook_units":[{}1]}}"#, "1,".repeat(5_000))), Err(Reason::Levels));
    }
}
