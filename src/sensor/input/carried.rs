//! Files that a mail carries: inputs within an input, like the members of an archive.
//!
//! A mail is read once, from its first line to its last. Its attachments are stored until they are
//! complete, in memory or in an unnamed file, and then opened like members: they may be compressed,
//! an archive, a capture or a mail, and what they decompress to counts towards the [`Allowance`] of
//! the input that contains them.

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

/// How much of a file is kept in memory, in bytes.
const IN_MEMORY: usize = bound(1 << 20, 256);

/// Bytes that are stored for a reader.
#[derive(Debug, Default)]
pub struct Spool {
    memory: Vec<u8>,
    file: Option<File>,
    failed: Option<io::Error>,
    /// Its contents are reported elsewhere unless it is more than text.
    is_reported: bool,
    /// It is not needed.
    is_dropped: bool,
}

impl Spool {
    /// An empty one. `is_reported`: its text is reported elsewhere, and only kept if it hides
    /// something.
    pub fn new(is_reported: bool) -> Spool {
        Spool { is_reported, ..Spool::default() }
    }

    /// Adds the next bytes. If they can't be stored, the reader reports that.
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
                // What was detected stays known.
                let room = HEAD.saturating_sub(self.memory.len()).min(bytes.len());
                self.memory.extend_from_slice(&bytes[..room]);
            }
            None => self.memory.extend_from_slice(bytes),
        }
        if self.is_reported && self.memory.len() >= HEAD {
            self.is_reported = false;
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

    /// Text that is reported elsewhere is not kept.
    fn drop_text(&mut self) {
        let head = self.memory.get(..HEAD).unwrap_or(&self.memory);
        let is_text = matches!(Contents::of(head), Contents::Text | Contents::Binary);
        if is_text && Packing::of(head).is_none() && !super::capture::is_capture(head) {
            (self.is_dropped, self.file, self.memory) = (true, None, Vec::new());
        }
    }

    /// The number of bytes held in memory.
    pub fn weight(&self) -> usize {
        self.memory.capacity()
    }

    /// Ends it. Returns whether there is anything to search.
    pub fn end(&mut self) -> bool {
        if std::mem::take(&mut self.is_reported) {
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
    /// It decompressed to so much that nothing more of it is searched.
    is_over: bool,
}

impl Carrier {
    /// The carrier for an input.
    pub fn of(input: &Input) -> Carrier {
        let Input { path, depth, allowance, .. } = input;
        Carrier {
            path: Arc::clone(path),
            depth: *depth,
            allowance: allowance.clone(),
            is_over: false,
        }
    }

    /// Opens a file in it, inside `depth` mails that are read with it; `None` once there was too
    /// much, which is reported once.
    ///
    /// # Errors
    ///
    /// With the file's name if it cannot be read, or if the input contains more than it may
    /// decompress to.
    pub fn open(&mut self, name: &[u8], depth: u8, spool: Spool) -> Result<Option<Input>> {
        if self.is_over {
            return Ok(None);
        }
        let name = if name.is_empty() { b"attachment" } else { name };
        let path: Arc<str> = format!("{}!/{}", self.path, super::path::spell(name)).into();
        if !self.allowance.another_member() {
            self.is_over = true;
            let error = Error::format("it contains more than an archive may decompress to")
                .remedy("save its attachments and scan the folder");
            return Err(error.at_path(&*self.path));
        }
        let depth = self.depth.saturating_add(depth).saturating_add(1);
        spool
            .into_reader()
            .and_then(|reader| {
                Input::nested(Arc::clone(&path), reader, depth, self.allowance.clone())
            })
            .map(Some)
            .map_err(|error| Error::io("read", error).at_path(&*path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn spooled(bytes: &[u8], is_reported: bool, piece: usize) -> Option<Vec<u8>> {
        let mut spool = Spool::new(is_reported);
        bytes.chunks(piece).for_each(|piece| spool.push(piece));
        let mut all = Vec::new();
        spool.end().then(|| spool.into_reader().unwrap().read_to_end(&mut all).unwrap())?;
        Some(all)
    }

    /// What is kept is read back, from memory or from a file; text that is reported elsewhere is
    /// not, however it arrives.
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
