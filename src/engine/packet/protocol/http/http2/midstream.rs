//! HTTP/2 captured from the middle, for example if a capture begins after the preface.
//!
//! A direction is recognised as HTTP/2 if a segment begins with consecutive frames that look like
//! those of any encoder, and one complete header block among them is a valid head of a request or
//! response (RFC 9113, 8.3): its pseudo-header fields come first and once each, names are in
//! lower case, and there are method and scheme or path, or a status. Which of the two it is
//! determines the side. Fields that refer to the table, which is unknown, are neutral.
//!
//! The nine bytes of a frame header rule out all but one of 2^30 chances, and a block that ends
//! exactly with its frame most of the rest. So no other protocol is mistaken for it, but blocks
//! longer than their segment are missed, and those that only consist of references.

use super::frame::{self, Frame};
use super::hpack::{Decoder, Field};
use crate::engine::progress::bound;

/// The highest stream that is believed before any was seen: larger numbers could be anything.
const MAX_STREAM: u32 = 1 << 24;

/// The maximum number of bytes before the first block that decides.
const MAX_AWAITED: usize = bound(64 << 10, 256);

/// The result for some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// Frames of a client, or of a server.
    Side(bool),
    /// This many bytes are needed to decide.
    Wants(usize),
    No,
}

/// Detects whether data begins with HTTP/2 frames, and from which side they are.
pub(super) fn join(data: &[u8]) -> Joined {
    let (mut at, mut last) = (0, None);
    while at <= MAX_AWAITED {
        let rest = data.get(at..).unwrap_or_default();
        let Some(frame) = likely_frame(rest, last) else {
            let is_short = rest.len() < frame::HEADER && may_begin(rest);
            return if is_short { Joined::Wants(at + frame::HEADER) } else { Joined::No };
        };
        if frame.stream != 0 {
            last = last.max(Some(frame.stream));
        }
        let end = at + frame::HEADER + frame.length;
        if frame.kind == frame::HEADERS {
            let Some(contents) = data.get(at + frame::HEADER..end) else {
                return Joined::Wants(end);
            };
            match block(&frame, contents) {
                Some(Some(is_client)) => {
                    // What follows must also be a frame, as far as it has arrived.
                    let next = data.get(end..).unwrap_or_default();
                    let is_good = match next.len() {
                        0..frame::HEADER => may_begin(next),
                        _ => likely_frame(next, last).is_some(),
                    };
                    return if is_good { Joined::Side(is_client) } else { Joined::No };
                }
                // Trailers, or only references.
                Some(None) => {}
                None => return Joined::No,
            }
        }
        at = end;
    }
    Joined::No
}

/// The frame that bytes begin with, if they look like one. `last` is the latest stream that was
/// seen.
fn likely_frame(data: &[u8], last: Option<u32>) -> Option<Frame> {
    let header = data.first_chunk()?;
    let frame = Frame::parse(header)?;
    // Pushes are rare, but may follow a block.
    let is_push = frame.kind == frame::PUSH_PROMISE && last.is_some() && frame.is_sound();
    let max = last.unwrap_or(MAX_STREAM);
    (is_push || frame::is_likely(header, max)).then_some(frame)
}

/// Whether a frame header may begin with some bytes, which are too few for one.
fn may_begin(data: &[u8]) -> bool {
    data.first().is_none_or(|&length| length == 0)
        && data.get(3).is_none_or(|&kind| kind <= frame::CONTINUATION)
        && data.get(5).is_none_or(|&stream| stream == 0)
}

/// The kind of a block: a client's request, a server's response, or undecided. `None` if it is
/// not a block.
fn block(frame: &Frame, contents: &[u8]) -> Option<Option<bool>> {
    if !frame.ends_headers() || frame.stream.is_multiple_of(2) {
        return None;
    }
    let (length, _) = frame.split(contents.get(..frame.prefix())?)?;
    let fields = contents.get(frame.prefix()..)?.get(..length)?;
    let (mut decoder, mut head) = (Decoder::midstream(), Head::default());
    decoder.push(fields, &mut |field| head.take(field)).ok()?;
    (decoder.end() && !head.is_bad).then(|| head.side())
}

/// The pseudo-header fields.
const METHOD: u8 = 1;
const SCHEME: u8 = 2;
const PATH: u8 = 4;
const AUTHORITY: u8 = 8;
const PROTOCOL: u8 = 16;
const STATUS: u8 = 32;

/// What was seen of a block.
#[derive(Debug, Default)]
struct Head {
    /// Pseudo-header fields.
    pseudo: u8,
    /// Whether there was any field, and any regular field.
    has_fields: bool,
    has_regular: bool,
    is_bad: bool,
}

impl Head {
    fn take(&mut self, field: Field<'_>) {
        let is_first = !std::mem::replace(&mut self.has_fields, true);
        let Some(name) = field.name else { return };
        let value = field.value.unwrap_or_default();
        let is_visible = value.iter().all(|&b| b == b'\t' || (b >= b' ' && b != 0x7f));
        let Some(pseudo) = name.strip_prefix(b":") else {
            self.has_regular = true;
            let is_of_name = |b: &u8| b.is_ascii_graphic() && !b.is_ascii_uppercase();
            self.is_bad |= name.is_empty() || !name.iter().all(is_of_name) || !is_visible;
            return;
        };
        let (bit, is_good) = match pseudo {
            b"method" => (METHOD, value.iter().all(u8::is_ascii_uppercase)),
            b"scheme" => (SCHEME, value.iter().all(u8::is_ascii_lowercase)),
            b"path" => (PATH, matches!(value, [] | [b'/' | b'*', ..])),
            b"authority" => (AUTHORITY, true),
            b"protocol" => (PROTOCOL, true),
            b"status" => {
                let is_number = value.len() == 3 && value.iter().all(u8::is_ascii_digit);
                (STATUS, is_first && (is_number || field.value.is_none()))
            }
            _ => (0, false),
        };
        self.is_bad |= !is_good || !is_visible || self.has_regular || self.pseudo & bit != 0;
        // A field without a known value decides nothing.
        self.pseudo |= if field.value.is_some() { bit } else { 0 };
    }

    /// Whether it is a client's, if that is decided.
    fn side(&self) -> Option<bool> {
        match self.pseudo {
            0 => None,
            STATUS => Some(false),
            pseudo if pseudo & STATUS != 0 => None,
            pseudo => (pseudo & METHOD != 0 && pseudo & (SCHEME | PATH) != 0).then_some(true),
        }
    }
}

#[cfg(test)]
mod tests;
