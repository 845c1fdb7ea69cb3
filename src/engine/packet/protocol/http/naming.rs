//! Headers that name hosts without a URL: the client of a proxy, the requested host, the domain
//! of a cookie. The names are those of proxies, of content delivery networks, and of the servers
//! behind them, from their documentation.

use super::host::{parse_bare, split_port};
use crate::engine::indicator::{Observable, Where};
use crate::engine::progress::bound;
use std::net::IpAddr;

/// Client addresses and names, from one request.
pub(super) const MAX_FORWARDED: usize = bound(64, 3);

/// How a header names hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Addresses separated by commas, each with or without a port, brackets and quotes.
    Addresses,
    /// One address, always followed by a port, without brackets.
    Viewer,
    /// Names or addresses separated by commas.
    Hosts,
    /// The same: hosts that were requested before a proxy rewrote the request.
    Asked,
    /// The path or the URL that was requested, before it was rewritten.
    Target,
    /// The beginning of the path, which was removed.
    Prefix,
    /// `for=…;by=…;host=…` (RFC 7239).
    Forwarded,
    /// `1.1 host (comment)` (RFC 9110, 7.6.3).
    Via,
    /// The domain of a cookie (RFC 6265, 4.1.2.3).
    Cookie,
    /// Text that contains names.
    Text,
}

/// The headers, in lower case and by length.
const NAMES: [(&[u8], Form); 107] = [
    (b"via", Form::Via),
    (b"link", Form::Text),
    (b"x-host", Form::Asked),
    (b"alt-svc", Form::Text),
    (b"refresh", Form::Text),
    (b"http-url", Form::Target),
    (b"forwarded", Form::Forwarded),
    (b"client-ip", Form::Addresses),
    (b"x-real-ip", Form::Addresses),
    (b"x-true-ip", Form::Addresses),
    (b"proxy-url", Form::Target),
    (b"set-cookie", Form::Cookie),
    (b"x-clientip", Form::Addresses),
    (b"cdn-src-ip", Form::Addresses),
    (b"proxy-host", Form::Asked),
    (b"x-real-url", Form::Target),
    (b"x-real-uri", Form::Target),
    (b"x-client-ip", Form::Addresses),
    (b"x-forwarded", Form::Forwarded),
    (b"x-remote-ip", Form::Addresses),
    (b"remote-addr", Form::Addresses),
    (b"x-source-ip", Form::Addresses),
    (b"cdn-real-ip", Form::Addresses),
    (b"x-real-host", Form::Asked),
    (b"request-uri", Form::Target),
    (b"x-cdn-src-ip", Form::Addresses),
    (b"x-remote-addr", Form::Addresses),
    (b"forwarded-for", Form::Addresses),
    (b"fly-client-ip", Form::Addresses),
    (b"x-original-ip", Form::Addresses),
    (b"x-client-addr", Form::Addresses),
    (b"x-cdn-real-ip", Form::Addresses),
    (b"cdn-client-ip", Form::Addresses),
    (b"x-coming-from", Form::Addresses),
    (b"x-rewrite-url", Form::Target),
    (b"x-rewrite-uri", Form::Target),
    (b"x-request-uri", Form::Target),
    (b"x-request-url", Form::Target),
    (b"x-script-name", Form::Prefix),
    (b"true-client-ip", Form::Addresses),
    (b"x-proxyuser-ip", Form::Addresses),
    (b"x-forwarded-by", Form::Addresses),
    (b"x-arr-clientip", Form::Addresses),
    (b"x-backend-host", Form::Asked),
    (b"x-gateway-host", Form::Asked),
    (b"x-original-url", Form::Target),
    (b"x-original-uri", Form::Target),
    (b"x-rewrite-path", Form::Target),
    (b"x-forwarded-for", Form::Addresses),
    (b"x-original-host", Form::Asked),
    (b"proxy-client-ip", Form::Addresses),
    (b"ali-cdn-real-ip", Form::Addresses),
    (b"incap-client-ip", Form::Addresses),
    (b"z-forwarded-for", Form::Addresses),
    (b"x-real-clientip", Form::Addresses),
    (b"x-original-path", Form::Target),
    (b"x-forwarded-uri", Form::Target),
    (b"x-forwarded-url", Form::Target),
    (b"x-replaced-path", Form::Target),
    (b"x-true-client-ip", Form::Addresses),
    (b"x-forwarded-host", Form::Asked),
    (b"fastly-client-ip", Form::Addresses),
    (b"cf-connecting-ip", Form::Addresses),
    (b"x-originating-ip", Form::Addresses),
    (b"x-azure-clientip", Form::Addresses),
    (b"x-azure-socketip", Form::Addresses),
    (b"do-connecting-ip", Form::Addresses),
    (b"x-real-client-ip", Form::Addresses),
    (b"forwarded-for-ip", Form::Addresses),
    (b"x-client-real-ip", Form::Addresses),
    (b"x-forwarded-path", Form::Target),
    (b"x-sucuri-clientip", Form::Addresses),
    (b"fly-forwarded-for", Form::Addresses),
    (b"x-azure-client-ip", Form::Addresses),
    (b"x-original-prefix", Form::Prefix),
    (b"x-forwarded-server", Form::Hosts),
    (b"cf-connecting-ipv6", Form::Addresses),
    (b"wl-proxy-client-ip", Form::Addresses),
    (b"x-akamai-client-ip", Form::Addresses),
    (b"x-remote-client-ip", Form::Addresses),
    (b"x-forwarded-prefix", Form::Prefix),
    (b"x-cluster-client-ip", Form::Addresses),
    (b"x-appengine-user-ip", Form::Addresses),
    (b"x-original-hostname", Form::Asked),
    (b"x-http-host-override", Form::Asked),
    (b"x-original-client-ip", Form::Addresses),
    (b"x-forwarded-hostname", Form::Asked),
    (b"x-waws-unencoded-url", Form::Target),
    (b"x-envoy-original-url", Form::Target),
    (b"x-forwarded-client-ip", Form::Addresses),
    (b"x-forwarded-authority", Form::Asked),
    (b"x-envoy-original-host", Form::Asked),
    (b"x-envoy-original-path", Form::Target),
    (b"x-vercel-forwarded-for", Form::Addresses),
    (b"x-original-remote-addr", Form::Addresses),
    (b"content-security-policy", Form::Text),
    (b"x-originating-client-ip", Form::Addresses),
    (b"x-forwarded-server-name", Form::Asked),
    (b"x-original-forwarded-for", Form::Addresses),
    (b"x-envoy-external-address", Form::Addresses),
    (b"x-ms-forwarded-client-ip", Form::Addresses),
    (b"x-forwarded-for-original", Form::Addresses),
    (b"x-content-security-policy", Form::Text),
    (b"x-nf-client-connection-ip", Form::Addresses),
    (b"x-custom-ip-authorization", Form::Addresses),
    (b"cloudfront-viewer-address", Form::Viewer),
    (b"content-security-policy-report-only", Form::Text),
];

