//! The layout of the file: header, table of sections, checksums.
//!
//! ```text
//!   0  magic      8 bytes, "\x89wsdb\r\n\n"
//!   8  version    u32
//!  12  endianness u32, 0x0a0b0c0d
//!  16  length     u64, of the file
//!  24  build id   16 bytes: XXH3-128 of the sections' identifiers and checksums
//!  40  built      i64, microseconds since the epoch
//!  48  sections   u32, how many rows the table has
//!  52  zero       u32
//!  56  checksum   u64, XXH3-64 of the header up to here and of the table
//!  64  table      rows of { id u32, zero u32, offset u64, length u64, XXH3-64 u64 }
//! ```
//!
//! Everything is little-endian. Sections begin at multiples of 64 bytes, in the
//! order of the table, and do not overlap. An unknown section is an error, because
//! it would change what matches.

use crate::{Error, Result};
use std::ops::Range;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

/// The version of the format that this code writes.
///
/// It changes whenever the bytes for the same indicators change.
pub const VERSION: u32 = 3;

/// The oldest version that this code reads. Contexts of format 2 lack `modified`, and are otherwise
/// the same.
const OLDEST: u32 = 2;

/// The first bytes of every database.
pub const MAGIC: &[u8; 8] = b"\x89wsdb\r\n\n";
pub(super) const ENDIAN: u32 = 0x0a0b_0c0d;
pub(super) const HEADER: usize = 64;
pub(super) const ROW: usize = 32;
pub(super) const ALIGN: usize = 64;
/// More sections than any version has: a limit for damaged headers.
const MAX_SECTIONS: usize = 256;

macro_rules! sections {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)*) => {
        /// The sections of a database.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        pub enum Section { $($(#[$doc])* $variant = $number,)* }

        impl Section {
            /// Every section.
            pub const ALL: &'static [Section] = &[$(Section::$variant,)*];

            /// The name that `inspect` and errors use.
            pub const fn name(self) -> &'static str {
                match self { $(Section::$variant => $name,)* }
            }

            fn from_number(number: u32) -> Option<Section> {
                match number { $($number => Some(Section::$variant),)* _ => None }
            }
        }
    };
}

sections! {
    /// What was compiled, as JSON: counts, feeds, rejects.
    Summary = 1, "summary";
    /// UTF-8 text, one string after the other.
    Strings = 2, "strings";
    /// Where each string begins: u32, one more than there are strings.
    StringIndex = 3, "string-index";
    /// Encoded contexts, one after the other.
    Contexts = 4, "contexts";
    /// Where each context begins: u32, one more than there are contexts.
    ContextIndex = 5, "context-index";
    /// Rows of { context u32, kind u8, scope u8, scheme u8, zero u8 }.
    Claims = 6, "claims";
    /// Lists of claims: a length, then as many claim numbers, all u32.
    Sets = 7, "sets";
    /// First addresses of the pieces that the IPv4 networks cut the space into: u32.
    V4Starts = 10, "v4-starts";
    /// For each piece the narrowest network that contains it: u32, or none.
    V4Owners = 11, "v4-owners";
    /// The networks: rows of { address u32, parent u32, posting u32, length u32 }.
    V4Nets = 12, "v4-nets";
    /// For each value of the top bits the first piece that may contain it: u32.
    V4Index = 13, "v4-index";
    /// A bit for each /24 (or wider, in small databases) that contains an
    /// indicator.
    V4Filter = 14, "v4-filter";
    /// Like `V4Starts`, u128.
    V6Starts = 20, "v6-starts";
    /// Like `V4Owners`.
    V6Owners = 21, "v6-owners";
    /// Rows of { address u128, parent u32, posting u32, length u32, zero u32 }.
    V6Nets = 22, "v6-nets";
    /// Like `V4Index`.
    V6Index = 23, "v6-index";
    /// Sorted rows of { address u32 << 32 | port u16 << 16, posting u32 } as u64 and u32.
    Endpoints4 = 24, "endpoints-v4";
    /// Sorted rows of { address u128, port u32, posting u32 }.
    Endpoints6 = 25, "endpoints-v6";
    /// Transducer over the reversed bytes of domains.
    Domains = 30, "domains";
    /// A bit for a hash of each last label, of domains and of the hosts of URLs.
    /// One byte longer if single labels are listed.
    DomainTails = 31, "domain-tails";
    /// Blocked Bloom filter over registered names.
    DomainFilter = 32, "domain-filter";
    /// Transducer over the keys of URLs.
    Urls = 33, "urls";
    /// Blocked Bloom filter over the hosts of URLs.
    UrlFilter = 34, "url-filter";
    /// Transducer over URL paths.
    Paths = 35, "paths";
    /// Blocked Bloom filter over URL paths without their query.
    PathFilter = 36, "path-filter";
    /// Transducer over e-mail addresses.
    Emails = 37, "emails";
    /// Blocked Bloom filter over e-mail addresses.
    EmailFilter = 38, "email-filter";
    /// Transducer over strings: a byte for the kind, then the value.
    Words = 39, "words";
    /// Digests of 16 bytes, sorted, followed by a table of postings; see `digests`.
    Digest16 = 40, "digests-16";
    /// Digests of 20 bytes.
    Digest20 = 41, "digests-20";
    /// Digests of 28 bytes.
    Digest28 = 42, "digests-28";
    /// Digests of 31 bytes (JARM).
    Digest31 = 43, "digests-31";
    /// Digests of 32 bytes.
    Digest32 = 44, "digests-32";
    /// Digests of 48 bytes.
    Digest48 = 45, "digests-48";
    /// Digests of 64 bytes.
    Digest64 = 46, "digests-64";
    /// Groups of wildcard and regex indicators: rows of { target u32, first pattern u32,
    /// patterns u32, zero u32, offset u64, length u64 }.
    PatternGroups = 50, "pattern-groups";
    /// Serialised automata.
    Automata = 51, "automata";
    /// Patterns: rows of { string u32, posting u32 }.
    Patterns = 52, "patterns";
    /// Strings that text is searched for, and the windows that reveal them; see
    /// `literals`.
    Literals = 53, "literals";
    /// What the guards withheld: rows of { kind u8, scope u8, reason u8, zero u8,
    /// string u32, posting u32 }.
    Withheld = 60, "withheld";
}

