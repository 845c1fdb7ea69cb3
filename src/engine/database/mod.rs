//! The database: one file, mapped read-only, that opens without building anything.
//!
//! ```
//! use std::sync::Arc;
//! use wiresift::engine::indicator::{Context, Indicator, Kind, Scope, Timestamp};
//! use wiresift::{Compiler, Database};
//!
//! let mut compiler = Compiler::default();
//! let context = Arc::new(Context::of_feed("mine"));
//! compiler.add(Indicator::new(Kind::Domain, "evil.example", Scope::Subtree, context).unwrap());
//! let bytes = compiler.into_bytes(Timestamp::from_seconds(0))?;
//!
//! let database = Database::from_bytes(bytes.clone())?;
//! assert_eq!(database.summary().total(), 1);
//! // Any bytes give an error, never a panic.
//! assert!(Database::from_bytes(bytes[..100].to_vec()).is_err());
//! # Ok::<(), wiresift::Error>(())
//! ```
//!
//! [`Database::open`] checks the header, the checksum of every section and every
//! structure, and then offers typed look-ups. It never panics or reads outside the
//! map, for any bytes. Look-ups check their bounds again, so nothing depends on
//! that check alone.
//!
//! This room handles the file in both directions: `Contents` writes what the
//! look-ups read. It knows nothing of feeds, inputs or threads.

mod anchors;
mod contents;
mod contexts;
mod digests;
mod endpoints;
mod file;
mod filter;
mod identity;
mod layout;
mod literals;
mod map;
mod patterns;
mod posting;
mod prefix;
mod publish;
mod summary;
mod transducer;
mod withheld;

#[cfg(feature = "sensor")]
pub(crate) use contents::url_host;
pub(crate) use contents::{Contents, Keyed, StringSections, bare_path, lay_out};
#[cfg(feature = "sensor")]
pub(crate) use file::Listed;
pub(crate) use file::UrlWalk;
pub use file::{Database, is_database};
pub use identity::{Identity, Stamp};
pub use layout::{MAGIC, Section, VERSION};
pub(crate) use literals::Literal;
pub(crate) use patterns::{Searches, check_pattern};
pub(crate) use posting::{Claim, Posting};
pub use summary::{FeedSummary, Summary};
pub(crate) use withheld::Withheld;
