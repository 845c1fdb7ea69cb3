//! Identifies the file that a name leads to: device, inode, and inode generation.
//!
//! Inodes are reused within milliseconds. ext4, XFS and Btrfs count how often, and tmpfs draws a
//! random number; `FS_IOC_GETVERSION` would read this generation, but neither std nor rustix has a
//! safe call for it, and it fails on tmpfs and overlay. The kernel prints the same number
//! elsewhere: `/proc/self/fdinfo` of an inotify descriptor lists the *file handle* of a watched
//! file (proc_pid_fdinfo(5)), which contains inode and generation in a form that depends on the
//! file system. So the file is watched for a moment, through its own descriptor, and the handle is
//! read. Where that isn't possible (old kernels, no `/proc`), the birth time is used instead, with
//! the resolution of a clock tick.

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::fs::{AtFlags, CWD, Statx, StatxFlags, makedev, statx};
use rustix::io::Errno;
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

/// What identifies a file, whatever its names, also over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The device that holds the file.
    pub device: u64,
    /// Its inode there.
    pub inode: u64,
    /// A hash of the file's handle, which contains the generation of its inode; `None` if the
    /// system doesn't report it.
    pub generation: Option<u64>,
    /// When the file was created, in nanoseconds since 1970; `None` if the system doesn't report
    /// it.
    pub born: Option<i64>,
}

impl Key {
    /// Whether both identify the same file. Unknown parts are ignored.
    pub fn is_same(&self, other: &Key) -> bool {
        let known = |a: Option<u64>, b: Option<u64>| a.zip(b).map(|(a, b)| a == b);
        self.node() == other.node()
            && known(self.generation, other.generation)
                .or_else(|| self.born.zip(other.born).map(|(a, b)| a == b))
                .unwrap_or(true)
    }

    /// Device and inode, which are not reused while the file is held open.
    pub(super) fn node(&self) -> (u64, u64) {
        (self.device, self.inode)
    }

    /// The key of an open file.
    ///
    /// # Errors
    ///
    /// If the system can't examine the file.
    pub fn of(file: &File) -> io::Result<Key> {
        Ok(Keys::new().of(file)?.key)
    }
}

/// What the system reports about a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) key: Key,
    pub(super) size: u64,
    /// The last change, in nanoseconds since 1970.
    pub(super) modified: i64,
    pub(super) is_file: bool,
    pub(super) is_folder: bool,
}

const MODE_TYPE: u16 = 0o170_000;
const MODE_FILE: u16 = 0o100_000;
const MODE_FOLDER: u16 = 0o040_000;

impl Found {
    fn of(found: &Statx) -> Found {
        let nanos = |time: &rustix::fs::StatxTimestamp| {
            time.tv_sec.saturating_mul(1_000_000_000).saturating_add(i64::from(time.tv_nsec))
        };
        let has_birth = found.stx_mask & StatxFlags::BTIME.bits() != 0;
        Found {
            key: Key {
                device: makedev(found.stx_dev_major, found.stx_dev_minor),
                inode: found.stx_ino,
                generation: None,
                born: has_birth.then(|| nanos(&found.stx_btime)),
            },
            size: found.stx_size,
            modified: nanos(&found.stx_mtime),
            is_file: found.stx_mode & MODE_TYPE == MODE_FILE,
            is_folder: found.stx_mode & MODE_TYPE == MODE_FOLDER,
        }
    }

    /// The file that a path leads to.
    pub(super) fn at(path: &Path) -> io::Result<Found> {
        let flags = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
        Ok(Found::of(&statx(CWD, path, AtFlags::empty(), flags)?))
    }

    /// The file that a descriptor leads to, without its generation.
    pub(super) fn of_open(file: impl AsFd) -> io::Result<Found> {
        let flags = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
        Ok(Found::of(&statx(file, "", AtFlags::EMPTY_PATH, flags)?))
    }
}

/// Reads keys of open files. It is shared by many files, because creating the descriptor is
/// expensive.
#[derive(Debug)]
pub(super) struct Keys {
    probe: Option<OwnedFd>,
}

