//! lz4 frames (`lz4_Frame_format.md` of the reference implementation, 1.6.4).
//!
//! The crate decompresses blocks. Its own frame reader accepts a file that is cut off between two
//! blocks, and stops at a skippable frame and at a second legacy frame.

use std::io::{self, Read};
use xxhash_rust::xxh32::{Xxh32, xxh32};

const FRAME: u32 = 0x184d_2204;
const LEGACY: u32 = 0x184c_2102;
const SKIPPABLE: u32 = 0x184d_2a50;

/// The size of a block in a legacy frame, and the maximum compressed size.
const LEGACY_BLOCK: usize = 8 << 20;
const LEGACY_PACKED: usize = LEGACY_BLOCK + LEGACY_BLOCK / 255 + 16;

/// How far back a block may refer.
const WINDOW: usize = 64 << 10;

/// The position of the reader.
enum State {
    Between,
    Frame(Frame),
    Legacy,
    Over,
}

/// The settings in the descriptor of a frame.
struct Frame {
    block: usize,
    is_linked: bool,
    has_block_checksums: bool,
    checksum: Option<Xxh32>,
}

/// A decoder that reads every frame.
pub(super) struct Lz4Reader<R> {
    inner: R,
    state: State,
    packed: Vec<u8>,
    /// Decompressed bytes are in here from `at` to `end`. It is never cleared: a block may need
    /// megabytes, even if thousands of them contain only a few bytes each.
    out: Vec<u8>,
    at: usize,
    end: usize,
    /// The last bytes of previous blocks, for blocks that refer to them, and some before.
    window: Vec<u8>,
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_string())
}

impl<R: Read> Lz4Reader<R> {
    pub(super) fn new(inner: R) -> Self {
        Lz4Reader {
            inner,
            state: State::Between,
            packed: Vec::new(),
            out: Vec::new(),
            at: 0,
            end: 0,
            window: Vec::new(),
        }
    }

