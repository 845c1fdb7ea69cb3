//! Transparent decompression: gzip, zlib, zstd, bzip2, xz, lzma, lz4.
//!
//! Every format is read to its last member, frame or stream, because rotated logs are appended to
//! each other. An error of a decoder comes after all bytes that could be decoded, and names the
//! format.

use super::lz4::Lz4Reader;
use super::lzma::LzmaReader;
use flate2::bufread::ZlibDecoder;
use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read};

/// The compression formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// gzip, with any number of members.
    Gzip,
    /// zlib (RFC 1950), with any number of streams.
    Zlib,
    /// Zstandard, with any number of frames, skippable ones included.
    Zstd,
    /// bzip2, with any number of streams.
    Bzip2,
    /// xz, with any number of streams.
    Xz,
    /// The LZMA Utils format, `.lzma`, with any number of streams.
    Lzma,
    /// lz4, with any number of frames, including legacy and skippable ones.
    Lz4,
}

/// The buffer before a decoder, in bytes.
const PACKED_BUFFER: usize = 64 << 10;

impl Packing {
    /// The compression that begins with these bytes. Thirteen of them are enough.
    pub fn of(head: &[u8]) -> Option<Packing> {
        match head {
            [0x1f, 0x8b, 8, ..] => Some(Packing::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                Some(Packing::Zstd)
            }
            // `BZh`, the block size, and the magic of the first block or, if there is none, of the
            // end.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => {
                Some(Packing::Bzip2)
            }
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Packing::Xz),
            [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => Some(Packing::Lz4),
            _ if super::lzma::is_lzma(head) => Some(Packing::Lzma),
            _ if is_zlib(head) => Some(Packing::Zlib),
            _ => None,
        }
    }

    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Packing::Gzip => "gzip",
            Packing::Zlib => "zlib",
            Packing::Zstd => "zstd",
            Packing::Bzip2 => "bzip2",
            Packing::Xz => "xz",
            Packing::Lzma => "lzma",
            Packing::Lz4 => "lz4",
        }
    }

    /// Decompresses what `packed` yields.
    pub(super) fn unpack(self, packed: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
        let packed = BufReader::with_capacity(PACKED_BUFFER, packed);
        let decoder: Box<dyn Read + Send> = match self {
            Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
            Packing::Zlib => Box::new(Zlib(Some(ZlibDecoder::new(packed)))),
            Packing::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(packed)?),
            Packing::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
            Packing::Xz => Box::new(LzmaReader::xz(packed)?),
            Packing::Lzma => Box::new(LzmaReader::lzma(packed)?),
            Packing::Lz4 => Box::new(Lz4Reader::new(packed)),
        };
        Ok(Box::new(Unpacked { packing: self, decoder, failed: false }))
    }
}

/// Whether these bytes begin a zlib stream: two bytes are too few to recognise it, so what follows
/// must decompress to something.
fn is_zlib(head: &[u8]) -> bool {
    let [0x78, flags @ (0x01 | 0x5e | 0x9c | 0xda), ..] = *head else { return false };
    debug_assert!((0x78 * 256 + u32::from(flags)).is_multiple_of(31), "RFC 1950, 2.2");
    let mut unpacked = [0; 64];
    let mut inflate = flate2::Decompress::new(true);
    let head = head.get(..1024).unwrap_or(head);
    inflate.decompress(head, &mut unpacked, flate2::FlushDecompress::None).is_ok()
        && inflate.total_out() > 0
}

/// zlib streams, one after the other.
struct Zlib<R>(Option<ZlibDecoder<BufReader<R>>>);

impl<R: Read> Read for Zlib<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(decoder) = &mut self.0 else { return Ok(0) };
            let read = decoder.read(buffer)?;
            // Each round takes a stream, which has bytes, or is the last one.
            if read > 0 || buffer.is_empty() || decoder.get_mut().fill_buf()?.is_empty() {
                return Ok(read);
            }
            self.0 = self.0.take().map(|decoder| ZlibDecoder::new(decoder.into_inner()));
        }
    }
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A decoder whose errors name the format. Once it has failed it stays at its end: some decoders,
/// called again, return made-up bytes.
struct Unpacked {
    packing: Packing,
    decoder: Box<dyn Read + Send>,
    failed: bool,
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failed {
            return Ok(0);
        }
        match self.decoder.read(buffer) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.failed = true;
                Err(explain(self.packing, error))
            }
            result => result,
        }
    }
}

fn explain(packing: Packing, error: io::Error) -> io::Error {
    if error.raw_os_error().is_some() {
        return error; // An error of the disk, not of the data.
    }
    let text = match error.kind() {
        io::ErrorKind::UnexpectedEof => format!("{packing} data is incomplete"),
        _ => format!("damaged {packing} data: {error}"),
    };
    io::Error::new(error.kind(), text)
}
