//! Compression that is seen through: gzip, zstd, bzip2, xz.
//!
//! Every format is read to its last member, frame or stream, because rotated
//! logs are appended to each other. An error of a decoder comes after all bytes
//! that could be decoded, and names the format.

use std::fmt;
use std::io::{self, BufReader, Read};

/// How bytes are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// gzip, with any number of members.
    Gzip,
    /// Zstandard, with any number of frames, skippable ones included.
    Zstd,
    /// bzip2, with any number of streams.
    Bzip2,
    /// xz, with any number of streams.
    Xz,
}

/// What an xz header may make us allocate; `xz -9` asks for 65 MiB.
const XZ_MEMORY: u64 = 256 << 20;

/// The buffer in front of a decoder, in bytes.
const PACKED_BUFFER: usize = 64 << 10;

impl Packing {
    /// The packing that begins with these bytes. Ten of them are enough.
    pub fn of(head: &[u8]) -> Option<Packing> {
        match head {
            [0x1f, 0x8b, 8, ..] => Some(Packing::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                Some(Packing::Zstd)
            }
            // `BZh`, the block size, and the magic of the first block or, when
            // there is none, of the end.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => {
                Some(Packing::Bzip2)
            }
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Packing::Xz),
            _ => None,
        }
    }

    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
            Packing::Bzip2 => "bzip2",
            Packing::Xz => "xz",
        }
    }

    /// Unpacks what `packed` yields.
    pub(super) fn unpack(self, packed: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
        let packed = BufReader::with_capacity(PACKED_BUFFER, packed);
        let decoder: Box<dyn Read + Send> = match self {
            Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
            Packing::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(packed)?),
            Packing::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
            Packing::Xz => {
                let flags = liblzma::stream::CONCATENATED;
                let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, flags)?;
                Box::new(liblzma::bufread::XzDecoder::new_stream(packed, stream))
            }
        };
        Ok(Box::new(Unpacked { packing: self, decoder, failed: false }))
    }
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A decoder whose errors say what was being decoded. Once it has failed it is
/// at its end: some decoders, asked again, invent bytes.
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
        return error; // The disk's trouble, not the data's.
    }
    let text = match error.kind() {
        io::ErrorKind::UnexpectedEof => format!("{packing} data ends in the middle"),
        _ => format!("damaged {packing} data: {error}"),
    };
    io::Error::new(error.kind(), text)
}
