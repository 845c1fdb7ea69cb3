//! zip: members by the directory at the end (PKWARE's APPNOTE.TXT 6.3.10).
//!
//! The directory is not loaded into memory: entries with the same name don't hide each other, and
//! nothing grows with their number. (The crate `zip`, which reads feeds, keeps one entry per name,
//! and searches all of a file that has no directory for its end.) If no directory is found, the
//! file was cut off: then the members are read in sequence, as far as they go.

use super::found::{Found, Source};
use super::spool::{Bytes, Section};
use crate::sensor::input::lzma::LzmaReader;
use std::io::{self, BufReader, Cursor, Read};
use std::sync::Arc;

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const ENTRY: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";

/// The maximum size of the end of the directory, with the longest comment (4.3.16), and of the
/// locator before it.
const LONGEST_END: u64 = 20 + 22 + 0xffff;

/// A zip archive.
#[derive(Debug)]
pub(super) struct Zipped {
    bytes: Arc<Bytes>,
    /// Where the next entry of the directory is, or the next member if there is no directory.
    at: u64,
    end: u64,
    /// The position that offsets are relative to.
    base: u64,
    has_directory: bool,
}

/// The fields of a header.
#[derive(Clone, Copy, Debug)]
struct Facts {
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    unpacked: u64,
}

/// A header, by its fields.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn u16(&self, at: usize) -> u16 {
        self.0.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |b| u16::from_le_bytes(*b))
    }

    fn u32(&self, at: usize) -> u32 {
        self.0.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |b| u32::from_le_bytes(*b))
    }

    fn u64(&self, at: usize) -> u64 {
        self.0.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |b| u64::from_le_bytes(*b))
    }
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("damaged zip archive: {what}"))
}

impl Zipped {
    pub(super) fn open(bytes: Bytes) -> io::Result<Zipped> {
        let len = bytes.len()?;
        let bytes = Arc::new(bytes);
        let found = find_directory(&bytes, len)?;
        let has_directory = found.is_some();
        let (at, end, base) = found.unwrap_or((0, len, 0));
        Ok(Zipped { bytes, at, end, base, has_directory })
    }

    /// The next file. Always consumes a header, unless it is at the end.
    pub(super) fn next_file(&mut self) -> io::Result<Option<Found>> {
        loop {
            let found = match self.has_directory {
                true if self.at >= self.end => return Ok(None),
                true => self.entry()?,
                false => self.local()?,
            };
            // Folders have no contents.
            match found {
                Found::File(name, _) if name.ends_with(b"/") => {}
                found => return Ok(Some(found)),
            }
        }
    }

    /// The member of the next entry of the directory (4.3.12).
    fn entry(&mut self) -> io::Result<Found> {
        let mut header = [0; 46];
        let cut = |_| damaged("its directory is cut off");
        self.bytes.read_exact_at(&mut header, self.at).map_err(cut)?;
        if !header.starts_with(&ENTRY) {
            return Err(damaged("invalid directory entry"));
        }
        let fields = Fields(&header);
        let (name, extra) = (usize::from(fields.u16(28)), usize::from(fields.u16(30)));
        let mut text = vec![0; name + extra];
        self.bytes.read_exact_at(&mut text, self.at + 46).map_err(cut)?;
        self.at += 46 + text.len() as u64 + u64::from(fields.u16(32));
        let mut facts = Facts {
            flags: fields.u16(8),
            method: fields.u16(10),
            crc: fields.u32(16),
            packed: u64::from(fields.u32(20)),
            unpacked: u64::from(fields.u32(24)),
        };
        let mut offset = u64::from(fields.u32(42));
        facts.widen(&text[name..], &mut offset);
        text.truncate(name);
        let start = self.base.saturating_add(offset);
        let mut local = [0; 30];
        let there = self.bytes.read_exact_at(&mut local, start);
        if there.is_err() || !local.starts_with(&LOCAL) {
            return Ok(Found::Closed(text, "missing zip member"));
        }
        let fields = Fields(&local);
        let head = 30 + u64::from(fields.u16(26)) + u64::from(fields.u16(28));
        Ok(self.member(text, facts, start.saturating_add(head)))
    }

