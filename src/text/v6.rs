//! Runs of hex digits and colons: IPv6 addresses and fingerprints with colons
//! (matching specification, sections 6.1 rule 7 and 6.5).

use super::classify::{class, is};
use super::escapes::{decode, percent_at, tail_of_escape};
use super::names::{Decoded, run_around};
use super::{Visit, Visitor};
use crate::indicator::digest::{self, MAX_DIGEST};
use crate::indicator::{Observable, Where, address};
use std::ops::Range;

/// A fingerprint of 32 bytes with colons takes 95; nothing longer is of interest.
const MAX_RUN: usize = 128;

impl<V: Visitor> Visit<'_, '_, V> {
    /// Visits the run around a colon; returns where it ends.
    pub(super) fn colon_run_at(&mut self, colon: usize) -> usize {
        let whole = run_around(self.text, colon, class::HEX | class::COLON | class::DOT);
        if whole.len() <= MAX_RUN {
            self.colon_run(whole.clone());
        }
        whole.end
    }

    fn colon_run(&mut self, whole: Range<usize>) {
        if self.decodes && self.has_escape_beside(&whole) {
            // Read with its escapes decoded, by `escaped_colons_at`.
            return;
        }
        let text = &self.text[whole.clone()];
        let colons = memchr::memchr_iter(b':', text).count();
        let squeezed = text.windows(2).any(|pair| pair == b"::");
        // Clock times and hardware addresses end here.
        if colons < 2 || (!squeezed && colons < 6) {
            return;
        }
        let Some(run) = self.shorn(whole) else { return };
        if is_word(self.byte(run.end)) {
            return;
        }
        if self.fingerprint(&run) {
            return;
        }
        let before = self.before(run.start);
        let (parsed, run, mut port) = match address::parse_v6(&self.text[run.clone()]) {
            Some(v6) => (v6, run, None),
            None => match self.mapped_with_port(&run) {
                Some((v6, end, port)) => (v6, run.start..end, Some(port)),
                None => return,
            },
        };
        if !is_plausible(&self.text[run.clone()]) {
            return;
        }
        let mut at = Where::LogText;
        if before == b'[' && self.byte(run.end) == b']' {
            port = self.port_at(run.end + 1);
            let behind = self.before(run.start - 1);
            if self.is_authority(run.start - 1, behind) {
                at = Where::UrlHost;
            }
        }
        self.emit(Observable::Address(address::fold(parsed), port), at, run);
    }

    /// Whether a percent escape goes on with the run, to either side.
    fn has_escape_beside(&self, run: &Range<usize>) -> bool {
        let behind = percent_at(self.text, run.end).is_some_and(continues_colons);
        let before = self.before(run.start) == b'%'
            && percent_at(self.text, run.start - 1).is_some_and(continues_colons);
        behind || before
    }

    /// Addresses with escapes inside them, as in `?ip=2001%3Adb8%3A%3A1`. `at` is the
    /// place of a percent sign; returns where the piece ends.
    pub(super) fn escaped_colons_at(&mut self, at: usize) -> usize {
        if !percent_at(self.text, at).is_some_and(continues_colons) {
            return at;
        }
        let piece = colon_piece_around(self.text, at);
        self.colon_piece(piece.clone());
        piece.end
    }

    /// A piece with percent escapes, decoded once.
    fn colon_piece(&mut self, piece: Range<usize>) {
        if piece.len() > 3 * MAX_RUN || !self.core.contains(&piece.start) {
            return;
        }
        let mut decoded = std::mem::take(self.decoded);
        let mut inside = Vec::new();
        decode(&self.text[piece.clone()], &mut inside);
        let inside = self.in_context(&piece, &inside, &mut decoded);
        let mut scratch = Vec::new();
        let mut visit = Visit {
            text: &decoded,
            core: inside.clone(),
            visitor: &mut Decoded { visitor: &mut *self.visitor, span: piece },
            decoded: &mut scratch,
            decodes: false,
            decoded_to: 0,
            wants: self.wants,
        };
        let mut end = 0;
        for colon in memchr::memchr_iter(b':', &decoded[inside.clone()]) {
            let colon = inside.start + colon;
            if colon >= end {
                end = visit.colon_run_at(colon);
            }
        }
        *self.decoded = decoded;
    }

