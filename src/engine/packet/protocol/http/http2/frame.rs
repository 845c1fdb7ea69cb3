//! Frames (RFC 9113, 4.1 and 6): their header, and the prefix of their contents.

use crate::engine::packet::bytes::{be24, be32};

/// Bytes of a frame's header.
pub(super) const HEADER: usize = 9;

/// The most bytes between the header and the contents: padding and priority.
const MAX_PREFIX: usize = 6;

/// When the next frame must be found, longer ones are not considered. More than 16 KiB are only
/// allowed if the other side offers it.
const MAX_FOUND: usize = 1 << 16;

/// Streams that may have been opened while nothing was captured.
const MAX_LOOKAHEAD: u32 = 1 << 11;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const CONTINUATION: u8 = 9;

const PRIORITY: u8 = 2;
pub(super) const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const WITH_PRIORITY: u8 = 0x20;

/// The header of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) length: usize,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl Frame {
    /// Parses a header; `None` if there are too few bytes.
    pub(super) fn parse(header: &[u8]) -> Option<Frame> {
        Some(Frame {
            length: be24(header, 0)? as usize,
            kind: *header.get(3)?,
            flags: *header.get(4)?,
            // The first bit is reserved, and must be ignored.
            stream: be32(header, 5)? & 0x7fff_ffff,
        })
    }

    pub(super) fn ends_stream(&self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.flags & END_STREAM != 0
    }

    pub(super) fn ends_headers(&self) -> bool {
        self.flags & END_HEADERS != 0
    }

    /// Whether SETTINGS acknowledge those of the other side.
    pub(super) fn is_acknowledgement(&self) -> bool {
        self.flags & ACK != 0
    }

    fn is_padded(&self) -> bool {
        matches!(self.kind, DATA | HEADERS | PUSH_PROMISE) && self.flags & PADDED != 0
    }

    /// The number of bytes before the contents.
    pub(super) fn prefix(&self) -> usize {
        let own = match self.kind {
            HEADERS if self.flags & WITH_PRIORITY != 0 => 5,
            PUSH_PROMISE => 4,
            _ => 0,
        };
        own + usize::from(self.is_padded())
    }

    /// Lengths of contents and padding, from the prefix. None if they do not fit.
    pub(super) fn split(&self, prefix: &[u8]) -> Option<(usize, usize)> {
        let padding = if self.is_padded() { usize::from(*prefix.first()?) } else { 0 };
        let rest = self.length.checked_sub(self.prefix())?;
        Some((rest.checked_sub(padding)?, padding))
    }

    /// The stream that a PUSH_PROMISE announces.
    pub(super) fn promised(&self, prefix: &[u8]) -> u32 {
        be32(prefix, usize::from(self.is_padded())).unwrap_or_default() & 0x7fff_ffff
    }

    /// Whether the header is valid for its type.
    pub(super) fn is_sound(&self) -> bool {
        match self.kind {
            DATA | HEADERS | PUSH_PROMISE | CONTINUATION => {
                self.stream != 0 && self.length >= self.prefix()
            }
            PRIORITY => self.stream != 0 && self.length == 5,
            RST_STREAM => self.stream != 0 && self.length == 4,
            SETTINGS => {
                let is_empty = self.flags & ACK != 0;
                let is_whole = self.length.is_multiple_of(6) && (!is_empty || self.length == 0);
                self.stream == 0 && is_whole
            }
            PING => self.stream == 0 && self.length == 8,
            GOAWAY => self.stream == 0 && self.length >= 8,
            WINDOW_UPDATE => self.length == 4,
            // Extension frames must be ignored.
            _ => true,
        }
    }

    /// Whether it is the SETTINGS frame that a side begins with.
    pub(super) fn is_opening(&self) -> bool {
        self.kind == SETTINGS && self.flags == 0 && self.is_sound() && self.length <= MAX_FOUND
    }
}

