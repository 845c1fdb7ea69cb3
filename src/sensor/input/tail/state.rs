//! What is known of each file and of each stream.
//!
//! A *stream* is a generation of a log: a text that grows. A *file* is what holds it now. A stream
//! moves from file to file: by a copy before the truncation, by compression. A stream that no file
//! holds is *loose*: it was saved by an earlier run, or its file is gone or was overwritten; a file
//! that continues it may still come.

use super::cut::Unfinished;
use super::key::{Found, Key};
use super::position::Position;
use super::record::FileRecord;
use super::rotation::Name;
use super::unpacking::Unpacking;
use crate::sensor::input::{Packing, Wide, display};
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A number for each file that was seen.
pub(super) type FileId = u64;

/// What a file is to us.
#[derive(Debug)]
pub(super) enum Role {
    /// Nobody has looked into it yet, or what was there was not enough to know.
    Fresh,
    /// It holds a stream.
    Holds(u64),
    /// No log.
    Foreign,
}

/// A packed file that is compared with streams that it may continue.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) unpacking: Unpacking,
    /// Offsets and streams, the smallest first.
    pub(super) wanted: Vec<(u64, u64)>,
    /// How many of them were reached.
    pub(super) reached: usize,
    /// Those whose content is there.
    pub(super) agreed: Vec<u64>,
}

/// How a file is settled all of which was read elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Settlement {
    pub(super) position: Position,
    pub(super) wide: Option<Wide>,
    /// Where it was read, if nothing follows in the file.
    pub(super) copy_of: Option<u64>,
    pub(super) is_done: bool,
}

/// A line whose end hasn't come: up to where it was looked for, and the bytes before that, by which
/// a file is known that was overwritten meanwhile.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) scanned: u64,
    pub(super) before: Vec<u8>,
}

/// A file.
#[derive(Debug)]
pub(super) struct Followed {
    /// The name that it goes by: the first one, or the last one that it had.
    pub(super) path: PathBuf,
    pub(super) name: Name,
    pub(super) shown: Arc<str>,
    /// All names that lead to it, and whether patterns take them.
    pub(super) names: Vec<(PathBuf, bool)>,
    /// Whether its name is a link, whose target nobody watches.
    pub(super) is_link: bool,
    pub(super) found: Found,
    pub(super) file: Option<Arc<File>>,
    /// When it was last used, by a count of uses.
    pub(super) used: u64,
    pub(super) role: Role,
    /// None while too few bytes are there to know.
    pub(super) packing: Option<Option<Packing>>,
    pub(super) probe: Option<Box<Probe>>,
    pub(super) unpacking: Option<Box<Unpacking>>,
    /// A stream that it may be a copy of, by the bytes of its head.
    pub(super) resembles: BTreeSet<u64>,
    /// The file that it seems to be a copy of, which nobody has looked into either.
    pub(super) original: Option<FileId>,
    /// Files that wait for what becomes of this one, being copies of it, or perhaps.
    pub(super) copies: BTreeSet<FileId>,
    /// How it is settled once what was read elsewhere is processed.
    pub(super) settlement: Option<Box<Settlement>>,
    /// The stream that it held as a copy, before it grew.
    pub(super) aside: Option<u64>,
    /// Whether its writer has closed it, and nothing came since.
    pub(super) is_closed: bool,
    /// Whether it is packed, and was found to end in the middle; nothing came since.
    pub(super) is_cut_off: bool,
    /// When it was last seen to change.
    pub(super) grown: Duration,
    /// Since when it has no name that patterns take, or one of an older generation.
    pub(super) left: Option<Duration>,
    /// Its place among what is ready to be read, if it is.
    pub(super) ready: Option<ReadyKey>,
    pub(super) unreadable: Option<io::ErrorKind>,
    pub(super) pending: Option<Pending>,
    /// NULs go at least so far, from where it was read to, and perhaps to its end.
    pub(super) nuls: u64,
    pub(super) is_nuls_to_end: bool,
    /// Whether all was read that was there.
    pub(super) is_caught_up: bool,
    pub(super) was_cut: bool,
    /// Whether a line is there whose end isn't.
    pub(super) is_partial: bool,
    /// What becomes of such a line in the next turn.
    pub(super) unfinished: Unfinished,
}

/// The order in which the generations of a log are read: the oldest first.
pub(super) type ReadyKey = (super::rotation::Age, i64, FileId);

impl Followed {
    pub(super) fn new(path: &Path, found: Found, now: Duration) -> Followed {
        Followed {
            path: path.to_path_buf(),
            name: Name::of(path),
            shown: display(path),
            names: vec![(path.to_path_buf(), true)],
            is_link: std::fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_symlink()),
            found,
            file: None,
            used: 0,
            role: Role::Fresh,
            packing: None,
            probe: None,
            unpacking: None,
            resembles: BTreeSet::new(),
            original: None,
            copies: BTreeSet::new(),
            settlement: None,
            aside: None,
            is_closed: false,
            is_cut_off: false,
            grown: now,
            left: None,
            ready: None,
            unreadable: None,
            pending: None,
            nuls: 0,
            is_nuls_to_end: false,
            is_caught_up: false,
            was_cut: false,
            is_partial: false,
            unfinished: Unfinished::Waits,
        }
    }

    pub(super) fn is_taken(&self) -> bool {
        self.names.iter().any(|(_, is_taken)| *is_taken)
    }

    /// The stream that it holds.
    pub(super) fn stream(&self) -> Option<u64> {
        match self.role {
            Role::Holds(stream) => Some(stream),
            Role::Fresh | Role::Foreign => None,
        }
    }

    /// Whether nobody seems to write it any more.
    pub(super) fn is_quiet(&self, now: Duration, wait: Duration) -> bool {
        now.saturating_sub(self.grown) >= wait
    }
}

