//! One direction of an FTP connection.

use super::command::{self, Command, Verb};
use super::control::{Client, Server, code, line};
use super::data::Data;
use super::session::Session;
use crate::engine::packet::contract::expectations::End;
use crate::engine::packet::contract::{Opening, ParseContext, Probe, Protocol, Slot, Step};
use crate::engine::packet::view::{Ports, Visitor};
use std::net::IpAddr;

/// One direction: of a control connection, or of an announced data connection.
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
                _ if command::begins(data) || (is_ours && code(data).is_some()) => {
                    Probe::Is(server())
                }
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
        command::begins(data)
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
