//! Runs of name characters and dots: IPv4 addresses and domain names (matching
//! specification, section 6.1, rule 7, and section 6.2, rules 7 to 9).

use super::classify::{class, is};
use super::extractor::Visit;
use super::percent::{continues_name, decode, has_dot, percent_at, piece_around, tail_of_escape};
use super::pieces::{Odds, Reading};
use super::{MAX_LOOKBEHIND, Visitor};
use crate::engine::indicator::domain::MAX_NAME;
use crate::engine::indicator::{Kind, Observable, Where, address, domain};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

/// The maximum length of a run. A longer one cannot be a name.
const MAX_RUN: usize = 1024;

/// The run of `classes` around `at`, extending at most one byte beyond [`MAX_RUN`]
/// to either side.
#[inline]
pub(super) fn run_around(text: &[u8], at: usize, classes: u8) -> Range<usize> {
    let floor = at.saturating_sub(MAX_RUN + 1);
    let mut start = at;
    while start > floor && is(text[start - 1], classes) {
        start -= 1;
    }
    let mut end = at + 1;
    let limit = text.len().min(end + MAX_RUN);
    while end < limit && is(text[end], classes) {
        end += 1;
    }
    start..end
}

/// Passes on observables of a decoded piece, at the position of the piece.
pub(super) struct Decoded<'v> {
    pub(super) visitor: &'v mut dyn Visitor,
    pub(super) span: Range<usize>,
}

impl Visitor for Decoded<'_> {
    fn tails(&self) -> &[u8] {
        self.visitor.tails()
    }

    fn may_hold_name(&self, run: &[u8], pair: usize) -> bool {
        self.visitor.may_hold_name(run, pair)
    }

    fn may_hold_url(&self, host: &[u8]) -> bool {
        self.visitor.may_hold_url(host)
    }

    fn may_end_in(&self, label: &[u8]) -> bool {
        self.visitor.may_end_in(label)
    }

    fn may_hold_v4(&self, address: u32) -> bool {
        self.visitor.may_hold_v4(address)
    }

    fn wants(&self, kind: Kind) -> bool {
        self.visitor.wants(kind)
    }

    fn seen(&mut self, observable: Observable<'_>, at: Where, _: Range<usize>) {
        self.visitor.seen(observable, at, self.span.clone());
    }
}

impl<V: Visitor> Visit<'_, '_, V> {
    /// Visits and returns the run around a place.
    #[inline]
    pub(super) fn name_at(&mut self, place: usize) -> Range<usize> {
        let run = run_around(self.text, place, class::NAME | class::DOT);
        if run.len() <= MAX_RUN {
            self.name_run(run.clone());
        }
        run
    }

    fn name_run(&mut self, run: Range<usize>) {
        let (mut start, mut end) = (run.start, run.end);
        let mut before = self.before(start);
        // What follows an escape is read decoded, when the escape is visited.
        if before == b'%'
            && self.decodes
            && let Some((len, byte)) = tail_of_escape(self.text, start, end)
        {
            if continues_name(byte) {
                return;
            }
            start += len;
            before = byte;
        }
        let mut after = self.byte(end);
        if after == b'%'
            && self.decodes
            && let Some(byte) = percent_at(self.text, end)
        {
            if continues_name(byte) {
                return;
            }
            after = byte;
        }
        if !self.text[start..end].is_ascii() {
            return self.beyond_ascii(start..end);
        }
        let whole = start..end;
        while start < end && self.text[start] == b'.' {
            start += 1;
        }
        while end > start && self.text[end - 1] == b'.' {
            end -= 1;
        }
        let Some(&last) = self.text[start..end].last() else { return };
        if start == whole.start && self.text[start].is_ascii_digit() {
            // In most cases there is only an address.
            let quad = match address::parse_v4(&self.text[start..end]) {
                Some(address) => Some((address, end)),
                None => self.quad_at(start),
            };
            match quad {
                Some((address, end)) => self.digits(address, start..end, before),
                None => self.dotted_endpoint(start..end),
            }
        }
        // A part before an `@` is a user name, not a host.
        let is_user = after == b'@' && self.share_at(end).is_none();
        if !is_user && !last.is_ascii_digit() {
            self.domain(start..end, before);
        }
    }

