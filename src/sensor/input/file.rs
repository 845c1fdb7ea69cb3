//! Plain files, read by position: by many threads at once, and without mapping them.
//!
//! If a log is truncated while it is mapped, the process is killed with SIGBUS; reads return fewer
//! bytes instead. They are not slower: reading into a buffer that stays in the cache beats page
//! faults (0.03 against 0.05 s for 200 MB).

use super::chunk::{Bounds, Chunk, Cut, TAIL};
use super::open::Stream;
use crate::engine::error::{Error, Result};
use memchr::memchr;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// An uncompressed file and its length when it was opened. What is appended later is ignored.
#[derive(Debug)]
pub struct PlainFile {
    path: Arc<str>,
    file: File,
    len: u64,
    /// It takes less space than its length, so it has holes.
    is_sparse: bool,
}

impl PlainFile {
    pub(super) fn new(path: Arc<str>, file: File, len: u64) -> PlainFile {
        PlainFile { path, file, len, is_sparse: false }
    }

    /// Sets whether it has holes.
    pub(super) fn sparse(self, is_sparse: bool) -> PlainFile {
        PlainFile { is_sparse, ..self }
    }

    /// Where data begins at or after an offset, which may be in a hole; `None` if there is none.
    fn data_from(&self, offset: u64) -> Option<u64> {
        use rustix::fs::{SeekFrom, seek};
        match seek(&self.file, SeekFrom::Data(offset)) {
            Ok(data) => Some(data),
            Err(rustix::io::Errno::NXIO) => None,
            // The file system doesn't support holes.
            Err(_) => Some(offset),
        }
    }

    /// Its bytes from the first to the last, for sequential readers.
    pub fn into_stream(self) -> Stream {
        Stream::new(Arc::clone(&self.path), self.file)
    }

    pub(super) fn into_file(self) -> File {
        self.file
    }

    #[cfg(test)]
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Its name in errors and alerts.
    pub fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// Length in bytes when it was opened.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it was empty when it was opened.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Fills `buffer` from `offset` on, up to the end of the file; returns the number of bytes.
    ///
    /// # Errors
    ///
    /// The operating system's. [`PlainFile::failed`] adds the position.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// The error for a read that failed at `offset`.
    pub fn failed(&self, offset: u64, error: io::Error) -> Error {
        Error::io("read", error).at_path(&*self.path).at_offset(offset)
    }
}

/// A plain file in chunks, which any thread can fetch in any order.
#[derive(Debug)]
pub struct FileChunks {
    file: PlainFile,
    bounds: Bounds,
    /// The end of the file, if it turned out to be shorter than its length.
    shrunk_to: AtomicU64,
}

impl FileChunks {
    /// Cuts a file.
    pub fn new(file: PlainFile, bounds: Bounds) -> FileChunks {
        FileChunks { file, bounds, shrunk_to: AtomicU64::new(u64::MAX) }
    }

    /// The file.
    pub fn file(&self) -> &PlainFile {
        &self.file
    }

    /// The number of chunks for [`read`](Self::read).
    pub fn count(&self) -> u64 {
        self.file.len.div_ceil(self.bounds.chunk() as u64)
    }

    /// The first chunk from `k` on that is not in a hole, or the last one. Holes, even a terabyte
    /// long, contain only zeros: those form no line, and are part of no observable.
    pub fn after_hole(&self, k: u64) -> u64 {
        if !self.file.is_sparse {
            return k;
        }
        let last = self.count().saturating_sub(1);
        let Some(data) = self.file.data_from(self.bounds.nominal(k)) else { return last.max(k) };
        // Chunks that search for their end up to the data are cut there.
        let reach = self.bounds.search(0, u64::MAX).end + 2 * self.bounds.chunk() as u64;
        let skipped = data.saturating_sub(reach) / self.bounds.chunk() as u64;
        skipped.clamp(k, last.max(k))
    }

    /// Chunk `k`, in the given buffer, or `None` if no line begins in it.
    ///
    /// # Errors
    ///
    /// If the file cannot be read there; the other chunks may still be readable.
    pub fn read(&self, k: u64, buffer: Vec<u8>) -> Result<Option<Chunk>> {
        if k >= self.count() {
            return Ok(None);
        }
        let mut window = Window { chunks: self, buffer, base: 0, filled: 0, len: self.file.len };
        let start = match k {
            0 => Cut::soft(0),
            _ => window.boundary(self.bounds.nominal(k))?,
        };
        let nominal_end = self.bounds.nominal(k + 1);
        if start.at >= nominal_end.min(window.len) {
            // The line that begins before this chunk also ends after it.
            return Ok(None);
        }
        window.begin_at(start)?;
        window.fill_to(nominal_end.saturating_add(TAIL))?;
        let end = window.boundary_within(nominal_end)?;
        if end.has_context() {
            window.fill_to(end.at + self.bounds.look_ahead() as u64)?;
        }
        Ok(window.into_chunk(start, end))
    }

