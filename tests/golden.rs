//! Every golden file, byte for byte, by the scanner, with AVX2 and without, and by the general reader: the core must do what an independent implementation of the contract did.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use market_hub::config::Config;
use market_hub::replay::{Lines, Replay, counters_json};
use market_hub::rules::{BookMode, Rules, Scanner};
use serde_json::Value;

/// The header whose text is free.
const FREE: &str = "__connect.errors.exception.message";

#[test]
fn every_golden_file_comes_out_byte_for_byte() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/golden");
    let mut inputs: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".in.jsonl.gz"))
        .collect();
    inputs.sort();
    assert!(inputs.len() > 50, "only {} golden files in {}", inputs.len(), folder.display());
    for input in inputs {
        let stem = input.to_string_lossy().replace(".in.jsonl.gz", "");
        for scanner in [Scanner::On, Scanner::Portable, Scanner::Off] {
            check(&input, Path::new(&format!("{stem}.out.jsonl.gz")), Path::new(&format!("{stem}.counters.json")), scanner);
        }
    }
}

fn check(input: &Path, expected: &Path, counters: &Path, scanner: Scanner) {
    let name = format!("{}, scanner {scanner:?}", input.file_name().unwrap().to_string_lossy());
    let book_mode = match &name {
        name if name.contains("-frame.in") => BookMode::Frame,
        name if name.contains("-hold.in") => BookMode::Hold,
        _ => BookMode::Maintained,
    };
    let config = Config { rules: Rules { book_mode, scanner, ..Rules::default() }, ..Config::default() };
    let mut replay = Replay::new(&config);
    let mut output = Vec::new();
    replay.run(&mut unzipped(input), &mut Lines(&mut output)).unwrap();

    let mut expected = unzipped(expected).lines();
    let mut count = 0;
    for line in output.lines() {
        count += 1;
        let (line, expected) = (line.unwrap(), expected.next().unwrap_or_else(|| panic!("{name}: more than {count} lines")).unwrap());
        if line != expected {
            assert_eq!(without_free_text(&line), without_free_text(&expected), "{name}, line {count}");
        }
    }
    assert!(expected.next().is_none(), "{name}: only {count} lines");

    let mut expected: Value = serde_json::from_reader(File::open(counters).unwrap()).unwrap();
    expected.as_object_mut().unwrap().remove("duplicate_keys");
    assert_eq!(counters_json(&replay.counts()), expected, "{name}");
}

fn unzipped(path: &Path) -> impl BufRead + use<> {
    let mut text = Vec::new();
    GzDecoder::new(BufReader::new(File::open(path).unwrap())).read_to_end(&mut text).unwrap();
    std::io::Cursor::new(text)
}

fn without_free_text(line: &str) -> Value {
    let mut record: Value = serde_json::from_str(line).unwrap();
    if let Some(text) = record["headers"].get_mut(FREE) {
        assert!(text.as_str().is_some_and(|text| !text.is_empty()));
        *text = Value::Null;
    }
    record
}
