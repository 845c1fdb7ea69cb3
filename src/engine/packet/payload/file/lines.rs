//! Text whose lines end in CR LF on the wire and in LF on disk.
//!
//! FTP's ASCII mode and TFTP's netascii send text like that (RFC 764; RFC 1350, 1). Nothing says
//! which form a file has on disk, so a second digest is computed of the form with local ends, and
//! reported if the two differ.

use super::Digests;
use crate::engine::progress::Walk;

/// How a bare CR is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) enum Returns {
    /// As it is, which FTP servers and clients do, whatever RFC 959 says.
    Bare,
    /// Followed by NUL, as RFC 764 says and TFTP does.
    Padded,
}

/// The form with local line ends, so far.
#[derive(Debug)]
pub(super) struct Lines {
    returns: Returns,
    digests: Box<Digests>,
    pub(super) size: u64,
    /// After a CR, before the next byte is known.
    is_open: bool,
    /// The two forms differ.
    pub(super) is_other: bool,
}

impl Lines {
    pub(super) fn new(returns: Returns, digests: Box<Digests>) -> Self {
        Lines { returns, digests, size: 0, is_open: false, is_other: false }
    }

    /// The next bytes as they are sent.
    pub(super) fn update(&mut self, data: &[u8]) {
        let mut walk = Walk::over(data);
        while let Some(rest) = walk.rest() {
            if std::mem::take(&mut self.is_open) {
                let is_padding = self.returns == Returns::Padded && rest.first() == Some(&0);
                let is_line_end = rest.first() == Some(&b'\n');
                self.is_other |= is_padding || is_line_end;
                if !is_line_end {
                    self.put(b"\r");
                }
                walk.take(usize::from(is_padding));
                continue;
            }
            let end = memchr::memchr(b'\r', rest);
            self.put(rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest));
            self.is_open = end.is_some();
            walk.take(end.map_or(rest.len(), |end| end + 1));
        }
    }

    fn put(&mut self, data: &[u8]) {
        self.size += data.len() as u64;
        self.digests.update(data);
    }

    /// The digests of all of it, and its length; `None` if it is the same as on the wire.
    pub(super) fn finish(mut self) -> Option<(Box<Digests>, u64)> {
        if std::mem::take(&mut self.is_open) {
            self.put(b"\r");
        }
        self.is_other.then_some((self.digests, self.size))
    }
}
