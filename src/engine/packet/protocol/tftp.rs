//! TFTP (RFC 1350, 2347, 2348, 2349): names, and files by their blocks.
//!
//! A request is recognised by the names of its modes on any port. The file is sent between the
//! client's port and a new one of the server, so transfers are identified by the client's end.
//! Blocks are read in order; repeated ones are skipped. In the mode `netascii` a file is reported
//! as it was sent, and with local line ends. The number of transfers is bounded, and the oldest
//! is dropped.

use crate::engine::indicator::Timestamp;
use crate::engine::packet::bytes::be16;
use crate::engine::packet::payload::file::{File, Returns};
use crate::engine::packet::payload::names;
use crate::engine::packet::{Counters, Fault, Packet, Ports, ProtocolFacts, Visitor};
use crate::engine::progress::bound;
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::net::IpAddr;

/// Concurrent transfers.
const MAX_TRANSFERS: usize = bound(1024, 4);

/// The longest name of a request.
const MAX_NAME: usize = bound(1 << 10, 24);

/// Bytes of a block, unless client and server negotiate another size.
const BLOCK: usize = 512;

/// Microseconds between two datagrams of a transfer; after that the port may have been reused.
const TIMEOUT: i64 = 120 * 1_000_000;

/// Opcodes (RFC 1350, 5; RFC 2347).
const READ: u16 = 1;
const WRITE: u16 = 2;
const DATA: u16 = 3;
const ACKNOWLEDGE: u16 = 4;
const ERROR: u16 = 5;
const OPTIONS: u16 = 6;

#[derive(Debug)]
struct Transfer {
    file: File,
    is_write: bool,
    is_text: bool,
    /// Bytes of a full block.
    block: usize,
    /// The block that comes next.
    next: u16,
    /// The announced number of bytes.
    size: Option<u64>,
    seen: u64,
    /// The server's port, once it has responded.
    port: Option<u16>,
    /// When the last datagram came.
    time: Timestamp,
    serial: u64,
}

type End = (IpAddr, u16);

/// All transfers, by the client's end.
#[derive(Debug, Default)]
pub(in crate::engine::packet) struct Transfers {
    open: HashMap<End, Transfer>,
    order: VecDeque<(End, u64)>,
    serial: u64,
}

/// What a client requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Request<'a> {
    is_write: bool,
    is_text: bool,
    name: &'a [u8],
    options: &'a [u8],
}

fn parse_request(payload: &[u8]) -> Option<Request<'_>> {
    let is_write = match be16(payload, 0)? {
        READ => false,
        WRITE => true,
        _ => return None,
    };
    let (name, rest) = split_text(payload.get(2..)?)?;
    let (mode, options) = split_text(rest)?;
    let is_mode =
        [&b"octet"[..], b"netascii", b"mail"].iter().any(|m| mode.eq_ignore_ascii_case(m));
    let is_name = !name.is_empty() && name.len() <= MAX_NAME && name.iter().all(|&b| b >= b' ');
    let is_text = !mode.eq_ignore_ascii_case(b"octet");
    (is_mode && is_name).then_some(Request { is_write, is_text, name, options })
}

fn split_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(memchr::memchr(0, bytes)?)?;
    Some((text, rest.get(1..)?))
}

/// The sizes of blocks and of the file among options.
fn parse_options(mut options: &[u8]) -> (Option<usize>, Option<u64>) {
    let (mut block, mut size) = (None, None);
    while let Some((name, rest)) = split_text(options)
        && let Some((value, after)) = split_text(rest)
    {
        let number = std::str::from_utf8(value).ok().and_then(|value| value.parse::<u64>().ok());
        if name.eq_ignore_ascii_case(b"blksize") {
            block = number.filter(|number| (8..=65_464).contains(number)).map(|n| n as usize);
        } else if name.eq_ignore_ascii_case(b"tsize") {
            size = number;
        }
        options = after;
    }
    (block, size)
}

impl Transfers {
    /// Parses a datagram; returns whether it belonged to a transfer.
    #[inline]
    pub(in crate::engine::packet) fn inspect<V: Visitor>(
        &mut self,
        payload: &[u8],
        packet: &Packet<'_>,
        visitor: &mut V,
        counters: &mut Counters,
    ) -> bool {
        match *payload {
            [0, code @ 1..=6, ..] => self.message(code, payload, packet, visitor, counters),
            _ => false,
        }
    }

