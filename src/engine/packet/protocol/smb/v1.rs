//! SMB1: the commands of a message, and their effect on the session.
//!
//! A message is a chain of blocks ([MS-CIFS], 2.2.3.4): the header names the first command, and a
//! block with an AndX command names where the next one begins, which must be further on. The file
//! that a block opens, or refers to, is that of all later blocks, whatever number they contain.
//! An error in the header's status is that of the last block. After a request for a raw write or
//! read, the bytes of the file follow in a separate frame without a header (2.2.4.22 and
//! 2.2.4.25). Other offsets are those of [MS-CIFS], 2.2.4, and [MS-SMB]. Only the first message
//! of a transaction, which contains the names, is parsed.

mod chain;
mod commands;
mod names_of;

pub(super) use chain::{Chain, HEADER, MessageKind};
pub(super) use commands::MAGIC;

use super::key::{Key, Raw, Sink};
use super::message::{Facts, MAX_MESSAGE, Plan, report_share};
use super::ntlm;
use super::session::{Request, Session};
use crate::engine::packet::contract::ParseContext;
use crate::engine::packet::payload::names;
use crate::engine::packet::{Fault, ProtocolFacts, Visitor};
use chain::Block;
use commands::{
    CLOSE, CREATE, CREATE_NEW, LOCK_AND_READ, NT_CREATE_ANDX, NT_TRANSACT, OPEN, OPEN_ANDX, READ,
    READ_ANDX, READ_RAW, SESSION_SETUP, TREE_CONNECT_ANDX, WRITE, WRITE_AND_CLOSE,
    WRITE_AND_UNLOCK, WRITE_ANDX, WRITE_COMPLETE, WRITE_RAW,
};

/// Before the bytes of READ and WRITE: the format of the buffer, and its length.
const BUFFER: usize = 3;

/// A write request with this many words has the upper half of its offset after the others.
const FAR_WORDS: usize = 14;

/// Words of a raw write request; with fewer it is the response that asks for the bytes, which
/// Samba sends without the response flag.
const WRITE_RAW_WORDS: u8 = 12;

/// Whether a frame of that length may be a server's request, instead of raw bytes.
pub(super) fn may_interrupt(length: u64) -> bool {
    length > HEADER as u64
}

/// Whether a frame is a server's request to release a lock ([MS-CIFS], 3.3.4.2), which may come
/// before raw bytes.
pub(super) fn interrupts(frame: &[u8]) -> bool {
    frame.starts_with(MAGIC)
        && frame.get(4) == Some(&chain::LOCKING)
        && Chain::begin(frame).is_some_and(|chain| chain.kind() == MessageKind::Request)
}

/// Begins with a message whose header has arrived; returns which chain it is.
pub(super) fn begin(shown: &[u8], session: &mut Session) -> Option<MessageKind> {
    let chain = Chain::begin(shown)?;
    let kind = chain.kind();
    *session.chain_of(kind) = chain;
    Some(kind)
}

/// Parses the next block of a chain: `left` bytes of the message are to come, some of which have
/// arrived.
pub(super) fn block<V: Visitor>(
    shown: &[u8],
    left: u64,
    kind: MessageKind,
    session: &mut Session,
    context: &mut ParseContext<'_, '_, V>,
) -> Plan {
    let chain = *session.chain_of(kind);
    let block = match Block::parse(shown, left, &chain) {
        Ok(block) => block,
        Err(wants) if wants as u64 <= left => return Plan::Wait(wants),
        Err(_) => {
            context.counters.note(Fault::BadSmb);
            return Plan::Pass;
        }
    };
    let (head, next) = (&block.head, block.next);
    let is_good = head.status == 0 || next.is_some();
    let whole = block.left.min(MAX_MESSAGE);
    let wants = match (head.command, kind) {
        (
            CLOSE | OPEN | CREATE | CREATE_NEW | OPEN_ANDX | NT_CREATE_ANDX,
            MessageKind::Response,
        )
        | (TREE_CONNECT_ANDX | READ | LOCK_AND_READ | READ_ANDX, MessageKind::Response)
        | (WRITE | WRITE_AND_UNLOCK | WRITE_AND_CLOSE | WRITE_ANDX, MessageKind::Request)
        | (READ | LOCK_AND_READ | READ_ANDX | READ_RAW, MessageKind::Request)
        | (WRITE_RAW | CLOSE, MessageKind::Request) => block.bytes_at() as u64,
        (SESSION_SETUP, _) | (NT_TRANSACT | names_of::TRANSACTION2, MessageKind::Response) => whole,
        (command, MessageKind::Request) if names_of::is_naming(command) => whole,
        _ => 0,
    };
    if wants > shown.len() as u64 {
        return Plan::Wait(wants as usize);
    }
    if block.is_astray {
        context.counters.note(Fault::BadSmb);
    }
    let outcome = match kind {
        MessageKind::Request => request(&block, session, context),
        MessageKind::Response => answer(&block, is_good, session, context),
    };
    let data = outcome.unwrap_or_else(|| {
        context.counters.note(Fault::BadSmb);
        None
    });
    if kind == MessageKind::Response && next.is_none() {
        session.over(head.message);
    }
    session.chain_of(kind).go_on(&block);
    let next = next.map(|_| kind);
    match data {
        Some((from, bytes, sink)) => {
            Plan::Data { from, bytes, sink, length: block.left, chain: next }
        }
        None if next.is_some() => Plan::Next { skip: block.left, kind },
        None => Plan::Pass,
    }
}

