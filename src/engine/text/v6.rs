//! Runs of hex digits and colons: IPv6 addresses and fingerprints with colons
//! (matching specification, section 6.1, rule 7, and section 6.5).

use super::Visitor;
use super::classify::{class, is};
use super::extractor::Visit;
use super::names::{Decoded, run_around};
use super::percent::{decode, ends_escape, percent_at, tail_of_escape};
use super::pieces::{Odds, Reading};
use crate::engine::indicator::digest::{self, MAX_DIGEST};
use crate::engine::indicator::{Observable, Where, address};
use std::ops::Range;

/// The maximum length of a run: a fingerprint of 32 bytes with colons takes 95.
const MAX_RUN: usize = 128;

impl<V: Visitor> Visit<'_, '_, V> {
    /// Visits the run around a colon. Returns where it ends.
    pub(super) fn colon_run_at(&mut self, colon: usize) -> usize {
        let whole = run_around(self.text, colon, class::HEX | class::COLON | class::DOT);
        if whole.len() <= MAX_RUN {
            self.colon_run(whole.clone());
        }
        whole.end
    }

    fn colon_run(&mut self, whole: Range<usize>) {
        if self.decodes && self.has_adjacent_escape(&whole) {
            // `escaped_colons_at` reads this, with its escapes decoded.
            return;
        }
        let text = &self.text[whole.clone()];
        let colons = memchr::memchr_iter(b':', text).count();
        let squeezed = text.windows(2).any(|pair| pair == b"::");
        // Clock times and hardware addresses end here.
        if colons < 2 || (!squeezed && colons < 6) {
            return;
        }
        let run = self.trimmed(whole);
        if run.len() < 2 || is_word(self.byte(run.end)) {
            return;
        }
        let labelled = self.after_label(&run);
        if !self.goes_on(run.start) {
            if self.fingerprint(&run) {
                return;
            }
            self.v6(run);
        }
        if let Some(run) = labelled {
            self.v6(run);
        }
    }

    /// Emits the address that fills the run, except for its port.
    fn v6(&mut self, run: Range<usize>) {
        let Some((parsed, run, mut port)) = self.parsed(run) else { return };
        if !is_plausible(&self.text[run.clone()]) {
            return;
        }
        let before = self.before(run.start);
        let mut at = Where::LogText;
        if before == b'[' && self.byte(run.end) == b']' {
            port = self.port_at(run.end + 1);
            let outside = self.before(run.start - 1);
            if self.is_authority(run.start - 1, outside) {
                at = Where::UrlHost;
            }
        }
        if run.start >= 3
            && percent_at(self.text, run.start - 3) == Some(b'[')
            && percent_at(self.text, run.end) == Some(b']')
        {
            port = self.port_at(run.end + 3);
        }
        let port = port.or_else(|| self.port_of(&run, 128));
        self.emit(Observable::Address(address::fold(parsed), port), at, run);
    }

    /// Whether a percent escape continues the run, on either side.
    fn has_adjacent_escape(&self, run: &Range<usize>) -> bool {
        let after = percent_at(self.text, run.end).is_some_and(continues_colons);
        let before = self.before(run.start) == b'%'
            && percent_at(self.text, run.start - 1).is_some_and(continues_colons);
        before || after
    }

    /// Reads addresses that contain escapes, as in `?ip=2001%3Adb8%3A%3A1`. `at` is
    /// the position of a percent sign. Returns where the piece ends.
    pub(super) fn escaped_colons_at(&mut self, at: usize) -> usize {
        if !percent_at(self.text, at).is_some_and(continues_colons) {
            return at;
        }
        let piece = colon_piece_around(self.text, at);
        self.colon_piece(piece.clone());
        piece.end
    }

