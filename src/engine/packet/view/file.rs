//! Files that are carried, as a visitor sees them.

use crate::engine::indicator;
use std::fmt;

/// A file as an alert tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileFacts<'a> {
    /// What carried it: `http`, `smtp`, `ftp`…
    pub protocol: &'static str,
    /// Its name, as it stood.
    pub name: Option<&'a [u8]>,
    /// The URL that it came by, where it is known.
    pub url: Option<&'a [u8]>,
    /// Bytes of its content that were seen, once it has ended.
    pub size: Option<u64>,
    /// Whether every byte of it was there, once it has ended.
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

/// A file that a visitor may want to look into, as into one on a disk.
#[derive(Clone, Copy, Debug)]
pub struct Attachment<'a> {
    /// Its name, as it stood; empty where it has none.
    pub name: &'a [u8],
    /// In how many mails its own mail lies.
    pub depth: u8,
    /// Its text is told anyhow: only what is no text is new.
    pub is_told: bool,
}

/// Takes the bytes of such a file as they come.
pub trait Parcel: fmt::Debug + Send {
    /// The next bytes, without their transfer encoding.
    fn take(&mut self, bytes: &[u8]);

    /// It has ended; `is_whole` unless bytes of it are missing.
    fn end(self: Box<Self>, is_whole: bool);

    /// Bytes that are held in memory for it.
    fn weight(&self) -> usize;
}
