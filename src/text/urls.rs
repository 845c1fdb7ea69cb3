//! URLs and URL paths (matching specification, section 6.3).

use super::classify::{class, is};
use super::escapes::{decode, tail_of_escape, unescape_json};
use super::{MAX_AHEAD, Visit, Visitor};
use crate::indicator::url::MAX_URL;
use crate::indicator::{Kind, Observable, Where, address, url};
use std::ops::Range;

/// The longest scheme that is looked for.
const MAX_SCHEME: usize = 32;

/// The longest odd form of an address: four octal parts, zero-padded.
const MAX_ODD_HOST: usize = 48;

/// A byte that no URL in text goes on behind. The backslash is one: in JSON it
/// begins an escape, and elsewhere it is more often a quote's than a path's.
fn ends_url(byte: u8) -> bool {
    matches!(byte, 0..=b' ' | b'"' | b'<' | b'>' | b'\\' | b'`' | b'|' | 0x7f)
}

impl<V: Visitor> Visit<'_, '_, V> {
    /// Visits the `//` at `slash`.
    pub(super) fn url_at(&mut self, slash: usize) {
        if self.before(slash) != b':' {
            return;
        }
        if self.is_behind_scheme(slash + 2) {
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
        let end = self.url_end(slash + 2, quote);
        let url = &self.text[start..end];
        self.emit(Observable::Url(url), Where::LogText, start..end);
    }

    /// The host of the authority at `from`, when it is an address in a form that only
    /// browsers read. All other hosts are found by their dots.
    fn odd_host(&mut self, from: usize) {
        // Of what can stand in front of a host only digits are looked at: user
        // information is rare, and then the whole URL still tells.
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

    /// Whether the URL whose authority is at `from` can be of interest. A plain host is
    /// asked for as it stands; what has a user's name, escapes, brackets or anything
    /// else that a parser has to look at can always be.
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
        // An address in a form that only browsers read stands for another host.
        let is_odd =
            host.first().is_some_and(u8::is_ascii_digit) && address::parse_v4(host).is_none();
        let is_plain = is_plain && !is_odd;
        !is_plain || self.visitor.may_hold_url(host)
    }

    /// Where the scheme begins that ends at the colon at `colon`.
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
        (start < colon).then_some(start)
    }

    /// Where the URL ends whose authority begins at `from`; `quote` stands before it.
    fn url_end(&self, from: usize, quote: u8) -> usize {
        let limit = (from + MAX_URL + 1).min(self.text.len());
        let closes = |byte: u8| match quote {
            b'\'' => byte == b'\'',
            b'(' => byte == b')',
            _ => false,
        };
        let mut end = from;
        while end < limit && !ends_url(self.text[end]) && !closes(self.text[end]) {
            end += 1;
        }
        // A list of URLs without blanks.
        let list = memchr::memchr2_iter(b',', b';', &self.text[from..end])
            .find(|at| self.text[from + at + 1..end].starts_with(b"http"));
        if let Some(at) = list {
            end = from + at;
        }
        self.trim(from, end)
    }

    /// Strips what a sentence put behind a URL: punctuation, and closing brackets
    /// that nothing in it opens.
    fn trim(&self, from: usize, mut end: usize) -> usize {
        while end > from {
            let text = &self.text[from..end];
            let open = match text[text.len() - 1] {
                b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' => None,
                b')' => Some(b'('),
                b']' => Some(b'['),
                b'}' => Some(b'{'),
                _ => break,
            };
            let close = text[text.len() - 1];
            if let Some(open) = open {
                let opened = memchr::memchr_iter(open, text).count();
                let closed = memchr::memchr_iter(close, text).count();
                if opened >= closed {
                    break;
                }
            }
            end -= 1;
        }
        end
    }

    /// `host/path` and `host:port/path` without a scheme, where `host` is the run.
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
        let end = self.url_end(at, before);
        let url = &self.text[host.start..end];
        self.emit(Observable::Url(url), Where::LogText, host.start..end);
    }

    /// A path that stands by itself, as in a request line.
    pub(super) fn path_at(&mut self, slash: usize) {
        let before = self.before(slash);
        let may_precede = matches!(before, 0..=b' ' | b'"' | b'\'' | b'=' | b'(' | b',' | b'|');
        if !may_precede || self.byte(slash + 1) == b'/' {
            return;
        }
        let end = self.url_end(slash, before);
        let path = &self.text[slash..end];
        self.emit(Observable::Text(Kind::UrlPath, path), Where::LogText, slash..end);
    }

    /// A URL whose slashes are escaped, as JSON may have it: `http:\/\/`. It is decoded
    /// once and then read like others.
    pub(super) fn json_url_at(&mut self, colon: usize) {
        let behind = &self.text[(colon + 1).min(self.text.len())..];
        let behind = &behind[..behind.len().min(12)];
        let escaped = behind.starts_with(b"\\/\\/")
            || behind.len() == 12 && behind.eq_ignore_ascii_case(b"\\u002f\\u002f");
        if escaped {
            self.json_url(colon);
        }
    }

    /// The same in a query: `http%3A%2F%2F`.
    #[inline]
    pub(super) fn percent_url_at(&mut self, percent: usize) {
        let escape = self.text.get(percent..percent + 9);
        if escape.is_some_and(|e| e[0] == b'%' && e.eq_ignore_ascii_case(b"%3a%2f%2f")) {
            self.percent_url(percent);
        }
    }

    fn json_url(&mut self, colon: usize) {
        let Some(start) = self.scheme_start(colon) else { return };
        let limit = (colon + MAX_AHEAD / 2).min(self.text.len());
        let mut end = colon;
        while end < limit && (!ends_url(self.text[end]) || self.text[end] == b'\\') {
            // Of the escapes only those that stand for characters of a URL go on.
            if self.text[end] == b'\\' && !matches!(self.byte(end + 1), b'/' | b'u') {
                break;
            }
            end += if self.text[end] == b'\\' { 2 } else { 1 };
        }
        let end = self.trim(start, end.min(limit));
        let mut decoded = std::mem::take(self.decoded);
        unescape_json(&self.text[start..end], &mut decoded);
        self.emit(Observable::Url(&decoded), Where::LogText, start..end);
        *self.decoded = decoded;
    }

    fn percent_url(&mut self, colon: usize) {
        let Some(start) = self.scheme_start(colon) else { return };
        let limit = (colon + MAX_AHEAD / 2).min(self.text.len());
        let mut end = colon;
        while end < limit && !ends_url(self.text[end]) && !b"&;,'()".contains(&self.text[end]) {
            end += 1;
        }
        let end = self.trim(start, end);
        let mut decoded = std::mem::take(self.decoded);
        decode(&self.text[start..end], &mut decoded);
        self.emit(Observable::Url(&decoded), Where::LogText, start..end);
        *self.decoded = decoded;
    }
}
