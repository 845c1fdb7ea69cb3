//! The look-ups of a database. Keys must be normalised, and every answer is exact, except for
//! those named `may_…`.

use super::{DIGESTS, Database};
use crate::engine::database::digests::Digests;
use crate::engine::database::filter::{self, AddressBitmap, Bloom};
use crate::engine::database::layout::Section;
use crate::engine::database::literals::{Literal, Literals};
use crate::engine::database::patterns;
use crate::engine::database::posting::{self, Posting};
use crate::engine::database::transducer::{self, Transducer};
use crate::engine::database::withheld::{self, Withheld};
use crate::engine::indicator::gram::GramFilter;
use crate::engine::indicator::{Kind, Reason};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A walk over the listed URLs. It can be copied to continue in two directions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UrlWalk<'d> {
    database: &'d Database,
    transducer: Transducer<'d>,
    state: transducer::WalkState,
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
    pub(crate) fn reporting(
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
    pub(super) fn posting_of(&self, value: Option<u64>) -> Option<Posting> {
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
