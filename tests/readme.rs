//! The README says what the program does: its tables are made from the program's own, or held against them.

use std::path::Path;

use market_hub::cli::Failure;
use market_hub::config::markdown_table;

const BEGIN: &str = "<!-- settings -->\n";
const END: &str = "<!-- /settings -->\n";

#[test]
fn the_table_of_settings_is_the_programs() {
    let readme = readme();
    let section = readme.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).map(|(section, _)| section);
    let section = section.unwrap_or_else(|| panic!("README.md has no lines {BEGIN:?} and {END:?} around the table of settings"));
    let (found, expected) = (section.trim_matches('\n'), markdown_table());
    let expected = expected.trim_matches('\n');
    let different = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    assert!(
        found == expected,
        "the settings in README.md are not those of the program; first difference (README, program): {different:?}\n\
         put the output of `market-hub config --markdown` between {BEGIN:?} and {END:?}"
    );
}

#[test]
fn every_exit_code_has_its_row() {
    let readme = readme();
    // The rows of tables that begin with a number: `| 69 | ...` or with the code in backquotes.
    let codes: Vec<u8> =
        readme.lines().filter_map(|line| line.trim_start().strip_prefix('|')?.split('|').next()?.trim().trim_matches('`').parse().ok()).collect();
    let missing: Vec<u8> = exit_codes().into_iter().filter(|code| !codes.contains(code)).collect();
    assert!(missing.is_empty(), "README.md has no row `| CODE | ... |` for the exit codes {missing:?}");
}

/// 0, and the constants of [`Failure`] as its source has them: a new one cannot be forgotten here.
fn exit_codes() -> Vec<u8> {
    let source = include_str!("../src/cli/mod.rs");
    let constants = source.lines().filter_map(|line| line.trim().strip_prefix("pub const ")?.split_once(": u8 = "));
    let codes: Vec<u8> = constants.map(|(name, value)| value.trim_end_matches(';').parse().unwrap_or_else(|_| named(name))).collect();
    assert!(codes.len() >= 8 && codes.contains(&Failure::UNCOMMITTED), "the constants were found: {codes:?}");
    std::iter::once(0).chain(codes).collect()
}

/// Constants that are defined by others.
fn named(name: &str) -> u8 {
    match name {
        "CONFIG" => Failure::CONFIG,
        name => panic!("what is Failure::{name}? add it to this test"),
    }
}

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
