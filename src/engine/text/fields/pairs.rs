//! The pairs of a text: `key=value` of logfmt, firewalls, CEF and iptables; those
//! of LEEF, with the separator from its header; `key: value`, if the key means an
//! address, a port, a request or a time (Check Point, Firepower, the texts of
//! Windows); and XML elements between them. Escapes, except for quotes, were
//! decoded before.

use super::columns::quote_end;
use super::json::{quote_at, string_end};
use super::member::{Members, Name};
use super::names;
use super::xml;
use std::ops::Range;

/// The maximum number of words in a name before a colon.
const MAX_WORDS: usize = 3;
/// The maximum distance from a colon or an equals sign to its value.
const MAX_GAP: usize = 8;
/// The maximum number of blanks before a colon.
const MAX_COLUMN: usize = 32;
/// The maximum length of a value in brackets.
const MAX_BRACKETED: usize = 256;
/// The maximum length of a label of a value between tabs.
const MAX_LABEL: usize = 64;

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.@".contains(&byte)
}

/// A text to read pairs from.
struct Pairs<'t> {
    /// The line, up to the end of the text.
    line: &'t [u8],
    /// Where the text begins.
    floor: usize,
    /// The number of JSON strings that contain it.
    nest: u8,
    /// The separator between pairs, if a header sets it.
    delimiter: Option<u8>,
    /// Whether values extend to the next key (ArcSight, Common Event Format).
    is_cef: bool,
    scope: u32,
}

/// Reads the pairs of a text nested in `nest` JSON strings.
pub(super) fn read(line: &[u8], text: Range<usize>, nest: u8, record: &mut Members) {
    let line = &line[..text.end.min(line.len())];
    let delimiter = delimiter(&line[text.start.min(line.len())..]);
    let pairs = Pairs { line, floor: text.start, nest, delimiter, is_cef: record.is_cef, scope: 0 };
    if pairs.is_labeled() {
        return pairs.labels(record);
    }
    let mut at = text.start;
    // Without a closing tag, there is no element.
    let has_tag = line.get(text.start + 1..).is_some_and(|b| memchr::memchr(b'<', b).is_some());
    let closer = has_tag.then(|| memchr::memmem::rfind(line, b"</")).flatten().unwrap_or(0);
    let next_tag = |at: usize| xml::next_tag(line, at, closer);
    let mut tag = next_tag(at);
    while let Some(found) = line.get(at..).and_then(|rest| memchr::memchr3(b'=', b'"', b':', rest))
    {
        at += found;
        if let Some(start) = tag.filter(|start| *start < at) {
            at = xml::read(line, start, nest, record).max(start + 1);
            tag = next_tag(at);
            continue;
        }
        at = match line[at] {
            // A quoted text that is not a value is prose, and contains no pairs.
            b'"' => pairs.quoted(at, record),
            b'=' => pairs.equals(at, record),
            _ => pairs.colon(at, record),
        };
        // Values may contain something that looks like one.
        if tag.is_some_and(|start| start < at) {
            tag = next_tag(at);
        }
    }
    while let Some(start) = tag {
        tag = next_tag(xml::read(line, start, nest, record).max(start + 1));
    }
}

