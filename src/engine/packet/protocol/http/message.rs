//! HTTP/1: host, URL, Referer, User-Agent, Location, who proxies speak for, and whatever other headers
//! say of URLs and addresses of mail.
//!
//! Found by content on any port: a method, a target, a version, or a status line, as
//! servers take them (see `lines`). Heads are put together from their segments, requests may be pipelined, and
//! bodies end by their length, their chunks or with the connection. A head that breaks
//! off is read as far as it goes.
//!
//! A body is a file (or several, or a DNS message): see `content`. Where nobody asks for
//! digests, file names or DNS, it is skipped without a look.
//!
//! The URL is `http://`, the Host header as it stands (with its port if it names
//! one) and the target; a target with a scheme of its own is the URL already. A
//! request without Host goes to the address and port that its packet went to.
//! CONNECT names a host and no URL. The Location of an answer is a URL if it has a
//! scheme, or a host. The host of a URL is told by itself unless the Host header says the same.

mod content;
mod context;
mod doh;
mod framing;
mod host;
pub(in crate::engine::packet) mod http2;
mod kept;
mod lines;
mod names;
mod naming;
mod parts;
mod pieces;
mod requests;
mod search;
mod side;

pub(in crate::engine::packet) use content::{Content, Facts, is_wanted};
pub(in crate::engine::packet) use naming::is_naming;
pub(in crate::engine::packet) use requests::Requests;
pub(in crate::engine::packet) use search::is_likely;
pub(in crate::engine::packet) use side::Side;

use crate::engine::indicator::{self, Kind, Observable, Protocol, Where};
use crate::engine::packet::view;
use crate::engine::packet::{Counters, Fault, Packet, Ports, Said, Visitor};
use crate::engine::progress::bound;
use context::Context;
use host::{parse_bare, split_port};
use lines::{Headers, MAX_HEADERS, split_line, split_request, split_status};
use naming::{Form, Named};
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};

/// Hosts beyond the first whose URLs are told.
const MAX_OTHER_HOSTS: usize = bound(4, 2);

/// URLs of a request that others asked for, by what its headers say.
const MAX_ASKED: usize = bound(8, 3);

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
    /// Whether headers are there that are only looked for again if they are.
    has_more: bool,
    body: Body,
}

impl<'a> Response<'a> {
    /// An answer with headers in lines of HTTP/1.
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

impl view::Facts for Request<'_> {
    fn owned(&self) -> Protocol {
        Protocol::Http(Request::owned(self))
    }
}

impl view::Facts for Response<'_> {
    fn owned(&self) -> Protocol {
        Protocol::Http(Response::owned(self))
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

/// A length, as servers take it: several of them between commas if they are the same
/// (RFC 9112, 6.3), and with a plus sign.
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
    /// A request with headers in lines of HTTP/1. An empty target is not known.
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

    /// Whether it asks for a connection to a host (RFC 9110, 9.3.6). With a path it
    /// asks for another protocol at a URL (RFC 8441).
    fn is_tunnel(&self) -> bool {
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

/// Reads the head of a request.
fn parse_request(head: &[u8]) -> Option<Request<'_>> {
    let (line, headers) = split_line(head)?;
    let (method, target) = split_request(line)?;
    Some(Request::of(method, b"http", target, headers))
}

/// Reads the head of a response.
fn parse_response(head: &[u8]) -> Option<Response<'_>> {
    let (line, headers) = split_line(head)?;
    Some(Response::of(split_status(line)?, headers))
}

/// Tells what a head says.
struct Teller<'t, 'p, V> {
    packet: &'t Packet<'p>,
    visitor: &'t mut V,
    counters: &'t mut Counters,
    said: Said<'t>,
}

impl<V: Visitor> Teller<'_, '_, V> {
    fn seen(&mut self, observable: Observable<'_>, at: Where) {
        self.visitor.seen(observable, at, self.packet, self.said);
    }

    fn text(&mut self, text: &[u8], at: Where) {
        self.visitor.text(text, at, self.packet, self.said);
    }

    /// A Host header, or where a tunnel goes; a user in front of it is no part of it.
    fn host(&mut self, host: &[u8]) {
        let start = memchr::memrchr(b'@', host).map_or(0, |at| at + 1);
        let (name, port) = split_port(host.get(start..).unwrap_or_default());
        if let Some(address) = parse_bare(name) {
            return self.seen(Observable::Address(address, port), Where::HttpHost);
        }
        if name.iter().any(|&b| b <= b' ' || b == 0x7f) {
            self.counters.note(Fault::OddName);
        } else if !name.is_empty() {
            self.seen(Observable::Name(name), Where::HttpHost);
        }
    }

    /// The host of a URL, unless it is `known` already, and the URLs that are in its path or query.
    fn inside(&mut self, url: &[u8], known: Option<&[u8]>) {
        search::host(url, known, &mut |observable, at| self.seen(observable, at));
        if let Some(text) = search::embedded(url) {
            self.text(text, Where::HttpUrl);
        }
    }

    /// Headers with URLs and addresses of mail, but for that which was `told`.
    fn headers(&mut self, headers: &[u8], told: Option<&[u8]>) {
        search::headers(headers, |name, value| {
            if told != Some(value) {
                self.text(value, place(name));
            }
        });
    }

