//! SMTP: HELO, envelope, and the mails.
//!
//! Recognised by the client's first command on any port. Lines are followed through DATA and
//! BDAT; a mail interrupted by another command is incomplete. After STARTTLS anything may follow,
//! in both directions. The server's lines contain no indicators except its certificate, which the
//! TLS parser finds.

use crate::engine::indicator::{self, Observable, Protocol as AlertProtocol, Where, address};
use crate::engine::packet::contract::{Opening, ParseContext, Probe, Protocol, Slot, Step};
use crate::engine::packet::payload::mail::{self, Dots, Mail, Taken};
use crate::engine::packet::view;
use crate::engine::packet::{Fault, Ports, ProtocolFacts, Visitor};
use crate::engine::progress::bound;

/// The longest line: those of AUTH have up to 12,288 octets (RFC 4954, section 4).
const MAX_LINE: usize = bound(16 << 10, 80);

/// How much is kept of a name in the envelope (RFC 5321, 4.5.3.1.3: a path has up to 256).
const MAX_KEPT: usize = bound(320, 24);

/// First commands that identify a client.
const OPENINGS: [&[u8]; 5] = [b"EHLO ", b"HELO ", b"LHLO ", MAIL, b"RCPT TO:<"];

/// The beginning of each mail, which nothing else begins with.
const MAIL: &[u8] = b"MAIL FROM:";

const PROTOCOL: &str = "smtp";

/// What was sent about a mail and its sender, up to the command with the observable, as an alert
/// describes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The name that the client uses for itself.
    pub helo: Option<&'a [u8]>,
    /// The sender.
    pub from: Option<&'a [u8]>,
    /// A recipient.
    pub to: Option<&'a [u8]>,
}

impl Envelope<'_> {
    /// The owned form, for an alert.
    pub fn owned(&self) -> indicator::Smtp {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        indicator::Smtp {
            helo: self.helo.map(text),
            from: self.from.map(text),
            to: self.to.map(text).into_iter().collect(),
        }
    }
}

impl view::MessageFacts for Envelope<'_> {
    fn owned(&self) -> AlertProtocol {
        AlertProtocol::Smtp(Envelope::owned(self))
    }
}

/// The state of a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Command,
    /// After DATA: a mail, if the server accepts it. Whether the command ended with a bare LF.
    Begin(bool),
    Mail(Dots),
    /// A chunk of a mail: how many bytes are left of it, and whether it is the last.
    Chunk(u64, bool),
    /// Possibly TLS.
    Other,
}

/// A client's side of a connection.
#[derive(Debug, Default)]
pub(in crate::engine::packet) struct Client {
    state: State,
    /// The mail that is being sent.
    mail: Option<Box<Mail>>,
    /// The arguments of HELO and MAIL; empty before.
    helo: Vec<u8>,
    from: Vec<u8>,
}

impl Protocol for Client {
    type Session = ();

    fn probe(data: &[u8], _: &Opening, _: &impl Slot<Self::Session>) -> Probe<Self> {
        // First bytes of the openings, in either case.
        if data
            .first()
            .is_some_and(|first| !matches!(first & !0x20, b'E' | b'H' | b'L' | b'M' | b'R'))
        {
            return Probe::No;
        }
        Probe::by_opening(data, OPENINGS, Client::default)
    }

    fn begins(data: &[u8], _: Ports) -> bool {
        data.get(..MAIL.len()).is_some_and(|start| start.eq_ignore_ascii_case(MAIL))
    }

    fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        _: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        match self.state {
            State::Command => match memchr::memchr(b'\n', data) {
                Some(end) if end <= MAX_LINE => {
                    let line = data[..end].strip_suffix(b"\r").unwrap_or(&data[..end]);
                    self.command(line, end + 1, context)
                }
                _ if data.len() > MAX_LINE => Step::Lost,
                _ => Step::Wait(data.len() + 1),
            },
            State::Begin(is_bare) => {
                match is_command(data) {
                    None => return Step::Wait(data.len() + 1),
                    // The server did not accept the mail.
                    Some(true) => self.state = State::Command,
                    Some(false) => {
                        self.mail = Some(Box::new(Mail::new(PROTOCOL)));
                        self.state = State::Mail(Dots::new(is_bare));
                    }
                }
                Step::Again
            }
            State::Mail(mut dots) => {
                let taken = dots.step(data, self.mail.as_deref_mut(), &mut context.report());
                self.state = State::Mail(dots);
                match taken {
                    Taken::Part(length) => Step::Took(length),
                    Taken::Wants(wants) => Step::Wait(wants),
                    Taken::End(length) => {
                        self.mail_done(true, context);
                        self.state = State::Command;
                        Step::Took(length)
                    }
                }
            }
            State::Chunk(left, is_last) => {
                let length = left.min(data.len() as u64);
                let mail = self.mail.get_or_insert_with(|| Box::new(Mail::new(PROTOCOL)));
                mail.push(data.get(..length as usize).unwrap_or(data), &mut context.report());
                self.chunk(left - length, is_last, context);
                Step::Took(length as usize)
            }
            State::Other => Step::Restart,
        }
    }

    fn gap<V: Visitor>(
        &mut self,
        length: u64,
        _: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> bool {
        let chunk = match &mut self.state {
            State::Mail(dots) => {
                dots.gap();
                None
            }
            State::Chunk(left, is_last) if *left >= length => Some((*left - length, *is_last)),
            _ => return false,
        };
        if let Some(mail) = &mut self.mail {
            mail.gap(length, &mut context.report());
        }
        if let Some((left, is_last)) = chunk {
            self.chunk(left, is_last, context);
        }
        true
    }

    fn finish<V: Visitor>(
        mut self,
        _: &[u8],
        _: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) {
        self.mail_done(false, context);
    }

    fn weight(&self) -> usize {
        let mail = self.mail.as_ref().map_or(0, |mail| size_of::<Mail>() + mail.weight());
        mail + self.helo.capacity() + self.from.capacity()
    }
}

