//! Runs of name characters and dots: IPv4 addresses and domain names
//! (matching specification, sections 6.1 rule 7 and 6.2 rules 7 to 9).

use super::classify::{class, is};
use super::escapes::{continues_name, decode, percent_at, piece_around, tail_of_escape};
use super::{Visit, Visitor};
use crate::indicator::{Kind, Observable, Where, address, domain};
use std::net::IpAddr;
use std::ops::Range;

/// A run that is longer can be no name, whatever it is.
const MAX_RUN: usize = 1024;

/// The run of `classes` around `at`: how far it reaches, to either side no further
/// than one byte beyond [`MAX_RUN`].
#[inline]
pub(super) fn run_around(text: &[u8], at: usize, classes: u8) -> Range<usize> {
    let floor = at.saturating_sub(MAX_RUN + 1);
    let mut start = at;
    while start > floor && is(text[start - 1], classes) {
        start -= 1;
    }
    let mut end = at + 1;
    let limit = text.len().min(end + MAX_RUN);
    while end < limit && is(text[end], classes) {
        end += 1;
    }
    start..end
}

/// Passes observables of a decoded piece on, as standing where the piece stands.
struct Decoded<'v> {
    visitor: &'v mut dyn Visitor,
    span: Range<usize>,
}

impl Visitor for Decoded<'_> {
    fn tails(&self) -> &[u8] {
        self.visitor.tails()
    }

    fn may_hold_name(&self, run: &[u8], pair: usize) -> bool {
        self.visitor.may_hold_name(run, pair)
    }

    fn may_hold_url(&self, host: &[u8]) -> bool {
        self.visitor.may_hold_url(host)
    }

    fn may_end_in(&self, label: &[u8]) -> bool {
        self.visitor.may_end_in(label)
    }

    fn may_hold_v4(&self, address: u32) -> bool {
        self.visitor.may_hold_v4(address)
    }

    fn wants(&self, kind: Kind) -> bool {
        self.visitor.wants(kind)
    }

    fn seen(&mut self, observable: Observable<'_>, at: Where, _: Range<usize>) {
        self.visitor.seen(observable, at, self.span.clone());
    }
}

impl<V: Visitor> Visit<'_, '_, V> {
    /// Visits the run around a place; returns the run.
    #[inline]
    pub(super) fn name_at(&mut self, place: usize) -> Range<usize> {
        let run = run_around(self.text, place, class::NAME | class::DOT);
        if run.len() <= MAX_RUN {
            self.name_run(run.clone());
        }
        run
    }

    fn name_run(&mut self, run: Range<usize>) {
        let (mut start, mut end) = (run.start, run.end);
        let mut before = self.before(start);
        if (before == b'%' || before == b'\\')
            && let Some((len, byte)) = tail_of_escape(self.text, start, end)
        {
            if before == b'%' && continues_name(byte) && byte < 0x80 && self.decodes {
                return self.decoded_piece(start);
            }
            start += len;
            before = byte;
            if before == b'@' {
                self.email_between(start - 3, start);
            }
        }
        let behind = self.byte(end);
        if behind == b'%'
            && self.decodes
            && let Some(byte) = percent_at(self.text, end)
        {
            if continues_name(byte) && byte < 0x80 {
                return self.decoded_piece(end - 1);
            }
            if byte == b'@' {
                return;
            }
        }
        while start < end && self.text[start] == b'.' {
            start += 1;
        }
        while end > start && self.text[end - 1] == b'.' {
            end -= 1;
        }
        let Some(&last) = self.text[start..end].last() else { return };
        // A part before an `@` is a user's name, not a host's.
        if behind == b'@' {
            return;
        }
        if last.is_ascii_digit() {
            self.digits(start..end, before);
        } else if last < 0x80 {
            self.domain(start..end, before);
        } else {
            self.beyond_ascii(start..end);
        }
    }

