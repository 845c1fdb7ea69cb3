//! A tail: its functions, and the order of its work.

use super::folders::{FolderEvent, Folders};
use super::key::Keys;
use super::notice::{Counters, FileStatus, Notice, Reason};
use super::options::TailOptions;
use super::patterns::Patterns;
use super::position::{Piece, Position};
use super::record::FileRecord;
use super::state::{FileId, Followed, ReadyKey, Stream};
use crate::clock::{self, Stopwatch};
use crate::engine::error::{Error, Result};
use crate::sensor::halt::Halt;
use rustix::event::Timespec;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ffi::OsString;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

/// The number of turns after which a step returns without a piece, so that the caller can check
/// whether it is time to end.
const MAX_TURNS: usize = 64;

/// Follows growing files.
///
/// It starts no threads: the work is done by the caller of [`Tail::next`]. See the module
/// documentation.
#[derive(Debug)]
pub struct Tail {
    pub(super) options: TailOptions,
    pub(super) folders: Folders,
    pub(super) keys: Keys,
    pub(super) files: HashMap<FileId, Followed>,
    /// The files that names lead to, by folder.
    pub(super) names: HashMap<PathBuf, HashMap<OsString, FileId>>,
    pub(super) nodes: HashMap<(u64, u64), FileId>,
    pub(super) streams: HashMap<u64, Stream>,
    pub(super) loose: BTreeSet<u64>,
    /// Streams by the log that they are generations of.
    pub(super) by_stem: HashMap<PathBuf, BTreeSet<u64>>,
    /// Loose streams, by the node that contained them.
    pub(super) by_node: HashMap<(u64, u64), Vec<u64>>,
    groups: HashMap<PathBuf, BTreeSet<ReadyKey>>,
    queue: VecDeque<PathBuf>,
    /// Files that are checked in each polling round.
    pub(super) timed: BTreeSet<FileId>,
    /// Files that were not examined yet.
    pub(super) fresh: BTreeSet<FileId>,
    pub(super) used: BTreeMap<u64, FileId>,
    pub(super) uses: u64,
    pub(super) next_file: FileId,
    /// Files that wait for a decision about another file, because they are, or may be, copies of
    /// it.
    pub(super) likenesses: HashMap<u64, BTreeSet<FileId>>,
    /// Files that wait until a stream is processed up to an offset, being copies of it.
    pub(super) awaited: HashMap<u64, BTreeSet<(u64, FileId)>>,
    pub(super) out: VecDeque<Piece>,
    /// Where the texts of its last pieces are in the window that is being read.
    pub(super) unfilled: Vec<Range<usize>>,
    pub(super) dirty: BTreeSet<u64>,
    pub(super) forgotten: BTreeSet<u64>,
    pub(super) notices: Vec<Notice>,
    /// Outputs of this process that patterns match, as their places in the options: each is reported
    /// once.
    pub(super) own_reported: BTreeSet<usize>,
    pub(super) counted: Counters,
    pub(super) is_first_start: bool,
    /// How many bytes may still be read to count lines, in files that start at their end.
    pub(super) may_count: u64,
    pub(super) now: Duration,
    pub(super) wall: i64,
    next_round: Duration,
    since: Stopwatch,
}

/// What a tail returns.
#[derive(Debug)]
pub enum Next {
    /// Lines.
    Piece(Box<Piece>),
    /// Nothing arrived within the given time.
    Idle,
    /// It is time to end.
    Halted,
}

/// Changes since the last call, to be recorded in the next commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files, with how much of them is processed.
    pub files: Vec<FileRecord>,
    /// Streams that no file can contain any more.
    pub forgotten: Vec<u64>,
}

impl Tail {
    /// Starts following. `saved` contains the records of the last commit, and is empty at the first
    /// start.
    ///
    /// # Errors
    ///
    /// If a pattern is invalid. It is not an error if nothing matches it, because files may appear
    /// later.
    pub fn open(options: TailOptions, saved: Vec<FileRecord>) -> Result<Tail> {
        let since = Stopwatch::start();
        Self::open_at(options, saved, since, clock::now().0)
    }