impl Pairs<'_> {
    /// Where the quoted text that begins with the quote at a place ends. An unnamed
    /// cell of a table may be a record.
    fn quoted(&self, quote: usize, record: &mut Members) -> usize {
        let cell = &self.line[quote..];
        if self.nest == 0 && cell.starts_with(b"\"{\"\"") {
            let end = quote + quote_end(cell);
            record.push(Name::None, quote + 1..end, self.scope);
            return (end + 1).min(self.line.len());
        }
        let (end, after) = string_end(self.line, quote + 1, self.nest);
        // `[hostname "evil.example"]` of ModSecurity.
        if self.nest == 0
            && self.line.get(end + 1) == Some(&b']')
            && quote > self.floor
            && self.line[quote - 1] == b' '
        {
            let start = self.word(quote - 1);
            let is_named = start < quote - 1 && start > self.floor && self.line[start - 1] == b'[';
            if is_named {
                let name = Name::Key(start as u32, quote as u32 - 1);
                record.push(name, quote + 1..end, self.scope);
            }
        }
        after.max(quote + 1)
    }

    /// Whether the text has a label before each value, separated by tabs (Labeled
    /// Tab-separated Values, ltsv.org).
    fn is_labeled(&self) -> bool {
        let text = self.line.get(self.floor..).unwrap_or_default();
        if self.nest > 0 || memchr::memchr(b'\t', text).is_none() {
            return false;
        }
        let mut is_known = false;
        let all = text.split(|b| *b == b'\t').all(|cell| {
            let len = cell.iter().take(MAX_LABEL).take_while(|b| is_key(**b)).count();
            is_known |= names::describes_record(&cell[..len]);
            cell.first().is_some_and(u8::is_ascii_alphabetic) && cell.get(len) == Some(&b':')
        });
        all && is_known
    }

    /// Reads labels and their values.
    fn labels(&self, record: &mut Members) {
        let mut at = self.floor;
        while at < self.line.len() {
            let rest = &self.line[at..];
            let end = at + memchr::memchr(b'\t', rest).unwrap_or(rest.len());
            if let Some(colon) = memchr::memchr(b':', &self.line[at..end]) {
                let name = Name::Key(at as u32, (at + colon) as u32);
                record.push(name, at + colon + 1..end, self.scope);
            }
            at = end + 1;
        }
    }

    /// The value that begins at a place, and where the text after it begins.
    fn value(&self, at: usize) -> (Range<usize>, usize) {
        if let Some(start) = quote_at(self.line, at, self.nest) {
            let (end, after) = string_end(self.line, start, self.nest);
            return (start..end, after);
        }
        let rest = self.line.get(at..).unwrap_or_default();
        if rest.first() == Some(&b'\'') {
            let len = memchr::memchr(b'\'', &rest[1..]).unwrap_or(rest.len() - 1);
            return (at + 1..at + 1 + len, (at + len + 2).min(self.line.len()));
        }
        if let Some(inside) = self.bracketed(at) {
            let after = inside.end + 1;
            return (inside, after);
        }
        if self.is_cef {
            let end = self.end_of_cef(at);
            return (at..end, end);
        }
        // The equals signs of a query are not the record's: `uri=/a?b=c&d=e`.
        let is_url = rest.first() == Some(&b'/')
            || rest.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"http"));
        let mut in_query = false;
        let ends = |b: &u8| {
            in_query |= is_url && *b == b'?';
            b" \t\r\n=,;\"'()<>[]{}|".contains(b) && !(in_query && *b == b'=')
                || *b == b'\\' && self.nest > 0
                || Some(*b) == self.delimiter
        };
        let end = at + rest.iter().position(ends).unwrap_or(rest.len());
        (at..end, end)
    }

    /// Where the CEF value that begins at a place ends: before the blank before the
    /// next key, or with the text.
    fn end_of_cef(&self, at: usize) -> usize {
        let rest = self.line.get(at..).unwrap_or_default();
        let ends = |equals: &usize| {
            let len = rest[..*equals].iter().rev().take_while(|b| is_key(**b)).count();
            let key = equals - len;
            len > 0 && key > 0 && rest[key - 1].is_ascii_whitespace()
        };
        let len = match memchr::memchr_iter(b'=', rest).find(ends) {
            Some(equals) => {
                equals - rest[..equals].iter().rev().take_while(|b| is_key(**b)).count()
            }
            None => rest.len(),
        };
        at + rest[..len].trim_ascii_end().len()
    }

    /// The bracketed value at a place, if it is complete: `dst=[192.0.2.1]`.
    fn bracketed(&self, at: usize) -> Option<Range<usize>> {
        let close = match self.line.get(at)? {
            b'[' => b']',
            b'(' => b')',
            _ => return None,
        };
        let inside = self.line[at + 1..].iter().take(MAX_BRACKETED);
        let len = inside.take_while(|&&b| b > b' ' && !b"=,;\"'\\()<>[]{}|".contains(&b)).count();
        let end = at + 1 + len;
        (len > 0 && self.line.get(end) == Some(&close)).then_some(at + 1..end)
    }

    /// Where the word that ends at a place begins.
    fn word(&self, end: usize) -> usize {
        let head = &self.line[self.floor..end];
        let is_of_word = |b: &&u8| is_key(**b) && Some(**b) != self.delimiter;
        end - head.iter().rev().take_while(is_of_word).count()
    }

    /// Reads the pair around an equals sign, which may have blanks around it.
    fn equals(&self, equals: usize, record: &mut Members) -> usize {
        let head = &self.line[self.floor..equals];
        let gap = head.iter().rev().take(MAX_GAP).take_while(|b| b" \t".contains(b)).count();
        let end = equals - gap;
        let (value, after) = self.value_after(equals + 1);
        let start = self.word(end);
        let before = if start > self.floor { self.line[start - 1] } else { b' ' };
        // `?a=b&c=d` is a query, not a record.
        if start < end && (Some(before) == self.delimiter || !b"?&/".contains(&before)) {
            record.push(Name::Key(start as u32, end as u32), value, self.scope);
        }
        after
    }

    /// The value after an equals sign, and where the text after it begins. After a
    /// blank, another pair may begin.
    fn value_after(&self, from: usize) -> (Range<usize>, usize) {
        let own = self.value(from);
        let is_blank = |at: usize| self.line.get(at).is_some_and(|b| b" \t".contains(b));
        if !own.0.is_empty() || !is_blank(from) || self.delimiter == Some(self.line[from]) {
            return own;
        }
        let Some(at) = self.after_gap(from) else { return own };
        let (value, after) = self.value(at);
        let mut next = after;
        while next - after < MAX_GAP && is_blank(next) {
            next += 1;
        }
        if self.line.get(next) == Some(&b'=') { own } else { (value, after) }
    }

    /// Reads the pair around a colon, if it is one.
    fn colon(&self, colon: usize, record: &mut Members) -> usize {
        let next = colon + 1;
        let Some(at) = self.after_gap(next) else { return next };
        // Python writes `'dst': '192.0.2.1'`.
        let is_quoted = colon > self.floor && self.line[colon - 1] == b'\'';
        // Lists align their colons: `TimeCreated  : 6/24/2026`.
        let head = &self.line[self.floor..colon];
        let gap = head.iter().rev().take(MAX_COLUMN).take_while(|b| **b == b' ').count();
        let end = colon - gap - usize::from(is_quoted);
        let start = self.name(end);
        let name = &self.line[start..end];
        if !name.first().is_some_and(u8::is_ascii_alphabetic) {
            return next;
        }
        let is_apart = at > next || quote_at(self.line, at, self.nest).is_some();
        let is_known = match is_apart {
            true => names::describes_record(name),
            // `outside:192.0.2.1/443` names an interface.
            false => self.line[at].is_ascii_digit() && names::is_of_endpoint(name),
        };
        let before = if start > self.floor { self.line[start - 1] } else { b' ' };
        if !is_known || b"?&/:".contains(&before) {
            return next;
        }
        let (value, after) = self.value(at);
        if value.is_empty() {
            return next;
        }
        record.push(Name::Key(start as u32, end as u32), value, self.scope);
        after.max(next)
    }

    /// Where the value after blanks begins.
    fn after_gap(&self, from: usize) -> Option<usize> {
        let gap = self.line.get(from..)?.iter().take(MAX_GAP);
        let at = from + gap.take_while(|b| b" \t".contains(b)).count();
        Some(at).filter(|at| *at < self.line.len())
    }

    /// Where the name that ends at a colon begins: a word, and the words before it
    /// that mention no side (`Destination Address`, `Source Network Address`).
    fn name(&self, colon: usize) -> usize {
        let mut start = self.word(colon);
        for _ in 1..MAX_WORDS {
            let is_open = names::is_of_no_side(&self.line[start..colon]);
            if !is_open || start <= self.floor || self.line[start - 1] != b' ' {
                break;
            }
            let before = self.word(start - 1);
            let word = &self.line[before..start - 1];
            if word.is_empty() || !word.iter().all(u8::is_ascii_alphabetic) {
                break;
            }
            start = before;
        }
        start
    }
}

/// The separator between the pairs of LEEF 2.0, which its header gives as a
/// character or in hex: `LEEF:2.0|Vendor|Product|1.0|id|^|`, `…|0x5E|`.
fn delimiter(text: &[u8]) -> Option<u8> {
    let start = memchr::memmem::find(&text[..text.len().min(256)], b"LEEF:2.")?;
    let mut parts = text[start..].splitn(7, |&b| b == b'|').skip(5);
    let (sign, _) = (parts.next()?, parts.next()?);
    match sign {
        [sign] => Some(*sign),
        [b'0', b'x' | b'X', hex @ ..] | [b'x' | b'X', hex @ ..] => {
            let code = std::str::from_utf8(hex).ok()?;
            u8::from_str_radix(code, 16).ok().filter(|sign| *sign != 0)
        }
        _ => None,
    }
}
