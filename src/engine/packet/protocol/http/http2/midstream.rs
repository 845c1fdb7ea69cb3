//! HTTP/2 that is joined in its midst, as where a capture begins behind the preface.
//!
//! A direction is taken for one of HTTP/2 if a segment begins with frames, one behind the
//! other, that look like those of any encoder, and a whole header block among them reads
//! as the head of a request or of an answer (RFC 9113, 8.3): its fields with a colon come
//! first and once each, names are in lower case, and method and scheme or path are there,
//! or a status. Which of the two it is tells the side. Fields that refer to the table,
//! of which nothing is known, tell neither for it nor against it.
//!
//! Nine bytes of a frame's header rule out all but one of 2^30 chances, and a block that
//! ends where its frame does most of what is left. So no other protocol is mistaken for it,
//! but blocks are missed that are longer than their segment, and such of which only
//! references are left.

use super::frame::{self, Frame};
use super::hpack::{Decoder, Field};
use crate::engine::progress::bound;

/// The youngest stream that is believed before any was seen: larger numbers look like
/// anything.
const MAX_STREAM: u32 = 1 << 24;

/// Bytes in front of the first block that tells, at most.
const MAX_AWAITED: usize = bound(64 << 10, 256);

/// What some bytes look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// Frames of a client, or of a server.
    Side(bool),
    /// So many bytes are needed to tell.
    Wants(usize),
    No,
}

/// Looks whether data begins with frames of HTTP/2, and from whom they are.
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
                    // What follows is of the same kind, as far as it is there.
                    let next = data.get(end..).unwrap_or_default();
                    let is_good = match next.len() {
                        0..frame::HEADER => may_begin(next),
                        _ => likely_frame(next, last).is_some(),
                    };
                    return if is_good { Joined::Side(is_client) } else { Joined::No };
                }
                // Trailers, or nothing but references.
                Some(None) => {}
                None => return Joined::No,
            }
        }
        at = end;
    }
    Joined::No
}

/// The frame that bytes begin with, if it looks like one. `last` is the youngest stream
/// that was seen.
fn likely_frame(data: &[u8], last: Option<u32>) -> Option<Frame> {
    let header = data.first_chunk()?;
    let frame = Frame::parse(header)?;
    // A push is rare, and may follow a block.
    let is_push = frame.kind == frame::PUSH_PROMISE && last.is_some() && frame.is_sound();
    let most = last.unwrap_or(MAX_STREAM);
    (is_push || frame::is_likely(header, most)).then_some(frame)
}

/// Whether a header of a frame may begin with some bytes, which are too few for one.
fn may_begin(data: &[u8]) -> bool {
    data.first().is_none_or(|&length| length == 0)
        && data.get(3).is_none_or(|&kind| kind <= frame::CONTINUATION)
        && data.get(5).is_none_or(|&stream| stream == 0)
}

/// What a block is: of a client's request, of a server's answer, or of something that
/// tells nothing. None if it is no block.
fn block(frame: &Frame, contents: &[u8]) -> Option<Option<bool>> {
    if !frame.ends_headers() || frame.stream.is_multiple_of(2) {
        return None;
    }
    let (length, _) = frame.split(contents.get(..frame.prefix())?)?;
    let fields = contents.get(frame.prefix()..)?.get(..length)?;
    let (mut decoder, mut head) = (Decoder::midway(), Head::default());
    decoder.push(fields, &mut |field| head.take(field)).ok()?;
    (decoder.end() && !head.is_bad).then(|| head.side())
}

/// The fields with a colon in front.
const METHOD: u8 = 1;
const SCHEME: u8 = 2;
const PATH: u8 = 4;
const AUTHORITY: u8 = 8;
const PROTOCOL: u8 = 16;
const STATUS: u8 = 32;

/// What was seen of a block.
#[derive(Debug, Default)]
struct Head {
    /// Fields with a colon in front.
    pseudo: u8,
    /// Any field was there, and one without a colon.
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
        // Of what has no value nothing is known.
        self.pseudo |= if field.value.is_some() { bit } else { 0 };
    }

    /// Whether it is of a client, if it tells.
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
