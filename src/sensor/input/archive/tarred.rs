//! tar: members one after the other, each after a header (POSIX.1-2001 `pax`, with GNU tar's
//! extensions).
//!
//! The crate parses the fields of headers. Its own iterator lends out members, reads names of any
//! length into memory, and stops at the first end mark, although appended archives continue after
//! it.

use super::found::{Found, Source};
use std::io::{self, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};

const BLOCK: usize = 512;

/// The maximum length of a name, and of a set of attributes.
const MAX_TEXT: u64 = 64 << 10;

/// A tar archive.
pub(super) struct Tarred {
    shared: Arc<Mutex<Shared>>,
    /// An end mark was seen: what follows may be another archive, or anything.
    is_ended: bool,
}

/// The state shared by the archive and the member that is being read.
struct Shared {
    reader: Box<dyn Read + Send>,
    /// Bytes of the member that are still to be read.
    left: u64,
    /// Bytes after it up to the next block.
    padding: u64,
}

/// Data before a header that applies to it.
#[derive(Default)]
struct Ahead {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

impl std::fmt::Debug for Tarred {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tarred").field("is_ended", &self.is_ended).finish_non_exhaustive()
    }
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("damaged tar archive: {what}"))
}

/// Whether this is the header of a member: its checksum, which counts its own field as blanks, is
/// right (POSIX.1-1988, 10.1.1). This also recognises old archives.
pub(in crate::sensor::input) fn is_header(block: &[u8]) -> bool {
    let Some(header) = block.first_chunk::<BLOCK>() else { return false };
    let field = &header[148..156];
    let digits = field.iter().skip_while(|&&b| b == b' ').take_while(|b| (b'0'..=b'7').contains(b));
    let stated = digits.fold(0u32, |value, &digit| value << 3 | u32::from(digit - b'0'));
    let sum: u32 = header.iter().map(|&b| u32::from(b)).sum();
    let own: u32 = field.iter().map(|&b| u32::from(b)).sum();
    header[0] != 0 && stated == sum - own + 8 * u32::from(b' ')
}

impl Tarred {
    pub(super) fn new(reader: impl Read + Send + 'static) -> Tarred {
        let reader = Box::new(BufReader::with_capacity(64 << 10, reader));
        let shared = Shared { reader, left: 0, padding: 0 };
        Tarred { shared: Arc::new(Mutex::new(shared)), is_ended: false }
    }

    /// The next file. Always consumes a block, unless it is at the end.
    pub(super) fn next_file(&mut self) -> io::Result<Option<Found>> {
        let handle = Arc::clone(&self.shared);
        let mut shared = handle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ahead = Ahead::default();
        loop {
            shared.skip_rest()?;
            let Some(block) = shared.block(self.is_ended)? else { return Ok(None) };
            if block.iter().all(|&b| b == 0) {
                self.is_ended = true;
                continue;
            }
            if !is_header(&block) {
                // Tapes are padded with whatever was in the buffer.
                return if self.is_ended { Ok(None) } else { Err(damaged("invalid header")) };
            }
            self.is_ended = false;
            let header = tar::Header::from_byte_slice(&block);
            let kind = header.entry_type();
            let own = header.entry_size().map_err(|_| damaged("invalid size"))?;
            let is_file = kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse();
            let size = if is_file { ahead.size.unwrap_or(own) } else { own };
            if kind.is_gnu_sparse() {
                shared.skip_maps(&block)?;
            }
            shared.begin(size);
            if kind.is_gnu_longname() {
                let mut name = shared.text(size)?;
                name.truncate(name.iter().position(|&b| b == 0).unwrap_or(name.len()));
                ahead.name = Some(name);
            } else if kind.is_pax_local_extensions() {
                ahead.read(&shared.text(size)?);
            } else if is_file {
                let name = ahead.name.take().unwrap_or_else(|| header.path_bytes().into_owned());
                let member = Entry(Arc::clone(&self.shared));
                return Ok(Some(Found::File(name, Box::new(member) as Source)));
            } else if !kind.is_gnu_longlink() {
                ahead = Ahead::default();
            }
        }
    }
}

impl Ahead {
    /// Reads the attributes of the next member (POSIX.1-2001, pax).
    fn read(&mut self, attributes: &[u8]) {
        for attribute in tar::PaxExtensions::new(attributes).flatten() {
            match attribute.key_bytes() {
                b"path" | b"GNU.sparse.name" => self.name = Some(attribute.value_bytes().to_vec()),
                b"size" => self.size = attribute.value().ok().and_then(|size| size.parse().ok()),
                _ => {}
            }
        }
    }
}

impl Shared {
    fn begin(&mut self, size: u64) {
        self.left = size;
        self.padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
    }

    /// Skips the rest of the previous member.
    fn skip_rest(&mut self) -> io::Result<()> {
        let rest = self.left.saturating_add(self.padding);
        (self.left, self.padding) = (0, 0);
        let skipped = io::copy(&mut (&mut self.reader).take(rest), &mut io::sink())?;
        // Some programs omit the padding of the last member.
        if skipped + (BLOCK as u64) <= rest {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    /// The next block; `None` at the end of the archive.
    fn block(&mut self, may_be_short: bool) -> io::Result<Option<[u8; BLOCK]>> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.reader.read(&mut block[filled..]) {
                Ok(0) if filled == 0 || may_be_short => return Ok(None),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(block))
    }

    /// Skips the maps of a sparse file that don't fit into its header. The stored data then comes
    /// without the holes.
    fn skip_maps(&mut self, header: &[u8; BLOCK]) -> io::Result<()> {
        let mut goes_on = header[482] != 0;
        while goes_on {
            let block = self.block(false)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            goes_on = block[504] != 0;
        }
        Ok(())
    }

    /// The bytes of an item that describes the next member, as far as they are read.
    fn text(&mut self, size: u64) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let read = (&mut self.reader).take(size.min(MAX_TEXT)).read_to_end(&mut text)?;
        self.left -= read as u64;
        Ok(text)
    }
}

/// The member that is being read.
struct Entry(Arc<Mutex<Shared>>);

impl Read for Entry {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = buffer.len().min(usize::try_from(shared.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let read = shared.reader.read(&mut buffer[..wanted])?;
        if read == 0 {
            // Reported once: for the archive this is the end.
            (shared.left, shared.padding) = (0, 0);
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        shared.left -= read as u64;
        Ok(read)
    }
}
