//! Content codings of bodies, decoded as they stream: gzip, deflate, Brotli, Zstandard.
//!
//! Bounded twice: the memory of a decoder (its window) counts as held memory, and its output is
//! bounded by [`InflateBudget`], for each body and for the whole run.

mod budget;
mod undo;

pub(in crate::engine::packet) use budget::{InflateBudget, Spent};
pub(in crate::engine::packet) use undo::undo;

use crate::engine::packet::Fault;
use crate::engine::progress::bound;
use brotli_decompressor::{
    BrotliDecompressStream, BrotliResult, BrotliState, SliceWrapper, StandardAlloc,
};
use flate2::{Decompress, FlushDecompress, Status};
use std::fmt;
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

/// Bytes that are decompressed at a time.
const PIECE: usize = bound(16 << 10, 64);

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Windows: deflate's is 32 KiB (RFC 1951), that of Zstandard in HTTP at most 8 MiB (RFC 9659),
/// Brotli's at most 16 MiB (RFC 7932, 9.1).
const DEFLATE_WEIGHT: usize = 48 << 10;
const ZSTD_WINDOW_LOG: u32 = 23;

/// What the decoders hold besides the window, from the start. Brotli: itself, seven tables of
/// codes and the context maps. Zstandard: its own state, and two blocks.
const BROTLI_WEIGHT: usize = size_of::<Brotli>() + (48 << 10);
const ZSTD_WEIGHT: usize = 96 << 10;
const ZSTD_BLOCK: usize = 128 << 10;

type Brotli = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

/// A content coding that is being decoded.
pub(in crate::engine::packet) struct Coding {
    machine: Machine,
}

enum Machine {
    /// The first two bytes show whether it is zlib (RFC 1950), which the name stands for, or raw
    /// deflate, which is sent under the same name.
    DeflateStart(Option<u8>),
    Deflate(Box<Decompress>),
    Gzip(Box<Decompress>),
    /// After a gzip member another one may follow, or padding (RFC 1952, 2.2).
    GzipEnd(Option<u8>),
    /// With the size of its window, once that is known.
    Brotli(Box<Brotli>, usize),
    /// With the size of its window, and whether a frame is about to begin.
    Zstd(Box<Decoder<'static>>, usize, bool),
    /// What follows the end is not content.
    Over,
}

/// The result of one step of a machine.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    taken: usize,
    given: usize,
    is_end: bool,
}

impl fmt::Debug for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.machine {
            Machine::DeflateStart(_) | Machine::Deflate(_) => "deflate",
            Machine::Gzip(_) | Machine::GzipEnd(_) => "gzip",
            Machine::Brotli(..) => "br",
            Machine::Zstd(..) => "zstd",
            Machine::Over => "over",
        };
        write!(f, "Coding({name})")
    }
}

impl Coding {
    /// The coding of a name in `Content-Encoding` (RFC 9110, 8.4.1; RFC 7932; RFC 8878), or
    /// `None` if it is unknown.
    pub(in crate::engine::packet) fn named(name: &[u8]) -> Option<Coding> {
        let is = |names: &[&str]| names.iter().any(|n| name.eq_ignore_ascii_case(n.as_bytes()));
        let machine = if is(&["gzip", "x-gzip"]) {
            Machine::Gzip(gunzip())
        } else if is(&["deflate"]) {
            Machine::DeflateStart(None)
        } else if is(&["br"]) {
            let alloc = StandardAlloc::default;
            // Larger windows than those of HTTP are refused.
            Machine::Brotli(Box::new(BrotliState::new_strict(alloc(), alloc(), alloc())), 0)
        } else if is(&["zstd"]) {
            let mut decoder = Decoder::new().ok()?;
            decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG)).ok()?;
            Machine::Zstd(Box::new(decoder), 0, true)
        } else {
            return None;
        };
        Some(Coding { machine })
    }

    /// Bytes that are held for it.
    pub(in crate::engine::packet) fn weight(&self) -> usize {
        match &self.machine {
            Machine::DeflateStart(_) | Machine::GzipEnd(_) | Machine::Over => 0,
            Machine::Deflate(_) | Machine::Gzip(_) => DEFLATE_WEIGHT,
            Machine::Brotli(state, window) => BROTLI_WEIGHT + brotli_codes(state) + *window,
            Machine::Zstd(_, window, _) => ZSTD_WEIGHT + *window + 2 * ZSTD_BLOCK.min(*window),
        }
    }

    /// Decompresses the next bytes, and passes them on in pieces.
    ///
    /// # Errors
    ///
    /// The fault for which the rest of the body cannot be decoded, or the error of the receiver.
    /// It is returned once.
    pub(in crate::engine::packet) fn push(
        &mut self,
        mut data: &[u8],
        out: &mut dyn FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut piece = [0; PIECE];
        while !data.is_empty() && !matches!(self.machine, Machine::Over) {
            // A full piece means that more output may wait, even if there is no input left.
            loop {
                let step = self.machine.step(data, &mut piece).and_then(|step| {
                    let given = piece.get(..step.given).unwrap_or_default();
                    if given.is_empty() { Ok(step) } else { out(given).map(|()| step) }
                });
                let step = step.inspect_err(|_| self.machine = Machine::Over)?;
                data = data.get(step.taken..).unwrap_or_default();
                if step.is_end {
                    let is_gzip = matches!(self.machine, Machine::Gzip(_));
                    self.machine = if is_gzip { Machine::GzipEnd(None) } else { Machine::Over };
                }
                if step.given < PIECE {
                    // No input consumed and no output produced: there is no progress to be made.
                    if step.taken == 0 && step.given == 0 && !step.is_end {
                        return Ok(());
                    }
                    break;
                }
            }
        }
        Ok(())
    }
}

