//! Writes the file and moves it into place.

use super::layout::{ALIGN, ENDIAN, HEADER, MAGIC, ROW, Section, VERSION};
use crate::{Error, Result};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat};
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

/// Writes sections in order, and then the header before them.
pub(super) struct Writer<W: Write + Seek> {
    out: W,
    at: u64,
    rows: Vec<(Section, u64, u64, u64)>,
    room: usize,
}

impl<W: Write + Seek> Writer<W> {
    /// Creates a writer with space for `room` sections in its table.
    pub(super) fn new(mut out: W, room: usize) -> std::io::Result<Self> {
        let head = vec![0; HEADER + room * ROW];
        out.write_all(&head)?;
        Ok(Writer { out, at: head.len() as u64, rows: Vec::new(), room })
    }

    /// Appends a section, unless it is empty.
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

    /// Writes the header and the table; `built` is in microseconds since the epoch.
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

/// Publishes a file: writes it next to its target, syncs it, renames it over the
/// target, and syncs the directory. Anyone who has the old file open keeps it, and
/// anyone who opens it gets the complete old or new one. `target` must not be a
/// link; the caller followed them.
pub(super) fn publish(
    target: &Path,
    write: impl FnOnce(BufWriter<&File>) -> std::io::Result<()>,
) -> Result<()> {
    let fail = |what: &'static str| move |e: std::io::Error| Error::io(what, e).at_path(target);
    if target.is_dir() {
        return Err(Error::usage("the database is a directory")
            .at_path(target)
            .remedy("name a file to write"));
    }
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let part = Part::new(&directory).map_err(|e| {
        Error::io("write next to the database", e)
            .at_path(&directory)
            .remedy("the directory must exist and be writable")
    })?;
    let file = part.file();
    write(BufWriter::with_capacity(1 << 20, file)).map_err(|e| {
        let remedy = match e.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space",
            ErrorKind::FileTooLarge => "allow larger files (ulimit -f)",
            _ => return fail("write the database")(e),
        };
        fail("write the database")(e).remedy(format!("{remedy}; the old database was kept"))
    })?;
    own(file, target).map_err(fail("set its permissions"))?;
    file.sync_all().map_err(fail("sync the database"))?;
    part.put_at(&directory, target).map_err(fail("move the database into place"))?;
    // Some file systems refuse to sync a directory; the rename has happened anyway.
    let _ = File::open(&directory).and_then(|d| d.sync_all());
    Ok(())
}

/// Where the system shows what a process has open (`proc_pid_fd(5)`).
const OPEN_FILES: &str = "/proc/self/fd";

/// An unfinished file. If the file system supports it, it has no name until it is
/// complete, so nothing is left behind however the process ends.
enum Part {
    Nameless(File),
    Named(tempfile::NamedTempFile),
}

impl Part {
    fn new(directory: &Path) -> std::io::Result<Part> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        // It gets its name by way of /proc, which a bare root may lack.
        let may_be_named = Path::new(OPEN_FILES).exists();
        match rustix::fs::open(directory, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) if may_be_named => Ok(Part::Nameless(file.into())),
            _ => names().tempfile_in(directory).map(Part::Named),
        }
    }

    fn file(&self) -> &File {
        match self {
            Part::Nameless(file) => file,
            Part::Named(file) => file.as_file(),
        }
    }

    fn put_at(self, directory: &Path, target: &Path) -> std::io::Result<()> {
        let named = match self {
            Part::Nameless(file) => {
                let open = format!("{OPEN_FILES}/{}", file.as_raw_fd());
                // A rename replaces the target, a link does not.
                let link = |path: &Path| {
                    linkat(CWD, &*open, CWD, path, AtFlags::SYMLINK_FOLLOW).map_err(Into::into)
                };
                names().make_in(directory, link)?.into_temp_path()
            }
            Part::Named(file) => file.into_temp_path(),
        };
        named.persist(target).map_err(|e| e.error)
    }
}

fn names() -> tempfile::Builder<'static, 'static> {
    let mut names = tempfile::Builder::new();
    names.prefix(".wiresift-").suffix(".part");
    names
}

/// Temporary files are private. A new database keeps the permissions of the one it
/// replaces, and its owner and group as far as permitted. A first database is
/// readable for every sensor on the machine.
fn own(file: &File, replaced: &Path) -> std::io::Result<()> {
    let old = std::fs::metadata(replaced).ok();
    if let Some(old) = &old {
        // Only root may change the owner; others may change the group to one of
        // theirs.
        if fchown(file, Some(old.uid()), Some(old.gid())).is_err() {
            let _ = fchown(file, None, Some(old.gid()));
        }
    }
    let mode = old.map_or(0o644, |old| old.permissions().mode() & 0o777);
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}
