//! Capture files, read from the map or from a pipe: classic pcap, pcapng, snoop and ERF.
//!
//! [`Capture`] walks the bytes of a file and lends out one [`Packet`] after the other without
//! copying; [`CaptureStream`] does the same for the output of a pipe or a decompressor. It can open
//! anything: no bytes make it panic, and a file that is cut short or damaged yields every packet
//! before the damage, then one error that says where, then nothing. What a packet means is up to
//! the `packet` room; here it is bytes with a number and a time.
//!
//! Supported are classic files of both byte orders with micro- or nanoseconds, also in the forms of
//! Kuznetzov, Ixia and AIX, snoop (RFC 1761), ERF, and pcapng with several sections (each with its
//! own byte order), several interfaces (each with its own link type, resolution and offset),
//! enhanced, simple and obsolete packet blocks, and the text in other blocks: journal entries,
//! comments, names ([`Note`]). Blocks with other contents are counted. Captures of other kinds are
//! recognised by their first bytes and refused.

mod classic;
mod endian;
mod erf;
mod foreign;
mod item;
mod notes;
mod pcapng;
mod snoop;
mod stream;

pub use item::Packet;
pub use notes::Note;
pub use stream::{Batch, CaptureStream};

use crate::{Error, Result};
use item::{Found, Item, MAX_RECORD, Stop};

/// Whether these first bytes (twelve are enough for the supported kinds) are those of a capture.
/// This includes kinds that can't be read: opening one gives an error that says so.
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
    /// If they are not a capture, or the file's own header is cut short.
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

/// The contents of a file's header, and the state after the packets so far.
#[derive(Debug)]
enum Format {
    Classic(classic::Reader),
    Pcapng(pcapng::Reader),
    Snoop(snoop::Reader),
    Erf,
}

impl Format {
    /// Reads the beginning of a file; also returns the length of the part that was consumed.
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
            Some(name) => format!("unsupported capture format: {name}"),
            None => "not a capture file".into(),
        };
        Err(Error::format(what)
            .at_offset(0)
            .remedy("pcap, pcapng, snoop and ERF are supported; convert others with `editcap`"))
    }

    /// Blocks so far whose contents are not supported.
    fn skipped(&self) -> u64 {
        if let Format::Pcapng(reader) = self { reader.skipped } else { 0 }
    }

    /// Reads the packets from `from` on, as many as can be read at once, and returns where
    /// [`Self::step`] has to continue.
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
        // The reader advances by their lengths.
        match item {
            Ok(Item { length: 0, .. }) => Err(Stop::Damaged("an item with a length of 0".into())),
            Ok(Item { length, .. }) | Err(Stop::Short { needs: length, .. })
                if length > MAX_RECORD =>
            {
                Err(Stop::Damaged(format!("a record of {length} bytes")))
            }
            item => item,
        }
    }
}

#[cfg(test)]
mod tests;
