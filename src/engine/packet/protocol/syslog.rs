//! Syslog (RFC 3164, 5424) over UDP and TCP (RFC 6587): its text is searched like that of a log.
//!
//! Recognised by the priority at the beginning, on any port. Over TCP a message ends with its
//! line, or follows its length in digits.

use crate::engine::indicator::Where;
use crate::engine::packet::contract::{Opening, ParseContext, Probe, Protocol, Slot, Step};
use crate::engine::packet::{Packet, ProtocolFacts, Visitor};
use crate::engine::progress::bound;

/// The longest message; a longer one is passed on in pieces.
const MAX_MESSAGE: usize = bound(64 << 10, 128);

/// The highest priority: facility 23, severity 7.
const MAX_PRIORITY: u16 = 191;

/// Whether a message begins, by its priority. `None` if it is too short to decide.
fn has_priority(data: &[u8]) -> Option<bool> {
    let Some(rest) = data.strip_prefix(b"<") else { return data.first().map(|_| false) };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let number =
        rest.get(..digits).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    match rest.get(digits) {
        _ if digits > 3 => Some(false),
        None => None,
        Some(b'>') => Some(number.is_some_and(|number: u16| number <= MAX_PRIORITY)),
        Some(_) => Some(false),
    }
}

/// Whether a datagram is a message.
#[inline]
fn is_message(payload: &[u8]) -> bool {
    payload.first() == Some(&b'<') && has_priority(payload) == Some(true)
}

/// Passes on the text of a message.
fn report<V: Visitor>(message: &[u8], packet: &Packet<'_>, visitor: &mut V) {
    let end = message.iter().rposition(|&b| !matches!(b, 0 | b'\n' | b'\r'));
    let text = message.get(..end.map_or(0, |end| end + 1)).unwrap_or_default();
    if !text.is_empty() {
        visitor.text(text, Where::LogText, packet, ProtocolFacts::None);
    }
}

/// The length in digits before a message, and where the message begins.
fn counted(data: &[u8]) -> Option<(usize, usize)> {
    let digits = data.iter().take_while(|b| b.is_ascii_digit()).count();
    if !(1..=6).contains(&digits) || data.get(digits) != Some(&b' ') {
        return None;
    }
    let length = std::str::from_utf8(data.get(..digits)?).ok()?.parse().ok()?;
    (1..=MAX_MESSAGE).contains(&length).then_some((digits + 1, length))
}

/// Passes on a datagram that is a message; returns whether it is one.
pub(in crate::engine::packet) fn inspect<V: Visitor>(
    payload: &[u8],
    packet: &Packet<'_>,
    visitor: &mut V,
) -> bool {
    let is_syslog = is_message(payload);
    if is_syslog {
        report(payload, packet, visitor);
    }
    is_syslog
}

/// One direction of a stream of messages.
#[derive(Debug)]
pub(in crate::engine::packet) struct Messages;

impl Protocol for Messages {
    type Session = ();

    fn probe(data: &[u8], _: &Opening, _: &impl Slot<()>) -> Probe<Self> {
        let rest = match (data.first(), counted(data)) {
            (Some(b'<'), _) => data,
            (Some(b'1'..=b'9'), Some((from, _))) => data.get(from..).unwrap_or_default(),
            // Digits that may continue.
            (Some(b'1'..=b'9'), None) if data.len() < 6 && data.iter().all(u8::is_ascii_digit) => {
                return Probe::Maybe(data.len() + 1);
            }
            _ => return Probe::No,
        };
        match has_priority(rest) {
            Some(true) => Probe::Is(Messages),
            Some(false) => Probe::No,
            None => Probe::Maybe(data.len() + 1),
        }
    }

    fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        _: &mut impl Slot<()>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        if data.first().is_some_and(u8::is_ascii_digit) {
            if let Some((from, length)) = counted(data) {
                let Some(message) = data.get(from..from + length) else {
                    return Step::Wait(from + length);
                };
                report(message, context.packet, context.visitor);
                return Step::Took(from + length);
            }
            if data.len() < 7 && data.iter().all(u8::is_ascii_digit) {
                return Step::Wait(data.len() + 1);
            }
        }
        let shown = data.get(..MAX_MESSAGE).unwrap_or(data);
        match memchr::memchr2(b'\n', 0, shown) {
            Some(end) => {
                report(&shown[..end], context.packet, context.visitor);
                Step::Took(end + 1)
            }
            None if shown.len() == MAX_MESSAGE => {
                report(shown, context.packet, context.visitor);
                Step::Took(shown.len())
            }
            None => Step::Wait(data.len() + 1),
        }
    }

    fn finish<V: Visitor>(
        self,
        data: &[u8],
        _: &mut impl Slot<()>,
        context: &mut ParseContext<'_, '_, V>,
    ) {
        let from = counted(data).map_or(0, |(from, _)| from);
        report(data.get(from..).unwrap_or_default(), context.packet, context.visitor);
    }
}

#[cfg(test)]
pub(in crate::engine::packet) mod tests {
    use super::*;
    use crate::engine::packet::tests::{decode, tcp, udp};

    /// Messages in both framings.
    pub(in crate::engine::packet) fn stream() -> Vec<u8> {
        b"<34>1 2026-01-02T03:04:05Z host app - - - a.example\n<13>b.example\n21 <13>two\nlines c.exam\n24 <165>1 - - - - - - d.exa".to_vec()
    }

    #[test]
    fn valid_priorities_begin_a_message() {
        // RFC 5424, 6.5; RFC 3164, 5.4.
        for good in ["<34>1 2003-10-11T22:14:15.003Z x", "<34>Oct 11 22:14:15 x", "<0>", "<191>a"] {
            assert!(is_message(good.as_bytes()), "{good}");
        }
        for bad in ["<192>a", "<>a", "<1234>", "34>", "<a>", "", "<", "<34", "<html>"] {
            assert!(!is_message(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn texts_of_messages_are_reported() {
        let want = [
            "<34>1 2026-01-02T03:04:05Z host app - - - a.example",
            "<13>b.example",
            "<13>two\nlines c.exam",
            "<165>1 - - - - - - d.exa",
        ]
        .concat();
        let (recorder, _) = decode(&[tcp(40_000, 601, 24, &stream())]);
        assert_eq!(recorder.text_at(Where::LogText), want);
        let (recorder, _) = decode(&[udp(40_000, 514, b"<13>b.example\n\0")]);
        assert_eq!(recorder.text_at(Where::LogText), "<13>b.example");
    }
}
