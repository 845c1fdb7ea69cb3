//! E-mail addresses (matching specification, section 6.4).

use super::Visitor;
use super::classify::{class, is};
use super::extractor::Visit;
use super::percent::{continues_name, decode, percent_at, tail_of_escape};
use super::unicode::{char_at, char_start, has_no_blanks, is_full_stop, is_of_name};
use crate::engine::indicator::email::MAX_LOCAL;
use crate::engine::indicator::{Observable, Where};
use std::ops::Range;

/// The maximum length of the quotes around a local part, with their backslashes in
/// JSON strings.
const MAX_QUOTES: usize = 16;

/// Whether a byte occurs in local parts in logs. `=` and the other oddities that
/// RFC 5322 allows are separators here: `from=bad.guy@evil.example` means bad.guy.
fn is_local(byte: u8) -> bool {
    is(byte, class::NAME) || matches!(byte, b'.' | b'+' | b'%')
}

impl<V: Visitor> Visit<'_, '_, V> {
    /// Visits the `@` at `at`.
    pub(super) fn email_at(&mut self, at: usize) {
        if is(self.byte(at + 1), class::NAME) && self.userinfo_start(at).is_none() {
            match self.before(at) {
                b'"' => self.quoted_email(at),
                _ => self.email_between(at, at + 1),
            }
        }
    }

    /// Reads an address with a quoted local part, needed or not:
    /// `"bad.guy"@evil.example`.
    fn quoted_email(&mut self, at: usize) {
        let floor = at.saturating_sub(MAX_LOCAL + MAX_QUOTES);
        let slashes = |end: usize| {
            let before = self.text[floor..end].iter().rev();
            before.take_while(|b| **b == b'\\').count()
        };
        // In a JSON string, both quotes have the same number of backslashes.
        let own = slashes(at - 1);
        let end = at - 1 - own;
        let Some(quote) = memchr::memrchr(b'"', &self.text[floor..end]).map(|at| floor + at) else {
            return;
        };
        let local = &self.text[quote + 1..end];
        let domain_end = self.domain_end(at + 1);
        let is_plain = |b: &u8| *b >= b' ' && !b"\\<>".contains(b);
        if slashes(quote) != own
            || !(1..=MAX_LOCAL).contains(&local.len())
            || !local.iter().all(is_plain)
            || domain_end == at + 1
        {
            return;
        }
        let mut address = std::mem::take(self.decoded);
        address.clear();
        for part in [b"\"", local, b"\"", &self.text[at..domain_end]] {
            address.extend_from_slice(part);
        }
        self.emit(Observable::Email(&address), Where::LogText, quote..domain_end);
        *self.decoded = address;
    }

    /// Reads an address whose local part ends at `local_end` and whose domain
    /// begins at `domain_start`, with `@` or `%40` between them.
    pub(super) fn email_between(&mut self, local_end: usize, domain_start: usize) {
        if !self.wants.emails {
            return;
        }
        let floor = local_end.saturating_sub(MAX_LOCAL * 3 + 1);
        let mut start = local_end;
        while start > floor && is_local(self.text[start - 1]) {
            start -= 1;
        }
        if start == floor && floor > 0 {
            return;
        }
        if let Some((len, _)) = tail_of_escape(self.text, start, local_end) {
            start += len;
        }
        // A decoded escape may end the local part: `%3Cbad.guy`.
        let mut place = start;
        while place < local_end {
            if let Some(byte) = percent_at(self.text, place) {
                // An `@` does not end it if there is another one: `a%40b@c`.
                let is_part = is_local(byte) || byte == b'@' && domain_start - local_end == 1;
                if !is_part {
                    start = place + 3;
                }
                place += 2;
            }
            place += 1;
        }
        start = self.after_symbols(start..local_end);
        let leads = |at: usize| {
            let byte = percent_at(self.text, at).unwrap_or(self.text[at]);
            matches!(byte, b'.' | b'-' | b'+' | b'%')
        };
        while start < local_end && leads(start) {
            start += if percent_at(self.text, start).is_some() { 3 } else { 1 };
        }
        let end = self.domain_end(domain_start);
        // `#bad.guy` is someone else: the sign is valid in a local part (section
        // 6.4).
        if start >= local_end || end == domain_start || self.before(start) == b'#' {
            return;
        }
        let address = &self.text[start..end];
        self.emit(Observable::Email(address), Where::LogText, start..end);
        if !address.is_ascii() {
            self.mailbox_among_letters(start..end, local_end, domain_start);
        }
        // Also read `u%2Bx%40evil.example` decoded.
        let is_escaped = |at: usize| percent_at(self.text, at).is_some_and(|byte| byte != b'@');
        let may_be_escaped = memchr::memchr(b'%', address).is_some();
        if may_be_escaped && (start..local_end).chain(domain_start..end).any(is_escaped) {
            let mut decoded = std::mem::take(self.decoded);
            decode(address, &mut decoded);
            self.emit(Observable::Email(&decoded), Where::LogText, start..end);
            *self.decoded = decoded;
        }
    }

