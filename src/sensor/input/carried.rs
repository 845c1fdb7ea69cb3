//! Files that a mail carries: inputs in an input, as the members of an archive are.
//!
//! A mail is read once, from its first line to its last. What it carries is put away until
//! it is whole, in memory or in a file without a name, and then opened like a member: it may be
//! compressed, an archive, a capture or a mail, and what it unpacks to draws on the
//! [`Allowance`] of the input that it came in.

use super::HEAD;
use super::allowance::Allowance;
use super::archive::Source;
use super::contents::Contents;
use super::decode::Packing;
use super::open::Input;
use crate::engine::error::{Error, Result};
use crate::engine::progress::bound;
use std::fs::File;
use std::io::{self, Cursor, Seek, Write};
use std::sync::Arc;

/// What of a file is kept in memory, in bytes.
const IN_MEMORY: usize = bound(1 << 20, 256);

/// Bytes on their way to a reader.
#[derive(Debug, Default)]
pub struct Spool {
    memory: Vec<u8>,
    file: Option<File>,
    failed: Option<io::Error>,
    /// What it holds is told elsewhere unless it is more than text.
    is_told: bool,
    /// Nobody needs it.
    is_dropped: bool,
}

impl Spool {
    /// An empty one. `is_told`: text is told elsewhere, and kept only if it hides something.
    pub fn new(is_told: bool) -> Spool {
        Spool { is_told, ..Spool::default() }
    }

    /// Takes the next bytes. Where they can't be kept, the reader says so.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.is_dropped || self.failed.is_some() {
            return;
        }
        if self.file.is_none() && self.memory.len() + bytes.len() > IN_MEMORY {
            self.spill();
        }
        match &mut self.file {
            Some(file) => {
                self.failed = file.write_all(bytes).err();
                // What it is stays known.
                let room = HEAD.saturating_sub(self.memory.len()).min(bytes.len());
                self.memory.extend_from_slice(&bytes[..room]);
            }
            None => self.memory.extend_from_slice(bytes),
        }
        if self.is_told && self.memory.len() >= HEAD {
            self.is_told = false;
            self.drop_text();
        }
    }

    fn spill(&mut self) {
        match tempfile::tempfile().and_then(|mut file| {
            file.write_all(&self.memory)?;
            Ok(file)
        }) {
            Ok(file) => self.file = Some(file),
            Err(error) => self.failed = Some(error),
        }
        self.memory.truncate(HEAD);
    }

    /// Text that is told elsewhere is not kept.
    fn drop_text(&mut self) {
        let head = self.memory.get(..HEAD).unwrap_or(&self.memory);
        let is_text = matches!(Contents::of(head), Contents::Text | Contents::Binary);
        if is_text && Packing::of(head).is_none() && !super::capture::is_capture(head) {
            (self.is_dropped, self.file, self.memory) = (true, None, Vec::new());
        }
    }

    /// Bytes that are held in memory.
    pub fn weight(&self) -> usize {
        self.memory.capacity()
    }

    /// Nothing more comes. Whether there is anything to look into.
    pub fn end(&mut self) -> bool {
        if std::mem::take(&mut self.is_told) {
            self.drop_text();
        }
        !self.is_dropped && (!self.memory.is_empty() || self.failed.is_some())
    }

    fn into_reader(self) -> io::Result<Source> {
        match (self.failed, self.file) {
            (Some(error), _) => Err(error),
            (None, Some(mut file)) => {
                file.rewind()?;
                Ok(Box::new(file))
            }
            (None, None) => Ok(Box::new(Cursor::new(self.memory))),
        }
    }
}

/// The input that carries others.
#[derive(Clone, Debug)]
pub struct Carrier {
    path: Arc<str>,
    depth: u8,
    allowance: Allowance,
    /// It unpacked to so much that nothing more of it is looked into.
    is_over: bool,
}

impl Carrier {
    /// That which an input is.
    pub fn of(input: &Input) -> Carrier {
        let Input { path, depth, allowance, .. } = input;
        Carrier {
            path: Arc::clone(path),
            depth: *depth,
            allowance: allowance.clone(),
            is_over: false,
        }
    }

    /// Opens a file that lies in it, in `depth` mails that are read with it; none once there was
    /// too much, which is said once.
    ///
    /// # Errors
    ///
    /// With the file's name when it cannot be read, or more is in the input than it may unpack
    /// to.
    pub fn open(&mut self, name: &[u8], depth: u8, spool: Spool) -> Result<Option<Input>> {
        if self.is_over {
            return Ok(None);
        }
        let name = if name.is_empty() { b"attachment" } else { name };
        let path: Arc<str> = format!("{}!/{}", self.path, super::path::spell(name)).into();
        if !self.allowance.another_member() {
            self.is_over = true;
            let error = Error::format("more is in it than an archive may unpack to")
                .remedy("save what it carries, and scan the folder");
            return Err(error.at_path(&*self.path));
        }
        let depth = self.depth.saturating_add(depth).saturating_add(1);
        spool
            .into_reader()
            .and_then(|reader| {
                Input::nested(Arc::clone(&path), reader, depth, self.allowance.clone())
            })
            .map(Some)
            .map_err(|error| Error::io("cannot read", error).at_path(&*path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn spooled(bytes: &[u8], is_told: bool, piece: usize) -> Option<Vec<u8>> {
        let mut spool = Spool::new(is_told);
        bytes.chunks(piece).for_each(|piece| spool.push(piece));
        let mut all = Vec::new();
        spool.end().then(|| spool.into_reader().unwrap().read_to_end(&mut all).unwrap())?;
        Some(all)
    }

    /// What is kept comes back, from memory or from a file, and text that is told elsewhere does
    /// not, however it came.
    #[test]
    fn what_is_kept() {
        let long: Vec<u8> = b"text\n".repeat(IN_MEMORY / 4);
        let mut archive = b"PK\x03\x04".to_vec();
        archive.extend(&long);
        for piece in [1000, 1 << 16, IN_MEMORY, 2 * IN_MEMORY] {
            assert_eq!(spooled(&long, false, piece).as_deref(), Some(&long[..]));
            assert_eq!(spooled(&long, true, piece), None);
            assert_eq!(spooled(&archive, true, piece).as_deref(), Some(&archive[..]));
        }
        assert_eq!(spooled(b"", false, 1), None);
        assert_eq!(spooled(b"text", true, 1), None);
        assert_eq!(spooled(b"PK\x03\x04", true, 1).as_deref(), Some(&b"PK\x03\x04"[..]));
    }
}