    /// Parses what begins like a message.
    #[inline(never)]
    fn message<V: Visitor>(
        &mut self,
        code: u8,
        payload: &[u8],
        packet: &Packet<'_>,
        visitor: &mut V,
        counters: &mut Counters,
    ) -> bool {
        let Ports::Pair(src, dst) = packet.ports else { return false };
        match u16::from(code) {
            READ | WRITE => {
                let Some(request) = parse_request(payload) else { return false };
                let Request { name, .. } = request;
                names::report(name, packet, visitor, ProtocolFacts::None);
                let file = File::begin("tftp", None, packet, visitor);
                if file.is_hashed() {
                    let mut file = file.known_as(Some(names::last(name)));
                    if request.is_text {
                        file = file.with_lines(Returns::Padded, visitor);
                    }
                    self.begin((packet.src, src), request, file, packet.time, counters);
                }
                true
            }
            _ if self.open.is_empty() => false,
            code => {
                let ends = [((packet.src, src), dst, true), ((packet.dst, dst), src, false)];
                let found = ends.into_iter().find(|(end, ..)| self.open.contains_key(end));
                let Some((end, port, is_client)) = found else { return false };
                let Some(transfer) = self.open.get_mut(&end) else { return false };
                if packet.time.0.abs_diff(transfer.time.0) > TIMEOUT.unsigned_abs() {
                    counters.note(Fault::TransferLost);
                    self.open.remove(&end);
                    return false;
                }
                if *transfer.port.get_or_insert(port) != port {
                    return false;
                }
                transfer.time = packet.time;
                match transfer.take(code, payload, is_client) {
                    Progress::Goes => {}
                    Progress::Ended { is_whole } => {
                        if let Some(transfer) = self.open.remove(&end) {
                            // A refused transfer did not begin.
                            if !is_whole && transfer.seen > 0 {
                                counters.note(Fault::TransferLost);
                            }
                            transfer.file.finish(is_whole, packet, visitor);
                        }
                    }
                }
                true
            }
        }
    }

    fn begin(
        &mut self,
        end: End,
        Request { is_write, is_text, options, .. }: Request<'_>,
        file: File,
        time: Timestamp,
        counters: &mut Counters,
    ) {
        self.serial += 1;
        let serial = self.serial;
        // A client's option only applies if the server agrees, which repeats it.
        let size = parse_options(options).1.filter(|_| is_write);
        let transfer = Transfer {
            file,
            is_write,
            is_text,
            block: BLOCK,
            next: 1,
            size,
            seen: 0,
            port: None,
            time,
            serial,
        };
        // The same request again: there was no response yet.
        if let Some(old) = self.open.insert(end, transfer)
            && old.seen > 0
        {
            counters.note(Fault::TransferLost);
        }
        self.order.push_back((end, serial));
        while self.order.len() > MAX_TRANSFERS
            && let Some((end, serial)) = self.order.pop_front()
        {
            if self.open.get(&end).is_some_and(|transfer| transfer.serial == serial) {
                self.open.remove(&end);
                counters.note(Fault::TransferLost);
            }
        }
    }

    /// Drops everything.
    pub(in crate::engine::packet) fn finish(&mut self, counters: &mut Counters) {
        for _ in self.open.drain() {
            counters.note(Fault::TransferLost);
        }
        self.order.clear();
    }
}

/// How a transfer continues.
enum Progress {
    Goes,
    Ended { is_whole: bool },
}

impl Transfer {
    fn take(&mut self, code: u16, payload: &[u8], is_client: bool) -> Progress {
        match code {
            OPTIONS if !is_client => {
                let (block, size) = parse_options(payload.get(2..).unwrap_or_default());
                self.block = block.unwrap_or(self.block);
                self.size = size.or(self.size);
                Progress::Goes
            }
            ERROR => Progress::Ended { is_whole: false },
            DATA if is_client == self.is_write => {
                let (Some(number), Some(data)) = (be16(payload, 2), payload.get(4..)) else {
                    return Progress::Goes;
                };
                // After the last number, 0 follows, or 1.
                let is_wrapped = self.next == 0 && number == 1 && self.seen > 0;
                if number != self.next && !is_wrapped {
                    return Progress::Goes;
                }
                self.next = number.wrapping_add(1);
                self.seen += data.len() as u64;
                self.file.update(data);
                if data.len() >= self.block {
                    return Progress::Goes;
                }
                // The size is that on disk, and text is sent with more bytes.
                let size = self.size.filter(|_| !self.is_text);
                Progress::Ended { is_whole: size.is_none_or(|size| size == self.seen) }
            }
            ACKNOWLEDGE => Progress::Goes,
            _ => Progress::Goes,
        }
    }
}

#[cfg(test)]
mod tests;