    /// A run that ends in a digit is an address or nothing.
    fn digits(&mut self, run: Range<usize>, before: u8) {
        let Some(address) = address::parse_v4(&self.text[run.clone()]) else {
            if !self.text[run.clone()].is_ascii() {
                self.beyond_ascii(run);
            }
            return;
        };
        if before == b':' && self.belongs_to_v6(run.start) {
            return;
        }
        self.bare_url(&run, before);
        if !self.visitor.may_hold_v4(address.to_bits()) {
            return;
        }
        let at = if self.is_authority(run.start, before) { Where::UrlHost } else { Where::LogText };
        let port = self.port_at(run.end);
        self.emit(Observable::Address(IpAddr::V4(address), port), at, run);
    }

    /// The port in `:8080` at `at`.
    pub(super) fn port_at(&self, at: usize) -> Option<u16> {
        if self.byte(at) != b':' {
            return None;
        }
        let rest = &self.text[at + 1..];
        let len = rest.iter().take(6).take_while(|b| b.is_ascii_digit()).count();
        let behind = rest.get(len).copied().unwrap_or(b'\n');
        let ends = !is(behind, class::NAME) && behind != b':' && behind != b'.'
            || behind == b'.' && !rest.get(len + 1).is_some_and(|b| is(*b, class::NAME));
        if len == 0 || len > 5 || !ends {
            return None;
        }
        std::str::from_utf8(&rest[..len]).ok()?.parse().ok().filter(|&port| port != 0)
    }

    fn domain(&mut self, run: Range<usize>, before: u8) {
        let label_at = match memchr::memrchr(b'.', &self.text[run.clone()]) {
            Some(dot) => run.start + dot + 1,
            None => return,
        };
        let label = &self.text[label_at..run.end];
        if !self.visitor.may_end_in(label) {
            return;
        }
        if !self.text[run.clone()].is_ascii() {
            return self.beyond_ascii(run);
        }
        self.bare_url(&run, before);
        let authority = self.is_authority(run.start, before);
        if authority && self.is_userinfo(run.end) {
            return;
        }
        if !authority && (before == b'/' || before == b'\\') {
            let mut lower = [0; 8];
            if let Some(lower) = lower.get_mut(..label.len()) {
                lower.copy_from_slice(label);
                lower.make_ascii_lowercase();
                if domain::is_file_extension(lower) {
                    return;
                }
            }
        }
        let at = if authority {
            Where::UrlHost
        } else if before == b'@' {
            Where::EmailDomain
        } else {
            Where::LogText
        };
        let name = &self.text[run.clone()];
        if label.eq_ignore_ascii_case(b"arpa")
            && let Some(address) = address::from_reverse_name(name)
        {
            self.emit(Observable::Address(address, None), Where::Ptr, run.clone());
        }
        self.emit(Observable::Name(name), at, run);
    }

    /// Whether the host that begins at `start` stands in the authority of a URL:
    /// behind `//`, in one of the ways to write it, or behind a user's name there.
    pub(super) fn is_authority(&self, start: usize, before: u8) -> bool {
        let head = &self.text[..start];
        match before {
            b'/' => {
                head.ends_with(b"//")
                    || head.ends_with(b"\\/\\/")
                    || (head.len() >= 6 && head[head.len() - 6..].eq_ignore_ascii_case(b"%2f%2f"))
            }
            b'@' => self.userinfo_start(start - 1).is_some(),
            _ => false,
        }
    }

    /// Where the user's name begins that ends at the `@` at `at`, if it stands in
    /// the authority of a URL.
    pub(super) fn userinfo_start(&self, at: usize) -> Option<usize> {
        let floor = at.saturating_sub(256);
        for place in (floor..at).rev() {
            match self.text[place] {
                b'/' => {
                    let head = &self.text[..=place];
                    let behind_slashes = head.ends_with(b"//") || head.ends_with(b"\\/\\/");
                    return behind_slashes.then_some(place + 1);
                }
                b if b <= b' ' || b"\"'<>\\?#,;|".contains(&b) => return None,
                _ => {}
            }
        }
        None
    }

    /// Whether what ends at `end`, in an authority, is a user's name: an `@` follows
    /// before the authority ends.
    fn is_userinfo(&self, end: usize) -> bool {
        if self.byte(end) != b':' {
            return false;
        }
        let rest = &self.text[end..(end + 256).min(self.text.len())];
        for &byte in rest {
            match byte {
                b'@' => return true,
                b'/' | b'?' | b'#' | b'\\' | b'"' | b'\'' | b'<' | b'>' | 0..=b' ' => return false,
                _ => {}
            }
        }
        false
    }

