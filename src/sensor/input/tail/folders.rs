//! Folders: their contents, and changes in them.
//!
//! Folders are watched, not files: one watch covers all names in it, including future ones, and the
//! limit on watches is rarely reached. A watch is set before a folder is listed, so that nothing is
//! missed in between. Where inotify doesn't work, the folder is listed in every polling round.

use super::key::Found;
use super::notice::Notice;
use super::options::Watch;
use super::patterns::{Parts, Patterns};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirEntryExt as _;
use std::path::{Path, PathBuf};

/// File systems on which remote changes are not visible to the local kernel (statfs(2)): NFS, SMB,
/// CIFS, SMB2, FUSE, Ceph, AFS, Coda, 9P, GFS2, Lustre, VirtualBox.
const REMOTE: [u32; 12] = [
    0x6969,
    0x517b,
    0xff53_4d42,
    0xfe53_4d42,
    0x6573_5546,
    0x00c3_6400,
    0x5346_414f,
    0x7375_7245,
    0x0102_1997,
    0x0116_1970,
    0x0bd0_0bd0,
    0x786f_4256,
];

/// Whether remote changes are only visible by polling, by the magic number of a file system.
pub(super) fn is_remote(magic: u32) -> bool {
    REMOTE.contains(&magic)
}

/// Polling rounds between two checks whether watched folders are still what their paths lead to: a
/// parent folder may have been renamed, which no watch on the folder reports.
const ROUNDS_BETWEEN_CHECKS: u32 = 10;

/// Something that happened in a folder.
#[derive(Debug)]
pub(super) enum FolderEvent {
    /// The complete contents of a folder.
    Listing(PathBuf, Vec<FolderEntry>),
    /// A name that leads to something else now, or a file whose permissions changed; and whether a
    /// pattern matches it.
    Name(PathBuf, bool),
    /// The file was written to; and whether its writer has closed it.
    Written(PathBuf, bool),
    /// The name was removed.
    Gone(PathBuf),
    /// The folder was removed, with all names in it.
    FolderGone(PathBuf),
}

/// An entry of a folder.
#[derive(Debug)]
pub(super) struct FolderEntry {
    pub(super) name: OsString,
    pub(super) inode: u64,
    /// Whether a pattern matches it.
    pub(super) is_taken: bool,
}

#[derive(Debug)]
struct Folder {
    parts: Parts,
    watch: Option<i32>,
    node: (u64, u64),
    /// Whether a link leads here, which may be changed later.
    is_linked: bool,
}

/// All folders that patterns lead to.
#[derive(Debug)]
pub(super) struct Folders {
    patterns: Patterns,
    queue: Option<OwnedFd>,
    folders: BTreeMap<PathBuf, Folder>,
    by_watch: HashMap<i32, PathBuf>,
    round: u32,
    has_reported: bool,
    /// Folders that can't be listed, which was reported.
    unreadable: BTreeSet<PathBuf>,
    pub(super) notices: Vec<Notice>,
}

impl Folders {
    pub(super) fn new(patterns: Patterns, watch: Watch) -> Folders {
        let mut notices = Vec::new();
        let flags = CreateFlags::CLOEXEC | CreateFlags::NONBLOCK;
        let queue = match watch {
            Watch::Poll => None,
            Watch::Notify => inotify::init(flags)
                .map_err(|error| {
                    notices.push(Notice::NotWatched { path: None, error: error.into() })
                })
                .ok(),
        };
        let has_reported = !notices.is_empty();
        Folders {
            patterns,
            queue,
            folders: BTreeMap::new(),
            by_watch: HashMap::new(),
            round: 0,
            has_reported,
            unreadable: BTreeSet::new(),
            notices,
        }
    }

    /// A descriptor that becomes readable when something happens.
    pub(super) fn queue(&self) -> Option<&OwnedFd> {
        self.queue.as_ref()
    }

    /// The numbers of watched and polled folders.
    pub(super) fn counts(&self) -> (usize, usize) {
        let watched = self.folders.values().filter(|folder| folder.watch.is_some()).count();
        (watched, self.folders.len() - watched)
    }

    /// Lists everything from the roots.
    pub(super) fn scan(&mut self, seen: &mut Vec<FolderEvent>) {
        let roots: Vec<_> =
            self.patterns.roots().map(|(path, parts)| (path.to_path_buf(), parts)).collect();
        for (root, parts) in roots {
            self.visit(root, parts, seen);
        }
    }

