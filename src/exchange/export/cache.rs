//! Exports as files, made once for each state of what they are of.
//!
//! Next to each file lies a description: the state of the selection that it was made from, its
//! tag, and when the first of its indicators expires. While they hold, a request reads the
//! description and nothing else. The tag follows from the content, so that several processes
//! give the same. Files are written under another name and renamed; lock files keep two processes
//! from making the same file, and all of them from making many at the same time.

use super::sorted::differences;
use crate::clock::Stopwatch;
use crate::engine::error::{Error, Result};
use crate::engine::indicator::Timestamp;
use crate::exchange::storage::Mark;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use xxhash_rust::xxh3::Xxh3;

/// How long former files are kept, from which others can tell what has changed.
const KEEP: Duration = Duration::from_secs(48 * 3600);

/// The most bytes of all files; the oldest go first.
const MAX_BYTES: u64 = 4 << 30;

/// An export that took longer than this, in microseconds, is not made again at once.
const QUICK: i64 = 200_000;

/// How many times as long as it took to make it, a slow export is good although something was
/// added.
const REST: i64 = 10;

/// Exports that are made at the same time: each holds a reader of the storage.
const SLOTS: u8 = 4;

/// An export that is there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The last stamp of the storage at which it was known to be right.
    stamp: i64,
    /// The state of the selection.
    mark: [i64; 3],
    /// When the first of its indicators expires; microseconds, or the end of time.
    until: i64,
    /// When it was made, and how long that took; microseconds.
    built: i64,
    cost: i64,
    /// Its tag, without quotes.
    pub(super) tag: String,
    /// When the selection last changed; microseconds.
    pub(super) modified: i64,
    /// The size of the file.
    pub(super) size: u64,
    /// The size of the compressed file; 0 if there is none.
    pub(super) packed: u64,
}

impl Entry {
    /// Whether it is too new to be made again, although something has changed. If there are fewer
    /// pulses or other subscriptions, somebody may see less than before, and it is made at once.
    fn is_fresh(&self, state: &State) -> bool {
        let [count, _, membership] = numbers(&state.mark);
        let age = state.now.0.saturating_sub(self.built);
        self.cost > QUICK
            && age < self.cost.saturating_mul(REST)
            && count >= self.mark[0]
            && membership == self.mark[2]
    }
}

/// The state that an export is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) stamp: i64,
    pub(super) mark: Mark,
    pub(super) now: Timestamp,
}

/// The files of one export.
pub(super) struct Cache {
    directory: PathBuf,
    key: String,
}

