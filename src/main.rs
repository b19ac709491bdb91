//! The `market-hub` binary: one command, then an exit code.

use std::process::ExitCode;

use market_hub::bench::Counting;

#[global_allocator]
static GLOBAL: Counting<mimalloc::MiMalloc> = Counting(mimalloc::MiMalloc);

fn main() -> ExitCode {
    market_hub::cli::main()
}