/// A stream.
#[derive(Debug)]
pub(super) struct Stream {
    /// What was given out.
    pub(super) read: Position,
    /// What is processed.
    pub(super) safe: Position,
    /// From where on nothing was given out, up to what was read: that is safe with what is before.
    pub(super) passed: Option<u64>,
    pub(super) file: Option<FileId>,
    /// None if its file was overwritten.
    pub(super) key: Option<Key>,
    pub(super) path: PathBuf,
    pub(super) name: Name,
    pub(super) wide: Option<Wide>,
    /// Its first bytes, up to 4 KiB; nothing where they weren't read yet.
    pub(super) head: Vec<u8>,
    /// What pieces carry as their header, and the lengths of head and later header lines that it
    /// was made of.
    pub(super) header: (Arc<[u8]>, usize, usize),
    /// The size of its file.
    pub(super) size: u64,
    /// Whether that is of something packed.
    pub(super) is_packed: bool,
    pub(super) first_seen: i64,
    pub(super) last_seen: i64,
    pub(super) is_done: bool,
    pub(super) is_ignored: bool,
    /// Since when no file holds it.
    pub(super) loose: Option<Duration>,
    /// Whether it was said that the rest of it is lost.
    pub(super) is_lost: bool,
    /// Whether an earlier run has left it, and no file has held it since.
    pub(super) is_saved: bool,
    /// The stream that everything before its position was read in, as long as nothing was read of
    /// this one.
    pub(super) copy_of: Option<u64>,
}

impl Stream {
    /// As an earlier run has left it.
    pub(super) fn saved(record: FileRecord, now: Duration) -> Stream {
        Stream {
            read: record.position.clone(),
            safe: record.position,
            passed: None,
            file: None,
            key: record.key,
            name: Name::of(&record.path),
            wide: record.wide,
            head: Vec::new(),
            header: (Arc::default(), 0, 0),
            size: record.size,
            is_packed: Name::of(&record.path).is_packed,
            first_seen: record.first_seen,
            last_seen: record.last_seen,
            is_done: record.is_done,
            is_ignored: record.is_ignored,
            loose: Some(now),
            is_lost: false,
            is_saved: true,
            copy_of: record.copy_of,
            path: record.path,
        }
    }

    /// A new one, of a file.
    pub(super) fn new(id: u64, file: &Followed, wall: i64) -> Stream {
        Stream {
            read: Position::start(id),
            safe: Position::start(id),
            passed: None,
            file: None,
            key: Some(file.found.key),
            path: file.path.clone(),
            name: file.name.clone(),
            wide: None,
            head: Vec::new(),
            header: (Arc::default(), 0, 0),
            size: file.found.size,
            is_packed: matches!(file.packing, Some(Some(_))),
            first_seen: wall,
            last_seen: wall,
            is_done: false,
            is_ignored: false,
            loose: None,
            is_lost: false,
            is_saved: false,
            copy_of: None,
        }
    }

    /// Takes the first bytes of its file. NULs at their end that weren't read are space that is
    /// filled later, and no part of them.
    pub(super) fn set_head(&mut self, mut head: Vec<u8>) {
        let used = head.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
        let read = usize::try_from(self.read.offset).unwrap_or(head.len());
        head.truncate(used.max(read));
        if !head.starts_with(&self.head) {
            self.header = (Arc::default(), 0, 0);
        }
        self.head = head;
    }

    /// Moves on over what nobody has to process.
    pub(super) fn pass(&mut self, end: Position) {
        let from = self.passed.unwrap_or(self.read.offset);
        self.read = end;
        self.passed = Some(from);
        if self.safe.offset == from {
            self.be_safe(self.safe.clone());
        }
    }

    /// Everything before a position is processed.
    pub(super) fn be_safe(&mut self, position: Position) {
        let is_all = self.passed == Some(position.offset);
        self.safe = if is_all { self.read.clone() } else { position };
        self.passed = self.passed.map(|from| if is_all { self.read.offset } else { from });
    }

    /// What a checkpoint keeps of it.
    pub(super) fn record(&self) -> FileRecord {
        FileRecord {
            key: self.key,
            path: self.path.clone(),
            position: self.safe.clone(),
            is_done: self.is_done && self.safe.offset == self.read.offset,
            is_ignored: self.is_ignored,
            wide: self.wide,
            size: self.size,
            first_seen: self.first_seen,
            last_seen: self.last_seen,
            copy_of: self.copy_of,
        }
    }
}
