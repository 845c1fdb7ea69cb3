//! Text whose lines end in CR LF on the wire and in LF where it is kept.
//!
//! FTP's ASCII mode and TFTP's netascii send text like that (RFC 764; RFC 1350, 1). Which
//! form a file has on its disk nobody says, so a second digest is made of the one with local
//! ends, and told if the two differ.

use super::Digests;

/// How a bare CR travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::packet) enum Returns {
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
        let mut rest = data;
        while !rest.is_empty() {
            if std::mem::take(&mut self.is_open) {
                match (rest, self.returns) {
                    ([b'\n', ..], _) => self.is_other = true,
                    ([0, behind @ ..], Returns::Padded) => {
                        (self.is_other, rest) = (true, behind);
                        self.put(b"\r");
                    }
                    _ => self.put(b"\r"),
                }
                continue;
            }
            let end = memchr::memchr(b'\r', rest).unwrap_or(rest.len());
            let (text, behind) = rest.split_at(end);
            self.put(text);
            self.is_open = !behind.is_empty();
            rest = behind.get(1..).unwrap_or_default();
            if self.is_open && rest.is_empty() {
                return;
            }
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
