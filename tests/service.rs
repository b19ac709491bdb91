//! The unit that is shipped for systemd: it is a unit, and it is hardened.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it leaves out")]

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;

/// The unit with its drop-in, for the program that was built; `None`, and said, where systemd's tool is missing. `CI` leaves nothing out.
fn unit() -> Option<TempDir> {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci.is_empty()), "CI runs every test, but systemd-analyze is missing");
        println!("ignored: no systemd-analyze: apt-get install systemd");
        return None;
    }
    let (dir, shipped) = (tempfile::tempdir().unwrap(), Path::new(env!("CARGO_MANIFEST_DIR")).join("tuning"));
    let unit = fs::read_to_string(shipped.join("market-hub.service")).unwrap();
    let here = unit.replace("/usr/local/bin/market-hub", env!("CARGO_BIN_EXE_market-hub"));
    assert_ne!(unit, here, "the unit starts what it says it installs");
    fs::write(dir.path().join("market-hub.service"), here).unwrap();
    fs::create_dir(dir.path().join("market-hub.service.d")).unwrap();
    fs::copy(shipped.join("market-hub.service.d/pinned.conf"), dir.path().join("market-hub.service.d/pinned.conf")).unwrap();
    Some(dir)
}

fn analyzed(unit: &TempDir, arguments: &[&str]) -> String {
    let output = Command::new("systemd-analyze").args(arguments).arg(unit.path().join("market-hub.service")).output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn the_unit_is_one_and_its_drop_in_too() {
    let Some(dir) = unit() else { return };
    // Of a key that it does not know it only warns.
    assert_eq!(analyzed(&dir, &["verify", "--man=no"]), "");
    fs::write(dir.path().join("market-hub.service.d/pinned.conf"), "[Service]\nNonsense=1\n").unwrap();
    assert!(analyzed(&dir, &["verify", "--man=no"]).contains("Nonsense"), "the drop-in is looked at");
}

#[test]
fn the_unit_is_hardened() {
    let Some(dir) = unit() else { return };
    let said = analyzed(&dir, &["security", "--offline=true", "--no-pager"]);
    let score = said.split_once("exposure level for market-hub.service: ").and_then(|(_, rest)| rest.split(' ').next()?.parse::<f64>().ok());
    assert!(score.is_some_and(|score| score < 2.0), "{said}");
}

#[test]
fn what_must_not_come_back_does_not() {
    let unit = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tuning/market-hub.service")).unwrap();
    for line in ["Type=notify", "WatchdogSec=30", "Restart=on-failure", "RestartPreventExitStatus=77 78"] {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
}
