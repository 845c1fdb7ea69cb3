use super::*;
use crate::engine::indicator::Protocol;
use crate::engine::indicator::Where;
use crate::engine::packet::tests::{decode, tcp};

fn extension(kind: u16, value: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat()
}

/// A ClientHello in one record.
pub(in crate::engine::packet) fn hello(sni: Option<&str>, alpn: &[&str]) -> Vec<u8> {
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
pub(in crate::engine::packet) fn split_hello(sni: &str) -> Vec<u8> {
    hello(Some(sni), &["h2"])[5..].chunks(30).flat_map(record).collect()
}

/// ServerHello, certificate and more of TLS 1.2, in records of an odd length.
pub(in crate::engine::packet) fn server_flight() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend(b"\x00\xc0\x2f\x00\x00\x05\xff\x01\x00\x01\x00");
    let der = crate::engine::packet::payload::handshake::certificate::tests::certificate(
        true,
        "mail.g.example",
        None,
    );
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
fn server_names_are_reported() {
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
fn hellos_without_a_valid_name_report_none() {
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
fn versions_have_names_or_numbers() {
    for (version, want) in [(0x0300, "SSL 3.0"), (0x0302, "TLS 1.1"), (0x7f12, "0x7f12")] {
        assert_eq!(hello::version_name(version), want);
    }
}

/// A ClientHello with what a raw JA4 lists, and GREASE added: the first protocol of the ALPN, the
/// versions, and the rest of the raw form. Its order is reversed, because order only matters for
/// signatures.
fn offering(
    raw: &str,
    alpn: Option<&[u8]>,
    legacy: u16,
    versions: &[u16],
    has_name: bool,
) -> Vec<u8> {
    let numbers = |text: &str| -> Vec<u16> {
        let words = text.split(',').filter(|word| !word.is_empty());
        words.map(|number| u16::from_str_radix(number, 16).unwrap()).collect()
    };
    let wire = |numbers: &[u16]| -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    };
    let listed = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
    let mut parts = raw.split('_');
    let mut next = || numbers(parts.next().unwrap_or_default());
    let (mut ciphers, mut kinds, mut signatures) = (next(), next(), next());
    if has_name {
        kinds.push(0);
    }
    if alpn.is_some() {
        kinds.push(16);
    }
    ciphers.reverse();
    kinds.reverse();
    for list in [&mut ciphers, &mut kinds, &mut signatures] {
        if !list.is_empty() {
            list.insert(list.len() / 2, 0x2a2a);
        }
    }
    let extensions: Vec<u8> = kinds
        .iter()
        .flat_map(|&kind| match kind {
            13 => extension(kind, &listed(&wire(&signatures))),
            16 => {
                let first = alpn.unwrap_or_default();
                let list = [&[first.len() as u8], first, b"\x05other"].concat();
                extension(kind, &listed(&list))
            }
            43 => extension(kind, &[&[2 * versions.len() as u8][..], &wire(versions)].concat()),
            _ => extension(kind, b""),
        })
        .collect();
    let mut body = legacy.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(listed(&wire(&ciphers)));
    body.extend([1, 0]);
    if !extensions.is_empty() {
        body.extend(listed(&extensions));
    }
    body
}

/// Fingerprints and raw forms that FoxIO publishes with its programs
/// (github.com/FoxIO-LLC/ja4, the folder `python/test/testdata`, named by the captures).
#[test]
fn published_fingerprints_of_captures() {
    const CHROME: &str =
        "002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9";
    let new = [0x1a1a, 0x0304, 0x0303];
    let h2 = Some(&b"h2"[..]);
    // chrome-cloudflare-quic-with-secrets.pcapng, over TCP.
    let raw = format!(
        "{CHROME}_0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01\
         _0403,0804,0401,0503,0805,0501,0806,0601"
    );
    let chrome = offering(&raw, h2, 0x0303, &new, true);
    // sigalg-grease.pcapng: two more extensions, and signatures of ML-DSA.
    let newer = format!(
        "{CHROME}_0005,000a,000b,000d,0012,0017,001b,0023,002b,002d,0033,44cd,ca34,fe0d,ff01\
         _0904,0905,0906,0403,0804,0401,0503,0805,0501,0806,0601"
    );
    let newer = offering(&newer, h2, 0x0303, &new, true);
    // tls12.pcap: a Firefox whose server chooses TLS 1.2.
    let firefox = offering(
        "002f,0035,009c,009d,1301,1302,1303,c009,c00a,c013,c014,c02b,c02c,c02f,c030,cca8,cca9\
         _0005,000a,000b,000d,0015,0017,001c,0022,0023,002b,002d,0033,ff01\
         _0403,0503,0603,0804,0805,0806,0401,0501,0601,0203,0201",
        h2,
        0x0303,
        &new,
        true,
    );
    // chrome-cloudflare-quic-with-secrets.pcapng, over QUIC.
    let quic = offering(
        "1301,1302,1303_000a,000d,001b,002b,002d,0033,0039,4469\
         _0403,0804,0401,0503,0805,0501,0806,0601,0201",
        Some(b"h3"),
        0x0303,
        &new[..2],
        true,
    );
    // socks-https-example.pcap: TLS 1.0, and no extension except the name.
    let old = offering(
        "0003,0004,0005,0006,0008,0009,000a,0011,0012,0013,0014,0015,0016,002f,0032,0033,0035,\
         0038,0039,0096,0099,009a,00ff_",
        None,
        0x0301,
        &[],
        true,
    );
    for (body, transport, want) in [
        (chrome, b't', "t13d1516h2_8daaf6152771_e5627efa2ab1"),
        (newer, b't', "t13d1517h2_8daaf6152771_cb7bf5808d99"),
        (firefox, b't', "t13d1715h2_5b57614c22b0_3d5424432f57"),
        (quic, b'q', "q13d0310h3_55b375c5d22e_cd85d2d88918"),
        (old, b't', "t10d230100_6a57a6f57151_000000000000"),
    ] {
        assert_eq!(hello::parse_client(&body).unwrap().ja4(transport), want);
    }
}

/// The rules of the specification for first and last characters and numbers
/// (`technical_details/JA4.md` there).
#[test]
fn fingerprints_of_unusual_hellos() {
    let start = |body: &[u8]| hello::parse_client(body).unwrap().ja4(b't')[..10].to_owned();
    let of = |alpn| start(&offering("1301_002b", alpn, 0x0303, &[0x0304], false));
    assert_eq!(of(None), "t13i010100");
    for (alpn, want) in [
        (&b"h2"[..], "h2"),
        (b"http/1.1", "h1"),
        (b"dot", "dt"),
        (b"\xab", "ab"),
        (b"\xab\xcd", "ad"),
        (b"\x30\xab", "3b"),
        (b"\x30\x31\xab\xcd", "3d"),
        (b"\x30\xab\xcd\x31", "01"),
        (b"", "00"),
    ] {
        assert_eq!(of(Some(alpn)), format!("t13i0102{want}"), "{alpn:?}");
    }
    for (legacy, versions, want) in [
        (0x0303, &[][..], "12"),
        (0x0302, &[], "11"),
        (0x0300, &[], "s3"),
        (0x0303, &[0x0302, 0x0303, 0xfafa], "12"),
        // A draft is higher than all, and unknown.
        (0x0303, &[0x7f17, 0x0303], "00"),
    ] {
        let kind = if versions.is_empty() { "" } else { "002b" };
        let body = offering(&format!("1301_{kind}"), None, legacy, versions, false);
        assert_eq!(&start(&body)[1..3], want);
    }
    // No ciphers; only a name; more of both than two digits can show.
    let none = hello::parse_client(&offering("_", None, 0x0303, &[], false)).unwrap().ja4(b't');
    assert_eq!(none, "t12i000000_000000000000_000000000000");
    let many =
        |from: u16| (from..from + 120).map(|n| format!("{n:04x}")).collect::<Vec<_>>().join(",");
    let body = offering(&format!("{}_{}", many(0x1000), many(0x5000)), None, 0x0303, &[], true);
    assert_eq!(start(&body), "t12d999900");
}

/// The examples of the published descriptions.
#[test]
fn fingerprints_are_those_of_the_publications() {
    let numbers = |text: &str| -> Vec<u16> {
        text.split(',').map(|number| u16::from_str_radix(number, 16).unwrap()).collect()
    };
    // GREASE everywhere; extensions in the order of the sorted list.
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