/// The bytes of a file in a block: offset, length, and the file.
type Data = (usize, u64, Sink);

/// The file that a request refers to.
fn subject(block: &Block<'_>, at: usize, session: &mut Session) -> Option<Key> {
    let chain = session.chain_of(MessageKind::Request);
    let key = match chain.key {
        Some(key) => key,
        None => Key::Fid(block.le16(at)?),
    };
    chain.key = Some(key);
    Some(key)
}

/// `None` if the request contradicts itself; otherwise the bytes of a file in it.
fn request<V: Visitor>(
    block: &Block<'_>,
    session: &mut Session,
    context: &mut ParseContext<'_, '_, V>,
) -> Option<Option<Data>> {
    let head = &block.head;
    let number = head.message;
    match head.command {
        READ_ANDX => {
            // All bits set mean a timeout.
            let high = u64::from(Some(block.le16(14)?).filter(|&it| it != 0xffff).unwrap_or(0));
            let length = u64::from(block.le16(10)?) | high << 16;
            let (key, at) = (subject(block, 4, session)?, block.offset(6, 12, 20)?);
            session.asked(number, Request::Read { key, at, length });
        }
        READ | LOCK_AND_READ => {
            let (length, at) = (u64::from(block.le16(2)?), u64::from(block.le32(4)?));
            let key = subject(block, 0, session)?;
            session.asked(number, Request::Read { key, at, length });
        }
        WRITE_ANDX => {
            let bytes = u64::from(block.le16(20)?) | u64::from(block.le16(18)?) << 16;
            let from = block.inside(block.le16(22)?.into());
            let at = block.offset(6, FAR_WORDS, 24)?;
            let sink = Sink { key: subject(block, 4, session)?, is_read: false, at };
            return data(block, (from, bytes), sink, session, context);
        }
        WRITE | WRITE_AND_UNLOCK | WRITE_AND_CLOSE => {
            let (bytes, at) = (u64::from(block.le16(2)?), u64::from(block.le32(4)?));
            let key = subject(block, 0, session)?;
            if bytes == 0 && head.command == WRITE {
                // The file ends here from now on.
                session.set_size(key, at);
            }
            let is_closed = head.command == WRITE_AND_CLOSE;
            let from = block.bytes_at() + if is_closed { 1 } else { BUFFER };
            let sink = Sink { key, is_read: false, at };
            if is_closed {
                // After its response, because the bytes are still to come.
                session.asked(number, Request::Close(key));
            }
            return data(block, (Some(from), bytes), sink, session, context);
        }
        READ_RAW => {
            let (at, max) = (block.offset(2, 10, 16)?, u64::from(block.le16(6)?));
            let sink = Sink { key: subject(block, 0, session)?, is_read: true, at };
            session.ask_for_raw(Raw { sink, max });
        }
        // Some of the bytes may be in the request already.
        WRITE_RAW if block.words() >= WRITE_RAW_WORDS.into() => {
            let (bytes, all) = (u64::from(block.le16(20)?), u64::from(block.le16(2)?));
            let from = block.inside(block.le16(22)?.into());
            let at = block.offset(6, FAR_WORDS, 24)?;
            let sink = Sink { key: subject(block, 0, session)?, is_read: false, at };
            if let Some(max) = all.checked_sub(bytes).filter(|&max| max > 0) {
                let sink = Sink { at: at.saturating_add(bytes), ..sink };
                session.ask_for_raw(Raw { sink, max });
            }
            return data(block, (from, bytes), sink, session, context);
        }
        WRITE_RAW => {}
        CLOSE => {
            let key = subject(block, 0, session)?;
            session.closing(number, key, context);
        }
        SESSION_SETUP => ntlm::report(block.bytes(), "session_setup_andx", context),
        _ => named(block, session, context)?,
    }
    Some(None)
}

