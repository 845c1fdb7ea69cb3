//! The keys of Initial packets, and decryption with them.

use super::initial::{
    FIRST_DRAFT, FIRST_MVFST, Initial, LAST_DRAFT, LAST_MVFST, T050, T051, VERSION_1, VERSION_2,
};
use aes_gcm::aead::{Aead, Payload};
use aes_gcm::aes::Aes128;
use aes_gcm::aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes_gcm::{Aes128Gcm, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;

/// A salt of initial secrets.
type Salt = [u8; 20];

/// Of drafts 22, 23 to 28, and 29 to 32 (draft-ietf-quic-tls, 5.2).
const SALT_22: Salt = [
    0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a, 0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd,
    0x7a, 0x02, 0x64, 0x4a,
];
const SALT_23: Salt = [
    0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65,
    0xbe, 0xf9, 0xf5, 0x02,
];
const SALT_29: Salt = [
    0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0,
    0x43, 0x90, 0xa8, 0x99,
];
/// Of drafts 33 and 34, and of version 1 (RFC 9001, 5.2).
const SALT_1: Salt = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad,
    0xcc, 0xbb, 0x7f, 0x0a,
];
/// RFC 9369, 3.3.1.
const SALT_2: Salt = [
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb,
    0xf9, 0xbd, 0x2e, 0xd9,
];
/// Of Google's versions with TLS, `T050` and `T051` (Chromium's `crypto_utils.cc`).
const SALT_T050: Salt = [
    0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80, 0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c,
    0x60, 0x48, 0x83, 0x10,
];
const SALT_T051: Salt = [
    0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50, 0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc,
    0xda, 0x6e, 0x03, 0x3d,
];

/// The salts that a version may use. mvfst changes its salt with the drafts without changing its
/// numbers, and has aliases: the salt that decrypts the packet is the right one.
fn salts(version: u32) -> &'static [&'static Salt] {
    match version {
        VERSION_1 | 0xff00_0021..=LAST_DRAFT => &[&SALT_1],
        VERSION_2 => &[&SALT_2],
        FIRST_DRAFT => &[&SALT_22],
        0xff00_0017..=0xff00_001c => &[&SALT_23],
        0xff00_001d..=0xff00_0020 => &[&SALT_29],
        0xface_b001 => &[&SALT_22, &SALT_23, &SALT_29, &SALT_1],
        FIRST_MVFST..=LAST_MVFST => &[&SALT_23, &SALT_1, &SALT_29, &SALT_22],
        T050 => &[&SALT_T050],
        T051 => &[&SALT_T051],
        _ => &[],
    }
}

/// The longest header that is authenticated: identifiers, a token, a number.
const MAX_HEADER: usize = 2048;

/// The keys of one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) key: [u8; 16],
    pub(super) iv: [u8; 12],
    pub(super) header: [u8; 16],
}

/// The keys of client and server that a version may use, derived from the client's first
/// identifier.
pub(super) fn derive(version: u32, destination: &[u8]) -> impl Iterator<Item = [Keys; 2]> {
    let labels = match version {
        VERSION_2 => [&b"quicv2 key"[..], b"quicv2 iv", b"quicv2 hp"],
        _ => [&b"quic key"[..], b"quic iv", b"quic hp"],
    };
    salts(version).iter().filter_map(move |&salt| derive_with(salt, labels, destination))
}

fn derive_with(salt: &Salt, labels: [&[u8]; 3], destination: &[u8]) -> Option<[Keys; 2]> {
    let initial = Hkdf::<Sha256>::new(Some(salt), destination);
    let side = |label: &[u8]| {
        let mut secret = [0; 32];
        expand(&initial, label, &mut secret)?;
        let secret = Hkdf::<Sha256>::from_prk(&secret).ok()?;
        let mut keys = Keys { key: [0; 16], iv: [0; 12], header: [0; 16] };
        expand(&secret, labels[0], &mut keys.key)?;
        expand(&secret, labels[1], &mut keys.iv)?;
        expand(&secret, labels[2], &mut keys.header)?;
        Some(keys)
    };
    Some([side(b"client in")?, side(b"server in")?])
}

/// HKDF-Expand-Label of TLS 1.3 (RFC 8446, 7.1), without a context.
fn expand(secret: &Hkdf<Sha256>, label: &[u8], out: &mut [u8]) -> Option<()> {
    let length = [0, out.len() as u8, 6 + label.len() as u8];
    secret.expand_multi_info(&[&length, b"tls13 ", label, &[0]], out).ok()
}

