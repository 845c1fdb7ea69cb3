//! Matches observables against the database and yields hits.
//!
//! ```
//! use wiresift::engine::compile::Compiler;
//! use wiresift::engine::database::Database;
//! use wiresift::engine::indicator::{Context, Indicator, Kind, Scope, Timestamp};
//! use wiresift::engine::scan::{Origin, Scanner};
//!
//! let mut compiler = Compiler::default();
//! let context = std::sync::Arc::new(Context::of_feed("mine"));
//! compiler.add(Indicator::new(Kind::Domain, "evil.example", Scope::Subtree, context).unwrap());
//! let database = Database::from_bytes(compiler.into_bytes(Timestamp(0)).unwrap()).unwrap();
//!
//! let mut scanner = Scanner::default();
//! let mut found = Vec::new();
//! let text = b"GET http://cdn.evil.example/x\n";
//! scanner.scan_text(&database, text, 0..text.len(), &Origin::new("a.log"), |hit| found.push(hit));
//! assert_eq!(found[0].seen.value, "cdn.evil.example");
//! assert_eq!(found[0].matches[0].value, "evil.example");
//! ```
//!
//! A [`Hit`] is one observable in one place, with every indicator that it meets. A
//! [`Scanner`] is the scratch space of one thread; the
//! [`Database`](crate::Database) is shared. Nothing here spawns threads, blocks or
//! writes.
//!
//! An observable passes three stages. `entries` normalises it and finds the
//! database's entries, filters first, because nearly every observable ends at a
//! filter. `resolve` judges each claim by scope, validity and policy. `log` adds
//! what only a line contains: its time, the field's name, and observables that span
//! two fields.

mod counters;
mod doubles;
mod entries;
mod explain;
mod held;
mod hit;
mod hosts;
mod lines;
mod literals;
mod log;
#[cfg(feature = "sensor")]
mod passes;
mod query;
mod reports;
mod resolve;
mod scanner;

pub use counters::Counters;
pub use explain::{Explanation, Finding, Outcome};
pub use held::{HeldBack, HeldClaims};
pub use hit::{Hit, Match, Seen};
pub use hosts::{Home, opener_field};
pub use log::Origin;
#[cfg(feature = "sensor")]
pub use passes::FilterCounts;
#[cfg(feature = "sensor")]
pub(crate) use resolve::is_guarded;
pub use scanner::{Options, Scanner};
