//! The Journal Export Format, in pieces
//! (<https://systemd.io/JOURNAL_EXPORT_FORMATS/>).

use crate::engine::indicator::Timestamp;
use crate::engine::progress::{Walk, bound};
use memchr::memchr;

/// The maximum length of a value that is kept. Longer ones are cut.
pub const MAX_FIELD: usize = bound(1 << 20, 32);

/// The maximum number of texts of an entry, and their total size in bytes: journald accepts 1,024
/// fields. The rest is cut.
const MAX_TEXTS: usize = bound(1 << 10, 4);
const MAX_ENTRY: usize = 16 * MAX_FIELD;

/// The maximum length of a field name: systemd allows 64.
const MAX_NAME: usize = 256;

/// The maximum plausible length of a value: journald accepts 768 MiB.
const MAX_LENGTH: u64 = 1 << 30;

/// A journal entry, with the fields that we need.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct JournalEntry {
    /// Its position: `--after-cursor` continues after it.
    pub cursor: String,
    /// When it was received by the journal.
    pub time: Option<Timestamp>,
    /// `_HOSTNAME`
    pub host: Vec<u8>,
    /// `SYSLOG_IDENTIFIER`, otherwise `_COMM`.
    pub app: Vec<u8>,
    /// `MESSAGE`, and the other requested fields.
    pub texts: Vec<Vec<u8>>,
    /// Whether one of them was cut.
    pub is_cut: bool,
}

/// The bytes are not in the format, and nothing after them can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenExport;

/// Reads entries from bytes that arrive in pieces. How they are split makes no difference.
#[derive(Clone, Debug)]
pub struct ExportReader {
    /// Names of fields, besides `MESSAGE`, whose values are texts.
    fields: Vec<String>,
    kept: Vec<u8>,
    /// The number of its bytes without a line break.
    searched: usize,
    state: State,
    entry: JournalEntry,
    /// Whether the entry has any field.
    is_begun: bool,
}

/// The position in the format.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// At the beginning of a line.
    Line,
    /// In a line whose value was cut.
    Skip,
    /// Before the length of a value.
    Length(Vec<u8>),
    /// In a value, with this many bytes missing.
    Value(Vec<u8>, Vec<u8>, u64),
    /// After such a value, before its line break.
    After,
}

impl ExportReader {
    /// A reader whose entries have the values of these fields as texts, besides `MESSAGE`.
    pub fn new(fields: &[String]) -> ExportReader {
        ExportReader {
            fields: fields.to_vec(),
            kept: Vec::new(),
            searched: 0,
            state: State::Line,
            entry: JournalEntry::default(),
            is_begun: false,
        }
    }

    /// Adds a piece; passes on each entry that is complete now.
    ///
    /// # Errors
    ///
    /// If the bytes are not in the format.
    pub fn push(
        &mut self,
        piece: &[u8],
        mut each: impl FnMut(&JournalEntry),
    ) -> Result<(), BrokenExport> {
        let mut kept = std::mem::take(&mut self.kept);
        let bytes = if kept.is_empty() {
            piece
        } else {
            kept.extend_from_slice(piece);
            &kept
        };
        let mut walk = Walk::over(bytes);
        while let Some(rest) = walk.rest() {
            match self.take(rest, &mut each)? {
                Some(taken) => walk.take(taken),
                None => break,
            }
        }
        // Only the beginning of a line is kept, and its bytes are moved once for each piece that
        // ends in it; a long line is already at the beginning of the buffer.
        self.kept = match kept.is_empty() {
            true => bytes.get(walk.at()..).unwrap_or_default().to_vec(),
            false => {
                kept.drain(..walk.at());
                kept
            }
        };
        Ok(())
    }

    /// Consumes what is at the beginning; `None` if there are too few bytes.
    fn take(
        &mut self,
        rest: &[u8],
        each: &mut impl FnMut(&JournalEntry),
    ) -> Result<Option<usize>, BrokenExport> {
        match &mut self.state {
            State::Line => self.take_line(rest, each),
            State::Skip => {
                let end = memchr(b'\n', rest);
                if end.is_some() {
                    self.state = State::Line;
                }
                Ok(Some(end.map_or(rest.len(), |end| end + 1)))
            }
            State::Length(name) => {
                let Some(length) = rest.first_chunk::<8>() else { return Ok(None) };
                let length = u64::from_le_bytes(*length);
                if length > MAX_LENGTH {
                    return Err(BrokenExport);
                }
                self.state = State::Value(std::mem::take(name), Vec::new(), length);
                // An empty value needs no more bytes.
                self.end_value();
                Ok(Some(8))
            }
            State::Value(_, value, missing) => {
                let taken = rest.len().min(usize::try_from(*missing).unwrap_or(usize::MAX));
                let room = MAX_FIELD.saturating_sub(value.len());
                value.extend_from_slice(&rest[..taken.min(room)]);
                self.entry.is_cut |= taken > room;
                *missing -= taken as u64;
                self.end_value();
                Ok(Some(taken))
            }
            State::After if rest.first() == Some(&b'\n') => {
                self.state = State::Line;
                Ok(Some(1))
            }
            State::After => Err(BrokenExport),
        }
    }

