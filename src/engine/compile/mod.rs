//! Compiles indicators into a database: applies guards, joins duplicates, sorts and
//! publishes.
//!
//! ```
//! use std::sync::Arc;
//! use wiresift::engine::compile::Compiler;
//! use wiresift::engine::indicator::{Context, Indicator, Kind, Scope, Timestamp};
//!
//! let context = Arc::new(Context::of_feed("mine"));
//! let mut compiler = Compiler::default();
//! for name in ["evil.example", "Evil.Example."] {
//!     compiler.add(Indicator::new(Kind::Domain, name, Scope::Subtree, context.clone()).unwrap());
//! }
//! let bytes = compiler.into_bytes(Timestamp::from_seconds(0))?;
//! assert!(bytes.starts_with(wiresift::engine::database::MAGIC));
//! # Ok::<(), wiresift::Error>(())
//! ```
//!
//! A [`Compiler`] takes indicators in any order, and the order does not affect the
//! file. It knows nothing of feeds: the caller reads them.

mod arena;
mod compiler;
mod guard;
mod options;
mod screen;

pub use compiler::{Compiler, Together};
pub use guard::verdict;
pub use options::Options;
pub use screen::{Effect, ListReport, Screen};
