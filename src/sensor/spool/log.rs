//! The log: appending, reading, removing.

use super::record::{self, Record, RecordRef};
use super::room::Limits;
use super::segment::{self, Cursor, FIRST, Reader, Segment};
use crate::engine::indicator::Timestamp;
use crate::{Error, Result};
use rustix::io::Errno;
use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes that have to be free before a full disk counts as free again.
const FREE: u64 = 1 << 20;

/// How a sink reads the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sink {
    /// Where it resumes; `None` for a new sink, which starts at the oldest record.
    pub cursor: Option<Cursor>,
    /// The maximum number of bytes that it may keep back. If `None`, it is half of the log, and
    /// only applies when the log is full and another sink is reading; for a sink that is alone, the
    /// log waits.
    pub max_backlog: Option<u64>,
}

/// The result of appending a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Stored {
    /// The record is in the log.
    Yes,
    /// There is no room now: wait, and append it again.
    Full,
    /// There was no room, and the input can't wait: the record was dropped, and counted.
    Shed,
    /// The record is longer than [`MAX_RECORD`](super::MAX_RECORD), or than the log: it was
    /// dropped, and counted.
    TooLong,
}

/// What was found when the log was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Complete records.
    pub records: u64,
    /// Bytes after the last complete record of the last segment, which were cut off.
    pub cut_bytes: u64,
    /// Other segments that contain damage; what comes after the damage is not read.
    pub damaged_segments: u64,
}

/// What happened to the log since it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Records that were appended.
    pub appended: u64,
    /// Records that were shed, by severity from 1 to 4.
    pub shed: [u64; 4],
    /// Records that were too long.
    pub too_long: u64,
    /// How many times a sink met damage, and continued with the next segment.
    pub damage_met: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Records that a sink will not read, because it kept back too much, by name.
    pub skipped: BTreeMap<String, u64>,
}

/// What a sink has not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Bytes, without damaged parts.
    pub bytes: u64,
    /// Segments, including the active one.
    pub segments: u64,
}

/// Records that were read together.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    end: Cursor,
}

impl Batch {
    /// The records, in the order of the log.
    pub fn records(&self) -> impl Iterator<Item = RecordRef<'_>> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        let spans = starts.zip(&self.ends);
        spans.filter_map(|(start, end)| record::again(self.bytes.get(start..*end)?))
    }

    /// Keeps the records from index `from` on that are wanted.
    pub fn retain_from(&mut self, from: usize, mut wants: impl FnMut(RecordRef<'_>) -> bool) {
        let ends = self.ends.split_off(from.min(self.ends.len()));
        let mut start = self.ends.last().copied().unwrap_or(0);
        let mut kept = start;
        for end in ends {
            let span = start..end;
            start = end;
            let is_wanted =
                self.bytes.get(span.clone()).and_then(record::again).is_some_and(&mut wants);
            if is_wanted {
                let length = span.len();
                self.bytes.copy_within(span, kept);
                kept += length;
                self.ends.push(kept);
            }
        }
        self.bytes.truncate(kept);
    }

    /// Removes all records, but keeps the end.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all records.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Where the sink resumes after them: pass it to [`Spool::advance`] once they are delivered.
    pub fn end(&self) -> Cursor {
        self.end
    }
}

/// The log. Clones share it.
#[derive(Clone, Debug)]
pub struct Spool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    limits: Limits,
    state: Mutex<State>,
    appended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// By number.
    segments: VecDeque<Segment>,
    /// The last segment, if it can take more.
    active: Option<File>,
    /// The number of the next segment.
    next: u64,
    sinks: BTreeMap<String, Sink>,
    disk_full: bool,
    /// Bytes of the last record from a waiting input that found no room.
    wanted: u64,
    counters: Counters,
    buffer: Vec<u8>,
}

impl Spool {
    /// Opens the log in a folder, and creates the folder if it doesn't exist. The caller holds the
    /// lock of the folder: two logs in one folder would damage each other.
    ///
    /// # Errors
    ///
    /// If the folder can't be created or read. Damaged files are not an error.
    pub fn open(
        folder: &Path,
        limits: Limits,
        sinks: impl IntoIterator<Item = (String, Sink)>,
    ) -> Result<(Spool, Recovery)> {
        let failed = |error| Error::io("open the spool", error).at_path(folder);
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let numbers = segment::list(folder).map_err(failed)?;
        let mut state = State::default();
        let mut recovery = Recovery::default();
        for (at, number) in numbers.iter().enumerate() {
            let is_last = at + 1 == numbers.len();
            state.found(folder, *number, is_last, &mut recovery).map_err(failed)?;
        }
        let shared = Shared {
            folder: folder.into(),
            limits,
            state: Mutex::default(),
            appended: Condvar::new(),
        };
        let spool = Spool(Arc::new(shared));
        *spool.state() = state;
        // Add all sinks before removing what they have read.
        let mut state = spool.state();
        for (name, sink) in sinks {
            state.place(&name, sink);
        }
        state.remove_read(folder, &limits);
        drop(state);
        Ok((spool, recovery))
    }

