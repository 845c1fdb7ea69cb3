//! The lines of a head, as servers accept them and not as they should be.
//!
//! RFC 9112 allows a server to be lenient (2.2, 3, 5.2), and servers are: blank lines before a
//! request, lines that end without a carriage return, several blanks or tabs between words,
//! methods in any case, unknown versions, headers that continue in the next line. Attackers use
//! this to evade inspection. A first line still needs its method, its target and its version:
//! these distinguish HTTP from everything else.

use crate::engine::progress::bound;

/// Headers of one request that are examined: as many as fit into a head of 64 KiB, which servers
/// accept. A lower limit would be a place to hide.
pub(super) const MAX_HEADERS: usize = bound(16 << 10, 6);

/// The longest method that is recognised; those of WebDAV and SSDP are shorter.
const LONGEST_METHOD: usize = 20;

/// The number of blanks before a first line, or between its words, up to which a stream may still
/// be HTTP.
const MAX_BLANKS: usize = bound(256, 16);

/// The longest first line for which this is possible.
const MAX_LINE: usize = bound(16 << 10, 96);

const PROTOCOL: &[u8] = b"HTTP/";

/// The classification of the beginning of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// A head.
    Head,
    /// Possibly one, if more arrives.
    Short,
    Other,
}

fn is_method(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The number of bytes before a first line that servers ignore (RFC 9112, 2.2).
pub(super) fn blanks(data: &[u8]) -> usize {
    let is_end = |&byte: &u8| !matches!(byte, b'\r' | b'\n' | b' ' | b'\t');
    data.iter().position(is_end).unwrap_or(data.len())
}

/// Detects whether a stream begins with a head.
pub(super) fn beginning(data: &[u8]) -> Beginning {
    let blanks = blanks(data.get(..MAX_BLANKS).unwrap_or(data));
    let data = data.get(blanks..).unwrap_or_default();
    let Some(first) = data.first() else {
        return if blanks < MAX_BLANKS { Beginning::Short } else { Beginning::Other };
    };
    if !first.is_ascii_alphabetic() {
        return Beginning::Other;
    }
    if is_response(data) {
        return Beginning::Head;
    }
    let method = data.iter().take(LONGEST_METHOD + 1).take_while(|&&byte| is_method(byte)).count();
    match data.get(method) {
        _ if method > LONGEST_METHOD => return Beginning::Other,
        None => return Beginning::Short,
        Some(&byte) if is_blank(byte) => {}
        // A version whose digits are still to come.
        Some(b'/') if data.len() == PROTOCOL.len() && data.eq_ignore_ascii_case(PROTOCOL) => {
            return Beginning::Short;
        }
        Some(_) => return Beginning::Other,
    }
    match split_line(data) {
        Some((line, _)) if split_request(line).is_some() => Beginning::Head,
        Some(_) => Beginning::Other,
        None if data.len() > MAX_LINE || !may_go_on(data, method) => Beginning::Other,
        None => Beginning::Short,
    }
}

/// Whether a target follows a method, as far as it has arrived.
fn may_go_on(data: &[u8], method: usize) -> bool {
    let rest = data.get(method..).unwrap_or_default();
    let blanks = rest.iter().take(MAX_BLANKS).take_while(|&&byte| is_blank(byte)).count();
    blanks < MAX_BLANKS && rest.get(blanks).is_none_or(|&byte| byte > b' ')
}

fn is_response(data: &[u8]) -> bool {
    let Some((start, rest)) = data.split_at_checked(PROTOCOL.len()) else { return false };
    start.eq_ignore_ascii_case(PROTOCOL) && rest.first().is_some_and(u8::is_ascii_digit)
}

/// Whether a segment begins with a head, in the middle of an unidentified stream: strict, except
/// for empty lines before it.
pub(in crate::engine::packet) fn is_head(data: &[u8]) -> bool {
    let data = match data {
        [b'\r' | b'\n', ..] => data.get(blanks(data)..).unwrap_or_default(),
        _ => data,
    };
    let Some(start) = data.first_chunk::<3>() else { return false };
    if !start.iter().all(u8::is_ascii_uppercase) {
        return false;
    }
    if let Some(rest) = data.strip_prefix(b"HTTP/1.") {
        return rest.get(1) == Some(&b' ');
    }
    let head = data.get(..LONGEST_METHOD + 1).unwrap_or(data);
    let is_upper = |&byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_');
    memchr::memchr(b' ', head).is_some_and(|at| head[..at].iter().all(is_upper))
        && split_line(data).is_some_and(|(line, _)| {
            memchr::memrchr(b' ', line).is_some_and(|at| line[at + 1..].starts_with(b"HTTP/1."))
        })
}

/// The method and the target of a request line.
pub(super) fn split_request(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = line.get(..LONGEST_METHOD + 1).unwrap_or(line);
    let end = start.iter().position(|&byte| !is_method(byte)).filter(|&end| end > 0)?;
    let (method, rest) = line.split_at_checked(end)?;
    if !is_blank(*rest.first()?) || !method.first()?.is_ascii_alphabetic() || method == b"PRI" {
        return None;
    }
    let rest = rest.trim_ascii();
    let Some(at) = memchr::memrchr2(b' ', b'\t', rest) else {
        // HTTP/0.9: GET and a path or a URL, and nothing else.
        let is_path = rest.len() > 1 && rest.starts_with(b"/");
        let is_url = rest.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"http://"));
        return (method == b"GET" && (is_path || is_url)).then_some((method, rest));
    };
    let target = rest.get(..at)?.trim_ascii_end();
    (is_response(rest.get(at + 1..)?) && !target.is_empty()).then_some((method, target))
}

