//! Runs with bytes beyond ASCII: internationalised names, and addresses among
//! letters and punctuation of other scripts.

use super::Visitor;
use super::classify::{class, is};
use super::extractor::Visit;
use super::marks::is_mark;
use super::names::run_around;
use super::percent::percent_at;
use crate::engine::indicator::{Observable, Where};
use std::ops::Range;

impl<V: Visitor> Visit<'_, '_, V> {
    /// Reads a run with characters beyond ASCII: splits it at everything but
    /// letters, digits and marks, and treats the dots of other scripts as dots.
    /// Addresses end at any of them (section 6.1, rule 7, only mentions ASCII).
    pub(super) fn beyond_ascii(&mut self, run: Range<usize>) {
        let has_symbols = self.text[run.clone()].iter().any(|byte| matches!(byte, 0xe2 | 0xf0));
        if has_symbols {
            // A name may contain symbols, but those before and after one are rarely
            // part of it.
            self.pieces(
                &run,
                |char| is_of_name(char) || is_symbol(char),
                |visit, piece| {
                    if has_symbol(&visit.text[piece.clone()]) {
                        visit.unicode_name(piece);
                    }
                },
            );
        }
        self.pieces(&run, is_of_name, |visit, piece| {
            // Text that begins with a dot after a symbol is the rest of a name.
            let is_rest = has_symbols
                && visit.text[piece.start] == b'.'
                && ends_in_symbol(&visit.text[run.start..piece.start]);
            if !is_rest {
                visit.unicode_name(piece.clone());
                visit.among_letters(piece);
            }
        });
        for at in run.clone() {
            let is_first = at == run.start || self.text[at - 1] >= 0x80;
            if is_first
                && self.text[at].is_ascii_digit()
                && let Some((address, end)) = self.quad_at(at)
            {
                self.digits(address, at..end, self.before(at));
            }
        }
    }

    /// Passes on the widest pieces of a run whose characters belong to a name.
    fn pieces(
        &mut self,
        run: &Range<usize>,
        belongs: impl Fn(char) -> bool,
        mut found: impl FnMut(&mut Self, Range<usize>),
    ) {
        let mut start = None;
        let mut at = run.start;
        while at < run.end {
            let (char, len) = char_at(&self.text[at..run.end]);
            if char.is_some_and(&belongs) {
                start.get_or_insert(at);
            } else if let Some(start) = start.take() {
                found(self, start..at);
            }
            at += len;
        }
        if let Some(start) = start {
            found(self, start..run.end);
        }
    }

