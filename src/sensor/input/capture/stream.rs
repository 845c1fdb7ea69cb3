//! Captures from a pipe or a decompressor.

use super::item::{Found, Packet, Stop};
use super::{Format, Note};
use crate::engine::progress::bound;
use crate::sensor::input::Stream;
use crate::{Error, Result};
use std::io::{self, Read as _};
use std::sync::Arc;

/// How much to request at a time. A pipe returns what it has.
const READ: usize = bound(256 << 10, 64);

/// Packets that were read together.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    /// Their positions in the bytes, and texts among them.
    packets: Vec<Found>,
    /// The number of packets before them.
    before: u64,
    /// Offset of the bytes in the capture.
    base: u64,
    has_notes: bool,
}

impl Batch {
    /// The bytes that contain the packets' data.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The number of bytes held.
    pub fn weight(&self) -> usize {
        self.bytes.capacity() + self.packets.capacity() * size_of::<Found>()
    }

    /// The packets, in order.
    pub fn packets(&self) -> impl Iterator<Item = Packet<'_>> {
        self.numbered()
            .filter(|(found, _)| found.written.is_none())
            .map(|(found, number)| found.packet(&self.bytes, number))
    }

    /// The texts of packets and between packets, in order.
    pub fn notes(&self) -> impl Iterator<Item = Note<'_>> {
        let all = self.has_notes.then(|| self.numbered());
        all.into_iter().flatten().filter_map(|(found, number)| {
            Some(Note {
                number,
                time: found.is_timed.then_some(found.time),
                offset: self.base + found.data.start as u64,
                kind: found.written?,
                block: self.bytes.get(found.data.clone())?,
            })
        })
    }

    /// All items with their numbers, or that of the packet before.
    fn numbered(&self) -> impl Iterator<Item = (&Found, u64)> {
        let mut number = self.before;
        self.packets.iter().map(move |found| {
            number += u64::from(found.is_counted());
            (found, number)
        })
    }
}

/// A capture that is read once, from its first byte to its last. Its memory is limited to a window
/// of the longest record, whatever its length.
#[derive(Debug)]
pub struct CaptureStream {
    stream: Stream,
    window: Vec<u8>,
    /// How much of the window is consumed, and how much is filled.
    from: usize,
    filled: usize,
    /// Offset of the window in the capture.
    base: u64,
    format: Option<Format>,
    count: u64,
    /// The error of the stream after what is filled.
    failed: Option<io::Error>,
    is_over: bool,
}

impl CaptureStream {
    /// A capture from a stream of which nothing was read.
    pub fn new(stream: Stream) -> Self {
        CaptureStream {
            stream,
            window: Vec::new(),
            from: 0,
            filled: 0,
            base: 0,
            format: None,
            count: 0,
            failed: None,
            is_over: false,
        }
    }

    /// Its name in errors and alerts.
    pub fn path(&self) -> &Arc<str> {
        self.stream.path()
    }

    /// Whether it comes from an uncompressed pipe.
    pub fn is_live(&self) -> bool {
        self.stream.is_live()
    }

    /// Bytes that were read so far.
    pub fn bytes(&self) -> u64 {
        self.base + self.filled as u64
    }

    /// Blocks skipped so far, because their contents are unknown.
    pub fn skipped(&self) -> u64 {
        self.format.as_ref().map_or(0, Format::skipped)
    }

