//! The engine: compiles indicators into a database, finds observables in bytes, and
//! turns the hits between them into alerts.
//!
//! ```
//! use wiresift::engine::compile::Compiler;
//! use wiresift::engine::database::Database;
//! use wiresift::engine::indicator::{Context, Indicator, Kind, Scope, Timestamp};
//! use wiresift::engine::scan::{Origin, Scanner};
//!
//! let mut compiler = Compiler::default();
//! let context = std::sync::Arc::new(Context::of_feed("mine"));
//! compiler.add(Indicator::new(Kind::Ip, "203.0.113.9", Scope::Exact, context).unwrap());
//! let database = Database::from_bytes(compiler.into_bytes(Timestamp(0))?)?;
//!
//! let (mut scanner, mut hits) = (Scanner::default(), Vec::new());
//! let text = b"Failed password for root from 203.0.113.9 port 50118";
//! scanner.scan_text(&database, text, 0..text.len(), &Origin::new("auth.log"), |hit| hits.push(hit));
//! assert_eq!(hits[0].matches[0].value, "203.0.113.9");
//! # Ok::<(), wiresift::Error>(())
//! ```
//!
//! It maps and publishes files and does no other I/O. It reads no clock, starts no
//! process, and depends on no other part of the crate.

pub mod alert;
pub mod compile;
pub mod database;
pub mod error;
pub mod files;
pub mod indicator;
mod memory;
pub mod packet;
pub(crate) mod progress;
pub mod scan;
pub mod segment;
pub mod settings;
pub mod suppress;
pub mod text;
