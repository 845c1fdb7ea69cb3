//! FTP (RFC 959, 2428): commands, names of files, and the files on their own connections.
//!
//! A server is found by its greeting, a client by its commands behind one, or on port
//! 21; in the midst of a connection, or without a greeting, both by what only FTP says. A
//! client's PORT and EPRT and a server's answers to PASV and EPSV announce where a connection
//! for data will be taken: the first connection to that end is read as the file that the
//! next command names. Behind AUTH anything may follow, which mostly is TLS.
//!
//! A file is what its connection carried. In ASCII mode, which is the one unless the client
//! chooses another, lines travel with CR LF: there it is told as it travelled, and with
//! LF alone. It is whole if the connection ended with a FIN, no byte was lost, and the size
//! that the server announced agrees; where it announced none, if who gets the file did not
//! hang up first. Listings and parts of files are none.

mod command;
mod data;

pub use command::Command;
pub(in crate::engine::packet) use data::Data;

use crate::engine::indicator::{Observable, Where};
use crate::engine::packet::contract::expectations::{End, Transfer};
use crate::engine::packet::contract::{self, Opening, ParseContext, Probe, Protocol, Slot, Step};
use crate::engine::packet::payload::names;
use crate::engine::packet::{Packet, Ports, Said, Visitor};
use crate::engine::progress::bound;
use command::Verb;
use std::net::IpAddr;

/// The longest line of a command or an answer.
const MAX_LINE: usize = bound(4 << 10, 64);

/// The longest name that is kept for the alert about a file.
const MAX_NAME: usize = bound(1 << 10, 24);

/// What both directions know.
#[derive(Debug, Default)]
pub(in crate::engine::packet) enum Session {
    /// A server said `220`, as those of FTP and SMTP do.
    #[default]
    Greeted,
    Control(Box<Control>),
}

impl contract::Session for Session {
    fn weight(&self) -> usize {
        self.known().map_or(0, Control::weight)
    }

    fn gives_way(&self) -> bool {
        matches!(self, Session::Greeted)
    }
}

impl Session {
    /// What is known of a connection of FTP, if it is one.
    fn known(&self) -> Option<&Control> {
        match self {
            Session::Greeted => None,
            Session::Control(control) => Some(control),
        }
    }

    /// The same, to be changed.
    fn known_mut(&mut self) -> Option<&mut Control> {
        match self {
            Session::Greeted => None,
            Session::Control(control) => Some(control),
        }
    }

    /// What is known from now on.
    fn control(&mut self) -> &mut Control {
        if matches!(self, Session::Greeted) {
            *self = Session::Control(Box::default());
        }
        match self {
            Session::Control(control) => control,
            Session::Greeted => unreachable!("it was made just now"),
        }
    }
}

/// What is known of a connection with commands.
#[derive(Debug, Default)]
pub(in crate::engine::packet) struct Control {
    /// Where the next connection for data will be taken.
    ends: Vec<End>,
    /// What it will carry, once a command has said so.
    transfer: Option<Transfer>,
    /// Bytes are carried as they are.
    is_image: bool,
    /// Files are packed, or cut into blocks.
    is_coded: bool,
    /// The next transfer begins in the midst of its file.
    is_rest: bool,
    /// The file whose length was asked last, and that length.
    sized: (Vec<u8>, Option<u64>),
    /// The answer with that length is to come.
    is_size_asked: bool,
    /// That length is the one of what is fetched.
    is_sized: bool,
}

impl Control {
    /// Bytes that are held.
    fn weight(&self) -> usize {
        let name = self.transfer.as_ref().and_then(|transfer| transfer.name.as_ref());
        let names = name.map_or(0, |name| name.len()) + self.sized.0.capacity();
        size_of::<Self>() + self.ends.len() * size_of::<End>() + names
    }

