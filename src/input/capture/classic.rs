//! The classic format: one header of 24 bytes, then records of 16 bytes and data.

use super::{Endian, Found, Item, Stop};

/// The length of what is in front of the first record.
pub(super) const FILE_HEADER: usize = 24;
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
pub(super) struct Reader {
    order: Order,
    linktype: u32,
    longest: u32,
}

impl Reader {
    /// Reads the header of a file.
    pub(super) fn new(head: &[u8], order: Order) -> Result<Self, Stop> {
        let field = |at| order.endian.u32(head, at);
        let (Some(snaplen), Some(linktype)) = (field(16), field(20)) else {
            return Err(Stop::Short { what: "its header", needs: FILE_HEADER });
        };
        // The upper half holds the length of a frame check sequence.
        let linktype = linktype & 0xffff;
        Ok(Reader { order, linktype, longest: snaplen.max(LONGEST) })
    }

    /// Reads the record at the front of what is left.
    pub(super) fn step(&mut self, rest: &[u8]) -> Result<Item, Stop> {
        let field = |at| self.order.endian.u32(rest, at);
        let (Some(seconds), Some(fraction), Some(captured), Some(length)) =
            (field(0), field(4), field(8), field(12))
        else {
            return Err(Stop::Short { what: "the header of a packet", needs: RECORD_HEADER });
        };
        if captured > self.longest {
            return Err(Stop::Damaged(format!("a packet of {captured} bytes")));
        }
        let end = RECORD_HEADER.saturating_add(captured as usize);
        if rest.len() < end {
            return Err(Stop::Short { what: "a packet", needs: end });
        }
        let micros = if self.order.is_nano { fraction / 1000 } else { fraction };
        let found = Found {
            time: i64::from(seconds) * 1_000_000 + i64::from(micros),
            linktype: self.linktype,
            data: RECORD_HEADER..end,
            length: length.max(captured),
            interface: 0,
        };
        Ok(Item { length: end, found: Some(found) })
    }
}