/// Whether a frame is likely to begin with these bytes, at an unknown position. `last` is the
/// latest known stream.
pub(super) fn is_likely(header: &[u8; HEADER], last: u32) -> bool {
    let Some(frame) = Frame::parse(header) else { return false };
    let flags = match frame.kind {
        DATA => END_STREAM | PADDED,
        HEADERS => END_STREAM | END_HEADERS | PADDED | WITH_PRIORITY,
        SETTINGS | PING => ACK,
        PRIORITY | RST_STREAM | GOAWAY | WINDOW_UPDATE => 0,
        // A CONTINUATION alone cannot be decoded, and pushes are rare.
        _ => return false,
    };
    let has_use = match frame.kind {
        DATA => frame.length > 0 || frame.ends_stream(),
        HEADERS => frame.length > 0,
        _ => true,
    };
    let is_known = frame.stream <= last.saturating_add(MAX_LOOKAHEAD);
    let is_plain = header[5] & 0x80 == 0 && frame.flags & !flags == 0;
    is_plain && is_known && has_use && frame.length < MAX_FOUND && frame.is_sound()
}

/// The header of a frame and its prefix, as they arrive.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Start {
    bytes: [u8; HEADER + MAX_PREFIX],
    length: usize,
}

impl Start {
    /// Takes bytes up to this many in all; returns those after the first `from`, once complete.
    pub(super) fn fill(&mut self, rest: &mut &[u8], from: usize, max: usize) -> Option<&[u8]> {
        let wanted = max.saturating_sub(self.length).min(rest.len());
        let (new, after) = rest.split_at(wanted);
        if let Some(room) = self.bytes.get_mut(self.length..self.length + wanted) {
            room.copy_from_slice(new);
            self.length += wanted;
            *rest = after;
        }
        if self.length < max { None } else { self.bytes.get(from..max) }
    }

    /// Whether nothing has arrived.
    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Moves on by a byte in search of a header; returns whether one may begin with these bytes.
    pub(super) fn slide(&mut self, byte: u8, last: u32) -> bool {
        if self.length == HEADER {
            self.bytes.copy_within(1..HEADER, 0);
            self.length -= 1;
        }
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
        // The first and the fourth byte decide for most.
        self.length == HEADER
            && self.bytes[0] == 0
            && self.bytes[3] < CONTINUATION
            && self.bytes.first_chunk().is_some_and(|header| is_likely(header, last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_prefixes() {
        let frame = Frame::parse(b"\0\0\x14\x01\x2d\x80\0\0\x03more").unwrap();
        assert_eq!(frame, Frame { length: 20, kind: HEADERS, flags: 0x2d, stream: 3 });
        assert!(frame.ends_stream() && frame.ends_headers() && frame.is_sound());
        assert_eq!((frame.prefix(), frame.split(b"\x0e")), (6, Some((0, 14))));
        assert_eq!(frame.split(b"\x0f"), None);
        let push = Frame { kind: PUSH_PROMISE, ..frame };
        assert_eq!((push.prefix(), push.promised(b"\x02\x80\0\0\x08")), (5, 8));
        assert!(!push.ends_stream());
        assert_eq!(Frame::parse(b"\0\0\x14\x01\x2d\0\0\0"), None);
    }

    #[test]
    fn what_is_no_frame() {
        for (kind, flags, length, stream) in [
            (DATA, 0, 5, 0),
            (HEADERS, PADDED, 0, 1),
            (PRIORITY, 0, 4, 1),
            (SETTINGS, 0, 6, 1),
            (SETTINGS, 0, 7, 0),
            (SETTINGS, ACK, 6, 0),
            (PING, 0, 9, 0),
            (GOAWAY, 0, 7, 0),
            (WINDOW_UPDATE, 0, 5, 0),
            (RST_STREAM, 0, 4, 0),
        ] {
            assert!(!Frame { length, kind, flags, stream }.is_sound(), "{kind}");
        }
        assert!(Frame { length: 99, kind: 77, flags: 7, stream: 0 }.is_sound());
        assert!(is_likely(b"\0\0\x05\0\x01\0\0\0\x03", 1));
        assert!(!is_likely(b"\0\0\x05\0\x01\0\0\xff\x03", 1));
        assert!(!is_likely(&[0; HEADER], 1));
    }
}
