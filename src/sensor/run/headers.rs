//! Header lines, tracked across the chunks of an input.
//!
//! A log may have several headers (Zeek's, when logs were joined): each applies to what follows it.
//! Chunks of a file are scanned by many threads and in no order; each thread records the headers of
//! its chunk before it scans it, and asks for those before it only after a hit. If the headers of
//! an earlier chunk are not known by then, that chunk is read a second time: another thread is
//! about to scan it. A file whose head has no header is assumed to have none.

use crate::engine::text::fields::{Changes, Format, Heads, Layout};
use crate::sensor::input::{Chunk, FileChunks, Pool};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How much of an input's head is searched for headers.
pub(super) const HEAD: usize = 16 << 10;

/// Header changes in a chunk's own lines.
fn changes(chunk: &Chunk) -> Changes {
    let own = &chunk.buffer[chunk.start..chunk.end];
    // After a hard cut, the first line is the rest of one.
    let from = match chunk.start {
        0 => 0,
        _ => memchr::memchr(b'\n', own).map_or(own.len(), |newline| newline + 1),
    };
    Changes::of(&own[from..])
}

/// The headers of a file.
#[derive(Debug)]
pub(super) struct FileHeads {
    chunks: Arc<FileChunks>,
    pool: Pool,
    noted: Mutex<Noted>,
}

#[derive(Debug)]
struct Noted {
    /// The formats, by the first chunk that they apply to.
    formats: BTreeMap<u64, Arc<Format>>,
    /// The first chunk whose headers are not known.
    next: u64,
    /// The headers of chunks after it.
    ahead: BTreeMap<u64, Changes>,
}

impl Noted {
    fn note(&mut self, k: u64, changes: Changes) {
        if k < self.next {
            return;
        }
        self.ahead.insert(k, changes);
        while let Some(changes) = self.ahead.remove(&self.next) {
            self.next += 1;
            if changes.is_none() {
                continue;
            }
            let before = self.formats.last_key_value().map(|(_, format)| Arc::clone(format));
            let format = changes.applied(&before.unwrap_or_default());
            self.formats.insert(self.next, Arc::new(format));
        }
    }
}

impl FileHeads {
    /// How the lines of a file name their fields; `head` is its head.
    pub(super) fn of(chunks: &Arc<FileChunks>, head: &[u8], pool: &Pool) -> FileLayout {
        let table = Arc::new(Format::of_table(head));
        if Changes::of(head).is_none() {
            return FileLayout::Fixed(table);
        }
        let formats = BTreeMap::from([(0, table)]);
        let noted = Mutex::new(Noted { formats, next: 0, ahead: BTreeMap::new() });
        let (chunks, pool) = (Arc::clone(chunks), pool.clone());
        FileLayout::Headed(Arc::new(FileHeads { chunks, pool, noted }))
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn before(&self, k: u64) -> Arc<Format> {
        loop {
            let next = {
                let noted = self.noted();
                if k <= noted.next {
                    let format = noted.formats.range(..=k).next_back();
                    return format.map(|(_, format)| Arc::clone(format)).unwrap_or_default();
                }
                noted.next
            };
            if self.chunks.after_hole(next) > next {
                // Only zeros, which are not scanned.
                self.noted().note(next, Changes::default());
                continue;
            }
            // If it can't be read, the thread that scans it reports that.
            let chunk = self.chunks.read(next, self.pool.take()).ok().flatten();
            let found = chunk.as_ref().map(changes).unwrap_or_default();
            self.noted().note(next, found);
            if let Some(chunk) = chunk {
                self.pool.put(chunk.buffer);
            }
        }
    }
}

/// How the lines of a file name their fields.
#[derive(Clone, Debug)]
pub(super) enum FileLayout {
    Fixed(Arc<Format>),
    Headed(Arc<FileHeads>),
}

impl FileLayout {
    /// Records the headers of chunk `k`, and returns how its lines name their fields.
    pub(super) fn note(&self, k: u64, chunk: Option<&Chunk>) -> Layout {
        match self {
            FileLayout::Fixed(format) => Layout::Fixed(Arc::clone(format)),
            FileLayout::Headed(heads) => {
                heads.noted().note(k, chunk.map(changes).unwrap_or_default());
                Layout::Headed(Arc::new(AtChunk { heads: Arc::clone(heads), k }))
            }
        }
    }
}

#[derive(Debug)]
struct AtChunk {
    heads: Arc<FileHeads>,
    k: u64,
}

impl Heads for AtChunk {
    fn before(&self) -> Arc<Format> {
        self.heads.before(self.k)
    }
}

/// The headers of a stream, whose chunks come in order.
#[derive(Debug, Default)]
pub(super) struct StreamHeads {
    format: Arc<Format>,
    is_headed: bool,
    read: u64,
}

impl StreamHeads {
    /// How the lines of the next chunk name their fields.
    pub(super) fn next(&mut self, chunk: &Chunk) -> Layout {
        let own = &chunk.buffer[chunk.start..chunk.end];
        if self.read == 0 {
            let head = &chunk.buffer[chunk.start..];
            self.format = Arc::new(Format::of_table(&head[..head.len().min(HEAD)]));
        }
        let left = HEAD.saturating_sub(usize::try_from(self.read).unwrap_or(HEAD));
        if left > 0 && !Changes::of(&own[..own.len().min(left)]).is_none() {
            self.is_headed = true;
        }
        self.read += own.len() as u64;
        let before = Arc::clone(&self.format);
        if !self.is_headed {
            return Layout::Fixed(before);
        }
        let changes = changes(chunk);
        if !changes.is_none() {
            self.format = Arc::new(changes.applied(&before));
        }
        Layout::Headed(Arc::new(Known(before)))
    }
}

/// How lines name their fields after these header lines, of which those of a table come first;
/// `is_own` if they are the first of the lines themselves.
pub(super) fn layout_after(header: &[u8], is_own: bool) -> Layout {
    let table = Format::of_table(header);
    let changes = Changes::of(header);
    match changes.is_none() {
        true => Layout::Fixed(Arc::new(table)),
        false if is_own => Layout::Headed(Arc::new(Known(Arc::new(table)))),
        false => Layout::Headed(Arc::new(Known(Arc::new(changes.applied(&table))))),
    }
}

#[derive(Debug)]
struct Known(Arc<Format>);

impl Heads for Known {
    fn before(&self) -> Arc<Format> {
        Arc::clone(&self.0)
    }
}
