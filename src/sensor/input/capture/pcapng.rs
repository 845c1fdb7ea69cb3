//! pcapng: blocks with a type and a length, in sections that are independent of each other.

use super::endian::Endian;
use super::item::{Found, Item, Stop, Written};
use super::notes::has_comment;
use crate::engine::progress::bound;
use std::ops::Range;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const NAMES: u32 = 4;
const STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
const JOURNAL: u32 = 9;
const SECRETS: u32 = 10;

/// The maximum length of a text that is read.
const MAX_TEXT: usize = bound(8 << 20, 2048);

/// Type, length, and the length again.
const FRAME: usize = 12;

/// Whether these bytes start a section header.
pub(super) fn is_pcapng(head: &[u8]) -> bool {
    head.starts_with(&SECTION_HEADER.to_be_bytes()) && section_order(head).is_some()
}

/// The byte order of the section whose header block this is.
fn section_order(block: &[u8]) -> Option<Endian> {
    match block.get(8..)?.first_chunk::<4>()? {
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(Endian::Big),
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(Endian::Little),
        _ => None,
    }
}

#[derive(Debug)]
pub(super) struct Reader {
    endian: Endian,
    interfaces: Vec<Interface>,
    /// The time of the previous packet, for blocks that have none.
    time: i64,
    /// Blocks that are not read: custom ones, system calls, texts that are too long.
    pub(super) skipped: u64,
}

/// The contents of an interface description.
#[derive(Clone, Copy, Debug)]
struct Interface {
    linktype: u32,
    snaplen: u32,
    unit: Unit,
    /// Seconds to be added to every time.
    offset: i64,
}

/// The unit of an interface's times, as a conversion to microseconds.
#[derive(Clone, Copy, Debug)]
enum Unit {
    Multiply(u64),
    Divide(u64),
    /// 2 to the minus n seconds.
    Shift(u32),
}

impl Unit {
    /// Reads `if_tsresol`.
    fn new(resolution: u8) -> Unit {
        let exponent = u32::from(resolution & 0x7f);
        if resolution & 0x80 != 0 {
            return Unit::Shift(exponent);
        }
        match exponent.checked_sub(6) {
            // Past 64 bits no number of ticks makes a microsecond: the shift gives 0.
            Some(finer) => 10_u64.checked_pow(finer).map_or(Unit::Shift(127), Unit::Divide),
            None => Unit::Multiply(10_u64.pow(6 - exponent)),
        }
    }

    fn micros(self, ticks: u64) -> i64 {
        let micros = match self {
            Unit::Multiply(by) => ticks.saturating_mul(by),
            Unit::Divide(by) => ticks / by,
            Unit::Shift(by) => {
                // 64 bits times a million stay below 2^84.
                let micros = (u128::from(ticks) * 1_000_000).checked_shr(by).unwrap_or(0);
                u64::try_from(micros).unwrap_or(u64::MAX)
            }
        };
        i64::try_from(micros).unwrap_or(i64::MAX)
    }
}

impl Reader {
    pub(super) fn new() -> Self {
        // The first block is a section header, which sets the byte order.
        Reader { endian: Endian::Little, interfaces: Vec::new(), time: 0, skipped: 0 }
    }

    /// Reads the block at the beginning of the rest.
    pub(super) fn step(&mut self, rest: &[u8]) -> Result<Item, Stop> {
        let (kind, size) = self.frame(rest)?;
        // Some writers omit the padding from the length: the block ends at the next boundary.
        let length = size.saturating_add(size.wrapping_neg() & 3);
        let body = rest.get(..size - 4).unwrap_or_default();
        let found = match kind {
            SECTION_HEADER => {
                self.interfaces.clear();
                return Ok(self.with_comments(length, body, 24));
            }
            INTERFACE => {
                let Some(interface) = self.read_interface(body.get(8..).unwrap_or_default()) else {
                    return Err(Stop::Damaged("an interface description that is too short".into()));
                };
                self.interfaces.push(interface);
                return Ok(self.with_comments(length, body, 16));
            }
            ENHANCED_PACKET => self.read_enhanced(body),
            SIMPLE_PACKET => self.read_simple(body),
            OBSOLETE_PACKET => self.read_obsolete(body),
            _ => return Ok(self.other(kind, length, body)),
        };
        let Some(found) = found else {
            let what = "a packet block that does not fit its lengths or its interface";
            return Err(Stop::Damaged(what.into()));
        };
        self.time = found.time;
        let options = found.data.end.next_multiple_of(4);
        let mut item = Item::new(length, Some(found));
        // Most have no options, or only flags.
        if kind != SIMPLE_PACKET && options < body.len() {
            item.note =
                self.comments(body, options, item.found.as_ref().is_some_and(|f| f.is_timed));
        }
        Ok(item)
    }

    /// Reads a block without a packet.
    fn other(&mut self, kind: u32, length: usize, body: &[u8]) -> Item {
        match kind {
            JOURNAL if body.len() <= MAX_TEXT => {
                let note = self.note(body, Written::Journal, false);
                Item { note: Some(note), ..Item::new(length, None) }
            }
            NAMES if body.len() <= MAX_TEXT => {
                let note = self.note(body, Written::Names(self.endian), false);
                Item { note: Some(note), ..Item::new(length, None) }
            }
            STATISTICS => self.with_comments(length, body, 20),
            // Keys reveal only what the packets contain.
            SECRETS => Item::new(length, None),
            _ => {
                self.skipped += 1;
                Item::new(length, None)
            }
        }
    }