    /// The next member in sequence (4.3.7).
    fn local(&mut self) -> io::Result<Found> {
        let mut header = [0; 30];
        let cut = |_| damaged("it is cut off and has no directory");
        self.bytes.read_exact_at(&mut header, self.at).map_err(cut)?;
        if !header.starts_with(&LOCAL) {
            return Err(damaged("it has no directory"));
        }
        let fields = Fields(&header);
        let (name, extra) = (usize::from(fields.u16(26)), usize::from(fields.u16(28)));
        let mut text = vec![0; name + extra];
        self.bytes.read_exact_at(&mut text, self.at + 30).map_err(cut)?;
        let mut facts = Facts {
            flags: fields.u16(6),
            method: fields.u16(8),
            crc: fields.u32(14),
            packed: u64::from(fields.u32(18)),
            unpacked: u64::from(fields.u32(22)),
        };
        facts.widen(&text[name..], &mut 0);
        text.truncate(name);
        let start = self.at + 30 + (name + extra) as u64;
        // The sizes follow the data: then only the data itself shows where it ends.
        if facts.flags & 8 != 0 && facts.packed == 0 {
            facts.packed = self.end.saturating_sub(start);
        }
        self.at = start.saturating_add(facts.packed);
        let member = self.member(text, facts, start);
        Ok(member)
    }

    fn member(&self, name: Vec<u8>, facts: Facts, start: u64) -> Found {
        // Bit 0, and bit 13 if the directory is encrypted, too; 99 is AES (7.2.6).
        if facts.flags & 0x2001 != 0 || facts.method == 99 {
            return Found::Closed(name, "encrypted zip member");
        }
        let section = Section::new(Arc::clone(&self.bytes), start, facts.packed);
        match facts.unpack(section) {
            Some(Ok(source)) => {
                let crc = (facts.flags & 8 == 0 || facts.crc != 0).then_some(facts.crc);
                let checked = Checked { source, crc: flate2::Crc::new(), expected: crc };
                Found::File(name, Box::new(checked))
            }
            Some(Err(_)) | None => {
                Found::Closed(name, "zip member with an unknown compression method")
            }
        }
    }
}

impl Facts {
    /// Reads the sizes from the zip64 extra field (4.5.3), where the header has no room for them.
    fn widen(&mut self, mut extra: &[u8], offset: &mut u64) {
        while let [a, b, c, d, rest @ ..] = extra {
            let length = usize::from(u16::from_le_bytes([*c, *d])).min(rest.len());
            let (field, rest) = rest.split_at(length);
            if [*a, *b] == [1, 0] {
                let mut at = 0;
                for value in [&mut self.unpacked, &mut self.packed, offset] {
                    if *value == u64::from(u32::MAX) && field.len() >= at + 8 {
                        *value = Fields(field).u64(at);
                        at += 8;
                    }
                }
            }
            extra = rest;
        }
    }

    /// A reader of the decompressed bytes; `None` if the method is unknown (4.4.5).
    fn unpack(&self, section: Section) -> Option<io::Result<Source>> {
        let packed = BufReader::with_capacity(32 << 10, section);
        Some(match self.method {
            0 => Ok(Box::new(packed)),
            8 => Ok(Box::new(flate2::bufread::DeflateDecoder::new(packed))),
            12 => Ok(Box::new(bzip2::bufread::MultiBzDecoder::new(packed))),
            14 => self.unpack_lzma(packed),
            20 | 93 => zstd::stream::read::Decoder::with_buffer(packed).map(|it| Box::new(it) as _),
            95 => LzmaReader::xz(packed).map(|it| Box::new(it) as _),
            _ => return None,
        })
    }

