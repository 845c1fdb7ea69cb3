//! What receivers pass on: lines, and the sender of each.

use super::syslog::Message;
use crate::engine::indicator::Timestamp;
use hashbrown::HashMap;
use memchr::memchr_iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Names of hosts and programs longer than this are cut.
const MAX_NAME: usize = 255;

/// Bytes after which a batch is full.
pub const FULL: usize = 256 << 10;

/// Lines of text, each of which ends in LF, with what is known about each.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The lines.
    pub bytes: Vec<u8>,
    /// One entry for each line, in order.
    pub lines: Vec<Line>,
    /// Its number among the batches of its network input, from 1: pass it to
    /// [`NetInput::safe`](super::NetInput::safe) when the results of the batch are safe.
    pub position: u64,
    /// Where the next run resumes once this batch is safe: the journal's cursor, an offset.
    pub cursor: Option<String>,
    /// The part of the input that the cursor is of, if it has several: a partition.
    pub part: Option<Arc<str>>,
    /// The offsets of Kafka's records, with the numbers of their first lines, from 0. Empty if
    /// records have no offsets.
    pub records: Vec<(usize, i64)>,
    /// Where the position is published for waiting threads.
    pub(super) ticket: Option<Arc<AtomicU64>>,
}

/// A line of a batch, and its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its offset in the bytes of the batch.
    pub start: usize,
    /// The host that wrote it, by its own name.
    pub host: Option<Arc<str>>,
    /// The program that wrote it.
    pub app: Option<Arc<str>>,
    /// The peer that sent it: an address, the path of a socket, `journal`.
    pub peer: Arc<str>,
    /// When it was written, according to the sender.
    pub time: Option<Timestamp>,
    /// Whether it continues the record of the line before it.
    pub is_continuation: bool,
}

/// The sender of a record.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    pub(super) host: Option<Arc<str>>,
    pub(super) app: Option<Arc<str>>,
    pub(super) peer: Arc<str>,
    pub(super) time: Option<Timestamp>,
}

impl Batch {
    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The line that contains a byte of the batch, and its number, from 0.
    pub fn line_at(&self, offset: usize) -> Option<(usize, &Line)> {
        let number = self.lines.partition_point(|line| line.start <= offset).checked_sub(1)?;
        self.lines.get(number).filter(|_| offset < self.bytes.len()).map(|line| (number, line))
    }

    /// The record that a line belongs to: its offset, and the number of its first line.
    pub fn record_of(&self, line: usize) -> Option<(i64, usize)> {
        let number = self.records.partition_point(|(first, _)| *first <= line).checked_sub(1)?;
        self.records.get(number).map(|(first, offset)| (*offset, *first))
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= FULL
    }

    /// Adds a text that may have line breaks: each non-empty part is a line. `is_continuation`: it belongs
    /// to the previous record. Returns the number of lines.
    pub(super) fn add(&mut self, text: &[u8], writer: &Writer, is_continuation: bool) -> usize {
        let before = self.lines.len();
        let mut from = 0;
        for end in memchr_iter(b'\n', text).chain([text.len()]) {
            let line = text.get(from..end).unwrap_or_default();
            from = end + 1;
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                let is_continuation = is_continuation || self.lines.len() > before;
                self.add_line(line, writer, is_continuation);
            }
        }
        self.lines.len() - before
    }

    fn add_line(&mut self, line: &[u8], writer: &Writer, is_continuation: bool) {
        self.lines.push(Line {
            start: self.bytes.len(),
            host: writer.host.clone(),
            app: writer.app.clone(),
            peer: Arc::clone(&writer.peer),
            time: writer.time,
            is_continuation,
        });
        self.bytes.extend_from_slice(line);
        self.bytes.push(b'\n');
    }

    /// Adds a line of which only the peer is known.
    pub(super) fn add_plain(&mut self, line: &[u8], peer: &Arc<str>) {
        let writer = Writer { host: None, app: None, peer: Arc::clone(peer), time: None };
        self.add(line, &writer, false);
    }

    /// Adds a syslog message: its text, and the values of its structured data as a separate line.
    pub(super) fn add_message(
        &mut self,
        message: &Message<'_>,
        names: &mut Names,
        peer: &Arc<str>,
    ) {
        let writer = Writer {
            host: message.host.and_then(|host| names.of(host)),
            app: message.app.and_then(|app| names.of(app)),
            peer: Arc::clone(peer),
            time: message.time,
        };
        let has_text = self.add(message.text, &writer, false) > 0;
        let mut data = Vec::new();
        for (_, name, value) in message.values().filter(|(_, _, value)| !value.is_empty()) {
            if !data.is_empty() {
                data.push(b' ');
            }
            data.extend_from_slice(name);
            data.extend_from_slice(b"=\"");
            data.extend_from_slice(&value);
            data.push(b'"');
        }
        self.add(&data, &writer, has_text);
    }

    pub(super) fn publish_position(&self) {
        if let Some(ticket) = &self.ticket {
            ticket.store(self.position, Ordering::Release);
        }
    }
}