/// The lengths that occur: most other headers are rejected by their length.
const LENGTHS: u64 = {
    let (mut lengths, mut at) = (0, 0);
    while at < NAMES.len() {
        lengths |= 1 << NAMES[at].0.len();
        at += 1;
    }
    lengths
};

/// Where those of each length begin.
const STARTS: [u8; u64::BITS as usize + 1] = {
    let (mut starts, mut length, mut at) = ([0; u64::BITS as usize + 1], 0, 0);
    while length < starts.len() {
        while at < NAMES.len() && NAMES[at].0.len() < length {
            at += 1;
        }
        starts[length] = at as u8;
        length += 1;
    }
    starts
};

/// How a header names hosts, if it does.
pub(in crate::engine::packet) fn is_naming(name: &[u8]) -> bool {
    form(name).is_some()
}

pub(super) fn form(name: &[u8]) -> Option<Form> {
    if name.len() >= u64::BITS as usize || LENGTHS >> name.len() & 1 == 0 {
        return None;
    }
    let range = usize::from(STARTS[name.len()])..usize::from(STARTS[name.len() + 1]);
    let mut same = NAMES.get(range).unwrap_or_default().iter();
    same.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|&(_, form)| form)
}

/// What the headers of one head name: each once, however often it occurs.
#[derive(Debug, Default)]
pub(super) struct Named<'a> {
    addresses: Vec<(IpAddr, Option<u16>)>,
    hosts: Vec<&'a [u8]>,
    domains: Vec<&'a [u8]>,
    /// Requested hosts, with their ports.
    asked: Vec<&'a [u8]>,
    targets: Vec<&'a [u8]>,
    prefix: Option<&'a [u8]>,
}

