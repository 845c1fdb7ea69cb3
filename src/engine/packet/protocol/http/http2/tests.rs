mod bounds;
mod sizes;

use super::*;
use crate::engine::indicator::{Kind, Observable, Protocol, Timestamp, Where, digest};
use crate::engine::packet::contract::Probe;
use crate::engine::packet::tests::{CLIENT, SERVER, ipv4, text};
use crate::engine::packet::{Config, Counters, Decoder, Frame as Captured, Packet, ProtocolFacts};
use proptest::prelude::*;
use sha2::Digest as _;

pub(in crate::engine::packet) fn frame(
    kind: u8,
    flags: u8,
    stream: u32,
    contents: &[u8],
) -> Vec<u8> {
    let length = (contents.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), contents].concat()
}

/// A literal, with or without indexing.
fn literal(name: &str, value: &str, is_added: bool) -> Vec<u8> {
    assert!(name.len() < 127 && value.len() < 127);
    let mut block = vec![if is_added { 0x40 } else { 0 }, name.len() as u8];
    block.extend(name.bytes());
    block.push(value.len() as u8);
    block.extend(value.bytes());
    block
}

pub(super) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| literal(name, value, false)).collect()
}

const END: u8 = 1;
const WHOLE: u8 = 4;

fn settings() -> Vec<u8> {
    frame(4, 0, 0, &[0, 3, 0, 0, 0, 100])
}

fn preface() -> Vec<u8> {
    [PREFACE, &settings(), &frame(8, 0, 0, &[0, 0, 0xff, 0xff])].concat()
}

fn get(stream: u32, authority: &str, path: &str) -> Vec<u8> {
    let fields =
        [(":method", "GET"), (":scheme", "http"), (":authority", authority), (":path", path)];
    frame(1, END | WHOLE, stream, &block(&fields))
}

/// The data of a client: requests of all kinds.
pub(in crate::engine::packet) fn client() -> Vec<u8> {
    let mut text = preface();
    let mut fields =
        block(&[(":method", "GET"), (":scheme", "https"), (":path", "/x/evil.exe?a=b")]);
    fields.extend(literal(":authority", "a.example:8443", true));
    fields.extend(block(&[("user-agent", "Mal/1.0"), ("referer", "http://r.example/")]));
    fields
        .extend(block(&[("x-forwarded-for", "192.0.2.7, x"), ("x-forwarded-for", "2001:db8::7")]));
    // Padded, with a priority, in three parts.
    let (first, rest) = fields.split_at(17);
    let (second, third) = rest.split_at(40);
    let first = [&[3, 0x80, 0, 0, 0, 200][..], first, &[0; 3]].concat();
    text.extend(frame(1, END | 8 | 0x20, 1, &first));
    text.extend(frame(9, 0, 1, second));
    text.extend(frame(9, 0, 1, &[]));
    text.extend(frame(9, WHOLE, 1, third));
    text.extend(frame(6, 0, 0, &[7; 8]));
    // The authority from the table; a body in two parts, and trailers.
    let mut fields = vec![0x83, 0x86, 0x80 | 62];
    fields.extend(block(&[(":path", "/upload"), ("host", "b.example")]));
    fields.extend(block(&[("content-disposition", "attachment; filename=\"up.bin\"")]));
    text.extend(frame(1, WHOLE, 3, &fields));
    text.extend(frame(0, 8, 3, b"\x02first \0\0"));
    text.extend(get(5, "c.example", "/pushed?"));
    text.extend(frame(0, 0, 3, b"second"));
    text.extend(frame(1, END | WHOLE, 3, &block(&[("user-agent", "trailer"), ("x-sum", "1")])));
    text.extend(frame(77, 0xff, 0, b"of an extension"));
    let tunnel = [(":method", "CONNECT"), (":authority", "d.example:443")];
    text.extend(frame(1, WHOLE, 7, &block(&tunnel)));
    text.extend(frame(0, 0, 7, b"GET /not HTTP/1.1\r\nHost: no.example\r\n\r\n"));
    text.extend(frame(3, 0, 7, &[0, 0, 0, 8]));
    text.extend(frame(7, 0, 0, &[0; 8]));
    text
}

