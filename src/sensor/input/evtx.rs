//! Windows event logs, EVTX: each record becomes a line of JSON.
//!
//! The crate `evtx` reads chunks; this walks over them in order, because a chunk doesn't depend on
//! others. A line is `{"time":"…","Event":{…}}`: the time is the event's own (`SystemTime`), and
//! comes first, as in logs. Damaged records are left out, counted, and reported at the end.

use evtx::{EvtxChunkData, ParserSettings};
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Sizes of a file header and a chunk (libevtx's documentation, 2 and 3; `[MS-EVEN6]` doesn't
/// define them).
const HEADER: usize = 4 << 10;
const CHUNK: usize = 64 << 10;

/// The maximum size of the records of a chunk. Records share templates, so a crafted chunk could
/// expand to thousands of times its size.
const MAX_LINES: usize = 16 << 20;

/// Windows events as lines of JSON.
pub struct Events<R> {
    inner: R,
    settings: Arc<ParserSettings>,
    is_begun: bool,
    is_over: bool,
    lines: Vec<u8>,
    at: usize,
    damaged: u64,
}

impl<R> std::fmt::Debug for Events<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").field("damaged", &self.damaged).finish_non_exhaustive()
    }
}

impl<R: Read> Events<R> {
    /// Reads events from the bytes of a file.
    pub fn new(inner: R) -> Events<R> {
        Events {
            inner,
            settings: Arc::new(ParserSettings::new().indent(false)),
            is_begun: false,
            is_over: false,
            lines: Vec::new(),
            at: 0,
            damaged: 0,
        }
    }

    /// Reads a chunk, if there is one, and converts it to lines.
    fn fill(&mut self) -> io::Result<()> {
        self.lines.clear();
        self.at = 0;
        if !self.is_begun {
            let header = (&mut self.inner).take(HEADER as u64);
            io::copy(&mut { header }, &mut io::sink())?;
        }
        let mut chunk = Vec::with_capacity(CHUNK);
        (&mut self.inner).take(CHUNK as u64).read_to_end(&mut chunk)?;
        // A log without events has a chunk as well.
        let is_first = !std::mem::replace(&mut self.is_begun, true);
        if chunk.len() < CHUNK {
            self.is_over = true;
            let is_missing = is_first && chunk.is_empty();
            self.damaged += u64::from(is_missing || chunk.iter().any(|&b| b != 0));
        }
        // Files are allocated larger than their contents.
        if chunk.iter().all(|&b| b == 0) {
            return Ok(());
        }
        chunk.resize(CHUNK, 0);
        let Events { settings, lines, damaged, .. } = self;
        // The crate slices by lengths in damaged chunks; if it panics, the chunk counts as damaged.
        let read = catch_unwind(AssertUnwindSafe(|| records(chunk, settings, lines, damaged)));
        if read.is_err() {
            *damaged += 1;
        }
        Ok(())
    }
}

/// Appends the records of a chunk as lines, and counts the unreadable ones.
fn records(chunk: Vec<u8>, settings: &Arc<ParserSettings>, lines: &mut Vec<u8>, damaged: &mut u64) {
    let Ok(mut chunk) = EvtxChunkData::new(chunk, false) else {
        *damaged += 1;
        return;
    };
    let Ok(mut chunk) = chunk.parse(Arc::clone(settings)) else {
        *damaged += 1;
        return;
    };
    for record in chunk.iter() {
        let record = record.and_then(|record| record.into_json());
        match record {
            Ok(record) if lines.len() + record.data.len() <= MAX_LINES => {
                let own = record.timestamp.to_string();
                let time = system_time(&record.data).unwrap_or(&own);
                let rest = record.data.trim_start().strip_prefix('{').unwrap_or("}");
                lines.extend_from_slice(br#"{"time":""#);
                lines.extend_from_slice(time.as_bytes());
                lines.extend_from_slice(br#"","#);
                lines.extend(rest.bytes().filter(|&b| b != b'\n'));
                lines.push(b'\n');
            }
            Ok(_) => {
                *damaged += 1;
                return;
            }
            Err(_) => *damaged += 1,
        }
    }
}

/// The first `SystemTime` of an event: that of its `System`, which comes first.
fn system_time(event: &str) -> Option<&str> {
    const NAME: &str = r#""SystemTime":""#;
    let at = event.find(NAME)? + NAME.len();
    let time = event.get(at..)?.split('"').next()?;
    time.bytes().all(|b| b.is_ascii_graphic() || b == b' ').then_some(time)
}

impl<R: Read> Read for Events<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.lines.len() && !self.is_over {
            self.fill()?;
        }
        let given = buffer.len().min(self.lines.len() - self.at);
        buffer[..given].copy_from_slice(&self.lines[self.at..self.at + given]);
        self.at += given;
        if given == 0 && !buffer.is_empty() && self.damaged > 0 {
            let count = std::mem::take(&mut self.damaged);
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{count} damaged events or chunks were skipped"),
            ));
        }
        Ok(given)
    }
}
