//! Texts that a log contains in another form: names of Windows' DNS server, and the
//! journal's byte arrays (matching specification, section 8.6).

use super::classify::{class, is};
use super::extractor::Visit;
use super::pieces::{Reading, Spot, Undone};
use super::{MAX_LOOKAHEAD, Visitor};
use crate::engine::indicator::domain::MAX_NAME;

/// The minimum number of bytes in a message.
const MIN_BYTES: usize = 4;

/// The maximum number of blanks and line breaks between two numbers of an array.
const MAX_BLANKS: usize = 64;

/// The length of the blanks and line breaks at the start of a text.
fn blanks(text: &[u8]) -> usize {
    text.iter().take(MAX_BLANKS).take_while(|b| b.is_ascii_whitespace()).count()
}

impl<V: Visitor> Visit<'_, '_, V> {
    /// Visits the `(` or `[` at `open`, which a digit or a non-name character
    /// follows and no name character precedes.
    #[inline]
    pub(super) fn open_at(&mut self, open: usize) {
        match self.byte(open + 1) {
            b'0'..=b'9' => self.digits_at(open),
            // As printed for people.
            b' ' | b'\t' | b'\r' | b'\n' if self.byte(open) == b'[' => self.digits_at(open),
            _ => {}
        }
    }

    fn digits_at(&mut self, open: usize) {
        if !matches!(self.reading, Reading::AsItStands) || !self.core.contains(&open) {
            return;
        }
        match self.text[open] {
            b'(' => self.counted_labels(open),
            _ => self.bytes_in_array(open),
        }
    }

    /// Reads a name as the debug log of Windows' DNS server writes it: each label
    /// after its length, `(3)www(4)evil(7)example(0)`.
    fn counted_labels(&mut self, open: usize) {
        let mut name = Vec::new();
        let mut at = open;
        loop {
            let Some((len, after)) = self.length_at(at) else { return };
            at = after;
            if len == 0 {
                break;
            }
            if !name.is_empty() {
                name.push(b'.');
            }
            let Some(end) = self.label(at, len, &mut name) else { return };
            at = end;
            if name.len() > MAX_NAME {
                return;
            }
        }
        if !name.is_empty() {
            let inside = 0..name.len();
            self.visit_decoded(&name, inside, open..at);
        }
    }

    /// The number in brackets at `at`, and where it ends.
    fn length_at(&self, at: usize) -> Option<(usize, usize)> {
        let rest = self.text.get(at..)?.strip_prefix(b"(")?;
        let digits = rest.iter().take(3).take_while(|b| b.is_ascii_digit()).count();
        let len = std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()?;
        (rest.get(digits) == Some(&b')') && len <= 63).then_some((len, at + digits + 2))
    }

    /// Appends the label of `len` bytes at `at` to `name`. Returns where it ends. A
    /// byte may be written as a backslash and three digits.
    fn label(&self, at: usize, len: usize, name: &mut Vec<u8>) -> Option<usize> {
        let plain = self.text.get(at..at + len)?;
        let is_text = plain.iter().all(|&byte| byte > b' ' && byte != b'(');
        if is_text && self.text.get(at + len) == Some(&b'(') {
            name.extend_from_slice(plain);
            return Some(at + len);
        }
        let mut at = at;
        for _ in 0..len {
            let byte = *self.text.get(at).filter(|&&byte| byte > b' ' && byte != b'(')?;
            let digits = self.text.get(at + 1..at + 4);
            let code = digits.filter(|_| byte == b'\\').and_then(|digits| {
                digits.iter().try_fold(0u8, |code, b| {
                    code.checked_mul(10)?.checked_add(b.checked_sub(b'0').filter(|&b| b < 10)?)
                })
            });
            name.push(code.unwrap_or(byte));
            at += if code.is_some() { 4 } else { 1 };
        }
        (self.text.get(at) == Some(&b'(')).then_some(at)
    }

    /// Reads a string as the journal writes it if it is not text:
    /// `"MESSAGE":[102,114,…]` (systemd, Journal Export Formats).
    fn bytes_in_array(&mut self, open: usize) {
        let head = self.text[open.saturating_sub(2 * MAX_BLANKS + 2)..open].trim_ascii_end();
        let Some(key) = head.strip_suffix(b":") else { return };
        if !key.trim_ascii_end().ends_with(b"\"") {
            return;
        }
        let mut undone = self.undone.take().unwrap_or_default();
        undone.clear();
        let end = self.array(open, &mut undone);
        if undone.text.len() >= MIN_BYTES {
            self.transcribed(&mut undone, &(open..end));
        }
        *self.undone = Some(undone);
    }

    /// Reads the numbers of the array at `open`; the result is empty if it contains
    /// anything else. Returns where it ends.
    fn array(&self, open: usize, undone: &mut Undone) -> usize {
        let limit = (open + MAX_LOOKAHEAD).min(self.text.len());
        let mut at = open;
        while at < limit {
            at += 1;
            at += blanks(&self.text[at..limit]);
            let rest = &self.text[at..limit];
            let digits = rest.iter().take(3).take_while(|b| is(**b, class::DIGIT)).count();
            let byte = std::str::from_utf8(&rest[..digits]).ok().and_then(|d| d.parse().ok());
            let Some(byte) = byte else { break };
            let from = undone.text.len();
            undone.text.push(byte);
            let (undone_at, source) = (from..from + 1, at..at + digits);
            undone.spots.push(Spot { undone: undone_at, source, parts: false });
            at += digits;
            at += blanks(&self.text[at..limit]);
            match self.byte(at) {
                b',' => {}
                b']' => return at + 1,
                _ => break,
            }
        }
        // An overlong array is read up to the limit.
        if at < limit || limit == self.text.len() {
            undone.clear();
        }
        at
    }
}
