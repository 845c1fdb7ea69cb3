//! Archives: zip (including documents and packages: docx, xlsx, odt, jar, apk) and tar, and their
//! members.
//!
//! A member is an [`Input`] like any other, called `archive.zip!/folder/name`: it may be
//! compressed, a capture, a mail, or an archive itself, to a depth of
//! [`MAX_DEPTH`](super::MAX_DEPTH). Everything that comes out of an input counts towards one
//! [`Allowance`]. Members are read one after the other, so that only the position of the next one
//! is kept in memory.

mod found;
mod spool;
mod tarred;
mod zipped;

use super::allowance::Allowance;
use super::contents::Contents;
use super::file::PlainFile;
use super::open::{Input, Opened};
use crate::engine::error::{Error, Result};
use found::Found;
use spool::Bytes;
use std::io;
use std::sync::Arc;
use tarred::Tarred;
use zipped::Zipped;

pub(super) use found::Source;
pub(super) use tarred::is_header;

/// An opened archive.
#[derive(Debug)]
pub struct Archive {
    path: Arc<str>,
    depth: u8,
    allowance: Allowance,
    members: Members,
    is_over: bool,
}

#[derive(Debug)]
enum Members {
    Zip(Zipped),
    Tar(Tarred),
}

/// A member of an archive.
#[derive(Debug)]
pub enum Member {
    /// A file.
    File(Box<Input>),
    /// A file that cannot be searched inside: its name, and the reason.
    Closed(Arc<str>, &'static str),
}

/// Whether a file that begins as something else ends as a zip archive.
///
/// # Errors
///
/// If it cannot be read.
pub(super) fn is_zip_at_end(file: &PlainFile) -> io::Result<bool> {
    zipped::is_at_end(file.len(), |bytes, at| file.read_at(bytes, at))
}

impl Archive {
    /// Opens an input as an archive; `None` if its contents are not an archive.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or lacks a directory where one is required.
    pub fn open(input: Input) -> Result<Option<Archive>> {
        let Input { path, contents, opened, depth, allowance, .. } = input;
        let members = match contents {
            Contents::Zip => {
                let bytes = match opened {
                    Opened::Seekable(file) => Ok(Bytes::File(file.into_file())),
                    Opened::Stream(stream) => Bytes::spool(stream),
                };
                let opened = bytes.and_then(Zipped::open);
                let failed = |error| Error::io("read the archive", error).at_path(&*path);
                Members::Zip(opened.map_err(failed)?)
            }
            Contents::Tar => Members::Tar(Tarred::new(match opened {
                Opened::Seekable(file) => file.into_stream(),
                Opened::Stream(stream) => stream,
            })),
            _ => return Ok(None),
        };
        Ok(Some(Archive { path, depth, allowance, members, is_over: false }))
    }

    /// The next member; `None` at the end.
    ///
    /// # Errors
    ///
    /// With the member's name if it cannot be read, and others may follow; with the archive's name
    /// if that is damaged or decompresses to too much, and nothing follows.
    pub fn next_member(&mut self) -> Result<Option<Member>> {
        if self.is_over {
            return Ok(None);
        }
        let found = match &mut self.members {
            Members::Zip(zipped) => zipped.next_file(),
            Members::Tar(tarred) => tarred.next_file(),
        };
        let found = match found {
            Ok(Some(found)) => found,
            Ok(None) => {
                self.is_over = true;
                return Ok(None);
            }
            Err(error) => {
                self.is_over = true;
                return Err(Error::io("continue reading", error).at_path(&*self.path));
            }
        };
        if !self.allowance.another_member() {
            self.is_over = true;
            let error = Error::format("it contains more than an archive may decompress to")
                .remedy("extract it and scan the folder");
            return Err(error.at_path(&*self.path));
        }
        match found {
            Found::Closed(name, why) => Ok(Some(Member::Closed(self.name(&name), why))),
            Found::File(name, source) => {
                let path = self.name(&name);
                Input::nested(Arc::clone(&path), source, self.depth + 1, self.allowance.clone())
                    .map(|input| Some(Member::File(Box::new(input))))
                    .map_err(|error| Error::io("read", error).at_path(&*path))
            }
        }
    }

    fn name(&self, name: &[u8]) -> Arc<str> {
        format!("{}!/{}", self.path, super::path::spell(name)).into()
    }
}

#[cfg(test)]
mod tests;
