//! The decoder as a whole: handwritten frames, and random bytes.

#[cfg(feature = "sensor")]
mod expected;
mod layers;
#[cfg(feature = "sensor")]
mod speed;
#[cfg(feature = "sensor")]
pub(super) mod split;
#[cfg(feature = "sensor")]
mod transfers;

use super::contract::{Opening, Probe, Protocol, Slot};
use super::dispatch::ConnectionState;
use super::*;
use crate::engine::indicator::Protocol as AlertProtocol;
use crate::engine::indicator::{Kind, Observable, PacketPlace, Timestamp, Where};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Probes for a protocol at the beginning of a direction.
pub(super) fn probe<P: Protocol>(data: &[u8]) -> Probe<P>
where
    ConnectionState: Slot<P::Session>,
{
    let opening = Opening { ports: Ports::None, is_synced: true };
    P::probe(data, &opening, &ConnectionState::default())
}

/// An observable in an owned and canonical form.
pub(super) fn text(observable: Observable<'_>) -> String {
    let plain = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match observable {
        Observable::Address(address, None) => address.to_string(),
        Observable::Address(address, Some(port)) => format!("{address} {port}"),
        Observable::Name(name) => plain(name),
        Observable::Url(url) => plain(url),
        Observable::Email(email) => plain(email),
        Observable::Digest(kind, bytes) => format!("{kind:?} {bytes:?}"),
        Observable::Text(_, value) => plain(value),
    }
}

/// Records everything.
#[derive(Default)]
pub(super) struct Recorder {
    pub(super) opened: Vec<(IpAddr, IpAddr, bool)>,
    pub(super) continued: Vec<u64>,
    pub(super) closed: Vec<FlowEnd>,
    pub(super) seen: Vec<(Where, String)>,
    /// All texts of a place, concatenated.
    pub(super) texts: BTreeMap<Where, Vec<u8>>,
    pub(super) places: Vec<PacketPlace>,
    pub(super) wants: bool,
    pub(super) fingerprints: bool,
}

impl Recorder {
    pub(super) fn text_at(&self, at: Where) -> String {
        self.texts
            .get(&at)
            .map(|text| String::from_utf8_lossy(text).into_owned())
            .unwrap_or_default()
    }

    pub(super) fn at(&self, at: Where) -> Vec<&str> {
        self.seen.iter().filter(|(place, _)| *place == at).map(|(_, text)| text.as_str()).collect()
    }
}

impl Visitor for Recorder {
    fn flow_opened(&mut self, packet: &Packet<'_>) -> bool {
        self.opened.push((packet.src, packet.dst, packet.to_server));
        self.wants
    }

    fn flow_continued(&mut self, packet: &Packet<'_>) {
        self.continued.push(packet.number);
    }

    fn flow_closed(&mut self, flow: &FlowEnd) {
        self.closed.push(*flow);
    }

    fn wants(&self, _: Kind) -> bool {
        self.fingerprints
    }

    fn seen(
        &mut self,
        observable: Observable<'_>,
        at: Where,
        packet: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
    ) {
        self.seen.push((at, text(observable)));
        self.places.push(packet.place(&Arc::from("test.pcap"), false, protocol_facts));
    }

    fn text(&mut self, text: &[u8], at: Where, _: &Packet<'_>, _: ProtocolFacts<'_>) {
        self.texts.entry(at).or_default().extend_from_slice(text);
    }
}

pub(super) const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
pub(super) const SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);

/// An IPv4 packet for the raw link type.
pub(super) fn ipv4(src: Ipv4Addr, dst: Ipv4Addr, proto: u8, payload: &[u8]) -> Vec<u8> {
    let total = (20 + payload.len()) as u16;
    let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, proto, 0, 0];
    packet[2..4].copy_from_slice(&total.to_be_bytes());
    packet.extend(src.octets());
    packet.extend(dst.octets());
    packet.extend(payload);
    packet
}

