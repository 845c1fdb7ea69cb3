//! The folder that holds the state, and its lock.

use super::entries::{Entries, copy_last};
use super::log::{HEADER, Records, Tally, header, put_record};
use super::state::{CheckpointState, Commit};
use crate::engine::error::{Error, Result};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const LOG: &str = "state";
const LOCK: &str = "lock";
/// The next log, until it replaces the current one. Never read.
const NEXT: &str = "state.next";
/// A line in the lock file: the folder has contained a state.
const HAS_STATE: &str = "has a state\n";
/// A log is rewritten when it is this many times as long as the rewritten log would be, and at
/// least `MIN_LOG` bytes long.
const MAX_GROWTH: u64 = 4;
const MIN_LOG: u64 = 1 << 20;

/// The usual length of a suppression entry in the log, to guess their number before they are read.
const ENTRY: u64 = 128;

const RESET: &str = "use `--reset` to start from scratch: everything is read again";

/// A folder with the state of a running process, which holds its lock.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: File,
    log: File,
    /// How much of the log is valid.
    length: u64,
    /// Its length when it was last rewritten.
    base: u64,
    /// Whether anything may follow the valid part of the log.
    is_torn: bool,
    /// Whether the system may have lost written data: the log is then rewritten.
    is_doubtful: bool,
    /// How much the log contained of suppression when it was opened.
    tally: Tally,
    /// Shared with the caller of `open`, until the first commit.
    state: Arc<CheckpointState>,
}

/// What was found in the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// The state after the last complete commit. The first commit of the [`StateDir`] copies it if
    /// this reference still exists.
    pub state: Arc<CheckpointState>,
    /// Whether there was none: this is the first start.
    pub is_new: bool,
    /// How many bytes of a torn end were cut.
    pub torn: u64,
}

impl StateDir {
    /// Opens a folder, creates it if it doesn't exist, and holds its lock until it is dropped.
    ///
    /// # Errors
    ///
    /// If another process holds the lock (the error names it), if the folder contains something
    /// that is not a state, or if a state that was there is gone; and errors of the system.
    pub fn open(path: &Path) -> Result<(StateDir, Opened)> {
        Self::open_with(path, |_| Ok(()))
    }