/// The server's responses, in another order.
pub(in crate::engine::packet) fn server() -> Vec<u8> {
    let mut text = settings();
    text.extend(frame(4, 1, 0, &[]));
    text.extend(frame(1, WHOLE, 3, &block(&[(":status", "100")])));
    let moved = [(":status", "302"), ("location", "http://g.example/x"), ("content-type", "a/b")];
    text.extend(frame(1, WHOLE, 3, &block(&moved)));
    text.extend(frame(1, WHOLE, 1, &block(&[(":status", "200"), ("content-encoding", "gzip")])));
    let push = block(&[
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "p.example"),
        (":path", "/p"),
    ]);
    text.extend(frame(5, WHOLE, 5, &[&[0, 0, 0, 2][..], &push].concat()));
    let packed = gzip(b"this is the malware");
    let (a, b) = packed.split_at(packed.len() / 2);
    text.extend(frame(0, 0, 1, a));
    text.extend(frame(0, 0, 3, b"moved"));
    text.extend(frame(1, WHOLE, 2, &block(&[(":status", "200")])));
    text.extend(frame(0, END, 2, b"pushed"));
    text.extend(frame(0, END | 8, 1, &[&[1][..], b, &[0]].concat()));
    text.extend(frame(0, END, 3, b""));
    text.extend(frame(1, WHOLE, 7, &block(&[(":status", "200")])));
    text.extend(frame(0, END, 7, b"through the tunnel"));
    text
}

fn gzip(content: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    to.write_all(content).unwrap();
    to.finish().unwrap()
}

/// SHA-256 in hex, as expected below.
fn sha256(content: &[u8]) -> String {
    digest::encode(&sha2::Sha256::digest(content)).to_string()
}

/// Records what was reported, with digests as text.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) lines: Vec<(Where, String)>,
    protocol_facts: Vec<Option<Protocol>>,
}

impl Seen {
    fn at(&self, at: Where) -> Vec<&str> {
        self.lines.iter().filter(|(place, _)| *place == at).map(|(_, text)| text.as_str()).collect()
    }
}

impl Visitor for Seen {
    fn flow_opened(&mut self, _: &Packet<'_>) -> bool {
        false
    }

    fn wants(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Sha256 | Kind::Filename)
    }

    fn seen(
        &mut self,
        what: Observable<'_>,
        at: Where,
        _: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
    ) {
        self.protocol_facts.push(protocol_facts.protocol());
        self.lines.push((
            at,
            match what {
                Observable::Digest(_, bytes) => digest::encode(bytes).to_string(),
                what => text(what),
            },
        ));
    }
}

/// The capture of real programs, and the hashes that its script prints.
#[cfg(feature = "sensor")]
#[test]
fn nghttp_and_curl() {
    let captures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/captures");
    let bytes = std::fs::read(captures.join("http2.pcap")).unwrap();
    let mut decoder = Decoder::new(Config::default());
    let mut seen = Seen::default();
    for packet in crate::sensor::input::capture::Capture::new(&bytes).unwrap().map_while(Result::ok)
    {
        let crate::sensor::input::capture::Packet { number, linktype, length, data, .. } = packet;
        let frame = Captured {
            is_timed: true,
            number,
            time: Timestamp(packet.time),
            linktype,
            length,
            data,
        };
        decoder.frame(&frame, &mut seen);
    }
    decoder.finish(&mut seen);
    assert_eq!(decoder.counters().faults().count(), 0);
    let setup = "f0b870803f8f6a2c6f1959c79cf8671c13703f670aa2c6e33fa72315869e8226";
    let invoice = "85ad8616839827337ed183487a499fbca74ef47dce30399e520a3a67249a3580";
    let page = "4d34ba35bbfb775bbd76dd19a4d0687545af09dcd6eb61a1777ba0316561f256";
    let style = "37183f05b2fd16b83be3223da576455d45507bc56e27628ad3685b697c25b978";
    let upload = "6251e5743b6fd6a7d606130bdf7c15077ce85ebd3a0fdee284d15a46df199e38";
    let hashes = seen.at(Where::FileHash);
    let count = |hash| hashes.iter().filter(|&&seen| seen == hash).count();
    assert_eq!([setup, invoice, page, style].map(count), [1, 1, 5, 2]);
    // Sent, and returned; in its coding, and returned without declaring it.
    assert_eq!((count(upload), hashes.len()), (3, 13));
    let names = ["index.html", "panel.css", "KestrelSetup.bin", "invoice-7731.zip", "numbers.txt"];
    let reported = seen.at(Where::FileName);
    assert!(names.iter().all(|name| reported.contains(name)), "{reported:?}");
    // The request whose headers tshark 4.0 fails to decode.
    assert_eq!(seen.at(Where::HttpXff), ["192.0.2.77", "203.0.113.99"]);
    assert_eq!(seen.at(Where::HttpReferer), ["http://track.brightparcel.example/t"; 3]);
}

