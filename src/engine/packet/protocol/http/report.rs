//! Reporting the contents of a head: hosts, URLs, and what else its headers name.

use super::context::HttpContext;
use super::host::{parse_bare, split_port};
use super::lines::{Headers, MAX_HEADERS};
use super::message::{Request, Response};
use super::naming::{Form, Named};
use super::{doh, naming, search};
use crate::engine::indicator::{Kind, Observable, Where};
use crate::engine::packet::counters::{Counters, Fault};
use crate::engine::packet::view::{Packet, Ports, ProtocolFacts, Visitor};
use crate::engine::progress::bound;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};

/// Additional hosts whose URLs are reported.
pub(super) const MAX_OTHER_HOSTS: usize = bound(4, 2);

/// Rewritten URLs of a request, according to its headers, that are reported.
const MAX_ASKED: usize = bound(8, 3);

/// Reports the contents of a head.
struct Reporter<'t, 'p, V> {
    packet: &'t Packet<'p>,
    visitor: &'t mut V,
    counters: &'t mut Counters,
    protocol_facts: ProtocolFacts<'t>,
}

impl<V: Visitor> Reporter<'_, '_, V> {
    fn seen(&mut self, observable: Observable<'_>, at: Where) {
        self.visitor.seen(observable, at, self.packet, self.protocol_facts);
    }

    fn text(&mut self, text: &[u8], at: Where) {
        self.visitor.text(text, at, self.packet, self.protocol_facts);
    }

    /// A Host header, or the destination of a tunnel; a user before it is not part of it.
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

    /// The host of a URL, unless it is `known` already, and the URLs in its path or query.
    fn inside(&mut self, url: &[u8], known: Option<&[u8]>) {
        search::host(url, known, &mut |observable, at| self.seen(observable, at));
        if let Some(text) = search::embedded(url) {
            self.text(text, Where::HttpUrl);
        }
    }

    /// Headers with URLs and e-mail addresses, except the one already `reported`.
    fn headers(&mut self, headers: &[u8], reported: Option<&[u8]>) {
        search::headers(headers, |name, value| {
            if reported != Some(value) {
                self.text(value, place(name));
            }
        });
    }

    /// Additional hosts, and headers that name hosts without a URL.
    fn more<'h>(&mut self, headers: &'h [u8], host: Option<&'h [u8]>) -> Named<'h> {
        let mut named = Named::default();
        for (name, value) in (Headers { rest: headers, left: MAX_HEADERS }) {
            if let Some(form) = naming::form(name) {
                if !named.take(form, value) && !search::is_likely(value) {
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

/// The place that is reported for the text of a header.
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

pub(super) fn report_request<V: Visitor>(
    request: &Request<'_>,
    context: &mut HttpContext<'_, '_, V>,
) {
    let HttpContext { packet, visitor, counters, url, .. } = context;
    visitor.message();
    let protocol_facts = ProtocolFacts::Head(request);
    let mut reporter = Reporter { packet, visitor: &mut **visitor, counters, protocol_facts };
    let host = request.host.filter(|host| !host.is_empty());
    if let Some(host) = host {
        reporter.host(host);
    }
    if request.is_tunnel() {
        if host != Some(request.target) {
            reporter.host(request.target);
        }
    } else if !request.target.is_empty() {
        build_url(request, host, packet, url);
        reporter.seen(Observable::Url(url), Where::HttpUrl);
        // For most there is nothing more to report.
        if memchr::memchr2(b':', b'%', request.target).is_some() {
            reporter.inside(request.target, host);
        }
    }
    let referer = request.referer.filter(|referer| search::is_url(referer));
    if let Some(referer) = referer {
        reporter.seen(Observable::Url(referer), Where::HttpReferer);
        if let Some(text) = search::embedded(referer) {
            reporter.text(text, Where::HttpReferer);
        }
    }
    if let Some(agent) = request.user_agent.filter(|agent| !agent.is_empty()) {
        reporter.seen(Observable::Text(Kind::UserAgent, agent), Where::HttpUserAgent);
    }
    if request.has_more {
        let named = reporter.more(request.headers, host);
        if !request.is_tunnel() && !request.target.is_empty() && !search::is_url(request.target) {
            // Servers differ in which of them they use.
            for other in other_hosts(request.headers, host).take(MAX_OTHER_HOSTS) {
                build_url(request, Some(other), packet, url);
                reporter.seen(Observable::Url(url), Where::HttpUrl);
            }
            for (host, prefix, target) in named.asked(host, request.target).take(MAX_ASKED) {
                build_url_of(request.scheme, host, [prefix, target], packet, url);
                reporter.seen(Observable::Url(url), Where::HttpUrl);
            }
        }
    }
    reporter.headers(request.headers, referer);
    doh::report(request.target, context);
}

pub(super) fn report_response<V: Visitor>(
    response: &Response<'_>,
    context: &mut HttpContext<'_, '_, V>,
) {
    let HttpContext { packet, visitor, counters, .. } = context;
    visitor.message();
    let protocol_facts = ProtocolFacts::Head(response);
    let mut reporter = Reporter { packet, visitor: &mut **visitor, counters, protocol_facts };
    let location = response.location.unwrap_or_default();
    let is_url = search::is_url(location);
    if is_url {
        reporter.seen(Observable::Url(location), Where::HttpUrl);
        reporter.inside(location, None);
    } else if let Some(rest) = search::without_scheme(location) {
        let url = [b"http://", rest].concat();
        reporter.seen(Observable::Url(&url), Where::HttpUrl);
        reporter.inside(&url, None);
    } else if let Some(text) = search::embedded(location) {
        reporter.text(text, Where::HttpUrl);
    }
    if response.has_more {
        reporter.more(response.headers, None);
    }
    reporter.headers(response.headers, response.location.filter(|_| is_url));
}

/// Hosts of a request after the first.
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

/// Builds a URL from a scheme, a host, and a path that may be in two parts.
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
    // A backslash is treated as a slash.
    if !matches!(target.first(), Some(b'/' | b'\\')) {
        url.push(b'/');
    }
    // `OPTIONS *` is about the server.
    if target != b"*" {
        url.extend_from_slice(target);
    }
}