impl Machine {
    fn step(&mut self, data: &[u8], piece: &mut [u8; PIECE]) -> Result<Step, Fault> {
        match self {
            Machine::Over => Ok(Step::default()),
            Machine::DeflateStart(first) => {
                let Some(&byte) = data.first() else { return Ok(Step::default()) };
                match first.replace(byte) {
                    None => Ok(Step { taken: 1, ..Step::default() }),
                    Some(first) => {
                        // RFC 1950, 2.2: the method is deflate, and a check over both bytes.
                        let is_zlib =
                            first & 15 == 8 && u16::from_be_bytes([first, byte]).is_multiple_of(31);
                        let mut inflate = Box::new(Decompress::new(is_zlib));
                        let step = inflated(&mut inflate, &[first, byte], piece)?;
                        *self = Machine::Deflate(inflate);
                        // The first of the two was consumed before.
                        Ok(Step { taken: 1, ..step })
                    }
                }
            }
            Machine::GzipEnd(first) => {
                let Some(&byte) = data.first() else { return Ok(Step::default()) };
                match first.replace(byte) {
                    None if byte == GZIP_MAGIC[0] => {}
                    Some(_) if byte == GZIP_MAGIC[1] => {
                        let mut inflate = gunzip();
                        inflated(&mut inflate, &GZIP_MAGIC, piece)?;
                        *self = Machine::Gzip(inflate);
                    }
                    _ => *self = Machine::Over,
                }
                Ok(Step { taken: 1, ..Step::default() })
            }
            Machine::Deflate(inflate) | Machine::Gzip(inflate) => inflated(inflate, data, piece),
            Machine::Brotli(state, window) => {
                if *window == 0 {
                    *window = brotli_window(data);
                }
                unbrotli(state, data, piece)
            }
            Machine::Zstd(decoder, window, is_start) => {
                // Another frame may follow, with a larger window.
                if *is_start && !data.is_empty() {
                    *window = zstd_window(data).max(*window);
                    *is_start = false;
                }
                let mut input = InBuffer::around(data);
                let mut output = OutBuffer::around(&mut piece[..]);
                let hint = decoder.run(&mut input, &mut output).map_err(|_| Fault::BadCoding)?;
                *is_start |= hint == 0;
                let given = output.pos();
                Ok(Step { taken: input.pos(), given, is_end: false })
            }
        }
    }
}

fn gunzip() -> Box<Decompress> {
    Box::new(Decompress::new_gzip(15))
}

fn inflated(inflate: &mut Decompress, data: &[u8], piece: &mut [u8; PIECE]) -> Result<Step, Fault> {
    let (taken, given) = (inflate.total_in(), inflate.total_out());
    let status =
        inflate.decompress(data, piece, FlushDecompress::None).map_err(|_| Fault::BadCoding)?;
    Ok(Step {
        taken: (inflate.total_in() - taken) as usize,
        given: (inflate.total_out() - given) as usize,
        is_end: status == Status::StreamEnd,
    })
}

fn unbrotli(state: &mut Brotli, data: &[u8], piece: &mut [u8; PIECE]) -> Result<Step, Fault> {
    let (mut left, mut taken, mut room, mut given) = (data.len(), 0, PIECE, 0);
    let result = BrotliDecompressStream(
        &mut left, &mut taken, data, &mut room, &mut given, piece, &mut 0, state,
    );
    match result {
        BrotliResult::ResultFailure => Err(Fault::BadCoding),
        result => {
            let is_end = matches!(result, BrotliResult::ResultSuccess);
            Ok(Step { taken, given, is_end })
        }
    }
}