    /// Reads the next packets, as many as arrive with one read or are already available; packets
    /// from a live pipe are returned at once. `batch` is reused. Returns false at the end.
    ///
    /// # Errors
    ///
    /// Like an iterator over a [`Capture`](super::Capture), it returns at most one error, after all
    /// packets that could be read, and then nothing.
    pub fn read(&mut self, batch: &mut Batch) -> Result<bool> {
        batch.packets.clear();
        (batch.before, batch.has_notes) = (self.count, false);
        let mut touched = 0;
        while !self.is_over {
            if let Some(format) = &self.format {
                let filled = self.window.get(..self.filled).unwrap_or_default();
                self.from = format.run(filled, self.from, &mut batch.packets, &mut touched);
            }
            let rest = self.window.get(self.from..self.filled).unwrap_or_default();
            let needs = match self.format.as_mut().map(|format| format.step(rest)) {
                // The last byte of the last item may be the last of all.
                Some(_) if rest.is_empty() => 1,
                Some(Ok(item)) => {
                    batch.packets.extend(item.found.map(|found| found.after(self.from)));
                    if let Some(note) = item.note {
                        batch.has_notes = true;
                        batch.packets.push(note.after(self.from));
                    }
                    self.from = self.from.saturating_add(item.length);
                    continue;
                }
                // An unreadable item is met again, once those before it are returned.
                Some(Err(_)) if !batch.packets.is_empty() => break,
                Some(Err(Stop::Short { needs, .. })) => needs,
                Some(Err(stop)) => return self.stop(stop.error(self.base + self.from as u64)),
                None => super::classic::FILE_HEADER,
            };
            if !batch.packets.is_empty() {
                break;
            }
            if let Err(error) = self.go_on(needs) {
                return self.stop(error);
            }
        }
        std::hint::black_box(touched);
        self.count += match batch.has_notes {
            true => batch.packets.iter().filter(|found| found.is_counted()).count() as u64,
            false => batch.packets.len() as u64,
        };
        self.hand_out(batch);
        Ok(!batch.packets.is_empty())
    }

    /// Takes the window, except for the unread rest.
    fn hand_out(&mut self, batch: &mut Batch) {
        if batch.packets.is_empty() {
            return;
        }
        std::mem::swap(&mut self.window, &mut batch.bytes);
        batch.base = self.base;
        // The padding of the last block may be missing, so `from` may be past the end.
        let done = self.from.min(self.filled);
        let rest = batch.bytes.get(done..self.filled).unwrap_or_default();
        if self.window.len() < rest.len() {
            self.window.resize(rest.len().max(READ), 0);
        }
        if let Some(place) = self.window.get_mut(..rest.len()) {
            place.copy_from_slice(rest);
        }
        (self.from, self.filled) = (self.from - done, rest.len());
        self.base += done as u64;
    }

    /// Reads until this many unexamined bytes are available.
    fn go_on(&mut self, needs: usize) -> Result<()> {
        let is_enough = self
            .fill(needs)
            .map_err(|error| Error::io("continue reading", error).at_offset(self.bytes()))?;
        match self.format {
            None => self.open(),
            Some(_) if is_enough => Ok(()),
            Some(_) => self.end(),
        }
    }

    /// Reads the file's header.
    fn open(&mut self) -> Result<()> {
        let head = self.window.get(self.from..self.filled).unwrap_or_default();
        let (format, length) = Format::of(head)?;
        self.format = Some(format);
        self.from += length;
        Ok(())
    }

    /// The stream has ended: within an item, or after the last one.
    fn end(&mut self) -> Result<()> {
        self.is_over = true;
        let rest = self.window.get(self.from..self.filled).unwrap_or_default();
        match self.format.as_mut().map(|format| format.step(rest)) {
            Some(Err(stop)) if !rest.is_empty() => Err(stop.error(self.base + self.from as u64)),
            _ => Ok(()),
        }
    }

    fn stop(&mut self, error: Error) -> Result<bool> {
        self.is_over = true;
        Err(error)
    }

    /// Reads until this many unconsumed bytes are in the window; returns false if the stream ends
    /// before.
    fn fill(&mut self, needs: usize) -> io::Result<bool> {
        // The padding of the last block may be missing, so `from` may be past the end.
        let done = self.from.min(self.filled);
        self.window.copy_within(done..self.filled, 0);
        (self.from, self.filled) = (self.from - done, self.filled - done);
        self.base += done as u64;
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        // A block is read completely if its beginning is not urgent: small reads make small
        // batches, which cost more.
        let wants = if self.stream.is_live() { needs } else { needs.max(READ / 2) };
        while self.filled < self.from.saturating_add(wants) {
            let size = self.filled + READ;
            if self.window.len() < size {
                self.window.resize(size, 0);
            }
            match self.stream.read(&mut self.window[self.filled..size]) {
                Ok(0) => break,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Reported once everything before it was read.
                Err(error) if self.filled >= self.from.saturating_add(needs) => {
                    self.failed = Some(error);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.filled >= self.from.saturating_add(needs))
    }
}