    /// The next number, or `None` at the end.
    fn number(&mut self) -> io::Result<Option<u32>> {
        let mut bytes = [0; 4];
        let mut filled = 0;
        while filled < bytes.len() {
            match self.inner.read(&mut bytes[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(u32::from_le_bytes(bytes)))
    }

    fn must_number(&mut self) -> io::Result<u32> {
        self.number()?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Reads the magic number of a frame, and what belongs to it.
    fn begin(&mut self, magic: u32) -> io::Result<()> {
        self.state = match magic {
            FRAME => State::Frame(self.descriptor()?),
            LEGACY => State::Legacy,
            _ if magic & 0xffff_fff0 == SKIPPABLE => {
                let length = u64::from(self.must_number()?);
                let skipped = io::copy(&mut (&mut self.inner).take(length), &mut io::sink())?;
                if skipped < length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                State::Between
            }
            _ => return Err(damaged("unexpected data after the end")),
        };
        Ok(())
    }

    fn descriptor(&mut self) -> io::Result<Frame> {
        let mut bytes = vec![0; 2];
        self.inner.read_exact(&mut bytes)?;
        let (flags, sizes) = (bytes[0], bytes[1]);
        if flags >> 6 != 1 {
            return Err(damaged("an unknown version"));
        }
        let has = |bit: u8| flags & bit != 0;
        let more = if has(8) { 8 } else { 0 } + if has(1) { 4 } else { 0 };
        bytes.resize(2 + more + 1, 0);
        self.inner.read_exact(&mut bytes[2..])?;
        let (check, checked) = bytes.split_last().unwrap_or((&0, &[]));
        if (xxh32(checked, 0) >> 8) as u8 != *check {
            return Err(damaged("wrong checksum of a header"));
        }
        if has(1) {
            return Err(damaged("it requires a dictionary"));
        }
        let block = match sizes >> 4 & 7 {
            size @ 4..=7 => 1 << (8 + 2 * size),
            _ => return Err(damaged("an unknown block size")),
        };
        self.window.clear();
        Ok(Frame {
            block,
            is_linked: !has(32),
            has_block_checksums: has(16),
            checksum: has(4).then(|| Xxh32::new(0)),
        })
    }

    /// Reads a block's compressed bytes.
    fn read_packed(&mut self, length: usize) -> io::Result<()> {
        self.packed.resize(length, 0);
        self.inner.read_exact(&mut self.packed)
    }

    /// Makes room for this many decompressed bytes.
    fn make_room(&mut self, length: usize) {
        if self.out.len() < length {
            self.out.resize(length, 0);
        }
    }

    fn unpack(&mut self, block: usize, dictionary: bool) -> io::Result<()> {
        self.make_room(block);
        let known = self.window.len().saturating_sub(WINDOW);
        let window = if dictionary { &self.window[known..] } else { &[] };
        let room = &mut self.out[..block];
        let unpacked = lz4_flex::block::decompress_into_with_dict(&self.packed, room, window);
        self.end = unpacked.map_err(|error| damaged(&error.to_string()))?;
        Ok(())
    }

    /// The next block of a frame, or its end.
    fn block(&mut self, mut frame: Frame) -> io::Result<()> {
        let size = self.must_number()?;
        if size == 0 {
            if let Some(checksum) = frame.checksum
                && self.must_number()? != checksum.digest()
            {
                return Err(damaged("wrong checksum of a frame"));
            }
            return Ok(());
        }
        let (length, is_plain) = ((size & 0x7fff_ffff) as usize, size >> 31 == 1);
        if length > frame.block {
            return Err(damaged("a block is too long"));
        }
        self.read_packed(length)?;
        if frame.has_block_checksums && self.must_number()? != xxh32(&self.packed, 0) {
            return Err(damaged("wrong checksum of a block"));
        }
        if is_plain {
            self.make_room(length);
            self.out[..length].copy_from_slice(&self.packed);
            self.end = length;
        } else {
            self.unpack(frame.block, frame.is_linked)?;
        }
        if let Some(checksum) = &mut frame.checksum {
            checksum.update(&self.out[..self.end]);
        }
        if frame.is_linked {
            self.slide();
        }
        self.state = State::Frame(frame);
        Ok(())
    }

    /// Moves the window to the end of the decompressed block.
    fn slide(&mut self) {
        let new = &self.out[self.end.saturating_sub(WINDOW)..self.end];
        self.window.extend_from_slice(new);
        // Not after each of many short blocks.
        if self.window.len() > 2 * WINDOW {
            self.window.drain(..self.window.len() - WINDOW);
        }
    }

    /// The next block of a legacy frame, which ends at the end of the data or where another frame
    /// begins.
    fn legacy_block(&mut self) -> io::Result<()> {
        let Some(size) = self.number()? else { return Ok(()) };
        if matches!(size, FRAME | LEGACY) || size & 0xffff_fff0 == SKIPPABLE {
            return self.begin(size);
        }
        if size as usize > LEGACY_PACKED {
            return Err(damaged("a block is too long"));
        }
        self.read_packed(size as usize)?;
        self.unpack(LEGACY_BLOCK, false)?;
        self.state = State::Legacy;
        Ok(())
    }

    /// Reads a magic number, a block or an end: always at least one byte.
    fn fill(&mut self) -> io::Result<()> {
        (self.at, self.end) = (0, 0);
        match std::mem::replace(&mut self.state, State::Over) {
            State::Between => match self.number()? {
                Some(magic) => self.begin(magic)?,
                None => return Ok(()),
            },
            State::Frame(frame) => {
                self.state = State::Between;
                self.block(frame)?;
            }
            State::Legacy => self.legacy_block()?,
            State::Over => {}
        }
        Ok(())
    }
}

impl<R: Read> Read for Lz4Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.end && !matches!(self.state, State::Over) {
            self.fill()?;
        }
        let given = buffer.len().min(self.end - self.at);
        buffer[..given].copy_from_slice(&self.out[self.at..self.at + given]);
        self.at += given;
        Ok(given)
    }
}
