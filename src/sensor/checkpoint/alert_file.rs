//! A file that contains its records exactly once.

use super::state::{CheckpointState, Output, Rest};
use super::written::{Note, Written};
use crate::engine::error::{Error, Result};
use crate::sensor::input::tail::Key;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// The number of bytes before the committed end that must be unchanged.
const TAIL: u64 = 4 << 10;

/// A file that alerts are appended to.
///
/// What another program appends to it stays, if there is a folder for notes
/// ([`AlertFile::open_noted`]). What it writes after the last commit is cut together with the alerts
/// there in two cases: the machine was restarted, so that the notes are of no use, or the process
/// was killed before an append had ended, and what follows is shorter than the missing part.
///
/// Its records are in it exactly once if each commit contains what [`AlertFile::sync`] returns,
/// together with the positions of the inputs that they came from.
#[derive(Debug)]
pub struct AlertFile {
    path: PathBuf,
    file: Arc<File>,
    key: Key,
    length: u64,
    /// Whether an incomplete record may follow `length`.
    is_torn: bool,
    /// How another program has changed it since it was opened, and whether that was reported.
    change: Option<(Change, bool)>,
    /// From where on all bytes are its own.
    start: u64,
    written: Option<Written>,
}

/// What another program did to a file that alerts are written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Longer,
    Shorter,
}

/// What was appended to an alert file up to some moment, and may not be on disk yet.
#[derive(Clone, Debug)]
pub struct Unsynced {
    file: Arc<File>,
    output: Output,
}

impl Unsynced {
    /// Marks it as the last of the file: nothing more will be appended.
    #[must_use]
    pub fn last(mut self) -> Self {
        self.output.rest = Rest::Foreign;
        self
    }

    /// Syncs it to disk; returns what a commit records of it. More may be appended meanwhile.
    ///
    /// # Errors
    ///
    /// If the disk fails.
    pub fn sync(&self) -> Result<Output> {
        self.file
            .sync_data()
            .map_err(|error| Error::io("write alerts", error).at_path(&self.output.path))?;
        Ok(self.output.clone())
    }
}

/// How an alert file resumes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resumed {
    /// There is no commit of it: it is appended to.
    New,
    /// It is as it was committed; the bytes after that were cut.
    Exact {
        /// The number of bytes that were cut: their alerts are written again.
        cut: u64,
    },
    /// It is as it was left when the process was done with it, and another program has appended
    /// bytes since then.
    Extended {
        /// How many.
        by: u64,
    },
    /// It is not what was committed, and is appended to: alerts since the last commit may be in it
    /// twice.
    AtLeastOnce(&'static str),
}

impl Resumed {
    /// Whether its records are in it exactly once.
    pub fn is_exact(&self) -> bool {
        !matches!(self, Resumed::AtLeastOnce(_))
    }

    /// What an operator should know about it.
    pub fn notice(&self) -> Option<String> {
        match self {
            Resumed::New | Resumed::Exact { .. } => None,
            Resumed::Extended { by } => {
                Some(format!("another program has written {by} bytes: alerts are appended to them"))
            }
            Resumed::AtLeastOnce(why) => Some(format!(
                "{why}: alerts are appended, and those since the last commit may be in it twice"
            )),
        }
    }
}

impl AlertFile {
    /// Opens it, creates it if it doesn't exist, and cuts it to what was committed. If it was
    /// rotated since then, the old file is cut under its new name, if that is in the same folder.
    ///
    /// # Errors
    ///
    /// If it is not a file, or can't be opened, read or cut.
    pub fn open(path: &Path, state: &CheckpointState) -> Result<(AlertFile, Resumed)> {
        Self::open_with(path, state, None)
    }

    /// The same with a folder, such as that of the state, for notes about which bytes are its own:
    /// then only those are cut.
    ///
    /// # Errors
    ///
    /// Those of [`AlertFile::open`].
    pub fn open_noted(
        path: &Path,
        state: &CheckpointState,
        folder: &Path,
    ) -> Result<(AlertFile, Resumed)> {
        Self::open_with(path, state, Some(Written::open(folder, path)))
    }