    /// The next connection for data will be taken at a port of who says so, at the address
    /// that is named; behind a translator of addresses, at the one that is seen.
    fn announce<V: Visitor>(
        &mut self,
        (address, port): (IpAddr, u16),
        context: &mut ParseContext<'_, '_, V>,
    ) {
        let (seen, peer) = (context.packet.src, context.packet.dst);
        self.ends = vec![End { address: seen, port, peer }];
        if seen != address {
            self.ends.push(End { address, port, peer });
        }
        self.publish(context);
    }

    fn publish<V: Visitor>(&self, context: &mut ParseContext<'_, '_, V>) {
        for &end in &self.ends {
            let transfer = self.transfer.clone().unwrap_or_default();
            context.announced.put(end, transfer, context.packet.time);
        }
    }

    /// A command moves a file, or a listing.
    fn begin<V: Visitor>(&mut self, command: &Command<'_>, context: &mut ParseContext<'_, '_, V>) {
        let (verb, path) = (command.verb, command.argument);
        let is_fetched = command.name.eq_ignore_ascii_case(b"RETR");
        self.is_sized = is_fetched && self.is_image && self.sized.0 == path;
        let name = names::last(path);
        let name = name.get(..MAX_NAME).unwrap_or(name);
        let is_part = std::mem::take(&mut self.is_rest) || verb == Verb::Append;
        self.transfer = Some(Transfer {
            name: (verb != Verb::List && !name.is_empty()).then(|| name.into()),
            size: self.sized.1.filter(|_| self.is_sized),
            is_other: verb == Verb::List || is_part || self.is_coded,
            is_text: !self.is_image,
        });
        self.publish(context);
    }

    /// What is under way is not all of it.
    fn abort<V: Visitor>(&self, context: &mut ParseContext<'_, '_, V>) {
        for &end in &self.ends {
            if let Some(transfer) = context.announced.get_mut(end) {
                transfer.is_other = true;
            }
        }
    }

    /// The answer to SIZE. A client that waits for nothing has asked for the file already.
    fn sized<V: Visitor>(&mut self, size: u64, context: &mut ParseContext<'_, '_, V>) {
        self.sized.1 = Some(size);
        if self.is_sized {
            if let Some(transfer) = &mut self.transfer {
                transfer.size.get_or_insert(size);
            }
            for &end in &self.ends {
                if let Some(transfer) = context.announced.get_mut(end) {
                    transfer.size.get_or_insert(size);
                }
            }
        }
    }

    /// The server tells how long a file is. In ASCII mode it travels with more bytes.
    fn size<V: Visitor>(&mut self, size: u64, context: &mut ParseContext<'_, '_, V>) {
        for &end in self.ends.iter().filter(|_| self.is_image) {
            if let Some(transfer) = context.announced.get_mut(end) {
                transfer.size = Some(size);
            }
        }
    }
}

/// One direction: of a control connection, or of one that was announced for data.
#[derive(Debug)]
pub(in crate::engine::packet) enum Side {
    Client(Client),
    Server(Server),
    Data(Box<Data>),
}

impl Protocol for Side {
    type Session = Session;

    fn probe(data: &[u8], opening: &Opening, session: &impl Slot<Session>) -> Probe<Self> {
        let client = || Side::Client(Client::default());
        let server = || Side::Server(Server::default());
        if data.first().is_some_and(u8::is_ascii_digit) {
            let is_ours = session.get().is_some_and(|session| session.known().is_some());
            let starts = |start: &[u8]| data.starts_with(start) || start.starts_with(data);
            return match data.len() {
                0..=3 if starts(b"220") || is_ours => Probe::Maybe(4),
                _ if starts(b"220 ") || starts(b"220-") => Probe::Is(server()),
                _ if begins(data) || (is_ours && code(data).is_some()) => Probe::Is(server()),
                _ => Probe::No,
            };
        }
        let is_port = matches!(opening.ports, Ports::Pair(_, 21));
        let is_expected = is_port || session.get().is_some();
        match command::opening(data) {
            command::Opening::Sure => Probe::Is(client()),
            command::Opening::Likely if is_expected => Probe::Is(client()),
            command::Opening::Short if is_expected => Probe::Maybe(data.len() + 1),
            _ => Probe::No,
        }
    }

