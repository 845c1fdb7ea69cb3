//! Which bytes of an alert file may be this process's own, for the next start.
//!
//! After the last commit, alerts were appended that the next start has to cut, because it writes
//! them again. Another program may have appended something, too: before a crash, or while nothing
//! ran. So before each append, a small file in the state folder is told where that append will end.
//! What is in the alert file after that is somebody else's.
//!
//! It is not synced, since that would cost as much as a commit: it outlives the process, and not
//! the machine. One from before a restart of the machine is ignored, and everything after the last
//! commit is cut then.

use super::state::{CheckpointState, Output, Rest};
use crate::clock::booted;
use crate::sensor::input::tail::Key;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64;

/// Names of the numbers in it.
const START: &str = "start";
const BOOTED: &str = "booted";

/// It is smaller, unless the path is very long.
const MAX: u64 = 64 << 10;

/// How far apart two readings of the time of the last boot may be, in microseconds: the clock may
/// be adjusted.
const TOLERANCE: u64 = 10_000_000;

/// What a process has noted about an alert file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) key: Key,
    /// From here on, all bytes up to `end` are its own.
    pub(super) start: u64,
    /// Where its last append ends, or would have ended.
    pub(super) end: u64,
}

impl Note {
    /// What follows the committed bytes of a file with this length; `None` if the note is about
    /// another file.
    pub(super) fn rest(&self, key: &Key, committed: u64, length: u64) -> Option<Rest> {
        self.key.is_same(key).then_some(match length {
            _ if length == committed => Rest::Own,
            _ if self.start > committed => Rest::Mixed,
            _ if length <= self.end => Rest::Own,
            _ if self.end <= committed => Rest::Foreign,
            _ => Rest::Mixed,
        })
    }
}

/// The place of the notes about an alert file.
#[derive(Debug)]
pub(super) struct Written {
    place: PathBuf,
    /// The path of the alert file.
    path: PathBuf,
    /// `None` after a failure: the next start then cuts as if there were no notes.
    file: Option<File>,
}

impl Written {
    /// Opens the notes about an alert file; also returns the last one.
    pub(super) fn open(folder: &Path, path: &Path) -> (Written, Option<Note>) {
        let name = format!("written-{:016x}", xxh3_64(path.as_os_str().as_bytes()));
        let place = folder.join(name);
        let last = read(&place, path).ok().flatten();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o640);
        let file = options.open(&place).ok();
        (Written { place, path: path.to_path_buf(), file }, last)
    }

    /// Notes something.
    pub(super) fn note(&mut self, note: Note) {
        let Some(file) = &self.file else { return };
        let Note { key, start, end } = note;
        let path = self.path.clone();
        let output = Output { path: path.clone(), key, length: end, tail: 0, rest: Rest::Own };
        let numbers = [(START.to_string(), start), (BOOTED.to_string(), booted())];
        let state = CheckpointState {
            outputs: [(path, output)].into(),
            cursors: numbers.into(),
            ..CheckpointState::default()
        };
        let written = state.to_bytes().ok().map(|bytes| file.write_all_at(&bytes, 0));
        if !matches!(written, Some(Ok(()))) {
            // A wrong note would be worse than none.
            let _ = fs::remove_file(&self.place);
            self.file = None;
        }
    }
}

/// The last note of this boot.
fn read(place: &Path, path: &Path) -> io::Result<Option<Note>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    File::open(place)?.take(MAX).read_to_end(&mut bytes)?;
    Ok(parse(&bytes, path, booted()))
}

/// Its bytes are a state log with one record. What follows that is of longer notes before it.
fn parse(bytes: &[u8], path: &Path, booted: u64) -> Option<Note> {
    let (state, _) = CheckpointState::parse(bytes).ok()?;
    let output = state.outputs.get(path)?;
    let is_ours = state.cursors.get(BOOTED)?.abs_diff(booted) <= TOLERANCE;
    let start = *state.cursors.get(START)?;
    is_ours.then_some(Note { key: output.key, start, end: output.length })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(inode: u64) -> Key {
        Key { device: 1, inode, generation: Some(7), born: None }
    }

    #[test]
    fn the_last_note_of_this_boot_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = Path::new("/var/log/alerts.json");
        let (mut written, last) = Written::open(folder.path(), path);
        assert_eq!(last, None);
        // A shorter one after a longer one.
        for end in [u64::MAX, 70_000, 3] {
            let note = Note { key: key(end), start: 1, end };
            written.note(note);
            let (_, last) = Written::open(folder.path(), path);
            assert_eq!(last, Some(note));
        }
        let (_, other) = Written::open(folder.path(), Path::new("/var/log/other.json"));
        assert_eq!(other, None);
        let bytes = fs::read(&written.place).unwrap();
        assert!(parse(&bytes, path, booted()).is_some());
        assert_eq!(parse(&bytes, path, booted() + 2 * TOLERANCE), None);
        // Torn, or changed.
        // Four bytes of the header mean nothing.
        for end in (0..12).chain(16..60) {
            assert_eq!(parse(&bytes[..end], path, booted()), None, "{end}");
            let mut wrong = bytes.clone();
            wrong[end] ^= 1;
            assert_eq!(parse(&wrong, path, booted()), None, "{end}");
        }
    }

    #[test]
    fn what_follows_a_commit() {
        let note = Note { key: key(1), start: 10, end: 50 };
        for (committed, length, rest) in [
            (20, 20, Rest::Own),
            (20, 40, Rest::Own),
            (20, 50, Rest::Own),
            (20, 51, Rest::Mixed),
            (50, 60, Rest::Foreign),
            (5, 5, Rest::Own),
            (5, 30, Rest::Mixed),
        ] {
            assert_eq!(note.rest(&key(1), committed, length), Some(rest), "{committed} {length}");
            assert_eq!(note.rest(&key(2), committed, length), None);
        }
    }
}