    /// Checks that every byte was there that existed when the file was opened.
    ///
    /// # Errors
    ///
    /// If a chunk came out short because the file had been truncated.
    pub fn finish(&self) -> Result<()> {
        match self.shrunk_to.load(Ordering::Relaxed) {
            u64::MAX => Ok(()),
            end => Err(Error::format(format!(
                "truncated while it was read: {} bytes are missing",
                self.file.len - end
            ))
            .at_path(&*self.file.path)
            .at_offset(end)
            .remedy("scan it again, or use `wiresift tail` to follow a log")),
        }
    }
}

/// The part of the file in the buffer.
struct Window<'a> {
    chunks: &'a FileChunks,
    buffer: Vec<u8>,
    /// Offset of `buffer[0]`.
    base: u64,
    /// How many bytes of the buffer belong to the file.
    filled: usize,
    /// Where the file ends, as far as known.
    len: u64,
}

impl Window<'_> {
    fn restart(&mut self, base: u64) {
        self.base = base;
        self.filled = 0;
    }

    /// Moves the start of the window to the start of the chunk's context.
    fn begin_at(&mut self, start: Cut) -> Result<()> {
        if !start.has_context() {
            self.restart(start.at);
            return Ok(());
        }
        self.restart(start.at - (self.chunks.bounds.look_behind() as u64).min(start.at));
        self.fill_to(start.at)?;
        let from = start.context(&self.buffer[..self.filled], self.base == 0);
        self.restart(self.base + from as u64);
        Ok(())
    }

    fn end(&self) -> u64 {
        self.base + self.filled as u64
    }

    /// Reads until offset `to`, or the end.
    fn fill_to(&mut self, to: u64) -> Result<()> {
        let to = to.min(self.len);
        if to <= self.end() {
            return Ok(());
        }
        let size = (to - self.base) as usize;
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
        let file = &self.chunks.file;
        let offset = self.end();
        let read = file
            .read_at(&mut self.buffer[self.filled..size], offset)
            .map_err(|error| file.failed(offset, error))?;
        self.filled += read;
        if self.end() < to {
            self.len = self.end();
            self.chunks.shrunk_to.fetch_min(self.len, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The boundary near `nominal`, with its own reads.
    fn boundary(&mut self, nominal: u64) -> Result<Cut> {
        self.restart(self.chunks.bounds.search(nominal, self.len).start);
        self.boundary_within(nominal)
    }

    /// The boundary near `nominal`, which is not before the window.
    fn boundary_within(&mut self, nominal: u64) -> Result<Cut> {
        let bounds = self.chunks.bounds;
        let mut from = bounds.search(nominal, self.len).start;
        let mut step = TAIL;
        loop {
            let search_end = bounds.search(nominal, self.len).end;
            self.fill_to(from.saturating_add(step).min(search_end))?;
            let search = bounds.search(nominal, self.len);
            let to = search.end.min(self.end());
            if from < to {
                let range = (from - self.base) as usize..(to - self.base) as usize;
                if let Some(found) = memchr(b'\n', &self.buffer[range]) {
                    return self.between(from + found as u64 + 1);
                }
                from = to;
            }
            if from >= search.end {
                return Ok(bounds.without_newline(nominal, self.len));
            }
            step = step.saturating_mul(4);
        }
    }

    /// The boundary between two lines.
    fn between(&mut self, at: u64) -> Result<Cut> {
        self.fill_to(at + 2)?;
        let next = self.buffer[..self.filled].get((at - self.base) as usize..);
        let inner = self.chunks.bounds.continues_record(next.unwrap_or_default());
        Ok(Cut { at, hard: false, inner })
    }

    fn into_chunk(mut self, start: Cut, end: Cut) -> Option<Chunk> {
        // A file that shrank in the meantime ends at its new end.
        let end_at = end.at.min(self.end());
        if start.at >= end_at {
            return None;
        }
        let keep = if end.has_context() { self.chunks.bounds.look_ahead() as u64 } else { 0 };
        let keep_to = end_at.saturating_add(keep).min(self.end());
        let (cut, keep_to) = ((end_at - self.base) as usize, (keep_to - self.base) as usize);
        let is_all = self.base + keep_to as u64 == self.len;
        let context = end.context_after(&self.buffer[cut..keep_to], is_all);
        self.buffer.truncate(cut + context);
        Some(Chunk {
            start: (start.at - self.base) as usize,
            end: (end_at - self.base) as usize,
            offset: self.base,
            whole_lines: !start.hard && !end.hard,
            buffer: self.buffer,
        })
    }
}