impl<'a> Named<'a> {
    /// Takes the value of a header. False if it contains text that was not parsed.
    pub(super) fn take(&mut self, form: Form, value: &'a [u8]) -> bool {
        let parts = value.split(|&byte| byte == b',').take(MAX_FORWARDED);
        match form {
            Form::Addresses => parts.for_each(|part| self.address(part)),
            Form::Viewer => {
                let colon = memchr::memrchr(b':', value).unwrap_or(value.len());
                let (address, port) = value.split_at_checked(colon).unwrap_or((value, b""));
                let port = std::str::from_utf8(port.get(1..).unwrap_or_default()).unwrap_or("");
                if let Some(address) = parse_bare(address) {
                    self.add((address, port.parse().ok()));
                }
            }
            Form::Hosts => parts.for_each(|part| self.host(part)),
            Form::Asked => parts.for_each(|part| {
                self.host(part);
                self.ask(unquote(part));
            }),
            Form::Target if value.starts_with(b"/") => {
                if self.targets.len() < MAX_FORWARDED && !self.targets.contains(&value) {
                    self.targets.push(value);
                }
            }
            Form::Target => {}
            Form::Prefix => self.prefix = Some(value).filter(|value| value.starts_with(b"/")),
            Form::Forwarded => self.forwarded(value),
            Form::Via => parts.for_each(|part| {
                let mut words = part.split(|byte| byte.is_ascii_whitespace());
                let mut words = words.by_ref().filter(|word| !word.is_empty());
                // Others are free text.
                if let Some(host) = words.nth(1).filter(|host| host.contains(&b'.')) {
                    self.host(host);
                }
            }),
            Form::Cookie => self.cookie(value),
            Form::Text => return !value.contains(&b'.'),
        }
        true
    }

    fn address(&mut self, part: &[u8]) {
        let Some((address, port)) = parse_node(unquote(part)) else { return };
        self.add((address, port));
    }

    fn add(&mut self, (address, port): (IpAddr, Option<u16>)) {
        let port = port.filter(|&port| port > 0);
        for (known, its_port) in &mut self.addresses {
            if *known == address && (port.is_none() || its_port.is_none() || *its_port == port) {
                *its_port = its_port.or(port);
                return;
            }
        }
        if self.addresses.len() < MAX_FORWARDED {
            self.addresses.push((address, port));
        }
    }

    /// A name or an address.
    fn host(&mut self, part: &'a [u8]) {
        let part = unquote(part);
        if parse_node(part).is_some() {
            return self.address(part);
        }
        let name = split_port(part).0;
        let is_name = !name.is_empty() && name.iter().all(|&byte| is_of_name(byte));
        if is_name && self.hosts.len() < MAX_FORWARDED && !holds(&self.hosts, name) {
            self.hosts.push(name);
        }
    }

    /// A requested host.
    fn ask(&mut self, part: &'a [u8]) {
        let is_host = |&byte: &u8| is_of_name(byte) || matches!(byte, b':' | b'[' | b']');
        let is_new = !part.is_empty() && part.iter().all(is_host) && !holds(&self.asked, part);
        if is_new && self.asked.len() < MAX_FORWARDED {
            self.asked.push(part);
        }
    }

    /// Pairs of RFC 7239, 4. Obfuscated names are not addresses.
    fn forwarded(&mut self, value: &'a [u8]) {
        for pair in pairs(value).take(2 * MAX_FORWARDED) {
            let Some(at) = memchr::memchr(b'=', pair) else { continue };
            let (name, node) = (pair[..at].trim_ascii(), &pair[at + 1..]);
            if name.eq_ignore_ascii_case(b"for") || name.eq_ignore_ascii_case(b"by") {
                self.address(node);
            } else if name.eq_ignore_ascii_case(b"host") {
                self.host(node);
                self.ask(unquote(node));
            }
        }
    }

    /// The hosts and targets that may have been requested originally, if the request comes from a
    /// proxy: each host with each target, except the combination of the request itself.
    pub(super) fn asked(
        &self,
        host: Option<&'a [u8]>,
        target: &'a [u8],
    ) -> impl Iterator<Item = (Option<&'a [u8]>, &'a [u8], &'a [u8])> {
        let prefix = self.prefix.map(|prefix| prefix.strip_suffix(b"/").unwrap_or(prefix));
        let own = (target.starts_with(b"/")).then_some((&b""[..], target));
        let before = prefix.zip(own).map(|(prefix, (_, target))| (prefix, target));
        let targets = self.targets.iter().map(|&target| (&b""[..], target));
        let targets: Vec<_> = own.into_iter().chain(before).chain(targets).collect();
        let asked = self.asked.iter().map(|&host| Some(host));
        let hosts = std::iter::once(host).chain(asked.filter(move |&other| other != host));
        hosts
            .flat_map(move |host| targets.clone().into_iter().map(move |(a, b)| (host, a, b)))
            .filter(move |&(its, prefix, its_target)| {
                its != host || !prefix.is_empty() || its_target != target
            })
    }

