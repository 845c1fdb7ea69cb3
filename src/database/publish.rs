//! Writing the file and putting it into place.

use super::layout::{ALIGN, ENDIAN, HEADER, MAGIC, ROW, Section, VERSION};
use crate::{Error, Result};
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

/// Writes sections one after the other, then the header before them.
pub(super) struct Writer<W: Write + Seek> {
    out: W,
    at: u64,
    rows: Vec<(Section, u64, u64, u64)>,
    room: usize,
}

impl<W: Write + Seek> Writer<W> {
    /// A writer with room for `room` sections in its table.
    pub(super) fn new(mut out: W, room: usize) -> std::io::Result<Self> {
        let head = vec![0; HEADER + room * ROW];
        out.write_all(&head)?;
        Ok(Writer { out, at: head.len() as u64, rows: Vec::new(), room })
    }

    /// Appends a section; an empty one is left out.
    pub(super) fn section(&mut self, section: Section, bytes: &[u8]) -> std::io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        debug_assert!(self.rows.len() < self.room);
        let pad = self.at.next_multiple_of(ALIGN as u64) - self.at;
        self.out.write_all(&[0; ALIGN][..pad as usize])?;
        self.at += pad;
        self.out.write_all(bytes)?;
        self.rows.push((section, self.at, bytes.len() as u64, xxh3_64(bytes)));
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Writes header and table; `built` is in microseconds since the epoch.
    pub(super) fn finish(mut self, built: i64) -> std::io::Result<W> {
        let mut table = Vec::with_capacity(self.rows.len() * ROW);
        let mut id = Xxh3Default::new();
        for (section, offset, length, checksum) in &self.rows {
            table.extend_from_slice(&(*section as u32).to_le_bytes());
            table.extend_from_slice(&[0; 4]);
            for word in [offset, length, checksum] {
                table.extend_from_slice(&word.to_le_bytes());
            }
            id.update(&(*section as u32).to_le_bytes());
            id.update(&checksum.to_le_bytes());
        }
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&VERSION.to_le_bytes());
        header.extend_from_slice(&ENDIAN.to_le_bytes());
        header.extend_from_slice(&self.at.to_le_bytes());
        header.extend_from_slice(&id.digest128().to_le_bytes());
        header.extend_from_slice(&built.to_le_bytes());
        header.extend_from_slice(&(self.rows.len() as u32).to_le_bytes());
        header.extend_from_slice(&[0; 4]);
        let mut hash = Xxh3Default::new();
        hash.update(&header);
        hash.update(&table);
        header.extend_from_slice(&hash.digest().to_le_bytes());
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&header)?;
        self.out.write_all(&table)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Publishes a file: written beside its target, synced, renamed over it, the
/// directory synced. Whoever has the old file open keeps it; whoever opens sees
/// the old one or the new one, whole.
pub(super) fn publish(
    path: &Path,
    write: impl FnOnce(BufWriter<&File>) -> std::io::Result<()>,
) -> Result<()> {
    let fail = |what: &'static str| move |e: std::io::Error| Error::io(what, e).at_path(path);
    if path.is_dir() {
        return Err(Error::usage("a directory is in the way of the database")
            .at_path(path)
            .remedy("name a file to write"));
    }
    if std::fs::metadata(path).is_ok_and(|old| !old.is_file()) {
        return Err(Error::usage("a device, pipe or socket is in the way of the database")
            .at_path(path)
            .remedy("name a file to write"));
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let temporary = tempfile::Builder::new()
        .prefix(".wiresift-")
        .suffix(".part")
        .tempfile_in(&directory)
        .map_err(|e| {
            Error::io("cannot write beside the database", e)
                .at_path(&directory)
                .remedy("the directory must exist and be writable")
        })?;
    write(BufWriter::with_capacity(1 << 20, temporary.as_file())).map_err(|e| {
        let full = e.kind() == std::io::ErrorKind::StorageFull;
        let error = fail("cannot write the database")(e);
        if full { error.remedy("free some space; the old database stays as it was") } else { error }
    })?;
    set_mode(temporary.as_file(), path).map_err(fail("cannot set its permissions"))?;
    temporary.as_file().sync_all().map_err(fail("cannot sync the database"))?;
    temporary.persist(path).map_err(|e| fail("cannot put the database into place")(e.error))?;
    // Some file systems refuse to sync a directory; the rename is done all the same.
    let _ = File::open(&directory).and_then(|d| d.sync_all());
    Ok(())
}

/// Temporary files are private. A new database keeps the permissions of the one
/// that it replaces; the first one is for every sensor of the machine.
#[cfg(unix)]
fn set_mode(file: &File, replaced: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(replaced).map_or(0o644, |old| old.permissions().mode() & 0o777);
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: &Path) -> std::io::Result<()> {
    Ok(())
}