    /// Runs a polling round.
    pub(super) fn poll(&mut self, seen: &mut Vec<FolderEvent>) {
        self.round = self.round.wrapping_add(1);
        let checks_all = self.round.is_multiple_of(ROUNDS_BETWEEN_CHECKS);
        let due: Vec<PathBuf> = self
            .folders
            .iter()
            .filter(|(_, folder)| folder.watch.is_none() || folder.is_linked || checks_all)
            .map(|(path, _)| path.clone())
            .collect();
        for path in due {
            let Some(folder) = self.folders.get(&path) else { continue };
            match found_folder(&path) {
                Some(node) if node == folder.node => {
                    if folder.watch.is_none() {
                        self.list(&path, seen);
                    }
                }
                _ => {
                    let parts = folder.parts.clone();
                    self.forget(&path, seen);
                    self.visit(path, parts, seen);
                }
            }
        }
        // Roots that don't exist yet, or were replaced.
        let missing: Vec<_> = self
            .patterns
            .roots()
            .filter(|(path, _)| !self.folders.contains_key(*path))
            .map(|(path, parts)| (path.to_path_buf(), parts))
            .collect();
        for (root, parts) in missing {
            self.visit(root, parts, seen);
        }
    }

    /// Starts watching a folder, or matching its entries against more patterns.
    fn visit(&mut self, path: PathBuf, parts: Parts, seen: &mut Vec<FolderEvent>) {
        let mut rest = vec![(path, parts)];
        while let Some((path, parts)) = rest.pop() {
            if let Some(folder) = self.folders.get_mut(&path) {
                let before = folder.parts.len();
                folder.parts.extend(parts);
                if folder.parts.len() == before {
                    continue;
                }
            } else {
                let Some(node) = found_folder(&path) else { continue };
                let real = fs::canonicalize(or_here(&path)).ok();
                let absolute = std::path::absolute(or_here(&path)).ok();
                let watch = self.watch(&path);
                let folder = Folder { parts, watch, node, is_linked: real != absolute };
                self.folders.insert(path.clone(), folder);
            }
            rest.extend(self.read(&path, seen));
        }
    }

    fn list(&mut self, path: &Path, seen: &mut Vec<FolderEvent>) {
        for (path, parts) in self.read(path, seen) {
            self.visit(path, parts, seen);
        }
    }

    /// Sets a watch; if that fails, the folder is polled.
    fn watch(&mut self, path: &Path) -> Option<i32> {
        let queue = self.queue.as_ref()?;
        let magic = rustix::fs::statfs(or_here(path)).map(|found| found.f_type as u32);
        if magic.is_ok_and(is_remote) {
            return None;
        }
        let flags = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVE
            | WatchFlags::MODIFY
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::ATTRIB
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        match inotify::add_watch(queue, or_here(path), flags) {
            // Two paths may lead to one folder, which can only have one watch: the second one is
            // polled.
            Ok(watch) if self.by_watch.contains_key(&watch) => None,
            Ok(watch) => {
                self.by_watch.insert(watch, path.to_path_buf());
                Some(watch)
            }
            Err(error) => {
                if !self.has_reported {
                    let path = Some(path.to_path_buf());
                    self.notices.push(Notice::NotWatched { path, error: error.into() });
                }
                self.has_reported = true;
                None
            }
        }
    }

    /// Reads a folder: its files go to `seen`, and subfolders that matter are returned.
    fn read(&mut self, path: &Path, seen: &mut Vec<FolderEvent>) -> Vec<(PathBuf, Parts)> {
        let Some(folder) = self.folders.get(path) else { return Vec::new() };
        let listed = match fs::read_dir(or_here(path)) {
            Ok(listed) => listed,
            Err(error) => {
                let path = path.to_path_buf();
                if self.unreadable.insert(path.clone()) {
                    self.notices.push(Notice::Unreadable { path, error });
                }
                return Vec::new();
            }
        };
        self.unreadable.remove(path);
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for entry in listed.flatten() {
            let (name, inode) = (entry.file_name(), entry.ino());
            let place = path.join(&name);
            let kind = entry.file_type().ok();
            let is_link = kind.is_some_and(|kind| kind.is_symlink());
            if kind.is_some_and(|kind| kind.is_dir()) || is_link && place.is_dir() {
                let below = self.patterns.below(&folder.parts, &name, is_link);
                if !below.is_empty() {
                    folders.push((place, below));
                }
                continue;
            }
            let is_taken = self.patterns.takes(&folder.parts, &place);
            files.push(FolderEntry { name, inode, is_taken });
        }
        seen.push(FolderEvent::Listing(path.to_path_buf(), files));
        // Removed folders report that themselves, if they are watched.
        folders.retain(|(place, parts)| {
            self.folders.get(place).is_none_or(|known| !known.parts.is_superset(parts))
        });
        folders
    }

    /// A folder is gone or was replaced, with everything below it.
    fn forget(&mut self, path: &Path, seen: &mut Vec<FolderEvent>) {
        let gone: Vec<PathBuf> = self
            .folders
            .range(path.to_path_buf()..)
            .map(|(place, _)| place)
            .take_while(|place| place.starts_with(path))
            .cloned()
            .collect();
        for place in gone {
            if let Some(Folder { watch: Some(watch), .. }) = self.folders.remove(&place) {
                self.by_watch.remove(&watch);
                if let Some(queue) = &self.queue {
                    // These are usually gone together with the folder.
                    let _ = inotify::remove_watch(queue, watch);
                }
            }
            seen.push(FolderEvent::FolderGone(place));
        }
    }

