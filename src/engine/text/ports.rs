//! Ports after addresses, in the other notations of logs: `a.b.c.d/443` and
//! `a.b.c.d(443)` of Cisco, `a.b.c.d#443` of BIND, `a.b.c.d port 443` of OpenSSH,
//! `[a.b.c.d]:443` of Postfix, `a.b.c.d.443` of tcpdump (matching specification,
//! section 8, rule 3).

use super::Visitor;
use super::classify::{class, is};
use super::extractor::Visit;
use crate::engine::indicator::{Observable, Where, address};
use std::net::IpAddr;
use std::ops::Range;

/// How many bytes before an address to look for the mark of a firewall's message.
const MAX_MARK: usize = 512;

impl<V: Visitor> Visit<'_, '_, V> {
    /// The port of the address in `run`, in any notation. `bits` are those of the
    /// address: a number up to that after a slash may be the length of a network.
    pub(super) fn port_of(&self, run: &Range<usize>, bits: u16) -> Option<u16> {
        self.port_at(run.end).or_else(|| self.other_port(run, bits))
    }

    /// `203.0.113.9.8443` and `2001:db8::9.8443`, as tcpdump prints an endpoint:
    /// the port after the last dot of the run, and where the address ends.
    /// Elsewhere five numbers mean nothing.
    pub(super) fn dotted_port(&self, run: &Range<usize>) -> Option<(u16, usize)> {
        let dot = run.start + memchr::memrchr(b'.', &self.text[run.clone()])?;
        let (port, len) = self.number(&self.text[dot + 1..])?;
        let after = &self.text[run.end..];
        let ends = after.first().is_none_or(|b| *b <= b' ' || matches!(b, b':' | b','));
        let head = &self.text[..run.start];
        let marks: [&[u8]; 5] = [b" >", b" \\u003e", b" &gt;", b"IP", b"IP6"];
        let is_marked = head
            .strip_suffix(b" ")
            .is_some_and(|head| marks.iter().any(|mark| head.ends_with(mark)))
            || marks[..3].iter().any(|mark| after.starts_with(mark));
        (ends && is_marked && dot + 1 + len == run.end).then_some((port, dot))
    }

    /// Emits an IPv4 address with its port after a fourth dot.
    pub(super) fn dotted_endpoint(&mut self, run: Range<usize>) {
        let Some((port, end)) = self.dotted_port(&run) else { return };
        let Some(address) = address::parse_v4(&self.text[run.start..end]) else { return };
        if self.visitor.may_hold_v4(address.to_bits()) {
            let observable = Observable::Address(IpAddr::V4(address), Some(port));
            self.emit(observable, Where::LogText, run.start..end);
        }
    }

    fn other_port(&self, run: &Range<usize>, bits: u16) -> Option<u16> {
        let after = self.text.get(run.end..)?;
        match after.first()? {
            b'/' => self.port_after_slash(run, &after[1..], bits),
            b'\\' if after.get(1) == Some(&b'/') => self.port_after_slash(run, &after[2..], bits),
            b'#' => self.number(&after[1..]).map(|(port, _)| port),
            b'(' => {
                let (port, len) = self.number(&after[1..])?;
                (after.get(1 + len) == Some(&b')')).then_some(port)
            }
            b']' if self.before(run.start) == b'[' => self.port_at(run.end + 1),
            b' ' | b',' => {
                let after = after.strip_prefix(b",").unwrap_or(after);
                let word = after.get(..6)?;
                let is_port = word.eq_ignore_ascii_case(b" port ");
                is_port.then(|| self.number(&after[6..])).flatten().map(|(port, _)| port)
            }
            _ => None,
        }
    }

    /// Parses a number from 1 to 65535 that nothing continues. Returns it with its
    /// length.
    fn number(&self, text: &[u8]) -> Option<(u16, usize)> {
        let len = text.iter().take(6).take_while(|b| b.is_ascii_digit()).count();
        let next = |at: usize| text.get(len + at).copied().unwrap_or(b' ');
        let goes_on = |byte: u8| byte < 0x80 && is(byte, class::ALNUM);
        let ends = match next(0) {
            b'.' => !goes_on(next(1)),
            // `port 8443:11: Bye`; but two digits are an hour or a minute.
            b':' => len > 2 || !next(1).is_ascii_digit(),
            b'-' => next(1) == b'>',
            b'/' | b'_' | b'%' => false,
            byte => !goes_on(byte),
        };
        let port = std::str::from_utf8(text.get(..len)?).ok()?.parse().ok()?;
        (ends && port != 0).then_some((port, len))
    }

    fn port_after_slash(&self, run: &Range<usize>, after: &[u8], bits: u16) -> Option<u16> {
        let (port, _) = self.number(after)?;
        (port > bits || self.is_of_firewall(run.start)).then_some(port)
    }

    /// Whether an address follows the name of an interface, or is in a message of
    /// Cisco's firewalls. The number after its slash is then a port, not a length.
    fn is_of_firewall(&self, start: usize) -> bool {
        let head = &self.text[start.saturating_sub(MAX_MARK)..start];
        let line = memchr::memrchr(b'\n', head).map_or(head, |newline| &head[newline + 1..]);
        let is_mark = |mark: &&[u8]| memchr::memmem::find(line, mark).is_some();
        if [&b"%ASA-"[..], b"%FTD-", b"%PIX-", b"%FWSM-"].iter().any(is_mark) {
            return true;
        }
        let Some(name) = line.strip_suffix(b":") else { return false };
        let len = name.iter().rev().take_while(|b| is(**b, class::NAME)).count();
        name[name.len() - len..].first().is_some_and(u8::is_ascii_alphabetic)
    }
}
