//! HTTP/1 requests: host, URL, Referer, User-Agent, X-Forwarded-For.
//!
//! Found by content on any port, where the request line begins in the segment:
//! a method, a target, `HTTP/1.`. Requests pipelined behind it are read too, as
//! long as none has a body. A head that does not end in its segment is read as
//! far as it goes.
//!
//! The URL is `http://`, the Host header as it stands (with its port if it names
//! one) and the target; a target with a scheme of its own is the URL already. A
//! request without Host goes to the address and port that its packet went to.
//! CONNECT names a host and no URL.

use super::{Counters, Fault, Packet, Ports, Said, Visitor};
use crate::indicator::{self, Kind, Observable, Where, address};
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};

/// The longest method that is looked for; WebDAV's and SSDP's are shorter.
const LONGEST_METHOD: usize = 20;

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
    headers: &'a [u8],
    /// Whether headers are there that only [`inspect`] looks for again.
    has_more: bool,
    has_body: bool,
    is_whole: bool,
}

impl Request<'_> {
    /// The owned form, for an alert.
    pub fn owned(&self) -> indicator::Http {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        indicator::Http {
            method: Some(text(self.method)),
            hostname: self.host.map(|host| text(split_port(host).0)),
            url: Some(text(self.target)),
            user_agent: self.user_agent.map(text),
            status: None,
        }
    }
}

/// Whether a segment may begin with a request: cheap, and mostly no.
pub(super) fn is_request(payload: &[u8]) -> bool {
    payload.first_chunk::<3>().is_some_and(|start| start.iter().all(u8::is_ascii_uppercase))
}

/// Tells the visitor of every request in a segment. `url` is scratch.
pub(super) fn inspect<V: Visitor>(
    payload: &[u8],
    packet: &Packet<'_>,
    visitor: &mut V,
    counters: &mut Counters,
    url: &mut Vec<u8>,
) {
    let mut rest = payload;
    while is_request(rest) {
        let Some((request, behind)) = parse(rest) else { return };
        if !request.is_whole {
            counters.note(Fault::SplitHttp);
        }
        report(&request, packet, visitor, counters, url);
        if request.has_body {
            return;
        }
        rest = behind;
    }
}

/// Reads one request; returns it and what lies behind its head.
fn parse(payload: &[u8]) -> Option<(Request<'_>, &[u8])> {
    let head = payload.get(..LONGEST_METHOD + 1).unwrap_or(payload);
    let (method, _) = head.split_at_checked(memchr::memchr(b' ', head)?)?;
    if !method.iter().all(|&b| b.is_ascii_uppercase() || matches!(b, b'-' | b'_')) {
        return None;
    }
    let (line, headers) = split_line(payload)?;
    let target = line.get(method.len() + 1..)?;
    let (target, version) = target.split_at_checked(memchr::memrchr(b' ', target)?)?;
    if !version.starts_with(b" HTTP/1.") || target.is_empty() {
        return None;
    }
    let mut request = Request {
        method,
        target,
        host: None,
        referer: None,
        user_agent: None,
        headers,
        has_more: false,
        has_body: false,
        is_whole: false,
    };
    let mut lines = Headers { rest: headers, left: MOST_HEADERS };
    for (name, value) in lines.by_ref() {
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
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                request.has_body |= value != b"0";
            }
            15 if name.eq_ignore_ascii_case(b"x-forwarded-for") => request.has_more = true,
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => request.has_body = true,
            _ => {}
        }
    }
    let behind = match split_line(lines.rest) {
        Some((b"", behind)) => {
            request.is_whole = true;
            behind
        }
        _ => &[],
    };
    Some((request, behind))
}

/// A line without its end, and what follows. None if it doesn't end.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b'\n', bytes)?;
    let (line, rest) = (bytes.get(..end)?, bytes.get(end + 1..)?);
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest))
}

/// The headers of a head; stops in front of the line that is none.
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
            if !matches!(line.first(), Some(b' ' | b'\t'))
                && let Some(colon) = memchr::memchr(b':', line)
            {
                let (name, value) = line.split_at_checked(colon)?;
                return Some((name.trim_ascii_end(), value.get(1..)?.trim_ascii()));
            }
        }
    }
}

fn report<V: Visitor>(
    request: &Request<'_>,
    packet: &Packet<'_>,
    visitor: &mut V,
    counters: &mut Counters,
    url: &mut Vec<u8>,
) {
    let said = Said::Http(*request);
    let mut seen = |observable, at| visitor.seen(observable, at, packet, said);
    let host = request.host.filter(|host| !host.is_empty());
    if let Some(host) = host {
        report_host(host, counters, &mut seen);
    }
    if request.method == b"CONNECT" {
        if host != Some(request.target) {
            report_host(request.target, counters, &mut seen);
        }
    } else {
        build_url(request, host, packet, url);
        seen(Observable::Url(url), Where::HttpUrl);
    }
    if let Some(referer) = request.referer.filter(|r| memchr::memmem::find(r, b"://").is_some()) {
        seen(Observable::Url(referer), Where::HttpReferer);
    }
    if let Some(agent) = request.user_agent.filter(|agent| !agent.is_empty()) {
        seen(Observable::Text(Kind::UserAgent, agent), Where::HttpUserAgent);
    }
    if request.has_more {
        report_more(request, host, counters, &mut seen);
    }
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
    if let Some((address, port)) = parse_address(host) {
        return seen(Observable::Address(address, port), Where::HttpHost);
    }
    let (name, _) = split_port(host);
    if name.iter().any(|&b| b <= b' ' || b == 0x7f) {
        counters.note(Fault::OddName);
    } else if !name.is_empty() {
        seen(Observable::Name(name), Where::HttpHost);
    }
}

fn build_url(request: &Request<'_>, host: Option<&[u8]>, packet: &Packet<'_>, url: &mut Vec<u8>) {
    url.clear();
    if !request.target.starts_with(b"/") && memchr::memmem::find(request.target, b"://").is_some() {
        url.extend_from_slice(request.target);
        return;
    }
    url.extend_from_slice(b"http://");
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
    let bare = name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]")).unwrap_or(name);
    // Most hosts are names: those end in a letter and hold no colon.
    let is_likely = bare.last().is_some_and(u8::is_ascii_digit) || bare.contains(&b':');
    if !is_likely {
        return None;
    }
    let address = address::parse_ip(std::str::from_utf8(bare).ok()?).ok()?;
    Some((address, port))
}

#[cfg(test)]
mod tests;