    pub(super) fn open_at(
        options: TailOptions,
        saved: Vec<FileRecord>,
        since: Stopwatch,
        wall: i64,
    ) -> Result<Tail> {
        let patterns = Patterns::new(&options.patterns, &options.exclude)?;
        let mut tail = Tail {
            folders: Folders::new(patterns, options.watch),
            keys: Keys::new(),
            files: HashMap::new(),
            names: HashMap::new(),
            nodes: HashMap::new(),
            streams: HashMap::new(),
            loose: BTreeSet::new(),
            by_stem: HashMap::new(),
            by_node: HashMap::new(),
            groups: HashMap::new(),
            queue: VecDeque::new(),
            timed: BTreeSet::new(),
            fresh: BTreeSet::new(),
            used: BTreeMap::new(),
            uses: 0,
            next_file: 0,
            likenesses: HashMap::new(),
            awaited: HashMap::new(),
            out: VecDeque::new(),
            unfilled: Vec::new(),
            dirty: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            notices: Vec::new(),
            own_reported: BTreeSet::new(),
            counted: Counters::default(),
            is_first_start: saved.is_empty(),
            may_count: MAX_COUNTED,
            now: Duration::ZERO,
            wall,
            next_round: options.poll,
            since,
            options,
        };
        tail.take_saved(saved);
        let mut seen = Vec::new();
        tail.folders.scan(&mut seen);
        tail.handle_folder_events(seen);
        tail.resolve();
        tail.is_first_start = false;
        Ok(tail)
    }

    fn take_saved(&mut self, saved: Vec<FileRecord>) {
        for record in saved {
            let id = record.position.stream;
            let stream = Stream::saved(record, Duration::ZERO);
            if let Some(key) = stream.key {
                self.by_node.entry(key.node()).or_default().push(id);
            }
            self.loose.insert(id);
            self.put_stream(id, stream);
        }
    }

    /// The next piece; waits until one arrives, for the given time, or until the halt is set.
    ///
    /// # Errors
    ///
    /// If the system can't wait.
    pub fn next(&mut self, halt: &Halt, wait: Duration) -> Result<Next> {
        let until = self.since.elapsed().saturating_add(wait);
        loop {
            if halt.is_set() {
                return Ok(Next::Halted);
            }
            let now = self.since.elapsed();
            if let Some(piece) = self.step(now, clock::now().0) {
                return Ok(Next::Piece(Box::new(piece)));
            }
            if now >= until {
                return Ok(Next::Idle);
            }
            if self.queue.is_empty() {
                self.wait(halt, until.min(self.next_round).saturating_sub(now))?;
            }
        }
    }

    /// Whether any file is waiting for its turn: it may have more to read.
    pub fn has_more(&self) -> bool {
        !self.queue.is_empty() || !self.out.is_empty()
    }

    /// Keeps up with changes without reading files: files that are renamed or removed meanwhile
    /// stay open. For callers that can't process more for a long time.
    pub fn keep_up(&mut self) {
        (self.now, self.wall) = (self.since.elapsed(), clock::now().0);
        self.look();
    }

    fn wait(&self, halt: &Halt, max: Duration) -> Result<()> {
        let max = Timespec::try_from(max).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
        let waited = match self.folders.queue() {
            Some(queue) => halt.wait_to_read_within(queue, &max).map(drop),
            None => halt.pause(max),
        };
        waited.map_err(|error| Error::io("wait for files to grow", error))
    }

    /// Takes one step at a given time: changes are handled, and files are read until there is a
    /// piece or nothing more to read. `now` never goes back; `wall` is microseconds since 1970, and
    /// only affects what expires after days.
    pub(super) fn step(&mut self, now: Duration, wall: i64) -> Option<Piece> {
        (self.now, self.wall) = (now.max(self.now), wall);
        self.look();
        for _ in 0..MAX_TURNS {
            if let Some(piece) = self.out.pop_front() {
                return Some(piece);
            }
            let file = self.next_ready()?;
            self.turn(file);
            self.resolve();
        }
        self.out.pop_front()
    }

    fn look(&mut self) {
        let mut seen = Vec::new();
        if self.folders.take(&mut seen) {
            self.counted.overflows += 1;
            self.notices.push(Notice::Overflowed);
        }
        let is_round = self.now >= self.next_round;
        if is_round {
            self.next_round = self.now.saturating_add(self.options.poll);
            self.folders.poll(&mut seen);
        }
        self.handle_folder_events(seen);
        if is_round {
            self.round();
        }
        self.resolve();
    }

    pub(super) fn handle_folder_events(&mut self, seen: Vec<FolderEvent>) {
        seen.into_iter().for_each(|event| self.handle_folder_event(event));
        let notices = std::mem::take(&mut self.folders.notices);
        self.notices.extend(notices);
    }

    /// Marks a file as ready to be read or examined.
    pub(super) fn make_ready(&mut self, id: FileId) {
        let Some(file) = self.files.get_mut(&id) else { return };
        if file.ready.is_some() {
            return;
        }
        let key = (file.name.age.clone(), file.found.modified, id);
        file.ready = Some(key.clone());
        let stem = file.name.stem.clone();
        let group = self.groups.entry(stem.clone()).or_default();
        if group.is_empty() {
            self.queue.push_back(stem);
        }
        group.insert(key);
    }

