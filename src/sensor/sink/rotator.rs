//! A file that is rotated when it is large or old enough, and compressed.
//!
//! `alerts.json` becomes `alerts.json-20261129T120000`, and then `alerts.json-20261129T120000.gz`.
//! Compression runs on a separate thread, so writing doesn't wait for it. A file that is not
//! compressed when the program ends is compressed at the next start. Names sort by time, and the
//! oldest files are removed.
//!
//! Rotation is never automatic: a caller that commits the length of the file first commits it under
//! the file's old name, and then calls [`Rotator::rotate`].

use crate::engine::files::Outlet;
use crate::engine::indicator::Timestamp;
use crate::{Error, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// Digits and a letter of `20261129T120000`.
const STAMP: usize = 15;

/// When a file is rotated, and how many rotated files are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Rotate from this size on.
    pub max_bytes: Option<u64>,
    /// Rotate from this age on.
    pub max_age: Option<Duration>,
    /// How many rotated files are kept; `None` for all.
    pub keep: Option<usize>,
    /// Whether rotated files are compressed.
    pub gzip: bool,
}

/// Rotates a file, whichever sink writes to it.
#[derive(Debug)]
pub struct Rotator {
    /// The final target of the path.
    path: PathBuf,
    rotation: Rotation,
    since: Timestamp,
    packer: Sender<PathBuf>,
    failures: Arc<AtomicU64>,
}

impl Rotator {
    /// For the file at a path. Files that an earlier run rotated and did not compress are
    /// compressed now.
    ///
    /// # Errors
    ///
    /// If the path leads to a stream, or the thread can't be started.
    pub fn new(path: impl AsRef<Path>, rotation: Rotation, now: Timestamp) -> Result<Self> {
        let given = path.as_ref();
        let failed = |error| Error::io("open the file to rotate", error).at_path(given);
        let Outlet::File(path) = Outlet::of(given).map_err(failed)? else {
            return Err(Error::usage("a stream cannot be rotated")
                .at_path(given)
                .remedy("remove rotate_size and rotate_age"));
        };
        let since = born(&path).unwrap_or(now);
        let failures = Arc::new(AtomicU64::new(0));
        let (packer, paths) = channel();
        let files = Siblings { path: path.clone(), rotation, failures: Arc::clone(&failures) };
        for left in files.list() {
            // There is a receiver: the thread starts below.
            let _ = packer.send(left);
        }
        let work = move || files.work(&paths);
        thread::Builder::new().name("pack files".into()).spawn(work).map_err(failed)?;
        Ok(Rotator { path, rotation, since, packer, failures })
    }

    /// Whether the file is large or old enough. An empty file never is.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let length = fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        let age = u64::try_from(now.0.saturating_sub(self.since.0)).unwrap_or(0);
        let is_old = |max: Duration| u128::from(age) >= max.as_micros();
        length > 0
            && (self.rotation.max_bytes.is_some_and(|max| length >= max)
                || self.rotation.max_age.is_some_and(is_old))
    }

    /// Renames the file, and has `open` create a new one in its place; returns the new path of the
    /// old file.
    ///
    /// # Errors
    ///
    /// If the file can't be renamed or `open` fails: the file then has its old name.
    pub fn rotate(&mut self, now: Timestamp, open: impl FnOnce() -> Result<()>) -> Result<PathBuf> {
        let rotated = free_name(&self.path, now);
        rename(&self.path, &rotated).map_err(|e| Error::io("rename", e).at_path(&self.path))?;
        if let Err(error) = open() {
            if !self.path.exists() {
                let _ = rename(&rotated, &self.path);
            }
            return Err(error);
        }
        self.since = now;
        // If the thread is gone, it is compressed at the next start.
        let _ = self.packer.send(rotated.clone());
        Ok(rotated)
    }

    /// Files that could not be compressed or removed.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}

/// When a file was created, if the system knows.
fn born(path: &Path) -> Option<Timestamp> {
    let created = fs::metadata(path).ok()?.created().ok()?;
    let since = created.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp(i64::try_from(since.as_micros()).ok()?))
}

