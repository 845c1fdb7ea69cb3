//! A folder where captures appear: which are finished, which were read, and what happens to them.

use super::watch::Watch;
use crate::clock::{Stopwatch, now};
use crate::sensor::checkpoint::CheckpointState;
use crate::sensor::config::{CapturesInput, Done};
use crate::sensor::halt::Halt;
use crate::sensor::run::{Notice, Notify};
use crate::{Error, Result};
use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::mem::MaybeUninit;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A capture that was not seen being closed counts as finished after this long without a write.
const QUIET: Duration = Duration::from_secs(10);

/// A capture, as it was when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Capture {
    pub(super) name: OsString,
    /// Device, inode, size, and time of the last change in nanoseconds.
    pub(super) key: [u64; 4],
}

impl Capture {
    fn of(path: &Path) -> Option<Capture> {
        let found = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        let changed = found.mtime().wrapping_mul(1_000_000_000).wrapping_add(found.mtime_nsec());
        let key = [found.dev(), found.ino(), found.size(), changed.cast_unsigned()];
        Some(Capture { name: path.file_name()?.to_os_string(), key })
    }
}

/// What happens to captures that were read.
pub(super) struct Finished<'s> {
    watch: Watch,
    notify: Notify<'s>,
    input: String,
    folder: PathBuf,
    done: Done,
    move_to: Option<PathBuf>,
    /// Names of removed captures, which can be forgotten.
    gone: Vec<OsString>,
}

impl<'s> Finished<'s> {
    pub(super) fn new(watch: Watch, of: &CapturesInput, notify: Notify<'s>) -> Self {
        Finished {
            input: watch.name().to_string(),
            watch,
            notify,
            folder: of.folder.clone(),
            done: of.done,
            move_to: of.move_to.clone(),
            gone: Vec::new(),
        }
    }

    /// The name of a capture in commits. File names may contain any bytes.
    fn name(&self, of: &std::ffi::OsStr) -> String {
        format!("captures/{}/{}", self.input, hex(of.as_bytes()))
    }

    /// What a commit records of a capture that was read.
    pub(super) fn entry(&self, capture: &Capture) -> (String, Option<Vec<u8>>) {
        let key = capture.key.iter().flat_map(|number| number.to_le_bytes()).collect();
        (self.name(&capture.name), Some(key))
    }

    /// Returns what commits no longer need to record.
    pub(super) fn forgotten(&mut self) -> Vec<(String, Option<Vec<u8>>)> {
        let gone = std::mem::take(&mut self.gone);
        gone.iter().map(|name| (self.name(name), None)).collect()
    }

    /// Moves or deletes a capture that is in a commit. What fails is reported, counted, and retried
    /// at the next start.
    pub(super) fn finish(&mut self, capture: &Capture) {
        let path = self.folder.join(&capture.name);
        let (what, done) = match (self.done, &self.move_to) {
            (Done::Delete, _) => ("delete", std::fs::remove_file(&path)),
            (Done::Move, Some(folder)) => ("move", moved(&path, folder, &capture.name)),
            _ => return,
        };
        match done {
            Ok(()) => self.gone.push(capture.name.clone()),
            // Somebody else has moved it.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !path.exists() => {
                self.gone.push(capture.name.clone());
            }
            Err(error) => {
                self.watch.left_capture();
                let error = Error::io(format!("{what} a capture that was read"), error);
                let error = error.at_path(&path).remedy("it is tried again at the next start");
                (self.notify)(Notice::Failed(&error));
            }
        }
    }

    /// What was read, as recorded in commits.
    fn read(&self, state: &CheckpointState) -> BTreeMap<OsString, [u64; 4]> {
        let prefix = format!("captures/{}/", self.input);
        let own = state.others.iter().filter_map(|(name, key)| {
            let name = unhex(name.strip_prefix(&prefix)?)?;
            let mut numbers = [0; 4];
            for (number, bytes) in numbers.iter_mut().zip(key.chunks_exact(8)) {
                *number = u64::from_le_bytes(bytes.try_into().ok()?);
            }
            Some((OsString::from_vec(name), numbers))
        });
        own.collect()
    }
}

/// How many captures of the same name a folder takes.
const MAX_SAME: u32 = 10_000;