    fn take_line(
        &mut self,
        rest: &[u8],
        each: &mut impl FnMut(&JournalEntry),
    ) -> Result<Option<usize>, BrokenExport> {
        const MAX_LINE: usize = MAX_FIELD + MAX_NAME;
        let from = self.searched.min(rest.len());
        let found = memchr(b'\n', &rest[from..]).map(|at| from + at);
        self.searched = 0;
        match found.filter(|&end| end <= MAX_LINE) {
            Some(0) => {
                self.end_entry(each);
                Ok(Some(1))
            }
            Some(end) => {
                self.line(&rest[..end])?;
                Ok(Some(end + 1))
            }
            None if rest.len() > MAX_LINE => {
                self.line(&rest[..MAX_LINE])?;
                // A name of that length is invalid.
                if self.state != State::Line {
                    return Err(BrokenExport);
                }
                self.entry.is_cut = true;
                self.state = State::Skip;
                Ok(Some(MAX_LINE))
            }
            None => {
                self.searched = rest.len();
                Ok(None)
            }
        }
    }

    /// `NAME=value`, or the name of a value whose length comes next.
    fn line(&mut self, line: &[u8]) -> Result<(), BrokenExport> {
        let equals = memchr(b'=', line);
        let name = &line[..equals.unwrap_or(line.len())];
        let is_name = !name.is_empty()
            && name.len() <= MAX_NAME
            && name.iter().all(|byte| byte.is_ascii_graphic());
        if !is_name {
            return Err(BrokenExport);
        }
        self.is_begun = true;
        match equals {
            Some(equals) => {
                let value = &line[equals + 1..];
                self.entry.is_cut |= value.len() > MAX_FIELD;
                let value = &value[..value.len().min(MAX_FIELD)];
                put(&mut self.entry, &self.fields, name, value);
            }
            None => self.state = State::Length(name.to_vec()),
        }
        Ok(())
    }

    fn end_value(&mut self) {
        if let State::Value(name, value, 0) = &self.state {
            put(&mut self.entry, &self.fields, name, value);
            self.state = State::After;
        }
    }

    fn end_entry(&mut self, each: &mut impl FnMut(&JournalEntry)) {
        if std::mem::take(&mut self.is_begun) {
            each(&self.entry);
        }
        self.entry = JournalEntry::default();
    }
}

/// Stores a field in an entry.
fn put(entry: &mut JournalEntry, fields: &[String], name: &[u8], value: &[u8]) {
    match name {
        b"MESSAGE" => put_text(entry, Some(0), value),
        b"__CURSOR" => entry.cursor = String::from_utf8_lossy(value).into_owned(),
        b"_HOSTNAME" => entry.host = value.to_vec(),
        b"SYSLOG_IDENTIFIER" => entry.app = value.to_vec(),
        b"_COMM" if entry.app.is_empty() => entry.app = value.to_vec(),
        b"__REALTIME_TIMESTAMP" => {
            let text = str::from_utf8(value).unwrap_or_default();
            entry.time = text.parse().ok().map(Timestamp);
        }
        _ => {}
    }
    if fields.iter().any(|field| field.as_bytes() == name) && name != b"MESSAGE" {
        put_text(entry, None, value);
    }
}