    /// Reads the notifications of inotify; returns whether some were lost, so that everything has
    /// to be checked.
    pub(super) fn take(&mut self, seen: &mut Vec<FolderEvent>) -> bool {
        let mut events = Vec::new();
        let is_lost = match &self.queue {
            Some(queue) => read_queue(queue, &mut events),
            None => false,
        };
        for (watch, flags, name) in events {
            self.handle_event(watch, flags, &name, seen);
        }
        if is_lost {
            let all: Vec<PathBuf> = self.folders.keys().cloned().collect();
            all.iter().for_each(|path| self.list(path, seen));
        }
        is_lost
    }

    fn handle_event(
        &mut self,
        watch: i32,
        flags: ReadFlags,
        name: &OsStr,
        seen: &mut Vec<FolderEvent>,
    ) {
        let Some(folder) = self.by_watch.get(&watch).cloned() else { return };
        let is = |flag: ReadFlags| flags.intersects(flag);
        if is(ReadFlags::DELETE_SELF
            | ReadFlags::MOVE_SELF
            | ReadFlags::IGNORED
            | ReadFlags::UNMOUNT)
        {
            return self.forget(&folder, seen);
        }
        let path = folder.join(name);
        let parts = self.folders.get(&folder).map(|folder| &folder.parts);
        let is_new = is(ReadFlags::CREATE | ReadFlags::MOVED_TO);
        if is(ReadFlags::ISDIR) {
            if is_new {
                let below = parts.map(|parts| self.patterns.below(parts, name, false));
                self.forget(&path, seen);
                self.visit(path, below.unwrap_or_default(), seen);
            } else if is(ReadFlags::MOVED_FROM | ReadFlags::DELETE) {
                self.forget(&path, seen);
            } else if self.folders.contains_key(&path) {
                // Its permissions changed.
                self.list(&path, seen);
            }
            return;
        }
        if is(ReadFlags::MOVED_FROM | ReadFlags::DELETE) {
            // It may have been a link to a folder.
            self.forget(&path, seen);
            seen.push(FolderEvent::Gone(path));
        } else if is_new || is(ReadFlags::ATTRIB) {
            let below = parts.map(|parts| self.patterns.below(parts, name, true));
            let is_taken = parts.is_some_and(|parts| self.patterns.takes(parts, &path));
            if is_new && below.as_ref().is_some_and(|it| !it.is_empty()) && path.is_dir() {
                return self.visit(path, below.unwrap_or_default(), seen);
            }
            seen.push(FolderEvent::Name(path, is_taken));
        } else if is(ReadFlags::MODIFY | ReadFlags::CLOSE_WRITE) {
            seen.push(FolderEvent::Written(path, is(ReadFlags::CLOSE_WRITE)));
        }
    }
}

/// The approximate number of notifications that are read at once. If they are created faster than
/// that, the rest waits for the next look.
const MAX_NOTICES: usize = 64 << 10;

/// Reads the queue; returns whether the kernel had to drop notifications.
fn read_queue(queue: &OwnedFd, events: &mut Vec<(i32, ReadFlags, OsString)>) -> bool {
    let mut buffer = vec![MaybeUninit::uninit(); 16 << 10];
    let mut reader = inotify::Reader::new(queue, &mut buffer);
    let mut is_lost = false;
    while events.len() < MAX_NOTICES || !reader.is_buffer_empty() {
        match reader.next() {
            Ok(event) => {
                is_lost |= event.events().contains(ReadFlags::QUEUE_OVERFLOW);
                let name = event.file_name().map(|name| name.to_bytes()).unwrap_or_default();
                events.push((event.wd(), event.events(), OsStr::from_bytes(name).to_owned()));
            }
            Err(Errno::INTR) => {}
            Err(_) => break,
        }
    }
    is_lost
}

/// The node that a path leads to, if it is a folder.
fn found_folder(path: &Path) -> Option<(u64, u64)> {
    let found = Found::at(or_here(path)).ok()?;
    found.is_folder.then(|| found.key.node())
}

/// The folder that a path means; an empty path is the current folder.
fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_of_others_are_polled() {
        assert!(is_remote(rustix::fs::NFS_SUPER_MAGIC as u32) && is_remote(0xff53_4d42));
        for path in ["/", "/proc", "/tmp"] {
            let magic = rustix::fs::statfs(path).unwrap().f_type as u32;
            assert!(!is_remote(magic) || magic == 0x6573_5546, "{path}: {magic:x}");
        }
    }
}
