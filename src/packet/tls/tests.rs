use super::*;
use crate::indicator::Protocol;
use crate::packet::tests::{decode, tcp};

fn extension(kind: u16, value: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat()
}

/// A ClientHello in one record.
pub(in crate::packet) fn hello(sni: Option<&str>, alpn: &[&str]) -> Vec<u8> {
    let mut extensions = extension(0x0a0a, b"");
    if let Some(name) = sni {
        let length = name.len() as u16;
        let entry = [&[0][..], &length.to_be_bytes(), name.as_bytes()].concat();
        extensions.extend(extension(0, &[&(length + 3).to_be_bytes()[..], &entry].concat()));
    }
    let list: Vec<u8> =
        alpn.iter().flat_map(|p| [&[p.len() as u8], p.as_bytes()].concat()).collect();
    extensions.extend(extension(16, &[&(list.len() as u16).to_be_bytes()[..], &list].concat()));
    extensions.extend(extension(43, b"\x04\x1a\x1a\x03\x04"));
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend(b"\x00\x00\x02\x13\x01\x01\x00");
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    let mut handshake = vec![1, 0];
    handshake.extend((body.len() as u16).to_be_bytes());
    handshake.extend(body);
    [&[22, 3, 1][..], &(handshake.len() as u16).to_be_bytes(), &handshake].concat()
}

/// A handshake message in its header.
fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 0][..], &(body.len() as u16).to_be_bytes(), body].concat()
}

fn record(fragment: &[u8]) -> Vec<u8> {
    [&[22, 3, 3][..], &(fragment.len() as u16).to_be_bytes(), fragment].concat()
}

/// A ClientHello in several records.
pub(in crate::packet) fn split_hello(sni: &str) -> Vec<u8> {
    hello(Some(sni), &["h2"])[5..].chunks(30).flat_map(record).collect()
}

/// ServerHello, certificate and more of TLS 1.2, in records of an odd length.
pub(in crate::packet) fn server_flight() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend(b"\x00\xc0\x2f\x00\x00\x05\xff\x01\x00\x01\x00");
    let der = certificate::tests::certificate(true, "mail.g.example", None);
    let length = (der.len() as u16).to_be_bytes();
    let total = (der.len() as u16 + 3).to_be_bytes();
    let chain = [&[0][..], &total, &[0], &length, &der].concat();
    let mut flight = handshake(2, &body);
    flight.extend(handshake(11, &chain));
    flight.extend(handshake(14, b""));
    let mut bytes: Vec<u8> = flight.chunks(70).flat_map(record).collect();
    bytes.extend(b"\x14\x03\x03\x00\x01\x01\x16\x03\x03\x00\x04encr");
    bytes
}

#[test]
fn server_names() {
    let (recorder, counters) =
        decode(&[tcp(9, 8443, 24, &hello(Some("Evil.Example"), &["h2", "http/1.1"]))]);
    assert_eq!(recorder.seen, [(Where::TlsSni, "Evil.Example".to_owned())]);
    assert_eq!(counters.faults().count(), 0);
    let Some(Protocol::Tls(tls)) = &recorder.places[0].protocol else { panic!() };
    assert_eq!(tls.version.as_deref(), Some("TLS 1.3"));
    assert_eq!(tls.alpn, ["h2", "http/1.1"]);
    assert_eq!(tls.sni.as_deref(), Some("Evil.Example"));
}

#[test]
fn no_name_an_address_or_an_odd_one() {
    assert!(decode(&[tcp(9, 443, 24, &hello(None, &[]))]).0.seen.is_empty());
    let (recorder, _) = decode(&[tcp(9, 443, 24, &hello(Some("192.0.2.5"), &[]))]);
    assert_eq!(recorder.at(Where::TlsSni), ["192.0.2.5 443"]);
    let (recorder, counters) = decode(&[tcp(9, 443, 24, &hello(Some("a b"), &[]))]);
    assert!(recorder.seen.is_empty());
    assert_eq!(counters.fault(Fault::OddName), 1);
}

#[test]
fn a_split_hello_shows_its_name_if_it_holds_it() {
    let whole = hello(Some("a.example"), &["h2"]);
    let (recorder, counters) = decode(&[tcp(9, 443, 24, &whole[..whole.len() - 3])]);
    assert_eq!(recorder.at(Where::TlsSni), ["a.example"]);
    assert_eq!(counters.fault(Fault::SplitTls), 1);
    let (recorder, counters) = decode(&[tcp(9, 443, 24, &whole[..70])]);
    assert!(recorder.seen.is_empty());
    assert_eq!(counters.fault(Fault::SplitTls), 1);
}

#[test]
fn versions() {
    for (version, want) in [(0x0300, "SSL 3.0"), (0x0302, "TLS 1.1"), (0x7f12, "0x7f12")] {
        assert_eq!(hello::version_name(version), want);
    }
}

/// The examples of the published descriptions.
#[test]
fn published_fingerprints() {
    let numbers = |text: &str| -> Vec<u16> {
        text.split(',').map(|number| u16::from_str_radix(number, 16).unwrap()).collect()
    };
    // GREASE in all places; extensions in the order of the sorted list.
    let ciphers =
        numbers("0a0a,002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9");
    let signatures = numbers("0403,0804,0401,0503,0805,0501,0806,0601");
    let kinds = numbers(
        "1a1a,0000,0005,000a,000b,000d,0010,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01",
    );
    let wire = |numbers: &[u16]| -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    };
    let listed = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
    let extensions: Vec<u8> = kinds
        .iter()
        .flat_map(|&kind| match kind {
            13 => extension(kind, &listed(&wire(&signatures))),
            16 => extension(kind, &listed(b"\x02h2")),
            43 => extension(kind, b"\x04\x1a\x1a\x03\x04"),
            _ => extension(kind, b""),
        })
        .collect();
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.push(0);
    body.extend(listed(&wire(&ciphers)));
    body.extend([1, 0]);
    body.extend(listed(&extensions));
    let hello = hello::parse_client(&body).unwrap();
    assert_eq!(hello.ja4(b't'), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    assert_eq!(&hello.ja4(b'q')[..10], "q13d1516h2");
}