    /// The same; `begin` gets the suppression entries before the rest of the state is read, so that
    /// another thread can read them meanwhile. If a torn end was cut, what it has read is invalid.
    ///
    /// # Errors
    ///
    /// Those of [`StateDir::open`], and of `begin`.
    pub fn open_with(
        path: &Path,
        begin: impl FnOnce(Entries) -> Result<()>,
    ) -> Result<(StateDir, Opened)> {
        fs::create_dir_all(path)
            .map_err(|error| Error::io("create the folder", error).at_path(path))?;
        let (lock, had_state) = lock(&path.join(LOCK))?;
        let place = path.join(LOG);
        // Left by a process that was killed.
        match fs::remove_file(path.join(NEXT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io("remove", error).at_path(path.join(NEXT)));
            }
            _ => {}
        }
        if !place.exists() {
            if had_state {
                return Err(Error::format("the state file is gone").at_path(&place).remedy(RESET));
            }
            publish(path, |file| {
                let new = header();
                let written = file.write_all(&new);
                written.map_err(|error| Error::io("write the state", error))?;
                Ok(new.len() as u64)
            })?;
            mark(&lock, path)?;
            let (dir, mut opened) = Self::read(path, lock, begin)?;
            opened.is_new = true;
            return Ok((dir, opened));
        }
        if !had_state {
            mark(&lock, path)?;
        }
        Self::read(path, lock, begin)
    }

    /// Removes the contents of a folder, so that the next start begins from scratch.
    ///
    /// # Errors
    ///
    /// If a process holds it, and errors of the system.
    pub fn reset(path: &Path) -> Result<()> {
        if !path.exists() {
            return Ok(());
        }
        let (lock, _) = lock(&path.join(LOCK))?;
        for name in [LOG, NEXT] {
            match fs::remove_file(path.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io("remove", error).at_path(path.join(name)));
                }
                _ => {}
            }
        }
        let unmarked =
            lock.set_len(0).and_then(|()| lock.sync_data()).and_then(|()| sync_dir(path));
        unmarked.map_err(|error| Error::io("reset", error).at_path(path))
    }

    /// The process that holds a folder. Never takes the lock, not even for a moment, because that
    /// could keep a process from starting.
    pub fn holder(path: &Path) -> Option<u32> {
        let path = path.join(LOCK);
        let inode = fs::metadata(&path).ok()?.ino().to_string();
        let text = fs::read_to_string(&path).ok()?;
        let pid = text.lines().next()?.strip_prefix("pid ")?;
        // proc_locks(5): `1: FLOCK ADVISORY WRITE 1234 08:01:5678 0 EOF`.
        let locks = fs::read_to_string("/proc/locks").ok()?;
        let is_it = |line: &str| {
            let mut fields = line.split_ascii_whitespace().skip(1);
            let is_lock = fields.next() == Some("FLOCK");
            let is_own = fields.nth(2) == Some(pid);
            let place = fields.next().and_then(|place| place.rsplit(':').next());
            is_lock && is_own && place == Some(&*inode)
        };
        locks.lines().any(is_it).then(|| pid.parse().ok()).flatten()
    }

    fn read(
        path: &Path,
        lock: File,
        begin: impl FnOnce(Entries) -> Result<()>,
    ) -> Result<(StateDir, Opened)> {
        let place = path.join(LOG);
        let io = |what: &'static str| {
            let place = place.clone();
            move |error| Error::io(what, error).at_path(&place)
        };
        let log = OpenOptions::new().read(true).write(true).open(&place).map_err(io("open"))?;
        let length = log.metadata().map_err(io("read"))?.len();
        begin(entries(&place, length, length / ENTRY)?)?;
        let read = || {
            let copy = log.try_clone().map_err(|error| Error::io("read", error))?;
            let mut records = Records::of_file(copy, length)?;
            let (state, tally) = records.read_all()?;
            Ok((state, tally, records.valid()))
        };
        let (state, tally, valid) =
            read().map_err(|error: Error| error.at_path(&place).remedy(RESET))?;
        let torn = length - valid;
        let (base, state) = (state.size() + tally.bytes, Arc::new(state));
        let mut dir = StateDir {
            path: path.to_path_buf(),
            _lock: lock,
            log,
            length: valid,
            base,
            is_torn: torn > 0,
            is_doubtful: false,
            tally,
            state,
        };
        dir.cut().map_err(io("cut the torn end of"))?;
        let state = Arc::clone(&dir.state);
        Ok((dir, Opened { state, is_new: false, torn }))
    }

    /// The suppression entries as they were committed. They can be read while commits are made;
    /// those commits are not included.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn entries(&self) -> Result<Entries> {
        entries(&self.path.join(LOG), self.length, self.tally.entries)
    }

    /// Sets how many of the entries that were read at the start are still in effect: this decides
    /// when the log is rewritten.
    pub fn settle(&mut self, entries: usize) {
        let Tally { entries: all, bytes } = self.tally;
        let share = (entries as u64).min(all) as f64 / all.max(1) as f64;
        self.base = self.state.size() + (bytes as f64 * share) as u64;
    }

    /// Forgets all suppression entries, when they are no longer used.
    ///
    /// # Errors
    ///
    /// Those of the system; the log is then unchanged.
    pub fn forget_entries(&mut self) -> Result<()> {
        if self.tally.entries == 0 {
            return Ok(());
        }
        self.tally = Tally::default();
        self.publish(&[], false)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The state after the last commit.
    pub fn state(&self) -> &CheckpointState {
        &self.state
    }

    /// Makes a commit: when this returns, all of it survives a crash.
    ///
    /// # Errors
    ///
    /// If the disk is full or fails: the last commit stays valid, and this one may be retried
    /// together with what comes after it ([`Commit::add`]).
    pub fn commit(&mut self, commit: &Commit) -> Result<()> {
        if commit.is_empty() {
            return Ok(());
        }
        let mut record = Vec::new();
        put_record(&mut record, &commit.to_bytes())?;
        let is_long = self.length > MIN_LOG && self.length > self.base.saturating_mul(MAX_GROWTH);
        if is_long || self.is_doubtful {
            // If there is no room for a second log, the first one stays in use.
            match self.rewrite(&record) {
                Ok(()) => {
                    Arc::make_mut(&mut self.state).apply(commit);
                    return Ok(());
                }
                Err(error) if self.is_doubtful => return Err(error),
                Err(_) => {}
            }
        }
        self.append(&record)
            .map_err(|error| Error::io("write the state", error).at_path(self.path.join(LOG)))?;
        Arc::make_mut(&mut self.state).apply(commit);
        Ok(())
    }

    /// Rewrites the log, as short as it can be.
    ///
    /// # Errors
    ///
    /// Those of the system; the log stays unchanged.
    pub fn compact(&mut self) -> Result<()> {
        self.rewrite(&[])
    }

    fn append(&mut self, record: &[u8]) -> io::Result<()> {
        self.cut()?;
        self.is_torn = true;
        self.log.write_all_at(record, self.length)?;
        if let Err(error) = self.log.sync_data() {
            // After a failed sync the system no longer considers the data dirty, so what is on disk
            // is unknown.
            self.is_doubtful = true;
            return Err(error);
        }
        self.is_torn = false;
        self.length += record.len() as u64;
        Ok(())
    }

    /// Cuts what a failed commit has left.
    fn cut(&mut self) -> io::Result<()> {
        if self.is_torn {
            self.log.set_len(self.length)?;
            self.log.sync_data()?;
            self.is_torn = false;
        }
        Ok(())
    }

    /// Rewrites the log: the state, and the record of one more commit.
    fn rewrite(&mut self, record: &[u8]) -> Result<()> {
        self.publish(record, true)
    }

    fn publish(&mut self, record: &[u8], has_entries: bool) -> Result<()> {
        let state = self.state.to_bytes()?;
        let (log, length) = publish(&self.path, |file| {
            let write = |file: &mut BufWriter<File>, bytes: &[u8]| {
                file.write_all(bytes).map_err(|error| Error::io("write", error))
            };
            write(file, &state)?;
            let entries = if has_entries { copy_last(|| self.entries(), file)? } else { 0 };
            write(file, record)?;
            Ok(state.len() as u64 + entries + record.len() as u64)
        })?;
        (self.log, self.length, self.base) = (log, length, length);
        (self.is_torn, self.is_doubtful) = (false, false);
        Ok(())
    }
}