    /// Where a local part begins after the quotes, brackets and symbols beyond
    /// ASCII in it.
    fn after_symbols(&self, local: Range<usize>) -> usize {
        let mut start = local.start;
        let mut at = local.start;
        while at < local.end {
            let (char, len) = char_at(&self.text[at..local.end]);
            at += len;
            if !char.is_some_and(|char| char.is_ascii() || is_of_name(char) && !is_full_stop(char))
            {
                start = at;
            }
        }
        start
    }

    /// Reads the address in `whole` without adjacent letters of a script without
    /// blanks: `请联系bad.guy@evil.example谢谢`.
    fn mailbox_among_letters(&mut self, whole: Range<usize>, local_end: usize, domain: usize) {
        let text = self.text;
        let is_letter = |at: usize| char_at(&text[at..]).0.is_some_and(has_no_blanks);
        let local = &text[whole.start..local_end];
        let after = local.iter().rposition(|b| !b.is_ascii()).map(|at| whole.start + at + 1);
        let letter = after.map(|at| char_start(text, at - 1));
        let start = after.filter(|at| {
            *at < local_end && !b".-+%".contains(&text[*at]) && letter.is_some_and(is_letter)
        });
        let name = &text[domain..whole.end];
        let end = name.iter().position(|b| !b.is_ascii()).map(|at| domain + at);
        let end = end.filter(|at| {
            let stop = char_at(&text[*at..]).0.is_some_and(is_full_stop);
            *at > domain && text[*at - 1] != b'.' && (stop || is_letter(*at))
        });
        let spans = [
            start.map(|start| start..whole.end),
            end.map(|end| whole.start..end),
            start.zip(end).map(|(start, end)| start..end),
        ];
        for span in spans.into_iter().flatten() {
            self.emit(Observable::Email(&text[span.clone()]), Where::LogText, span);
        }
    }

    /// Where the domain that begins at `start` ends, without trailing dots.
    fn domain_end(&self, start: usize) -> usize {
        let mut end = start;
        while end < self.text.len() && end - start < 512 {
            let byte = self.text[end];
            if byte < 0x80 {
                if is(byte, class::NAME | class::DOT) {
                    end += 1;
                    continue;
                }
                if percent_at(self.text, end).is_some_and(|b| b < 0x80 && continues_name(b)) {
                    end += 3;
                    continue;
                }
                break;
            }
            match char_at(&self.text[end..]) {
                (Some(char), len) if is_of_name(char) => end += len,
                _ => break,
            }
        }
        let ends = ["%2E", "%2e", ".", "\u{3002}", "\u{ff0e}", "\u{ff61}"];
        let may_be_dot = |byte: u8| matches!(byte, b'.' | b'E' | b'e' | 0x80..);
        while end > start
            && may_be_dot(self.text[end - 1])
            && let Some(dot) =
                ends.iter().find(|dot| self.text[start..end].ends_with(dot.as_bytes()))
        {
            end -= dot.len();
        }
        end
    }
}