    /// Where the dotted quad that begins at `start` ends, if nothing continues it.
    /// `192.0.2.1.` and `192.0.2.1...` are quads, `192.0.2.1.5` is not.
    fn quad_end(&self, start: usize) -> Option<usize> {
        let mut at = start;
        for part in 0..4 {
            let digits = (at..at + 4).take_while(|at| self.byte(*at).is_ascii_digit()).count();
            if !(1..=3).contains(&digits) {
                return None;
            }
            at += digits;
            if part < 3 {
                if self.byte(at) != b'.' {
                    return None;
                }
                at += 1;
            }
        }
        let goes_on = |byte: u8| byte < 0x80 && is(byte, class::NAME);
        let after = self.byte(at);
        let is_end = match after {
            b'.' => !goes_on(self.byte(at + 1)),
            _ => !goes_on(after),
        };
        is_end.then_some(at)
    }

    /// The dotted quad that begins at `start`, and where it ends.
    pub(super) fn quad_at(&self, start: usize) -> Option<(Ipv4Addr, usize)> {
        let end = self.quad_end(start)?;
        Some((address::parse_v4(&self.text[start..end])?, end))
    }

    /// Emits the address in `run`, a dotted quad.
    pub(super) fn digits(&mut self, address: Ipv4Addr, run: Range<usize>, before: u8) {
        if before == b':' && self.belongs_to_v6(run.start) {
            return;
        }
        let authority = self.is_authority(run.start, before);
        if self.is_user(run.start, run.end) {
            return;
        }
        self.bare_url(&run, before);
        let is_wanted = self.visitor.may_hold_v4_at(address.to_bits(), run.start)
            || self.decodes && self.visitor.may_hold_host(run.clone(), true);
        if !is_wanted {
            return;
        }
        let at = if authority { Where::UrlHost } else { Where::LogText };
        let port = self.port_of(&run, 32).or_else(|| self.share_at(run.end));
        self.emit(Observable::Address(IpAddr::V4(address), port), at, run);
    }

    /// The port in `@8080`, `@SSL` or `@SSL@8443` at `at`, which Windows writes after the name of a
    /// WebDAV server in the path of a share: `\\evil.example@SSL\DavWWWRoot`.
    pub(super) fn share_at(&self, at: usize) -> Option<u16> {
        let mut rest = self.text.get(at..)?.strip_prefix(b"@")?;
        let is_secure = rest.len() >= 3 && rest[..3].eq_ignore_ascii_case(b"ssl");
        if is_secure {
            rest = &rest[3..];
        }
        let number = if is_secure { rest.strip_prefix(b"@") } else { Some(rest) };
        let digits = number
            .map_or(0, |number| number.iter().take(6).take_while(|b| b.is_ascii_digit()).count());
        let port = match number {
            Some(number) if digits > 0 => {
                rest = &number[digits..];
                std::str::from_utf8(&number[..digits]).ok()?.parse().ok()?
            }
            _ if is_secure => 443,
            _ => return None,
        };
        let after = rest.first().copied().unwrap_or(b'\n');
        let is_path = matches!(after, b'\\' | b'/');
        let is_certain = is_secure || self.is_cookie_of_share(at);
        let is_end = is_certain && !is(after, class::NAME | class::DOT) && after != b'@';
        (is_path || is_end).then_some(port)
    }

    /// Whether the host that ends at `at` is from `rundll32
    /// davclnt.dll,DavSetCookie HOST@8080`, the trace that opening a file of a
    /// WebDAV server leaves.
    fn is_cookie_of_share(&self, at: usize) -> bool {
        let head = &self.text[at.saturating_sub(MAX_NAME + 16)..at];
        let host = head.iter().rev().take_while(|b| is(**b, class::NAME | class::DOT)).count();
        head[..head.len() - host].ends_with(b"DavSetCookie ")
    }

