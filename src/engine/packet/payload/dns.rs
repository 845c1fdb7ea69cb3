//! DNS, mDNS and LLMNR messages: names and addresses in all sections.
//!
//! The name of a question is `dns.query`, in the query and in the response that repeats it.
//! Owners of records and the names and addresses in their data are `dns.answer`. A name that was
//! already reported from the same message, whether by a pointer or repeated, is not reported
//! again. The mailbox of a SOA is an e-mail address. Text in the data of TXT, CAA, URI and NAPTR
//! is searched as text. OPT (with the client subnet), TSIG and TKEY say nothing about hosts and
//! are skipped.

mod name;
mod record;
mod seen;
mod words;

use crate::engine::indicator::{self, Observable, Protocol, Where};
use crate::engine::packet::bytes::be16;
use crate::engine::packet::view;
use crate::engine::packet::{Counters, Fault, Packet, ProtocolFacts, Visitor};
use crate::engine::progress::bound;
pub(in crate::engine::packet) use name::Name;
use seen::SeenNames;

pub(in crate::engine::packet) const HEADER: usize = 12;

/// Records of one message beyond this number are not parsed.
const MAX_RECORDS: usize = bound(4096, 6);

/// A DNS message, as an alert describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Message identifier.
    pub id: u16,
    /// Whether it is a response.
    pub is_answer: bool,
    /// Response code, without the upper bits of EDNS.
    pub rcode: u8,
    /// Name of the first question in text form; empty without one.
    pub name: &'a [u8],
    /// Type of the first question.
    pub rrtype: u16,
}

impl Message<'_> {
    /// The owned form, for an alert.
    pub fn owned(&self) -> indicator::Dns {
        indicator::Dns {
            is_answer: self.is_answer,
            id: self.id,
            rrname: String::from_utf8_lossy(self.name).into_owned(),
            rrtype: words::record_type(self.rrtype).into_owned(),
            rcode: self.is_answer.then(|| words::response_code(self.rcode).into_owned()),
        }
    }
}

impl view::MessageFacts for Message<'_> {
    fn owned(&self) -> Protocol {
        Protocol::Dns(Message::owned(self))
    }
}

/// Why parsing a message ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) struct Broken;