/// Moves a file into a folder, if need be to another file system. A name that is taken gets a number:
/// nothing is overwritten.
#[expect(clippy::disallowed_methods, reason = "the file is complete: only its name changes")]
fn moved(from: &Path, folder: &Path, name: &std::ffi::OsStr) -> std::io::Result<()> {
    let numbered = |number: u32| {
        let mut name = name.to_os_string();
        if number > 0 {
            name.push(format!("-{number}"));
        }
        folder.join(name)
    };
    let is_free = |to: &PathBuf| std::fs::symlink_metadata(to).is_err();
    let to = (0..MAX_SAME).map(numbered).find(is_free);
    let taken = || std::io::Error::other("too many captures have the same name");
    let to = to.ok_or_else(taken)?;
    std::fs::rename(from, &to)
        .or_else(|_| std::fs::copy(from, &to).and_then(|_| std::fs::remove_file(from)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Finds captures that are finished.
pub(super) struct Folder {
    path: PathBuf,
    poll: Duration,
    queue: Option<OwnedFd>,
    /// Captures that were seen being closed, or renamed into the folder.
    closed: BTreeSet<OsString>,
    /// The captures that were read, and their state at that time.
    read: BTreeMap<OsString, [u64; 4]>,
    looked: Option<Stopwatch>,
}

impl Folder {
    /// Loads from the state what was read before; what was still to be moved or deleted is moved or
    /// deleted now.
    pub(super) fn open(
        finished: &mut Finished<'_>,
        of: &CapturesInput,
        state: &CheckpointState,
    ) -> Result<Self> {
        // Report a missing folder now, instead of waiting forever.
        std::fs::read_dir(&of.folder)
            .map_err(|e| crate::Error::io("read", e).at_path(&of.folder))?;
        let mut read = finished.read(state);
        read.retain(|name, key| {
            let capture = Capture { name: name.clone(), key: *key };
            let is_there = Capture::of(&of.folder.join(name)).as_ref() == Some(&capture);
            if is_there {
                finished.finish(&capture);
            } else {
                finished.gone.push(name.clone());
            }
            is_there
        });
        let flags = CreateFlags::NONBLOCK | CreateFlags::CLOEXEC;
        let watched = WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
        // Without inotify, the folder is polled.
        let queue = inotify::init(flags)
            .and_then(|queue| inotify::add_watch(&queue, &of.folder, watched).map(|_| queue))
            .ok();
        let (path, poll) = (of.folder.clone(), of.poll);
        Ok(Folder { path, poll, queue, closed: BTreeSet::new(), read, looked: None })
    }

    /// The captures that are finished and not yet read, in the order of their names. Waits for the
    /// next look, unless it is the first.
    pub(super) fn next(&mut self, halt: &Halt, is_once: bool) -> Vec<(PathBuf, Capture)> {
        if self.looked.is_some() && !is_once {
            let max = rustix::event::Timespec::try_from(self.poll);
            let _ = match (&self.queue, max) {
                (Some(queue), Ok(max)) => halt.wait_to_read_within(queue, &max),
                (_, Ok(max)) => halt.pause(max).map(|()| false),
                (_, Err(_)) => Ok(false),
            };
        }
        if halt.is_set() {
            return Vec::new();
        }
        self.looked = Some(Stopwatch::start());
        self.drain();
        let Ok(entries) = std::fs::read_dir(&self.path) else { return Vec::new() };
        let mut ready = Vec::new();
        let mut names = BTreeSet::new();
        for entry in entries.flatten() {
            let path = entry.path();
            let Some(capture) = Capture::of(&path) else { continue };
            names.insert(capture.name.clone());
            let is_read = self.read.get(&capture.name) == Some(&capture.key);
            let is_hidden = capture.name.as_bytes().starts_with(b".");
            if !is_read && !is_hidden && (is_once || self.is_finished(&path, &capture.name)) {
                ready.push((path, capture));
            }
        }
        self.read.retain(|name, _| names.contains(name));
        self.closed.retain(|name| names.contains(name));
        ready.sort_by(|a, b| a.1.name.cmp(&b.1.name));
        for (_, capture) in &ready {
            self.read.insert(capture.name.clone(), capture.key);
            self.closed.remove(&capture.name);
        }
        ready
    }

    fn is_finished(&self, path: &Path, name: &OsString) -> bool {
        if self.closed.contains(name) {
            return true;
        }
        let Ok(found) = std::fs::metadata(path) else { return false };
        let changed = found.mtime().saturating_mul(1_000_000) + found.mtime_nsec() / 1000;
        i128::from(now().0.saturating_sub(changed)) >= QUIET.as_micros() as i128
    }

    fn drain(&mut self) {
        let Some(queue) = &self.queue else { return };
        let mut buffer = [MaybeUninit::uninit(); 16 << 10];
        let mut reader = inotify::Reader::new(queue, &mut buffer);
        while let Ok(event) = reader.next() {
            if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                continue;
            }
            if let Some(name) = event.file_name() {
                self.closed.insert(OsString::from_vec(name.to_bytes().to_vec()));
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a file of the past")]
mod tests {
    use super::*;
    use std::fs;
    use std::time::SystemTime;

    fn input(folder: &Path, done: Done, move_to: Option<PathBuf>) -> CapturesInput {
        let poll = Duration::from_millis(50);
        CapturesInput { folder: folder.to_path_buf(), done, move_to, poll }
    }

    fn names(found: &[(PathBuf, Capture)]) -> Vec<&str> {
        found.iter().map(|(_, capture)| capture.name.to_str().unwrap()).collect()
    }

    fn open(of: &CapturesInput, state: &CheckpointState) -> (Folder, Finished<'static>) {
        let watch = Watch::new("c", "captures", None);
        let mut finished = Finished::new(watch, of, &|_| {});
        let folder = Folder::open(&mut finished, of, state).unwrap();
        (folder, finished)
    }

    #[test]
    fn each_capture_comes_once_when_it_is_finished() {
        let dir = tempfile::tempdir().unwrap();
        let of = input(dir.path(), Done::Keep, None);
        fs::write(dir.path().join("old.pcap"), "x").unwrap();
        let past = SystemTime::now() - Duration::from_secs(60);
        fs::File::options()
            .write(true)
            .open(dir.path().join("old.pcap"))
            .unwrap()
            .set_modified(past)
            .unwrap();
        fs::write(dir.path().join("fresh.pcap"), "x").unwrap();
        let (mut folder, finished) = open(&of, &CheckpointState::default());
        let halt = Halt::default();
        let first = folder.next(&halt, false);
        assert_eq!(names(&first), ["old.pcap"], "the other one was not seen being closed");
        // Closed while the folder is watched.
        for name in ["b.pcap", "a.pcap", ".hidden"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        assert_eq!(names(&folder.next(&halt, false)), ["a.pcap", "b.pcap"]);
        assert!(folder.next(&halt, false).is_empty());
        assert_eq!(names(&folder.next(&halt, true)), ["fresh.pcap"]);
        // After a restart, captures that were read are known; one that has grown since is a new
        // one.
        let mut state = CheckpointState::default();
        for (_, capture) in &first {
            let (name, key) = finished.entry(capture);
            state.others.insert(name, key.unwrap());
        }
        let (mut folder, _) = open(&of, &state);
        assert_eq!(names(&folder.next(&halt, true)), ["a.pcap", "b.pcap", "fresh.pcap"]);
        fs::write(dir.path().join("old.pcap"), "xy").unwrap();
        assert_eq!(names(&folder.next(&halt, true)), ["old.pcap"]);
    }

    #[test]
    fn what_was_read_is_moved_or_deleted_also_after_a_crash() {
        let (dir, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let odd = std::ffi::OsStr::from_bytes(b"\xff.pcap");
        let cases = [(Done::Delete, None), (Done::Move, Some(to.path().to_path_buf()))];
        for (done, move_to) in cases {
            let of = input(dir.path(), done, move_to.clone());
            fs::write(dir.path().join(odd), "x").unwrap();
            let (mut folder, finished) = open(&of, &CheckpointState::default());
            let found = folder.next(&Halt::default(), true);
            let (name, key) = finished.entry(&found[0].1);
            // Committed, and killed before anything was moved.
            let mut state = CheckpointState::default();
            state.others.insert(name.clone(), key.unwrap());
            let (mut folder, mut finished) = open(&of, &state);
            assert!(!dir.path().join(odd).exists());
            assert_eq!(move_to.is_some(), to.path().join(odd).exists());
            assert_eq!(finished.forgotten(), [(name, None)]);
            assert!(folder.next(&Halt::default(), true).is_empty());
        }
        // Nothing is overwritten.
        fs::write(dir.path().join(odd), "other").unwrap();
        let of = input(dir.path(), Done::Move, Some(to.path().to_path_buf()));
        let (mut folder, mut finished) = open(&of, &CheckpointState::default());
        let found = folder.next(&Halt::default(), true);
        finished.finish(&found[0].1);
        assert_eq!(fs::read(to.path().join(odd)).unwrap(), b"x");
        let mut numbered = odd.to_os_string();
        numbered.push("-1");
        assert_eq!(fs::read(to.path().join(numbered)).unwrap(), b"other");
        assert!(!dir.path().join(odd).exists() && !finished.forgotten().is_empty());
        // What can't be moved is counted.
        let lost = Capture { name: "a.pcap".into(), key: [0; 4] };
        fs::create_dir(dir.path().join("a.pcap")).unwrap();
        let of = input(dir.path(), Done::Delete, None);
        let (_, mut finished) = open(&of, &CheckpointState::default());
        finished.finish(&lost);
        assert!(finished.forgotten().is_empty());
        assert_eq!(finished.watch.status().counts["captures_left"], 1);
    }
}
