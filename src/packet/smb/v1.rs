//! SMB1: one message, and what it means for the session.
//!
//! Offsets are those of [MS-CIFS], section 2.2.4, and [MS-SMB]. Only the first command
//! of a chain is read.

use super::session::{Key, Request, Session, Sink};
use super::{Facts, MOST_MESSAGE, Plan, ntlm, text};
use crate::packet::bytes::{le16, le32, le64};
use crate::packet::stream::Context;
use crate::packet::{Fault, Said, Visitor, names};

pub(super) const MAGIC: &[u8] = b"\xffSMB";

const HEADER: usize = 32;

/// Where the parameters begin.
const WORDS: usize = HEADER + 1;

const CLOSE: u8 = 0x04;
const OPEN: u8 = 0x2d;
const READ: u8 = 0x2e;
const WRITE: u8 = 0x2f;
const SESSION_SETUP: u8 = 0x73;
const TREE_CONNECT: u8 = 0x75;
const CREATE: u8 = 0xa2;

const IS_ANSWER: u8 = 0x80;
const IS_UNICODE: u16 = 0x8000;

/// What is read of a message with data: up to the end of its words.
const READ_ANSWER: usize = WORDS + 24;
const WRITE_REQUEST: usize = WORDS + 24;

/// A request to write with so many words has the upper half of its offset behind the others.
const FAR_WORDS: u8 = 14;

struct Header {
    command: u8,
    status: u32,
    is_answer: bool,
    is_unicode: bool,
    tree: u32,
    /// Process and number of the request.
    message: u64,
}

fn header(message: &[u8]) -> Option<Header> {
    let (process, number) = (le16(message, 26)?, le16(message, 30)?);
    Some(Header {
        command: *message.get(4)?,
        status: le32(message, 5)?,
        is_answer: message.get(9)? & IS_ANSWER != 0,
        is_unicode: le16(message, 10)? & IS_UNICODE != 0,
        tree: u32::from(le16(message, 24)?),
        message: u64::from(process) << 16 | u64::from(number),
    })
}

/// Reads a message of `length` bytes, of which some are there.
pub(super) fn message<V: Visitor>(
    shown: &[u8],
    length: u64,
    session: &mut Session,
    context: &mut Context<'_, '_, V>,
) -> Plan {
    if length <= WORDS as u64 {
        return Plan::Pass;
    }
    if shown.len() <= WORDS {
        return Plan::Wait(WORDS + 1);
    }
    let Some(header) = header(shown) else { return Plan::Pass };
    let wants = match (header.command, header.is_answer) {
        (READ, true) if header.status == 0 => READ_ANSWER as u64,
        (WRITE, false) => (WRITE_REQUEST + far(shown)) as u64,
        (CLOSE | OPEN | READ | SESSION_SETUP | TREE_CONNECT | CREATE, _) => length,
        _ => return Plan::Pass,
    };
    if wants > length || wants > MOST_MESSAGE {
        return Plan::Pass;
    }
    let wants = wants as usize;
    let Some(message) = shown.get(..wants) else { return Plan::Wait(wants) };
    let plan = if header.is_answer {
        answer(&header, message, length, session, context)
    } else {
        request(&header, message, length, session, context)
    };
    plan.unwrap_or_else(|| {
        context.counters.note(Fault::BadSmb);
        Plan::Pass
    })
}

fn request<V: Visitor>(
    header: &Header,
    message: &[u8],
    length: u64,
    session: &mut Session,
    context: &mut Context<'_, '_, V>,
) -> Option<Plan> {
    let number = header.message;
    let fid = |at| le16(message, WORDS + at).map(Key::Fid);
    match header.command {
        CREATE | OPEN => {
            let name = name(header, message)?;
            let command = if header.command == CREATE { "nt_create_andx" } else { "open_andx" };
            let said = Said::Smb(Facts { command, name: Some(name.as_bytes()) });
            names::report(name.as_bytes(), context.packet, context.visitor, said);
            let is_pipe = session.is_pipe(header.tree);
            session.asked(number, Request::create(&name, is_pipe));
        }
        READ => {
            let high = u64::from(le16(message, WORDS + 14)?);
            // All bits set stand for a timeout.
            let high = if high == 0xffff { 0 } else { high };
            let length = u64::from(le16(message, WORDS + 10)?) | high << 16;
            let at = offset(message, 6, 12, 20)?;
            session.asked(number, Request::Read { key: fid(4)?, at, length });
        }
        WRITE => {
            let bytes =
                u64::from(le16(message, WORDS + 20)?) | u64::from(le16(message, WORDS + 18)?) << 16;
            let from = usize::from(le16(message, WORDS + 22)?);
            let at = offset(message, 6, FAR_WORDS, 24)?;
            let least = WRITE_REQUEST + far(message);
            let sink = Sink { key: fid(4)?, is_read: false, at };
            return data(from, bytes, length, least, sink, session, context);
        }
        CLOSE => session.closing(number, fid(0)?, context),
        SESSION_SETUP => ntlm::report(message, "session_setup_andx", context),
        TREE_CONNECT => tree_connect(header, message, session, context)?,
        _ => {}
    }
    Some(Plan::Pass)
}

