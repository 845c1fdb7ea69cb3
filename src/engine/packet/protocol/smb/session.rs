//! The state that both directions of an SMB connection share: requests without a response, and
//! open files.

use super::key::{Key, Raw, Sink};
use super::ranges::Ranges;
use super::v1::{Chain, MessageKind};
use crate::engine::packet::contract::{self, ParseContext};
use crate::engine::packet::payload::file::File;
use crate::engine::packet::{Fault, Visitor};
use crate::engine::progress::bound;
use hashbrown::HashMap;
use std::collections::VecDeque;

/// Requests, open files, recently opened files, and trees of pipes that are kept.
const MAX_REQUESTS: usize = bound(1024, 4);
const MAX_OPEN: usize = bound(256, 3);
const MAX_CREATED: usize = bound(64, 2);
const MAX_PIPES: usize = bound(16, 2);

/// Bytes of waiting ranges, over all files of a connection.
const MAX_BYTES: usize = 4 << 20;

/// The longest name that is kept for the alert about a file.
const MAX_NAME: usize = bound(1 << 10, 32);

/// A request whose response is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Create { name: Box<[u8]>, is_pipe: bool },
    Read { key: Key, at: u64, length: u64 },
    Close(Key),
    Tree { is_pipe: bool },
}

impl Request {
    /// A request to open a file, with a name in UTF-8.
    pub(super) fn create(name: &str, is_pipe: bool) -> Self {
        let name = name.as_bytes();
        Request::Create { name: name.get(..MAX_NAME).unwrap_or(name).into(), is_pipe }
    }

    fn weight(&self) -> usize {
        let name = match self {
            Request::Create { name, .. } => name.len(),
            _ => 0,
        };
        size_of::<(u64, Request)>() + name
    }
}

/// An open file.
#[derive(Debug, Default)]
struct Open {
    name: Box<[u8]>,
    /// Its length, as far as server or client have sent it.
    size: Option<u64>,
    is_pipe: bool,
    /// All of it was read and reported.
    is_read: bool,
    read: Option<Box<Ranges>>,
    written: Option<Box<Ranges>>,
    serial: u64,
}

impl Open {
    fn weight(&self) -> usize {
        let ranges = |ranges: &Option<Box<Ranges>>| ranges.as_ref().map_or(0, |r| r.weight());
        size_of::<(Key, Open)>() + self.name.len() + ranges(&self.read) + ranges(&self.written)
    }
}

#[derive(Debug, Default)]
pub(in crate::engine::packet) struct Session {
    requests: VecDeque<(u64, Request)>,
    opens: HashMap<Key, Open>,
    created: VecDeque<(u64, Key)>,
    pipes: Vec<u32>,
    /// The file of the last request in a compound.
    pub(super) chain: Option<Key>,
    /// The contents of the next frame of the server, or of the client, if it has no header.
    pub(super) raw_read: Option<Raw>,
    pub(super) raw_write: Option<Raw>,
    /// The last request asked for such a frame.
    pub(super) has_asked_for_raw: bool,
    /// How far a request and a response of SMB1 were parsed.
    chains: [Chain; 2],
    /// Bytes of requests and open files.
    bytes: usize,
    serial: u64,
}

impl contract::Session for Session {
    fn weight(&self) -> usize {
        size_of::<Self>() + self.bytes
    }
}

impl Session {
    /// How far a message of SMB1 was parsed.
    pub(super) fn chain_of(&mut self, kind: MessageKind) -> &mut Chain {
        let [request, answer] = &mut self.chains;
        if kind == MessageKind::Request { request } else { answer }
    }

    /// Raw bytes follow in a frame of the server, or of the client.
    pub(super) fn ask_for_raw(&mut self, raw: Raw) {
        self.has_asked_for_raw = true;
        let awaited = if raw.sink.is_read { &mut self.raw_read } else { &mut self.raw_write };
        *awaited = Some(raw);
    }

    /// Whether the next frame of the client, or of the server, may have no header.
    pub(in crate::engine::packet) fn is_raw(&self, is_client: bool) -> bool {
        if is_client { self.raw_write.is_some() } else { self.raw_read.is_some() }
    }

