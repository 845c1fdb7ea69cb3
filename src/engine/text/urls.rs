//! URLs and URL paths (matching specification, section 6.3).

use super::Visitor;
use super::classify::{class, is};
use super::cuts::Form;
use super::extractor::Visit;
use super::percent::{decode, tail_of_escape};
use crate::engine::indicator::url::MAX_URL;
use crate::engine::indicator::{Kind, Observable, Where, address, url};
use std::ops::Range;

/// The maximum length of a scheme.
const MAX_SCHEME: usize = 32;

/// The maximum length of an odd form of an address: four octal parts, zero-padded.
const MAX_ODD_HOST: usize = 48;

/// A URL is read up to this length, whatever it contains.
pub(super) const NEAR: usize = 8192;

/// It continues beyond that only if at most this many others can begin in it, which
/// limits the total that is read for all of them.
const MAX_NESTED: usize = 8;

/// A URL longer than this that contains so many others that it is a list of them is
/// read no further: the whole list would be read again for each.
const ROW: usize = 512;
const MANY: usize = 8;
/// The number of beginnings of others that may as well be parts of its path.
const MANY_SLASHES: usize = 32;

/// The length of `%3A%2F%2F`.
const ESCAPED_SLASHES: usize = 9;

/// Schemes of web URLs, even with something joined before them.
const WEB_SCHEMES: [&[u8]; 5] = [b"https", b"http", b"hxxps", b"hxxp", b"ftp"];

/// What begins another URL inside one.
#[derive(Clone, Copy)]
enum Nested {
    /// `//`
    Slashes,
    /// A dot, in a host without a scheme.
    Dot,
    /// A slash where a path can begin; it is only read up to the limit.
    Path,
}

impl Nested {
    /// Whether this is the beginning of a list.
    fn is_row(self, text: &[u8]) -> bool {
        let slashes = memchr::memchr_iter(b'/', text);
        match self {
            Nested::Slashes => memchr::memmem::find_iter(text, b"//").nth(MANY).is_some(),
            Nested::Dot => slashes.take(MANY_SLASHES + 1).count() > MANY_SLASHES,
            Nested::Path => {
                let mut others = slashes.filter(|&at| at > 0 && precedes_path(text[at - 1]));
                others.nth(MANY).is_some()
            }
        }
    }
}

/// Whether a path may begin after a byte.
fn precedes_path(byte: u8) -> bool {
    matches!(byte, 0..=b' ' | b'"' | b'\'' | b'=' | b'(' | b',' | b'|')
}

/// Whether the backslashes after a scheme, given with its separator, mean slashes.
fn is_web(scheme: &[u8]) -> bool {
    let name = scheme.split(|&b| b == b':').next().unwrap_or_default();
    name.eq_ignore_ascii_case(b"http") || name.eq_ignore_ascii_case(b"https")
}

/// Whether a byte ends a URL in text. The backslash does: in JSON it begins an
/// escape, and elsewhere it more often belongs to a quote than to a path.
fn ends_url(byte: u8) -> bool {
    matches!(byte, 0..=b' ' | b'"' | b'<' | b'>' | b'\\' | b'`' | b'|' | 0x7f)
}

impl<V: Visitor> Visit<'_, '_, V> {
    /// Visits the `//` at `slash`.
    pub(super) fn url_at(&mut self, slash: usize) {
        if self.before(slash) != b':' {
            return self.relative_url_at(slash);
        }
        if self.is_after_scheme(slash + 2) {
            self.odd_host(slash + 2);
        }
        if !self.wants.urls {
            return;
        }
        let Some(start) = self.scheme_start(slash - 1) else { return };
        if !self.core.contains(&start) {
            return;
        }
        if !self.may_match(slash + 2) {
            return;
        }
        let quote = self.before(start);
        let stop = self.url_stop(slash + 2, quote, Nested::Slashes);
        let end = self.trim(slash + 2, stop);
        self.emit_url(start..end, stop);
        self.cuts(start, slash + 2, stop, Form::Url);
        if self.byte(stop) == b'\\' {
            self.backslashed(start, slash + 2, stop);
        }
    }

    /// Reads `//host/path`, whose scheme is that of the page around it.
    fn relative_url_at(&mut self, slash: usize) {
        let (before, start) = (self.before(slash), slash + 2);
        if !self.wants.urls || !precedes_path(before) || !self.core.contains(&start) {
            return;
        }
        if !is(self.byte(start), class::NAME) && self.byte(start) != b'[' || !self.may_match(start)
        {
            return;
        }
        let stop = self.url_stop(start, before, Nested::Slashes);
        let end = self.trim(start, stop);
        self.emit_url(start..end, stop);
        self.cuts(start, start, stop, Form::Url);
    }

