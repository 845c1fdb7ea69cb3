//! A database: the file, verified and mapped.

use super::contexts::{self, Policy, Strings};
use super::digests::Digests;
use super::endpoints::Endpoints;
use super::filter::{Bloom, DomainFilter};
use super::identity::{IN_PLACE, Identity, Stamp};
use super::layout::{self, Header, Section, u32_at};
use super::literals::Literals;
use super::map::{LoadMode, Map};
use super::patterns;
use super::posting::{Claim, Posting, Postings};
use super::prefix::Prefixes;
use super::summary::Summary;
use super::transducer::Transducer;
use super::withheld;
use crate::engine::indicator::{Context, Timestamp, digest};
use crate::{Error, Result};
use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;

mod listing;
mod lookups;

#[cfg(feature = "sensor")]
pub(crate) use listing::Listed;
pub(crate) use lookups::UrlWalk;

/// The lengths of digests, and their sections.
pub(super) const DIGESTS: [(usize, Section); 7] = [
    (16, Section::Digest16),
    (20, Section::Digest20),
    (28, Section::Digest28),
    (31, Section::Digest31),
    (32, Section::Digest32),
    (48, Section::Digest48),
    (64, Section::Digest64),
];

/// Whether a file begins like a database, of any version.
pub fn is_database(path: &Path) -> bool {
    // Opening a pipe would block, and consume what is meant for others.
    if !path.metadata().is_ok_and(|found| found.is_file()) {
        return false;
    }
    let mut magic = [0; layout::MAGIC.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && magic == *layout::MAGIC
}

/// An open database.
///
/// ```
/// use wiresift::engine::compile::Compiler;
/// use wiresift::engine::database::Database;
/// use wiresift::engine::indicator::{Context, Indicator, Kind, Scope, Timestamp};
///
/// let mut compiler = Compiler::default();
/// let context = std::sync::Arc::new(Context::of_feed("mine"));
/// compiler.add(Indicator::new(Kind::Domain, "Evil.example", Scope::Subtree, context).unwrap());
/// let database = Database::from_bytes(compiler.into_bytes(Timestamp(0)).unwrap()).unwrap();
/// assert_eq!(database.summary().total(), 1);
/// ```
#[derive(Debug)]
pub struct Database {
    map: Map,
    header: Header,
    ranges: Box<[Range<usize>; 64]>,
    groups: Vec<patterns::Group>,
    summary: Summary,
    /// The state of the file, if the database was opened from one.
    stamp: Option<Stamp>,
}

impl Database {
    /// Maps and checks a file.
    ///
    /// # Errors
    ///
    /// It cannot be read, is not a database, is of another version or byte order,
    /// or is damaged. Each error has a remedy.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_unless_known(path, |_| false)
    }

    /// Maps a file, and checks it unless `is_known` says that this very file has
    /// passed the check before. Of a known file only the header and the automata
    /// are checked.
    ///
    /// # Errors
    ///
    /// Like [`Database::open`].
    pub fn open_unless_known(
        path: impl AsRef<Path>,
        is_known: impl FnOnce(&Identity) -> bool,
    ) -> Result<Self> {
        Self::from_file(path.as_ref(), LoadMode::Mapped, is_known)
    }

    /// Copies a file into memory and checks it, for long-running use. Whatever
    /// happens to the file afterwards does not affect this database.
    ///
    /// # Errors
    ///
    /// Like [`Database::open`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Self::load_unless_known(path, |_| false)
    }

    /// Copies a file, and checks it unless `is_known` says that this very file has
    /// passed the check before.
    ///
    /// # Errors
    ///
    /// Like [`Database::open`].
    pub fn load_unless_known(
        path: impl AsRef<Path>,
        is_known: impl FnOnce(&Identity) -> bool,
    ) -> Result<Self> {
        Self::from_file(path.as_ref(), LoadMode::Copied, is_known)
    }

    fn from_file(
        path: &Path,
        mode: LoadMode,
        is_known: impl FnOnce(&Identity) -> bool,
    ) -> Result<Self> {
        let (map, stamp, after) = Map::open(path, mode)?;
        let opened = layout::read_header(&map).and_then(|header| {
            let identity = Identity::new(&header, &stamp);
            // A file that was written to while it was read is not the one that
            // passed the check.
            let is_known = stamp == after && is_known(&identity);
            let database = Self::assemble(map, header, !is_known)?;
            Ok(Database { stamp: Some(stamp), ..database })
        });
        opened.map_err(|e| e.at_path(path))
    }

    /// What happened to the file since it was mapped, if it may have affected
    /// look-ups: it was written to, or truncated. A new file renamed over it has no
    /// effect, and nothing affects a database that was copied.
    pub fn damage(&self) -> Option<Error> {
        let (now, is_lost) = self.map.file_now()?;
        let (before, now) = (self.stamp?, now?);
        let is_written = (before.size, before.modified) != (now.size, now.modified);
        // Renaming, linking and changing the owner change this, too, but it cannot
        // be set back like a date.
        let is_suspect = before.changed != now.changed;
        let is_other = is_lost
            || is_written
            || is_suspect && layout::check_sections(&self.map, &self.header).is_err();
        is_other.then(|| {
            Error::database(
                "the database was written to while it was in use: results may be \
                             missing or wrong",
            )
            .remedy(IN_PLACE)
        })
    }

    /// Checks a database in memory.
    ///
    /// # Errors
    ///
    /// Like [`Database::open`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        let map = Map::Memory(bytes);
        let header = layout::read_header(&map)?;
        Self::assemble(map, header, true)
    }

    /// Opens a database in memory that has passed the check before, like
    /// [`Database::open_unless_known`] for a known file.
    ///
    /// # Errors
    ///
    /// The header or the automata are damaged.
    pub fn from_known_bytes(bytes: Vec<u8>) -> Result<Self> {
        let map = Map::Memory(bytes);
        let header = layout::read_header(&map)?;
        Self::assemble(map, header, false)
    }

    fn assemble(map: Map, header: Header, is_checked: bool) -> Result<Self> {
        if is_checked {
            layout::check_sections(&map, &header)?;
        }
        let mut ranges = Box::new([const { 0..0 }; 64]);
        for (section, range, _) in &header.sections {
            ranges[*section as usize] = range.clone();
        }
        let mut database = Database {
            map,
            header,
            ranges,
            groups: Vec::new(),
            summary: Summary::default(),
            stamp: None,
        };
        let damaged = |section: Section| {
            Error::database(format!("section {} is inconsistent", section.name()))
                .remedy("compile it again")
        };
        if is_checked {
            database.check_structures().map_err(damaged)?;
        }
        let patterns = database.bytes(Section::Patterns).len() / patterns::PATTERN_ROW;
        let groups = patterns::open(
            database.bytes(Section::PatternGroups),
            database.bytes(Section::Automata),
            patterns,
        );
        database.groups = groups.ok_or_else(|| damaged(Section::Automata))?;
        database.summary = serde_json::from_slice(database.bytes(Section::Summary))
            .map_err(|_| damaged(Section::Summary))?;
        Ok(database)
    }

    /// Checks every structure that look-ups rely on. Returns the section that
    /// fails.
    fn check_structures(&self) -> Result<(), Section> {
        let ok = |section: Section, check: Option<()>| check.ok_or(section);
        ok(Section::Strings, self.strings().check())?;
        ok(Section::Contexts, self.check_contexts())?;
        let postings = self.postings();
        ok(Section::Claims, postings.check(self.contexts()))?;
        let sound = |posting| postings.is_sound(posting);
        ok(Section::V4Nets, self.nets4().check::<u32>(sound))?;
        ok(Section::V6Nets, self.nets6().check::<u128>(sound))?;
        ok(Section::Endpoints4, self.endpoints().check(sound))?;
        for (len, section) in DIGESTS {
            if !self.bytes(section).is_empty() {
                let table = Digests::open(self.bytes(section), len);
                ok(section, table.and_then(|t| t.check(sound)))?;
            }
        }
        for section in
            [Section::Domains, Section::Urls, Section::Paths, Section::Emails, Section::Words]
        {
            let bytes = self.bytes(section);
            ok(section, (bytes.is_empty() || Transducer::open(bytes).is_some()).then_some(()))?;
        }
        for row in self.bytes(Section::Patterns).chunks(patterns::PATTERN_ROW) {
            let row = patterns::row(row, 0);
            let good = row.is_some_and(|(text, posting)| {
                self.strings().get(text).is_some() && sound(posting)
            });
            ok(Section::Patterns, good.then_some(()))?;
        }
        if self.has(Section::Literals) {
            ok(Section::Literals, self.literals().and_then(Literals::check))?;
        }
        ok(Section::Withheld, withheld::check(self.bytes(Section::Withheld), self.strings(), sound))
    }

    fn check_contexts(&self) -> Option<()> {
        for number in 0..self.contexts() {
            self.context(number as u32)?;
        }
        let index = self.bytes(Section::ContextIndex);
        let end = u32_at(index, index.len().checked_sub(4)?)?;
        (end as usize == self.bytes(Section::Contexts).len()).then_some(())
    }

    #[inline]
    fn bytes(&self, section: Section) -> &[u8] {
        &self.map[self.ranges[section as usize].clone()]
    }

    /// The counts of the compilation.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The identity of the contents, in 32 hex digits. Equal indicators give equal
    /// identities, whatever the order of the feeds.
    pub fn build_id(&self) -> String {
        digest::encode(&self.header.build_id)
    }

    /// The version of the file's format, at most [`VERSION`](super::VERSION).
    pub fn format(&self) -> u32 {
        self.header.version
    }

    /// The time of the compilation.
    pub fn built(&self) -> Timestamp {
        Timestamp(self.header.built)
    }

    /// The state of the file when it was opened. `None` for bytes in memory.
    pub fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    /// The size of the file in bytes.
    pub fn size(&self) -> usize {
        self.map.len()
    }

    /// The sections and their sizes in bytes.
    pub fn sections(&self) -> impl Iterator<Item = (Section, usize)> {
        self.header.sections.iter().map(|(section, range, _)| (*section, range.len()))
    }

    fn strings(&self) -> Strings<'_> {
        Strings { bytes: self.bytes(Section::Strings), index: self.bytes(Section::StringIndex) }
    }

    fn postings(&self) -> Postings<'_> {
        Postings { claims: self.bytes(Section::Claims), sets: self.bytes(Section::Sets) }
    }

    fn nets4(&self) -> Prefixes<'_> {
        Prefixes {
            starts: self.bytes(Section::V4Starts),
            owners: self.bytes(Section::V4Owners),
            nets: self.bytes(Section::V4Nets),
            index: self.bytes(Section::V4Index),
        }
    }

    #[inline]
    fn nets6(&self) -> Prefixes<'_> {
        Prefixes {
            starts: self.bytes(Section::V6Starts),
            owners: self.bytes(Section::V6Owners),
            nets: self.bytes(Section::V6Nets),
            index: self.bytes(Section::V6Index),
        }
    }

    fn endpoints(&self) -> Endpoints<'_> {
        Endpoints { v4: self.bytes(Section::Endpoints4), v6: self.bytes(Section::Endpoints6) }
    }

    fn literals(&self) -> Option<Literals<'_>> {
        Literals::open(self.bytes(Section::Literals))
    }

    fn domain_filter(&self) -> DomainFilter<'_> {
        DomainFilter {
            tails: self.bytes(Section::DomainTails),
            bloom: Bloom(self.bytes(Section::DomainFilter)),
        }
    }

    /// The number of contexts.
    pub fn contexts(&self) -> usize {
        (self.bytes(Section::ContextIndex).len() / 4).saturating_sub(1)
    }

    fn context_bytes(&self, number: u32) -> Option<&[u8]> {
        let index = self.bytes(Section::ContextIndex);
        let at = usize::try_from(number).ok()?.checked_mul(4)?;
        let start = u32_at(index, at)? as usize;
        let end = u32_at(index, at + 4)? as usize;
        self.bytes(Section::Contexts).get(start..end)
    }

    /// Returns the context with this number.
    pub(crate) fn context(&self, number: u32) -> Option<Context<'_>> {
        contexts::decode(self.context_bytes(number)?, self.strings())
    }

    /// The part of a context that decides whether its claims alert.
    pub(crate) fn policy(&self, number: u32) -> Option<Policy> {
        contexts::decode_policy(self.context_bytes(number)?)
    }

    /// The claims of an entry.
    pub(crate) fn claims(&self, posting: Posting) -> impl Iterator<Item = Claim> {
        self.postings().claims(posting)
    }
}