    /// Adds a request without a response.
    pub(super) fn asked(&mut self, message: u64, request: Request) {
        let is_known = |&(of, _): &(u64, Key)| of == message;
        if matches!(request, Request::Create { .. }) && self.created.iter().any(is_known) {
            // SMB1 reuses its numbers.
            self.created.retain(|&(of, _)| of != message);
        }
        self.bytes += request.weight();
        self.requests.push_back((message, request));
        if self.requests.len() > MAX_REQUESTS
            && let Some((_, old)) = self.requests.pop_front()
        {
            self.bytes -= old.weight();
        }
    }

    /// The request of a response. Responses are usually in order.
    pub(super) fn answered(&mut self, message: u64) -> Option<Request> {
        self.answered_if(message, |_| true)
    }

    /// The same if several requests may have this number.
    pub(super) fn answered_if(
        &mut self,
        message: u64,
        is_asked: impl Fn(&Request) -> bool,
    ) -> Option<Request> {
        let is = |(number, request): &(u64, Request)| *number == message && is_asked(request);
        let at = self.requests.iter().position(is)?;
        let (_, request) = self.requests.remove(at)?;
        self.bytes -= request.weight();
        Some(request)
    }

    /// A message got its response: its other requests will not get one.
    pub(super) fn over(&mut self, message: u64) {
        while let Some(request) = self.answered(message) {
            if matches!(request, Request::Create { .. }) {
                self.refused(message);
            }
        }
    }

    /// The current key of a file.
    fn resolve(&self, key: Key) -> Key {
        let Key::Create(message) = key else { return key };
        self.created.iter().rev().find(|&&(of, _)| of == message).map_or(key, |&(_, key)| key)
    }

    /// Changes an open file, and updates the number of held bytes.
    fn edit<R>(&mut self, key: Key, edit: impl FnOnce(&mut Open) -> R) -> Option<R> {
        let open = self.opens.get_mut(&key)?;
        let before = open.weight();
        let result = edit(open);
        self.bytes = self.bytes + open.weight() - before;
        Some(result)
    }

    fn insert(&mut self, key: Key, mut open: Open) {
        self.serial += 1;
        open.serial = self.serial;
        self.bytes += open.weight();
        if let Some(old) = self.opens.insert(key, open) {
            self.bytes -= old.weight();
        }
        if self.opens.len() > MAX_OPEN {
            let oldest = self.opens.iter().min_by_key(|(_, open)| open.serial).map(|(&key, _)| key);
            if let Some(oldest) = oldest {
                self.remove(oldest);
            }
        }
    }

    fn remove(&mut self, key: Key) -> Option<Open> {
        let open = self.opens.remove(&key)?;
        self.bytes -= open.weight();
        Some(open)
    }

    /// A tree was connected.
    pub(super) fn tree(&mut self, tree: u32, is_pipe: bool) {
        self.pipes.retain(|&known| known != tree);
        if is_pipe && self.pipes.len() < MAX_PIPES {
            self.pipes.push(tree);
        }
    }

    /// Whether a tree contains pipes instead of files.
    pub(super) fn is_pipe(&self, tree: u32) -> bool {
        self.pipes.contains(&tree)
    }

    /// The response to a request that opens a file: it has a key and a length from now on.
    pub(super) fn opened(&mut self, message: u64, request: &Request, key: Key, size: u64) {
        let Request::Create { name, is_pipe } = request else { return };
        let early = self.remove(Key::Create(message)).unwrap_or_default();
        let open = Open { name: name.clone(), size: Some(size), is_pipe: *is_pipe, ..early };
        self.insert(key, open);
        self.created.push_back((message, key));
        if self.created.len() > MAX_CREATED {
            self.created.pop_front();
        }
    }

    /// A file was not opened.
    pub(super) fn refused(&mut self, message: u64) {
        self.remove(Key::Create(message));
    }

    /// A file's length is known, or changed.
    pub(super) fn set_size(&mut self, key: Key, size: u64) {
        let key = self.resolve(key);
        self.edit(key, |open| open.size = Some(size));
    }

    /// Fewer bytes were read than requested, as at the end of a file. The server may have had
    /// other reasons, if the file was longer when it was opened.
    pub(super) fn ends_at(&mut self, key: Key, end: u64) {
        let key = self.resolve(key);
        self.edit(key, |open| {
            if open.size.is_none_or(|size| size < end) {
                open.size = Some(end);
            }
        });
    }