    /// Reads the host of the authority at `from` if it is an address in a form that
    /// only browsers accept. All other hosts are found by their dots.
    fn odd_host(&mut self, from: usize) {
        // Of what can precede a host, only digits are checked: user information is
        // rare, and the whole URL still reveals it.
        if !self.byte(from).is_ascii_digit() {
            return;
        }
        let limit = (from + MAX_ODD_HOST + 1).min(self.text.len());
        let host = &self.text[from..limit];
        let end = host.iter().position(|&b| !(b.is_ascii_alphanumeric() || b == b'.'));
        let Some(host) = host.get(..end.unwrap_or(host.len())) else { return };
        if !b"/?#:\"'<> \n".contains(&self.byte(from + host.len()))
            || address::parse_v4(host).is_some()
        {
            return;
        }
        let Some(v4) = std::str::from_utf8(host).ok().and_then(url::odd_v4) else { return };
        if self.visitor.may_hold_v4(v4.to_bits()) {
            let span = from..from + host.len();
            self.emit(Observable::Address(v4.into(), None), Where::UrlHost, span);
        }
    }

    /// Whether the URL whose authority is at `from` can be of interest. A plain
    /// host is checked as it is; one with a user name, escapes, brackets or
    /// anything else that needs a parser always can.
    #[inline]
    fn may_match(&self, from: usize) -> bool {
        let rest = &self.text[from..(from + 256).min(self.text.len())];
        let len = rest.iter().take_while(|&&b| is(b, class::NAME | class::DOT) && b < 0x80).count();
        let host = &rest[..len];
        let is_plain = match rest.get(len) {
            None => rest.len() < 256,
            Some(b':') => rest[len + 1..]
                .iter()
                .take(6)
                .all(|b| b.is_ascii_digit() || ends_url(*b) || b"/?".contains(b)),
            Some(&b) => b == b'/' || b == b'?' || ends_url(b),
        };
        let is_plain = is_plain && rest.get(len) != Some(&b'\\') && !host.ends_with(b".");
        // An address in a form that only browsers accept means another host.
        let is_odd =
            host.first().is_some_and(u8::is_ascii_digit) && address::parse_v4(host).is_none();
        let is_plain = is_plain && !is_odd;
        !is_plain || self.visitor.may_hold_url(host)
    }

    /// Where the scheme that ends at the colon at `colon` begins.
    pub(super) fn scheme_start(&self, colon: usize) -> Option<usize> {
        let floor = colon.saturating_sub(MAX_SCHEME);
        let mut start = colon;
        while start > floor
            && (is(self.text[start - 1], class::ALNUM)
                || matches!(self.text[start - 1], b'+' | b'-' | b'.'))
        {
            start -= 1;
        }
        if let Some((len, _)) = tail_of_escape(self.text, start, colon) {
            start += len;
        }
        while start < colon && !self.text[start].is_ascii_alphabetic() {
            start += 1;
        }
        // `wget+http`, `see-http`: a blank in a query or a word of a sentence, and
        // the scheme.
        let joined = self.text[start..colon].iter().rposition(|b| matches!(b, b'+' | b'-' | b'.'));
        if let Some(at) = joined {
            let last = &self.text[start + at + 1..colon];
            if WEB_SCHEMES.iter().any(|scheme| last.eq_ignore_ascii_case(scheme)) {
                start += at + 1;
            }
        }
        (start < colon).then_some(start)
    }

    /// Emits a URL of which only the position is known, and before which byte it
    /// stopped.
    pub(super) fn emit_url(&mut self, span: Range<usize>, stop: usize) {
        let url = Observable::Url(&self.text[span.clone()]);
        self.emit_within(url, Where::LogText, span.clone(), span.start..stop);
    }

    /// The position before which the URL whose authority begins at `from` stops;
    /// `quote` is the byte before it. An overlong URL stops one byte beyond the
    /// limit.
    fn url_stop(&mut self, from: usize, quote: u8, nested: Nested) -> usize {
        let closing = match quote {
            b'\'' => b'\'',
            b'(' => b')',
            _ => b' ',
        };
        let mut end = self.url_goes_on(from, from + NEAR, closing);
        if end - from > ROW && nested.is_row(&self.text[from..from + ROW]) {
            end = from + ROW;
        } else if end == from + NEAR {
            let near = &self.text[from..end];
            let others = match nested {
                // Those after the first few change nothing, and each of them asks
                // here, too.
                Nested::Slashes => {
                    memchr::memmem::find_iter(near, b"//").take(MAX_NESTED + 1).count()
                }
                Nested::Dot => memchr::memchr_iter(b'.', near).take(MAX_NESTED + 1).count(),
                Nested::Path => usize::MAX,
            };
            if others <= MAX_NESTED {
                end = self.url_goes_on(end, from + MAX_URL + 1, closing);
            }
        }
        // A list of URLs without blanks.
        let list = memchr::memchr2_iter(b',', b';', &self.text[from..end])
            .find(|at| self.text[from + at + 1..end].starts_with(b"http"));
        list.map_or(end, |at| from + at)
    }

