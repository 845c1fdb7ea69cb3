//! Transferred files, as a visitor gets them.

use crate::engine::indicator;
use std::fmt;

/// A file as an alert describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileFacts<'a> {
    /// The protocol that carried it: `http`, `smtp`, `ftp`…
    pub protocol: &'static str,
    /// Its name, as it was sent.
    pub name: Option<&'a [u8]>,
    /// Its URL, if it is known.
    pub url: Option<&'a [u8]>,
    /// Bytes of its content that were seen, once it has ended.
    pub size: Option<u64>,
    /// Whether it is complete, once it has ended.
    pub is_whole: Option<bool>,
}

impl FileFacts<'_> {
    /// The owned form, for an alert.
    pub fn owned(&self) -> indicator::File {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        indicator::File {
            protocol: self.protocol,
            name: self.name.map(text),
            url: self.url.map(text),
            size: self.size,
            is_whole: self.is_whole,
        }
    }
}

/// A file that a visitor may want to open, like one on a disk.
#[derive(Clone, Copy, Debug)]
pub struct Attachment<'a> {
    /// Its name, as it was sent; empty if it has none.
    pub name: &'a [u8],
    /// The nesting depth of its mail in other mails.
    pub depth: u8,
    /// Its text is reported anyway: only what is not text is new.
    pub is_reported: bool,
}

/// Takes the bytes of an attachment as they arrive.
pub trait AttachmentSink: fmt::Debug + Send {
    /// The next bytes, without their transfer encoding.
    fn take(&mut self, bytes: &[u8]);

    /// It has ended; `is_whole` unless bytes of it are missing.
    fn end(self: Box<Self>, is_whole: bool);

    /// Bytes that it holds in memory.
    fn weight(&self) -> usize;
}
