//! What output paths refer to, and what must not be overwritten.
//!
//! ```
//! use std::path::Path;
//! use wiresift::engine::files::Outlet;
//!
//! let folder = tempfile::tempdir().unwrap();
//! let (file, link) = (folder.path().join("alerts.json"), folder.path().join("latest"));
//! std::fs::write(&file, "").unwrap();
//! std::os::unix::fs::symlink("alerts.json", &link).unwrap();
//! // Two names of one file: a program that reads one must not write to the other.
//! assert_eq!(Outlet::of(&file)?.node(), Outlet::of(&link)?.node());
//! assert_eq!(Outlet::of(Path::new("-"))?, Outlet::Descriptor(1));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! An output is a file, or a stream that another process opened or reads: standard
//! output, an inherited descriptor, a pipe, a terminal, a device. A file may be
//! replaced or truncated; a stream is only written to. Links are followed, so the
//! target is written and the link stays.
//!
//! A command never writes to a file that it also reads, whatever the two are called:
//! files are compared by device and inode.

use crate::engine::error::{Error, Result};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// Consecutive links that are followed, as many as in the kernel.
const MAX_LINKS: usize = 40;

/// What an output path refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outlet {
    /// A descriptor that this process was started with: `-`, `/dev/stdout`, `/dev/fd/3`.
    Descriptor(u32),
    /// A pipe, a terminal, a device, or what another process has open.
    Stream(PathBuf),
    /// A regular file, or none yet.
    File(PathBuf),
}

impl Outlet {
    /// Finds what a path refers to. `-` is standard output.
    ///
    /// # Errors
    ///
    /// If its links form a cycle.
    pub fn of(path: &Path) -> io::Result<Outlet> {
        if path.as_os_str() == "-" {
            return Ok(Outlet::Descriptor(1));
        }
        let mut at = path.to_path_buf();
        for _ in 0..MAX_LINKS {
            // Links among the parent folders need no care; a link at the end is followed.
            let Some(name) = at.file_name() else { return Ok(Outlet::File(at)) };
            let folder = match at.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            let Ok(folder) = folder.canonicalize() else { return Ok(Outlet::File(at)) };
            let place = folder.join(name);
            match descriptor(&folder, &place) {
                Some(Ok(number)) => return Ok(Outlet::Descriptor(number)),
                Some(Err(_)) => return Ok(Outlet::Stream(place)),
                None => {}
            }
            match fs::read_link(&place) {
                Ok(target) => at = folder.join(target),
                Err(_) => return Ok(Outlet::at_end(place)),
            }
        }
        Err(io::Error::other("symbolic links form a loop"))
    }

    fn at_end(place: PathBuf) -> Outlet {
        match fs::metadata(&place) {
            Ok(found) if !found.is_file() && !found.is_dir() => Outlet::Stream(place),
            _ => Outlet::File(place),
        }
    }

    fn metadata(&self) -> Option<Metadata> {
        match self {
            Outlet::Descriptor(number) => fs::metadata(format!("/proc/self/fd/{number}")).ok(),
            Outlet::Stream(path) | Outlet::File(path) => fs::metadata(path).ok(),
        }
    }

    /// The file that it refers to, if it exists.
    pub fn node(&self) -> Option<Node> {
        self.metadata().as_ref().and_then(Node::of)
    }

    /// Opens it for writing from its beginning; a stream continues at its position.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn create(&self) -> io::Result<File> {
        let file = self.append()?;
        if matches!(self, Outlet::File(_)) {
            file.set_len(0)?;
        }
        Ok(file)
    }

    /// Opens it for appending.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn append(&self) -> io::Result<File> {
        match self {
            Outlet::Descriptor(1) => io::stdout().as_fd().try_clone_to_owned().map(File::from),
            Outlet::Descriptor(2) => io::stderr().as_fd().try_clone_to_owned().map(File::from),
            Outlet::Descriptor(number) => {
                OpenOptions::new().append(true).open(format!("/proc/self/fd/{number}"))
            }
            Outlet::Stream(path) => OpenOptions::new().append(true).open(path),
            Outlet::File(path) => OpenOptions::new().append(true).create(true).open(path),
        }
    }
}

/// If the folder contains descriptors: the number of one of this process, or an error for that of
/// another process.
fn descriptor(folder: &Path, place: &Path) -> Option<Result<u32, ()>> {
    let mut parts = folder.strip_prefix("/proc").ok()?.iter();
    let process = parts.next()?.to_str()?;
    let rest: Vec<_> = parts.collect();
    let is_of_descriptors = match rest[..] {
        [fd] => fd == "fd",
        [task, _, fd] => task == "task" && fd == "fd",
        _ => false,
    };
    let number = place.file_name()?.to_str()?.parse().ok()?;
    let is_ours = process == std::process::id().to_string();
    is_of_descriptors.then_some(if is_ours { Ok(number) } else { Err(()) })
}

