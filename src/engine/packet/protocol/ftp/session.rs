//! The state that both directions of a control connection share.

use super::command::{Command, Verb};
use crate::engine::packet::contract::expectations::{End, Transfer};
use crate::engine::packet::contract::{self, ParseContext};
use crate::engine::packet::payload::names;
use crate::engine::packet::view::Visitor;
use crate::engine::progress::bound;
use std::net::IpAddr;

/// The longest name that is kept for the alert about a file.
pub(super) const MAX_NAME: usize = bound(1 << 10, 24);

/// The state that both directions share.
#[derive(Debug, Default)]
pub(in crate::engine::packet) enum Session {
    /// A server sent `220`, as FTP and SMTP servers do.
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
    /// The state of an FTP connection, if it is one.
    pub(super) fn known(&self) -> Option<&Control> {
        match self {
            Session::Greeted => None,
            Session::Control(control) => Some(control),
        }
    }

    /// The same, mutable.
    pub(super) fn known_mut(&mut self) -> Option<&mut Control> {
        match self {
            Session::Greeted => None,
            Session::Control(control) => Some(control),
        }
    }

    /// The state of an FTP connection, from now on.
    pub(super) fn control(&mut self) -> &mut Control {
        if matches!(self, Session::Greeted) {
            *self = Session::Control(Box::default());
        }
        match self {
            Session::Control(control) => control,
            Session::Greeted => unreachable!("it was made just now"),
        }
    }
}

/// The state of a control connection.
#[derive(Debug, Default)]
pub(in crate::engine::packet) struct Control {
    /// Where the next data connection will be accepted.
    pub(super) ends: Vec<End>,
    /// What it will carry, once a command has been seen.
    pub(super) transfer: Option<Transfer>,
    /// Bytes are sent unchanged.
    pub(super) is_image: bool,
    /// Files are compressed, or split into blocks.
    pub(super) is_coded: bool,
    /// The next transfer begins in the middle of its file.
    pub(super) is_rest: bool,
    /// The file whose size was requested last, and that size.
    pub(super) sized: (Vec<u8>, Option<u64>),
    /// The response with that size is to come.
    pub(super) is_size_asked: bool,
    /// That size is the one of the requested file.
    pub(super) is_sized: bool,
}

impl Control {
    /// Bytes that are held.
    pub(super) fn weight(&self) -> usize {
        let name = self.transfer.as_ref().and_then(|transfer| transfer.name.as_ref());
        let names = name.map_or(0, |name| name.len()) + self.sized.0.capacity();
        size_of::<Self>() + self.ends.len() * size_of::<End>() + names
    }

    /// The next data connection will be accepted at a port of the announcing host, at the given
    /// address; behind address translation, at the address in the packet.
    pub(super) fn announce<V: Visitor>(
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

    pub(super) fn publish<V: Visitor>(&self, context: &mut ParseContext<'_, '_, V>) {
        for &end in &self.ends {
            let transfer = self.transfer.clone().unwrap_or_default();
            context.announced.put(end, transfer, context.packet.time);
        }
    }

    /// A command transfers a file, or a listing.
    pub(super) fn begin<V: Visitor>(
        &mut self,
        command: &Command<'_>,
        context: &mut ParseContext<'_, '_, V>,
    ) {
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

    /// The current transfer is incomplete.
    pub(super) fn abort<V: Visitor>(&self, context: &mut ParseContext<'_, '_, V>) {
        for &end in &self.ends {
            if let Some(transfer) = context.announced.get_mut(end) {
                transfer.is_other = true;
            }
        }
    }

    /// The response to SIZE. A client that pipelines has requested the file already.
    pub(super) fn sized<V: Visitor>(&mut self, size: u64, context: &mut ParseContext<'_, '_, V>) {
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

    /// The server announces the size of a file. In ASCII mode more bytes are sent.
    pub(super) fn size<V: Visitor>(&mut self, size: u64, context: &mut ParseContext<'_, '_, V>) {
        for &end in self.ends.iter().filter(|_| self.is_image) {
            if let Some(transfer) = context.announced.get_mut(end) {
                transfer.size = Some(size);
            }
        }
    }
}
