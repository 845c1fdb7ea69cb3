//! HTTP/1: host, URL, Referer, User-Agent, X-Forwarded-For, Location.
//!
//! Found by content on any port: a method, a target, `HTTP/1.`, or a status line.
//! Heads are put together from their segments, requests may be pipelined, and
//! bodies end by their length, their chunks or with the connection. A head that breaks
//! off is read as far as it goes.
//!
//! A body is a file (or several, or a DNS message): see `content`. Where nobody asks for
//! digests, file names or DNS, it is skipped without a look. Of HTTP/0.9, which has no
//! heads, nothing is told.
//!
//! The URL is `http://`, the Host header as it stands (with its port if it names
//! one) and the target; a target with a scheme of its own is the URL already. A
//! request without Host goes to the address and port that its packet went to.
//! CONNECT names a host and no URL. The Location of an answer is a URL if it has a
//! scheme.

mod content;
mod doh;
mod framing;
mod names;
mod parts;
mod pieces;
mod ranges;
mod undo;

pub(super) use content::{Content, Facts, is_wanted};
pub(super) use framing::{Framing, guess, is_head};
pub(super) use ranges::Ranges;

use super::stream::Context;
use super::{Counters, Fault, Packet, Ports, Said, Visitor};
use crate::indicator::{self, Kind, Observable, Where, address};
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};

/// The longest method that is looked for; WebDAV's and SSDP's are shorter.
const LONGEST_METHOD: usize = 20;
const SHORTEST_METHOD: usize = 3;

/// Headers of one request that are looked at.
const MOST_HEADERS: usize = 256;

/// Addresses of one X-Forwarded-For that are reported.
const MOST_FORWARDED: usize = 64;

/// An HTTP request, as an alert tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// `GET`…
    pub method: &'a [u8],
    /// The target, as it stood.
    pub target: &'a [u8],
    /// The first Host header, as it stood.
    pub host: Option<&'a [u8]>,
    /// The first Referer.
    pub referer: Option<&'a [u8]>,
    /// The first User-Agent.
    pub user_agent: Option<&'a [u8]>,
    /// In front of the URL, where the target has none of its own.
    scheme: &'a [u8],
    headers: &'a [u8],
    /// Whether headers are there that are only looked for again if they are.
    has_more: bool,
    body: Body,
}

/// The head of an HTTP response, as an alert tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    /// 200…
    pub status: u16,
    /// The first Location, as it stood.
    pub location: Option<&'a [u8]>,
    headers: &'a [u8],
    body: Body,
}

