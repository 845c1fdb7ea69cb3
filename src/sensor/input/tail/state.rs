//! The state of each file and of each stream.
//!
//! A *stream* is a generation of a log: a text that grows. A *file* is what contains it now. A
//! stream moves from file to file: by a copy before truncation, by compression. A stream that no
//! file contains is *loose*: it was saved by an earlier run, or its file is gone or was
//! overwritten; a file that continues it may still appear.

use super::content::Seen;
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

/// The role of a file.
#[derive(Debug)]
pub(super) enum Role {
    /// It was not examined yet, or there was too little content to decide.
    Fresh,
    /// It contains a stream.
    Holds(u64),
    /// It is not a log.
    Foreign,
}

/// A compressed file that is compared with streams that it may continue.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) unpacking: Unpacking,
    /// Offsets and streams, the smallest first.
    pub(super) wanted: Vec<(u64, u64)>,
    /// How many of them were reached.
    pub(super) reached: usize,
    /// Those whose content matches.
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

/// An incomplete line: how far it was searched for its end, and the bytes before that, which are
/// used to recognise a file that was overwritten meanwhile.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) scanned: u64,
    pub(super) before: Vec<u8>,
}

/// A file.
#[derive(Debug)]
pub(super) struct Followed {
    /// Its current name: the first one, or the last one that it had.
    pub(super) path: PathBuf,
    pub(super) name: Name,
    pub(super) shown: Arc<str>,
    /// All names that lead to it, and whether patterns match them.
    pub(super) names: Vec<(PathBuf, bool)>,
    /// Whether its name is a link, whose target is not watched.
    pub(super) is_link: bool,
    pub(super) found: Found,
    pub(super) file: Option<Arc<File>>,
    /// When it was last used, as a count of uses.
    pub(super) used: u64,
    pub(super) role: Role,
    /// `None` while there are too few bytes to decide.
    pub(super) packing: Option<Option<Packing>>,
    pub(super) probe: Option<Box<Probe>>,
    pub(super) unpacking: Option<Box<Unpacking>>,
    /// A stream that it may be a copy of, going by its head.
    pub(super) resembles: BTreeSet<u64>,
    /// The file that it seems to be a copy of, which was not examined yet either.
    pub(super) original: Option<FileId>,
    /// Files that wait for a decision about this one, because they are, or may be, copies of it.
    pub(super) copies: BTreeSet<FileId>,
    /// How it is settled once what was read elsewhere is processed.
    pub(super) settlement: Option<Box<Settlement>>,
    /// The stream that it held as a copy, before it grew.
    pub(super) aside: Option<u64>,
    /// Whether its writer has closed it, without any change since.
    pub(super) is_closed: bool,
    /// Whether it is compressed and was incomplete, without any change since.
    pub(super) is_cut_off: bool,
    /// When it last changed.
    pub(super) grown: Duration,
    /// Set since it has no name that patterns match, or one of an older generation.
    pub(super) left: Option<Duration>,
    /// Its place among the files that are ready to be read, if it is.
    pub(super) ready: Option<ReadyKey>,
    pub(super) unreadable: Option<io::ErrorKind>,
    pub(super) pending: Option<Pending>,
    /// NULs extend at least this far from where it was read to, and perhaps to its end.
    pub(super) nuls: u64,
    pub(super) is_nuls_to_end: bool,
    /// Whether everything available was read.
    pub(super) is_caught_up: bool,
    pub(super) was_cut: bool,
    /// Whether it ends with an incomplete line.
    pub(super) is_partial: bool,
    /// What happens to such a line in the next turn.
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

    /// Whether its name allows that it is a copy of a file with another name, or continues it.
    pub(super) fn may_follow(&self, other: &Name) -> bool {
        self.name.follows(other) || self.is_removed_copy() && self.name.stem == other.stem
    }

    /// Whether it may be a copy of a file with any name. It has none any more: since it was seen,
    /// it may have become a copy, made over an older generation, and the original may have got the
    /// name that this one had, or a later one.
    pub(super) fn is_removed_copy(&self) -> bool {
        self.names.is_empty() && matches!(self.role, Role::Fresh)
    }

