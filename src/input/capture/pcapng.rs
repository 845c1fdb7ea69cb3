//! pcapng: blocks of a type and a length, in sections that each start afresh.

use super::{Endian, Packet, cut_short, damaged};
use crate::Result;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

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
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    endian: Endian,
    interfaces: Vec<Interface>,
    /// Time of the packet before, for blocks that have none.
    time: i64,
}

/// What an interface description says.
#[derive(Clone, Copy, Debug)]
struct Interface {
    linktype: u32,
    snaplen: u32,
    unit: Unit,
    /// Seconds to be added to every time.
    offset: i64,
}

/// The unit of an interface's times, as the way to microseconds.
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
            // Past 64 bits no count of ticks makes a microsecond: the shift gives 0.
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

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        // The first block is a section header, which sets the byte order.
        Reader { bytes, at: 0, endian: Endian::Little, interfaces: Vec::new(), time: 0 }
    }

    /// The next packet, still without its number.
    pub(super) fn next(&mut self) -> Result<Option<Packet<'a>>> {
        loop {
            let start = self.at;
            let Some((kind, body)) = self.next_block()? else { return Ok(None) };
            let packet = match kind {
                SECTION_HEADER => {
                    self.interfaces.clear();
                    continue;
                }
                INTERFACE => {
                    let interface = self.read_interface(body);
                    self.interfaces.push(
                        interface.ok_or_else(|| cut_short("an interface description", start))?,
                    );
                    continue;
                }
                ENHANCED_PACKET => self.read_enhanced(body),
                SIMPLE_PACKET => self.read_simple(body),
                OBSOLETE_PACKET => self.read_obsolete(body),
                _ => continue,
            };
            let Some(packet) = packet else {
                let what = "a packet block that does not fit its lengths or its interface";
                return Err(damaged(what.into(), start));
            };
            self.time = packet.time;
            return Ok(Some(packet));
        }
    }

    /// Type and body of the next block; steps over it.
    fn next_block(&mut self) -> Result<Option<(u32, &'a [u8])>> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        // The type of a section header is a palindrome: it reads the same in both orders.
        if rest.starts_with(&SECTION_HEADER.to_be_bytes()) && rest.len() >= FRAME {
            self.endian = section_order(rest)
                .ok_or_else(|| damaged("a section without byte order".into(), self.at))?;
        }
        let (Some(kind), Some(length)) = (self.endian.u32(rest, 0), self.endian.u32(rest, 4))
        else {
            return Err(cut_short("the head of a block", self.at));
        };
        let size = length as usize;
        if size < FRAME {
            return Err(damaged(format!("a block of {length} bytes"), self.at));
        }
        // Some writers forget the padding in the length: the block ends on the next border.
        let padded = size.saturating_add(size.wrapping_neg() & 3);
        let Some(body) = rest.get(8..size - 4) else {
            return Err(cut_short("a block", self.at));
        };
        if self.endian.u32(rest, size - 4) != Some(length) {
            if rest.len() < size {
                return Err(cut_short("a block", self.at));
            }
            return Err(damaged("the two lengths of a block differ".into(), self.at));
        }
        self.at = self.at.saturating_add(padded);
        Ok(Some((kind, body)))
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

    fn read_enhanced(&self, body: &'a [u8]) -> Option<Packet<'a>> {
        self.read_timed(body, self.endian.u32(body, 0)?)
    }

    /// As the enhanced block, but with 16 bits of interface and 16 of drops in front.
    fn read_obsolete(&self, body: &'a [u8]) -> Option<Packet<'a>> {
        self.read_timed(body, u32::from(self.endian.u16(body, 0)?))
    }

    fn read_timed(&self, body: &'a [u8], number: u32) -> Option<Packet<'a>> {
        let interface = self.interfaces.get(number as usize)?;
        let high = u64::from(self.endian.u32(body, 4)?);
        let low = u64::from(self.endian.u32(body, 8)?);
        let captured = self.endian.u32(body, 12)?;
        let length = self.endian.u32(body, 16)?;
        let micros = interface.unit.micros(high << 32 | low);
        Some(Packet {
            number: 0,
            time: micros.saturating_add(interface.offset.saturating_mul(1_000_000)),
            linktype: interface.linktype,
            data: body.get(20..)?.get(..captured as usize)?,
            length: length.max(captured),
            interface: number,
        })
    }

    fn read_simple(&self, body: &'a [u8]) -> Option<Packet<'a>> {
        let interface = self.interfaces.first()?;
        let length = self.endian.u32(body, 0)?;
        let snaplen = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
        let data = body.get(4..)?.get(..length.min(snaplen) as usize)?;
        Some(Packet {
            number: 0,
            time: self.time,
            linktype: interface.linktype,
            data,
            length,
            interface: 0,
        })
    }
}
