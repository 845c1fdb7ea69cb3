//! SMB2 and SMB3: one message of a frame, and its effect on the session.
//!
//! Offsets are those of [MS-SMB2], section 2.2, counted from the message's header.

use super::key::{Key, Sink};
use super::message::{Facts, MAX_MESSAGE, Plan, report_share, text};
use super::ntlm;
use super::session::{Request, Session};
use crate::engine::packet::bytes::{le16, le32, le64};
use crate::engine::packet::contract::ParseContext;
use crate::engine::packet::payload::names;
use crate::engine::packet::{Fault, ProtocolFacts, Visitor};

pub(super) const MAGIC: &[u8] = b"\xfeSMB";

const HEADER: usize = 64;

const SESSION_SETUP: u16 = 1;
const TREE_CONNECT: u16 = 3;
const CREATE: u16 = 5;
const CLOSE: u16 = 6;
const READ: u16 = 8;
const WRITE: u16 = 9;
const SET_INFO: u16 = 17;

/// Flags in the header.
const IS_ANSWER: u32 = 1;
const IS_RELATED: u32 = 4;

/// Status codes ([MS-ERREF], 2.3): the real response follows later; a response that is
/// truncated, but has data; a read beyond the end of the file.
const PENDING: u32 = 0x103;
const BUFFER_OVERFLOW: u32 = 0x8000_0005;
const END_OF_FILE: u32 = 0xc000_0011;

/// Offset of the fields that describe the data of a read response, or of a write.
const READ_ANSWER: usize = 80;
const WRITE_REQUEST: usize = 112;

struct Header {
    status: u32,
    command: u16,
    flags: u32,
    message: u64,
    tree: u32,
}

/// Length of the first message of `left` bytes, once its header has arrived.
pub(super) fn length(shown: &[u8], left: u64) -> Option<u64> {
    shown.get(..HEADER)?;
    let next = u64::from(le32(shown, 20)?);
    Some(if next >= HEADER as u64 && next < left { next } else { left })
}

fn header(message: &[u8]) -> Option<Header> {
    let header: &[u8; HEADER] = message.first_chunk()?;
    Some(Header {
        status: le32(header, 8)?,
        command: le16(header, 12)?,
        flags: le32(header, 16)?,
        message: le64(header, 24)?,
        tree: le32(header, 36)?,
    })
}

fn key(message: &[u8], at: usize) -> Option<Key> {
    Some(Key::Id(*message.get(at..)?.first_chunk()?))
}

/// Parses a message of `length` bytes, of which some have arrived.
pub(super) fn message<V: Visitor>(
    shown: &[u8],
    length: u64,
    session: &mut Session,
    context: &mut ParseContext<'_, '_, V>,
) -> Plan {
    let Some(header) = header(shown) else { return Plan::Pass };
    let is_answer = header.flags & IS_ANSWER != 0;
    let wants = match (header.command, is_answer) {
        (READ, true) if matches!(header.status, 0 | BUFFER_OVERFLOW) => READ_ANSWER as u64,
        (WRITE, false) => WRITE_REQUEST as u64,
        (SESSION_SETUP | TREE_CONNECT | CREATE | CLOSE, _) => length,
        (READ, _) | (SET_INFO, false) => length,
        _ => 0,
    };
    if wants == 0 || wants > length || wants > MAX_MESSAGE {
        note_link(&header, shown, session);
        return Plan::Pass;
    }
    let wants = wants as usize;
    let Some(message) = shown.get(..wants) else { return Plan::Wait(wants) };
    let plan = if is_answer {
        answer(&header, message, length, session, context)
    } else {
        request(&header, message, length, session, context)
    };
    plan.unwrap_or_else(|| {
        context.counters.note(Fault::BadSmb);
        Plan::Pass
    })
}

/// Requests of a compound may refer to the file of the one before. Those that are not parsed
/// further have its identifier at different offsets, most at the same one.
fn note_link(header: &Header, shown: &[u8], session: &mut Session) {
    let is_request = header.flags & IS_ANSWER == 0;
    if is_request && header.flags & IS_RELATED == 0 {
        session.chain = match header.command {
            // FLUSH, LOCK, IOCTL, QUERY_DIRECTORY, CHANGE_NOTIFY; QUERY_INFO
            7 | 10 | 11 | 14 | 15 => key(shown, HEADER + 8),
            16 => key(shown, HEADER + 24),
            _ => None,
        };
    }
}

/// The file that a request refers to.
fn subject(header: &Header, message: &[u8], at: usize, session: &mut Session) -> Option<Key> {
    let mut key = key(message, at)?;
    if header.flags & IS_RELATED != 0 && key == Key::Id([0xff; 16]) {
        key = session.chain.unwrap_or(key);
    }
    session.chain = Some(key);
    Some(key)
}

