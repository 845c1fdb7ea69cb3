//! A database: the file, verified and mapped, and its look-ups.

use super::contexts;
use super::contexts::Policy;
use super::contexts::Strings;
use super::digests::Digests;
use super::endpoints::Endpoints;
use super::filter;
use super::filter::{AddressBitmap, Bloom, DomainFilter};
use super::layout;
use super::layout::Section;
use super::layout::{Header, u32_at};
use super::literals::Literal;
use super::literals::Literals;
use super::map::{Map, Taking};
use super::patterns;
use super::posting;
use super::posting::Claim;
use super::posting::Posting;
use super::posting::Postings;
use super::prefix::Prefixes;
use super::summary::Summary;
use super::transducer;
use super::transducer::Transducer;
use super::withheld;
use super::withheld::Withheld;
use crate::engine::indicator::gram::GramFilter;
use crate::engine::indicator::{Context, Kind, Reason, Timestamp, digest};
use crate::{Error, Result};
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

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

/// The remedy for a database that is modified in place.
pub(super) const IN_PLACE: &str = "replace databases as `wiresift compile -o` does, or with mv, not \
                                   with cp; then run it again";

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

/// Identifies a file and its state, to notice that it was replaced or written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The identity of the contents, from the header.
    pub build_id: String,
    /// Size in bytes.
    pub size: u64,
    /// The device it is on.
    pub device: u64,
    /// Its number on that device.
    pub inode: u64,
    /// The last modification of its bytes, in seconds and nanoseconds.
    pub modified: (i64, i64),
    /// The last change of any kind, which programs cannot set at will.
    pub changed: (i64, i64),
}

