//! Reads the files of feeds: one reader for each format, all with the same result.
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
//!
//! A feed's file is read as a whole and its [`Format`] detected from its content.
//! Every value in it is passed to a [`Sink`]: as an
//! [`Indicator`](crate::engine::indicator::Indicator), which went through the only
//! normaliser, [`crate::engine::indicator`], or as a [`Reject`] with its line and
//! reason. A bad line never stops a file. A file that is not a feed at all (empty,
//! HTML, binary, STIX 1.x, unknown) is an [`Error`](crate::Error) with a remedy.
//!
//! [`fetch`] downloads documents within limits, and [`client`] walks servers page by
//! page.
//!
//! This room only judges form. Private addresses, overly wide networks and public suffixes pass:
//! the code that compiles or matches knows whether they are intended. It reads no clock, and knows
//! nothing of databases.

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
