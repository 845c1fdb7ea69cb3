//! Chunks: blocks of whole lines, and how lines that are too long are cut.
//!
//! One rule defines where an input is cut, for streams and for files alike, so that threads agree
//! about it without communicating. With a chunk size of N and a line limit of L, boundary k is
//!
//! - directly after the first newline at or after byte `k * N - 1`, if there is one within L bytes;
//! - at the end of the input, if that is nearer than L bytes;
//! - otherwise at byte `k * N`, in the middle of a line: a *hard* cut.
//!
//! Boundaries never go backwards, and a boundary equal to its predecessor makes an empty chunk,
//! which is skipped. So a chunk has at most N + L bytes, and a line of a gigabyte is read in
//! windows of N bytes. The bytes around a hard cut are included in the chunks on both sides, so
//! that a name or an address across the cut is seen whole, and so is its record. A cut between two
//! lines has such context if the second line may continue an earlier record ([`continues_record`]),
//! or if any line may ([`Bounds::with_records`]).

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// A block of an input.
///
/// Whatever *begins* in `buffer[start..end]` belongs to this chunk, even if it ends after `end`.
/// The bytes before `start` and from `end` on are context. At a hard cut, the context before
/// `start` belongs to the same line. At other cuts there is context only within records, and it
/// consists of whole lines.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Chunk {
    /// The bytes. Give it back to the [`Pool`] when done.
    pub buffer: Vec<u8>,
    /// Where the chunk's own bytes begin in the buffer.
    pub start: usize,
    /// Where they end.
    pub end: usize,
    /// The offset of `buffer[0]` in the decompressed input.
    pub offset: u64,
    /// Whether the chunk begins after a newline or at the input's first byte, and ends after a
    /// newline or at the input's last byte.
    pub whole_lines: bool,
}

impl Chunk {
    /// The offsets of the chunk's own bytes in the decompressed input.
    pub fn span(&self) -> Range<u64> {
        self.offset + self.start as u64..self.offset + self.end as u64
    }
}

/// How an input is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    chunk: usize,
    line: usize,
    look_behind: usize,
    look_ahead: usize,
    /// Whether any line may continue an earlier record.
    has_records: bool,
}

/// The longest record that is seen whole wherever the cuts are, in bytes, including a line break.
const AROUND: usize = (64 << 10) + 1;

impl Default for Bounds {
    /// Chunks of 256 KiB, which fit into a core's second-level cache; lines up to 1 MiB in one
    /// piece; where there is context, 64 KiB of it before and after, enough for most records of
    /// several lines, or records in a longer line.
    fn default() -> Self {
        Bounds::new(256 << 10)
    }
}

impl Bounds {
    /// The default, with chunks of about `chunk` bytes (at least one).
    pub fn new(chunk: usize) -> Bounds {
        let chunk = chunk.max(1);
        Bounds { chunk, line: 1 << 20, look_behind: AROUND, look_ahead: AROUND, has_records: false }
    }

    /// Sets another limit for the length of lines, and for the context at hard cuts. `look_ahead` must
    /// be below `line`: this much has been read when a hard cut is made.
    #[must_use]
    pub fn with_lines(self, line: usize, look_behind: usize, look_ahead: usize) -> Bounds {
        let line = line.max(2);
        Bounds { line, look_behind, look_ahead: look_ahead.min(line - 1), ..self }
    }

    /// Records span several lines of any form: there is context at every cut.
    #[must_use]
    pub fn with_records(self) -> Bounds {
        Bounds { has_records: true, ..self }
    }

    /// Whether the line that begins with these bytes may continue an earlier record; two bytes are
    /// enough.
    pub(super) fn continues_record(&self, line: &[u8]) -> bool {
        self.has_records && !line.is_empty() || continues_record(line)
    }

    /// The chunk size N.
    pub fn chunk(&self) -> usize {
        self.chunk
    }