/// Like [`Identity`], without reading the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    size: u64,
    device: u64,
    inode: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// The state of a file.
    pub fn of(metadata: &Metadata) -> Self {
        Stamp {
            size: metadata.size(),
            device: metadata.dev(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl Identity {
    fn new(header: &Header, stamp: &Stamp) -> Self {
        let Stamp { size, device, inode, modified, changed } = *stamp;
        let build_id = digest::encode(&header.build_id);
        Identity { build_id, size, device, inode, modified, changed }
    }
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
        Self::take(path.as_ref(), Taking::Mapped, is_known)
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
        Self::take(path.as_ref(), Taking::Copied, is_known)
    }

    fn take(path: &Path, taking: Taking, is_known: impl FnOnce(&Identity) -> bool) -> Result<Self> {
        let (map, stamp, after) = Map::open(path, taking)?;
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

/// A walk over the listed URLs. It can be copied to continue in two directions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UrlWalk<'d> {
    database: &'d Database,
    transducer: Transducer<'d>,
    state: transducer::State,
}

impl UrlWalk<'_> {
    /// Advances over `bytes`. `None` if no URL continues like that.
    #[inline]
    pub(crate) fn over(mut self, bytes: &[u8]) -> Option<Self> {
        for &byte in bytes {
            self.state = self.transducer.step(self.state, byte)?;
        }
        Some(self)
    }

    /// Advances over `bytes`, and reports every URL that ends on the way: the
    /// number of bytes up to there, and its posting. `None` if no URL continues
    /// like that.
    #[inline]
    pub(crate) fn telling(
        mut self,
        bytes: &[u8],
        mut found: impl FnMut(usize, Posting),
    ) -> Option<Self> {
        for (at, &byte) in bytes.iter().enumerate() {
            self.state = self.transducer.step(self.state, byte)?;
            if let Some(posting) = self.posting() {
                found(at + 1, posting);
            }
        }
        Some(self)
    }

    /// The posting of the URL that ends here, if any.
    #[inline]
    pub(crate) fn posting(self) -> Option<Posting> {
        self.database.posting_of(self.transducer.value(self.state))
    }
}

/// Look-ups. Keys must be normalised, and every answer is exact, except for those
/// named `may_…`.
impl Database {
    /// Whether an indicator may cover this IPv4 address. Tests a single bit.
    #[inline]
    pub(crate) fn may_hold_v4(&self, address: u32) -> bool {
        AddressBitmap(self.bytes(Section::V4Filter)).may_hold(address)
    }

    /// Every network that contains an IPv4 address, the narrowest first.
    #[inline]
    pub(crate) fn covering_v4(
        &self,
        address: u32,
    ) -> impl Iterator<Item = (Ipv4Addr, u8, Posting)> {
        self.nets4()
            .covering(address)
            .map(|net| (Ipv4Addr::from_bits(net.address), net.length, net.posting))
    }

    /// Whether an indicator may cover this IPv6 address.
    #[inline]
    pub(crate) fn may_hold_v6(&self, address: u128) -> bool {
        self.has(Section::Endpoints6) || self.nets6().covers(address)
    }

    /// Every network that contains an IPv6 address, the narrowest first.
    #[inline]
    pub(crate) fn covering_v6(
        &self,
        address: u128,
    ) -> impl Iterator<Item = (Ipv6Addr, u8, Posting)> {
        self.nets6()
            .covering(address)
            .map(|net| (Ipv6Addr::from_bits(net.address), net.length, net.posting))
    }

    /// Looks up an address with a port.
    pub(crate) fn endpoint(&self, address: IpAddr, port: u16) -> Option<Posting> {
        self.endpoints().get(address, port)
    }

    /// Whether any port is listed for an address.
    pub(crate) fn has_endpoint(&self, address: IpAddr) -> bool {
        self.endpoints().has(address)
    }

    /// The ports listed for an address.
    pub(crate) fn endpoint_ports(&self, address: IpAddr) -> impl Iterator<Item = (u16, Posting)> {
        self.endpoints().ports(address)
    }

    /// Whether a name that ends in this label (in any case) can match at all.
    #[inline]
    pub(crate) fn may_end_in(&self, label: &[u8]) -> bool {
        self.domain_filter().may_end_in(label)
    }

    /// The bitmap of last labels.
    #[inline]
    pub(crate) fn tails(&self) -> &[u8] {
        self.bytes(Section::DomainTails)
    }

    /// Like [`Self::may_hold_domain`], given that the last two labels are the last
    /// `pair` bytes of the name.
    #[inline]
    pub(crate) fn may_hold_pair(&self, name: &[u8], pair: usize) -> bool {
        let pair = &name[name.len().saturating_sub(pair)..];
        self.domain_filter().may_hold_pair(name, pair)
    }

    /// Whether a name (in any case) or a parent of it may be listed.
    #[inline]
    pub(crate) fn may_hold_domain(&self, name: &[u8]) -> bool {
        self.domain_filter().may_hold(name)
    }

    /// Passes on the listed ones among the name and its parents, the most specific
    /// last, with their position in `name` and their posting. A single walk from
    /// the end of the name.
    #[inline]
    pub(crate) fn suffixes(&self, name: &[u8], mut found: impl FnMut(usize, Posting)) {
        let Some(transducer) = Transducer::open(self.bytes(Section::Domains)) else { return };
        let mut state = transducer.start();
        for (at, &byte) in name.iter().enumerate().rev() {
            match transducer.step(state, byte) {
                Some(next) => state = next,
                None => return,
            }
            if (at == 0 || name[at - 1] == b'.')
                && let Some(posting) = self.posting_of(transducer.value(state))
            {
                found(at, posting);
            }
        }
    }

    /// Whether a URL with this host (canonical) may be listed.
    #[inline]
    pub(crate) fn may_hold_url_host(&self, host: &[u8]) -> bool {
        Bloom(self.bytes(Section::UrlFilter)).may_hold(filter::hash(host))
    }

    /// Starts a walk over the listed URLs. `None` if there are none.
    #[inline]
    pub(crate) fn urls(&self) -> Option<UrlWalk<'_>> {
        let transducer = Transducer::open(self.bytes(Section::Urls))?;
        Some(UrlWalk { database: self, transducer, state: transducer.start() })
    }

    /// Whether a URL path without its query and trailing slashes may be listed.
    #[inline]
    pub(crate) fn may_hold_path(&self, path: &[u8]) -> bool {
        Bloom(self.bytes(Section::PathFilter)).may_hold(filter::hash(path))
    }

    /// Looks up a URL path with its query.
    pub(crate) fn path(&self, path: &[u8]) -> Option<Posting> {
        self.keyed(Section::Paths, path)
    }

    /// Whether an e-mail address may be listed.
    #[inline]
    pub(crate) fn may_hold_email(&self, address: &[u8]) -> bool {
        Bloom(self.bytes(Section::EmailFilter)).may_hold(filter::hash(address))
    }

    /// Looks up an e-mail address.
    pub(crate) fn email(&self, address: &[u8]) -> Option<Posting> {
        self.keyed(Section::Emails, address)
    }

    /// Looks up a string of one kind.
    pub(crate) fn word(&self, kind: Kind, word: &[u8]) -> Option<Posting> {
        let transducer = Transducer::open(self.bytes(Section::Words))?;
        let mut state = transducer.step(transducer.start(), kind as u8)?;
        for &byte in word {
            state = transducer.step(state, byte)?;
        }
        self.posting_of(transducer.value(state))
    }

    /// Whether any string of this kind is listed.
    #[inline]
    pub(crate) fn has_words_of(&self, kind: Kind) -> bool {
        Transducer::open(self.bytes(Section::Words))
            .is_some_and(|transducer| transducer.step(transducer.start(), kind as u8).is_some())
    }

    /// The filter that excludes windows of text that occur in no listed string.
    /// `None` if there are no such strings.
    pub(crate) fn gram_filter(&self) -> Option<GramFilter<'_>> {
        self.literals().map(Literals::filter)
    }

    /// The strings that may surround this window of text.
    pub(crate) fn literals_around(&self, gram: u32) -> impl Iterator<Item = Literal<'_>> {
        self.literals().into_iter().flat_map(move |literals| literals.around(gram))
    }

    fn keyed(&self, section: Section, key: &[u8]) -> Option<Posting> {
        let transducer = Transducer::open(self.bytes(section))?;
        self.posting_of(transducer.get(key))
    }

    /// Values come from bytes that only a checksum protects, so check that a
    /// posting refers to claims.
    fn posting_of(&self, value: Option<u64>) -> Option<Posting> {
        let posting = Posting(u32::try_from(value?).ok()?);
        self.postings().is_sound(posting).then_some(posting)
    }

    /// Looks up a digest, by its length.
    #[inline]
    pub(crate) fn digest(&self, digest: &[u8]) -> Option<Posting> {
        let section = match digest.len() {
            16 => Section::Digest16,
            20 => Section::Digest20,
            28 => Section::Digest28,
            31 => Section::Digest31,
            32 => Section::Digest32,
            48 => Section::Digest48,
            64 => Section::Digest64,
            _ => return None,
        };
        Digests::open(self.bytes(section), digest.len())?.get(digest)
    }

    /// Whether any digest is listed.
    #[inline]
    pub(crate) fn has_digests(&self) -> bool {
        DIGESTS.iter().any(|(_, section)| self.has(*section)) || self.has_words_of(Kind::Tlsh)
    }

    /// Whether there are wildcard or regex indicators for observables of this kind.
    pub(crate) fn has_patterns(&self, target: Kind) -> bool {
        self.groups.iter().any(|group| group.target == target)
    }

    /// Wildcard and regex indicators of this kind that match `text`.
    pub(crate) fn patterns<'d>(
        &'d self,
        target: Kind,
        text: &'d [u8],
    ) -> impl Iterator<Item = (&'d str, Posting)> {
        self.groups
            .iter()
            .filter(move |group| group.target == target)
            .flat_map(move |group| group.search(text))
            .filter_map(|number| {
                let (text, posting) = patterns::row(self.bytes(Section::Patterns), number)?;
                Some((self.strings().get(text)?, posting))
            })
    }

    /// The kind, value and reason of everything that the guards withheld.
    pub fn kept_out(&self) -> impl Iterator<Item = (Kind, &str, Reason)> {
        self.withheld().map(|row| (row.kind, row.value, row.reason))
    }

    /// The indicators that the guards withheld, for `lookup`.
    pub(crate) fn withheld(&self) -> impl Iterator<Item = Withheld<'_>> {
        withheld::rows(self.bytes(Section::Withheld), self.strings())
    }

    /// Whether a section has contents.
    pub(crate) fn has(&self, section: Section) -> bool {
        !self.bytes(section).is_empty()
    }

    /// The number of values in a structure, for `inspect` and `verify`.
    pub fn count(&self, section: Section) -> u64 {
        let bytes = self.bytes(section);
        match section {
            Section::V4Nets => self.nets4().len::<u32>() as u64,
            Section::V6Nets => self.nets6().len::<u128>() as u64,
            Section::Endpoints4 => self.endpoints().count() as u64,
            Section::Domains
            | Section::Urls
            | Section::Paths
            | Section::Emails
            | Section::Words => Transducer::open(bytes).map_or(0, |t| t.len()),
            Section::Strings => self.strings().len() as u64,
            Section::Contexts => self.contexts() as u64,
            Section::Patterns => (bytes.len() / patterns::PATTERN_ROW) as u64,
            Section::Claims => (bytes.len() / posting::CLAIM_ROW) as u64,
            Section::Withheld => (bytes.len() / withheld::ROW) as u64,
            Section::Literals => self.literals().map_or(0, |literals| literals.count() as u64),
            _ => DIGESTS
                .into_iter()
                .find(|(_, s)| *s == section)
                .and_then(|(len, _)| Digests::open(bytes, len))
                .map_or(0, |table| table.count() as u64),
        }
    }
}
