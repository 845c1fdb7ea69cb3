//! wiresift matches indicators of compromise against packets and logs.
//!
//! Subscribed indicators are compiled into one memory-mapped [`Database`]; a [`Scanner`]
//! matches the observables of text and packets against it, and every
//! [`Hit`] becomes an [`Alert`] that carries the whole context of the
//! indicator.
//!
//! ```
//! use wiresift::feed::{self, Collected};
//! use wiresift::{Compiler, Database, Origin, Scanner, Timestamp};
//!
//! # fn main() -> wiresift::Result<()> {
//! let mut collected = Collected::default();
//! feed::read(b"evil.example\n", &feed::Options::default(), &mut collected)?;
//! let mut compiler = Compiler::default();
//! for indicator in collected.indicators {
//!     compiler.add(indicator);
//! }
//! let database = Database::from_bytes(compiler.into_bytes(Timestamp::from_seconds(0))?)?;
//!
//! let text = b"client 10.0.0.7 asked for www.evil.example";
//! let mut found = Vec::new();
//! let mut scanner = Scanner::default();
//! scanner.scan_text(&database, text, 0..text.len(), &Origin::new("dns.log"), |hit| {
//!     found.push(hit.seen.value.clone());
//! });
//! assert_eq!(found, ["www.evil.example"]);
//! # Ok(())
//! # }
//! ```
//!
//! The library has four houses, and the command line is a fifth. Imports go one way: `cli` imports
//! all, [`exchange`] imports [`intel`], both and [`sensor`] import the [`engine`], and the engine
//! imports none of them.
//!
//! ```text
//!             cli
//!       ┌──────┴──────┬─────────────┐
//!     intel ◂───── exchange       sensor      feeds to a database · pulses shared · inputs to alerts
//!       └──────┬──────┴─────────────┘
//!            engine                           what all are made of
//! ```
//!
//! | room | does | may import, besides `error` and `progress` |
//! | --- | --- | --- |
//! | [`engine::error`] | the one error type: opaque, with place and remedy | nothing |
//! | `engine::progress` | keeps loops over untrusted bytes from running forever; bounds that shrink for fuzzers | nothing |
//! | [`engine::settings`] | syntax that settings share: times, sizes, bounds, misspelt names | nothing |
//! | [`engine::files`] | what output paths refer to, and what must not be overwritten | nothing |
//! | `engine::memory` | memory in pages: mapped files, huge pages | nothing |
//! | [`engine::indicator`] | kinds, values, contexts, places; the normalisation that feeds and inputs share | nothing |
//! | [`engine::text`] | the bytes of a log to observables | indicator |
//! | [`engine::packet`] | frames to flows to protocol fields to observables | memory, indicator |
//! | [`engine::database`] | writes, maps and verifies the file; typed lookups | files, memory, indicator |
//! | [`engine::compile`] | guards, deduplication, order, publication | indicator, database |
//! | [`engine::segment`] | immutable sorted tables of what was seen, and when | memory, indicator |
//! | [`engine::scan`] | observables against the database: hits | indicator, text, database |
//! | [`engine::suppress`] | repeated alerts: held back, counted, summed up in one record | indicator, scan |
//! | [`engine::alert`] | severity, the record, its formats | indicator, scan, suppress |
//! | [`intel::feed`] | fetches within limits, walks exchanges, reads each format: indicators and rejects | indicator |
//! | [`intel::config`] | the feeds of `wiresift.toml`, and the catalogue of public feeds | settings, indicator, feed |
//! | [`intel::store`] | the state directory: what each feed sent, its normalised form, and its ledger | indicator, segment, feed |
//! | [`intel::subscribe`] | updates the store, and makes the database from it | the rooms of intel, files, indicator, database, compile |
//! | [`sensor::halt`] | lets work be stopped while it waits | nothing |
//! | [`sensor::secret`] | keys and passwords, and where they are kept | nothing |
//! | `sensor::config` | the inputs, sinks and other settings of the daemon in `wiresift.toml` | settings, indicator, alert, secret |
//! | [`sensor::listen`] | listening sockets, with or without TLS | halt |
//! | [`sensor::http`] | a small blocking HTTP/1.1 server | halt, listen |
//! | `sensor::kafka` | how to reach Kafka's brokers | secret |
//! | [`sensor::input`] | bytes and their origin: files, streams, compression, captures, followed logs, the network | indicator (times), halt, listen, http, kafka |
//! | [`sensor::checkpoint`] | what is safely on disk: positions of inputs, lengths of outputs | input |
//! | [`sensor::metrics`] | counters, and how they are read: Prometheus, health, systemd | indicator (times), halt, listen, http |
//! | [`sensor::sink`] | local destinations of alerts | files, indicator, halt |
//! | [`sensor::spool`] | alerts on disk, on their way to sinks | indicator, alert |
//! | [`sensor::deliver`] | receivers over the network, and what their answers mean | indicator, alert, halt, secret, spool, kafka |
//! | [`sensor::outlet`] | batches, retries and dead letters of one sink | indicator, spool, deliver |
//! | [`sensor::bench`] | judges a rule set: what it contains, finds, risks and costs | settings, indicator, database, compile, scan |
//! | [`sensor::run`] | scans, taps and the daemon: threads, order, counters | the rooms of sensor and engine |
//! | [`exchange::accounts`] | users, groups, keys, passwords | indicator (times) |
//! | [`exchange::http`] | requests and answers as values | nothing |
//! | [`exchange::metrics`] | what a server counts about itself, as a page for Prometheus | nothing |
//! | [`exchange::pulses`] | pulses and indicators: types, limits, validation | indicator, accounts |
//! | [`exchange::storage`] | keeps it all, and decides who sees what | indicator, accounts, pulses, metrics |
//! | [`exchange::site`] | callers, limits, settings, the type of routes | indicator, accounts, http, pulses, metrics, storage |
//! | [`exchange::import`] | lists of others as pulses | indicator, accounts, pulses, storage, site |
//! | [`exchange::sources`] | lists and other exchanges that the operator subscribed to, as pulses | indicator, accounts, pulses, storage, site, import, and config, store and subscribe of intel |
//! | [`exchange::export`] | pulses as files for other programs | the rooms above, database, compile, feed |
//! | [`exchange::taxii`] | the TAXII 2.1 server | the rooms above |
//! | [`exchange::alerts`] | alerts and sightings that sensors report | indicator, accounts, http, pulses, site |
//! | [`exchange::api`] | the API of OTX, and our additions | indicator, accounts, http, pulses, storage, site |
//! | [`exchange::page`] | pages for people: HTML made by the server, forms over the routes of the API | indicator, accounts, http, pulses, storage, site, export, api |
//! | [`exchange::serve`] | sockets, TLS, the start and the end of the server | accounts, http, pulses, storage, site, sources, and all with routes |
//!
//! Only [`clock`] reads the time; it is passed to the engine.

// The map links to every room, and some need a feature.
#![cfg_attr(
    not(all(feature = "daemon", feature = "exchange", feature = "fetch", feature = "sensor")),
    allow(rustdoc::broken_intra_doc_links)
)]

pub mod clock;
pub mod engine;
#[cfg(feature = "exchange")]
pub mod exchange;
pub mod intel;
#[cfg(feature = "sensor")]
pub mod sensor;

pub use engine::alert::{Alert, Encoder, Format, Provenance};
pub use engine::compile::Compiler;
pub use engine::database::Database;
pub use engine::error::{Error, ErrorKind, Result};
pub use engine::indicator::{Indicator, Observable, Timestamp, Where};
#[doc(no_inline)]
pub use engine::packet;
pub use engine::scan::{Hit, Origin, Scanner};
#[doc(no_inline)]
pub use intel::feed;
#[cfg(feature = "sensor")]
pub use sensor::input::capture::Capture;

/// The example of the README, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