impl<'a> Response<'a> {
    /// An answer with headers in lines of HTTP/1.
    pub(super) fn of(status: u16, headers: &'a [u8]) -> Self {
        let mut response = Response { status, location: None, headers, body: Body::Unsaid };
        for (name, value) in (Headers { rest: headers, left: MOST_HEADERS }) {
            if name.len() == 8 && name.eq_ignore_ascii_case(b"location") {
                response.location.get_or_insert(value);
            } else {
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

/// How long a body is, as its head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    /// The head doesn't say: none behind a request, up to the end behind an answer.
    Unsaid,
    Length(u64),
    Chunked,
    /// Up to the end, in a transfer coding that is not chunked.
    UntilEnd,
    /// Lengths that contradict each other, or are none.
    Unclear,
}

impl Body {
    /// Whether anything may be in it.
    fn has_bytes(self) -> bool {
        !matches!(self, Body::Length(0) | Body::Unclear)
    }

    /// Takes a header into account. Chunks count more than a length (RFC 9112, 6.3).
    fn header(&mut self, name: &[u8], value: &[u8]) {
        if name.len() == 14 && name.eq_ignore_ascii_case(b"content-length") {
            let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
            let length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
            *self = match (*self, length.filter(|_| is_number)) {
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

impl<'a> Request<'a> {
    /// A request with headers in lines of HTTP/1. An empty target is not known.
    pub(super) fn of(
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
        for (name, value) in (Headers { rest: headers, left: MOST_HEADERS }) {
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
                15 if name.eq_ignore_ascii_case(b"x-forwarded-for") => request.has_more = true,
                _ => request.body.header(name, value),
            }
        }
        request
    }

    /// Whether it asks for a connection to a host (RFC 9110, 9.3.6). With a path it
    /// asks for another protocol at a URL (RFC 8441).
    fn is_tunnel(&self) -> bool {
        self.method == b"CONNECT" && !self.target.starts_with(b"/")
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

/// Reads the head of a request.
fn parse_request(head: &[u8]) -> Option<Request<'_>> {
    let start = head.get(..LONGEST_METHOD + 1).unwrap_or(head);
    let (method, _) = start.split_at_checked(memchr::memchr(b' ', start)?)?;
    if method.len() < SHORTEST_METHOD || !method.iter().all(|&b| is_method(b)) {
        return None;
    }
    let (line, headers) = split_line(head)?;
    let target = line.get(method.len() + 1..)?;
    let (target, version) = target.split_at_checked(memchr::memrchr(b' ', target)?)?;
    if !version.starts_with(b" HTTP/1.") || target.is_empty() {
        return None;
    }
    Some(Request::of(method, b"http", target, headers))
}

fn is_method(byte: u8) -> bool {
    byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_')
}

/// Reads the head of a response.
fn parse_response(head: &[u8]) -> Option<Response<'_>> {
    let (line, headers) = split_line(head)?;
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let status = rest.get(1..5)?.strip_prefix(b" ")?;
    let status: u16 = std::str::from_utf8(status).ok()?.parse().ok()?;
    Some(Response::of(status, headers))
}

/// A line without its end, and what follows. None if it doesn't end.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b'\n', bytes)?;
    let (line, rest) = (bytes.get(..end)?, bytes.get(end + 1..)?);
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest))
}

/// Those headers of a head that somebody may ask for; stops in front of the line that is none.
struct Headers<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (line, rest) = split_line(self.rest)?;
            self.left = self.left.checked_sub(1)?;
            if line.is_empty() {
                return None;
            }
            self.rest = rest;
            // A folded line belongs to the header before; a line without colon to nobody.
            if line.first().is_some_and(|&first| may_be_asked_for(first))
                && let Some(colon) = memchr::memchr(b':', line)
            {
                let (name, value) = line.split_at_checked(colon)?;
                return Some((name.trim_ascii_end(), value.get(1..)?.trim_ascii()));
            }
        }
    }
}

/// Whether the name of a header that is looked at anywhere begins with a letter: Content-…, ETag,
/// Host, Location, Referer, Transfer-Encoding, Upgrade, User-Agent, X-Forwarded-For.
fn may_be_asked_for(first: u8) -> bool {
    matches!(first | 0x20, b'c' | b'e' | b'h' | b'l' | b'r' | b't' | b'u' | b'x')
}

pub(super) fn report_request<V: Visitor>(request: &Request<'_>, context: &mut Context<'_, '_, V>) {
    let Context { packet, visitor, counters, url, .. } = context;
    let said = Said::Http(*request);
    let mut seen = |observable, at| visitor.seen(observable, at, packet, said);
    let host = request.host.filter(|host| !host.is_empty());
    if let Some(host) = host {
        report_host(host, counters, &mut seen);
    }
    if request.is_tunnel() {
        if host != Some(request.target) {
            report_host(request.target, counters, &mut seen);
        }
    } else if !request.target.is_empty() {
        build_url(request, host, packet, url);
        seen(Observable::Url(url), Where::HttpUrl);
    }
    if let Some(referer) = request.referer.filter(|referer| has_scheme(referer)) {
        seen(Observable::Url(referer), Where::HttpReferer);
    }
    if let Some(agent) = request.user_agent.filter(|agent| !agent.is_empty()) {
        seen(Observable::Text(Kind::UserAgent, agent), Where::HttpUserAgent);
    }
    if request.has_more {
        report_more(request, host, counters, &mut seen);
    }
    doh::report(request.target, context);
}