    /// A lock poisoned by a panic is still usable: every change is a single assignment.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a sink, or changes the limit of an existing one. Without a cursor it begins with the
    /// oldest record.
    pub fn add(&self, name: &str, sink: Sink) {
        let mut state = self.state();
        state.place(name, sink);
        state.remove_read(&self.0.folder, &self.0.limits);
    }

    /// Forgets a sink; what only this sink had not read is removed.
    pub fn forget(&self, name: &str) {
        let mut state = self.state();
        state.sinks.remove(name);
        state.remove_read(&self.0.folder, &self.0.limits);
    }

    /// Appends a record. With `can_wait`, a record that finds no room is not stored, and the caller
    /// has to append it again; otherwise records of the lowest severity are dropped first.
    ///
    /// # Errors
    ///
    /// If the disk fails, but not if it is full. What was written before stays intact.
    pub fn append(&self, record: &Record, now: Timestamp, can_wait: bool) -> Result<Stored> {
        let limits = &self.0.limits;
        let max = if can_wait { limits.wait_at() } else { limits.shed_at(record.severity) };
        self.append_within(record, now, can_wait, max)
    }

    /// Like [`append`](Spool::append), for an input that can wait and whose piece was begun while
    /// there was room: it may fill the log completely, so that the piece doesn't have to be
    /// processed twice.
    ///
    /// # Errors
    ///
    /// Those of [`append`](Spool::append).
    pub fn append_rest(&self, record: &Record, now: Timestamp) -> Result<Stored> {
        self.append_within(record, now, true, self.0.limits.max_bytes)
    }

    fn append_within(
        &self,
        record: &Record,
        now: Timestamp,
        can_wait: bool,
        max: u64,
    ) -> Result<Stored> {
        let Shared { folder, limits, .. } = &*self.0;
        let mut state = self.state();
        let mut buffer = std::mem::take(&mut state.buffer);
        buffer.clear();
        let is_short = record.encode(now, &mut buffer);
        let stored = if is_short && FIRST + buffer.len() as u64 <= limits.wait_at() {
            let shed_as = (!can_wait).then_some(record.severity);
            state.store(folder, limits, (max, shed_as), &buffer)
        } else {
            state.counters.too_long += 1;
            Ok(Stored::TooLong)
        };
        state.buffer = buffer;
        drop(state);
        if matches!(stored, Ok(Stored::Yes)) {
            self.0.appended.notify_all();
        }
        stored.map_err(|error| Error::io("write the spool", error).at_path(folder))
    }

    /// Makes appended records survive a crash of the system. Call it before committing the
    /// positions of the inputs.
    ///
    /// # Errors
    ///
    /// If the disk fails.
    pub fn sync(&self) -> Result<()> {
        let active = self.state().active.as_ref().map(File::try_clone);
        // Sync without the lock, so that readers can continue.
        let synced = active.map_or(Ok(()), |file| file.and_then(|file| file.sync_data()));
        synced.map_err(|error| Error::io("sync the spool", error).at_path(&self.0.folder))
    }

    /// Whether inputs that can wait have to wait.
    pub fn is_full(&self) -> bool {
        let mut state = self.state();
        if state.disk_full {
            state.remove_read(&self.0.folder, &self.0.limits);
            let free = rustix::fs::statvfs(&self.0.folder);
            let free = free.map_or(0, |free| free.f_bavail.saturating_mul(free.f_frsize));
            state.disk_full = free < FREE;
        }
        let wanted = state.wanted.max(1);
        state.make_room(&self.0.folder, &self.0.limits, wanted);
        state.disk_full || state.counters.bytes + wanted > self.0.limits.wait_at()
    }