impl Keys {
    /// Removes the protection of a packet. `None` if it does not belong to these keys.
    pub(super) fn open(&self, packet: &Initial<'_>) -> Option<Vec<u8>> {
        let sample: [u8; 16] = *packet.bytes.get(packet.number + 4..)?.first_chunk()?;
        let mut mask = sample.into();
        Aes128::new(&self.header.into()).encrypt_block(&mut mask);
        let first = packet.bytes.first()? ^ (mask[0] & 0x0f);
        let length = usize::from(first & 3) + 1;
        let end = packet.number + length;
        let mut header = [0; MAX_HEADER];
        let header = header.get_mut(..end)?;
        header.copy_from_slice(packet.bytes.get(..end)?);
        header[0] = first;
        let mut nonce = self.iv;
        let digits = header.get_mut(packet.number..)?;
        for (at, byte) in digits.iter_mut().enumerate() {
            *byte ^= mask[1 + at];
            nonce[12 - length + at] ^= *byte;
        }
        let payload = Payload { msg: packet.bytes.get(end..)?, aad: header };
        Aes128Gcm::new(&self.key.into()).decrypt(&Nonce::from(nonce), payload).ok()
    }
}

#[cfg(test)]
impl Keys {
    /// A packet with a header up to its number, which has two bytes, and frames.
    pub(super) fn seal(&self, header: &[u8], frames: &[u8]) -> Vec<u8> {
        let number = header.len() - 2;
        let mut nonce = self.iv;
        nonce[10] ^= header[number];
        nonce[11] ^= header[number + 1];
        let payload = Payload { msg: frames, aad: header };
        let sealed = Aes128Gcm::new(&self.key.into()).encrypt(&Nonce::from(nonce), payload);
        let mut packet = [header, &sealed.unwrap()].concat();
        let sample: [u8; 16] = *packet[number + 4..].first_chunk().unwrap();
        let mut mask = sample.into();
        Aes128::new(&self.header.into()).encrypt_block(&mut mask);
        packet[0] ^= mask[0] & 0x0f;
        packet[number] ^= mask[1];
        packet[number + 1] ^= mask[2];
        packet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    }

    /// RFC 9001, appendix A.1, RFC 9369, appendix A.1, and appendix A.1 of drafts 23 to 28 and 29
    /// to 32 of the former.
    #[test]
    fn keys_are_those_of_the_specifications() {
        for (version, client, server) in [
            (
                VERSION_1,
                [
                    "1f369613dd76d5467730efcbe3b1a22d",
                    "fa044b2f42a3fd3b46fb255c",
                    "9f50449e04a0e810283a1e9933adedd2",
                ],
                [
                    "cf3a5331653c364c88f0f379b6067e37",
                    "0ac1493ca1905853b0bba03e",
                    "c206b8d9b9f0f37644430b490eeaa314",
                ],
            ),
            (
                VERSION_2,
                [
                    "8b1a0bc121284290a29e0971b5cd045d",
                    "91f73e2351d8fa91660e909f",
                    "45b95e15235d6f45a6b19cbcb0294ba9",
                ],
                [
                    "82db637861d55e1d011f19ea71d5d2a7",
                    "dd13c276499c0249d3310652",
                    "edf6d05c83121201b436e16877593c3a",
                ],
            ),
            (
                0xff00_001b,
                [
                    "af7fd7efebd21878ff66811248983694",
                    "8681359410a70bb9c92f0420",
                    "a980b8b4fb7d9fbc13e814c23164253d",
                ],
                [
                    "5d51da9ee897a21b2659ccc7e5bfa577",
                    "5e5ae651fd1e8495af13508b",
                    "a8ed82e6664f865aedf6106943f95fb8",
                ],
            ),
            (
                0xff00_001d,
                [
                    "175257a31eb09dea9366d8bb79ad80ba",
                    "6b26114b9cba2b63a9e8dd4f",
                    "9ddd12c994c0698b89374a9c077a3077",
                ],
                [
                    "149d0b1662ab871fbe63c49b5e655a5d",
                    "bab2b12a4c76016ace47856d",
                    "c0c499a65a60024a18a250974ea01dfa",
                ],
            ),
        ] {
            let keys = derive(version, &hex("8394c8f03e515708")).next().unwrap();
            for (keys, want) in keys.iter().zip([client, server]) {
                let want = want.map(hex);
                assert_eq!(keys.key[..], want[0]);
                assert_eq!(keys.iv[..], want[1]);
                assert_eq!(keys.header[..], want[2]);
            }
        }
        assert_eq!(derive(7, b"").count(), 0);
    }
}