    /// Reads a block without a packet, with the comments in its options, which begin at `at`.
    fn with_comments(&mut self, length: usize, block: &[u8], at: usize) -> Item {
        Item { note: self.comments(block, at, false), ..Item::new(length, None) }
    }

    fn comments(&mut self, block: &[u8], at: usize, is_timed: bool) -> Option<Found> {
        if !has_comment(block.get(at..)?, self.endian) {
            return None;
        }
        if block.len() - at > MAX_TEXT {
            self.skipped += 1;
            return None;
        }
        let written = Written::Options(self.endian, u32::try_from(at).unwrap_or(u32::MAX));
        Some(self.note(block, written, is_timed))
    }

    /// A text; `is_timed` if it is about the packet before it.
    fn note(&self, block: &[u8], written: Written, is_timed: bool) -> Found {
        Found {
            time: self.time,
            is_timed,
            written: Some(written),
            linktype: 0,
            data: 0..block.len(),
            length: 0,
            interface: 0,
        }
    }

    /// Type and length of the block at the beginning, all of which is there.
    fn frame(&mut self, rest: &[u8]) -> Result<(u32, usize), Stop> {
        // The type of a section header is a palindrome: it is the same in both byte orders.
        if rest.starts_with(&SECTION_HEADER.to_be_bytes()) && rest.len() >= FRAME {
            self.endian = section_order(rest)
                .ok_or_else(|| Stop::Damaged("a section without byte order".into()))?;
        }
        let field = |at| self.endian.u32(rest, at);
        let (Some(kind), Some(length)) = (field(0), field(4).filter(|_| rest.len() >= FRAME))
        else {
            return match field(4) {
                Some(length) if (length as usize) < FRAME => {
                    Err(Stop::Damaged(format!("a block of {length} bytes")))
                }
                _ => Err(Stop::Short { what: "the head of a block", needs: FRAME }),
            };
        };
        let size = length as usize;
        if size < FRAME {
            return Err(Stop::Damaged(format!("a block of {length} bytes")));
        }
        match field(size - 4) {
            Some(again) if again == length => Ok((kind, size)),
            Some(_) => Err(Stop::Damaged("the two lengths of a block differ".into())),
            None => Err(Stop::Short { what: "a block", needs: size }),
        }
    }

    fn read_interface(&self, body: &[u8]) -> Option<Interface> {
        let mut interface = Interface {
            linktype: u32::from(self.endian.u16(body, 0)?),
            snaplen: self.endian.u32(body, 4)?,
            unit: Unit::Divide(1),
            offset: 0,
        };
        let mut options = body.get(8..)?;
        while let (Some(code), Some(length)) =
            (self.endian.u16(options, 0), self.endian.u16(options, 2))
        {
            let length = usize::from(length);
            let Some(value) = options.get(4..4 + length) else { break };
            match code {
                0 => break,
                9 => interface.unit = Unit::new(*value.first()?),
                14 => interface.offset = self.endian.i64(value, 0)?,
                _ => {}
            }
            options = options.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        }
        Some(interface)
    }

    // Below, a body begins after type and length, but is passed with them: what is found in it has
    // its position in the block.

    fn read_enhanced(&self, block: &[u8]) -> Option<Found> {
        self.read_timed(block, self.endian.u32(block, 8)?)
    }

    /// Like the enhanced block, but with 16 bits of interface and 16 of drops before it.
    fn read_obsolete(&self, block: &[u8]) -> Option<Found> {
        self.read_timed(block, u32::from(self.endian.u16(block, 8)?))
    }

    fn read_timed(&self, block: &[u8], number: u32) -> Option<Found> {
        let interface = self.interfaces.get(number as usize)?;
        let high = u64::from(self.endian.u32(block, 12)?);
        let low = u64::from(self.endian.u32(block, 16)?);
        let captured = self.endian.u32(block, 20)?;
        let length = self.endian.u32(block, 24)?;
        let micros = interface.unit.micros(high << 32 | low);
        Some(Found {
            written: None,
            is_timed: high | low != 0,
            time: micros.saturating_add(interface.offset.saturating_mul(1_000_000)),
            linktype: interface.linktype,
            data: within(block, 28, captured)?,
            length: length.max(captured),
            interface: number,
        })
    }

    fn read_simple(&self, block: &[u8]) -> Option<Found> {
        let interface = self.interfaces.first()?;
        let length = self.endian.u32(block, 8)?;
        let snaplen = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
        Some(Found {
            written: None,
            time: self.time,
            is_timed: false,
            linktype: interface.linktype,
            data: within(block, 12, length.min(snaplen))?,
            length,
            interface: 0,
        })
    }
}

/// This many bytes from here on, if the block has them.
fn within(block: &[u8], from: usize, length: u32) -> Option<Range<usize>> {
    let range = from..from.checked_add(length as usize)?;
    block.get(range.clone()).map(|_| range)
}