    /// Adds the records after a cursor to a batch, until it has `max_records`, or exceeds
    /// `max_bytes` with more than one record. Returns whether it is full; otherwise there is
    /// nothing more to read now.
    pub fn read(
        &self,
        from: Cursor,
        max_records: usize,
        max_bytes: usize,
        batch: &mut Batch,
    ) -> bool {
        let mut cursor = from;
        let mut is_full = false;
        while let Some(segment) = self.segment(cursor) {
            let is_in = segment.number == cursor.segment;
            let start = if is_in { cursor.offset.max(FIRST) } else { FIRST };
            cursor = Cursor { segment: segment.number, offset: start };
            let (offset, full) = self.read_segment(&segment, start, max_records, max_bytes, batch);
            cursor.offset = offset;
            is_full = full;
            if is_full {
                break;
            }
            if offset < segment.end {
                self.state().counters.damage_met += 1;
                cursor.offset = segment.end;
            }
        }
        batch.end = cursor;
        is_full || batch.len() >= max_records
    }

    /// The segment in which a cursor has something to read; the lock is released.
    fn segment(&self, cursor: Cursor) -> Option<Segment> {
        self.state().at(cursor)
    }

    /// Continues reading in a segment; returns where it stopped, and whether the batch is full.
    fn read_segment(
        &self,
        segment: &Segment,
        start: u64,
        max_records: usize,
        max_bytes: usize,
        batch: &mut Batch,
    ) -> (u64, bool) {
        let Ok(file) = File::open(segment::path(&self.0.folder, segment.number)) else {
            return (start, false);
        };
        let mut reader = Reader::new(&file, start, segment.end);
        loop {
            if batch.ends.len() >= max_records {
                return (reader.at(), true);
            }
            let before = reader.at();
            let taken = reader.record(|_, bytes| {
                let fits = batch.ends.is_empty() || batch.bytes.len() + bytes.len() <= max_bytes;
                if fits {
                    batch.bytes.extend_from_slice(bytes);
                    batch.ends.push(batch.bytes.len());
                }
                fits
            });
            match taken {
                Some(true) => {}
                Some(false) => return (before, true),
                None => return (reader.at(), false),
            }
        }
    }

    /// Moves a sink's cursor forward; what all sinks have passed is removed. A cursor never moves
    /// back.
    pub fn advance(&self, sink: &str, to: Cursor) {
        let mut state = self.state();
        if let Some(sink) = state.sinks.get_mut(sink)
            && sink.cursor.is_none_or(|cursor| cursor < to)
        {
            sink.cursor = Some(to);
            state.remove_read(&self.0.folder, &self.0.limits);
        }
    }

    /// Where a sink resumes.
    pub fn cursor(&self, sink: &str) -> Cursor {
        self.state().sinks.get(sink).and_then(|sink| sink.cursor).unwrap_or_default()
    }

    /// The cursors of all sinks, to be committed with the positions of the inputs.
    pub fn cursors(&self) -> BTreeMap<String, Cursor> {
        let state = self.state();
        let cursors = state.sinks.iter();
        cursors.map(|(name, sink)| (name.clone(), sink.cursor.unwrap_or_default())).collect()
    }

    /// The end of the log, where a sink begins that only wants new records.
    pub fn end(&self) -> Cursor {
        let state = self.state();
        match state.segments.back() {
            Some(last) => Cursor { segment: last.number, offset: last.end },
            None => Cursor { segment: state.next, offset: FIRST },
        }
    }

    /// What a sink has not read.
    pub fn backlog(&self, sink: &str) -> Backlog {
        let state = self.state();
        let Some(sink) = state.sinks.get(sink) else { return Backlog::default() };
        let cursor = sink.cursor.unwrap_or_default();
        let segments = state
            .segments
            .iter()
            .filter(|segment| (segment.number, segment.end) > (cursor.segment, cursor.offset));
        Backlog { bytes: state.unread(cursor), segments: segments.count() as u64 }
    }

    /// What has happened so far.
    pub fn counters(&self) -> Counters {
        self.state().counters.clone()
    }

    /// Waits until there is a record after a cursor, or until the timeout; returns whether there is
    /// one.
    pub fn wait(&self, cursor: Cursor, max: Duration) -> bool {
        let is_read = |state: &mut State| state.at(cursor).is_none();
        let waited = self.0.appended.wait_timeout_while(self.state(), max, is_read);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.at(cursor).is_some()
    }
}

impl State {
    /// Adds an existing segment.
    fn found(
        &mut self,
        folder: &Path,
        number: u64,
        is_last: bool,
        recovery: &mut Recovery,
    ) -> io::Result<()> {
        let path = segment::path(folder, number);
        let file = fs::OpenOptions::new().read(true).write(true).open(&path)?;
        let mut whole = segment::check(&file);
        if whole.end < whole.length {
            if is_last && file.set_len(whole.end).is_ok() {
                recovery.cut_bytes += whole.length - whole.end;
                whole.length = whole.end;
            } else {
                recovery.damaged_segments += 1;
            }
        }
        recovery.records += whole.records;
        self.push(number, whole.end, whole.length, whole.records);
        Ok(())
    }