    /// Removes a file from those that are ready.
    pub(super) fn unready(&mut self, id: FileId) {
        let Some(file) = self.files.get_mut(&id) else { return };
        let Some(key) = file.ready.take() else { return };
        if let Some(group) = self.groups.get_mut(&file.name.stem) {
            group.remove(&key);
        }
    }

    /// The next file whose turn it is: logs take turns, each starting with its oldest generation.
    fn next_ready(&mut self) -> Option<FileId> {
        while let Some(stem) = self.queue.pop_front() {
            let Some(group) = self.groups.get_mut(&stem) else { continue };
            let next = group.pop_first();
            if group.is_empty() {
                self.groups.remove(&stem);
            } else {
                self.queue.push_back(stem);
            }
            let Some((_, _, id)) = next else { continue };
            if let Some(file) = self.files.get_mut(&id) {
                file.ready = None;
                return Some(id);
            }
        }
        None
    }

    /// Returns a piece, whose text has this length.
    pub(super) fn give(&mut self, piece: Piece, length: usize) {
        self.counted.lines += piece.end.line.zip(piece.line).map_or(0, |(end, line)| end - line);
        self.counted.bytes += length as u64;
        self.out.push_back(piece);
    }

    /// Marks everything before these positions as processed, with its results stored. The furthest
    /// position of each stream counts.
    pub fn safe(&mut self, positions: &[Position]) {
        for position in positions {
            let Some(stream) = self.streams.get_mut(&position.stream) else { continue };
            let is_further = position.offset > stream.safe.offset
                || position.offset == stream.safe.offset && position != &stream.safe;
            if is_further && position.offset <= stream.read.offset {
                stream.be_safe(position.clone());
                stream.last_seen = self.wall;
                self.dirty.insert(position.stream);
                self.settle_awaiting(position.stream);
            }
        }
    }

    /// Changes since the last call, for the next commit. If that commit fails, the caller has to
    /// add the changes to a later one.
    pub fn changed(&mut self) -> Changes {
        let forgotten = std::mem::take(&mut self.forgotten);
        let dirty = std::mem::take(&mut self.dirty);
        let records = dirty.iter().filter_map(|id| self.streams.get(id)).map(Stream::record);
        Changes { files: records.collect(), forgotten: forgotten.into_iter().collect() }
    }

    /// What operators should know, since the last call.
    pub fn notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// The counters, and the numbers of files.
    pub fn counters(&self) -> Counters {
        let (watched, polled) = self.folders.counts();
        let count = |is: fn(&Followed) -> bool| self.files.values().filter(|it| is(it)).count();
        Counters {
            files: self.files.len(),
            open: count(|file| file.file.is_some()),
            unreadable: count(|file| file.unreadable.is_some()),
            not_text: count(|file| matches!(file.role, super::state::Role::Foreign)),
            watched,
            polled,
            ..self.counted
        }
    }

    /// How far each file was read, by path.
    pub fn status(&self) -> Vec<FileStatus> {
        let mut all: Vec<FileStatus> = self
            .files
            .values()
            .filter_map(|file| {
                let stream = self.streams.get(&file.stream()?)?;
                let is_packed = matches!(file.packing, Some(Some(_)));
                let lag_bytes = match is_packed {
                    true if stream.is_done => 0,
                    true => file.found.size,
                    false => file.found.size.saturating_sub(stream.safe.offset),
                };
                let is_behind = lag_bytes > 0;
                let lag = self.now.saturating_sub(file.grown);
                Some(FileStatus {
                    path: file.shown.to_string(),
                    stream: stream.read.stream,
                    offset: stream.safe.offset,
                    lag_bytes,
                    lag: if is_behind { lag } else { Duration::ZERO },
                    is_open: file.file.is_some(),
                    is_rotated: file.left.is_some(),
                })
            })
            .collect();
        all.sort_by(|a, b| a.path.cmp(&b.path));
        all
    }

    pub(super) fn count_lost(&mut self, reason: Reason, bytes: u64, path: PathBuf) {
        match reason {
            Reason::Truncated => self.counted.lost_truncated += bytes,
            Reason::Removed => self.counted.lost_removed += bytes,
        }
        self.notices.push(Notice::Lost { path, bytes, reason });
    }

    pub(super) fn put_stream(&mut self, id: u64, stream: Stream) {
        self.by_stem.entry(stream.name.stem.clone()).or_default().insert(id);
        self.streams.insert(id, stream);
    }
}

/// The maximum number of bytes that are read to count lines, in files that start at their end.
const MAX_COUNTED: u64 = 1 << 30;

/// A number that no other stream has: keys of hashers are random.
pub(super) fn random_id() -> u64 {
    RandomState::new().build_hasher().finish()
}
