//! The fields of a header block that are looked at.

use super::hpack::Field;
use crate::engine::packet::Fault;
use crate::engine::packet::protocol::http::message::{Request, Response};
use crate::engine::packet::protocol::http::naming::is_naming;
use crate::engine::packet::protocol::http::search::is_likely;
use crate::engine::progress::bound;

/// The most bytes of fields that are kept for a block.
const MAX_LIST: usize = bound(64 << 10, 256);

/// A buffer larger than that is given back with the block.
const MAX_KEPT: usize = bound(4 << 10, 64);

/// Fields that somebody looks at, whatever they say, beside those with a colon in front and those
/// that name hosts.
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

/// Where a field lies in the text.
type Span = Option<(usize, usize)>;

/// The fields of a block.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// Lines of HTTP/1, so that the same code reads both. The authority is a Host in
    /// front of all others.
    lines: Vec<u8>,
    /// Method, scheme and path.
    text: Vec<u8>,
    method: Span,
    scheme: Span,
    path: Span,
    status: u16,
    has_authority: bool,
    /// Another protocol is to be spoken (RFC 8441).
    is_other: bool,
    /// A field with a colon in front was there.
    is_head: bool,
    /// A field was there whose name or value is not known.
    has_unknown: bool,
    /// A field without a colon was there: none with one follows (RFC 9113, 8.3).
    has_regular: bool,
    /// The authority was not there, and may be what is not known.
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

    /// A part of the block can't be read.
    pub(super) fn set_unknown(&mut self) {
        self.has_unknown = true;
        self.lacks_authority |= !self.has_regular && !self.has_authority;
    }

    /// Takes a field. The first of each name counts where there may be one only.
    pub(super) fn take(&mut self, field: Field<'_>) {
        let Some(name) = field.name else {
            self.set_unknown();
            return;
        };
        let is_pseudo = name.first() == Some(&b':');
        self.has_regular |= !is_pseudo;
        if !is_pseudo && !is_asked_for(name) {
            // Of the others, what holds URLs or addresses of mail.
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
        // They may not be there (RFC 9113, 8.2.1), and would make two lines of one.
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

    /// Whether it is the head of a message, as far as is known, and no trailer.
    pub(super) fn is_head(&self) -> bool {
        self.is_head || self.has_unknown
    }

    /// Whether it is that of a request.
    pub(super) fn is_request(&self) -> bool {
        self.method.is_some()
    }

    /// Whether something else than messages goes through the stream from now on.
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

    /// What it says as a request.
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
            // The authority, which goes before a Host, may be what is not known: then the URL
            // is not, either.
            request.target = b"";
        }
        request
    }

    /// What it says as an answer.
    pub(super) fn response(&self) -> Response<'_> {
        Response::of(self.status, &self.lines)
    }
}

fn is_asked_for(name: &[u8]) -> bool {
    HEADERS.iter().any(|header| header.eq_ignore_ascii_case(name)) || is_naming(name)
}

/// Whether a byte may stand in the name of a field (RFC 9110, 5.6.2), where it could otherwise be
/// taken for the end of it.
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
