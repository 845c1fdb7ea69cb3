//! The formats, one row each.

use super::csv::Csv;
use super::database;
use super::list::{List, Style};
use super::misp;
use super::openioc::OpenIoc;
use super::rpz::Rpz;
use super::source::{About, Renderer, Source, run};
use super::stix::Bundle;
use super::suricata::{self, Values};
use super::zeek::Zeek;
use crate::engine::error::{Error, Result};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

/// How a format is made.
#[derive(Clone, Copy)]
enum Make {
    /// From pulses and indicators, as they come.
    Stream(for<'a> fn(&'a About) -> Box<dyn Renderer + 'a>),
    /// Always the same.
    Constant(fn() -> String),
    /// A database, written by the engine.
    Database,
}

macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident = $path:literal, $media:literal, $make:expr;)*) => {
        /// A format, or a file of a format that has several.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Format { $($(#[$doc])* $variant,)* }

        impl Format {
            /// Every format.
            pub const ALL: &'static [Format] = &[$(Format::$variant,)*];

            /// Its path below that of the scope.
            pub const fn path(self) -> &'static str {
                match self { $(Format::$variant => $path,)* }
            }

            /// Its media type.
            pub const fn media_type(self) -> &'static str {
                match self { $(Format::$variant => $media,)* }
            }

            fn make(self) -> Make {
                match self { $(Format::$variant => $make,)* }
            }
        }
    };
}

formats! {
    /// One value a line.
    List = "list", "text/plain; charset=utf-8", Make::Stream(|about| Box::new(List::new(about, Style::Plain)));
    /// A hosts file.
    Hosts = "hosts", "text/plain; charset=utf-8", Make::Stream(|about| Box::new(List::new(about, Style::Hosts)));
    /// A list for Squid's `dstdomain`.
    Squid = "squid", "text/plain; charset=utf-8", Make::Stream(|about| Box::new(List::new(about, Style::Squid)));
    /// Two sets of nftables.
    Nftables = "nftables", "text/plain; charset=utf-8", Make::Stream(|about| Box::new(List::new(about, Style::Nftables)));
    /// A table, exact.
    Csv = "csv", "text/csv; charset=utf-8", Make::Stream(|about| Box::new(Csv::new(about, false)));
    /// A table that is safe to open with a spreadsheet.
    Spreadsheet = "spreadsheet", "text/csv; charset=utf-8", Make::Stream(|about| Box::new(Csv::new(about, true)));
    /// OpenIOC 1.1.
    OpenIoc = "openioc", "application/xml", Make::Stream(|about| Box::new(OpenIoc::new(about)));
    /// A bundle of STIX 2.1.
    Stix = "stix", "application/stix+json;version=2.1", Make::Stream(|about| Box::new(Bundle::new(about)));
    /// The manifest of a MISP feed.
    MispManifest = "misp/manifest.json", "application/json", Make::Stream(|about| Box::new(misp::Manifest::new(about)));
    /// The hashes of a MISP feed.
    MispHashes = "misp/hashes.csv", "text/csv; charset=utf-8", Make::Stream(|about| Box::new(misp::Hashes::new(about)));
    /// Which event of a MISP feed is which pulse, sorted.
    MispIndex = "misp/index.csv", "text/csv; charset=utf-8", Make::Stream(|about| Box::new(misp::Index::new(about)));
    /// A file of Zeek's intelligence framework.
    Zeek = "zeek", "text/plain; charset=utf-8", Make::Stream(|about| Box::new(Zeek::new(about)));
    /// Suricata's rules.
    SuricataRules = "suricata/rules", "text/plain; charset=utf-8", Make::Stream(|about| Box::new(suricata::Rules::new(about)));
    /// Suricata's dataset of names.
    SuricataNames = "suricata/names", "text/plain", Make::Stream(|about| Box::new(suricata::List::new(about, Values::Names)));
    /// Suricata's dataset of JA3 fingerprints.
    SuricataJa3 = "suricata/ja3", "text/plain", Make::Stream(|about| Box::new(suricata::List::new(about, Values::Ja3)));
    /// Suricata's list of MD5 digests.
    SuricataMd5 = "suricata/md5", "text/plain", Make::Stream(|about| Box::new(suricata::List::new(about, Values::Md5)));
    /// Suricata's list of SHA-1 digests.
    SuricataSha1 = "suricata/sha1", "text/plain", Make::Stream(|about| Box::new(suricata::List::new(about, Values::Sha1)));
    /// Suricata's list of SHA-256 digests.
    SuricataSha256 = "suricata/sha256", "text/plain", Make::Stream(|about| Box::new(suricata::List::new(about, Values::Sha256)));
    /// Suricata's IP reputation.
    SuricataAddresses = "suricata/addresses", "text/plain", Make::Stream(|about| Box::new(suricata::List::new(about, Values::Addresses)));
    /// The categories of Suricata's IP reputation.
    SuricataCategories = "suricata/categories", "text/plain", Make::Constant(suricata::categories);
    /// A response policy zone.
    Rpz = "rpz", "text/dns", Make::Stream(|about| Box::new(Rpz::new(about)));
    /// A database of wiresift.
    Database = "database", "application/octet-stream", Make::Database;
}

impl Format {
    /// The format with this path.
    pub fn of_path(path: &str) -> Option<Format> {
        Format::ALL.iter().copied().find(|format| format.path() == path)
    }

    /// Whether two files of it can be compared line by line: they are sorted.
    pub fn has_deltas(self) -> bool {
        self == Format::List
    }

    /// Whether indicators that were removed are part of it, marked as such.
    pub(super) fn has_removed(self) -> bool {
        matches!(self, Format::MispHashes)
    }

    /// Whether deleted pulses are part of it: its readers have to be told.
    pub(super) fn has_deleted(self) -> bool {
        matches!(self, Format::MispManifest | Format::MispHashes | Format::MispIndex)
    }

    /// Writes an export to `path`, which must not be there yet.
    ///
    /// # Errors
    ///
    /// The source fails, or the file cannot be written.
    pub fn write(self, about: &About, source: &dyn Source, path: &Path) -> Result<()> {
        if let Make::Database = self.make() {
            return database::build(about, source, path);
        }
        let failed = |error| Error::io("write the export", error).at_path(path);
        let mut file = BufWriter::with_capacity(1 << 17, File::create(path).map_err(failed)?);
        self.render(about, source, &mut file)?;
        file.flush().map_err(failed)
    }

    /// Writes an export to any writer.
    ///
    /// # Errors
    ///
    /// The source fails, or `out` does; a database can only be written to a file.
    pub fn render(
        self,
        about: &About,
        source: &dyn Source,
        out: &mut dyn std::io::Write,
    ) -> Result<()> {
        match self.make() {
            Make::Stream(renderer) => run(&mut *renderer(about), source, out),
            Make::Constant(text) => out
                .write_all(text().as_bytes())
                .map_err(|error| Error::io("write the export", error)),
            Make::Database => Err(Error::usage("a database needs a file")),
        }
    }
}

/// Writes the event of the only pulse of a source, for a MISP feed.
///
/// # Errors
///
/// The source fails, or `out` does.
pub fn misp_event(about: &About, source: &dyn Source, out: &mut dyn std::io::Write) -> Result<()> {
    run(&mut misp::Event::new(about), source, out)
}
