//! Files to indicators: one reader for each format, all yielding the same.
//!
//! A feed's file is read whole, its [`Format`] found from its content, and every
//! value in it handed to a [`Sink`]: as an [`Indicator`] that went through the one
//! normaliser of [`crate::engine::indicator`], or as a [`Reject`] with its line and
//! reason. A bad line never stops a file; a file that is not what it should be
//! (empty, HTML, binary, STIX 1.x, unknown) is an [`Error`](crate::Error) that
//! says how to mend it.
//!
//! What is not a file yet is fetched under caps by [`fetch`], and servers that are
//! walked page by page are in [`exchange`].
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

mod abusech;
mod adblock;
mod columns;
mod detect;
mod dnsmasq;
mod drop;
pub mod exchange;
pub mod fetch;
mod filter;
mod format;
mod headings;
mod hosts;
mod inflate;
mod intake;
mod ipsum;
mod json;
mod layout;
mod lines;
mod list;
mod live;
mod loki;
mod maltrail;
mod misp;
mod native;
mod nets;
mod netset;
mod open;
mod options;
mod otx;
mod records;
mod resolver;
mod roles;
mod rows;
mod rpz;
mod sampling;
mod several;
mod stix;
mod suricata;
mod table;
mod types;
mod warninglist;
mod zeek;

pub use filter::Filter;
pub use format::Format;
pub use inflate::inflate;
pub use native::write_jsonl;
pub(crate) use open::is_no_feed;
pub use open::{FileReport, Limits, name_of, open, read_stream};
pub use options::{Columns, Defanged, Options};
pub use warninglist::read_warninglist;

use crate::engine::error::Result;
use crate::engine::indicator::{Indicator, Reason};
use intake::Intake;
use std::collections::BTreeMap;
use std::path::Path;

/// What takes the indicators of a feed.
pub trait Sink {
    /// A value that was understood, and its line, from 1, in formats that have lines.
    fn indicator(&mut self, indicator: Indicator, line: Option<u64>);

    /// A value that was not, or that is not for matching.
    fn reject(&mut self, reject: Reject);

    /// What follows comes from this file of this feed. Called by [`open()`] only.
    fn file(&mut self, path: &Path, feed: &str) {
        let _ = (path, feed);
    }

    /// Files of this folder that are no feeds by their names. Called by [`open()`] only.
    fn passed_over(&mut self, folder: &Path, names: &[String]) {
        let _ = (folder, names);
    }
}

/// A value that did not become an indicator, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The line, from 1, in formats that have lines.
    pub line: Option<u64>,
    /// The value as it stood, cut when long.
    pub value: String,
    /// Why; it knows the remedy.
    pub reason: Reason,
    /// What the reason alone does not say.
    pub detail: Option<String>,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// How it was read.
    pub format: Format,
    /// How many indicators it yielded, duplicates and all.
    pub indicators: u64,
    /// How many values it did not, by reason.
    pub rejects: BTreeMap<Reason, u64>,
}

impl Summary {
    fn new(format: Format) -> Self {
        Summary { format, indicators: 0, rejects: BTreeMap::new() }
    }

    /// Adds the counts of another file.
    pub fn add(&mut self, other: &Summary) {
        self.indicators += other.indicators;
        for (reason, count) in &other.rejects {
            *self.rejects.entry(*reason).or_default() += count;
        }
    }

    /// How many values were rejected, for whatever reason.
    pub fn rejected(&self) -> u64 {
        self.rejects.values().sum()
    }
}

/// Everything a feed yielded, in memory: for small feeds and for tests.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// What was understood, in the order of the file.
    pub indicators: Vec<Indicator>,
    /// What was not.
    pub rejects: Vec<Reject>,
}

impl Sink for Collected {
    fn indicator(&mut self, indicator: Indicator, _: Option<u64>) {
        self.indicators.push(indicator);
    }

    fn reject(&mut self, reject: Reject) {
        self.rejects.push(reject);
    }
}

/// Reads the (decompressed) bytes of a file.
///
/// # Errors
///
/// When the file as a whole cannot be read as a feed: it is empty, HTML, binary,
/// of an unknown format or version, or not what `options.format` says.
pub fn read(bytes: &[u8], options: &Options, sink: &mut dyn Sink) -> Result<Summary> {
    detect::refuse(bytes)?;
    let text = lines::text(bytes);
    let format = match options.format {
        Some(format) => format,
        // Whoever speaks of columns has a table.
        None if !options.columns.is_empty() || options.delimiter.is_some() => Format::Table,
        // What stands behind the values of an allow list is in no other list.
        None if options.allow => detect::of_allow_list(&text)?,
        None => detect::of_text(&text)?,
    };
    let mut intake = Intake::new(format, options, sink);
    match format {
        Format::Lines => list::read(&text, &mut intake),
        Format::Squid => list::read_squid(&text, &mut intake),
        Format::Table | Format::AbuseCh => table::read(&text, &mut intake)?,
        Format::Hosts => hosts::read(&text, &mut intake),
        Format::Adblock => adblock::read(&text, &mut intake),
        Format::Dnsmasq => dnsmasq::read(&text, &mut intake),
        Format::Resolver => resolver::read(&text, &mut intake),
        Format::Rpz => rpz::read(&text, &mut intake),
        Format::Ipsum => ipsum::read(&text, &mut intake),
        Format::Netset => netset::read(&text, &mut intake),
        Format::Maltrail => maltrail::read(&text, &mut intake),
        Format::Zeek => zeek::read(&text, &mut intake)?,
        Format::Dataset => suricata::read_dataset(&text, &mut intake),
        Format::Iprep => suricata::read_iprep(&text, &mut intake),
        Format::Loki => loki::read(&text, &mut intake),
        Format::LokiNames => loki::read_names(&text, &mut intake),
        Format::Drop => drop::read(&text, &mut intake),
        Format::Otx => otx::read(&text, &mut intake)?,
        Format::Stix => stix::read(&text, &mut intake)?,
        Format::Misp => misp::read(&text, &mut intake)?,
        Format::Warninglist => warninglist::read(&text, &mut intake)?,
        Format::Json => records::read(&text, &mut intake)?,
        Format::Wiresift => native::read(&text, &mut intake),
    }
    Ok(intake.finish())
}

#[cfg(test)]
mod tests;
