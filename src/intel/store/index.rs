//! Which documents a feed has, and where its next walk begins.

use crate::engine::indicator::Timestamp;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use xxhash_rust::xxh3::xxh3_128;

/// The version of the file.
const VERSION: u32 = 1;

/// The longest readable part of a file's name.
const MAX_STEM: usize = 80;

/// The documents of a feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// By the name that the feed gives them.
    pub documents: BTreeMap<String, Document>,
    /// Where the walk is, or what the last answer said of itself: text that only those
    /// understand who fetch.
    pub cursor: Option<String>,
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its file in `documents`.
    pub file: String,
    /// Its length in bytes, as it was sent.
    pub length: u64,
    /// Names its contents.
    pub hash: u128,
    /// When it came to be what it is.
    pub changed: Timestamp,
}

impl Document {
    /// What there is to say about a document before it is written.
    pub fn new(name: &str, bytes: &[u8], now: Timestamp) -> Document {
        let hash = xxh3_128(bytes);
        Document { file: file_name(name, hash), length: bytes.len() as u64, hash, changed: now }
    }
}

/// A name that every file system takes and a person recognises.
pub(super) fn file_name(name: &str, hash: u128) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let stem: String = name.chars().take(MAX_STEM).map(plain).collect();
    let stem = stem.trim_start_matches('.');
    format!("{stem}-{:016x}", (hash >> 64) as u64)
}

/// The file, a document a line.
#[derive(Serialize, Deserialize)]
struct Form {
    version: u32,
    #[serde(default)]
    cursor: Option<String>,
    documents: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    name: String,
    file: String,
    length: u64,
    hash: String,
    changed: String,
}

impl Index {
    /// Reads the file's bytes.
    ///
    /// # Errors
    ///
    /// When they are not what [`Index::to_bytes`] writes.
    pub fn parse(bytes: &[u8]) -> Result<Index> {
        let form: Form = serde_json::from_slice(bytes).map_err(|e| broken(&e.to_string()))?;
        if form.version != VERSION {
            return Err(broken(&format!("version {} is unknown", form.version)));
        }
        let mut index = Index { cursor: form.cursor, ..Index::default() };
        for row in form.documents {
            // A file name with a slash would lead out of the folder.
            let is_plain = !row.file.is_empty()
                && row.file.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
                && !row.file.starts_with('.');
            let hash = u128::from_str_radix(&row.hash, 16).ok();
            // What cannot be written again is no time that we wrote: a year of five digits.
            let changed = Timestamp::parse(&row.changed)
                .filter(|time| Timestamp::parse(&time.to_string()) == Some(*time));
            let (true, Some(hash), Some(changed)) = (is_plain, hash, changed) else {
                return Err(broken(&format!("the document {:?}", row.name)));
            };
            let document = Document { file: row.file, length: row.length, hash, changed };
            index.documents.insert(row.name, document);
        }
        Ok(index)
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let cursor = serde_json::Value::from(self.cursor.as_deref());
        let mut text = format!("{{\"version\":{VERSION},\n\"cursor\":{cursor},\n\"documents\":[");
        for (at, (name, document)) in self.documents.iter().enumerate() {
            let name = serde_json::Value::from(&**name);
            let Document { file, length, hash, changed } = document;
            let comma = if at > 0 { "," } else { "" };
            let _ = write!(
                text,
                "{comma}\n{{\"name\":{name},\"file\":\"{file}\",\"length\":{length},\
                 \"hash\":\"{hash:032x}\",\"changed\":\"{changed}\"}}"
            );
        }
        text.push_str("\n]}\n");
        text.into_bytes()
    }

    /// Bytes of all documents.
    pub fn length(&self) -> u64 {
        self.documents.values().map(|document| document.length).sum()
    }
}

fn broken(why: &str) -> Error {
    Error::format(format!("the index is damaged: {why}"))
        .remedy("remove the file: the feed is then fetched anew")
}
