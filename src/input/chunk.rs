//! Chunks: blocks of whole lines, and what happens where a line is too long.
//!
//! One rule says where an input is cut, for streams and for files alike, so that
//! threads that never speak to each other agree about it. With a chunk size of N
//! and a line bound of L, boundary k lies
//!
//! - right behind the first newline at or after byte `k * N - 1`, if there is one
//!   within L bytes;
//! - at the end of the input, if that is nearer than L bytes;
//! - otherwise at byte `k * N`, in the middle of a line: a *hard* cut.
//!
//! Boundaries never run backwards, and a boundary that falls on its predecessor
//! makes an empty chunk, which nobody gets to see. Hence a chunk holds at most
//! N + L bytes, and a line of a gigabyte comes in windows of N bytes. What lies
//! around a hard cut is handed out with the chunks on both sides, so that a name
//! or an address that stands across it is seen whole, and so does the record that it stands
//! in. A cut between two lines has such context where the second may go on with a record
//! that began before it ([`goes_on`]), or where somebody says that all may
//! ([`Bounds::with_records`]).

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// A block of an input.
///
/// Whatever *begins* in `buffer[start..end]` belongs to this chunk, also when it
/// ends behind `end`. The bytes before `start` and from `end` on are context. At hard cuts that
/// before `start` is of the same line. At others there is some in the midst of records only,
/// and it consists of whole lines.
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
    /// Whether the chunk begins behind a newline or at the input's first byte, and
    /// ends behind a newline or at the input's last byte.
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
    behind: usize,
    ahead: usize,
    /// Whether any line may go on with a record that began before it.
    has_records: bool,
}

/// The longest record that is seen whole wherever the cuts are, in bytes, and a line break.
const AROUND: usize = (64 << 10) + 1;

impl Default for Bounds {
    /// Chunks of 256 KiB, which stay in a core's second-level cache; lines up to
    /// 1 MiB in one piece; where there is context, 64 KiB of it before and after: records
    /// of several lines, or in a line that is longer, reach so far.
    fn default() -> Self {
        Bounds::new(256 << 10)
    }
}

impl Bounds {
    /// The default, with chunks of about `chunk` bytes (at least one).
    pub fn new(chunk: usize) -> Bounds {
        let chunk = chunk.max(1);
        Bounds { chunk, line: 1 << 20, behind: AROUND, ahead: AROUND, has_records: false }
    }

    /// Another bound on the length of lines, and on the context at hard cuts.
    /// `ahead` is below `line`: so much has been read when a hard cut is made.
    #[must_use]
    pub fn with_lines(self, line: usize, behind: usize, ahead: usize) -> Bounds {
        let line = line.max(2);
        Bounds { line, behind, ahead: ahead.min(line - 1), ..self }
    }

    /// Says that records go over several lines of any form: there is context at every cut.
    #[must_use]
    pub fn with_records(self) -> Bounds {
        Bounds { has_records: true, ..self }
    }

    /// Whether the line that begins with these bytes may go on with a record that began
    /// before it; two suffice.
    pub(super) fn goes_on(&self, line: &[u8]) -> bool {
        self.has_records && !line.is_empty() || goes_on(line)
    }

    /// The chunk size N.
    pub fn chunk(&self) -> usize {
        self.chunk
    }

    /// The most bytes that a chunk's buffer holds.
    pub fn max_buffer(&self) -> usize {
        self.behind + self.chunk + self.line + self.ahead
    }

    pub(super) fn behind(&self) -> usize {
        self.behind
    }

    pub(super) fn ahead(&self) -> usize {
        self.ahead
    }

    /// Where boundary k would like to be.
    pub(super) fn nominal(&self, k: u64) -> u64 {
        k.saturating_mul(self.chunk as u64)
    }

    /// The number of the first boundary that lies behind `offset`.
    pub(super) fn next_after(&self, offset: u64) -> u64 {
        offset / self.chunk as u64 + 1
    }

    /// Where the newline of a boundary that would like to be at `nominal` is
    /// looked for, in an input of `len` bytes.
    pub(super) fn search(&self, nominal: u64, len: u64) -> Range<u64> {
        let from = nominal.saturating_sub(1);
        from..from.saturating_add(self.line as u64).min(len)
    }

    /// The boundary, when there is no newline in [`search`](Self::search).
    pub(super) fn without_newline(&self, nominal: u64, len: u64) -> Cut {
        if nominal.saturating_sub(1).saturating_add(self.line as u64) > len {
            Cut::soft(len)
        } else {
            Cut { at: nominal, hard: true, inner: false }
        }
    }
}

/// Behind a nominal boundary the newline is usually near: so far is read at first.
pub(super) const TAIL: u64 = 4 << 10;

/// A boundary between chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) at: u64,
    /// In the middle of a line.
    pub(super) hard: bool,
    /// Between two lines, perhaps in the midst of a record.
    pub(super) inner: bool,
}

impl Cut {
    /// Between two lines.
    pub(super) fn soft(at: u64) -> Cut {
        Cut { at, hard: false, inner: false }
    }

    /// Whether what lies around it is handed out with the chunks on both sides.
    pub(super) fn has_context(self) -> bool {
        self.hard || self.inner
    }

    /// Where the context begins in the bytes before it. `begins_line`: a line begins with the
    /// first of them.
    pub(super) fn context(self, before: &[u8], begins_line: bool) -> usize {
        match self.hard {
            // No more than the line.
            true => memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1),
            // Whole lines.
            false if begins_line => 0,
            false => memchr::memchr(b'\n', before).map_or(before.len(), |newline| newline + 1),
        }
    }

    /// How much of the bytes behind it is context; `is_all`: no more follow.
    pub(super) fn context_behind(self, behind: &[u8], is_all: bool) -> usize {
        match self.hard || is_all {
            true => behind.len(),
            false => memchr::memrchr(b'\n', behind).map_or(0, |newline| newline + 1),
        }
    }
}

/// Whether a line may go on with a record that began before it: it is indented or empty, or
/// it closes something, as programs print JSON and XML for people.
fn goes_on(line: &[u8]) -> bool {
    matches!(line, [b' ' | b'\t' | b'\r' | b'\n' | b'}' | b']', ..] | [b'<', b'/', ..])
}

/// Buffers to be used again, shared between whoever fills and whoever empties them.
#[derive(Clone, Debug)]
pub struct Pool(Arc<Shelf>);

#[derive(Debug)]
struct Shelf {
    buffers: Mutex<Vec<Vec<u8>>>,
    keep: usize,
}

impl Pool {
    /// A pool that keeps at most `keep` buffers while nobody needs them.
    pub fn new(keep: usize) -> Pool {
        Pool(Arc::new(Shelf { buffers: Mutex::new(Vec::with_capacity(keep)), keep }))
    }

    /// A buffer with whatever bytes were last in it.
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