/// A request that names a file or a share.
fn named<V: Visitor>(
    block: &Block<'_>,
    session: &mut Session,
    context: &mut ParseContext<'_, '_, V>,
) -> Option<()> {
    let Some(named) = names_of::request(block)? else { return Some(()) };
    let number = block.head.message;
    let facts = |name| Facts { command: named.command, name: Some(name) };
    if named.is_share {
        let path = named.names.first().map(String::as_bytes).unwrap_or_default();
        let is_pipe = report_share(path, context, ProtocolFacts::Message(&facts(path)));
        session.asked(number, Request::Tree { is_pipe });
        return Some(());
    }
    for name in named.names.iter().filter(|name| !name.is_empty()) {
        let name = name.as_bytes();
        let named_file = facts(name);
        names::report(name, context.packet, context.visitor, ProtocolFacts::Message(&named_file));
    }
    if let Some((fid, size)) = named.size {
        session.set_size(Key::Fid(fid), size);
    }
    if named.is_opened {
        let name = named.names.first().map_or("", String::as_str);
        let is_pipe = session.is_pipe(block.head.tree);
        session.asked(number, Request::create(name, is_pipe));
        session.chain_of(MessageKind::Request).key = Some(Key::Create(number));
    }
    Some(())
}

/// `None` if the response contradicts itself; otherwise the bytes of a file in it.
fn answer<V: Visitor>(
    block: &Block<'_>,
    is_good: bool,
    session: &mut Session,
    context: &mut ParseContext<'_, '_, V>,
) -> Option<Option<Data>> {
    let head = &block.head;
    let number = head.message;
    match head.command {
        SESSION_SETUP => ntlm::report(block.bytes(), "session_setup_andx", context),
        OPEN
        | CREATE
        | CREATE_NEW
        | OPEN_ANDX
        | NT_CREATE_ANDX
        | NT_TRANSACT
        | names_of::TRANSACTION2 => {
            let is_create = |request: &Request| matches!(request, Request::Create { .. });
            let asked = session.answered_if(number, is_create);
            let Some(Request::Create { name, is_pipe }) = asked else { return Some(None) };
            if !is_good {
                session.refused(number);
                return Some(None);
            }
            let opened = names_of::opened(block)?;
            let request = Request::Create { name, is_pipe: is_pipe || opened.is_pipe };
            session.opened(number, &request, Key::Fid(opened.fid), opened.size);
        }
        READ_ANDX | READ | LOCK_AND_READ => {
            return answer_to_read(block, is_good, session, context);
        }
        // The server refuses the bytes, or has received them.
        WRITE_RAW if !is_good => session.raw_write = None,
        WRITE_COMPLETE => session.raw_write = None,
        CLOSE | WRITE_AND_CLOSE => {
            let is_close = |request: &Request| matches!(request, Request::Close(_));
            if let Some(Request::Close(key)) = session.answered_if(number, is_close)
                && is_good
            {
                session.closed(key, context);
            }
        }
        TREE_CONNECT_ANDX | names_of::TREE_CONNECT => {
            let is_tree = |request: &Request| matches!(request, Request::Tree { .. });
            if let Some(Request::Tree { is_pipe }) = session.answered_if(number, is_tree)
                && is_good
            {
                session.tree(head.tree, is_pipe);
            }
        }
        _ => {}
    }
    Some(None)
}

/// Like [`answer`], for the response to a read.
fn answer_to_read<V: Visitor>(
    block: &Block<'_>,
    is_good: bool,
    session: &mut Session,
    context: &mut ParseContext<'_, '_, V>,
) -> Option<Option<Data>> {
    let is_read = |request: &Request| matches!(request, Request::Read { .. });
    let asked = session.answered_if(block.head.message, is_read).filter(|_| is_good);
    let Some(Request::Read { key, at, length }) = asked else { return Some(None) };
    let (from, bytes) = if block.head.command == READ_ANDX {
        let bytes = u64::from(block.le16(10)?) | u64::from(block.le16(14)?) << 16;
        (block.inside(block.le16(12)?.into()), bytes)
    } else {
        (Some(block.bytes_at() + BUFFER), u64::from(block.le16(0)?))
    };
    if bytes == 0 && length > 0 {
        session.end_of_file(key, at, context);
        return Some(None);
    }
    let sink = Sink { key, is_read: true, at };
    let data = data(block, (from, bytes), sink, session, context)?;
    if bytes < length {
        session.ends_at(key, at.saturating_add(bytes));
    }
    Some(data)
}

/// The position of a file's data in a block: after its words, and within it. The block claims where
/// it begins, and how many bytes there are.
fn data<V: Visitor>(
    block: &Block<'_>,
    (from, bytes): (Option<usize>, u64),
    sink: Sink,
    session: &mut Session,
    context: &mut ParseContext<'_, '_, V>,
) -> Option<Option<Data>> {
    if bytes == 0 {
        return Some(None);
    }
    let from = from?;
    if from < block.bytes_at() || (from as u64).checked_add(bytes)? > block.left {
        return None;
    }
    let is_wanted = session.is_wanted(sink, context);
    Some(is_wanted.then_some((from, bytes, sink)))
}

#[cfg(test)]
pub(in crate::engine::packet) mod tests;
