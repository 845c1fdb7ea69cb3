//! URLs whose host and path are in two fields of a record.

use super::Record;
use super::endpoints::port_number;
use super::groups::mate_of;
use crate::engine::text::escapes::characters;
use crate::engine::text::fields::member::{Member, Name, Scope};
use crate::engine::text::fields::names::{self, Part, Side};
use std::ops::Range;

/// The total length of all URLs joined from a record, as a multiple of its own
/// length, and the length from which the limit applies.
const MAX_BUILT: usize = 32;
const MIN_BUILT: usize = 4096;

/// A URL whose host and path are in two fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitUrl {
    /// The joined URL, without a scheme if none is known.
    pub url: String,
    /// The names of both fields, such as `host+uri`.
    pub field: String,
}

/// An observed host.
#[derive(Clone, Copy, Debug)]
pub struct HostSeen<'t> {
    /// The text as it would be in a URL: an IPv6 address is in brackets.
    pub text: &'t str,
    /// Whether it is an address, which may also be a destination.
    pub is_address: bool,
}

/// The members of a scope that are parts of a URL.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parts {
    path: Option<(u8, u32)>,
    query: Option<u32>,
    scheme: Option<u32>,
    port: Option<u32>,
    has_host: bool,
}

impl Parts {
    fn merge(&mut self, other: &Parts) {
        if let Some(path) = other.path
            && self.path.is_none_or(|mine| path.0 < mine.0)
        {
            (self.path, self.query) = (Some(path), other.query);
        }
        self.scheme = self.scheme.or(other.scheme);
        self.port = self.port.or(other.port);
        self.has_host |= other.has_host;
    }

    /// Takes a part, unless an equally good one is known.
    fn take(&mut self, part: Part, number: u32) {
        match part {
            Part::Host => self.has_host = true,
            Part::Server => {}
            Part::Path(rank) if self.path.is_none_or(|path| rank < path.0) => {
                self.path = Some((rank, number));
            }
            Part::Path(_) => {}
            Part::Query => self.query = self.query.or(Some(number)),
            Part::Scheme => self.scheme = self.scheme.or(Some(number)),
            Part::Port => self.port = self.port.or(Some(number)),
        }
    }
}

/// The key for a part in a table; hosts with different names are separate.
fn part_key(part: Part, name: &[u8]) -> u64 {
    match part {
        Part::Path(rank) => u64::from(rank),
        Part::Host | Part::Server => names::hash_of(name) | 1 << 32,
        Part::Query => 101,
        Part::Scheme => 102,
        Part::Port => 103,
    }
}

/// The members of an object for a request header, which hold the header's name and
/// its value: `{"name":"Host","value":"evil.example"}`.
#[derive(Clone, Copy, Default)]
struct Header {
    name: Option<u32>,
    value: Option<u32>,
}

impl Record {
    /// The URL whose host is at `span` and whose path is in another field.
    pub fn url_in_other_field(
        &mut self,
        line: &[u8],
        span: Range<usize>,
        host: &HostSeen<'_>,
    ) -> Option<SplitUrl> {
        if let Some(url) = self.url_of_request(line, &span, host) {
            return Some(url);
        }
        let number = self.number_at(span.start)?;
        let member = self.members[number as usize];
        let value = member.span();
        let is_bracketed = value.start + 1 == span.start
            && line.get(value.start) == Some(&b'[')
            && line.get(span.end) == Some(&b']');
        let own = if is_bracketed { span.start - 1..span.end + 1 } else { span.clone() };
        let after = line.get(own.end..value.end).unwrap_or_default();
        let root = after.strip_prefix(b".").unwrap_or(after);
        let own_port = root.strip_prefix(b":").and_then(port_number);
        let is_value = value.start == own.start
            && member.name != Name::None
            && (root.is_empty() || own_port.is_some());
        if !is_value {
            // The host of a virtual server may be the first word of a message.
            let found = self.inner(line, number)?.url_in_other_field(line, span, host);
            let SplitUrl { url, field } = found?;
            return Some(SplitUrl { url, field: self.path_in(line, number, &field) });
        }
        self.index_endpoints(line);
        self.index_parts(line);
        let scope = self.scope_of_host(line, number, host.is_address)?;
        let Some(parts) = self.parts_near(scope) else {
            let name = self.path(line, number)?;
            return self.url_of_line(line, host, own_port, &name);
        };
        let parts = self.own_group(line, parts, scope, number);
        let (rank, path) = parts.path.filter(|(_, path)| *path != number)?;
        // Many hosts next to a long path would take quadratic time.
        self.built += self.value(line, self.members[path as usize]).len();
        if self.built > MAX_BUILT * self.text.len().max(MIN_BUILT) {
            return None;
        }
        let text = self.target(line, &parts, rank, path)?;
        let port = own_port.or_else(|| self.url_port(line, &parts, scope));
        let scheme = parts.scheme.map(|at| self.text(line, self.members[at as usize]));
        let field = format!("{}+{}", self.path(line, number)?, self.path(line, path)?);
        Some(SplitUrl { url: put_together(scheme.as_deref(), host.text, port, &text), field })
    }

