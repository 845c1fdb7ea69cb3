//! Runs with bytes beyond ASCII: internationalised names, and addresses among the
//! letters and the punctuation of other scripts.

use super::classify::{class, is};
use super::escapes::{json_piece_around, percent_at, piece_around};
use super::marks::is_mark;
use super::names::run_around;
use super::{Visit, Visitor};
use crate::indicator::{Observable, Where};
use std::ops::Range;

impl<V: Visitor> Visit<'_, '_, V> {
    /// A run with characters beyond ASCII: split at everything that is no letter,
    /// digit or mark; the dots of other scripts are dots. Addresses end at any of them
    /// (section 6.1, rule 7, names ASCII alone).
    pub(super) fn beyond_ascii(&mut self, run: Range<usize>) {
        let mut start = None;
        let mut at = run.start;
        while at < run.end {
            let (char, len) = char_at(&self.text[at..run.end]);
            if char.is_some_and(is_of_name) {
                start.get_or_insert(at);
            } else if let Some(start) = start.take() {
                self.unicode_name(start..at);
            }
            at += len;
        }
        if let Some(start) = start {
            self.unicode_name(start..run.end);
        }
        for at in run.clone() {
            let is_first = at == run.start || self.text[at - 1] >= 0x80;
            if is_first
                && self.text[at].is_ascii_digit()
                && let Some(end) = self.quad_end(at)
            {
                self.digits(at..end, self.before(at));
            }
        }
    }

    fn unicode_name(&mut self, mut run: Range<usize>) {
        // A part before an `@` is a user's name, not a host's.
        if self.byte(run.end) == b'@' || percent_at(self.text, run.end) == Some(b'@') {
            return;
        }
        let before = self.before(run.start);
        while let Some(stripped) = DOTS.iter().find(|dot| self.text[run.clone()].ends_with(dot)) {
            run.end -= stripped.len();
        }
        while let Some(stripped) = DOTS.iter().find(|dot| self.text[run.clone()].starts_with(dot)) {
            run.start += stripped.len();
        }
        if self.is_user(run.start, run.end) {
            return;
        }
        let name = &self.text[run.clone()];
        if name.is_ascii() {
            if name.last().is_some_and(|last| !last.is_ascii_digit()) {
                self.domain(run, before);
            }
        } else if DOTS.iter().any(|dot| memchr::memmem::find(name, dot).is_some()) {
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

    /// A name whose only dots are those of other scripts: no ASCII dot gives it away.
    /// Returns where the run ends, if there is a full stop at `at`.
    pub(super) fn full_stop_at(&mut self, at: usize) -> usize {
        let text = self.text;
        if !DOTS[1..].iter().any(|dot| text[at..].starts_with(dot)) {
            return at;
        }
        let run = run_around(text, at, class::NAME | class::DOT);
        let name = |at: Option<&u8>| at.is_some_and(|b| is(*b, class::NAME));
        // A dot anywhere in the piece that escapes join to the run gives it away, too.
        let pieces = [piece_around(text, at, 512), json_piece_around(text, at, 512)];
        let from = pieces.iter().fold(run.start, |from, piece| from.min(piece.start));
        let to = pieces.iter().fold(run.end, |to, piece| to.max(piece.end));
        let gives_away = |dot: usize| {
            let dot = from + dot;
            name(dot.checked_sub(1).and_then(|at| text.get(at))) && name(text.get(dot + 1))
        };
        if !memchr::memchr_iter(b'.', &text[from..to]).any(gives_away) {
            // Names with ASCII dots were visited before this one, also those behind it.
            let decoded_to = std::mem::take(&mut self.decoded_to);
            self.name_at(at);
            self.decoded_to = decoded_to.max(self.decoded_to);
        }
        run.end
    }
}

/// Full stops, as bytes.
const DOTS: &[&[u8]] = &[b".", "\u{3002}".as_bytes(), "\u{ff0e}".as_bytes(), "\u{ff61}".as_bytes()];

/// A character that a name or its dots consist of.
pub(super) fn is_of_name(char: char) -> bool {
    char.is_alphanumeric()
        || "-_.\u{b7}\u{200c}\u{200d}".contains(char)
        || is_full_stop(char)
        || is_mark(char)
}

/// A full stop that IDNA takes for a dot.
pub(super) fn is_full_stop(char: char) -> bool {
    matches!(char, '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

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