pub(super) fn report_response<V: Visitor>(
    response: &Response<'_>,
    context: &mut Context<'_, '_, V>,
) {
    if let Some(location) = response.location.filter(|location| has_scheme(location)) {
        let said = Said::HttpResponse(*response);
        context.visitor.seen(Observable::Url(location), Where::HttpUrl, context.packet, said);
    }
}

fn has_scheme(url: &[u8]) -> bool {
    memchr::memmem::find(url, b"://").is_some()
}

/// Hosts beyond the first, and the addresses that a proxy speaks for.
fn report_more<'r>(
    request: &Request<'r>,
    host: Option<&[u8]>,
    counters: &mut Counters,
    seen: &mut impl FnMut(Observable<'r>, Where),
) {
    for (name, value) in (Headers { rest: request.headers, left: MOST_HEADERS }) {
        if name.eq_ignore_ascii_case(b"host") && Some(value) != host {
            report_host(value, counters, seen);
        } else if name.eq_ignore_ascii_case(b"x-forwarded-for") {
            for part in value.split(|&b| b == b',').take(MOST_FORWARDED) {
                if let Some((address, _)) = parse_address(part.trim_ascii()) {
                    seen(Observable::Address(address, None), Where::HttpXff);
                }
            }
        }
    }
}

fn report_host<'r>(
    host: &'r [u8],
    counters: &mut Counters,
    seen: &mut impl FnMut(Observable<'r>, Where),
) {
    let (name, port) = split_port(host);
    if let Some(address) = parse_bare(name) {
        return seen(Observable::Address(address, port), Where::HttpHost);
    }
    if name.iter().any(|&b| b <= b' ' || b == 0x7f) {
        counters.note(Fault::OddName);
    } else if !name.is_empty() {
        seen(Observable::Name(name), Where::HttpHost);
    }
}

fn build_url(request: &Request<'_>, host: Option<&[u8]>, packet: &Packet<'_>, url: &mut Vec<u8>) {
    url.clear();
    if !request.target.starts_with(b"/") && has_scheme(request.target) {
        url.extend_from_slice(request.target);
        return;
    }
    url.extend_from_slice(request.scheme);
    url.extend_from_slice(b"://");
    match (host, packet.ports) {
        (Some(host), _) => url.extend_from_slice(host),
        // Writing into a Vec cannot fail.
        (None, Ports::Pair(_, port)) if port != 80 => {
            let _ = write!(url, "{}", SocketAddr::new(packet.dst, port));
        }
        (None, _) => {
            let _ = match packet.dst {
                IpAddr::V4(address) => write!(url, "{address}"),
                IpAddr::V6(address) => write!(url, "[{address}]"),
            };
        }
    }
    if !request.target.starts_with(b"/") {
        url.push(b'/');
    }
    // `OPTIONS *` is about the server.
    if request.target != b"*" {
        url.extend_from_slice(request.target);
    }
}

/// Splits `host:port`; brackets stay. A colon without digits is an empty port.
fn split_port(host: &[u8]) -> (&[u8], Option<u16>) {
    let Some(colon) = memchr::memrchr(b':', host) else { return (host, None) };
    let (name, digits) = (&host[..colon], &host[colon + 1..]);
    if !digits.iter().all(u8::is_ascii_digit) || (name.contains(&b':') && !name.ends_with(b"]")) {
        return (host, None);
    }
    let port = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    (name, port)
}

/// Reads `address`, `address:port`, `[address]`, `[address]:port`.
fn parse_address(host: &[u8]) -> Option<(IpAddr, Option<u16>)> {
    let (name, port) = split_port(host);
    Some((parse_bare(name)?, port))
}

/// Reads `address` or `[address]`.
fn parse_bare(name: &[u8]) -> Option<IpAddr> {
    let bare = name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]")).unwrap_or(name);
    // Most hosts are names: those end in a letter and hold no colon.
    let is_likely = bare.last().is_some_and(u8::is_ascii_digit) || bare.contains(&b':');
    if !is_likely {
        return None;
    }
    address::parse_ip(std::str::from_utf8(bare).ok()?).ok()
}

#[cfg(test)]
pub(super) mod bodies;
#[cfg(test)]
mod tests;