/// The status of a status line; the rest of the line is not needed.
pub(super) fn split_status(line: &[u8]) -> Option<u16> {
    let start = line.get(..PROTOCOL.len())?;
    let version = line.get(PROTOCOL.len()..)?;
    let end = version.iter().take(8).position(|&byte| is_blank(byte))?;
    let is_version = version.first().is_some_and(u8::is_ascii_digit);
    if !is_version || !start.eq_ignore_ascii_case(PROTOCOL) {
        return None;
    }
    let status = version.get(end..)?.trim_ascii_start().get(..3)?;
    std::str::from_utf8(status).ok()?.parse().ok()
}

/// A line without its end, and what follows. `None` if it is incomplete.
pub(super) fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b'\n', bytes)?;
    let (line, rest) = (bytes.get(..end)?, bytes.get(end + 1..)?);
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest))
}

/// The end of a head, after an empty line. `scanned` bytes were examined before. `is_folded` is
/// set if a line begins with a blank.
pub(super) fn head_end(data: &[u8], scanned: usize, is_folded: &mut bool) -> Option<usize> {
    let from = scanned.saturating_sub(3).min(data.len());
    memchr::memchr_iter(b'\n', &data[from..]).find_map(|at| match data[from + at + 1..] {
        [b'\n', ..] => Some(from + at + 2),
        [b'\r', b'\n', ..] => Some(from + at + 3),
        [b' ' | b'\t', ..] => {
            *is_folded = true;
            None
        }
        _ => None,
    })
}

/// A head with each header on one line: continuation lines are joined by blanks (RFC 9112, 5.2).
/// The first header continues nothing, because the request line has only one line.
pub(super) fn unfold(head: &[u8]) -> Vec<u8> {
    let mut whole = head.to_vec();
    // Empty lines may come before it.
    let start = blanks(head);
    let ends = memchr::memchr_iter(b'\n', head).filter(|&end| end >= start);
    let ends: Vec<usize> = ends.skip(1).collect();
    for end in ends {
        if head.get(end + 1).is_some_and(|&byte| is_blank(byte)) {
            whole[end] = b' ';
            if end > 0 && head[end - 1] == b'\r' {
                whole[end - 1] = b' ';
            }
        }
    }
    whole
}

/// The headers of a head that may be needed; stops at an invalid line.
pub(super) struct Headers<'a> {
    pub(super) rest: &'a [u8],
    pub(super) left: usize,
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
            // Only the first one can begin with a blank: others were joined to the one before.
            let line = if is_blank(line[0]) { line.trim_ascii_start() } else { line };
            // A line without a colon is ignored.
            if may_be_asked_for(line)
                && let Some(colon) = memchr::memchr(b':', line)
            {
                let (name, value) = line.split_at_checked(colon)?;
                return Some((name.trim_ascii_end(), value.get(1..)?.trim_ascii()));
            }
        }
    }
}

/// Whether a line may begin with the name of any header that is used: Alt-Svc, Content-…,
/// DO-Connecting-IP, Incap-Client-IP, ETag, Forwarded, Host, Link, Location, Proxy-Client-IP,
/// Referer, Refresh, Set-Cookie, Transfer-Encoding, Upgrade, User-Agent, Via, X-…. Accept-…,
/// which is in every request, is not among them.
fn may_be_asked_for(line: &[u8]) -> bool {
    match line.first().map(|first| first | 0x20) {
        Some(b'a' | b'd' | b'i') => matches!(
            [line[0] | 0x20, line.get(1).map_or(0, |second| second | 0x20)],
            [b'a', b'l'] | [b'd', b'o'] | [b'i', b'n']
        ),
        Some(first) => matches!(
            first,
            b'c' | b'e'
                | b'f'
                | b'h'
                | b'l'
                | b'p'
                | b'r'
                | b's'
                | b't'
                | b'u'
                | b'v'
                | b'w'
                | b'x'
                | b'z'
        ),
        None => false,
    }
}
