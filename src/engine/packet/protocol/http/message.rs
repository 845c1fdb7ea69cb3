//! The heads of requests and responses, as far as they are parsed.

use super::host::split_port;
use super::lines::{Headers, MAX_HEADERS, split_line, split_request, split_status};
use super::naming::is_naming;
use crate::engine::indicator::{self, Protocol};
use crate::engine::packet::view;

/// An HTTP request, as an alert describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// `GET`…
    pub method: &'a [u8],
    /// The target, as it was sent.
    pub target: &'a [u8],
    /// The first Host header, as it was sent.
    pub host: Option<&'a [u8]>,
    /// The first Referer.
    pub referer: Option<&'a [u8]>,
    /// The first User-Agent.
    pub user_agent: Option<&'a [u8]>,
    /// The scheme of the URL, if the target does not contain one.
    pub(super) scheme: &'a [u8],
    pub(super) headers: &'a [u8],
    /// Whether there are headers of the kinds that are only searched again if there are any.
    pub(super) has_more: bool,
    pub(super) body: Body,
}

/// The head of an HTTP response, as an alert describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    /// 200…
    pub status: u16,
    /// The first Location, as it was sent.
    pub location: Option<&'a [u8]>,
    pub(super) headers: &'a [u8],
    /// Whether there are headers of the kinds that are only searched again if there are any.
    pub(super) has_more: bool,
    pub(super) body: Body,
}

impl<'a> Response<'a> {
    /// A response with headers in lines of HTTP/1.
    pub(in crate::engine::packet) fn of(status: u16, headers: &'a [u8]) -> Self {
        let mut response =
            Response { status, location: None, headers, has_more: false, body: Body::Unsaid };
        for (name, value) in (Headers { rest: headers, left: MAX_HEADERS }) {
            if name.len() == 8 && name.eq_ignore_ascii_case(b"location") {
                response.location.get_or_insert(value);
            } else {
                response.has_more |= is_naming(name);
                response.body.header(name, value);
            }
        }
        response
    }

    /// The owned form, for an alert.
    pub fn owned(&self) -> indicator::Http {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        indicator::Http {
            url: self.location.map(text),
            status: Some(self.status).filter(|&status| status > 0),
            ..indicator::Http::default()
        }
    }
}

impl view::MessageFacts for Request<'_> {
    fn owned(&self) -> Protocol {
        Protocol::Http(Request::owned(self))
    }
}

impl view::MessageFacts for Response<'_> {
    fn owned(&self) -> Protocol {
        Protocol::Http(Response::owned(self))
    }
}

/// The length of a body according to its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// Not given: none after a request, up to the end after a response.
    Unsaid,
    Length(u64),
    Chunked,
    /// Up to the end, in a transfer coding that is not chunked.
    UntilEnd,
    /// Lengths that contradict each other, or are invalid.
    Unclear,
}

impl Body {
    /// Whether anything may be in it.
    pub(super) fn has_bytes(self) -> bool {
        !matches!(self, Body::Length(0) | Body::Unclear)
    }

    /// Processes a header. Chunks take precedence over a length (RFC 9112, 6.3).
    pub(super) fn header(&mut self, name: &[u8], value: &[u8]) {
        if name.len() == 14 && name.eq_ignore_ascii_case(b"content-length") {
            *self = match (*self, length(value)) {
                (Body::Chunked | Body::UntilEnd, _) => *self,
                (Body::Unsaid, Some(length)) => Body::Length(length),
                (Body::Length(before), Some(length)) if before == length => Body::Length(length),
                _ => Body::Unclear,
            };
        } else if name.len() == 17 && name.eq_ignore_ascii_case(b"transfer-encoding") {
            let last = value.rsplit(|&b| b == b',').next().unwrap_or_default().trim_ascii();
            if last.eq_ignore_ascii_case(b"chunked") {
                *self = Body::Chunked;
            } else if !last.eq_ignore_ascii_case(b"identity") {
                *self = Body::UntilEnd;
            }
        }
    }
}

/// A length, as servers accept it: several of them separated by commas if they are the same (RFC
/// 9112, 6.3), and with a plus sign.
fn length(value: &[u8]) -> Option<u64> {
    let mut lengths = value.split(|&byte| byte == b',').map(|text| {
        let text = text.trim_ascii();
        let digits = text.strip_prefix(b"+").unwrap_or(text);
        let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
    });
    let first = lengths.next()??;
    lengths.all(|other| other == Some(first)).then_some(first)
}

impl<'a> Request<'a> {
    /// A request with headers in lines of HTTP/1. An empty target is unknown.
    pub(in crate::engine::packet) fn of(
        method: &'a [u8],
        scheme: &'a [u8],
        target: &'a [u8],
        headers: &'a [u8],
    ) -> Self {
        let mut request = Request {
            method,
            target,
            host: None,
            referer: None,
            user_agent: None,
            scheme,
            headers,
            has_more: false,
            body: Body::Unsaid,
        };
        for (name, value) in (Headers { rest: headers, left: MAX_HEADERS }) {
            match name.len() {
                4 if name.eq_ignore_ascii_case(b"host") => {
                    request.has_more |= request.host.is_some();
                    request.host.get_or_insert(value);
                }
                7 if name.eq_ignore_ascii_case(b"referer") => {
                    request.referer.get_or_insert(value);
                }
                10 if name.eq_ignore_ascii_case(b"user-agent") => {
                    request.user_agent.get_or_insert(value);
                }
                _ => {
                    request.has_more |= is_naming(name);
                    request.body.header(name, value);
                }
            }
        }
        request
    }

    /// Whether it requests a connection to a host (RFC 9110, 9.3.6). With a path it requests
    /// another protocol at a URL (RFC 8441).
    pub(super) fn is_tunnel(&self) -> bool {
        self.method.eq_ignore_ascii_case(b"CONNECT") && !self.target.starts_with(b"/")
    }

    /// The owned form, for an alert.
    pub fn owned(&self) -> indicator::Http {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        indicator::Http {
            method: Some(self.method).filter(|method| !method.is_empty()).map(text),
            hostname: self.host.map(|host| text(split_port(host).0)),
            url: Some(self.target).filter(|target| !target.is_empty()).map(text),
            user_agent: self.user_agent.map(text),
            status: None,
        }
    }
}

/// Parses the head of a request.
pub(super) fn parse_request(head: &[u8]) -> Option<Request<'_>> {
    let (line, headers) = split_line(head)?;
    let (method, target) = split_request(line)?;
    Some(Request::of(method, b"http", target, headers))
}

/// Parses the head of a response.
pub(super) fn parse_response(head: &[u8]) -> Option<Response<'_>> {
    let (line, headers) = split_line(head)?;
    Some(Response::of(split_status(line)?, headers))
}
