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
        assert_eq!(version_name(version), want);
    }
}
