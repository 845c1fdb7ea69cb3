//! The index of a feed: its documents, and where its next walk begins.

use crate::engine::indicator::Timestamp;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use xxhash_rust::xxh3::xxh3_128;

/// The version of the file.
const VERSION: u32 = 1;

/// The length limit of the readable part of a file name.
const MAX_STEM: usize = 80;

/// The documents of a feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// By the name that the feed gives them.
    pub documents: BTreeMap<String, Document>,
    /// Where the walk stopped, or the validators of the last answer: text that only
    /// the fetching code understands.
    pub cursor: Option<String>,
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its file in `documents`.
    pub file: String,
    /// Its length in bytes, as sent.
    pub length: u64,
    /// A hash of its contents.
    pub hash: u128,
    /// When its contents last changed.
    pub changed: Timestamp,
}

impl Document {
    /// Describes a document before it is written.
    pub fn new(name: &str, bytes: &[u8], now: Timestamp) -> Document {
        let hash = xxh3_128(bytes);
        Document { file: file_name(name, hash), length: bytes.len() as u64, hash, changed: now }
    }
}

/// Makes a file name that every file system accepts and people recognise. The hash
/// keeps names apart that differ only in replaced characters.
pub(super) fn file_name(name: &str, hash: u128) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let stem: String = name.chars().take(MAX_STEM).map(plain).collect();
    let stem = stem.trim_start_matches('.');
    format!("{stem}-{:016x}", (hash >> 64) as u64)
}

/// The file's layout, one document per line.
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
    /// Parses the file.
    ///
    /// # Errors
    ///
    /// The bytes are not what [`Index::to_bytes`] writes.
    pub fn parse(bytes: &[u8]) -> Result<Index> {
        let form: Form = serde_json::from_slice(bytes).map_err(|e| broken(&e.to_string()))?;
        if form.version != VERSION {
            return Err(broken(&format!("unknown version {}", form.version)));
        }
        let mut index = Index { cursor: form.cursor, ..Index::default() };
        for row in form.documents {
            // A slash in a file name could lead out of the folder.
            let is_plain = !row.file.is_empty()
                && row.file.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
                && !row.file.starts_with('.');
            let hash = u128::from_str_radix(&row.hash, 16).ok();
            // A time that cannot be formatted again, with a year of five digits, is
            // not ours.
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

    /// Formats the file.
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

    /// The total length of the documents in bytes.
    pub fn length(&self) -> u64 {
        self.documents.values().map(|document| document.length).sum()
    }
}

fn broken(why: &str) -> Error {
    Error::format(format!("the index is damaged: {why}"))
        .remedy("remove the file, and the feed is fetched again")
}
