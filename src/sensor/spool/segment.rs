//! The files of a log: their names, and how much of them is intact.

use super::record::{self, Next};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// What each file begins with: its kind and the version of its format.
pub(super) const MAGIC: [u8; 8] = *b"wsspool\x01";

/// The offset of the first record of a segment.
pub(super) const FIRST: u64 = MAGIC.len() as u64;

/// Bytes read at once.
const CHUNK: usize = 256 << 10;

/// A place in the log: before a record, or at the end of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    /// The number of a segment.
    pub segment: u64,
    /// Bytes from its beginning.
    pub offset: u64,
}

/// A segment, as far as it is known to be intact.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    /// Bytes of all segments before it, since the log was opened.
    pub(super) base: u64,
    /// Where its last complete record ends.
    pub(super) end: u64,
    /// Its size on disk, including damaged parts.
    pub(super) length: u64,
    pub(super) records: u64,
}

/// The path of a segment.
pub(super) fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:012}.spool"))
}

/// The numbers of the segments in a folder, sorted. Other files are ignored.
pub(super) fn list(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".spool"));
        let number = number.and_then(|number| number.parse().ok());
        // A number that another name spells as well would be read twice.
        numbers.extend(number.filter(|number| path(folder, *number).ends_with(&name)));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Creates a new segment, which must not exist.
pub(super) fn create(folder: &Path, number: u64) -> io::Result<File> {
    let path = path(folder, number);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    let made = file.write_all_at(&MAGIC, 0).and_then(|()| File::open(folder)?.sync_all());
    if made.is_err() {
        let _ = fs::remove_file(&path);
    }
    made.map(|()| file)
}

/// How much of a file is intact.
pub(super) struct Whole {
    pub(super) end: u64,
    pub(super) length: u64,
    pub(super) records: u64,
}

/// Reads a whole file. One that can't be read has no records.
pub(super) fn check(file: &File) -> Whole {
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let mut reader = Reader::new(file, FIRST, length);
    let mut whole = Whole { end: FIRST.min(length), length, records: 0 };
    if !reader.is_ours() {
        return whole;
    }
    while let Some(()) = reader.record(|_, _| ()) {
        whole.records += 1;
        whole.end = reader.at();
    }
    whole
}

/// Reads the records of a file, one after another.
pub(super) struct Reader<'f> {
    file: &'f File,
    end: u64,
    /// What was read; the part that was not consumed begins at `taken`, which is offset `at` in the
    /// file.
    buffer: Vec<u8>,
    taken: usize,
    at: u64,
}

impl<'f> Reader<'f> {
    /// A reader from an offset up to `end`.
    pub(super) fn new(file: &'f File, at: u64, end: u64) -> Self {
        Reader { file, end, buffer: Vec::new(), taken: 0, at }
    }

    fn is_ours(&self) -> bool {
        let mut magic = [0; MAGIC.len()];
        self.file.read_exact_at(&mut magic, 0).is_ok() && magic == MAGIC
    }

    /// Where the next record begins.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Passes on the next record, with its bytes; `None` at the end, and at an incomplete record.
    pub(super) fn record<T>(
        &mut self,
        take: impl FnOnce(record::RecordRef<'_>, &[u8]) -> T,
    ) -> Option<T> {
        loop {
            let rest = self.buffer.get(self.taken..).unwrap_or_default();
            match record::next(rest) {
                Next::Whole(record, length) => {
                    let value = take(record, &rest[..length]);
                    self.taken += length;
                    self.at += length as u64;
                    return Some(value);
                }
                Next::Bad => return None,
                Next::Short(needed) => self.fill(needed)?,
            }
        }
    }

    /// Reads until `needed` bytes are available; `None` if the file has fewer. It is called at most
    /// twice for a record: for its head, and then for all of it.
    fn fill(&mut self, needed: usize) -> Option<()> {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        let had = self.buffer.len();
        let from = self.at.checked_add(had as u64)?;
        let left = usize::try_from(self.end.checked_sub(from)?).unwrap_or(usize::MAX);
        let more = left.min(CHUNK.max(needed.saturating_sub(had)));
        self.buffer.resize(had + more, 0);
        let mut read = had;
        while read < self.buffer.len() {
            match self.file.read_at(&mut self.buffer[read..], self.at + read as u64) {
                Ok(0) => break,
                Ok(count) => read += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(_) => break,
            }
        }
        self.buffer.truncate(read);
        (read >= needed).then_some(())
    }
}
