//! What both directions of a control connection know.

use super::command::{Command, Verb};
use crate::engine::packet::contract::expectations::{End, Transfer};
use crate::engine::packet::contract::{self, ParseContext};
use crate::engine::packet::payload::names;
use crate::engine::packet::view::Visitor;
use crate::engine::progress::bound;
use std::net::IpAddr;

/// The longest name that is kept for the alert about a file.
pub(super) const MAX_NAME: usize = bound(1 << 10, 24);

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
    pub(super) fn known(&self) -> Option<&Control> {
        match self {
            Session::Greeted => None,
            Session::Control(control) => Some(control),
        }
    }

    /// The same, to be changed.
    pub(super) fn known_mut(&mut self) -> Option<&mut Control> {
        match self {
            Session::Greeted => None,
            Session::Control(control) => Some(control),
        }
    }

    /// What is known from now on.
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

/// What is known of a connection with commands.
#[derive(Debug, Default)]
pub(in crate::engine::packet) struct Control {
    /// Where the next connection for data will be taken.
    pub(super) ends: Vec<End>,
    /// What it will carry, once a command has said so.
    pub(super) transfer: Option<Transfer>,
    /// Bytes are carried as they are.
    pub(super) is_image: bool,
    /// Files are packed, or cut into blocks.
    pub(super) is_coded: bool,
    /// The next transfer begins in the midst of its file.
    pub(super) is_rest: bool,
    /// The file whose length was asked last, and that length.
    pub(super) sized: (Vec<u8>, Option<u64>),
    /// The answer with that length is to come.
    pub(super) is_size_asked: bool,
    /// That length is the one of what is fetched.
    pub(super) is_sized: bool,
}

impl Control {
    /// Bytes that are held.
    pub(super) fn weight(&self) -> usize {
        let name = self.transfer.as_ref().and_then(|transfer| transfer.name.as_ref());
        let names = name.map_or(0, |name| name.len()) + self.sized.0.capacity();
        size_of::<Self>() + self.ends.len() * size_of::<End>() + names
    }

    /// The next connection for data will be taken at a port of who says so, at the address
    /// that is named; behind a translator of addresses, at the one that is seen.
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

    /// A command moves a file, or a listing.
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

    /// What is under way is not all of it.
    pub(super) fn abort<V: Visitor>(&self, context: &mut ParseContext<'_, '_, V>) {
        for &end in &self.ends {
            if let Some(transfer) = context.announced.get_mut(end) {
                transfer.is_other = true;
            }
        }
    }

    /// The answer to SIZE. A client that waits for nothing has asked for the file already.
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

    /// The server tells how long a file is. In ASCII mode it travels with more bytes.
    pub(super) fn size<V: Visitor>(&mut self, size: u64, context: &mut ParseContext<'_, '_, V>) {
        for &end in self.ends.iter().filter(|_| self.is_image) {
            if let Some(transfer) = context.announced.get_mut(end) {
                transfer.size = Some(size);
            }
        }
    }
}
