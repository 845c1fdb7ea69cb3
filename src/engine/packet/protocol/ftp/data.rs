//! A connection that was announced for a file.

use crate::engine::packet::Visitor;
use crate::engine::packet::contract::expectations::End;
use crate::engine::packet::contract::{ParseContext, Step};
use crate::engine::packet::payload::file::{File, Returns};
use crate::engine::packet::payload::handshake;

/// One direction of a connection for data.
#[derive(Debug)]
pub(in crate::engine::packet) struct Data {
    end: End,
    /// Whether the first byte of the connection is known.
    is_synced: bool,
    /// The receiver closed the connection before its end.
    is_left: bool,
    size: u64,
    file: Option<Box<File>>,
}

impl Data {
    pub(in crate::engine::packet) fn new(end: End, is_synced: bool) -> Self {
        Data { end, is_synced, is_left: false, size: 0, file: None }
    }

    /// Bytes that are held.
    pub(in crate::engine::packet) fn weight(&self) -> usize {
        self.file.as_ref().map_or(0, |file| size_of::<File>() + file.weight())
    }

    /// Continues parsing.
    pub(in crate::engine::packet) fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        if self.file.is_none() {
            if handshake::begins(data) {
                return Step::Restart;
            }
            let transfer = context.announced.get_mut(self.end).map(|transfer| &*transfer);
            if transfer.is_some_and(|transfer| transfer.is_other) {
                return Step::Over;
            }
            let file = File::begin("ftp", None, context.packet, context.visitor);
            let name = transfer.and_then(|transfer| transfer.name.as_deref());
            let mut file = file.known_as(name);
            if transfer.is_some_and(|transfer| transfer.is_text) {
                file = file.with_lines(Returns::Bare, context.visitor);
            }
            file.gap(self.size);
            self.file = Some(Box::new(file));
        }
        self.size += data.len() as u64;
        if let Some(file) = &mut self.file {
            file.update(data);
        }
        Step::Took(data.len())
    }

    /// Bytes are missing.
    pub(in crate::engine::packet) fn gap(&mut self, length: u64) -> bool {
        self.size = self.size.saturating_add(length);
        if let Some(file) = &mut self.file {
            file.gap(length);
        }
        true
    }

    /// The receiver has closed the connection.
    pub(in crate::engine::packet) fn leave(&mut self) {
        self.is_left = true;
    }

    /// The connection has ended.
    pub(in crate::engine::packet) fn finish<V: Visitor>(
        self,
        context: &mut ParseContext<'_, '_, V>,
    ) {
        let Some(file) = self.file else { return };
        let transfer = context.announced.remove(self.end).unwrap_or_default();
        let is_all = self.is_synced && !self.is_left;
        let is_size = transfer.size.map_or(is_all, |size| size == self.size);
        let is_whole = context.is_ended && is_size && !transfer.is_other;
        file.finish(is_whole, context.packet, context.visitor);
    }
}
