//! Cuts streams into chunks.

use super::chunk::{Bounds, Chunk, Cut, Pool, TAIL};
use super::open::Stream;
use crate::engine::error::{Error, Result};
use memchr::{memchr, memrchr};
use std::io::{self, Read};
use std::sync::Arc;

/// Cuts a [`Stream`] into [`Chunk`]s, in order, and without a gap.
///
/// The cuts are those of [`FileChunks`](super::FileChunks), except for live streams: there, whole
/// lines are passed on as soon as they arrive.
///
/// On an error, the bytes before it are returned as chunks, then the error, once, then nothing.
#[derive(Debug)]
pub struct Chunker {
    stream: Stream,
    bounds: Bounds,
    pool: Pool,
    /// The next chunk and what was read beyond it.
    buffer: Vec<u8>,
    /// How many bytes of the buffer belong to the stream.
    filled: usize,
    /// Offset of `buffer[0]` in the stream.
    base: u64,
    /// Where the next chunk begins.
    start: Cut,
    /// The stream's length, once it has ended or failed.
    len: Option<u64>,
    failed: Option<io::Error>,
    /// How many bytes of the whole lines of a live stream may be returned.
    whole: fn(&[u8]) -> usize,
}

impl Chunker {
    /// Cuts a stream; buffers come from the pool, and should go back to it.
    pub fn new(stream: Stream, bounds: Bounds, pool: Pool) -> Chunker {
        Chunker {
            stream,
            bounds,
            buffer: pool.take(),
            pool,
            filled: 0,
            base: 0,
            start: Cut::soft(0),
            len: None,
            failed: None,
            whole: <[u8]>::len,
        }
    }

    /// Sets the function that says how many bytes of the whole lines of a live stream may be
    /// returned before more arrives: the rest belongs to a record that continues.
    #[must_use]
    pub fn held_by(mut self, whole: fn(&[u8]) -> usize) -> Chunker {
        self.whole = whole;
        self
    }

    /// Its name in errors and alerts.
    pub fn path(&self) -> &Arc<str> {
        self.stream.path()
    }

    /// The next chunk; `None` at the end.
    ///
    /// # Errors
    ///
    /// The reader's, with path and offset, once all bytes before it have been returned.
    pub fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        let end = self.next_cut();
        if self.start.at >= end.at {
            return match self.failed.take() {
                Some(error) => Err(Error::io("continue reading", error)
                    .at_path(&**self.stream.path())
                    .at_offset(self.end())),
                None => Ok(None),
            };
        }
        let end = self.with_context(end);
        Ok(Some(self.hand_out(end)))
    }

    /// Reads the bytes around a cut, if they are included in both chunks. In a live stream no
    /// record is cut that could have such context.
    fn with_context(&mut self, mut end: Cut) -> Cut {
        if !end.hard && !self.stream.is_live() {
            self.read_on(end.at + 2);
            let next = &self.buffer[(end.at - self.base) as usize..self.filled];
            end.inner = self.bounds.continues_record(next);
        }
        if end.has_context() {
            self.read_on(end.at + self.bounds.look_ahead() as u64);
        }
        end
    }

    /// Reads until this much is available, or the end.
    fn read_on(&mut self, to: u64) {
        while self.end() < to && self.len.is_none() {
            self.read_to(to);
        }
    }

    fn end(&self) -> u64 {
        self.base + self.filled as u64
    }

    /// The stream's length, as far as known.
    fn known_len(&self) -> u64 {
        self.len.unwrap_or(u64::MAX)
    }

    /// Finds the end of the chunk that begins at `start`, reading as far as necessary.
    fn next_cut(&mut self) -> Cut {
        let nominal = self.bounds.nominal(self.bounds.next_after(self.start.at));
        let mut from = self.bounds.search(nominal, u64::MAX).start;
        let mut step = TAIL;
        loop {
            let search_end = self.bounds.search(nominal, self.known_len()).end;
            let want = from.saturating_add(step).min(search_end);
            while self.end() < want && self.len.is_none() {
                if self.stream.is_live()
                    && let Some(cut) = self.lines_so_far()
                {
                    return cut;
                }
                self.read_to(want);
            }
            let search = self.bounds.search(nominal, self.known_len());
            let to = search.end.min(self.end());
            if from < to {
                let range = (from - self.base) as usize..(to - self.base) as usize;
                if let Some(found) = memchr(b'\n', &self.buffer[range]) {
                    let line_end = from + found as u64 + 1;
                    match self.whole_before(line_end) {
                        Some(cut) => return cut,
                        None => {
                            from = line_end;
                            continue;
                        }
                    }
                }
                from = to;
            }
            if from >= search.end {
                return self.bounds.without_newline(nominal, self.known_len());
            }
            step = step.saturating_mul(4);
        }
    }

    /// A single read, which may return fewer bytes.
    fn read_to(&mut self, want: u64) {
        let size = (want - self.base) as usize;
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
        match self.stream.read(&mut self.buffer[self.filled..size]) {
            Ok(0) => self.len = Some(self.end()),
            Ok(read) => self.filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                self.failed = Some(error);
                self.len = Some(self.end());
            }
        }
    }

    /// The cut at a line's end, or before a record of a live stream that continues there.
    fn whole_before(&self, line_end: u64) -> Option<Cut> {
        if !self.stream.is_live() {
            return Some(Cut::soft(line_end));
        }
        let lines = (self.start.at - self.base) as usize..(line_end - self.base) as usize;
        let whole = (self.whole)(&self.buffer[lines]) as u64;
        (whole > 0).then(|| Cut::soft((self.start.at + whole).min(line_end)))
    }

    /// After the last whole line in the buffer, if there is one.
    fn lines_so_far(&self) -> Option<Cut> {
        let from = (self.start.at - self.base) as usize;
        let newline = memrchr(b'\n', &self.buffer[from..self.filled])?;
        let lines = &self.buffer[from..from + newline + 1];
        let whole = (self.whole)(lines).min(lines.len());
        (whole > 0).then(|| Cut::soft(self.start.at + whole as u64))
    }

    /// Splits the buffer at `end`: the first part is returned, the second is kept, and around a
    /// hard cut both are.
    fn hand_out(&mut self, end: Cut) -> Chunk {
        let cut = (end.at - self.base) as usize;
        let (keep_from, ahead) = if end.has_context() {
            let from = cut - self.bounds.look_behind().min(cut);
            let to = (cut + self.bounds.look_ahead()).min(self.filled);
            let is_all = to == self.filled && self.len.is_some();
            let ahead = end.context_after(&self.buffer[cut..to], is_all);
            let begins_line = from == 0 && (self.base == 0 || !self.start.hard);
            (from + end.context(&self.buffer[from..cut], begins_line), ahead)
        } else {
            (cut, 0)
        };
        let mut next = self.pool.take();
        let kept = self.filled - keep_from;
        if next.len() < kept {
            next.resize(kept, 0);
        }
        next[..kept].copy_from_slice(&self.buffer[keep_from..self.filled]);
        let mut buffer = std::mem::replace(&mut self.buffer, next);
        buffer.truncate(cut.saturating_add(ahead).min(self.filled));
        let chunk = Chunk {
            start: (self.start.at - self.base) as usize,
            end: cut,
            offset: self.base,
            whole_lines: !self.start.hard && !end.hard,
            buffer,
        };
        self.base += keep_from as u64;
        self.filled = kept;
        self.start = end;
        chunk
    }
}

impl Drop for Chunker {
    fn drop(&mut self) {
        self.pool.put(std::mem::take(&mut self.buffer));
    }
}