    /// The path and query that the parts form.
    fn target(&self, line: &[u8], parts: &Parts, rank: u8, path: u32) -> Option<String> {
        let mut text = self.text(line, self.members[path as usize]);
        if rank == names::REQUEST && !text.starts_with('/') {
            text = text.split(' ').nth(1)?.to_string();
        }
        if !text.starts_with('/') {
            if rank != names::NAMED_PATH {
                return None;
            }
            text.insert(0, '/');
        }
        let query = parts.query.map(|at| self.text(line, self.members[at as usize]));
        let query = query.filter(|query| !text.contains('?') && !query.is_empty() && query != "-");
        if let Some(query) = query {
            text.push('?');
            text.push_str(query.strip_prefix('?').unwrap_or(&query));
        }
        Some(text)
    }

    /// The scope in which a member is the host of a request, if it is one.
    fn scope_of_host(&self, line: &[u8], number: u32, is_address: bool) -> Option<u32> {
        let member = self.members[number as usize];
        let is_host = match self.part(line, member) {
            Some(Part::Host) => true,
            // The whole value is the host, and the path has a name of its own.
            Some(Part::Path(_)) => true,
            Some(Part::Server) => !is_address && !self.has_host(self.root(member)),
            _ => false,
        };
        if is_host || is_address && self.is_destination(line, number) {
            return Some(member.scope);
        }
        let Scope { parent, opened, .. } = self.members.scopes[member.scope as usize];
        let is_value = names::is_header_value(self.name(line, member.name));
        if !is_value || !names::holds_headers(self.name(line, opened.key)) {
            return None;
        }
        // The members of an object are adjacent.
        let adjacent = [number.checked_sub(2), Some(number + 2), number.checked_sub(1)];
        let is_host = adjacent.into_iter().flatten().any(|at| {
            self.members.get(at as usize).is_some_and(|name| {
                name.scope == member.scope
                    && names::is_header_name(self.name(line, name.name))
                    && names::header_part(self.value(line, *name)) == Some(Part::Host)
            })
        });
        parent.filter(|_| is_host)
    }

    fn part(&self, line: &[u8], member: Member) -> Option<Part> {
        let object = self.name(line, self.members.scopes[member.scope as usize].opened.key);
        names::part(object, self.name(line, member.name))
    }

    /// Whether an address is the server's, and nothing else names its host.
    fn is_destination(&self, line: &[u8], number: u32) -> bool {
        let root = self.root(self.members[number as usize]);
        let has_host = self.has_host(root);
        let side = self.side(line, number);
        let is_server = ["id.resp", "server", "resp", "s"]
            .iter()
            .any(|name| Side::none().with(name.as_bytes()).words == side.words);
        !has_host && !side.is_port && (side.words == names::destination() || is_server)
    }

    /// Whether a record has a member named for the host of a request.
    fn has_host(&self, root: u32) -> bool {
        self.parts.as_ref().is_some_and(|[_, all]| all[root as usize].has_host)
    }