    /// The maximum number of bytes in a chunk's buffer.
    pub fn max_buffer(&self) -> usize {
        self.look_behind + self.chunk + self.line + self.look_ahead
    }

    pub(super) fn look_behind(&self) -> usize {
        self.look_behind
    }

    pub(super) fn look_ahead(&self) -> usize {
        self.look_ahead
    }

    /// The nominal position of boundary k.
    pub(super) fn nominal(&self, k: u64) -> u64 {
        k.saturating_mul(self.chunk as u64)
    }

    /// The number of the first boundary after `offset`.
    pub(super) fn next_after(&self, offset: u64) -> u64 {
        offset / self.chunk as u64 + 1
    }

    /// The range to search for the newline of a boundary with this nominal position, in an input of
    /// `len` bytes.
    pub(super) fn search(&self, nominal: u64, len: u64) -> Range<u64> {
        let from = nominal.saturating_sub(1);
        from..from.saturating_add(self.line as u64).min(len)
    }

    /// The boundary, if there is no newline in [`search`](Self::search).
    pub(super) fn without_newline(&self, nominal: u64, len: u64) -> Cut {
        if nominal.saturating_sub(1).saturating_add(self.line as u64) > len {
            Cut::soft(len)
        } else {
            Cut { at: nominal, hard: true, inner: false }
        }
    }
}

/// After a nominal boundary the newline is usually near: this much is read first.
pub(super) const TAIL: u64 = 4 << 10;

/// A boundary between chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) at: u64,
    /// In the middle of a line.
    pub(super) hard: bool,
    /// Between two lines, perhaps within a record.
    pub(super) inner: bool,
}

impl Cut {
    /// Between two lines.
    pub(super) fn soft(at: u64) -> Cut {
        Cut { at, hard: false, inner: false }
    }

    /// Whether the bytes around it are included in the chunks on both sides.
    pub(super) fn has_context(self) -> bool {
        self.hard || self.inner
    }

    /// Where the context begins in the bytes before it. `begins_line`: a line begins with the first
    /// of these bytes.
    pub(super) fn context(self, before: &[u8], begins_line: bool) -> usize {
        match self.hard {
            // Only the line.
            true => memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1),
            // Whole lines.
            false if begins_line => 0,
            false => memchr::memchr(b'\n', before).map_or(before.len(), |newline| newline + 1),
        }
    }

    /// How many of the bytes after it are context; `is_all`: no more bytes follow.
    pub(super) fn context_after(self, after: &[u8], is_all: bool) -> usize {
        match self.hard || is_all {
            true => after.len(),
            false => memchr::memrchr(b'\n', after).map_or(0, |newline| newline + 1),
        }
    }
}

/// Whether a line may continue an earlier record: it is indented or empty, or it closes a bracket
/// or tag, as in JSON and XML that is printed for people.
fn continues_record(line: &[u8]) -> bool {
    matches!(line, [b' ' | b'\t' | b'\r' | b'\n' | b'}' | b']', ..] | [b'<', b'/', ..])
}

/// Reusable buffers, shared between the threads that fill and empty them.
#[derive(Clone, Debug)]
pub struct Pool(Arc<Buffers>);

#[derive(Debug)]
struct Buffers {
    buffers: Mutex<Vec<Vec<u8>>>,
    keep: usize,
}

impl Pool {
    /// A pool that keeps at most `keep` unused buffers.
    pub fn new(keep: usize) -> Pool {
        Pool(Arc::new(Buffers { buffers: Mutex::new(Vec::with_capacity(keep)), keep }))
    }

    /// A buffer with arbitrary contents.
    pub fn take(&self) -> Vec<u8> {
        let mut buffers = self.0.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.pop().unwrap_or_default()
    }

    /// Takes a buffer back.
    pub fn put(&self, buffer: Vec<u8>) {
        let mut buffers = self.0.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        if buffers.len() < self.0.keep {
            buffers.push(buffer);
        }
    }
}
