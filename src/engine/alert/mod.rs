//! Alerts: a hit with its severity, time and origin, and the formats in which it leaves
//! wiresift.
//!
//! ```
//! use std::sync::Arc;
//! use wiresift::engine::alert::{Alert, Encoder, Format, Provenance};
//! use wiresift::engine::indicator::{Context, Indicator, Kind, Scope, Timestamp};
//! use wiresift::engine::scan::Origin;
//! use wiresift::{Compiler, Database, Scanner};
//!
//! let mut compiler = Compiler::default();
//! let context = Arc::new(Context::of_feed("mine"));
//! compiler.add(Indicator::new(Kind::Domain, "evil.example", Scope::Subtree, context).unwrap());
//! let now = Timestamp::from_seconds(1_795_478_400);
//! let database = Database::from_bytes(compiler.into_bytes(now)?)?;
//!
//! let text = b"query www.evil.example";
//! let provenance = Provenance { database: database.build_id(), ..Provenance::default() };
//! let mut out = Vec::new();
//! Scanner::default().scan_text(&database, text, 0..text.len(), &Origin::new("dns.log"), |hit| {
//!     Encoder::new(Format::Cef).encode(&Alert::new(&hit, &provenance, now), &mut out);
//! });
//! assert!(out.starts_with(b"CEF:0|wiresift|"));
//! # Ok::<(), wiresift::Error>(())
//! ```
//!
//! An [`Alert`] borrows a [`Hit`](crate::engine::scan::Hit) and adds what a hit does not know: how
//! bad it is, when it happened, and which database found it. An [`Encoder`] appends it to a buffer
//! in one of the [`Format`]s. The default, `json`, is the contract (`docs/alert.schema.json`,
//! `docs/alerts.md`); every other format is derived from the same record and says nothing that the
//! record doesn't.
//!
//! This room never touches the database and never reads a clock: the caller passes the time.
//! Everything that comes from feeds, logs and packets is hostile text, and each format escapes
//! it by its own rules.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `record` | [`Alert`], [`Provenance`], [`Handling`], and the summaries that several formats need |
//! | `selection` | which alerts the user wants |
//! | `summary` | counts over all alerts of a run |
//! | `object` | the writer of JSON objects under `json`, `eve`, `ecs` and `ocsf` |
//! | `json` | the record itself |
//! | `text` | for a person at a terminal |
//! | [`repeat`] | the record of alerts that were held back, made of the last one's bytes |
//! | `own` | whether a file holds earlier output |
//! | `eve`, `zeek`, `cef`, `ecs`, `ocsf`, `syslog` | for other systems, one file each |

mod cef;
mod ecs;
mod eve;
mod format;
mod json;
mod object;
mod ocsf;
mod own;
mod record;
pub mod repeat;
mod selection;
mod summary;
mod syslog;
#[cfg(test)]
mod tests;
mod text;
mod zeek;

pub use format::{Encoder, Format};
pub use json::SCHEMA;
pub use own::{OWN_HEAD, is_own, own_format};
pub use record::{Alert, DEFAULT_SEVERITY, Handling, Provenance, TimeSource};
pub use repeat::write_repeat;
pub use selection::{OmitReason, Selection};
pub use summary::{Summary, Tally};
pub use text::{Shown, escape_shortened};
