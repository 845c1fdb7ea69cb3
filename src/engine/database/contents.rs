//! The writing side: takes sorted values and lays out a file.
//!
//! The compiler decides on the contents and their order. Values arrive sorted and
//! without duplicates, with their claims.

use super::contexts::{StringTable, encode};
use super::file::DIGESTS;
use super::filter::{add_tail, build_bitmap, build_bloom, build_domain_filter, empty_tails, hash};
use super::layout::Section;
use super::posting::{Claim, Posting};
use super::publish::{Writer, publish};
use super::transducer::Builder;
use super::{Summary, digests, endpoints, literals, patterns, prefix, withheld};
use crate::engine::files::Outlet;
use crate::engine::indicator::{Context, Kind, Reason, Scope, Timestamp, domain};
use crate::{Error, Result};
use hashbrown::HashMap;
use std::io::{Cursor, Seek, Write};
use std::net::IpAddr;
use std::path::Path;

/// The tables of strings that are stored as transducers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyed {
    /// Names, with their bytes reversed.
    Domains,
    /// Keys of URLs.
    Urls,
    /// URL paths.
    Paths,
    /// E-mail addresses.
    Emails,
    /// A byte for the kind, then a string.
    Words,
}

/// The future contents of a file.
#[derive(Debug)]
pub(crate) struct Contents {
    sections: Vec<(Section, Vec<u8>)>,
    strings: StringTable,
    claims: Vec<Claim>,
    sets: Vec<u8>,
    known_sets: HashMap<Box<[u32]>, Posting>,
    withheld: Vec<u8>,
    v4_ranges: Vec<(u32, u32)>,
    tails: Vec<u8>,
}

