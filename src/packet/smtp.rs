//! SMTP: HELO, envelope, and the headers of the mails.
//!
//! Found by the client's first command on any port. Lines are followed through
//! DATA and BDAT; the bodies of mails are gone over. Behind STARTTLS anything may
//! follow, in both directions. What the server says holds no indicators but for
//! its certificate, which is found there.

use super::mail;
use super::stream::{Context, Guess, Parser, Step};
use super::{Fault, Said, Visitor};
use crate::indicator::{self, Observable, Where, address};

/// The longest line, and the longest header with all its folded lines.
const MOST_LINE: usize = 4 << 10;
const MOST_HEADER: usize = 64 << 10;

/// First commands that give a client away.
const OPENINGS: [&[u8]; 4] = [b"EHLO ", b"HELO ", b"LHLO ", b"MAIL FROM:"];

const BODY_END: &[u8] = b"\r\n.\r\n";

/// What a command says of a mail and who sends it, as an alert tells of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// How the client calls itself.
    pub helo: Option<&'a [u8]>,
    /// The sender.
    pub from: Option<&'a [u8]>,
    /// A receiver.
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

/// What a client is saying.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Command,
    /// The headers of a mail; of BDAT with the bytes that are left of its chunk.
    Headers(Option<usize>),
    /// The body of a mail, up to the dot.
    Body,
    /// Perhaps TLS.
    Other,
}

/// A client's side of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Client {
    state: State,
    /// The headers of this mail are over: more chunks are its body.
    is_body: bool,
}

/// Looks whether a stream begins like a client's.
pub(super) fn guess(data: &[u8]) -> Guess {
    let mut guess = Guess::No;
    for opening in OPENINGS {
        let length = opening.len().min(data.len());
        if data[..length].eq_ignore_ascii_case(&opening[..length]) {
            if length == opening.len() {
                return Guess::Is(Parser::Smtp(Client::default()));
            }
            guess = Guess::Maybe(data.len() + 1);
        }
    }
    guess
}

