//! Refused records, which are kept in a file, with the reason, for someone to look at.

use crate::engine::indicator::Timestamp;
use crate::sensor::spool::RecordRef;
use serde::Serialize;
use serde_json::value::RawValue;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// From this size on a file is rotated; it replaces the one that was rotated before.
const MAX_BYTES: u64 = 64 << 20;

/// The file of a sink.
#[derive(Debug)]
pub(super) struct DeadLetters {
    path: PathBuf,
    max_bytes: u64,
    file: Option<File>,
}

/// A line of the file.
#[derive(Serialize)]
struct Letter<'a> {
    time: String,
    sink: &'a str,
    status: u16,
    reason: &'a str,
    id: String,
    alert: Alert<'a>,
}

/// The record, or a text if it isn't JSON.
#[derive(Serialize)]
#[serde(untagged)]
enum Alert<'a> {
    Json(&'a RawValue),
    Text(String),
}

impl DeadLetters {
    /// The file `folder/dead-letter/SINK.ndjson`, which is created with the first letter.
    pub(super) fn new(folder: &Path, sink: &str) -> Self {
        // The name of a sink must not be used as a path.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let name: String = sink.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
        let path = folder.join("dead-letter").join(format!("{name}.ndjson"));
        DeadLetters { path, max_bytes: MAX_BYTES, file: None }
    }

    /// Appends a letter.
    pub(super) fn write(
        &mut self,
        sink: &str,
        record: &RecordRef<'_>,
        (status, reason): (u16, &str),
        now: Timestamp,
    ) -> io::Result<()> {
        let alert = match serde_json::from_slice(record.json) {
            Ok(json) => Alert::Json(json),
            Err(_) => Alert::Text(String::from_utf8_lossy(record.json).into_owned()),
        };
        let letter =
            Letter { time: now.to_string(), sink, status, reason, id: record.hex(), alert };
        let mut line = serde_json::to_vec(&letter)?;
        line.push(b'\n');
        let file = self.file()?;
        let length = file.metadata()?.len();
        file.write_all(&line).inspect_err(|_| {
            let _ = file.set_len(length);
        })
    }

    /// Makes what was written survive a crash.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }

    fn file(&mut self) -> io::Result<&mut File> {
        let is_long = match &self.file {
            Some(file) => file.metadata()?.len() >= self.max_bytes,
            None => false,
        };
        if is_long {
            self.file = None;
            #[expect(clippy::disallowed_methods, reason = "a full log is rotated")]
            fs::rename(&self.path, self.path.with_extension("ndjson.1"))?;
        }
        match &mut self.file {
            Some(file) => Ok(file),
            none => {
                if let Some(folder) = self.path.parent() {
                    fs::create_dir_all(folder)?;
                }
                let file =
                    OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
                Ok(none.insert(file))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::spool::Record;

    #[test]
    fn letters_are_lines_of_json_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let mut dead = DeadLetters::new(folder.path(), "../a b");
        dead.max_bytes = 300;
        let now = Timestamp::parse("2026-11-29T12:00:00Z").unwrap();
        for json in ["{\"a\":1}", "no \"json\"\n", "{}", "[]"] {
            let record = Record::new([3; 16], 1, now, json.as_bytes());
            let record = RecordRef::of(&record, now);
            dead.write("../a b", &record, (400, "bad \u{1b}"), now).unwrap();
        }
        dead.sync().unwrap();
        let read = |name: &str| {
            let text = fs::read_to_string(folder.path().join("dead-letter").join(name)).unwrap();
            let lines =
                text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
            lines.collect::<Vec<_>>()
        };
        let first = read("___a_b.ndjson.1");
        assert_eq!(first[0]["alert"]["a"], 1);
        assert_eq!(first[0]["status"], 400);
        assert_eq!(first[0]["reason"], "bad \u{1b}");
        assert_eq!(first[0]["id"], "03".repeat(16));
        assert_eq!(first[1]["alert"], "no \"json\"");
        let second = read("___a_b.ndjson");
        assert!(!second.is_empty() && first.len() + second.len() == 4);
    }
}
