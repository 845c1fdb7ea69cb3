//! Initial packets of QUIC version 1 (RFC 9001, 5), sealed as any client could.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::aes::Aes128;
use aes_gcm::aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes_gcm::{Aes128Gcm, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;

/// RFC 9001, 5.2.
const SALT: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad,
    0xcc, 0xbb, 0x7f, 0x0a,
];

/// The client's side of a connection.
pub struct Client {
    id: [u8; 8],
    seal: Aes128Gcm,
    hide: Aes128,
    iv: [u8; 12],
    number: u16,
}

impl Client {
    pub fn new(id: u64) -> Client {
        let id = id.to_be_bytes();
        let mut secret = [0; 32];
        expand(&Hkdf::new(Some(&SALT), &id), b"client in", &mut secret);
        let secret = Hkdf::from_prk(&secret).unwrap();
        let (mut key, mut iv, mut header) = ([0; 16], [0; 12], [0; 16]);
        expand(&secret, b"quic key", &mut key);
        expand(&secret, b"quic iv", &mut iv);
        expand(&secret, b"quic hp", &mut header);
        let (seal, hide) = (Aes128Gcm::new(&key.into()), Aes128::new(&header.into()));
        Client { id, seal, hide, iv, number: 0 }
    }

    /// An Initial packet with these bytes at an offset of the hello.
    pub fn crypto(&mut self, offset: u16, bytes: &[u8]) -> Vec<u8> {
        // Lengths and offsets in two bytes (RFC 9000, 16).
        let two = |number: usize| (0x4000 | number as u16).to_be_bytes();
        let frame = [&[6][..], &two(offset.into()), &two(bytes.len()), bytes].concat();
        // A long header, with a packet number of two bytes.
        let mut packet = vec![0xc1, 0, 0, 0, 1, 8];
        packet.extend(self.id);
        packet.extend([0, 0]);
        packet.extend(two(2 + frame.len() + 16));
        let at = packet.len();
        packet.extend(self.number.to_be_bytes());
        let mut nonce = self.iv;
        nonce[10] ^= (self.number >> 8) as u8;
        nonce[11] ^= self.number as u8;
        self.number += 1;
        let payload = Payload { msg: &frame, aad: &packet };
        let sealed = self.seal.encrypt(&Nonce::from(nonce), payload).unwrap();
        packet.extend(sealed);
        let sample: [u8; 16] = packet[at + 4..at + 20].try_into().unwrap();
        let mut mask = sample.into();
        self.hide.encrypt_block(&mut mask);
        packet[0] ^= mask[0] & 0x0f;
        packet[at] ^= mask[1];
        packet[at + 1] ^= mask[2];
        packet
    }
}

/// HKDF-Expand-Label of TLS 1.3 (RFC 8446, 7.1), without a context.
fn expand(secret: &Hkdf<Sha256>, label: &[u8], out: &mut [u8]) {
    let length = [0, out.len() as u8, 6 + label.len() as u8];
    secret.expand_multi_info(&[&length, b"tls13 ", label, &[0]], out).unwrap();
}
