//! Files to indicators: one reader for each format, all yielding the same.
//!
//! A feed's file is read whole, its [`Format`] found from its content, and every
//! value in it handed to a [`Sink`]: as an [`Indicator`](crate::engine::indicator::Indicator) that went through the one
//! normaliser of [`crate::engine::indicator`], or as a [`Reject`] with its line and
//! reason. A bad line never stops a file; a file that is not what it should be
//! (empty, HTML, binary, STIX 1.x, unknown) is an [`Error`](crate::Error) that
//! says how to mend it.
//!
//! What is not a file yet is fetched under caps by [`fetch`], and servers that are
//! walked page by page are in [`client`].
//!
//! This room judges form alone. Private addresses, too-wide networks and public
//! suffixes pass: whoever compiles and matches knows whether they are meant. It
//! reads no clock, and knows nothing of databases.
//!
//! ```
//! use wiresift::intel::feed::{self, Collected, Options};
//!
//! let list = b"# mine\nevil.example\nhxxp://bad[.]example/gate.php\n";
//! let mut found = Collected::default();
//! let summary = feed::read(list, &Options::of_feed("mine"), &mut found)?;
//! assert_eq!(summary.indicators, 2);
//! assert_eq!(found.indicators[1].value.to_string(), "http://bad.example/gate.php");
//! # Ok::<(), wiresift::Error>(())
//! ```

#[cfg(feature = "fetch")]
pub mod client;
mod contexts;
mod detect;
#[cfg(feature = "fetch")]
pub mod fetch;
mod filter;
mod format;
mod inflate;
mod intake;
mod json;
mod lines;
mod live;
mod open;
mod options;
mod several;
mod sink;
mod table;
mod types;

pub use filter::Filter;
pub use format::{Format, read, read_warninglist, write_jsonl};
pub use inflate::inflate;
#[cfg(feature = "fetch")]
pub(crate) use open::is_no_feed;
pub use open::{FileReport, Limits, name_of, open, read_stream};
pub use options::{Columns, Defanged, Options};
pub use sink::{Collected, Reject, Sink, Summary};

#[cfg(test)]
mod tests;
