//! Sockets in the file system: what is in the way of one, and whether it is still in its place.

use crate::{Error, Result};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};

/// The mode of sockets in the file system, whatever the umask. Connecting requires write
/// permission: the group has it, so that programs of other users can send.
const MODE: u32 = 0o660;

/// The file of a socket that this process bound. It is removed when this is dropped, unless its path
/// leads to something else by then.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    node: (u64, u64),
}

impl SocketFile {
    /// Binds a socket to a path. A socket file that nobody listens on any more is replaced; anything
    /// else stays as it is.
    ///
    /// # Errors
    ///
    /// If the path is taken, or the system refuses.
    pub(super) fn bind<T>(
        path: &Path,
        bind: impl Fn(&Path) -> io::Result<T>,
    ) -> io::Result<(T, SocketFile)> {
        let bound = match bind(path) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && is_left_over(path) => {
                fs::remove_file(path)?;
                bind(path)
            }
            outcome => outcome,
        }?;
        fs::set_permissions(path, fs::Permissions::from_mode(MODE))?;
        let node = node(path)?;
        Ok((bound, SocketFile { path: path.to_path_buf(), node }))
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether its path still leads to it. If not, nobody can connect to the socket any more.
    pub(super) fn is_in_place(&self) -> bool {
        match node(&self.path) {
            Ok(node) => node == self.node,
            // A folder that can't be searched for a moment changes nothing.
            Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if node(&self.path).is_ok_and(|node| node == self.node) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn node(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

/// Whether it is a socket that no process listens on.
fn is_left_over(path: &Path) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|of| of.file_type().is_socket());
    let is_refused = |outcome: io::Result<()>| {
        outcome.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    };
    let stream = UnixStream::connect(path).map(drop);
    let datagram = UnixDatagram::unbound().and_then(|socket| socket.connect(path));
    is_socket && (is_refused(stream) || is_refused(datagram))
}

/// Checks that nothing but a socket is in the way of one.
///
/// # Errors
///
/// If there is something else, which is not touched.
pub(super) fn refuse_others(path: &Path) -> Result<()> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    let kind = found.file_type();
    let what = match () {
        () if kind.is_socket() => return Ok(()),
        () if kind.is_file() => "a regular file",
        () if kind.is_dir() => "a folder",
        () if kind.is_symlink() => "a symbolic link",
        () if kind.is_fifo() => "a named pipe",
        () => "a device",
    };
    Err(Error::usage(format!("cannot create a socket: {what} is in its place"))
        .at_path(path)
        .remedy("move it away, or set another path"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn only_what_is_ours_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.sock");
        let bind = || SocketFile::bind(&path, |path| UnixListener::bind(path));
        let (listener, file) = bind().unwrap();
        assert!(file.is_in_place());
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, MODE);
        // Another program listens: its socket stays.
        assert_eq!(bind().unwrap_err().kind(), ErrorKind::AddrInUse);
        fs::remove_file(&path).unwrap();
        assert!(!file.is_in_place());
        fs::write(&path, "mine").unwrap();
        assert!(!file.is_in_place());
        drop((listener, file));
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        let error = refuse_others(&path).unwrap_err().to_string();
        assert!(error.contains("x.sock: cannot create a socket: a regular file"), "{error}");
        fs::remove_file(&path).unwrap();
        // A socket that was left over is replaced, and removed at the end.
        drop(UnixListener::bind(&path).unwrap());
        refuse_others(&path).unwrap();
        let (listener, file) = bind().unwrap();
        drop((listener, file));
        assert!(!path.exists());
        refuse_others(&path).unwrap();
        assert!(refuse_others(folder.path()).unwrap_err().to_string().contains("a folder"));
    }
}