    fn cookie(&mut self, value: &'a [u8]) {
        for attribute in value.split(|&byte| byte == b';').skip(1) {
            let Some(at) = memchr::memchr(b'=', attribute) else { continue };
            if attribute[..at].trim_ascii().eq_ignore_ascii_case(b"domain") {
                let name = attribute[at + 1..].trim_ascii();
                let name = name.strip_prefix(b".").unwrap_or(name);
                let is_name = !name.is_empty() && name.iter().all(|&byte| is_of_name(byte));
                if is_name && self.domains.len() < MAX_FORWARDED && !holds(&self.domains, name) {
                    self.domains.push(name);
                }
            }
        }
    }

    /// Reports what was named, except the host that the request itself contains.
    pub(super) fn report(&self, host: Option<&[u8]>, seen: &mut impl FnMut(Observable<'a>, Where)) {
        let own = host.map(|host| split_port(host).0);
        for &(address, port) in &self.addresses {
            seen(Observable::Address(address, port), Where::HttpXff);
        }
        for (names, at) in [(&self.hosts, Where::HttpXff), (&self.domains, Where::HttpHeader)] {
            for name in names {
                if !own.is_some_and(|own| own.eq_ignore_ascii_case(name)) {
                    seen(Observable::Name(name), at);
                }
            }
        }
    }
}

fn holds(names: &[&[u8]], name: &[u8]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'.' | b'-' | b'_')
}

fn unquote(part: &[u8]) -> &[u8] {
    let part = part.trim_ascii();
    part.strip_prefix(b"\"").and_then(|part| part.strip_suffix(b"\"")).unwrap_or(part).trim_ascii()
}

/// Parses `address`, `address:port`, `[address]`, `[address]:port`, and eight groups with a port.
fn parse_node(node: &[u8]) -> Option<(IpAddr, Option<u16>)> {
    let (name, port) = split_port(node);
    if let Some(address) = parse_bare(name) {
        return Some((address, port));
    }
    let last = memchr::memrchr(b':', node);
    // An obfuscated port (RFC 7239, 6.3).
    if let Some((name, [b':', b'_', ..])) = last.and_then(|at| node.split_at_checked(at)) {
        return Some((parse_bare(name)?, None));
    }
    let last = last.filter(|_| memchr::memchr_iter(b':', node).count() == 8);
    let (name, digits) = node.split_at_checked(last?)?;
    let port = std::str::from_utf8(digits.get(1..)?).ok()?.parse().ok()?;
    Some((parse_bare(name)?, Some(port)))
}

/// Splits at commas and semicolons outside quotes.
fn pairs(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    value.split(move |&byte| {
        if is_escaped {
            is_escaped = false;
            return false;
        }
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\\' => is_escaped = is_quoted,
            b',' | b';' => return !is_quoted,
            _ => {}
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_their_length() {
        for (at, (name, want)) in NAMES.iter().enumerate() {
            assert_eq!(form(&name.to_ascii_uppercase()), Some(*want));
            assert!(at == 0 || NAMES[at - 1].0.len() <= name.len(), "{at}");
            let other = [name, &b"x"[..]].concat();
            assert_eq!(form(&other), None);
        }
        assert_eq!(form(&[b'x'; 300]), None);
    }

    #[test]
    fn nodes_of_forwarded_are_read() {
        for (node, want) in [
            ("192.0.2.1", "192.0.2.1 None"),
            ("192.0.2.1:80", "192.0.2.1 Some(80)"),
            ("[2001:db8::1]:80", "2001:db8::1 Some(80)"),
            ("[2001:db8::1]", "2001:db8::1 None"),
            ("2001:db8::1", "2001:db8::1 None"),
            ("192.0.2.1:_p", "192.0.2.1 None"),
            ("[2001:db8::1]:_SEVKISEK", "2001:db8::1 None"),
            ("2001:db8:0:0:0:0:0:1:80", "2001:db8::1 Some(80)"),
        ] {
            let (address, port) = parse_node(node.as_bytes()).unwrap();
            assert_eq!(format!("{address} {port:?}"), want);
        }
        for node in ["", "unknown", "_hidden", "_SEVKISEK:80", "a.example", "::x", "1.2.3"] {
            assert_eq!(parse_node(node.as_bytes()), None, "{node}");
        }
    }
}
