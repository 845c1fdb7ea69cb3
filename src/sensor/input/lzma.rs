//! xz and its predecessor, `.lzma`, through liblzma.
//!
//! The crate's own reader loses the output of the call that met the damage. Here it is returned
//! first, as in `xz -dc`, followed by the error.

use liblzma::stream::{Action, CONCATENATED, Error, Status, Stream};
use std::io::{self, BufRead, Read};

/// The memory limit for decoding; `xz -9` needs 65 MiB.
const MEMORY: u64 = 256 << 20;

/// Whether these are the first bytes of `.lzma`, which has no magic number: the usual properties, a
/// dictionary of 2^n or 2^n + 2^(n-1) bytes, and a plausible length (`doc/lzma-file-format.txt` of
/// XZ Utils, 1.1; liblzma requires the same).
pub(super) fn is_lzma(head: &[u8]) -> bool {
    let Some((&[0x5d, a, b, c, d], rest)) = head.split_first_chunk() else { return false };
    let Some(length) = rest.first_chunk() else { return false };
    let dictionary = u32::from_le_bytes([a, b, c, d]);
    let length = u64::from_le_bytes(*length);
    let low = dictionary.trailing_zeros();
    let is_round = low >= 12 && matches!(dictionary.checked_shr(low), Some(1 | 3));
    let is_usual = is_round || dictionary == u32::MAX;
    // The first byte after the header belongs to the range coder, and is always zero.
    is_usual && (length == u64::MAX || length < 1 << 38) && rest.get(8).is_none_or(|&b| b == 0)
}

/// A decoder that returns everything that was intact.
pub(super) struct LzmaReader<R> {
    inner: R,
    stream: Stream,
    /// `.lzma`: the decoder stops at the end of a stream, and what follows is checked here.
    is_alone: bool,
    /// A stream of `.lzma` has ended; another one may follow.
    is_between: bool,
    failed: Option<io::Error>,
    is_over: bool,
}

impl<R: BufRead> LzmaReader<R> {
    pub(super) fn xz(inner: R) -> io::Result<Self> {
        Ok(Self::new(inner, Stream::new_stream_decoder(MEMORY, CONCATENATED)?, false))
    }

    pub(super) fn lzma(inner: R) -> io::Result<Self> {
        Ok(Self::new(inner, Stream::new_lzma_decoder(MEMORY)?, true))
    }

    fn new(inner: R, stream: Stream, is_alone: bool) -> Self {
        LzmaReader { inner, stream, is_alone, is_between: false, failed: None, is_over: false }
    }

    /// Begins the next stream of `.lzma`, if one follows.
    fn next_alone(&mut self) -> io::Result<()> {
        self.is_between = false;
        let rest = self.inner.fill_buf()?;
        if rest.is_empty() {
            self.is_over = true;
        } else if is_lzma(rest) {
            self.stream = Stream::new_lzma_decoder(MEMORY)?;
        } else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "unexpected data after the end",
            ));
        }
        Ok(())
    }

    /// One call of the decoder: how much it returned, and whether it consumed or ended anything.
    fn step(&mut self, buffer: &mut [u8]) -> io::Result<(usize, bool)> {
        let (before_in, before_out) = (self.stream.total_in(), self.stream.total_out());
        let packed = self.inner.fill_buf()?;
        let is_end = packed.is_empty();
        let action = if is_end { Action::Finish } else { Action::Run };
        let result = self.stream.process(packed, buffer, action);
        let taken = (self.stream.total_in() - before_in) as usize;
        let given = (self.stream.total_out() - before_out) as usize;
        self.inner.consume(taken);
        match result {
            Ok(Status::StreamEnd) if self.is_alone => self.is_between = true,
            Ok(Status::StreamEnd) => self.is_over = true,
            Ok(_) if is_end && given == 0 => {
                self.failed = Some(io::ErrorKind::UnexpectedEof.into())
            }
            Ok(_) => {}
            // It cannot continue without more: the data has ended.
            Err(Error::MemLimit) => {
                self.failed = Some(io::Error::other("it requires more than 256 MiB of memory"));
            }
            Err(error) => self.failed = Some(io::Error::from(error)),
        }
        Ok((given, taken > 0))
    }
}

impl<R: BufRead> Read for LzmaReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(error) = self.failed.take() {
                self.is_over = true;
                return Err(error);
            }
            if self.is_between {
                self.next_alone()?;
            }
            if self.is_over {
                return Ok(0);
            }
            let (given, took) = self.step(buffer)?;
            if given > 0 {
                return Ok(given);
            }
            if !took && !self.is_between && !self.is_over && self.failed.is_none() {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }
}
