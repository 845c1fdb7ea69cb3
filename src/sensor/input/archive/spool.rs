//! Bytes that can be read at any position: those of a file, or of a stream that was stored.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// How much of a stream is kept in memory; longer streams go to an unnamed file.
const IN_MEMORY: u64 = 16 << 20;

/// The bytes of an archive.
#[derive(Debug)]
pub(super) enum Bytes {
    File(File),
    Memory(Vec<u8>),
}

impl Bytes {
    /// Stores a stream. If it fails after some bytes, those are still available.
    pub(super) fn spool(mut stream: impl Read) -> io::Result<Bytes> {
        let mut memory = Vec::new();
        let read = (&mut stream).take(IN_MEMORY).read_to_end(&mut memory);
        if memory.is_empty() {
            read?;
        } else if read.is_ok() && memory.len() as u64 == IN_MEMORY {
            let mut file = tempfile::tempfile()?;
            io::Write::write_all(&mut file, &memory)?;
            io::copy(&mut stream, &mut file)?;
            return Ok(Bytes::File(file));
        }
        Ok(Bytes::Memory(memory))
    }

    pub(super) fn len(&self) -> io::Result<u64> {
        match self {
            Bytes::File(file) => Ok(file.metadata()?.len()),
            Bytes::Memory(memory) => Ok(memory.len() as u64),
        }
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Bytes::File(file) => file.read_at(buffer, offset),
            Bytes::Memory(memory) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX);
                memory.get(from..).unwrap_or_default().read(buffer)
            }
        }
    }

    /// Fills the buffer from an offset on.
    pub(super) fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read_at(&mut buffer[filled..], offset.saturating_add(filled as u64)) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A part of the bytes, as a reader.
pub(super) struct Section {
    bytes: Arc<Bytes>,
    at: u64,
    end: u64,
}

impl Section {
    pub(super) fn new(bytes: Arc<Bytes>, at: u64, length: u64) -> Section {
        Section { bytes, at, end: at.saturating_add(length) }
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        if wanted == 0 {
            return Ok(0);
        }
        let read = self.bytes.read_at(&mut buffer[..wanted], self.at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += read as u64;
        Ok(read)
    }
}