fn packet(to_server: bool, seq: usize, data: &[u8]) -> Vec<u8> {
    let ports: [u16; 2] = if to_server { [40_000, 8080] } else { [8080, 40_000] };
    let mut bytes: Vec<u8> = ports.iter().flat_map(|port| port.to_be_bytes()).collect();
    bytes.extend((seq as u32).to_be_bytes());
    bytes.extend([0, 0, 0, 0, 0x50, 24, 0, 0, 0, 0, 0, 0]);
    bytes.extend(data);
    let (from, to) = if to_server { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
    ipv4(from, to, 6, &bytes)
}

/// Sends pieces: direction, offset, and bytes.
pub(super) fn play<V: Visitor>(pieces: &[(bool, usize, &[u8])], visitor: &mut V) -> Counters {
    let mut decoder = Decoder::new(Config::default());
    for (at, (to_server, seq, data)) in pieces.iter().enumerate() {
        for (part, data) in data.chunks(30_000).enumerate() {
            let data = packet(*to_server, seq + part * 30_000, data);
            let (number, length) = (at as u64 + 1, data.len() as u32);
            let time = Timestamp(0);
            let frame =
                Captured { is_timed: true, number, time, linktype: 101, length, data: &data };
            decoder.frame(&frame, visitor);
        }
    }
    decoder.finish(visitor);
    decoder.counters()
}

fn seen(client: &[u8], server: &[u8]) -> (Seen, Counters) {
    let mut seen = Seen::default();
    let counters = play(&[(true, 1, client), (false, 1, server)], &mut seen);
    (seen, counters)
}

#[test]
fn requests_and_responses_are_reported() {
    let (seen, counters) = seen(&client(), &server());
    let hosts = ["a.example", "a.example", "b.example", "c.example", "d.example", "p.example"];
    assert_eq!(seen.at(Where::HttpHost), hosts);
    let urls = [
        "https://a.example:8443/x/evil.exe?a=b",
        "http://a.example:8443/upload",
        "http://b.example/upload",
        "http://c.example/pushed?",
        "http://g.example/x",
        "http://p.example/p",
    ];
    assert_eq!(seen.at(Where::HttpUrl), urls);
    assert_eq!(seen.at(Where::HttpReferer), ["http://r.example/"]);
    assert_eq!(seen.at(Where::HttpUserAgent), ["Mal/1.0"]);
    assert_eq!(seen.at(Where::HttpXff), ["192.0.2.7", "2001:db8::7"]);
    assert_eq!(seen.at(Where::FileName), ["up.bin", "evil.exe", "p"]);
    let contents: [&[u8]; 4] = [b"first second", b"pushed", b"this is the malware", b"moved"];
    assert_eq!(seen.at(Where::FileHash), contents.map(sha256));
    let faults: Vec<_> = counters.faults().collect();
    assert_eq!(faults, [(Fault::Http2Tunnel, 1)]);
    let Some(Some(Protocol::Http(http))) = seen.protocol_facts.first() else { panic!() };
    assert_eq!(http.method.as_deref(), Some("GET"));
    assert_eq!(http.hostname.as_deref(), Some("a.example"));
    assert_eq!(http.url.as_deref(), Some("/x/evil.exe?a=b"));
    assert_eq!(http.user_agent.as_deref(), Some("Mal/1.0"));
}

/// Both directions of a connection that begins with HTTP/1.
pub(in crate::engine::packet) fn upgrading() -> (Vec<u8>, Vec<u8>) {
    let ask =
        b"GET /a/up.exe HTTP/1.1\r\nHost: u.example\r\nConnection: Upgrade, HTTP2-Settings\r\n\
        Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n";
    let client = [&ask[..], &preface(), &get(3, "v.example", "/b")].concat();
    let mut server = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n".to_vec();
    server.extend(settings());
    server.extend(frame(1, WHOLE, 1, &block(&[(":status", "200")])));
    server.extend(frame(0, END, 1, b"content"));
    (client, server)
}

#[test]
fn upgraded_from_http1() {
    let (client, server) = upgrading();
    let (seen, counters) = seen(&client, &server);
    assert_eq!(seen.at(Where::HttpUrl), ["http://u.example/a/up.exe", "http://v.example/b"]);
    assert_eq!(seen.at(Where::FileName), ["up.exe"]);
    assert_eq!(seen.at(Where::FileHash), [sha256(b"content")]);
    assert_eq!(counters.faults().count(), 0);
}

#[test]
fn dns_in_bodies_and_in_a_query() {
    use base64::Engine as _;
    let message = crate::engine::packet::payload::dns::tests::sample();
    let query = b"\0\0\x01\0\0\x01\0\0\0\0\0\0\x01q\x07example\0\0\x01\0\x01";
    let coded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(query);
    let mut client = preface();
    client.extend(get(1, "doh.example", &format!("/dns-query?x=1&dns={coded}")));
    client.extend(get(3, "doh.example", "/dns-query?dns=8.8.8.8"));
    let mut fields = vec![0x83, 0x86];
    fields.extend(block(&[(":path", "/d"), ("content-type", "application/dns-message")]));
    client.extend(frame(1, WHOLE, 5, &fields));
    client.extend(frame(0, END, 5, query));
    let mut server = settings();
    let answer = [(":status", "200"), ("content-type", "Application/DNS-Message; x=y")];
    server.extend(frame(1, WHOLE, 1, &block(&answer)));
    server.extend(frame(0, 0, 1, &message[..20]));
    server.extend(frame(0, END, 1, &message[20..]));
    let (seen, counters) = seen(&client, &server);
    assert_eq!(seen.at(Where::DnsQuery)[..2], ["q.example", "q.example"]);
    assert_eq!(seen.at(Where::DnsQuery).len(), 3);
    assert!(!seen.at(Where::DnsAnswer).is_empty());
    assert_eq!(counters.faults().count(), 0);
}

#[test]
fn malformed_heads_name_what_they_can() {
    for (fields, hosts, urls) in [
        // A host alone; a line end in a value; the first of two takes precedence.
        (
            vec![(":method", "GET"), (":path", "/"), ("host", "h.example")],
            vec!["h.example"],
            "http://h.example/",
        ),
        (
            vec![(":path", "/"), (":authority", "x.example\r\nhost: y.example")],
            vec![],
            "http://x.example  host: y.example/",
        ),
        (
            vec![(":path", "/1"), (":path", "/2"), ("host", "h.example")],
            vec!["h.example"],
            "http://h.example/1",
        ),
        (
            vec![(":path", "/"), (":scheme", "a b"), ("host", "h.example")],
            vec!["h.example"],
            "http://h.example/",
        ),
        (vec![(":path", "/"), (":method", "GET")], vec![], "http://198.51.100.2:8080/"),
        (
            vec![(":path", "*"), (":method", "OPTIONS"), ("host", "h.example")],
            vec!["h.example"],
            "http://h.example/",
        ),
        // WebSocket: a URL, and no body.
        (
            vec![
                (":method", "CONNECT"),
                (":protocol", "websocket"),
                (":scheme", "https"),
                (":path", "/chat"),
                (":authority", "w.example"),
            ],
            vec!["w.example"],
            "https://w.example/chat",
        ),
    ] {
        let client = [preface(), frame(1, END | WHOLE, 1, &block(&fields))].concat();
        let (seen, _) = seen(&client, &[]);
        assert_eq!(seen.at(Where::HttpHost), hosts, "{fields:?}");
        assert_eq!(seen.at(Where::HttpUrl), [urls], "{fields:?}");
    }
}

#[test]
fn what_is_no_http2() {
    for data in [
        &b"PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n"[..],
        b"\0\0\x07\x04\0\0\0\0\0",
        b"\0\0\x06\x04\0\0\0\0\x01",
    ] {
        assert!(matches!(probe(data, false), Probe::No), "{data:?}");
        assert!(!begins(data));
    }
    for end in 0..PREFACE.len() {
        assert!(matches!(probe(&PREFACE[..end], true), Probe::Maybe(_)));
    }
    for end in 0..9 {
        assert!(matches!(probe(&settings()[..end], true), Probe::Maybe(_)));
    }
    assert!(matches!(probe(&settings(), true), Probe::Is(_)));
    assert!(begins(&settings()) && begins(&preface()));
}

#[test]
fn frames_that_contradict_themselves() {
    for bad in [
        frame(1, WHOLE | 8, 1, &[9, 0x82]),
        frame(1, WHOLE, 0, &[0x82]),
        frame(1, WHOLE, 1, &[0x80]),
        frame(1, WHOLE, 1, &[0x40, 5, b'x']),
        frame(9, WHOLE, 1, &[0x82]),
        [frame(1, 0, 1, &[0x82]), frame(0, 0, 1, b"x")].concat(),
        frame(6, 0, 0, &[0; 7]),
    ] {
        let client = [preface(), bad, get(3, "a.example", "/")].concat();
        let (seen, counters) = seen(&client, &[]);
        assert_eq!(counters.fault(Fault::BadHttp2), 1);
        assert_eq!(seen.at(Where::HttpUrl), ["http://a.example/"]);
    }
    let client =
        [preface(), frame(1, 0, 1, &block(&[("host", "a.example"), (":path", "/")]))].concat();
    let (seen, counters) = seen(&client, &[]);
    assert_eq!(seen.at(Where::HttpUrl), ["http://a.example/"]);
    assert_eq!(counters.fault(Fault::SplitHttp2), 1);
}