pub(super) fn udp(src: u16, dst: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = [src.to_be_bytes(), dst.to_be_bytes()].concat();
    bytes.extend((8 + payload.len() as u16).to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(payload);
    ipv4(CLIENT, SERVER, 17, &bytes)
}

/// A client's segment at a sequence number.
pub(super) fn tcp_at(src: u16, dst: u16, seq: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = tcp(src, dst, 24, payload);
    packet[24..28].copy_from_slice(&seq.to_be_bytes());
    packet
}

pub(super) fn tcp(src: u16, dst: u16, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = [src.to_be_bytes(), dst.to_be_bytes()].concat();
    bytes.extend([0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0]);
    bytes.extend(payload);
    ipv4(CLIENT, SERVER, 6, &bytes)
}

/// A frame that consists of an IP packet.
pub(super) fn raw_frame(number: u64, data: &[u8]) -> Frame<'_> {
    let length = data.len() as u32;
    Frame { is_timed: true, number, time: Timestamp(0), linktype: 101, length, data }
}

/// Both directions of one connection, in segments of this many bytes.
pub(super) fn converse(
    port: u16,
    client: &[u8],
    server: &[u8],
    unit: usize,
) -> (Recorder, Counters) {
    let mut decoder = Decoder::new(Config::default());
    let mut recorder = Recorder { fingerprints: true, ..Recorder::default() };
    let mut number = 0;
    for (stream, is_client) in [(client, true), (server, false)] {
        let ports = if is_client { (40_000, port) } else { (port, 40_000) };
        let (from, to) = if is_client { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
        for (at, data) in stream.chunks(unit.max(1)).enumerate() {
            let mut bytes = [u16::to_be_bytes(ports.0), u16::to_be_bytes(ports.1)].concat();
            bytes.extend(((at * unit) as u32).to_be_bytes());
            bytes.extend([0, 0, 0, 0, 0x50, 24, 0, 0, 0, 0, 0, 0]);
            bytes.extend(data);
            let data = ipv4(from, to, 6, &bytes);
            number += 1;
            decoder.frame(&raw_frame(number, &data), &mut recorder);
        }
    }
    decoder.finish(&mut recorder);
    (recorder, decoder.counters())
}

/// Decodes raw IP packets, one per second.
pub(super) fn decode(packets: &[Vec<u8>]) -> (Recorder, Counters) {
    decode_for(Recorder::default(), packets)
}

/// The same, with everything that is computed only if it is wanted.
pub(super) fn decode_all(packets: &[Vec<u8>]) -> (Recorder, Counters) {
    decode_for(Recorder { fingerprints: true, ..Recorder::default() }, packets)
}

/// A packet of a client.
pub(super) fn some_packet() -> Packet<'static> {
    Packet {
        number: 1,
        time: Timestamp(0),
        is_timed: true,
        length: 60,
        src: CLIENT.into(),
        dst: SERVER.into(),
        proto: 6,
        ports: Ports::Pair(40_000, 80),
        vlan: &[],
        tunnel: &[],
        flow_id: 1,
        to_server: true,
        totals: crate::engine::indicator::Flow::default(),
    }
}

fn decode_for(recorder: Recorder, packets: &[Vec<u8>]) -> (Recorder, Counters) {
    decode_as(Decoder::new(Config::default()), recorder, packets)
}

pub(super) fn decode_as(
    mut decoder: Decoder,
    mut recorder: Recorder,
    packets: &[Vec<u8>],
) -> (Recorder, Counters) {
    for (at, data) in packets.iter().enumerate() {
        let time = Timestamp::from_seconds(at as i64);
        let frame = Frame { time, ..raw_frame(at as u64 + 1, data) };
        decoder.frame(&frame, &mut recorder);
    }
    decoder.finish(&mut recorder);
    (recorder, decoder.counters())
}

/// One of each kind of packet that is parsed, as raw IP.
fn samples() -> Vec<Vec<u8>> {
    let request = b"GET /a HTTP/1.1\r\nHost: a.example:81\r\nX-Forwarded-For: 192.0.2.9\r\n\r\n";
    let mut icmp = ipv4(CLIENT, SERVER, 1, &[8, 0, 0, 0]);
    icmp[0] = 0x45;
    vec![
        tcp(40000, 80, 24, request),
        tcp(
            40001,
            443,
            24,
            &crate::engine::packet::protocol::tls::tests::hello(Some("a.example"), &["h2"]),
        ),
        udp(40002, 53, &crate::engine::packet::payload::dns::tests::sample()),
        udp(40003, 54, &crate::engine::packet::payload::dns::tests::sample()),
        icmp,
    ]
}