    fn push(&mut self, number: u64, end: u64, length: u64, records: u64) {
        let base = self.segments.back().map_or(0, |last| last.base + last.end);
        self.segments.push_back(Segment { number, base, end, length, records });
        self.counters.bytes = self.counters.bytes.saturating_add(length);
        self.next = self.next.max(number.saturating_add(1));
    }

    /// The segment in which a cursor has something to read.
    fn at(&self, cursor: Cursor) -> Option<Segment> {
        let from = self.segments.partition_point(|segment| segment.number < cursor.segment);
        let mut rest = self.segments.range(from..);
        let has = |segment: &&Segment| {
            segment.end > FIRST && (segment.number > cursor.segment || segment.end > cursor.offset)
        };
        rest.find(has).copied()
    }

    /// The number of bytes after a cursor.
    fn unread(&self, cursor: Cursor) -> u64 {
        let Some(segment) = self.at(cursor) else { return 0 };
        let Some(last) = self.segments.back() else { return 0 };
        let is_in = segment.number == cursor.segment;
        let passed = if is_in { cursor.offset.max(FIRST) } else { FIRST };
        (last.base + last.end).saturating_sub(segment.base + passed)
    }

    /// Adds a sink; an existing one keeps its cursor.
    fn place(&mut self, name: &str, sink: Sink) {
        let cursor = self.sinks.get(name).map_or(sink.cursor, |known| known.cursor);
        let cursor = self.clamp(cursor.unwrap_or_default());
        // A number that a cursor has referred to is never used again.
        self.next = self.next.max(cursor.segment.saturating_add(1));
        self.sinks.insert(name.to_string(), Sink { cursor: Some(cursor), ..sink });
    }

    /// A valid cursor for this log: one that refers to missing segments, or to more bytes than a
    /// segment has, is from another time.
    fn clamp(&self, cursor: Cursor) -> Cursor {
        let found = self.segments.iter().find(|segment| segment.number >= cursor.segment);
        match found {
            Some(segment) if segment.number == cursor.segment => Cursor {
                offset: cursor.offset.clamp(FIRST.min(segment.end), segment.end),
                ..cursor
            },
            Some(segment) => Cursor { segment: segment.number, offset: FIRST },
            None => cursor,
        }
    }

    /// Writes an encoded record, if the log then stays within `max`. A record that can't wait is
    /// counted under its severity when it finds no room.
    fn store(
        &mut self,
        folder: &Path,
        limits: &Limits,
        (max, shed_as): (u64, Option<u8>),
        bytes: &[u8],
    ) -> io::Result<Stored> {
        self.make_room(folder, limits, bytes.len() as u64);
        let has_room = self.counters.bytes + bytes.len() as u64 <= max;
        let is_written = has_room && self.write(folder, limits, bytes)?;
        Ok(match shed_as {
            _ if is_written => {
                self.disk_full = false;
                self.wanted = 0;
                self.counters.appended += 1;
                Stored::Yes
            }
            None => {
                self.wanted = bytes.len() as u64;
                Stored::Full
            }
            Some(severity) => {
                self.counters.shed[usize::from(severity.clamp(1, 4) - 1)] += 1;
                Stored::Shed
            }
        })
    }

