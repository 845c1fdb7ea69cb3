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

/// Bytes that have to be free on a disk that was full, before it counts as free again.
const FREE: u64 = 1 << 20;

/// What a sink reads of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sink {
    /// Where it goes on; the oldest record that is there for a sink that is new.
    pub cursor: Option<Cursor>,
    /// The most bytes that it may keep back. Without a number it is half of the log, and only
    /// where the log is full and another sink reads; a sink that is alone is waited for.
    pub max_backlog: Option<u64>,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Stored {
    /// It is in the log.
    Yes,
    /// There is no room now: wait, and append it again.
    Full,
    /// There is no room, and the input can't wait: it was dropped, and counted.
    Shed,
    /// It is longer than [`MAX_RECORD`](super::MAX_RECORD), or than the log: it was dropped, and
    /// counted.
    TooLong,
}

/// What was found when the log was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Whole records.
    pub records: u64,
    /// Bytes after the last whole record of the last segment, which were cut off.
    pub cut_bytes: u64,
    /// Other segments in which something is damaged; what comes after it is not read.
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
    /// Times that a sink met damage, and went on with the next segment.
    pub damage_met: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Records that a sink will not read, since it kept back too much, by its name.
    pub skipped: BTreeMap<String, u64>,
}

/// What a sink has not read yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Bytes, without what is damaged.
    pub bytes: u64,
    /// Segments, the one under way among them.
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

    /// Keeps those records from the one at `from` on that are wanted.
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

    /// Leaves nothing in it but its end.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all records.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Where the sink goes on after them: what [`Spool::advance`] takes once they are delivered.
    pub fn end(&self) -> Cursor {
        self.end
    }
}

/// The log. Clones are the same one.
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
    /// Of the last segment, if it takes more.
    active: Option<File>,
    /// The number of the next one.
    next: u64,
    sinks: BTreeMap<String, Sink>,
    disk_full: bool,
    /// Bytes of the last record that there was no room for, of an input that waits.
    wanted: u64,
    counters: Counters,
    buffer: Vec<u8>,
}

impl Spool {
    /// Opens the log in a folder, and makes the folder if there is none. The caller holds the
    /// lock of the folder: two logs in one would damage each other.
    ///
    /// # Errors
    ///
    /// When the folder can't be made or read. Damage in the files is no error.
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
        // All of them, before what they have read is removed.
        let mut state = spool.state();
        for (name, sink) in sinks {
            state.place(&name, sink);
        }
        state.remove_read(folder, &limits);
        drop(state);
        Ok((spool, recovery))
    }

    /// A lock that a panic has poisoned is as good as before: every change is one assignment.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a sink, or changes the limit of one that is there. Without a cursor it begins with the
    /// oldest record.
    pub fn add(&self, name: &str, sink: Sink) {
        let mut state = self.state();
        state.place(name, sink);
        state.remove_read(&self.0.folder, &self.0.limits);
    }

    /// Forgets a sink; what only it had not read is removed.
    pub fn forget(&self, name: &str) {
        let mut state = self.state();
        state.sinks.remove(name);
        state.remove_read(&self.0.folder, &self.0.limits);
    }

    /// Appends a record. With `can_wait` it is the caller's still when there is no room, and has
    /// to be appended again; else what has the lowest severity is dropped first.
    ///
    /// # Errors
    ///
    /// When the disk fails, and not when it is full. What was written before is whole.
    pub fn append(&self, record: &Record, now: Timestamp, can_wait: bool) -> Result<Stored> {
        let limits = &self.0.limits;
        let most = if can_wait { limits.wait_at() } else { limits.shed_at(record.severity) };
        self.append_within(record, now, can_wait, most)
    }

    /// The same for the rest of what was begun while there was room, of an input that can wait:
    /// it may fill the log to its end, so that what was begun need not be done twice.
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
        most: u64,
    ) -> Result<Stored> {
        let Shared { folder, limits, .. } = &*self.0;
        let mut state = self.state();
        let mut buffer = std::mem::take(&mut state.buffer);
        buffer.clear();
        let is_short = record.encode(now, &mut buffer);
        let stored = if is_short && FIRST + buffer.len() as u64 <= limits.wait_at() {
            let shed_as = (!can_wait).then_some(record.severity);
            state.store(folder, limits, (most, shed_as), &buffer)
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

    /// Makes what was appended outlive a crash of the system. Comes before the commit of the
    /// inputs' positions.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub fn sync(&self) -> Result<()> {
        let active = self.state().active.as_ref().map(File::try_clone);
        // Without the lock: readers go on.
        let synced = active.map_or(Ok(()), |file| file.and_then(|file| file.sync_data()));
        synced.map_err(|error| Error::io("sync the spool", error).at_path(&self.0.folder))
    }

    /// Whether inputs that can wait have to.
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

    /// Adds what comes after a cursor to a batch, until it has `max_records`, or `max_bytes` from
    /// its second record on. Returns whether it has; else there is nothing more to read now.
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

    /// The segment in which a cursor has something to read; the lock is not kept.
    fn segment(&self, cursor: Cursor) -> Option<Segment> {
        self.state().at(cursor)
    }

    /// Reads on in a segment; returns where it stopped, and whether the batch is full.
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

    /// Moves a sink's cursor forward; what all have passed is removed. It never goes back.
    pub fn advance(&self, sink: &str, to: Cursor) {
        let mut state = self.state();
        if let Some(sink) = state.sinks.get_mut(sink)
            && sink.cursor.is_none_or(|cursor| cursor < to)
        {
            sink.cursor = Some(to);
            state.remove_read(&self.0.folder, &self.0.limits);
        }
    }

    /// Where a sink goes on.
    pub fn cursor(&self, sink: &str) -> Cursor {
        self.state().sinks.get(sink).and_then(|sink| sink.cursor).unwrap_or_default()
    }

    /// The cursors of all sinks: what is committed with the positions of the inputs.
    pub fn cursors(&self) -> BTreeMap<String, Cursor> {
        let state = self.state();
        let cursors = state.sinks.iter();
        cursors.map(|(name, sink)| (name.clone(), sink.cursor.unwrap_or_default())).collect()
    }

    /// The end of the log: where a sink begins that is to see new records only.
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
        Backlog { bytes: state.behind(cursor), segments: segments.count() as u64 }
    }

    /// What happened so far.
    pub fn counters(&self) -> Counters {
        self.state().counters.clone()
    }

    /// Waits until there is a record after a cursor, at most for a time; returns whether
    /// there is one.
    pub fn wait(&self, cursor: Cursor, most: Duration) -> bool {
        let is_read = |state: &mut State| state.at(cursor).is_none();
        let waited = self.0.appended.wait_timeout_while(self.state(), most, is_read);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.at(cursor).is_some()
    }
}

