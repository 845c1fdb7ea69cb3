//! Capture files, read from the map: classic pcap and pcapng.
//!
//! [`Capture`] walks the bytes of a file and lends out one [`Packet`] after the
//! other without copying. It opens whatever it is given: no bytes make it panic,
//! and a file that is cut short or damaged yields every packet in front of the
//! damage, then one error that says where, then nothing. What a packet means is
//! the business of the `packet` room; here it is bytes with a number and a time.
//!
//! Read are classic files of both byte orders with micro- or nanoseconds, and
//! pcapng with several sections (each with its own byte order), several
//! interfaces (each with its own link type, resolution and offset), enhanced,
//! simple and obsolete packet blocks. Other blocks are skipped.

mod classic;
mod pcapng;

use crate::{Error, Result};

/// One packet of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// From 1, as Wireshark counts.
    pub number: u64,
    /// Microseconds since 1970-01-01T00:00:00Z. A simple packet block has no
    /// time of its own and takes that of the packet before it.
    pub time: i64,
    /// The LINKTYPE_ of the interface, as the tcpdump group numbers them.
    pub linktype: u32,
    /// What was captured: the wire's bytes, or the first of them.
    pub data: &'a [u8],
    /// Length on the wire in bytes; never below that of `data`.
    pub length: u32,
    /// Index of the interface within its section; 0 in classic files.
    pub interface: u32,
}

/// Whether these first bytes (twelve suffice) are those of a capture.
pub fn is_capture(head: &[u8]) -> bool {
    classic::Order::of(head).is_some() || pcapng::is_pcapng(head)
}

/// A capture file, as an iterator over its packets.
#[derive(Debug)]
pub struct Capture<'a> {
    format: Format<'a>,
    /// The packets yielded so far.
    count: u64,
    is_over: bool,
}

#[derive(Debug)]
enum Format<'a> {
    Classic(classic::Reader<'a>),
    Pcapng(pcapng::Reader<'a>),
}

impl<'a> Capture<'a> {
    /// Opens the bytes of a whole file.
    ///
    /// # Errors
    ///
    /// When they are no capture, or the file's own header is cut short.
    pub fn new(bytes: &'a [u8]) -> Result<Self> {
        let format = if pcapng::is_pcapng(bytes) {
            Format::Pcapng(pcapng::Reader::new(bytes))
        } else if let Some(order) = classic::Order::of(bytes) {
            Format::Classic(classic::Reader::new(bytes, order)?)
        } else {
            return Err(Error::format("not a capture file")
                .at_offset(0)
                .remedy("pcap and pcapng are read; convert others with `editcap`"));
        };
        Ok(Capture { format, count: 0, is_over: false })
    }
}

impl<'a> Iterator for Capture<'a> {
    type Item = Result<Packet<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let next = match &mut self.format {
            Format::Classic(reader) => reader.next(),
            Format::Pcapng(reader) => reader.next(),
        };
        match next {
            Ok(Some(mut packet)) => {
                self.count += 1;
                packet.number = self.count;
                Some(Ok(packet))
            }
            Ok(None) => {
                self.is_over = true;
                None
            }
            Err(error) => {
                self.is_over = true;
                Some(Err(error))
            }
        }
    }
}

impl std::iter::FusedIterator for Capture<'_> {}

/// The order of the bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endian {
    Little,
    Big,
}

impl Endian {
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Endian::Little => u16::from_le_bytes(*bytes),
            Endian::Big => u16::from_be_bytes(*bytes),
        })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Endian::Little => u32::from_le_bytes(*bytes),
            Endian::Big => u32::from_be_bytes(*bytes),
        })
    }

    fn i64(self, bytes: &[u8], at: usize) -> Option<i64> {
        let bytes = bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Endian::Little => i64::from_le_bytes(*bytes),
            Endian::Big => i64::from_be_bytes(*bytes),
        })
    }
}

/// The file ends inside of `what`, which begins at `offset`.
fn cut_short(what: &'static str, offset: usize) -> Error {
    Error::format(format!("the capture is cut short in {what}"))
        .at_offset(offset as u64)
        .remedy("the packets before it were read")
}

/// What stands at `offset` cannot be.
fn damaged(what: String, offset: usize) -> Error {
    Error::format(format!("the capture is damaged: {what}"))
        .at_offset(offset as u64)
        .remedy("the packets before it were read")
}

#[cfg(test)]
mod tests;
