use super::crypto::Crypto;
use super::initial::*;
use super::keys::{self, Keys};
use crate::engine::indicator::Where;
use crate::engine::packet::Fault;
use crate::engine::packet::tests::{decode, udp};
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

/// An Initial packet of a side with one CRYPTO frame.
fn sealed(version: u32, to_server: bool, number: u8, offset: u8, data: &[u8]) -> Vec<u8> {
    let keys = keys::derive(version, b"first").next().unwrap();
    sealed_with(&keys, version, to_server, number, offset, data)
}

fn sealed_with(
    keys: &[Keys; 2],
    version: u32,
    to_server: bool,
    number: u8,
    offset: u8,
    data: &[u8],
) -> Vec<u8> {
    let mut frames =
        [&[6, offset, 0x40 | (data.len() >> 8) as u8, data.len() as u8][..], data].concat();
    frames.resize(frames.len().max(100), 0);
    let length = frames.len() + 2 + 16;
    let first = if version == VERSION_2 { 0xd1 } else { 0xc1 };
    let ids = if to_server { &b"\x05first\x01c"[..] } else { b"\x01c\x01s" };
    let length = [0x40 | (length >> 8) as u8, length as u8];
    let header = [&[first], &version.to_be_bytes()[..], ids, &[0], &length, &[0, number]].concat();
    keys[usize::from(!to_server)].seal(&header, &frames)
}

#[test]
fn a_server_chooses_another_version() {
    let whole = crate::engine::packet::protocol::tls::tests::hello(Some("quic.example"), &["h3"]);
    let hello = &whole[5..];
    let mut answer = b"\x02\0\0\x28\x03\x03".to_vec();
    answer.extend([7; 32]);
    answer.extend(b"\0\x13\x01\0\0\0");
    let (first, rest) = hello.split_at(60);
    let from = |to_server: bool, data: &[u8]| match to_server {
        true => udp(1000, 443, data),
        false => to_client(data),
    };
    for (version, chosen) in
        [(VERSION_1, VERSION_1), (VERSION_1, VERSION_2), (VERSION_2, VERSION_1)]
    {
        let packets = [
            from(true, &sealed(version, true, 0, 0, first)),
            from(true, &sealed(version, true, 1, 60, rest)),
            from(false, &sealed(chosen, false, 0, 0, &answer)),
        ];
        let (recorder, counters) = crate::engine::packet::tests::decode_all(&packets);
        assert_eq!(recorder.at(Where::QuicSni), ["quic.example"]);
        assert_eq!(recorder.at(Where::TlsJa3s).len(), 1, "{version:x} {chosen:x}");
        assert_eq!(counters.faults().count(), 0);
    }
}

fn to_client(data: &[u8]) -> Vec<u8> {
    let mut packet = udp(1000, 443, data);
    packet[12..20].rotate_left(4);
    packet[20..24].rotate_left(2);
    packet
}

/// Every version with its keys, and those of mvfst with all that it may use.
#[test]
fn hellos_of_every_version() {
    let whole = crate::engine::packet::protocol::tls::tests::hello(Some("quic.example"), &["h3"]);
    let hello = &whole[5..];
    let (first, rest) = hello.split_at(60);
    let mut read = 0;
    let versions = [VERSION_1, VERSION_2, T050, T051, 0xface_b001, 0xface_b002, 0xface_b00e]
        .into_iter()
        .chain([0xface_b003, 0xface_b010])
        .chain(FIRST_DRAFT..=LAST_DRAFT);
    for version in versions {
        for keys in keys::derive(version, b"first") {
            // The second half comes first.
            let packets = [(1, 60, rest), (0, 0, first)].map(|(number, offset, data)| {
                udp(1000, 443, &sealed_with(&keys, version, true, number, offset, data))
            });
            let (recorder, counters) = crate::engine::packet::tests::decode_all(&packets);
            assert_eq!(recorder.at(Where::QuicSni), ["quic.example"], "{version:x}");
            assert_eq!(recorder.at(Where::TlsJa4).len(), 1, "{version:x}");
            assert_eq!(counters.faults().count(), 0, "{version:x}");
            read += 1;
        }
    }
    assert_eq!(read, 4 + 13 + 5 * 4);
    for version in [0, 2, FIRST_DRAFT - 1, LAST_DRAFT + 1, 0xface_afff, 0x5130_3530, T051 + 1] {
        assert!(!is_known(version), "{version:x}");
    }
}

/// A server supports none of the client's versions, and lists its own: the client starts again.
#[test]
fn versions_are_negotiated() {
    let whole = crate::engine::packet::protocol::tls::tests::hello(Some("quic.example"), &["h3"]);
    let hello = &whole[5..];
    let offer = b"\x80\0\0\0\0\x01c\x05first\0\0\0\x01\xff\0\0\x1d";
    for (asked, chosen) in [(0x0a1a_2a3a, VERSION_1), (VERSION_1, 0xff00_001d), (T051, VERSION_2)] {
        let greasy = if keys::derive(asked, b"first").next().is_some() {
            sealed(asked, true, 0, 0, hello)
        } else {
            [&[0xc1][..], &asked.to_be_bytes(), b"\x05first\x01c\0\x40\x40", &[7; 64]].concat()
        };
        let packets = [
            udp(1000, 443, &greasy),
            to_client(offer),
            udp(1000, 443, &sealed(chosen, true, 1, 0, hello)),
        ];
        let (recorder, _) = crate::engine::packet::tests::decode_all(&packets);
        let reported = recorder.at(Where::QuicSni);
        assert!(
            reported.iter().all(|name| *name == "quic.example") && !reported.is_empty(),
            "{reported:?}"
        );
        // It is one connection, if its first packet could be decrypted.
        assert_eq!(reported.len(), 1, "{asked:x}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        first in 0xc0..=0xff_u8,
        version in prop::sample::select(vec![VERSION_1, VERSION_2, FIRST_DRAFT, 0xface_b002, T050]),
    ) {
        let version = version.to_be_bytes();
        decode(&[udp(1000, 443, &[&[first][..], &version, &bytes].concat())]);
        let mut crypto = Crypto::default();
        let mut rest = &bytes[..];
        while let Some(after) = crypto.frame(rest) {
            rest = after;
        }
    }
}
