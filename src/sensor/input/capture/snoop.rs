//! snoop (RFC 1761), the format of Solaris and Shomiti's analyzers: a header of 16 bytes, then
//! records of 24 bytes, data and padding, all in network byte order.

use super::endian::Endian;
use super::item::{Found, Item, Stop};

/// The length of what comes before the first record.
pub(super) const FILE_HEADER: usize = 16;
const RECORD_HEADER: usize = 24;
const MAGIC: &[u8] = b"snoop\0\0\0";

/// The maximum length of a record: a longer one is damaged.
const LONGEST: u32 = 262_144;

/// Whether these bytes begin a snoop file.
pub(super) fn is_snoop(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

#[derive(Debug)]
pub(super) struct Reader {
    linktype: u32,
}

impl Reader {
    /// Reads the header of a file.
    pub(super) fn new(head: &[u8]) -> Result<Self, Stop> {
        let field = |at| Endian::Big.u32(head, at);
        let (Some(version), Some(kind)) = (field(8), field(12)) else {
            return Err(Stop::Short { what: "the file header", needs: FILE_HEADER });
        };
        if !(2..=5).contains(&version) {
            return Err(Stop::Damaged(format!("snoop version {version}")));
        }
        let linktype = linktype(kind);
        linktype.map(|linktype| Reader { linktype }).ok_or(Stop::UnknownLink("snoop", kind))
    }

    /// Reads the record at the beginning of the rest.
    pub(super) fn step(&self, rest: &[u8]) -> Result<Item, Stop> {
        let field = |at| Endian::Big.u32(rest, at);
        let (Some(length), Some(captured), Some(whole)) = (field(0), field(4), field(8)) else {
            return Err(Stop::Short { what: "the header of a packet", needs: RECORD_HEADER });
        };
        let (Some(seconds), Some(micros)) = (field(16), field(20)) else {
            return Err(Stop::Short { what: "the header of a packet", needs: RECORD_HEADER });
        };
        let end = RECORD_HEADER + captured as usize;
        if captured > LONGEST {
            return Err(Stop::Damaged(format!("a packet of {captured} bytes")));
        }
        if (whole as usize) < end || whole > 2 * LONGEST {
            return Err(Stop::Damaged(format!("a record of {whole} bytes")));
        }
        if rest.len() < end {
            return Err(Stop::Short { what: "a packet", needs: end });
        }
        let found = Found {
            written: None,
            time: i64::from(seconds) * 1_000_000 + i64::from(micros),
            is_timed: seconds != 0 || micros != 0,
            linktype: self.linktype,
            data: RECORD_HEADER..end,
            length: length.max(captured),
            interface: 0,
        };
        // The padding of the last one may be missing.
        Ok(Item::new(whole as usize, Some(found)))
    }
}

/// The tcpdump group's number for a snoop link type.
fn linktype(kind: u32) -> Option<u32> {
    Some(match kind {
        // IEEE 802.3 and Ethernet.
        0 | 4 => 1,
        2 => 6,
        5 => 104,
        8 => 10,
        // IP over ATM, InfiniBand, and internal types of Solaris.
        16 | 18 => 123,
        26 => 242,
        0x8000_0003 => 226,
        _ => return None,
    })
}
