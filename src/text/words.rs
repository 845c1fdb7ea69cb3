//! Words that are known by their form: CVE numbers, JA4 fingerprints, Bitcoin
//! addresses. They are looked for only when somebody wants them.

use super::classify::{class, is};
use super::names::run_around;
use super::{Visit, Visitor};
use crate::indicator::{Kind, Observable, Where, words};

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
            if !head.eq_ignore_ascii_case(b"cve") || is(self.before(start), class::ALNUM) {
                continue;
            }
            // The hyphens may be dashes, three bytes each.
            let mut end = start + 3;
            let limit = (start + 40).min(text.len());
            while end < limit
                && (text[end].is_ascii_digit()
                    || text[end] == b'-'
                    || matches!(text[end], 0xe2 | 0x80 | 0x90..=0x95))
            {
                end += 1;
            }
            while end > start && !text[end - 1].is_ascii_digit() {
                end -= 1;
            }
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

    fn ja4s(&mut self) {
        let text = self.text;
        // The first underscore stands ten bytes behind the beginning.
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