    /// Whether the bytes that follow are needed. Adds the file if it is unknown.
    pub(super) fn is_wanted<V: Visitor>(
        &mut self,
        sink: Sink,
        context: &mut ParseContext<'_, '_, V>,
    ) -> bool {
        let key = self.resolve(sink.key);
        if !self.opens.contains_key(&key) {
            // Opened before the capture began, or by a request of the same compound.
            let request = self.requests.iter().rev().find(|(of, _)| key == Key::Create(*of));
            let (name, is_pipe) = match request {
                Some((_, Request::Create { name, is_pipe })) => (name.clone(), *is_pipe),
                _ => Default::default(),
            };
            self.insert(key, Open { name, is_pipe, ..Open::default() });
        }
        let is_wanted = self.edit(key, |open| {
            if open.is_pipe || (sink.is_read && open.is_read) {
                return false;
            }
            let name = Some(&*open.name).filter(|name| !name.is_empty());
            let ranges = if sink.is_read { &mut open.read } else { &mut open.written };
            let ranges = ranges.get_or_insert_with(|| {
                let file = File::begin("smb", None, context.packet, context.visitor);
                Box::new(Ranges::new(
                    file.known_as(name.map(crate::engine::packet::payload::names::last)),
                ))
            });
            ranges.is_wanted()
        });
        is_wanted.unwrap_or_default()
    }

    /// Bytes of a file. One that was read to its end is reported at once.
    pub(super) fn data<V: Visitor>(
        &mut self,
        sink: Sink,
        data: &[u8],
        context: &mut ParseContext<'_, '_, V>,
    ) {
        let key = self.resolve(sink.key);
        let is_lost = self.edit(key, |open| {
            if !sink.is_read {
                let end = sink.at.saturating_add(data.len() as u64);
                open.size = open.size.map(|size| size.max(end));
            }
            let ranges = if sink.is_read { &mut open.read } else { &mut open.written };
            ranges.as_mut().is_some_and(|ranges| ranges.put(sink.at, data, sink.is_read))
        });
        if is_lost == Some(true) {
            context.counters.note(Fault::RangesLost);
        } else if self.bytes > MAX_BYTES {
            context.counters.note(Fault::RangesLost);
            self.lose(sink);
        }
        if sink.is_read {
            self.report_if_read(key, context);
        }
    }

    /// Reports a file of which every byte was read.
    fn report_if_read<V: Visitor>(&mut self, key: Key, context: &mut ParseContext<'_, '_, V>) {
        let file = self.edit(key, |open| {
            let whole = open.read.as_ref().and_then(|ranges| ranges.whole());
            if whole.is_none_or(|at| at == 0) || whole != open.size {
                return None;
            }
            open.is_read = true;
            open.read.take()
        });
        if let Some(ranges) = file.flatten() {
            ranges.into_file().finish(true, context.packet, context.visitor);
        }
    }

    /// A read ended at the end of its file.
    pub(super) fn end_of_file<V: Visitor>(
        &mut self,
        key: Key,
        size: u64,
        context: &mut ParseContext<'_, '_, V>,
    ) {
        let key = self.resolve(key);
        self.edit(key, |open| open.size = Some(size));
        self.report_if_read(key, context);
    }

    /// Bytes of a file are missing.
    pub(super) fn lose(&mut self, sink: Sink) {
        let key = self.resolve(sink.key);
        self.edit(key, |open| {
            let ranges = if sink.is_read { &mut open.read } else { &mut open.written };
            if let Some(ranges) = ranges {
                ranges.lose();
            }
        });
    }

    /// A file will be closed: at once if no response about it is expected.
    pub(super) fn closing<V: Visitor>(
        &mut self,
        message: u64,
        key: Key,
        context: &mut ParseContext<'_, '_, V>,
    ) {
        let key = self.resolve(key);
        let is_read = |request: &Request| matches!(*request, Request::Read { key: of, .. } if self.resolve(of) == key);
        let is_awaited = self.requests.iter().any(|(_, request)| is_read(request));
        if is_awaited || matches!(key, Key::Create(_)) {
            self.asked(message, Request::Close(key));
        } else {
            self.closed(key, context);
        }
    }

    /// A file was closed: what was written is all of it, if its length agrees.
    pub(super) fn closed<V: Visitor>(&mut self, key: Key, context: &mut ParseContext<'_, '_, V>) {
        let key = self.resolve(key);
        let Some(open) = self.remove(key) else { return };
        if let Some(ranges) = open.written {
            let whole = ranges.whole().filter(|&at| at > 0);
            let is_whole = whole.is_some_and(|at| open.size.is_none_or(|size| at >= size));
            ranges.into_file().finish(is_whole, context.packet, context.visitor);
        }
    }
}