    /// The parts of the nearest surrounding scope with a path.
    fn parts_near(&self, scope: u32) -> Option<Parts> {
        let [own, all] = self.parts.as_ref()?;
        let mut next = Some(scope);
        while let Some(at) = next {
            let (own, all) = (own[at as usize], all[at as usize]);
            if all.path.is_some() {
                let mut parts = if own.path.is_some() { own } else { all };
                parts.scheme = parts.scheme.or(all.scheme);
                parts.port = parts.port.or(all.port);
                return Some(parts);
            }
            next = self.members.scopes[at as usize].parent;
        }
        None
    }

    /// The parts that belong to a host, if its scope has several of them.
    fn own_group(&self, line: &[u8], mut parts: Parts, scope: u32, host: u32) -> Parts {
        let name = self.name(line, self.members[host as usize].name);
        let hosts = self.requests.of(scope, part_key(Part::Host, name));
        let mine = |part: Part, found: u32| {
            let mates = self.requests.of(scope, part_key(part, b""));
            match mates.binary_search(&found).is_ok() && (mates.len() > 1 || hosts.len() > 1) {
                true => mate_of(hosts, mates, host),
                false => Some(found),
            }
        };
        parts.path = parts.path.and_then(|(rank, at)| Some((rank, mine(Part::Path(rank), at)?)));
        parts.query = parts.query.and_then(|at| mine(Part::Query, at));
        parts.scheme = parts.scheme.and_then(|at| mine(Part::Scheme, at));
        parts.port = parts.port.and_then(|at| mine(Part::Port, at));
        parts
    }

    fn url_port(&self, line: &[u8], parts: &Parts, scope: u32) -> Option<u16> {
        match parts.port {
            Some(port) => port_number(self.value(line, self.members[port as usize])),
            None => self.server_port(line, scope),
        }
    }

    fn index_parts(&mut self, line: &[u8]) {
        if self.parts.is_some() {
            return;
        }
        let mut own = vec![Parts::default(); self.members.scopes.len()];
        let mut headers = Vec::new();
        for number in 0..self.members.len() {
            let member = self.members[number];
            if member.name == Name::None {
                continue;
            }
            let found = self.part(line, member).filter(|part| match part {
                Part::Path(rank) => is_path(self.value(line, member), *rank),
                // If a request names no host, its destination counts.
                Part::Host => !is_unset(self.value(line, member)),
                _ => true,
            });
            if let Some(part) = found {
                own[member.scope as usize].take(part, number as u32);
                self.note_part(line, part, number as u32);
            }
            self.note_header(line, number as u32, &mut headers);
        }
        self.take_headers(line, &headers, &mut own);
        // Objects come after those that contain them.
        let mut all = own.clone();
        for at in (0..self.members.scopes.len()).rev() {
            let Scope { parent, opened, .. } = self.members.scopes[at];
            let Some(parent) = parent.filter(|_| !opened.is_element) else { continue };
            let mut below = all[at];
            // A path outside requests (`log.file.path`) belongs to no host
            // elsewhere, nor does one with a host of its own.
            let is_strong = below.path.is_none_or(|(rank, _)| names::is_strong(rank));
            if below.has_host || !is_strong && !names::holds_request(self.name(line, opened.key)) {
                (below.path, below.query) = (None, None);
            }
            all[parent as usize].merge(&below);
        }
        self.parts = Some([own, all]);
    }

    /// Adds a part to those of its kind and name. Of several names for a path the
    /// first one counts, and the values of an array are all of one field.
    fn note_part(&mut self, line: &[u8], part: Part, number: u32) {
        let member = self.members[number as usize];
        let name = self.name(line, member.name);
        let key = part_key(part, name);
        let noted = self.requests.of(member.scope, key);
        let is_new = |last: &u32| self.members[*last as usize].name != member.name;
        let is_same = |first: &u32| self.name(line, self.members[*first as usize].name) == name;
        if noted.last().is_none_or(is_new) && noted.first().is_none_or(is_same) {
            self.requests.note(member.scope, key, number);
        }
    }