    fn begins(data: &[u8], _: Ports) -> bool {
        begins(data)
    }

    fn announced(data: &[u8]) -> Option<(IpAddr, u16)> {
        let (line, _) = line(data).ok()?;
        if let Some((227, false)) = code(line) {
            return command::port(line.get(4..)?);
        }
        let command = Command::parse(line).filter(|command| command.verb == Verb::Port)?;
        command::port(command.argument).or_else(|| command::long_port(command.argument))
    }

    fn expected(end: End, is_synced: bool) -> Option<Self> {
        Some(Side::Data(Box::new(Data::new(end, is_synced))))
    }

    fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        session: &mut impl Slot<Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        match self {
            Side::Client(client) => client.step(data, session, context),
            Side::Server(server) => server.step(data, session, context),
            Side::Data(transfer) => transfer.step(data, context),
        }
    }

    fn gap<V: Visitor>(
        &mut self,
        length: u64,
        _: &mut impl Slot<Session>,
        _: &mut ParseContext<'_, '_, V>,
    ) -> bool {
        match self {
            Side::Client(_) | Side::Server(_) => false,
            Side::Data(transfer) => transfer.gap(length),
        }
    }

    fn finish<V: Visitor>(
        self,
        _: &[u8],
        _: &mut impl Slot<Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) {
        if let Side::Data(transfer) = self {
            transfer.finish(context);
        }
    }

    fn leave(&mut self) {
        if let Side::Data(transfer) = self {
            transfer.leave();
        }
    }

    fn weight(&self) -> usize {
        match self {
            Side::Client(_) | Side::Server(_) => 0,
            Side::Data(transfer) => size_of::<Data>() + transfer.weight(),
        }
    }
}

/// Whether a segment is FTP in the midst of anything: it announces a connection, or says what
/// only clients of FTP say. Some of them do not wait for the greeting.
fn begins(data: &[u8]) -> bool {
    match data {
        [b'2', b'2', b'7' | b'9', b' ', b'E', b'n', b't', ..] => true,
        [b'P', b'A', b'S', b'V', b'\r', ..] | [b'E', b'P', b'S', b'V', b'\r', ..] => true,
        [b'P', b'O', b'R', b'T', b' ', digit, ..] => digit.is_ascii_digit(),
        [b'E', b'P', b'R', b'T', b' ', b'|', ..] => true,
        [b'F', b'E', b'A', b'T', b'\r', ..] => true,
        [b'T', b'Y', b'P', b'E', b' ', b'A' | b'I', b'\r', ..] => true,
        _ => false,
    }
}

/// The code of an answer, and whether more lines follow.
fn code(line: &[u8]) -> Option<(u16, bool)> {
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

/// The next line without its end, and its length with it.
fn line(data: &[u8]) -> Result<(&[u8], usize), Step> {
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
    /// TLS may follow, or the server did not want it.
    is_open: bool,
}

impl Client {
    /// Reads the next command.
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
    let said = Said::Message(command);
    let path = command.argument;
    match command.verb {
        Verb::User if path.contains(&b'@') => {
            context.visitor.seen(Observable::Email(path), Where::FtpUser, context.packet, said);
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
            names::report(path, context.packet, context.visitor, said);
            control.begin(command, context);
        }
        Verb::List => {
            if !path.starts_with(b"-") {
                names::report(path, context.packet, context.visitor, said);
            }
            control.begin(command, context);
        }
        Verb::Name => names::report(path, context.packet, context.visitor, said),
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
    /// The code of an answer of which more lines follow.
    open: Option<u16>,
}

impl Server {
    /// Reads the next line of an answer.
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
        // RFC 3659, 4; a time (3) has the same code, and 14 digits.
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
        // That SIZE is not allowed, among others.
        500..=599 => {
            if let Some(control) = session.get_mut().and_then(Session::known_mut) {
                control.is_size_asked = false;
            }
        }
        _ => {}
    }
}

#[cfg(test)]
pub(in crate::engine::packet) mod tests;