    fn unicode_name(&mut self, mut run: Range<usize>) {
        // A part before an `@` is a user name, not a host.
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

    /// Reads names of ASCII letters in text of a script without blanks between words. IDNA makes
    /// one label of both (`请evil.example`), and so did [`Visit::unicode_name`], but a reader only
    /// sees the name. In a URL or an e-mail address, the text before the name is part of it.
    fn among_letters(&mut self, piece: Range<usize>) {
        let has_letters = self.text[piece.clone()].iter().any(|byte| *byte >= 0xe0);
        let is_user =
            self.byte(piece.end) == b'@' || percent_at(self.text, piece.end) == Some(b'@');
        if !has_letters || is_user || self.text[piece.clone()].iter().all(|byte| *byte >= 0x80) {
            return;
        }
        let escaped = piece.start.checked_sub(3).and_then(|at| percent_at(self.text, at));
        let first = escaped.unwrap_or(self.before(piece.start));
        let is_host = first == b'@' || self.is_authority(piece.start, first);
        let mut before = None;
        let mut at = piece.start;
        while at < piece.end {
            let ascii = self.text[at..piece.end].iter().take_while(|byte| byte.is_ascii()).count();
            let (char, len) = char_at(&self.text[at + ascii..piece.end]);
            let is_alone = before.is_none_or(|char| !is_host && has_no_blanks(char))
                && (at + ascii == piece.end
                    || char.is_some_and(|c| has_no_blanks(c) || is_full_stop(c)));
            if is_alone && 0 < ascii && ascii < piece.len() {
                self.ascii_name(at..at + ascii, &piece);
            }
            before = char;
            at += ascii + len;
        }
    }

    /// Emits the name in `run`, a part of `piece`, unless a dot joins it to the
    /// rest.
    fn ascii_name(&mut self, run: Range<usize>, piece: &Range<usize>) {
        let name = &self.text[run.clone()];
        let is_joined = name.starts_with(b".") && run.start > piece.start
            || name.ends_with(b".") && run.end < piece.end;
        if is_joined {
            return;
        }
        let dots = |bytes: &mut dyn Iterator<Item = &u8>| bytes.take_while(|b| **b == b'.').count();
        let start = run.start + dots(&mut name.iter());
        let end = run.end - dots(&mut name.iter().rev());
        if start < end && !self.text[end - 1].is_ascii_digit() && !self.is_user(start, end) {
            self.domain(start..end, self.before(run.start));
        }
    }

    /// Visits a name whose only dots are those of other scripts, so that no ASCII
    /// dot reveals it. Returns where the run ends, if there is a full stop at `at`.
    pub(super) fn full_stop_at(&mut self, at: usize) -> usize {
        let text = self.text;
        if !DOTS[1..].iter().any(|dot| text[at..].starts_with(dot)) {
            return at;
        }
        let run = run_around(text, at, class::NAME | class::DOT);
        let name = |at: Option<&u8>| at.is_some_and(|b| is(*b, class::NAME));
        let gives_away = |dot: usize| {
            let dot = run.start + dot;
            name(dot.checked_sub(1).and_then(|at| text.get(at))) && name(text.get(dot + 1))
        };
        // A name with an ASCII dot was already visited.
        if !memchr::memchr_iter(b'.', &text[run.clone()]).any(gives_away) {
            self.name_at(at);
        }
        run.end
    }
}

/// Full stops, as bytes.
const DOTS: &[&[u8]] = &[b".", "\u{3002}".as_bytes(), "\u{ff0e}".as_bytes(), "\u{ff61}".as_bytes()];

/// Whether a name or its dots can contain a character.
pub(super) fn is_of_name(char: char) -> bool {
    char.is_alphanumeric()
        || "-_.\u{b7}\u{200c}\u{200d}".contains(char)
        || is_full_stop(char)
        || is_mark(char)
}

/// Whether the script of a character has no blanks between words, or puts particles
/// directly after foreign words: Thai, Lao, Burmese, Khmer, Chinese, Japanese and
/// Korean.
pub(super) fn has_no_blanks(char: char) -> bool {
    matches!(
        char,
        '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1100}'..='\u{11ff}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{2e80}'..='\u{3001}'
            | '\u{3003}'..='\u{d7ff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{ff66}'..='\u{ffdc}'
            | '\u{20000}'..='\u{3ffff}'
    )
}

/// Whether this is a pictograph, which some domain names contain. IDNA passes it
/// unchanged (UTS 46), or drops it, like those that select its colour.
fn is_symbol(char: char) -> bool {
    matches!(
        char,
        '\u{2600}'..='\u{27bf}' | '\u{2b1b}'..='\u{2b55}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}'
    )
}

fn has_symbol(text: &[u8]) -> bool {
    String::from_utf8_lossy(text).chars().any(is_symbol)
}

fn ends_in_symbol(text: &[u8]) -> bool {
    let near = &text[text.len().saturating_sub(4)..];
    String::from_utf8_lossy(near).chars().next_back().is_some_and(is_symbol)
}

/// Whether IDNA treats this full stop as a dot.
pub(super) fn is_full_stop(char: char) -> bool {
    matches!(char, '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

/// Where the character that contains the byte at `at` begins; an invalid byte is
/// its own.
pub(super) fn char_start(text: &[u8], at: usize) -> usize {
    let begins =
        |start: &usize| matches!(char_at(&text[*start..]), (Some(_), len) if start + len > at);
    (at.saturating_sub(3)..=at).find(begins).unwrap_or(at)
}

/// The character at the start of `bytes`, and its length. An invalid byte is a
/// separator.
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
