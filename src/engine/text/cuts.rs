//! Where a URL may end before the byte that certainly ends it.
//!
//! A comma, a plus or an escaped quote can be part of a URL or follow it: in a
//! table without quotes, in a request that contains a command, in a sentence of
//! another script. The text does not show which, so a URL is looked up in full
//! and up to the first few of these. That costs time only for URLs at a listed
//! host.

use super::Visitor;
use super::extractor::Visit;
use super::percent::percent_at;
use super::unicode::{char_at, char_start, has_no_blanks, is_full_stop, is_of_name};
use super::urls::NEAR;
use std::ops::Range;

/// The number of ends of a URL to try.
const MAX_CUTS: usize = 8;

/// What is cut.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Url,
    /// A path on its own. Its query contains no escaped blanks.
    Path,
    /// A URL whose slashes are percent-escaped, and so is its query.
    Escaped,
}

/// The bytes for which [`Visit::is_cut`] is called.
static MAY_CUT: [bool; 256] = {
    let mut table = [false; 256];
    let marks = b",;^+&$%*~_";
    let mut at = 0;
    while at < marks.len() {
        table[marks[at] as usize] = true;
        at += 1;
    }
    at = 0x80;
    while at < 256 {
        table[at] = true;
        at += 1;
    }
    table
};

/// What ends an escaped URL: what it could not contain unescaped, and what ends a
/// word for a shell.
fn ends_if_escaped(byte: u8) -> bool {
    matches!(byte, 0..=b' ' | 0x7f) || b"\"'<>)|;,`\\^${}*".contains(&byte)
}

impl<V: Visitor> Visit<'_, '_, V> {
    /// Emits the URL that begins at `start` up to each mark after `from` before
    /// which it may end, the longest first.
    pub(super) fn cuts(&mut self, start: usize, from: usize, stop: usize, form: Form) {
        let near = from..stop.min(from + NEAR);
        let may_cut = |byte: &u8| MAY_CUT[usize::from(*byte)];
        let Some(first) = self.text[near.clone()].iter().position(may_cut) else { return };
        let is_bounded = self.is_bounded(start, stop);
        let mut places = [0; MAX_CUTS];
        let mut len = 0;
        let mut has_query = memchr::memchr(b'?', &self.text[from..from + first]).is_some();
        for at in from + first..near.end {
            let byte = self.text[at];
            has_query |= byte == b'?' || byte == b'%' && percent_at(self.text, at) == Some(b'?');
            let is_ruled_out = is_bounded && byte < 0x80
                || form == Form::Path && has_query && !matches!(byte, b',' | b';' | b'^');
            if may_cut(&byte) && !is_ruled_out && self.is_cut(at, has_query) {
                places[len] = at;
                len += 1;
                if len == MAX_CUTS {
                    break;
                }
            }
        }
        // The full URL may belong to another reading, because of what follows the
        // last mark.
        let is_reported = self.is_ours(start, start..stop);
        let mut last = if is_reported { self.trim(from, stop) } else { usize::MAX };
        for &place in places[..len].iter().rev() {
            let end = self.trim(from, place);
            // The longer one has been trimmed to the same end.
            if end < last && end > from {
                self.emit_cut(start..end, place, form);
            }
            last = end;
        }
    }

    fn emit_cut(&mut self, span: Range<usize>, stop: usize, form: Form) {
        match form {
            Form::Url => self.emit_url(span, stop),
            Form::Path => self.emit_path(span, stop),
            Form::Escaped => self.emit_escaped(span, stop),
        }
    }

    /// Whether a URL may end before the byte at `at`, which is in [`MAY_CUT`].
    fn is_cut(&self, at: usize, has_query: bool) -> bool {
        let rest = &self.text[at..];
        let next = self.byte(at + 1);
        match rest[0] {
            b',' | b';' | b'^' | b'+' | b'*' => true,
            // The next field of the query that contains the URL, or of a shell's
            // list.
            b'&' => !has_query || next == b'&',
            b'$' => rest.starts_with(b"${") || rest.starts_with(b"$IFS"),
            b'~' => next == b'~',
            // `_http://evil.example/_` is emphasis.
            b'_' => !next.is_ascii_alphanumeric() && !b"-/=%&".contains(&next),
            b'%' => match percent_at(self.text, at) {
                Some(b'&') => !has_query,
                Some(byte) => ends_if_escaped(byte),
                None => false,
            },
            _ => self.is_cut_beyond_ascii(at),
        }
    }

    /// Like `is_cut`, beyond ASCII: at anything but a letter, and at the first
    /// letter of a script without blanks between words.
    fn is_cut_beyond_ascii(&self, at: usize) -> bool {
        if char_start(self.text, at) != at {
            return false;
        }
        let is_first = self.before(at).is_ascii();
        char_at(&self.text[at..]).0.is_none_or(|char| {
            !is_of_name(char) || is_full_stop(char) || is_first && has_no_blanks(char)
        })
    }

    /// Whether both neighbours show that the URL is everything between them.
    fn is_bounded(&self, start: usize, stop: usize) -> bool {
        matches!(
            (self.before(start), self.byte(stop)),
            (b'"', b'"' | b'\\') | (b'\'', b'\'') | (b'<', b'>') | (b'>', b'<') | (b'(', b')')
        )
    }
}