#[expect(clippy::disallowed_methods, reason = "the file is complete: only its name changes")]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// An unused name next to a path: `-20261129T120000`, with `-1` and so on appended if there are
/// several in a second.
fn free_name(path: &Path, now: Timestamp) -> PathBuf {
    let time = jiff::Timestamp::from_microsecond(now.0).unwrap_or_default();
    let stamp = time.strftime("-%Y%m%dT%H%M%S").to_string();
    let mut name = with_suffix(path, &stamp);
    let mut number = 0;
    while name.exists() || with_suffix(&name, ".gz").exists() {
        number += 1;
        name = with_suffix(path, &format!("{stamp}-{number}"));
    }
    name
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// The rotated files.
struct Siblings {
    path: PathBuf,
    rotation: Rotation,
    failures: Arc<AtomicU64>,
}

impl Siblings {
    /// All rotated files, the oldest first.
    fn list(&self) -> Vec<PathBuf> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let Ok(entries) = fs::read_dir(folder.unwrap_or(Path::new("."))) else { return Vec::new() };
        let Some(stem) = self.path.file_name() else { return Vec::new() };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut found: Vec<((Vec<u8>, u64), PathBuf)> = paths
            .filter_map(|path| {
                let name = path.file_name()?.as_bytes();
                let age = suffix(name.strip_prefix(stem.as_bytes())?)?;
                Some((age, path))
            })
            .collect();
        found.sort();
        found.into_iter().map(|(_, path)| path).collect()
    }

    /// Compresses the files that arrive, until the channel is closed.
    fn work(&self, paths: &Receiver<PathBuf>) {
        for path in paths {
            let is_packed = path.extension().is_some_and(|extension| extension == "gz");
            if self.rotation.gzip && !is_packed && pack(&path).is_err() {
                self.failures.fetch_add(1, Ordering::Relaxed);
            }
            self.remove_oldest();
        }
    }

    fn remove_oldest(&self) {
        let Some(keep) = self.rotation.keep else { return };
        let all = self.list();
        for path in all.iter().take(all.len().saturating_sub(keep)) {
            if fs::remove_file(path).is_err() {
                self.failures.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Time and number of what [`free_name`] and [`pack`] add to a name: nothing else in the folder is
/// touched.
fn suffix(suffix: &[u8]) -> Option<(Vec<u8>, u64)> {
    let suffix = suffix.strip_suffix(b".gz").unwrap_or(suffix);
    let (stamp, number) = suffix.strip_prefix(b"-")?.split_at_checked(STAMP)?;
    let is_stamp = stamp.iter().enumerate().all(|(at, byte)| match at {
        8 => *byte == b'T',
        _ => byte.is_ascii_digit(),
    });
    let number = match number {
        b"" => 0,
        _ => std::str::from_utf8(number.strip_prefix(b"-")?).ok()?.parse().ok()?,
    };
    is_stamp.then(|| (stamp.to_vec(), number))
}

/// Compresses a file, and removes it once the compressed file is on disk.
fn pack(path: &Path) -> io::Result<()> {
    let mut plain = match File::open(path) {
        // Another process has already done it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    let part = with_suffix(path, ".gz.part");
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(&part)?;
    file.set_permissions(plain.metadata()?.permissions())?;
    let mut packer = GzEncoder::new(file, Compression::default());
    let packed = io::copy(&mut plain, &mut packer)
        .and_then(|_| packer.finish())
        .and_then(|file| file.sync_all())
        .and_then(|()| rename(&part, &with_suffix(path, ".gz")));
    if packed.is_err() {
        let _ = fs::remove_file(&part);
    }
    packed.and_then(|()| fs::remove_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::MultiGzDecoder;
    use std::io::Read as _;

    const NOW: Timestamp = Timestamp(1_795_953_600_000_000);

    fn write(path: &Path, text: &str) -> Result<()> {
        fs::write(path, text).map_err(|e| Error::io("write", e))
    }

    fn rotation() -> Rotation {
        Rotation { max_bytes: Some(8), max_age: None, keep: Some(2), gzip: true }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Waits for the thread.
    fn until(what: impl Fn() -> bool) {
        for _ in 0..2000 {
            if what() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("unexpected call");
    }

    #[test]
    fn files_are_rotated_compressed_and_the_oldest_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.json");
        fs::write(folder.path().join("alerts.json-notes"), "mine").unwrap();
        let empty = || write(&path, "");
        empty().unwrap();
        let mut rotator = Rotator::new(&path, rotation(), NOW).unwrap();
        for number in 0..4 {
            assert!(!rotator.is_due(NOW));
            fs::write(&path, format!("record {number}\nend\n")).unwrap();
            assert!(rotator.is_due(NOW));
            rotator.rotate(NOW, empty).unwrap();
        }
        let want = [
            "alerts.json",
            "alerts.json-20261129T120000-2.gz",
            "alerts.json-20261129T120000-3.gz",
            "alerts.json-notes",
        ];
        until(|| names(folder.path()) == want);
        let mut text = String::new();
        let packed = File::open(folder.path().join(want[2])).unwrap();
        MultiGzDecoder::new(packed).read_to_string(&mut text).unwrap();
        assert_eq!(text, "record 3\nend\n");
        assert_eq!(rotator.failures(), 0);
    }

    #[test]
    fn age_counts_and_what_a_crash_left_is_packed_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.json");
        fs::write(folder.path().join("alerts.json-20261128T120000"), "old\n").unwrap();
        fs::write(folder.path().join("alerts.json-20261128T120000.gz.part"), "half").unwrap();
        let day = Duration::from_secs(86_400);
        let rotation = Rotation { max_bytes: None, max_age: Some(day), keep: None, gzip: true };
        let far = Timestamp(NOW.0 * 2);
        fs::write(&path, "").unwrap();
        let mut file = Rotator::new(&path, rotation, NOW).unwrap();
        assert!(!file.is_due(far), "an empty file stays");
        fs::write(&path, "x\n").unwrap();
        assert!(file.is_due(far));
        let refused = file.rotate(far, || Err(Error::usage("no")));
        assert!(refused.is_err() && fs::read(&path).unwrap() == b"x\n", "it has its old name");
        let rotated = file.rotate(far, || write(&path, "begin\n")).unwrap();
        assert!(!file.is_due(Timestamp(far.0 + 1_000_000)));
        assert_eq!(fs::read(&path).unwrap(), b"begin\n");
        let (old, new) = ("alerts.json-20261128T120000.gz", with_suffix(&rotated, ".gz"));
        until(|| {
            names(folder.path()).len() == 3 && new.exists() && folder.path().join(old).exists()
        });
    }

    #[test]
    fn links_stay_and_streams_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (link, path) = (folder.path().join("link"), folder.path().join("alerts"));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let rotation = Rotation { gzip: false, ..rotation() };
        fs::write(&link, "one\n").unwrap();
        let mut file = Rotator::new(&link, rotation, NOW).unwrap();
        let rotated = file.rotate(NOW, || write(&link, "two\n")).unwrap();
        assert_eq!(fs::read(&link).unwrap(), b"two\n");
        assert_eq!(fs::read(rotated).unwrap(), b"one\n");
        for stream in ["/dev/null", "-"] {
            let Err(error) = Rotator::new(stream, rotation, NOW) else { panic!("{stream}") };
            assert!(error.to_string().contains("rotated"), "{error}");
        }
    }
}