    /// The stream that it contains.
    pub(super) fn stream(&self) -> Option<u64> {
        match self.role {
            Role::Holds(stream) => Some(stream),
            Role::Fresh | Role::Foreign => None,
        }
    }

    /// Whether it seems to be no longer written to.
    pub(super) fn is_quiet(&self, now: Duration, wait: Duration) -> bool {
        now.saturating_sub(self.grown) >= wait
    }
}

/// A stream.
#[derive(Debug)]
pub(super) struct Stream {
    /// What was returned.
    pub(super) read: Position,
    /// What is processed.
    pub(super) safe: Position,
    /// The range without lines to process, up to what was read: it is safe together with what comes
    /// before.
    pub(super) passed: Option<u64>,
    pub(super) file: Option<FileId>,
    /// `None` if its file was overwritten.
    pub(super) key: Option<Key>,
    pub(super) path: PathBuf,
    pub(super) name: Name,
    pub(super) wide: Option<Wide>,
    /// Its first bytes, up to 4 KiB; empty if they were not read yet.
    pub(super) head: Vec<u8>,
    /// The header of its pieces, and the lengths of the head and of later header lines that it was
    /// built from.
    pub(super) header: (Arc<[u8]>, usize, usize),
    /// The size of its file.
    pub(super) size: u64,
    /// Whether that is a compressed size.
    pub(super) is_packed: bool,
    pub(super) first_seen: i64,
    pub(super) last_seen: i64,
    pub(super) is_done: bool,
    pub(super) is_ignored: bool,
    /// Set since no file contains it.
    pub(super) loose: Option<Duration>,
    /// Whether it was reported that the rest of it is lost.
    pub(super) is_lost: bool,
    /// Whether it comes from an earlier run, and no file has contained it since.
    pub(super) is_saved: bool,
    /// The stream that everything before its position was read in, as long as nothing was read of
    /// this one.
    pub(super) copy_of: Option<u64>,
    /// What its file began with, according to an earlier run that processed nothing of it.
    pub(super) seen: Option<Seen>,
    /// The name it had, and until when, before another file went on with it: the file that had that
    /// name may still appear under a later one.
    pub(super) former: Option<(Name, Duration)>,
}

impl Stream {
    /// A stream from an earlier run.
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
            seen: record.seen,
            former: None,
            path: record.path,
        }
    }

    /// A new stream of a file.
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
            seen: None,
            former: None,
        }
    }

    /// Stores the first bytes of its file. Unread NULs at their end are space that is filled later,
    /// and not part of them.
    pub(super) fn set_head(&mut self, mut head: Vec<u8>) {
        let used = head.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
        let read = usize::try_from(self.read.offset).unwrap_or(head.len());
        head.truncate(used.max(read));
        if !head.starts_with(&self.head) {
            self.header = (Arc::default(), 0, 0);
        }
        self.head = head;
    }

    /// Whether its file, which begins with these bytes now, still begins with those that it had.
    /// NULs between them may be space that was filled since.
    pub(super) fn still_begins(&self, head: &[u8]) -> bool {
        let is_same = |(was, is): (&u8, &u8)| was == is || *was == 0;
        head.len() >= self.head.len() && self.head.iter().zip(head).all(is_same)
    }

    /// Skips bytes that need no processing.
    pub(super) fn pass(&mut self, end: Position) {
        let from = self.passed.unwrap_or(self.read.offset);
        self.read = end;
        self.passed = Some(from);
        if self.safe.offset == from {
            self.be_safe(self.safe.clone());
        }
    }

    /// Marks everything before a position as processed.
    pub(super) fn be_safe(&mut self, position: Position) {
        let is_all = self.passed == Some(position.offset);
        self.safe = if is_all { self.read.clone() } else { position };
        self.passed = self.passed.map(|from| if is_all { self.read.offset } else { from });
    }

    /// Its record for a checkpoint.
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
            seen: self.seen_first(),
        }
    }

    /// What its file begins with, as long as nothing of it is processed.
    fn seen_first(&self) -> Option<Seen> {
        let seen = Seen::of(&self.head).or(self.seen);
        seen.filter(|_| self.safe.offset == 0)
    }
}