/// What identifies a file, whatever its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    device: u64,
    inode: u64,
}

impl Node {
    /// Of a file that stores its bytes: terminals, pipes and `/dev/null` may be both read and
    /// written.
    pub fn of(metadata: &Metadata) -> Option<Node> {
        let keeps = metadata.is_file() || metadata.file_type().is_block_device();
        keeps.then(|| Node { device: metadata.dev(), inode: metadata.ino() })
    }

    /// Of the file at a path; `-` is standard input.
    pub fn at(path: &Path) -> Option<Node> {
        let path = if path.as_os_str() == "-" { Path::new("/proc/self/fd/0") } else { path };
        fs::metadata(path).ok().as_ref().and_then(Node::of)
    }
}

/// What a command reads.
#[derive(Debug, Default)]
pub struct Inputs(Vec<(Node, PathBuf, &'static str)>);

impl Inputs {
    /// Adds a file; `what` is its role in the command: "an input", "the database". A missing file
    /// is ignored. `-` is standard input.
    pub fn add(&mut self, path: &Path, what: &'static str) {
        if let Some(node) = Node::at(path) {
            self.0.push((node, path.to_path_buf(), what));
        }
    }

    /// The role of a file, if the command reads it.
    pub fn is(&self, node: Node) -> Option<(&Path, &'static str)> {
        let found = self.0.iter().find(|(other, ..)| *other == node)?;
        Some((&found.1, found.2))
    }

    /// Refuses an output that the same command reads.
    ///
    /// # Errors
    ///
    /// If it is read, under any name.
    pub fn refuse(&self, output: &Path) -> Result<()> {
        let outlet = Outlet::of(output).map_err(|e| Error::io("open", e).at_path(output))?;
        let Some((path, what)) = outlet.node().and_then(|node| self.is(node)) else {
            return Ok(());
        };
        let under = if path == output {
            String::new()
        } else {
            format!(" ({})", crate::engine::error::escape_file_name(path.as_os_str()))
        };
        Err(Error::usage(format!("the output is also {what}{under}; nothing was written"))
            .at_path(output)
            .remedy("name another file to write to"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_lead_to_their_end() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let at = |name: &str| root.join(name);
        fs::write(at("file"), "x").unwrap();
        symlink("file", at("one")).unwrap();
        symlink(at("one"), at("two")).unwrap();
        symlink("absent", at("dangling")).unwrap();
        symlink("circle", at("circle")).unwrap();
        symlink("/dev/null", at("null")).unwrap();
        symlink("/dev/stdout", at("out")).unwrap();
        let of = |path: PathBuf| Outlet::of(&path).unwrap();
        for name in ["file", "one", "two"] {
            assert_eq!(of(at(name)), Outlet::File(at("file")), "{name}");
        }
        assert_eq!(of(at("dangling")), Outlet::File(at("absent")));
        assert_eq!(of(at("null")), Outlet::Stream("/dev/null".into()));
        assert!(Outlet::of(&at("circle")).is_err());
        for name in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/proc/thread-self/fd/1"] {
            assert_eq!(of(name.into()), Outlet::Descriptor(1), "{name}");
        }
        assert_eq!(of(at("out")), Outlet::Descriptor(1));
        assert_eq!(of("/proc/self/fd/7".into()), Outlet::Descriptor(7));
    }

    #[test]
    fn what_is_read_is_known_by_any_name() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("file"), "x").unwrap();
        fs::write(at("other"), "x").unwrap();
        symlink("file", at("link")).unwrap();
        fs::hard_link(at("file"), at("hard")).unwrap();
        let mut inputs = Inputs::default();
        inputs.add(&at("file"), "an input");
        inputs.add(&at("absent"), "an input");
        inputs.add(Path::new("/dev/null"), "an input");
        for name in ["file", "link", "hard"] {
            let error = inputs.refuse(&at(name)).unwrap_err().to_string();
            assert!(error.contains("the output is also an input"), "{error}");
        }
        for name in ["other", "absent"] {
            inputs.refuse(&at(name)).unwrap();
        }
        inputs.refuse(Path::new("/dev/null")).unwrap();
    }

    #[test]
    fn files_are_truncated_only_when_starting_over() {
        use std::io::Write as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "old\n").unwrap();
        let outlet = Outlet::of(&path).unwrap();
        outlet.append().unwrap().write_all(b"more\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old\nmore\n");
        outlet.create().unwrap().write_all(b"new\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new\n");
    }
}