    /// A run with characters beyond ASCII: split at everything that is no letter,
    /// digit or mark; the dots of other scripts are dots.
    fn beyond_ascii(&mut self, run: Range<usize>) {
        let mut start = None;
        let mut at = run.start;
        while at < run.end {
            let (char, len) = char_at(&self.text[at..run.end]);
            let inside = char.is_some_and(|c| {
                c.is_alphanumeric()
                    || "-_.\u{3002}\u{ff0e}\u{ff61}\u{b7}\u{200c}\u{200d}".contains(c)
                    || is_mark(c)
            });
            if inside {
                start.get_or_insert(at);
            } else if let Some(start) = start.take() {
                self.unicode_name(start..at);
            }
            at += len;
        }
        if let Some(start) = start {
            self.unicode_name(start..run.end);
        }
    }

    fn unicode_name(&mut self, mut run: Range<usize>) {
        while let Some(stripped) = DOTS.iter().find(|dot| self.text[run.clone()].ends_with(dot)) {
            run.end -= stripped.len();
        }
        while let Some(stripped) = DOTS.iter().find(|dot| self.text[run.clone()].starts_with(dot)) {
            run.start += stripped.len();
        }
        let before = self.before(run.start);
        let name = &self.text[run.clone()];
        if name.is_ascii() {
            match name.last() {
                Some(last) if last.is_ascii_digit() => self.digits(run, before),
                Some(_) => self.domain(run, before),
                None => {}
            }
        } else if DOTS.iter().any(|dot| memchr::memmem::find(name, dot).is_some())
            && self.byte(run.end) != b'@'
        {
            let at = if self.is_authority(run.start, before) {
                Where::UrlHost
            } else if before == b'@' {
                Where::EmailDomain
            } else {
                Where::LogText
            };
            self.emit(Observable::Name(name), at, run);
        }
    }

    /// A name that has an escape inside it: the piece around it, decoded once.
    fn decoded_piece(&mut self, inside: usize) {
        let piece = piece_around(self.text, inside, 512);
        if !self.core.contains(&piece.start) || inside < self.decoded_to {
            return;
        }
        self.decoded_to = piece.end;
        let mut decoded = std::mem::take(self.decoded);
        decode(&self.text[piece.clone()], &mut decoded);
        let mut scratch = Vec::new();
        let mut visitor = Decoded { visitor: &mut *self.visitor, span: piece };
        let mut visit = Visit {
            text: &decoded,
            core: 0..decoded.len(),
            visitor: &mut visitor,
            decoded: &mut scratch,
            decodes: false,
            decoded_to: 0,
            wants: self.wants,
        };
        let mut end = 0;
        for dot in memchr::memchr_iter(b'.', &decoded) {
            if dot >= end {
                end = visit.name_at(dot).end;
            }
        }
        *self.decoded = decoded;
    }
}

/// Full stops, as bytes.
const DOTS: &[&[u8]] = &[b".", "\u{3002}".as_bytes(), "\u{ff0e}".as_bytes(), "\u{ff61}".as_bytes()];

/// The character at the head of `bytes`, and its length; a byte that begins none
/// is a separator of its own.
pub(super) fn char_at(bytes: &[u8]) -> (Option<char>, usize) {
    let len = match bytes.first() {
        Some(0..=0x7f) => 1,
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => return (None, 1),
    };
    match bytes.get(..len).and_then(|head| std::str::from_utf8(head).ok()) {
        Some(text) => (text.chars().next(), len),
        None => (None, 1),
    }
}

/// Combining marks, which are parts of labels in many scripts.
fn is_mark(char: char) -> bool {
    matches!(u32::from(char), 0x300..=0x36f | 0x483..=0x487 | 0x591..=0x5bd | 0x610..=0x61a
        | 0x64b..=0x65f | 0x900..=0xdff | 0xe31..=0xe4e | 0x1ab0..=0x1aff | 0x20d0..=0x20ff | 0x3099..=0x309a)
}
