//! Frames that give no record: control noise, and frames that are rejected, with the reason that the contract gives them.
//!
//! All texts are made up here after the wire pages; none is a recording.

use super::book_wire::Times;
use super::rng::Rng;
use super::template::fill;
use crate::market::{Exchange, Kind};

/// Control noise of any exchange.
const COMMON: [&str; 4] = ["{}", r#"{"processed":"skip"}"#, "pong", "PING"];

/// Control noise of one exchange, as sent.
const fn control_frames(exchange: Exchange) -> &'static [&'static str] {
    match exchange {
        Exchange::Upbit | Exchange::Bithumb => {
            &[r#"{"status":"UP"}"#, r#"{"error":{"name":"NO_CODES","message":"코드가 없어요."}}"#, r#"{"status":"9999","resmsg":"closing"}"#]
        }
        Exchange::Coinone => &[
            r#"{"response_type":"PONG"}"#,
            r#"{"response_type":"ERROR","error_code":160012,"message":"Topic?"}"#,
            r#"{"response_type":"CONNECTED","data":{"session_id":"$id"}}"#,
        ],
        Exchange::Korbit => {
            &[r#"{"status":"success","requestId":1}"#, r#"{"status":"fail","message":"format?"}"#, r#"{"event":"korbit:connected","timestamp":$ms,"data":{}}"#]
        }
        Exchange::Okx => &[
            r#"{"event":"notice","code":"64008","msg":"This connection will close.","connId":"c0ffee00"}"#,
            r#"{"event":"subscribe","arg":{"channel":"books","instId":"$pair"},"connId":"c0ffee00"}"#,
        ],
        Exchange::Bybit => &[r#"{"success":true,"ret_msg":"pong","conn_id":"c0ffee-00","op":"ping"}"#, r#"{"op":"pong","args":["$ms"],"conn_id":"c0ffee-01"}"#],
        Exchange::Gateio => &[
            r#"{"time":$seconds,"time_ms":$ms,"channel":"spot.pong","event":"","result":null}"#,
            r#"{"time":$seconds,"time_ms":$ms,"channel":"spot.tickers","event":"subscribe","error":{"code":2,"message":"pair?"},"result":{"status":"fail"}}"#,
        ],
        Exchange::Binance => &[
            r#"{"result":null,"id":12}"#,
            r#"{"code":2,"msg":"Request?"}"#,
            r#"{"e":"serverShutdown","E":$ms}"#,
            r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":$ms}}"#,
        ],
        Exchange::Kraken => &[
            r#"{"channel":"heartbeat"}"#,
            r#"{"channel":"status","type":"update","data":[{"version":"2.0.10","system":"online","api_version":"v2","connection_id":17446744073709551615}]}"#,
            r#"{"method":"pong","time_in":"$rfc","time_out":"$rfc"}"#,
        ],
    }
}

/// OKX says so after a minute without changes.
const OKX_HEARTBEAT: &str =
    r#"{"arg":{"channel":"books","instId":"$pair"},"action":"update","data":[{"asks":[],"bids":[],"ts":"$ms","checksum":0,"seqId":$seq,"prevSeqId":$seq}]}"#;

/// A frame that must be dropped and counted.
pub(super) fn control(exchange: Exchange, kind: Kind, pair: &str, seq: i64, times: Times, rng: &mut Rng) -> String {
    let own = control_frames(exchange);
    let choices = if kind == Kind::Orderbook && exchange == Exchange::Okx { 2 } else { 1 };
    let template = match rng.index(COMMON.len() + own.len() * choices) {
        at if at < COMMON.len() => COMMON[at],
        at if at - COMMON.len() < own.len() => own[at - COMMON.len()],
        _ => OKX_HEARTBEAT,
    };
    let mut out = String::new();
    fill(template, &mut out, |name, out| match name {
        "pair" => out.push_str(pair),
        "seq" => out.push_str(&seq.to_string()),
        _ => _ = times.write(name, out),
    });
    out
}

/// A good frame spoiled, and the reason of its dead letter. `number` and `missing` say what to write in place of what.
pub(super) fn poison(good: &str, number: (&str, &str), missing: (&str, &str), rng: &mut Rng) -> (String, &'static str) {
    let spoiled = |(text, instead): (&str, &str)| {
        debug_assert!(good.contains(text), "no {text} in {good}");
        good.replacen(text, instead, 1)
    };
    match rng.below(5) {
        0 => (good[..good.len() * 3 / 4].to_owned(), "json"),
        1 => ("[".repeat(1_000), "depth"),
        2 => (spoiled(number), "number"),
        3 => (spoiled(missing), "missing"),
        _ => (format!("[{good}]"), "shape"),
    }
}
