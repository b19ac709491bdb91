//! `market-hub` as its users run it, in a build that can be told to die at a stage.

#![expect(missing_docs, reason = "a program")]

use std::process::ExitCode;

fn main() -> ExitCode {
    market_hub::cli::main()
}
