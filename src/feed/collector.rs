//! What the Python collector does to frames: spells them again, cuts tickers to columns, wraps them in envelopes (`wire/README.md`).
//!
//! Works on text, so that a broken frame passes through it as well.

use super::number;
use std::fmt::Write as _;

/// The frame read and written again by Python: `", "` and `": "`, bare numbers through a float, non-ASCII as `\uXXXX`.
pub(super) fn respell(frame: &str) -> String {
    let mut out = String::with_capacity(frame.len() + frame.len() / 4);
    let mut rest = frame;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            '-' | '0'..='9' => rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        match first {
            '"' => escape_non_ascii(token, &mut out),
            '-' | '0'..='9' => number::python(token, &mut out),
            ',' | ':' => {
                out.push(first);
                out.push(' ');
            }
            _ => out.push(first),
        }
        rest = after;
    }
    out
}

/// Bytes of the JSON string at the start of `text`, quotes included; all of `text` where it does not end.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn escape_non_ascii(text: &str, out: &mut String) {
    if text.is_ascii() {
        return out.push_str(text);
    }
    let mut units = [0; 2];
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            c.encode_utf16(&mut units).iter().for_each(|unit| _ = write!(out, "\\u{unit:04x}"));
        }
    }
}

/// Appends the envelope that holds `frames`, as Python's `json.dumps` writes it.
pub(super) fn envelope<'a>(region: &str, market: &str, symbol: &str, frames: impl Iterator<Item = &'a str>, out: &mut Vec<u8>) {
    let mut text = format!(r#"{{"region": "{}", "market": "{market}", "symbol": "{symbol}", "data": ["#, region.to_ascii_lowercase());
    for (index, frame) in frames.enumerate() {
        text.push_str(if index == 0 { "\"" } else { ", \"" });
        let mut plain = frame;
        while let Some(at) = plain.find(['"', '\\']) {
            escape_non_ascii(&plain[..at], &mut text);
            text.push('\\');
            text.push_str(&plain[at..=at]);
            plain = &plain[at + 1..];
        }
        escape_non_ascii(plain, &mut text);
        text.push('"');
    }
    text.push_str("]}");
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_spelled_as_python_does() {
        let raw = r#"{"a":[1.16539E8,0E-8,12],"b":"1.50, \"x\":","c":{"d":null,"e":-0.00005100}}"#;
        assert_eq!(respell(raw), r#"{"a": [116539000.0, 0.0, 12], "b": "1.50, \"x\":", "c": {"d": null, "e": -5.1e-05}}"#);
        assert_eq!(respell("{\"m\":\"가😀\"}"), r#"{"m": "\uac00\ud83d\ude00"}"#);
        assert_eq!(respell(r#"{"open":"#), r#"{"open": "#, "a broken frame stays broken");
    }

    #[test]
    fn an_envelope_gives_its_frames_back() {
        let frames = [r#"{"a": "\u00e9\\"}"#, "pong", "가"];
        let mut out = Vec::new();
        envelope("Korea", "UPBIT", "BTC", frames.into_iter(), &mut out);
        let value: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(value["region"], "korea");
        assert_eq!(value["data"], serde_json::json!(frames));
        assert!(out.is_ascii());
    }
}
