//! Reads plain files by position.

use rustix::fs::SeekFrom;
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Fills the buffer from an offset on, up to the end of the file; returns the number of bytes.
pub(super) fn read_full_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The position of the next byte outside of a hole, from an offset on; `None` if there are only
/// holes up to the end. A file system without holes returns the offset itself.
pub(super) fn next_data(file: &File, offset: u64) -> Option<u64> {
    match rustix::fs::seek(file, SeekFrom::Data(offset)) {
        Ok(at) => Some(at.max(offset)),
        Err(Errno::NXIO) => None,
        Err(_) => Some(offset),
    }
}

/// The first byte that is not NUL, from an offset on: its position, or the end of the file if there
/// is none, or where the search stopped after `max` bytes.
pub(super) fn after_nuls(file: &File, offset: u64, size: u64, max: usize) -> io::Result<Nuls> {
    let mut block = vec![0; 64 << 10];
    let (mut at, mut read) = (offset, 0);
    while at < size {
        match next_data(file, at) {
            None => break,
            Some(data) => at = data,
        }
        if read >= max {
            return Ok(Nuls::Perhaps(at));
        }
        let filled = read_full_at(file, &mut block, at)?;
        if filled == 0 {
            break;
        }
        if let Some(found) = block[..filled].iter().position(|&byte| byte != 0) {
            return Ok(Nuls::Until(at + found as u64));
        }
        (at, read) = (at + filled as u64, read + filled);
    }
    Ok(Nuls::ToEnd)
}

/// How far a run of NULs extends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nuls {
    /// To another byte.
    Until(u64),
    /// To the present end of the file.
    ToEnd,
    /// At least this far.
    Perhaps(u64),
}