/// Recurring names, each stored once.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(HashMap<Box<[u8]>, Arc<str>>);

impl Names {
    /// A name as text; `None` for an empty one.
    pub(super) fn of(&mut self, name: &[u8]) -> Option<Arc<str>> {
        /// The maximum number of names of one sender. A sender with more of them makes them up.
        const MAX_KEPT: usize = 256;
        let name = name.get(..MAX_NAME).unwrap_or(name);
        if name.is_empty() {
            return None;
        }
        if let Some(known) = self.0.get(name) {
            return Some(Arc::clone(known));
        }
        if self.0.len() >= MAX_KEPT {
            self.0.clear();
        }
        let text: Arc<str> = String::from_utf8_lossy(name).into();
        self.0.insert(name.into(), Arc::clone(&text));
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::super::syslog::Clock;
    use super::*;

    fn writer() -> Writer {
        Writer { host: None, app: None, peer: "peer".into(), time: None }
    }

    #[test]
    fn lines_of_records() {
        let mut batch = Batch::default();
        assert_eq!(batch.add(b"one\r\n\ntwo", &writer(), false), 2);
        assert_eq!(batch.add(b"", &writer(), false), 0);
        assert_eq!(batch.add(b"three\n", &writer(), false), 1);
        assert_eq!(batch.bytes, b"one\ntwo\nthree\n");
        let is_continuation: Vec<bool> =
            batch.lines.iter().map(|line| line.is_continuation).collect();
        assert_eq!(is_continuation, [false, true, false]);
        let numbers = [0, 3, 4, 7, 8, 13, 14].map(|at| batch.line_at(at).map(|(n, _)| n));
        assert_eq!(numbers, [Some(0), Some(0), Some(1), Some(1), Some(2), Some(2), None]);
    }

    #[test]
    fn data_is_a_line_of_its_own() {
        let (mut batch, mut names) = (Batch::default(), Names::default());
        let peer: Arc<str> = "192.0.2.1".into();
        for frame in [
            &br#"<34>1 - h a - - [x a="evil.example" b=""][y c="2\]"] a text"#[..],
            b"<34>1 - h a - - [x a=\"only data\"]",
            b"<34>1 - h a - - [x a=\"\"]",
        ] {
            batch.add_message(&Message::parse(frame, &Clock::default()), &mut names, &peer);
        }
        assert_eq!(batch.bytes, b"a text\na=\"evil.example\" c=\"2]\"\na=\"only data\"\n");
        let is_continuation: Vec<bool> =
            batch.lines.iter().map(|line| line.is_continuation).collect();
        assert_eq!(is_continuation, [false, true, false]);
        // Names are stored once.
        let hosts: Vec<_> = batch.lines.iter().filter_map(|line| line.host.as_ref()).collect();
        assert!(hosts.len() == 3 && Arc::ptr_eq(hosts[0], hosts[2]));
    }

    #[test]
    fn names_are_bounded() {
        let mut names = Names::default();
        for n in 0..1000 {
            assert_eq!(names.of(format!("n{n}").as_bytes()).as_deref(), Some(&*format!("n{n}")));
        }
        assert!(names.0.len() <= 256);
        assert_eq!(names.of(&[b'x'; 9999]).unwrap().len(), MAX_NAME);
        assert_eq!(names.of(b"a\xffb").as_deref(), Some("a\u{fffd}b"));
        assert_eq!(names.of(b""), None);
    }
}
