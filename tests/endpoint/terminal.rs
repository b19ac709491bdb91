//! `market-hub top` as a user has it: lines for scripts, and a terminal of 80 by 24.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use super::{Served, stopped, support::report};

const TOP: &str = env!("CARGO_BIN_EXE_market-hub");

#[test]
fn once_prints_plain_lines() {
    let served = Served::new();
    served.put(500, stopped(served.lane("asia-orderbook:1"), "offset 4 is not in the log"));
    served.wait_for_ready(503);
    let output = Command::new(TOP).args(["top", &served.address.to_string(), "--once"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.starts_with("market-hub ") && text.contains(" NOT READY, ") && !text.contains('\u{1b}'), "{text}");
    assert_eq!(text.lines().filter(|line| line.contains(" orderbook ") || line.contains(" ticker ")).count(), 18, "{text}");
    assert!(text.ends_with("STOP asia-orderbook:1: offset 4 is not in the log\n"), "{text}");
}

#[test]
fn a_terminal_is_left_as_it_was() {
    let served = Served::new();
    served.put(500, |_, _| {});
    served.wait_for_ready(200);
    // A terminal of its own, in which a key is pressed after two seconds.
    let command = format!("stty rows 24 cols 80; '{TOP}' top {} ; echo ended with $?", served.address);
    let script = Command::new("script").args(["-qec", &command, "/dev/null"]).env("TERM", "xterm").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut script) = script else { return report("ignored: no `script`, which belongs to util-linux") };
    thread::sleep(Duration::from_secs(3));
    script.stdin.as_mut().unwrap().write_all(b"q").unwrap();
    let output = script.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // What is drawn are cells: blanks between words are not sent.
    assert!(["UPBIT", "KRAKEN", "latency,", "poll", "quit"].iter().all(|word| text.contains(word)), "{}", text.escape_debug());
    let (_, after) = text.rsplit_once("\u{1b}[?1049l").unwrap_or_else(|| panic!("the screen of before is back: {}", text.escape_debug()));
    assert!(after.contains("ended with 0"), "{}", text.escape_debug());
}