impl Cache {
    /// The files of the export with this name. What distinguishes exports is part of the name.
    pub(super) fn new(directory: &Path, name: &str) -> Cache {
        let key = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(name.as_bytes()));
        Cache { directory: directory.to_path_buf(), key }
    }

    fn path(&self, ending: &str) -> PathBuf {
        self.directory.join(format!("{}.{ending}", self.key))
    }

    /// The file with a tag.
    pub(super) fn file(&self, tag: &str) -> PathBuf {
        self.path(&format!("{tag}.data"))
    }

    /// The compressed file with a tag.
    pub(super) fn packed(&self, tag: &str) -> PathBuf {
        self.path(&format!("{tag}.gz"))
    }

    /// The description, if there is a valid one.
    fn entry(&self) -> Option<Entry> {
        let text = fs::read(self.path("json")).ok()?;
        let entry: Entry = serde_json::from_slice(&text).ok()?;
        self.file(&entry.tag).exists().then_some(entry)
    }

    /// The export, if nothing at all has changed in the storage.
    pub(super) fn untouched(&self, stamp: i64, now: Timestamp) -> Option<Entry> {
        self.entry().filter(|entry| entry.stamp == stamp && now.0 < entry.until)
    }

    /// The export, if it is right.
    pub(super) fn current(&self, state: &State) -> Option<Entry> {
        let mut entry = self.entry()?;
        if state.now.0 >= entry.until {
            return None;
        }
        if entry.mark != numbers(&state.mark) {
            return entry.is_fresh(state).then_some(entry);
        }
        if entry.stamp != state.stamp {
            entry.stamp = state.stamp;
            // If it can't be written, the next request finds out again.
            let _ = self.describe(&entry);
        }
        Some(entry)
    }

    /// Waits for a turn to make it. The turn ends when the answer is dropped.
    pub(super) fn lock(&self) -> Result<File> {
        let failed = |what: &'static str| move |error| Error::io(what, error);
        fs::create_dir_all(&self.directory).map_err(failed("create the directory of exports"))?;
        let slot = self.key.bytes().fold(0_u8, u8::wrapping_add) % SLOTS;
        let path = self.directory.join(format!("slot-{slot}.lock"));
        let lock = File::create(path).map_err(failed("create a lock"))?;
        lock.lock().map_err(failed("lock an export"))?;
        Ok(lock)
    }

    /// The export; `make` writes it to a path and answers when its first indicator expires. The
    /// caller has the turn.
    pub(super) fn get(
        &self,
        state: &State,
        make: impl FnOnce(&Path) -> Result<Timestamp>,
    ) -> Result<Entry> {
        let failed = |what: &'static str| move |error| Error::io(what, error);
        // Somebody else may have made it in the meantime.
        if let Some(entry) = self.current(state) {
            return Ok(entry);
        }
        let draft = tempfile::Builder::new()
            .prefix("new-")
            .tempdir_in(&self.directory)
            .map_err(failed("create a directory"))?;
        let new = draft.path().join("export");
        let watch = Stopwatch::start();
        let until = make(&new)?;
        let cost = i64::try_from(watch.elapsed().as_micros()).unwrap_or(i64::MAX);
        let (tag, size) = tag_of(&new)?;
        self.retire(&new, &tag);
        // A description must never be of a file that a crash has emptied.
        File::open(&new).and_then(|file| file.sync_all()).map_err(failed("sync an export"))?;
        let published =
            tempfile::TempPath::try_from_path(&new).map_err(failed("publish an export"))?;
        published
            .persist(self.file(&tag))
            .map_err(|error| Error::io("publish an export", error.error))?;
        let modified = state.mark.modified.max(state.mark.membership);
        let (stamp, mark) = (state.stamp, numbers(&state.mark));
        let (built, until) = (state.now.0, until.0);
        let entry = Entry { stamp, mark, until, built, cost, tag, modified, size, packed: 0 };
        self.describe(&entry)?;
        self.tidy(&entry.tag);
        Ok(entry)
    }

    /// The export with its compressed file, made when the first client wants it: many never do.
    pub(super) fn with_packed(&self, entry: Entry) -> Result<Entry> {
        if entry.packed > 0 {
            return Ok(entry);
        }
        let _turn = self.lock()?;
        // Somebody else may have done it, or made another export.
        if let Some(known) = self.entry().filter(|known| known.tag != entry.tag || known.packed > 0)
        {
            return Ok(if known.tag == entry.tag { known } else { entry });
        }
        let packed = self.pack(&self.file(&entry.tag), &entry.tag)?;
        let entry = Entry { packed, ..entry };
        self.describe(&entry)?;
        Ok(entry)
    }

    /// Gives the file that is replaced the time of the new one: it is kept from now on.
    fn retire(&self, new: &Path, tag: &str) {
        let Some(old) = self.entry().filter(|old| old.tag != tag) else { return };
        let time = fs::metadata(new).and_then(|new| new.modified());
        let old = File::options().write(true).open(self.file(&old.tag));
        if let (Ok(time), Ok(old)) = (time, old) {
            // Otherwise it is kept for a shorter time.
            let _ = old.set_modified(time);
        }
    }

    fn describe(&self, entry: &Entry) -> Result<()> {
        let failed = |error| Error::io("describe an export", error);
        let text = serde_json::to_vec(entry).map_err(|error| failed(error.into()))?;
        let mut file = tempfile::NamedTempFile::new_in(&self.directory).map_err(failed)?;
        file.write_all(&text).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
        file.persist(self.path("json")).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Writes the compressed file. Returns its size.
    fn pack(&self, from: &Path, tag: &str) -> Result<u64> {
        let failed = |error| Error::io("compress an export", error);
        let target = tempfile::NamedTempFile::new_in(&self.directory).map_err(failed)?;
        let level = flate2::Compression::fast();
        let mut packer = flate2::write::GzEncoder::new(BufWriter::new(target), level);
        let mut from = File::open(from).map_err(failed)?;
        std::io::copy(&mut from, &mut packer).map_err(failed)?;
        let target = packer.finish().map_err(failed)?;
        let target = target.into_inner().map_err(|error| failed(error.into_error()))?;
        let size = target.as_file().metadata().map_err(failed)?.len();
        target.persist(self.packed(tag)).map_err(|error| failed(error.error))?;
        Ok(size)
    }

    /// Removes files of this export that are too old, and the oldest of all if there are too
    /// many. What cannot be removed stays.
    fn tidy(&self, current: &str) {
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_file() {
                let age = meta.modified().ok().and_then(|time| time.elapsed().ok());
                all.push((age.unwrap_or_default(), meta.len(), entry.path()));
            }
        }
        let name =
            |path: &Path| path.file_name().and_then(|name| name.to_str()).unwrap_or("").to_string();
        let is_current = |path: &Path| name(path).starts_with(&format!("{}.{current}.", self.key));
        all.sort();
        let mut bytes = 0;
        for (age, length, path) in all {
            bytes += length;
            let name = name(&path);
            let is_former = name.ends_with(".gz") || age > KEEP;
            let is_own = name.starts_with(&format!("{}.", self.key));
            // A description without its file means nothing, and is small.
            let is_kept = name.ends_with(".lock") || name.ends_with(".json") && age < KEEP * 15;
            if !is_current(&path) && !is_kept && (is_own && is_former || bytes > MAX_BYTES) {
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Writes what has changed since the file with the tag `since`: lines with `+` and `-`
    /// before them. `false`: that file is gone.
    pub(super) fn delta(&self, since: &str, entry: &Entry, out: &mut dyn Write) -> Result<bool> {
        let is_tag = since.len() == 32 && since.bytes().all(|byte| byte.is_ascii_hexdigit());
        let open = |tag: &str| File::open(self.file(tag)).map(BufReader::new);
        let (true, Ok(old)) = (is_tag, open(since)) else { return Ok(false) };
        let new = open(&entry.tag).map_err(|error| Error::io("open an export", error))?;
        differences(old, new, &mut |is_new, line| {
            // Comments are no values.
            if line.starts_with(b"#") {
                return Ok(());
            }
            let sign = if is_new { b"+" } else { b"-" };
            [&sign[..], line, b"\n"]
                .into_iter()
                .try_for_each(|part| out.write_all(part))
                .map_err(|error| Error::io("write the changes", error))
        })?;
        Ok(true)
    }
}

fn numbers(mark: &Mark) -> [i64; 3] {
    [i64::try_from(mark.count).unwrap_or(i64::MAX), mark.modified, mark.membership]
}

/// The digest of a file, and its size.
fn tag_of(path: &Path) -> Result<(String, u64)> {
    let failed = |error| Error::io("read an export", error).at_path(path);
    let mut file = File::open(path).map_err(failed)?;
    let (mut hash, mut size, mut block) = (Xxh3::new(), 0, vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut block).map_err(failed)?;
        if read == 0 {
            return Ok((format!("{:032x}", hash.digest128()), size));
        }
        hash.update(&block[..read]);
        size += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_once_for_each_state() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path(), "user 1 list");
        let mark = |modified| Mark { count: 1, modified, membership: 0 };
        let state =
            |stamp, modified, now| State { stamp, mark: mark(modified), now: Timestamp(now) };
        let make = |text: &'static str| {
            move |path: &Path| {
                fs::write(path, text).unwrap();
                Ok(Timestamp(100))
            }
        };
        let never = |_: &Path| panic!("it is there");
        let first = cache.get(&state(1, 1, 10), make("# x\na\nb\n")).unwrap();
        assert!(first.packed == 0 && !cache.packed(&first.tag).exists());
        let packed = cache.with_packed(first.clone()).unwrap();
        assert!(packed.packed > 0 && cache.packed(&first.tag).exists());
        assert_eq!(cache.untouched(1, Timestamp(11)).unwrap().packed, packed.packed);
        // The same, also after a change elsewhere.
        assert!(cache.untouched(1, Timestamp(11)).is_some());
        assert!(cache.untouched(2, Timestamp(11)).is_none());
        assert_eq!(cache.get(&state(2, 1, 11), never).unwrap().tag, first.tag);
        assert!(cache.untouched(2, Timestamp(11)).is_some());
        // An indicator expired, but the file is the same.
        assert!(cache.untouched(2, Timestamp(100)).is_none());
        let again = cache.get(&state(2, 1, 100), make("# x\na\nb\n")).unwrap();
        assert_eq!(again.tag, first.tag);
        // One that took long is not made again at once, unless something is to be hidden.
        let slow = Entry { cost: 1_000_000, built: 0, ..again };
        assert!(slow.is_fresh(&state(3, 2, 9_000_000)));
        assert!(!slow.is_fresh(&state(3, 2, 10_000_000)));
        let hidden = State { mark: Mark { count: 0, ..mark(2) }, ..state(3, 2, 1) };
        assert!(!slow.is_fresh(&hidden));
        // Another state.
        let second = cache.get(&state(3, 2, 50), make("# y\nb\nc\n")).unwrap();
        assert_ne!(second.tag, first.tag);
        let mut out = Vec::new();
        assert!(cache.delta(&first.tag, &second, &mut out).unwrap());
        assert_eq!(String::from_utf8(out).unwrap(), "-a\n+c\n");
        for gone in ["", "../../etc/passwd", &"0".repeat(32)] {
            assert!(!cache.delta(gone, &second, &mut Vec::new()).unwrap(), "{gone}");
        }
        assert!(!cache.packed(&first.tag).exists());
    }
}
