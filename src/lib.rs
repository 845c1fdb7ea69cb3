//! wiresift holds indicators of compromise against packets and logs.
//!
//! Subscribed indicators are compiled into one memory-mapped [`Database`]; a
//! [`Scanner`] holds the observables of text and of packets against it, and every
//! [`Hit`](scan::Hit) becomes an [`Alert`](alert::Alert) that carries the whole
//! context of the indicator. Data flows one way:
//!
//! ```text
//! feed ──> indicator ──> compile ──> database
//!                                       │
//! input ──> text / packet ───────────> scan ──> alert ──> sink
//! run wires them together; the command line sits above run
//! ```
//!
//! | room | does | may import, beside `error` and `progress` |
//! | --- | --- | --- |
//! | [`error`] | the one error type: opaque, with its place and the remedy | nothing |
//! | `progress` | loops over bytes from outside that cannot run for ever, bounds that shrink for fuzzers | nothing |
//! | [`files`] | what the paths that we write to lead to, and what must not be written over | nothing |
//! | `memory` | what the system gives by pages: maps of files, big pages | nothing |
//! | [`indicator`] | kinds, values, contexts, places; the normalisation that both halves share | nothing |
//! | [`feed`] | fetching under caps, exchanges, one reader for each format: indicators and rejects | indicator |
//! | [`config`] | `wiresift.toml`, and the catalogue of public feeds | indicator, feed |
//! | [`store`] | the state directory: what each feed sent, and its normalised form | indicator, feed |
//! | [`database`] | the file in both directions, the mapping, typed look-ups | files, memory, indicator |
//! | [`compile`] | guards, duplicates, order, publication | indicator, database |
//! | [`input`] | bytes and where they came from: files, streams, compression, captures | nothing |
//! | [`text`] | bytes of a log to observables | indicator |
//! | [`packet`] | frames to flows to protocol fields to observables | memory, indicator |
//! | [`scan`] | observables against the database: hits | indicator, text, packet, database |
//! | [`alert`] | severity, the record, its formats | indicator, scan |
//! | [`sink`] | where alerts go | files, alert |
//! | [`run`] | threads, order, counters: the only place that spawns, and the only clock | all above |
//!
//! The quickest way in is the example of [`scan`].

pub mod alert;
pub mod compile;
pub mod config;
pub mod database;
pub mod error;
pub mod feed;
pub mod files;
pub mod indicator;
pub mod input;
mod memory;
pub mod packet;
mod progress;
pub mod run;
pub mod scan;
pub mod sink;
pub mod store;
pub mod text;

pub use database::Database;
pub use error::{Error, ErrorKind, Result};
pub use scan::Scanner;

/// The example of the README, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