/// Stores a text at an index, or after the others, as far as there is room.
fn put_text(entry: &mut JournalEntry, at: Option<usize>, value: &[u8]) {
    let used = || entry.texts.iter().map(Vec::len).sum::<usize>();
    if entry.texts.len() >= MAX_TEXTS || used() + value.len() > MAX_ENTRY {
        entry.is_cut = true;
        return;
    }
    entry.texts.insert(at.unwrap_or(entry.texts.len()), value.to_vec());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Stopwatch;
    use proptest::prelude::*;
    use std::time::Duration;

    /// Far less than quadratic time would take.
    const LONG: Duration = Duration::from_secs(60);

    fn entries<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> (Vec<JournalEntry>, bool) {
        let (mut reader, mut found) = (ExportReader::new(&["_EXE".to_string()]), Vec::new());
        for piece in pieces {
            if reader.push(piece, |entry| found.push(entry.clone())).is_err() {
                return (found, true);
            }
        }
        (found, false)
    }

    /// A field as written by `journalctl`.
    fn written(name: &str, value: &[u8]) -> Vec<u8> {
        let is_text = value.iter().all(|&byte| byte >= 32 || byte == 9);
        match is_text {
            true => [name.as_bytes(), b"=", value, b"\n"].concat(),
            false => {
                let length = (value.len() as u64).to_le_bytes();
                [name.as_bytes(), b"\n", &length, value, b"\n"].concat()
            }
        }
    }

    #[test]
    fn an_entry_is_read() {
        let stream = [
            written("__CURSOR", b"s=1;i=2"),
            written("__REALTIME_TIMESTAMP", b"1795478400000001"),
            written("_COMM", b"sshd"),
            written("SYSLOG_IDENTIFIER", b"sshd-session"),
            written("_HOSTNAME", b"web1"),
            written("_EXE", b"/usr/sbin/sshd"),
            written("MESSAGE", b"a\nb\xff"),
            written("EMPTY", b""),
            b"\n\n\n".to_vec(),
        ]
        .concat();
        let (found, is_broken) = entries([&*stream]);
        let want = JournalEntry {
            cursor: "s=1;i=2".into(),
            time: Some(Timestamp(1_795_478_400_000_001)),
            host: b"web1".to_vec(),
            app: b"sshd-session".to_vec(),
            texts: vec![b"a\nb\xff".to_vec(), b"/usr/sbin/sshd".to_vec()],
            is_cut: false,
        };
        assert_eq!((found, is_broken), (vec![want], false));
    }

    #[test]
    fn long_values_are_cut_and_what_follows_is_whole() {
        for byte in [b'x', 1] {
            for length in [MAX_FIELD - 1, MAX_FIELD, MAX_FIELD + 1, 3 * MAX_FIELD] {
                let stream = [
                    written("MESSAGE", &vec![byte; length]),
                    written("_HOSTNAME", b"h"),
                    b"\n".to_vec(),
                ]
                .concat();
                let (found, is_broken) = entries(stream.chunks(4096));
                assert!(!is_broken && found.len() == 1);
                assert_eq!(found[0].texts[0].len(), length.min(MAX_FIELD), "{length}");
                assert_eq!(found[0].is_cut, length > MAX_FIELD);
                assert_eq!(found[0].host, b"h");
            }
        }
    }

    #[test]
    fn what_is_no_export_is_broken() {
        let endless = [&b"A\n"[..], &[0xff; 8], b"x"].concat();
        for stream in [&b"=value\n"[..], b"A B=1\n", b"A\n\x01\0\0\0\0\0\0\0xy", &endless] {
            assert!(entries([stream]).1, "{stream:?}");
            assert!(entries(stream.chunks(1)).1, "{stream:?}");
        }
        assert!(!entries([&b"A\n\x01\0"[..]]).1);
    }

    #[test]
    fn an_entry_without_end_is_bounded() {
        let watch = Stopwatch::start();
        let mut stream = b"MESSAGE=x\n".repeat(400_000);
        stream.extend_from_slice(b"_HOSTNAME=h\n\n");
        let (found, is_broken) = entries(stream.chunks(4096));
        assert!(!is_broken && found.len() == 1 && found[0].is_cut);
        assert_eq!((found[0].texts.len(), &*found[0].host), (MAX_TEXTS, &b"h"[..]));
        let long = written("MESSAGE", &vec![b'x'; MAX_FIELD]).repeat(20);
        let (found, _) = entries([&*long, b"\n"]);
        assert!(found[0].is_cut && found[0].texts.len() == 16);
        assert!(watch.elapsed() < LONG, "{:?}", watch.elapsed());
    }

    #[test]
    fn work_is_linear_byte_by_byte() {
        let watch = Stopwatch::start();
        let small = [written("MESSAGE", b"x"), b"\n".to_vec()].concat().repeat(100_000);
        let stream = [
            written("MESSAGE", &vec![b'x'; MAX_FIELD]),
            written("_EXE", &vec![1; 2 * MAX_FIELD]),
            b"\n".to_vec(),
            small,
        ];
        let stream = stream.concat();
        assert!(stream.len() > 4 << 20);
        let (found, is_broken) = entries(stream.chunks(1));
        assert!(!is_broken && found.len() == 100_001);
        assert!(watch.elapsed() < LONG, "{:?}", watch.elapsed());
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_however_it_is_cut(
            all in prop::collection::vec(
                prop::collection::vec(
                    (
                        prop::sample::select(vec!["MESSAGE", "_EXE", "_HOSTNAME", "OTHER"]),
                        prop::collection::vec(prop_oneof![Just(b'a'), Just(b'\n'), any::<u8>()], 0..20),
                    ),
                    1..5,
                ),
                0..6,
            ),
            size in 1..40usize,
        ) {
            let mut stream = Vec::new();
            let mut want = Vec::new();
            for (number, fields) in all.iter().enumerate() {
                let cursor = format!("s={number}");
                let mut entry = JournalEntry { cursor, ..JournalEntry::default() };
                stream.extend(written("__CURSOR", entry.cursor.as_bytes()));
                for (name, value) in fields {
                    stream.extend(written(name, value));
                    match *name {
                        "MESSAGE" => entry.texts.insert(0, value.clone()),
                        "_EXE" => entry.texts.push(value.clone()),
                        "_HOSTNAME" => entry.host = value.clone(),
                        _ => {}
                    }
                }
                stream.push(b'\n');
                want.push(entry);
            }
            let want = (want, false);
            prop_assert_eq!(&entries([&*stream]), &want);
            prop_assert_eq!(&entries(stream.chunks(size)), &want);
        }

        #[test]
        fn anything_is_the_same_however_it_is_cut(
            stream in prop::collection::vec(
                prop_oneof![4 => prop::sample::select(&b"A=\n\x01\0"[..]), 1 => any::<u8>()],
                0..60,
            ),
            size in 1..20usize,
        ) {
            prop_assert_eq!(entries([&*stream]), entries(stream.chunks(size)));
        }
    }
}