impl Client {
    /// Reads the next line, header or part of a body.
    pub(super) fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        context: &mut Context<'_, '_, V>,
    ) -> Step {
        match self.state {
            State::Command => match memchr::memchr(b'\n', data) {
                Some(end) => {
                    let line = data[..end].strip_suffix(b"\r").unwrap_or(&data[..end]);
                    self.command(line, end + 1, context)
                }
                None if data.len() > MOST_LINE => Step::Lost,
                None => Step::Wait(data.len() + 1),
            },
            State::Headers(None) => self.header(data, data.len(), context),
            State::Headers(Some(left)) => self.header(data, left, context),
            State::Body => match memchr::memmem::find(data, BODY_END) {
                Some(at) => {
                    self.state = State::Command;
                    Step::Took(at + BODY_END.len())
                }
                None if data.len() < BODY_END.len() => Step::Wait(BODY_END.len()),
                None => Step::Took(data.len() - BODY_END.len() + 1),
            },
            State::Other => Step::Restart,
        }
    }

    /// Reads the last header, or the last line, if it is whole.
    pub(super) fn finish<V: Visitor>(&self, data: &[u8], context: &mut Context<'_, '_, V>) {
        let State::Headers(_) = self.state else { return };
        let Some(line) = data.strip_suffix(b"\n") else {
            if !data.is_empty() {
                context.counters.note(Fault::SplitMail);
            }
            return;
        };
        if is_command(data) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            Client::default().command(line, data.len(), context);
        } else if let Some((name, value)) = mail::split_header(data) {
            mail::report_header(name, value, context);
        }
    }

    fn command<V: Visitor>(
        &mut self,
        line: &[u8],
        length: usize,
        context: &mut Context<'_, '_, V>,
    ) -> Step {
        let (verb, rest) = line.split_at(line.len().min(4));
        let is = |name: &[u8]| verb.eq_ignore_ascii_case(name);
        if (is(b"EHLO") || is(b"HELO") || is(b"LHLO")) && rest.starts_with(b" ") {
            report_helo(rest.trim_ascii(), context);
        } else if is(b"MAIL") || is(b"RCPT") {
            if let Some(path) = mail::path(rest) {
                let (at, said) = if is(b"MAIL") {
                    (Where::SmtpFrom, Envelope { from: Some(path), ..Envelope::default() })
                } else {
                    (Where::SmtpTo, Envelope { to: Some(path), ..Envelope::default() })
                };
                let said = Said::Smtp(said);
                context.visitor.seen(Observable::Email(path), at, context.packet, said);
            }
        } else if is(b"DATA") && rest.trim_ascii().is_empty() {
            (self.state, self.is_body) = (State::Headers(None), false);
        } else if is(b"BDAT") {
            return self.chunk(rest, length);
        } else if line.trim_ascii().eq_ignore_ascii_case(b"STARTTLS") {
            self.state = State::Other;
        } else if is(b"RSET") {
            self.is_body = false;
        }
        Step::Took(length)
    }

    /// A chunk of a mail, of a length that its command tells.
    fn chunk(&mut self, rest: &[u8], length: usize) -> Step {
        let mut words = rest.split(|&b| b == b' ').filter(|word| !word.is_empty());
        let size = words.next().and_then(|word| std::str::from_utf8(word).ok()?.parse().ok());
        let Some(size) = size else { return Step::Took(length) };
        let is_last = words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"LAST"));
        let is_body = std::mem::replace(&mut self.is_body, !is_last);
        if is_body || size == 0 {
            return Step::Skip((size as u64).saturating_add(length as u64));
        }
        self.state = State::Headers(Some(size));
        Step::Took(length)
    }

    /// The next header; `left` bytes of them are to come at most.
    fn header<V: Visitor>(
        &mut self,
        data: &[u8],
        left: usize,
        context: &mut Context<'_, '_, V>,
    ) -> Step {
        let is_chunk = self.state != State::Headers(None);
        let shown = data.get(..left).unwrap_or(data);
        let is_all = is_chunk && shown.len() == left;
        let Some(end) = mail::header_end(shown, is_all) else {
            let is_too_long = data.len() > MOST_HEADER;
            return if is_too_long { Step::Lost } else { Step::Wait(data.len() + 1) };
        };
        let field = &shown[..end];
        if matches!(field, b"\r\n" | b"\n") {
            return self.headers_done(left, is_chunk);
        }
        if !is_chunk && matches!(field, b".\r\n" | b".\n") {
            self.state = State::Command;
        } else if let Some((name, value)) = mail::split_header(field) {
            mail::report_header(name, value, context);
        } else if !is_chunk && is_command(field) {
            // The server did not take the mail: it is a command again.
            self.state = State::Command;
            return Step::Again;
        }
        if is_chunk {
            self.state = match left - end {
                0 => State::Command,
                left => State::Headers(Some(left)),
            };
        }
        Step::Took(end)
    }

    fn headers_done(&mut self, left: usize, is_chunk: bool) -> Step {
        if is_chunk {
            self.state = State::Command;
            return Step::Skip(left as u64);
        }
        // The empty line stays: the dot may follow it at once.
        self.state = State::Body;
        Step::Again
    }
}

/// Whether a line in the place of a header is a command.
fn is_command(line: &[u8]) -> bool {
    const VERBS: [&[u8]; 9] = [
        b"MAIL FROM:",
        b"RCPT TO:",
        b"QUIT\r",
        b"RSET\r",
        b"NOOP",
        b"EHLO ",
        b"HELO ",
        b"BDAT ",
        b"STARTTLS\r",
    ];
    VERBS
        .iter()
        .any(|verb| line.get(..verb.len()).is_some_and(|start| start.eq_ignore_ascii_case(verb)))
}

fn report_helo<V: Visitor>(name: &[u8], context: &mut Context<'_, '_, V>) {
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
    let said = Said::Smtp(Envelope { helo: Some(name), ..Envelope::default() });
    context.visitor.seen(observable, Where::SmtpHelo, context.packet, said);
}

#[cfg(test)]
pub(super) mod tests;
