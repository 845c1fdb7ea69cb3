//! The classic format: one header of 24 bytes, then records of 16 bytes and data.

use super::{Endian, Packet, cut_short, damaged};
use crate::Result;

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// No record is longer, unless the file's own snap length says so (as libpcap has it).
const LONGEST: u32 = 262_144;

/// What the magic says: byte order and unit of the fractions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    endian: Endian,
    is_nano: bool,
}

impl Order {
    /// Reads the magic, if it is one.
    pub(super) fn of(head: &[u8]) -> Option<Order> {
        let (endian, is_nano) = match head.first_chunk::<4>()? {
            [0xd4, 0xc3, 0xb2, 0xa1] => (Endian::Little, false),
            [0xa1, 0xb2, 0xc3, 0xd4] => (Endian::Big, false),
            [0x4d, 0x3c, 0xb2, 0xa1] => (Endian::Little, true),
            [0xa1, 0xb2, 0x3c, 0x4d] => (Endian::Big, true),
            _ => return None,
        };
        Some(Order { endian, is_nano })
    }
}

#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    order: Order,
    linktype: u32,
    longest: u32,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], order: Order) -> Result<Self> {
        let field = |at| order.endian.u32(bytes, at);
        let (Some(snaplen), Some(linktype)) = (field(16), field(20)) else {
            return Err(cut_short("its header", 0));
        };
        // The upper half holds the length of a frame check sequence.
        let linktype = linktype & 0xffff;
        Ok(Reader { bytes, at: FILE_HEADER, order, linktype, longest: snaplen.max(LONGEST) })
    }

    /// The next packet, still without its number.
    pub(super) fn next(&mut self) -> Result<Option<Packet<'a>>> {
        let record = self.bytes.get(self.at..).unwrap_or_default();
        if record.is_empty() {
            return Ok(None);
        }
        let field = |at| self.order.endian.u32(record, at);
        let (Some(seconds), Some(fraction), Some(captured), Some(length)) =
            (field(0), field(4), field(8), field(12))
        else {
            return Err(cut_short("the header of a packet", self.at));
        };
        if captured > self.longest {
            return Err(damaged(format!("a packet of {captured} bytes"), self.at));
        }
        let end = RECORD_HEADER.saturating_add(captured as usize);
        let Some(data) = record.get(RECORD_HEADER..end) else {
            return Err(cut_short("a packet", self.at));
        };
        self.at += end;
        let micros = if self.order.is_nano { fraction / 1000 } else { fraction };
        Ok(Some(Packet {
            number: 0,
            time: i64::from(seconds) * 1_000_000 + i64::from(micros),
            linktype: self.linktype,
            data,
            length: length.max(captured),
            interface: 0,
        }))
    }
}