    /// The position from `from` up to which nothing ends a URL, and there is no
    /// `closing` byte.
    fn url_goes_on(&mut self, from: usize, limit: usize, closing: u8) -> usize {
        let limit = limit.min(self.text.len());
        let is_known = closing == b' ' && self.urlish.contains(&from);
        let known = if is_known { self.urlish.end.min(limit) } else { from };
        let rest = &self.text[known..limit];
        let end = known + rest.iter().take_while(|&&b| !ends_url(b) && b != closing).count();
        if !is_known {
            self.urlish = from..end;
        } else {
            self.urlish.end = self.urlish.end.max(end);
        }
        end
    }

    /// Strips what a sentence puts after a URL: punctuation, and closing brackets
    /// that nothing in it opens.
    pub(super) fn trim(&self, from: usize, mut end: usize) -> usize {
        // How many more brackets of each kind are opened than closed; counted once,
        // if at all.
        let mut surplus: Option<[isize; 3]> = None;
        while end > from {
            let kind = match self.text[end - 1] {
                b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' => None,
                b')' => Some(0),
                b']' => Some(1),
                b'}' => Some(2),
                _ => break,
            };
            if let Some(kind) = kind {
                let surplus = surplus.get_or_insert_with(|| {
                    let count = |byte| memchr::memchr_iter(byte, &self.text[from..end]).count();
                    [(b'(', b')'), (b'[', b']'), (b'{', b'}')]
                        .map(|(open, close)| count(open) as isize - count(close) as isize)
                });
                if surplus[kind] >= 0 {
                    break;
                }
                surplus[kind] += 1;
            }
            end -= 1;
        }
        end
    }

    /// Reads `host/path` and `host:port/path` without a scheme; `host` is the run.
    pub(super) fn bare_url(&mut self, host: &Range<usize>, before: u8) {
        if !self.wants.urls
            || before == b'/'
            || before == b'\\'
            || before == b'@'
            || !self.core.contains(&host.start)
        {
            return;
        }
        let mut at = host.end;
        if self.byte(at) == b':' {
            let digits =
                self.text[at + 1..].iter().take(6).take_while(|b| b.is_ascii_digit()).count();
            at += 1 + digits;
        }
        if self.byte(at) != b'/' || self.byte(at + 1) == b'/' {
            return;
        }
        let stop = self.url_stop(at, before, Nested::Dot);
        let end = self.trim(at, stop);
        self.emit_url(host.start..end, stop);
        if self.visitor.may_hold_url(&self.text[host.clone()]) {
            self.cuts(host.start, at, stop, Form::Url);
        }
    }

    /// Reads a path on its own, as in a request line.
    pub(super) fn path_at(&mut self, slash: usize) {
        let before = self.before(slash);
        if !precedes_path(before) || self.byte(slash + 1) == b'/' {
            return;
        }
        let stop = self.url_stop(slash, before, Nested::Path);
        let end = self.trim(slash, stop);
        self.emit_path(slash..end, stop);
        self.cuts(slash, slash, stop, Form::Path);
    }

    pub(super) fn emit_path(&mut self, span: Range<usize>, stop: usize) {
        let path = Observable::Text(Kind::UrlPath, &self.text[span.clone()]);
        self.emit_within(path, Where::LogText, span.clone(), span.start..stop);
    }

    /// Reads a web URL whose path continues after a backslash, which browsers treat
    /// as a slash: `http://evil.example\gate.php` (section 6.3). If it may also be
    /// an escape, both are looked up.
    fn backslashed(&mut self, start: usize, from: usize, stop: usize) {
        if !is_web(&self.text[start..from]) || self.has_tail(from..stop) {
            return;
        }
        let len = self.host_len(from);
        if !self.visitor.may_hold_url(&self.text[from..from + len]) {
            return;
        }
        let closing = if self.before(start) == b'\'' { b'\'' } else { b' ' };
        let end = self.backslashed_end(stop, from + NEAR, closing);
        if end == stop {
            return;
        }
        self.emit_with_slashes(start..end, from, start..stop);
    }