/// `None` if the request contradicts itself.
fn request<V: Visitor>(
    header: &Header,
    message: &[u8],
    length: u64,
    session: &mut Session,
    context: &mut ParseContext<'_, '_, V>,
) -> Option<Plan> {
    let number = header.message;
    match header.command {
        CREATE => {
            let name = string(message, HEADER + 44)?;
            let facts = Facts { command: "create", name: Some(name.as_bytes()) };
            let protocol_facts = ProtocolFacts::Message(&facts);
            let is_pipe = session.is_pipe(header.tree);
            names::report(name.as_bytes(), context.packet, context.visitor, protocol_facts);
            session.chain = Some(Key::Create(number));
            session.asked(number, Request::create(&name, is_pipe));
        }
        READ => {
            let key = subject(header, message, HEADER + 16, session)?;
            let (length, at) = (le32(message, HEADER + 4)?, le64(message, HEADER + 8)?);
            session.asked(number, Request::Read { key, at, length: u64::from(length) });
        }
        WRITE => {
            let key = subject(header, message, HEADER + 16, session)?;
            let from = usize::from(le16(message, HEADER + 2)?);
            let bytes = u64::from(le32(message, HEADER + 4)?);
            let sink = Sink { key, is_read: false, at: le64(message, HEADER + 8)? };
            let extent = Extent { from, bytes, length, least: WRITE_REQUEST };
            return data(extent, sink, session, context);
        }
        CLOSE => {
            let key = subject(header, message, HEADER + 8, session)?;
            session.closing(number, key, context);
        }
        SET_INFO => set_info(header, message, session, context)?,
        TREE_CONNECT => {
            let path = string(message, HEADER + 4)?;
            let facts = Facts { command: "tree_connect", name: Some(path.as_bytes()) };
            let protocol_facts = ProtocolFacts::Message(&facts);
            let is_pipe = report_share(path.as_bytes(), context, protocol_facts);
            session.asked(number, Request::Tree { is_pipe });
        }
        SESSION_SETUP => ntlm::report(message, "session_setup", context),
        _ => {}
    }
    Some(Plan::Pass)
}

fn answer<V: Visitor>(
    header: &Header,
    message: &[u8],
    length: u64,
    session: &mut Session,
    context: &mut ParseContext<'_, '_, V>,
) -> Option<Plan> {
    let number = header.message;
    if header.command == SESSION_SETUP {
        ntlm::report(message, "session_setup", context);
        return Some(Plan::Pass);
    }
    if header.status == PENDING {
        return Some(Plan::Pass);
    }
    let is_good = header.status == 0;
    let Some(asked) = session.answered(number) else { return Some(Plan::Pass) };
    match (header.command, asked) {
        (CREATE, request @ Request::Create { .. }) if is_good => {
            let size = le64(message, HEADER + 48)?;
            session.opened(number, &request, key(message, HEADER + 64)?, size);
        }
        (CREATE, _) => session.refused(number),
        (READ, Request::Read { key, at, length: wanted })
            if is_good || header.status == BUFFER_OVERFLOW =>
        {
            let from = usize::from(*message.get(HEADER + 2)?);
            let bytes = u64::from(le32(message, HEADER + 4)?);
            let sink = Sink { key, is_read: true, at };
            let extent = Extent { from, bytes, length, least: READ_ANSWER };
            let plan = data(extent, sink, session, context);
            // Fewer than were requested: the file ends there.
            if is_good && bytes < wanted {
                session.set_size(key, at.saturating_add(bytes));
            }
            return plan;
        }
        (READ, Request::Read { key, at, .. }) if header.status == END_OF_FILE => {
            session.end_of_file(key, at, context);
        }
        (CLOSE, Request::Close(key)) if is_good => {
            // With attributes, if they were requested.
            if le16(message, HEADER + 2)? & 1 != 0 {
                session.set_size(key, le64(message, HEADER + 48)?);
            }
            session.closed(key, context);
        }
        (TREE_CONNECT, Request::Tree { is_pipe }) if is_good => {
            session.tree(header.tree, is_pipe || message.get(HEADER + 2) == Some(&2));
        }
        _ => {}
    }
    Some(Plan::Pass)
}

/// Where a message claims that a file's data is.
struct Extent {
    /// From the beginning of the message.
    from: usize,
    bytes: u64,
    /// The length of the whole message.
    length: u64,
    /// The end of the fixed part, which data cannot overlap.
    least: usize,
}

/// What to do with the data of a file: `None` if it cannot be where the message claims.
fn data<V: Visitor>(
    extent: Extent,
    sink: Sink,
    session: &mut Session,
    context: &mut ParseContext<'_, '_, V>,
) -> Option<Plan> {
    let Extent { from, bytes, length, least } = extent;
    if bytes == 0 {
        return Some(Plan::Pass);
    }
    let end = (from as u64).checked_add(bytes)?;
    if from < least || end > length {
        return None;
    }
    let is_wanted = session.is_wanted(sink, context);
    Some(if is_wanted { Plan::Data { from, bytes, sink, length, chain: None } } else { Plan::Pass })
}

/// A file's new length, or its new name.
fn set_info<V: Visitor>(
    header: &Header,
    message: &[u8],
    session: &mut Session,
    context: &mut ParseContext<'_, '_, V>,
) -> Option<()> {
    const OF_FILE: u8 = 1;
    const RENAME: u8 = 10;
    const LENGTH: u8 = 20;
    let key = subject(header, message, HEADER + 16, session)?;
    let at = usize::from(le16(message, HEADER + 8)?);
    match message.get(HEADER + 2..HEADER + 4)? {
        [OF_FILE, LENGTH] => session.set_size(key, le64(message, at)?),
        [OF_FILE, RENAME] => {
            let bytes = le32(message, at + 16)? as usize;
            let name = text(message.get(at + 20..)?.get(..bytes)?);
            let facts = Facts { command: "set_info", name: Some(name.as_bytes()) };
            let protocol_facts = ProtocolFacts::Message(&facts);
            names::report(name.as_bytes(), context.packet, context.visitor, protocol_facts);
        }
        _ => {}
    }
    Some(())
}

/// The string whose offset and length are at a position.
fn string(message: &[u8], at: usize) -> Option<String> {
    let (from, bytes) = (le16(message, at)?, le16(message, at + 2)?);
    if bytes == 0 {
        return Some(String::new());
    }
    Some(text(message.get(usize::from(from)..)?.get(..usize::from(bytes))?))
}
