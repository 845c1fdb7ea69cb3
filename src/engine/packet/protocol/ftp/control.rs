//! Commands, and their responses.

use super::command::{self, Command, Verb};
use super::session::{Control, MAX_NAME, Session};
use crate::engine::indicator::{Observable, Where};
use crate::engine::packet::contract::{ParseContext, Slot, Step};
use crate::engine::packet::payload::names;
use crate::engine::packet::view::{Packet, ProtocolFacts, Visitor};
use crate::engine::progress::bound;

/// The longest line of a command or a response.
const MAX_LINE: usize = bound(4 << 10, 64);

/// The code of a response, and whether more lines follow.
pub(super) fn code(line: &[u8]) -> Option<(u16, bool)> {
    let (&[first @ b'1'..=b'6', second @ b'0'..=b'9', third @ b'0'..=b'9'], rest) =
        line.split_first_chunk()?
    else {
        return None;
    };
    let [first, second, third] = [first, second, third].map(|digit| u16::from(digit - b'0'));
    let number = first * 100 + second * 10 + third;
    match rest.first() {
        Some(b'-') => Some((number, true)),
        None | Some(b' ') => Some((number, false)),
        _ => None,
    }
}

/// The next line without its end, and its full length.
pub(super) fn line(data: &[u8]) -> Result<(&[u8], usize), Step> {
    match memchr::memchr(b'\n', data) {
        Some(end) if end <= MAX_LINE => {
            let line = data.get(..end).unwrap_or_default();
            Ok((line.strip_suffix(b"\r").unwrap_or(line), end + 1))
        }
        _ if data.len() > MAX_LINE => Err(Step::Lost),
        _ => Err(Step::Wait(data.len() + 1)),
    }
}

/// A client's side of a control connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine::packet) struct Client {
    /// TLS may follow, unless the server rejects it.
    is_open: bool,
}

impl Client {
    /// Parses the next command.
    pub(in crate::engine::packet) fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        session: &mut impl Slot<Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        if std::mem::take(&mut self.is_open) && !data.first().is_some_and(u8::is_ascii_alphabetic) {
            return Step::Restart;
        }
        let (line, length) = match line(data) {
            Ok(line) => line,
            Err(step) => return step,
        };
        let Some(command) = Command::parse(line) else { return Step::Took(length) };
        self.is_open = command.verb == Verb::Secure;
        read_command(&command, session.begin().control(), context);
        Step::Took(length)
    }
}

fn read_command<V: Visitor>(
    command: &Command<'_>,
    control: &mut Control,
    context: &mut ParseContext<'_, '_, V>,
) {
    let protocol_facts = ProtocolFacts::Message(command);
    let path = command.argument;
    match command.verb {
        Verb::User if path.contains(&b'@') => {
            context.visitor.seen(
                Observable::Email(path),
                Where::FtpUser,
                context.packet,
                protocol_facts,
            );
        }
        Verb::Passive => (control.ends, control.transfer) = (Vec::new(), None),
        Verb::Port => {
            control.transfer = None;
            if let Some(end) = command::port(path).or_else(|| command::long_port(path)) {
                control.announce(end, context);
            }
        }
        Verb::Type => control.is_image = path.first().is_some_and(|kind| b"IiLl".contains(kind)),
        Verb::Mode => control.is_coded = !path.eq_ignore_ascii_case(b"S"),
        Verb::Rest => control.is_rest = path != b"0",
        Verb::Move | Verb::Append => {
            names::report(path, context.packet, context.visitor, protocol_facts);
            control.begin(command, context);
        }
        Verb::List => {
            if !path.starts_with(b"-") {
                names::report(path, context.packet, context.visitor, protocol_facts);
            }
            control.begin(command, context);
        }
        Verb::Name => names::report(path, context.packet, context.visitor, protocol_facts),
        Verb::Size => {
            let path = path.get(..MAX_NAME).unwrap_or(path);
            (control.sized, control.is_size_asked) = ((path.to_vec(), None), true);
            control.is_sized = false;
        }
        Verb::Abort => control.abort(context),
        Verb::User | Verb::Secure | Verb::Other => {}
    }
}

/// A server's side of a control connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine::packet) struct Server {
    /// The code of a response of which more lines follow.
    open: Option<u16>,
}

impl Server {
    /// Parses the next line of a response.
    pub(in crate::engine::packet) fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        session: &mut impl Slot<Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        let first = data.first().copied().unwrap_or_default();
        if self.open.is_none() && !first.is_ascii_digit() {
            return Step::Restart;
        }
        let (line, length) = match line(data) {
            Ok(line) => line,
            Err(step) => return step,
        };
        match (code(line), self.open) {
            (Some((number, true)), None) => self.open = Some(number),
            (Some((number, false)), Some(open)) if number == open => self.open = None,
            (None, None) => return Step::Lost,
            _ => {}
        }
        if let Some((number, _)) = code(line) {
            answer(number, line.get(4..).unwrap_or_default(), session, context);
        }
        Step::Took(length)
    }
}

fn answer<V: Visitor>(
    number: u16,
    text: &[u8],
    session: &mut impl Slot<Session>,
    context: &mut ParseContext<'_, '_, V>,
) {
    let Packet { src, .. } = *context.packet;
    match number {
        220 => {
            session.begin_if_free();
        }
        227 | 229 => {
            let end = if number == 227 {
                command::port(text)
            } else {
                command::extended(text).map(|port| (src, port))
            };
            let Some(end) = end else { return };
            session.begin().control().announce(end, context);
        }
        125 | 150 => {
            let Some(size) = command::size(text) else { return };
            session.begin().control().size(size, context);
        }
        // RFC 3659, 4; the response to MDTM (3) has the same code, and 14 digits.
        213 => {
            let text = text.trim_ascii();
            let size = std::str::from_utf8(text).ok().filter(|text| text.len() < 14);
            let Some(size) = size.and_then(|size| size.parse().ok()) else { return };
            if let Some(control) = session.get_mut().and_then(Session::known_mut)
                && std::mem::take(&mut control.is_size_asked)
            {
                control.sized(size, context);
            }
        }
        426 | 451 | 552 => {
            if let Some(control) = session.get().and_then(Session::known) {
                control.abort(context);
            }
        }
        // Among others, that SIZE is not allowed.
        500..=599 => {
            if let Some(control) = session.get_mut().and_then(Session::known_mut) {
                control.is_size_asked = false;
            }
        }
        _ => {}
    }
}