    /// Reads `http:\\evil.example\gate.php`, whose backslashes begin at `slash`.
    pub(super) fn backslashed_scheme(&mut self, slash: usize) {
        let Some(start) = self.scheme_start(slash - 1) else { return };
        let row = self.text[slash..].iter().take(16).take_while(|b| **b == b'\\').count();
        let from = slash + row;
        let len = self.host_len(from);
        if !matches!(row, 2 | 4 | 8)
            || !is_web(&self.text[start..slash])
            || len == 0
            || !self.visitor.may_hold_url(&self.text[from..from + len])
        {
            return;
        }
        let closing = if self.before(start) == b'\'' { b'\'' } else { b' ' };
        let end = self.backslashed_end(from + len, from + NEAR, closing);
        self.emit_with_slashes(start..end, from, from..from + len);
    }

    /// Emits the URL whose authority begins at `from`, with slashes for its
    /// backslashes.
    fn emit_with_slashes(&mut self, span: Range<usize>, from: usize, reach: Range<usize>) {
        let end = self.trim(from, span.end);
        let mut decoded = std::mem::take(self.decoded);
        decoded.clear();
        let scheme = self.text[span.start..from].split(|&b| b == b':').next().unwrap_or_default();
        decoded.extend_from_slice(scheme);
        decoded.extend_from_slice(b"://");
        for (at, &byte) in self.text[from..end].iter().enumerate() {
            match byte {
                // A JSON string has two of them for one.
                b'\\' if at > 0 && self.text[from + at - 1] == b'\\' => {}
                b'\\' => decoded.push(b'/'),
                byte => decoded.push(byte),
            }
        }
        self.emit_within(Observable::Url(&decoded), Where::LogText, span.start..end, reach);
        *self.decoded = decoded;
    }

    /// How far a URL with backslashes in its path extends from `at`, at most to
    /// `limit`.
    fn backslashed_end(&self, at: usize, limit: usize, closing: u8) -> usize {
        let limit = limit.min(self.text.len());
        let mut end = at;
        let mut has_tail = false;
        while end < limit {
            let byte = self.text[end];
            has_tail |= matches!(byte, b'?' | b'#');
            // Another URL begins.
            let is_scheme = byte == b':' && matches!(self.byte(end + 1), b'/' | b'\\');
            let is_end = byte == closing || ends_url(byte) && (byte != b'\\' || has_tail);
            if is_scheme || is_end {
                break;
            }
            end += 1;
        }
        while end > at && self.text[end - 1] == b'\\' {
            end -= 1;
        }
        end
    }

    /// Whether a query or a fragment begins in a part of the text.
    fn has_tail(&self, range: Range<usize>) -> bool {
        memchr::memchr2(b'?', b'#', &self.text[range]).is_some()
    }

    /// The number of bytes from `from` that belong to a plain host.
    fn host_len(&self, from: usize) -> usize {
        let rest = self.text.get(from..).unwrap_or_default().iter().take(256);
        rest.take_while(|&&b| is(b, class::NAME | class::DOT)).count()
    }

    /// Reads a URL in a query: `http%3A%2F%2F`.
    #[inline]
    pub(super) fn percent_url_at(&mut self, percent: usize) {
        let escape = self.text.get(percent..percent + 9);
        if escape.is_some_and(|e| e[0] == b'%' && e.eq_ignore_ascii_case(b"%3a%2f%2f")) {
            self.percent_url(percent);
        }
    }

    fn percent_url(&mut self, colon: usize) {
        let Some(start) = self.scheme_start(colon) else { return };
        let goes_on = |from: usize, limit: usize| {
            let rest = &self.text[from..limit.min(self.text.len())];
            let stops = |b: u8| ends_url(b) || b"&;,'()".contains(&b);
            from + rest.iter().take_while(|&&b| !stops(b)).count()
        };
        let count_in = |range: Range<usize>| {
            let text = self.text.get(range).unwrap_or_default();
            let count =
                |slashes| memchr::memmem::find_iter(text, slashes).take(MAX_NESTED + 1).count();
            count(b"%2F%2F") + count(b"%2f%2f")
        };
        let mut stop = goes_on(colon, colon + ROW);
        if stop == colon + ROW && count_in(colon..stop) <= MANY {
            stop = goes_on(stop, colon + NEAR);
            if stop == colon + NEAR && count_in(colon..stop) <= MAX_NESTED {
                stop = goes_on(stop, colon + MAX_URL);
            }
        }
        let end = self.trim(start, stop);
        self.emit_escaped(start..end, stop);
        let from = (colon + ESCAPED_SLASHES).min(stop);
        self.cuts(start, from, stop, Form::Escaped);
    }

    /// Emits a URL whose special characters are percent-escaped.
    pub(super) fn emit_escaped(&mut self, span: Range<usize>, stop: usize) {
        let mut decoded = std::mem::take(self.decoded);
        decode(&self.text[span.clone()], &mut decoded);
        let reach = span.start..stop;
        self.emit_within(Observable::Url(&decoded), Where::LogText, span, reach);
        *self.decoded = decoded;
    }
}
