//! The folder that holds the state, and its lock.

use super::entries::{Entries, copy_last};
use super::log::{HEADER, Records, Tally, header, put_record};
use super::state::{Commit, State};
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
/// The next log, until it takes the place of the one before. Never read.
const NEXT: &str = "state.next";
/// The lock says so when a state was there.
const HAS_STATE: &str = "has a state\n";
/// A log is written anew when it is so many times as long as it would be then, and so long at all.
const MAX_GROWTH: u64 = 4;
const MIN_LOG: u64 = 1 << 20;

const RESET: &str = "`--reset` begins from scratch: everything is read again";

/// A folder with the state of a running process, which holds its lock.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: File,
    log: File,
    /// How much of the log is valid.
    length: u64,
    /// How long it was when it was last written anew.
    base: u64,
    /// Whether something may stand in the log after what is valid.
    is_torn: bool,
    /// Whether the system may have lost what it was given: the log is written anew then.
    is_doubtful: bool,
    /// What the log held of suppression when it was opened.
    tally: Tally,
    /// Shared with who opened it, until the first commit.
    state: Arc<State>,
}

/// What was found in the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// The state after the last whole commit. The first commit of the [`StateDir`] copies it if
    /// this is still there.
    pub state: Arc<State>,
    /// Whether there was none: the first start.
    pub is_new: bool,
    /// How many bytes of a torn end were cut.
    pub torn: u64,
}

