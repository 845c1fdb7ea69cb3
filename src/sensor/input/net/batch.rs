//! What receivers hand on: lines, and who wrote each.

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

/// Lines of text, each of which ends in LF, and what is known about each.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The lines.
    pub bytes: Vec<u8>,
    /// One for each, in order.
    pub lines: Vec<Line>,
    /// Its number among the batches of its intake, from 1: what [`Intake::safe`](super::Intake::safe)
    /// is given when all that came of the batch is safe.
    pub position: u64,
    /// Where the next run goes on once this batch is safe: the journal's cursor.
    pub cursor: Option<String>,
    /// Where the position is told to those who wait for it.
    pub(super) ticket: Option<Arc<AtomicU64>>,
}

/// A line of a batch, and who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it begins in the bytes of the batch.
    pub start: usize,
    /// The host that wrote it, as it calls itself.
    pub host: Option<Arc<str>>,
    /// The program that wrote it.
    pub app: Option<Arc<str>>,
    /// Who sent it to us: an address, the path of a socket, `journal`.
    pub peer: Arc<str>,
    /// When it was written, as the sender says.
    pub time: Option<Timestamp>,
    /// Whether it goes on with the record of the line before it.
    pub goes_on: bool,
}

/// Who wrote a record.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    pub(super) host: Option<Arc<str>>,
    pub(super) app: Option<Arc<str>>,
    pub(super) peer: Arc<str>,
    pub(super) time: Option<Timestamp>,
}

impl Batch {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The line that a byte of the batch lies in, and its number, from 0.
    pub fn line_at(&self, offset: usize) -> Option<(usize, &Line)> {
        let number = self.lines.partition_point(|line| line.start <= offset).checked_sub(1)?;
        self.lines.get(number).filter(|_| offset < self.bytes.len()).map(|line| (number, line))
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= FULL
    }

    /// Adds a text that may have line breaks: each part of it that is not empty is a line.
    /// `goes_on`: it belongs to the record before it. Returns how many lines that is.
    pub(super) fn add(&mut self, text: &[u8], writer: &Writer, goes_on: bool) -> usize {
        let before = self.lines.len();
        let mut from = 0;
        for end in memchr_iter(b'\n', text).chain([text.len()]) {
            let line = text.get(from..end).unwrap_or_default();
            from = end + 1;
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                let goes_on = goes_on || self.lines.len() > before;
                self.add_line(line, writer, goes_on);
            }
        }
        self.lines.len() - before
    }

    fn add_line(&mut self, line: &[u8], writer: &Writer, goes_on: bool) {
        self.lines.push(Line {
            start: self.bytes.len(),
            host: writer.host.clone(),
            app: writer.app.clone(),
            peer: Arc::clone(&writer.peer),
            time: writer.time,
            goes_on,
        });
        self.bytes.extend_from_slice(line);
        self.bytes.push(b'\n');
    }

    /// Adds a line of which only the sender is known.
    pub(super) fn add_plain(&mut self, line: &[u8], peer: &Arc<str>) {
        let writer = Writer { host: None, app: None, peer: Arc::clone(peer), time: None };
        self.add(line, &writer, false);
    }

    /// Adds a message of syslog: its text, and the values of its data as a line of their own.
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

    pub(super) fn tell_position(&self) {
        if let Some(ticket) = &self.ticket {
            ticket.store(self.position, Ordering::Release);
        }
    }
}

/// Names that come again and again, each kept once.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(HashMap<Box<[u8]>, Arc<str>>);

impl Names {
    /// A name as text; `None` for an empty one.
    pub(super) fn of(&mut self, name: &[u8]) -> Option<Arc<str>> {
        /// Names that one sender has at a time. More of them are made up.
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
        let goes_on: Vec<bool> = batch.lines.iter().map(|line| line.goes_on).collect();
        assert_eq!(goes_on, [false, true, false]);
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
        let goes_on: Vec<bool> = batch.lines.iter().map(|line| line.goes_on).collect();
        assert_eq!(goes_on, [false, true, false]);
        // Names are kept once.
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
