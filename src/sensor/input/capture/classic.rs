//! The classic format: one header of 24 bytes, then records of 16 bytes and data.

use super::endian::Endian;
use super::item::{Found, Item, Stop};
use crate::engine::progress::bound;
use std::ops::Range;

/// The length of what comes before the first record, in the usual form.
pub(super) const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// Bytes of a line of the cache.
const LINE: usize = 64;

/// The maximum length of a record, unless the file's snap length allows more (as in libpcap).
const LONGEST: u32 = bound(262_144, 4096) as u32;

/// The bits of the header's last word that are the link type; above them is the length of a frame
/// check sequence.
const LINKTYPE: u32 = 0x03ff_ffff;

/// What the magic defines: byte order, unit of the fractions, and lengths of headers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    endian: Endian,
    is_nano: bool,
    file_header: usize,
    record_header: usize,
}

impl Order {
    /// Reads the magic, if it is a known one: the usual ones, A. Kuznetzov's, with eight more bytes
    /// before each packet, and those of Ixia's hardware and software, with the size of all records
    /// after the header.
    pub(super) fn of(head: &[u8]) -> Option<Order> {
        let magic = head.first_chunk::<4>()?;
        let both = [
            (Endian::Big, u32::from_be_bytes(*magic)),
            (Endian::Little, u32::from_le_bytes(*magic)),
        ];
        both.into_iter().find_map(|(endian, magic)| {
            let order = |is_nano, file_header, record_header| Order {
                endian,
                is_nano,
                file_header,
                record_header,
            };
            Some(match magic {
                0xa1b2_c3d4 => order(false, FILE_HEADER, RECORD_HEADER),
                0xa1b2_3c4d => order(true, FILE_HEADER, RECORD_HEADER),
                0xa1b2_cd34 => order(false, FILE_HEADER, RECORD_HEADER + 8),
                0x1c00_01ac => order(true, FILE_HEADER + 4, RECORD_HEADER),
                0x1c00_01ab => order(false, FILE_HEADER + 4, RECORD_HEADER),
                _ => return None,
            })
        })
    }

    /// The length of what comes before the first record.
    pub(super) fn file_header(self) -> usize {
        self.file_header
    }
}

#[derive(Debug)]
pub(super) struct Reader {
    order: Order,
    linktype: u32,
    longest: u32,
    /// The two lengths of a record may be swapped.
    is_old: bool,
}

impl Reader {
    /// Reads the header of a file.
    pub(super) fn new(head: &[u8], mut order: Order) -> Result<Self, Stop> {
        let field = |at| order.endian.u32(head, at);
        let (Some(snaplen), Some(linktype)) = (field(16), field(20)) else {
            return Err(Stop::Short { what: "the file header", needs: order.file_header });
        };
        let version = order.endian.u16(head, 4).zip(order.endian.u16(head, 6));
        let mut linktype = linktype & LINKTYPE;
        // AIX uses interface type numbers of SNMP, and nanoseconds.
        if version == Some((2, 2)) {
            order.is_nano = true;
            linktype = match linktype {
                6 => 1,
                9 => 6,
                15 => 10,
                24 => 0,
                other => other,
            };
        }
        let is_old = matches!(version, Some((2, 0..=3) | (543, _)));
        let max = (super::item::MAX_RECORD - order.record_header) as u32;
        Ok(Reader { order, linktype, longest: snaplen.max(LONGEST).min(max), is_old })
    }

    /// Reads the records from `from` on, as many as are complete. Returns where the first begins
    /// that is incomplete or damaged: [`Self::step`] determines which. `touched` receives a byte of
    /// each record's second cache line: what was just read from a file may not be in the cache of
    /// this core, and this prefetches it without waiting.
    pub(super) fn run(
        &self,
        bytes: &[u8],
        from: usize,
        found: &mut Vec<Found>,
        touched: &mut u8,
    ) -> usize {
        let mut at = from;
        // Unusual forms are left to `step`.
        if self.is_old || self.order.record_header != RECORD_HEADER {
            return at;
        }
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
            written: None,
            time: i64::from(seconds) * 1_000_000 + i64::from(micros),
            is_timed: seconds | fraction != 0,
            linktype: self.linktype,
            length: length.max(data.len() as u32),
            data,
            interface: 0,
        }
    }

    /// Reads the record at the beginning of the rest.
    pub(super) fn step(&mut self, rest: &[u8]) -> Result<Item, Stop> {
        let header = self.order.record_header;
        let field = |at| self.order.endian.u32(rest, at);
        let (Some(seconds), Some(fraction), Some(mut captured), Some(mut length)) =
            (field(0), field(4), field(8), field(12))
        else {
            return Err(Stop::Short { what: "the header of a packet", needs: header });
        };
        if self.is_old && captured > length {
            (captured, length) = (length, captured);
        }
        if captured > self.longest {
            return Err(Stop::Damaged(format!("a packet of {captured} bytes")));
        }
        let end = header.saturating_add(captured as usize);
        if rest.len() < end {
            return Err(Stop::Short { what: "a packet", needs: end });
        }
        let found = self.found(seconds, fraction, header..end, length);
        Ok(Item::new(end, Some(found)))
    }
}
