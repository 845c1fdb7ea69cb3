//! MD5, SHA-1 and SHA-256 of the same bytes, block by block.
//!
//! Each of the three is a chain of dependent steps, MD5's (RFC 1321) the longest; SHA-1 and
//! SHA-256 (FIPS 180-4) have their own instructions. If they alternate block by block, a
//! processor executes steps of one while another waits: all three take 1.55 ns per byte, one
//! after the other 2.27 (`cargo bench --bench digests`). The compression functions are those of
//! the libraries; a separate MD5, written for a shorter chain, was compiled to the same code.

use crate::engine::indicator::Kind;
use crate::engine::packet::Visitor;

/// Bytes of a block, the same for all three.
const BLOCK: usize = 64;

/// Offset of the length in the last block.
const LENGTH_AT: usize = BLOCK - size_of::<u64>();

/// RFC 1321, 3.3.
const MD5: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// FIPS 180-4, 5.3.1.
const SHA1: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

/// FIPS 180-4, 5.3.3.
const SHA256: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The digests that are wanted, of the bytes so far.
#[derive(Clone, Debug)]
pub struct Digests {
    md5: Option<[u32; 4]>,
    sha1: Option<[u32; 5]>,
    sha256: Option<[u32; 8]>,
    length: u64,
    /// The incomplete block.
    open: [u8; BLOCK],
}

/// The digests of all bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digested {
    /// MD5, if it was wanted.
    pub md5: Option<[u8; 16]>,
    /// SHA-1.
    pub sha1: Option<[u8; 20]>,
    /// SHA-256.
    pub sha256: Option<[u8; 32]>,
}

impl Digests {
    /// A new state for the chosen digests.
    pub fn new(md5: bool, sha1: bool, sha256: bool) -> Self {
        Digests {
            md5: md5.then_some(MD5),
            sha1: sha1.then_some(SHA1),
            sha256: sha256.then_some(SHA256),
            length: 0,
            open: [0; BLOCK],
        }
    }

    /// Those that a visitor wants; `None` if it wants none.
    pub(super) fn wanted(visitor: &impl Visitor) -> Option<Box<Digests>> {
        let [md5, sha1, sha256] =
            [Kind::Md5, Kind::Sha1, Kind::Sha256].map(|kind| visitor.wants(kind));
        (md5 || sha1 || sha256).then(|| Box::new(Digests::new(md5, sha1, sha256)))
    }

    /// The next bytes.
    pub fn update(&mut self, data: &[u8]) {
        let begun = (self.length % BLOCK as u64) as usize;
        self.length = self.length.wrapping_add(data.len() as u64);
        let mut rest = data;
        if begun > 0 {
            let (begin, after) = rest.split_at(rest.len().min(BLOCK - begun));
            self.open[begun..begun + begin.len()].copy_from_slice(begin);
            if begun + begin.len() < BLOCK {
                return;
            }
            let block = self.open;
            self.compress(&[block]);
            rest = after;
        }
        let (blocks, rest) = rest.as_chunks();
        self.compress(blocks);
        self.open[..rest.len()].copy_from_slice(rest);
    }

    fn compress(&mut self, blocks: &[[u8; BLOCK]]) {
        let Digests { md5, sha1, sha256, .. } = self;
        let wanted = [md5.is_some(), sha1.is_some(), sha256.is_some()];
        // A single digest need not alternate.
        let turn =
            if wanted.into_iter().filter(|&wanted| wanted).count() > 1 { 1 } else { usize::MAX };
        for blocks in blocks.chunks(turn) {
            if let Some(state) = sha1 {
                sha1::block_api::compress(state, blocks);
            }
            if let Some(state) = sha256 {
                sha2::block_api::compress256(state, blocks);
            }
            if let Some(state) = md5 {
                md5::block_api::compress(state, blocks);
            }
        }
    }

    /// The digests of all bytes (RFC 1321, 3.1 to 3.5; FIPS 180-4, 5.1.1).
    pub fn finish(mut self) -> Digested {
        let begun = (self.length % BLOCK as u64) as usize;
        let bits = self.length.wrapping_mul(u64::from(u8::BITS));
        let mut last = self.open;
        last[begun] = 0x80;
        last[begun + 1..].fill(0);
        if begun + 1 > LENGTH_AT {
            self.compress(&[last]);
            last = [0; BLOCK];
        }
        // MD5 writes numbers in little-endian order, the others in big-endian order.
        let with = |length: [u8; 8]| {
            let mut block = last;
            block[LENGTH_AT..].copy_from_slice(&length);
            [block]
        };
        let md5 = self.md5.map(|mut state| {
            md5::block_api::compress(&mut state, &with(bits.to_le_bytes()));
            bytes(&state, u32::to_le_bytes)
        });
        let sha1 = self.sha1.map(|mut state| {
            sha1::block_api::compress(&mut state, &with(bits.to_be_bytes()));
            bytes(&state, u32::to_be_bytes)
        });
        let sha256 = self.sha256.map(|mut state| {
            sha2::block_api::compress256(&mut state, &with(bits.to_be_bytes()));
            bytes(&state, u32::to_be_bytes)
        });
        Digested { md5, sha1, sha256 }
    }
}

/// The words of a state as bytes, four per word.
fn bytes<const N: usize>(words: &[u32], bytes: impl Fn(u32) -> [u8; 4]) -> [u8; N] {
    let mut all = [0; N];
    for (place, &word) in all.as_chunks_mut().0.iter_mut().zip(words) {
        *place = bytes(word);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha1::Digest as _;

    fn of(data: &[u8]) -> Digested {
        Digested {
            md5: Some(md5::Md5::digest(data).into()),
            sha1: Some(sha1::Sha1::digest(data).into()),
            sha256: Some(sha2::Sha256::digest(data).into()),
        }
    }

    fn in_pieces(mut digests: Digests, data: &[u8], piece: usize) -> Digested {
        data.chunks(piece).for_each(|piece| digests.update(piece));
        digests.finish()
    }

    #[test]
    fn as_each_alone_at_every_length() {
        let data: Vec<u8> = (0..=255).cycle().take(4 * BLOCK + 3).collect();
        for length in 0..=data.len() {
            let data = &data[..length];
            for piece in [1, 7, 55, 56, 63, 64, 65, 128, 1000] {
                assert_eq!(in_pieces(Digests::new(true, true, true), data, piece), of(data));
            }
        }
    }

    proptest! {
        #[test]
        fn as_each_alone_in_any_pieces(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20),
            (md5, sha1, sha256) in any::<(bool, bool, bool)>(),
        ) {
            let mut digests = Digests::new(md5, sha1, sha256);
            pieces.iter().for_each(|piece| digests.update(piece));
            let want = of(&pieces.concat());
            let want = Digested {
                md5: want.md5.filter(|_| md5),
                sha1: want.sha1.filter(|_| sha1),
                sha256: want.sha256.filter(|_| sha256),
            };
            prop_assert_eq!(digests.finish(), want);
        }
    }
}
