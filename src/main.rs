//! The `market-hub` binary: what each command is.
fn main() {}