    fn open_with(
        path: &Path,
        state: &CheckpointState,
        written: Option<(Written, Option<Note>)>,
    ) -> Result<(AlertFile, Resumed)> {
        let (written, note) = written.map_or((None, None), |(written, note)| (Some(written), note));
        let io = |error| Error::io("open the alert file", error).at_path(path);
        let mut file = Self::open_new(path).map_err(io)?;
        let is_locked = flock(&file.file, FlockOperation::NonBlockingLockExclusive).is_ok();
        let resumed = match state.outputs.get(path) {
            _ if !is_locked => Resumed::AtLeastOnce("another process has it locked"),
            None => Resumed::New,
            Some(output) if output.key.is_same(&file.key) => {
                file.cut_to(output, note).map_err(io)?
            }
            Some(output) => file.cut_rotated(output, note).map_err(io)?,
        };
        (file.written, file.start) = (written, file.length);
        file.note(0);
        Ok((file, resumed))
    }

    fn open_new(path: &Path) -> io::Result<AlertFile> {
        let mut options = OpenOptions::new();
        // Opening a pipe would wait for a reader.
        options.read(true).append(true).create(true).mode(0o640).custom_flags(libc::O_NONBLOCK);
        let file = options.open(path)?;
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        let key = Key::of(&file)?;
        let (path, file, length) = (path.to_path_buf(), Arc::new(file), found.len());
        Ok(AlertFile::new(path, file, key, length))
    }

    fn new(path: PathBuf, file: Arc<File>, key: Key, length: u64) -> AlertFile {
        let (is_torn, change, written) = (false, None, None);
        AlertFile { path, file, key, length, is_torn, change, start: length, written }
    }

    /// Notes that all bytes since `start` are its own, up to `more` bytes after the end.
    fn note(&mut self, more: usize) {
        if let Some(written) = &mut self.written {
            let end = self.length + more as u64;
            written.note(Note { key: self.key, start: self.start, end });
        }
    }

    /// How it resumes if nothing of it has to be cut.
    fn extended(&self, output: &Output) -> Resumed {
        match self.length.saturating_sub(output.length) {
            0 => Resumed::Exact { cut: 0 },
            by => Resumed::Extended { by },
        }
    }

    fn cut_to(&mut self, output: &Output, note: Option<Note>) -> io::Result<Resumed> {
        match output.rest {
            Rest::Own => {}
            Rest::Foreign => return Ok(self.extended(output)),
            Rest::Mixed => return Ok(Resumed::AtLeastOnce("another program writes to it, too")),
        }
        if self.length < output.length {
            return Ok(Resumed::AtLeastOnce("it is shorter than before"));
        }
        if tail_of(&self.file, output.length)? != output.tail {
            return Ok(Resumed::AtLeastOnce("another program has written to it"));
        }
        match note.and_then(|note| note.rest(&self.key, output.length, self.length)) {
            Some(Rest::Foreign) => return Ok(self.extended(output)),
            Some(Rest::Mixed) => {
                return Ok(Resumed::AtLeastOnce(
                    "another program has written to it since the last commit",
                ));
            }
            Some(Rest::Own) | None => {}
        }
        let cut = self.length - output.length;
        if cut > 0 {
            self.file.set_len(output.length)?;
            self.file.sync_data()?;
        }
        self.length = output.length;
        Ok(Resumed::Exact { cut })
    }

    /// Cuts the committed file, which has another name now.
    fn cut_rotated(&self, output: &Output, note: Option<Note>) -> io::Result<Resumed> {
        // Everything in the old file is committed before there is a note about the new one.
        let is_past = note.is_some_and(|note| note.key.is_same(&self.key));
        if output.rest == Rest::Foreign || is_past {
            return Ok(Resumed::Exact { cut: 0 });
        }
        if self.length > 0 {
            // Nothing is written to a new file before it is committed.
            return Ok(Resumed::AtLeastOnce("it is another file"));
        }
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        for entry in fs::read_dir(folder)?.flatten() {
            let Ok(found) = entry.metadata() else { continue };
            if (found.dev(), found.ino()) != (output.key.device, output.key.inode) {
                continue;
            }
            let Ok(file) = OpenOptions::new().read(true).append(true).open(entry.path()) else {
                continue;
            };
            let key = Key::of(&file)?;
            if key.is_same(&output.key) {
                let (path, file, length) = (entry.path(), Arc::new(file), found.len());
                return AlertFile::new(path, file, key, length).cut_to(output, note);
            }
        }
        Ok(Resumed::AtLeastOnce("the committed file is no longer in its folder"))
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends whole records.
    ///
    /// # Errors
    ///
    /// If the disk is full or fails: the records are then not in the file, or are cut before the
    /// next ones, and the same records may be tried again.
    pub fn append(&mut self, records: &[u8]) -> Result<()> {
        self.try_append(records)
            .map_err(|error| Error::io("write alerts", error).at_path(&self.path))
    }

    fn try_append(&mut self, records: &[u8]) -> io::Result<()> {
        self.mend()?;
        self.look()?;
        self.is_torn = true;
        self.note(records.len());
        if let Err(error) = (&*self.file).write_all(records) {
            // What another program has written meanwhile must not be cut.
            self.is_torn = self.change.is_some() || self.file.set_len(self.length).is_err();
            if !self.is_torn {
                self.note(0);
            }
            return Err(error);
        }
        self.is_torn = false;
        self.length += records.len() as u64;
        // It may have written in between.
        self.look()
    }

    /// Removes what a failed append has left; ends its line if that may be another program's.
    fn mend(&mut self) -> io::Result<()> {
        if !self.is_torn {
            return Ok(());
        }
        let is_longer = self.file.metadata()?.len() > self.length;
        match self.change {
            Some(_) if is_longer => (&*self.file).write_all(b"\n")?,
            None if is_longer => self.file.set_len(self.length)?,
            _ => {}
        }
        self.is_torn = false;
        Ok(())
    }

    /// Notices what other programs did to the file: its committed length has to include that, or the
    /// next start would cut alerts which are in it for good.
    fn look(&mut self) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        if length != self.length {
            let change = if length > self.length { Change::Longer } else { Change::Shorter };
            self.change.get_or_insert((change, false));
            (self.length, self.start) = (length, length);
            self.note(0);
        }
        Ok(())
    }