    /// Writes a record at the end; returns false if the disk is full.
    fn write(&mut self, folder: &Path, limits: &Limits, bytes: &[u8]) -> io::Result<bool> {
        let is_over = self.segments.back().is_some_and(|last| {
            last.end > FIRST && last.end + bytes.len() as u64 > limits.segment()
        });
        if is_over {
            self.seal()?;
        }
        let written = self.open_active(folder).and_then(|()| {
            let (Some(file), Some(last)) = (&self.active, self.segments.back()) else {
                return Err(io::ErrorKind::NotFound.into());
            };
            file.write_all_at(bytes, last.end).inspect_err(|_| {
                // Remove the incomplete record now; the next start would cut it off as well.
                let _ = file.set_len(last.end);
            })
        });
        match written {
            Ok(()) => {
                if let Some(last) = self.segments.back_mut() {
                    last.end += bytes.len() as u64;
                    last.length = last.end;
                    last.records += 1;
                    self.counters.bytes += bytes.len() as u64;
                }
                Ok(true)
            }
            Err(error) if is_disk_full(&error) => {
                self.disk_full = true;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Ends the last segment.
    fn seal(&mut self) -> io::Result<()> {
        // Sync before letting go of it: a failure is returned to the caller, who appends again.
        self.active.as_ref().map_or(Ok(()), File::sync_data)?;
        self.active = None;
        Ok(())
    }

    /// Segments of an earlier run are never written to: anything may follow their end.
    fn open_active(&mut self, folder: &Path) -> io::Result<()> {
        if self.active.is_none() {
            self.active = Some(segment::create(folder, self.next)?);
            self.push(self.next, FIRST, FIRST, 0);
        }
        Ok(())
    }

    /// Moves the cursors of sinks that keep back too much, to make room for `more` bytes.
    fn make_room(&mut self, folder: &Path, limits: &Limits, more: u64) {
        let is_full = self.counters.bytes + more > limits.wait_at() || self.disk_full;
        if !is_full && self.sinks.values().all(|sink| sink.max_backlog.is_none()) {
            return;
        }
        let unread: Vec<u64> =
            self.sinks.values().map(|sink| self.unread(sink.cursor.unwrap_or_default())).collect();
        let has_reader = unread.iter().any(|unread| *unread < limits.alive_at());
        let late: Vec<(String, u64)> = self
            .sinks
            .iter()
            .zip(&unread)
            .filter_map(|((name, sink), unread)| {
                let max = match sink.max_backlog {
                    Some(max) => max,
                    None if is_full && has_reader => limits.dead_at(),
                    None => return None,
                };
                (*unread > max).then(|| (name.clone(), max))
            })
            .collect();
        for (name, max) in &late {
            self.skip(folder, name, *max);
        }
        if !late.is_empty() {
            self.remove_read(folder, limits);
        }
    }

    /// Moves a cursor to the first segment from which no more than `max` bytes remain, or to the
    /// end.
    fn skip(&mut self, folder: &Path, name: &str, max: u64) {
        let Some(from) = self.sinks.get(name).and_then(|sink| sink.cursor) else { return };
        let Some(last) = self.segments.back().copied() else { return };
        let all = last.base + last.end;
        let fits = |segment: &&Segment| {
            segment.number > from.segment && all.saturating_sub(segment.base) <= max
        };
        let to = match self.segments.iter().find(fits) {
            Some(segment) => Cursor { segment: segment.number, offset: FIRST },
            None => Cursor { segment: last.number, offset: last.end },
        };
        let between = |segment: &&Segment| {
            segment.number > from.segment && (segment.number < to.segment || to.offset > FIRST)
        };
        let later: u64 = self.segments.iter().filter(between).map(|segment| segment.records).sum();
        let count = later + self.rest_of(folder, from);
        *self.counters.skipped.entry(name.to_string()).or_default() += count;
        if let Some(sink) = self.sinks.get_mut(name) {
            sink.cursor = Some(to);
        }
    }

    /// Records after a cursor in its own segment.
    fn rest_of(&self, folder: &Path, cursor: Cursor) -> u64 {
        let found = self.segments.iter().find(|segment| segment.number == cursor.segment);
        let Some(segment) = found else { return 0 };
        let Ok(file) = File::open(segment::path(folder, segment.number)) else { return 0 };
        let mut reader = Reader::new(&file, cursor.offset.max(FIRST), segment.end);
        let mut count = 0;
        while let Some(()) = reader.record(|_, _| ()) {
            count += 1;
        }
        count
    }

    /// Removes the segments that every sink has passed.
    fn remove_read(&mut self, folder: &Path, limits: &Limits) {
        while let Some(first) = self.segments.front().copied() {
            let is_passed = self.sinks.values().all(|sink| {
                let cursor = sink.cursor.unwrap_or_default();
                (cursor.segment, cursor.offset) >= (first.number, first.end)
            });
            let is_active = self.active.is_some() && self.segments.len() == 1;
            // An active segment is removed as well if it takes up a good part of the room.
            let is_small = first.end < limits.segment() / 2 && !self.disk_full;
            if !is_passed || is_active && is_small {
                break;
            }
            match fs::remove_file(segment::path(folder, first.number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => break,
                _ => {}
            }
            if is_active {
                self.active = None;
            }
            self.segments.pop_front();
            self.counters.bytes = self.counters.bytes.saturating_sub(first.length);
        }
    }
}

fn is_disk_full(error: &io::Error) -> bool {
    let full = [Errno::NOSPC, Errno::DQUOT].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| full.contains(&code))
}