/// The suppression entries in a log of this length, of which there are about `count`.
fn entries(place: &Path, length: u64, count: u64) -> Result<Entries> {
    let opened = File::open(place)
        .map_err(|error| Error::io("open", error))
        .and_then(|log| Records::of_file(log, length));
    let records = opened.map_err(|error| error.at_path(place).remedy(RESET))?;
    Ok(Entries::new(records, place.to_path_buf(), count))
}

/// Writes a log next to the current one, and replaces it. `write` returns the length of the new
/// log.
#[expect(clippy::disallowed_methods, reason = "file and folder are synced here")]
fn publish(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<u64>,
) -> Result<(File, u64)> {
    let next = path.join(NEXT);
    let failed = |error: io::Error| Error::io("write the state", error);
    let write = || {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true).mode(0o640);
        let mut file = BufWriter::with_capacity(1 << 20, options.open(&next).map_err(failed)?);
        let length = write(&mut file)?;
        debug_assert!(length >= HEADER as u64);
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        fs::rename(&next, path.join(LOG)).map_err(failed)?;
        sync_dir(path).map_err(failed)?;
        Ok((file, length))
    };
    write().map_err(|error: Error| {
        // Remove the incomplete file: it takes up room that others need.
        let _ = fs::remove_file(&next);
        error.at_path(path.join(LOG))
    })
}

fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Takes the lock of a folder; returns it, and whether a state was there.
fn lock(path: &Path) -> Result<(File, bool)> {
    let io = |error| Error::io("lock", error).at_path(path);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o640);
    let mut file = options.open(path).map_err(io)?;
    let taken = flock(&file, FlockOperation::NonBlockingLockExclusive);
    let mut text = String::new();
    (&file).take(256).read_to_string(&mut text).map_err(io)?;
    match taken {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => {
            let holder = text.lines().next().and_then(|line| line.strip_prefix("pid "));
            let holder = holder.map_or("another process".into(), |pid| format!("process {pid}"));
            return Err(Error::usage(format!("{holder} uses this folder"))
                .at_path(path.parent().unwrap_or(path))
                .remedy("use a separate folder for each process"));
        }
        Err(error) => return Err(io(error.into())),
    }
    let has_state = text.ends_with(HAS_STATE);
    write_lock(&mut file, has_state).map_err(io)?;
    Ok((file, has_state))
}

fn write_lock(file: &mut File, has_state: bool) -> io::Result<()> {
    let text = format!("pid {}\n{}", std::process::id(), if has_state { HAS_STATE } else { "" });
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)?;
    file.sync_data()
}

/// Records that there is a state: if it is gone later, that is not a first start.
fn mark(mut lock: &File, path: &Path) -> Result<()> {
    let text = format!("pid {}\n{HAS_STATE}", std::process::id());
    let mut write = || {
        lock.seek(SeekFrom::Start(0))?;
        lock.write_all(text.as_bytes())?;
        lock.sync_data()
    };
    write().map_err(|error: io::Error| Error::io("lock", error).at_path(path.join(LOCK)))
}