    /// LZMA has its properties after a version (5.8.8): the header of `.lzma` contains the same in
    /// another order.
    fn unpack_lzma(&self, mut packed: BufReader<Section>) -> io::Result<Source> {
        let mut header = [0; 9];
        packed.read_exact(&mut header)?;
        let length = if self.flags & 2 != 0 { u64::MAX } else { self.unpacked };
        let alone = [&header[4..], &length.to_le_bytes()].concat();
        let chained = BufReader::new(Cursor::new(alone).chain(packed));
        Ok(Box::new(LzmaReader::lzma(chained)?))
    }
}

/// Where the directory begins and ends, and what offsets are relative to.
fn find_directory(bytes: &Bytes, len: u64) -> io::Result<Option<(u64, u64, u64)>> {
    let from = len.saturating_sub(LONGEST_END);
    let mut tail = vec![0; (len - from) as usize];
    bytes.read_exact_at(&mut tail, from)?;
    // The last one with a plausible comment, because data may follow the archive.
    let is_end = |&at: &usize| {
        tail.len() >= at + 22 && at + 22 + usize::from(Fields(&tail[at..]).u16(20)) <= tail.len()
    };
    let Some(at) = memchr::memmem::rfind_iter(&tail, &END).find(is_end) else { return Ok(None) };
    let fields = Fields(&tail[at..]);
    let mut end = from + at as u64;
    let (mut size, mut offset) = (u64::from(fields.u32(12)), u64::from(fields.u32(16)));
    let locator = at.checked_sub(20).and_then(|before| tail.get(before..at));
    if let Some(locator) = locator.filter(|locator| locator.starts_with(&LOCATOR_64)) {
        let mut wide = [0; 56];
        let there = Fields(locator).u64(8);
        if bytes.read_exact_at(&mut wide, there).is_ok() && wide.starts_with(&END_64) {
            (size, offset) = (Fields(&wide).u64(40), Fields(&wide).u64(48));
            end = there;
        }
    }
    // Data may precede the archive, and then all offsets are too small.
    let start = end.checked_sub(size).filter(|start| *start >= offset);
    Ok(start.map(|start| (start, end, start - offset)))
}

/// Whether there is an archive at the end of these bytes: the end of a directory, which begins with
/// an entry at the stated offset.
pub(super) fn is_at_end(
    len: u64,
    read_at: impl Fn(&mut [u8], u64) -> io::Result<usize>,
) -> io::Result<bool> {
    let from = len.saturating_sub(LONGEST_END);
    let mut tail = vec![0; (len - from) as usize];
    let filled = read_at(&mut tail, from)?;
    tail.truncate(filled);
    let Some(at) = memchr::memmem::rfind(&tail, &END) else { return Ok(false) };
    let size = u64::from(Fields(&tail[at..]).u32(12));
    let Some(start) = (from + at as u64).checked_sub(size) else { return Ok(false) };
    let mut entry = [0; 4];
    Ok(size > 0 && read_at(&mut entry, start)? == 4 && entry == ENTRY)
}

/// A member whose checksum is compared with its header.
struct Checked {
    source: Source,
    crc: flate2::Crc,
    expected: Option<u32>,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer).map_err(explain)?;
        self.crc.update(&buffer[..read]);
        if read == 0
            && !buffer.is_empty()
            && self.expected.take().is_some_and(|expected| expected != self.crc.sum())
        {
            return Err(damaged("wrong checksum of a member"));
        }
        Ok(read)
    }
}

fn explain(error: io::Error) -> io::Error {
    if error.raw_os_error().is_some() || error.kind() == io::ErrorKind::Interrupted {
        return error;
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            io::Error::new(error.kind(), "a member of the zip archive is incomplete")
        }
        _ => io::Error::new(error.kind(), format!("damaged zip member: {error}")),
    }
}
