//! Records as bytes, field by field in the order of the contract, without white space (sections 4 and 6).

use crate::book::Summary;
use crate::decimal::{Amount, Decimal};
use crate::envelope::Symbol;
use crate::event_time::EventTime;
use crate::market::Exchange;
use crate::ticker::Ticker;

/// Appends the key of a record: `OKX:BTC`.
pub fn write_key(exchange: Exchange, symbol: &Symbol, out: &mut Vec<u8>) {
    out.extend_from_slice(exchange.as_str().as_bytes());
    out.push(b':');
    out.extend_from_slice(symbol.as_bytes());
}

/// Appends a ticker record.
pub fn write_ticker(exchange: Exchange, symbol: &Symbol, time: EventTime, ticker: &Ticker, out: &mut Vec<u8>) {
    write_head(exchange, symbol, out);
    out.extend_from_slice(b",\"timestamp\":");
    time.write_millis(out);
    let mut separator: &[u8] = b",\"data\":[{\"";
    for (name, value) in [
        ("opening_price", ticker.opening_price),
        ("trade_price", Some(ticker.trade_price)),
        ("max_price", ticker.max_price),
        ("min_price", ticker.min_price),
        ("prev_closing_price", ticker.prev_closing_price),
        ("acc_trade_volume_24h", ticker.acc_trade_volume_24h),
        ("signed_change_price", ticker.signed_change_price),
    ] {
        out.extend_from_slice(separator);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        write_quoted(value, Decimal::write, out);
        separator = b",\"";
    }
    out.extend_from_slice(b",\"signed_change_rate\":");
    write_quoted(ticker.signed_change_rate, |rate, out| rate.write(out), out);
    out.extend_from_slice(b"}]}");
}

/// Appends an order-book record.
pub fn write_book(exchange: Exchange, symbol: &Symbol, time: EventTime, summary: &Summary, out: &mut Vec<u8>) {
    write_head(exchange, symbol, out);
    out.extend_from_slice(b",\"highest_bid\":");
    write_or_null(summary.best_bid, Amount::write, out);
    out.extend_from_slice(b",\"lowest_ask\":");
    write_or_null(summary.best_ask, Amount::write, out);
    out.extend_from_slice(b",\"spread\":");
    let spread = summary.best_ask.zip(summary.best_bid).map(|(ask, bid)| ask.minus(bid));
    write_or_null(spread, Decimal::write, out);
    out.extend_from_slice(b",\"total_bid_volume\":");
    summary.total_bids.write(out);
    out.extend_from_slice(b",\"total_ask_volume\":");
    summary.total_asks.write(out);
    out.extend_from_slice(b",\"timestamp\":\"");
    time.write_utc(out);
    out.extend_from_slice(b"\"}");
}

fn write_head(exchange: Exchange, symbol: &Symbol, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"region\":\"");
    out.extend_from_slice(exchange.region().as_str().as_bytes());
    out.extend_from_slice(b"\",\"market\":\"");
    out.extend_from_slice(exchange.as_str().as_bytes());
    out.extend_from_slice(b"\",\"coin_symbol\":\"");
    out.extend_from_slice(symbol.as_bytes());
    out.push(b'"');
}

fn write_or_null<T>(value: Option<T>, write: impl FnOnce(T, &mut Vec<u8>), out: &mut Vec<u8>) {
    match value {
        Some(value) => write(value, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn write_quoted<T>(value: Option<T>, write: impl FnOnce(T, &mut Vec<u8>), out: &mut Vec<u8>) {
    let quoted = |value, out: &mut Vec<u8>| {
        out.push(b'"');
        write(value, out);
        out.push(b'"');
    };
    write_or_null(value, quoted, out);
}