/// A finding in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) enum Found<'m> {
    Seen(Observable<'m>, Where),
    /// Text in the data of a record; or strings, each prefixed by its length.
    Text(&'m [u8]),
    Strings(&'m [u8]),
    /// A name that can't be written as text.
    Odd,
}

/// Whether a payload is certainly a DNS message.
pub(in crate::engine::packet) fn is_message(payload: &[u8]) -> bool {
    let Some(head) = payload.first_chunk::<HEADER>() else { return false };
    let &[_, _, flags, codes, q0, q1, a0, a1, n0, n1, ..] = head;
    let is_answer = flags & 0x80 != 0;
    let is_plain = flags & 0x78 == 0 && codes & 0x40 == 0 && codes & 0x0f <= 10;
    if !is_plain || (q0, q1) != (0, 1) || (!is_answer && (a0 | a1 | n0 | n1) != 0) {
        return false;
    }
    let mut opening = Opening::new(head);
    opening.read(payload);
    let Ok(end) = opening.end else { return false };
    let class = be16(payload, end + 2);
    opening.question.is_host_like()
        && matches!(class, Some(1 | 3 | 4 | 254 | 255))
        && opening.walk(payload, &mut |_| {}) == Ok(payload.len())
}

/// Reports the contents of a message.
pub(in crate::engine::packet) fn report<V: Visitor>(
    message: &[u8],
    packet: &Packet<'_>,
    visitor: &mut V,
    counters: &mut Counters,
) {
    let Some(head) = message.first_chunk::<HEADER>() else {
        counters.note(Fault::BadDns);
        return;
    };
    let &[id0, id1, flags, codes, ..] = head;
    let mut opening = Opening::new(head);
    opening.read(message);
    let facts = Message {
        id: u16::from_be_bytes([id0, id1]),
        is_answer: flags & 0x80 != 0,
        rcode: codes & 0x0f,
        name: opening.question.text(),
        rrtype: opening.rrtype(message),
    };
    let protocol_facts = ProtocolFacts::Message(&facts);
    let outcome = opening.walk(message, &mut |found| match found {
        Found::Seen(observable, at) => visitor.seen(observable, at, packet, protocol_facts),
        Found::Odd => counters.note(Fault::OddName),
        Found::Text(text) => show(text, packet, visitor, protocol_facts),
        Found::Strings(strings) => match strings.split_first() {
            // Most consist of one string.
            Some((&length, text)) if usize::from(length) == text.len() => {
                show(text, packet, visitor, protocol_facts);
            }
            _ => show(&joined(strings), packet, visitor, protocol_facts),
        },
    });
    if outcome == Err(Broken) {
        counters.note(Fault::BadDns);
    }
}

/// Reports text of a record if it may contain something: keys and the like have no dots.
fn show<V: Visitor>(
    text: &[u8],
    packet: &Packet<'_>,
    visitor: &mut V,
    protocol_facts: ProtocolFacts<'_>,
) {
    if memchr::memchr2(b'.', b':', text).is_some() {
        visitor.text(text, Where::DnsAnswer, packet, protocol_facts);
    }
}

/// Concatenates strings, as far as they are complete.
fn joined(strings: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(strings.len());
    let mut rest = strings;
    while let Some((&length, after)) = rest.split_first() {
        let length = usize::from(length).min(after.len());
        text.extend_from_slice(&after[..length]);
        rest = &after[length..];
    }
    text
}

/// Walks a message from its header to its end, which is returned.
pub(in crate::engine::packet) fn walk(
    message: &[u8],
    found: &mut impl FnMut(Found<'_>),
) -> Result<usize, Broken> {
    let head = message.first_chunk::<HEADER>().ok_or(Broken)?;
    let mut opening = Opening::new(head);
    opening.read(message);
    opening.walk(message, found)
}

/// The beginning of a message: most have one question, and few other names.
struct Opening {
    questions: usize,
    records: usize,
    /// The name of the first question; empty without one.
    question: Name,
    /// The end of that name, or of the header.
    end: Result<usize, Broken>,
}

impl Opening {
    /// From a header alone: the question is still to be [read](Opening::read).
    #[inline]
    fn new(head: &[u8; HEADER]) -> Opening {
        let &[_, _, _, _, q0, q1, a0, a1, n0, n1, m0, m1] = head;
        let count = |high, low| usize::from(u16::from_be_bytes([high, low]));
        let questions = count(q0, q1);
        let records = count(a0, a1) + count(n0, n1) + count(m0, m1);
        Opening { questions, records, question: Name::default(), end: Ok(HEADER) }
    }

    /// Reads the name of the first question in place, because it is large to move.
    #[inline]
    fn read(&mut self, message: &[u8]) {
        if self.questions > 0 {
            self.end = self.question.read(message, HEADER);
        }
        if self.end.is_err() {
            self.question.clear();
        }
    }

    /// The type of the first question.
    fn rrtype(&self, message: &[u8]) -> u16 {
        match self.end {
            Ok(end) if self.questions > 0 => be16(message, end).unwrap_or(0),
            _ => 0,
        }
    }

    /// Walks the message to its end, which is returned.
    fn walk(&self, message: &[u8], found: &mut impl FnMut(Found<'_>)) -> Result<usize, Broken> {
        let mut at = self.end?;
        if self.questions > 0 {
            at += 4;
            if at > message.len() {
                return Err(Broken);
            }
            if !self.question.text().is_empty() {
                found(Found::of(&self.question, Where::DnsQuery));
            }
        }
        if self.questions <= 1 && self.records == 0 {
            return Ok(at);
        }
        let mut walk = Walk { message, at, name: None, seen: SeenNames::new(&self.question) };
        for _ in 1..self.questions.min(MAX_RECORDS) {
            walk.question(found)?;
        }
        for _ in 0..self.records.min(MAX_RECORDS) {
            walk.record(found)?;
        }
        Ok(walk.at)
    }
}

/// A position in a message, and the names reported from it.
struct Walk<'m> {
    message: &'m [u8],
    at: usize,
    /// Scratch space, allocated for the first name that must be read.
    name: Option<Name>,
    seen: SeenNames<'m>,
}

impl<'m> Walk<'m> {
    fn question(&mut self, found: &mut impl FnMut(Found<'_>)) -> Result<(), Broken> {
        let (start, end) = (self.at, self.read(self.at)?);
        self.message.get(end..end + 4).ok_or(Broken)?;
        self.at = end + 4;
        self.report(start, Where::DnsQuery, found);
        Ok(())
    }

    fn record(&mut self, found: &mut impl FnMut(Found<'_>)) -> Result<(), Broken> {
        let owner = self.at;
        // Most owners are the root, or only a pointer to a name that was reported.
        let (start, is_new) = match self.message.get(owner..) {
            Some([0, ..]) => (owner + 1, false),
            Some(&[high, low, ..]) if self.seen.knows(u16::from_be_bytes([high, low])) => {
                (owner + 2, false)
            }
            _ => (self.read(owner)?, true),
        };
        let head: &[u8; 10] =
            self.message.get(start..).and_then(|head| head.first_chunk()).ok_or(Broken)?;
        let &[t0, t1, c0, c1, .., l0, l1] = head;
        let (kind, class) = (u16::from_be_bytes([t0, t1]), u16::from_be_bytes([c0, c1]));
        let data = start + 10;
        let end = data + usize::from(u16::from_be_bytes([l0, l1]));
        self.at = end;
        // If the last record is cut off, its owner still counts.
        if !record::is_meta(kind) {
            if is_new {
                self.report(owner, Where::DnsAnswer, found);
            }
            if end <= self.message.len() {
                self.data(kind, class, data..end, found)?;
            }
        }
        if end > self.message.len() { Err(Broken) } else { Ok(()) }
    }

    /// Reads the name at `at`; returns where its own bytes end.
    fn read(&mut self, at: usize) -> Result<usize, Broken> {
        self.name.get_or_insert_default().read(self.message, at)
    }

    /// Reports the name that was read last, at `start`, unless it only repeats another.
    fn report(&mut self, start: usize, at: Where, found: &mut impl FnMut(Found<'_>)) {
        let Some(name) = &self.name else { return };
        if !name.text().is_empty() && self.seen.is_first(name, start) {
            found(Found::of(name, at));
        }
    }
}

impl Found<'_> {
    fn of(name: &Name, at: Where) -> Found<'_> {
        if name.is_odd() { Found::Odd } else { Found::Seen(Observable::Name(name.text()), at) }
    }
}

#[cfg(test)]
pub(in crate::engine::packet) mod tests;
