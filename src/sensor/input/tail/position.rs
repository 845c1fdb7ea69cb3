//! How far a stream was read.

use super::content::Content;
use super::text::Text;
use std::sync::Arc;

/// How far a stream was read, and what was there: passed to [`Tail::safe`](super::Tail::safe) and
/// stored in checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The stream: a random number, assigned when a generation of a log is first seen.
    pub stream: u64,
    /// Bytes of the stream before it, decompressed.
    pub offset: u64,
    /// The number of the line there, from 1; `None` if the lines before it were not counted.
    pub line: Option<u64>,
    /// Where in a line it is.
    pub within: Within,
    /// What the stream contains before the offset.
    pub content: Content,
    /// Header lines after the stream's first 4 KiB that apply here.
    pub headers: Arc<[u8]>,
}

/// Where in a line a position is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Within {
    /// At its beginning.
    #[default]
    Start,
    /// In a line that is too long: the rest of it is skipped.
    Skipped,
    /// After a part that was returned because nothing followed it for a long time.
    Flushed,
}

impl Position {
    /// The beginning of a stream.
    pub(super) fn start(stream: u64) -> Position {
        Position {
            stream,
            offset: 0,
            line: Some(1),
            within: Within::Start,
            content: Content::empty(),
            headers: Arc::default(),
        }
    }
}

/// A piece of a log: whole lines, one after the other.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The stream that it belongs to; see [`Position::stream`].
    pub stream: u64,
    /// The name of the file in alerts: its path when the piece was read.
    pub path: Arc<str>,
    /// Its offset in the stream, in bytes, decompressed.
    pub offset: u64,
    /// The number of its first line, from 1; `None` if the lines before it were not counted.
    pub line: Option<u64>,
    /// Its lines, converted to UTF-8 if the file has wide characters, without a byte order mark.
    pub bytes: Text,
    /// The first lines of the stream and later header lines that apply here: what names the fields
    /// of its lines, if anything does. At most 4 KiB each.
    pub header: Arc<[u8]>,
    /// Whether it begins within a line, the first part of which was returned before.
    pub is_rest: bool,
    /// How its last line ends.
    pub ending: Ending,
    /// The position after it.
    pub end: Position,
    /// Bytes of the file per unit of its encoding: 1, or 2 and 4 for wide characters.
    pub(super) unit: u8,
}

/// How the last line of a piece ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With a line feed.
    Line,
    /// The line is too long, and the rest is skipped.
    Cut,
    /// Without a line feed: the file is no longer written to, or NULs follow.
    Last,
    /// Without a line feed: nothing followed for a long time.
    Flushed,
}

impl Piece {
    /// The number of lines that end in it.
    pub fn lines(&self) -> u64 {
        match self.end.line.zip(self.line) {
            Some((end, line)) => end.saturating_sub(line),
            None => memchr::memchr_iter(b'\n', &self.bytes).count() as u64,
        }
    }

    /// The position in the stream of something in [`Piece::bytes`]. With wide characters it is
    /// computed from the text, which is exact unless the file contains unpaired surrogates.
    pub fn offset_of(&self, at: usize) -> u64 {
        let before = self.bytes.get(..at).unwrap_or(&self.bytes);
        let bytes = match self.unit {
            1 => before.len(),
            2 => String::from_utf8_lossy(before).encode_utf16().count() * 2,
            _ => String::from_utf8_lossy(before).chars().count() * 4,
        };
        self.offset.saturating_add(bytes as u64)
    }
}
