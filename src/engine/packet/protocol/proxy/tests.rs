use super::*;
use crate::engine::packet::stream::tests::{Part, decode as decode_parts};
use crate::engine::packet::tests::{Recorder, decode, tcp, udp};
use proptest::prelude::*;

const REQUEST: &[u8] = b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n";

/// A version 2 header.
pub(in crate::engine::packet) fn header(command: u8, family: u8, contents: &[u8]) -> Vec<u8> {
    let length = (contents.len() as u16).to_be_bytes();
    [&SIGNATURE[..], &[0x20 | command, family], &length, contents].concat()
}

fn field(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind][..], &(value.len() as u16).to_be_bytes(), value].concat()
}

/// 203.0.113.5, port 5000, to 198.51.100.9, port 443, in version 2, and fields.
pub(in crate::engine::packet) fn v4(fields: &[u8]) -> Vec<u8> {
    header(1, 0x11, &[b"\xcb\0\x71\x05\xc6\x33\x64\x09\x13\x88\x01\xbb", fields].concat())
}

fn v6(fields: &[u8]) -> Vec<u8> {
    let mut contents = Vec::new();
    for last in [5, 9] {
        contents.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    contents.extend(b"\x13\x88\x01\xbb");
    contents.extend(fields);
    header(1, 0x21, &contents)
}

fn seen(bytes: &[u8]) -> Recorder {
    decode(&[tcp(40_000, 8080, 24, bytes)]).0
}

/// What is reported of the proxy, and the host in the data after it.
fn reported(bytes: &[u8]) -> Vec<String> {
    let recorder = seen(&[bytes, REQUEST].concat());
    assert_eq!(recorder.at(Where::HttpHost), ["a.example"], "{bytes:?}");
    let places = [Where::ProxySrc, Where::ProxyDst, Where::ProxyAuthority, Where::TlsCert];
    let reported = recorder.seen.iter().filter(|(at, _)| places.contains(at));
    reported.map(|(at, what)| format!("{} {what}", at.name())).collect()
}

#[test]
fn headers_of_the_first_version() {
    for (line, want) in [
        (
            "PROXY TCP4 203.0.113.5 198.51.100.9 5000 443\r\n",
            &["proxy.src 203.0.113.5 5000", "proxy.dst 198.51.100.9 443"][..],
        ),
        (
            "PROXY TCP6 2001:db8::5 2001:0db8:0:0:0:0:0:9 5000 443\r\n",
            &["proxy.src 2001:db8::5 5000", "proxy.dst 2001:db8::9 443"],
        ),
        (
            "PROXY TCP6 ::ffff:203.0.113.5 ::1 1 2\r\n",
            &["proxy.src 203.0.113.5 1", "proxy.dst ::1 2"],
        ),
        ("PROXY UNKNOWN\r\n", &[]),
        ("PROXY UNKNOWN ffff:: whatever 1 2\r\n", &[]),
        // The packet's own ends were reported with it.
        ("PROXY TCP4 192.0.2.1 198.51.100.2 40000 8080\r\n", &[]),
        ("PROXY TCP4 203.0.113.5 198.51.100.2 5000 8080\r\n", &["proxy.src 203.0.113.5 5000"]),
        // What is not an address is ignored.
        ("PROXY TCP4 here there 1 2\r\n", &[]),
        ("PROXY TCP4 203.0.113.5\r\n", &["proxy.src 203.0.113.5"]),
        (
            "PROXY TCP4 203.0.113.5 198.51.100.9 5000 443\n",
            &["proxy.src 203.0.113.5 5000", "proxy.dst 198.51.100.9 443"],
        ),
    ] {
        assert_eq!(reported(line.as_bytes()), want, "{line}");
    }
}

#[test]
fn headers_of_the_second_version() {
    let ends = ["proxy.src 203.0.113.5 5000", "proxy.dst 198.51.100.9 443"].map(str::to_owned);
    assert_eq!(reported(&v4(b"")), ends);
    assert_eq!(reported(&v6(b"")), ["proxy.src 2001:db8::5 5000", "proxy.dst 2001:db8::9 443"]);
    // Its own connection; unspecified; sockets of a host; an unknown family.
    assert!(reported(&header(0, 0, b"")).is_empty());
    assert!(reported(&header(0, 0x11, &v4(b"")[FIXED..])).is_empty());
    assert!(reported(&header(1, 0, b"")).is_empty());
    assert!(reported(&header(1, 0x31, &[b'/'; UNIX_PATHS])).is_empty());
    assert!(reported(&header(1, 0x41, b"contents")).is_empty());
    let name = field(AUTHORITY, b"b.example");
    let ssl = [&[1, 0, 0, 0, 0][..], &field(0x21, b"TLSv1.3"), &field(SSL_CN, b"c.example")];
    let fields = [field(4, b"padding"), field(3, b"crc."), name.clone(), field(SSL, &ssl.concat())];
    let all = [&ends[..], &["proxy.authority b.example".into(), "tls.cert c.example".into()]];
    assert_eq!(reported(&v4(&fields.concat())), all.concat());
    let socket = [&[b'/'; UNIX_PATHS][..], &name].concat();
    assert_eq!(reported(&header(1, 0x31, &socket)), ["proxy.authority b.example"]);
    // Names of people, and truncated fields.
    let person = [&[1, 0, 0, 0, 0][..], &field(SSL_CN, b"J. Doe")].concat();
    assert_eq!(reported(&v4(&field(SSL, &person))), ends);
    assert_eq!(reported(&v4(&[field(4, b""), vec![AUTHORITY, 1, 0, b'x']].concat())), ends);
}

#[test]
fn every_protocol_is_parsed_after_a_header() {
    use crate::engine::packet::protocol::http::http2;
    use crate::engine::packet::protocol::{imap, pop3, smtp, ssh, tls};
    let line = b"PROXY TCP4 203.0.113.5 198.51.100.9 5000 443\r\n".to_vec();
    for header in [line.clone(), v4(b""), [line, v6(b""), v4(b"")].concat()] {
        for (port, stream) in [
            (443, tls::tests::hello(Some("a.example"), &["h2"])),
            (2525, smtp::tests::client()),
            (1143, imap::tests::client()),
            (1110, pop3::tests::client()),
            (2222, ssh::tests::client()),
            (8443, http2::tests::client()),
            (53, framed_question()),
            (8080, [b"\r\n\n", REQUEST].concat()),
        ] {
            let plain = recorded(port, &stream);
            let proxied = recorded(port, &[&header[..], &stream].concat());
            assert!(!plain.seen.is_empty() || !plain.texts.is_empty(), "{port}");
            let rest: Vec<_> = proxied
                .seen
                .into_iter()
                .filter(|(at, _)| !matches!(at, Where::ProxySrc | Where::ProxyDst))
                .collect();
            assert_eq!(rest, plain.seen, "{port}");
            assert_eq!(proxied.texts, plain.texts, "{port}");
        }
    }
}

fn framed_question() -> Vec<u8> {
    let message = crate::engine::packet::payload::dns::tests::sample();
    [&(message.len() as u16).to_be_bytes()[..], &message].concat()
}

fn recorded(port: u16, client: &[u8]) -> Recorder {
    let mut parts = Part::handshake();
    parts.push(Part::data(true, 0, client));
    parts.push(Part::end(true, client.len()));
    decode_parts(port, &parts).0
}

#[test]
fn headers_over_udp_are_removed() {
    let question = crate::engine::packet::payload::dns::tests::sample();
    let plain = decode(&[udp(1000, 53, &question)]).0;
    let (proxied, counters) = decode(&[udp(1000, 53, &[v4(b""), question].concat())]);
    assert_eq!(proxied.at(Where::ProxySrc), ["203.0.113.5 5000"]);
    assert_eq!(proxied.seen[2..], plain.seen);
    assert_eq!(counters.faults().count(), 0);
    // A truncated header is ignored.
    assert!(decode(&[udp(1000, 53, &v4(b"")[..20])]).0.seen.is_empty());
}

#[test]
fn what_is_none() {
    let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(MAX_LINE));
    let mut third = v4(b"");
    third[12] = 0x31;
    for data in [long.as_bytes(), &third, b"PROXY TCP5 203.0.113.5 198.51.100.9 1 2\r\n"] {
        let recorder = seen(&[data, REQUEST].concat());
        assert!(recorder.at(Where::ProxySrc).is_empty(), "{data:?}");
        assert!(recorder.at(Where::HttpHost).is_empty(), "{data:?}");
    }
    // A method with that name, and an incomplete one.
    let recorder = seen(b"PROXY /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
    assert_eq!(recorder.at(Where::HttpHost), ["a.example"]);
    // Truncated after its addresses.
    assert_eq!(seen(&v4(&field(4, b"padding"))[..30]).at(Where::ProxySrc), ["203.0.113.5 5000"]);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), family: u8) {
        let header = header(1, family, &bytes);
        seen(&header);
        seen(&[&SIGNATURE[..], &bytes].concat());
        seen(&[&b"PROXY TCP4 "[..], &bytes].concat());
        decode(&[udp(1000, 443, &header)]);
    }
}