impl State {
    /// Takes in a segment that was there.
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

    /// Bytes after a cursor.
    fn behind(&self, cursor: Cursor) -> u64 {
        let Some(segment) = self.at(cursor) else { return 0 };
        let Some(last) = self.segments.back() else { return 0 };
        let is_in = segment.number == cursor.segment;
        let passed = if is_in { cursor.offset.max(FIRST) } else { FIRST };
        (last.base + last.end).saturating_sub(segment.base + passed)
    }

    /// Takes in a sink; one that is there keeps its cursor.
    fn place(&mut self, name: &str, sink: Sink) {
        let cursor = self.sinks.get(name).map_or(sink.cursor, |known| known.cursor);
        let cursor = self.clamp(cursor.unwrap_or_default());
        // A number that a cursor had is never used again.
        self.next = self.next.max(cursor.segment.saturating_add(1));
        self.sinks.insert(name.to_string(), Sink { cursor: Some(cursor), ..sink });
    }

    /// A cursor that is in the log: what it may say of segments that are not there, or of more
    /// than a segment has, is from another time.
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

    /// Writes an encoded record, if that makes the log no longer than `most`; what can't wait has
    /// a severity that it is counted under where there is no room.
    fn store(
        &mut self,
        folder: &Path,
        limits: &Limits,
        (most, shed_as): (u64, Option<u8>),
        bytes: &[u8],
    ) -> io::Result<Stored> {
        self.make_room(folder, limits, bytes.len() as u64);
        let has_room = self.counters.bytes + bytes.len() as u64 <= most;
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

    /// Writes a record at the end; false where the disk is full.
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
                // Half a record would be cut off at the next start, too.
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
        // Before it is forgotten: a failure is reported to the caller, who appends again.
        self.active.as_ref().map_or(Ok(()), File::sync_data)?;
        self.active = None;
        Ok(())
    }

    /// Segments of an earlier run are never written to: what is after their end may be anything.
    fn open_active(&mut self, folder: &Path) -> io::Result<()> {
        if self.active.is_none() {
            self.active = Some(segment::create(folder, self.next)?);
            self.push(self.next, FIRST, FIRST, 0);
        }
        Ok(())
    }

    /// Moves the cursors of sinks that keep back too much, so that `more` bytes have room.
    fn make_room(&mut self, folder: &Path, limits: &Limits, more: u64) {
        let is_full = self.counters.bytes + more > limits.wait_at() || self.disk_full;
        if !is_full && self.sinks.values().all(|sink| sink.max_backlog.is_none()) {
            return;
        }
        let behind: Vec<u64> =
            self.sinks.values().map(|sink| self.behind(sink.cursor.unwrap_or_default())).collect();
        let has_reader = behind.iter().any(|behind| *behind < limits.alive_at());
        let late: Vec<(String, u64)> = self
            .sinks
            .iter()
            .zip(&behind)
            .filter_map(|((name, sink), behind)| {
                let most = match sink.max_backlog {
                    Some(most) => most,
                    None if is_full && has_reader => limits.dead_at(),
                    None => return None,
                };
                (*behind > most).then(|| (name.clone(), most))
            })
            .collect();
        for (name, most) in &late {
            self.skip(folder, name, *most);
        }
        if !late.is_empty() {
            self.remove_read(folder, limits);
        }
    }

    /// Moves a cursor to the first segment from which on there is no more than `most`, or to the
    /// end of all.
    fn skip(&mut self, folder: &Path, name: &str, most: u64) {
        let Some(from) = self.sinks.get(name).and_then(|sink| sink.cursor) else { return };
        let Some(last) = self.segments.back().copied() else { return };
        let all = last.base + last.end;
        let fits = |segment: &&Segment| {
            segment.number > from.segment && all.saturating_sub(segment.base) <= most
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
            // A segment under way goes, too, where it takes a good part of the room there is.
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