    /// The port in `:8080` or `%3A8080` at `at`.
    pub(super) fn port_at(&self, at: usize) -> Option<u16> {
        let decoded = |at: usize| match percent_at(self.text, at) {
            Some(byte) => (byte, 3),
            None => (self.byte(at), 1),
        };
        let (b':', len) = decoded(at) else { return None };
        let rest = self.text.get(at + len..)?;
        let digits = rest.iter().take(6).take_while(|b| b.is_ascii_digit()).count();
        let goes_on = |byte: u8| byte < 0x80 && is(byte, class::NAME);
        let (after, after_len) = decoded(at + len + digits);
        let next = || decoded(at + len + digits + after_len).0;
        let ends = match after {
            // `203.0.113.9:8443: refused`, `:8443:X1`; but two digits are an hour
            // or a minute.
            b':' => digits > 2 || !next().is_ascii_digit(),
            // `203.0.113.9:8443->192.0.2.1:80`, also without the arrow.
            b'-' => matches!(next(), b'>' | b'[' | b' ' | b'0'..=b'9'),
            b'.' => !goes_on(next()),
            _ => !goes_on(after),
        };
        if digits == 0 || digits > 5 || !ends {
            return None;
        }
        std::str::from_utf8(&rest[..digits]).ok()?.parse().ok().filter(|&port| port != 0)
    }

    pub(super) fn domain(&mut self, run: Range<usize>, before: u8) {
        let label_at = match memchr::memrchr(b'.', &self.text[run.clone()]) {
            Some(dot) => run.start + dot + 1,
            None => return,
        };
        let label = &self.text[label_at..run.end];
        if !self.visitor.may_end_in(label) {
            return;
        }
        self.bare_url(&run, before);
        let authority = self.is_authority(run.start, before);
        if self.is_user(run.start, run.end) {
            return;
        }
        if !authority && (before == b'/' || before == b'\\') {
            let mut lower = [0; 8];
            if let Some(lower) = lower.get_mut(..label.len()) {
                lower.copy_from_slice(label);
                lower.make_ascii_lowercase();
                if domain::is_file_extension(lower) {
                    return;
                }
            }
        }
        let at = if authority {
            Where::UrlHost
        } else if before == b'@' {
            Where::EmailDomain
        } else {
            Where::LogText
        };
        let name = &self.text[run.clone()];
        if label.eq_ignore_ascii_case(b"arpa")
            && let Some(address) = address::from_reverse_name(name)
        {
            self.emit(Observable::Address(address, None), Where::Ptr, run.clone());
        }
        self.emit(Observable::Name(name), at, run);
    }

    /// Whether the host that begins at `start` is in the authority of a URL: after
    /// `//`, in any encoding, or after a user name there.
    pub(super) fn is_authority(&self, start: usize, before: u8) -> bool {
        let head = &self.text[..start];
        match before {
            b'/' => {
                head.ends_with(b"//")
                    || (head.len() >= 6 && head[head.len() - 6..].eq_ignore_ascii_case(b"%2f%2f"))
            }
            b'@' => self.userinfo_start(start - 1).is_some(),
            _ => false,
        }
    }

    /// Where the user name that ends at the `@` at `at` begins, if it is in the
    /// authority of a URL.
    pub(super) fn userinfo_start(&self, at: usize) -> Option<usize> {
        let floor = at.saturating_sub(256);
        let before = &self.text[floor..at];
        let place = floor + before.iter().rposition(|&byte| MAY_END_USERINFO[usize::from(byte)])?;
        let is_slash = self.text[place] == b'/';
        (is_slash && self.is_after_scheme(place + 1)).then_some(place + 1)
    }

    /// Whether the run is a user name in the authority of a URL, or part of one.
    pub(super) fn is_user(&self, start: usize, end: usize) -> bool {
        self.is_userinfo(end)
            && self.share_at(end).is_none()
            && (self.is_after_scheme(start) || self.userinfo_start(start).is_some())
    }

    /// Whether an authority after a scheme begins at `at`.
    pub(super) fn is_after_scheme(&self, at: usize) -> bool {
        let head = &self.text[..at];
        let scheme = head.strip_suffix(b"://");
        scheme.is_some_and(|scheme| self.scheme_start(scheme.len()).is_some())
    }

    /// Whether the text that ends at `end`, in an authority, is a user name: an `@`
    /// follows before the authority ends.
    fn is_userinfo(&self, end: usize) -> bool {
        let is_end = |at: usize| MAY_END_USERINFO[usize::from(self.text[at])];
        (end..(end + 256).min(self.text.len()))
            .take_while(|&at| !is_end(at))
            .any(|at| self.text[at] == b'@')
    }