impl Client {
    fn mail_done<V: Visitor>(&mut self, is_whole: bool, context: &mut ParseContext<'_, '_, V>) {
        if let Some(mail) = self.mail.take() {
            mail.finish(is_whole, &mut context.report());
        }
    }

    fn command<V: Visitor>(
        &mut self,
        line: &[u8],
        length: usize,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        let (verb, rest) = line.split_at(line.len().min(4));
        let is = |name: &[u8]| verb.eq_ignore_ascii_case(name);
        if (is(b"EHLO") || is(b"HELO") || is(b"LHLO")) && rest.starts_with(b" ") {
            self.mail_done(false, context);
            keep(&mut self.helo, rest.trim_ascii());
            self.from.clear();
            report_helo(rest.trim_ascii(), context);
        } else if is(b"MAIL") || is(b"RCPT") {
            let path = mail::path(rest);
            let (at, to) =
                if is(b"MAIL") { (Where::SmtpFrom, None) } else { (Where::SmtpTo, path) };
            if is(b"MAIL") {
                self.mail_done(false, context);
                keep(&mut self.from, path.unwrap_or_default());
            }
            if let Some(path) = path {
                let envelope = self.envelope(to);
                let protocol_facts = ProtocolFacts::Message(&envelope);
                context.visitor.seen(Observable::Email(path), at, context.packet, protocol_facts);
            }
        } else if is(b"DATA") && rest.trim_ascii().is_empty() {
            self.mail_done(false, context);
            self.state = State::Begin(line.len() + 1 == length);
        } else if is(b"BDAT") {
            let mut words = rest.split(|&b| b == b' ').filter(|word| !word.is_empty());
            let size = words.next().and_then(|word| std::str::from_utf8(word).ok()?.parse().ok());
            let is_last = words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"LAST"));
            if let Some(size) = size {
                self.chunk(size, is_last, context);
            }
        } else if line.trim_ascii().eq_ignore_ascii_case(b"STARTTLS") {
            self.state = State::Other;
        } else if is(b"RSET") {
            self.mail_done(false, context);
            self.from.clear();
        }
        Step::Took(length)
    }

    /// What was sent so far, and a recipient.
    fn envelope<'a>(&'a self, to: Option<&'a [u8]>) -> Envelope<'a> {
        let non_empty = |text: &'a Vec<u8>| Some(text.as_slice()).filter(|text| !text.is_empty());
        Envelope { helo: non_empty(&self.helo), from: non_empty(&self.from), to }
    }

    /// A chunk of this many bytes follows (RFC 3030).
    fn chunk<V: Visitor>(
        &mut self,
        left: u64,
        is_last: bool,
        context: &mut ParseContext<'_, '_, V>,
    ) {
        self.state = if left > 0 { State::Chunk(left, is_last) } else { State::Command };
        if left == 0 && is_last {
            self.mail_done(true, context);
        }
    }
}

fn keep(kept: &mut Vec<u8>, text: &[u8]) {
    kept.clear();
    kept.extend_from_slice(text.get(..MAX_KEPT).unwrap_or(text));
}

/// Whether a command follows DATA instead of a mail. `None` if there is too little to decide.
fn is_command(data: &[u8]) -> Option<bool> {
    const VERBS: [&[u8]; 13] = [
        b"QUIT\n",
        b"RSET\n",
        b"AUTH ",
        b"LHLO ",
        MAIL,
        b"RCPT TO:",
        b"QUIT\r",
        b"RSET\r",
        b"NOOP",
        b"EHLO ",
        b"HELO ",
        b"BDAT ",
        b"STARTTLS\r",
    ];
    let mut answer = Some(false);
    for verb in VERBS {
        let length = verb.len().min(data.len());
        let (Some(start), Some(of_verb)) = (data.get(..length), verb.get(..length)) else {
            continue;
        };
        if start.eq_ignore_ascii_case(of_verb) {
            if length == verb.len() {
                return Some(true);
            }
            answer = None;
        }
    }
    answer
}

fn report_helo<V: Visitor>(name: &[u8], context: &mut ParseContext<'_, '_, V>) {
    let literal = name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]"));
    let bare = literal.map(|bare| bare.strip_prefix(b"IPv6:").unwrap_or(bare)).unwrap_or(name);
    let text = std::str::from_utf8(bare).ok();
    let observable = match text.and_then(|text| address::parse_ip(text).ok()) {
        Some(address) => Observable::Address(address, None),
        None if bare.iter().any(|&b| b <= b' ' || b == 0x7f) || bare.is_empty() => {
            return context.counters.note(Fault::OddName);
        }
        None => Observable::Name(bare),
    };
    let envelope = Envelope { helo: Some(name), ..Envelope::default() };
    let protocol_facts = ProtocolFacts::Message(&envelope);
    context.visitor.seen(observable, Where::SmtpHelo, context.packet, protocol_facts);
}

#[cfg(test)]
pub(in crate::engine::packet) mod tests;
