//! Text whose lines end in CR LF on the wire and in LF where it is kept.
//!
//! FTP's ASCII mode and TFTP's netascii send text like that (RFC 764; RFC 1350, 1). Which
//! form a file has on its disk nobody says, so a second digest is made of the one with local
//! ends, and told if the two differ.

use super::Digests;
use crate::engine::progress::Walk;

/// How a bare CR travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) enum Returns {
    /// As it is: what servers and clients of FTP do, whatever RFC 959 says.
    Bare,
    /// With a NUL behind it, as RFC 764 says and TFTP does.
    Padded,
}

/// The form with local ends, as far as it has come.
#[derive(Debug)]
pub(super) struct Lines {
    returns: Returns,
    digests: Box<Digests>,
    pub(super) size: u64,
    /// A CR of which the next byte is not known.
    is_open: bool,
    /// Something was left out.
    pub(super) is_other: bool,
}

impl Lines {
    pub(super) fn new(returns: Returns, digests: Box<Digests>) -> Self {
        Lines { returns, digests, size: 0, is_open: false, is_other: false }
    }

    /// The next bytes as they travel.
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

    /// The digests of it all, and its length; none if it is as it travelled.
    pub(super) fn finish(mut self) -> Option<(Box<Digests>, u64)> {
        if std::mem::take(&mut self.is_open) {
            self.put(b"\r");
        }
        self.is_other.then_some((self.digests, self.size))
    }
}
