//! The classic format: one header of 24 bytes, then records of 16 bytes and data.

use super::{Endian, Found, Item, Stop};
use std::ops::Range;

/// The length of what is in front of the first record.
pub(super) const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// Bytes of a line of the cache.
const LINE: usize = 64;

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

    /// Reads the records from `from` on, as many as are whole. Returns where the first begins
    /// that is not, or is damaged: [`Self::step`] says which. `touched` is given a byte of each
    /// record's second line in the cache: what was just read from a file need not be in the
    /// cache of the core that read it, and here nobody waits for it.
    pub(super) fn run(
        &self,
        bytes: &[u8],
        from: usize,
        found: &mut Vec<Found>,
        touched: &mut u8,
    ) -> usize {
        let mut at = from;
        while let Some(rest) = bytes.get(at..) {
            let field = |at| self.order.endian.u32(rest, at);
            let (Some(seconds), Some(fraction), Some(captured), Some(length)) =
                (field(0), field(4), field(8), field(12))
            else {
                break;
            };
            let end = RECORD_HEADER + captured as usize;
            if captured > self.longest || rest.len() < end {
                break;
            }
            *touched ^= rest.get(LINE).copied().unwrap_or_default();
            found.push(self.found(seconds, fraction, at + RECORD_HEADER..at + end, length));
            at += end;
        }
        at
    }

    #[inline(always)]
    fn found(&self, seconds: u32, fraction: u32, data: Range<usize>, length: u32) -> Found {
        let micros = if self.order.is_nano { fraction / 1000 } else { fraction };
        Found {
            time: i64::from(seconds) * 1_000_000 + i64::from(micros),
            linktype: self.linktype,
            length: length.max(data.len() as u32),
            data,
            interface: 0,
        }
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
        let found = self.found(seconds, fraction, RECORD_HEADER..end, length);
        Ok(Item { length: end, found: Some(found) })
    }
}