fn answer<V: Visitor>(
    header: &Header,
    message: &[u8],
    length: u64,
    session: &mut Session,
    context: &mut Context<'_, '_, V>,
) -> Option<Plan> {
    if header.command == SESSION_SETUP {
        ntlm::report(message, "session_setup_andx", context);
        return Some(Plan::Pass);
    }
    let number = header.message;
    let is_good = header.status == 0;
    let Some(asked) = session.answered(number) else { return Some(Plan::Pass) };
    match (header.command, asked) {
        (CREATE, Request::Create { name, is_pipe }) if is_good => {
            let is_pipe = is_pipe || le16(message, WORDS + 63)? != 0;
            let key = Key::Fid(le16(message, WORDS + 5)?);
            let request = Request::Create { name, is_pipe };
            session.opened(number, &request, key, le64(message, WORDS + 55)?);
        }
        (OPEN, request @ Request::Create { .. }) if is_good => {
            let key = Key::Fid(le16(message, WORDS + 4)?);
            session.opened(number, &request, key, u64::from(le32(message, WORDS + 12)?));
        }
        (READ, Request::Read { key, at, length: wanted }) if is_good => {
            let bytes =
                u64::from(le16(message, WORDS + 10)?) | u64::from(le16(message, WORDS + 14)?) << 16;
            let from = usize::from(le16(message, WORDS + 12)?);
            if bytes == 0 {
                session.end_of_file(key, at, context);
                return Some(Plan::Pass);
            }
            let sink = Sink { key, is_read: true, at };
            let plan = data(from, bytes, length, READ_ANSWER, sink, session, context);
            if bytes < wanted {
                session.set_size(key, at.saturating_add(bytes));
            }
            return plan;
        }
        (CLOSE, Request::Close(key)) if is_good => session.closed(key, context),
        (TREE_CONNECT, Request::Tree { is_pipe }) if is_good => {
            session.tree(header.tree, is_pipe);
        }
        _ => {}
    }
    Some(Plan::Pass)
}

/// An offset of 32 bits, or of 64 if there are more words than `few`.
fn offset(message: &[u8], low: usize, few: u8, high: usize) -> Option<u64> {
    let is_long = *message.get(HEADER)? >= few;
    let high = if is_long { le32(message, WORDS + high)? } else { 0 };
    Some(u64::from(high) << 32 | u64::from(le32(message, WORDS + low)?))
}

/// Bytes of the upper half of the offset in a request to write; 0 if it has none.
fn far(message: &[u8]) -> usize {
    if message.get(HEADER).is_some_and(|&words| words >= FAR_WORDS) { 4 } else { 0 }
}

/// Where in a message of `length` bytes the data of a file lies: behind `least` others.
fn data<V: Visitor>(
    from: usize,
    bytes: u64,
    length: u64,
    least: usize,
    sink: Sink,
    session: &mut Session,
    context: &mut Context<'_, '_, V>,
) -> Option<Plan> {
    if bytes == 0 {
        return Some(Plan::Pass);
    }
    if from < least || (from as u64).checked_add(bytes)? > length {
        return None;
    }
    let is_wanted = session.is_wanted(sink, context);
    Some(if is_wanted { Plan::Data { from, bytes, sink } } else { Plan::Pass })
}

/// The name of a file to be opened: behind the words and their count of bytes.
fn name(header: &Header, message: &[u8]) -> Option<String> {
    let words = 2 * usize::from(*message.get(HEADER)?);
    let from = WORDS + words + 2;
    Some(zero_ended(header, message, from))
}

/// A string up to its zero; of 16-bit characters at an even place.
fn zero_ended(header: &Header, message: &[u8], from: usize) -> String {
    if !header.is_unicode {
        let bytes = message.get(from..).unwrap_or_default();
        let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
        return String::from_utf8_lossy(&bytes[..end]).into_owned();
    }
    let bytes = message.get(from + from % 2..).unwrap_or_default();
    let end = bytes.chunks_exact(2).position(|unit| unit == [0, 0]);
    text(bytes.get(..end.map_or(bytes.len(), |end| 2 * end)).unwrap_or_default())
}

fn tree_connect<V: Visitor>(
    header: &Header,
    message: &[u8],
    session: &mut Session,
    context: &mut Context<'_, '_, V>,
) -> Option<()> {
    let words = 2 * usize::from(*message.get(HEADER)?);
    let password = usize::from(le16(message, WORDS + 6)?);
    let path = zero_ended(header, message, WORDS + words + 2 + password);
    let said = Said::Smb(Facts { command: "tree_connect_andx", name: Some(path.as_bytes()) });
    let is_pipe = super::report_share(path.as_bytes(), context, said);
    session.asked(header.message, Request::Tree { is_pipe });
    Some(())
}
