//! POP3 (RFC 1939): the mails that a server hands out, and the names of mailboxes.
//!
//! Both sides are found by content: the server by `+OK `, the client by its first
//! command, but for `USER`, with which FTP begins, too: there the port of FTP tells.
//! An answer of several lines is a mail if its first line is a header; else it is a
//! list. A mailbox that is named by an e-mail address is told at `mail.to`: mails
//! that are for it. Behind STLS anything may follow.

use super::mail::{self, Dots, Mail, Taken};
use super::stream::{Context, Guess, Parser, Step};
use super::{Ports, Said, Visitor};
use crate::indicator::{Observable, Where};

/// The longest line of a command or an answer.
const MOST_LINE: usize = 4 << 10;

/// Lines in a row that are none of the protocol.
const MOST_ODD: u8 = 16;

const PROTOCOL: &str = "pop3";

/// First commands that give a client away.
const OPENINGS: [&[u8]; 6] = [b"USER ", b"APOP ", b"CAPA\r\n", b"CAPA\n", b"STLS\r\n", b"AUTH\r\n"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A client's line.
    Command,
    /// A server's line; whether the one before said `+OK`.
    Answer(bool),
    /// The lines of a list.
    List(Dots),
    Mail(Dots),
    /// Perhaps TLS.
    Other,
}

/// One side of a connection.
#[derive(Debug)]
pub(super) struct Side {
    state: State,
    odd: u8,
    mail: Option<Box<Mail>>,
}

/// Looks whether a stream begins like a server's or a client's.
pub(super) fn guess(data: &[u8], ports: Ports) -> Guess {
    let parser = |state| Parser::Pop3(Side { state, odd: 0, mail: None });
    let server = data.iter().zip(b"+OK ").take_while(|(a, b)| a == b).count();
    match server {
        4 => return Guess::Is(parser(State::Answer(false))),
        _ if server == data.len() => return Guess::Maybe(data.len() + 1),
        _ => {}
    }
    let is_ftp = matches!(ports, Ports::Pair(21, _) | Ports::Pair(_, 21));
    let openings = OPENINGS.into_iter().skip(usize::from(is_ftp));
    Guess::by_opening(data, openings, || parser(State::Command))
}

impl Side {
    pub(super) fn weight(&self) -> usize {
        self.mail.as_ref().map_or(0, |mail| size_of::<Mail>() + mail.weight())
    }

    /// Reads the next line, or part of a mail.
    pub(super) fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        context: &mut Context<'_, '_, V>,
    ) -> Step {
        match self.state {
            State::Other => Step::Restart,
            State::Command | State::Answer(_) if data.first() == Some(&0x16) => Step::Restart,
            State::Command | State::Answer(_) => match memchr::memchr(b'\n', data) {
                Some(end) => {
                    let line = data.get(..end).unwrap_or_default().trim_ascii_end();
                    let is_bare = !data.get(..end).unwrap_or_default().ends_with(b"\r");
                    match self.state {
                        State::Answer(is_ok) => self.answer(line, is_ok, is_bare, end + 1),
                        _ => self.command(line, end + 1, context),
                    }
                }
                None if data.len() > MOST_LINE => Step::Lost,
                None => Step::Wait(data.len() + 1),
            },
            State::List(mut dots) => {
                let taken = dots.step(data, None, context);
                self.state = State::List(dots);
                self.taken(taken, context)
            }
            State::Mail(mut dots) => {
                let taken = dots.step(data, self.mail.as_deref_mut(), context);
                self.state = State::Mail(dots);
                self.taken(taken, context)
            }
        }
    }

    fn taken<V: Visitor>(&mut self, taken: Taken, context: &mut Context<'_, '_, V>) -> Step {
        match taken {
            Taken::Part(length) => Step::Took(length),
            Taken::Wants(wants) => Step::Wait(wants),
            Taken::End(length) => {
                self.state = State::Answer(false);
                self.mail_done(true, context);
                Step::Took(length)
            }
        }
    }

    /// A mail is over. TOP shows only the first lines of one: then multiparts are left open.
    fn mail_done<V: Visitor>(&mut self, is_whole: bool, context: &mut Context<'_, '_, V>) {
        if let Some(mail) = self.mail.take() {
            let is_whole = is_whole && mail.is_closed();
            mail.finish(is_whole, context);
        }
    }

    /// Bytes never came: a mail goes on behind them.
    pub(super) fn gap<V: Visitor>(
        &mut self,
        length: u64,
        context: &mut Context<'_, '_, V>,
    ) -> bool {
        let State::Mail(dots) = &mut self.state else { return false };
        dots.gap();
        if let Some(mail) = &mut self.mail {
            mail.gap(length, context);
        }
        true
    }

    /// Reads what there is of a mail that breaks off.
    pub(super) fn finish<V: Visitor>(&mut self, context: &mut Context<'_, '_, V>) {
        self.mail_done(false, context);
    }

    fn answer(&mut self, line: &[u8], is_ok: bool, is_bare: bool, length: usize) -> Step {
        let starts = |start: &[u8]| line.starts_with(start);
        if starts(b"+OK") || starts(b"-ERR") || line == b"+" || starts(b"+ ") {
            (self.state, self.odd) = (State::Answer(starts(b"+OK")), 0);
            return Step::Took(length);
        }
        if !is_ok {
            return self.odd_line(length);
        }
        // The answer has more lines.
        let dots = Dots::new(is_bare);
        let is_mail =
            line.is_empty() || line.starts_with(b"From ") || mail::split_header(line).is_some();
        if is_mail {
            self.mail = Some(Box::new(Mail::new(PROTOCOL)));
            self.state = State::Mail(dots);
        } else {
            self.state = State::List(dots);
        }
        Step::Again
    }

    fn odd_line(&mut self, length: usize) -> Step {
        self.odd += 1;
        if self.odd > MOST_ODD { Step::Lost } else { Step::Took(length) }
    }

    fn command<V: Visitor>(
        &mut self,
        line: &[u8],
        length: usize,
        context: &mut Context<'_, '_, V>,
    ) -> Step {
        const VERBS: [&[u8]; 13] = [
            b"PASS", b"STAT", b"LIST", b"RETR", b"DELE", b"NOOP", b"RSET", b"QUIT", b"TOP",
            b"UIDL", b"CAPA", b"AUTH", b"UTF8",
        ];
        let mut words = line.split(|&b| b == b' ').filter(|word| !word.is_empty());
        let verb = words.next().unwrap_or_default();
        let is = |name: &[u8]| verb.eq_ignore_ascii_case(name);
        if is(b"STLS") {
            self.state = State::Other;
        } else if is(b"USER") || is(b"APOP") {
            if let Some(name) = words.next() {
                report_mailbox(name, context);
            }
        } else if !VERBS.iter().any(|verb| is(verb)) {
            // As what AUTH goes on with.
            return self.odd_line(length);
        }
        self.odd = 0;
        Step::Took(length)
    }
}

/// Tells of a mailbox, if its name is an e-mail address.
pub(super) fn report_mailbox<V: Visitor>(name: &[u8], context: &mut Context<'_, '_, V>) {
    let is_email = memchr::memchr(b'@', name).is_some_and(|at| at > 0 && at + 1 < name.len());
    if is_email {
        let email = Observable::Email(name);
        context.visitor.seen(email, Where::MailTo, context.packet, Said::None);
    }
}

#[cfg(test)]
pub(super) mod tests;