    /// The run without what an escape, a key or a sentence left at its ends.
    fn shorn(&self, mut run: Range<usize>) -> Option<Range<usize>> {
        if let Some((len, _)) = tail_of_escape(self.text, run.start, run.end) {
            run.start += len;
        } else if is_word(self.before(run.start)) {
            // The letter may be that of an escape: `\n`, `\u002f`.
            let escape = run.start.checked_sub(1);
            let escape = escape.and_then(|at| tail_of_escape(self.text, at, run.end));
            if let Some((len, _)) = escape {
                run.start += len - 1;
            } else {
                // `key:2001:db8::1` begins behind its first colon; `foo::bar` nowhere.
                let text = &self.text[run.clone()];
                if !text.starts_with(b":") || text.starts_with(b"::") {
                    return None;
                }
            }
        }
        let text = &self.text[run.clone()];
        if text.starts_with(b":") && !text.starts_with(b"::") {
            run.start += 1;
        }
        while run.end > run.start && self.text[run.end - 1] == b'.' {
            run.end -= 1;
        }
        let text = &self.text[run.clone()];
        if text.ends_with(b":") && !text.ends_with(b"::") {
            run.end -= 1;
        }
        (run.len() >= 2).then_some(run)
    }

    /// `::ffff:192.0.2.1:443`: only behind a dotted tail is it clear where the port
    /// begins.
    fn mapped_with_port(&self, run: &Range<usize>) -> Option<(std::net::Ipv6Addr, usize, u16)> {
        let text = &self.text[run.clone()];
        let colon = memchr::memrchr(b':', text)?;
        memchr::memchr(b'.', &text[..colon])?;
        let v6 = address::parse_v6(&text[..colon])?;
        let port = self.port_at(run.start + colon)?;
        Some((v6, run.start + colon, port))
    }

    /// `XX:XX:…` of 16, 20 or 32 bytes.
    fn fingerprint(&mut self, run: &Range<usize>) -> bool {
        let text = &self.text[run.clone()];
        let len = text.len().div_ceil(3);
        if text.len() != len * 3 - 1 {
            return false;
        }
        let Some(kind) = digest::kind_of_len(len * 2) else { return false };
        let mut bytes = [0u8; MAX_DIGEST];
        for (byte, piece) in bytes.iter_mut().zip(text.chunks(3)) {
            let (Some(high), Some(low)) = (digest::nibble(piece[0]), digest::nibble(piece[1]))
            else {
                return false;
            };
            if piece.get(2).is_some_and(|&b| b != b':') {
                return false;
            }
            *byte = high << 4 | low;
        }
        self.emit(Observable::Digest(kind, &bytes[..len]), Where::LogText, run.clone());
        true
    }

    /// Whether the dotted quad that begins at `start`, behind a colon, is the tail of
    /// an IPv6 address, which then owns it.
    pub(super) fn belongs_to_v6(&self, start: usize) -> bool {
        let whole = run_around(self.text, start, class::HEX | class::COLON | class::DOT);
        if whole.len() > MAX_RUN {
            return false;
        }
        if self.decodes && self.has_escape_beside(&whole) {
            return false;
        }
        let Some(run) = self.shorn(whole) else { return false };
        run.start < start
            && (address::parse_v6(&self.text[run.clone()]).is_some()
                || self.mapped_with_port(&run).is_some())
    }
}

/// Whether a decoded byte goes on with a run.
fn continues_colons(byte: u8) -> bool {
    is(byte, class::HEX | class::COLON | class::DOT)
}

/// The piece around `at` of hex digits, colons, dots and escapes of such.
fn colon_piece_around(text: &[u8], at: usize) -> Range<usize> {
    let escape = |at: usize| percent_at(text, at).is_some_and(continues_colons);
    let (mut start, mut end) = (at, at);
    while at - start <= 3 * MAX_RUN {
        if start >= 3 && escape(start - 3) {
            start -= 3;
        } else if start >= 1 && continues_colons(text[start - 1]) {
            start -= 1;
        } else {
            break;
        }
    }
    while end < text.len() && end - at <= 3 * MAX_RUN {
        if escape(end) {
            end += 3;
        } else if continues_colons(text[end]) {
            end += 1;
        } else {
            break;
        }
    }
    start..end
}

/// A character that goes on with an address; those of other scripts do not.
fn is_word(byte: u8) -> bool {
    byte < 0x80 && is(byte, class::NAME)
}

/// `a::b` parses, and is C++; an address has a digit somewhere, or more groups.
fn is_plausible(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit) || memchr::memchr_iter(b':', text).count() > 3
}