#[test]
fn every_layer_to_a_place() {
    let (recorder, counters) = decode(&samples());
    assert_eq!(recorder.at(Where::HttpHost), ["a.example 81".replace(" 81", "")]);
    assert_eq!(recorder.at(Where::HttpUrl), ["http://a.example:81/a"]);
    assert_eq!(recorder.at(Where::TlsSni), ["a.example"]);
    assert_eq!(recorder.at(Where::DnsQuery).len(), 2);
    assert_eq!((counters.frames, counters.packets, counters.flows), (5, 5, 5));
    assert_eq!(counters.faults().count(), 0);
    let place = &recorder.places[0];
    assert_eq!((place.number, place.src_port, place.dst_port), (1, Some(40000), Some(80)));
    assert_eq!((place.to_server, place.proto), (Some(true), 6));
    let Some(AlertProtocol::Http(http)) = &place.protocol else { panic!("{place:?}") };
    assert_eq!(http.hostname.as_deref(), Some("a.example"));
    assert_eq!(recorder.closed.len(), 5);
    assert_eq!(recorder.closed[0].close, Close::Finished);
}

#[test]
fn later_packets_are_reported_where_asked_for() {
    let packet = tcp(1, 2, 16, b"x");
    for wants in [false, true] {
        let mut decoder = Decoder::new(Config::default());
        let mut recorder = Recorder { wants, ..Recorder::default() };
        for number in 1..=3 {
            let frame = Frame {
                is_timed: true,
                number,
                time: Timestamp(0),
                linktype: 101,
                length: 41,
                data: &packet,
            };
            decoder.frame(&frame, &mut recorder);
        }
        decoder.finish(&mut recorder);
        assert_eq!(recorder.opened.len(), 1);
        assert_eq!(recorder.continued, if wants { vec![2, 3] } else { vec![] });
        let end = recorder.closed[0];
        assert_eq!((end.is_wanted, end.totals.packets, end.totals.bytes), (wants, 3, 123));
        assert_eq!((end.totals.first, end.totals.last), (1, 3));
    }
}

#[test]
fn fragments_and_broken_transports_keep_their_addresses() {
    let mut later = udp(1, 53, b"not a header");
    later[7] = 9;
    let mut bogus = udp(1, 53, b"");
    bogus[0] = 0x43;
    let (recorder, counters) = decode(&[later, bogus, ipv4(CLIENT, SERVER, 6, b"abc")]);
    // Without ports: one flow for each protocol.
    assert_eq!(recorder.opened.len(), 2);
    assert_eq!(counters.fault(Fault::FragmentsMissing), 1);
    assert_eq!(counters.fault(Fault::IpLength), 1);
    assert_eq!(counters.fault(Fault::TransportCut), 1);
}

/// Every link type with a decoder, and one without, with the bytes before IP.
const LINKS: [(u32, &[u8]); 28] = [
    (0, b"\x02\0\0\0"),
    (1, b"dstdstsrcsrc\x81\x00\x00\x07\x88\xa8\x00\x08\x08\x00"),
    (12, b""),
    (14, b""),
    (101, b""),
    (108, b"\0\0\0\x02"),
    (113, b"\0\0\0\x01\0\x06srcsrc\0\0\x08\x00"),
    (228, b""),
    (229, b""),
    (276, b"\x08\x00\0\0\0\0\0\x01\0\x01\0\x06srcsrc\0\0"),
    (147, b""),
    (9, b"\xff\x03\x00\x21"),
    (104, b"\x0f\x00\x08\x00"),
    (127, b"\0\0\x08\0\0\0\0\0\x08\x01\0\0rcvrrctrsmtrdestins.\xaa\xaa\x03\0\0\0\x08\0"),
    (219, b"\0\0\x01\x40"),
    (239, b"\x02\0\0\0\xff\xff\x09\0"),
    (1, b"dstdstsrcsrc\x88\x64\x11\0\0\x01\xff\xff\0\x21"),
    (1, b"dstdstsrcsrc\x86\xdd"),
    (1, b"dstdstsrcsrc\x89\x26\0\0\0\0\x08\0"),
    (1, b"dstdstsrcsrc\x89\x3f\0\0\0\x01\0\0\x08\0"),
    (1, b"dstdstsrcsrc\x88\xe7\0\0\0\x01dstdstsrcsrc\x08\0"),
    (1, b"dstdstsrcsrc\x89\x4f\0\x02\x02\x01\0\0\x01\xff"),
    (1, b"dstdstsrcsrc\x88\xe5\0\0\0\0\0\x01\x08\0"),
    (117, b"\x18\x02\0\0em0................."),
    (192, b"\0\0\x08\0\x01\0\0\0dstdstsrcsrc\x08\0"),
    (107, b"\x18\x41\x03\xcc"),
    (178, b"MGC\x01dstdstsrcsrc\x08\0"),
    (242, b"........................................\x08\0\0\0"),
];