    /// Collects the members of objects with one header each, by scope.
    fn note_header(&self, line: &[u8], number: u32, headers: &mut Vec<(u32, Header)>) {
        let member = self.members[number as usize];
        let key = self.members.scopes[member.scope as usize].opened.key;
        if !names::holds_headers(self.name(line, key)) {
            return;
        }
        if headers.last().is_none_or(|(scope, _)| *scope != member.scope) {
            headers.push((member.scope, Header::default()));
        }
        let Some((_, header)) = headers.last_mut() else { return };
        let name = self.name(line, member.name);
        if names::is_header_name(name) {
            header.name = Some(number);
        } else if names::is_header_value(name) {
            header.value = Some(number);
        }
    }

    /// The headers of a request belong to the object around them.
    fn take_headers(&self, line: &[u8], headers: &[(u32, Header)], own: &mut [Parts]) {
        for (scope, header) in headers {
            let (Some(name), Some(value)) = (header.name, header.value) else { continue };
            let part = names::header_part(self.value(line, self.members[name as usize]));
            let parent = self.members.scopes[*scope as usize].parent;
            if let (Some(part), Some(parent)) = (part, parent) {
                own[parent as usize].take(part, value);
            }
        }
    }

    /// The text of a value with its escapes decoded.
    fn text(&self, line: &[u8], member: Member) -> String {
        let value = self.value(line, member);
        let opened = self.members.scopes[member.scope as usize].opened;
        let mut text = String::from_utf8_lossy(value).into_owned();
        let is_quoted = member.start > 0 && line[member.start as usize - 1] == b'"';
        // A quoted pair has escapes of its own.
        let own = u8::from(is_quoted && self.is_pairs && member.scope == 0);
        for _ in 0..(opened.undone + own).max(u8::from(is_quoted)) {
            if !text.contains('\\') {
                break;
            }
            let Ok(undone) = serde_json::from_str(&format!("\"{text}\"")) else { break };
            text = undone;
        }
        characters(&text).into_owned()
    }
}

/// Whether a value means that there is none.
fn is_unset(value: &[u8]) -> bool {
    const UNSET: [&[u8]; 11] = [
        b"",
        b"-",
        b"--",
        b"_",
        b"null",
        b"(null)",
        b"none",
        b"nil",
        b"n/a",
        b"(empty)",
        b"undefined",
    ];
    UNSET.iter().any(|word| value.trim_ascii().eq_ignore_ascii_case(word))
}

/// Whether a value can be the path of a request, or a request line.
fn is_path(value: &[u8], rank: u8) -> bool {
    let slashes = value.iter().take(16).take_while(|b| **b == b'\\').count();
    let begins = |mark: &[u8]| {
        value.get(slashes..).is_some_and(|value| {
            value.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark))
        })
    };
    if begins(b"/") || slashes > 0 && begins(b"u002f") {
        return true;
    }
    if rank == names::NAMED_PATH {
        let is_name = value.first().is_some_and(u8::is_ascii_alphanumeric) && !is_unset(value);
        return is_name && !value.iter().any(|b| b.is_ascii_whitespace() || *b == b':');
    }
    let method = value.iter().take(16).take_while(|b| b.is_ascii_uppercase()).count();
    rank == names::REQUEST && method > 2 && value[method..].starts_with(b" /")
}

/// Joins the parts of a URL. Without a scheme, the port may give it.
pub(super) fn put_together(
    scheme: Option<&str>,
    host: &str,
    port: Option<u16>,
    path: &str,
) -> String {
    let scheme = scheme.map(str::to_ascii_lowercase).filter(|s| s == "http" || s == "https");
    match (scheme, port) {
        (Some(scheme), Some(port)) => format!("{scheme}://{host}:{port}{path}"),
        (Some(scheme), None) => format!("{scheme}://{host}{path}"),
        (None, Some(443)) => format!("https://{host}{path}"),
        (None, None | Some(80)) => format!("{host}{path}"),
        (None, Some(port)) => format!("{host}:{port}{path}"),
    }
}
