//! The folder of a ledger.

use super::index::{LedgerIndex, LedgerSegment, file_name, is_name};
use super::reader::Ledger;
use crate::engine::indicator::Timestamp;
use crate::engine::segment::{Segment, SegmentSummary, SegmentWriter};
use crate::intel::store::disk::{self, Durable, PART};
use crate::{Error, ErrorKind, Result};
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// How often to read again what another process changed in between.
const TRIES: usize = 4;

/// The size limit for reading an index.
const MAX_INDEX: u64 = 16 << 20;

/// The folder of a ledger, which may not exist yet.
#[derive(Clone, Debug)]
pub struct LedgerDir {
    folder: PathBuf,
}

impl LedgerDir {
    /// The ledger of the feed with this folder.
    pub(in crate::intel::store) fn of_feed(folder: &Path) -> Self {
        LedgerDir { folder: folder.join("ledger") }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The index; `None` if there is no ledger.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is damaged.
    pub fn index(&self) -> Result<Option<LedgerIndex>> {
        let path = self.index_path();
        if fs::metadata(&path).is_ok_and(|it| it.len() > MAX_INDEX) {
            return Err(
                Error::format("the index is too large: wiresift did not write it").at_path(path)
            );
        }
        let bytes = disk::read(&path)?;
        bytes.map(|bytes| LedgerIndex::parse(&bytes)).transpose().map_err(|e| e.at_path(path))
    }

    /// Opens the ledger for reading; `None` if there is none. `seen` is the last fetch that found
    /// the feed unchanged since the last recorded change, if there was one.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is damaged.
    pub fn open(&self, seen: Option<Timestamp>) -> Result<Option<Ledger>> {
        let mut tries = 0;
        loop {
            tries += 1;
            let Some(index) = self.index()? else { return Ok(None) };
            match self.segments(&index) {
                Ok(segments) => return Ok(Some(Ledger::new(index, segments, seen))),
                // An update may have merged the segments in between.
                Err(_) if tries < TRIES && self.index()?.as_ref() != Some(&index) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Opens the segments of an index.
    pub(super) fn segments(&self, index: &LedgerIndex) -> Result<Vec<Segment>> {
        let open = |of: &LedgerSegment| {
            let path = self.folder.join(&of.file);
            let missing = || Error::format("the segment is missing").at_path(&path);
            let segment = Segment::open(&path).map_err(|error| {
                let kind = error.io_error().map(std::io::Error::kind);
                if kind == Some(std::io::ErrorKind::NotFound) { missing() } else { error }
            })?;
            if segment.rows() != of.rows || segment.length() != of.length {
                return Err(Error::format("the segment is not the one in the index").at_path(&path));
            }
            Ok(segment)
        };
        index.segments.iter().map(open).collect()
    }

    /// Creates the folder.
    pub(super) fn make(&self) -> Result<()> {
        disk::make_folder(&self.folder)
    }

    /// Writes a segment that `fill` fills, and names it after its contents. It is on disk when
    /// this returns.
    pub(super) fn write(
        &self,
        expected: u64,
        fill: impl FnOnce(&mut SegmentWriter<BufWriter<&File>>) -> Result<()>,
    ) -> Result<LedgerSegment> {
        let fail = |e| Error::io("write a segment", e).at_path(&self.folder);
        let part = tempfile::Builder::new().prefix(PART).tempfile_in(&self.folder).map_err(fail)?;
        disk::hand_over(part.as_file(), part.path()).map_err(fail)?;
        let out = BufWriter::with_capacity(1 << 18, part.as_file());
        let mut writer = SegmentWriter::new(out, expected)?;
        fill(&mut writer)?;
        let (out, SegmentSummary { rows, length, hash }) = writer.finish()?;
        drop(out);
        part.as_file().sync_all().map_err(fail)?;
        let file = file_name(hash);
        part.persist(self.folder.join(&file)).map_err(|e| fail(e.error))?;
        disk::sync_folder(&self.folder);
        Ok(LedgerSegment { file, rows, length })
    }

    /// Replaces the index, and deletes the files that it does not mention.
    pub(super) fn publish(&self, index: &LedgerIndex) -> Result<()> {
        disk::replace(&self.index_path(), &index.to_bytes()?, Durable::Yes)?;
        let Ok(entries) = fs::read_dir(&self.folder) else { return Ok(()) };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_wanted = index.segments.iter().any(|segment| *segment.file == *name);
            if name.starts_with(PART) || is_name(&name) && !is_wanted {
                // What cannot be deleted now is deleted next time.
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    /// Moves the ledger away, over one that was moved away before, and says so in the error that
    /// was the reason.
    pub(super) fn set_aside(&self, why: Error) -> Result<Error> {
        let aside = self.folder.with_extension("damaged");
        match fs::remove_dir_all(&aside) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("remove", e).at_path(aside));
            }
            _ => {}
        }
        disk::put_over(&self.folder, &aside)?;
        let name = crate::engine::error::escape_file_name(aside.as_os_str()).into_owned();
        Ok(why.remedy(format!("a new ledger begins; the damaged one was moved to {name}")))
    }

    fn index_path(&self) -> PathBuf {
        self.folder.join("index.json")
    }
}

/// Whether an error means that the ledger is damaged, and not that the system refused something.
pub(super) fn is_damage(error: &Error) -> bool {
    error.kind() == ErrorKind::Format
}