    /// Hosts beyond the first, and headers that name hosts without a URL.
    fn more<'h>(&mut self, headers: &'h [u8], host: Option<&'h [u8]>) -> Named<'h> {
        let mut named = Named::default();
        for (name, value) in (Headers { rest: headers, left: MAX_HEADERS }) {
            if let Some(form) = naming::form(name) {
                if !named.take(form, value) && !is_likely(value) {
                    self.text(value, Where::HttpHeader);
                }
            } else if name.eq_ignore_ascii_case(b"host") && Some(value) != host {
                self.host(value);
            }
        }
        named.report(host, &mut |observable, at| self.seen(observable, at));
        named
    }
}

/// Where the text of a header is told to stand.
fn place(name: &[u8]) -> Where {
    match naming::form(name) {
        Some(
            Form::Addresses
            | Form::Viewer
            | Form::Hosts
            | Form::Asked
            | Form::Forwarded
            | Form::Via,
        ) => Where::HttpXff,
        _ if name.eq_ignore_ascii_case(b"user-agent") => Where::HttpUserAgent,
        _ if name.eq_ignore_ascii_case(b"referer") => Where::HttpReferer,
        _ => Where::HttpHeader,
    }
}

pub(in crate::engine::packet) fn report_request<V: Visitor>(
    request: &Request<'_>,
    context: &mut Context<'_, '_, V>,
) {
    let Context { packet, visitor, counters, url, .. } = context;
    let said = Said::Head(request);
    let mut teller = Teller { packet, visitor: &mut **visitor, counters, said };
    let host = request.host.filter(|host| !host.is_empty());
    if let Some(host) = host {
        teller.host(host);
    }
    if request.is_tunnel() {
        if host != Some(request.target) {
            teller.host(request.target);
        }
    } else if !request.target.is_empty() {
        build_url(request, host, packet, url);
        teller.seen(Observable::Url(url), Where::HttpUrl);
        // Of most there is nothing more to be told.
        if memchr::memchr2(b':', b'%', request.target).is_some() {
            teller.inside(request.target, host);
        }
    }
    let referer = request.referer.filter(|referer| search::is_url(referer));
    if let Some(referer) = referer {
        teller.seen(Observable::Url(referer), Where::HttpReferer);
        if let Some(text) = search::embedded(referer) {
            teller.text(text, Where::HttpReferer);
        }
    }
    if let Some(agent) = request.user_agent.filter(|agent| !agent.is_empty()) {
        teller.seen(Observable::Text(Kind::UserAgent, agent), Where::HttpUserAgent);
    }
    if request.has_more {
        let named = teller.more(request.headers, host);
        if !request.is_tunnel() && !request.target.is_empty() && !search::is_url(request.target) {
            // Which of them a server takes is its own matter.
            for other in other_hosts(request.headers, host).take(MAX_OTHER_HOSTS) {
                build_url(request, Some(other), packet, url);
                teller.seen(Observable::Url(url), Where::HttpUrl);
            }
            for (host, prefix, target) in named.asked(host, request.target).take(MAX_ASKED) {
                build_url_of(request.scheme, host, [prefix, target], packet, url);
                teller.seen(Observable::Url(url), Where::HttpUrl);
            }
        }
    }
    teller.headers(request.headers, referer);
    doh::report(request.target, context);
}

pub(in crate::engine::packet) fn report_response<V: Visitor>(
    response: &Response<'_>,
    context: &mut Context<'_, '_, V>,
) {
    let Context { packet, visitor, counters, .. } = context;
    let said = Said::Head(response);
    let mut teller = Teller { packet, visitor: &mut **visitor, counters, said };
    let location = response.location.unwrap_or_default();
    let is_url = search::is_url(location);
    if is_url {
        teller.seen(Observable::Url(location), Where::HttpUrl);
        teller.inside(location, None);
    } else if let Some(rest) = search::without_scheme(location) {
        let url = [b"http://", rest].concat();
        teller.seen(Observable::Url(&url), Where::HttpUrl);
        teller.inside(&url, None);
    } else if let Some(text) = search::embedded(location) {
        teller.text(text, Where::HttpUrl);
    }
    if response.has_more {
        teller.more(response.headers, None);
    }
    teller.headers(response.headers, response.location.filter(|_| is_url));
}

/// Hosts of a request beyond the first.
fn other_hosts<'h>(headers: &'h [u8], host: Option<&'h [u8]>) -> impl Iterator<Item = &'h [u8]> {
    let headers = Headers { rest: headers, left: MAX_HEADERS };
    let hosts = headers.filter(|(name, _)| name.eq_ignore_ascii_case(b"host"));
    hosts.map(|(_, value)| value).filter(move |value| !value.is_empty() && Some(*value) != host)
}

fn build_url(request: &Request<'_>, host: Option<&[u8]>, packet: &Packet<'_>, url: &mut Vec<u8>) {
    if !request.target.starts_with(b"/") && search::is_url(request.target) {
        url.clear();
        url.extend_from_slice(request.target);
        return;
    }
    build_url_of(request.scheme, host, [b"", request.target], packet, url);
}

/// Builds a URL of a scheme, a host, and a path that may be in two parts.
fn build_url_of(
    scheme: &[u8],
    host: Option<&[u8]>,
    [prefix, target]: [&[u8]; 2],
    packet: &Packet<'_>,
    url: &mut Vec<u8>,
) {
    url.clear();
    url.extend_from_slice(scheme);
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
    url.extend_from_slice(prefix);
    // A backslash is read as a slash.
    if !matches!(target.first(), Some(b'/' | b'\\')) {
        url.push(b'/');
    }
    // `OPTIONS *` is about the server.
    if target != b"*" {
        url.extend_from_slice(target);
    }
}

#[cfg(test)]
pub(in crate::engine::packet) mod tests;
