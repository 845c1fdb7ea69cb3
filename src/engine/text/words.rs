//! Words that are recognised by their form: CVE numbers, JA4 fingerprints, Bitcoin
//! addresses. Text is only searched for them if the database contains some.

use super::Visitor;
use super::classify::{class, is};
use super::extractor::Visit;
use super::names::run_around;
use super::percent::ends_escape;
use crate::engine::indicator::{Kind, Observable, Where, words};

impl<V: Visitor> Visit<'_, '_, V> {
    /// Visits the words that begin in the core.
    pub(super) fn words(&mut self) {
        if self.visitor.wants(Kind::Cve) {
            self.cves();
        }
        if self.visitor.wants(Kind::Ja4) {
            self.ja4s();
        }
        if self.visitor.wants(Kind::Btc) {
            self.wallets();
        }
    }

    fn cves(&mut self) {
        let text = self.text;
        for at in memchr::memchr2_iter(b'C', b'c', &text[self.core.clone()]) {
            let start = self.core.start + at;
            let Some(head) = text.get(start..start + 3) else { continue };
            let goes_on = is(self.before(start), class::ALNUM) && !ends_escape(text, start);
            if !head.eq_ignore_ascii_case(b"cve") || goes_on {
                continue;
            }
            let Some(end) = self.cve_end(start + 3) else { continue };
            if is(self.byte(end), class::ALNUM) {
                continue;
            }
            let word = &text[start..end];
            let form =
                std::str::from_utf8(word).is_ok_and(|w| words::normalise(Kind::Cve, w).is_ok());
            if form {
                self.emit(Observable::Text(Kind::Cve, word), Where::LogText, start..end);
            }
        }
    }

    /// Where the number ends whose year is followed by the hyphen at `at`. Hyphens
    /// may be dashes of three bytes.
    fn cve_end(&self, mut at: usize) -> Option<usize> {
        for digits in [4..=4, 4..=19] {
            at += match self.text.get(at..)? {
                [b'-', ..] => 1,
                [0xe2, 0x80, 0x90..=0x95, ..] => 3,
                _ => return None,
            };
            let rest = self.text.get(at..)?;
            let len = rest.iter().take(20).take_while(|b| b.is_ascii_digit()).count();
            if !digits.contains(&len) {
                return None;
            }
            at += len;
        }
        Some(at)
    }

    fn ja4s(&mut self) {
        let text = self.text;
        // The first underscore is ten bytes after the beginning.
        let range = self.core.start..(self.core.end + 10).min(text.len());
        for at in memchr::memchr_iter(b'_', &text[range.clone()]) {
            let Some(start) = (range.start + at).checked_sub(10) else { continue };
            let Some(word) = text.get(start..start + 36) else { continue };
            if words::is_ja4(word)
                && !is(self.before(start), class::ALNUM)
                && !is(self.byte(start + 36), class::NAME)
            {
                self.emit(Observable::Text(Kind::Ja4, word), Where::LogText, start..start + 36);
            }
        }
    }

    fn wallets(&mut self) {
        let text = self.text;
        let mut at = self.core.start;
        while at < self.core.end {
            if !is(text[at], class::ALNUM) {
                at += 1;
                continue;
            }
            let run = run_around(text, at, class::ALNUM);
            let word = &text[run.clone()];
            let form = match word {
                [b'1' | b'3', ..] => (26..=35).contains(&word.len()),
                [b'b' | b'B', b'c' | b'C', b'1', ..] => (14..=74).contains(&word.len()),
                _ => false,
            };
            if form && run.start >= at {
                self.emit(Observable::Text(Kind::Btc, word), Where::LogText, run.clone());
            }
            at = run.end;
        }
    }
}
