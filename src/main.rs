//! The `wiresift` command.
fn main() {}