impl Contents {
    /// Starts with the contexts and the claims, both sorted. Postings refer to
    /// claims by their index in `claims`.
    pub(crate) fn new<'c>(
        contexts: impl Iterator<Item = &'c Context<'static>>,
        claims: Vec<Claim>,
    ) -> Self {
        let mut strings = StringTable::default();
        let (mut bytes, mut index) = (Vec::new(), Vec::new());
        for context in contexts {
            index.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            encode(context, &mut strings, &mut bytes);
        }
        index.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        Contents {
            sections: vec![(Section::Contexts, bytes), (Section::ContextIndex, index)],
            strings,
            claims,
            sets: Vec::new(),
            known_sets: HashMap::new(),
            withheld: Vec::new(),
            v4_ranges: Vec::new(),
            tails: empty_tails(),
        }
    }

    /// Returns the posting for a sorted list of claims without duplicates.
    pub(crate) fn posting(&mut self, claims: &[u32]) -> Posting {
        if let [claim] = claims {
            return Posting::lone(*claim);
        }
        if let Some(&posting) = self.known_sets.get(claims) {
            return posting;
        }
        let posting = Posting::list((self.sets.len() / 4) as u32);
        self.sets.extend_from_slice(&(claims.len() as u32).to_le_bytes());
        for claim in claims {
            self.sets.extend_from_slice(&claim.to_le_bytes());
        }
        self.known_sets.insert(claims.into(), posting);
        posting
    }

    /// Adds IPv4 networks, sorted by address, wider ones first.
    pub(crate) fn nets4(&mut self, nets: &[(u32, u8, Posting)]) {
        let built = prefix::build(nets);
        self.v4_ranges.extend(nets.iter().map(|&(address, length, _)| {
            (address, address | u32::MAX.checked_shr(u32::from(length)).unwrap_or(0))
        }));
        self.sections.extend([
            (Section::V4Starts, built.starts),
            (Section::V4Owners, built.owners),
            (Section::V4Nets, built.nets),
            (Section::V4Index, built.index),
        ]);
    }

    /// Adds IPv6 networks, sorted by address, wider ones first.
    pub(crate) fn nets6(&mut self, nets: &[(u128, u8, Posting)]) {
        let built = prefix::build(nets);
        self.sections.extend([
            (Section::V6Starts, built.starts),
            (Section::V6Owners, built.owners),
            (Section::V6Nets, built.nets),
            (Section::V6Index, built.index),
        ]);
    }

    /// Adds addresses with ports, sorted.
    pub(crate) fn endpoints(&mut self, rows: &[((IpAddr, u16), Posting)]) {
        let mut v4 = Vec::new();
        let mut v6 = Vec::new();
        for ((address, port), posting) in rows {
            match address {
                IpAddr::V4(address) => {
                    let bits = address.to_bits();
                    v4.extend_from_slice(&(u64::from(bits) << 16 | u64::from(*port)).to_le_bytes());
                    v4.extend_from_slice(&posting.0.to_le_bytes());
                    v4.resize(v4.len().next_multiple_of(endpoints::ROW4), 0);
                    self.v4_ranges.push((bits, bits));
                }
                IpAddr::V6(address) => {
                    v6.extend_from_slice(&address.to_bits().to_le_bytes());
                    v6.extend_from_slice(&u32::from(*port).to_le_bytes());
                    v6.extend_from_slice(&posting.0.to_le_bytes());
                    debug_assert!(v6.len().is_multiple_of(endpoints::ROW6));
                }
            }
        }
        self.sections.extend([(Section::Endpoints4, v4), (Section::Endpoints6, v6)]);
    }

    /// Adds digests of one length, sorted.
    pub(crate) fn digests<D: AsRef<[u8]>>(&mut self, len: usize, rows: &[(D, Posting)]) {
        let section = DIGESTS.into_iter().find(|(l, _)| *l == len).map(|(_, section)| section);
        if let (Some(section), false) = (section, rows.is_empty()) {
            self.sections.push((section, digests::build(rows)));
        }
    }

    /// Adds a table that was laid out.
    pub(crate) fn add(&mut self, table: StringSections) {
        // Keep the bits that other tables have set.
        self.tails.resize(self.tails.len().max(table.tails.len()), 1);
        for (mine, theirs) in self.tails.iter_mut().zip(&table.tails) {
            *mine |= theirs;
        }
        self.sections.extend(table.sections);
    }

    /// Adds wildcard and regex indicators, sorted by kind.
    pub(crate) fn patterns(&mut self, rows: &[(Kind, Scope, &str, Posting)]) {
        let (mut groups, mut automata, mut table) = (Vec::new(), Vec::new(), Vec::new());
        let mut first = 0;
        while first < rows.len() {
            let kind = rows[first].0;
            let count = rows[first..].iter().take_while(|row| row.0 == kind).count();
            let of_kind: Vec<_> =
                rows[first..first + count].iter().map(|row| (row.1, row.2)).collect();
            for (at, len, bytes) in patterns::build(kind, &of_kind) {
                automata.resize(automata.len().next_multiple_of(8), 0);
                for word in [kind as u32, (first + at) as u32, len as u32, 0] {
                    groups.extend_from_slice(&word.to_le_bytes());
                }
                groups.extend_from_slice(&(automata.len() as u64).to_le_bytes());
                groups.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
                debug_assert!(groups.len().is_multiple_of(patterns::GROUP_ROW));
                automata.extend_from_slice(&bytes);
            }
            first += count;
        }
        for (_, _, text, posting) in rows {
            table.extend_from_slice(&self.strings.number(text).to_le_bytes());
            table.extend_from_slice(&posting.0.to_le_bytes());
        }
        self.sections.extend([
            (Section::PatternGroups, groups),
            (Section::Automata, automata),
            (Section::Patterns, table),
        ]);
    }

    /// Adds an indicator that a guard withheld.
    pub(crate) fn withheld(
        &mut self,
        (kind, scope, reason): (Kind, Scope, Reason),
        value: &str,
        posting: Posting,
    ) {
        let string = self.strings.number(value);
        withheld::push(&mut self.withheld, (kind, scope, reason, string, posting));
    }

    /// Puts everything else into sections, in the order of the file.
    fn finish(mut self, summary: &Summary) -> Result<Vec<(Section, Vec<u8>)>> {
        if self.strings.size() > u32::MAX as usize {
            return Err(Error::usage("the contexts contain more than 4 GiB of text")
                .remedy("split the feeds over several databases"));
        }
        if !self.v4_ranges.is_empty() {
            self.sections.push((Section::V4Filter, build_bitmap(&self.v4_ranges)));
        }
        let mut claims = Vec::with_capacity(self.claims.len() * super::posting::CLAIM_ROW);
        for claim in &self.claims {
            claim.put(&mut claims);
        }
        let (strings, index) = self.strings.finish();
        let summary = serde_json::to_vec(summary)
            .map_err(|e| Error::format(format!("cannot write the summary: {e}")))?;
        self.sections.extend([
            (Section::Summary, summary),
            (Section::Strings, strings),
            (Section::StringIndex, index),
            (Section::Claims, claims),
            (Section::Sets, self.sets),
            (Section::Withheld, self.withheld),
            (Section::DomainTails, self.tails),
        ]);
        self.sections.sort_by_key(|(section, _)| *section);
        Ok(self.sections)
    }

    /// Writes the file and moves it into place.
    pub(crate) fn publish(self, path: &Path, built: Timestamp, summary: &Summary) -> Result<u64> {
        let fail = |what: &'static str| move |e| Error::io(what, e).at_path(path);
        let outlet = Outlet::of(path).map_err(fail("write the database"))?;
        let Outlet::File(target) = &outlet else {
            // A stream cannot be renamed over, and has no positions to seek to.
            let bytes = self.into_bytes(built, summary)?;
            let written = outlet.append().and_then(|mut stream| stream.write_all(&bytes));
            return written.map(|()| bytes.len() as u64).map_err(fail("write the database"));
        };
        let sections = self.finish(summary)?;
        let mut length = 0;
        publish(target, |out| {
            let mut out = write(out, sections, built)?;
            length = out.stream_position()?;
            Ok(())
        })?;
        // The writer is positioned after the table, so take the length from the file.
        std::fs::metadata(target)
            .map(|m| m.len())
            .map_err(fail("read its size"))
            .map(|len| len.max(length))
    }

    /// Returns the bytes of the file.
    pub(crate) fn into_bytes(self, built: Timestamp, summary: &Summary) -> Result<Vec<u8>> {
        let sections = self.finish(summary)?;
        write(Cursor::new(Vec::new()), sections, built)
            .map(Cursor::into_inner)
            .map_err(|e| Error::io("write the database", e))
    }
}

