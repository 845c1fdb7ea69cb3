//! The one integration binary: everything that is tested from outside the crate.

#![allow(unreachable_pub, reason = "modules of a binary: `pub` says what the others use")]

mod bad_input;
mod captures;
mod cases;
mod clock;
mod commands;
mod daemon_sinks;
mod determinism;
mod documents;
mod exchanges;
mod expected;
mod expected_captures;
mod expected_logs;
mod feeds;
mod fetch;
mod format_fixture;
mod fuzz_corpus;
mod growth;
mod harness;
mod inputs;
mod known;
mod layering;
mod mail;
mod memory;
mod oracle;
mod order;
mod receivers;
mod records;
mod safety;
mod selection;
mod sizes;
mod spec_cases;
mod swaps;
mod syslog;
mod tail;
mod tap;
mod tls;
mod tshark;
mod walls;
mod warninglists;
mod ways;