/// The contents of the header.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) version: u32,
    pub(super) build_id: [u8; 16],
    pub(super) built: i64,
    pub(super) sections: Vec<(Section, Range<usize>, u64)>,
}

/// Reads `N` bytes at `at`, if they exist.
#[inline]
pub(super) fn take<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[inline]
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    take(bytes, at).map(u32::from_le_bytes)
}

#[inline]
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    take(bytes, at).map(u64::from_le_bytes)
}

#[inline]
pub(super) fn u128_at(bytes: &[u8], at: usize) -> Option<u128> {
    take(bytes, at).map(u128::from_le_bytes)
}

/// Parses and checks everything but the contents of the sections.
pub(super) fn read_header(bytes: &[u8]) -> Result<Header> {
    const REMEDY: &str = "compile it again";
    let damaged = |what: &'static str| Error::database(what).remedy(REMEDY);
    if bytes.is_empty() {
        return Err(damaged("the file is empty"));
    }
    if bytes.len() < HEADER || &bytes[..8] != MAGIC {
        return Err(Error::database("not a wiresift database")
            .remedy("name a file written by `wiresift compile -o`"));
    }
    let field = |at| u32_at(bytes, at).unwrap_or(0);
    let (version, endian) = (field(8), field(12));
    if endian == ENDIAN.swap_bytes() {
        return Err(Error::database(
            "the database was made on a machine with the other byte order",
        )
        .remedy("compile it on this machine"));
    }
    if version > VERSION {
        return Err(Error::database(format!(
            "the database has format {version}, this program reads {VERSION}"
        ))
        .remedy("use a newer wiresift, or compile it again with this one"));
    }
    if version < OLDEST {
        return Err(Error::database(format!(
            "the database has the old format {version}, this program reads {OLDEST} to {VERSION}"
        ))
        .remedy("compile it again"));
    }
    if endian != ENDIAN {
        return Err(damaged("the header is damaged"));
    }
    let length = u64_at(bytes, 16).unwrap_or(0);
    if length != bytes.len() as u64 {
        return Err(damaged("the file is truncated, or something was appended to it")
            .at_offset(bytes.len() as u64));
    }
    let count = field(48) as usize;
    let table = HEADER..HEADER + count.min(MAX_SECTIONS) * ROW;
    if count > MAX_SECTIONS || table.end > bytes.len() {
        return Err(damaged("the table of sections is damaged"));
    }
    let mut hash = Xxh3Default::new();
    hash.update(&bytes[..56]);
    hash.update(&bytes[table.clone()]);
    if u64_at(bytes, 56) != Some(hash.digest()) {
        return Err(damaged("the header's checksum is wrong"));
    }
    let sections = read_table(bytes, table)?;
    Ok(Header {
        version,
        build_id: take(bytes, 24).unwrap_or_default(),
        built: u64_at(bytes, 40).unwrap_or(0) as i64,
        sections,
    })
}

fn read_table(bytes: &[u8], table: Range<usize>) -> Result<Vec<(Section, Range<usize>, u64)>> {
    let mut sections = Vec::with_capacity(table.len() / ROW);
    let mut free = table.end;
    for row in bytes[table].chunks_exact(ROW) {
        let id = u32_at(row, 0).unwrap_or(0);
        let Some(section) = Section::from_number(id) else {
            return Err(Error::database(format!("unknown section {id}"))
                .remedy("use a newer wiresift, or compile it again with this one"));
        };
        let offset = usize::try_from(u64_at(row, 8).unwrap_or(0)).ok();
        let length = usize::try_from(u64_at(row, 16).unwrap_or(0)).ok();
        let range = offset
            .zip(length)
            .and_then(|(offset, length)| Some(offset..offset.checked_add(length)?))
            .filter(|r| r.start >= free && r.start.is_multiple_of(ALIGN) && r.end <= bytes.len());
        let Some(range) = range else {
            return Err(Error::database(format!("section {} is outside the file", section.name()))
                .remedy("compile it again"));
        };
        if sections.iter().any(|(other, _, _)| *other == section) {
            return Err(Error::database(format!("section {} occurs twice", section.name()))
                .remedy("compile it again"));
        }
        free = range.end;
        sections.push((section, range, u64_at(row, 24).unwrap_or(0)));
    }
    Ok(sections)
}

/// Checks the contents of every section against its checksum, and that there is
/// nothing else in the file.
pub(super) fn check_sections(bytes: &[u8], header: &Header) -> Result<()> {
    let mut end = HEADER + header.sections.len() * ROW;
    for (section, range, checksum) in &header.sections {
        if bytes[end..range.start].iter().any(|byte| *byte != 0) {
            return Err(Error::database("the space between the sections is not empty")
                .at_offset(end as u64)
                .remedy("compile it again"));
        }
        end = range.end;
        if xxh3_64(&bytes[range.clone()]) != *checksum {
            return Err(Error::database(format!("section {} is damaged", section.name()))
                .at_offset(range.start as u64)
                .remedy("compile it again"));
        }
    }
    if end != bytes.len() {
        return Err(Error::database("there is data after the last section")
            .at_offset(end as u64)
            .remedy("compile it again"));
    }
    Ok(())
}