    /// Reads a piece with percent escapes, decoded once.
    fn colon_piece(&mut self, piece: Range<usize>) {
        let is_long = piece.len() > 3 * MAX_RUN;
        if is_long || !self.core.contains(&piece.start) || !self.is_ours(piece.start, piece.clone())
        {
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
            undone: &mut None,
            urlish: 0..0,
            reading: Reading::Whole,
            decodes: false,
            odds: Odds::default(),
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

    /// Whether a word continues at `start`; the end of an escape does not count.
    fn goes_on(&self, start: usize) -> bool {
        is_word(self.before(start)) && !ends_escape(self.text, start)
    }

    /// The run without what an escape, a key or a sentence left at its ends.
    fn trimmed(&self, mut run: Range<usize>) -> Range<usize> {
        if let Some((len, _)) = tail_of_escape(self.text, run.start, run.end) {
            run.start += len;
        }
        let text = &self.text[run.clone()];
        // `key:2001:db8::1` begins after its colon.
        if text.starts_with(b":") && (!text.starts_with(b"::") || text.starts_with(b":::")) {
            run.start += 1;
        }
        while run.end > run.start && self.text[run.end - 1] == b'.' {
            run.end -= 1;
        }
        let text = &self.text[run.clone()];
        if text.ends_with(b":") && !text.ends_with(b"::") {
            run.end -= 1;
        }
        run
    }

    /// The text after a label and its colon: `outside:2001:db8::1`,
    /// `ip6:2001:db8::1`, if the run begins with the end of a label (section 8.4).
    fn after_label(&self, run: &Range<usize>) -> Option<Range<usize>> {
        let text = &self.text[run.clone()];
        let is_tail = self.goes_on(run.start);
        // A run that begins with a digit begins with a group, not with the end of a
        // label.
        let is_port = self.before(run.start) == b'/';
        if !is_tail && !is_port && !text.first()?.is_ascii_alphabetic() {
            return None;
        }
        let first = memchr::memchr(b':', text)?;
        let rest = &text[first + 1..];
        // `foo::bar` is C++, and `:1` is not an address.
        if first == 0 || rest.len() < 2 || rest.starts_with(b":") && !rest.starts_with(b"::") {
            return None;
        }
        let label = &text[..first];
        let letters = label.iter().filter(|b| b.is_ascii_alphabetic()).count();
        let is_group = || {
            let group = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
            group == 4 && rest[0] != b'0'
        };
        let is_label = match label.len() - letters {
            0 => true,
            // `GigabitEthernet0/1:2001:db8::1`
            1 | 2 if is_port && letters == 0 => {
                let before = run.start.checked_sub(2).map_or(b' ', |at| self.byte(at));
                before.is_ascii_digit() && is_group()
            }
            1 => is_tail,
            // `vlan100:2001:db8::1`, but not `v2001:db8::1`.
            _ => is_tail && is_group(),
        };
        is_label.then(|| run.start + first + 1..run.end)
    }

    /// The address in the run, its position, and the port after it. Only after
    /// eight groups or a dotted tail is it clear where a port begins.
    fn parsed(&self, run: Range<usize>) -> Option<(std::net::Ipv6Addr, Range<usize>, Option<u16>)> {
        let text = &self.text[run.clone()];
        if let Some(v6) = address::parse_v6(text) {
            return Some((v6, run, None));
        }
        if let Some((port, end)) = self.dotted_port(&run)
            && let Some(v6) = address::parse_v6(&self.text[run.start..end])
        {
            return Some((v6, run.start..end, Some(port)));
        }
        let colon = memchr::memrchr(b':', text)?;
        let head = &text[..colon];
        let is_full = memchr::memchr_iter(b':', head).count() == 7
            && memchr::memmem::find(head, b"::").is_none();
        if !is_full && memchr::memchr(b'.', head).is_none() {
            return None;
        }
        let v6 = address::parse_v6(head)?;
        let port = self.port_at(run.start + colon)?;
        Some((v6, run.start..run.start + colon, Some(port)))
    }

    /// Reads `XX:XX:…` of 16, 20 or 32 bytes.
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

    /// Whether the dotted quad that begins at `start`, after a colon, is the tail
    /// of an IPv6 address.
    pub(super) fn belongs_to_v6(&self, start: usize) -> bool {
        let whole = run_around(self.text, start, class::HEX | class::COLON | class::DOT);
        if whole.len() > MAX_RUN {
            return false;
        }
        if self.decodes && self.has_adjacent_escape(&whole) {
            return false;
        }
        let run = self.trimmed(whole);
        let labelled = self.after_label(&run);
        let alone = Some(run).filter(|run| !self.goes_on(run.start));
        let owns = |run: Range<usize>| run.start < start && self.parsed(run).is_some();
        alone.is_some_and(owns) || labelled.is_some_and(owns)
    }
}

/// Whether a decoded byte continues a run.
fn continues_colons(byte: u8) -> bool {
    is(byte, class::HEX | class::COLON | class::DOT)
}

/// The piece around `at` of hex digits, colons, dots and escapes of these.
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

/// Whether a character continues an address; those of other scripts do not.
fn is_word(byte: u8) -> bool {
    byte < 0x80 && is(byte, class::NAME)
}

/// Whether an address is plausible. `a::b` is valid but C++; an address contains a
/// digit or more groups.
fn is_plausible(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit) || memchr::memchr_iter(b':', text).count() > 3
}
