//! Bodies that are small on the wire but need much memory, built by hand: no legitimate encoder
//! produces them.

/// Bits, starting with the lowest of each byte, as in Brotli (RFC 7932, 1.5.1).
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        for at in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.len() - 1;
            self.bytes[last] |= ((value >> at & 1) as u8) << (self.used % 8);
            self.used += 1;
        }
    }

    /// A prefix code of one symbol (RFC 7932, 3.4): reading it then takes no bits.
    fn code(&mut self, symbol: u32, bits: u32) {
        self.put(1, 2);
        self.put(0, 2);
        self.put(symbol, bits);
    }

    /// The window: 24 bits, or 30 in the large-window form that browsers reject.
    fn window(&mut self, is_large: bool) {
        if is_large {
            self.put(0b001_0001, 8);
            self.put(30, 6);
        } else {
            self.put(0b1111, 4);
        }
    }

    /// A meta-block of this many bytes that is not the last one.
    fn block(&mut self, length: u32) {
        self.put(0, 1);
        self.put(2, 2);
        self.put(length - 1, 24);
        self.put(0, 1);
    }
}

/// Brotli that expands some thirty bytes to this many zeros, and does not end.
pub fn brotli_zeros(length: u32, is_large: bool) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.window(is_large);
    // One byte more than follows, so that the decoder waits.
    bits.block(length + 2);
    // One block type per category; no postfix, no direct distances; one context.
    bits.put(0, 3);
    bits.put(0, 6);
    bits.put(0, 2);
    bits.put(0, 2);
    bits.code(0, 8);
    // One literal, then a copy of 2118 bytes plus the value of 24 bits.
    bits.code(399, 10);
    // Distance code 16 means one or two bytes back. A larger window has more codes.
    bits.code(16, if is_large { 8 } else { 6 });
    bits.put(length - 1 - 2118, 24);
    bits.put(0, 1);
    bits.bytes
}

/// Brotli with the maximum number of command block types, each with its own code.
pub fn brotli_types() -> Vec<u8> {
    let mut bits = Bits::default();
    // The smallest window.
    bits.put(0b010_0001, 7);
    bits.block(1 << 22);
    bits.put(0, 1);
    // 256 types (RFC 7932, 9.2), which alternate after a block of the longest kind.
    bits.put(0b111_1111_1111, 11);
    bits.code(0, 9);
    bits.code(25, 5);
    bits.put(0xff_ffff, 24);
    bits.put(0, 1);
    bits.put(0, 6);
    bits.put(0, 2);
    bits.put(0, 2);
    bits.code(0, 8);
    for _ in 0..256 {
        bits.code(399, 10);
    }
    bits.bytes
}

/// A Zstandard frame (RFC 8878, 3.1) with this many blocks of 128 KiB zeros, four bytes each, in
/// a window of 8 MiB. It ends only if it has a last block.
pub fn zstd_zeros(blocks: usize) -> Vec<u8> {
    let mut bytes = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3];
    for _ in 0..blocks {
        let header = (128_u32 << 10) << 3 | 1 << 1;
        bytes.extend(&header.to_le_bytes()[..3]);
        bytes.push(0);
    }
    bytes
}

/// An empty frame with a window of 1 KiB.
pub fn zstd_empty() -> Vec<u8> {
    vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0, 1, 0, 0]
}
