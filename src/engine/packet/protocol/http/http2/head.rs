//! The fields of a header block that are used.

use super::hpack::Field;
use crate::engine::packet::Fault;
use crate::engine::packet::protocol::http::message::{Request, Response};
use crate::engine::packet::protocol::http::naming::is_naming;
use crate::engine::packet::protocol::http::search::is_likely;
use crate::engine::progress::bound;

/// The most bytes of fields that are kept for a block.
const MAX_LIST: usize = bound(64 << 10, 256);

/// A larger buffer is freed after the block.
const MAX_KEPT: usize = bound(4 << 10, 64);

/// Fields that are always kept, besides those with a colon before the name and those that name
/// hosts.
const HEADERS: [&[u8]; 9] = [
    b"etag",
    b"host",
    b"referer",
    b"location",
    b"user-agent",
    b"content-type",
    b"content-range",
    b"content-encoding",
    b"content-disposition",
];

/// The position of a field in the text.
type Span = Option<(usize, usize)>;

/// The fields of a block.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// Lines of HTTP/1, so that the same code parses both. The authority becomes a Host before
    /// all others.
    lines: Vec<u8>,
    /// Method, scheme and path.
    text: Vec<u8>,
    method: Span,
    scheme: Span,
    path: Span,
    status: u16,
    has_authority: bool,
    /// Another protocol is requested (RFC 8441).
    is_other: bool,
    /// A field with a colon before the name was seen.
    is_head: bool,
    /// A field with an unknown name or value was seen.
    has_unknown: bool,
    /// A regular field was seen: no pseudo-header field may follow it (RFC 9113, 8.3).
    has_regular: bool,
    /// The authority was not seen, and may be one of the unknown fields.
    lacks_authority: bool,
    is_full: bool,
}

impl Head {
    /// A block begins.
    pub(super) fn clear(&mut self) {
        let Head { mut lines, mut text, .. } = std::mem::take(self);
        (lines, text) = (reuse(lines), reuse(text));
        *self = Head { lines, text, ..Head::default() };
    }

    pub(super) fn weight(&self) -> usize {
        self.lines.capacity() + self.text.capacity()
    }

    /// A part of the block can't be decoded.
    pub(super) fn set_unknown(&mut self) {
        self.has_unknown = true;
        self.lacks_authority |= !self.has_regular && !self.has_authority;
    }

    /// Takes a field. Where only one of a name is allowed, the first counts.
    pub(super) fn take(&mut self, field: Field<'_>) {
        let Some(name) = field.name else {
            self.set_unknown();
            return;
        };
        let is_pseudo = name.first() == Some(&b':');
        self.has_regular |= !is_pseudo;
        if !is_pseudo && !is_asked_for(name) {
            // Of the others, those that contain URLs or e-mail addresses.
            if !field.value.is_some_and(is_likely) || !name.iter().all(is_of_name) {
                return;
            }
        }
        let Some(value) = field.value else {
            self.set_unknown();
            return;
        };
        if self.lines.len() + self.text.len() + name.len() + value.len() > MAX_LIST {
            self.is_full = true;
        } else if is_pseudo {
            self.is_head = true;
            self.pseudo(name, value);
        } else {
            self.line(name, value);
        }
    }

    fn pseudo(&mut self, name: &[u8], value: &[u8]) {
        let span = match name {
            b":method" => &mut self.method,
            b":scheme" => &mut self.scheme,
            b":path" => &mut self.path,
            b":authority" => {
                if !self.has_authority && !value.is_empty() {
                    (self.has_authority, self.lacks_authority) = (true, false);
                    self.line(b"host", value);
                }
                return;
            }
            b":status" => {
                let status = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                self.status = status.unwrap_or_default();
                return;
            }
            _ => {
                self.is_other |= name == b":protocol";
                return;
            }
        };
        if span.is_none() {
            *span = Some((self.text.len(), self.text.len() + value.len()));
            self.text.extend_from_slice(value);
        }
    }

    fn line(&mut self, name: &[u8], value: &[u8]) {
        self.lines.extend_from_slice(name);
        self.lines.extend_from_slice(b": ");
        let start = self.lines.len();
        self.lines.extend_from_slice(value);
        // They are not allowed (RFC 9113, 8.2.1), and would split a line into two.
        for byte in self.lines.get_mut(start..).unwrap_or_default() {
            if matches!(byte, b'\r' | b'\n' | 0) {
                *byte = b' ';
            }
        }
        self.lines.extend_from_slice(b"\r\n");
    }

    fn text(&self, span: Span) -> &[u8] {
        span.and_then(|(from, to)| self.text.get(from..to)).unwrap_or_default()
    }

    /// Headers in lines of HTTP/1.
    pub(super) fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// Whether it is the head of a message, as far as is known, and not a trailer.
    pub(super) fn is_head(&self) -> bool {
        self.is_head || self.has_unknown
    }

    /// Whether it is a request.
    pub(super) fn is_request(&self) -> bool {
        self.method.is_some()
    }

    /// Whether the stream carries something other than messages from now on.
    pub(super) fn is_tunnel(&self) -> bool {
        self.text(self.method) == b"CONNECT" || self.is_other
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }

    pub(super) fn faults(&self) -> impl Iterator<Item = Fault> {
        let unknown = self.has_unknown.then_some(Fault::UnknownHeader);
        unknown.into_iter().chain(self.is_full.then_some(Fault::TooManyHeaders))
    }

    /// The block as a request.
    pub(super) fn request(&self) -> Request<'_> {
        let mut scheme = self.text(self.scheme);
        let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        if scheme.is_empty() || scheme.len() > 16 || !scheme.iter().all(|&b| is_scheme(b)) {
            scheme = b"http";
        }
        let method = self.text(self.method);
        let mut request = Request::of(method, scheme, self.text(self.path), &self.lines);
        if method == b"CONNECT" && !self.is_other {
            request.target = request.host.unwrap_or_default();
        } else if self.lacks_authority || (self.has_unknown && request.host.is_none()) {
            // The authority, which takes precedence over a Host, may be unknown: then so is the
            // URL.
            request.target = b"";
        }
        request
    }

    /// The block as a response.
    pub(super) fn response(&self) -> Response<'_> {
        Response::of(self.status, &self.lines)
    }
}

fn is_asked_for(name: &[u8]) -> bool {
    HEADERS.iter().any(|header| header.eq_ignore_ascii_case(name)) || is_naming(name)
}

/// Whether a byte is allowed in the name of a field (RFC 9110, 5.6.2), so that it cannot be
/// mistaken for its end.
fn is_of_name(byte: &u8) -> bool {
    byte.is_ascii_graphic() && !b":\"(),/;<=>?@[\\]{}".contains(byte)
}

fn reuse(mut buffer: Vec<u8>) -> Vec<u8> {
    if buffer.capacity() > MAX_KEPT {
        return Vec::new();
    }
    buffer.clear();
    buffer
}
