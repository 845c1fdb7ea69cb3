//! The command line: promises, messages, exit codes, and what must never be overwritten.

mod bad_input;
mod bench;
mod bench_cost;
mod bench_gates;
mod browser;
mod inputs;
mod promises;
mod safety;
mod slips;