    /// Reads a name with an escape inside: decodes the piece around it, once.
    /// Returns where that is finished.
    pub(super) fn decoded_piece(&mut self, inside: usize) -> usize {
        let (piece, done) = window(self.text, inside, piece_around);
        if !self.core.contains(&piece.start)
            || !has_dot(&self.text[piece.clone()])
            || !self.is_ours(piece.start, piece.clone())
        {
            return done;
        }
        let mut decoded = std::mem::take(self.decoded);
        let mut inside = Vec::new();
        decode(&self.text[piece.clone()], &mut inside);
        let inside = self.in_context(&piece, &inside, &mut decoded);
        self.visit_decoded(&decoded, inside, piece);
        *self.decoded = decoded;
        done
    }

    /// Puts a decoded piece into its surroundings, which affect what it is. Returns
    /// its range.
    pub(super) fn in_context(
        &self,
        piece: &Range<usize>,
        decoded: &[u8],
        out: &mut Vec<u8>,
    ) -> Range<usize> {
        out.clear();
        let from = piece.start.saturating_sub(16);
        match piece.start.checked_sub(3).and_then(|at| Some((at, percent_at(self.text, at)?))) {
            Some((at, byte)) => {
                out.extend_from_slice(&self.text[from..at]);
                out.push(byte);
            }
            None => out.extend_from_slice(&self.text[from..piece.start]),
        }
        let start = out.len();
        out.extend_from_slice(decoded);
        let end = out.len();
        out.extend_from_slice(&self.text[piece.end..(piece.end + 16).min(self.text.len())]);
        start..end
    }

    /// Visits the names and addresses in `inside`, which is `piece` decoded once.
    pub(super) fn visit_decoded(&mut self, text: &[u8], inside: Range<usize>, piece: Range<usize>) {
        let mut scratch = Vec::new();
        let mut visitor = Decoded { visitor: &mut *self.visitor, span: piece };
        let mut visit = Visit {
            text,
            core: inside.clone(),
            visitor: &mut visitor,
            decoded: &mut scratch,
            undone: &mut None,
            urlish: 0..0,
            reading: Reading::Whole,
            decodes: false,
            odds: Odds::default(),
            wants: self.wants,
        };
        let mut end = 0;
        for dot in memchr::memchr_iter(b'.', &text[inside.clone()]) {
            let dot = inside.start + dot;
            if dot >= end {
                end = visit.name_at(dot).end;
            }
        }
        let mut end = 0;
        for at in memchr::memchr2_iter(0xe3, 0xef, &text[inside.clone()]) {
            let at = inside.start + at;
            if at >= end {
                end = visit.full_stop_at(at);
            }
        }
    }
}

/// The number of bytes with escapes that are decoded at once. A longer piece is
/// decoded in windows that overlap by half of this on both sides.
const WINDOW: usize = 512;

/// The part of the piece around `inside` to decode at once, and where that is
/// finished. Both are the same for all places in a window: they depend on the
/// beginning of the piece, and not on where it was found. Otherwise a name would be
/// reported twice where a text is cut.
fn window(
    text: &[u8],
    inside: usize,
    around: impl Fn(&[u8], usize, usize) -> Range<usize>,
) -> (Range<usize>, usize) {
    let near = around(text, inside, WINDOW);
    let is_begun = inside - near.start < WINDOW;
    let first = if is_begun { near.start } else { around(text, inside, MAX_LOOKBEHIND).start };
    let before = (inside - first) / WINDOW * WINDOW;
    let start = if before == 0 { first } else { first + before - WINDOW / 2 };
    let next = first + before + WINDOW;
    let limit = next + WINDOW / 2;
    let is_ended = near.end - inside < WINDOW;
    let end = if is_ended { near.end } else { around(text, inside, limit - inside).end };
    if end < limit { (start..end, end) } else { (start..limit, next) }
}

/// The slash, and bytes that no user name in a URL contains, or that separate URLs
/// in a list.
pub(super) static MAY_END_USERINFO: [bool; 256] = {
    let ends = b"\"'<>\\?#,;|[]/";
    let mut table = [false; 256];
    let mut at = 0;
    while at <= b' ' as usize {
        table[at] = true;
        at += 1;
    }
    at = 0;
    while at < ends.len() {
        table[ends[at] as usize] = true;
        at += 1;
    }
    table
};