    /// What an operator should know about it, once.
    pub fn take_notice(&mut self) -> Option<String> {
        let (change, is_reported) = self.change.as_mut()?;
        if std::mem::replace(is_reported, true) {
            return None;
        }
        let what = match change {
            Change::Longer => "writes to it, too",
            Change::Shorter => "has truncated it",
        };
        Some(format!(
            "{}: another program {what}: after a crash, alerts since the last commit may be in it \
             twice",
            self.path.display()
        ))
    }

    /// Syncs everything that was appended; returns what a commit has to record.
    ///
    /// # Errors
    ///
    /// If the disk fails.
    pub fn sync(&mut self) -> Result<Output> {
        self.appended()?.sync()
    }

    /// What was appended up to now, for a caller that syncs it to disk later.
    ///
    /// # Errors
    ///
    /// If its end can't be read.
    pub fn appended(&mut self) -> Result<Unsynced> {
        let looked = if self.is_torn { Ok(()) } else { self.look() };
        let tail = looked
            .and_then(|()| tail_of(&self.file, self.length))
            .map_err(|error| Error::io("read alerts", error).at_path(&self.path))?;
        let (path, key, length) = (self.path.clone(), self.key, self.length);
        let rest = if self.change.is_some() { Rest::Mixed } else { Rest::Own };
        let output = Output { path, key, length, tail, rest };
        Ok(Unsynced { file: Arc::clone(&self.file), output })
    }

    /// Syncs everything, for the last time: returns what a commit has to record of a file that is
    /// no longer used. What comes after that is not cut by the next start.
    ///
    /// # Errors
    ///
    /// If its end can't be read.
    pub fn release(&mut self) -> Result<Output> {
        let last = self.appended()?.last();
        // If the disk fails, the alerts may be gone, but nobody will write them again.
        Ok(last.sync().unwrap_or(last.output))
    }

    /// Whether its path leads to another file: it was rotated. It then has to be synced and
    /// committed once more, and opened again after that.
    pub fn is_rotated(&self) -> bool {
        match fs::metadata(&self.path) {
            Ok(found) => (found.dev(), found.ino()) != (self.key.device, self.key.inode),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Switches to the file that its path leads to now. The contents of the old file must be
    /// committed before, and what this returns must be committed before anything is appended.
    ///
    /// # Errors
    ///
    /// If the new file can't be opened: the old one stays in use.
    pub fn reopen(&mut self) -> Result<Output> {
        let mut next = Self::open_new(&self.path)
            .map_err(|error| Error::io("open the alert file", error).at_path(&self.path))?;
        // Another process that has locked it would cut our records. That shows at the next start.
        let _ = flock(&next.file, FlockOperation::NonBlockingLockExclusive);
        let output = next.sync()?;
        next.written = self.written.take();
        next.note(0);
        *self = next;
        Ok(output)
    }
}

/// Hash of the last bytes before a length.
fn tail_of(file: &File, length: u64) -> io::Result<u64> {
    let mut tail = vec![0; length.min(TAIL) as usize];
    file.read_exact_at(&mut tail, length.saturating_sub(TAIL))?;
    Ok(xxh3_64(&tail))
}