/// A table of strings in its final form, with its filter.
#[derive(Debug, Default)]
pub(crate) struct StringSections {
    sections: Vec<(Section, Vec<u8>)>,
    /// The last labels of names, and of the hosts of URLs.
    tails: Vec<u8>,
}

/// Lays out strings as a transducer. They must be sorted by their bytes, names
/// reversed. It depends on no other table, so tables can be laid out in parallel.
pub(crate) fn lay_out<'k>(
    table: Keyed,
    rows: impl Iterator<Item = (&'k [u8], Posting)> + Clone,
) -> Result<StringSections> {
    let mut builder = Builder::new();
    let mut any = false;
    for (key, posting) in rows.clone() {
        any = true;
        if !builder.insert(key, u64::from(posting.0)) {
            return Err(Error::format("the values are not sorted"));
        }
    }
    if !any {
        return Ok(StringSections::default());
    }
    let bytes = builder.finish();
    let keys = rows.map(|(key, _)| key);
    let mut tails = Vec::new();
    let (filter, section) = match table {
        Keyed::Domains => {
            let mut names = Vec::new();
            let mut ends = Vec::new();
            for key in keys {
                names.extend(key.iter().rev());
                ends.push(names.len());
            }
            let starts = std::iter::once(&0).chain(&ends);
            let spans = starts.zip(&ends);
            let bloom;
            (tails, bloom) = build_domain_filter(spans.map(|(a, b)| &names[*a..*b]));
            ((Section::DomainFilter, bloom), Section::Domains)
        }
        Keyed::Urls => {
            tails = empty_tails();
            for key in keys.clone() {
                add_tail(&mut tails, domain::last_label(url_host(key)));
            }
            let filter = bloom(keys.map(|key| hash(url_host(key))));
            ((Section::UrlFilter, filter), Section::Urls)
        }
        Keyed::Paths => {
            let filter = bloom(keys.map(|key| hash(bare_path(key))));
            ((Section::PathFilter, filter), Section::Paths)
        }
        Keyed::Emails => ((Section::EmailFilter, bloom(keys.map(hash))), Section::Emails),
        Keyed::Words => ((Section::Literals, literals::build(keys)), Section::Words),
    };
    Ok(StringSections { sections: vec![filter, (section, bytes)], tails })
}

fn bloom(hashes: impl Iterator<Item = u64>) -> Vec<u8> {
    let mut hashes: Vec<u64> = hashes.collect();
    hashes.sort_unstable();
    hashes.dedup();
    build_bloom(&hashes)
}

fn write<W: Write + Seek>(
    out: W,
    sections: Vec<(Section, Vec<u8>)>,
    built: Timestamp,
) -> std::io::Result<W> {
    let mut writer = Writer::new(out, sections.iter().filter(|(_, b)| !b.is_empty()).count())?;
    for (section, bytes) in sections {
        writer.section(section, &bytes)?;
    }
    writer.finish(built.0)
}

/// The host in the key of a URL, without its port.
pub(crate) fn url_host(key: &[u8]) -> &[u8] {
    let slash = memchr::memchr(b'/', key).unwrap_or(key.len());
    // A key only contains a scheme if that is a rare one.
    let start =
        if key[..slash].ends_with(b":") && key[slash..].starts_with(b"//") { slash + 2 } else { 0 };
    let rest = &key[start..];
    let end = if rest.first() == Some(&b'[') {
        memchr::memchr(b']', rest).map_or(rest.len(), |at| at + 1)
    } else {
        rest.iter().position(|b| b":/?".contains(b)).unwrap_or(rest.len())
    };
    &rest[..end]
}

/// A path without its query and trailing slashes.
pub(crate) fn bare_path(path: &[u8]) -> &[u8] {
    let mut end = memchr::memchr(b'?', path).unwrap_or(path.len());
    while end > 1 && path[end - 1] == b'/' {
        end -= 1;
    }
    &path[..end]
}