/// Bytes of the codes of a meta-block: one code for each of up to 256 types of each category.
fn brotli_codes(state: &Brotli) -> usize {
    let groups = [&state.literal_hgroup, &state.insert_copy_hgroup, &state.distance_hgroup];
    groups.iter().map(|group| size_of_val(group.codes.slice())).sum()
}

/// The window that a Brotli stream announces in its first bits (RFC 7932, 9.1).
fn brotli_window(data: &[u8]) -> usize {
    let bits = data.first().copied().unwrap_or_default();
    let log = match (bits & 1, bits >> 1 & 7, bits >> 4 & 7) {
        (0, ..) => 16,
        (_, 0, 0) => 17,
        (_, 0, low) => 8 + u32::from(low),
        (_, high, _) => 17 + u32::from(high),
    };
    1 << log.clamp(10, 24)
}

/// The window that a Zstandard frame announces (RFC 8878, 3.1.1.1); the largest if the bytes for
/// it are missing.
fn zstd_window(data: &[u8]) -> usize {
    let max = 1 << ZSTD_WINDOW_LOG;
    match data {
        [0x28, 0xb5, 0x2f, 0xfd, descriptor, window, ..] if descriptor & 0x20 == 0 => {
            let base = 1_usize << (10 + (window >> 3));
            (base + (base >> 3) * usize::from(window & 7)).min(max)
        }
        _ => max,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write as _;

    /// A Brotli stream of uncompressed meta-blocks (RFC 7932, 9.2), because no encoder is
    /// available.
    fn brotli(content: &[u8]) -> Vec<u8> {
        // Window of 16 bits: a zero bit. Then for each block: not last, four nibbles of
        // its length less one, uncompressed; aligned to bytes.
        let mut out = Vec::new();
        for (at, block) in content.chunks(1 << 14).enumerate() {
            let length = block.len() as u32 - 1;
            let bits = length << 3 | 1 << 19;
            // The first block begins after the bit of the window.
            let bits = if at == 0 { bits << 1 } else { bits };
            out.extend_from_slice(&bits.to_le_bytes()[..3]);
            out.extend_from_slice(block);
        }
        // An empty last block.
        out.push(if content.is_empty() { 0b110 } else { 0b11 });
        out
    }

    fn pack(name: &str, content: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::best();
        let wrote = |outcome: std::io::Result<Vec<u8>>| outcome.unwrap();
        match name {
            "gzip" => {
                let mut to = flate2::write::GzEncoder::new(Vec::new(), level);
                to.write_all(content).unwrap();
                wrote(to.finish())
            }
            "zlib" => {
                let mut to = flate2::write::ZlibEncoder::new(Vec::new(), level);
                to.write_all(content).unwrap();
                wrote(to.finish())
            }
            "bare" => {
                let mut to = flate2::write::DeflateEncoder::new(Vec::new(), level);
                to.write_all(content).unwrap();
                wrote(to.finish())
            }
            "zstd" => wrote(zstd::encode_all(content, 1)),
            _ => brotli(content),
        }
    }

    fn name_of(name: &str) -> &str {
        if matches!(name, "zlib" | "bare") { "deflate" } else { name }
    }

    fn unpack(name: &str, pieces: &[&[u8]]) -> (Vec<u8>, Result<(), Fault>) {
        let mut coding = Coding::named(name.as_bytes()).unwrap();
        let mut out = Vec::new();
        for piece in pieces {
            let mut keep = |bytes: &[u8]| {
                out.extend_from_slice(bytes);
                Ok(())
            };
            if let Err(fault) = coding.push(piece, &mut keep) {
                assert_eq!(coding.push(piece, &mut |_| panic!("after a fault")), Ok(()));
                return (out, Err(fault));
            }
        }
        (out, Ok(()))
    }

    const NAMES: [&str; 5] = ["gzip", "zlib", "bare", "zstd", "br"];

    proptest! {
        #[test]
        fn any_pieces_give_the_content(
            content in prop::collection::vec(0..4_u8, 0..70_000),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
            which in 0..NAMES.len(),
        ) {
            let packed = pack(NAMES[which], &content);
            let mut cuts: Vec<usize> = cuts.iter().map(|at| at.index(packed.len() + 1)).collect();
            cuts.push(packed.len());
            cuts.sort_unstable();
            let mut from = 0;
            let pieces: Vec<&[u8]> = cuts
                .into_iter()
                .map(|to| &packed[std::mem::replace(&mut from, to)..to])
                .collect();
            let (got, outcome) = unpack(name_of(NAMES[which]), &pieces);
            prop_assert_eq!(outcome, Ok(()));
            prop_assert!(got == content, "{} of {} bytes", got.len(), content.len());
        }

        #[test]
        fn any_bytes_end(data in prop::collection::vec(any::<u8>(), 0..400), which in 0..4_usize) {
            let name = ["gzip", "deflate", "zstd", "br"][which];
            let (got, _) = unpack(name, &[&data]);
            prop_assert!(got.len() < 64 << 20);
        }
    }

    #[test]
    fn every_byte_alone() {
        let content: Vec<u8> = (0..5000_u32).flat_map(|n| (n % 700).to_le_bytes()).collect();
        for name in NAMES {
            let packed = pack(name, &content);
            let pieces: Vec<&[u8]> = packed.chunks(1).collect();
            assert_eq!(unpack(name_of(name), &pieces), (content.clone(), Ok(())), "{name}");
        }
    }

    #[test]
    fn members_and_padding() {
        let mut packed = pack("gzip", b"one ");
        packed.extend(pack("gzip", b"two"));
        packed.extend([0; 20]);
        assert_eq!(unpack("gzip", &[&packed]), (b"one two".to_vec(), Ok(())));
        assert_eq!(unpack("x-gzip", &[&pack("gzip", b"x")]).0, b"x");
    }

    #[test]
    fn the_receiver_can_end_the_decompression() {
        let zeros = vec![0; 8 << 20];
        for name in ["gzip", "zlib", "bare", "zstd"] {
            let packed = pack(name, &zeros);
            let mut coding = Coding::named(name_of(name).as_bytes()).unwrap();
            let mut got = 0;
            let outcome = coding.push(&packed, &mut |bytes| {
                got += bytes.len();
                if got > 1 << 20 { Err(Fault::CodingBomb) } else { Ok(()) }
            });
            assert_eq!(outcome, Err(Fault::CodingBomb), "{name}");
            assert!(got <= (1 << 20) + PIECE, "{name}: {got}");
            assert_eq!(coding.push(&packed, &mut |_| panic!("after a fault")), Ok(()));
        }
    }

    #[test]
    fn damage_is_reported() {
        for name in ["gzip", "deflate", "zstd", "br"] {
            let (_, outcome) = unpack(name, &[&[0xff; 64]]);
            assert_eq!(outcome, Err(Fault::BadCoding), "{name}");
        }
        assert!(Coding::named(b"rot13").is_none());
    }

    /// All memory counts: decoders without input, codes, and the window of any frame.
    #[test]
    fn all_memory_of_a_decoder_counts() {
        let coding = |name: &[u8]| Coding::named(name).unwrap();
        assert!(coding(b"zstd").weight() >= 90 << 10);
        assert!(coding(b"br").weight() >= 32 << 10);
        let frame = |window: u8| [0x28, 0xb5, 0x2f, 0xfd, 0, window, 1, 0, 0];
        for cut in [0, 4, 9, 12] {
            let mut two = coding(b"zstd");
            let bytes = [frame(0), frame(0x68)].concat();
            for part in [&bytes[..cut], &bytes[cut..]] {
                two.push(part, &mut |_| panic!("they are empty")).unwrap();
            }
            assert!(two.weight() > 8 << 20, "{cut}");
        }
        // A window that only the large-window variant of Brotli has.
        let large = coding(b"br").push(&[0x11, 0x1e, 0, 0], &mut |_| Ok(()));
        assert_eq!(large, Err(Fault::BadCoding));
    }

    #[test]
    fn window_sizes_are_those_of_the_formats() {
        // RFC 7932, 9.1: 16, 24, 17 and 10 bits.
        let logs: Vec<_> =
            [0b0, 0b1111, 0b1, 0b010_0001].map(|byte| brotli_window(&[byte]).ilog2()).into();
        assert_eq!(logs, [16, 24, 17, 10]);
        assert_eq!(zstd_window(&[0x28, 0xb5, 0x2f, 0xfd, 0, 0b0_1000]), 2048);
        assert_eq!(zstd_window(&[0x28, 0xb5, 0x2f, 0xfd, 0, 0xff]), 8 << 20);
        assert_eq!(zstd_window(&[]), 8 << 20);
    }
}
