use super::*;
use crate::engine::packet::tests::{decode, udp};
use std::net::Ipv6Addr;

fn message(options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![2, 1, 6, 0];
    bytes.resize(MAGIC_AT, 0);
    bytes[20..24].copy_from_slice(&[192, 0, 2, 9]);
    bytes[44..56].copy_from_slice(b"boot.example");
    bytes[108..117].copy_from_slice(b"/pxe/a.0\0");
    bytes.extend(MAGIC.to_be_bytes());
    bytes.extend(options);
    bytes
}

fn option(code: u8, value: &[u8]) -> Vec<u8> {
    [&[code, value.len() as u8][..], value].concat()
}

#[test]
fn options_of_version_4_are_reported() {
    let options = [
        option(53, &[5]),
        option(12, b"laptop\0"),
        option(15, b"corp.example"),
        option(6, &[192, 0, 2, 53, 192, 0, 2, 54]),
        option(81, b"\x05\0\0\x06laptop\x04corp\x07example\0"),
        // RFC 3397: one list in two options, with a pointer.
        option(119, b"\x03eng\x04corp\x07exa"),
        option(119, b"mple\0\x03lab\xc0\x04"),
        option(66, b"192.0.2.66"),
        option(252, b"http://wpad.example/wpad.dat\n"),
        vec![0, 255, 12, 9],
    ];
    let (recorder, counters) = decode(&[udp(67, 68, &message(&options.concat()))]);
    let names =
        ["laptop", "corp.example", "laptop.corp.example", "eng.corp.example", "lab.corp.example"];
    assert_eq!(recorder.at(Where::DhcpHost), names);
    let servers = [
        "192.0.2.9",
        "192.0.2.53",
        "192.0.2.54",
        "192.0.2.66",
        "http://wpad.example/wpad.dat",
        "boot.example",
    ];
    assert_eq!(recorder.at(Where::DhcpServer), servers);
    assert_eq!(recorder.at(Where::FileName), ["a.0", "/pxe/a.0"]);
    assert_eq!(counters.faults().count(), 0);
}

#[test]
fn fields_that_hold_options() {
    let mut bytes = message(&option(52, &[3]));
    bytes[44..MAGIC_AT].fill(0);
    bytes[44..50].copy_from_slice(b"\x0c\x04host");
    bytes[108..113].copy_from_slice(b"\x0f\x01b\xff\0");
    let (recorder, counters) = decode(&[udp(67, 68, &bytes)]);
    assert_eq!(recorder.at(Where::DhcpHost), ["b", "host"]);
    assert_eq!(counters.faults().count(), 0);
    let (_, counters) = decode(&[udp(67, 68, &message(b"\x0c\x09host"))]);
    assert_eq!(counters.fault(Fault::BadDhcp), 1);
}

#[test]
fn options_of_version_6_are_reported() {
    let mut message = b"\x03abc".to_vec();
    message.extend(b"\0\x27\0\x0d\x01\x02pc\x07example\0");
    message.extend(b"\0\x18\0\x09\x07example\0");
    let server = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x53);
    message.extend([&[0, 23, 0, 16][..], &server.octets()].concat());
    let mut relayed = vec![12, 0];
    relayed.extend([0; 32]);
    relayed.extend([0, 9, 0, message.len() as u8]);
    relayed.extend(&message);
    for bytes in [message, relayed] {
        let (recorder, counters) = decode(&[udp(546, 547, &bytes)]);
        assert_eq!(recorder.at(Where::DhcpHost), ["pc.example", "example"]);
        assert_eq!(recorder.at(Where::DhcpServer), ["2001:db8::53"]);
        assert_eq!(counters.faults().count(), 0);
    }
    let (_, counters) = decode(&[udp(546, 547, b"\x03abc\0\x27\0\x0d\x01")]);
    assert_eq!(counters.fault(Fault::BadDhcp), 1);
}

/// RFC 3396: parts of an option, in all fields; RFC 4702, 3.3.1: a name without its end.
#[test]
fn options_in_parts_and_parts_of_names() {
    let options = [
        option(52, &[1]),
        option(12, b"lap"),
        option(15, b"a.example b.example"),
        option(81, b"\x01\0\0pc.corp.exa"),
        option(12, b"top.corp.exa"),
        option(81, b"mple"),
        option(150, &[192, 0, 2, 69]),
    ];
    let mut bytes = message(&options.concat());
    bytes[108..MAGIC_AT].fill(0);
    bytes[108..115].copy_from_slice(b"\x0c\x04mple\xff");
    let (recorder, counters) = decode(&[udp(67, 68, &bytes)]);
    let names = ["laptop.corp.example", "a.example", "b.example", "pc.corp.example"];
    assert_eq!(recorder.at(Where::DhcpHost), names);
    assert_eq!(recorder.at(Where::DhcpServer), ["192.0.2.9", "192.0.2.69", "boot.example"]);
    assert_eq!(counters.faults().count(), 0);
    let options = [option(81, b"\x05\0\0\x06laptop"), option(67, b"http://b.example/x/boot.efi")];
    let (recorder, counters) = decode(&[udp(67, 68, &message(&options.concat()))]);
    assert_eq!(recorder.at(Where::DhcpHost), ["laptop"]);
    assert!(recorder.at(Where::DhcpServer).contains(&"http://b.example/x/boot.efi"));
    assert!(recorder.at(Where::FileName).contains(&"boot.efi"));
    assert_eq!(counters.faults().count(), 0);
    let (recorder, _) =
        decode(&[udp(546, 547, b"\x03abc\0\x27\0\x04\x01\x02pc\0\x67\0\x0bhttp://p/q")]);
    assert_eq!(recorder.at(Where::DhcpHost), ["pc"]);
}

/// Only padding and parts: as many as fit into a datagram.
#[test]
fn endless_options_stay_small() {
    let (_, counters) = decode(&[udp(67, 68, &message(&option(12, &[b'a'; 255]).repeat(240)))]);
    assert_eq!(counters.fault(Fault::BadDhcp), 0);
}
