//! Capture files, read from the map or from a pipe: classic pcap, pcapng, snoop and ERF.
//!
//! [`Capture`] walks the bytes of a file and lends out one [`Packet`] after the
//! other without copying; [`CaptureStream`] does the same for what comes out of a
//! pipe or a decompressor. It opens whatever it is given: no bytes make it panic,
//! and a file that is cut short or damaged yields every packet in front of the
//! damage, then one error that says where, then nothing. What a packet means is
//! the business of the `packet` room; here it is bytes with a number and a time.
//!
//! Read are classic files of both byte orders with micro- or nanoseconds, also in
//! the forms of Kuznetzov, Ixia and AIX, snoop (RFC 1761), ERF, and pcapng with several sections (each with its own byte order), several
//! interfaces (each with its own link type, resolution and offset), enhanced,
//! simple and obsolete packet blocks, and the text in others: entries of the journal, comments,
//! names ([`Note`]). What is in other blocks yet is counted. Captures of other
//! kinds are known by their first bytes and refused.

mod classic;
mod erf;
mod foreign;
mod notes;
mod pcapng;
mod snoop;
mod stream;

pub use notes::Note;
pub use stream::{Batch, CaptureStream};

use crate::progress::bound;
use crate::{Error, Result};
use std::ops::Range;

/// The longest record or block: what a capture out of a pipe is put together in. Files have
/// none that are longer either, so that both are read alike.
const LONGEST: usize = bound(64 << 20, 4096);

/// One packet of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// From 1, as Wireshark counts.
    pub number: u64,
    /// Microseconds since 1970-01-01T00:00:00Z. Where [`is_timed`](Self::is_timed) is not
    /// set, that of the packet before it, or 0.
    pub time: i64,
    /// Whether it has a time of its own: a simple packet block has none, and 0 is none.
    pub is_timed: bool,
    /// The LINKTYPE_ of the interface, as the tcpdump group numbers them.
    pub linktype: u32,
    /// What was captured: the wire's bytes, or the first of them.
    pub data: &'a [u8],
    /// Length on the wire in bytes; never below that of `data`.
    pub length: u32,
    /// Index of the interface within its section; 0 in classic files.
    pub interface: u32,
}

/// Whether these first bytes (twelve suffice for those that are read) are those of a capture.
/// Of some kinds they are, and yet it can't be read: to open it gives the error that says so.
pub fn is_capture(head: &[u8]) -> bool {
    classic::Order::of(head).is_some()
        || pcapng::is_pcapng(head)
        || snoop::is_snoop(head)
        || erf::is_erf(head)
        || foreign::name(head).is_some()
}

/// A capture file, as an iterator over its packets.
#[derive(Debug)]
pub struct Capture<'a> {
    bytes: &'a [u8],
    at: usize,
    format: Format,
    /// The packets yielded so far.
    count: u64,
    is_over: bool,
}

impl<'a> Capture<'a> {
    /// Opens the bytes of a whole file.
    ///
    /// # Errors
    ///
    /// When they are no capture, or the file's own header is cut short.
    pub fn new(bytes: &'a [u8]) -> Result<Self> {
        let (format, at) = Format::of(bytes)?;
        Ok(Capture { bytes, at, format, count: 0, is_over: false })
    }
}

impl<'a> Iterator for Capture<'a> {
    type Item = Result<Packet<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest =
                self.bytes.get(self.at..).filter(|rest| !rest.is_empty() && !self.is_over)?;
            match self.format.step(rest) {
                Ok(item) => {
                    self.at = self.at.saturating_add(item.length);
                    let all = item.found.iter().chain(&item.note);
                    self.count += all.filter(|found| found.is_counted()).count() as u64;
                    if let Some(found) = item.found {
                        return Some(Ok(found.packet(rest, self.count)));
                    }
                }
                Err(stop) => {
                    self.is_over = true;
                    return Some(Err(stop.error(self.at as u64)));
                }
            }
        }
    }
}

impl std::iter::FusedIterator for Capture<'_> {}

/// What a file's header said, and what the packets so far did.
#[derive(Debug)]
enum Format {
    Classic(classic::Reader),
    Pcapng(pcapng::Reader),
    Snoop(snoop::Reader),
    Erf,
}