impl StateDir {
    /// Opens a folder, which is made if there is none, and holds its lock until it is dropped.
    ///
    /// # Errors
    ///
    /// When another process holds it, which is named; when there is something that is no state, or
    /// none where one was; and those of the system.
    pub fn open(path: &Path) -> Result<(StateDir, Opened)> {
        fs::create_dir_all(path)
            .map_err(|error| Error::io("cannot make it", error).at_path(path))?;
        let (lock, had_state) = lock(&path.join(LOCK))?;
        let place = path.join(LOG);
        // What a killed process has left.
        match fs::remove_file(path.join(NEXT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io("cannot remove", error).at_path(path.join(NEXT)));
            }
            _ => {}
        }
        if !place.exists() {
            if had_state {
                return Err(Error::format("the state is gone").at_path(&place).remedy(RESET));
            }
            publish(path, |file| {
                let new = header();
                let written = file.write_all(&new);
                written.map_err(|error| Error::io("cannot write the state", error))?;
                Ok(new.len() as u64)
            })?;
            mark(&lock, path)?;
            let (dir, mut opened) = Self::read(path, lock)?;
            opened.is_new = true;
            return Ok((dir, opened));
        }
        if !had_state {
            mark(&lock, path)?;
        }
        Self::read(path, lock)
    }

    /// Removes what a folder holds, so that the next start begins from scratch.
    ///
    /// # Errors
    ///
    /// When a process holds it, and those of the system.
    pub fn reset(path: &Path) -> Result<()> {
        if !path.exists() {
            return Ok(());
        }
        let (lock, _) = lock(&path.join(LOCK))?;
        for name in [LOG, NEXT] {
            match fs::remove_file(path.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io("cannot remove", error).at_path(path.join(name)));
                }
                _ => {}
            }
        }
        let unmarked =
            lock.set_len(0).and_then(|()| lock.sync_data()).and_then(|()| sync_dir(path));
        unmarked.map_err(|error| Error::io("cannot reset", error).at_path(path))
    }

    /// The process that holds a folder, without taking its lock for a moment: that could keep a
    /// process from starting.
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

    fn read(path: &Path, lock: File) -> Result<(StateDir, Opened)> {
        let place = path.join(LOG);
        let io = |what: &'static str| {
            let place = place.clone();
            move |error| Error::io(what, error).at_path(&place)
        };
        let log =
            OpenOptions::new().read(true).write(true).open(&place).map_err(io("cannot open"))?;
        let length = log.metadata().map_err(io("cannot read"))?.len();
        let read = || {
            let copy = log.try_clone().map_err(|error| Error::io("cannot read", error))?;
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
        dir.cut().map_err(io("cannot cut the torn end of"))?;
        let state = Arc::clone(&dir.state);
        Ok((dir, Opened { state, is_new: false, torn }))
    }

    /// The entries of suppression as they were committed. They can be read while commits are made,
    /// which they don't contain.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn entries(&self) -> Result<Entries> {
        let place = self.path.join(LOG);
        let opened = File::open(&place)
            .map_err(|error| Error::io("cannot open", error))
            .and_then(|log| Records::of_file(log, self.length));
        let records = opened.map_err(|error| error.at_path(&place))?;
        Ok(Entries::new(records, place, self.tally.entries))
    }

    /// Says how many of the entries that were read at the start are the case: when the log is to be
    /// written anew depends on it.
    pub fn settle(&mut self, entries: usize) {
        let Tally { entries: all, bytes } = self.tally;
        let share = (entries as u64).min(all) as f64 / all.max(1) as f64;
        self.base = self.state.size() + (bytes as f64 * share) as u64;
    }

    /// Forgets all entries of suppression: nobody uses them any more.
    ///
    /// # Errors
    ///
    /// Those of the system; the log stays what it was.
    pub fn forget_entries(&mut self) -> Result<()> {
        if self.tally.entries == 0 {
            return Ok(());
        }
        self.tally = Tally::default();
        self.publish(&[], false)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The state after the last commit.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Makes a commit: when it returns, all of it survives a crash.
    ///
    /// # Errors
    ///
    /// When the disk is full or fails: the last commit stays valid, and this one may be tried again,
    /// together with what comes after it ([`Commit::add`]).
    pub fn commit(&mut self, commit: &Commit) -> Result<()> {
        if commit.is_empty() {
            return Ok(());
        }
        let mut record = Vec::new();
        put_record(&mut record, &commit.to_bytes())?;
        let is_long = self.length > MIN_LOG && self.length > self.base.saturating_mul(MAX_GROWTH);
        if is_long || self.is_doubtful {
            // Without room for a second log, the first one goes on.
            match self.rewrite(&record) {
                Ok(()) => {
                    Arc::make_mut(&mut self.state).apply(commit);
                    return Ok(());
                }
                Err(error) if self.is_doubtful => return Err(error),
                Err(_) => {}
            }
        }
        self.append(&record).map_err(|error| {
            Error::io("cannot write the state", error).at_path(self.path.join(LOG))
        })?;
        Arc::make_mut(&mut self.state).apply(commit);
        Ok(())
    }

    /// Writes the log anew, as short as it can be.
    ///
    /// # Errors
    ///
    /// Those of the system; the log stays what it was.
    pub fn compact(&mut self) -> Result<()> {
        self.rewrite(&[])
    }

    fn append(&mut self, record: &[u8]) -> io::Result<()> {
        self.cut()?;
        self.is_torn = true;
        self.log.write_all_at(record, self.length)?;
        if let Err(error) = self.log.sync_data() {
            // What the system had to write is not dirty any more, and nobody knows what is on disk.
            self.is_doubtful = true;
            return Err(error);
        }
        self.is_torn = false;
        self.length += record.len() as u64;
        Ok(())
    }

    /// Cuts what a commit that failed has left.
    fn cut(&mut self) -> io::Result<()> {
        if self.is_torn {
            self.log.set_len(self.length)?;
            self.log.sync_data()?;
            self.is_torn = false;
        }
        Ok(())
    }

    /// Writes the log anew: the state, and the record of one more commit.
    fn rewrite(&mut self, record: &[u8]) -> Result<()> {
        self.publish(record, true)
    }

    fn publish(&mut self, record: &[u8], has_entries: bool) -> Result<()> {
        let state = self.state.to_bytes()?;
        let (log, length) = publish(&self.path, |file| {
            let write = |file: &mut BufWriter<File>, bytes: &[u8]| {
                file.write_all(bytes).map_err(|error| Error::io("cannot write", error))
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

/// Writes a log beside the one that is there, and puts it in its place. `write` answers how long
/// it is.
#[expect(clippy::disallowed_methods, reason = "file and folder are synced here")]
fn publish(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<u64>,
) -> Result<(File, u64)> {
    let next = path.join(NEXT);
    let failed = |error: io::Error| Error::io("cannot write the state", error);
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
        // What is there of it takes room that others need.
        let _ = fs::remove_file(&next);
        error.at_path(path.join(LOG))
    })
}

fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Takes the lock of a folder; returns it, and whether a state was there.
fn lock(path: &Path) -> Result<(File, bool)> {
    let io = |error| Error::io("cannot lock", error).at_path(path);
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
                .remedy("two processes need a folder each"));
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

/// Notes that a state is there: should it be gone, that is no first start.
fn mark(mut lock: &File, path: &Path) -> Result<()> {
    let text = format!("pid {}\n{HAS_STATE}", std::process::id());
    let mut write = || {
        lock.seek(SeekFrom::Start(0))?;
        lock.write_all(text.as_bytes())?;
        lock.sync_data()
    };
    write().map_err(|error: io::Error| Error::io("cannot lock", error).at_path(path.join(LOCK)))
}
