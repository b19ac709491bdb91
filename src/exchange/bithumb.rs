//! Bithumb (API 2): the key names of Upbit in its own order; books of 15 units with sizes of 4 decimals, and times in
//! microseconds, milliseconds until 2024.
//! <https://apidocs.bithumb.com/v2.1.5/reference/현재가-ticker>, <https://apidocs.bithumb.com/v2.1.5/reference/호가-orderbook>
//!
//! ```json
//! {"type":"ticker","code":"KRW-BTC","opening_price":484000,"high_price":493000,"low_price":472000,"trade_price":493000,
//!  "prev_closing_price":484000,"change":"RISE","signed_change_price":9000,"signed_change_rate":0.01859504,
//!  "acc_trade_volume_24h":13386.15,"delisting_date":null,"timestamp":1725927377931,"stream_type":"REALTIME"}
//! {"type":"orderbook","code":"KRW-ETH","total_ask_size":370.1,"total_bid_size":288.3,
//!  "orderbook_units":[{"ask_price":3715000,"bid_price":3714000,"ask_size":8.45,"bid_size":4.1}],"level":1,
//!  "timestamp":1790133505627050,"stream_type":"REALTIME"}
//! ```

use super::scan::{self, Value, member, whole};
pub(super) use super::units::{Layout, read_book};

/// Books as they are sent.
pub(super) const BOOKS: &[scan::Layout] = &[scan::Layout {
    members: &[
        member("type", Value::Text),
        member("code", Value::Text),
        member("total_ask_size", Value::Number),
        member("total_bid_size", Value::Number),
        member("orderbook_units", Value::Units),
        member("level", Value::Number),
        member("timestamp", Value::Time(0)),
        member("stream_type", Value::Text),
    ],
    finish: whole,
}];

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
