//! URLs of requests that a line quotes: `"GET /g HTTP/1.1"`.

use super::endpoints::port_number;
use super::urls::put_together;
use super::{HostSeen, Record, SplitUrl};
use std::ops::Range;

/// How many bytes before its `Host` header to look for a request line.
const MAX_HEAD: usize = 4096;
/// The maximum length of a method.
const MAX_METHOD: usize = 16;

/// The text before the value of the header that names the host of a request.
const HOST: &[u8] = b"host: ";

impl Record {
    /// The URL of a quoted request whose host is where web servers put it: at the
    /// start of the line (`vhost_combined`), in the braces before it (HAProxy),
    /// after `host:` (the error log of nginx), or in quotes after it (Envoy).
    pub(super) fn url_of_request(
        &mut self,
        line: &[u8],
        span: &Range<usize>,
        host: &HostSeen<'_>,
    ) -> Option<SplitUrl> {
        if let Some(url) = self.url_of_head(line, span, host) {
            return Some(url);
        }
        let text = self.text.clone();
        let before = line.get(text.start..span.start)?;
        let after = line.get(span.end).copied().unwrap_or(b' ');
        let port = port_after(line, span.end);
        let in_braces = matches!(before.last(), Some(b'{' | b'|')) && b"|}:".contains(&after);
        let is_host = in_braces
            || span.start == text.start && (after == b' ' || port.is_some())
            || before.ends_with(b" host: \"") && (after == b'"' || port.is_some())
            || before.ends_with(b" \"") && (after == b'"' && !host.is_address || port.is_some());
        if !is_host {
            return None;
        }
        let end = text.end.min(line.len());
        let request = self.request.get_or_insert_with(|| request(&line[..end], text.start)).clone();
        let (quote, path) = request?;
        // A quoted text is only a host if it follows the request (Envoy, nginx).
        if before.ends_with(b" \"") && !before.ends_with(b" host: \"") && span.start < path.end {
            return None;
        }
        if in_braces {
            // HAProxy's captures directly precede the request, one or two of them.
            let between = line.get(span.end..quote)?;
            if between.len() > 512 || !between.contains(&b'}') {
                return None;
            }
        }
        let path = String::from_utf8_lossy(&line[path]);
        let url = put_together(None, host.text, port, &path);
        Some(SplitUrl { url, field: "host+request".into() })
    }

    /// The URL of a request that is in one text with its header lines, given its
    /// `Host` header.
    fn url_of_head(
        &mut self,
        line: &[u8],
        span: &Range<usize>,
        host: &HostSeen<'_>,
    ) -> Option<SplitUrl> {
        let floor = self.text.start.max(span.start.saturating_sub(MAX_HEAD));
        let before = line.get(floor..span.start)?;
        let name = before.len().checked_sub(HOST.len())?;
        // The header begins after a line break, possibly an escaped one.
        if !before[name..].eq_ignore_ascii_case(HOST)
            || !matches!(before[..name], [.., b'n' | b'\n'])
        {
            return None;
        }
        let head = &before[..name];
        let version = memchr::memmem::rfind(head, b" HTTP/")?;
        let blank = |bytes: &[u8]| memchr::memmem::find(&head[version..], bytes).is_some();
        if blank(b"\\n\\r\\n") || blank(b"\\n\\n") || blank(b"\n\r\n") || blank(b"\n\n") {
            // The body follows the empty line.
            return None;
        }
        let path = memchr::memrchr(b' ', &head[..version])? + 1;
        let methods = head[..path - 1].iter().rev().take(MAX_METHOD);
        if methods.take_while(|b| b.is_ascii_uppercase()).count() < 3 {
            return None;
        }
        let path = String::from_utf8_lossy(&head[path..version]).replace("\\/", "/");
        let port = port_after(line, span.end);
        let number = self.number_at(span.start);
        let name = number.and_then(|number| self.path(line, number));
        let url = path.starts_with('/').then(|| put_together(None, host.text, port, &path))?;
        Some(SplitUrl { url, field: name.unwrap_or_else(|| "host+request".into()) })
    }

    /// The URL of a host in a field whose path is in the request of the same line:
    /// `"GET /g HTTP/1.1" 200 host="evil.example"`.
    pub(super) fn url_of_line(
        &mut self,
        line: &[u8],
        host: &HostSeen<'_>,
        port: Option<u16>,
        name: &str,
    ) -> Option<SplitUrl> {
        let text = self.text.start..self.text.end.min(line.len());
        if !self.is_pairs || host.is_address {
            return None;
        }
        let first = || request(&line[..text.end], text.start);
        let (_, path) = self.request.get_or_insert_with(first).clone()?;
        let path = String::from_utf8_lossy(&line[path]);
        let url = put_together(None, host.text, port, &path);
        Some(SplitUrl { url, field: format!("{name}+request") })
    }
}

/// The URL of a request after the URL of its server: `http://evil.example:80 "GET
/// /g HTTP/1.1"`, as Python's urllib3 writes it. `rest` is the text after the
/// server.
pub fn url_before_request(server: &str, rest: &[u8]) -> Option<String> {
    let line = &rest[..rest.len().min(MAX_HEAD)];
    let line = &line[..memchr::memchr(b'\n', line).unwrap_or(line.len())];
    let (quote, path) = request(line, 0)?;
    let server = server.strip_suffix('/').unwrap_or(server);
    let path = std::str::from_utf8(&line[path]).ok()?;
    (quote == 1 && line.first() == Some(&b' ')).then(|| format!("{server}{path}"))
}

/// The port after a host that ends at a place.
fn port_after(line: &[u8], end: usize) -> Option<u16> {
    let rest = line.get(end..)?.strip_prefix(b":")?;
    let len = rest.iter().take(6).take_while(|b| b.is_ascii_digit()).count();
    port_number(&rest[..len])
}

/// The first quoted request from `start`: the position of its quote, and its path.
fn request(line: &[u8], start: usize) -> Option<(usize, Range<usize>)> {
    let version = start + memchr::memmem::find(line.get(start..)?, b" HTTP/")?;
    let quote = start + memchr::memrchr(b'"', &line[start..version])?;
    let method =
        line[quote + 1..].iter().take(MAX_METHOD).take_while(|b| b.is_ascii_uppercase()).count();
    let path = quote + 1 + method + 1;
    let is_request =
        method > 2 && line.get(path - 1) == Some(&b' ') && line.get(path) == Some(&b'/');
    is_request.then_some((quote, path..version.max(path)))
}