impl Keys {
    pub(super) fn new() -> Keys {
        Keys { probe: inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok() }
    }

    /// Examines an open file, including its generation if the system reports it.
    pub(super) fn of(&self, file: &File) -> io::Result<Found> {
        let mut found = Found::of_open(file)?;
        found.key.generation = self.generation(file);
        Ok(found)
    }

    fn generation(&self, file: &File) -> Option<u64> {
        let probe = self.probe.as_ref()?;
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let watch = inotify::add_watch(probe, path, WatchFlags::DELETE_SELF).ok()?;
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", probe.as_raw_fd()));
        // Removing the watch adds a notification to the queue of this descriptor.
        let _ = inotify::remove_watch(probe, watch);
        drain(probe);
        handle_of(&info.ok()?, watch)
    }
}

/// Drains the queue of an inotify descriptor.
fn drain(probe: &OwnedFd) {
    let mut buffer = [MaybeUninit::uninit(); 512];
    let mut reader = inotify::Reader::new(probe, &mut buffer);
    loop {
        match reader.next() {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

/// The hash of the handle in the line of a watch:
/// `inotify wd:1 ino:… sdev:… mask:… ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:…`.
fn handle_of(info: &str, watch: i32) -> Option<u64> {
    let mut begin = String::new();
    // Writing to a String can't fail.
    let _ = write!(begin, "inotify wd:{watch:x} ");
    let line = info.lines().find(|line| line.starts_with(&begin))?;
    let kind = line.split_once("fhandle-type:")?.1.split(' ').next()?;
    let handle = line.split_once("f_handle:")?.1.trim();
    (!handle.is_empty()).then(|| xxh3_64(format!("{kind} {handle}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn an_inode_that_is_used_again_is_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, keys) = (folder.path().join("x"), Keys::new());
        let mut seen: Vec<Key> = Vec::new();
        for _ in 0..20 {
            let file = File::create(&path).unwrap();
            let key = keys.of(&file).unwrap().key;
            assert_eq!(key, keys.of(&file).unwrap().key, "it stays what it is");
            assert!(Found::at(&path).unwrap().key.is_same(&key), "by name, without generation");
            drop(file);
            fs::remove_file(&path).unwrap();
            assert!(!seen.iter().any(|other| other.is_same(&key)), "{key:?} in {seen:?}");
            assert!(key.generation.is_some() || cfg!(not(target_os = "linux")));
            seen.push(key);
        }
    }

    #[test]
    fn the_handle_is_that_of_the_watch() {
        let info = "pos:\t0\nflags:\t02004000\n\
            inotify wd:1 ino:1 sdev:1 mask:400 ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:aa\n\
            inotify wd:1f ino:2 sdev:1 mask:400 ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:bb\n";
        assert_eq!(handle_of(info, 31), Some(xxh3_64(b"1 bb")));
        assert_ne!(handle_of(info, 1), handle_of(info, 31));
        assert_eq!(handle_of(info, 2), None);
        assert_eq!(handle_of("inotify wd:1 ino:1 sdev:1 mask:400 ignored_mask:0 \n", 1), None);
        assert_eq!(handle_of("inotify wd:1 fhandle-type:1 f_handle:\n", 1), None);
    }

    #[test]
    fn what_is_not_known_does_not_count() {
        let key = Key { device: 1, inode: 2, generation: Some(3), born: Some(4) };
        assert!(key.is_same(&Key { generation: None, ..key }));
        assert!(key.is_same(&Key { generation: None, born: None, ..key }));
        assert!(!key.is_same(&Key { generation: None, born: Some(5), ..key }));
        assert!(!key.is_same(&Key { generation: Some(5), ..key }));
        assert!(!key.is_same(&Key { inode: 5, ..key }));
        // After restoring a snapshot the birth time differs, and the generation decides.
        assert!(key.is_same(&Key { born: Some(5), ..key }));
    }
}