fn decode_one(linktype: u32, data: &[u8]) -> Recorder {
    let mut decoder = Decoder::new(Config { flow_by_vlan: true, ..Config::default() });
    let mut recorder = Recorder::default();
    let length = data.len() as u32;
    let frame =
        Frame { is_timed: true, number: 1, time: Timestamp(i64::MAX), linktype, length, data };
    decoder.frame(&frame, &mut recorder);
    decoder.finish(&mut recorder);
    recorder
}

#[test]
fn truncation_anywhere_is_survived() {
    for (linktype, head) in LINKS {
        for sample in samples() {
            let whole = [head, &sample].concat();
            for end in 0..=whole.len() {
                decode_one(linktype, &whole[..end]);
            }
            let is_v4 = !matches!(linktype, 147 | 229) && !head.ends_with(b"\x86\xdd");
            assert_eq!(decode_one(linktype, &whole).opened.len(), usize::from(is_v4), "{linktype}");
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(
        link in 0..LINKS.len(),
        with_head: bool,
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let (linktype, head) = LINKS[link];
        decode_one(linktype, &bytes);
        if with_head {
            decode_one(linktype, &[head, &bytes].concat());
        }
    }

    #[test]
    fn no_payload_panics(
        proto in prop::sample::select(vec![0_u8, 1, 6, 17, 43, 44, 51, 58, 60, 132, 135]),
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        port in prop::sample::select(vec![53_u16, 5353, 80, 137, 4000]),
    ) {
        decode(&[
            ipv4(CLIENT, SERVER, proto, &bytes),
            udp(1, port, &bytes),
            tcp(1, port, 24, &bytes),
            tcp(1, port, 24, &[b"GET / HTTP/1.1\r\n", &bytes[..]].concat()),
            tcp(1, port, 24, &[b"\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03", &bytes[..]].concat()),
        ]);
        let mut v6 = vec![0x60, 0, 0, 0];
        v6.extend((bytes.len() as u16).to_be_bytes());
        v6.extend([proto, 64]);
        v6.extend([0; 32]);
        v6.extend(&bytes);
        decode(&[v6]);
    }

    #[test]
    fn changed_samples_do_not_panic(
        which in 0..5_usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut sample = samples()[which].clone();
        for (at, value) in changes {
            let at = at.index(sample.len());
            sample[at] = value;
        }
        decode(&[sample]);
    }
}

#[test]
fn what_an_icmp_error_quotes_is_left_to_the_decoder_that_has_the_flow() {
    let query = udp(40_000, 53, b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x01\0\x01");
    let router = Ipv4Addr::new(203, 0, 113, 1);
    let error = ipv4(router, CLIENT, 1, &[&[3, 1, 0, 0, 0, 0, 0, 0], &query[..]].concat());
    let opened = |recorder: &Recorder| recorder.opened.len();
    // One decoder that gets both, and one that gets the error alone.
    let (both, _) = decode(&[query.clone(), error.clone()]);
    let (alone, _) = decode(std::slice::from_ref(&error));
    assert_eq!((opened(&both), both.at(Where::DnsQuery)), (2, vec!["a.example"]));
    assert_eq!((opened(&alone), alone.at(Where::DnsQuery)), (2, vec!["a.example"]));
    // Two that share an interface, in either order of the workers.
    let shared = Arc::<SharedFlows>::default();
    let decoder = || {
        let mut decoder = Decoder::new(Config::default());
        decoder.share_flows(Arc::clone(&shared));
        decoder
    };
    let (first, _) = decode_as(decoder(), Recorder::default(), &[query]);
    assert_eq!((opened(&first), first.at(Where::DnsQuery)), (1, vec!["a.example"]));
    let (second, _) = decode_as(decoder(), Recorder::default(), std::slice::from_ref(&error));
    assert_eq!((opened(&second), second.seen.len()), (1, 0));
    // Without it, the second would report what the first did.
    let (strange, _) = decode(&[error]);
    assert_eq!(opened(&strange), 2);
}
