//! How far a stream was read.

use super::content::Content;
use std::sync::Arc;

/// How far a stream was read, and what was there: what [`Tail::safe`](super::Tail::safe) takes and
/// a checkpoint keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The stream: a random number, given when a generation of a log is first seen.
    pub stream: u64,
    /// Bytes of the stream before it, decompressed.
    pub offset: u64,
    /// The number of the line there, from 1; none where nobody counted the lines before it.
    pub line: Option<u64>,
    /// What comes next there.
    pub within: Within,
    /// What the stream holds before the offset.
    pub content: Content,
    /// Header lines that came after the stream's first 4 KiB and count there.
    pub headers: Arc<[u8]>,
}

/// Where in a line a position is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Within {
    /// At its beginning.
    #[default]
    Start,
    /// In one that is too long: the rest of it is skipped.
    Skipped,
    /// After a part that was given out because nothing followed it for long.
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
    /// The stream that it is of; see [`Position::stream`].
    pub stream: u64,
    /// What alerts call the file: its path when the piece was read.
    pub path: Arc<str>,
    /// Where it begins in the stream, in bytes, decompressed.
    pub offset: u64,
    /// The number of its first line, from 1; none where nobody counted the lines before it.
    pub line: Option<u64>,
    /// Its lines, in UTF-8 where the file is in wide characters, without a byte order mark.
    pub bytes: Vec<u8>,
    /// The first lines of the stream and the header lines after them that count here: what names
    /// the fields of its lines, if anything does. At most 4 KiB and 4 KiB.
    pub header: Arc<[u8]>,
    /// Whether it begins in the middle of a line, the first part of which was given out.
    pub is_rest: bool,
    /// How its last line ends.
    pub ending: Ending,
    /// What is read when all of it is.
    pub end: Position,
    /// Bytes of the file for each unit of what it is written in: 1, or 2 and 4 for wide characters.
    pub(super) unit: u8,
}

/// How the last line of a piece ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With a line feed.
    Line,
    /// It is longer than a line may be, and the rest is skipped.
    Cut,
    /// Without a line feed: nobody writes the file any more, or NULs follow.
    Last,
    /// Without a line feed: nothing followed for long.
    Flushed,
}

impl Piece {
    /// How many lines end in it.
    pub fn lines(&self) -> u64 {
        match self.end.line.zip(self.line) {
            Some((end, line)) => end.saturating_sub(line),
            None => memchr::memchr_iter(b'\n', &self.bytes).count() as u64,
        }
    }

    /// Where something in [`Piece::bytes`] is in the stream. With wide characters it is counted
    /// from the text, which is exact unless the file holds halves of pairs.
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