impl Format {
    /// Reads the beginning of a file; also how long the part is that is done with.
    fn of(head: &[u8]) -> Result<(Format, usize)> {
        if pcapng::is_pcapng(head) {
            return Ok((Format::Pcapng(pcapng::Reader::new()), 0));
        }
        if snoop::is_snoop(head) {
            let reader = snoop::Reader::new(head).map_err(|stop| stop.error(0))?;
            return Ok((Format::Snoop(reader), snoop::FILE_HEADER));
        }
        if let Some(order) = classic::Order::of(head) {
            let reader = classic::Reader::new(head, order).map_err(|stop| stop.error(0))?;
            return Ok((Format::Classic(reader), order.file_header()));
        }
        if foreign::name(head).is_none() && erf::is_erf(head) {
            return Ok((Format::Erf, 0));
        }
        let what = match foreign::name(head) {
            Some(name) => format!("a capture of a kind that is not read: {name}"),
            None => "not a capture file".into(),
        };
        Err(Error::format(what)
            .at_offset(0)
            .remedy("pcap, pcapng, snoop and ERF are read; convert others with `editcap`"))
    }

    /// Blocks so far that hold something that is not read.
    fn skipped(&self) -> u64 {
        if let Format::Pcapng(reader) = self { reader.skipped } else { 0 }
    }

    /// Reads the packets from `from` on, as many as can be read at once, and returns where
    /// [`Self::step`] is to go on.
    fn run(&self, bytes: &[u8], from: usize, found: &mut Vec<Found>, touched: &mut u8) -> usize {
        match self {
            Format::Classic(reader) => reader.run(bytes, from, found, touched),
            Format::Pcapng(_) | Format::Snoop(_) | Format::Erf => from,
        }
    }

    fn step(&mut self, rest: &[u8]) -> Result<Item, Stop> {
        let item = match self {
            Format::Classic(reader) => reader.step(rest),
            Format::Pcapng(reader) => reader.step(rest),
            Format::Snoop(reader) => reader.step(rest),
            Format::Erf => erf::step(rest),
        };
        // Who reads them goes on by their lengths.
        match item {
            Ok(Item { length: 0, .. }) => Err(Stop::Damaged("an item of no bytes".into())),
            Ok(Item { length, .. }) | Err(Stop::Short { needs: length, .. })
                if length > LONGEST =>
            {
                Err(Stop::Damaged(format!("a record of {length} bytes")))
            }
            item => item,
        }
    }
}

/// A record or block at the front of what is left of a file.
#[derive(Debug)]
struct Item {
    /// Its length. The padding of the last one may be missing.
    length: usize,
    found: Option<Found>,
    /// Text that stands at the packet in it, or in its place.
    note: Option<Found>,
}

impl Item {
    fn new(length: usize, found: Option<Found>) -> Item {
        Item { length, found, note: None }
    }
}

/// What an item holds in place of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    /// An entry of systemd's journal.
    Journal,
    /// Names of addresses.
    Names(Endian),
    /// Comments, in options that begin at this byte of the block.
    Options(Endian, u32),
}

/// A packet in an item.
#[derive(Debug)]
struct Found {
    time: i64,
    is_timed: bool,
    /// Set for a text, whose block is the data.
    written: Option<Written>,
    linktype: u32,
    /// Where its bytes lie in the item.
    data: Range<usize>,
    length: u32,
    interface: u32,
}

impl Found {
    /// Whether it has a number of its own.
    fn is_counted(&self) -> bool {
        matches!(self.written, None | Some(Written::Journal))
    }

    /// The same, in a buffer in which the item has `before` bytes before it.
    fn after(mut self, before: usize) -> Found {
        self.data = self.data.start + before..self.data.end + before;
        self
    }

    fn packet<'a>(&self, item: &'a [u8], number: u64) -> Packet<'a> {
        Packet {
            number,
            time: self.time,
            is_timed: self.is_timed,
            linktype: self.linktype,
            data: item.get(self.data.clone()).unwrap_or_default(),
            length: self.length,
            interface: self.interface,
        }
    }
}

/// Why an item could not be read.
#[derive(Debug)]
enum Stop {
    /// The bytes end inside of `what`, which has at least as many as it `needs`.
    Short {
        what: &'static str,
        needs: usize,
    },
    Damaged(String),
    /// A link type that the format numbers in its own way, and that is not decoded.
    UnknownLink(&'static str, u32),
}

impl Stop {
    /// The error about what begins at `offset`, where nothing follows.
    fn error(self, offset: u64) -> Error {
        let text = match self {
            Stop::UnknownLink(format, number) => {
                let what = format!("link type {number} of {format} is not decoded");
                return Error::format(what).at_offset(offset).remedy("its packets were not read");
            }
            Stop::Short { what, .. } => format!("the capture is cut short in {what}"),
            Stop::Damaged(what) => format!("the capture is damaged: {what}"),
        };
        Error::format(text).at_offset(offset).remedy("the packets before it were read")
    }
}

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

#[cfg(test)]
mod tests;
