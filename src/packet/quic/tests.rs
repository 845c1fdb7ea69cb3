use super::*;
use crate::indicator::Where;
use crate::packet::tests::{decode, udp};
use proptest::prelude::*;

#[test]
fn numbers_of_all_lengths() {
    assert_eq!(varint(b"\x25x"), Some((37, &b"x"[..])));
    assert_eq!(varint(b"\x7b\xbd"), Some((15_293, &b""[..])));
    assert_eq!(varint(b"\x9d\x7f\x3e\x7d"), Some((494_878_333, &b""[..])));
    assert_eq!(
        varint(b"\xc2\x19\x7c\x5e\xff\x14\xe8\x8c"),
        Some((151_288_809_941_952_652, &b""[..]))
    );
    assert_eq!(varint(b"\x7b"), None);
    assert_eq!(varint(b""), None);
}

#[test]
fn packets_of_a_datagram() {
    let initial = b"\xc0\0\0\0\x01\x02DD\x01S\x01T\x05\x01\x02\x03\x04\x05";
    let handshake = b"\xe0\0\0\0\x01\x02DD\x01S\x02ab";
    let datagram = [&handshake[..], initial].concat();
    let (none, rest) = split(&datagram).unwrap();
    assert_eq!(none, None);
    let (found, rest) = split(rest).unwrap();
    let found = found.unwrap();
    assert_eq!((found.version, found.destination, found.number), (1, &b"DD"[..], 13));
    assert_eq!((found.bytes, rest), (&initial[..], &b""[..]));
    let second = b"\xd0\x6b\x33\x43\xcf\0\0\0\x01\x07";
    assert!(split(second).unwrap().0.is_some(), "in version 2 the kinds have other numbers");
    let retry = b"\xf0\0\0\0\x01\0\0\0";
    assert_eq!(split(retry), None);
    assert_eq!(split(b"\xc0\0\0\0\x02\0\0\0\x01\x07"), None, "an unknown version");
    for end in 0..initial.len() {
        assert_eq!(split(&initial[..end]), None, "{end}");
    }
}

#[test]
fn what_does_not_open_is_counted() {
    let packet = [&b"\xc0\0\0\0\x01\x02DD\x01S\0\x40\x40"[..], &[7; 64]].concat();
    let (recorder, counters) = decode(&[udp(1000, 443, &packet)]);
    assert!(recorder.at(Where::QuicSni).is_empty());
    assert_eq!(counters.fault(Fault::BadQuic), 1);
}

proptest! {
    #[test]
    fn no_bytes_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        first in 0xc0..=0xff_u8,
        second: bool,
    ) {
        let version = if second { VERSION_2 } else { VERSION_1 }.to_be_bytes();
        decode(&[udp(1000, 443, &[&[first][..], &version, &bytes].concat())]);
        let mut crypto = Crypto::default();
        let mut rest = &bytes[..];
        while let Some(behind) = crypto.frame(rest) {
            rest = behind;
        }
    }
}
