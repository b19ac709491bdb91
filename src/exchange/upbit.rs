//! Upbit: numbers are bare, large ones with an exponent; books of 30 units, 15 in old frames.
//! <https://docs.upbit.com/kr/reference/websocket-ticker>, <https://docs.upbit.com/kr/reference/websocket-orderbook>
//!
//! ```json
//! {"type":"ticker","code":"KRW-BTC","opening_price":96510000.00000000,"high_price":96900000.00000000,"low_price":95800000.00000000,
//!  "trade_price":96200000.00000000,"prev_closing_price":96510000.00000000,"signed_change_price":-310000.00000000,
//!  "signed_change_rate":-0.0032121024,"acc_trade_volume_24h":1804.33396972,"timestamp":1758875206974}
//! {"type":"orderbook","code":"KRW-BTC","timestamp":1790134743006,"total_ask_size":1.83604250,"total_bid_size":1.62306717,
//!  "orderbook_units":[{"ask_price":1.1653E8,"bid_price":1.1652E8,"ask_size":0.02054000,"bid_size":0.06612000}],"level":0}
//! ```

use super::scan::{self, Value, member, whole};
pub(super) use super::units::{Layout, read_book};

/// Books as they are sent; what follows the units is not in all of them.
pub(super) const BOOKS: &[scan::Layout] = &[scan::Layout {
    members: &[
        member("type", Value::Text),
        member("code", Value::Text),
        member("timestamp", Value::Time(0)),
        member("total_ask_size", Value::Number),
        member("total_bid_size", Value::Number),
        member("orderbook_units", Value::Units),
        member("stream_type", Value::Text),
        member("level", Value::Number),
    ],
    finish: whole,
}];

#[cfg(test)]
mod tests {
    use super::super::testing::{book, is_data, levels, micros, ticker};
    use crate::book::Action;
    use crate::market::{Exchange::Upbit, Kind};
    use crate::outcome::Reason;

    #[test]
    fn raw_and_flattened_tickers_tell_the_same() {
        let raw = r#"{"type":"ticker","code":"KRW-XYZ","opening_price":150.00000000,"high_price":1.7E2,"low_price":140.0,"trade_price":160.00000000,
            "prev_closing_price":155.00000000,"acc_trade_price":1234567890123456789012345.678,"signed_change_price":5.00000000,
            "signed_change_rate":0.0322580645,"acc_trade_volume_24h":12.34500000,"timestamp":1700000000123}"#;
        let flat = r#"{"timestamp": 1700000000123, "signed_change_rate": 0.0322580645, "opening_price": 150.0, "trade_price": 160.0, "high_price": 170.0,
            "low_price": 140.0, "prev_closing_price": 155.0, "signed_change_price": 5.0, "acc_trade_volume_24h": 12.345}"#;
        let expected = "150.0 160.0 170.0 140.0 155.0 12.345 5.0 0.032258 @1700000000123000";
        assert_eq!([ticker(Upbit, raw), ticker(Upbit, flat)], [expected; 2]);
    }

    #[test]
    fn change_and_rate_are_computed_where_they_are_not_sent() {
        let with = |rest: &str| ticker(Upbit, &format!(r#"{{"trade_price":160{rest}}}"#));
        assert_eq!(with(r#","prev_closing_price":200"#), "- 160.0 - - 200.0 - -40.0 -0.200000 @-");
        assert_eq!(with(r#","prev_closing_price":200,"signed_change_price":"","signed_change_rate":null"#), "- 160.0 - - 200.0 - -40.0 -0.200000 @-");
        assert_eq!(with(r#","prev_closing_price":200,"signed_change_price":-30"#), "- 160.0 - - 200.0 - -30.0 -0.150000 @-", "what is sent counts");
        assert_eq!(with(r#","signed_change_price":0E-8,"signed_change_rate":-1e-7"#), "- 160.0 - - - - 0.0 0.000000 @-");
        assert_eq!(with(r#","prev_closing_price":0"#), "- 160.0 - - 0.0 - 160.0 - @-");
        assert_eq!(with(""), "- 160.0 - - - - - - @-");
    }

    #[test]
    fn a_unit_is_a_level_on_each_side() {
        let frame = book(
            Upbit,
            r#"{"type":"orderbook","timestamp":1700000000123456,"orderbook_units":[{"ask_price":1.01E8,"bid_price":1.00E8,"ask_size":0.10,"bid_size":2},
            {"bid_size":"3.50","bid_price":"99","ask_size":0E-8,"ask_price":0,"more":[{}]}]}"#,
        );
        assert_eq!(levels(&frame), "100000000.0x2.0 99.0x3.5 | 101000000.0x0.1 0.0x0.0");
        assert_eq!((frame.action, micros(&frame), frame.instrument.get()), (Action::Whole, Some(1_700_000_000_123_456), None));
        assert_eq!(levels(&book(Upbit, r#"{"orderbook_units":[],"timestamp":"soon"}"#)), " | ");
    }

    #[test]
    fn control_and_rejections() {
        for kind in Kind::ALL {
            for text in [r#"{"status":"UP"}"#, r#"{"error":null}"#, r#"{"resmsg":"bye","trade_price":1,"orderbook_units":[]}"#] {
                assert_eq!(is_data(Upbit, kind, text), Ok(false), "{text}");
            }
            assert_eq!(is_data(Upbit, kind, r#"{"type":"x","status":"UP"}"#), Err(Reason::Shape), "what has a type is no control");
        }
        for (text, reason) in [
            (r#"{"trade_price":"1x","low_price":"x"}"#, Reason::Number),
            (r#"{"trade_price":0,"low_price":"x"}"#, Reason::Missing),
            (r#"{"trade_price":1,"signed_change_rate":true}"#, Reason::Number),
            (r#"{"opening_price":null}"#, Reason::Missing),
        ] {
            assert_eq!(is_data(Upbit, Kind::Ticker, text), Err(reason), "{text}");
        }
        let unit = |unit: &str| is_data(Upbit, Kind::Orderbook, &format!(r#"{{"orderbook_units":[{unit}]}}"#));
        assert_eq!(unit(r#"{"ask_price":1,"ask_size":1,"bid_price":1}"#), Err(Reason::Missing));
        assert_eq!(unit(r#"{"ask_price":1,"ask_size":-1,"bid_price":1,"bid_size":1}"#), Err(Reason::Number));
        assert_eq!(unit(r#"{"ask_price":1,"ask_size":-1,"bid_price":1,"bid_size":1},[]"#), Err(Reason::Shape), "shape comes before number");
        assert_eq!(is_data(Upbit, Kind::Orderbook, r#"{"orderbook_units":null}"#), Err(Reason::Missing));
    }
}
