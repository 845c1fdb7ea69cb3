//! Files, and everything else that a path can lead to.

use super::buffered::Buffered;
use super::contract::Sink;
use super::records::Records;
use crate::engine::files::{Node, Outlet};
use crate::sensor::halt::Halt;
use crate::{Error, Result};
use std::fs::File;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

/// Writes alerts to a file, or to the pipe or device that its path leads to.
pub struct FileSink {
    buffered: Buffered<File>,
    path: PathBuf,
    /// The file, if it may be reopened.
    node: Option<Node>,
}

impl FileSink {
    /// Appends to the file, and creates it if it doesn't exist.
    ///
    /// # Errors
    ///
    /// If the file can't be opened for writing.
    pub fn append(path: impl AsRef<Path>) -> Result<Self> {
        Self::open(path.as_ref(), Outlet::append)
    }

    /// Starts with an empty file: its previous contents are lost.
    ///
    /// # Errors
    ///
    /// If the file can't be opened for writing.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        Self::open(path.as_ref(), Outlet::create)
    }

    /// Opens what a path leads to if that is a terminal, a device or an open descriptor, which keeps
    /// no alerts; `None` for a file, and if there is nothing yet.
    ///
    /// # Errors
    ///
    /// If it can't be opened for writing, or is a pipe or a socket in the file system: what is
    /// written there is lost while nobody reads it.
    pub fn of_stream(path: &Path) -> Result<Option<Self>> {
        let outlet = Outlet::of(path).map_err(|e| Error::io("open the output", e).at_path(path))?;
        match outlet {
            Outlet::File(_) => return Ok(None),
            Outlet::Descriptor(_) => {}
            Outlet::Stream(_) => {
                let kind = std::fs::metadata(path).map(|found| found.file_type());
                if kind.is_ok_and(|kind| kind.is_fifo() || kind.is_socket()) {
                    return Err(Error::usage("a pipe or a socket cannot keep alerts")
                        .at_path(path)
                        .remedy("use kind = \"unix\", kind = \"stdout\", or a file"));
                }
            }
        }
        Self::append(path).map(Some)
    }

    fn open(path: &Path, open: impl FnOnce(&Outlet) -> std::io::Result<File>) -> Result<Self> {
        let (file, node) = opened(path, open)?;
        Ok(FileSink { buffered: Buffered::new(file, path.to_path_buf()), path: path.into(), node })
    }
}

/// Opens what a path leads to; anything but a regular file under its own name has no node.
fn opened(
    path: &Path,
    open: impl FnOnce(&Outlet) -> std::io::Result<File>,
) -> Result<(File, Option<Node>)> {
    let open = || {
        let outlet = Outlet::of(path)?;
        let file = open(&outlet)?;
        let is_file = matches!(outlet, Outlet::File(_));
        let node = Node::of(&file.metadata()?).filter(|_| is_file);
        Ok((file, node))
    };
    open().map_err(|e| Error::io("open the output", e).at_path(path))
}

impl Sink for FileSink {
    fn write(&mut self, records: &Records) -> Result<()> {
        self.buffered.write(records)
    }

    fn flush(&mut self) -> Result<()> {
        self.buffered.flush()
    }

    fn waiting(&self) -> u64 {
        self.buffered.waiting()
    }

    fn until(&mut self, halt: &Halt) {
        self.buffered.until(halt);
    }

    fn give_up(&mut self) -> u64 {
        self.buffered.give_up()
    }

    fn reopen(&mut self, end: &[u8], begin: &[u8]) -> Result<bool> {
        if self.node.is_none() || Node::at(&self.path) == self.node {
            return Ok(false);
        }
        let (file, node) = opened(&self.path, Outlet::append)?;
        let mut ends = Records::default();
        ends.frame(|bytes| bytes.extend_from_slice(end));
        // What a full disk kept out of the old file goes to the new one.
        if self.buffered.flush().is_ok()
            && self.buffered.write(&ends).and_then(|()| self.buffered.flush()).is_err()
        {
            self.buffered.give_up();
        }
        self.buffered.turn_to(file, begin);
        self.node = node;
        self.buffered.flush().map(|()| true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::lines;
    use super::*;
    use std::fs;

    #[test]
    fn appends_and_creates() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts");
        for record in [b"one\n", b"two\n"] {
            let mut sink = FileSink::append(&path).unwrap();
            sink.write(&lines(record)).unwrap();
            sink.flush().unwrap();
        }
        assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\n");
        FileSink::create(&path).unwrap().write(&lines(b"three\n")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three\n", "dropping flushes");
    }

    #[test]
    fn only_streams_that_take_everything_are_streams() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "").unwrap();
        for name in ["file", "missing"] {
            assert!(FileSink::of_stream(&at(name)).unwrap().is_none(), "{name}");
        }
        let mut null = FileSink::of_stream(Path::new("/dev/null")).unwrap().unwrap();
        null.write(&lines(b"one\n")).unwrap();
        null.flush().unwrap();
        let listener = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        let Err(error) = FileSink::of_stream(&at("socket")) else { panic!("opened a socket") };
        assert!(error.to_string().contains("kind = \"unix\""), "{error}");
        drop(listener);
    }

    #[test]
    fn a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let Err(error) = FileSink::append(folder.path()) else { panic!("opened a folder") };
        assert!(error.to_string().contains(&*folder.path().to_string_lossy()), "{error}");
    }

    #[test]
    fn a_file_that_was_renamed_is_created_again() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut sink = FileSink::append(at("alerts")).unwrap();
        sink.write(&lines(b"one\n")).unwrap();
        assert!(!sink.reopen(b"end\n", b"begin\n").unwrap(), "it is in its place");
        #[expect(clippy::disallowed_methods, reason = "as a program that rotates does")]
        fs::rename(at("alerts"), at("alerts.1")).unwrap();
        sink.write(&lines(b"two\n")).unwrap();
        assert!(sink.reopen(b"end\n", b"begin\n").unwrap());
        sink.write(&lines(b"three\n")).unwrap();
        sink.flush().unwrap();
        assert_eq!(fs::read(at("alerts.1")).unwrap(), b"one\ntwo\nend\n");
        assert_eq!(fs::read(at("alerts")).unwrap(), b"begin\nthree\n");
        // A deleted file counts, too; devices are never reopened.
        fs::remove_file(at("alerts")).unwrap();
        assert!(sink.reopen(b"", b"").unwrap() && at("alerts").exists());
        assert!(!FileSink::append("/dev/null").unwrap().reopen(b"", b"").unwrap());
    }
}
