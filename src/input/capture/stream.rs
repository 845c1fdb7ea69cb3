//! Captures that come out of a pipe or a decompressor.

use super::{Format, Packet, Stop};
use crate::input::Stream;
use crate::{Error, Result};
use std::io::{self, Read as _};
use std::sync::Arc;

/// What is asked for at a time. A pipe gives what it has.
const READ: usize = 256 << 10;

/// The longest record or block that is put together; packets are far shorter.
const LONGEST: usize = 64 << 20;

/// A capture that is read once, from its first byte to its last. Its memory is a
/// window of the longest record, whatever its length.
#[derive(Debug)]
pub struct CaptureStream {
    stream: Stream,
    window: Vec<u8>,
    /// What of the window is read already, and what of it is filled.
    from: usize,
    filled: usize,
    /// Offset of the window in the capture.
    base: u64,
    format: Option<Format>,
    count: u64,
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
            is_over: false,
        }
    }

    /// What errors and alerts call it.
    pub fn path(&self) -> &Arc<str> {
        self.stream.path()
    }

    /// Bytes that were read so far.
    pub fn bytes(&self) -> u64 {
        self.base + self.filled as u64
    }

    /// The next packet. As an iterator over a [`Capture`](super::Capture) would, it
    /// yields one error at most, and then nothing.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Option<Result<Packet<'_>>> {
        let found = loop {
            if self.is_over {
                return None;
            }
            let rest = self.window.get(self.from..self.filled).unwrap_or_default();
            let needs = match self.format.as_mut().map(|format| format.step(rest)) {
                // The last byte of the last item may be the last of all.
                Some(_) if rest.is_empty() => 1,
                Some(Ok(item)) => {
                    let start = self.from;
                    self.from = self.from.saturating_add(item.length);
                    match item.found {
                        Some(found) => break (start, found),
                        None => continue,
                    }
                }
                Some(Err(Stop::Short { needs, .. })) if needs <= LONGEST => needs,
                Some(Err(stop)) => return self.stop(stop.error(self.base + self.from as u64)),
                None => super::classic::FILE_HEADER,
            };
            match self.fill(needs) {
                Err(error) => {
                    let error = Error::io("cannot read on", error);
                    return self.stop(error.at_offset(self.bytes()));
                }
                Ok(true) if self.format.is_some() => {}
                Ok(is_enough) => match self.ends(is_enough) {
                    Ok(()) => {}
                    Err(error) => return self.stop(error),
                },
            }
        };
        let (start, found) = found;
        self.count += 1;
        let item = self.window.get(start..self.filled).unwrap_or_default();
        Some(Ok(found.packet(item, self.count)))
    }

    /// Reads the header, if it is not read yet; else the stream has ended.
    fn ends(&mut self, is_enough: bool) -> Result<()> {
        let rest = self.window.get(self.from..self.filled).unwrap_or_default();
        let offset = self.base + self.from as u64;
        match &mut self.format {
            None => {
                let (format, length) = Format::of(rest)?;
                self.format = Some(format);
                self.from += length;
                Ok(())
            }
            Some(_) if is_enough => Ok(()),
            Some(format) => {
                self.is_over = true;
                match format.step(rest) {
                    Err(stop) if !rest.is_empty() => Err(stop.error(offset)),
                    _ => Ok(()),
                }
            }
        }
    }

    fn stop(&mut self, error: Error) -> Option<Result<Packet<'_>>> {
        self.is_over = true;
        Some(Err(error))
    }

    /// Reads until so many bytes are in the window behind what is read already;
    /// false if the stream ends before.
    fn fill(&mut self, needs: usize) -> io::Result<bool> {
        // The padding of the last block may be missing: `from` may lie behind.
        let done = self.from.min(self.filled);
        self.window.copy_within(done..self.filled, 0);
        (self.from, self.filled) = (self.from - done, self.filled - done);
        self.base += done as u64;
        while self.filled < self.from.saturating_add(needs) {
            let size = self.filled + READ;
            if self.window.len() < size {
                self.window.resize(size, 0);
            }
            match self.stream.read(&mut self.window[self.filled..size]) {
                Ok(0) => return Ok(false),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}
