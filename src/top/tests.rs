//! What is drawn and printed of pictures that are made up, and what keys do.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::json;

use super::*;

fn picture() -> Picture {
    let feed = |exchange: &str, kind: &str, state: &str, frames_per_s: f64, lag: i64, unverified: u64| {
        json!({"exchange": exchange, "kind": kind, "state": state, "frames_per_s": frames_per_s, "last_seen_s": 1.0, "skew_s": [0.01, 0.035, 0.2],
            "books_live": 40, "books_unverified": unverified, "lag": lag, "dead_letters": 3, "what_comes_later": true})
    };
    let exchanges = ["UPBIT", "BITHUMB", "COINONE", "KORBIT", "OKX", "BYBIT", "GATEIO", "BINANCE", "KRAKEN"];
    let mut feeds: Vec<_> = exchanges.iter().enumerate().map(|(index, name)| feed(name, "ticker", "OK", index as f64, 0, 0)).collect();
    feeds.extend(exchanges.iter().enumerate().map(|(index, name)| feed(name, "orderbook", "OK", 100.0 - index as f64, index as i64 * 7, index as u64 % 4)));
    feeds[13]["state"] = json!("STOP");
    let curve = json!([[50.0, 0.000_042], [99.0, 0.0031], [99.9, 0.25]]);
    let picture = json!({
        "version": "0.1.0", "phase": "running", "ready": false, "now_ms": 7_200_000, "started_ms": 0, "feeds": feeds,
        "latencies": [{"stage": "poll_to_encoded", "curve": curve}, {"stage": "encoded_to_acknowledged", "curve": curve}],
        "lanes": [{"lane": "asia-orderbook:0", "state": "STOP", "reason": "offset 4 is not in the log"}, {"lane": "x", "state": "OK"}],
        "process": {"resident_bytes": 83_886_080}, "dead_letters": [{"lane": "asia-ticker:0", "offset": 7, "frame": 2, "reason": "json", "value": "\u{1b}[31mred"}],
    });
    serde_json::from_value(picture).unwrap()
}

fn screen(width: u16, height: u16, picture: Option<&Picture>, silence: Option<&str>, view: &View) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, picture, silence, view)).unwrap();
    let buffer = terminal.backend().buffer().clone();
    let line = |row: u16| (0..width).map(|column| buffer[(column, row)].symbol()).collect::<String>().trim_end().to_owned();
    (0..height).map(line).collect()
}

#[test]
fn a_terminal_of_80_by_24_shows_all_feeds_and_stages() {
    let lines = screen(80, 24, Some(&picture()), None, &View::default());
    assert_eq!(lines[0], "market-hub 0.1.0 running NOT READY, 900 frames/s, lag 252, 80 MiB, up 2.0 h");
    assert_eq!(lines[1], "exchange kind      state  frames/s      lag    dead unverified    seen      skew");
    assert_eq!(lines[2], "UPBIT    ticker    OK          0.0        0       3          -     1 s   35.0 ms");
    assert_eq!(lines[15], "OKX      orderbook STOP       96.0       28       3          0     1 s   35.0 ms");
    assert!(lines[19].starts_with("KRAKEN") && lines[20].starts_with("latency"), "{lines:#?}");
    assert_eq!(lines[21], "poll to encoded               42 us     3.1 ms   250.0 ms");
    assert!(lines[23].contains("q quit"));
}

#[test]
fn more_room_shows_reasons_and_letters_and_less_is_no_fault() {
    let lines = screen(100, 40, Some(&picture()), None, &View::default()).join("\n");
    assert!(lines.contains("STOP asia-orderbook:0: offset 4 is not in the log"), "{lines}");
    assert!(lines.contains("dead letter asia-ticker:0 offset 7, frame 2 json: \u{fffd}[31mred"), "nothing acts on the terminal: {lines}");
    for (width, height) in [(1, 1), (20, 5), (79, 23), (300, 100)] {
        screen(width, height, Some(&picture()), None, &View { is_helping: true, ..View::default() });
    }
}

#[test]
fn a_hub_that_does_not_answer_is_said_over_what_it_told_last() {
    let lines = screen(80, 24, Some(&picture()), Some("no answer for 4 s: refused"), &View::default());
    assert!(lines[0] == "no answer for 4 s: refused" && lines[2].starts_with("UPBIT"));
    assert_eq!(screen(80, 24, None, Some("no answer yet"), &View::default())[0], "no answer yet");
}

#[test]
fn keys_sort_and_filter() {
    let picture = picture();
    let mut view = View::default();
    let names = |view: &View| view.chosen(&picture.feeds).iter().take(2).map(|feed| format!("{} {}", feed.exchange, feed.kind)).collect::<Vec<_>>();
    for (key, first) in [('f', "UPBIT orderbook"), ('l', "KRAKEN orderbook"), ('s', "OKX orderbook"), ('u', "KORBIT orderbook"), ('e', "UPBIT ticker")] {
        view.press(Key::Character(key));
        assert_eq!(names(&view)[0], first, "{key}");
    }
    for key in "/okxq".chars() {
        view.press(Key::Character(key));
    }
    view.press(Key::Backspace);
    view.press(Key::Enter);
    assert_eq!(names(&view), ["OKX ticker", "OKX orderbook"]);
    assert!(!view.is_over, "a q that is typed does not quit");
    view.press(Key::Escape);
    assert_eq!(view.chosen(&picture.feeds).len(), 18);
    view.press(Key::Character('h'));
    assert!(screen(80, 24, Some(&picture), None, &view).join("\n").contains("sort by exchange, state"));
    view.press(Key::Escape);
    view.press(Key::Character('q'));
    assert!(view.is_over && !view.is_helping);
}

#[test]
fn plain_lines_are_for_scripts() {
    let text = plain(&picture(), &View::default());
    assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[2].starts_with("exchange  kind       state  frames/s  lag"), "{text}");
    assert!(text.contains("\nOKX       orderbook  STOP       96.0   28     3           0   1 s  35.0 ms\n"), "{text}");
    assert!(text.ends_with("STOP asia-orderbook:0: offset 4 is not in the log\n"), "{text}");
}
