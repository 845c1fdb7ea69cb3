//! POP3 (RFC 1939): the mails that a server sends, and the names of mailboxes.
//!
//! Both sides are recognised by content: the server by `+OK `, the client by its first command,
//! except `USER`, which FTP begins with, too: then the port of FTP decides. A response of several
//! lines is a mail if it follows RETR or TOP; if the command is unknown, it is a mail if its
//! first line is a header, otherwise a list. Only the response to RETR is a whole mail: TOP
//! returns the beginning of one, and digests of truncated files are not reported, nor if the
//! command was not seen. A mailbox whose name is an e-mail address is reported as `mail.to`,
//! because mails to it follow. After STLS anything may follow.

use crate::engine::packet::contract::{self, Opening, ParseContext, Probe, Protocol, Slot, Step};
use crate::engine::packet::payload::mail::{self, Dots, Mail, Taken};
use crate::engine::packet::{Ports, Visitor};
use crate::engine::progress::bound;
use std::collections::VecDeque;

/// The longest line of a command or a response: those of AUTH have up to 12,288 octets (RFC 5034,
/// section 4).
const MAX_LINE: usize = bound(16 << 10, 80);

/// Commands without a response. Clients that pipeline send fewer.
const MAX_ASKED: usize = bound(1 << 10, 4);

/// Consecutive lines that are invalid in the protocol.
const MAX_ODD: u8 = bound(16, 4) as u8;

const PROTOCOL: &str = "pop3";

/// First commands that identify a client.
const OPENINGS: [&[u8]; 6] = [b"USER ", b"APOP ", b"CAPA\r\n", b"CAPA\n", b"STLS\r\n", b"AUTH\r\n"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A client's line.
    Command,
    /// A server's line; whether the one before was `+OK`.
    Answer(bool),
    /// The lines of a list.
    List(Dots),
    Mail(Dots),
    /// Possibly TLS.
    Other,
}

/// The command of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    /// A mail.
    Retr,
    /// The beginning of one.
    Top,
    Other,
}

/// Commands without a response, the oldest first. Each has one response (RFC 1939, section 3).
#[derive(Debug, Default)]
pub(in crate::engine::packet) struct Asked {
    commands: VecDeque<Command>,
    /// Responses whose commands were not seen yet.
    ahead: u32,
    /// It is unknown which response belongs to which command.
    is_lost: bool,
}

impl contract::Session for Asked {
    fn weight(&self) -> usize {
        size_of::<Asked>() + self.commands.capacity() * size_of::<Command>()
    }
}

impl Asked {
    fn ask(&mut self, command: Command) {
        if self.ahead > 0 {
            self.ahead -= 1;
        } else if self.commands.len() < MAX_ASKED {
            self.commands.push_back(command);
        } else {
            self.is_lost = true;
        }
    }

    /// The command of the next response, if it is known.
    fn answer(&mut self) -> Option<Command> {
        let command = self.commands.pop_front();
        if command.is_none() {
            self.ahead = self.ahead.saturating_add(1);
        }
        command.filter(|_| !self.is_lost)
    }
}

/// One side of a connection.
#[derive(Debug)]
pub(in crate::engine::packet) struct Side {
    state: State,
    odd: u8,
    mail: Option<Box<Mail>>,
    /// The server's greeting was seen.
    has_greeted: bool,
    /// The client continues AUTH, so that its next line is not a command.
    is_auth: bool,
    /// The command of the response, if it is known.
    asked: Option<Command>,
}

impl Protocol for Side {
    type Session = Box<Asked>;

    fn probe(data: &[u8], opening: &Opening, _: &impl Slot<Self::Session>) -> Probe<Self> {
        let parser = |state| {
            let (odd, mail, asked) = (0, None, None);
            Side { state, odd, mail, has_greeted: false, is_auth: false, asked }
        };
        match data {
            [b'+', b'O', b'K', b' ' | b'\n', ..] | [b'+', b'O', b'K', b'\r', b'\n', ..] => {
                return Probe::Is(parser(State::Answer(false)));
            }
            [] | b"+" | b"+O" | b"+OK" | b"+OK\r" => return Probe::Maybe(data.len() + 1),
            // First bytes of the openings.
            [b'U' | b'A' | b'C' | b'S' | b'u' | b'a' | b'c' | b's', ..] => {}
            _ => return Probe::No,
        }
        let is_ftp = matches!(opening.ports, Ports::Pair(21, _) | Ports::Pair(_, 21));
        let openings = OPENINGS.into_iter().skip(usize::from(is_ftp));
        Probe::by_opening(data, openings, || parser(State::Command))
    }

    fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        session: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        match self.state {
            State::Other => Step::Restart,
            State::Command | State::Answer(_) if data.first() == Some(&0x16) => Step::Restart,
            State::Command | State::Answer(_) => match memchr::memchr(b'\n', data) {
                Some(end) if end <= MAX_LINE => {
                    let line = data.get(..end).unwrap_or_default().trim_ascii_end();
                    let is_bare = !data.get(..end).unwrap_or_default().ends_with(b"\r");
                    match self.state {
                        State::Answer(is_ok) => {
                            self.answer(line, (is_ok, is_bare), end + 1, session)
                        }
                        _ => self.command(line, end + 1, session, context),
                    }
                }
                _ if data.len() > MAX_LINE => Step::Lost,
                _ => Step::Wait(data.len() + 1),
            },
            State::List(mut dots) => {
                let taken = dots.step(data, None, &mut context.report());
                self.state = State::List(dots);
                self.taken(taken, context)
            }
            State::Mail(mut dots) => {
                let taken = dots.step(data, self.mail.as_deref_mut(), &mut context.report());
                self.state = State::Mail(dots);
                self.taken(taken, context)
            }
        }
    }

    fn gap<V: Visitor>(
        &mut self,
        length: u64,
        session: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> bool {
        let State::Mail(dots) = &mut self.state else { return false };
        dots.gap();
        // The end of the mail may be in it, and other responses.
        if let Some(asked) = session.begin_if_free() {
            asked.is_lost = true;
        }
        self.asked = None;
        if let Some(mail) = &mut self.mail {
            mail.gap(length, &mut context.report());
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
        self.mail.as_ref().map_or(0, |mail| size_of::<Mail>() + mail.weight())
    }
}

impl Side {
    fn taken<V: Visitor>(&mut self, taken: Taken, context: &mut ParseContext<'_, '_, V>) -> Step {
        match taken {
            Taken::Part(length) => Step::Took(length),
            Taken::Wants(wants) => Step::Wait(wants),
            Taken::End(length) => {
                self.state = State::Answer(false);
                self.mail_done(self.asked == Some(Command::Retr), context);
                Step::Took(length)
            }
        }
    }

    fn mail_done<V: Visitor>(&mut self, is_whole: bool, context: &mut ParseContext<'_, '_, V>) {
        if let Some(mail) = self.mail.take() {
            mail.finish(is_whole, &mut context.report());
        }
    }

    fn answer(
        &mut self,
        line: &[u8],
        (is_ok, is_bare): (bool, bool),
        length: usize,
        session: &mut impl Slot<Box<Asked>>,
    ) -> Step {
        let starts = |start: &[u8]| line.starts_with(start);
        if line == b"+" || starts(b"+ ") {
            // The command continues.
            (self.state, self.odd) = (State::Answer(false), 0);
            return Step::Took(length);
        }
        if starts(b"+OK") || starts(b"-ERR") {
            (self.state, self.odd) = (State::Answer(starts(b"+OK")), 0);
            // The greeting is not a response to a command.
            if std::mem::replace(&mut self.has_greeted, true) {
                self.asked = session.begin_if_free().and_then(|asked| asked.answer());
            }
            return Step::Took(length);
        }
        if !is_ok {
            return self.odd_line(length);
        }
        // The response has more lines.
        let dots = Dots::new(is_bare);
        let is_asked = matches!(self.asked, Some(Command::Retr | Command::Top));
        let is_likely =
            line.is_empty() || line.starts_with(b"From ") || mail::split_header(line).is_some();
        if is_likely && self.asked == Some(Command::Other) {
            // It belongs to another command: some were not seen.
            self.asked = None;
            if let Some(asked) = session.begin_if_free() {
                asked.is_lost = true;
            }
        }
        if is_asked || is_likely {
            self.mail = Some(Box::new(Mail::new(PROTOCOL)));
            self.state = State::Mail(dots);
        } else {
            self.state = State::List(dots);
        }
        Step::Again
    }

    fn odd_line(&mut self, length: usize) -> Step {
        self.odd += 1;
        if self.odd > MAX_ODD { Step::Lost } else { Step::Took(length) }
    }

    fn command<V: Visitor>(
        &mut self,
        line: &[u8],
        length: usize,
        session: &mut impl Slot<Box<Asked>>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        const VERBS: [&[u8]; 14] = [
            b"PASS", b"STAT", b"LIST", b"RETR", b"DELE", b"NOOP", b"RSET", b"QUIT", b"TOP",
            b"UIDL", b"CAPA", b"AUTH", b"UTF8", b"LANG",
        ];
        let mut words = line.split(|&b| b == b' ').filter(|word| !word.is_empty());
        let verb = words.next().unwrap_or_default();
        let is = |name: &[u8]| verb.eq_ignore_ascii_case(name);
        let mut is_known = true;
        if is(b"STLS") {
            self.state = State::Other;
        } else if is(b"USER") || is(b"APOP") {
            if let Some(name) = words.next() {
                mail::report_mailbox(name, &mut context.report());
            }
        } else {
            is_known = VERBS.iter().any(|verb| is(verb));
        }
        if !is_known && self.is_auth {
            // Continuation lines of AUTH have no separate response.
            return self.odd_line(length);
        }
        let command = match () {
            () if is(b"RETR") => Command::Retr,
            () if is(b"TOP") => Command::Top,
            () => Command::Other,
        };
        if let Some(asked) = session.begin_if_free() {
            asked.ask(command);
        }
        if !is_known {
            return self.odd_line(length);
        }
        (self.is_auth, self.odd) = (is(b"AUTH"), 0);
        Step::Took(length)
    }
}

#[cfg(test)]
pub(in crate::engine::packet) mod tests;
